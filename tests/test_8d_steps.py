from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_8d import FACTS, EightdCommon


@tagged("post_install", "-at_install")
class Test8dSteps(EightdCommon):
    def _get_gaps(self, eightd, step):
        return "\n".join(eightd._get_step_gaps()[step])

    def _get_progress(self, eightd):
        eightd.invalidate_recordset()
        return eightd.progress

    def test_the_way(self):
        """Each step turns green when the last thing that it lacks is there."""
        eightd = self._create_contained()
        self.assertEqual(self._get_progress(eightd), "D1 of 8")
        eightd.write({k: v for k, v in FACTS.items() if k.startswith("is_not")})
        self.assertEqual(self._get_progress(eightd), "D3 of 8")
        self._fill(eightd, sign=False)
        self.assertEqual(self._get_progress(eightd), "D7 of 8")
        self.assertFalse(eightd.is_complete)
        eightd.with_user(self.quality).action_sign_off()
        self.assertEqual(self._get_progress(eightd), "D8 of 8")
        self.assertTrue(eightd.is_complete)
        self.assertTrue(all(step["done"] for step in eightd.steps))

    def test_fresh(self):
        eightd = self._create_8d()
        self.assertEqual(eightd.progress, "– of 8")
        self.assertEqual([s["name"] for s in eightd.steps], [f"D{n}" for n in range(9)])
        for step, gap in (
            ("D0", "Description"),
            ("D0", "feedback form not sent"),
            ("D2", "Photos"),
            ("D2", "Is Not: Where"),
            ("D3", "containment not opened"),
            ("D3", "no breakpoint"),
            ("D4", "no root cause for: Occurrence"),
            ("D4", "no root cause for: Non-detection"),
            ("D5", "no cause to act on"),
            ("D6", "no permanent measure"),
            ("D7", "nothing said about: FMEA"),
            ("D7", "nothing said about: Control Plan"),
            ("D8", "Effectiveness"),
            ("D8", "not signed off"),
        ):
            with self.subTest(step=step, gap=gap):
                self.assertIn(gap, self._get_gaps(eightd, step))

    def test_team(self):
        eightd = self._create_8d()
        self.assertFalse(self._get_gaps(eightd, "D1"))
        eightd.member_ids.filtered(lambda m: m.role == "customer").unlink()
        eightd.sponsor_id = False
        self.assertEqual(
            eightd._get_step_gaps()["D1"], ["Sponsor", "nobody of the customer"]
        )

    def test_several_complaints_are_named(self):
        eightd = self._create_8d(count=2)
        for complaint in eightd.complaint_ids:
            self.assertIn(
                f"{complaint.name}: no breakpoint", self._get_gaps(eightd, "D3")
            )

    def test_containment(self):
        complaint = self._create_complete()
        complaint.action_send_feedback()
        complaint.action_create_8d()
        eightd = complaint.eightd_id
        complaint.action_open_containment()
        complaint.breakpoint_ids.create({"complaint_id": complaint.id, "value": "L8"})
        self.assertIn("Door line", self._get_gaps(eightd, "D3"))
        self._screen(complaint)
        self.assertFalse(self._get_gaps(eightd, "D3"))
        complaint.breakpoint_ids.action_fail(reason="Two more")
        self.assertIn("no breakpoint", self._get_gaps(eightd, "D3"))

    def test_interim_measure(self):
        eightd = self._create_contained()
        measure = self.env["quality.measure"].create(
            {"complaint_id": eightd.complaint_ids.id, "name": "Sort at the line"}
        )
        self.assertIn("Sort at the line", self._get_gaps(eightd, "D3"))
        measure.evidence = "Sheet"
        measure.action_done()
        self.assertFalse(self._get_gaps(eightd, "D3"))

    def test_causes(self):
        eightd = self._create_8d()
        cause = eightd.cause_ids.create(
            {"eightd_id": eightd.id, "why_1": "The die is worn", "contribution": 60}
        )
        self.assertIn("no root cause for: Occurrence", self._get_gaps(eightd, "D4"))
        self.assertEqual(cause.display_name, "Occurrence: The die is worn")
        cause.name = "No tool life"
        gaps = self._get_gaps(eightd, "D4")
        self.assertNotIn("no root cause for: Occurrence", gaps)
        self.assertIn("no root cause for: Non-detection", gaps)
        self.assertIn("not verified: Occurrence: No tool life", gaps)
        self.assertIn("Occurrence: the contributions make 60 %, not 100 %", gaps)

    def test_measures(self):
        eightd = self._create_contained()
        cause = eightd.cause_ids.create(
            {"eightd_id": eightd.id, "name": "No tool life"}
        )
        gaps = self._get_gaps(eightd, "D5")
        self.assertIn("no permanent measure for: Occurrence", gaps)
        measure = self.env["quality.measure"].create(
            {
                "complaint_id": eightd.complaint_ids.id,
                "kind": "permanent",
                "name": "Counter",
                "cause_id": cause.id,
            }
        )
        self.assertEqual(
            eightd._get_step_gaps()["D5"], ["Counter: Due", "Counter: Verification"]
        )
        self.assertEqual(eightd._get_step_gaps()["D6"], ["not introduced: Counter"])
        measure.evidence = "Photo"
        measure.action_done()
        self.assertEqual(
            eightd._get_step_gaps()["D6"], ["not verified at the customer: Counter"]
        )
        measure.with_user(self.resident).action_verify()
        self.assertFalse(eightd._get_step_gaps()["D6"])

    def test_prevention(self):
        eightd = self._create_8d()
        line = eightd.prevention_ids.create(
            {"eightd_id": eightd.id, "kind": "fmea", "name": "RPN anew"}
        )
        self.assertEqual(
            eightd._get_step_gaps()["D7"],
            ["nothing said about: Control Plan", "not done: RPN anew"],
        )
        line.date_done = "2026-03-20"
        self.assertEqual(
            eightd._get_step_gaps()["D7"], ["nothing said about: Control Plan"]
        )

    # === SIGN-OFF === #

    def test_only_what_is_done_is_signed_off(self):
        eightd = self._create_8d().with_user(self.quality)
        with self._assert_refused("D4: no root cause"):
            eightd.action_sign_off()
        self._fill(done := self._create_contained(), sign=False)
        for user in (self.resident, self.standin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                done.with_user(user).action_sign_off()
        done.with_user(self.quality).action_sign_off()
        self.assertEqual(done.signed_by_id, self.quality)

    def test_sign_off_ends_with_a_change(self):
        eightd = self._create_contained()
        self._fill(eightd)
        self.assertTrue(eightd.signed_on)
        eightd.cause_ids[0].name = "Something else"
        self.assertFalse(eightd.signed_on)
        eightd.with_user(self.quality).action_sign_off()
        eightd.recognition = "Dinner"
        self.assertFalse(eightd.signed_by_id)

    # === LANGUAGES, NUMBERS === #

    def test_named_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        eightd = self._create_8d().with_context(lang="zh_CN")
        self.assertIn("流出原因", self._get_gaps(eightd, "D4"))
        self.assertEqual(eightd._get_step_labels()["D7"], "预防再发")

    def test_a_list_costs_the_same_for_many(self):
        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.mapped("progress")
            return self.env.cr.sql_log_count - before

        eightds = self.env["quality.8d"].concat(
            *(self._create_8d() for _number in range(12))
        )
        self.assertLessEqual(count(eightds), count(eightds[:1]) + 2)
