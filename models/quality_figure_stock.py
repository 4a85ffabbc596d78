from odoo import api, fields, models
from odoo.tools import SQL

from .quality_figure import PRODUCT, SITE, get_period
from .quality_trace_stock import RANKED_PLANTS
from .resident_site_setup import OWN_LOCATIONS

# Stock moves are counted in the product's own unit.
PIECES = """(CASE WHEN fact.product_uom = template.uom_id THEN fact.quantity
    ELSE fact.quantity * unit.factor / own_unit.factor END)"""
UNITS = SQL(
    """%s
    LEFT JOIN uom_uom unit ON unit.id = fact.product_uom
    LEFT JOIN uom_uom own_unit ON own_unit.id = template.uom_id""",
    PRODUCT,
)
# The site whose own place a location is, or lies below.
OWN_PLACES = SQL(
    """(
        SELECT DISTINCT ON (location.id) location.id AS location_id, area.site_id
        FROM stock_location location
        CROSS JOIN LATERAL unnest(
            string_to_array(rtrim(location.parent_path, '/'), '/')::int4[]
        ) WITH ORDINALITY AS above (id, depth)
        JOIN (
            SELECT site.id AS site_id, place.location_id
            FROM resident_site site
            CROSS JOIN LATERAL (VALUES %s) AS place (location_id)
        ) area ON area.location_id = above.id
        ORDER BY location.id, above.depth DESC, area.site_id
    )""",
    SQL(", ").join(SQL("(%s)", SQL.identifier("site", name)) for name in OWN_LOCATIONS),
)
# An archived site keeps what was delivered to it.
PLACES = SQL(RANKED_PLANTS, SQL("TRUE"))
# The site that a delivery to an address has reached, where only one fits.
PLANTS = SQL(
    """(
        SELECT company_id, partner_id, min(site_id) AS site_id, count(*) = 1 AS is_only
        FROM %s ranked
        WHERE place = 1
        GROUP BY company_id, partner_id
    )""",
    PLACES,
)
# Where several fit, the one that is known to use the product.
USERS = SQL(
    """(
        SELECT ranked.company_id, ranked.partner_id, part.product_id,
            min(part.site_id) AS site_id
        FROM %s ranked
        JOIN resident_part part ON part.site_id = ranked.site_id AND part.active
        WHERE ranked.place = 1 AND ranked.sites > 1
        GROUP BY ranked.company_id, ranked.partner_id, part.product_id
    )""",
    PLACES,
)
# As an array: joined to the locations PostgreSQL expects a handful of moves, and then
# looks up everything else move by move.
CUSTOMERS = SQL("ARRAY(SELECT id FROM stock_location WHERE usage = 'customer')")
DELIVERED = """FROM (
        SELECT move.id, move.date, move.company_id, move.product_id, move.product_uom,
            move.quantity, picking.id AS picking_id, picking.name,
            CASE WHEN plant.is_only THEN plant.site_id
                ELSE COALESCE(own.site_id, uses.site_id, plant.site_id)
            END AS site_id
        FROM stock_move move
        LEFT JOIN stock_picking picking ON picking.id = move.picking_id
        LEFT JOIN %(plants)s plant
            ON plant.partner_id = COALESCE(picking.partner_id, move.partner_id)
            AND plant.company_id = move.company_id
        LEFT JOIN %(own_places)s own ON own.location_id = move.%(ours)s
        LEFT JOIN %(users)s uses
            ON uses.partner_id = COALESCE(picking.partner_id, move.partner_id)
            AND uses.company_id = move.company_id
            AND uses.product_id = move.product_id
        WHERE move.state = 'done'
            AND move.%(customer)s = ANY (%(customers)s)
            AND move.%(ours)s != ALL (%(customers)s)
    ) fact
    %(site)s
    %(units)s
    WHERE fact.site_id IS NOT NULL"""


class QualityFigure(models.Model):
    """Parts delivered to customers, and those that came back.

    Delivered is what a done move took from anywhere to a customer's location, when it
    was done: from home, or out of our intermediate warehouse at his plant; a transfer
    into that warehouse delivers nothing yet. What a done move brings back from there
    is taken off again, in the month in which it comes.

    It belongs to the site at the delivery address: that of the plant itself, else of
    the plant that the address belongs to. Where several sites of the company fit
    equally it is one of them and never two: the one out of whose own places the parts
    came (or went), else the oldest that has the product among its parts, else the
    oldest. A plant with a delivery address of its own needs none of this. What goes to
    customers without a site counts nowhere: nobody counts their bad parts either.
    """

    _inherit = "quality.figure"
    _depends = {
        "resident.site": [*OWN_LOCATIONS, "active", "company_id"],
        "resident.part": ["site_id", "product_id", "active"],
        "res.partner": ["parent_id", "commercial_partner_id"],
        "product.template": ["uom_id"],
        "uom.uom": ["factor"],
        "stock.location": ["usage", "parent_path"],
        "stock.picking": ["partner_id", "name"],
        "stock.move": [
            "state",
            "date",
            "company_id",
            "partner_id",
            "picking_id",
            "product_id",
            "product_uom",
            "quantity",
            "location_id",
            "location_dest_id",
        ],
    }

    kind = fields.Selection(
        selection_add=[
            ("delivery", "Delivery"),
            ("delivery_return", "Delivery Returned"),
        ]
    )

    @api.model
    def _get_selects(self):
        ways = {
            "delivery": (PIECES, "location_dest_id", "location_id"),
            "delivery_return": (f"-{PIECES}", "location_id", "location_dest_id"),
        }
        return {
            **super()._get_selects(),
            **{
                kind: (
                    {
                        **get_period("fact.date"),
                        "id": "fact.id",
                        "company_id": "fact.company_id",
                        "site_id": "fact.site_id",
                        "partner_id": "site.partner_id",
                        "product_id": "fact.product_id",
                        "product_categ_id": "template.categ_id",
                        "name": "fact.name",
                        "res_model": "CASE WHEN fact.picking_id > 0 "
                        "THEN 'stock.picking' END",
                        "res_id": "fact.picking_id",
                        "delivered_qty": pieces,
                    },
                    SQL(
                        DELIVERED,
                        customer=SQL.identifier(customer),
                        ours=SQL.identifier(ours),
                        customers=CUSTOMERS,
                        plants=PLANTS,
                        own_places=OWN_PLACES,
                        users=USERS,
                        site=SITE,
                        units=UNITS,
                    ),
                )
                for kind, (pieces, customer, ours) in ways.items()
            },
        }
