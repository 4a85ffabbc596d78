from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from .quality_claim import JUDGING_STATES

RESPONSIBILITIES = [
    ("open", "Undecided"),
    ("ours", "Ours"),
    ("theirs", "Theirs"),
    ("shared", "Shared"),
]
SHARES = {"open": 0, "ours": 100, "theirs": 0}
# What the customer's notice says of a part.
NOTICED = (
    "product_id",
    "lot_id",
    "customer_serial",
    "vin",
    "vehicle_model",
    "mileage",
    "failed_on",
    "quantity",
    "price_unit",
    "amount",
)
JUDGED = (
    "responsibility",
    "our_share",
    "judge_contact_id",
    "customer_judge",
    "judge_place_id",
    "judge_note",
)


class QualityClaimLine(models.Model):
    """A part of a claim, and whose fault both sides find it to be (spec.md L1, L2)."""

    _name = "quality.claim.line"
    _description = "Claim Line"
    _inherit = ["quality.workflow.mixin", "import.template.mixin"]
    _order = "claim_id desc, id"
    _rec_names_search = ["product_id", "lot_id", "customer_serial", "vin"]
    _check_company_auto = True
    _protected_fields = (
        "site_id",
        "company_id",
        "judged_by_id",
        "judged_at",
        "released_by_id",
        "released_at",
    )
    _fixed_fields = ("claim_id",)
    _import_template_fields = {
        "product_id": "Door seal",
        "lot_id": "L-0815",
        "vin": "LFV2A21K3P4000001",
        "vehicle_model": "Tayron",
        "mileage": "12500",
        "failed_on": "2026-03-01",
        "quantity": "1",
        "price_unit": "48.50",
    }
    _editable_states = {name: ("received",) for name in NOTICED} | {
        name: JUDGING_STATES for name in (*JUDGED, "photo_ids", "return_line_id")
    }

    claim_id = fields.Many2one(
        comodel_name="quality.claim",
        required=True,
        index=True,
        ondelete="cascade",
    )
    state = fields.Selection(related="claim_id.state", string="Status")
    site_id = fields.Many2one(
        related="claim_id.site_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(
        related="claim_id.company_id", store=True, index=True, precompute=True
    )
    partner_id = fields.Many2one(related="claim_id.partner_id")
    currency_id = fields.Many2one(related="claim_id.currency_id")
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Part",
        required=True,
        index=True,
        check_company=True,
        ondelete="restrict",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    customer_serial = fields.Char(
        string="Customer's Serial",
        index="btree_not_null",
        help="A lot or serial number as the customer writes it, which we do not know.",
    )
    vin = fields.Char(string="VIN", index="btree_not_null")
    vehicle_model = fields.Char(help="As the customer names it, for the figures.")
    mileage = fields.Integer(string="Mileage (km)", aggregator="avg")
    failed_on = fields.Date(string="Failed on")
    quantity = fields.Float(default=1, required=True, digits="Product Unit")
    price_unit = fields.Monetary(string="Unit Price")
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        help="Quantity × unit price, unless the notice says another.",
    )

    # The joint judgement
    responsibility = fields.Selection(
        RESPONSIBILITIES, required=True, default="open", copy=False, index=True
    )
    our_share = fields.Float(
        string="Our Share (%)",
        compute="_compute_our_share",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        digits=(5, 2),
        aggregator="avg",
    )
    judged_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Judged by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    judged_at = fields.Datetime(string="Judged on", readonly=True, copy=False)
    customer_judge = fields.Char(
        string="Judged for the Customer by",
        copy=False,
        help="The customer's person: a contact of the site, or anybody else's name.",
    )
    judge_note = fields.Text(string="Evidence", copy=False)
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the line: who may read it may see them.
        bypass_search_access=True,
        copy=False,
    )
    return_line_id = fields.Many2one(
        comodel_name="quality.return.line",
        string="Sent Back in",
        domain="[('site_id', '=', site_id), ('product_id', '=', product_id)]",
        check_company=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    released_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Part Released by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    released_at = fields.Datetime(
        string="Part Released",
        readonly=True,
        copy=False,
        help="The part is not needed as evidence any more: it may be scrapped.",
    )
    entry_ids = fields.One2many("quality.claim.entry", "line_id", string="Ledger")
    duplicate_ids = fields.Many2many(
        comodel_name="quality.claim.line",
        string="Claimed Before",
        compute="_compute_duplicate_ids",
        # Another site's claim is named, not opened.
        compute_sudo=True,
        help="Earlier lines of claims with the same serial number, or with the same "
        "vehicle, part and day of failure.",
    )
    duplicate_names = fields.Char(
        string="Claimed Before in",
        compute="_compute_duplicate_ids",
        compute_sudo=True,
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The claimed quantity must be more than 0."
    )
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0 AND price_unit >= 0)",
        "Price and amount of a claim line cannot be negative.",
    )
    _mileage_positive = models.Constraint(
        "CHECK (mileage >= 0)", "The mileage cannot be negative."
    )
    _our_share_range = models.Constraint(
        "CHECK (our_share BETWEEN 0 AND 100)", "Our share is between 0 and 100 %."
    )
    _vehicle_idx = models.Index("(vin, product_id, failed_on) WHERE vin IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("product_id", "lot_id", "customer_serial", "vin")
    @api.depends_context("formatted_display_name")
    def _compute_display_name(self):
        for line in self:
            product = line.product_id
            name = product.default_code or product.name or ""
            part = line.lot_id.name or line.customer_serial or line.vin or ""
            line.display_name = f"{name} {part}".strip()

    @api.depends("quantity", "price_unit", "currency_id")
    def _compute_amount(self):
        for line in self:
            amount = line.quantity * line.price_unit
            line.amount = line.currency_id.round(amount) if line.currency_id else amount

    @api.depends("responsibility")
    def _compute_our_share(self):
        for line in self:
            line.our_share = SHARES.get(line.responsibility, line.our_share or 50)

    @api.depends("vin", "lot_id", "customer_serial", "product_id", "failed_on")
    def _compute_duplicate_ids(self):
        found = {}
        if self.ids:
            self.flush_model()
            self.claim_id.flush_model(["state"])
            rows = self.env.execute_query(
                SQL(
                    """SELECT line.id, other.id
                    FROM quality_claim_line line
                    JOIN quality_claim_line other ON other.id < line.id
                        AND other.company_id = line.company_id
                        AND other.product_id = line.product_id
                        AND (other.lot_id = line.lot_id
                            OR other.customer_serial = line.customer_serial OR (
                            other.vin = line.vin AND other.failed_on = line.failed_on))
                    JOIN quality_claim claim ON claim.id = other.claim_id
                        AND claim.state != 'withdrawn'
                    WHERE line.id IN %s""",
                    tuple(self.ids),
                )
            )
            for line_id, other_id in rows:
                found.setdefault(line_id, []).append(other_id)
        for line in self:
            line.duplicate_ids = found.get(line._origin.id, [])
            claims = line.duplicate_ids.claim_id
            line.duplicate_names = ", ".join(claims.mapped("name"))

    # === CONSTRAINTS === #

    @api.constrains("responsibility", "our_share")
    def _check_our_share(self):
        for line in self:
            if line.responsibility == "shared":
                fits = 0 < line.our_share < 100
            else:
                fits = line.our_share == SHARES[line.responsibility]
            if not fits:
                raise ValidationError(
                    self.env._(
                        "%(line)s: “Our Share” is %(share)g %%. Between 0 and 100 "
                        "means “Shared”; “Ours” is 100, “Theirs” and “Undecided” "
                        "are 0.",
                        line=line.display_name,
                        share=line.our_share,
                    )
                )

    @api.constrains("product_id", "lot_id")
    def _check_lot_id(self):
        for line in self:
            if line.lot_id and line.lot_id.product_id != line.product_id:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not of %(product)s: correct “Lot/Serial”.",
                        lot=line.lot_id.name,
                        product=line.product_id.display_name,
                    )
                )

    @api.constrains("return_line_id")
    def _check_return_line_id(self):
        for line in self:
            # A return of a site that the user may not see is refused as well.
            returned = line.return_line_id.sudo()
            if returned and (returned.site_id, returned.product_id) != (
                line.site_id,
                line.product_id,
            ):
                raise ValidationError(
                    self.env._(
                        "%(line)s: “Sent Back in” names another site or part.",
                        line=line.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create([self._clean(vals) for vals in vals_list])
        # Only now it is known which claims: they may come from defaults.
        lines.claim_id._ensure_received()
        lines.filtered(lambda li: li.responsibility != "open")._note_judge()
        lines._adopt_photos()
        return lines

    def write(self, vals):
        judged = not (self._is_gate_open() or {*JUDGED, "photo_ids"}.isdisjoint(vals))
        if judged:
            # Nobody signs or agrees to what is being judged anew.
            self.claim_id._lock()
        result = super().write(self._clean(vals))
        if "photo_ids" in vals:
            self._adopt_photos()
        if judged:
            if not set(JUDGED).isdisjoint(vals):
                self._note_judge()
            self._follow_judgement()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        self.claim_id._ensure_received()

    @api.model
    def _clean(self, vals):
        if not vals.get("vin"):
            return vals
        # As vehicles are compared: no blanks, in capitals.
        return {**vals, "vin": "".join(vals["vin"].split()).upper()}

    def _adopt_photos(self):
        """Tie photos uploaded before the first save to their line."""
        for line in self.filtered("photo_ids"):
            line.photo_ids._tie_to(line)

    def _follow_judgement(self):
        """Bring in line what rests on the judgement of these lines: a hook."""

    def _note_judge(self):
        """Keep who judged these lines for us, and when."""
        decided = self.filtered(lambda line: line.responsibility != "open")
        for lines, user in ((decided, self.env.uid), (self - decided, False)):
            lines._write_protected(
                {
                    "judged_by_id": user,
                    "judged_at": fields.Datetime.now() if user else False,
                }
            )

    def _get_locked_message(self, names):
        if "claim_id" in names:
            return super()._get_locked_message(names)
        labels = sorted(self._fields[n]._description_string(self.env) for n in names)
        return self.env._(
            "%(line)s of %(claim)s is “%(state)s”: %(fields)s stay as they are in the "
            "ledger. Reopen the claim to judge anew.",
            line=self.display_name,
            claim=self.claim_id.name,
            state=dict(self._fields["state"]._description_selection(self.env))[
                self.state
            ],
            fields=", ".join(labels),
        )

    def _ensure_returns_judged(self):
        """Raise unless Quality has judged what was sent back for analysis (L3)."""
        waiting = self.filtered(
            # Who judges the claim need not see the returns of home.
            lambda line: (
                line.return_line_id and not line.sudo().return_line_id.qty_judged
            )
        )
        if waiting:
            raise UserError(
                self.env._(
                    "%(lines)s: sent back for analysis and not judged by Quality yet. "
                    "Judge the return, or empty “Sent Back in”.",
                    lines=", ".join(waiting.mapped("display_name")),
                )
            )
