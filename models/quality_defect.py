from odoo import api, fields, models


class QualityDefect(models.Model):
    """Defect code of a tree such as Surface › Paint › Run (spec.md C1, C6)."""

    _name = "quality.defect"
    _description = "Defect Code"
    _inherit = ["resident.master.mixin", "import.template.mixin"]
    _parent_store = True
    _parent_name = "parent_id"
    _rec_names_search = ["name", "code"]
    _order = "complete_name, id"
    _import_template_fields = {
        "code": "S-100",
        "name": "Surface",
        "parent_id": "",
    }

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, index="trigram")
    active = fields.Boolean(default=True)
    parent_id = fields.Many2one(
        comodel_name="quality.defect", index=True, ondelete="restrict"
    )
    child_ids = fields.One2many("quality.defect", "parent_id")
    parent_path = fields.Char(index=True)
    complete_name = fields.Char(
        compute="_compute_complete_name", store=True, recursive=True, translate=False
    )

    _code_uniq = models.UniqueIndex(
        "(lower(code))", "This defect code exists already. Codes are unique."
    )

    @api.depends("code", "parent_id.complete_name")
    def _compute_complete_name(self):
        """Sort key: the codes from the root down."""
        for defect in self:
            parent = defect.parent_id.complete_name
            defect.complete_name = (
                f"{parent} / {defect.code}" if parent else defect.code
            )

    @api.depends("name", "code")
    def _compute_display_name(self):
        for defect in self:
            defect.display_name = f"[{defect.code}] {defect.name}"
