import re

from odoo import fields, models
from odoo.fields import Domain

from ..models.quality_claim_import_column import TARGETS
from . import quality_claim_import_values as values

# Columns whose cells may not be empty once the sheet has them.
REQUIRED = ("product", "quantity")
IDENTIFYING = ("product", "serial", "vin", "body")
NUMBERS = {
    "quantity": values.to_positive,
    "price_unit": values.to_money,
    "amount": values.to_money,
    "mileage": values.to_mileage,
}
TEXTS = {
    "product": values.to_text,
    "serial": values.to_text,
    "vin": values.to_vin,
    "body": values.to_body,
    "vehicle_model": values.to_text,
    "currency": values.to_text,
}
MARKS = {"point": ".", "comma": ","}
TOTAL = re.compile(
    r"(合计|总计|小计|总 计|合 计|(sub|grand )?total|sum|summe)[\s:：]*", re.I
)
# Names of currencies beside their code and symbol.
CURRENCIES = {"CNY": ("RMB", "人民币", "元", "¥", "￥"), "JPY": ("円", "日元")}


class QualityClaimImport(models.TransientModel):
    """What is wrong with the customer's rows, by row and column."""

    _inherit = "quality.claim.import"

    def _check(self):
        """Check every row; note the problems and the first rows on the dialogue.

        :return: values of the claim lines, and the digest of the sheet
        """
        rows, digest = self._read()
        problems = []
        self._check_notice(digest, problems)
        columns = self._get_columns(problems)
        rows, skipped = self._leave_out_totals(rows, columns)
        found = self._convert(rows, columns, problems)
        self._find_references(rows, columns, found, problems)
        vals_list = [self._prepare_line_values(cells) for cells in found]
        self._check_money(rows, columns, found, problems)
        self._find_duplicates(rows, columns, vals_list, problems)
        self._note_problems(rows, columns, vals_list, problems, skipped)
        return vals_list, digest

    # === THE NOTICE === #

    def _check_notice(self, digest, problems):
        """Find the claim that this notice or this file has become already."""
        # Whoever brings the same notice again must hear of it, whoever entered it.
        claims_sudo = self.env["quality.claim"].sudo()
        open_domain = Domain("site_id", "=", self.site_id.id) & Domain(
            "state", "!=", "withdrawn"
        )
        if not self.claim_id:
            reference = self.notice_ref.strip()
            claim = claims_sudo.search(
                open_domain & Domain("notice_ref", "=", reference), limit=1
            )
            if claim:
                label = claims_sudo._fields["notice_ref"]._description_string(self.env)
                message = self.env._(
                    "This notice is %(claim)s. Import further parts from there, while "
                    "it is not judged.",
                    claim=claim.name,
                )
                problems.append((0, label, reference, message, False))
        file = (
            self.env["quality.claim.file"]
            .sudo()
            .search(
                [
                    ("site_id", "=", self.site_id.id),
                    ("digest", "=", digest),
                    ("is_withdrawn", "=", False),
                ],
                limit=1,
            )
        )
        if file:
            message = self.env._(
                "The same rows have been imported into %(claim)s already. Withdraw "
                "that claim first if it was wrong.",
                claim=file.claim_id.name,
            )
            problems.append(
                (0, self.env._("File"), self.file_name or "", message, False)
            )

    # === COLUMNS AND ROWS === #

    def _get_columns(self, problems):
        """Return ``{target: column}``, each meaning once."""
        columns = {}
        for column in self.column_ids.filtered("target"):
            other = columns.setdefault(column.target, column)
            if other != column:
                message = self.env._(
                    "“%(other)s” means the same: empty “Means” of one of them.",
                    other=other.heading,
                )
                problems.append((0, column.heading, "", message, False))
        if "product" not in columns:
            message = self.env._(
                "Say under “Columns” which column is the part: choose “Part” as what "
                "it means."
            )
            problems.append(
                (self.header_row, dict(TARGETS)["product"], "", message, False)
            )
        return columns

    def _leave_out_totals(self, rows, columns):
        """Return the rows without those that only add up others, and their count."""
        positions = [columns[t].position for t in IDENTIFYING if t in columns]

        def is_total(cells):
            texts = [cell for cell in cells if isinstance(cell, str)]
            if not texts or not TOTAL.fullmatch(texts[0]):
                return False
            return all(
                not self._has(cells, position) or cells[position] == texts[0]
                for position in positions
            )

        kept = [row for row in rows if not is_total(row[1])]
        return kept, len(rows) - len(kept)

    def _convert(self, rows, columns, problems):
        """Return one dict ``{target: value}`` for each row; bad cells are left out."""
        found = [{} for _row in rows]
        today = fields.Date.context_today(self)
        self._show_progress("check", 0, len(rows))
        for done, (target, column) in enumerate(columns.items(), 1):
            position = column.position
            cells = [
                cells[position] if self._has(cells, position) else None
                for _number, cells in rows
            ]
            convert = self._get_converter(target, column, cells, today)
            for (number, _cells), cell, value in zip(rows, cells, found, strict=True):
                if cell is None:
                    if target in REQUIRED:
                        message = self.env._("Empty: every row needs a value here.")
                        problems.append((number, column.heading, "", message, False))
                    continue
                try:
                    value[target] = convert(cell)
                except values.CellError as error:
                    problems.append(
                        (number, column.heading, values.show(cell), str(error), False)
                    )
            self._show_progress("check", len(rows) * done // len(columns), len(rows))
        return found

    def _get_converter(self, target, column, cells, today):
        """Return the function that makes a value of a cell of ``column``."""
        env, notation = self.env, column.notation
        if target == "failed_on":
            order = notation if notation in ("dmy", "mdy", "ymd") else None
            order = order or values.find_date_order(cells)
            return lambda cell: values.to_date(env, cell, order, today)
        if target in NUMBERS:
            mark = MARKS.get(notation) or values.find_decimal_mark(cells)
            return lambda cell: NUMBERS[target](env, cell, mark)
        return lambda cell: TEXTS[target](env, cell)

    # === PARTS AND LOTS === #

    def _find_references(self, rows, columns, found, problems):
        """Put products and lots in the place of their numbers, two queries each."""
        products = self._find_products({v["product"] for v in found if "product" in v})
        for (number, _cells), value in zip(rows, found, strict=True):
            if "product" not in value:
                continue
            text = value.pop("product")
            matches = products.get(text, self.env["product.product"])
            if len(matches) == 1:
                value["product_id"] = matches.id
                continue
            message = (
                self.env._(
                    "Several parts have this number: %(parts)s. Write our reference.",
                    parts=", ".join(
                        product.default_code or product.name for product in matches[:5]
                    ),
                )
                if matches
                else self.env._(
                    "No part with this number: customer's number at the site, our "
                    "reference, barcode and drawing number were tried. Enter it in "
                    "the site's parts."
                )
            )
            problems.append((number, columns["product"].heading, text, message, False))
        self._find_lots(rows, columns, found, problems)

    def _find_products(self, texts):
        """Return ``{text: products}`` of the numbers that are known.

        The customer's own number wins, however it is spelt; then our reference,
        the barcode and the drawing number.
        """
        parts = self.env["resident.part"]
        products = self.env["product.product"]
        maps = [{}, {}, {}, {}]

        def note(level, key, product):
            if key:
                maps[level][key] = maps[level].get(key, products) | product

        site_parts = parts.search_fetch(
            [("site_id", "=", self.site_id.id)],
            ["customer_ref", "drawing_no", "product_id"],
        )
        # In two queries, not one for each of the texts.
        coded = products.search_fetch(
            Domain("company_id", "in", [False, self.site_id.company_id.id])
            & (
                Domain("default_code", "in", [*texts, *(t.upper() for t in texts)])
                | Domain("barcode", "in", list(texts))
            ),
            ["default_code", "barcode"],
        )
        for part in site_parts:
            note(0, parts._normalise(part.customer_ref), part.product_id)
            note(
                1, parts._normalise(part.product_id.default_code or ""), part.product_id
            )
            note(3, parts._normalise(part.drawing_no or ""), part.product_id)
        for product in coded:
            note(1, parts._normalise(product.default_code or ""), product)
            note(2, parts._normalise(product.barcode or ""), product)
        result = {}
        for text in texts:
            key = parts._normalise(text)
            matches = next((level[key] for level in maps if key in level), None)
            if matches:
                result[text] = matches
        return result

    def _find_lots(self, rows, columns, found, problems):
        """Find the lots; a serial that is not ours stays as the customer wrote it."""
        if "serial" not in columns:
            return
        wanted = [v for v in found if "serial" in v and "product_id" in v]
        lots = self.env["stock.lot"].search_fetch(
            [
                ("product_id", "in", list({v["product_id"] for v in wanted})),
                ("name", "in", list({v["serial"] for v in wanted})),
                ("company_id", "in", [False, self.site_id.company_id.id]),
            ],
            ["product_id", "name"],
        )
        known = {(lot.product_id.id, lot.name): lot.id for lot in lots}
        for (number, _cells), value in zip(rows, found, strict=True):
            serial = value.pop("serial", None)
            if serial is None:
                continue
            lot_id = known.get((value.get("product_id"), serial))
            value["lot_id" if lot_id else "customer_serial"] = lot_id or serial
            if not lot_id and "product_id" in value:
                message = self.env._(
                    "No lot or serial number of ours: kept as the customer writes it."
                )
                problems.append(
                    (number, columns["serial"].heading, serial, message, True)
                )

    # === VALUES === #

    def _prepare_line_values(self, value):
        """Return the values of a claim line, without its claim."""
        vals = {k: v for k, v in value.items() if k not in ("body", "currency")}
        if body := value.get("body"):
            vals.setdefault("vin", body)
        return vals

    def _check_money(self, rows, columns, found, problems):
        """Compare currencies, and amounts with quantity and price."""
        self._check_currency(rows, columns, found, problems)
        for (number, _cells), value in zip(rows, found, strict=True):
            amount, price = value.get("amount"), value.get("price_unit")
            if amount is None or price is None:
                continue
            product = self.currency_id.round(price * value.get("quantity", 1))
            if self.currency_id.compare_amounts(amount, product):
                message = self.env._(
                    "Quantity × unit price is %(product)s: the amount counts.",
                    product=f"{product:.{self.currency_id.decimal_places}f}",
                )
                problems.append(
                    (number, columns["amount"].heading, str(amount), message, True)
                )

    def _check_currency(self, rows, columns, found, problems):
        names = self._get_currency_names()
        wrong = [
            (number, value["currency"])
            for (number, _cells), value in zip(rows, found, strict=True)
            if value.get("currency", self.currency_id.name).upper() not in names
        ]
        if wrong and len(wrong) == len(rows) and len({name for _n, name in wrong}) == 1:
            # The whole sheet: said once, or it would hide what else is wrong.
            message = self.env._("The whole sheet: choose this “Currency” above.")
            wrong = wrong[:1]
        else:
            message = self.env._(
                "The claim is in %(currency)s: enter other currencies as a claim of "
                "their own.",
                currency=self.currency_id.name,
            )
        problems += [
            (number, columns["currency"].heading, name, message, False)
            for number, name in wrong
        ]

    def _get_currency_names(self):
        currency = self.currency_id
        names = (currency.name, currency.symbol, currency.full_name)
        return {
            name.upper()
            for name in (*names, *CURRENCIES.get(currency.name, ()))
            if name
        }

    # === CLAIMED BEFORE === #

    @staticmethod
    def _get_keys(vals):
        """Return what makes two lines the same part of the same failure."""
        product = vals.get("product_id")
        if not product:
            return []
        serial = vals.get("lot_id") or vals.get("customer_serial")
        vehicle = (vals.get("vin"), vals.get("failed_on"))
        return [
            *([(product, serial)] if serial else []),
            *([(product, *vehicle)] if all(vehicle) else []),
        ]

    def _find_duplicates(self, rows, columns, vals_list, problems):
        """Warn of parts that an earlier claim or row names; one query."""
        claimed = self._get_claimed(vals_list)
        first_rows = {}
        heading = next(
            (columns[t].heading for t in ("serial", "vin", "body") if t in columns), ""
        )
        for (number, _cells), vals in zip(rows, vals_list, strict=True):
            keys = self._get_keys(vals)
            message = None
            if claim := next((claimed[key] for key in keys if key in claimed), None):
                message = self.env._("Claimed before in %(claim)s.", claim=claim)
            elif row := next((first_rows[k] for k in keys if k in first_rows), None):
                message = self.env._("The same part as in row %(row)d.", row=row)
            if message:
                value = vals.get("vin") or vals.get("customer_serial") or ""
                problems.append((number, heading, value, message, True))
            for key in keys:
                first_rows.setdefault(key, number)

    def _get_claimed(self, vals_list):
        """Return ``{key: claim's name}`` of what has been claimed before."""

        def collect(name):
            return list({vals[name] for vals in vals_list if vals.get(name)})

        # Claims of other sites are named, as in the history of a judged claim.
        lines_sudo = self.env["quality.claim.line"].sudo()
        earlier = lines_sudo.search_fetch(
            Domain("company_id", "=", self.site_id.company_id.id)
            & Domain("product_id", "in", collect("product_id"))
            & Domain("claim_id.state", "!=", "withdrawn")
            & Domain.OR(
                Domain(name, "in", collect(name))
                for name in ("lot_id", "customer_serial", "vin")
            ),
            ["product_id", "lot_id", "customer_serial", "vin", "failed_on", "claim_id"],
            order="id desc",
        )
        claimed = {}
        for line in earlier:
            vals = {
                "product_id": line.product_id.id,
                "lot_id": line.lot_id.id,
                "customer_serial": line.customer_serial,
                "vin": line.vin,
                "failed_on": line.failed_on,
            }
            claimed.update((key, line.claim_id.name) for key in self._get_keys(vals))
        return claimed
