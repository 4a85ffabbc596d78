import re
import unicodedata

from odoo import api, fields, models
from odoo.fields import Domain


class ResidentPart(models.Model):
    """What we know of a product at one site (P4)."""

    _name = "resident.part"
    _description = "Part at a Site"
    _inherit = [
        "resident.site.mixin",
        "resident.master.mixin",
        "import.template.mixin",
    ]
    _order = "site_id, customer_ref, id"
    _rec_names_search = [
        "customer_ref",
        "product_id.default_code",
        "product_id.name",
        "product_id.barcode",
        "drawing_no",
    ]
    _is_site_fixed = True
    _same_site_fields = ("place_id",)
    _import_template_fields = {
        "site_id": "Changchun Plant 2",
        "product_id": "Door seal",
        "customer_ref": "6L0 837 911",
        "drawing_no": "D-4711",
        "vehicle_position": "Front left door",
        "place_id": "Door line",
    }

    active = fields.Boolean(default=True)
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    customer_ref = fields.Char(
        string="Customer Part Number", required=True, index="trigram"
    )
    drawing_no = fields.Char(string="Drawing Number", index="trigram")
    search_key = fields.Char(
        compute="_compute_search_key", store=True, precompute=True, index="trigram"
    )
    function = fields.Char(translate=True, help="What the part does in the vehicle.")
    vehicle_position = fields.Char(
        translate=True, help="Where it sits on the vehicle, such as front left door."
    )
    place_id = fields.Many2one(
        comodel_name="resident.place",
        string="Station",
        domain="[('site_id', '=', site_id)]",
        check_company=True,
        ondelete="restrict",
        help="The station where the part is fitted.",
    )
    image_128 = fields.Image(related="product_id.image_128")
    complaint_ids = fields.One2many("quality.complaint", "part_id")
    complaint_count = fields.Integer(compute="_compute_complaint_count")

    _site_product_ref_uniq = models.UniqueIndex(
        "(site_id, product_id, customer_ref)",
        "This site has this product with this customer part number already.",
    )

    @api.depends("customer_ref", "product_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for part in self:
            part.display_name = f"{part.customer_ref} {part.product_id.name or ''}"

    @api.depends("customer_ref", "drawing_no", "product_id.default_code")
    def _compute_search_key(self):
        """Numbers as everybody spells them: found with or without their dashes."""
        for part in self:
            numbers = (part.customer_ref, part.drawing_no, part.product_id.default_code)
            part.search_key = " ".join(self._normalise(n) for n in numbers if n)

    @api.model
    def _normalise(self, number):
        """Return ``number`` without dashes and blanks, in capitals of usual width."""
        plain = unicodedata.normalize("NFKC", number)
        return re.sub(r"[\W_]+", "", plain).upper()

    @api.model
    def _search_display_name(self, operator, value):
        domain = super()._search_display_name(operator, value)
        is_pattern = operator.removeprefix("not ") in ("like", "ilike")
        key = self._normalise(value) if is_pattern and value else ""
        if not key:
            return domain
        found = Domain("search_key", operator, key)
        if operator in Domain.NEGATIVE_OPERATORS:
            return domain & found
        return domain | found

    @api.model
    def _find_by_customer_ref(self, site, number):
        """Return the part that ``site``'s customer calls ``number``, however spelt."""
        key = self._normalise(number)
        if not key:
            return self.browse()
        parts = self.search([("site_id", "=", site.id), ("search_key", "like", key)])
        return parts.filtered(lambda p: self._normalise(p.customer_ref) == key)[:1]

    def _compute_complaint_count(self):
        counts = dict(
            self.env["quality.complaint"]._read_group(
                [("part_id", "in", self.ids)], ["part_id"], ["__count"]
            )
        )
        for part in self:
            part.complaint_count = counts.get(part, 0)

    @api.model
    def _search_for(self, pairs):
        """Return ``{(site id, product id): part}`` of the pairs that have a part."""
        pairs = {(site, product) for site, product in pairs if site and product}
        if not pairs:
            return {}
        domain = Domain("site_id", "in", [site for site, _product in pairs]) & Domain(
            "product_id", "in", [product for _site, product in pairs]
        )
        # The oldest part wins where a product has several customer numbers.
        return {
            (part.site_id.id, part.product_id.id): part
            for part in self.search_fetch(
                domain, ["site_id", "product_id", "place_id"], order="id desc"
            )
        }

    def action_view_complaints(self):
        """Open the defect history of the part at its site."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_complaint_action"
        )
        action["domain"] = [("part_id", "=", self.id)]
        action["context"] = {
            "default_site_id": self.site_id.id,
            "default_part_id": self.id,
        }
        return action
