from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class QualityClaimLine(models.Model):
    """Who judged a line for the customer and where, and what a sheet keeps of it."""

    _inherit = "quality.claim.line"

    judge_contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Customer's Contact",
        domain="[('site_id', '=', site_id)]",
        copy=False,
        ondelete="restrict",
    )
    customer_judge = fields.Char(
        compute="_compute_customer_judge",
        store=True,
        readonly=False,
        precompute=True,
    )
    judge_place_id = fields.Many2one(
        comodel_name="resident.place",
        string="Judged at",
        domain="[('site_id', '=', site_id)]",
        copy=False,
        ondelete="restrict",
    )

    @api.depends("judge_contact_id")
    def _compute_customer_judge(self):
        for line in self:
            name = line.judge_contact_id.partner_id.name
            line.customer_judge = name or line.customer_judge

    @api.constrains("judge_contact_id", "judge_place_id")
    def _check_judge_site(self):
        for line in self:
            for name in ("judge_contact_id", "judge_place_id"):
                # A record of a site that the user may not see is refused as well.
                other = line[name].sudo()
                if other and other.site_id != line.site_id:
                    raise ValidationError(
                        self.env._(
                            "%(line)s: “%(field)s” is not of %(site)s. Choose one of "
                            "that site.",
                            line=line.display_name,
                            field=self._fields[name]._description_string(self.env),
                            site=line.site_id.name,
                        )
                    )

    def _get_sheet_row(self):
        """Return what a claim sheet keeps of this line: plain values."""
        self.ensure_one()
        product = self.product_id
        code = f"[{product.default_code}] " if product.default_code else ""
        return {
            "id": self.id,
            "part": f"{code}{product.name}",
            "lot": self.lot_id.name or "",
            "vin": self.vin or "",
            "vehicle_model": self.vehicle_model or "",
            "mileage": self.mileage,
            "failed_on": fields.Date.to_string(self.failed_on) or "",
            "quantity": self.quantity,
            "amount": self.amount,
            "responsibility": self.responsibility,
            "share": self.our_share,
            "ours": self.claim_id._get_targets(self)["accepted"],
            "judge": self.judged_by_id.name or "",
            "customer_judge": self.customer_judge or "",
            "place": self.judge_place_id.display_name or "",
            "note": self.judge_note or "",
            "analysis": self.analysis_result or "",
        }

    def _follow_judgement(self):
        result = super()._follow_judgement()
        # The sheets follow, whoever may write them.
        sheets = self.sudo().claim_id.sheet_ids.filtered(lambda s: s.line_ids & self)
        by_state = sheets.grouped("state")
        by_state.get("draft", sheets.browse())._take_snapshot()
        by_state.get("signed", sheets.browse())._replace(self)
        return result

    def _tell_analysis(self):
        result = super()._tell_analysis()
        drafts = self.claim_id.sheet_ids.filtered(lambda sheet: sheet.state == "draft")
        drafts._take_snapshot()
        return result


class QualityClaim(models.Model):
    """The sheets of a claim's joint judgement (L2)."""

    _inherit = "quality.claim"

    sheet_ids = fields.One2many("quality.claim.sheet", "claim_id", string="Sheets")
    # Kept: whoever judges locks the claim, and sees by them what was signed meanwhile.
    sheet_count = fields.Integer(
        string="Claim Sheets", compute="_compute_sheet_count", store=True
    )
    signed_sheet_count = fields.Integer(
        string="Signed Sheets", compute="_compute_sheet_count", store=True
    )
    is_unsigned = fields.Boolean(
        string="Not Signed by the Customer",
        compute="_compute_is_unsigned",
        help="A line is on no signed claim sheet.",
    )

    @api.depends("sheet_ids.state")
    def _compute_sheet_count(self):
        for claim in self:
            states = claim.sheet_ids.mapped("state")
            claim.sheet_count = len(states)
            claim.signed_sheet_count = states.count("signed")

    @api.depends("line_ids", "sheet_ids.state", "sheet_ids.line_ids")
    def _compute_is_unsigned(self):
        for claim in self:
            claim.is_unsigned = bool(claim.line_ids - claim._get_signed_lines())

    def _get_signed_lines(self):
        """Return the lines whose judgement the customer has signed."""
        return self.sheet_ids.filtered(lambda sheet: sheet.state == "signed").line_ids

    def _get_document_lang(self):
        """Return the language of the documents: the customer's, unless asked for."""
        self.ensure_one()
        return (
            self.env.context.get("document_lang")
            or self.partner_id.lang
            or self.company_id.partner_id.lang
        )

    def action_agree(self):
        """Agree; without the customer's signature it is allowed, and noted."""
        result = super().action_agree()
        unsigned = self.filtered("is_unsigned")
        unsigned._message_log_batch(
            {
                claim.id: Markup("<p>%s</p>")
                % self.env._("Agreed without the customer's signature on all lines.")
                for claim in unsigned
            }
        )
        return result

    def action_view_sheets(self):
        """Open the claim sheets, or a new one where there is none."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_sheet_action"
        )
        action["domain"] = [("claim_id", "=", self.id)]
        action["context"] = {"default_claim_id": self.id}
        if not self.sheet_ids:
            action["views"] = [(False, "form")]
        elif len(self.sheet_ids) == 1:
            action |= {"views": [(False, "form")], "res_id": self.sheet_ids.id}
        return action
