from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.quality_label_mixin import LABEL_STATUSES

MAX_COPIES = 500


class QualityLabelPrint(models.TransientModel):
    """Asks how many status labels to print, and of what where it is open.

    For any document with ``quality.label.mixin``: slips say their status themselves, a
    sorting or service sheet leaves the choice, as each box takes its share.
    """

    _name = "quality.label.print"
    _description = "Print Status Labels"

    res_model = fields.Char(
        string="Document Model",
        required=True,
        default=lambda self: self.env.context.get("active_model"),
    )
    res_ids = fields.Json(
        string="Documents",
        required=True,
        default=lambda self: self.env.context.get("active_ids"),
    )
    copies = fields.Integer(string="Labels Each", required=True, default=1)
    has_choice = fields.Boolean(compute="_compute_has_choice")
    status = fields.Selection(
        selection=LABEL_STATUSES,
        compute="_compute_choice",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    quantity = fields.Float(
        digits="Product Unit",
        compute="_compute_choice",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        help="Parts in one box.",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        compute="_compute_choice",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        ondelete="cascade",
    )
    lot_ids = fields.Many2many(
        comodel_name="stock.lot", string="Lots", compute="_compute_has_choice"
    )

    @api.depends("res_model", "res_ids")
    def _compute_has_choice(self):
        for wizard in self:
            documents = wizard._get_documents()
            wizard.has_choice = bool(documents._get_label_statuses())
            wizard.lot_ids = self.env["stock.lot"].union(
                *(document._get_label_values()["lots"] for document in documents)
            )

    @api.depends("res_model", "res_ids")
    def _compute_choice(self):
        for wizard in self:
            label = {}
            if wizard.has_choice:
                label = wizard._get_documents()[:1]._get_label_values()
            wizard.status = label.get("status")
            wizard.quantity = label.get("quantity")
            lots = label.get("lots", ())
            wizard.lot_id = lots if len(lots) == 1 else False

    def _get_documents(self):
        """Return the documents whose parts get labels.

        :raise UserError: there are no labels for that model
        """
        self.ensure_one()
        known = self.env.registry.descendants(["quality.label.mixin"], "_inherit")
        if self.res_model not in known or self.env[self.res_model]._abstract:
            raise UserError(self.env._("Open this dialogue from a document's button."))
        documents = self.env[self.res_model].browse(self.res_ids or [])
        documents.check_access("read")
        return documents

    def action_print(self):
        """Print the labels.

        :raise UserError: the number of labels or the status makes no sense
        """
        self.ensure_one()
        if not 1 <= self.copies <= MAX_COPIES:
            raise UserError(
                self.env._(
                    "“Labels Each”: print from 1 to %(max)s at once.", max=MAX_COPIES
                )
            )
        self._get_labels()
        return self.env.ref("quality_resident.action_report_label").report_action(self)

    # === THE LABELS === #

    def _get_document_lang(self):
        """Return the language of the labels: the customer's, unless asked for."""
        first = self._get_documents()[:1]
        return (
            self.env.context.get("document_lang")
            or (first and first._get_label_values()["lang"])
            or self.env.lang
        )

    def _get_labels(self):
        """Return one dict of texts and pictures for each label to print."""
        return [
            label
            for document in self._get_documents()
            for label in [self._prepare_label(document)] * self.copies
        ]

    def _prepare_label(self, document):
        values = document._get_label_values()
        statuses = document._get_label_statuses()
        if statuses:
            values["status"] = self.status or values["status"]
            values["quantity"] = self.quantity
            values["lots"] = self.lot_id or values["lots"]
            if values["status"] not in statuses:
                raise UserError(
                    self.env._(
                        "Parts of %(name)s are labelled good or reworked; suspect and "
                        "bad ones have their slips.",
                        name=document.display_name,
                    )
                )
        text, colour_word, _colour = document._describe_status(values["status"])
        return {
            "status": text,
            "colour": colour_word,
            "number": values["number"],
            "barcode": document._get_barcode(values["number"]),
            "product": values["product"].display_name,
            "customer_ref": values["customer_ref"],
            "quantity": f"{values['quantity']:g} {values['uom'].name or ''}".strip(),
            "lots": ", ".join(values["lots"].mapped("name")),
            "defect": values["defect"],
            "complaint": values["complaint"],
            "site": values["site"],
            "date": format_date(self.env, fields.Date.context_today(self)),
        }
