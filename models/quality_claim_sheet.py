from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

# In these states the lines of a claim are not in the ledger, or not any more.
UNFIT_STATES = ("received", "withdrawn")


class QualityClaimSheet(models.Model):
    """What both sides found at a joint judgement meeting, signed (会判单, L2).

    The lines are kept as they were judged. Judged anew afterwards, a signed sheet is
    void and a new one takes its place.
    """

    _name = "quality.claim.sheet"
    _description = "Claim Sheet"
    _inherit = ["resident.site.mixin", "mail.thread", "quality.signature.mixin"]
    _order = "met_at desc, id desc"
    _same_site_fields = ("contact_id", "place_id")
    _sequence_code = "quality.claim.sheet"
    _parent_field = "claim_id"
    _protected_fields = (
        "name",
        "site_id",
        "company_id",
        "previous_id",
        "snapshot",
        "photo_ids",
    )
    _fixed_fields = ("claim_id",)
    # What the customer has signed.
    _signed_fields = (
        "claim_id",
        "met_at",
        "place_id",
        "contact_id",
        "user_ids",
        "customer_people",
        "line_ids",
        "snapshot",
        "photo_ids",
        "remarks",
        "remarks_customer",
    )
    _signed_event = "claim_sheet_signed"
    _signed_report = "quality_resident.action_report_claim_sheet"
    _link_template = "quality_resident.mail_template_claim_sheet_link"
    _link_page = "quality_resident.claim_sheet_page"

    name = fields.Char(
        string="Number",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env._("New"),
        index="trigram",
    )
    state = fields.Selection(
        selection=[("draft", "To Sign"), ("signed", "Signed"), ("void", "Void")],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    claim_id = fields.Many2one(
        comodel_name="quality.claim", required=True, index=True, ondelete="cascade"
    )
    complaint_id = fields.Many2one(
        related="claim_id.complaint_id", store=True, precompute=True
    )
    site_id = fields.Many2one(
        related="claim_id.site_id", store=True, precompute=True, required=False
    )
    partner_id = fields.Many2one(related="claim_id.partner_id")
    currency_id = fields.Many2one(related="claim_id.currency_id")
    previous_id = fields.Many2one(
        comodel_name="quality.claim.sheet",
        string="Replaces",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    # The meeting
    met_at = fields.Datetime(
        string="Held on", required=True, default=fields.Datetime.now
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        ondelete="restrict",
    )
    contact_id = fields.Many2one(
        compute="_compute_customer_people", store=True, readonly=False, precompute=True
    )
    user_ids = fields.Many2many(
        comodel_name="res.users",
        relation="quality_claim_sheet_user_rel",
        string="For Us",
        domain="[('share', '=', False)]",
        default=lambda self: self.env.user,
    )
    customer_people = fields.Char(
        string="For the Customer",
        compute="_compute_customer_people",
        store=True,
        readonly=False,
        precompute=True,
        copy=True,
        help="Everybody of the customer who took part.",
    )
    remarks = fields.Text()
    remarks_customer = fields.Text(string="Customer's Remarks")

    # What was judged
    line_ids = fields.Many2many(
        comodel_name="quality.claim.line",
        relation="quality_claim_sheet_line_rel",
        string="Lines Judged",
        domain="[('claim_id', '=', claim_id)]",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
        precompute=True,
        copy=True,
    )
    snapshot = fields.Json(
        readonly=True, copy=False, help="The lines as they were judged."
    )
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        relation="quality_claim_sheet_photo_rel",
        string="Photos",
        readonly=True,
        # The photos are those of the lines: who may read the sheet may see them.
        bypass_search_access=True,
        copy=False,
    )
    quantity = fields.Float(
        compute="_compute_totals", store=True, digits="Product Unit"
    )
    amount_total = fields.Monetary(
        string="Claimed", compute="_compute_totals", store=True
    )
    amount_ours = fields.Monetary(string="Ours", compute="_compute_totals", store=True)
    amount_theirs = fields.Monetary(
        string="Theirs", compute="_compute_totals", store=True
    )
    amount_open = fields.Monetary(
        string="Undecided", compute="_compute_totals", store=True
    )

    @api.model
    def _get_transitions(self):
        return {"draft": {"signed": ()}, "signed": {"void": ()}}

    @api.model
    def _get_vals_company(self, vals):
        claim = self.env["quality.claim"].browse(vals.get("claim_id"))
        # Numbering must not fail before the right to use the claim is checked.
        return claim.sudo().company_id or self.env.company

    # === COMPUTE METHODS === #

    @api.depends("claim_id")
    def _compute_line_ids(self):
        for sheet in self:
            claim = sheet.claim_id
            left = claim.line_ids - claim._get_signed_lines()
            sheet.line_ids = left or claim.line_ids

    @api.depends("claim_id")
    def _compute_customer_people(self):
        for sheet in self:
            lines = sheet.claim_id.line_ids
            names = dict.fromkeys(filter(None, lines.mapped("customer_judge")))
            sheet.customer_people = sheet.customer_people or ", ".join(names)
            sheet.contact_id = sheet.contact_id or lines.judge_contact_id[:1]

    @api.depends("snapshot")
    def _compute_totals(self):
        for sheet in self:
            rows = sheet.snapshot or []
            sheet.quantity = sum(row["quantity"] for row in rows)
            sheet.amount_total = sum(row["amount"] for row in rows)
            sheet.amount_ours = sum(row["ours"] for row in rows)
            sheet.amount_open = sum(
                row["amount"] for row in rows if row["responsibility"] == "open"
            )
            sheet.amount_theirs = (
                sheet.amount_total - sheet.amount_ours - sheet.amount_open
            )

    # === SNAPSHOT === #

    def _take_snapshot(self):
        """Keep the lines as they are judged now, in the customer's language."""
        for sheet in self:
            lines = sheet.with_context(lang=sheet._get_document_lang()).line_ids
            sheet._write_protected(
                {
                    "snapshot": [line._get_sheet_row() for line in lines.sorted("id")],
                    "photo_ids": [Command.set(lines.photo_ids.ids)],
                }
            )

    # === SIGNATURE === #

    def _is_signed(self):
        return self.state != "draft"

    def _can_be_signed(self):
        # What the customer has withdrawn he need not sign any more.
        return super()._can_be_signed() and self.claim_id.state != "withdrawn"

    def _set_signed(self, values):
        # Nobody judges while it is being signed.
        self.claim_id._lock()
        if not self._can_be_signed():
            raise UserError(self._get_unsignable_message())
        self._move_to("signed", values)

    def _get_locked_message(self, names):
        if "claim_id" in names and not self._is_signed():
            return super()._get_locked_message(names)
        return self.env._(
            "%(name)s is signed and locked. Judge its lines anew: a new sheet takes "
            "its place.",
            name=self.name,
        )

    def _replace(self, lines):
        """Make signed sheets void whose ``lines`` were judged anew, and new ones.

        Lines that wait on another sheet already need no second one.
        """
        for sheet in self:
            sheet._move_to("void")
            drafts = sheet.claim_id.sheet_ids.filtered(lambda s: s.state == "draft")
            new = self.browse()
            if sheet.line_ids - drafts.line_ids:
                new = self._create_protected(
                    [
                        {
                            **sheet.copy_data({"met_at": fields.Datetime.now()})[0],
                            "previous_id": sheet.id,
                        }
                    ]
                )
            message = self.env._(
                "Judged anew: %(lines)s. %(sheet)s is void; %(new)s takes its place.",
                lines=", ".join((lines & sheet.line_ids).mapped("display_name")),
                sheet=sheet.name,
                new=new.name or ", ".join(drafts.mapped("name")),
            )
            (sheet + new)._message_log_batch(dict.fromkeys((sheet + new).ids, message))
            sheet.claim_id._message_log(body=message)

    # === CONSTRAINTS === #

    @api.constrains("line_ids", "claim_id")
    def _check_line_ids(self):
        for sheet in self:
            if not sheet.line_ids:
                raise ValidationError(
                    self.env._(
                        "%(name)s: choose the “Lines Judged”.", name=sheet.display_name
                    )
                )
            if sheet.line_ids.claim_id - sheet.claim_id:
                raise ValidationError(
                    self.env._(
                        "%(name)s: one of the “Lines Judged” is not of %(claim)s.",
                        name=sheet.display_name,
                        claim=sheet.claim_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        for sheet in self:
            if sheet.state != "draft" or sheet.previous_id:
                raise UserError(
                    self.env._(
                        "%(name)s has been signed, or stands in for a signed sheet, "
                        "and stays on record.",
                        name=sheet.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        claims = self.env["quality.claim"].browse(
            {vals["claim_id"] for vals in vals_list if vals.get("claim_id")}
        )
        # Nobody judges between what is kept here and the sheet.
        claims._lock()
        sheets = super().create(vals_list)
        for sheet in sheets:
            if sheet.claim_id.state in UNFIT_STATES:
                raise UserError(
                    self.env._(
                        "%(claim)s is not being judged: choose “Judge” there first.",
                        claim=sheet.claim_id.name,
                    )
                )
        sheets._take_snapshot()
        return sheets

    def write(self, vals):
        result = super().write(vals)
        if "line_ids" in vals:
            self._take_snapshot()
        return result

    # === MAIL === #

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/claim-sheets/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the claim sheet")

    def _get_mail_facts(self):
        self.ensure_one()
        money = self.currency_id.format
        return [
            (self.env._("Claim"), self.claim_id.name),
            (self.env._("Customer"), self.partner_id.display_name),
            (self.env._("Signed by"), self.signed_by or ""),
            (self.env._("Claimed"), money(self.amount_total)),
            (self.env._("Ours"), money(self.amount_ours)),
            (self.env._("Theirs"), money(self.amount_theirs)),
        ]
