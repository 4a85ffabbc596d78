from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _get_held_message(self, location, lot):
        """Return why this product cannot leave ``location``, and the way out."""
        self.ensure_one()
        return self.env._(
            "%(product)s %(lot)s is held in %(location)s until it is judged. To scrap "
            "it make a Scrap Request, to send it away a Return; to release it count "
            "it as good in the sorting of the complaint.",
            product=self.display_name,
            lot=lot.name or "",
            location=location.display_name,
        )
