from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CRON_CLOCKS, CRON_EVENTS, GROUP, ResidentCommon

JOB_LOG = "odoo.addons.quality_resident.models.resident_event"
CALL = "2026-03-10 01:00:00"
ROLES = ("resident", "standin", "sales", "quality", "manager", "gm")


@tagged("post_install", "-at_install")
class TestOutbox(ResidentCommon):
    def test_once_per_key(self):
        complaint = self._create_complaint()
        for _time in range(2):
            complaint._emit_event("late", key="a")
            complaint._emit_event("late", key="b")
        (complaint + self._create_complaint())._emit_event("late", key="a")
        events = self._get_events(complaint, "late")
        self.assertEqual(events.mapped("key"), ["a", "b"])

    def test_the_database_keeps_one(self):
        complaint = self._create_complaint()
        event = self._get_events(complaint, "new")
        self.assertEqual(len(event), 1)
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            event.copy()
            self.env.flush_all()

    def test_event_says_what_where_and_by_whom(self):
        with self._at(CALL) as now:
            complaint = self._create_complaint(called_at=CALL)
        self.assertRecordValues(
            self._get_events(complaint),
            [
                {
                    "kind": "new",
                    "key": "",
                    "document": complaint,
                    "site_id": self.site.id,
                    "company_id": self.company_a.id,
                    "user_id": self.resident.id,
                    "date": now,
                    "state": "pending",
                    "attempts": 0,
                }
            ],
        )

    def test_templates_are_tried_on_an_event_they_fit(self):
        """Updating the module saves them while events of other documents exist."""
        complaint = self._create_complaint(line_stop_minutes=7)
        claim = self.env["quality.claim"].create({"site_id": self.site.id})
        claim._emit_event("claim_due")
        template = self.env.ref("quality_resident.mail_template_new")
        template.subject = "{{ object.document.line_stop_minutes }} min"
        event = self._get_events(complaint, "new")
        subject = template._render_field("subject", event.ids)[event.id]
        self.assertEqual(subject, "7 min")
        with (
            mute_logger("odoo.addons.mail.models.mail_template"),
            self.assertRaises(ValidationError),
        ):
            template.subject = "{{ object.document.no_such_field }}"

    def test_nothing_is_mailed_in_the_transaction(self):
        complaint = self._create_in_state("reported", line_stop_minutes=0)
        self.assertFalse(self._get_mails(complaint))
        self.assertEqual(
            self._get_events(complaint).mapped("state"), ["pending", "pending"]
        )

    def test_nothing_happens_on_a_refused_action(self):
        complaint = self._create_complaint()
        events = self._get_events(complaint)
        with self._assert_refused():
            complaint.action_send_feedback()
        self.assertEqual(self._get_events(complaint), events)

    def test_job_processes_all(self):
        many = self.env["quality.complaint"]
        for _number in range(5):
            many += self._create_complaint()
        self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(many).mapped("state"), ["done"] * 5)
        self.assertEqual(len(self._get_mails(many)), 10)  # Sales and Quality

    def test_job_again_does_nothing(self):
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        mails, messages = self._get_mails(complaint), complaint.message_ids
        self.assertEqual(len(mails), 2)
        self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_mails(complaint), mails)
        self.assertEqual(complaint.message_ids, messages)

    def test_log_note_names_the_recipients(self):
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        note = complaint.message_ids[0]
        self.assertIn(self.sales.name, note.body)
        self.assertIn(self.quality.name, note.body)
        self.assertTrue(note.is_internal)
        self.assertEqual(
            self._get_events(complaint).partner_ids,
            (self.sales + self.quality).partner_id,
        )

    def _fail_for(self, complaint):
        """Let the mail of ``complaint``'s events fail, and of no other."""
        event_class = type(self.env["resident.event"])
        mail_site = event_class._mail_site

        def fail(events, template):
            mail_site(events, template)
            if complaint.id in events.mapped("res_id"):
                raise ValueError("No paper")

        return patch.object(event_class, "_mail_site", fail)

    def test_one_failure_does_not_stop_the_others(self):
        bad, good = self._create_complaint(), self._create_complaint()
        with mute_logger(JOB_LOG), self._fail_for(bad):
            self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(good).state, "done")
        self.assertEqual(len(self._get_mails(good)), 2)
        event = self._get_events(bad)
        self.assertRecordValues(
            event, [{"state": "pending", "attempts": 1, "error": "No paper"}]
        )
        self.assertGreater(event.retry_at, fields.Datetime.now())
        # What was queued before the failure is undone with it.
        self.assertFalse(self._get_mails(bad))
        self.assertFalse(event.partner_ids)

    def test_unreadable_document_does_not_stop_the_others(self):
        """Also what fails before the mail: a module is gone, a check raises."""
        bad, worse, good = (self._create_complaint() for _number in range(3))
        self._get_events(bad).res_model = "quality.gone"
        gone = self.env["resident.event"].search([("res_model", "=", "quality.gone")])
        complaints = type(worse)

        def ask(complaint, _event):
            if complaint == worse:
                raise ValueError("No answer")
            return True

        with (
            patch.object(complaints, "_is_event_true", ask),
            self.assertLogs(JOB_LOG, "WARNING") as log,
        ):
            self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(good).state, "done")
        self.assertEqual(gone.attempts, 1)
        self.assertEqual(self._get_events(worse).error, "No answer")
        self.assertEqual({record.levelname for record in log.records}, {"WARNING"})
        self.assertIn(f"quality.complaint,{worse.id}", "".join(log.output))

    # === CLEANING === #

    def _age(self, events, days=181):
        events.date = fields.Datetime.now() - timedelta(days=days)

    def test_old_events_are_cleaned(self):
        complaint = self._create_complaint(line_stop_minutes=5)
        complaint._emit_event("late", key="a")
        complaint._emit_event("late", key="b")
        self._run_cron(CRON_EVENTS)
        events = self._get_events(complaint)
        self.assertEqual(set(events.mapped("state")), {"done"})
        keyed = {(event.kind, event.key): event for event in events}
        keyed["late", "a"].state = "failed"
        self._age(events)
        pending = self._get_events(self._create_complaint())
        self._age(pending)
        recent = keyed["late", "b"]
        self._age(recent, days=179)
        before = self.env["resident.event"].search_count([])
        self.env["resident.event"]._gc_done()
        kept = keyed["line_stop", "size 3"] + keyed["late", "a"] + recent + pending
        self.assertEqual((events + pending).exists(), kept.sorted("id"))
        self.assertLess(self.env["resident.event"].search_count([]), before)
        # Nothing is said a second time: the line has been standing all the while.
        complaint.line_stop_minutes = 6
        self.assertEqual(self._get_events(complaint, "line_stop"), kept[:1])

    def test_how_long_events_are_kept(self):
        def clean(days):
            self.env["ir.config_parameter"].set_param(
                "quality_resident.event_keep_days", days
            )
            self.env["resident.event"]._gc_done()
            return event.exists()

        event = self._get_events(self._create_complaint())
        event.state = "done"
        self._age(event, days=31)
        self.assertTrue(clean(0))
        self.assertTrue(clean(40))
        self.assertFalse(clean(30))

    def test_events_are_cleaned_in_batches(self):
        events = self._get_events(self._create_complaint() + self._create_complaint())
        events.state = "done"
        self._age(self.env["resident.event"].search([("state", "=", "done")]), 1)
        self._age(events)
        vacuum = self.env["resident.event"]._gc_done
        with patch(f"{JOB_LOG}.GC_BATCH", 1):
            self.assertEqual(vacuum(), (1, True))
            self.assertEqual(vacuum(), (1, True))
            self.assertEqual(vacuum(), (0, False))
        self.assertFalse(events.exists())

    def test_failure_is_tried_again_later(self):
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL)
            with mute_logger(JOB_LOG), self._fail_for(complaint):
                self._run_cron(CRON_EVENTS)
                self._run_cron(CRON_EVENTS)
        event = self._get_events(complaint)
        self.assertEqual(event.attempts, 1)
        with self._at(event.retry_at):
            self._run_cron(CRON_EVENTS)
        self.assertEqual(event.state, "done")
        self.assertEqual(len(self._get_mails(complaint)), 2)

    def _fail_for_good(self):
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL)
        event = self._get_events(complaint)
        with mute_logger(JOB_LOG), self._fail_for(complaint):
            for attempt in range(1, 6):
                with self._at(event.retry_at or CALL):
                    self._run_cron(CRON_EVENTS)
                self.assertEqual(event.attempts, attempt)
        return event

    def test_failed_after_five_attempts(self):
        event = self._fail_for_good()
        self.assertEqual(event.state, "failed")
        with self._at(self._later(CALL, days=30)):
            self._run_cron(CRON_EVENTS)
        self.assertEqual((event.state, event.attempts), ("failed", 5))

    def test_manager_retries(self):
        event = self._fail_for_good()
        done = self._get_events(self._create_complaint())
        self._run_cron(CRON_EVENTS)
        mails = self._get_mails(done.document)
        (event + done).with_user(self.manager).action_retry()
        self.assertEqual((event.state, event.attempts), ("pending", 0))
        self._run_cron(CRON_EVENTS)
        self.assertEqual(event.state, "done")
        # Only what has failed is done again.
        self.assertEqual(self._get_mails(done.document), mails)

    def test_nobody_else_retries(self):
        event = self._fail_for_good()
        for user in (self.resident, self.quality, self.gm, self.manager_b):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                event.with_user(user).action_retry()
        self.assertEqual(event.state, "failed")

    def test_document_deleted(self):
        complaint = self._create_complaint()
        event = self._get_events(complaint)
        complaint.with_user(self.manager).unlink()
        other = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        self.assertEqual(event.state, "failed")
        self.assertTrue(event.error)
        self.assertEqual(self._get_events(other).state, "done")

    def test_without_template_nothing_is_mailed(self):
        """A customer may switch the mail of one event off."""
        self.env.ref("quality_resident.automation_new").active = False
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(complaint).state, "done")
        self.assertFalse(self._get_mails(complaint))


@tagged("post_install", "-at_install")
class TestRouting(ResidentCommon):
    def _route(self, kind="new", site=None, **values):
        return self.env["resident.route"].create(
            {"kind": kind, "site_id": (site or self.site).id, **values}
        )

    def _get_recipients(self, complaint=None, kind="new"):
        complaint = complaint or self._create_complaint()
        return self._get_events(complaint, kind)._get_recipients()[0]

    def test_general_line(self):
        self.assertEqual(self._get_recipients(), (self.sales + self.quality).partner_id)

    def test_line_of_the_site_comes_first(self):
        self._route(to_manager=True)
        self._route(site=self.site_de, to_sales=True)
        self._route(kind="late", to_gm=True)
        self.assertEqual(self._get_recipients(), self.manager.partner_id)

    def test_line_of_the_company_comes_before_the_general_one(self):
        routes = self.env["resident.route"]
        values = {"kind": "new", "to_gm": True}
        own = routes.with_user(self.manager).create(values)
        self.assertEqual(own.company_id, self.company_a)
        self.assertEqual(self._get_recipients(), self.gm.partner_id)
        theirs = self.env.ref("quality_resident.route_new")
        self.assertFalse(theirs.company_id)
        self.assertEqual(routes._get_route(self.site_b, "new"), theirs)
        of_b = routes.with_user(self.manager_b).create(values)
        self.assertEqual(routes._get_route(self.site_b, "new"), of_b)
        self.assertEqual(routes._get_route(self.site, "new"), own)
        with self.assertRaises(AccessError):
            of_b.with_user(self.manager).to_sales = True
        # A line for everybody, said so.
        theirs.unlink()
        shared = routes.with_user(self.manager).create({**values, "company_id": False})
        self.assertFalse(shared.company_id)

    def test_what_a_module_ships_is_for_all(self):
        shipped = self.env["resident.route"].search(
            [("site_id", "=", False), ("company_id", "!=", False)]
        )
        self.assertFalse(shipped)
        self.env.ref("quality_resident.route_new").unlink()
        route = self.env["resident.route"].with_context(install_mode=True)
        self.assertFalse(route.create({"kind": "new"}).company_id)

    def test_site_shows_what_holds(self):
        own = self._route(kind="late", to_gm=True)
        company = self.env["resident.route"].create(
            {"kind": "half", "company_id": self.company_a.id}
        )
        sites = (self.site + self.site_de + self.site_b).with_user(self.manager)
        sites = sites.with_context(
            allowed_company_ids=(self.company_a + self.company_b).ids
        )
        self.manager.company_ids += self.company_b
        shipped = self.env["resident.route"].search(
            [("site_id", "=", False), ("company_id", "=", False)]
        )
        by_kind = {route.kind: route for route in shipped}
        for site, special in zip(
            sites, ({"late": own, "half": company}, {"half": company}, {}), strict=True
        ):
            with self.subTest(site=site.name):
                expected = list({**by_kind, **special}.values())
                self.assertEqual(
                    set(site.holding_route_ids.ids), {route.id for route in expected}
                )
        with self.assertRaises(AccessError):
            self.site.with_user(self.resident).read(["holding_route_ids"])

    def test_line_of_the_site_may_name_nobody(self):
        self._route()
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(complaint).state, "done")
        self.assertFalse(self._get_mails(complaint))

    def test_each_role(self):
        expected = {
            "resident": self.resident,
            "standin": self.standin,
            "sales": self.sales,
            "quality": self.quality,
            "manager": self.manager,
            "gm": self.gm,
        }
        self.assertEqual(set(expected), set(ROLES))
        route = self._route()
        for role, user in expected.items():
            route.write({f"to_{name}": name == role for name in ROLES})
            with self.subTest(role=role):
                complaint = self._create_complaint(self.manager)
                event = self._get_events(complaint, "new")
                # Entered by somebody who is none of them.
                event.sudo().user_id = self.env.ref("base.user_root")
                self.assertEqual(event._get_recipients()[0], user.partner_id)

    def test_general_managers_of_the_company_only(self):
        self._route(to_gm=True)
        self.assertEqual(self._get_recipients(), self.gm.partner_id)
        self.gm_b.company_ids += self.company_a
        self.assertEqual(self._get_recipients(), (self.gm + self.gm_b).partner_id)

    def test_resident_of_the_complaint(self):
        second = new_test_user(
            self.env,
            login="second",
            groups=GROUP + "resident",
            company_id=self.company_a.id,
        )
        self._create_posting(self.site, second)
        self._route(to_resident=True)
        complaint = self._create_complaint()
        complaint.resident_id = second
        self.assertEqual(self._get_recipients(complaint), second.partner_id)

    def test_resident_on_shift_is_called(self):
        early, late = (
            self._create_calendar(name, "Asia/Shanghai", (hours,), "0123456")
            for name, hours in (("Early", (0, 12)), ("Late", (12, 24)))
        )
        self.posting.calendar_id = early
        second = new_test_user(
            self.env,
            login="second",
            groups=GROUP + "resident",
            company_id=self.company_a.id,
        )
        self._create_posting(
            self.site, second, calendar_id=late.id, date_from="2019-01-01"
        )
        for moment, user in (
            ("2026-03-10 01:00:00", self.resident),
            ("2026-03-10 03:59:59", self.resident),
            ("2026-03-10 04:00:00", second),
            ("2026-03-10 15:59:59", second),
            ("2026-03-10 16:00:00", self.resident),
        ):
            with self.subTest(moment=moment), self._at(moment):
                complaint = self._create_complaint(self.manager, called_at=moment)
                self.assertEqual(complaint.resident_id, user)

    def test_who_reports_is_the_resident(self):
        second = new_test_user(
            self.env,
            login="second",
            groups=GROUP + "resident",
            company_id=self.company_a.id,
        )
        self._create_posting(self.site, second)
        self.assertEqual(self._create_complaint(second).resident_id, second)

    def test_only_current_postings_are_called(self):
        self._route(to_standin=True)
        for values in (
            {"state": "suspended"},
            {"state": "ended"},
            {"date_from": "2999-01-01"},
            {"date_to": "2020-01-02"},
        ):
            with self.subTest(values=values), self._rolled_back():
                self.posting_standin.write(values)
                self.assertFalse(self._get_recipients())

    def test_one_person_in_two_roles(self):
        self.site.sales_user_ids = self.quality + self.sales
        self._route(
            to_sales=True,
            to_quality=True,
            partner_ids=(self.sales.partner_id + self.sqe).ids,
        )
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        people = (self.quality + self.sales).partner_id + self.sqe
        self.assertEqual(self._get_events(complaint).partner_ids, people)
        mails = self._get_mails(complaint)
        self.assertEqual(len(mails), 3)
        self.assertEqual(mails.recipient_ids, people)

    def test_who_cannot_be_reached_is_left_out(self):
        self.quality.partner_id.email = False
        self.sales.active = False
        self._route(to_sales=True, to_quality=True, partner_ids=self.sqe.ids)
        complaint = self._create_complaint()
        self.assertEqual(self._get_recipients(complaint), self.sqe)
        self._run_cron(CRON_EVENTS)
        self.assertEqual(self._get_events(complaint).state, "done")
        self.assertEqual(self._get_mails(complaint).recipient_ids, self.sqe)


@tagged("post_install", "-at_install")
class TestTodo(ResidentCommon):
    def _get_todo(self, complaint):
        kind = self.env.ref("quality_resident.mail_activity_type_clock")
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "quality.complaint"),
                ("res_id", "=", complaint.id),
                ("activity_type_id", "=", kind.id),
            ]
        )

    def _create_half(self, **values):
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL, **values)
        with self._at("2026-03-10 01:03:00"):
            self._run_cron(CRON_CLOCKS)
            self._run_cron(CRON_EVENTS)
        return complaint

    def test_half_way_is_on_the_list(self):
        complaint = self._create_half()
        todo = self._get_todo(complaint)
        self.assertEqual(todo.user_id, self.resident + self.standin)
        self.assertEqual(len(todo), 2)
        self.assertEqual(
            set(todo.mapped("date_deadline")), {fields.Date.to_date("2026-03-10")}
        )
        label = complaint._fields["arrival_deadline"].string
        self.assertTrue(all(label in (t.summary or "") for t in todo))

    def test_no_second_mail_for_the_to_do(self):
        complaint = self._create_half()
        half = self._get_mails(complaint).filtered(
            lambda m: self.resident.partner_id in m.recipient_ids
        )
        self.assertEqual(len(half), 1)

    def test_new_complaint_makes_no_to_do(self):
        complaint = self._create_complaint()
        self._run_cron(CRON_EVENTS)
        self.assertFalse(self._get_todo(complaint))

    def test_arriving_clears_it_for_both(self):
        complaint = self._create_half()
        with self._at("2026-03-10 01:04:00"):
            complaint.with_user(self.standin).action_arrive()
        self.assertFalse(self._get_todo(complaint))

    def test_finishing_clears_it(self):
        for action in ("action_cancel", "action_refuse"):
            complaint = self._create_half()
            self.assertTrue(self._get_todo(complaint))
            with self.subTest(action=action):
                getattr(complaint.with_user(self.manager), action)(reason="Twice")
                self.assertFalse(self._get_todo(complaint))

    def test_closing_clears_it(self):
        with self._at(CALL):
            complaint = self._create_in_state(
                "verifying", called_at=CALL, customer_due_date="2026-03-12"
            )
        with self._at("2026-03-13 16:00:00"):
            self._run_cron(CRON_CLOCKS)
            self._run_cron(CRON_EVENTS)
            self.assertEqual(self._get_todo(complaint).user_id, self.gm + self.manager)
            self._prove(complaint)
            complaint.action_close()
        self.assertFalse(self._get_todo(complaint))

    def test_own_activities_stay(self):
        complaint = self._create_half()
        own = complaint.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.resident.id
        )
        with self._at("2026-03-10 01:04:00"):
            complaint.action_arrive()
        self.assertTrue(own.exists())

    def test_arrival_leaves_the_due_date_on_the_list(self):
        """The resident's coming does not settle the permanent measure."""
        with self._at("2026-03-05 01:00:00"):
            complaint = self._create_complaint(
                called_at="2026-03-05 01:00:00", customer_due_date="2026-03-06"
            )
        with self._at("2026-03-06 02:00:00"):
            self._run_cron(CRON_CLOCKS)
            self._run_cron(CRON_EVENTS)
        label = complaint._fields["due_deadline"].string
        due = self._get_todo(complaint).filtered(lambda t: label in t.summary)
        self.assertTrue(due)
        with self._at("2026-03-06 03:00:00"):
            complaint.action_arrive()
        self.assertTrue(due.exists())
