import base64
import io
import unicodedata

import pypdf
from PIL import Image

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ResidentCommon, make_jpeg

REPORT = "quality_resident.report_feedback"
HOSTILE = '<script>alert("x")</script><b>bold</b> {{ 1 }} & =1+1'


def read_pdf(content):
    """Return the pages of a PDF and their text, compatibility radicals undone."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    # The renderer writes tabs between words.
    return pages, " ".join(unicodedata.normalize("NFKC", text).split())


def count_photos(page):
    """Return how many pictures of a photo's size a page shows; logos are flat."""
    objects = page["/Resources"].get("/XObject", {})
    images = [objects[name] for name in objects]
    return sum(i["/Subtype"] == "/Image" and i["/Height"] > 300 for i in images)


def get_photo_heights(page):
    """Return the heights, in points, at which a page draws photos."""
    heights = []

    def visit(operator, operands, matrix, _text_matrix):
        if operator == b"Do":
            image = page["/Resources"]["/XObject"][operands[0]]
            if image["/Subtype"] == "/Image" and image["/Height"] > 300:
                heights.append(abs(matrix[3]))

    page.extract_text(visitor_operand_before=visit)
    return heights


@tagged("post_install", "-at_install")
class TestReport(ResidentCommon, HttpCase):
    def _render(self, complaints, user=None):
        report = (
            self.env["ir.actions.report"]
            .with_user(user or self.quality)
            .with_context(force_report_rendering=True)
        )
        content, kind = report._render_qweb_pdf(REPORT, complaints.ids)
        self.assertEqual(kind, "pdf")
        return content

    def _render_html(self, complaints, **context):
        report = self.env["ir.actions.report"].with_user(self.quality)
        html, _kind = report.with_context(**context)._render_qweb_html(
            REPORT, complaints.ids
        )
        return html.decode()

    def _make_photos(self):
        """Return three photos of a phone, upright and across."""
        sizes = ((1600, 1200), (1200, 1600), (1600, 900))
        return self.env["ir.attachment"].concat(
            *(
                self._create_photo(name=f"IMG_{n}.jpg", raw=make_jpeg((90, 9, n), size))
                for n, size in enumerate(sizes)
            )
        )

    def test_form_with_three_photos(self):
        complaint = self._create_complete(photo_ids=self._make_photos().ids)
        complaint.action_send_feedback()
        pages, text = read_pdf(self._render(complaint))
        self.assertLessEqual(len(pages), 2)
        self.assertEqual(sum(count_photos(page) for page in pages), 3)
        for expected in (
            complaint.name,
            self.site.name,
            self.customer.name,
            "Test seal",
            "6L0 837 911",
            "D-4711",
            "Scratch on the visible side",
            "All of lot 7",
            "Sorted at the line",
            "First good part 0815",
            "SQE agrees to sort",
            self.resident.name,
            self.company_a.name,
        ):
            with self.subTest(expected=expected):
                self.assertIn(expected, text)

    def test_many_photos_and_much_text(self):
        """Upright photos stay large, text flows, and each page says what it is."""
        photos = self.env["ir.attachment"].concat(
            *(
                self._create_photo(
                    name=f"IMG_{n}.jpg", raw=make_jpeg((9, 9 * n, 90), (900, 1600))
                )
                for n in range(7)
            )
        )
        sentences = [f"Sentence {n} of the customer. " for n in range(345)]
        complaint = self._create_complete(
            photo_ids=photos.ids, description="".join(sentences)[:10000]
        )
        pages, text = read_pdf(self._render(complaint))
        total = len(pages)
        self.assertGreaterEqual(total, 3)
        for number, page in enumerate(pages, start=1):
            footer = f"{complaint.name} {number} / {total}"
            self.assertIn(footer, " ".join(page.extract_text().split()))
            text = text.replace(f"{footer} ", "")
        for number in range(330):
            self.assertIn(f"Sentence {number} of", text)
        self.assertEqual(sum(count_photos(page) for page in pages), 7)
        heights = sum(map(get_photo_heights, pages), [])
        self.assertEqual(len(heights), 7)
        # Points: two inches and more.
        self.assertGreater(min(heights), 144)

    def test_pages_of_a_chinese_number(self):
        report = self.env["ir.actions.report"]
        stream = io.BytesIO()
        writer = pypdf.PdfWriter()
        for _page in range(2):
            writer.add_blank_page(595, 842)
        writer.write(stream)
        numbered = report._number_pages(stream, "质诉2026/00001")
        self.assertIn("质诉2026/00001 2 / 2", read_pdf(numbered.getvalue())[1])
        one = io.BytesIO()
        writer = pypdf.PdfWriter()
        writer.add_blank_page(595, 842)
        writer.write(one)
        self.assertIs(report._number_pages(one, "QC/1"), one)

    def test_chinese_customer(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.customer.lang = "zh_CN"
        field = self.env["ir.model.fields"]._get("quality.complaint", "problem_type")
        selection = field.selection_ids.filtered(lambda s: s.value == "quality")
        selection.with_context(lang="zh_CN").name = "确认质量问题"
        complaint = self._create_complete(
            description="密封条表面划伤", place_id=self.place.id
        )
        self.place.with_context(lang="zh_CN").name = "总装工位"
        _pages, text = read_pdf(self._render(complaint))
        # Characters that no font draws as a radical, which a PDF would give back.
        for expected in ("密封条表面划伤", "确认质量问题", "总装工位", complaint.name):
            with self.subTest(expected=expected):
                self.assertIn(expected, text)
        # The reader's own language is for the mail's copy only.
        html = self._render_html(complaint, document_lang="en_US")
        self.assertNotIn("确认质量问题", html)

    def test_two_in_one_print(self):
        # One of more pages than one: the pages cannot be told apart by counting.
        both = self._create_complete(description="Long. " * 1500)
        both += self._create_complete()
        pages, text = read_pdf(self._render(both))
        self.assertGreater(len(pages), 2)
        for complaint in both:
            self.assertIn(complaint.name, text)

    def test_corrupt_photo_and_hostile_text(self):
        broken = self._create_photo(name="broken.jpg", raw=b"This is no photo at all")
        cut = self._create_photo(name="cut.jpg", raw=make_jpeg(size=(800, 600))[:900])
        good = self._create_photo(name="good.jpg", raw=make_jpeg(size=(400, 300)))
        complaint = self._create_complete(
            photo_ids=(broken + cut + good).ids, description=HOSTILE
        )
        complaint.action_send_feedback()
        _pages, text = read_pdf(self._render(complaint))
        self.assertIn(HOSTILE, text)
        self.assertIn("good.jpg", text)
        self.assertNotIn("broken.jpg", text)

    def test_hostile_text_in_html(self):
        values = dict.fromkeys(
            (
                "suspect_area",
                "interim_measure",
                "breakpoint_note",
                "talk_result",
                "line_stop_reason",
                "late_reason",
                "customer_told",
            ),
            HOSTILE,
        )
        with self._at("2026-03-10 01:00:00"):
            complaint = self._create_complaint(
                called_at="2026-03-10 01:00:00",
                line_stop_minutes=5,
                **{**self._get_feedback_values(), **values},
            )
        complaint.action_arrive()
        html = self._render_html(complaint)
        self.assertNotIn("<script>alert", html)
        self.assertEqual(html.count("&lt;script&gt;alert"), len(values))

    def test_photo_is_made_anew(self):
        """What a customer sends never gets into the document as it came."""
        exif = Image.Exif()
        exif[0x010F] = "SECRET-CAMERA"
        stream = io.BytesIO()
        image = Image.new("RGB", (3000, 2000), (1, 2, 3))
        image.save(stream, "JPEG", exif=exif)
        self.assertIn(b"SECRET-CAMERA", stream.getvalue())
        photo = self._create_photo(raw=stream.getvalue())
        complaint = self._create_complete(photo_ids=photo.ids)
        (printable,) = complaint.photo_ids._get_printable_photos()
        head, _comma, data = printable["src"].partition(";base64,")
        self.assertIn(head, ("data:image/jpeg", "data:image/jpg"))
        content = base64.b64decode(data)
        self.assertFalse(b"SECRET-CAMERA" in content)
        self.assertLess(max(Image.open(io.BytesIO(content)).size), 1000)

    def test_times_are_the_site_s(self):
        with self._at("2026-03-10 01:00:00"):
            complaint = self._create_complaint(called_at="2026-03-10 01:00:00")
        self.quality.tz = "America/New_York"
        html = self._render_html(complaint)
        self.assertRegex(html, r"9:00\sAM")
        self.assertIn("Asia/Shanghai", html)

    def test_empty_form_prints(self):
        complaint = self._create_complaint(product_id=False)
        html = self._render_html(complaint)
        self.assertIn(complaint.name, html)
        self.assertNotIn(">False<", html)

    def test_who_may_not_read_may_not_print(self):
        complaint = self._create_complaint()
        self.authenticate(self.quality_de.login, "quality_de")
        with mute_logger("odoo.http"):
            response = self.url_open(f"/report/html/{REPORT}/{complaint.id}")
        self.assertNotIn(complaint.name, response.text)
        self.authenticate(self.quality.login, "qualityx")
        response = self.url_open(f"/report/html/{REPORT}/{complaint.id}")
        self.assertIn(complaint.name, response.text)
