from odoo import api, models
from odoo.exceptions import UserError

STOCK_FIELDS = {
    "product_id",
    "location_id",
    "lot_id",
    "package_id",
    "owner_id",
    "quantity",
    "company_id",
}


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        if any("quantity" in vals for vals in vals_list):
            quants._check_held()
        return quants

    def write(self, vals):
        if STOCK_FIELDS.isdisjoint(vals):
            return super().write(vals)
        self._check_held()
        places, products = self.location_id, self.product_id
        result = super().write(vals)
        self._check_held()
        if not self.env.su:
            places._check_on_the_way(products)
        return result

    def _check_held(self):
        """Refuse to set held stock by hand; core's moves do it as superuser.

        :raise UserError: names product and place, and what to do instead
        """
        if self.env.su:
            return
        for quant in self.filtered("location_id.is_held"):
            raise UserError(
                quant.product_id._get_held_message(quant.location_id, quant.lot_id)
            )
