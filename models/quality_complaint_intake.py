from odoo import api, fields, models
from odoo.exceptions import UserError


class QualityComplaint(models.Model):
    """What happens when a complaint comes in, and whom it is told (C1, C2)."""

    _inherit = "quality.complaint"

    # === CRUD METHODS === #

    @api.model
    def _get_vals_company(self, vals):
        site = self.env["resident.site"].browse(vals.get("site_id"))
        # Numbering must not fail before the right to use the site is checked.
        return site.sudo().company_id or self.env.company

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._fill_sites_and_parts(vals_list)
        for site in self.env["resident.site"].browse(
            {vals["site_id"] for vals in vals_list if vals.get("site_id")}
        ):
            # Also who may not read the site is told that it is closed.
            if not site.sudo().active:
                raise UserError(
                    self.env._(
                        "The site %(site)s is archived: choose another “Site”.",
                        site=site.sudo().name,
                    )
                )
        complaints = super().create(vals_list)
        complaints._adopt_photos()
        if not self._is_gate_open():
            # A patrol finds the defect where the resident stands.
            found = complaints.filtered(lambda c: c.channel == "patrol")
            found._write_protected({"arrived_at": fields.Datetime.now()})
            # He hears of what the customer answers.
            for complaint in complaints.filtered(
                lambda c: c.channel in ("email", "portal")
            ):
                complaint.message_subscribe(complaint.resident_id.partner_id.ids)
            complaints._emit_event("new")
            complaints._emit_findings()
        return complaints

    def write(self, vals):
        if "called_at" in vals or "site_id" in vals:
            self._check_clock_basis(vals)
        result = super().write(vals)
        if "photo_ids" in vals:
            self._adopt_photos()
        if {"line_stop_minutes", "site_id", "product_id", "part_id", "defect_id"} & set(
            vals
        ):
            self._emit_findings()
        return result

    @api.model
    def _fill_sites_and_parts(self, vals_list):
        """Complete the site, and the part of who names only site and product.

        Once for the whole batch: the ORM would ask for the default per record.
        """
        default = {}
        if any("site_id" not in vals for vals in vals_list):
            default = self.default_get(["site_id"])
        vals_list = [{**default, **vals} for vals in vals_list]
        for vals in vals_list:
            if vals.get("part_id") and not vals.get("product_id"):
                # An empty product leaves it to the part.
                vals.pop("product_id", None)
            # The site decides; who names its company says nothing new.
            site = self.env["resident.site"].browse(vals.get("site_id"))
            if vals.get("company_id") and vals["company_id"] == site.company_id.id:
                del vals["company_id"]
        lacking = [v for v in vals_list if v.get("product_id") and not v.get("part_id")]
        parts = self.env["resident.part"]._search_for(
            (v.get("site_id"), v["product_id"]) for v in lacking
        )
        for vals in lacking:
            if part := parts.get((vals.get("site_id"), vals["product_id"])):
                vals["part_id"] = part.id
        return vals_list

    def _adopt_photos(self):
        """Tie photos uploaded before the first save to their complaint."""
        for complaint in self:
            complaint.photo_ids._tie_to(complaint)

    # === EVENTS === #

    def _emit_findings(self):
        """Say that a defect recurs or that the line stands, once each."""
        self.filtered("recurrence_of_id")._emit_event("recurring")
        # Told anew each time it has doubled.
        stopped = self.filtered("line_stop_minutes")
        for size, complaints in stopped.grouped(
            lambda c: c.line_stop_minutes.bit_length()
        ).items():
            complaints._emit_event("line_stop", key=f"size {size}")

    def _is_event_true(self, event):
        if event.kind == "recurring":
            return bool(self.recurrence_of_id)
        if event.kind == "line_stop":
            return bool(self.line_stop_minutes)
        return super()._is_event_true(event)

    def _get_event_users(self, role):
        users = super()._get_event_users(role)
        if role == "resident" and self.resident_id:
            return self.resident_id
        if role == "standin":
            return (users | self.standin_id) - self.resident_id
        return users
