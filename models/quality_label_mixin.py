from base64 import b64encode

from odoo import api, models
from odoo.tools.image import image_data_uri

LABEL_STATUSES = [
    ("suspect", "Suspect"),
    ("bad", "Bad"),
    ("rework", "To Rework"),
    ("good", "Good"),
    ("reworked", "Reworked, Good"),
]
# Light enough for black text, and for what is left of them on a black printer.
COLOURS = {
    "suspect": "#ffe94d",
    "bad": "#ff9a8f",
    "rework": "#9cc9ff",
    "good": "#a8e0ab",
    "reworked": "#a8e0ab",
}


class QualityLabelMixin(models.AbstractModel):
    """A document whose parts get status labels 品质状态标示 (R3, C9).

    The label is printed from :meth:`_get_label_values` alone.
    """

    _name = "quality.label.mixin"
    _description = "Document with Status Labels"

    @api.model
    def _get_label_statuses(self):
        """Return the statuses to choose from; none: the document says it itself."""
        return []

    def _get_label_values(self):
        """Return what one label of this document shows.

        :rtype: dict of status (a key of LABEL_STATUSES), number (also the barcode),
            product, quantity, uom and lots as records and numbers, complaint and site
            as text
        """
        self.ensure_one()
        complaint = self.complaint_id
        return {
            "status": False,
            "number": self.name,
            "product": self.product_id,
            "customer_ref": complaint.customer_ref or "",
            "quantity": 0,
            "uom": self.uom_id,
            "lots": self.env["stock.lot"],
            "defect": "",
            "complaint": complaint.name,
            "site": complaint.site_id.name,
            "lang": complaint.partner_id.lang,
        }

    @api.model
    def _describe_status(self, status):
        """Return ``(text, colour as a word, colour)``: label printers print black."""
        selection = self.env["quality.label.print"]._fields["status"]
        words = {
            "suspect": self.env._("YELLOW"),
            "bad": self.env._("RED"),
            "rework": self.env._("BLUE"),
            "good": self.env._("GREEN"),
            "reworked": self.env._("GREEN"),
        }
        return (
            dict(selection._description_selection(self.env)).get(status, ""),
            words.get(status, ""),
            COLOURS.get(status, "#ffffff"),
        )

    @api.model
    def _get_barcode(self, value, kind="Code128", width=600, height=100):
        """Return a barcode as data URI: our documents fetch nothing."""
        picture = self.env["ir.actions.report"].barcode(
            kind, value, width=width, height=height
        )
        return image_data_uri(b64encode(picture))

    def action_print_labels(self):
        """Ask how many labels to print."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "quality_resident.quality_label_print_action"
            ),
            "context": {"active_model": self._name, "active_ids": self.ids},
        }
