from odoo import api, fields, models
from odoo.exceptions import UserError

SCREENED_STATES = ("success", "failed")


class QcInspection(models.Model):
    """The sorting of one place in a containment (spec.md C6).

    Counted in tranches (``quality.sorting``); what is asked of each part comes from the
    quality module's test for this product and customer.
    """

    _inherit = "qc.inspection"

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, index="btree_not_null"
    )
    place_id = fields.Many2one(
        comodel_name="resident.place", readonly=True, copy=False, ondelete="restrict"
    )
    sorting_ids = fields.One2many("quality.sorting", "inspection_id")
    sorted_lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        string="Sorted Lots",
        compute="_compute_sorted_lot_ids",
    )
    uom_id = fields.Many2one(related="product_id.uom_id")
    qty_expected = fields.Float(
        string="There",
        digits="Product Unit",
        copy=False,
        help="What lay at the place when the containment was opened: our stock where "
        "it is ours, else as counted or told by the customer.",
    )
    qty_checked = fields.Float(
        string="Checked",
        compute="_compute_quantities",
        store=True,
        digits="Product Unit",
    )
    qty_good = fields.Float(
        string="Good", compute="_compute_quantities", store=True, digits="Product Unit"
    )
    qty_bad = fields.Float(
        string="Bad", compute="_compute_quantities", store=True, digits="Product Unit"
    )
    qty_suspect = fields.Float(
        string="Suspect",
        compute="_compute_quantities",
        store=True,
        digits="Product Unit",
    )
    qty_left = fields.Float(
        string="Left to Check",
        compute="_compute_quantities",
        store=True,
        digits="Product Unit",
    )
    is_ours = fields.Boolean(compute="_compute_is_ours")
    qty_in_stock = fields.Float(
        string="In Stock Now",
        compute="_compute_qty_in_stock",
        digits="Product Unit",
        help="Our stock of the product at this place now.",
    )
    tracking = fields.Selection(related="product_id.tracking")

    _complaint_place_uniq = models.UniqueIndex(
        "(complaint_id, place_id) WHERE complaint_id IS NOT NULL",
        "This place is being sorted for this complaint already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("sorting_ids.lot_id")
    def _compute_sorted_lot_ids(self):
        for inspection in self:
            inspection.sorted_lot_ids = inspection.sorting_ids.lot_id

    @api.depends(
        "qty_expected",
        "sorting_ids.qty_good",
        "sorting_ids.qty_bad",
        "sorting_ids.qty_suspect",
        "sorting_ids.undone",
    )
    def _compute_quantities(self):
        for inspection in self:
            counted = inspection.sorting_ids.filtered(lambda s: not s.undone)
            inspection.qty_good = sum(counted.mapped("qty_good"))
            inspection.qty_bad = sum(counted.mapped("qty_bad"))
            inspection.qty_suspect = sum(counted.mapped("qty_suspect"))
            inspection.qty_checked = (
                inspection.qty_good + inspection.qty_bad + inspection.qty_suspect
            )
            inspection.qty_left = inspection.qty_expected - inspection.qty_checked

    @api.depends("place_id.location_id")
    def _compute_is_ours(self):
        for inspection in self:
            inspection.is_ours = bool(inspection.place_id.location_id)

    def _compute_qty_in_stock(self):
        stock = self._get_own_stock()
        for inspection in self:
            key = (inspection.place_id.location_id, inspection.product_id)
            inspection.qty_in_stock = stock.get(key, 0)

    def _get_own_stock(self):
        """Return ``{(location, product): quantity}`` of our stock at these places."""
        # Residents see what lies at their places without stock rights.
        return {
            (location, product): quantity
            for location, product, quantity in self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("location_id", "in", self.place_id.location_id.ids),
                    ("product_id", "in", self.product_id.ids),
                ],
                ["location_id", "product_id"],
                ["quantity:sum"],
            )
        }

    # === CRUD METHODS === #

    def write(self, vals):
        if "state" in vals and not self.env["quality.complaint"]._is_gate_open():
            guarded = self.filtered("complaint_id")
            if guarded:
                raise UserError(
                    self.env._(
                        "The status of %(names)s cannot be set directly: use the "
                        "buttons of the sorting.",
                        names=", ".join(guarded.mapped("name")),
                    )
                )
        return super().write(vals)

    # === ACTIONS === #

    def _with_gate(self):
        return self.with_env(self.env["quality.complaint"]._with_gate().env)

    def action_confirm(self):
        """Call a place screened once all that lay there is counted.

        Core's verdict is about its questions alone, and an inspection without any
        passes; here bad or suspect parts fail the place.

        :raise UserError: parts are left to check, or more were checked than lay there
        """
        sortings = self.filtered("complaint_id")
        others = self - sortings
        if others:
            super(QcInspection, others).action_confirm()
        for sorting in sortings:
            if gap := sorting._get_gap():
                raise UserError(gap)
        if sortings:
            super(QcInspection, sortings._with_gate()).action_confirm()
        for sorting in sortings._with_gate():
            clean = sorting.success and not (sorting.qty_bad or sorting.qty_suspect)
            sorting.state = "success" if clean else "failed"
        return True

    def _get_gap(self):
        """Return what keeps this place from being screened, or ''."""
        self.ensure_one()
        left = self.uom_id.round(self.qty_left) if self.uom_id else self.qty_left
        if not left:
            return ""
        values = {
            "place": self.place_id.display_name,
            "there": self.qty_expected,
            "checked": self.qty_checked,
            "left": abs(left),
        }
        if left > 0:
            return self.env._(
                "%(place)s: %(there)g lie there, %(checked)g are checked, %(left)g are "
                "left. Check them, or correct what lies there.",
                **values,
            )
        return self.env._(
            "%(place)s: %(checked)g are checked, but only %(there)g lie there. Correct "
            "what lies there, or undo the count that is wrong.",
            **values,
        )

    def action_reopen_sorting(self):
        """Sort a place again, after a breakpoint failed or parts came in."""
        self.check_access("write")
        self._with_gate().write({"state": "ready"})
        self._snapshot_expected()
        return True

    def _snapshot_expected(self):
        """Note what lies at the places now: our stock, plus what was sorted out."""
        ours = self.filtered("is_ours")
        stock = ours._get_own_stock()
        for inspection in ours:
            key = (inspection.place_id.location_id, inspection.product_id)
            inspection.qty_expected = (
                stock.get(key, 0) + inspection.qty_bad + inspection.qty_suspect
            )

    def action_open_sorting(self):
        """Open the counting screen of one place."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.place_id.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (
                    self.env.ref("quality_resident.qc_inspection_view_form_sorting").id,
                    "form",
                )
            ],
        }
