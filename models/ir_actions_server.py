from odoo import models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_mail_post_multi(self, eval_context=None):
        """Mail a resident event to the people whom the site's routing names."""
        if self.model_name == "resident.event" and self.mail_post_method == "email":
            events = self.env["resident.event"].browse(
                self.env.context.get("active_ids")
            )
            events._mail_site(self.template_id)
            return False
        return super()._run_action_mail_post_multi(eval_context=eval_context)
