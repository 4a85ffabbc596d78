from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.quality_return_line import JUDGEMENTS


class QualityReturnJudge(models.TransientModel):
    """Verdicts about what came: several for one lot, where its pieces differ."""

    _name = "quality.return.judge"
    _description = "Judge Returned Parts"

    return_id = fields.Many2one(
        comodel_name="quality.return",
        required=True,
        default=lambda self: self.env.context.get("active_id"),
        ondelete="cascade",
    )
    line_ids = fields.One2many(
        "quality.return.judge.line",
        "judge_id",
        string="Verdicts",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("return_id")
    def _compute_line_ids(self):
        for dialogue in self:
            dialogue.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "line_id": line.id,
                            "quantity": line.qty_open,
                            "judgement": line.judgement,
                        }
                    )
                    for line in dialogue.return_id.line_ids
                    if line.uom_id.compare(line.qty_open, 0) > 0
                ),
            ]

    def action_apply(self):
        """Carry out the verdicts; the return is judged when none is missing.

        Lines left without a verdict are judged another time.
        """
        self.ensure_one()
        chosen = self.line_ids.filtered("judgement")
        if not chosen:
            raise UserError(self.env._("Choose a “Verdict” for at least one line."))
        self.env["quality.return.judgement"].create(
            [line._prepare_values() for line in chosen]
        )
        document = self.return_id
        if document.state == "received" and not any(
            line.uom_id.compare(line.qty_open, 0) > 0 for line in document.line_ids
        ):
            document.action_judge()
        return {"type": "ir.actions.act_window_close"}


class QualityReturnJudgeLine(models.TransientModel):
    _name = "quality.return.judge.line"
    _description = "Verdict to Give"

    judge_id = fields.Many2one(
        comodel_name="quality.return.judge", required=True, ondelete="cascade"
    )
    return_id = fields.Many2one(related="judge_id.return_id")
    line_id = fields.Many2one(
        comodel_name="quality.return.line",
        string="Parts",
        required=True,
        domain="[('return_id', '=', return_id)]",
        ondelete="cascade",
    )
    product_id = fields.Many2one(related="line_id.product_id")
    lot_id = fields.Many2one(related="line_id.lot_id")
    qty_open = fields.Float(related="line_id.qty_open")
    quantity = fields.Float(digits="Product Unit")
    judgement = fields.Selection(JUDGEMENTS, string="Verdict")
    note = fields.Char()
    analysis = fields.Text(help="What was found on the parts; the complaint shows it.")
    photo_ids = fields.Many2many(comodel_name="ir.attachment", string="Photos")

    def _prepare_values(self):
        self.ensure_one()
        return {
            "line_id": self.line_id.id,
            "quantity": self.quantity,
            "judgement": self.judgement,
            "note": self.note,
            "analysis": self.analysis,
            "photo_ids": self.photo_ids.ids,
        }
