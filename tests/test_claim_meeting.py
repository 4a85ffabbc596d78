"""The joint judgement: many lines at once, the sheet that the customer signs (L2)."""

import re

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, tagged

from .common import SmtpCatcher, make_jpeg
from .test_claim_ledger import ClaimCommon
from .test_report import read_pdf
from .test_service_sheet import LINK, SIGNATURE

REPORT = "quality_resident.report_claim_sheet"
VIN = "LFV2A21K3P4%06d"


class MeetingCommon(ClaimCommon):
    @classmethod
    def _judge(cls, lines, user=None, action="action_apply", **values):
        """Judge ``lines`` in the dialogue, as chosen in a list."""
        dialogue = (
            cls.env["quality.claim.judge"]
            .with_user(user or cls.resident)
            .with_context(active_model="quality.claim.line", active_ids=lines.ids)
            .create(values)
        )
        return getattr(dialogue, action)()

    @classmethod
    def _create_judged(cls, count=3, **values):
        claim = cls._create_claim(
            lines=[{"responsibility": "ours", "vin": VIN % n} for n in range(count)],
            **values,
        )
        claim.action_judge()
        return claim

    @classmethod
    def _create_sheet(cls, claim, user=None, **values):
        return (
            cls.env["quality.claim.sheet"]
            .with_user(user or cls.resident)
            .create({"claim_id": claim.id, "contact_id": cls.contact.id, **values})
        )

    @classmethod
    def _create_signed(cls, claim, **values):
        sheet = cls._create_sheet(claim, **values)
        sheet.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        return sheet


@tagged("post_install", "-at_install")
class TestJudging(MeetingCommon):
    # === MANY AT ONCE === #

    def test_many_lines_across_claims_in_one_write(self):
        claims = self._create_claim(lines=[{}] * 2) | self._create_claim()
        claims.action_judge()
        photo = self._create_photo()
        self._judge(
            claims.line_ids,
            responsibility="shared",
            our_share=30,
            judge_contact_id=self.contact.id,
            judge_place_id=self.place.id,
            judge_note="Die worn",
            photo_ids=photo.ids,
        )
        for line in claims.line_ids:
            self.assertRecordValues(
                line,
                [
                    {
                        "responsibility": "shared",
                        "our_share": 30,
                        "customer_judge": self.sqe.name,
                        "judge_place_id": self.place.id,
                        "judge_note": "Die worn",
                        "judged_by_id": self.resident.id,
                        "photo_ids": photo.ids,
                    }
                ],
            )
        # Who may see the line may see its photo, whoever took it.
        self.assertTrue(photo.with_user(self.quality).raw)

    def test_what_is_left_empty_stays(self):
        claim = self._create_claim(lines=[{"judge_note": "Seen", "vin": VIN % 1}])
        self._judge(claim.line_ids, responsibility="theirs")
        self.assertEqual(claim.line_ids.judge_note, "Seen")
        with self._assert_refused("Responsibility"):
            self._judge(claim.line_ids)

    def test_from_the_claim_what_is_undecided(self):
        claim = self._create_claim(lines=[{"responsibility": "ours"}, {}, {}])
        form = Form(
            self.env["quality.claim.judge"]
            .with_user(self.resident)
            .with_context(active_model="quality.claim", active_ids=claim.ids)
        )
        self.assertEqual(len(form.line_ids), 2)

    def test_refusals_name_the_line(self):
        open_claim, agreed = self._create_claim(), self._create_agreed()
        lines = open_claim.line_ids | agreed.line_ids
        with self._assert_refused(agreed.name, agreed.line_ids.display_name):
            self._judge(lines, responsibility="theirs")
        self.assertEqual(open_claim.line_ids.responsibility, "open")
        for values in (
            {"judge_place_id": self.place_de.id},
            {"our_share": 0},
        ):
            with self._assert_refused(
                open_claim.line_ids.display_name, error=ValidationError
            ):
                self._judge(open_claim.line_ids, responsibility="shared", **values)
        for user in (self.resident_de, self.resident_b):
            with self.assertRaises(AccessError):
                self._judge(open_claim.line_ids, user, responsibility="ours")
        for user in (self.sales, self.gm, self.outsider):
            with self.assertRaises(AccessError):
                self._judge(open_claim.line_ids, user, responsibility="ours")

    def test_one_after_the_other(self):
        claim = self._create_claim(lines=[{"vin": VIN % n} for n in range(4)])
        action = self._judge(
            claim.line_ids, action="action_ours", customer_judge="Ms Wu"
        )
        for step in ("action_theirs", "action_skip", "action_shared"):
            dialogue = (
                self.env["quality.claim.judge"]
                .with_user(self.resident)
                .with_context(**action["context"])
                .create({})
            )
            self.assertEqual(dialogue.total, 4)
            self.assertEqual(dialogue.customer_judge, "Ms Wu")
            action = getattr(dialogue, step)()
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(
            claim.line_ids.mapped("responsibility"),
            ["ours", "theirs", "open", "shared"],
        )
        self.assertEqual(
            claim.line_ids.mapped("customer_judge"), ["Ms Wu", "Ms Wu", False, "Ms Wu"]
        )

    def test_queries_are_flat(self):
        def count(number):
            claim = self._create_claim(lines=[{}] * number)
            claim.action_judge()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._judge(claim.line_ids, responsibility="ours", judge_note="x")
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(50), count(2) + 2)

    def test_who_released_and_judged_is_not_written_by_hand(self):
        claim = self._create_judged(1)
        for user in (self.resident, self.manager, self.admin):
            for name, value in (
                ("released_at", "2026-01-01 00:00:00"),
                ("released_by_id", user.id),
                ("judged_at", "2026-01-01 00:00:00"),
            ):
                with self.assertRaises(UserError):
                    claim.line_ids.with_user(user).write({name: value})
        with self.assertRaises(UserError):
            claim.with_user(self.manager).answered_at = "2026-01-01 00:00:00"


@tagged("post_install", "-at_install")
class TestClaimSheet(MeetingCommon):
    def test_keeps_what_was_judged(self):
        claim = self._create_claim(
            lines=[
                {"responsibility": "ours", "customer_judge": "Ms Wu", "vin": VIN % 1},
                {"responsibility": "theirs", "customer_judge": "Mr Bai"},
                {"responsibility": "shared", "our_share": 25},
                {},
            ]
        )
        with self._assert_refused(claim.name, "Judge"):
            self._create_sheet(claim)
        claim.action_judge()
        sheet = self._create_sheet(claim)
        self.assertEqual(sheet.customer_people, "Ms Wu, Mr Bai")
        self.assertEqual(sheet.user_ids, self.resident)
        self.assertRecordValues(
            sheet,
            [
                {
                    "state": "draft",
                    "quantity": 4,
                    "amount_total": 400,
                    "amount_ours": 125,
                    "amount_theirs": 175,
                    "amount_open": 100,
                }
            ],
        )
        self.assertRegex(sheet.name, r"^CS/\d{4}/\d{5}$")
        self.assertIn(VIN % 1, sheet.rows_html)

    def test_draft_follows_the_judgement(self):
        claim = self._create_judged()
        sheet = self._create_sheet(claim)
        self._judge(claim.line_ids[:2], responsibility="theirs", judge_note="Bent")
        self.assertEqual((sheet.amount_ours, sheet.amount_theirs), (100, 200))
        self.assertEqual(sheet.snapshot[0]["note"], "Bent")

    def test_signed_is_locked_and_intact(self):
        claim = self._create_judged()
        sheet = self._create_signed(claim)
        self.assertEqual(sheet.state, "signed")
        self.assertEqual(sheet.signed_user_id, self.resident)
        self.assertFalse(claim.is_unsigned)
        self.env.invalidate_all()
        self.assertTrue(sheet.is_intact)
        for values in (
            {"remarks": "x"},
            {"line_ids": [(5,)]},
            {"met_at": "2026-01-01 00:00:00"},
            {"snapshot": []},
            {"state": "draft"},
            {"signed_by": "x"},
            {"photo_ids": [(5,)]},
        ):
            for user in (self.resident, self.manager, self.admin):
                with self.subTest(values=values), self.assertRaises(UserError):
                    sheet.with_user(user).write(values)
        with self._assert_refused(sheet.name):
            sheet.unlink()
        with self._assert_refused(sheet.name):
            sheet.action_sign(signature=SIGNATURE, signed_by="Twice")
        for query in (
            "UPDATE quality_claim_sheet SET snapshot = "
            "jsonb_set(snapshot, '{0,responsibility}', '\"theirs\"') WHERE id = %s",
            "UPDATE quality_claim_sheet SET remarks = 'x' WHERE id = %s",
        ):
            with self._rolled_back():
                self.env.cr.execute(query, [sheet.id])
                self.env.invalidate_all()
                self.assertFalse(sheet.is_intact)

    def test_snapshot_cannot_be_given(self):
        claim = self._create_judged()
        for values in (
            {"snapshot": [{"id": 1}]},
            {"state": "signed"},
            {"signed_by": "Li Wei"},
        ):
            with self.assertRaises(UserError):
                self._create_sheet(claim, **values)
        other = self._create_judged()
        with self.assertRaises(ValidationError):
            self._create_sheet(claim, line_ids=other.line_ids.ids)

    def test_judged_anew_makes_it_void(self):
        claim = self._create_judged()
        photo = self._create_photo()
        claim.line_ids[0].photo_ids = photo.ids
        sheet = self._create_signed(claim)
        for change in (photo.unlink, lambda: photo.write({"raw": b"x"})):
            with self._assert_refused(sheet.name):
                change()
        self._judge(claim.line_ids[0], responsibility="theirs")
        self.assertEqual(sheet.state, "void")
        new = claim.sheet_ids - sheet
        self.assertRecordValues(
            new,
            [{"state": "draft", "previous_id": sheet.id, "amount_theirs": 100}],
        )
        self.assertEqual(sheet.snapshot[0]["responsibility"], "ours")
        self.assertTrue(sheet.is_intact)
        self.assertTrue(claim.is_unsigned)
        self.assertIn(new.name, "".join(sheet.message_ids.mapped("body")))
        # The next line is judged: the new sheet follows, there is no third.
        self._judge(claim.line_ids[1], responsibility="theirs")
        self.assertEqual(claim.sheet_ids, sheet | new)
        self.assertEqual(new.amount_theirs, 200)
        with self._assert_refused(new.name):
            new.unlink()
        new.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        self.assertFalse(claim.is_unsigned)
        # Evidence is part of what was signed.
        claim.line_ids[2].judge_note = "Later"
        self.assertEqual(new.state, "void")

    def test_withdrawn_is_not_signed(self):
        claim = self._create_judged()
        sheet = self._create_sheet(claim)
        claim.with_user(self.quality).action_withdraw("Customer's mistake")
        with self._assert_refused(sheet.name):
            sheet.action_sign(signature=SIGNATURE, signed_by="Li Wei")
        with self._assert_refused(sheet.name):
            sheet.action_send_link()

    def test_another_line_leaves_it_signed(self):
        claim = self._create_judged()
        sheet = self._create_signed(claim, line_ids=claim.line_ids[:1].ids)
        self._judge(claim.line_ids[1:], responsibility="theirs")
        self.assertEqual(sheet.state, "signed")
        self.assertTrue(claim.is_unsigned)
        second = self._create_sheet(claim)
        self.assertEqual(second.line_ids, claim.line_ids[1:])

    def test_agreed_without_signature_is_noted(self):
        claim, signed = self._create_judged(), self._create_judged()
        self._create_signed(signed)
        (claim | signed).with_user(self.quality).action_agree()
        note = "without the customer's signature"
        self.assertIn(note, "".join(claim.message_ids.mapped("body")))
        self.assertNotIn(note, "".join(signed.message_ids.mapped("body")))

    def test_rights(self):
        claim = self._create_judged()
        sheet = self._create_sheet(claim)
        for user in (self.sales, self.gm, self.resident_de, self.manager_b):
            with self.assertRaises(AccessError):
                sheet.with_user(user).action_sign(SIGNATURE, "x")
            with self.assertRaises(AccessError):
                self._create_sheet(claim, user)
        self._create_sheet(claim, self.quality).action_sign(SIGNATURE, "Li Wei")
        dialogue = (
            self.env["quality.sheet.sign"]
            .with_user(self.quality)
            .with_context(active_model=sheet._name, active_id=sheet.id)
            .create({"signature": SIGNATURE})
        )
        self.assertEqual(dialogue.signed_by, self.sqe.name)
        with self._assert_refused(sheet.name), self._rolled_back():
            claim.line_ids[0].judge_note = "Changed meanwhile"
            dialogue.action_apply()
        dialogue.action_apply()
        self.assertEqual(sheet.state, "signed")

    # === DOCUMENT === #

    def test_pdf_of_many_pages_in_two_languages(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        claim = self._create_judged(120)
        claim.line_ids[0].photo_ids = self._create_photo(raw=make_jpeg()).ids
        sheet = self._create_signed(claim)
        reports = self.env["ir.actions.report"].with_user(self.sales)
        for lang, title, heading in (
            ("en_US", "Claim Sheet", "Evidence"),
            ("zh_CN", "会判单", "证据"),
        ):
            with self.subTest(lang=lang):
                content, _kind = reports.with_context(
                    document_lang=lang, force_report_rendering=True
                )._render_qweb_pdf(REPORT, sheet.ids)
                pages, text = read_pdf(content)
                self.assertGreater(len(pages), 3)
                self.assertIn(title, text)
                # The heading of the list is on every page that has lines.
                self.assertGreaterEqual(text.count(heading), len(pages) - 1)
                for number in range(120):
                    self.assertIn(VIN % number, text)
                self.assertIn(sheet.signed_hash, text)

    def test_html_escapes_what_people_write(self):
        claim = self._create_claim(
            lines=[{"responsibility": "ours", "judge_note": "<script>x</script>"}]
        )
        claim.action_judge()
        sheet = self._create_sheet(claim)
        self.assertNotIn("<script>", sheet.rows_html)
        self.assertIn("&lt;script&gt;", sheet.rows_html)


@tagged("post_install", "-at_install")
class TestClaimSheetLink(SmtpCatcher, MeetingCommon, HttpCase):
    def test_signed_through_the_link_and_mailed(self):
        claim = self._create_judged()
        self._get_events(claim).unlink()
        sheet = self._create_sheet(claim)
        sheet.action_send_link()
        self._run_cron("mail.ir_cron_mail_scheduler_action")
        (mail,) = self._get_received(self.sqe)
        (link,) = LINK.findall(mail.get_body(("html",)).get_content())
        path = re.sub(r"^https?://[^/]+", "", link)
        page = self.url_open(path).text
        self.assertIn(VIN % 2, page)
        self.assertIn(sheet.name, page)
        sheet.sudo()._sign(SIGNATURE, "Li Wei", None)
        self.assertFalse(sheet.signed_user_id)
        self.assertIn("no longer valid", self.url_open(path).text)
        self.mailbox.mails.clear()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        (mail,) = self._get_received(self.sales)
        (attachment,) = mail.iter_attachments()
        # Tests print no PDF unless asked: what counts is that it is attached.
        self.assertIn(sheet.name.replace("/", "-"), attachment.get_filename())
        pdf = sheet.sudo().pdf_id
        with self._assert_refused(sheet.name):
            pdf.with_user(self.manager).unlink()
