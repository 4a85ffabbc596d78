from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

RETURN_STATES = [
    ("draft", "Draft"),
    ("requested", "Requested"),
    ("approved", "Approved"),
    ("in_transit", "In Transit"),
    ("received", "Arrived"),
    ("judged", "Judged"),
    ("closed", "Closed"),
    ("refused", "Refused"),
    ("cancelled", "Cancelled"),
]
# What is asked for: written before it is requested.
REQUESTED_FIELDS = (
    "site_id",
    "kind",
    "reason",
    "line_ids",
    "confirmed_by_id",
    "confirmed_on",
    "confirmed_how",
    "confirmed_sheet_id",
    "confirmed_file_ids",
)
OPEN_STATES = ("draft", "requested", "approved", "in_transit", "received", "judged")


class QualityReturn(models.Model):
    """Parts that go back home, as a return or for replacement (spec.md R1-R4).

    The way of the parts is told by stock moves alone: see quality_return_stock.py.
    """

    _name = "quality.return"
    _description = "Return"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.clock.mixin",
        "quality.requester.mixin",
    ]
    _order = "id desc"
    _mail_post_access = "read"
    _sequence_code = "quality.return"
    _reason_actions = (
        "action_refuse",
        "action_cancel",
        "action_settle",
    )
    _protected_fields = (
        "name",
        "company_id",
        "requested_by_id",
        "requested_at",
        "approved_by_id",
        "approved_at",
        "closing_reason",
        "difference_reason",
        "closed_at",
        "provided_by_id",
        "replaced_at",
        "replacement_alert",
        "next_alert_at",
    )
    _editable_states = dict.fromkeys(REQUESTED_FIELDS, ("draft",)) | {
        "complaint_ids": OPEN_STATES,
        # Another day may be promised as long as the parts have not come.
        "replacement_due": ("draft", "requested", "approved", "in_transit"),
    }

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
        selection=RETURN_STATES,
        string="Status",
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        group_expand="_group_expand_state",
    )
    kind = fields.Selection(
        selection=[("return", "Return"), ("exchange", "Exchange")],
        required=True,
        default="return",
        tracking=True,
        help="Exchange: the customer gets as many good parts, once his SQE has "
        "confirmed the defect.",
    )
    site_id = fields.Many2one(
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
        tracking=True,
    )
    partner_id = fields.Many2one(related="site_id.partner_id", string="Customer")
    complaint_ids = fields.Many2many(
        comodel_name="quality.complaint",
        relation="quality_return_complaint_rel",
        column1="return_id",
        column2="complaint_id",
        string="Complaints",
        domain="[('site_id', '=', site_id)]",
        copy=False,
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        compute="_compute_complaint_id",
        help="The first of the complaints: mails and labels name it.",
    )
    reason = fields.Text(help="Why the parts go back; or give each line its defect.")
    closing_reason = fields.Text(
        readonly=True, copy=False, help="Why it was refused or cancelled."
    )

    # People
    requested_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, copy=False, ondelete="restrict"
    )
    requested_at = fields.Datetime(string="Requested On", readonly=True, copy=False)
    approved_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Decided by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    approved_at = fields.Datetime(string="Decided On", readonly=True, copy=False)
    closed_at = fields.Datetime(string="Closed On", readonly=True, copy=False)

    # The parts
    line_ids = fields.One2many("quality.return.line", "return_id", string="Parts")
    judgement_ids = fields.One2many(
        "quality.return.judgement", "return_id", string="Verdicts"
    )

    _order_idx = models.Index("(site_id, id DESC)")
    _next_alert_idx = models.Index("(next_alert_at) WHERE next_alert_at IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("complaint_ids")
    def _compute_complaint_id(self):
        for document in self:
            document.complaint_id = document.complaint_ids[:1]

    @api.model
    def _group_expand_state(self, states, domain):
        """Show every open state as a column, in the order of the work."""
        return [
            state
            for state, _label in RETURN_STATES
            if state in OPEN_STATES or state in states
        ]

    @api.model
    def _get_open_domain(self):
        return Domain("state", "in", OPEN_STATES)

    # === CONSTRAINTS === #

    @api.constrains("complaint_ids", "site_id")
    def _check_complaints(self):
        for document in self:
            # A complaint of a site that the user may not see is refused as well.
            other = document.sudo().complaint_ids.filtered(
                lambda c, document=document: c.site_id != document.site_id
            )
            if other:
                raise UserError(
                    self.env._(
                        "%(complaint)s belongs to another site than %(name)s: take it "
                        "out of “Complaints”.",
                        complaint=other[0].name,
                        name=document.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_requested(self):
        for document in self:
            if document.state != "draft" or document.requested_at:
                raise UserError(
                    self.env._(
                        "%(name)s has been requested and stays on record. Cancel it "
                        "instead.",
                        name=document.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        # Numbering must not fail before the right to use the site is checked.
        return site.sudo().company_id or self.env.company

    @api.model_create_multi
    def create(self, vals_list):
        if any("site_id" not in vals for vals in vals_list):
            # The number is given by the site's company.
            default = self.default_get(["site_id"])
            vals_list = [{**default, **vals} for vals in vals_list]
        documents = super().create(vals_list)
        documents._add_requester()
        documents._adopt_files()
        return documents

    def write(self, vals):
        result = super().write(vals)
        if not self._is_gate_open() and not vals.keys().isdisjoint(REQUESTED_FIELDS):
            self._add_requester()
        if "confirmed_file_ids" in vals:
            self._adopt_files()
        return result

    def _adopt_files(self):
        """Tie files uploaded before the first save to their return."""
        for document in self.filtered("confirmed_file_ids"):
            document.confirmed_file_ids._tie_to(document)

    def copy_data(self, default=None):
        """A copy asks for the same parts again: their way so far is not copied."""
        vals_list = super().copy_data(default)
        for document, vals in zip(self, vals_list, strict=True):
            planned = document.line_ids.filtered("quantity")
            vals.setdefault(
                "line_ids", [(0, 0, line_vals) for line_vals in planned.copy_data()]
            )
        return vals_list

    def _get_locked_message(self, names):
        labels = sorted(self._fields[n]._description_string(self.env) for n in names)
        return self.env._(
            "%(name)s has been requested: %(fields)s can no longer be changed. Have "
            "it refused, or cancel it, and make a new one.",
            name=self.name,
            fields=", ".join(labels),
        )

    # === EVENTS === #

    def _get_event_users(self, role):
        if role == "resident" and self.requested_by_id:
            return self.requested_by_id
        return super()._get_event_users(role)

    def _is_event_true(self, event):
        if event.kind == "return_requested":
            return self.state == "requested"
        if event.kind == "replacement_wanted":
            # Whoever was quicker than the mail has provided it.
            return self._has_running_clocks() and not self.provided_by_id
        return super()._is_event_true(event)

    def _clear_todo(self, *clocks):
        """Remove our to-dos, by default all: clocks and what waits for somebody."""
        return super()._clear_todo(
            *(clocks or (*self._clocks, "return_requested", "replacement_wanted"))
        )
