from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ResidentSiteMixin(models.AbstractModel):
    """A record that belongs to one site, with all that it refers to.

    Rights follow the site: who writes a record may not move it to a site that is not
    his, and what it names (a place, a contact) is of the same site.
    """

    _name = "resident.site.mixin"
    _description = "Record of a Site"
    _check_company_auto = True

    # Masters stay at the site where documents refer to them.
    _is_site_fixed = False
    # Many2one fields whose record must be of the same site.
    _same_site_fields = ()

    site_id = fields.Many2one(
        comodel_name="resident.site", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="site_id.company_id", store=True, index=True, precompute=True
    )

    @api.constrains(lambda self: ("site_id", *self._same_site_fields))
    def _check_same_site(self):
        for record in self:
            for name in self._same_site_fields:
                # A record of a site that the user may not see is refused as well.
                other = record[name].sudo()
                if other and other.site_id != record.site_id:
                    raise ValidationError(
                        self.env._(
                            "%(field)s “%(value)s” belongs to the site %(other)s. "
                            "Choose one of %(site)s.",
                            field=self._fields[name]._description_string(self.env),
                            value=other.display_name,
                            other=other.site_id.name,
                            site=record.site_id.name,
                        )
                    )

    def write(self, vals):
        before = {record: record.site_id for record in self if "site_id" in vals}
        result = super().write(vals)
        if before:
            # Record rules judge the site before the write; this judges the new one.
            self.check_access("write")
        for record, site in before.items():
            if self._is_site_fixed and record.site_id != site:
                raise UserError(
                    self.env._(
                        "%(name)s belongs to %(site)s, where complaints may refer to "
                        "it. Archive it and enter a new one at the other site.",
                        name=record.display_name,
                        site=site.name,
                    )
                )
        return result

    @api.model
    def load(self, fields, data):
        """Find places and contacts by name within the site of their row.

        Every plant has its body shop; core would take the first that it finds.
        """
        if "site_id" in fields:
            fields, data = list(fields), [list(row) for row in data]
            for name in set(self._same_site_fields) & set(fields):
                self._resolve_in_site(fields, data, name)
        return super().load(fields, data)

    @api.model
    def _resolve_in_site(self, fields, data, name):
        """Replace names by database ids in the column ``name``, where one fits."""
        site_column, column = fields.index("site_id"), fields.index(name)
        comodel = self.env[self._fields[name].comodel_name]
        found = {}
        for row in data:
            key = (row[site_column], row[column])
            if all(key) and key not in found:
                sites = self.env["resident.site"].name_search(key[0], operator="=")
                domain = [("site_id", "in", [site_id for site_id, _name in sites])]
                found[key] = comodel.name_search(key[1], domain=domain, operator="=")
        if not all(len(matches) == 1 for matches in found.values()):
            # Core names row and column of what it cannot find.
            return
        fields[column] = f"{name}/.id"
        for row in data:
            if matches := found.get((row[site_column], row[column])):
                row[column] = str(matches[0][0])
