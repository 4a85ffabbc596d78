from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

SCREENED_STATES = ("success", "failed")
# What only the containment sets on a sorting.
GUARDED = {
    "state",
    "complaint_id",
    "site_id",
    "company_id",
    "place_id",
    "product_id",
    "object_id",
    "sorting_round",
    "held_area",
    "qty_checked",
    "qty_good",
    "qty_bad",
    "qty_suspect",
    "qty_left",
    "used_method_id",
}
# What is told of a customer's place; of ours the stock tells it.
TOLD = {"qty_expected", "is_empty"}


class QcInspection(models.Model):
    """The sorting of one place in a containment (spec.md C6).

    Counted in tranches (``quality.sorting``); what is asked of each part comes from the
    quality module's test for this product and customer.
    """

    _inherit = "qc.inspection"

    # Core's own labels, which it translates to few languages: so we can.
    state = fields.Selection(
        selection_add=[
            ("plan", "Plan"),
            ("draft", "Draft"),
            ("ready", "Ready"),
            ("waiting", "Waiting supervisor approval"),
            ("success", "Quality success"),
            ("failed", "Quality failed"),
            ("canceled", "Canceled"),
        ]
    )
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
    held_area = fields.Selection(
        selection=[("suspect", "Suspect Area"), ("rework", "Rework Area")],
        string="Held Parts",
        readonly=True,
        copy=False,
        help="Parts put aside by the other sortings are judged again here: good ones "
        "go back to the intermediate warehouse.",
    )
    sorting_ids = fields.One2many("quality.sorting", "inspection_id")
    sorting_round = fields.Integer(
        string="Round",
        default=1,
        readonly=True,
        copy=False,
        help="A place that is sorted again is counted anew.",
    )
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
    is_empty = fields.Boolean(
        string="Nothing Lies Here",
        copy=False,
        help="Looked at, and no such part lies at this place of the customer's.",
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
        "sorting_round",
    )
    def _compute_quantities(self):
        for inspection in self:
            counted = inspection._get_counted()
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
        places = {
            shelf: location
            for location, shelves in self.place_id.location_id._get_shelves().items()
            for shelf in shelves
        }
        stock = defaultdict(float)
        # Residents see what lies at their places without stock rights.
        for shelf, product, quantity in (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("location_id", "in", [shelf.id for shelf in places]),
                    ("product_id", "in", self.product_id.ids),
                ],
                ["location_id", "product_id"],
                ["quantity:sum"],
            )
        ):
            stock[places[shelf], product] += quantity
        return stock

    @api.constrains("is_empty", "qty_expected", "qty_checked")
    def _check_is_empty(self):
        for sorting in self:
            if sorting.is_empty and (sorting.qty_expected or sorting.qty_checked):
                raise ValidationError(
                    self.env._(
                        "%(place)s: parts lie there or are counted. Take out "
                        "“Nothing Lies Here”, or correct what lies there.",
                        place=sorting.place_id.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def _is_gate_open(self):
        return self.env["quality.complaint"]._is_gate_open()

    def _with_gate(self):
        return self.with_env(self.env["quality.complaint"]._with_gate().env)

    @api.model_create_multi
    def create(self, vals_list):
        forged = any(vals.get("complaint_id") for vals in vals_list)
        if forged and not self._is_gate_open():
            raise UserError(
                self.env._("“Open Containment” of the complaint makes its sortings.")
            )
        return super().create(vals_list)

    def write(self, vals):
        if not self._is_gate_open():
            self.filtered("complaint_id")._check_guarded(set(vals))
        return super().write(vals)

    def _check_guarded(self, names):
        for sorting in self:
            guarded = names & GUARDED
            if sorting.is_ours or sorting.state in SCREENED_STATES:
                guarded = guarded | (names & TOLD)
            if guarded:
                raise UserError(
                    self.env._(
                        "%(fields)s of the sorting %(name)s cannot be set directly: "
                        "count, or use its buttons.",
                        fields=", ".join(
                            sorted(
                                self._fields[n]._description_string(self.env)
                                for n in guarded
                            )
                        ),
                        name=sorting.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    # A guard has nothing to return.
    def _unlink_except_autogenerated_and_non_draft(self):  # pylint: disable=missing-return
        # The quality module's own guard expects a single record.
        for inspection in self:
            super(QcInspection, inspection)._unlink_except_autogenerated_and_non_draft()

    # === ACTIONS === #

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
            return self._get_silence_gap()
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

    def _get_silence_gap(self):
        """Return what to say of a customer's place where nothing was counted, or ''."""
        if self.is_ours or self.is_empty or self.qty_checked:
            return ""
        return self.env._(
            "%(place)s: nothing is counted. Count what lies there, or tick “Nothing "
            "Lies Here”.",
            place=self.place_id.display_name,
        )

    def action_reopen_sorting(self):
        """Sort on at a screened place, where parts came in or a count was wrong."""
        self.check_access("write")
        for complaint in self.complaint_id:
            complaint._ensure_open()
        self._with_gate().write({"state": "ready", "is_empty": False})
        self._snapshot_expected()
        return True

    def _start_round(self):
        """Count the place anew: what was counted before proves nothing any more."""
        for sorting in self._with_gate():
            sorting.write(
                {
                    "state": "ready",
                    "qty_expected": sorting.qty_good,
                    "is_empty": False,
                    "sorting_round": sorting.sorting_round + 1,
                }
            )
        self._snapshot_expected()

    def _get_counted(self):
        """Return the tranches of this round that count."""
        self.ensure_one()
        return self.sorting_ids.filtered(
            lambda s: not s.undone and s.sorting_round == self.sorting_round
        )

    def _snapshot_expected(self):
        """Note what lies at our places now, plus what this round has sorted out."""
        ours = self._with_gate().filtered("is_ours")
        stock = ours._get_own_stock()
        for inspection in ours:
            key = (inspection.place_id.location_id, inspection.product_id)
            inspection.qty_expected = stock.get(key, 0) + inspection._get_sorted_out()

    def _get_sorted_out(self):
        """Return what this round's counts have moved to another place."""
        self.ensure_one()
        stays = {"suspect": self.qty_suspect, "rework": self.qty_bad}
        return self.qty_checked - stays.get(self.held_area, self.qty_good)

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


class QcInspectionLine(models.Model):
    _inherit = "qc.inspection.line"

    @api.depends("uom_id", "test_uom_id", "quantitative_value")
    def _compute_quality_test_check(self):
        """Convert to the unit of the test, which the quality module fails to do."""
        result = super()._compute_quality_test_check()
        for line in self.filtered(
            lambda li: (
                li.question_type != "qualitative"
                and li.uom_id
                and li.uom_id != li.test_uom_id
            )
        ):
            amount = line.uom_id._compute_quantity(
                line.quantitative_value, line.test_uom_id, round=False
            )
            line.success = line.max_value >= amount >= line.min_value
        return result
