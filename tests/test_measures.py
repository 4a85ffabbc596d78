from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import CRON_MEASURES, ResidentCommon, SmtpCatcher

CALL = "2026-03-10 01:00:00"
# The end of 12 March in Changchun; half way there; a day later.
HALF = "2026-03-11 08:30:00"
LATE = "2026-03-12 15:59:59"
ESCALATED = "2026-03-13 15:59:59"


class MeasureCommon(ResidentCommon):
    def _create_measure(self, complaint=None, user=None, **values):
        complaint = complaint or self._create_complaint()
        return (
            self.env["quality.measure"]
            .with_user(user or self.resident)
            .create(
                {"complaint_id": complaint.id, "name": "Sort at the line", **values}
            )
        )

    def _create_done(self, complaint=None, **values):
        measure = self._create_measure(complaint, evidence="Photo of the jig", **values)
        measure.action_done()
        return measure


@tagged("post_install", "-at_install")
class TestMeasures(MeasureCommon):
    # === DONE AND VERIFIED === #

    def test_the_way(self):
        measure = self._create_measure(evidence="Photo of the jig")
        self.assertEqual(measure.state, "open")
        self.assertEqual(measure.user_id, self.resident)
        with self._at("2030-03-11 01:00:00") as done:
            measure.action_done()
        self.assertEqual((measure.state, measure.date_done), ("done", done))
        with self._at("2030-03-12 01:00:00") as verified:
            measure.action_verify()
        self.assertRecordValues(
            measure,
            [
                {
                    "state": "verified",
                    "date_done": done,
                    "verified_at": verified,
                    "verified_by_id": self.resident.id,
                }
            ],
        )

    def test_evidence(self):
        measure = self._create_measure()
        for evidence in (False, "", "  \n"):
            measure.evidence = evidence
            with self.subTest(evidence=evidence), self._assert_refused(measure.name):
                measure.action_done()
        self.assertEqual(measure.state, "open")
        measure.evidence_ids = self._create_photo(res_model="quality.measure")
        measure.action_done()
        self.assertEqual(measure.state, "done")

    def test_evidence_of_each(self):
        proven = self._create_measure(evidence="x")
        bare = self._create_measure(name="New die")
        with self._assert_refused("New die"):
            (proven + bare).action_done()
        self.assertEqual((proven + bare).mapped("state"), ["open"] * 2)

    def test_two_at_once(self):
        complaint = self._create_complaint()
        both = self._create_measure(complaint, evidence="x") + self._create_measure(
            complaint, evidence="y", kind="permanent"
        )
        both.action_done()
        self.assertEqual(both.mapped("state"), ["done", "done"])
        both.action_verify()
        self.assertEqual(both.mapped("state"), ["verified", "verified"])
        self.assertEqual(both.verified_by_id, self.resident)

    def test_not_verified_before_done(self):
        measure = self._create_measure(evidence="x")
        with self._assert_refused(measure.name):
            measure.action_verify()
        done = self._create_done()
        with self._assert_refused(measure.name):
            (done + measure).action_verify()
        self.assertEqual(done.state, "done")

    def test_does_not_work_after_all(self):
        measure = self._create_done()
        measure.action_reopen()
        self.assertRecordValues(measure, [{"state": "open", "date_done": False}])
        measure.action_done()
        measure.action_verify()
        with self.assertRaises(AccessError):
            measure.action_reopen()
        self.assertEqual(measure.state, "verified")
        measure.with_user(self.manager).action_reopen()
        self.assertRecordValues(
            measure,
            [
                {
                    "state": "open",
                    "date_done": False,
                    "verified_at": False,
                    "verified_by_id": False,
                }
            ],
        )

    # === WHO === #

    def test_quality_owns_and_finishes(self):
        measure = self._create_measure(user=self.quality)
        self.assertEqual(measure.user_id, self.quality)
        measure.evidence = "Cp 1.67"
        measure.action_done()
        self.assertEqual(measure.state, "done")

    def test_verified_at_the_customer(self):
        """By who is there: the resident; not by who made it, far away (C8)."""
        measure = self._create_measure(user=self.quality, evidence="Cp 1.67")
        measure.with_user(self.quality).action_done()
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                measure.with_user(user).action_verify()
        self.assertEqual(measure.state, "done")
        measure.with_user(self.resident).action_verify()
        self.assertEqual(measure.verified_by_id, self.resident)

    def test_readers_finish_nothing(self):
        measure = self._create_measure(evidence="x")
        for user in (self.sales, self.gm, self.quality_de, self.resident_de):
            for action in ("action_done", "action_reopen"):
                with (
                    self.subTest(user=user.login, action=action),
                    self.assertRaises(AccessError),
                ):
                    getattr(measure.with_user(user), action)()
        self.assertEqual(measure.state, "open")

    def test_quality_of_another_site(self):
        complaint = self._create_complaint()
        with self.assertRaises(AccessError):
            self._create_measure(complaint, self.quality_de)

    # === BY RPC === #

    def test_results_cannot_be_written(self):
        measure = self._create_done(date_due="2030-01-01")
        forged = {
            "state": "verified",
            "date_done": "2020-01-01 00:00:00",
            "verified_at": "2020-01-01 00:00:00",
            "verified_by_id": self.standin.id,
            "due_deadline": "2031-01-01 00:00:00",
            "due_alert": 3,
            "next_alert_at": "2031-01-01 00:00:00",
            "site_id": self.site_de.id,
            "company_id": self.company_b.id,
        }
        self.assertEqual(set(forged), set(measure._get_protected_fields()))
        complaint = measure.complaint_id
        for name, value in forged.items():
            for user in (self.resident, self.quality, self.manager, self.root):
                own = measure.with_user(user)
                with self.subTest(user=user.login, field=name):
                    with self.assertRaises(UserError):
                        call_kw(own, "write", [own.ids, {name: value}], {})
                    with self.assertRaises(UserError):
                        self._create_measure(complaint, user, **{name: value})
            with self.subTest(field=name, way="x2many"):
                with self.assertRaises(UserError):
                    complaint.measure_ids = [Command.update(measure.id, {name: value})]
        self.assertEqual(measure.state, "done")

    def test_is_not_moved_to_another_site(self):
        measure = self._create_measure()
        for user, site in (
            (self.resident_de, self.site_de),
            (self.resident_b, self.site_b),
        ):
            complaint = self._create_complaint(user, site_id=site.id)
            with self.subTest(company=site.company_id.name):
                with self._rolled_back(), self.assertRaises(UserError):
                    measure.complaint_id = complaint.id
                with self._rolled_back(), self.assertRaises(UserError):
                    self._create_measure(complaint.sudo())

    def test_verified_is_fixed(self):
        """What was verified is neither changed into something else nor lent."""
        measure = self._create_done()
        measure.action_verify()
        for values in (
            {"kind": "permanent"},
            {"name": "Something else"},
            {"complaint_id": self._create_complaint().id},
            {"evidence": False},
        ):
            with (
                self.subTest(values=values),
                self._rolled_back(),
                self.assertRaises(UserError),
            ):
                measure.write(values)

    def test_unlink(self):
        for measure in (self._create_done(), self._create_done()):
            if measure.state == "done":
                with self.assertRaises(UserError):
                    measure.with_user(self.manager).unlink()
        mistaken = self._create_measure()
        with self.assertRaises(AccessError):
            mistaken.with_user(self.quality).unlink()
        mistaken.unlink()
        self.assertFalse(mistaken.exists())

    def test_copy_of_a_complaint_has_none(self):
        complaint = self._create_in_state("closed")
        self.assertFalse(complaint.copy().measure_ids)

    # === CLOSING === #

    def _create_verifying(self, **values):
        with self._at(CALL):
            return self._create_in_state("verifying", called_at=CALL, **values)

    def _create_mark(self, complaint):
        return self.env["quality.breakpoint"].create(
            {"complaint_id": complaint.id, "value": "L8-0815", "online_at": CALL}
        )

    def _assert_gaps(self, complaint, *words, without=()):
        with self.assertRaises(UserError) as refusal:
            complaint.action_close()
        text = str(refusal.exception)
        for word in (complaint.name, *words):
            self.assertIn(word, text)
        for word in without:
            self.assertNotIn(word, text)
        self.assertEqual(complaint.state, "verifying")

    def test_closing_names_what_is_missing(self):
        complaint = self._create_verifying()
        none, no_mark = "No permanent measure", "No breakpoint that held"
        self._assert_gaps(complaint, none, no_mark)
        interim = self._create_measure(complaint, name="Gauge", evidence="x")
        self._assert_gaps(complaint, none, no_mark, "Gauge")
        interim.action_done()
        self._assert_gaps(complaint, none, no_mark, "Gauge")
        interim.action_verify()
        self._assert_gaps(complaint, none, no_mark, without=["Gauge"])
        permanent = self._create_measure(
            complaint, name="Die", kind="permanent", evidence="x"
        )
        self._assert_gaps(complaint, "Die", no_mark, without=[none])
        permanent.action_done()
        permanent.action_verify()
        self._assert_gaps(complaint, no_mark, without=["Die", none])
        mark = self._create_mark(complaint)
        self._assert_gaps(complaint, "L8-0815", no_mark)
        with self._at("2026-03-20 01:00:00"):
            mark.action_hold()
            again = self._create_mark(complaint)
            again.value = "L9-0816"
            self._assert_gaps(complaint, "L9-0816", without=["L8-0815", no_mark])
            again.action_hold()
            complaint.action_close()
        self.assertEqual(complaint.state, "closed")

    def test_one_of_several_unverified(self):
        complaint = self._create_verifying()
        self._prove(complaint)
        measures = self._create_done(complaint, name="Gauge") + self._create_done(
            complaint, name="Die"
        )
        measures[0].action_verify()
        self._assert_gaps(complaint, "Die", without=["Gauge"])
        measures[1].action_verify()
        complaint.action_close()

    def test_what_is_not_ours_needs_no_proof(self):
        for problem_type in ("tracking", "dispute"):
            complaint = self._create_verifying(problem_type=problem_type)
            measure = self._create_measure(complaint, name="Gauge")
            with self.subTest(problem_type=problem_type):
                self._assert_gaps(complaint, "Gauge")
                measure.unlink()
                complaint.action_close()
                self.assertEqual(complaint.state, "closed")

    def test_one_of_two_holds_both_back(self):
        proven, bare = self._create_verifying(), self._create_verifying()
        self._prove(proven)
        with self._assert_refused(bare.name):
            (proven + bare).action_close()
        self.assertEqual((proven + bare).mapped("state"), ["verifying"] * 2)

    def test_failed_breakpoint_is_not_one_that_held(self):
        complaint = self._create_verifying()
        self._prove(complaint)
        complaint.breakpoint_ids.action_fail(reason="Scratch")
        self._screen(complaint)
        complaint.action_contain()
        complaint.action_analyse()
        complaint.action_verify()
        self._assert_gaps(complaint, "No breakpoint that held")


@tagged("post_install", "-at_install")
class TestReminders(SmtpCatcher, MeasureCommon):
    def _create_due(self, **values):
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL)
            self._get_events(complaint).unlink()
            return self._create_measure(
                complaint,
                **{
                    "user_id": self.quality_de.id,
                    "name": "New die",
                    "date_due": "2026-03-12",
                    **values,
                },
            )

    def _get_kinds(self, measure):
        return self._get_events(measure).mapped("kind")

    def _run_at(self, moment):
        """Run the jobs at ``moment`` and return who got mail from them."""
        self.mailbox.mails.clear()
        with self._at(moment):
            self._run_cron(CRON_MEASURES)
            self._send_mails()
        return self._get_addresses()

    def _get_emails(self, *users):
        return sorted(user.email for user in users)

    def test_reminders(self):
        measure = self._create_due()
        self.assertEqual(str(measure.due_deadline), LATE)
        for moment, users in (
            (CALL, ()),
            ("2026-03-11 08:29:00", ()),
            # The owner, wherever he works, and the stand-in.
            (HALF, (self.quality_de, self.standin)),
            ("2026-03-12 15:59:00", ()),
            (LATE, (self.manager, self.sales, self.quality)),
            ("2026-03-13 15:59:00", ()),
            (ESCALATED, (self.gm,)),
            ("2026-03-20 00:00:00", ()),
        ):
            with self.subTest(moment=moment):
                self.assertEqual(self._run_at(moment), self._get_emails(*users))
                # The job again, as after a kill.
                self.assertEqual(self._run_at(moment), [])
        self.assertEqual(self._get_kinds(measure), ["half", "late", "escalated"])

    def test_mail_names_measure_and_complaint(self):
        measure = self._create_due()
        self._run_at(LATE)
        (mail,) = self._get_received(self.manager)
        html = mail.get_body(("html",)).get_content()
        self.assertIn(measure.complaint_id.name, mail["Subject"])
        for text in ("New die", self.quality_de.name):
            with self.subTest(text=text):
                self.assertIn(text, html)

    def test_to_do_of_the_owner(self):
        measure = self._create_due()
        self._run_at(HALF)
        self.assertEqual(
            measure.sudo().activity_ids.user_id, self.quality_de + self.standin
        )
        with self._at("2026-03-12 01:00:00"):
            measure.evidence = "x"
            measure.action_done()
        self.assertFalse(measure.sudo().activity_ids)

    def test_done_in_time(self):
        measure = self._create_due(evidence="x")
        with self._at("2026-03-11 01:00:00"):
            measure.action_done()
        self.assertFalse(measure.next_alert_at)
        self.assertEqual(self._run_at(ESCALATED), [])
        self.assertEqual(self._get_kinds(measure), [])

    def test_done_late(self):
        measure = self._create_due(evidence="x")
        with self._at("2026-03-12 16:00:00"):
            measure.action_done()
        self.assertEqual(self._get_kinds(measure), ["late"])

    def test_no_due_date(self):
        measure = self._create_due(date_due=False)
        self.assertFalse(measure.next_alert_at)
        self.assertEqual(self._run_at("2027-01-01 00:00:00"), [])

    def test_after_a_pause_of_the_server(self):
        measure = self._create_due()
        self._run_at("2026-03-13 20:00:00")
        self.assertEqual(self._get_kinds(measure), ["late", "escalated"])

    def test_new_date_warns_again(self):
        measure = self._create_due()
        self._run_at(LATE)
        with self._at("2026-03-12 20:00:00"):
            measure.date_due = "2026-03-20"
            self.env.flush_all()
        self.assertEqual(
            self._run_at("2026-03-20 15:59:59"),
            self._get_emails(self.manager, self.sales, self.quality),
        )

    def test_opened_again_after_its_date(self):
        """It does not work after all: with a new date it warns again."""
        measure = self._create_due(evidence="x")
        self._run_at(LATE)
        with self._at("2026-03-12 20:00:00"):
            measure.action_done()
            measure.action_reopen()
            measure.date_due = "2026-03-20"
            self.env.flush_all()
        self.assertEqual(
            self._run_at("2026-03-20 15:59:59"),
            self._get_emails(self.manager, self.sales, self.quality),
        )

    def test_cancelled_complaint_reminds_nobody(self):
        measure = self._create_due()
        with self._at("2026-03-10 02:00:00"):
            measure.complaint_id.with_user(self.manager).action_cancel(reason="Twice")
        self.assertEqual(self._run_at(LATE), [])
