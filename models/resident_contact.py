from odoo import api, fields, models


class ResidentContact(models.Model):
    """A person at the customer, by what he does there (P1)."""

    _name = "resident.contact"
    _description = "Customer Contact"
    _inherit = [
        "resident.site.mixin",
        "resident.master.mixin",
        "import.template.mixin",
    ]
    _order = "site_id, role, id"
    _rec_names_search = ["partner_id.name", "partner_id.email"]
    _is_site_fixed = True
    _same_site_fields = ("place_id",)
    _import_template_fields = {
        "site_id": "Changchun Plant 2",
        "partner_id": "Contact's name",
        "role": "SQE",
        "note": "Early shift",
    }

    active = fields.Boolean(default=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner", required=True, index=True, ondelete="cascade"
    )
    role = fields.Selection(
        selection=[
            ("sqe", "SQE"),
            ("project", "Project Engineer"),
            ("product", "Product Engineer"),
            ("logistics", "Logistics Engineer"),
            ("shift_leader", "Shift Leader"),
            ("other", "Other"),
        ],
        required=True,
        default="sqe",
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        domain="[('site_id', '=', site_id)]",
        help="The shop or station that the person looks after.",
    )
    phone = fields.Char(related="partner_id.phone", readonly=False)
    email = fields.Char(related="partner_id.email", readonly=False)
    note = fields.Char(help="Shift, languages, when to call.")

    _site_partner_role_uniq = models.UniqueIndex(
        "(site_id, partner_id, role)",
        "This person has this role at this site already.",
    )

    @api.depends("partner_id.name", "role")
    @api.depends_context("lang")
    def _compute_display_name(self):
        roles = dict(self._fields["role"]._description_selection(self.env))
        for contact in self:
            name = contact.partner_id.name
            contact.display_name = f"{name} ({roles.get(contact.role)})"
