from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import GROUP, SmtpCatcher
from .test_8d import CAUSES, FACTS, MEASURES, PREVENTIONS, EightdCommon

CALL = "2026-03-10 01:00:00"


@tagged("post_install", "-at_install")
class Test8dSending(SmtpCatcher, EightdCommon):
    def test_nothing_is_sent_without_3d(self):
        eightd = self._create_8d()
        with self._assert_refused("D2: Is Not: What", "D3: containment not opened"):
            eightd.action_send()
        self.assertEqual(eightd.state, "draft")
        self.assertFalse(eightd.revision_ids)

    def test_sent_and_frozen(self):
        eightd = self._create_sent()
        self.assertEqual((eightd.state, eightd.revision), ("sent", 1))
        revision = eightd.revision_ids
        self.assertRecordValues(
            revision,
            [
                {
                    "number": 1,
                    "is_complete": True,
                    "progress": "D8 of 8",
                    "sent_by_id": self.resident.id,
                    "answer": False,
                }
            ],
        )
        self.assertEqual(revision.data["title"], FACTS["title"])
        self.assertEqual(
            [cause["name"] for cause in revision.data["cause_ids"]],
            [cause["name"] for cause in CAUSES],
        )
        text = revision.pdf_id.raw.decode()
        for expected in (FACTS["title"], MEASURES[0][0], PREVENTIONS[2][1]):
            self.assertIn(expected, text)
        # What happens later is not in what was sent.
        eightd.complaint_ids.quantity = 99
        revision.invalidate_recordset()
        self.assertEqual(revision.data["complaint_ids"][0]["quantity"], 3)
        for values in ({"title": "x"}, {"recognition": "x"}):
            with self.subTest(values=values), self._assert_refused("Go On Working"):
                eightd.write(values)
        for line in (eightd.cause_ids[0], eightd.prevention_ids[0]):
            with self._assert_refused("Go On Working"):
                line.name = "x"
            with self._assert_refused("Go On Working"):
                line.unlink()
        with self._assert_refused("Go On Working"):
            eightd.cause_ids.create({"eightd_id": eightd.id, "name": "Later"})
        with self._assert_refused(eightd.name):
            eightd.with_user(self.manager).unlink()

    def test_document_cannot_be_changed(self):
        pdf = self._create_sent().revision_ids.pdf_id
        for user in (self.resident, self.manager, self.root):
            with self.subTest(user=user.login):
                with self._assert_refused("archived"):
                    pdf.with_user(user).raw = b"x"
                with self._assert_refused("archived"):
                    pdf.with_user(user).unlink()

    def test_mailed_to_the_customer_in_his_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.customer.lang = self.sqe.lang = "zh_CN"
        eightd = self._create_sent()
        revision = eightd.revision_ids
        self.assertIn("发生原因", revision.pdf_id.raw.decode())
        self._send_mail(eightd)
        (mail,) = self._get_received(self.sqe)
        self.assertIn("8D报告", mail["Subject"])
        (attachment,) = [p for p in mail.iter_attachments()]
        self.assertEqual(attachment.get_content(), revision.pdf_id.raw)
        self.assertEqual(revision.mailed_partner_ids, self.sqe)

    def _send_mail(self, eightd):
        context = eightd.action_mail()["context"]
        composer = self.env["mail.compose.message"].with_user(self.resident)
        composer = composer.with_context(**context).create({})
        self.assertEqual(composer.partner_ids, self.sqe)
        composer.action_send_mail()
        self._run_cron("mail.ir_cron_mail_scheduler_action")

    def test_prints_in_two_languages(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        eightd = self._create_contained()
        self._fill(eightd)
        self.env["quality.measure"].create(
            {"complaint_id": eightd.complaint_ids.id, "name": "Sort at the line"}
        )
        reports = self.env["ir.actions.report"]
        for lang, expected in (
            ("en_US", ("8D Report", "Root Causes", "Non-detection", "Prevention")),
            ("zh_CN", ("8D报告", "流出原因", "预防再发", "效果确认", "临时对策")),
        ):
            text, _type = reports.with_context(document_lang=lang)._render_qweb_html(
                "quality_resident.report_8d", eightd.ids
            )
            for word in (*expected, *(cause["name"] for cause in CAUSES)):
                with self.subTest(lang=lang, word=word):
                    self.assertIn(word, text.decode())

    def test_language_of_the_document(self):
        eightd = self._create_8d()
        self.assertEqual(eightd._get_document_lang(), "en_US")
        self.customer.lang = False
        self.company_a.partner_id.lang = "en_US"
        self.assertEqual(eightd._get_document_lang(), "en_US")

    # === THE CUSTOMER'S ANSWER === #

    def test_accepted(self):
        eightd = self._create_sent()
        eightd.with_user(self.quality).action_accept(
            contact_id=self.contact.id, remark="Well done"
        )
        self.assertEqual(eightd.state, "accepted")
        self.assertRecordValues(
            eightd.revision_ids,
            [
                {
                    "answer": "accepted",
                    "answered_by_id": self.contact.id,
                    "remark": "Well done",
                }
            ],
        )
        self.assertIn(CAUSES[0]["name"], eightd.complaint_ids.root_cause)
        with self._assert_refused("accepted"):
            eightd.title = "x"
        with self.assertRaises(UserError):
            eightd.action_send()

    def test_root_cause_that_is_there_stays(self):
        eightd = self._create_sent()
        eightd.complaint_ids.root_cause = "Known before"
        eightd.action_accept(contact_id=self.contact.id)
        self.assertEqual(eightd.complaint_ids.root_cause, "Known before")

    def test_refused_is_the_next_revision(self):
        eightd = self._create_sent()
        with self._assert_refused("What the Customer Said"):
            eightd.action_refuse(reason=" ", contact_id=self.contact.id)
        eightd.action_refuse(reason="Show the figures", contact_id=self.contact.id)
        self.assertRecordValues(
            eightd, [{"state": "refused", "revision": 2, "signed_on": False}]
        )
        self.assertEqual(eightd.revision_ids.remark, "Show the figures")
        eightd.effectiveness = "0 of 500 cars, 10 to 20 March"
        eightd.with_user(self.quality).action_sign_off()
        eightd.action_send()
        self.assertEqual(sorted(eightd.revision_ids.mapped("number")), [1, 2])
        last = eightd._get_last_revision()
        self.assertIn("0 of 500 cars", last.pdf_id.raw.decode())

    def test_interim_report_is_accepted_and_goes_on(self):
        eightd = self._create_sent(complete=False)
        eightd.action_accept(contact_id=self.contact.id)
        self.assertRecordValues(eightd, [{"state": "draft", "revision": 2}])
        self.assertEqual(eightd.revision_ids.answer, "accepted")
        self.assertFalse(eightd.complaint_ids.root_cause)

    def test_go_on_without_an_answer(self):
        eightd = self._create_sent(complete=False)
        eightd.action_revise()
        self.assertRecordValues(eightd, [{"state": "draft", "revision": 2}])
        with self._assert_refused("not at the customer"):
            eightd.action_revise()

    def test_two_at_once(self):
        both = self._create_sent(complete=False) + self._create_sent(complete=False)
        both.action_revise()
        self.assertEqual(both.mapped("state"), ["draft", "draft"])
        for eightd in both:
            self._fill(eightd, sign=False)
        both.with_user(self.quality).action_sign_off()
        self.assertEqual(both.signed_by_id, self.quality)

    def test_a_3d_prints_four_steps(self):
        eightd = self._create_contained()
        eightd.complaint_ids.eightd_level = "3d"
        text, _type = self.env["ir.actions.report"]._render_qweb_html(
            "quality_resident.report_8d", eightd.ids
        )
        self.assertIn("3D Report", text.decode())
        self.assertIn("D3 Containment", " ".join(text.decode().split()))
        self.assertNotIn("Root Causes", text.decode())

    def test_who_and_when_are_asked(self):
        eightd = self._create_sent()
        foreign = self.env["resident.contact"].create(
            {"site_id": self.site_de.id, "partner_id": self.sqe.id}
        )
        for contact_id in (None, False, foreign.id, 2**31 - 1):
            with self.subTest(contact=contact_id), self._assert_refused("Answered by"):
                eightd.action_accept(contact_id=contact_id)
        for moment in ("2020-01-01 00:00:00", "2999-01-01 00:00:00"):
            with self.subTest(moment=moment), self._assert_refused("Answered On"):
                eightd.action_accept(contact_id=self.contact.id, answered_at=moment)
        self.assertEqual(eightd.state, "sent")

    def test_dialogue(self):
        eightd = self._create_sent()
        dialogue = self.env["quality.8d.answer"].with_user(self.quality)
        dialogue.with_context(active_id=eightd.id).create(
            {"contact_id": self.contact.id, "answer": "refused", "remark": "Why?"}
        ).action_apply()
        self.assertEqual(eightd.state, "refused")

    def test_manager_opens_it_again(self):
        eightd = self._create_sent()
        eightd.action_accept(contact_id=self.contact.id)
        for user in (self.resident, self.quality):
            with self.assertRaises(AccessError):
                eightd.with_user(user).action_reopen(reason="x")
        with self._assert_refused("Say why"):
            eightd.with_user(self.manager).action_reopen()
        eightd.with_user(self.manager).action_reopen(reason="Came back")
        self.assertRecordValues(eightd, [{"state": "draft", "revision": 2}])

    # === WHO, AND NOBODY ELSE === #

    def test_readers_do_nothing(self):
        eightd = self._create_sent()
        for user in (self.sales, self.gm, self.quality_de, self.resident_de):
            mine = eightd.with_user(user)
            for action in (
                lambda e: e.action_send(),
                lambda e: e.action_mail(),
                lambda e: e.action_accept(contact_id=self.contact.id),
                lambda e: e.action_refuse(reason="x", contact_id=self.contact.id),
                lambda e: e.action_revise(),
                lambda e: e.action_sign_off(),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    action(mine)
        self.assertEqual(eightd.state, "sent")

    def test_line_stays_where_its_writer_may_write(self):
        """Resident here and Sales there: he reads the other report, and no more."""
        self.resident.group_ids += self.env.ref(f"{GROUP}sales")
        self.site_de.sales_user_ids = self.resident
        theirs = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        theirs.action_create_8d()
        eightd = self._create_8d()
        cause = eightd.cause_ids.create({"eightd_id": eightd.id, "name": "Ours"})
        self.assertTrue(theirs.eightd_id.with_user(self.resident).has_access("read"))
        with self.assertRaises(AccessError):
            cause.eightd_id = theirs.eightd_id.id
        with self.assertRaises(AccessError):
            cause.create({"eightd_id": theirs.eightd_id.id, "name": "Ours"})

    def test_nothing_is_forged(self):
        eightd = self._create_8d()
        for user in (self.resident, self.quality, self.manager, self.admin):
            model = self.env["quality.8d"].with_user(user)
            for values in (
                {"state": "sent"},
                {"state": "accepted"},
                {"revision": 7},
                {"sent_3d_at": CALL},
                {"sent_8d_at": CALL},
                {"signed_on": CALL},
                {"due_8d": "2999-01-01"},
                {"started_at": "2999-01-01"},
                {"complaint_ids": [Command.link(self._create_complaint().id)]},
            ):
                with (
                    self.subTest(user=user.login, values=values),
                    self.assertRaises(UserError),
                ):
                    call_kw(model, "write", [eightd.ids, values], {})
            with self.assertRaises(AccessError):
                call_kw(
                    self.env["quality.8d.revision"].with_user(user),
                    "create",
                    [
                        {
                            "eightd_id": eightd.id,
                            "number": 1,
                            "sent_at": CALL,
                            "sent_by_id": user.id,
                        }
                    ],
                    {},
                )
            with self.assertRaises(UserError):
                call_kw(
                    self.env["quality.complaint"].with_user(user),
                    "write",
                    [eightd.complaint_ids.ids, {"eightd_id": False}],
                    {},
                )
        self.assertEqual(eightd.state, "draft")
