from odoo import fields, models


class QualityPrevention(models.Model):
    """What keeps the defect from coming back here or elsewhere (D7)."""

    _name = "quality.prevention"
    _description = "Prevention of Recurrence"
    _inherit = "quality.8d.line"
    _order = "eightd_id desc, kind, id"

    kind = fields.Selection(
        selection=[
            ("fmea", "FMEA"),
            ("control_plan", "Control Plan"),
            ("instruction", "Work Instruction"),
            ("error_proofing", "Error Proofing"),
            ("read_across", "Read-across"),
            ("training", "Training"),
            ("other", "Other"),
        ],
        required=True,
        help="Read-across: the same part at another plant, or a like part.",
    )
    name = fields.Char(string="What", required=True)
    reference = fields.Char(help="Number and revision of the document.")
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Owner",
        required=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
    )
    date_due = fields.Date(string="Due")
    date_done = fields.Date(string="Done On")
