from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class QualityScrapLine(models.Model):
    """Parts of one product and lot that are to be scrapped (S1)."""

    _name = "quality.scrap.line"
    _description = "Parts to Scrap"
    _inherit = ["quality.workflow.mixin"]
    _order = "request_id desc, id"
    _rec_name = "product_id"
    _check_company_auto = True

    request_id = fields.Many2one(
        comodel_name="quality.scrap.request",
        required=True,
        index=True,
        ondelete="cascade",
    )
    site_id = fields.Many2one(
        related="request_id.site_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(
        related="request_id.company_id", store=True, index=True, precompute=True
    )
    complaint_id = fields.Many2one(related="request_id.complaint_id", store=True)
    currency_id = fields.Many2one(related="request_id.currency_id")
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    state = fields.Selection(
        related="request_id.state", store=True, index=True, string="Status"
    )
    decided_at = fields.Datetime(related="request_id.decided_at", store=True)
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        domain="[('type', '=', 'consu')]",
        check_company=True,
        index=True,
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
    quantity = fields.Float(digits="Product Unit", required=True, default=1)
    uom_id = fields.Many2one(
        comodel_name="uom.uom",
        string="Unit",
        compute="_compute_uom_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        ondelete="restrict",
    )
    product_qty = fields.Float(
        string="Pieces",
        compute="_compute_product_qty",
        store=True,
        precompute=True,
        digits="Product Unit",
        help="In the product's own unit, as it was when the list was written: what is "
        "signed and scrapped, whatever becomes of the unit.",
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Lies in",
        compute="_compute_location_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        domain="[('usage', 'in', ('internal', 'transit')), "
        "('company_id', '=', company_id)]",
        check_company=True,
        ondelete="restrict",
    )
    defect_id = fields.Many2one(
        comodel_name="quality.defect",
        compute="_compute_defect_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    price_unit = fields.Monetary(
        string="Unit Value",
        compute="_compute_price_unit",
        store=True,
        readonly=False,
        precompute=True,
        help="The product's cost, unless you enter another.",
    )
    value = fields.Monetary(compute="_compute_value", store=True, precompute=True)
    value_company = fields.Monetary(
        string="Value in Company Currency",
        compute="_compute_value",
        store=True,
        precompute=True,
        currency_field="company_currency_id",
    )
    note = fields.Char()
    move_ids = fields.One2many("stock.move", "scrap_line_id", readonly=True)

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The quantity to scrap must be more than 0."
    )
    _price_positive = models.Constraint(
        "CHECK (price_unit >= 0)", "The unit value cannot be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("product_id")
    def _compute_uom_id(self):
        for line in self:
            line.uom_id = line.product_id.uom_id

    @api.depends("product_id", "uom_id", "quantity")
    def _compute_product_qty(self):
        for line in self:
            line.product_qty = line.uom_id._compute_quantity(
                line.quantity, line.product_id.uom_id, raise_if_failure=False
            )

    @api.depends("request_id")
    def _compute_location_id(self):
        for line in self:
            site = line.request_id.site_id
            line.location_id = line.location_id or site.suspect_location_id

    @api.depends("request_id")
    def _compute_defect_id(self):
        for line in self:
            line.defect_id = line.defect_id or line.request_id.complaint_id.defect_id

    @api.depends("product_id", "uom_id", "request_id.currency_id")
    def _compute_price_unit(self):
        today = fields.Date.context_today(self)
        for line in self:
            request = line.request_id
            company = request.company_id or self.env.company
            product = line.product_id.with_company(company)
            cost = product.uom_id._compute_price(product.standard_price, line.uom_id)
            line.price_unit = company.currency_id._convert(
                cost, request.currency_id or company.currency_id, company, today
            )

    @api.depends("quantity", "price_unit", "request_id.currency_id")
    def _compute_value(self):
        today = fields.Date.context_today(self)
        for line in self:
            request = line.request_id
            company = request.company_id or self.env.company
            currency = request.currency_id or company.currency_id
            line.value = currency.round(line.quantity * line.price_unit)
            line.value_company = currency._convert(
                line.value, company.currency_id, company, today
            )

    # === CONSTRAINTS === #

    @api.constrains("product_id", "lot_id", "quantity", "uom_id")
    def _check_lot_id(self):
        for line in self:
            product, lot = line.product_id, line.lot_id
            if lot and lot.product_id != product:
                message = self.env._("The lot %(lot)s is not of %(product)s.")
            elif product.tracking != "none" and not lot:
                message = self.env._("%(product)s: choose the “Lot” to scrap.")
            elif product.tracking == "serial" and (
                line.uom_id._compute_quantity(line.quantity, product.uom_id) != 1
            ):
                message = self.env._(
                    "%(lot)s is a serial number: its “Quantity” is 1 %(uom)s."
                )
            elif not line.uom_id._has_common_reference(product.uom_id):
                message = self.env._(
                    "%(product)s is counted in %(uom)s: choose a “Unit” of that kind."
                )
            elif getattr(product, "is_kits", False):
                # Only there when manufacturing is installed.
                message = self.env._(
                    "%(product)s is a kit: enter the parts that it is made of."
                )
            else:
                continue
            raise ValidationError(
                message
                % {
                    "lot": lot.name,
                    "product": product.display_name,
                    "uom": product.uom_id.name,
                }
            )

    @api.constrains("location_id", "request_id")
    def _check_location_id(self):
        for line in self:
            # The stock's own rights are not the requester's.
            own = line.request_id.site_id._get_own_locations().sudo()
            path = line.location_id.sudo().parent_path or ""
            if not any(path.startswith(location.parent_path) for location in own):
                raise ValidationError(
                    self.env._(
                        "%(location)s is no place of %(site)s: choose one of its own "
                        "in “Lies in”.",
                        location=line.location_id.display_name,
                        site=line.site_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        requests = self.env["quality.scrap.request"].browse(
            {vals["request_id"] for vals in vals_list if vals.get("request_id")}
        )
        requests._ensure_editable()
        lines = super().create(vals_list)
        # A default may have named another request than the values do.
        lines.request_id._ensure_editable()
        lines.request_id._follow_change()
        return lines

    def write(self, vals):
        self.request_id._ensure_editable()
        if "request_id" in vals:
            raise UserError(
                self.env._("A line stays in its request: enter it anew in the other.")
            )
        result = super().write(vals)
        self.request_id._follow_change()
        return result

    def unlink(self):
        requests = self.request_id
        requests._ensure_editable()
        result = super().unlink()
        requests._follow_change()
        return result

    # === STOCK === #

    def _get_cost(self):
        """Return what these parts cost the company, whatever value was entered."""
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        return self.product_qty * product.standard_price

    def _get_free_quantities(self):
        """Return what lies free of these lots, shelves below their places included.

        :rtype: dict of (product id, lot id) to a list of (location path, quantity)
        """
        # Residents ask for parts without stock rights.
        groups = (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("location_id", "child_of", self.location_id.ids),
                    ("product_id", "in", self.product_id.ids),
                ],
                ["product_id", "lot_id", "location_id"],
                ["quantity:sum", "reserved_quantity:sum"],
            )
        )
        free = {}
        for product, lot, location, quantity, reserved in groups:
            free.setdefault((product.id, lot.id), []).append(
                (location.parent_path, quantity - reserved)
            )
        return free

    def _get_move_values(self, target):
        """Return the values of the move that scraps this line."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "lot_id": self.lot_id.id,
            "product_uom_qty": self.product_qty,
            "product_uom": self.product_id.uom_id.id,
            "location_id": self.location_id.id,
            "location_dest_id": target.id,
            "company_id": self.company_id.id,
            "origin": self.request_id.name,
            "scrap_line_id": self.id,
        }
