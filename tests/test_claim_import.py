"""The customer's spreadsheet becomes a claim: whole, once, or not at all (L1)."""

import base64
import codecs
import io
import zipfile
from datetime import date, datetime
from unittest.mock import patch

import openpyxl

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_claim_ledger import ClaimCommon

HEADINGS = ["零件号", "车架号", "行驶里程", "故障日期", "数量", "单价"]


def make_vin(number):
    return f"LFV2A21K3P4{number:06d}"


def make_rows(count):
    """Return as many good rows, a vehicle each."""
    return [
        ["6L0 837 911", make_vin(number), "12,500 km", date(2026, 1, 5), 1, 2.5]
        for number in range(count)
    ]


def make_xlsx(*sheets):
    """Return the bytes of a workbook with one sheet for each list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def make_csv(rows, encoding="utf-8", separator=","):
    text = "\r\n".join(separator.join(map(str, row)) for row in rows)
    return text.encode(encoding)


class ClaimImportCommon(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # It is told by a cursor of its own, which would not see the test's users.
        cls.progress = []
        cls.startClassPatcher(
            patch.object(
                type(cls.env["quality.claim.import"]),
                "_show_progress",
                lambda _self, *step: cls.progress.append(step),
            )
        )

    @classmethod
    def _open(cls, content, user=None, claim=None, **values):
        """Return the dialogue of a user who has chosen a file."""
        if not isinstance(content, bytes):
            content = make_xlsx(content)
        return (
            cls.env["quality.claim.import"]
            .with_user(user or cls.resident)
            .create(
                {
                    "claim_id": claim and claim.id,
                    "site_id": cls.site.id,
                    "notice_ref": False if claim else "N-1",
                    "file": base64.b64encode(content),
                    "file_name": "notice.xlsx",
                    **values,
                }
            )
        )

    @classmethod
    def _check(cls, content, **values):
        wizard = cls._open(content, **values)
        wizard.action_check()
        return wizard

    @classmethod
    def _import(cls, content, **values):
        wizard = cls._open(content, **values)
        action = wizard.action_import()
        assert not wizard.error_count, wizard.problem_ids.mapped("message")
        return cls.env["quality.claim"].browse(action["res_id"])

    def _get_problems(self, wizard, is_warning=False):
        return [
            (problem.row_number, problem.heading)
            for problem in wizard.problem_ids
            if problem.is_warning == is_warning
        ]

    def _check_cell(self, heading, *cells):
        """Return the dialogue and what is wrong with each cell, "" for nothing."""
        wizard = self._check(
            [["Part Number", heading, "x"], *(["TST-SEAL", c, "x"] for c in cells)],
            notice_ref=f"{heading} {cells}"[:50],
        )
        messages = dict.fromkeys(range(2, len(cells) + 2), "")
        for problem in wizard.problem_ids.filtered(lambda p: not p.is_warning):
            messages[problem.row_number] = problem.message
        return wizard, list(messages.values())


@tagged("post_install", "-at_install")
class TestClaimImport(ClaimImportCommon):
    # === WHOLE === #

    def test_a_claim_of_a_file(self):
        claim = self._import([HEADINGS, *make_rows(300)])
        self.assertRecordValues(
            claim,
            [
                {
                    "site_id": self.site.id,
                    "partner_id": self.customer.id,
                    "notice_ref": "N-1",
                    "amount_notice": 750,
                    "state": "received",
                }
            ],
        )
        self.assertRecordValues(
            claim.line_ids[0],
            [
                {
                    "product_id": self.product.id,
                    "vin": make_vin(0),
                    "mileage": 12500,
                    "failed_on": date(2026, 1, 5),
                    "quantity": 1,
                    "price_unit": 2.5,
                }
            ],
        )
        self.assertEqual(len(claim.line_ids), 300)
        attachment = claim.message_ids.attachment_ids
        self.assertEqual(attachment.name, "notice.xlsx")
        self.assertEqual(
            (attachment.res_model, attachment.res_id), (claim._name, claim.id)
        )
        self.assertEqual(claim.create_uid, self.resident)

    def test_into_a_claim(self):
        claim = self._create_claim()
        action = claim.action_import_lines()
        self.assertEqual(action["context"]["default_claim_id"], claim.id)
        self._import([HEADINGS, *make_rows(2)], claim=claim)
        self.assertEqual(len(claim.line_ids), 3)

    def test_not_into_the_ledger(self):
        claim = self._create_agreed()
        with self._assert_refused(claim.name):
            claim.action_import_lines()
        wizard = self._open([HEADINGS, *make_rows(1)], claim=claim)
        for action in (wizard.action_check, wizard.action_import):
            with self._assert_refused(claim.name):
                action()

    def test_errors_by_row_and_column_and_nothing_imported(self):
        rows = make_rows(200)
        rows[3][0] = "NO-SUCH-PART"
        rows[57][3] = "yesterday"
        rows[58][1] = "LFV2A21K3P400000O"
        rows[59][4] = -1
        rows[60][5] = "12 apples"
        rows[61][4] = None
        # Empty rows keep the numbers that the customer sees.
        wizard = self._check([["Claims of May"], [], HEADINGS, [], *rows])
        self.assertEqual(
            self._get_problems(wizard),
            [
                (8, "零件号"),
                (62, "故障日期"),
                (63, "车架号"),
                (64, "数量"),
                (65, "单价"),
                (66, "数量"),
            ],
        )
        self.assertEqual(wizard.problem_ids[0].value, "NO-SUCH-PART")
        before = self.env["quality.claim"].search_count([])
        action = wizard.action_import()
        self.assertEqual(action["res_model"], wizard._name)
        self.assertEqual(self.env["quality.claim"].search_count([]), before)
        self.assertFalse(
            self.env["quality.claim.file"].search([("site_id", "=", self.site.id)])
        )

    def test_forty_bad_rows_of_five_thousand(self):
        rows = make_rows(5000)
        spoil = [(0, "NONE"), (1, "short"), (3, "32.13.2026"), (4, 0), (5, "NaN")]
        for number in range(40):
            column, value = spoil[number % len(spoil)]
            rows[number * 120][column] = value
        claims = self.env["quality.claim"].search_count([])
        wizard = self._open([HEADINGS, *rows])
        wizard.action_import()
        self.assertEqual(
            self._get_problems(wizard),
            [
                (number * 120 + 2, HEADINGS[spoil[number % len(spoil)][0]])
                for number in range(40)
            ],
        )
        self.assertEqual(wizard.error_count, 40)
        self.assertEqual(self.env["quality.claim"].search_count([]), claims)

    def test_problems_to_take_away(self):
        rows = [HEADINGS, *make_rows(2)]
        rows[1][0] = '=HYPERLINK("http://x")'
        rows[2][0] = "<b>NONE</b>"
        wizard = self._check(make_csv(rows, separator=";"), file_name="notice.csv")
        book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(wizard.problem_file)))
        (title, first, second) = list(book.active.values)
        self.assertEqual(title[0], "Row")
        self.assertEqual(title[5:], tuple(HEADINGS))
        self.assertEqual(first[:3], (2, "零件号", rows[1][0]))
        self.assertEqual(second[5], "<b>NONE</b>")
        self.assertEqual(book.active["C2"].data_type, "s")
        self.assertIn(str(wizard.id), wizard.action_download()["url"])

    def test_markup_is_text(self):
        rows = [[*HEADINGS, "车型"], [*make_rows(1)[0], "<script>x</script>"]]
        wizard = self._check(rows)
        self.assertNotIn("<script>", wizard.preview)
        self.assertIn("&lt;script&gt;", wizard.preview)

    # === ONCE === #

    def test_same_notice_once(self):
        claim = self._import([HEADINGS, *make_rows(1)])
        wizard = self._check([HEADINGS, *make_rows(2)], notice_ref=" N-1 ")
        self.assertIn(claim.name, wizard.problem_ids[0].message)
        wizard.action_import()
        self.assertEqual(wizard.error_count, 1)

    def test_same_file_once(self):
        rows = [HEADINGS, *make_rows(2)]
        claim = self._import(rows)
        again = {"notice_ref": "N-2", "file_name": "copy.xlsx"}
        wizard = self._check(rows, **again)
        self.assertEqual(wizard.error_count, 1)
        self.assertIn(claim.name, wizard.problem_ids[0].message)
        # Another site may have got the same list, and a withdrawn claim is none.
        self._import(rows, user=self.resident_de, site_id=self.site_de.id)
        claim.with_user(self.quality).action_withdraw("Wrong list")
        self.assertTrue(self._import(rows, **again))

    def test_claimed_before(self):
        first = self._import([HEADINGS, *make_rows(2)])
        rows = [*make_rows(1), *make_rows(4)[3:], *make_rows(4)[3:]]
        wizard = self._check([HEADINGS, *rows], notice_ref="N-2")
        self.assertFalse(wizard.error_count)
        self.assertEqual(
            [(p.row_number, p.is_warning) for p in wizard.problem_ids],
            [(2, True), (4, True)],
        )
        self.assertIn(first.name, wizard.problem_ids[0].message)
        self.assertIn("3", wizard.problem_ids[1].message)
        self.assertTrue(wizard.action_import()["res_id"])

    def test_serials(self):
        lot = self._create_lot("S-1")
        rows = [["Part No.", "Serial No", "Qty"]]
        rows += [["6l0-837-911", serial, 1] for serial in ("S-1", "CUST-9", "CUST-9")]
        claim = self._import(rows)
        self.assertEqual(claim.line_ids.mapped("lot_id"), lot)
        self.assertEqual(
            claim.line_ids.mapped("customer_serial"), [False, "CUST-9", "CUST-9"]
        )
        self.assertEqual(claim.line_ids[2].duplicate_ids, claim.line_ids[1])
        self.assertIn("CUST-9", claim.line_ids[1].display_name)
        wizard = self._check(rows[:3] + [["TST-SEAL", "NEW", 1]], notice_ref="N-2")
        self.assertEqual(
            [claim.name in p.message for p in wizard.problem_ids].count(True), 2
        )

    # === COLUMNS === #

    def test_columns_are_asked_once(self):
        rows = [["Was", "Wann", "Wert"], ["TST-SEAL", "03/04/2026", "1.234"]]
        wizard = self._check(rows)
        # The part was found by what is in it.
        self.assertEqual(wizard.column_ids.mapped("target"), ["product", False, False])
        _part, day, price = wizard.column_ids
        day.target, price.target = "failed_on", "price_unit"
        wizard.action_check()
        self.assertEqual(self._get_problems(wizard), [(2, "Wann"), (2, "Wert")])
        day.notation, price.notation = "dmy", "comma"
        claim = self.env["quality.claim"].browse(wizard.action_import()["res_id"])
        self.assertEqual(claim.line_ids.failed_on, date(2026, 4, 3))
        self.assertEqual(claim.line_ids.price_unit, 1234)
        # Next time, and whoever brings it, nothing is asked.
        rows = [["was ", "WANN", "Wert:"], ["TST-SEAL", "05/04/2026", "2.345"]]
        claim = self._import(rows, user=self.manager, notice_ref="N-2")
        self.assertEqual(claim.line_ids.failed_on, date(2026, 4, 5))
        columns = self.env["quality.claim.import.column"]
        self.assertEqual(
            columns.search_count([("partner_id", "=", self.customer.id)]), 3
        )
        # Another company of ours has its own customs with the same customer.
        wizard = self._check(rows, user=self.manager_b, site_id=self.site_b.id)
        self.assertFalse(wizard.column_ids[1].target)

    def test_what_is_not_imported_is_remembered_too(self):
        wizard = self._check([[*HEADINGS, "Model"], [*make_rows(1)[0], "Tayron"]])
        wizard.column_ids[-1].target = False
        wizard.action_import()
        wizard = self._check(
            [[*HEADINGS, "Model"], [*make_rows(1)[0], "Tayron"]], notice_ref="N-2"
        )
        self.assertFalse(wizard.column_ids[-1].target)

    def test_two_columns_of_one_meaning(self):
        wizard = self._check([[*HEADINGS, "Other"], [*make_rows(1)[0], 1]])
        wizard.column_ids[-1].target = "quantity"
        wizard.action_check()
        self.assertEqual(self._get_problems(wizard), [(0, "Other")])

    def test_no_part(self):
        wizard = self._check([["VIN"], [make_vin(1)]])
        self.assertIn("Part", wizard.problem_ids[0].message)

    def test_headings_in_two_rows(self):
        upper = ["零件号", "车辆", None, None, "数量", "单价"]
        lower = [None, "车架号", "行驶里程", "故障日期", None, None]
        claim = self._import([["索赔清单"], upper, lower, *make_rows(2)])
        self.assertEqual(claim.line_ids.mapped("vin"), [make_vin(0), make_vin(1)])

    def test_total_rows_are_left_out(self):
        wizard = self._check([HEADINGS, *make_rows(2), ["合计", "", "", "", 2, 5]])
        self.assertFalse(wizard.error_count)
        self.assertEqual((wizard.row_count, wizard.skipped_count), (2, 1))

    def test_two_sheets(self):
        content = make_xlsx([["Please read"]], [HEADINGS, *make_rows(2)])
        wizard = self._check(content)
        self.assertEqual(wizard.sheet_ids.mapped("name"), ["Sheet 1", "Sheet 2"])
        self.assertEqual(wizard.sheet_id.name, "Sheet 1")
        self.assertTrue(wizard.error_count)
        wizard.sheet_id = wizard.sheet_ids[1]
        wizard.action_check()
        self.assertFalse(wizard.error_count)
        self.assertEqual(len(self._import_again(wizard).line_ids), 2)

    def _import_again(self, wizard):
        return self.env["quality.claim"].browse(wizard.action_import()["res_id"])

    def test_header_row_said(self):
        rows = [["Part Number", "Qty"], ["a", "b"], ["TST-SEAL", 2]]
        wizard = self._check(rows)
        self.assertEqual(wizard.header_row, 1)
        wizard.header_row = 2
        wizard.action_check()
        self.assertEqual(wizard.column_ids.mapped("heading"), ["a", "b"])
        wizard.header_row = 9
        with self._assert_refused("Row of the Headings"):
            wizard.action_check()

    def test_corrected_and_chosen_again(self):
        rows = make_rows(3)
        rows[1][4] = "x"
        wizard = self._check([HEADINGS, *rows])
        self.assertEqual(wizard.error_count, 1)
        wizard.file = base64.b64encode(make_xlsx([HEADINGS, *make_rows(3)]))
        wizard.action_check()
        self.assertFalse(wizard.problem_ids)
        self.assertEqual(len(self._import_again(wizard).line_ids), 3)

    # === PARTS === #

    def test_part_by_any_number(self):
        self.product.barcode = "4006381333931"
        rows = [
            ["件号"],
            *[
                [text]
                for text in (
                    "6L0 837 911",
                    "6l0837911",
                    "TST-SEAL",
                    "tst-seal",
                    4006381333931,
                    "D 4711",
                )
            ],
        ]
        claim = self._import(rows)
        self.assertEqual(claim.line_ids.product_id, self.product)
        self.assertEqual(len(claim.line_ids), 6)

    def test_part_of_two_products(self):
        self.env["resident.part"].create(
            {
                "site_id": self.site.id,
                "product_id": self.product_2.id,
                "customer_ref": "6L0-837-911",
            }
        )
        wizard = self._check([["Part No"], ["6L0 837 911"]])
        self.assertIn("TST-WIPER", wizard.problem_ids.message)

    # === CELLS === #

    def test_dates(self):
        wizard, messages = self._check_cell(
            "Failure Date",
            datetime(2026, 3, 1, 8, 15),
            "2026-03-01",
            "2026/3/1",
            "2026.03.01",
            "20260301",
            "2026年3月1日",
            "2026-03-01 08:15:00",
            46082,
            "２０２６－０３－０１",
        )
        self.assertFalse(any(messages), messages)
        lines = self._import_again(wizard).line_ids
        self.assertEqual(set(lines.mapped("failed_on")), {date(2026, 3, 1)})

    def test_dates_that_prove_their_order(self):
        wizard, messages = self._check_cell("Failure Date", "13.01.2026", "03.01.26")
        self.assertFalse(any(messages))
        lines = self._import_again(wizard).line_ids
        self.assertEqual(lines[1].failed_on, date(2026, 1, 3))

    def test_dates_that_cannot_be(self):
        cells = (
            "1900-01-01",
            "2999-01-01",
            "2026-02-30",
            "soon",
            datetime(1901, 1, 1),
            "01.02.2026",
            "9" * 400,
            "NaN",
            True,
        )
        _wizard, messages = self._check_cell("Failure Date", *cells)
        self.assertTrue(all(messages), messages)

    def test_numbers(self):
        wizard, messages = self._check_cell(
            "Price", "1.234,50", "12,5", 7, 7.25, "€ 1.000", "1'000,00"
        )
        self.assertFalse(any(messages), messages)
        lines = self._import_again(wizard).line_ids
        self.assertEqual(
            lines.mapped("price_unit"), [1234.5, 12.5, 7, 7.25, 1000, 1000]
        )

    def test_numbers_that_cannot_be(self):
        cells = ("NaN", "inf", "1e400", "9" * 400, -1, "x", "1e5", "--1", "1,2,3.4.5")
        for heading in ("Price", "Amount", "Qty", "Mileage"):
            _wizard, messages = self._check_cell(heading, *cells)
            self.assertTrue(all(messages), (heading, messages))
        # The last is nothing once it is kept.
        self.assertTrue(all(self._check_cell("Qty", 0, "0", 0.001)[1]))

    def test_mileage(self):
        wizard, messages = self._check_cell(
            "Mileage", "12,500 km", "12500KM", "8 公里", "1.2万公里", "100 mi", 5
        )
        self.assertFalse(any(messages), messages)
        lines = self._import_again(wizard).line_ids
        self.assertEqual(lines.mapped("mileage"), [12500, 12500, 8, 12000, 161, 5])
        self.assertTrue(all(self._check_cell("Mileage", "3 furlongs", 10**7)[1]))

    def test_vehicles(self):
        wizard, messages = self._check_cell("VIN", " lfv2a21k3p4 000001", "X1-3")
        self.assertEqual([bool(m) for m in messages], [False, True])
        wizard.column_ids[1].target = "body"
        wizard.action_check()
        self.assertFalse(wizard.error_count)
        lines = self._import_again(wizard).line_ids
        self.assertEqual(lines.mapped("vin"), [make_vin(1), "X1-3"])

    def test_currency(self):
        name = self.company_a.currency_id.name
        _wizard, messages = self._check_cell("Currency", name, name.lower(), "XAU")
        self.assertEqual([bool(m) for m in messages], [False, False, True])
        _wizard, messages = self._check_cell("Currency", "XAU", "XAU")
        self.assertIn("whole sheet", messages[0])
        self.assertFalse(messages[1])

    def test_amount_of_the_notice_counts(self):
        rows = [["Part No", "Qty", "Price", "Amount"], ["TST-SEAL", 2, 10, 25]]
        wizard = self._check(rows)
        self.assertEqual(self._get_problems(wizard, is_warning=True), [(2, "Amount")])
        self.assertEqual(self._import_again(wizard).line_ids.amount, 25)

    # === FILES === #

    def test_csv_in_every_encoding(self):
        rows = [[*HEADINGS, "车型"]]
        rows += [[*row[:2], 12500, *row[3:], "途岳"] for row in make_rows(5)]
        variants = {
            "utf-8": make_csv(rows),
            "utf-8-sig": make_csv(rows, "utf-8-sig", ";"),
            "gbk": make_csv(rows, "gbk"),
            "utf-16": make_csv(rows, "utf-16", "\t"),
            "utf-16-le": make_csv(rows, "utf-16-le", "\t"),
            "utf-16-be": codecs.BOM_UTF16_BE + make_csv(rows, "utf-16-be"),
        }
        for encoding, content in variants.items():
            with self.subTest(encoding=encoding):
                wizard = self._check(content, file_name="notice.csv")
                self.assertFalse(
                    wizard.problem_ids, wizard.problem_ids.mapped("message")
                )
                self.assertIn("途岳", wizard.preview)

    def test_umlauts(self):
        rows = [["Teilenummer", "Stückpreis"], ["TST-SEAL", "12,50"]]
        wizard = self._check(make_csv(rows, "cp1252", ";"))
        self.assertEqual(wizard.column_ids.mapped("target"), ["product", "price_unit"])

    def test_formulas(self):
        # Written by a program that does not solve them: there is no value to import.
        wizard = self._check([["Part No", "Qty"], ["TST-SEAL", "=1+1"]])
        self.assertEqual(self._get_problems(wizard), [(2, "Qty")])
        self.assertIn("formula", wizard.problem_ids.message)
        wizard = self._check([["Part No", "Qty"], ["TST-SEAL", "#N/A"]])
        self.assertEqual(self._get_problems(wizard), [(2, "Qty")])

    def test_files_that_are_none(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"0" * 101 * 1024**2)
        bomb = stream.getvalue()
        self.assertLess(len(bomb), 1024**2)
        for content, word in (
            (bomb, "Unpacked"),
            (b"x" * (10 * 1024**2 + 1), "Split"),
            (b"PK\x03\x04 no zip", "cannot be read"),
            (b"\xd0\xcf\x11\xe0 no xls", "cannot be read"),
            (b"\n\n\n", "empty"),
            (b"\x89PNG\r\n" + bytes(range(256)), "cannot be read"),
            (b"a,b\n" * 20_002, "more than 20000 rows"),
        ):
            with self.subTest(word=word), self._assert_refused(word):
                self._check(content)
        for content in (b'a,"' + b"b" * 200_000, b"%PDF-1.7 \xff"):
            self.assertTrue(self._check(content).error_count)

    def test_headings_alone(self):
        self.assertTrue(self._check([HEADINGS]).error_count)

    # === RIGHTS === #

    def test_who_imports(self):
        rows = [HEADINGS, *make_rows(1)]
        for user in (self.sales, self.gm, self.outsider):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._open(rows, user=user)
        for number, user in enumerate((self.resident, self.quality, self.manager)):
            rows[1][1] = make_vin(number)
            self.assertTrue(self._import(rows, user=user, notice_ref=user.login))

    def test_sites_of_others(self):
        rows = [HEADINGS, *make_rows(1)]
        for user in (self.resident_de, self.resident_b, self.manager_b):
            wizard = self._open(rows, user=user)
            for action in (wizard.action_check, wizard.action_import):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    action()
        claim = self._create_claim()
        wizard = self._open(rows, user=self.resident_de, claim=claim)
        with self.assertRaises(AccessError):
            wizard.action_import()

    def test_dialogue_is_its_user_s(self):
        wizard = self._check([HEADINGS, *make_rows(1)])
        for user in (self.standin, self.manager):
            with self.assertRaises(AccessError):
                wizard.with_user(user).action_import()
            with self.assertRaises(AccessError):
                wizard.column_ids.with_user(user).target = False

    def test_no_reference(self):
        with self._assert_refused("Customer's Reference"):
            self._check([HEADINGS, *make_rows(1)], notice_ref=" ")

    def test_notes_are_the_import_s(self):
        claim = self._import([HEADINGS, *make_rows(1)])
        file = self.env["quality.claim.file"].search([("claim_id", "=", claim.id)])
        for user in (self.resident, self.manager):
            with self.assertRaises(AccessError):
                file.with_user(user).write({"digest": "x"})
            with self.assertRaises(AccessError):
                file.with_user(user).unlink()
            with self.assertRaises(AccessError):
                file.with_user(user).create({"name": "x", "claim_id": claim.id})

    # === COST === #

    def test_queries_are_flat(self):
        def count(number, reference):
            wizard = self._open([HEADINGS, *make_rows(number)], notice_ref=reference)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard.action_import()
            self.env.flush_all()
            self.assertFalse(wizard.error_count)
            return self.env.cr.sql_log_count - before

        count(1, "N-1")
        few = count(2, "N-2")
        self.assertLessEqual(count(200, "N-3"), few + 3)
