from base64 import b64encode

from odoo import models
from odoo.tools.image import image_data_uri

# Rows that fit on one page with their barcodes; the renderer repeats no heading.
ROWS_FIRST_PAGE = 12
ROWS_PAGE = 18
# Lines that a mail names.
MAIL_LINES = 20


class QualityReturn(models.Model):
    """What mails and the pick-up slip say of a return (R1)."""

    _inherit = "quality.return"

    # === MAIL === #

    def _get_mail_facts(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        parts = [
            " · ".join(
                filter(
                    None,
                    (
                        line.product_id.display_name,
                        line.lot_id.name,
                        f"{line.quantity:g} {line.uom_id.name}",
                        line.defect_id.display_name,
                    ),
                )
            )
            for line in self.line_ids[:MAIL_LINES]
        ]
        facts = [
            (self.env._("Kind"), kinds[self.kind]),
            (self.env._("Requested by"), self.requested_by_id.name),
            (self.env._("Reason"), self.reason),
            (self.env._("Parts"), "\n".join(parts)),
        ]
        if len(self.line_ids) > MAIL_LINES:
            facts.append(("", "…"))
        return [(label, text) for label, text in facts if text]

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/returns/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the return")

    # === PICK-UP SLIP === #

    def action_print_slip(self):
        """Print the pick-up slip that the driver signs."""
        return self.env.ref("quality_resident.action_report_return_slip").report_action(
            self
        )

    def _get_document_lang(self):
        """Return the language of the slip: the customer's, unless asked for."""
        self.ensure_one()
        return self.env.context.get("document_lang") or self.partner_id.lang

    def _get_document_name(self):
        """Return the file name of the slip, without its ending."""
        self.ensure_one()
        return self.env._("Pick-up slip %(number)s", number=self.name.replace("/", "-"))

    def _get_barcode(self, value, width=460, height=60):
        """Return ``value`` as a Code 128 picture for the document itself."""
        content = self.env["ir.actions.report"].barcode(
            "Code128", value, width=width, height=height, quiet=0
        )
        return image_data_uri(b64encode(content))

    def _get_slip_pages(self):
        """Return the planned lines, cut into the pages of the slip."""
        self.ensure_one()
        lines = self.line_ids.filtered("quantity")
        cuts = [0, *range(ROWS_FIRST_PAGE, len(lines), ROWS_PAGE), len(lines)]
        return [lines[a:b] for a, b in zip(cuts, cuts[1:], strict=False) if a < b]

    def _get_home_address(self):
        """Return who takes the parts in: the warehouse's address, else ours."""
        self.ensure_one()
        # The resident prints the slip without rights on warehouses' partners.
        partner = self.site_id.sudo()._get_warehouse().partner_id
        return partner or self.company_id.partner_id
