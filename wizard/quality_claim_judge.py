from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.quality_claim import JUDGING_STATES
from ..models.quality_claim_line import RESPONSIBILITIES


class QualityClaimJudge(models.TransientModel):
    """The judgement of many claim lines at once, or of one after the other (L2)."""

    _name = "quality.claim.judge"
    _description = "Judge Claimed Parts"

    line_ids = fields.Many2many(
        comodel_name="quality.claim.line",
        string="Parts",
        default=lambda self: self._default_line_ids(),
    )
    total = fields.Integer(default=lambda self: len(self._default_line_ids()))
    position = fields.Integer(compute="_compute_line_id")
    site_id = fields.Many2one(comodel_name="resident.site", compute="_compute_line_id")

    # The part that is being judged, one after the other
    line_id = fields.Many2one(
        comodel_name="quality.claim.line", compute="_compute_line_id"
    )
    product_id = fields.Many2one(related="line_id.product_id")
    lot_id = fields.Many2one(related="line_id.lot_id")
    vin = fields.Char(related="line_id.vin")
    vehicle_model = fields.Char(related="line_id.vehicle_model")
    mileage = fields.Integer(related="line_id.mileage")
    failed_on = fields.Date(related="line_id.failed_on")
    quantity = fields.Float(related="line_id.quantity")
    currency_id = fields.Many2one(related="line_id.currency_id")
    amount = fields.Monetary(related="line_id.amount")
    analysis_result = fields.Text(related="line_id.analysis_result")
    line_photo_ids = fields.Many2many(
        related="line_id.photo_ids", string="Photos so Far"
    )

    # The judgement
    responsibility = fields.Selection(RESPONSIBILITIES)
    our_share = fields.Float(string="Our Share (%)", default=50, digits=(5, 2))
    judge_contact_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Customer's Contact",
        domain="[('site_id', '=', site_id)]",
    )
    customer_judge = fields.Char(
        string="Judged for the Customer by",
        compute="_compute_customer_judge",
        store=True,
        readonly=False,
        precompute=True,
    )
    judge_place_id = fields.Many2one(
        comodel_name="resident.place",
        string="Judged at",
        domain="[('site_id', '=', site_id)]",
    )
    judge_note = fields.Text(string="Evidence")
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        relation="quality_claim_judge_photo_rel",
        string="Photos",
    )

    @api.model
    def _default_line_ids(self):
        """Return the lines chosen in a list, or what is undecided of a claim."""
        active_ids = self.env.context.get("active_ids") or []
        lines = self.env["quality.claim.line"]
        if self.env.context.get("active_model") == "quality.claim":
            claims = self.env["quality.claim"].browse(active_ids)
            open_lines = claims.line_ids.filtered(
                lambda li: li.responsibility == "open"
            )
            return open_lines or claims.line_ids
        return lines.browse(active_ids)

    @api.depends("line_ids", "total")
    def _compute_line_id(self):
        for dialogue in self:
            lines = dialogue.line_ids
            dialogue.line_id = lines[:1]
            dialogue.position = dialogue.total - len(lines) + 1
            dialogue.site_id = lines.site_id[:1]

    @api.depends("judge_contact_id")
    def _compute_customer_judge(self):
        for dialogue in self:
            name = dialogue.judge_contact_id.partner_id.name
            dialogue.customer_judge = name or dialogue.customer_judge

    # === ACTIONS === #

    def action_apply(self):
        """Give all chosen lines the same judgement, in one write.

        :raise UserError: names the lines that cannot be judged
        """
        self.ensure_one()
        if not self.responsibility:
            raise UserError(self.env._("Choose the “Responsibility”."))
        self._judge(self.line_ids, self.responsibility)
        return {"type": "ir.actions.act_window_close"}

    def action_ours(self):
        """Ours: go on with the next part."""
        return self._step("ours")

    def action_theirs(self):
        """Theirs: go on with the next part."""
        return self._step("theirs")

    def action_shared(self):
        """Shared as entered: go on with the next part."""
        return self._step("shared")

    def action_skip(self):
        """Leave this part as it is, and go on with the next."""
        return self._step()

    def _step(self, responsibility=None):
        self.ensure_one()
        line = self.line_id
        if responsibility:
            self._judge(line, responsibility)
        left = self.line_ids - line
        if not left:
            return {"type": "ir.actions.act_window_close"}
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_judge_action_step"
        )
        # A dialogue of its own for each part: people and place stay, evidence does not.
        action["context"] = {
            "default_line_ids": left.ids,
            "default_total": self.total,
            "default_our_share": self.our_share,
            "default_judge_contact_id": self.judge_contact_id.id,
            "default_customer_judge": self.customer_judge,
            "default_judge_place_id": self.judge_place_id.id,
        }
        return action

    def _judge(self, lines, responsibility):
        if not lines:
            raise UserError(self.env._("There is no part left to judge."))
        if fixed := lines.filtered(lambda line: line.state not in JUDGING_STATES):
            raise UserError(fixed[0]._get_locked_message(["responsibility"]))
        lines.write(self._get_judgement(responsibility))

    def _get_judgement(self, responsibility):
        """Return what to write; what was left empty stays as it is on the lines."""
        values = {"responsibility": responsibility}
        if responsibility == "shared":
            values["our_share"] = self.our_share
        if self.customer_judge:
            values["judge_contact_id"] = self.judge_contact_id.id
            values["customer_judge"] = self.customer_judge
        if self.judge_place_id:
            values["judge_place_id"] = self.judge_place_id.id
        if self.judge_note:
            values["judge_note"] = self.judge_note
        if self.photo_ids:
            values["photo_ids"] = [Command.link(photo.id) for photo in self.photo_ids]
        return values
