import ast
import secrets

from odoo import api, fields, models
from odoo.fields import Domain


class ResidentSite(models.Model):
    """A customer's plant where our resident engineers work (P1, P2)."""

    _name = "resident.site"
    _description = "Customer Site"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "mail.alias.mixin.optional",
        "resident.master.mixin",
        "import.template.mixin",
    ]
    _order = "code, id"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True
    _import_template_fields = {
        "name": "Changchun Plant 2",
        "code": "CC2",
        "partner_id": "North Auto Works",
        "calendar_id": "Three shifts",
        "manager_id": "Manager's name",
    }

    # Identity
    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(
        required=True,
        index=True,
        copy=False,
        help="Short code of the plant; names its e-mail address and its locations.",
    )
    active = fields.Boolean(default=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )

    # Time
    calendar_id = fields.Many2one(
        comodel_name="resource.calendar",
        string="Customer's Shifts",
        required=True,
        check_company=True,
        default=lambda self: self.env.company.resource_calendar_id,
        help="The customer's shifts in the site's own time zone. A shift over "
        "midnight is entered as one line until 24:00 and one from 0:00.",
    )
    tz = fields.Selection(related="calendar_id.tz", string="Time Zone")
    arrival_minutes_on_shift = fields.Integer(
        default=5, help="Minutes from the call until the resident is on the spot."
    )
    arrival_minutes_off_shift = fields.Integer(
        default=45, help="The same when the call comes outside the shifts."
    )
    feedback_minutes = fields.Integer(
        default=15, help="Minutes from arriving until the feedback form is sent."
    )
    hours_3d = fields.Integer(
        string="Hours until 3D",
        default=24,
        help="Hours from the call until D0 to D3 of an 8D report are sent.",
    )
    days_8d = fields.Integer(
        string="Working Days until 8D",
        default=10,
        help="The customer's working days from the call until the 8D is sent.",
    )
    daily_report_hour = fields.Float(
        default=15.5, help="Time of day at the site, when a daily report is due."
    )

    # Stock
    warehouse_id = fields.Many2one(
        comodel_name="stock.warehouse",
        check_company=True,
        default=lambda self: self._default_warehouse_id(),
        help="The warehouse under which the site's stock is kept.",
    )
    buffer_location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Intermediate Warehouse",
        check_company=True,
        copy=False,
    )
    transit_location_id = fields.Many2one(
        comodel_name="stock.location",
        string="In Transit",
        check_company=True,
        copy=False,
    )
    suspect_location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Suspect Area",
        check_company=True,
        copy=False,
    )
    rework_location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Rework Area",
        check_company=True,
        copy=False,
    )
    return_location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Returned Parts",
        check_company=True,
        copy=False,
        help="Where parts that came back wait at home until they are judged.",
    )

    # People
    manager_id = fields.Many2one(
        comodel_name="res.users",
        string="Customer Service Manager",
        domain="[('share', '=', False)]",
        tracking=True,
    )
    sales_user_ids = fields.Many2many(
        comodel_name="res.users",
        relation="resident_site_sales_user_rel",
        string="Sales",
        domain="[('share', '=', False)]",
    )
    quality_user_ids = fields.Many2many(
        comodel_name="res.users",
        relation="resident_site_quality_user_rel",
        string="Quality",
        domain="[('share', '=', False)]",
    )

    # The customer's own way in
    report_token = fields.Char(
        default=lambda self: self._default_report_token(),
        copy=False,
        readonly=True,
        groups="quality_resident.group_manager,quality_resident.group_resident",
    )
    report_url = fields.Char(
        string="Report Link",
        compute="_compute_report_url",
        help="Whoever has this link may report a complaint of this site, without "
        "a log-in. Put it up at the line as a QR code.",
    )

    # Masters
    place_ids = fields.One2many("resident.place", "site_id")
    posting_ids = fields.One2many("resident.posting", "site_id")
    part_ids = fields.One2many("resident.part", "site_id")
    contact_ids = fields.One2many("resident.contact", "site_id")
    route_ids = fields.One2many("resident.route", "site_id")
    holding_route_ids = fields.Many2many(
        comodel_name="resident.route",
        string="Mails That Go Out",
        compute="_compute_holding_route_ids",
        groups="quality_resident.group_manager,quality_resident.group_gm",
        help="The site's own routing, and the general one for all other events.",
    )
    complaint_count = fields.Integer(
        string="Open Complaints", compute="_compute_complaint_count"
    )

    _company_code_uniq = models.UniqueIndex(
        "(company_id, lower(code))",
        "Another site of this company has this code: choose another.",
    )
    _report_token_uniq = models.UniqueIndex("(report_token)")
    _minutes_positive = models.Constraint(
        "CHECK (arrival_minutes_on_shift > 0 AND arrival_minutes_off_shift > 0 "
        "AND feedback_minutes > 0)",
        "The minutes allowed must be more than 0.",
    )
    _eightd_positive = models.Constraint(
        "CHECK (hours_3d > 0 AND days_8d > 0)",
        "The hours until 3D and the days until 8D must be more than 0.",
    )
    _report_hour_in_day = models.Constraint(
        "CHECK (daily_report_hour >= 0 AND daily_report_hour < 24)",
        "The hour of the daily report lies between 0:00 and 23:59.",
    )

    @api.model
    def _default_warehouse_id(self):
        return self.env["stock.warehouse"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )

    @api.model
    def _default_report_token(self):
        return secrets.token_urlsafe(24)

    @api.depends("report_token")
    def _compute_report_url(self):
        for site in self:
            # Who may read the site may hand out its link.
            token = site.sudo().report_token
            site.report_url = (
                token and f"{site.get_base_url()}/quality_resident/report/{token}"
            )

    def _compute_complaint_count(self):
        complaints = self.env["quality.complaint"]
        counts = dict(
            complaints._read_group(
                Domain("site_id", "in", self.ids) & complaints._get_open_domain(),
                ["site_id"],
                ["__count"],
            )
        )
        for site in self:
            site.complaint_count = counts.get(site, 0)

    @api.depends("route_ids", "company_id")
    def _compute_holding_route_ids(self):
        routes = self.env["resident.route"]._get_routes(self._origin)
        for site in self:
            site.holding_route_ids = routes.get(site._origin, False)

    @api.constrains("manager_id", "quality_user_ids", "sales_user_ids")
    def _check_people(self):
        self.manager_id._check_serves_sites("manager")
        self.quality_user_ids._check_serves_sites("quality")
        self.sales_user_ids._check_serves_sites("sales")

    def copy_data(self, default=None):
        """A copy is another plant: it needs a code and a set-up of its own."""
        vals_list = super().copy_data(default)
        for site, vals in zip(self, vals_list, strict=True):
            vals.setdefault("code", f"{site.code}-2")
            if "name" not in (default or {}):
                vals["name"] = self.env._("%(name)s (copy)", name=site.name)
        return vals_list

    def write(self, vals):
        if vals.get("active") is False:
            # Its address must not open complaints that nobody reads.
            self.alias_name = False
        return super().write(vals)

    @api.model
    def _get_default(self):
        """Return the site where the current user is posted, if any."""
        postings = self.env["resident.posting"].search_fetch(
            [
                ("user_id", "=", self.env.uid),
                ("state", "=", "active"),
                ("company_id", "in", self.env.companies.ids),
            ],
            ["site_id", "state", "date_from", "date_to"],
            order="role, date_from desc, id",
        )
        return postings.filtered(lambda p: p._is_current(p.site_id._get_local_date()))[
            :1
        ].site_id

    # === MAIL ALIAS === #

    def _alias_get_creation_values(self):
        values = super()._alias_get_creation_values()
        values["alias_model_id"] = self.env["ir.model"]._get_id("quality.complaint")
        if self.id:
            defaults = ast.literal_eval(self.alias_defaults or "{}")
            values["alias_defaults"] = {
                **defaults,
                "site_id": self.id,
                "channel": "email",
            }
        return values

    # === PEOPLE === #

    def _get_on_duty(self, role="resident", moment=None):
        """Return the engineers with ``role`` at ``moment``, those on shift first.

        :rtype: res.users
        """
        self.ensure_one()
        moment = moment or fields.Datetime.now()
        day = self._get_local_date(moment)
        # Who is posted decides whom to call, whatever the caller may read.
        postings = self.sudo().posting_ids.filtered(
            lambda p: p.role == role and p._is_current(day)
        )
        on_shift = postings.filtered(
            lambda p: (
                p.calendar_id and self._get_on_shift([moment], calendar=p.calendar_id)
            )
        )
        return (on_shift | postings).user_id.with_env(self.env)

    def _get_role_users(self, role):
        """Return the users with ``role`` at these sites.

        :param str role: resident, standin, sales, quality, manager or gm
        :rtype: res.users
        """
        users = self.env["res.users"]
        for site in self:
            if role in ("resident", "standin"):
                users |= site._get_on_duty(role)
            elif role in ("sales", "quality"):
                users |= site[f"{role}_user_ids"]
            elif role == "manager":
                users |= site.manager_id
            elif role == "gm":
                # Group members are no secret, but only administrators read groups.
                members = self.env.ref("quality_resident.group_gm").sudo().all_user_ids
                users |= members.filtered(
                    lambda u, site=site: site.company_id in u.company_ids
                ).with_env(self.env)
        return users

    # === REPORT LINK === #

    @api.model
    def _find_by_token(self, token):
        """Return the active site whose report link holds ``token``."""
        return self.search([("report_token", "=", token)], limit=1) if token else self

    def action_renew_report_link(self):
        """Make the link that is out there useless and give a new one."""
        self.check_access("write")
        for site in self:
            site.report_token = self._default_report_token()
        return True

    # === SMART BUTTONS === #

    def action_view_complaints(self):
        """Open the complaints of this site."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_complaint_action"
        )
        action["domain"] = [("site_id", "=", self.id)]
        action["context"] = {"default_site_id": self.id, "search_default_open": 1}
        return action

    def action_view_stock(self):
        """Open the stock that is ours at this site."""
        self.ensure_one()
        return self._get_stock_action()

    def _get_stock_action(self, product=None):
        domain = [("location_id", "child_of", self._get_own_locations().ids)]
        if product:
            domain.append(("product_id", "=", product.id))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Our stock at %(site)s", site=self.name),
            "res_model": "stock.quant",
            "views": [(self.env.ref("stock.view_stock_quant_tree_simple").id, "list")],
            "domain": domain,
            "context": {"create": False, "edit": False},
        }
