from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class ResidentMasterMixin(models.AbstractModel):
    """What documents refer to: in use it is archived, not deleted."""

    _name = "resident.master.mixin"
    _description = "Master of Customer Sites"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for model, name in self._get_restricting_fields():
            domain = Domain(name, "in", self.ids)
            if model == self._name:
                domain &= Domain("id", "not in", self.ids)
            # What the user may not see keeps it as well.
            records_sudo = self.env[model].sudo().with_context(active_test=False)
            if used := records_sudo.search(domain, limit=1)[name]:
                raise UserError(
                    self.env._(
                        "“%(name)s” is in use (%(documents)s) and stays on record: "
                        "archive it instead.",
                        name=used.display_name,
                        documents=self.env["ir.model"]._get(model).name,
                    )
                )

    @api.model
    def _get_restricting_fields(self):
        """Return ``(model, field)`` of the references that forbid a deletion."""
        return [
            (model._name, field.name)
            for model in self.env.values()
            if not (model._abstract or model._transient) and model._auto
            for field in model._fields.values()
            if field.type == "many2one"
            and field.store
            and field.comodel_name == self._name
            and field.ondelete == "restrict"
        ]
