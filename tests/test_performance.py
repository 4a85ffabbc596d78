from functools import partial

from lxml import etree

from odoo.tests import tagged

from .common import CRON_EVENTS, READY, ResidentCommon

# Queries allowed; the goals are those of the project's performance notes.
CREATE_ONE = 16
# The same when nothing but the registry's own caches is warm: reading the site, its
# shifts, the part and the people costs one query each, however many are created.
CREATE_ONE_COLD = 26
CREATE_EACH = 1.2
# A tracked write of core costs as much for each record.
ACTION_EACH = 2.05
# A page of fifty may cost this much more than a page of one.
PAGE_SLACK = 2
ALERTS_EACH = 2.05
MANY = 100
PAGE = 50
CALL = "2026-03-10 01:00:00"


@tagged("post_install", "-at_install")
class TestPerformance(ResidentCommon):
    @classmethod
    def default_env_context(cls):
        return {}

    def setUp(self):
        super().setUp()
        env = self.env(user=self.resident, context={})
        self.model = env["quality.complaint"]
        # What is asked once in the life of a server process.
        self._create_many(2)
        self.env.flush_all()

    def _get_values(self):
        return {
            "site_id": self.site.id,
            "product_id": self.product.id,
            "part_id": self.part.id,
            "defect_id": self.defect.id,
            "called_at": CALL,
            "description": "Scratch",
        }

    def _create_many(self, count):
        return self.model.create([self._get_values() for _number in range(count)])

    def _count(self, function, cold=True):
        """Return how many queries ``function`` costs with an empty cache."""
        self.env.flush_all()
        if cold:
            self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    # === WRITING === #

    def test_create_one(self):
        self._create_many(1)
        queries = self._count(lambda: self._create_many(1), cold=False)
        self.assertLessEqual(queries, CREATE_ONE)

    def test_create_one_cold(self):
        queries = self._count(lambda: self._create_many(1))
        self.assertLessEqual(queries, CREATE_ONE_COLD)

    def test_create_many(self):
        queries = self._count(lambda: self._create_many(MANY))
        self.assertLessEqual(queries / MANY, CREATE_EACH)

    def test_create_does_not_grow(self):
        ten = self._count(lambda: self._create_many(10))
        many = self._count(lambda: self._create_many(MANY))
        self.assertLessEqual((many - ten) / (MANY - 10), CREATE_EACH)

    def test_actions_on_many(self):
        values = {**self._get_feedback_values(), **self._get_values()}
        photos = values.pop("photo_ids")
        many = self.model.create([dict(values) for _number in range(MANY)])
        many.photo_ids = photos
        many.root_cause = "Worn die"
        many.late_reason = "Traffic"
        for action in (
            "action_arrive",
            "action_send_feedback",
            "action_contain",
            "action_analyse",
            "action_verify",
            "action_close",
        ):
            if action in READY:
                getattr(self, READY[action])(many)
            self.env.cr.flush()
            one = many[:1]
            with self.subTest(action=action):
                with self._rolled_back():
                    few = self._count(lambda a=action, o=one: self._act(o, a))
                queries = self._count(lambda a=action: self._act(many, a))
                self.assertLessEqual((queries - few) / (MANY - 1), ACTION_EACH)

    def _act(self, complaints, action):
        getattr(complaints, action)()
        # Tracking is written at the end of a request.
        self.env.cr.flush()

    # === READING === #

    def _get_specification(self, view_type):
        """Return what the web client asks for with our own view."""
        arch = etree.fromstring(self.model.get_view(view_type=view_type)["arch"])
        specification = {}
        for node in arch.iter("field"):
            field = self.model._fields[node.get("name")]
            relational = {"fields": {"display_name": {}}} if field.relational else {}
            specification[field.name] = relational
        return specification

    def test_page_does_not_grow(self):
        self._create_many(PAGE)
        for view_type in ("list", "kanban"):
            specification = self._get_specification(view_type)
            self.assertIn("state", specification)

            read = partial(self.model.web_search_read, [], specification)
            read(limit=1)
            one = self._count(partial(read, limit=1))
            page = self._count(partial(read, limit=PAGE))
            with self.subTest(view=view_type):
                self.assertEqual(len(read(limit=PAGE)["records"]), PAGE)
                self.assertLessEqual(page, one + PAGE_SLACK)

    def test_sites_and_parts_do_not_grow(self):
        for records, name in (
            (self.site + self.site_de, "complaint_count"),
            (self.part + self.part_de, "complaint_count"),
        ):
            records = records.with_user(self.manager)
            one = self._count(lambda r=records, n=name: r[:1].mapped(n))
            two = self._count(lambda r=records, n=name: r.mapped(n))
            with self.subTest(model=records._name):
                self.assertLessEqual(two, one)

    # === RECURRENCES AND TWINS === #

    def test_recurrences_do_not_grow(self):
        """One query finds the earlier cases of a whole batch, however many."""
        with self._at("2026-01-05 01:00:00"):
            values = {**self._get_values(), "called_at": "2026-01-05 01:00:00"}
            earlier = self.model._create_protected(
                [
                    {**values, "state": "closed", "closed_at": "2026-01-06 01:00:00"}
                    for _number in range(PAGE)
                ]
            )
        many = self._create_many(PAGE)
        self.assertLessEqual(many.recurrence_of_id, earlier)
        self.assertTrue(all(many.mapped("recurrence_of_id")))

        def compute(records):
            field = records._fields["recurrence_of_id"]
            self.env.add_to_compute(field, records.sudo())
            records.sudo().mapped("recurrence_of_id")

        def search_twins(records):
            records.mapped("twin_ids")

        for function in (compute, search_twins):
            one = self._count(lambda f=function: f(many[:1]))
            page = self._count(lambda f=function: f(many))
            with self.subTest(function=function.__name__):
                self.assertGreater(one, 0)
                self.assertLessEqual(page, one + PAGE_SLACK)

    # === JOBS === #

    def test_alerts_do_not_grow(self):
        with self._at(CALL):
            many = self._create_many(MANY).sudo()
        with self._at("2026-03-10 01:03:00"):
            self.env.cr.flush()
            few = self._count(many[:1]._raise_clock_alerts)
            queries = self._count(many._raise_clock_alerts)
        self.assertEqual(len(self._get_events(many, "half")), MANY)
        self.assertLessEqual((queries - few) / (MANY - 1), ALERTS_EACH)

    def test_alert_scan_uses_its_index(self):
        with self._at(CALL):
            self._create_many(PAGE)
            query = self.env["quality.complaint"]._search(
                [("next_alert_at", "<=", "2026-03-10 02:00:00")],
                order="next_alert_at, id",
                limit=200,
            )
            self.env.flush_all()
            self.env.cr.execute("SET LOCAL enable_seqscan = off")
            self.env.cr.execute("SET LOCAL enable_bitmapscan = off")
            sql = query.select()
            self.env.cr.execute(f"EXPLAIN {sql.code}", sql.params)
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("next_alert_idx", plan)

    def test_events_cost_the_same_each(self):
        """The job works row by row, but a longer queue makes no row dearer."""
        self._run_cron(CRON_EVENTS)
        counts = []
        for size in (5, 20):
            self._create_many(size)
            counts.append(self._count(lambda: self._run_cron(CRON_EVENTS)) / size)
        self.assertLessEqual(counts[1], counts[0])
