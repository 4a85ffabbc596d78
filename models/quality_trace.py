from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

COLUMNS = {
    "lot_id": "int4",
    "product_id": "int4",
    "company_id": "int4",
    "site_id": "int4",
    "place_id": "int4",
    "location_id": "int4",
    "partner_id": "int4",
    "date": "timestamp",
    "quantity": "numeric",
    "qty_bad": "numeric",
    "is_held": "bool",
    "name": "varchar",
    "res_model": "varchar",
    "res_id": "int4",
}
# Selects that pair two records give as id (id of one) × PAIRS + (something small of
# the other): with the kind added all of it stays below 2^53, which is what JavaScript
# can count to.
PAIRS = 65536


class QualityTrace(models.Model):
    """Where a lot is, where it went and what became of it: a row for each (A5).

    What the user may not read elsewhere (stock, for residents) he reads here, by the
    rules of this model.
    """

    _name = "quality.trace"
    _description = "Trace of a Lot"
    _inherit = "quality.union.mixin"
    _auto = False
    _union_columns = COLUMNS
    _order = "date desc, id desc"
    _depends = {
        "quality.complaint": [
            "name",
            "site_id",
            "company_id",
            "place_id",
            "partner_id",
            "product_id",
            "lot_ids",
            "called_at",
            "quantity",
        ],
        "qc.inspection": ["name"],
        "quality.sorting": [
            "inspection_id",
            "site_id",
            "company_id",
            "place_id",
            "product_id",
            "lot_id",
            "date",
            "qty_checked",
            "qty_bad",
            "qty_suspect",
            "undone",
        ],
    }

    kind = fields.Selection(
        selection=[("complaint", "Complaint"), ("sorting", "Sorting")], readonly=True
    )
    name = fields.Char(string="What", readonly=True)
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    uom_id = fields.Many2one(related="product_id.uom_id")
    company_id = fields.Many2one("res.company", readonly=True)
    site_id = fields.Many2one("resident.site", readonly=True)
    place_id = fields.Many2one("resident.place", readonly=True)
    location_id = fields.Many2one("stock.location", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    phone = fields.Char(related="partner_id.phone")
    email = fields.Char(related="partner_id.email")
    date = fields.Datetime(string="Since", readonly=True)
    quantity = fields.Float(readonly=True, digits="Product Unit")
    qty_bad = fields.Float(
        string="Bad or Suspect", readonly=True, digits="Product Unit"
    )
    is_held = fields.Boolean(
        string="Set Aside", readonly=True, help="In a suspect or rework area."
    )

    # === SQL === #

    @property
    def _table_query(self):
        union = super()._table_query
        if not (lot_ids := self.env.context.get("trace_lot_ids")):
            return union
        # Buttons name rows by their ids, which no index knows: the lots that the user
        # looks at narrow it down. A filter more, whatever a client sends.
        lot_ids = tuple(int(lot_id) for lot_id in lot_ids)
        return SQL("SELECT * FROM (%s) AS traced WHERE lot_id IN %s", union, lot_ids)

    @api.model
    def _get_selects(self):
        """Add no window functions, and group by lot: a condition on it must pass."""
        return {
            **super()._get_selects(),
            "complaint": (
                {
                    "id": f"""complaint.id::int8 * {PAIRS} + (
                        SELECT count(*)
                        FROM quality_complaint_stock_lot_rel other
                        WHERE other.quality_complaint_id = complaint.id
                            AND other.stock_lot_id < traced.stock_lot_id
                    )""",
                    "lot_id": "traced.stock_lot_id",
                    **{
                        name: f"complaint.{name}"
                        for name in (
                            "product_id",
                            "company_id",
                            "site_id",
                            "place_id",
                            "partner_id",
                            "name",
                        )
                    },
                    "date": "complaint.called_at",
                    "qty_bad": "complaint.quantity",
                    "res_model": "'quality.complaint'",
                    "res_id": "complaint.id",
                },
                SQL(
                    """FROM quality_complaint complaint
                    LEFT JOIN quality_complaint_stock_lot_rel traced
                        ON traced.quality_complaint_id = complaint.id"""
                ),
            ),
            "sorting": (
                {
                    **{
                        name: f"traced.{name}"
                        for name in (
                            "id",
                            "lot_id",
                            "product_id",
                            "company_id",
                            "site_id",
                            "place_id",
                            "date",
                            "quantity",
                            "qty_bad",
                        )
                    },
                    "name": "inspection.name",
                    "res_model": "'qc.inspection'",
                    "res_id": "inspection.id",
                },
                SQL(
                    """FROM (
                        SELECT min(id) AS id, inspection_id, lot_id, product_id,
                            company_id, site_id, place_id, min(date) AS date,
                            sum(qty_checked) AS quantity,
                            sum(COALESCE(qty_bad, 0) + COALESCE(qty_suspect, 0))
                                AS qty_bad
                        FROM quality_sorting
                        WHERE undone IS NOT TRUE
                        GROUP BY inspection_id, lot_id, product_id, company_id,
                            site_id, place_id
                    ) traced
                    JOIN qc_inspection inspection
                        ON inspection.id = traced.inspection_id"""
                ),
            ),
        }

    # === ACTIONS === #

    @api.model
    def _get_trace_action(self, lots, product=None):
        """Return the action with all that is known of ``lots``, or of ``product``."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_trace_action"
        )
        if lots:
            title = self.env._("Trace: %(lots)s", lots=", ".join(lots.mapped("name")))
            lots = lots._get_lots_made_of()
            action["domain"] = list(Domain("lot_id", "in", lots.ids))
            action["context"] = {
                "search_default_group_kind": 1,
                "trace_lot_ids": lots.ids,
            }
        else:
            title = self.env._(
                "Trace: all of %(product)s", product=product.display_name
            )
            action["domain"] = list(Domain("product_id", "=", product.id))
            action["context"] = {"search_default_group_kind": 1}
        action["name"] = action["display_name"] = title
        return action
