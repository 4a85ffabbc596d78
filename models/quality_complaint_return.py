from odoo import api, fields, models
from odoo.fields import Command


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    return_ids = fields.Many2many(
        comodel_name="quality.return",
        relation="quality_return_complaint_rel",
        column1="complaint_id",
        column2="return_id",
        string="Returns",
        readonly=True,
        copy=False,
    )
    return_count = fields.Integer(compute="_compute_return_count")
    return_judgement_ids = fields.Many2many(
        comodel_name="quality.return.judgement",
        string="Found on Returned Parts",
        compute="_compute_return_judgement_ids",
    )

    @api.depends("return_ids")
    def _compute_return_count(self):
        for complaint in self:
            complaint.return_count = len(complaint.return_ids)

    @api.depends("return_ids.judgement_ids.undone")
    def _compute_return_judgement_ids(self):
        for complaint in self:
            complaint.return_judgement_ids = (
                complaint.return_ids.judgement_ids.filtered(
                    lambda j, complaint=complaint: (
                        not j.undone and j.product_id == complaint.product_id
                    )
                )
            )

    def action_create_return(self):
        """Open a new return of what the sorting found bad or suspect (R1)."""
        self.ensure_one()
        self.check_access("write")
        return self._open_new_return(self.inspection_ids.sorting_ids)

    def _open_new_return(self, tranches):
        rows = {}
        site = self.site_id
        for tranche in tranches.filtered(lambda t: not t.undone):
            ours = tranche.place_id.location_id
            for quantity, place in (
                (tranche.qty_suspect, site.suspect_location_id),
                (tranche.qty_bad, site.rework_location_id),
            ):
                if quantity:
                    source = place if ours else site._get_customer_location()
                    key = (
                        tranche.product_id,
                        tranche.lot_id,
                        source,
                        tranche.defect_id,
                    )
                    rows[key] = rows.get(key, 0) + quantity
        # What has been sorted again or has left since is not there any more.
        held = {
            (line["lot_id"], line["location_id"]): line["quantity"]
            for line in self._get_held_parts()
        }
        for key in [key for key in rows if key[2].usage != "customer"]:
            rows[key] = min(rows[key], held.get((key[1].id, key[2].id), 0))
        rows = {key: quantity for key, quantity in rows.items() if quantity > 0}
        if not rows and self.product_id:
            lot = self.lot_ids[:1]
            place = self.env["stock.location"]
            rows[self.product_id, lot, place, self.defect_id] = self.quantity or 1
        document = self.env["quality.return"].create(
            {
                "site_id": site.id,
                "complaint_ids": [Command.link(self.id)],
                "reason": self.description,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "lot_id": lot.id,
                            "quantity": quantity,
                            "defect_id": (defect or self.defect_id).id,
                            **({"location_id": source.id} if source else {}),
                        }
                    )
                    for (product, lot, source, defect), quantity in rows.items()
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "quality.return",
            "res_id": document.id,
            "views": [(False, "form")],
        }

    def action_view_returns(self):
        """Open the returns of this complaint."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_return_action"
        )
        action["domain"] = [("complaint_ids", "in", self.ids)]
        action["context"] = {
            "default_site_id": self.site_id.id,
            "default_complaint_ids": self.ids,
        }
        return action


class QcInspection(models.Model):
    _inherit = "qc.inspection"

    def action_create_return(self):
        """Open a new return of what was found bad or suspect at this place."""
        self.ensure_one()
        self.check_access("write")
        return self.complaint_id._open_new_return(self.sorting_ids)
