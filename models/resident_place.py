from odoo import api, fields, models
from odoo.exceptions import ValidationError

PLACE_KINDS = [
    ("buffer", "Intermediate Warehouse"),
    ("transit", "In Transit"),
    ("body", "Body Shop"),
    ("paint", "Paint Shop"),
    ("assembly", "Assembly Shop"),
    ("warehouse", "Logistics Warehouse"),
    ("station", "Station"),
    ("other", "Other"),
]


class ResidentPlace(models.Model):
    """Where parts can be at the customer: a shop, a station, a store (P1, P2)."""

    _name = "resident.place"
    _description = "Place at a Customer"
    _inherit = ["import.template.mixin"]
    _parent_store = True
    _parent_name = "parent_id"
    _order = "site_id, sequence, complete_name, id"
    _rec_names_search = ["complete_name"]
    _check_company_auto = True
    _import_template_fields = {
        "site_id": "Changchun Plant 2",
        "name": "Door line",
        "kind": "Station",
        "parent_id": "",
        "must_screen": "True",
    }

    name = fields.Char(required=True, translate=True)
    complete_name = fields.Char(
        compute="_compute_complete_name", store=True, recursive=True
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    site_id = fields.Many2one(
        comodel_name="resident.site", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="site_id.company_id", store=True, index=True, precompute=True
    )
    parent_id = fields.Many2one(
        comodel_name="resident.place",
        index=True,
        ondelete="restrict",
        domain="[('site_id', '=', site_id)]",
    )
    parent_path = fields.Char(index=True)
    kind = fields.Selection(PLACE_KINDS, required=True, default="station")
    location_id = fields.Many2one(
        comodel_name="stock.location",
        check_company=True,
        index="btree_not_null",
        help="The stock location, where the stock is ours. Empty: the customer's.",
    )
    must_screen = fields.Boolean(
        default=True,
        help="Parts may lie here: a containment is complete only when this place "
        "has been screened.",
    )

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for place in self:
            parent = place.parent_id.complete_name
            place.complete_name = f"{parent} / {place.name}" if parent else place.name

    @api.depends("complete_name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for place in self:
            names, level = [], place
            while level:
                names.insert(0, level.name or "")
                level = level.parent_id
            place.display_name = " / ".join(names)

    @api.constrains("parent_id", "site_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(
                self.env._("A place cannot lie within itself: change its parent.")
            )
        for place in self:
            if place.parent_id and place.parent_id.site_id != place.site_id:
                raise ValidationError(
                    self.env._(
                        "%(place)s and its parent %(parent)s belong to different "
                        "sites: choose a parent of the site %(site)s.",
                        place=place.name,
                        parent=place.parent_id.name,
                        site=place.site_id.name,
                    )
                )
