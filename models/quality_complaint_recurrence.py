from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain


class QualityComplaint(models.Model):
    """The same defect again: after it was closed, or while it is open (C5)."""

    _inherit = "quality.complaint"

    recurrence_of_id = fields.Many2one(
        comodel_name="quality.complaint",
        string="Recurrence of",
        compute="_compute_recurrence_of_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        copy=False,
        help="The closed complaint with the same site, product and defect.",
    )
    twin_ids = fields.Many2many(
        comodel_name="quality.complaint",
        string="Also Open",
        compute="_compute_twin_ids",
        help="Open complaints with the same site, product and defect.",
    )

    @api.depends("site_id", "product_id", "defect_id", "called_at")
    def _compute_recurrence_of_id(self):
        """Find the last complaint closed within the company's period, in one query."""
        keyed = self.filtered(lambda c: c.site_id and c.product_id and c.defect_id)
        self.recurrence_of_id = False
        if not keyed:
            return
        # A recurrence counts whoever wrote the earlier complaint.
        closed = self.sudo().search(
            Domain("site_id", "in", keyed.site_id.ids)
            & Domain("product_id", "in", keyed.product_id.ids)
            & Domain("defect_id", "in", keyed.defect_id.ids)
            & Domain("state", "=", "closed"),
            order="closed_at desc, id desc",
        )
        by_key = closed.grouped(lambda c: (c.site_id, c.product_id, c.defect_id))
        for complaint in keyed:
            called_at = complaint.called_at or fields.Datetime.now()
            since = called_at - timedelta(days=complaint.company_id.recurrence_days)
            key = (complaint.site_id, complaint.product_id, complaint.defect_id)
            complaint.recurrence_of_id = next(
                (
                    earlier
                    for earlier in by_key.get(key, self.browse())
                    if earlier.id != complaint._origin.id
                    and since <= earlier.closed_at <= called_at
                ),
                False,
            )

    @api.depends("site_id", "product_id", "defect_id")
    def _compute_twin_ids(self):
        keyed = self.filtered(lambda c: c.site_id and c.product_id and c.defect_id)
        self.twin_ids = False
        if not keyed:
            return
        twins = self.search(
            self._get_open_domain()
            & Domain("site_id", "in", keyed.site_id.ids)
            & Domain("product_id", "in", keyed.product_id.ids)
            & Domain("defect_id", "in", keyed.defect_id.ids)
        ).grouped(lambda c: (c.site_id, c.product_id, c.defect_id))
        for complaint in keyed:
            key = (complaint.site_id, complaint.product_id, complaint.defect_id)
            complaint.twin_ids = twins.get(key, self.browse()) - complaint._origin
