from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

MANAGER = ("quality_resident.group_manager",)
SIGNERS = ("quality_resident.group_quality", "quality_resident.group_manager")
# Until the customer has accepted it.
OPEN_STATES = ("draft", "sent", "refused")
# What is sent lies at the customer and stays as it was sent.
WORK_STATES = ("draft", "refused")


class Quality8d(models.Model):
    """The 8D report, D0 to D8, on one or several complaints (spec.md C11).

    One 8D serves complaints of one site about one product, never a whole customer:
    who may see it follows the site, the clocks count in the site's calendar, and the
    team is the site's. Another plant is named under D7 as read-across.

    What the complaints, sortings, breakpoints and measures hold is shown from there;
    only what nobody has recorded yet is entered here.
    """

    _name = "quality.8d"
    _description = "8D Report"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.workflow.mixin",
    ]
    _order = "started_at desc, id desc"
    _rec_names_search = ["name", "title", "customer_no"]
    _mail_post_access = "read"
    _sequence_code = "quality.8d"
    _fixed_fields = ("site_id", "product_id")
    _content_fields = (
        "title",
        "customer_no",
        "sponsor_id",
        "leader_id",
        "is_what",
        "is_where",
        "is_when",
        "is_how_many",
        "is_not_what",
        "is_not_where",
        "is_not_when",
        "is_not_how_many",
        "good_photo_ids",
        "effectiveness",
        "effective_on",
        "effective_by_id",
        "recognition",
    )
    _editable_states = {name: WORK_STATES for name in _content_fields}
    _protected_fields = (
        "name",
        "company_id",
        "partner_id",
        "revision",
        "started_at",
        "due_3d",
        "due_8d",
        "sent_3d_at",
        "sent_8d_at",
        "alert_3d",
        "alert_8d",
        "next_alert_at",
        "level",
        "signed_by_id",
        "signed_on",
    )
    _reason_actions = ("action_reopen",)

    # Identity
    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index="trigram",
    )
    state = fields.Selection(
        selection=[
            ("draft", "In Work"),
            ("sent", "Sent"),
            ("accepted", "Accepted"),
            ("refused", "Refused"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    revision = fields.Integer(readonly=True, default=1, copy=False)
    title = fields.Char(required=True, tracking=True)
    customer_no = fields.Char(
        string="Customer's Number", help="The number that the customer gave it."
    )
    site_id = fields.Many2one(ondelete="restrict")
    partner_id = fields.Many2one(
        related="site_id.partner_id",
        string="Customer",
        store=True,
        index=True,
        precompute=True,
    )
    tz = fields.Selection(related="site_id.tz")
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    complaint_ids = fields.One2many("quality.complaint", "eightd_id", copy=False)
    level = fields.Selection(
        selection=[("3d", "3D"), ("full", "8D")],
        compute="_compute_level",
        store=True,
        precompute=True,
        help="What its complaints need; 3D ends with the containment.",
    )

    # D1 Team
    sponsor_id = fields.Many2one(
        comodel_name="res.users", domain="[('share', '=', False)]", tracking=True
    )
    leader_id = fields.Many2one(
        comodel_name="res.users",
        index=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        tracking=True,
    )
    member_ids = fields.One2many("quality.8d.member", "eightd_id")

    # D2 Problem: what the records do not say
    is_what = fields.Char(string="Is: What")
    is_where = fields.Char(string="Is: Where")
    is_when = fields.Char(string="Is: When")
    is_how_many = fields.Char(string="Is: How Many")
    is_not_what = fields.Char(string="Is Not: What")
    is_not_where = fields.Char(string="Is Not: Where")
    is_not_when = fields.Char(string="Is Not: When")
    is_not_how_many = fields.Char(string="Is Not: How Many")
    good_photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos of a Good Part",
        copy=False,
    )

    # D4, D7
    cause_ids = fields.One2many("quality.cause", "eightd_id")
    prevention_ids = fields.One2many("quality.prevention", "eightd_id")

    # D8 Effectiveness, recognition, sign-off
    effectiveness = fields.Text(
        copy=False, help="What proves that the measures work: figures, period."
    )
    effective_on = fields.Date(string="Effectiveness Confirmed On", copy=False)
    effective_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Effectiveness Confirmed by",
        domain="[('share', '=', False)]",
        copy=False,
    )
    recognition = fields.Text(string="Recognition of the Team", copy=False)
    signed_by_id = fields.Many2one(
        comodel_name="res.users", string="Signed off by", readonly=True, copy=False
    )
    signed_on = fields.Datetime(string="Signed off On", readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.depends("complaint_ids.eightd_level")
    def _compute_level(self):
        for eightd in self:
            levels = set(eightd.complaint_ids.mapped("eightd_level"))
            eightd.level = "3d" if levels == {"3d"} else "full"

    # === CRUD METHODS === #

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        return site.sudo().company_id or self.env.company

    def write(self, vals):
        result = super().write(vals)
        if set(self._content_fields) & set(vals):
            self._withdraw_sign_off()
        return result

    def _ensure_in_work(self):
        """Refuse to change what lies at the customer.

        :raise UserError: says how to go on
        """
        for eightd in self:
            if eightd.state not in WORK_STATES:
                raise UserError(eightd._get_locked_message([]))

    def _get_locked_message(self, names):
        if self.state == "accepted":
            return self.env._(
                "%(name)s is accepted and stays as it is. Have the manager open it "
                "again.",
                name=self.name,
            )
        if self.state == "sent":
            return self.env._(
                "%(name)s lies at the customer as it was sent. Press “Go On Working” "
                "for the next revision, or record what the customer says.",
                name=self.name,
            )
        return super()._get_locked_message(names)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        for eightd in self:
            # Revisions bind whoever may read them or not.
            if eightd.sudo().revision_ids:
                raise UserError(
                    self.env._(
                        "%(name)s has been sent and stays on record.", name=eightd.name
                    )
                )

    @api.model
    def _create_for(self, complaints):
        """Create the 8D report on ``complaints``, with the team of their site.

        :param complaints: of one site and one product
        """
        first = complaints.sorted(lambda c: (c.called_at, c.id))[:1]
        eightd = self._create_protected(
            [
                {
                    "site_id": first.site_id.id,
                    "product_id": first.product_id.id,
                    "title": first.defect_id.name or first._get_topic(),
                    "started_at": first.called_at,
                    "leader_id": self.env.uid,
                    "sponsor_id": first.site_id.manager_id.id,
                    "member_ids": [
                        Command.create({"partner_id": partner.id, "role": role})
                        for partner, role in self._get_team(complaints).items()
                    ],
                }
            ]
        )
        return eightd.with_env(self.env)

    @api.model
    def _get_team(self, complaints):
        """Return ``{partner: role}`` of who usually works on an 8D of the site."""
        site = complaints.site_id
        residents = complaints.resident_id | site._get_role_users("resident")
        contacts = complaints.contact_id or site.contact_ids.filtered(
            lambda c: c.role == "sqe"
        )
        team = {partner: "customer" for partner in contacts.partner_id}
        for role, users in (
            ("sales", site._get_role_users("sales")),
            ("quality", site._get_role_users("quality")),
            ("resident", residents),
        ):
            team.update({partner: role for partner in users.partner_id})
        return team

    # === WORKFLOW === #

    @api.model
    def _get_transitions(self):
        return {
            "draft": {"sent": ()},
            "sent": {"accepted": (), "refused": (), "draft": ()},
            "refused": {"sent": ()},
            "accepted": {"draft": MANAGER},
        }

    def action_sign_off(self):
        """Sign for us that all of it is done and effective (D8).

        :raise UserError: names what is missing
        :raise AccessError: for everybody but Quality and the manager
        """
        self.check_access("write")
        if not self._has_one_group(SIGNERS):
            raise AccessError(
                self.env._("Quality or the customer service manager signs off an 8D.")
            )
        self._ensure_in_work()
        for eightd in self:
            missing = eightd._get_missing(sign_off=False)
            if missing:
                raise UserError(
                    self.env._(
                        "%(name)s cannot be signed off, this is missing:\n%(gaps)s",
                        name=eightd.name,
                        gaps="\n".join(f" – {gap}" for gap in missing),
                    )
                )
        self._write_protected(
            {"signed_by_id": self.env.uid, "signed_on": fields.Datetime.now()}
        )
        return True

    def _withdraw_sign_off(self):
        """Who signed did not sign what it says now."""
        signed = self.filtered("signed_on")
        signed._write_protected({"signed_by_id": False, "signed_on": False})
