import re
import unicodedata

from odoo import api, fields, models
from odoo.tools import SQL

TARGETS = [
    ("product", "Part"),
    ("serial", "Lot/Serial"),
    ("vin", "VIN"),
    ("body", "Body Number"),
    ("vehicle_model", "Vehicle Model"),
    ("mileage", "Mileage (km)"),
    ("failed_on", "Failed on"),
    ("quantity", "Quantity"),
    ("price_unit", "Unit Price"),
    ("amount", "Amount"),
    ("currency", "Currency"),
]
NOTATIONS = [
    ("point", "1,234.56"),
    ("comma", "1.234,56"),
    ("ymd", "Year, month, day"),
    ("dmy", "Day, month, year"),
    ("mdy", "Month, day, year"),
]
# How customers head these columns, besides our own labels.
HEADINGS = {
    "product": (
        "Part Number",
        "Part No",
        "Customer Part Number",
        "Material",
        "Material Number",
        "Item",
        "零件号",
        "零件编号",
        "零件号码",
        "零件",
        "件号",
        "物料号",
        "物料编码",
        "图号",
        "Teilenummer",
        "Sachnummer",
    ),
    "serial": (
        "Serial",
        "Serial Number",
        "Serial No",
        "Lot",
        "Lot Number",
        "Batch",
        "Batch Number",
        "序列号",
        "批次",
        "批次号",
        "批号",
        "Seriennummer",
        "Charge",
    ),
    "vin": ("VIN", "VIN Code", "Chassis Number", "车架号", "VIN码", "底盘号", "FIN"),
    "body": ("Body Number", "Body No", "车身号", "Karosserienummer"),
    "vehicle_model": ("Vehicle Model", "Model", "Vehicle", "车型", "Fahrzeugmodell"),
    "mileage": (
        "Mileage",
        "Mileage km",
        "Odometer",
        "km",
        "行驶里程",
        "里程",
        "里程数",
        "公里数",
        "Kilometerstand",
        "Laufleistung",
    ),
    "failed_on": (
        "Failed on",
        "Failure Date",
        "Date of Failure",
        "Repair Date",
        "故障日期",
        "失效日期",
        "维修日期",
        "Schadensdatum",
        "Ausfalldatum",
    ),
    "quantity": ("Quantity", "Qty", "Pieces", "数量", "件数", "Menge", "Anzahl"),
    "price_unit": (
        "Unit Price",
        "Price",
        "单价",
        "价格",
        "Preis",
        "Stückpreis",
        "Einzelpreis",
    ),
    "amount": (
        "Amount",
        "Total",
        "Sum",
        "金额",
        "索赔金额",
        "总价",
        "Betrag",
        "Summe",
    ),
    "currency": ("Currency", "币种", "货币", "Währung"),
}
# Fields of a claim line whose label is a heading as well.
LABELLED = {
    "product": "product_id",
    "serial": "lot_id",
    "vin": "vin",
    "vehicle_model": "vehicle_model",
    "mileage": "mileage",
    "failed_on": "failed_on",
    "quantity": "quantity",
    "price_unit": "price_unit",
    "amount": "amount",
    "currency": "currency_id",
}


def normalise_heading(text):
    """Return a heading without case, blanks, dots and widths."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text or "")).upper()


class QualityClaimImportColumn(models.Model):
    """What a customer's column means: asked once, then remembered (spec.md L1)."""

    _name = "quality.claim.import.column"
    _description = "Column of a Customer's Claims"
    _order = "partner_id, id"
    _rec_name = "heading"

    company_id = fields.Many2one(
        comodel_name="res.company", required=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", required=True, ondelete="cascade"
    )
    heading = fields.Char(required=True)
    heading_key = fields.Char(required=True)
    target = fields.Selection(
        TARGETS, string="Means", help="Empty: the column is not imported."
    )
    notation = fields.Selection(
        NOTATIONS,
        string="Written as",
        help="How numbers or dates are written in this column.",
    )

    _heading_uniq = models.UniqueIndex(
        "(company_id, partner_id, heading_key)",
        "What this heading of the customer means is remembered already.",
    )

    @api.model
    def _recall(self, company, partner):
        """Return ``{heading key: (target or False, notation or False)}``."""
        # What a customer's column means is no secret of a site.
        columns = self.sudo().search_fetch(
            [("company_id", "=", company.id), ("partner_id", "=", partner.id)],
            ["heading_key", "target", "notation"],
        )
        return {c.heading_key: (c.target, c.notation) for c in columns}

    @api.model
    def _remember(self, company, partner, columns):
        """Keep what ``columns``, ``{heading: (target, notation)}``, mean.

        One statement that takes the newer of two: the same customer's first two claims
        may be imported at the same moment, and neither must fail for this.
        """
        rows = {
            normalise_heading(heading): (heading, target or None, notation or None)
            for heading, (target, notation) in columns.items()
        }
        rows.pop("", None)
        if not rows:
            return
        self.flush_model()
        values = SQL(", ").join(
            SQL("%s", (company.id, partner.id, key, *row)) for key, row in rows.items()
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO quality_claim_import_column
                    (company_id, partner_id, heading_key, heading, target, notation)
                VALUES %s
                ON CONFLICT (company_id, partner_id, heading_key) DO UPDATE
                SET heading = EXCLUDED.heading, target = EXCLUDED.target,
                    notation = EXCLUDED.notation""",
                values,
            )
        )
        self.invalidate_model()

    @api.model
    def _guess(self):
        """Return ``{heading key: target}`` of all headings that explain themselves."""
        lines = self.env["quality.claim.line"]
        known = {}
        # Our own labels in every language: the customer's need not be the user's.
        for code, _name in self.env["res.lang"].get_installed():
            env = self.with_context(lang=code).env
            for target, name in LABELLED.items():
                label = lines._fields[name]._description_string(env)
                known[normalise_heading(label)] = target
        for target, headings in HEADINGS.items():
            known.update((normalise_heading(text), target) for text in headings)
        return known
