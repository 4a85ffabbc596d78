from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class QualityMethod(models.Model):
    """How a part is sorted or reworked, in versions that are kept (spec.md C9)."""

    _name = "quality.method"
    _description = "Sorting or Rework Method"
    _inherit = "quality.version.mixin"
    _order = "name, version desc, id desc"
    _check_company_auto = True
    _content_fields = (
        "name",
        "kind",
        "site_id",
        "company_id",
        "product_id",
        "product_tmpl_id",
        "categ_id",
        "instruction",
        "file_ids",
    )
    _editable_states = {name: ("draft",) for name in _content_fields}

    name = fields.Char(string="Method", required=True, index="trigram", tracking=True)
    kind = fields.Selection(
        selection=[("sort", "Sorting"), ("rework", "Rework")],
        required=True,
        default="rework",
    )
    previous_id = fields.Many2one(
        comodel_name="quality.method",
        string="Supersedes",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    site_id = fields.Many2one(
        comodel_name="resident.site",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Only where this customer wants it done in his own way.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    product_tmpl_id = fields.Many2one(
        comodel_name="product.template",
        string="All Variants of",
        ondelete="restrict",
        check_company=True,
    )
    categ_id = fields.Many2one(
        comodel_name="product.category", string="All Products of", ondelete="restrict"
    )
    instruction = fields.Text(help="What is done, step by step.")
    file_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Documents",
        # Files follow the method: who may read it may open them.
        bypass_search_access=True,
        copy=False,
    )

    _one_target = models.Constraint(
        "CHECK (num_nonnulls(product_id, product_tmpl_id, categ_id) = 1)",
        "Say what the method is for: one product, all variants of one, or a category.",
    )
    _version_uniq = models.UniqueIndex(
        "(previous_id) WHERE previous_id IS NOT NULL",
        "There is a new version of this method already.",
    )

    _in_use_uniq = models.UniqueIndex(
        "(company_id, kind, COALESCE(site_id, 0), COALESCE(product_id, 0), "
        "COALESCE(product_tmpl_id, 0), COALESCE(categ_id, 0)) WHERE state = 'active'",
        "A method for the same is in use already: make a new version of that one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("site_id")
    def _compute_company_id(self):
        for method in self:
            method.company_id = (
                method.site_id.company_id or method.company_id or self.env.company
            )

    @api.constrains("kind", "company_id", "previous_id")
    def _check_previous_id(self):
        for method in self:
            before = method.previous_id
            if before and (before.kind, before.company_id) != (
                method.kind,
                method.company_id,
            ):
                raise ValidationError(
                    self.env._(
                        "%(name)s is a new version of %(before)s: its kind and company "
                        "stay. Enter a new method instead.",
                        name=method.display_name,
                        before=before.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        methods = super().create(vals_list)
        methods._tie_files()
        return methods

    def write(self, vals):
        result = super().write(vals)
        if "file_ids" in vals:
            self._tie_files()
        return result

    def _tie_files(self):
        for method in self:
            method.file_ids._tie_to(method)

    # === VERSIONS === #

    def _check_complete(self):
        for method in self:
            if not (method.instruction or "").strip() and not method.file_ids:
                raise UserError(
                    self.env._(
                        "%(name)s: write the “Instruction” or add a document.",
                        name=method.display_name,
                    )
                )

    def _prepare_new_version_values(self):
        return {
            **super()._prepare_new_version_values(),
            "file_ids": self.file_ids.ids,
        }

    # === WHICH ONE APPLIES === #

    @api.model
    def _find_current(self, keys):
        """Return ``{key: method in use}`` for ``(kind, product, site)`` keys.

        What the customer of the site wants goes before the general method, then the
        more particular: product, template, nearest category.
        """
        keys = set(keys)
        site_ids = [site.id for _kind, _product, site in keys if site]
        methods = self.search(
            Domain("state", "=", "active")
            & Domain("kind", "in", [kind for kind, _product, _site in keys])
            & Domain("site_id", "in", [*site_ids, False])
        )
        return {key: methods._pick(*key) for key in keys}

    def _pick(self, kind, product, site):
        """Return the method of these that applies, or none."""
        path = (product.categ_id.parent_path or "").split("/")
        nearest_first = [int(part) for part in reversed(path) if part]
        targets = [
            product,
            product.product_tmpl_id,
            *(product.categ_id.browse(category_id) for category_id in nearest_first),
        ]
        fitting = [
            (not method.site_id, targets.index(method._get_target()), method)
            for method in self
            if method.kind == kind
            and method.company_id == site.company_id
            and method.site_id in (site, site.browse())
            and method._get_target() in targets
        ]
        return min(fitting, key=lambda row: row[:2])[2] if fitting else self.browse()

    def _get_target(self):
        """Return the product, template or category that the method is for."""
        self.ensure_one()
        return self.product_id or self.product_tmpl_id or self.categ_id
