from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_is_zero


class QualitySorting(models.Model):
    """One counted tranche of a sorting: checked = good + bad + suspect (C6).

    Where the stock is ours the count moves it. A tranche is never edited; a wrong one
    is undone, which moves the stock back, and counted again.
    """

    _name = "quality.sorting"
    _description = "Sorted Tranche"
    _inherit = ["quality.workflow.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _state_field = "undone"
    _protected_fields = (
        "user_id",
        "date",
        "sorting_round",
        "move_ids",
        "complaint_id",
        "site_id",
        "company_id",
        "place_id",
        "product_id",
    )

    inspection_id = fields.Many2one(
        comodel_name="qc.inspection",
        string="Sorting",
        required=True,
        index=True,
        ondelete="restrict",
    )
    complaint_id = fields.Many2one(
        related="inspection_id.complaint_id", store=True, index=True, precompute=True
    )
    site_id = fields.Many2one(
        related="complaint_id.site_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(
        related="site_id.company_id", store=True, index=True, precompute=True
    )
    place_id = fields.Many2one(
        related="inspection_id.place_id", store=True, precompute=True
    )
    product_id = fields.Many2one(
        related="inspection_id.product_id", store=True, precompute=True
    )
    tracking = fields.Selection(related="product_id.tracking")
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    qty_checked = fields.Float(
        string="Checked",
        compute="_compute_qty_checked",
        store=True,
        readonly=False,
        precompute=True,
        digits="Product Unit",
    )
    qty_good = fields.Float(string="Good", digits="Product Unit")
    qty_bad = fields.Float(string="Bad", digits="Product Unit")
    qty_suspect = fields.Float(string="Suspect", digits="Product Unit")
    defect_id = fields.Many2one(
        comodel_name="quality.defect",
        compute="_compute_defect_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
    )
    photo_ids = fields.Many2many(comodel_name="ir.attachment", string="Photos")
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Sorted by",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    date = fields.Datetime(
        string="Counted", required=True, readonly=True, default=fields.Datetime.now
    )
    undone = fields.Boolean(readonly=True)
    sorting_round = fields.Integer(
        string="Round", compute="_compute_sorting_round", store=True, precompute=True
    )
    move_ids = fields.Many2many(
        comodel_name="stock.move", readonly=True, groups="stock.group_stock_user"
    )

    _not_negative = models.Constraint(
        "CHECK (qty_good >= 0 AND qty_bad >= 0 AND qty_suspect >= 0 "
        "AND qty_checked > 0)",
        "A tranche counts at least one part, and no quantity is negative.",
    )

    @api.depends("inspection_id")
    def _compute_sorting_round(self):
        """The round in which it was counted: later ones do not change it."""
        for tranche in self:
            tranche.sorting_round = tranche.inspection_id.sorting_round

    @api.depends("qty_good", "qty_bad", "qty_suspect")
    def _compute_qty_checked(self):
        for tranche in self:
            tranche.qty_checked = (
                tranche.qty_good + tranche.qty_bad + tranche.qty_suspect
            )

    @api.depends("inspection_id", "qty_bad")
    def _compute_defect_id(self):
        for tranche in self:
            complaint = tranche.inspection_id.complaint_id
            if tranche.qty_bad and not tranche.defect_id:
                tranche.defect_id = complaint.defect_id
            else:
                tranche.defect_id = tranche.defect_id

    @api.constrains("qty_checked", "qty_good", "qty_bad", "qty_suspect")
    def _check_balance(self):
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        for tranche in self:
            total = tranche.qty_good + tranche.qty_bad + tranche.qty_suspect
            if not float_is_zero(tranche.qty_checked - total, precision_digits=digits):
                raise ValidationError(
                    self.env._(
                        "%(place)s: %(checked)g checked, but good %(good)g, bad "
                        "%(bad)g and suspect %(suspect)g make %(total)g. Count again.",
                        place=tranche.place_id.display_name,
                        checked=tranche.qty_checked,
                        good=tranche.qty_good,
                        bad=tranche.qty_bad,
                        suspect=tranche.qty_suspect,
                        total=total,
                    )
                )

    @api.constrains("qty_bad", "defect_id")
    def _check_defect_id(self):
        for tranche in self:
            if tranche.qty_bad and not tranche.defect_id:
                raise ValidationError(
                    self.env._("Bad parts need a “Defect”: choose what is wrong.")
                )

    @api.constrains("lot_id", "qty_checked")
    def _check_lot_id(self):
        for tranche in self:
            product = tranche.product_id
            if tranche.lot_id and tranche.lot_id.product_id != product:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not of %(product)s.",
                        lot=tranche.lot_id.name,
                        product=product.display_name,
                    )
                )
            if product.tracking == "serial" and tranche.lot_id:
                if tranche.qty_checked != 1:
                    raise ValidationError(
                        self.env._(
                            "%(lot)s is a serial number: count it once.",
                            lot=tranche.lot_id.name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        tranches = super().create(vals_list)
        for complaint in tranches.complaint_id:
            complaint._ensure_open()
        for inspection in tranches.inspection_id:
            if inspection.state in ("success", "failed", "canceled"):
                raise UserError(
                    self.env._(
                        "%(place)s has been screened. Open its sorting again first.",
                        place=inspection.place_id.display_name,
                    )
                )
        tranches._check_lots()
        tranches._sort_out()
        return tranches

    def _check_lots(self):
        """Ask for the lot of our own stock, and for each serial number once."""
        for tranche in self:
            ours = tranche.place_id.location_id
            if ours and tranche.tracking != "none" and not tranche.lot_id:
                raise UserError(
                    self.env._(
                        "%(place)s: choose the “Lot”, the stock there is ours.",
                        place=tranche.place_id.display_name,
                    )
                )
        serials = self.filtered(lambda t: t.tracking == "serial" and t.lot_id)
        if not serials:
            return
        for inspection, lot, sorting_round, times in self._read_group(
            [
                ("inspection_id", "in", serials.inspection_id.ids),
                ("lot_id", "in", serials.lot_id.ids),
                ("undone", "=", False),
            ],
            ["inspection_id", "lot_id", "sorting_round"],
            ["__count"],
        ):
            if times > 1 and sorting_round == inspection.sorting_round:
                raise UserError(
                    self.env._(
                        "The serial number %(lot)s has been counted at %(place)s.",
                        lot=lot.name,
                        place=inspection.place_id.display_name,
                    )
                )

    # === ACTIONS === #

    def action_undo(self):
        """Undo a wrong count: its stock goes back, the record stays.

        Whoever counted may undo his own, the manager every count.
        """
        self.inspection_id.check_access("write")
        for tranche in self:
            if tranche.inspection_id.state in ("success", "failed"):
                raise UserError(
                    self.env._(
                        "%(place)s has been screened. Open its sorting again first.",
                        place=tranche.place_id.display_name,
                    )
                )
            if tranche.user_id != self.env.user and not self.env.user.has_group(
                "quality_resident.group_manager"
            ):
                raise UserError(
                    self.env._(
                        "%(user)s counted this tranche: he or the manager undoes it.",
                        user=tranche.user_id.name,
                    )
                )
        todo = self.filtered(lambda t: not t.undone)
        plan = [
            (tranche, line.location_dest_id, line.location_id, line.quantity)
            for tranche in todo
            for line in tranche.sudo().move_ids.move_line_ids
        ]
        self._move_parts(plan)
        # Tranches are written by no user but through this.
        todo.sudo()._write_protected({"undone": True})
        return True
