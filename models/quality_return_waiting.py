from odoo import api, fields, models
from odoo.fields import Domain

from .quality_scrap_signing import DIGEST_AFTER


class QualityReturn(models.Model):
    """Returns in the morning mail of those at home whose decision they wait for."""

    _inherit = "quality.return"

    can_sign = fields.Boolean(
        string="Waiting for Me", compute="_compute_can_sign", search="_search_can_sign"
    )
    days_waiting = fields.Integer(compute="_compute_days_waiting")

    @api.depends_context("uid")
    @api.depends("state", "requested_by_id", "site_id")
    def _compute_can_sign(self):
        waiting = self.filtered_domain(self._get_sign_domain())
        for document in self:
            document.can_sign = document in waiting

    @api.model
    def _search_can_sign(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._get_sign_domain()
        return domain if True in value else ~domain

    @api.model
    def _get_sign_domain(self):
        """Return the domain of the returns that this user should decide on.

        Other managers may as well; it is the site's own who is asked.
        """
        user = self.env.user
        sides = Domain.FALSE
        if user.has_group("quality_resident.group_quality"):
            sides |= Domain("site_id.quality_user_ids", "in", user.ids)
        if user.has_group("quality_resident.group_manager"):
            sides |= Domain("site_id.manager_id", "=", user.id)
        return (
            Domain("state", "=", "requested")
            & Domain("requested_by_id", "!=", user.id)
            & sides
        )

    def _compute_days_waiting(self):
        now = fields.Datetime.now()
        for document in self:
            since = document.state == "requested" and document.requested_at
            document.days_waiting = (now - since).days if since else 0

    @api.model
    def _get_waiting_users(self):
        """Return everybody for whose decision a return has waited for some hours."""
        waiting = self.search(
            [
                ("state", "=", "requested"),
                ("requested_at", "<", fields.Datetime.now() - DIGEST_AFTER),
            ]
        )
        return waiting.site_id.quality_user_ids | waiting.site_id.manager_id

    def _get_digest_text(self):
        """Return what the morning's mail says of this return."""
        return "\n".join((self.site_id.name, self._get_parts_text()))
