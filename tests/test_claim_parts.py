"""Claimed parts: sent back, analysed, and not scrapped before their time (L3, R4)."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import SmtpCatcher
from .test_claim_ledger import ClaimCommon
from .test_return import ReturnCommon
from .test_scrap import ScrapCommon


@tagged("post_install", "-at_install")
class TestAnalysis(SmtpCatcher, ReturnCommon, ClaimCommon):
    def _create_claimed(self, **values):
        claim = self._create_claim(
            lines=[
                {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 2},
                {
                    "product_id": self.in_serials.id,
                    "lot_id": self.serial.id,
                },
            ],
            **values,
        )
        claim.action_judge()
        return claim

    def _bring_home(self, document):
        document.action_request()
        document.with_user(self.quality).action_approve()
        document.action_ship()
        self._receive_all(document.with_user(self.quality))

    def test_sent_back_and_the_finding_returns(self):
        claim = self._create_claimed()
        action = claim.line_ids.action_send_for_analysis()
        document = (
            self.env["quality.return"].with_user(self.resident).browse(action["res_id"])
        )
        self.assertEqual(document.line_ids, claim.line_ids.return_line_id)
        self.assertEqual(document.line_ids.mapped("quantity"), [2, 1])
        self.assertIn(claim.name, document.reason)
        with self._assert_refused(claim.line_ids[0].display_name):
            claim.line_ids.action_send_for_analysis()
        claim.line_ids.responsibility = "ours"
        with self._assert_refused("Sent Back in"):
            claim.action_judge()
        self._bring_home(document)
        self._get_events(claim).unlink()
        lines = document.with_user(self.quality).line_ids
        lines[0].judgement_ids.create(
            {
                "line_id": lines[0].id,
                "quantity": 2,
                "judgement": "rework",
                "analysis": "Lip torn",
            }
        )
        lines[1].judgement = "stock"
        document.with_user(self.quality).action_judge()
        self.env.invalidate_all()
        line = claim.line_ids[0]
        self.assertIn("Lip torn", line.analysis_result)
        self.assertEqual(line.analysis_by_id, self.quality)
        self.assertTrue(line.analysis_at)
        self.assertEqual(len(self._get_events(claim, "claim_analysed")), 1)
        self.mailbox.mails.clear()
        self._send_mails()
        (mail,) = [
            mail
            for mail in self._get_received(self.resident)
            if claim.name in mail["subject"]
        ]
        self.assertIn("analysed", mail["subject"])
        claim.action_judge()
        claim.with_user(self.quality).action_agree()
        self.assertEqual(claim.state, "agreed")

    def test_draft_sheet_tells_the_finding(self):
        claim = self._create_claimed()
        document = self.env["quality.return"].browse(
            claim.line_ids.action_send_for_analysis()["res_id"]
        )
        sheet = claim.sheet_ids.create({"claim_id": claim.id})
        self._bring_home(document.with_user(self.resident))
        self._judge_all(document.with_user(self.quality))
        self.assertIn("Back to Stock", sheet.snapshot[0]["analysis"])

    def test_who_sends_back(self):
        claim = self._create_claimed()
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with self.assertRaises(AccessError):
                claim.line_ids.with_user(user).action_send_for_analysis()
        claim.with_user(self.quality).action_withdraw("Entered in error")
        with self._assert_refused(claim.name):
            claim.line_ids.action_send_for_analysis()
        with self._assert_refused(claim.name):
            claim.line_ids.return_line_id = False

    def test_two_sites_make_two_returns(self):
        claims = self._create_claim(user=self.manager) | self._create_claim(
            user=self.manager, site=self.site_de
        )
        action = claims.line_ids.action_send_for_analysis()
        self.assertEqual(len(self.env["quality.return"].search(action["domain"])), 2)

    def test_scrap_verdict_waits_for_the_claim(self):
        """By the return, where the notice names no lot."""
        claim = self._create_claim(lines=[{"product_id": self.in_lots.id}])
        document = self._create_return()
        claim.line_ids.return_line_id = document.line_ids
        self._bring_home(document)
        lines = document.with_user(self.quality).line_ids
        verdict = {"line_id": lines.id, "quantity": 1, "judgement": "scrap"}
        for _state in ("received", "judging"):
            with self._assert_refused(claim.name, "Release Part"), self._rolled_back():
                lines.judgement_ids.create(verdict)
            if claim.state == "received":
                claim.action_judge()
        lines.judgement_ids.create({**verdict, "judgement": "rework"})
        claim.line_ids.responsibility = "ours"
        with self._assert_refused(claim.name), self._rolled_back():
            lines.judgement_ids.create(verdict)
        claim.line_ids.with_user(self.quality).action_release_part()
        lines.judgement_ids.create(verdict)


@tagged("post_install", "-at_install")
class TestClaimedScrap(ScrapCommon, ClaimCommon):
    def _claim(self, lot=None, **values):
        lot = lot or self.lots[0]
        return self._create_claim(
            lines=[{"product_id": lot.product_id.id, "lot_id": lot.id}], **values
        )

    def test_submit_and_sign_are_refused(self):
        request = self._submit()
        other = self._submit(self._line(self.lots[1]))
        request.with_user(self.quality).action_sign()
        draft = self._create_request(self._line(quantity=1))
        claim = self._claim()
        line = claim.line_ids
        for act in (
            draft.action_submit,
            request.with_user(self.sales).action_sign,
            lambda: setattr(request.line_ids, "quantity", 2),
        ):
            with (
                self._assert_refused(claim.name, line.display_name, "Release Part"),
                self._rolled_back(),
            ):
                act()
        self.assertEqual(request.state, "signing")
        # Refusing stays possible, and so do the parts of other lots.
        other.with_user(self.quality).action_sign()
        other.with_user(self.sales).action_sign()
        self.assertEqual(other.state, "done")
        line.responsibility = "ours"
        with self._assert_refused(claim.name), self._rolled_back():
            request.with_user(self.sales).action_sign()
        line.with_user(self.quality).action_release_part()
        request.with_user(self.sales).action_sign()
        self.assertEqual(request.state, "done")

    def test_settled_and_withdrawn_keep_nothing(self):
        claim = self._claim()
        request = self._create_request()
        with self._assert_refused(claim.name), self._rolled_back():
            request.action_submit()
        with self._rolled_back():
            claim.with_user(self.quality).action_withdraw("Entered in error")
            request.action_submit()
        claim.line_ids.responsibility = "theirs"
        claim.action_judge()
        claim.with_user(self.quality).action_agree()
        request.action_submit()
        request.with_user(self.quality).action_sign()
        claim.with_user(self.quality).action_reopen("New evidence")
        with self._assert_refused(claim.name):
            request.with_user(self.sales).action_sign()

    def test_release(self):
        claims = self._claim() | self._claim(self.lots[1])
        lines = claims.line_ids
        with self._assert_refused(lines[0].display_name, "undecided"):
            lines.with_user(self.quality).action_release_part()
        lines.responsibility = "ours"
        for user in (self.resident, self.sales, self.gm, self.manager_b):
            with self.assertRaises(AccessError):
                lines.with_user(user).action_release_part()
        lines.with_user(self.quality).action_release_part()
        self.assertEqual(lines.released_by_id, self.quality)
        self.assertTrue(all(lines.mapped("released_at")))
        # Judged anew the part is wanted again.
        lines[0].responsibility = "open"
        self.assertFalse(lines[0].released_at)
        self.assertTrue(lines[1].released_at)

    def test_another_site_s_claim_keeps_the_part(self):
        """It is the same part, whether or not the requester sees that claim."""
        claim = self._create_claim(
            user=self.resident_de,
            site=self.site_de,
            lines=[
                {"product_id": self.product_lot.id, "lot_id": self.lots[0].id},
            ],
        )
        with self._assert_refused(claim.name):
            self._submit()

    # === TRACE === #

    def test_trace_and_buttons(self):
        claim = self._claim()
        lot = self.lots[0].with_user(self.resident)
        traced = self.env["quality.trace"].search(
            [("lot_id", "=", lot.id), ("kind", "=", "claim")]
        )
        self.assertEqual((traced.name, traced.res_id), (claim.name, claim.id))
        self.assertEqual(lot.claim_count, 1)
        action = lot.action_view_claims()
        self.assertEqual(
            self.env["quality.claim.line"].search(action["domain"]), claim.line_ids
        )
        claim.with_user(self.quality).action_withdraw("Entered in error")
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(lot.claim_count, 0)

    def test_claim_of_a_complaint(self):
        complaint = self._create_complaint()
        context = complaint.action_create_claim()["context"]
        claim = self.env["quality.claim"].with_context(**context).create({})
        self.assertEqual(claim.complaint_id, complaint)
        self.assertEqual(claim.site_id, complaint.site_id)

    def test_refusal_is_a_user_error_with_many_claims(self):
        for _number in range(12):
            self._claim()
        with self.assertRaises(UserError):
            self._submit()
