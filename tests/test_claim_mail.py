"""Who hears of a claim, and when an answer is due (L1, L2)."""

from datetime import date

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SmtpCatcher
from .test_claim_ledger import ClaimCommon

CRON = "quality_resident.ir_cron_claim_answers"
DUE = date(2026, 3, 20)


@tagged("post_install", "-at_install")
class TestClaimMail(SmtpCatcher, ClaimCommon):
    def _get_subjects(self, *users):
        return [mail["subject"] for mail in self._get_received(*users)]

    def _get_todo(self, claim, user):
        return (
            self.env["mail.activity"]
            .search([("res_model", "=", claim._name), ("res_id", "=", claim.id)])
            .filtered(lambda activity: activity.user_id == user)
        )

    # === NEW, AGREED === #

    def test_new_claim_once_it_has_parts(self):
        claim = self._create_claim(lines=())
        self._send_mails()
        self.assertFalse(self.mailbox.mails)
        claim.line_ids.create(
            [{"claim_id": claim.id, "product_id": self.product.id}] * 3
        )
        claim.line_ids.create({"claim_id": claim.id, "product_id": self.product.id})
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        self.assertIn(claim.name, self._get_subjects(self.sales)[0])

    def test_agreed_and_agreed_anew(self):
        claim = self._create_agreed()
        self._send_mails()
        self.assertEqual(len(self._get_subjects(self.sales)), 2)
        self.mailbox.mails.clear()
        boss = claim.with_user(self.quality)
        boss.action_reopen("New evidence")
        claim.action_judge()
        with self._at("2036-01-01 08:00:00"):
            boss.action_agree()
        self._send_mails()
        self.assertEqual(len(self._get_subjects(self.sales)), 1)

    def test_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.sales.lang = "zh_CN"
        claim = self._create_claim()
        self._send_mails()
        self.assertIn("索赔", self._get_subjects(self.sales)[0])
        self.assertIn(f"new claim {claim.name}", self._get_subjects(self.quality)[0])

    # === SPECIALIST === #

    def _escalate(self, claim, user=None, **values):
        return (
            self.env["quality.claim.escalate"]
            .with_user(user or self.resident)
            .create({"claim_id": claim.id, **values})
            .action_apply()
        )

    def test_escalated_with_a_specialist(self):
        claim = self._create_claim()
        claim.action_judge()
        with self._assert_refused("Specialist", "Goes on"):
            self._escalate(claim, specialist_id=self.quality.id)
        self._escalate(
            claim, specialist_id=self.quality.id, specialist_date="2030-05-06"
        )
        self.assertTrue(claim.escalated_at)
        todo = self._get_todo(claim, self.quality)
        self.assertEqual(todo.date_deadline, date(2030, 5, 6))
        self._send_mails()
        self.assertTrue(
            any("please judge" in s for s in self._get_subjects(self.quality))
        )
        self.assertFalse(
            any("please judge" in s for s in self._get_subjects(self.sales))
        )
        # Another day, another to-do; one only.
        claim.specialist_date = "2030-05-08"
        todo = self._get_todo(claim, self.quality).filtered(
            lambda a: a.resident_clock == "claim_specialist"
        )
        self.assertEqual(todo.date_deadline, date(2030, 5, 8))
        claim.line_ids.responsibility = "ours"
        claim.action_judge()
        self.assertFalse(self._get_todo(claim, self.quality))

    def test_specialist_who_may_not_open_it(self):
        claim = self._create_claim()
        claim.action_judge()
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self._assert_refused(self.resident_de.name, claim.site_id.name),
        ):
            claim.with_user(self.quality).specialist_id = self.resident_de

    def test_escalated_without_a_specialist(self):
        claim = self._create_claim()
        claim.action_judge()
        self._escalate(claim)
        self.assertTrue(claim.escalated_at)
        self.assertFalse(claim.specialist_id)

    # === ANSWER DUE === #

    def _remind(self, moment):
        with self._at(moment):
            self._run_cron(CRON)
            self._run_cron(CRON)

    def _get_keys(self, claim):
        return self._get_events(claim, "claim_due").mapped("key")

    def test_reminded_before_and_on_the_day_at_the_site(self):
        """Shanghai is 8 hours ahead: 16 March 23:00 UTC is the 17th, 7 o'clock."""
        claim = self._create_claim(appeal_deadline=DUE)
        self._remind("2026-03-15 10:00:00")
        self._remind("2026-03-16 22:30:00")
        self.assertFalse(self._get_keys(claim))
        self._remind("2026-03-16 23:00:00")
        self.assertEqual(self._get_keys(claim), ["2026-03-20 before"])
        self._remind("2026-03-18 10:00:00")
        self.assertEqual(len(self._get_keys(claim)), 1)
        self._remind("2026-03-20 01:00:00")
        self._remind("2026-03-21 01:00:00")
        self.assertEqual(self._get_keys(claim), ["2026-03-20 before", "2026-03-20 day"])
        self._remind("2026-04-21 01:00:00")
        self.assertEqual(len(self._get_keys(claim)), 2)

    def test_mailed_to_sales_and_quality_with_a_to_do(self):
        claim = self._create_claim(appeal_deadline=DUE)
        self._get_events(claim).unlink()
        self._remind("2026-03-20 01:00:00")
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        self.assertTrue(self._get_todo(claim, self.quality))
        claim.with_user(self.sales).action_answer()
        self.assertFalse(self._get_todo(claim, self.quality))

    def test_answered_is_not_reminded(self):
        claim, other = (self._create_claim(appeal_deadline=DUE) for _n in range(2))
        (claim | other).action_answer()
        self.assertTrue(claim.answered_at and other.answered_at)
        self._remind("2026-03-20 01:00:00")
        self.assertFalse(self._get_keys(claim | other))
        # Another day asks for another answer.
        claim.appeal_deadline = "2026-03-25"
        self.assertFalse(claim.answered_at)
        self._remind("2026-03-23 01:00:00")
        self.assertEqual(self._get_keys(claim), ["2026-03-25 before"])

    def test_days_before_are_the_site_s(self):
        self.site.claim_reminder_days = 0
        claim = self._create_claim(appeal_deadline=DUE)
        self._remind("2026-03-19 08:00:00")
        self.assertFalse(self._get_keys(claim))
        self._remind("2026-03-20 08:00:00")
        self.assertEqual(self._get_keys(claim), ["2026-03-20 day"])

    def test_answered_before_it_was_told(self):
        claim = self._create_claim(appeal_deadline=DUE)
        self._get_events(claim).unlink()
        self._remind("2026-03-20 01:00:00")
        claim.action_answer()
        self._send_mails()
        self.assertFalse(self.mailbox.mails)
