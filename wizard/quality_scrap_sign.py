from odoo import api, fields, models
from odoo.exceptions import UserError


class QualityScrapSign(models.TransientModel):
    """Agree to one or many scrap requests, or refuse them, with a comment."""

    _name = "quality.scrap.sign"
    _description = "Sign Scrap"

    request_ids = fields.Many2many(
        comodel_name="quality.scrap.request", required=True, readonly=True
    )
    # {request: what its list was when this dialogue was opened}
    seen = fields.Json(readonly=True)
    comment = fields.Text()

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if "request_ids" not in fields:
            return values
        requests = self.env["quality.scrap.request"].browse(
            self.env.context.get("active_ids", [])
        )
        requests = requests.filtered("can_sign")
        if not requests:
            raise UserError(
                self.env._("None of these requests waits for your signature.")
            )
        values["request_ids"] = [(6, 0, requests.ids)]
        values["seen"] = {str(r.id): r.change_count for r in requests}
        return values

    def action_agree(self):
        """Sign all of them for the user's own side."""
        self._ensure_seen()
        self.request_ids.action_sign(comment=self.comment)
        return {"type": "ir.actions.act_window_close"}

    def action_refuse(self):
        """Send all of them back with the comment as the reason."""
        self._ensure_seen()
        self.request_ids.action_refuse(reason=self.comment)
        return {"type": "ir.actions.act_window_close"}

    def _ensure_seen(self):
        self.ensure_one()
        self.request_ids._ensure_unchanged(self.seen or {})
