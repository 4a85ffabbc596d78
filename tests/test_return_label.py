from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .test_report import read_pdf
from .test_return import ReturnCommon
from .test_service_sheet import RenderPdf

LABEL = "quality_resident.report_label"


@tagged("post_install", "-at_install")
class TestReturnLabels(RenderPdf, ReturnCommon, HttpCase):
    """Each box that goes back carries its status (R3)."""

    def _ask(self, document, user=None, **values):
        """Return the dialogue that the form's button opens."""
        action = document.action_print_labels()
        dialogue = self.env[action["res_model"]].with_user(user or self.resident)
        return dialogue.with_context(**action["context"]).create(values)

    def _get_statuses(self, document):
        return [
            (label["number"], label["colour"], label["lots"], label["quantity"])
            for label in self._ask(document)._get_labels()
        ]

    def _create_two_lines(self, **values):
        return self._create_return(
            lines=[
                {
                    "product_id": lot.product_id.id,
                    "lot_id": lot.id,
                    "quantity": quantity,
                }
                for lot, quantity in ((self.lot, 10), (self.lot_2, 5))
            ],
            **values,
        )

    def test_label_for_each_line(self):
        document = self._create_two_lines()
        unit = self.in_lots.uom_id.name
        expected = [
            (document.name, "YELLOW", "L7", f"10 {unit}"),
            (document.name, "YELLOW", "L8", f"5 {unit}"),
        ]
        self.assertEqual(self._get_statuses(document), expected)
        dialogue = self._ask(document, copies=3)
        self.assertFalse(dialogue.has_choice)
        self.assertEqual(dialogue.action_print()["report_name"], LABEL)
        content, kind = (
            self.env["ir.actions.report"]
            .with_user(self.resident)
            ._render_qweb_pdf(LABEL, dialogue.ids)
        )
        self.assertEqual(kind, "pdf")
        pages, text = read_pdf(content)
        self.assertEqual(len(pages), 6)
        for word in ("L7", "L8", "YELLOW", document.name, self.site.name):
            self.assertIn(word, text)

    def test_status_follows_the_verdict(self):
        for judgement, colour in (
            ("stock", "GREEN"),
            ("rework", "BLUE"),
            ("supplier", "RED"),
            ("customer", "RED"),
        ):
            with self.subTest(judgement=judgement), self._rolled_back():
                document = self._bring("received")
                self.assertEqual(self._get_statuses(document)[0][1], "YELLOW")
                document.with_user(self.quality).line_ids.judgement = judgement
                document.with_user(self.quality).action_judge()
                self.assertEqual(self._get_statuses(document)[0][1], colour)
                verdict = document.judgement_ids.with_user(self.quality)
                verdict.action_undo()
                self.assertEqual(self._get_statuses(document)[0][1], "YELLOW")

    def test_exchanged_parts_are_bad(self):
        document = self._create_return(kind="exchange")
        self.assertEqual(self._get_statuses(document)[0][1], "RED")

    def test_with_a_complaint(self):
        complaint = self._create_complaint(
            part_id=self.part.id, defect_id=self.defect.id
        )
        document = self._create_return(complaint_ids=complaint.ids)
        (label,) = self._ask(document)._get_labels()
        self.assertEqual(label["complaint"], complaint.name)
        self.assertEqual(label["customer_ref"], self.part.customer_ref)
        self.assertEqual(label["defect"], self.defect.display_name)

    def test_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["quality_resident"], ["zh_CN"])
        self.customer.lang = "zh_CN"
        dialogue = self._ask(self._create_return())
        lang = dialogue._get_document_lang()
        self.assertEqual(lang, "zh_CN")
        (label,) = dialogue.with_context(lang=lang)._get_labels()
        self.assertIn("可疑品", label["status"])

    def test_who_prints(self):
        document = self._create_return()
        for user in (self.resident, self.quality, self.manager):
            self._ask(document.with_user(user), user=user).action_print()
        with (
            mute_logger("odoo.addons.base.models.ir_rule"),
            self.assertRaises(AccessError),
        ):
            self._ask(document, user=self.resident_de)
