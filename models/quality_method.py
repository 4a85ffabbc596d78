from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class QualityMethod(models.Model):
    """How a part is sorted or reworked, in versions that are kept (spec.md C9).

    Released, a version is never changed or deleted: what was done by it is to be read
    for good. A change is a new version, which supersedes this one once released.
    """

    _name = "quality.method"
    _description = "Sorting or Rework Method"
    _inherit = ["mail.thread", "quality.workflow.mixin"]
    _order = "name, version desc, id desc"
    _check_company_auto = True
    _protected_fields = ("version", "previous_id", "valid_from", "released_by_id")
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
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("active", "Active"),
            ("superseded", "Superseded"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    version = fields.Integer(readonly=True, default=1, copy=False)
    previous_id = fields.Many2one(
        comodel_name="quality.method",
        string="Supersedes",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    valid_from = fields.Date(
        readonly=True, copy=False, help="The day on which it was released."
    )
    released_by_id = fields.Many2one(
        comodel_name="res.users", string="Put into Use by", readonly=True, copy=False
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

    @api.model
    def _get_transitions(self):
        return {"draft": {"active": ()}, "active": {"superseded": ()}}

    # === COMPUTE METHODS === #

    @api.depends("name", "version")
    def _compute_display_name(self):
        for method in self:
            method.display_name = f"{method.name} V{method.version}"

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

    @api.ondelete(at_uninstall=False)
    def _unlink_except_released(self):
        for method in self:
            if method.state != "draft":
                raise UserError(
                    self.env._(
                        "%(name)s was released and stays on record. Make a new version "
                        "instead.",
                        name=method.display_name,
                    )
                )

    def _get_locked_message(self, names):
        return self.env._(
            "%(name)s is released and stays as it is. “New Version” makes a copy that "
            "you can change.",
            name=self.display_name,
        )

    # === ACTIONS === #

    def action_release(self):
        """Put these versions into use; each supersedes the one before it.

        :raise UserError: there is neither a text nor a document
        """
        for method in self:
            if not (method.instruction or "").strip() and not method.file_ids:
                raise UserError(
                    self.env._(
                        "%(name)s: write the “Instruction” or add a document.",
                        name=method.display_name,
                    )
                )
        self._ensure_can_move("active")
        # Before: two versions are never in use at once.
        self.previous_id._move_to("superseded")
        self.flush_model(["state"])
        self._move_to(
            "active",
            {
                "valid_from": fields.Date.context_today(self),
                "released_by_id": self.env.uid,
            },
        )
        return True

    def action_new_version(self):
        """Copy this version into a draft of the next one.

        :return: action that opens the draft
        :raise UserError: it is not in use
        """
        self.ensure_one()
        self.check_access("write")
        version = self.search([("previous_id", "=", self.id)])
        if not version and self.state != "active":
            raise UserError(
                self.env._(
                    "%(name)s is not in use: change the draft, or the version that "
                    "superseded it.",
                    name=self.display_name,
                )
            )
        version = version or self._create_protected(
            [
                {
                    **self.copy_data({"name": self.name})[0],
                    "version": self.version + 1,
                    "previous_id": self.id,
                    "file_ids": self.file_ids.ids,
                }
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": version.id,
            "views": [(False, "form")],
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
