from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    scrap_request_ids = fields.One2many("quality.scrap.request", "complaint_id")
    scrap_count = fields.Integer(compute="_compute_scrap_count")

    def _compute_scrap_count(self):
        counts = dict(
            self.env["quality.scrap.request"]._read_group(
                [("complaint_id", "in", self.ids)], ["complaint_id"], ["__count"]
            )
        )
        for complaint in self:
            complaint.scrap_count = counts.get(complaint, 0)

    def action_request_scrap(self):
        """Make a scrap request of what this complaint's sorting has put aside.

        :return: action that opens the draft
        :raise UserError: nothing of it is held at the site
        """
        self.ensure_one()
        self._ensure_filled("product_id")
        lines = self._get_held_parts()
        if not lines:
            raise UserError(
                self.env._(
                    "Nothing of %(product)s is held at %(site)s: bad and suspect parts "
                    "get there when they are counted in the sorting.",
                    product=self.product_id.display_name,
                    site=self.site_id.name,
                )
            )
        request = self.env["quality.scrap.request"].create(
            {
                "site_id": self.site_id.id,
                "complaint_id": self.id,
                "line_ids": [Command.create(line) for line in lines],
            }
        )
        return {**self._get_scrap_action(), "res_id": request.id}

    def _get_held_parts(self):
        """Return the values of a line for each lot held at the site."""
        self.ensure_one()
        site = self.site_id
        held = (
            site.suspect_location_id | site.rework_location_id | site.return_location_id
        )
        domain = [
            ("location_id", "child_of", held.ids),
            ("product_id", "=", self.product_id.id),
        ]
        if lots := self.lot_ids | self.sorting_ids.lot_id:
            domain.append(("lot_id", "in", lots.ids))
        # Residents see what is held at their site without stock rights.
        quants = self.env["stock.quant"].sudo()
        return [
            {
                "product_id": self.product_id.id,
                "lot_id": lot.id,
                "location_id": location.id,
                "quantity": free,
            }
            for location, lot, quantity, reserved in quants._read_group(
                domain,
                ["location_id", "lot_id"],
                ["quantity:sum", "reserved_quantity:sum"],
            )
            if self.uom_id.compare(free := quantity - reserved, 0) > 0
        ]

    def action_view_scraps(self):
        """Open the scrap requests of this complaint."""
        self.ensure_one()
        action = self._get_scrap_action()
        action["views"] = [(False, "list"), (False, "kanban"), (False, "form")]
        action["domain"] = [("complaint_id", "=", self.id)]
        action["context"] = {
            "default_site_id": self.site_id.id,
            "default_complaint_id": self.id,
        }
        return action

    def _get_scrap_action(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_scrap_request_action"
        )
        return {**action, "views": [(False, "form")], "context": {}}
