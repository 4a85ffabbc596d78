from odoo import api, fields, models
from odoo.tools import SQL

from .quality_figure import PRODUCT, SITE, get_period
from .quality_figure_stock import PIECES, UNITS

OF_LINE = {
    name: f"fact.{name}"
    for name in (
        "id",
        "company_id",
        "site_id",
        "product_id",
        "defect_id",
        "complaint_id",
        "name",
        "res_id",
    )
} | {"partner_id": "site.partner_id", "product_categ_id": "template.categ_id"}


class QualityFigure(models.Model):
    """Parts that came back on a return, when they came, and what was scrapped, when
    the last signature scrapped it, at the value that was signed.
    """

    _inherit = "quality.figure"
    _depends = {
        "stock.move": ["quality_return_line_id", "quality_return_step"],
        "quality.return.line": ["return_id", "site_id", "defect_id"],
        "quality.return": ["name", "complaint_ids"],
        "quality.scrap.line": [
            "request_id",
            "site_id",
            "company_id",
            "product_id",
            "defect_id",
            "complaint_id",
            "state",
            "decided_at",
            "value_company",
        ],
        "quality.scrap.request": ["name"],
    }

    kind = fields.Selection(selection_add=[("return", "Return"), ("scrap", "Scrap")])

    @api.model
    def _get_selects(self):
        return {
            **super()._get_selects(),
            "return": (
                {
                    **OF_LINE,
                    **get_period("fact.date"),
                    "res_model": "'quality.return'",
                    "field_returned_qty": PIECES,
                },
                SQL(
                    """FROM (
                        SELECT move.id, move.date, move.company_id, move.product_id,
                            move.product_uom, move.quantity, line.site_id,
                            line.defect_id, document.name, document.id AS res_id,
                            (
                                SELECT min(about.complaint_id)
                                FROM quality_return_complaint_rel about
                                WHERE about.return_id = document.id
                            ) AS complaint_id
                        FROM stock_move move
                        JOIN quality_return_line line
                            ON line.id = move.quality_return_line_id
                        JOIN quality_return document ON document.id = line.return_id
                        WHERE move.state = 'done'
                            AND move.quality_return_step IN ('receipt', 'extra')
                    ) fact
                    %s %s""",
                    SITE,
                    UNITS,
                ),
            ),
            "scrap": (
                {
                    **OF_LINE,
                    **get_period("fact.decided_at"),
                    "res_model": "'quality.scrap.request'",
                    "scrap_value": "fact.value_company",
                },
                SQL(
                    """FROM (
                        SELECT line.*, request.name, request.id AS res_id
                        FROM quality_scrap_line line
                        JOIN quality_scrap_request request
                            ON request.id = line.request_id
                        WHERE line.state = 'done'
                    ) fact
                    %s %s""",
                    SITE,
                    PRODUCT,
                ),
            ),
        }
