from odoo import Command
from odoo.tests import tagged

from .test_return import ReturnCommon

FEW, MANY = 5, 40
# Queries for each line beyond those of a whole return. Core's wizard needs 13.5.
MAKE_EACH = 9
# Core's own validation of a line with a lot needs as many.
SHIP_EACH = 20


@tagged("post_install", "-at_install")
class TestReturnPerformance(ReturnCommon):
    def _count(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        result = function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before, result

    def _create_lots(self, count):
        products = self.env["product.product"].create(
            [
                {"name": f"P{n}", "is_storable": True, "tracking": "lot"}
                for n in range(count)
            ]
        )
        lots = self.env["stock.lot"].create(
            [{"name": "L1", "product_id": product.id} for product in products]
        )
        for lot in lots:
            self._put(self.suspect, 5, lot, lot.product_id)
        return lots

    def _make(self, lots):
        document = self.env["quality.return"].create(
            {
                "site_id": self.site.id,
                "reason": "x",
                "line_ids": [
                    Command.create(
                        {
                            "product_id": lot.product_id.id,
                            "lot_id": lot.id,
                            "quantity": 5,
                        }
                    )
                    for lot in lots
                ],
            }
        )
        document.action_request()
        document.action_approve()
        return document

    def test_queries_for_each_line(self):
        self._make(self._create_lots(2)).action_ship()
        made, shipped = {}, {}
        for count in (FEW, MANY):
            lots = self._create_lots(count)
            made[count], document = self._count(lambda lots=lots: self._make(lots))
            shipped[count], _done = self._count(document.action_ship)
        for figures, allowed in ((made, MAKE_EACH), (shipped, SHIP_EACH)):
            each = (figures[MANY] - figures[FEW]) / (MANY - FEW)
            self.assertLessEqual(each, allowed, figures)
