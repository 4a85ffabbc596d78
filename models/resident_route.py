from odoo import api, fields, models

from .resident_event import EVENT_KINDS

ROLES = ("resident", "standin", "sales", "quality", "manager", "gm")


class ResidentRoute(models.Model):
    """Who hears of what: one line per event, for one site or for all others."""

    _name = "resident.route"
    _description = "Mail Routing"
    _order = "site_id, kind, id"
    _rec_name = "kind"

    site_id = fields.Many2one(
        comodel_name="resident.site",
        index=True,
        ondelete="cascade",
        help="Empty: holds for every site that has no line of its own.",
    )
    company_id = fields.Many2one(related="site_id.company_id", store=True, index=True)
    kind = fields.Selection(EVENT_KINDS, string="Event", required=True)
    to_resident = fields.Boolean(string="Resident")
    to_standin = fields.Boolean(string="Stand-in")
    to_sales = fields.Boolean(string="Sales")
    to_quality = fields.Boolean(string="Quality")
    to_manager = fields.Boolean(string="Manager")
    to_gm = fields.Boolean(string="General Manager")
    partner_ids = fields.Many2many(comodel_name="res.partner", string="Also")
    with_activity = fields.Boolean(
        string="To-do", help="Also put it on their list of activities."
    )

    _site_kind_uniq = models.UniqueIndex(
        "(site_id, kind) WHERE site_id IS NOT NULL",
        "A site has one routing line for each event.",
    )
    _kind_uniq = models.UniqueIndex(
        "(kind) WHERE site_id IS NULL",
        "There is one general routing line for each event.",
    )

    @api.model
    def _get_route(self, site, kind):
        """Return the line that holds for ``kind`` at ``site``, its own first."""
        # Mails go out on behalf of users who may not read the routing.
        return self.sudo().search(
            [("kind", "=", kind), ("site_id", "in", [site.id, False])],
            order="site_id",
            limit=1,
        )

    def _get_roles(self):
        """Return the roles that this line names, in the order of :data:`ROLES`."""
        return [role for role in ROLES if self[f"to_{role}"]]
