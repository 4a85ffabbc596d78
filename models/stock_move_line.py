from odoo import models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    # Core has no index on the lot: a trace would read every move there ever was.
    _lot_done_idx = models.Index("(lot_id) WHERE lot_id IS NOT NULL AND state = 'done'")
