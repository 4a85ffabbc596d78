"""What the claim ledger adds up to, and its documents: PDF, xlsx, statement (L4)."""

import io
import json
import subprocess
from datetime import date, datetime
from unittest.mock import patch
from urllib.parse import urlencode

from openpyxl import load_workbook

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from ..models.quality_claim_entry import BALANCES
from ..models.quality_claim_ledger import MEASURES
from .common import GROUP
from .test_claim_ledger import ClaimCommon

XLSX = "odoo.addons.quality_resident.reports.claim_ledger_xlsx"
WIZARD = "odoo.addons.quality_resident.wizard.quality_claim_report"
ROWS = "odoo.addons.quality_resident.models.quality_claim_ledger"
SHARED = (
    {"responsibility": "ours"},
    {"responsibility": "theirs", "vin": "LFV2A21K3P4000001"},
    {"responsibility": "shared", "our_share": 25},
)


class LedgerCommon(ClaimCommon):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Entry = cls.env["quality.claim.entry"]
        cls.env["res.lang"]._activate_lang("zh_CN")

    def _create_history(self):
        """Return a claim of March, agreed in April and corrected in May."""
        with self._at("2026-03-10 03:00:00"):
            claim = self._create_claim(lines=SHARED, notice_ref="=1+1")
            claim.action_judge()
        with self._at("2026-04-10 03:00:00"):
            claim.with_user(self.quality).action_agree()
        with self._at("2026-05-10 03:00:00"):
            accepted = claim.entry_ids.filtered(lambda e: e.kind == "accepted")
            accepted[-1].with_user(self.manager).action_reverse("-2 parts @home")
        return claim

    def _create_wizard(self, user=None, **values):
        return (
            self.env["quality.claim.report"]
            .with_user(user or self.manager)
            .with_context(allowed_company_ids=self.company_a.ids)
            .create({"partner_id": self.customer.id, **values})
        )

    def _render_pdf(self, report, record):
        reports = self.env["ir.actions.report"].with_env(record.env)
        content, _kind = reports.with_context(
            force_report_rendering=True
        )._render_qweb_pdf(f"quality_resident.{report}", record.ids)
        return subprocess.run(
            ["pdftotext", "-layout", "-", "-"],
            input=content,
            capture_output=True,
            check=True,
        ).stdout.decode()

    def _render_xlsx(self, wizard):
        content, _kind = (
            self.env["ir.actions.report"]
            .with_env(wizard.env)
            ._render_xlsx("quality_resident.claim_ledger_xlsx", wizard.ids, {})
        )
        return load_workbook(io.BytesIO(content))

    def _read_rows(self, book):
        """Return the rows of all ledger sheets as dicts by heading."""
        rows = []
        for sheet in book.worksheets[1:]:
            head, *values = sheet.iter_rows(values_only=True)
            rows += [dict(zip(head, row, strict=True)) for row in values]
        return rows


@tagged("post_install", "-at_install")
class TestClaimBalances(LedgerCommon):
    def test_each_balance_has_its_measure(self):
        names = {f"{balance}_company" for balance, _label in BALANCES}
        self.assertEqual(names | {"open_company"}, set(MEASURES))
        self.assertLessEqual(set(MEASURES), set(self.Entry._fields))

    def test_running_balance_whatever_is_shown(self):
        claim = self._create_history()
        entries = claim.entry_ids.sorted("sequence")
        self.assertEqual(
            [(e.balance, e.amount, e.balance_after, e.open_after) for e in entries],
            [
                ("claimed", 100, 100, 100),
                ("claimed", 100, 200, 200),
                ("claimed", 100, 300, 300),
                ("accepted", 100, 100, 200),
                ("refused", 100, 100, 100),
                ("accepted", 25, 125, 75),
                ("refused", 75, 175, 0),
                ("accepted", -25, 100, 25),
            ],
        )
        self.env.invalidate_all()
        # One alone tells the same.
        self.assertEqual(entries[-1].open_after, 25)
        self.assertEqual(claim.amount_open, 25)

    def test_customer_s_running_balance(self):
        self._create_history()
        other = self._create_claim(self.resident_de, site=self.site_de)
        other.action_judge()
        entry = other.entry_ids
        self.assertEqual(entry.with_user(self.manager).customer_open_after, 125)
        # Who serves one site sees the sum of that site.
        self.env.invalidate_all()
        self.assertEqual(entry.with_user(self.resident_de).customer_open_after, 100)

    def test_balances_at_any_date(self):
        claim = self._create_history()
        entries = self.Entry.with_user(self.manager)
        domain = [("claim_id", "=", claim.id)]
        for day, sums in (
            ("2026-03-09", None),
            ("2026-03-10", (300, 0, 0, 0, 0, 300)),
            ("2026-04-09", (300, 0, 0, 0, 0, 300)),
            ("2026-04-10", (300, 125, 175, 0, 0, 0)),
            (date(2026, 5, 10), (300, 100, 175, 0, 0, 25)),
        ):
            for by in ("claim_id", "partner_id", "product_id", "site_id"):
                rows = entries.get_balances_at(day, by, domain)
                got = [tuple(row[name] for name in MEASURES) for row in rows]
                self.assertEqual(got, [sums] if sums else [])
        months = entries.get_balances_at("2026-12-31", "date:month", domain)
        self.assertEqual(
            [(row["by"], row["open_company"]) for row in months],
            [("2026-03-01", 300), ("2026-04-01", -300), ("2026-05-01", 25)],
        )
        with self._assert_refused("claim_id"):
            entries.get_balances_at("2026-12-31", "user_id")

    def test_balances_respect_the_reader(self):
        self._create_history()
        entries = self.Entry.with_user(self.resident_de)
        self.assertFalse(entries.get_balances_at("2026-12-31"))
        with self.assertRaises(AccessError):
            self.Entry.with_user(self.outsider).get_balances_at("2026-12-31")

    def test_queries_are_flat(self):
        def count(entries):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            entries.mapped("open_after")
            entries.get_balances_at("2026-12-31")
            return self.env.cr.sql_log_count - before

        one = self._create_agreed()
        many = one | self._create_agreed(lines=[{"responsibility": "ours"}] * 50)
        few, all_ids = one.entry_ids[0], many.entry_ids.ids
        count(few)
        self.assertEqual(count(few), count(self.Entry.browse(all_ids)))

    def test_screen_of_balances(self):
        claim = self._create_history()
        action = self._create_wizard(
            output="balances", date_to="2026-04-09", date_from="2026-04-01"
        ).action_apply()
        entries = self.Entry.with_user(self.manager).search(action["domain"])
        self.assertEqual(entries, claim.entry_ids.filtered(lambda e: e.date.month == 3))
        (group,) = self.Entry.with_user(self.manager).formatted_read_group(
            action["domain"], ["claim_id"], ["open_company:sum", "claimed_company:sum"]
        )
        self.assertEqual(group["open_company:sum"], 300)


@tagged("post_install", "-at_install")
class TestClaimDocuments(LedgerCommon):
    # === SPREADSHEET === #

    def test_cells(self):
        claim = self._create_history()
        book = self._render_xlsx(self._create_wizard(output="xlsx"))
        rows = self._read_rows(book)
        entries = claim.entry_ids.sorted("sequence")
        self.assertEqual(len(rows), len(entries))
        for row, entry in zip(rows, entries, strict=True):
            self.assertEqual(
                row,
                {
                    "No.": entry.sequence,
                    "Date": datetime.combine(entry.date, datetime.min.time()),
                    "Recorded": entry.recorded_at,
                    "Claim": claim.name,
                    "Customer's Reference": "=1+1",
                    "Site": self.site.name,
                    "Customer": self.customer.name,
                    "Part": self.product.display_name,
                    "VIN": entry.line_id.vin or None,
                    "Kind": dict(entry._fields["kind"].selection)[entry.kind],
                    "Balance": dict(BALANCES)[entry.balance],
                    "Currency": entry.currency_id.name,
                    "Amount": entry.amount,
                    "Amount in Company Currency": entry.amount_company,
                    "Undecided after": entry.open_after,
                    "Entered by": entry.user_id.name,
                    "Takes Back": entry.reversal_of_id.sequence or None,
                    "Reason": entry.reason or None,
                    "Hash": entry.hash,
                },
            )
        sheet = book.worksheets[1]
        self.assertEqual(sheet.freeze_panes, "B2")
        self.assertEqual(sheet.auto_filter.ref, f"A1:S{len(entries) + 1}")
        self.assertEqual(sheet["B2"].number_format, "yyyy-mm-dd")
        self.assertIn("#,##0.00", sheet["M2"].number_format)
        # What looks like a formula is text.
        self.assertEqual(sheet["E2"].data_type, "s")
        self.assertEqual(sheet.cell(len(entries) + 1, 18).data_type, "s")

    def test_totals_and_tail(self):
        claim = self._create_history()
        book = self._render_xlsx(self._create_wizard(output="xlsx"))
        cells = list(book.worksheets[0].iter_rows(values_only=True))
        totals = {row[0]: row[1:3] for row in cells if row[0]}
        self.assertEqual(totals["Claimed"], (300, 300))
        self.assertEqual(totals["Accepted"], (100, 100))
        self.assertEqual(totals["Refused"], (175, 175))
        last = claim.entry_ids.sorted("sequence")[-1]
        self.assertEqual(totals["Last entry and its hash"], (last.sequence, last.hash))

    def test_no_end(self):
        claim = self._create_history()
        with patch(f"{XLSX}.MAX_ROWS", 3), patch(f"{ROWS}.FETCH", 2):
            book = self._render_xlsx(self._create_wizard(output="xlsx"))
        self.assertEqual([sheet.max_row for sheet in book.worksheets[1:]], [4, 4, 3])
        self.assertEqual(
            [row["No."] for row in self._read_rows(book)],
            claim.entry_ids.sorted("sequence").mapped("sequence"),
        )

    def test_nothing_to_export(self):
        book = self._render_xlsx(
            self._create_wizard(output="xlsx", date_to="2000-01-01")
        )
        self.assertEqual(book.worksheets[1].max_row, 1)

    def test_what_is_chosen(self):
        claim = self._create_history()
        other = self._create_agreed()
        for values, entries in (
            ({"claim_ids": claim.ids}, claim.entry_ids),
            ({"date_to": "2026-04-30", "date_from": "2026-04-01"}, None),
        ):
            rows = self._read_rows(
                self._render_xlsx(self._create_wizard(output="xlsx", **values))
            )
            expected = entries or claim.entry_ids.filtered(lambda e: e.date.month == 4)
            self.assertEqual(
                [row["No."] for row in rows],
                expected.sorted("sequence").mapped("sequence"),
            )
        self.assertTrue(other)

    def test_readers_export_what_they_see(self):
        claim = self._create_history()
        other = self._create_claim(self.resident_de, site=self.site_de)
        other.action_judge()
        foreign = self._create_claim(self.resident_b, site=self.site_b)
        foreign.action_judge()
        for user, claims in (
            (self.resident, claim),
            (self.resident_de, other),
            (self.manager, claim | other),
            (self.gm, claim | other),
        ):
            with self.subTest(user=user.login):
                rows = self._read_rows(
                    self._render_xlsx(self._create_wizard(user, output="xlsx"))
                )
                self.assertEqual(
                    {row["Claim"] for row in rows}, set(claims.mapped("name"))
                )
        with self.assertRaises(AccessError):
            self._create_wizard(self.outsider)

    def test_in_chinese(self):
        self._create_history()
        wizard = self._create_wizard(output="xlsx").with_context(lang="zh_CN")
        book = self._render_xlsx(wizard)
        self.assertIn("日期", [cell.value for cell in book.worksheets[1][1]])

    # === PDF === #

    def test_ledger_pdf(self):
        claim = self._create_history()
        text = self._render_pdf("report_claim_ledger", self._create_wizard())
        last = claim.entry_ids.sorted("sequence")[-1]
        for word in (claim.name, "Reversal", "Totals", "300.00", "175.00"):
            self.assertIn(word, text)
        self.assertIn(last.hash, text.replace("\n", "").replace(" ", ""))
        text = self._render_pdf(
            "report_claim_ledger", self._create_wizard().with_context(lang="zh_CN")
        )
        self.assertIn("索赔", text)

    def test_heading_on_every_page(self):
        self._create_agreed(lines=[{"responsibility": "ours"}] * 60)
        text = self._render_pdf("report_claim_ledger", self._create_wizard())
        pages = [page for page in text.split("\f") if page.strip()]
        self.assertGreater(len(pages), 2)
        for page in pages[:-1]:
            self.assertIn("Undecided after", " ".join(page.split()))

    def test_too_long_for_paper(self):
        self._create_history()
        with patch(f"{WIZARD}.MAX_PRINTED", 7), self._assert_refused("spreadsheet"):
            self._create_wizard().action_apply()

    def test_dates_the_wrong_way_round(self):
        wizard = self._create_wizard(date_from="2026-05-01", date_to="2026-04-01")
        with self._assert_refused("From"):
            wizard.action_apply()
        with self.assertRaises(ValidationError):
            self.env["quality.claim.statement"].create(
                {
                    "partner_id": self.customer.id,
                    "date_from": "2026-05-01",
                    "date_to": "2026-04-01",
                }
            )

    def test_check_pdf(self):
        claim = self._create_agreed()
        action = self.Entry.with_user(self.gm).action_verify()
        check = (
            self.env[action["res_model"]].with_user(self.gm).browse(action["res_id"])
        )
        text = self._render_pdf("report_claim_check", check)
        self.assertIn("whole", text)
        self.assertIn(claim.entry_ids.sorted("sequence")[-1].hash, text)
        self._tamper(
            "UPDATE quality_claim_entry SET amount = 7 WHERE id = %s",
            claim.entry_ids[-1].id,
        )
        action = self.Entry.with_user(self.gm).action_verify()
        check = check.browse(action["res_id"])
        text = self._render_pdf("report_claim_check", check)
        self.assertIn("BROKEN", text)
        self.assertIn(claim.name, text)
        self.assertIn("content was changed", text)

    # === STATEMENT === #

    def _create_statement(self, user=None, **values):
        return (
            self.env["quality.claim.statement"]
            .with_user(user or self.sales)
            .create(
                {
                    "partner_id": self.customer.id,
                    "date_from": "2026-04-01",
                    "date_to": "2026-04-30",
                    **values,
                }
            )
        )

    def test_statement_adds_up(self):
        claim = self._create_history()
        (account,) = self._create_statement()._get_accounts()
        row = {
            "opening": 300,
            "claimed": 0,
            "accepted": 125,
            "refused": 175,
            "paid": 0,
            "closing": 0,
            "unpaid": 125,
        }
        self.assertEqual(account["total"], {**account["total"], **row})
        self.assertEqual(account["claims"][0]["claim"], claim)
        # What was corrected in May is May's.
        (account,) = self._create_statement(
            date_from="2026-05-01", date_to="2026-05-31"
        )._get_accounts()
        self.assertEqual(account["total"]["opening"], 0)
        self.assertEqual(account["total"]["closing"], 25)
        self.assertFalse(
            self._create_statement(
                date_from="2026-01-01", date_to="2026-01-31"
            )._get_accounts()
        )

    def test_statement_in_the_customer_s_language(self):
        claim = self._create_history()
        statement = self._create_statement()
        text = self._render_pdf("report_claim_statement", statement)
        for word in (claim.name, "=1+1", "Undecided before", self.site.name, "125.00"):
            self.assertIn(word, text)
        self.customer.lang = "zh_CN"
        self.assertIn("对账单", self._render_pdf("report_claim_statement", statement))

    def test_statement_is_mailed(self):
        self._create_history()
        self.customer.email = "claims@customer.example.com"
        statement = self._create_statement()
        action = statement.action_mail()
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.sales)
            .with_context(**action["context"], force_report_rendering=True)
            .create({})
        )
        self.assertEqual(composer.partner_ids, self.customer)
        composer.action_send_mail()
        message = statement.message_ids[0]
        self.assertTrue(message.attachment_ids[0].name.endswith(".pdf"))
        self.assertIn("2026-04-01", message.subject)

    def test_statement_of_the_wizard(self):
        action = self._create_wizard(output="statement").action_apply()
        statement = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(statement.date_from.day, 1)
        self.assertEqual((statement.date_to.month - statement.date_from.month), 0)
        wizard = self._create_wizard(output="statement", partner_id=False)
        with self._assert_refused("Customer"):
            wizard.action_apply()

    def test_statements_are_home_s(self):
        for user in (self.resident, self.gm):
            with self.assertRaises(AccessError):
                self._create_statement(user)


@tagged("post_install", "-at_install")
class TestClaimDownload(LedgerCommon, HttpCase):
    def test_download(self):
        self._create_history()
        user = new_test_user(
            self.env,
            login="ledger_reader",
            password="ledger_reader",
            groups=f"{GROUP}manager",
            company_id=self.company_a.id,
            context={"no_reset_password": True},
        )
        wizard = self._create_wizard(user, output="xlsx")
        self.authenticate("ledger_reader", "ledger_reader")
        path = f"/report/xlsx/quality_resident.claim_ledger_xlsx/{wizard.id}"
        data = urlencode({"data": json.dumps([path, "xlsx"])})
        response = self.url_open(f"/report/download?{data}")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Claim", response.headers["Content-Disposition"])
        rows = self._read_rows(load_workbook(io.BytesIO(response.content)))
        self.assertEqual(len(rows), 8)
