from odoo import api, models

TEMPLATE_ROUTE = "/quality_resident/import_template"


class ImportTemplateMixin(models.AbstractModel):
    """A master that offers its own spreadsheet on the import screen."""

    _name = "import.template.mixin"
    _description = "Master with an Import Template"

    # {field or field/subfield: example}, in the order of the columns
    _import_template_fields = {}

    @api.model
    def get_import_templates(self):
        """Return the template that the import screen offers."""
        return [
            {
                "label": self.env._(
                    "Template for %(what)s",
                    what=self.env["ir.model"]._get(self._name).name,
                ),
                "template": f"{TEMPLATE_ROUTE}/{self._name}",
            }
        ]

    @api.model
    def _get_import_label(self, path):
        """Return the heading of a column in the user's language."""
        labels, model = [], self
        for name in path.split("/"):
            field = model._fields[name]
            labels.append(field._description_string(self.env))
            model = self.env[field.comodel_name] if field.relational else model
        return "/".join(labels)
