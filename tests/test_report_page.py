import io

from PIL import Image

from odoo.tests import tagged

from odoo.addons.quality_resident.controllers import report_page

from .test_tours import TourCase


@tagged("post_install", "-at_install")
class TestReportPage(TourCase):
    def setUp(self):
        super().setUp()
        self.url = self.site.report_url.removeprefix(self.site.get_base_url())
        self.contact = self.env["resident.contact"].create(
            {
                "site_id": self.site.id,
                "partner_id": self.env["res.partner"]
                .create({"name": "Tour SQE", "email": "sqe@example.com"})
                .id,
            }
        )

    def _post(self, files=(), **values):
        page = self.url_open(self.url)
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        return self.url_open(
            self.url, data={"csrf_token": token, **values}, files=list(files) or None
        )

    def _get_complaints(self):
        return self.env["quality.complaint"].search([("site_id", "=", self.site.id)])

    def _photo(self, name):
        content = io.BytesIO()
        Image.new("RGB", (40, 30), "grey").save(content, "JPEG")
        return ("photos", (name, content.getvalue(), "image/jpeg"))

    def test_page_asks_for_everything(self):
        page = self.url_open(self.url).text
        for name in ("photos", "part", "description", "name", "email"):
            self.assertIn(f'name="{name}"', page)

    def test_customer_reports(self):
        answer = self._post(
            files=[self._photo("a.jpg"), self._photo("b.jpg")],
            description="<b>Leaks</b> & rattles",
            part="6l0 837 911",
            name="SQE",
            email="SQE@example.com",
        )
        complaint = self._get_complaints()
        self.assertIn(complaint.name, answer.text)
        self.assertRecordValues(
            complaint,
            [
                {
                    "channel": "portal",
                    "state": "new",
                    "part_id": self.part.id,
                    "contact_id": self.contact.id,
                    "resident_id": self.resident.id,
                    "description": "<b>Leaks</b> & rattles",
                }
            ],
        )
        self.assertEqual(sorted(complaint.photo_ids.mapped("name")), ["a.jpg", "b.jpg"])

    def test_unknown_part_and_person_are_kept_as_text(self):
        self._post(description="Leaks", part="%", name="Jo", email="0123")
        complaint = self._get_complaints()
        self.assertFalse(complaint.part_id)
        self.assertFalse(complaint.contact_id)
        self.assertIn("%", complaint.description)
        self.assertIn("Jo, 0123", complaint.description)

    def test_bad_input_is_named_and_nothing_is_kept(self):
        answer = self._post(description="  ")
        self.assertIn("What is wrong?", answer.text)
        self.assertIn("alert-danger", answer.text)
        script = ("photos", ("x.jpg", b"<script>alert(1)</script>", "image/jpeg"))
        answer = self._post(files=[script], description="Leaks & more")
        self.assertIn("x.jpg is not a photo", answer.text)
        self.assertIn("Leaks &amp; more", answer.text, "what was typed is still there")
        self.assertFalse(self._get_complaints())

    def test_unknown_and_renewed_link(self):
        wrong = self.url_open(self.url[:-4] + "none")
        self.assertEqual(wrong.status_code, 404)
        self.site.with_user(self.manager).action_renew_report_link()
        self.assertEqual(self.url_open(self.url).status_code, 404)

    def test_flood_is_stopped(self):
        self.patch(report_page, "MAX_PER_HOUR", 1)
        self._post(description="One")
        answer = self._post(description="Two")
        self.assertIn("Too many reports", answer.text)
        self.assertEqual(len(self._get_complaints()), 1)
