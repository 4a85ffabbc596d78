from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .resident_event import EVENT_KINDS

ROLES = ("resident", "standin", "sales", "quality", "manager", "gm")


class ResidentRoute(models.Model):
    """Who hears of what: one line per event, for one site or for all others.

    A site's own line holds before its company's, and that before the one for all.
    """

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
    company_id = fields.Many2one(
        comodel_name="res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        ondelete="cascade",
        help="Empty: holds for the sites of all companies.",
    )
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
        "(kind, COALESCE(company_id, 0)) WHERE site_id IS NULL",
        "A company has one general routing line for each event.",
    )

    @api.depends("site_id.company_id")
    def _compute_company_id(self):
        # What a module brings holds for everybody.
        default = (
            self.env["res.company"]
            if self.env.context.get("install_mode")
            else self.env.company
        )
        for route in self:
            route.company_id = route.site_id.company_id or route.company_id or default

    @api.constrains("company_id", "site_id")
    def _check_company_id(self):
        for route in self:
            site = route.site_id
            if site and route.company_id != site.company_id:
                raise ValidationError(
                    self.env._(
                        "The routing line of %(site)s belongs to %(company)s: leave "
                        "“Company” to the site.",
                        site=site.name,
                        company=site.company_id.name,
                    )
                )

    @api.model
    def _get_routes(self, sites):
        """Return ``{site: lines that hold there}``, one for each event.

        For no site, those that hold for documents of the whole current company.
        """
        companies = sites.company_id or self.env.company
        routes = self.search(
            [
                ("site_id", "in", [*sites.ids, False]),
                ("company_id", "in", [*companies.ids, False]),
            ]
        )
        kinds = [kind for kind, _label in EVENT_KINDS]
        result = {}
        for site in sites or [sites]:
            company = site.company_id or self.env.company
            fitting = routes.filtered(
                lambda r, site=site, company=company: (
                    r.site_id in (site, site.browse())
                    and r.company_id in (company, company.browse())
                )
            )
            # The more particular comes later and stays.
            ranked = fitting.sorted(lambda r: (bool(r.site_id), bool(r.company_id)))
            holding = {route.kind: route for route in ranked}
            result[site] = self.union(
                *(holding[kind] for kind in kinds if kind in holding)
            )
        return result

    @api.model
    def _get_route(self, site, kind, company=None):
        """Return the line for ``kind`` at ``site``, without one in ``company``."""
        # Mails go out on behalf of users who may not read the routing.
        routes_sudo = self.sudo()
        if site:
            return routes_sudo._get_routes(site)[site].filtered(
                lambda r: r.kind == kind
            )
        return routes_sudo.search(
            [
                ("site_id", "=", False),
                ("company_id", "in", [company.id, False]),
                ("kind", "=", kind),
            ]
        ).sorted(lambda r: bool(r.company_id))[-1:]

    def _get_roles(self):
        """Return the roles that this line names, in the order of :data:`ROLES`."""
        return [role for role in ROLES if self[f"to_{role}"]]
