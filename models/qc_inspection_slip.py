from odoo import api, fields, models
from odoo.tools import SQL

from .qc_inspection import SCREENED_STATES


class QcInspection(models.Model):
    """What a sorting leaves in boxes: suspect slips and status labels (C9, C10)."""

    _name = "qc.inspection"
    _inherit = ["qc.inspection", "quality.label.mixin"]

    slip_ids = fields.One2many(
        "quality.suspect.slip", "inspection_id", string="Suspect Slips"
    )
    used_method_id = fields.Many2one(
        comodel_name="quality.method",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The version that was current when the place was screened.",
    )
    method_id = fields.Many2one(
        comodel_name="quality.method", compute="_compute_method_id"
    )
    method_text = fields.Text(string="How to Sort", compute="_compute_method_id")
    method_file_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Documents",
        compute="_compute_method_id",
    )

    @api.depends("used_method_id", "state", "product_id", "site_id")
    def _compute_method_id(self):
        keys = {s: ("sort", s.product_id, s.site_id) for s in self}
        current = self.env["quality.method"]._find_current(keys.values())
        for sorting in self:
            done = sorting.state in SCREENED_STATES
            method = sorting.used_method_id if done else current[keys[sorting]]
            sorting.method_id = method
            sorting.method_text = method.instruction
            sorting.method_file_ids = method.file_ids

    def action_confirm(self):
        current = {sorting: sorting.method_id for sorting in self}
        result = super().action_confirm()
        for sorting in self.filtered("complaint_id")._with_gate():
            sorting.used_method_id = current[sorting]
        return result

    # === SUSPECT SLIPS === #

    def action_make_slips(self):
        """Make a suspect slip of each lot's bad and suspect parts that has none.

        Safe to run again: only what was counted since gets a slip.
        """
        self.check_access("write")
        if not self.ids:
            return True
        # Two who press at once: the second starts anew with what the first has made,
        # because this row has changed for him.
        self.env.cr.execute(
            SQL(
                "UPDATE qc_inspection SET write_date = write_date WHERE id IN %s",
                tuple(self.ids),
            )
        )
        self.env["quality.suspect.slip"]._create_protected(
            [
                {
                    "complaint_id": sorting.complaint_id.id,
                    "inspection_id": sorting.id,
                    "product_id": sorting.product_id.id,
                    "place_id": sorting.place_id.id,
                    "lot_id": lot.id,
                    "defect_id": defect.id,
                    "found_as": verdict,
                    "state": verdict,
                    "quantity": quantity,
                }
                for (sorting, lot, verdict), (quantity, defect) in (
                    self._count_without_slip().items()
                )
                if sorting.uom_id.compare(quantity, 0) > 0
            ]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_suspect_slip_action"
        )
        return {**action, "domain": [("inspection_id", "in", self.ids)], "context": {}}

    def _count_without_slip(self):
        """Return ``{(sorting, lot, verdict): (quantity, defect)}`` not on slips yet."""
        counted = {}
        for sorting, lot, defects, bad, suspect in self.env[
            "quality.sorting"
        ]._read_group(
            # What an earlier round found was set apart as well.
            [("inspection_id", "in", self.ids), ("undone", "=", False)],
            ["inspection_id", "lot_id"],
            ["defect_id:recordset", "qty_bad:sum", "qty_suspect:sum"],
        ):
            # Several defects in one box: the complaint's.
            defect = defects if len(defects) == 1 else sorting.complaint_id.defect_id
            counted[sorting, lot, "bad"] = (bad, defect)
            counted[sorting, lot, "suspect"] = (suspect, sorting.complaint_id.defect_id)
        for sorting, lot, verdict, quantity in self.env[
            "quality.suspect.slip"
        ]._read_group(
            [("inspection_id", "in", self.ids)],
            ["inspection_id", "lot_id", "found_as"],
            ["quantity:sum"],
        ):
            total, defect = counted.get((sorting, lot, verdict), (0, None))
            counted[sorting, lot, verdict] = (total - quantity, defect)
        return counted

    # === LABELS === #

    @api.model
    def _get_label_statuses(self):
        return ["good", "reworked"]

    def _get_label_values(self):
        return {
            **super()._get_label_values(),
            "status": "good",
            "product": self.product_id,
            "quantity": self.qty_good,
            "lots": self.sorted_lot_ids,
        }
