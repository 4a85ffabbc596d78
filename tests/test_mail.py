import io
import re
import unicodedata
from unittest.mock import patch
from urllib.parse import urlsplit

import pypdf

from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CRON_CLOCKS, CRON_EVENTS, ResidentCommon, SmtpCatcher

SMTP_LOGS = (
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.base.models.ir_mail_server",
)
HREF = re.compile(r'href="([^"]*/odoo/[^"]*)"')


@tagged("post_install", "-at_install")
class TestMail(SmtpCatcher, ResidentCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.quality.lang = "zh_CN"
        cls.company_a.alias_domain_id = cls.env["mail.alias.domain"].create(
            {"name": "parts.example.com", "default_from": "quality"}
        )
        for kind, subject in (
            ("new", "新抱怨 {{ object.document.name }}"),
            ("feedback", "反馈单 {{ object.document.name }}"),
        ):
            template = cls.env.ref(f"quality_resident.mail_template_{kind}")
            template.with_context(lang="zh_CN").subject = subject

    def _get_html(self, mail):
        return mail.get_body(("html",)).get_content()

    def _get_pdfs(self, mail):
        return [
            part.get_content()
            for part in mail.iter_attachments()
            if part.get_content_type() == "application/pdf"
        ]

    def _create_late(self, **values):
        """Return a complaint whose resident has not come, well past the deadline."""
        with self._at("2026-03-10 01:00:00"):
            return self._create_complaint(called_at="2026-03-10 01:00:00", **values)

    # === WHO GETS WHAT, IN WHICH LANGUAGE === #

    def test_new_complaint(self):
        complaint = self._create_complaint(description="Scratch")
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        (sales_mail,) = self._get_received(self.sales)
        (quality_mail,) = self._get_received(self.quality)
        self.assertEqual(quality_mail["Subject"], f"新抱怨 {complaint.name}")
        self.assertIn("new complaint", sales_mail["Subject"])
        self.assertIn(complaint.name, sales_mail["Subject"])
        self.assertRegex(
            sales_mail["From"], r"^Parts of Suzhou <\w+@parts.example.com>$"
        )
        self.assertIn('lang="zh', self._get_html(quality_mail))
        self.assertIn('lang="en', self._get_html(sales_mail))
        for mail in (sales_mail, quality_mail):
            html = self._get_html(mail)
            for text in (complaint.name, self.site.name, "Test seal", "Scratch"):
                self.assertIn(text, html)

    def test_times_are_the_site_s(self):
        with self._at("2026-03-10 01:00:00"):
            self._create_complaint(called_at="2026-03-10 01:00:00")
        self._send_mails()
        (mail,) = self._get_received(self.sales)
        self.assertRegex(self._get_html(mail), r"9:00\sAM")

    def test_text_of_a_stranger_is_escaped(self):
        self._create_complaint(description="<script>alert(1)</script><b>x</b>")
        self._send_mails()
        (mail,) = self._get_received(self.sales)
        html = self._get_html(mail)
        self.assertNotIn("<script", html)
        self.assertIn("&lt;b&gt;x&lt;/b&gt;", html)

    def test_feedback_form(self):
        complaint = self._create_complete()
        complaint.action_send_feedback()
        self._get_events(complaint, "new").unlink()
        # Odoo renders no PDF while a test runs, unless it is told to.
        report_class = type(self.env["ir.actions.report"])
        render = report_class._render_qweb_pdf

        def render_pdf(report, *args, **kwargs):
            return render(
                report.with_context(force_report_rendering=True), *args, **kwargs
            )

        with patch.object(report_class, "_render_qweb_pdf", render_pdf):
            self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        (quality_mail,) = self._get_received(self.quality)
        self.assertEqual(quality_mail["Subject"], f"反馈单 {complaint.name}")
        for user in (self.sales, self.quality):
            (mail,) = self._get_received(user)
            with self.subTest(user=user.login):
                (pdf,) = self._get_pdfs(mail)
                pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
                text = "".join(page.extract_text() for page in pages)
                self.assertIn(complaint.name, unicodedata.normalize("NFKC", text))
                (part,) = mail.iter_attachments()
                self.assertIn(complaint.name.replace("/", "-"), part.get_filename())
                self.assertTrue(part.get_filename().endswith(".pdf"))

    def test_late(self):
        self._create_late()
        with self._at("2026-03-10 01:05:00"):
            self._run_cron(CRON_CLOCKS)
        self._send_mails()
        subjects = {
            (addresses[0], "late" in mail["Subject"])
            for addresses, mail in self.mailbox.mails
        }
        self.assertIn((self.manager.email, True), subjects)
        (mail,) = self._get_received(self.manager)
        # The deadline, in the time of the site.
        self.assertRegex(self._get_html(mail), r"9:05\sAM")
        self.assertFalse(self._get_received(self.gm, self.resident, self.standin))

    def test_half_way_and_escalated(self):
        self._create_late()
        with self._at("2026-03-10 01:03:00"):
            self._run_cron(CRON_CLOCKS)
        self._send_mails()
        for user in (self.resident, self.standin):
            (mail,) = self._get_received(user)
            self.assertIn("half", mail["Subject"])
        self.mailbox.mails.clear()
        with self._at("2026-03-10 01:10:00"):
            self._run_cron(CRON_CLOCKS)
        self._send_mails()
        (mail,) = self._get_received(self.gm)
        self.assertIn("still open", mail["Subject"])
        self.assertEqual(len(self._get_received(self.manager)), 1)
        self.assertFalse(self._get_received(self.gm_b, self.manager_b))

    def test_recurring(self):
        earlier = self._create_in_state("closed")
        self._get_events(earlier).unlink()
        again = self._create_complaint(defect_id=self.defect.id)
        self._get_events(again, "new").unlink()
        self._send_mails()
        people = self.sales + self.quality + self.manager + self.gm
        self.assertEqual(self._get_addresses(), sorted(people.mapped("email")))
        (mail,) = self._get_received(self.gm)
        self.assertIn(again.name, mail["Subject"])
        self.assertIn(earlier.name, self._get_html(mail))

    def test_line_stop(self):
        complaint = self._create_complaint(
            line_stop_minutes=17, line_stop_reason="No parts left"
        )
        self._get_events(complaint, "new").unlink()
        self._send_mails()
        people = self.sales + self.quality + self.manager
        self.assertEqual(self._get_addresses(), sorted(people.mapped("email")))
        (mail,) = self._get_received(self.manager)
        self.assertIn("17 min", mail["Subject"])
        self.assertIn("No parts left", self._get_html(mail))

    def test_a_second_site(self):
        self._create_complaint(self.resident_de, site_id=self.site_de.id)
        self._create_complaint(self.resident_b, site_id=self.site_b.id)
        self._send_mails()
        self.assertEqual(self._get_addresses(), [self.quality_de.email])

    def test_nobody_else_hears_of_it(self):
        """Followers, subscribers and to-dos send no mails of their own."""
        complaint = self._create_complaint(self.manager)
        self.env.cr.flush()
        self.assertEqual(complaint.resident_id, self.resident)
        complaint.message_subscribe(partner_ids=(self.sqe + self.gm.partner_id).ids)
        complaint.with_user(self.resident).action_arrive()
        complaint.severity = "critical"
        complaint.with_user(self.manager).action_cancel(reason="Twice")
        self.env.cr.flush()
        tracked = complaint.sudo().message_ids.tracking_value_ids.field_id
        self.assertLessEqual({"state", "severity"}, set(tracked.mapped("name")))
        self._send_mails()
        self.assertEqual(
            self._get_addresses(),
            sorted([self.sales.email, self.quality.email, self.resident.email]),
        )

    # === LINK AND ANSWER === #

    def test_link_opens_the_complaint(self):
        complaint = self._create_complaint()
        self._send_mails()
        (mail,) = self._get_received(self.sales)
        links = HREF.findall(self._get_html(mail))
        self.assertEqual(len(links), 1)
        link = urlsplit(links[0])
        self.assertEqual(link.path, f"/odoo/complaints/{complaint.id}")
        self.assertEqual(
            f"{link.scheme}://{link.netloc}", complaint.get_base_url().rstrip("/")
        )
        action = self.env["ir.actions.act_window"].search([("path", "=", "complaints")])
        self.assertEqual(action.res_model, "quality.complaint")
        self.assertIn("form", action.view_mode)
        self.authenticate(self.sales.login, "salesxxx")
        self.assertEqual(self.url_open(link.path).status_code, 200)
        loaded = self.make_jsonrpc_request(
            "/web/action/load", {"action_id": "complaints"}
        )
        self.assertEqual(loaded["res_model"], "quality.complaint")

    def test_answer_is_kept_with_the_complaint(self):
        complaint = self._create_complaint()
        self._send_mails()
        (mail,) = self._get_received(self.sales)
        # The company's inbox for answers, not the people of the site.
        self.assertIn("catchall@parts.example.com", mail["Reply-To"])
        answer = (
            f"From: {self.sales.email}\nTo: {mail['Reply-To']}\n"
            f"Subject: Re: {mail['Subject']}\nMessage-Id: <answer-1@ours>\n"
            f"In-Reply-To: {mail['Message-Id']}\n"
            "Content-Type: text/plain\n\nI call them at once.\n"
        )
        self.env["mail.thread"].message_process(None, answer)
        message = complaint.message_ids[0]
        self.assertIn("I call them at once.", message.body)
        self.assertEqual(message.author_id, self.sales.partner_id)

    # === ONCE === #

    def test_jobs_run_twice(self):
        self._create_complaint()
        self._send_mails()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )

    def test_one_mail_for_each_recipient(self):
        self.env["resident.route"].create(
            {
                "kind": "new",
                "site_id": self.site.id,
                "to_sales": True,
                "to_manager": True,
                "partner_ids": [Command.set((self.sales.partner_id + self.sqe).ids)],
            }
        )
        self._create_complaint()
        self._send_mails()
        for addresses, mail in self.mailbox.mails:
            # Nobody sees who else was told.
            self.assertEqual(len(addresses), 1)
            self.assertIn(addresses[0], mail["To"])
            self.assertFalse(mail["Cc"])
        self.assertEqual(
            self._get_addresses(),
            sorted([self.sales.email, self.manager.email, self.sqe.email]),
        )

    def test_refused_recipient_does_not_double_the_others(self):
        for answer in ("550 No such user", "451 Try again later"):
            self.mailbox.mails.clear()
            self.mailbox.refused[self.sales.email] = answer
            complaint = self._create_complaint()
            with self.subTest(answer=answer), mute_logger(*SMTP_LOGS):
                self._send_mails()
                self._send_mails()
                self.assertEqual(self._get_addresses(), [self.quality.email])
                failed = self._get_mails(complaint).filtered(
                    lambda m: m.state != "sent"
                )
                self.assertEqual(failed.recipient_ids, self.sales.partner_id)
                self.assertEqual(self._get_events(complaint).state, "done")
                # The job queues it again; the others are not mailed twice.
                self.mailbox.refused.clear()
                self._run_cron("quality_resident.ir_cron_retry_mails")
                self._send_mails()
                self.assertEqual(
                    self._get_addresses(),
                    sorted([self.quality.email, self.sales.email]),
                )

    def test_queue_is_interrupted(self):
        """The server is killed after the first of the mails has left."""
        first, second = self._create_complaint(), self._create_complaint()
        self._run_cron(CRON_EVENTS)
        mails = self._get_mails(first + second)
        self.assertEqual(mails.mapped("state"), ["outgoing"] * 4)
        mails[0].send(auto_commit=False)
        self.assertEqual(len(self.mailbox.mails), 1)
        self._send_mails()
        self.assertEqual(
            self._get_addresses(),
            sorted([self.sales.email, self.quality.email] * 2),
        )
        message_ids = [mail["Message-Id"] for _to, mail in self.mailbox.mails]
        self.assertEqual(len(set(message_ids)), 4)
