from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Who has rights on the trace.
TRACERS = ",".join(
    f"quality_resident.group_{name}"
    for name in ("resident", "quality", "sales", "manager", "gm")
)


class StockLot(models.Model):
    """A lot says what quality knows of it, where the operator works (A5)."""

    _inherit = "stock.lot"

    quality_alert = fields.Text(
        compute="_compute_quality_alert",
        help="Number and defect of the open complaints about this lot.",
    )
    trace_count = fields.Integer(
        string="Quality",
        compute="_compute_trace_count",
        # Whoever may not read the trace still reads the lot.
        groups=TRACERS,
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_quality_alert(self):
        alerts = self._get_quality_alerts()
        for lot in self:
            lot.quality_alert = ", ".join(alerts.get(lot.id or lot._origin.id, ()))

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_trace_count(self):
        made = self._get_made_of()
        lot_ids = list(set().union(*made.values()))
        counts = {
            lot.id: count
            for lot, count in self.env["quality.trace"]
            .with_context(trace_lot_ids=lot_ids)
            ._read_group([("lot_id", "in", lot_ids)], ["lot_id"], ["__count"])
        }
        for lot in self:
            lot.trace_count = sum(counts.get(i, 0) for i in made.get(lot.id, ()))

    def _get_quality_alerts(self):
        """Return ``{lot id: [number and defect of each open complaint about it]}``."""
        # Whoever handles the lot must be warned, also without rights on complaints:
        # he gets number and defect, of the companies he works in.
        complaints = self.env["quality.complaint"].sudo()
        complaints = complaints.search(
            complaints._get_open_domain()
            & Domain("company_id", "in", self.env.companies.ids)
            & complaints._get_lots_domain(self)
        )
        alerts = {}
        for complaint in complaints:
            for lot in complaint._get_suspect_lots():
                alerts.setdefault(lot.id, []).append(
                    f"{complaint.name} {complaint.defect_id.display_name or ''}".strip()
                )
        return alerts

    def _get_made_of(self):
        """Return ``{lot id: ids of the lot and of all that it went into}``."""
        made = {lot_id: {lot_id} for lot_id in self.ids}
        if not made:
            return made
        self.env["stock.move.line"].flush_model(
            ["lot_id", "state", "produce_line_ids", "consume_line_ids"]
        )
        # Which lots became which is no secret; what became of them, the rules of the
        # trace decide.
        rows = self.env.execute_query(
            SQL(
                """WITH RECURSIVE made (root_id, lot_id) AS (
                    SELECT id, id FROM stock_lot WHERE id IN %s
                    UNION
                    SELECT made.root_id, produced.lot_id
                    FROM made
                    JOIN stock_move_line line
                        ON line.lot_id = made.lot_id AND line.state = 'done'
                    JOIN stock_move_line_consume_rel rel
                        ON rel.produce_line_id = line.id
                    JOIN stock_move_line produced
                        ON produced.id = rel.consume_line_id
                        AND produced.state = 'done'
                    WHERE produced.lot_id IS NOT NULL
                )
                SELECT root_id, lot_id FROM made""",
                tuple(made),
            )
        )
        for root_id, lot_id in rows:
            made[root_id].add(lot_id)
        return made

    def _get_lots_made_of(self):
        """Return these lots and all that they went into."""
        return self.browse(set().union(*self._get_made_of().values()))

    @api.readonly
    def action_view_trace(self):
        """Open all that is known of these lots."""
        self.check_access("read")
        return self.env["quality.trace"]._get_trace_action(self)
