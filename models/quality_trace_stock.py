from odoo import api, fields, models
from odoo.tools import SQL

from .quality_trace import PAIRS
from .resident_site_setup import OWN_LOCATIONS

# The nearest place or area of a site at or above a location.
NEAREST = SQL(
    """LEFT JOIN LATERAL (
        SELECT area.site_id, area.place_id, area.is_held
        FROM (
            SELECT site_id, id AS place_id, location_id, FALSE AS is_held
            FROM resident_place WHERE active
            UNION ALL
            SELECT site.id, NULL, area.location_id, area.is_held
            FROM resident_site site
            CROSS JOIN LATERAL (VALUES %s) AS area (location_id, is_held)
            WHERE site.active
        ) area
        WHERE area.location_id
            = ANY (string_to_array(rtrim(location.parent_path, '/'), '/')::int4[])
        ORDER BY array_position(
                string_to_array(rtrim(location.parent_path, '/'), '/')::int4[],
                area.location_id
            ) DESC, area.place_id, area.site_id
        LIMIT 1
    ) nearest ON TRUE""",
    SQL(", ").join(
        SQL("(%s, %s)", SQL.identifier("site", name), kind is None)
        for name, (kind, _usage) in OWN_LOCATIONS.items()
    ),
)
# What lies in our locations now.
STOCK = SQL(
    """FROM (
        SELECT min(quant.id) AS id, quant.lot_id, quant.product_id, quant.location_id,
            min(quant.in_date) AS date, sum(quant.quantity) AS quantity
        FROM stock_quant quant
        JOIN stock_location location ON location.id = quant.location_id
        WHERE location.usage IN ('internal', 'transit')
        GROUP BY quant.lot_id, quant.product_id, quant.location_id
        HAVING sum(quant.quantity) != 0
    ) traced
    JOIN stock_location location ON location.id = traced.location_id
    LEFT JOIN stock_lot lot ON lot.id = traced.lot_id
    %s""",
    NEAREST,
)
# The sites that a delivery to a partner may have reached, the nearest first: that of
# the plant itself, or of the plant that he belongs to, or all plants of the company
# that he is.
RANKED_PLANTS = """(
        SELECT site.id AS site_id, site.company_id, receiver.partner_id,
            rank() OVER nearest AS place,
            count(*) OVER (
                PARTITION BY site.company_id, receiver.partner_id, receiver.distance,
                    site.active
            ) AS sites
        FROM resident_site site
        JOIN res_partner plant ON plant.id = site.partner_id
        CROSS JOIN LATERAL (
            SELECT plant.id AS partner_id, 0 AS distance
            UNION SELECT id, 1 FROM res_partner WHERE parent_id = plant.id
            UNION SELECT plant.parent_id, 2
            UNION SELECT plant.commercial_partner_id, 2
        ) receiver
        WHERE %s
        WINDOW nearest AS (
            PARTITION BY site.company_id, receiver.partner_id
            ORDER BY receiver.distance, site.active DESC
        )
    )"""
PLANTS = SQL(
    "(SELECT company_id, partner_id, site_id FROM %s ranked WHERE place = 1)",
    SQL(RANKED_PLANTS, SQL("site.active")),
)
# What went to customers, less what came back. No join from each row to the few sites
# that fit: PostgreSQL expects far more rows than come, and would spend a second on
# compiling a query that takes a tenth.
DELIVERED = """FROM (
        SELECT min(line.id) AS id, line.lot_id, line.product_id, line.company_id,
            picking.partner_id,
            min(line.date) FILTER (WHERE dest.usage = 'customer') AS date,
            max(picking.id) FILTER (WHERE dest.usage = 'customer') AS picking_id,
            sum(
                CASE WHEN dest.usage = 'customer' THEN line.quantity_product_uom
                ELSE -line.quantity_product_uom END
            ) AS quantity
        FROM stock_move_line line
        JOIN stock_location source ON source.id = line.location_id
        JOIN stock_location dest ON dest.id = line.location_dest_id
        LEFT JOIN stock_picking picking ON picking.id = line.picking_id
        WHERE line.state = 'done'
            AND (source.usage = 'customer') != (dest.usage = 'customer')
            %(since)s
        GROUP BY line.lot_id, line.product_id, line.company_id, picking.partner_id
    ) traced
    LEFT JOIN stock_picking picking ON picking.id = traced.picking_id
    LEFT JOIN %(plants)s plant
        ON plant.partner_id = traced.partner_id
        AND plant.company_id = traced.company_id"""
# What it went into: the lots produced, which are then followed themselves.
PRODUCED = SQL(
    """FROM (
        SELECT min(
                made.consume_line_id::int8 * %s + (
                    SELECT count(*)
                    FROM stock_move_line_consume_rel other
                    WHERE other.consume_line_id = made.consume_line_id
                        AND other.produce_line_id < made.produce_line_id
                )
            ) AS id,
            line.lot_id, line.product_id, line.company_id, min(produced.date) AS date,
            produced.lot_id AS into_lot_id, produced.product_id AS into_product_id
        FROM stock_move_line line
        JOIN stock_move_line_consume_rel made ON made.produce_line_id = line.id
        JOIN stock_move_line produced ON produced.id = made.consume_line_id
        WHERE line.state = 'done' AND produced.state = 'done'
        GROUP BY line.lot_id, line.product_id, line.company_id,
            produced.lot_id, produced.product_id
    ) traced
    JOIN product_product product ON product.id = traced.into_product_id
    LEFT JOIN stock_lot lot ON lot.id = traced.into_lot_id""",
    PAIRS,
)


class QualityTrace(models.Model):
    _inherit = "quality.trace"
    _depends = {
        "resident.site": [*OWN_LOCATIONS, "active", "company_id", "partner_id"],
        "resident.place": ["active", "site_id", "location_id"],
        "res.partner": ["parent_id", "commercial_partner_id"],
        "stock.lot": ["name", "company_id"],
        "stock.location": ["usage", "parent_path", "complete_name", "company_id"],
        "stock.quant": ["lot_id", "product_id", "location_id", "quantity", "in_date"],
        "stock.picking": ["partner_id", "name"],
        "stock.move.line": [
            "state",
            "date",
            "lot_id",
            "product_id",
            "company_id",
            "location_id",
            "location_dest_id",
            "quantity_product_uom",
            "picking_id",
            "produce_line_ids",
            "consume_line_ids",
        ],
    }

    kind = fields.Selection(
        selection_add=[
            ("stock", "Our Stock"),
            ("delivery", "Delivered"),
            ("product", "Went Into"),
        ]
    )

    @api.model
    def _get_selects(self):
        own = {name: f"traced.{name}" for name in ("lot_id", "product_id", "date")}
        return {
            **super()._get_selects(),
            "stock": (
                {
                    **own,
                    "id": "traced.id",
                    "company_id": "COALESCE(location.company_id, lot.company_id)",
                    "site_id": "nearest.site_id",
                    "place_id": "nearest.place_id",
                    "is_held": "nearest.is_held",
                    "location_id": "traced.location_id",
                    "quantity": "traced.quantity",
                    "name": "location.complete_name",
                },
                STOCK,
            ),
            "delivery": (
                {
                    **own,
                    "id": f"traced.id::int8 * {PAIRS} + COALESCE(plant.site_id, 0)",
                    "company_id": "traced.company_id",
                    "site_id": "plant.site_id",
                    "partner_id": "traced.partner_id",
                    "quantity": "traced.quantity",
                    "name": "picking.name",
                    "res_model": "CASE WHEN picking.id > 0 THEN 'stock.picking' END",
                    "res_id": "picking.id",
                },
                SQL(DELIVERED, since=self._get_since(), plants=PLANTS),
            ),
            "product": (
                {
                    **own,
                    "id": "traced.id",
                    "company_id": "traced.company_id",
                    "name": "COALESCE(lot.name, product.default_code)",
                    "res_model": "CASE WHEN lot.id > 0 THEN 'stock.lot' "
                    "ELSE 'product.product' END",
                    "res_id": "COALESCE(lot.id, product.id)",
                },
                PRODUCED,
            ),
        }

    @api.model
    def _get_since(self):
        """Return the condition on how long ago a delivery counts, where one is set."""
        since = fields.Datetime.to_datetime(self.env.context.get("trace_since"))
        return SQL("AND line.date >= %s", since) if since else SQL()
