import base64
import hashlib

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.quality_claim_import_column import (
    NOTATIONS,
    TARGETS,
    normalise_heading,
)
from .quality_claim_import_reader import Unusable, read_spreadsheet
from .quality_claim_import_values import show

# The kind of message on the bus that the dialogue listens to.
PROGRESS = "quality_resident.claim_import"
# Rows by which the column of the part is guessed.
SAMPLED = 50
# Lines created between two looks at the progress.
BATCH = 1000
# Headings are looked for in the first rows, above them are titles and addresses.
HEADER_WITHIN = 30


class QualityClaimImport(models.TransientModel):
    """The customer's spreadsheet of parts, checked and imported whole (spec.md L1)."""

    _name = "quality.claim.import"
    _description = "Import Claim"

    state = fields.Selection(
        [("file", "File"), ("check", "Check")], default="file", readonly=True
    )
    claim_id = fields.Many2one(
        comodel_name="quality.claim", readonly=True, ondelete="cascade"
    )
    site_id = fields.Many2one(
        comodel_name="resident.site",
        compute="_compute_notice",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", compute="_compute_partner_id"
    )
    notice_ref = fields.Char(string="Customer's Reference")
    notice_date = fields.Date(required=True, default=fields.Date.context_today)
    currency_id = fields.Many2one(
        comodel_name="res.currency",
        compute="_compute_notice",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        ondelete="cascade",
    )
    file = fields.Binary(required=True, attachment=False)
    file_name = fields.Char()
    sheet_ids = fields.One2many(
        "quality.claim.import.sheet", "import_id", string="Sheets"
    )
    sheet_id = fields.Many2one(
        comodel_name="quality.claim.import.sheet",
        domain="[('import_id', '=', id)]",
        ondelete="set null",
    )
    header_row = fields.Integer(
        string="Row of the Headings", help="0: look for the row."
    )
    column_ids = fields.One2many(
        "quality.claim.import.heading", "import_id", string="Columns"
    )
    # Which file, sheet and row the columns were read from.
    columns_of = fields.Char(readonly=True)

    problem_ids = fields.One2many(
        "quality.claim.import.problem", "import_id", string="Problems", readonly=True
    )
    row_count = fields.Integer(string="Rows", readonly=True)
    error_count = fields.Integer(string="Errors", readonly=True)
    warning_count = fields.Integer(string="Warnings", readonly=True)
    skipped_count = fields.Integer(string="Total Rows Left Out", readonly=True)
    preview = fields.Html(readonly=True, sanitize=False)
    problem_file = fields.Binary(readonly=True, attachment=False)

    # === COMPUTE METHODS === #

    @api.depends("claim_id")
    def _compute_notice(self):
        for wizard in self:
            claim = wizard.claim_id
            if claim:
                wizard.site_id, wizard.currency_id = claim.site_id, claim.currency_id
            else:
                wizard.site_id = (
                    wizard.site_id or self.env["resident.site"]._get_default()
                )
                company = wizard.site_id.company_id or self.env.company
                wizard.currency_id = wizard.currency_id or company.currency_id

    @api.depends("claim_id", "site_id")
    def _compute_partner_id(self):
        for wizard in self:
            wizard.partner_id = wizard.claim_id.partner_id or wizard.site_id.partner_id

    @api.onchange("site_id")
    def _onchange_site_id(self):
        if self.site_id and not self.claim_id:
            self.currency_id = self.site_id.company_id.currency_id

    # === GATES === #

    def _ensure_allowed(self):
        """Raise unless the user may bring lines into this claim, or make it.

        :raise AccessError: neither the site nor the claim is the user's to work on
        """
        self.ensure_one()
        if self.claim_id:
            self.claim_id._ensure_received()
            return
        self.env["quality.claim"].check_access("create")
        self.site_id.check_access("read")
        if not (self.notice_ref or "").strip():
            raise UserError(
                self.env._(
                    "Enter the number of the customer's notice in “Customer's "
                    "Reference”: by it the same notice is found again."
                )
            )

    # === ACTIONS === #

    def action_check(self):
        """Read the file, list what is wrong with it and show the first rows.

        :raise UserError: the file cannot be read at all
        """
        self._ensure_allowed()
        try:
            self._check()
        finally:
            self._show_progress("end", 1, 1)
        return self._reopen()

    def action_import(self):
        """Make the claim and its lines, all or nothing.

        What was checked some minutes ago is checked again: parts, claims and the file
        may be others by now. With errors the dialogue stays open and shows them.

        :raise UserError: somebody else has entered the same notice at this moment
        """
        self._ensure_allowed()
        try:
            claim = self._import()
        finally:
            self._show_progress("end", 1, 1)
        if not claim:
            return self._reopen()
        return {
            "type": "ir.actions.act_window",
            "res_model": "quality.claim",
            "res_id": claim.id,
            "views": [(False, "form")],
        }

    def _import(self):
        """Return the claim with the lines of the file; nothing if it has errors."""
        claim = self.claim_id
        if claim:
            claim._lock()
            claim._ensure_received()
        vals_list, digest = self._check()
        if self.error_count:
            return claim.browse()
        claim = claim or claim.create(self._prepare_claim_values())
        # Before the lines: who imports the same file at this moment waits here.
        self._keep_file(claim, digest, len(vals_list))
        lines = self.env["quality.claim.line"]
        for start in range(0, len(vals_list), BATCH):
            self._show_progress("create", start, len(vals_list))
            lines.create(
                [
                    {**vals, "claim_id": claim.id}
                    for vals in vals_list[start : start + BATCH]
                ]
            )
        self.env["quality.claim.import.column"]._remember(
            claim.company_id, claim.partner_id, self._get_meanings()
        )
        return claim

    def action_download(self):
        """Give the list of all problems, with the rows they are in, as .xlsx."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/problem_file/problems.xlsx"
            "?download=true",
            "target": "download",
        }

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Claim"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _prepare_claim_values(self):
        self.ensure_one()
        return {
            "site_id": self.site_id.id,
            "notice_ref": self.notice_ref,
            "notice_date": self.notice_date,
            "currency_id": self.currency_id.id,
        }

    def _keep_file(self, claim, digest, row_count):
        """Keep the file in the claim's history, and that it has been imported."""
        name = self.file_name or self.env._("Customer's spreadsheet")
        # Only the import notes what was imported: no user has the right to.
        files_sudo = self.env["quality.claim.file"].sudo()
        files_sudo.create(
            {
                "name": name,
                "claim_id": claim.id,
                "digest": digest,
                "row_count": row_count,
            }
        )
        # The same file at this moment waits here; two may not write it to the store.
        files_sudo.flush_model()
        attachment = self.env["ir.attachment"].create(
            {
                "name": name,
                "raw": base64.b64decode(self.file),
                "res_model": claim._name,
                "res_id": claim.id,
            }
        )
        claim._message_log(
            body=self.env._(
                "Imported %(count)d rows of %(file)s %(sheet)s",
                count=row_count,
                file=name,
                sheet=self.sheet_id.name or "",
            ),
            attachment_ids=attachment.ids,
        )

    def _show_progress(self, step, done, total):
        """Tell the user's browser how far the import is.

        By a cursor of its own, as the import's is not committed before its end.
        """
        with self.env.registry.cursor() as cr:
            # Only the bus is written there, which no user has the right to do.
            bus = api.Environment(cr, SUPERUSER_ID, {})["bus.bus"]
            bus._sendone(
                self.env.user.partner_id,
                PROGRESS,
                {"id": self.id, "step": step, "done": done, "total": total},
            )

    # === READING === #

    def _read(self):
        """Return ``(rows, digest)`` of the chosen sheet, and note its columns.

        :return: rows below the headings, and the SHA-256 of all that the sheet says
        """
        self._show_progress("read", 0, 1)
        content = base64.b64decode(self.file or b"")
        fingerprint = hashlib.sha256(content).hexdigest()
        is_new_file = not (self.columns_of or "").startswith(fingerprint)
        names, name, rows = read_spreadsheet(
            self.env, content, False if is_new_file else self.sheet_id.name
        )
        if not rows:
            raise UserError(self.env._("The file is empty: choose another one."))
        if is_new_file:
            self.header_row = 0
            self.sheet_ids = [
                Command.clear(),
                *(Command.create({"name": sheet}) for sheet in names if sheet),
            ]
            self.sheet_id = self.sheet_ids.filtered(lambda s: s.name == name)
        header = self._find_header(rows)
        columns_of = f"{fingerprint} {self.sheet_id.id} {header}"
        if self.columns_of != columns_of:
            self.write({"columns_of": columns_of, "header_row": header})
            self._note_columns(rows, header)
        digest = hashlib.sha256(
            repr([[str(cell) for cell in cells] for _number, cells in rows]).encode()
        ).hexdigest()
        return [row for row in rows if row[0] > header], digest

    def _find_header(self, rows):
        """Return the number of the row with the headings.

        It is the one with most headings that are known; else the first with most texts.
        """
        if self.header_row:
            if self.header_row not in dict(rows):
                raise UserError(
                    self.env._(
                        "Row %(row)d is empty: correct “Row of the Headings”, or "
                        "enter 0 to have it looked for.",
                        row=self.header_row,
                    )
                )
            return self.header_row
        known = self._get_known()
        normalised = {
            number: {normalise_heading(str(cell)) for cell in cells if cell is not None}
            for number, cells in rows[:HEADER_WITHIN]
        }

        def score(row):
            texts = [cell for cell in row[1] if isinstance(cell, str)]
            return len(normalised[row[0]] & known.keys()), len(texts), -row[0]

        header = max(rows[:HEADER_WITHIN], key=score)[0]
        # Headings in two rows: the lower one has nothing but headings.
        below = normalised.get(header + 1)
        return header + 1 if below and below <= known.keys() else header

    def _get_known(self):
        """Return ``{heading key: (target, notation)}``: remembered, else guessed."""
        columns = self.env["quality.claim.import.column"]
        guesses = {key: (name, False) for key, name in columns._guess().items()}
        company = self.claim_id.company_id or self.site_id.company_id
        return guesses | columns._recall(company, self.partner_id)

    def _note_columns(self, rows, header):
        """Write the sheet's columns with what they mean, as far as that is known."""
        above = [cells for number, cells in rows if header - 2 <= number <= header]
        body = [cells for number, cells in rows if number > header]
        known, used, values = self._get_known(), set(), []
        for index in range(max(len(cells) for _number, cells in rows)):
            # Cells merged over several rows of headings have their text in the first.
            texts = [
                cells[index] for cells in reversed(above) if self._has(cells, index)
            ]
            samples = [cells[index] for cells in body if self._has(cells, index)]
            if not samples and not texts:
                continue
            heading = str(texts[0])[:100] if texts else ""
            target, notation = known.get(normalise_heading(heading), (False, False))
            if target in used:
                target = False
            used.add(target)
            values.append(
                {
                    "position": index,
                    "heading": heading or self.env._("Column %(n)d", n=index + 1),
                    "sample": ", ".join(show(cell)[:30] for cell in samples[:3]),
                    "target": target,
                    "notation": notation,
                }
            )
        if "product" not in used:
            self._guess_product(values, body)
        self.column_ids = [Command.clear(), *map(Command.create, values)]

    def _guess_product(self, values, body):
        """Take the column for the part whose cells are most often part numbers."""
        found = []
        for column in values:
            index = column["position"]
            cells = [
                cells[index]
                for cells in body[:SAMPLED]
                if self._has(cells, index) and not isinstance(cells[index], Unusable)
            ]
            if not column["target"] and cells:
                hits = self._find_products({str(cell) for cell in cells})
                found.append((len(hits), -index, column))
        if found and (best := max(found, key=lambda item: item[:2]))[0]:
            best[2]["target"] = "product"

    @staticmethod
    def _has(cells, index):
        return index < len(cells) and cells[index] is not None

    def _get_meanings(self):
        """Return ``{heading: (target, notation)}`` as the user has left them."""
        return {
            column.heading: (column.target, column.notation)
            for column in self.column_ids
        }


class QualityClaimImportSheet(models.TransientModel):
    _name = "quality.claim.import.sheet"
    _description = "Sheet of a Claim File"
    _order = "id"

    import_id = fields.Many2one(
        comodel_name="quality.claim.import", required=True, ondelete="cascade"
    )
    name = fields.Char(required=True)


class QualityClaimImportHeading(models.TransientModel):
    _name = "quality.claim.import.heading"
    _description = "Column of a Claim File"
    _order = "position"

    import_id = fields.Many2one(
        comodel_name="quality.claim.import", required=True, ondelete="cascade"
    )
    position = fields.Integer(readonly=True)
    heading = fields.Char(string="Customer's Column", readonly=True)
    sample = fields.Char(string="First Values", readonly=True)
    target = fields.Selection(
        TARGETS, string="Means", help="Empty: the column is not imported."
    )
    notation = fields.Selection(NOTATIONS, string="Written as")


class QualityClaimImportProblem(models.TransientModel):
    _name = "quality.claim.import.problem"
    _description = "Problem of a Claim File"
    _order = "is_warning, row_number, id"

    import_id = fields.Many2one(
        comodel_name="quality.claim.import", required=True, ondelete="cascade"
    )
    is_warning = fields.Boolean(readonly=True)
    row_number = fields.Integer(string="Row", readonly=True)
    heading = fields.Char(string="Column", readonly=True)
    value = fields.Char(readonly=True)
    message = fields.Char(string="What Is Wrong", readonly=True)
