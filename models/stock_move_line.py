from odoo import api, models
from odoo.exceptions import UserError

# What a done line says of the stock.
STOCK_FIELDS = {
    "product_id",
    "product_uom_id",
    "quantity",
    "quant_id",
    "lot_id",
    "package_id",
    "result_package_id",
    "owner_id",
    "location_id",
    "location_dest_id",
    "move_id",
    "state",
}


class StockMoveLine(models.Model):
    """The gate before held parts: all that moves stock passes here (spec.md S3)."""

    _inherit = "stock.move.line"

    # Core has no index on the lot: a trace would read every move there ever was.
    _lot_done_idx = models.Index("(lot_id) WHERE lot_id IS NOT NULL AND state = 'done'")

    def _action_done(self):
        self._check_release()
        result = super()._action_done()
        self.exists()._check_on_the_way()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # Added to a move that is done, it moves stock at once.
        done = lines.filtered(lambda line: line.state == "done")
        done._check_release()
        done._check_on_the_way()
        return lines

    def write(self, vals):
        if STOCK_FIELDS.isdisjoint(vals):
            return super().write(vals)
        done = self.filtered(lambda line: line.state == "done")
        done._check_history()
        places, products = done.location_id | done.location_dest_id, done.product_id
        result = super().write(vals)
        done._check_history()
        if places and not self.env["quality.workflow.mixin"]._is_gate_open():
            places._check_on_the_way(products)
        return result

    def _check_release(self):
        """Refuse to take parts out of where they are held.

        :raise UserError: names product, lot and place, and what to do instead
        """
        held = self.filtered(
            lambda line: line.location_id.is_held and not line.location_dest_id.is_held
        )
        if not held or self.env["quality.workflow.mixin"]._is_gate_open():
            return
        if blocked := held.move_id.filtered(
            lambda move: not move._is_release_allowed()
        ):
            line = held.filtered(lambda li: li.move_id in blocked)[0]
            raise UserError(
                line.product_id._get_held_message(line.location_id, line.lot_id)
            )

    def _check_on_the_way(self):
        """Refuse to have taken from a site's transit what a return has on its way.

        :raise UserError: names the return
        """
        gone = self.filtered(lambda line: not line.location_dest_id.is_held)
        if gone and not self.env["quality.workflow.mixin"]._is_gate_open():
            gone.location_id._check_on_the_way(gone.product_id)

    def _check_history(self):
        """Refuse to rewrite a done line at a place where parts are held.

        :raise UserError: names the transfer
        """
        if self.env["quality.workflow.mixin"]._is_gate_open():
            return
        for line in self:
            if line.location_id.is_held or line.location_dest_id.is_held:
                raise UserError(
                    self.env._(
                        "%(move)s has put %(product)s in or taken it out where parts "
                        "are held, and stays as it was done. Sort again, or make a "
                        "Scrap Request or a Return.",
                        move=line.reference or line.move_id.display_name,
                        product=line.product_id.display_name,
                    )
                )
