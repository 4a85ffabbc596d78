from odoo import api, fields, models

BRANCHES = [
    ("occurrence", "Occurrence"),
    ("detection", "Non-detection"),
    ("system", "System"),
]


class QualityCause(models.Model):
    """Why it happened, why nobody saw it, or why the system let it (D4).

    Asked five times; the last answer is the root cause.
    """

    _name = "quality.cause"
    _description = "Cause"
    _inherit = "quality.8d.line"
    _order = "eightd_id desc, branch_rank, id"

    branch = fields.Selection(
        selection=BRANCHES,
        required=True,
        default="occurrence",
        help="Occurrence: why it was made. Non-detection: why it was not found. "
        "System: why our rules allowed both.",
    )
    branch_rank = fields.Integer(compute="_compute_branch_rank", store=True)
    why_1 = fields.Char()
    why_2 = fields.Char()
    why_3 = fields.Char()
    why_4 = fields.Char()
    why_5 = fields.Char()
    name = fields.Text(string="Root Cause")
    contribution = fields.Integer(
        string="Contribution (%)",
        default=100,
        help="Share of this cause in its branch; all of a branch make 100 %.",
    )
    verify_method = fields.Char(
        string="Verified How", help="How it was shown that this is the cause."
    )
    verified_by_id = fields.Many2one(
        comodel_name="res.users",
        domain="[('share', '=', False)]",
    )
    verified_on = fields.Date()
    reproduced = fields.Boolean(
        string="Switched On and Off",
        help="The defect comes with the cause and goes without it.",
    )
    measure_ids = fields.One2many(
        comodel_name="quality.measure", inverse_name="cause_id"
    )

    _contribution_percent = models.Constraint(
        "CHECK (contribution > 0 AND contribution <= 100)",
        "The contribution of a cause lies between 1 and 100 %.",
    )

    @api.depends("branch")
    def _compute_branch_rank(self):
        order = [branch for branch, _label in BRANCHES]
        for cause in self:
            cause.branch_rank = order.index(cause.branch or "system")

    @api.depends("name", "branch")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for cause in self:
            cause.display_name = cause._get_text()

    def _get_text(self):
        """Return branch and root cause, or how far the whys came."""
        self.ensure_one()
        label = dict(self._fields["branch"]._description_selection(self.env))
        whys = filter(None, reversed(self._get_whys()))
        return f"{label.get(self.branch)}: {self.name or next(whys, '…')}"

    def _get_whys(self):
        return [self[f"why_{number}"] for number in range(1, 6)]
