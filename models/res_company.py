from odoo import fields, models


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

    _recurrence_days_positive = models.Constraint(
        "CHECK (recurrence_days >= 0)",
        "The recurrence period cannot be negative.",
    )
    _trace_days_positive = models.Constraint(
        "CHECK (trace_days >= 0)",
        "The days of deliveries to trace cannot be negative.",
    )
