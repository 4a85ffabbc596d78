from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# In these states what is asked for may still be changed.
EDITABLE = ("draft", "signing", "refused")
# A change of these, as of a line, voids the signatures given.
SIGNED_FIELDS = {"reason", "photo_ids", "currency_id", "complaint_id", "line_ids"}


class QualityScrapRequest(models.Model):
    """A list of parts to scrap, done only when Quality and Sales agree (S1-S3).

    The last signature and the moves are one transaction.
    """

    _name = "quality.scrap.request"
    _description = "Scrap Request"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.event.mixin",
        "quality.requester.mixin",
    ]
    _order = "id desc"
    _same_site_fields = ("complaint_id",)
    _sequence_code = "quality.scrap.request"
    _protected_fields = (
        "name",
        "company_id",
        "revision",
        "requested_by_id",
        "requested_at",
        "decided_at",
        "needs_gm",
        "change_count",
        "sign_count",
        "refusal_reason",
        "pdf_id",
        "signature_ids",
    )
    _editable_states = {
        "site_id": ("draft",),
        **dict.fromkeys(SIGNED_FIELDS, EDITABLE),
    }
    _reason_actions = ("action_refuse", "action_withdraw")

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
            ("draft", "Draft"),
            ("signing", "Waiting for Signatures"),
            ("done", "Scrapped"),
            ("refused", "Refused"),
            ("cancelled", "Withdrawn"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    site_id = fields.Many2one(
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
        tracking=True,
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        domain="[('site_id', '=', site_id)]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    line_ids = fields.One2many(
        "quality.scrap.line", "request_id", string="Parts", copy=True
    )
    reason = fields.Text(help="Why the parts can be neither reworked nor returned.")
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the request: who may read it may see them.
        bypass_search_access=True,
        copy=False,
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_total = fields.Monetary(
        string="Value", compute="_compute_amounts", store=True, tracking=True
    )
    amount_company = fields.Monetary(
        string="Value in Company Currency",
        compute="_compute_amounts",
        store=True,
        currency_field="company_currency_id",
        help="At the rate of the day on which the list was last changed.",
    )

    # The signatures
    revision = fields.Integer(
        default=1,
        required=True,
        readonly=True,
        copy=False,
        help="Signatures hold for one revision of the list.",
    )
    requester_ids = fields.Many2many(relation="quality_scrap_request_requester_rel")
    requested_by_id = fields.Many2one(
        comodel_name="res.users", string="Submitted by", readonly=True, copy=False
    )
    requested_at = fields.Datetime(string="Submitted", readonly=True, copy=False)
    decided_at = fields.Datetime(string="Decided", readonly=True, copy=False)
    needs_gm = fields.Boolean(
        string="General Manager Signs Too", readonly=True, copy=False
    )
    change_count = fields.Integer(
        readonly=True, copy=False, help="Nobody signs a list that he has not seen."
    )
    sign_count = fields.Integer(readonly=True, copy=False)
    signature_ids = fields.One2many(
        "quality.scrap.signature", "request_id", string="Signatures", readonly=True
    )
    refusal_reason = fields.Text(readonly=True, copy=False)
    pdf_id = fields.Many2one(
        comodel_name="ir.attachment",
        string="Approval",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )

    @api.model
    def _get_transitions(self):
        return {
            "draft": {"signing": (), "cancelled": ()},
            "signing": {"done": (), "refused": (), "cancelled": ()},
            "refused": {"signing": (), "cancelled": ()},
        }

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        # Numbering must not fail before the right to use the site is checked.
        return site.sudo().company_id or self.env.company

    @api.depends("line_ids.value", "currency_id", "company_id")
    def _compute_amounts(self):
        today = fields.Date.context_today(self)
        for request in self:
            request.amount_total = sum(request.line_ids.mapped("value"))
            request.amount_company = request.currency_id._convert(
                request.amount_total,
                request.company_id.currency_id or self.env.company.currency_id,
                request.company_id or self.env.company,
                today,
            )

    # === CONSTRAINTS === #

    @api.constrains("site_id")
    def _check_site_id(self):
        # Another site's people would sign for these parts.
        self.line_ids._check_location_id()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        default = {}
        if any("site_id" not in vals for vals in vals_list):
            # Once for the whole batch: the ORM would ask for each record.
            default = self.default_get(["site_id"])
        vals_list = [{**default, **vals} for vals in vals_list]
        for vals in vals_list:
            company = self._get_vals_company(vals)
            vals.setdefault("currency_id", company.currency_id.id)
        requests = super().create(vals_list)
        requests._add_requester()
        return requests

    def write(self, vals):
        if self._is_gate_open() or SIGNED_FIELDS.isdisjoint(vals):
            return super().write(vals)
        self._lock()
        result = super().write(vals)
        if not SIGNED_FIELDS.isdisjoint(vals.keys() - {"line_ids"}):
            self._follow_change()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        for request in self:
            if request.state != "draft":
                raise UserError(
                    self.env._(
                        "%(name)s has been submitted and stays on record. Withdraw it "
                        "instead.",
                        name=request.name,
                    )
                )

    def _get_locked_message(self, names):
        if "site_id" in names and self.state in EDITABLE:
            return super()._get_locked_message(names)
        return self.env._(
            "%(name)s is decided and stays as it was signed. Make a new request.",
            name=self.name,
        )

    def _lock(self):
        """Wait for whoever signs or changes these requests at this moment.

        The row is written by each of them: whoever waited is run again by Odoo and
        sees what the other has done.
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM quality_scrap_request WHERE id IN %s ORDER BY id "
                "FOR UPDATE",
                tuple(self.ids) or (0,),
            )
        )

    # === CHANGES === #

    def _ensure_editable(self):
        """Raise unless the list may still be changed; others wait meanwhile.

        :raise UserError: the request is decided
        """
        self.check_access("write")
        self._lock()
        for request in self:
            if request.state not in EDITABLE:
                raise UserError(request._get_locked_message(["line_ids"]))

    def _follow_change(self):
        """What was signed is not what is asked for any more: void the signatures."""
        self._add_requester()
        for request in self.filtered(lambda r: r.state == "signing"):
            void = request._get_signatures()
            request._write_protected(
                {
                    "change_count": request.change_count + 1,
                    "revision": request.revision + bool(void),
                    "needs_gm": request._is_gm_needed(),
                }
            )
            request._check_lines()
            request._ask_to_sign()
            if void:
                request._message_log(
                    body=self.env._(
                        "The list was changed: the signatures of %(names)s are void.",
                        names=", ".join(void.user_id.mapped("name")),
                    )
                )

    def _is_gm_needed(self):
        self.ensure_one()
        # A tier that the signing user need not be able to configure.
        limit = self.company_id.sudo().scrap_gm_amount
        # A value entered below the cost does not avoid the general manager.
        amount = self.amount_company + sum(
            max(line._get_cost() - line.value_company, 0) for line in self.line_ids
        )
        return bool(limit) and (
            self.company_currency_id.compare_amounts(amount, limit) > 0
        )

    # === ACTIONS === #

    def action_submit(self):
        """Ask Quality and Sales to sign, above the company's amount the GM too (S2).

        :raise UserError: names what the list lacks, or who is missing at the site
        """
        self._ensure_can_move("signing")
        self._lock()
        for request in self:
            request._check_complete()
            request._check_lines()
        self._add_requester()
        for request in self:
            request._move_to(
                "signing",
                {
                    "requested_by_id": self.env.uid,
                    "requested_at": fields.Datetime.now(),
                    "revision": request.revision + (request.state == "refused"),
                    "change_count": request.change_count + 1,
                    "needs_gm": request._is_gm_needed(),
                    "refusal_reason": False,
                    "decided_at": False,
                },
            )
        self._ask_to_sign()
        return True

    def _check_complete(self):
        self.ensure_one()
        if not self.line_ids:
            raise UserError(
                self.env._(
                    "%(name)s: add the parts to scrap under “Parts”.", name=self.name
                )
            )
        if not (self.reason or "").strip():
            raise UserError(
                self.env._(
                    "%(name)s: say in “Reason” why they can be neither reworked nor "
                    "returned.",
                    name=self.name,
                )
            )

    def action_withdraw(self, reason=None):
        """Take the request back; the parts stay where they are held.

        :param str reason: kept in the history
        """
        self._ensure_can_move("cancelled")
        self._lock()
        self._move_to("cancelled", {"decided_at": fields.Datetime.now()})
        if reason := (reason or "").strip():
            self._message_log_batch({request.id: reason for request in self})
        self._end_todo()
        return True

    def action_view_moves(self):
        """Open the moves that scrapped the parts."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "stock.stock_move_line_action"
        )
        action["domain"] = [("move_id.scrap_line_id.request_id", "=", self.id)]
        action["context"] = {"create": False}
        return action
