from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .quality_return import OPEN_STATES

JUDGEMENTS = [
    ("rework", "Rework"),
    ("scrap", "Scrap"),
    ("stock", "Back to Stock"),
    ("supplier", "To Our Supplier"),
    ("customer", "Customer's Fault"),
]
# What only its return may set on a line.
PLANNED = (
    "product_id",
    "lot_id",
    "quantity",
    "uom_id",
    "location_id",
    "defect_id",
)


class QualityReturnLine(models.Model):
    """Parts of one lot at one place that go back (spec.md R1).

    A line without a planned quantity holds what came although nobody sent it.
    """

    _name = "quality.return.line"
    _description = "Line of a Return"
    _inherit = ["quality.workflow.mixin"]
    _order = "return_id desc, id"
    _check_company_auto = True
    _protected_fields = ("site_id", "company_id", "difference_settled")
    _fixed_fields = ("return_id",)
    _editable_states = {name: ("draft",) for name in PLANNED} | {
        "judgement": ("in_transit", "received"),
    }

    return_id = fields.Many2one(
        comodel_name="quality.return",
        required=True,
        index=True,
        ondelete="cascade",
    )
    state = fields.Selection(related="return_id.state")
    kind = fields.Selection(related="return_id.kind", store=True)
    site_id = fields.Many2one(
        related="return_id.site_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(
        related="return_id.company_id", store=True, index=True, precompute=True
    )
    requested_at = fields.Datetime(
        related="return_id.requested_at", store=True, index=True
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        index=True,
        check_company=True,
        domain="[('type', '=', 'consu')]",
        ondelete="restrict",
    )
    tracking = fields.Selection(related="product_id.tracking")
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    # A serial number is on one open return only, also when two save at once.
    open_serial_id = fields.Many2one(
        comodel_name="stock.lot", compute="_compute_open_serial_id", store=True
    )
    quantity = fields.Float(default=1, required=True, digits="Product Unit")
    allowed_uom_ids = fields.Many2many("uom.uom", compute="_compute_allowed_uom_ids")
    uom_id = fields.Many2one(
        comodel_name="uom.uom",
        string="Unit",
        compute="_compute_uom_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        domain="[('id', 'in', allowed_uom_ids)]",
        ondelete="restrict",
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Lies in",
        compute="_compute_location_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', allowed_location_ids)]",
        ondelete="restrict",
        help="A place of our stock at the site, or the customer's own when the parts "
        "are sold.",
    )
    allowed_location_ids = fields.Many2many(
        comodel_name="stock.location", compute="_compute_allowed_location_ids"
    )
    is_sold = fields.Boolean(string="Sold", compute="_compute_is_sold", store=True)
    defect_id = fields.Many2one(
        comodel_name="quality.defect",
        compute="_compute_defect_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
    )

    # What the stock moves say
    move_ids = fields.One2many(
        "stock.move", "quality_return_line_id", groups="stock.group_stock_user"
    )
    qty_shipped = fields.Float(
        string="Shipped",
        compute="_compute_moved",
        store=True,
        digits="Product Unit",
    )
    qty_received = fields.Float(
        string="Received",
        compute="_compute_moved",
        store=True,
        digits="Product Unit",
    )
    qty_in_transit = fields.Float(
        string="On the Way",
        compute="_compute_moved",
        store=True,
        digits="Product Unit",
        help="Picked up, neither received nor written back to where it lay.",
    )
    qty_difference = fields.Float(
        string="Difference",
        compute="_compute_moved",
        store=True,
        digits="Product Unit",
        help="Came without being shipped (+), or was shipped and did not come although "
        "a receipt is done (−). Open until the manager settles it.",
    )
    difference_settled = fields.Float(readonly=True, copy=False, digits="Product Unit")

    # What Quality says
    judgement = fields.Selection(
        selection=JUDGEMENTS,
        string="Verdict",
        copy=False,
        help="For all pieces not judged yet; “Judge” carries it out. To judge them "
        "differently use the dialogue.",
    )
    judgement_ids = fields.One2many(
        "quality.return.judgement", "line_id", string="Verdicts"
    )
    qty_judged = fields.Float(
        string="Judged", compute="_compute_judged", store=True, digits="Product Unit"
    )
    qty_open = fields.Float(
        string="To Judge", compute="_compute_judged", store=True, digits="Product Unit"
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity >= 0)", "The quantity cannot be negative."
    )
    _open_serial_uniq = models.UniqueIndex(
        "(open_serial_id) WHERE open_serial_id IS NOT NULL",
        "A serial number is on another return that is still open.",
    )

    # === COMPUTE METHODS === #

    @api.depends("product_id", "lot_id", "quantity")
    @api.depends_context("formatted_display_name")
    def _compute_display_name(self):
        for line in self:
            name = line.product_id.default_code or line.product_id.name or ""
            line.display_name = f"{name} {line.lot_id.name or ''}".strip()

    @api.depends("product_id")
    def _compute_allowed_uom_ids(self):
        for line in self:
            product = line.product_id
            line.allowed_uom_ids = product.uom_id | product.uom_ids

    @api.depends("product_id")
    def _compute_uom_id(self):
        for line in self:
            line.uom_id = line.product_id.uom_id

    @api.depends("site_id")
    def _compute_allowed_location_ids(self):
        for line in self:
            site = line.return_id.site_id
            line.allowed_location_ids = site._get_return_sources()

    @api.depends("product_id", "lot_id")
    def _compute_location_id(self):
        sources = self._guess_sources()
        for line in self:
            line.location_id = line.location_id or sources.get(line, False)

    @api.depends("location_id")
    def _compute_is_sold(self):
        for line in self:
            line.is_sold = line.location_id.usage == "customer"

    @api.depends("return_id")
    def _compute_defect_id(self):
        for line in self:
            line.defect_id = (
                line.defect_id or line.return_id.complaint_ids.defect_id[:1]
            )

    @api.depends("lot_id", "product_id", "return_id.state")
    def _compute_open_serial_id(self):
        for line in self:
            is_open = line.return_id.state in OPEN_STATES
            serial = line.product_id.tracking == "serial" and is_open
            line.open_serial_id = serial and line.lot_id

    @api.depends("judgement_ids.quantity", "judgement_ids.undone", "qty_received")
    def _compute_judged(self):
        for line in self:
            valid = line.judgement_ids.filtered(lambda j: not j.undone)
            line.qty_judged = sum(valid.mapped("quantity"))
            line.qty_open = line.qty_received - line.qty_judged

    # === CONSTRAINTS === #

    @api.constrains("lot_id", "product_id", "quantity", "uom_id")
    def _check_lot(self):
        for line in self:
            if line.lot_id and line.lot_id.product_id != line.product_id:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not of %(product)s: choose another “Lot”.",
                        lot=line.lot_id.name,
                        product=line.product_id.display_name,
                    )
                )
            pieces = line.uom_id._compute_quantity(
                line.quantity, line.product_id.uom_id, round=False
            )
            if line.tracking == "serial" and line.lot_id and pieces not in (0, 1):
                raise ValidationError(
                    self.env._(
                        "%(line)s is a serial number: its quantity is 1.",
                        line=line.display_name,
                    )
                )

    @api.constrains("lot_id", "product_id")
    def _check_open_serial(self):
        serials = self.filtered(lambda li: li.tracking == "serial" and li.lot_id)
        if not serials:
            return
        # Another site's return counts, whether or not the user may see it. Not by
        # open_serial_id: writing that first, the index would speak in our place.
        others = self.sudo().search(
            [
                ("lot_id", "in", serials.lot_id.ids),
                ("return_id.state", "in", OPEN_STATES),
            ]
        )
        for line in serials:
            same = others.filtered(
                lambda o, line=line: o.lot_id == line.lot_id and o != line
            )
            if same:
                raise ValidationError(
                    self.env._(
                        "%(line)s is on the return %(name)s already.",
                        line=line.display_name,
                        name=same[0].return_id.name,
                    )
                )

    @api.constrains("location_id")
    def _check_location(self):
        for line in self:
            if line.location_id and not line.quantity:
                # Came unasked, from wherever it lay.
                continue
            if line.location_id and line.location_id not in line.allowed_location_ids:
                raise ValidationError(
                    self.env._(
                        "%(line)s: %(location)s is neither our stock at %(site)s nor "
                        "the customer's. Choose another place in “Lies in”.",
                        line=line.display_name,
                        location=line.location_id.display_name,
                        site=line.site_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_requested(self):
        for line in self:
            if line.state != "draft":
                raise UserError(line.return_id._get_locked_message(["line_ids"]))
        self.return_id._add_requester()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self._is_gate_open():
            for line in lines.filtered(lambda li: li.state != "draft"):
                raise UserError(line.return_id._get_locked_message(["line_ids"]))
            lines._check_quantity()
            lines.return_id._add_requester()
        return lines

    def write(self, vals):
        if "judgement" in vals and not self._is_gate_open():
            self.return_id._ensure_judge()
        result = super().write(vals)
        if not self._is_gate_open():
            if "quantity" in vals:
                self._check_quantity()
            if not vals.keys().isdisjoint(PLANNED):
                self.return_id._add_requester()
        return result

    def _check_quantity(self):
        for line in self:
            if line.uom_id.compare(line.quantity, 0) <= 0:
                raise UserError(
                    self.env._(
                        "%(line)s: the quantity must be more than 0.",
                        line=line.display_name,
                    )
                )

    def _get_locked_message(self, names):
        if names == ["judgement"]:
            return self.env._(
                "%(line)s can be judged once it has come.", line=self.display_name
            )
        return self.return_id._get_locked_message(["line_ids"])
