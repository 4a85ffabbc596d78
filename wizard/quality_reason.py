from odoo import fields, models
from odoo.exceptions import UserError


class QualityReason(models.TransientModel):
    """Asks why, then calls the action that needs the reason."""

    _name = "quality.reason"
    _description = "Reason"

    reason = fields.Text(required=True)

    def action_apply(self):
        """Call the context's ``reason_action`` on the active records."""
        self.ensure_one()
        model = self.env.get(self.env.context.get("active_model"))
        action = self.env.context.get("reason_action")
        if model is None or action not in getattr(model, "_reason_actions", ()):
            raise UserError(self.env._("Open this dialogue from a document's button."))
        records = model.browse(self.env.context.get("active_ids", []))
        result = getattr(records, action)(reason=self.reason)
        if isinstance(result, dict):
            return result
        return {"type": "ir.actions.act_window_close"}
