import ast
import re
import secrets
from datetime import timedelta
from itertools import count

import pytz

from odoo import api, fields, models
from odoo.fields import Domain

# Shops that a new site starts with (P1): kind, name, ours.
DEFAULT_PLACES = ("buffer", "transit", "warehouse", "body", "paint", "assembly")
# The site's own stock locations (P2): field of the site, kind of place, usage.
OWN_LOCATIONS = {
    "buffer_location_id": ("buffer", "internal"),
    "transit_location_id": ("transit", "transit"),
    "suspect_location_id": (None, "internal"),
    "rework_location_id": (None, "internal"),
}


class ResidentSite(models.Model):
    """A customer's plant where our resident engineers work (P1, P2)."""

    _name = "resident.site"
    _description = "Customer Site"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "mail.alias.mixin.optional",
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
    )
    transit_location_id = fields.Many2one(
        comodel_name="stock.location", string="In Transit", check_company=True
    )
    suspect_location_id = fields.Many2one(
        comodel_name="stock.location", string="Suspect Area", check_company=True
    )
    rework_location_id = fields.Many2one(
        comodel_name="stock.location", string="Rework Area", check_company=True
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

    # === TIME === #

    def _get_timezone(self):
        """Return the site's time zone as a pytz object."""
        return pytz.timezone(self.tz or "UTC")

    def _get_local_date(self, moment=None):
        """Return the date at the site at ``moment`` (naive UTC, default now)."""
        moment = moment or fields.Datetime.now()
        return pytz.utc.localize(moment).astimezone(self._get_timezone()).date()

    def _get_end_of_day(self, day):
        """Return the last second of ``day`` at the site, as naive UTC."""
        next_midnight = self._get_timezone().localize(
            fields.Datetime.to_datetime(day + timedelta(days=1))
        )
        return next_midnight.astimezone(pytz.utc).replace(tzinfo=None) - timedelta(
            seconds=1
        )

    def _get_on_shift(self, moments, calendar=None):
        """Return those of ``moments`` that lie within the customer's shifts.

        Public holidays of the site's own calendar count as off shift; our own
        company's do not, the customer works on them.

        :param moments: naive UTC datetimes
        :param calendar: shifts of one engineer in place of the site's
        :rtype: set of datetime
        """
        self.ensure_one()
        moments = sorted(set(moments))
        calendar = calendar or self.calendar_id
        if not moments:
            return set()
        margin = timedelta(minutes=1)
        # Shifts are the customer's, whoever asks and in whichever language.
        intervals = calendar.sudo()._work_intervals_batch(
            pytz.utc.localize(moments[0] - margin),
            pytz.utc.localize(moments[-1] + margin),
            domain=[
                ("time_type", "=", "leave"),
                ("calendar_id", "=", calendar.id),
            ],
            tz=pytz.timezone(calendar.tz),
        )[False]
        spans = [
            (
                start.astimezone(pytz.utc).replace(tzinfo=None),
                stop.astimezone(pytz.utc).replace(tzinfo=None),
            )
            for start, stop, _attendance in intervals
        ]
        on_shift, index = set(), 0
        for moment in moments:
            while index < len(spans) and spans[index][1] <= moment:
                index += 1
            if index < len(spans) and spans[index][0] <= moment:
                on_shift.add(moment)
        return on_shift

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

    # === SET-UP === #

    def action_set_up(self):
        """Make what a site needs and does not have yet.

        Stock locations below its warehouse, the usual shops as places and its e-mail
        address. Safe to run again: what is there stays.
        """
        self.check_access("write")
        for site in self:
            site._create_locations()
            site._create_places()
            if not site.alias_name:
                site.alias_name = site._get_free_alias_name()
        return True

    def _get_free_alias_name(self):
        """Return an address that no document of any company has yet."""
        self.ensure_one()
        wanted = "quality-" + re.sub(r"\W+", "-", self.code.lower())
        # Addresses are unique across companies, which the user may not see.
        taken = set(
            self.env["mail.alias"]
            .sudo()
            .search([("alias_name", "=like", f"{wanted}%")])
            .mapped("alias_name")
        )
        if wanted not in taken:
            return wanted
        return next(n for i in count(2) if (n := f"{wanted}-{i}") not in taken)

    def _create_locations(self):
        self.ensure_one()
        missing = [name for name in OWN_LOCATIONS if not self[name]]
        if not missing:
            return
        # A customer-service manager sets up sites without being a stock manager.
        # Location names are not translatable: they take the company's language.
        lang = self.company_id.partner_id.lang or self.env.lang
        locations_sudo = (
            self.env["stock.location"]
            .sudo()
            .with_company(self.company_id)
            .with_context(lang=lang)
        )
        warehouse = (
            self.warehouse_id
            or self.with_company(self.company_id)._default_warehouse_id()
        )
        parent = locations_sudo.create(
            {
                "name": self.code,
                "usage": "view",
                "location_id": warehouse.sudo().view_location_id.id,
                "company_id": self.company_id.id,
            }
        )
        created = locations_sudo.create(
            [
                {
                    "name": self._fields[name]._description_string(locations_sudo.env),
                    "usage": OWN_LOCATIONS[name][1],
                    "location_id": parent.id,
                    "company_id": self.company_id.id,
                }
                for name in missing
            ]
        )
        self.write(dict(zip(missing, created.ids, strict=True)))

    def _create_places(self):
        self.ensure_one()
        places = self.env["resident.place"].with_context(lang="en_US")
        labels = places._get_kind_labels()
        own = {kind: field for field, (kind, _usage) in OWN_LOCATIONS.items() if kind}
        present = set(self.place_ids.mapped("kind"))
        created = places.create(
            [
                {
                    "site_id": self.id,
                    "name": labels["en_US"][kind],
                    "kind": kind,
                    "sequence": 10 * number,
                    "location_id": self[own[kind]].id if kind in own else False,
                }
                for number, kind in enumerate(DEFAULT_PLACES, start=1)
                if kind not in present
            ]
        )
        for place in created:
            # While a module is installed its own translations come last: what reads as
            # English then is left to them.
            place.update_field_translations(
                "name",
                {
                    lang: names[place.kind]
                    for lang, names in labels.items()
                    if names[place.kind] != place.name
                },
            )

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
        domain = [
            (
                "location_id",
                "in",
                [self[name].id for name in OWN_LOCATIONS if self[name]],
            )
        ]
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
