from odoo import models

# What becomes of the parts, hence the colour of their label.
VERDICT_LABELS = {
    "rework": "rework",
    "scrap": "bad",
    "stock": "good",
    "supplier": "bad",
    "customer": "bad",
}


class QualityReturn(models.Model):
    _inherit = "quality.return"

    def action_print_labels(self):
        """Ask how many labels to print for each line."""
        return self.line_ids.action_print_labels()


class QualityReturnLine(models.Model):
    """Each box that goes back carries its status (R3)."""

    _name = "quality.return.line"
    _inherit = ["quality.return.line", "quality.label.mixin"]

    def _get_label_status(self):
        """Return what the parts are: Quality's verdict once all of it is judged."""
        self.ensure_one()
        valid = self.judgement_ids.filtered(lambda j: not j.undone)
        verdicts = set(valid.mapped("judgement"))
        if len(verdicts) == 1 and not self.qty_open:
            return VERDICT_LABELS[verdicts.pop()]
        if self.kind == "exchange" and not verdicts:
            # The customer's SQE has confirmed the defect.
            return "bad"
        return "suspect"

    def _get_label_values(self):
        self.ensure_one()
        document = self.return_id
        complaint = document.complaint_id
        return {
            "status": self._get_label_status(),
            "number": document.name,
            "product": self.product_id,
            "customer_ref": complaint.customer_ref or "",
            "quantity": self.quantity or self.qty_received,
            "uom": self.uom_id,
            "lots": self.lot_id,
            "defect": self.defect_id.display_name or "",
            "complaint": complaint.name or "",
            "site": document.site_id.name,
            "lang": document.partner_id.lang,
        }
