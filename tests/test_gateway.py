import email.utils
from email.message import EmailMessage

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ResidentCommon, make_jpeg

GATEWAY_LOG = "odoo.addons.mail.models.mail_thread"


@tagged("post_install", "-at_install")
class TestGateway(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        domain = cls.env["mail.alias.domain"].create(
            {"name": "parts.example.com", "bounce_alias": "b", "catchall_alias": "c"}
        )
        (cls.company_a + cls.company_b).alias_domain_id = domain
        cls.site.alias_name = "quality-tstcn"
        cls.site_de.alias_name = "quality-tstde"

    def _build(self, photos=0, html=None, to=None, **headers):
        """Return a customer's mail as it comes off the wire."""
        mail = EmailMessage()
        mail["From"] = headers.pop("sender", "Li Wei <li.wei@north.example.com>")
        mail["To"] = to or "quality-tstcn@parts.example.com"
        mail["Subject"] = headers.pop("subject", "Scratched door seals")
        mail["Message-Id"] = email.utils.make_msgid(domain="north.example.com")
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content("12 pieces are scratched.\nPlease come to line 3.")
        if html:
            mail.add_alternative(html, subtype="html")
        for number in range(photos):
            mail.add_attachment(
                make_jpeg((40 * number, 0, 0)),
                maintype="image",
                subtype="jpeg",
                filename=f"IMG_{number}.jpg",
            )
        return mail

    def _receive(self, mail):
        """Let the mail come in; return the complaint that it made, if any."""
        model = self.env["quality.complaint"]
        before = model.search([])
        with mute_logger(GATEWAY_LOG):
            self.env["mail.thread"].message_process(None, mail.as_bytes())
        return model.search([]) - before

    def test_mail_makes_a_complaint(self):
        complaint = self._receive(self._build(photos=3))
        self.assertRecordValues(
            complaint,
            [
                {
                    "site_id": self.site.id,
                    "company_id": self.company_a.id,
                    "channel": "email",
                    "state": "new",
                    "contact_id": self.contact.id,
                    "resident_id": self.resident.id,
                    "arrived_at": False,
                }
            ],
        )
        self.assertIn("Scratched door seals", complaint.description)
        self.assertIn("12 pieces are scratched.", complaint.description)
        self.assertIn("Please come to line 3.", complaint.description)
        self.assertNotEqual(complaint.name, "Scratched door seals")
        self.assertTrue(complaint.arrival_deadline)
        self.assertEqual(
            sorted(complaint.photo_ids.mapped("name")),
            ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg"],
        )
        self.assertEqual(set(complaint.photo_ids.mapped("res_id")), {complaint.id})
        self.assertEqual(
            {photo.with_user(self.resident).raw for photo in complaint.photo_ids},
            {make_jpeg((40 * number, 0, 0)) for number in range(3)},
        )
        self.assertEqual(len(self._get_events(complaint, "new")), 1)
        message = complaint.message_ids.filtered(lambda m: m.message_type == "email")
        self.assertEqual(message.author_id, self.sqe)

    def test_address_decides_the_site(self):
        complaint = self._receive(self._build(to="quality-tstde@parts.example.com"))
        self.assertEqual(complaint.site_id, self.site_de)
        # Li Wei is a contact of the other plant only.
        self.assertFalse(complaint.contact_id)

    def test_same_mail_twice(self):
        mail = self._build()
        self.assertEqual(len(self._receive(mail)), 1)
        self.assertFalse(self._receive(mail))

    def test_unknown_sender(self):
        complaint = self._receive(self._build(sender="nobody@unknown.example.org"))
        self.assertEqual(complaint.site_id, self.site)
        self.assertFalse(complaint.contact_id)
        self.assertEqual(
            self.env["res.partner"].search_count(
                [("email_normalized", "=", "nobody@unknown.example.org")]
            ),
            0,
        )

    def test_other_files_are_no_photos(self):
        mail = self._build(photos=1)
        mail.add_attachment(
            b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="a.pdf"
        )
        complaint = self._receive(mail)
        self.assertEqual(complaint.photo_ids.mapped("name"), ["IMG_0.jpg"])
        self.assertEqual(
            set(complaint.message_ids.attachment_ids.mapped("name")),
            {"IMG_0.jpg", "a.pdf"},
        )

    def test_logos_are_no_photos(self):
        """What stands within the text is a photo only when it is large enough."""
        mail = self._build(
            photos=1,
            html="<p>See the scratch:</p><p><img src='cid:scratch@x'/></p>"
            "<p>[image: logo.png] [cid:image001.png@01DB.4711]</p>"
            "<p>Li Wei<br/><a href='http://north.example.com'>"
            "<img src='cid:logo@x' alt='North'/></a> <a href='http://x.y/z'>shop</a></p>"
            "<p><img src='cid:banner@x'/><img src='http://a.b/c.png'/></p>",
        )
        html = mail.get_payload()[0].get_payload()[1]
        for name, size in (
            ("scratch", (640, 480)),
            ("logo", (120, 60)),
            ("banner", (900, 199)),
        ):
            html.add_related(
                make_jpeg(size=size),
                maintype="image",
                subtype="jpeg",
                cid=f"<{name}@x>",
                filename=f"{name}.jpg",
            )
        complaint = self._receive(mail)
        self.assertEqual(
            set(complaint.photo_ids.mapped("name")), {"IMG_0.jpg", "scratch.jpg"}
        )
        # They stay with the message.
        self.assertEqual(
            set(complaint.message_ids.attachment_ids.mapped("name")),
            {"IMG_0.jpg", "scratch.jpg", "logo.jpg", "banner.jpg"},
        )
        for text in ("See the scratch:", "Li Wei", "shop [1]", "http://x.y/z"):
            self.assertIn(text, complaint.description)
        for text in ("cid", "image", "None", "north.example.com", "c.png", "\n\n\n"):
            self.assertNotIn(text, complaint.description)

    def test_what_is_no_image_after_all(self):
        mail = self._build(html="<p>x <img src='cid:a@x'/><img src='cid:b@x'/></p>")
        html = mail.get_payload()[1]
        for cid, subtype, raw in (
            ("a", "heic", b"\x00\x00\x00\x18ftypheic"),
            ("b", "svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ):
            html.add_related(
                raw,
                maintype="image",
                subtype=subtype,
                cid=f"<{cid}@x>",
                filename=f"{cid}.{subtype[:3]}",
            )
        complaint = self._receive(mail)
        self.assertNotIn("b.svg", complaint.photo_ids.mapped("name"))
        self.assertEqual(len(complaint.message_ids.attachment_ids), 2)

    def test_script_in_the_body_is_plain_text(self):
        complaint = self._receive(
            self._build(
                html="<p>See <b>here</b><script>alert(1)</script></p>"
                '<img src="x" onerror="alert(2)"/><p>Line&nbsp;3 &lt;now&gt;</p>'
            )
        )
        self.assertIn("here", complaint.description)
        self.assertIn("<now>", complaint.description)
        for text in ("<script", "<p>", "<b>", "onerror", "alert(1)"):
            self.assertNotIn(text, complaint.description)
        self.assertNotIn("<script", "".join(complaint.message_ids.mapped("body")))

    def test_sender_cannot_choose_protected_values(self):
        """The defaults of an address are the administrator's, state is nobody's."""
        complaint = self._receive(self._build(subject="QC/2020/00001"))
        self.assertEqual(complaint.state, "new")
        self.assertNotEqual(complaint.name, "QC/2020/00001")

    def test_reply_lands_in_the_thread(self):
        first = self._build(photos=1)
        complaint = self._receive(first)
        reply = self._build(
            photos=1,
            subject="Re: Scratched door seals",
            In_Reply_To=first["Message-Id"],
            References=first["Message-Id"],
        )
        reply.replace_header("To", "whoever@parts.example.com")
        self.assertFalse(self._receive(reply))
        self.assertEqual(len(complaint.photo_ids), 2)
        self.assertEqual(
            len(complaint.message_ids.filtered(lambda m: m.message_type == "email")), 2
        )
        self.assertEqual(set(complaint.photo_ids.mapped("res_id")), {complaint.id})

    def test_reply_to_the_address_makes_no_second_complaint(self):
        first = self._build()
        complaint = self._receive(first)
        reply = self._build(In_Reply_To=first["Message-Id"])
        self.assertFalse(self._receive(reply))
        self.assertEqual(
            len(complaint.message_ids.filtered(lambda m: m.message_type == "email")), 2
        )

    def test_reply_to_a_closed_complaint_is_kept(self):
        first = self._build()
        complaint = self._receive(first)
        complaint.with_user(self.manager).action_cancel(reason="Not a complaint")
        reply = self._build(photos=1, In_Reply_To=first["Message-Id"])
        self.assertFalse(self._receive(reply))
        self.assertEqual(complaint.state, "cancelled")
        self.assertEqual(len(complaint.photo_ids), 1)

    def test_photo_in_a_comment_is_no_photo_of_the_form(self):
        complaint = self._create_complaint()
        photo = self._create_photo(self.quality)
        complaint.with_user(self.quality).message_post(
            body="Like this one?", attachment_ids=photo.ids, message_type="comment"
        )
        self.assertFalse(complaint.photo_ids)
        self.assertIn(photo, complaint.message_ids.attachment_ids)
