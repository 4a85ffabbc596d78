from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResidentPosting(models.Model):
    """Who is resident, who stands in, from when to when, on which shift (P3).

    What a resident may see follows from his active postings.
    """

    _name = "resident.posting"
    _description = "Posting"
    _inherit = ["resident.site.mixin", "mail.thread", "import.template.mixin"]
    _order = "site_id, role, date_from desc, id"
    _import_template_fields = {
        "site_id": "Changchun Plant 2",
        "user_id": "Engineer's name",
        "role": "Resident",
        "date_from": "2026-01-01",
        "date_to": "",
    }

    site_id = fields.Many2one(tracking=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Engineer",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    role = fields.Selection(
        selection=[("resident", "Resident"), ("standin", "Stand-in")],
        required=True,
        default="resident",
        tracking=True,
    )
    calendar_id = fields.Many2one(
        comodel_name="resource.calendar",
        string="Shift",
        check_company=True,
        help="The working times of this engineer. Empty: all shifts of the site.",
    )
    date_from = fields.Date(
        required=True, default=fields.Date.context_today, tracking=True
    )
    date_to = fields.Date(tracking=True, help="Last day of the posting.")
    state = fields.Selection(
        selection=[
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("ended", "Ended"),
        ],
        string="Status",
        required=True,
        default="active",
        index=True,
        tracking=True,
    )

    _dates_order = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "The last day of a posting lies before its first day.",
    )

    @api.depends("user_id.name", "site_id.name")
    def _compute_display_name(self):
        for posting in self:
            posting.display_name = f"{posting.user_id.name} @ {posting.site_id.name}"

    @api.constrains("user_id", "company_id")
    def _check_user_company(self):
        for posting in self:
            # Who posts an engineer need not see all his companies.
            if posting.company_id not in posting.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not belong to %(company)s, the company of "
                        "%(site)s: allow the company in the user's settings first.",
                        user=posting.user_id.name,
                        company=posting.company_id.name,
                        site=posting.site_id.name,
                    )
                )

    @api.constrains("user_id")
    def _check_user_id(self):
        self.user_id._check_serves_sites("resident")

    def _is_current(self, day):
        """Tell whether the posting holds on ``day`` (a date at the site)."""
        self.ensure_one()
        return (
            self.state == "active"
            and self.date_from <= day
            and (not self.date_to or self.date_to >= day)
        )

    @api.model
    def _cron_end_postings(self):
        """End the postings whose last day is over at their site."""
        today = fields.Date.context_today(self)
        candidates = self.search(
            [
                ("state", "!=", "ended"),
                ("date_to", "!=", False),
                ("date_to", "<=", today),
            ]
        )
        candidates.filtered(
            lambda p: p.date_to < p.site_id._get_local_date()
        ).state = "ended"
