from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    recurrence_days = fields.Integer(
        string="Recurrence Period (days)",
        default=90,
        help="A complaint with the same site, product and defect as one that was "
        "closed within this many days counts as recurring.",
    )

    trace_days = fields.Integer(
        string="Deliveries to Trace (days)",
        default=180,
        help="“Where else?” of a complaint without a lot shows what was delivered "
        "within this many days before the call.",
    )
    scrap_gm_amount = fields.Monetary(
        string="Scrap Signed by the General Manager Above",
        help="A scrap request of more than this value needs the general manager's "
        "signature too. 0: Quality and Sales are enough.",
    )
    approved_scrap_location_id = fields.Many2one(
        comodel_name="stock.location",
        domain="[('usage', '=', 'inventory'), ('company_id', '=', id)]",
        check_company=True,
        help="Where parts go that Quality and Sales have agreed to scrap.",
    )
    claim_allowance_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Account for Price Allowances",
        domain="[('account_type', 'in', ('income', 'income_other', 'expense', "
        "'expense_direct_cost', 'expense_other'))]",
        check_company=True,
        help="Where claims are booked that are settled by a price allowance.",
    )

    scorecard_freeze_days = fields.Integer(
        string="Scorecards Frozen after (days)",
        default=30,
        help="A scorecard is frozen this many days after it was sent. 0: only by the "
        "manager.",
    )

    _recurrence_days_positive = models.Constraint(
        "CHECK (recurrence_days >= 0)",
        "The recurrence period cannot be negative.",
    )
    _trace_days_positive = models.Constraint(
        "CHECK (trace_days >= 0)",
        "The days of deliveries to trace cannot be negative.",
    )
    _scrap_gm_amount_positive = models.Constraint(
        "CHECK (scrap_gm_amount >= 0)",
        "The value above which the general manager signs cannot be negative.",
    )

    _scorecard_freeze_days_positive = models.Constraint(
        "CHECK (scorecard_freeze_days >= 0)",
        "The days until scorecards are frozen cannot be negative.",
    )

    @api.constrains("approved_scrap_location_id")
    def _check_approved_scrap_location(self):
        for company in self:
            location = company.approved_scrap_location_id
            if location and location.usage != "inventory":
                raise ValidationError(
                    self.env._(
                        "%(location)s is a place of stock: what is scrapped goes to a "
                        "location of the type “Inventory Loss”.",
                        location=location.display_name,
                    )
                )

    def _get_approved_scrap_location(self):
        """Return the location for approved scrap, made when it is first needed."""
        self.ensure_one()
        if not self.approved_scrap_location_id:
            # Whoever signs last need not be a stock manager.
            company = self.sudo()
            loss = company.env["stock.location"].search(
                [("usage", "=", "inventory"), ("company_id", "=", company.id)],
                limit=1,
            )
            company.approved_scrap_location_id = loss.create(
                {
                    "name": company.env._("Approved Scrap"),
                    "usage": "inventory",
                    "location_id": loss.location_id.id,
                    "company_id": company.id,
                }
            )
        return self.approved_scrap_location_id
