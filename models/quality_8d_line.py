from odoo import api, fields, models


class Quality8dLine(models.AbstractModel):
    """A line of an 8D report: it belongs to its site and is locked with it."""

    _name = "quality.8d.line"
    _description = "Line of an 8D Report"
    _inherit = "resident.site.mixin"

    eightd_id = fields.Many2one(
        comodel_name="quality.8d",
        string="8D Report",
        required=True,
        index=True,
        ondelete="cascade",
    )
    site_id = fields.Many2one(
        related="eightd_id.site_id", store=True, precompute=True, required=False
    )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._touch_eightd()
        return lines

    def write(self, vals):
        self._touch_eightd()
        result = super().write(vals)
        if "eightd_id" in vals:
            # Record rules judge the report before the write; this judges the new one.
            self.check_access("write")
            self._touch_eightd()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        self._touch_eightd()

    def _touch_eightd(self):
        """A line changes its report: not one that is sent, nor one signed off."""
        self.eightd_id._ensure_in_work()
        self.eightd_id._withdraw_sign_off()
