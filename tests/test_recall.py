from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import SmtpCatcher
from .test_trace import TraceCommon

# Queries that another row at the same site may cost.
EACH = 1


@tagged("post_install", "-at_install")
class TestRecall(TraceCommon):
    """“Where else?” of a complaint and the containment that it opens there (A5)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._put(cls.buffer_de, 7, cls.lot, cls.in_lots)
        cls.complaint = cls._open(lot_ids=cls.lot.ids)
        cls.env.cr.flush()

    def _row(self, site=None, user=None, complaint=None, **values):
        rows = self._elsewhere(complaint or self.complaint, user)
        site = site or self.site_de
        return rows.filtered(
            lambda r: (
                r.site_id == site
                and all(r[name] == value for name, value in values.items())
            )
        )

    # === WHERE ELSE === #

    def test_every_other_place_and_customer(self):
        self._move(12, self.plant_de)
        self._move(3, self.stranger)
        self._move(9, self.customer)
        self._put(self.suspect_location, 2, self.lot, self.in_lots)
        self._put(self.stock, 5, self.lot, self.in_lots)
        self._put(self.buffer_de, 8, self._create_lot("L9", self.in_lots), self.in_lots)
        rows = self._elsewhere(self.complaint)
        self.assertEqual(
            sorted((r.kind, r.site_id.code or "", r.quantity, r.status) for r in rows),
            [
                ("delivery", "", 3, "none"),
                ("delivery", "TSTDE", 12, "todo"),
                ("stock", "", 5, "none"),
                ("stock", "TSTCN", 2, "held"),
                ("stock", "TSTDE", 7, "todo"),
            ],
            "what this site received itself is sorted here",
        )
        self.assertFalse(rows.known_complaint_id - self.complaint)

    def test_lots_found_bad_count(self):
        bad, suspect, good, undone = (
            self._create_lot(name, self.in_lots) for name in ("B", "S", "G", "U")
        )
        for lot in (bad, suspect, good, undone):
            self._put(self.buffer_location, 9, lot, self.in_lots)
            self._put(self.buffer_de, 1, lot, self.in_lots)
        sorting = self._get_sorting(self.complaint, self.buffer)
        self._count(sorting, lot_id=bad.id, qty_bad=1)
        self._count(sorting, lot_id=suspect.id, qty_suspect=1)
        self._count(sorting, lot_id=good.id, qty_good=1)
        self._count(sorting, lot_id=undone.id, qty_bad=1).action_undo()
        rows = self._elsewhere(self.complaint)
        self.assertEqual(rows.lot_id, self.lot + bad + suspect)

    def test_without_a_lot_it_is_all_of_the_product(self):
        self._put(self.buffer_de, 40, product=self.product)
        self._move(5, self.plant_de, product=self.product)
        long_ago = self._later(self.complaint.called_at, days=-181)
        self._move(90, self.plant_de, product=self.product, date=long_ago)
        complaint = self._open(self.product).with_user(self.manager)
        notice = complaint.action_view_elsewhere()
        message = notice["params"]["message"]
        for word in (complaint.name, self.product.display_name, "No lot"):
            self.assertIn(word, message)
        self.assertIn(str(self._later(complaint.called_at, days=-180).date()), message)
        self.assertEqual(notice["params"]["next"]["res_model"], "quality.trace")
        rows = self._elsewhere(complaint)
        self.assertEqual(sorted(rows.mapped("quantity")), [5, 40])
        rows.action_open_containment()
        recall = self._recalls(complaint)
        self.assertRecordValues(
            recall,
            [
                {
                    "product_id": self.product.id,
                    "part_id": self.part_de.id,
                    "lot_ids": [],
                }
            ],
        )
        self.company_a.trace_days = 200
        self.assertEqual(
            sorted(self._elsewhere(complaint).mapped("quantity")), [40, 95]
        )

    def test_product_needed(self):
        unknown = self._create_complaint(product_id=False).with_user(self.manager)
        with self._assert_refused("Product"):
            unknown.action_view_elsewhere()

    # === OPENING === #

    def test_other_site(self):
        self._move(12, self.plant_de)
        rows = self._row()
        self.assertEqual(set(rows.mapped("status")), {"todo"})
        action = rows[:1].action_open_containment()
        recall = self._recalls(self.complaint)
        self.assertIn(recall.name, action["params"]["message"])
        self.assertRecordValues(
            recall,
            [
                {
                    "site_id": self.site_de.id,
                    "company_id": self.company_a.id,
                    "product_id": self.in_lots.id,
                    "defect_id": self.complaint.defect_id.id,
                    "lot_ids": self.lot.ids,
                    "channel": "recall",
                    "problem_type": "tracking",
                    "severity": self.complaint.severity,
                    "state": "new",
                    "resident_id": self.resident_de.id,
                    "create_uid": self.manager.id,
                }
            ],
        )
        for word in (self.complaint.name, self.complaint.description):
            self.assertIn(word, recall.description)
        self.assertIn("L7", recall.suspect_area)
        self.assertTrue(recall.containment_opened_at)
        must = self.site_de.place_ids.filtered("must_screen")
        self.assertEqual(recall.inspection_ids.place_id, must)
        self.assertEqual(
            self._get_sorting(recall, self.place_buffer_de).qty_expected, 7
        )
        rows = self._row()
        self.assertEqual(set(rows.mapped("status")), {"open"})
        self.assertEqual(rows.known_complaint_id, recall)
        self.assertIn(recall.name, str(self.complaint.message_ids.mapped("body")))

    def test_mail_goes_out(self):
        self._row().action_open_containment()
        recall = self._recalls(self.complaint)
        self.assertEqual(self._get_events(recall, "new").key, "")
        self.assertEqual(len(self._get_events(recall, "new")), 1)

    def test_twice_creates_nothing_twice(self):
        self._row().action_open_containment()
        recall = self._recalls(self.complaint)
        sortings = recall.inspection_ids
        action = self._row().action_open_containment()
        self.assertIn("already", action["params"]["message"])
        self.assertEqual(self._recalls(self.complaint), recall)
        self.assertEqual(recall.inspection_ids, sortings)
        self.assertEqual(len(self._get_events(recall, "new")), 1)

    def test_more_rows_of_a_site_make_one_complaint(self):
        other = self._create_lot("L8", self.in_lots)
        self._put(self.buffer_de, 2, other, self.in_lots)
        self._move(12, self.plant_de)
        self.complaint.lot_ids += other
        self._elsewhere(self.complaint).action_open_containment()
        recall = self._recalls(self.complaint)
        self.assertEqual(len(recall), 1)
        self.assertEqual(recall.lot_ids, self.lot + other)

    def test_lot_found_later_joins(self):
        transit = self.site_de.place_ids.filtered(lambda p: p.kind == "transit")
        transit.must_screen = False
        self._row().action_open_containment()
        recall = self._recalls(self.complaint)
        other = self._create_lot("L8", self.in_lots)
        self._put(self.site_de.transit_location_id, 2, other, self.in_lots)
        self.complaint.lot_ids += other
        row = self._row(lot_id=other)
        self.assertRecordValues(
            row, [{"status": "todo", "known_complaint_id": recall.id}]
        )
        row.action_open_containment()
        self.assertEqual(self._recalls(self.complaint), recall)
        self.assertEqual(recall.lot_ids, self.lot + other)
        self.assertIn(transit, recall.inspection_ids.place_id)

    def test_open_complaint_there_is_used(self):
        theirs = self._create_complaint(
            self.resident_de,
            site_id=self.site_de.id,
            product_id=self.in_lots.id,
            lot_ids=self.lot.ids,
        )
        row = self._row()
        self.assertRecordValues(
            row, [{"status": "todo", "known_complaint_id": theirs.id}]
        )
        row.action_open_containment()
        self.assertFalse(self._recalls(self.complaint))
        self.assertTrue(theirs.inspection_ids)
        self.assertEqual(self._row().status, "open")

    def test_finished_recalls(self):
        self._row().action_open_containment()
        recall = self._recalls(self.complaint)
        recall.sudo()._write_protected({"state": "closed"})
        self.assertEqual(self._row().status, "done", "screened, not to open again")
        recall.sudo()._write_protected({"state": "cancelled"})
        self.assertEqual(self._row().status, "todo", "entered in error")
        self._row().action_open_containment()
        self.assertEqual(len(self._recalls(self.complaint)), 2)

    def test_place_of_the_same_site(self):
        """A place that need not be screened as a rule, where the lot lies."""
        store = self.env["stock.location"].create(
            {"name": "Store", "location_id": self.buffer_location.location_id.id}
        )
        place = self.place.create(
            {
                "site_id": self.site.id,
                "name": "Store",
                "location_id": store.id,
                "must_screen": False,
            }
        )
        self._put(store, 3, self.lot, self.in_lots)
        row = self._row(self.site, self.resident)
        self.assertRecordValues(
            row, [{"status": "todo", "known_complaint_id": self.complaint.id}]
        )
        row.action_open_containment()
        self.assertFalse(self._recalls(self.complaint))
        self.assertEqual(self._get_sorting(self.complaint, place).qty_expected, 3)
        self.assertEqual(self._row(self.site).status, "open")
        self._row(self.site).action_open_containment()
        self.assertEqual(len(self._get_sorting(self.complaint, place)), 1)

    def test_place_found_after_all_was_contained(self):
        self._screen(self.complaint)
        self.complaint.action_contain()
        shelf = self.place.create(
            {
                "site_id": self.site.id,
                "name": "Store",
                "location_id": self.stock.id,
                "must_screen": False,
            }
        )
        self._put(self.stock, 3, self.lot, self.in_lots)
        self._row(self.site, self.resident).action_open_containment()
        self.assertEqual(self.complaint.state, "reported", "not all is contained")
        self.assertTrue(self._get_sorting(self.complaint, shelf))
        with self._assert_refused("Store"):
            self.complaint.action_contain()

    def test_no_site(self):
        self._move(3, self.stranger)
        self._put(self.stock, 5, self.lot, self.in_lots)
        rows = self._elsewhere(self.complaint)
        customer = rows.filtered(lambda r: r.kind == "delivery")
        message = customer.action_open_containment()["params"]["message"]
        for word in ("Test Stranger", "+49 555 0199", "quality@stranger.example.com"):
            self.assertIn(word, message)
        own = rows.filtered(lambda r: r.location_id == self.stock)
        message = own.action_open_containment()["params"]["message"]
        for word in (self.stock.complete_name, "warehouse"):
            self.assertIn(word, message)
        self.assertFalse(self._recalls(self.complaint))
        # With others the rest is opened, and said.
        params = rows.action_open_containment()["params"]
        self.assertTrue(params["sticky"])
        self.assertIn("Test Stranger", params["message"])
        self.assertTrue(self._recalls(self.complaint))

    def test_list_is_old(self):
        row = self._row()
        self._put(self.buffer_de, -7, self.lot, self.in_lots)
        with self._assert_refused("no longer"):
            row.action_open_containment()
        trace = self.env["quality.trace"].with_user(self.manager)
        with self._assert_refused("Where else?"):
            trace.browse(row.ids).action_open_containment()

    def test_client_cannot_point_at_other_rows(self):
        """Ids and context come from the client: only rows of this complaint count."""
        other = self._create_lot("L9", self.in_lots)
        self._put(self.buffer_de, 8, other, self.in_lots)
        row = self._trace(lots=other)
        forged = row.with_context(
            trace_complaint_id=self.complaint.id, trace_lot_ids=other.ids
        )
        with self._assert_refused("no longer"):
            forged.action_open_containment()
        hidden = self._create_complaint(
            self.resident_b, site_id=self.site_b.id, product_id=self.product.id
        )
        with self.assertRaises(AccessError):
            row.with_context(trace_complaint_id=hidden.id).action_open_containment()

    # === WHO MAY === #

    def test_resident_where_he_is_posted(self):
        self.posting_standin.site_id = self.site_de
        self._create_posting(self.site, self.standin)
        self._row(user=self.standin).action_open_containment()
        self.assertEqual(self._recalls(self.complaint).create_uid, self.standin)

    def test_resident_sees_his_sites_only(self):
        self.assertFalse(self._row(user=self.resident))
        foreign = self._row()
        with self._assert_refused("no longer"):
            foreign.with_user(self.resident).action_open_containment()
        self.assertFalse(self._recalls(self.complaint))

    def test_readers_are_refused(self):
        for user in (self.quality, self.gm):
            row = self._row(user=user)
            self.assertEqual(row.status, "todo", "a recall is hers to see")
            with (
                self.subTest(user=user.login),
                self._assert_refused(
                    "manager", "resident", self.site_de.name, error=AccessError
                ),
            ):
                row.action_open_containment()
        self.assertFalse(self._recalls(self.complaint))

    def test_reader_with_both_roles(self):
        """Seeing all rows does not let a resident open where he is not posted."""
        self.resident.group_ids += self.quality.group_ids
        row = self._row(user=self.resident)
        with self._assert_refused(self.site_de.name, error=AccessError):
            row.action_open_containment()

    def test_quality_learns_what_is_open_where_she_reads_nothing(self):
        self._row().action_open_containment()
        recall = self._recalls(self.complaint)
        self.assertFalse(recall.with_user(self.quality).has_access("read"))
        self.assertEqual(self._row(user=self.quality).status, "open")

    def test_other_company(self):
        self._set_up_stock(self.site_b)
        self._put(self.site_b.buffer_location_id, 5, self.lot, self.in_lots)
        self.assertFalse(self._row(self.site_b))
        self.manager.company_ids += self.company_b
        both = self.manager.company_ids.ids
        complaint = self.complaint.with_context(allowed_company_ids=both)
        self.assertFalse(self._row(self.site_b, complaint=complaint))
        with self.assertRaises(AccessError):
            self._elsewhere(self.complaint, self.manager_b)

    def test_origin_cannot_be_set(self):
        own = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        values = {"origin_complaint_id": self.complaint.id}
        for user in (self.resident_de, self.manager, self.admin):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                own.with_user(user).write(values)
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self._create_complaint(user, site_id=self.site_de.id, **values)

    def test_rows_of_a_site_do_not_grow(self):
        lots = self.env["stock.lot"].create(
            [{"name": f"M{n}", "product_id": self.in_lots.id} for n in range(10)]
        )
        for lot in lots:
            self._put(self.buffer_de, 1, lot, self.in_lots)
        self.complaint.lot_ids = [Command.set(lots.ids)]
        rows = self._elsewhere(self.complaint)

        def count(rows):
            with self._rolled_back():
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                rows.action_open_containment()
                self.env.flush_all()
                return self.env.cr.sql_log_count - before

        count(rows)
        self.assertLessEqual(count(rows), count(rows[:1]) + 9 * EACH)


@tagged("post_install", "-at_install")
class TestRecallMail(SmtpCatcher, TraceCommon):
    def test_people_of_the_other_site_are_told(self):
        self._put(self.buffer_de, 7, self.lot, self.in_lots)
        complaint = self._open(lot_ids=self.lot.ids)
        self._send_mails()
        self.mailbox.mails.clear()
        self._elsewhere(complaint).action_open_containment()
        recall = self._recalls(complaint)
        self._send_mails()
        mails = self._get_received(self.resident_de, self.quality_de)
        self.assertTrue(mails)
        for mail in mails:
            self.assertIn(recall.name, mail["Subject"])
        self.assertFalse(self._get_received(self.resident, self.quality))
