from odoo import api, fields, models

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
    _inherit = [
        "resident.site.mixin",
        "resident.master.mixin",
        "import.template.mixin",
    ]
    _parent_store = True
    _parent_name = "parent_id"
    _order = "site_id, sequence, complete_name, id"
    _rec_names_search = ["name", "complete_name"]
    _is_site_fixed = True
    _same_site_fields = ("parent_id",)
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

    @api.model
    def _get_kind_labels(self):
        """Return ``{language: {kind: label}}`` of all installed languages."""
        kind = self._fields["kind"]
        return {
            lang: dict(kind._description_selection(self.with_context(lang=lang).env))
            for lang, _name in self.env["res.lang"].get_installed()
        }

    def _get_held_area(self):
        """Return "suspect" or "rework" where parts are held here, else False."""
        self.ensure_one()
        site, location = self.site_id, self.location_id
        if location and location == site.suspect_location_id:
            return "suspect"
        return "rework" if location and location == site.rework_location_id else False
