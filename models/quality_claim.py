from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .quality_claim_entry import BALANCES

# In these states lines may still be judged.
JUDGING_STATES = ("received", "judging", "judged")
GROUP = "quality_resident.group_"
WORKERS = (f"{GROUP}resident", f"{GROUP}quality", f"{GROUP}manager")
HOME = (f"{GROUP}quality", f"{GROUP}sales", f"{GROUP}manager")
SETTLERS = (f"{GROUP}sales", f"{GROUP}manager")


class QualityClaim(models.Model):
    """A customer's notice of parts that he wants money for (spec.md L1-L5)."""

    _name = "quality.claim"
    _description = "Claim"
    _inherit = [
        "resident.site.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.event.mixin",
        "quality.workflow.mixin",
    ]
    _order = "id desc"
    _same_site_fields = ("complaint_id",)
    _sequence_code = "quality.claim"
    _protected_fields = (
        "name",
        "company_id",
        "escalated_at",
        "agreed_at",
        "settled_at",
        "entry_ids",
    )
    _editable_states = {
        name: ("received",)
        for name in ("site_id", "partner_id", "currency_id", "notice_ref")
    } | {"settlement": (*JUDGING_STATES, "agreed")}
    _reason_actions = ("action_withdraw", "action_reopen")

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
            ("received", "Notice Received"),
            ("judging", "Judging"),
            ("judged", "Judged"),
            ("agreed", "Both Sides Agree"),
            ("settled", "Settled"),
            ("withdrawn", "Withdrawn"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="received",
        copy=False,
        index=True,
        tracking=True,
    )
    site_id = fields.Many2one(
        ondelete="restrict",
        default=lambda self: self.env["resident.site"]._get_default(),
        tracking=True,
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        index=True,
        ondelete="restrict",
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        domain="[('site_id', '=', site_id)]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    notice_ref = fields.Char(
        string="Customer's Reference",
        copy=False,
        tracking=True,
        help="The number of the customer's notice; a site enters each notice once.",
    )
    notice_date = fields.Date(
        required=True, default=fields.Date.context_today, tracking=True
    )
    appeal_deadline = fields.Date(
        copy=False,
        tracking=True,
        help="Until this day the customer takes objections.",
    )
    specialist_id = fields.Many2one(
        comodel_name="res.users",
        domain="[('share', '=', False)]",
        copy=False,
        tracking=True,
        help="Who goes to the customer for what cannot be decided.",
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env.company.currency_id,
    )
    line_ids = fields.One2many(
        "quality.claim.line", "claim_id", string="Parts", copy=True
    )
    entry_ids = fields.One2many(
        "quality.claim.entry", "claim_id", string="Ledger", readonly=True
    )
    escalated_at = fields.Datetime(string="Escalated", readonly=True, copy=False)
    agreed_at = fields.Datetime(string="Agreed on", readonly=True, copy=False)
    settled_at = fields.Datetime(string="Settled on", readonly=True, copy=False)

    # What the notice says
    quantity = fields.Float(
        compute="_compute_notice", store=True, digits="Product Unit"
    )
    amount_notice = fields.Monetary(
        string="Sum of the Lines", compute="_compute_notice", store=True
    )
    undecided_count = fields.Integer(
        string="Undecided Lines", compute="_compute_notice", store=True
    )

    # What the ledger says; kept, so that they can be searched and that the chain's
    # check has something to compare with.
    entry_count = fields.Integer(compute="_compute_balances", store=True)
    amount_claimed = fields.Monetary(
        string="Claimed", compute="_compute_balances", store=True
    )
    amount_accepted = fields.Monetary(
        string="Accepted", compute="_compute_balances", store=True
    )
    amount_refused = fields.Monetary(
        string="Refused", compute="_compute_balances", store=True
    )
    amount_credited = fields.Monetary(
        string="Credited",
        compute="_compute_balances",
        store=True,
        help="What accounting has posted, without taxes.",
    )
    amount_paid = fields.Monetary(
        string="Paid",
        compute="_compute_balances",
        store=True,
        help="What is paid of it, or set against the customer's invoices.",
    )
    amount_open = fields.Monetary(
        string="Undecided",
        compute="_compute_balances",
        store=True,
        help="Claimed, neither accepted nor refused.",
    )

    _notice_uniq = models.UniqueIndex(
        "(site_id, notice_ref) WHERE state != 'withdrawn' AND notice_ref IS NOT NULL",
        "This notice of the customer has been entered already: see its “Customer's "
        "Reference”.",
    )

    @api.model
    def _get_transitions(self):
        return {
            "received": {"judging": WORKERS, "judged": WORKERS, "withdrawn": HOME},
            "judging": {"judged": WORKERS, "withdrawn": HOME},
            "judged": {"judging": WORKERS, "agreed": HOME, "withdrawn": HOME},
            "agreed": {"settled": SETTLERS, "judging": HOME, "withdrawn": HOME},
            "settled": {"agreed": SETTLERS},
        }

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        # Numbering must not fail before the right to use the site is checked.
        return site.sudo().company_id or self.env.company

    # === COMPUTE METHODS === #

    @api.depends("site_id")
    def _compute_partner_id(self):
        for claim in self:
            claim.partner_id = claim.site_id.partner_id

    @api.depends("line_ids.quantity", "line_ids.amount", "line_ids.responsibility")
    def _compute_notice(self):
        for claim in self:
            lines = claim.line_ids
            claim.quantity = sum(lines.mapped("quantity"))
            claim.amount_notice = sum(lines.mapped("amount"))
            claim.undecided_count = len(
                lines.filtered(lambda line: line.responsibility == "open")
            )

    @api.depends("entry_ids")
    def _compute_balances(self):
        # The balances are the claim's own, whoever looks at it.
        entries = self.env["quality.claim.entry"].sudo()
        sums, counts = {}, {}
        for claim, balance, amount, count in entries._read_group(
            [("claim_id", "in", self.ids)],
            ["claim_id", "balance"],
            ["amount:sum", "__count"],
        ):
            sums[claim.id, balance] = amount
            counts[claim.id] = counts.get(claim.id, 0) + count
        for claim in self:
            claim.entry_count = counts.get(claim.id, 0)
            for balance, _label in BALANCES:
                claim[f"amount_{balance}"] = sums.get((claim.id, balance), 0)
            claim.amount_open = (
                claim.amount_claimed - claim.amount_accepted - claim.amount_refused
            )

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
            vals["notice_ref"] = (vals.get("notice_ref") or "").strip() or False
        # A notice withdrawn just before may come again.
        self.flush_model(["state", "notice_ref"])
        return super().create(vals_list)

    def write(self, vals):
        if "notice_ref" in vals:
            vals = {**vals, "notice_ref": (vals["notice_ref"] or "").strip() or False}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        for claim in self:
            if claim.state != "received":
                raise UserError(
                    self.env._(
                        "%(name)s is in the ledger and stays on record. Withdraw it "
                        "instead.",
                        name=claim.name,
                    )
                )

    def _lock(self):
        """Wait for whoever works on these claims or their lines at this moment.

        Each of them writes a row of it: whoever waited is run again by Odoo and sees
        what the other has done.
        """
        self.flush_model()
        self.line_ids.flush_model()
        ids = tuple(self.ids) or (0,)
        self.env.cr.execute(
            SQL(
                "SELECT id FROM quality_claim WHERE id IN %s ORDER BY id FOR UPDATE",
                ids,
            )
        )
        self.env.cr.execute(
            SQL(
                "SELECT id FROM quality_claim_line WHERE claim_id IN %s ORDER BY id "
                "FOR UPDATE",
                ids,
            )
        )
