"""Customers' spreadsheets, read as rows of cells that keep their row numbers.

Odoo's own import drops empty rows, and with them the numbers that the customer sees in
his spreadsheet; errors here name the row as the spreadsheet does.
"""

import codecs
import csv
import io
import statistics
import zipfile

import chardet
import openpyxl
import xlrd

from odoo.exceptions import UserError

MAX_BYTES = 10 * 1024**2
# What an .xlsx may become when it is unpacked: it is a zip, and zips can be bombs.
MAX_UNPACKED = 100 * 1024**2
MAX_ROWS = 20_000
MAX_COLUMNS = 100
# Enough for chardet, which is slow.
ENCODING_SAMPLE = 64 * 1024
SEPARATORS = (",", ";", "\t", "|")
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")


class Unusable:
    """A cell without a value of the customer's: an error or an unsolved formula."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


def read_spreadsheet(env, content, sheet_name=None):
    """Return ``(sheet names, name of the sheet read, rows)`` of a file.

    :param bytes content: .xlsx, .xls or .csv
    :param str sheet_name: the sheet to read; the first with any content if empty
    :return: rows are ``(row number, list of cells)`` without the empty ones; a cell is
        None, a str, a number, a date, a datetime or :class:`Unusable`
    :raise UserError: saying what is wrong with the file and the way out
    """
    if len(content) > MAX_BYTES:
        raise UserError(
            env._(
                "The file has %(size)d MB, more than %(limit)d. Split it, or delete "
                "pictures from it.",
                size=len(content) // 1024**2,
                limit=MAX_BYTES // 1024**2,
            )
        )
    if content.startswith(b"PK\x03\x04"):
        read = _read_xlsx
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        read = _read_xls
    else:
        read = _read_csv
    try:
        names, name, rows = read(env, content, sheet_name)
    except UserError:
        raise
    except Exception as error:
        # Whatever a broken or hostile file makes a parser stumble over.
        raise UserError(
            env._(
                "The file cannot be read (%(error)s). Open it in your spreadsheet "
                "program, save it as .xlsx and choose that.",
                error=str(error)[:200] or type(error).__name__,
            )
        ) from error
    if len(rows) > MAX_ROWS:
        raise UserError(
            env._(
                "The sheet has more than %(limit)d rows. Split the file.",
                limit=MAX_ROWS,
            )
        )
    return names, name, rows


def _read_xlsx(env, content, sheet_name):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MAX_UNPACKED:
            raise UserError(
                env._(
                    "Unpacked, the file has more than %(limit)d MB. Copy the rows "
                    "into a new spreadsheet and choose that.",
                    limit=MAX_UNPACKED // 1024**2,
                )
            )
        has_formulas = any(
            _holds(archive, part, (b"<f>", b"<f "))
            for part in parts
            if part.filename.startswith("xl/worksheets/")
        )
    book = _open_xlsx(content)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    for name in [sheet_name] if sheet_name in sheets else sheets:
        rows = _take_rows(_iter_xlsx(sheets[name]))
        if rows:
            break
    if has_formulas and rows:
        # A formula that no program has solved reads as an empty cell; a price must
        # not be lost without a word.
        formulas = _iter_xlsx(_open_xlsx(content, data_only=False)[name])
        by_number = dict(rows)
        for number, cells in enumerate(formulas, 1):
            values = by_number.get(number)
            for column, cell in enumerate(cells if values else ()):
                if values[column] is None and cell is not None:
                    values[column] = Unusable(str(cell))
    return list(sheets), name, rows


def _holds(archive, part, needles):
    """Tell whether a part of the archive holds one of ``needles``, with flat memory."""
    with archive.open(part) as stream:
        tail = b""
        while chunk := stream.read(1024**2):
            if any(needle in tail + chunk for needle in needles):
                return True
            tail = chunk[-3:]
    return False


def _open_xlsx(content, data_only=True):
    return openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=data_only
    )


def _iter_xlsx(sheet):
    # What the file says about its own size is often wrong, sometimes on purpose.
    sheet.reset_dimensions()
    return sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS, values_only=True)


def _read_xls(env, content, sheet_name):
    book = xlrd.open_workbook(file_contents=content, on_demand=True)
    names = book.sheet_names()
    for name in [sheet_name] if sheet_name in names else names:
        rows = _take_rows(_iter_xls(book, book.sheet_by_name(name)))
        if rows:
            break
    return names, name, rows


def _iter_xls(book, sheet):
    for number in range(min(sheet.nrows, MAX_ROWS + 1)):
        cells = []
        for cell in sheet.row(number)[:MAX_COLUMNS]:
            value = cell.value
            if cell.ctype == xlrd.XL_CELL_DATE:
                value = xlrd.xldate_as_datetime(value, book.datemode)
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = xlrd.error_text_from_code.get(value, "#N/A")
            elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            cells.append(value)
        yield cells


def _read_csv(env, content, sheet_name):
    text = _decode(content)
    sample = text[: 64 * 1024].splitlines()[:50]
    separator = max(
        SEPARATORS,
        key=lambda mark: statistics.median(
            [len(row) for row in csv.reader(sample, delimiter=mark)] or [0]
        ),
    )
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = _take_rows(
        [cell or None for cell in line[:MAX_COLUMNS]]
        for line, _number in zip(lines, range(MAX_ROWS + 1), strict=False)
    )
    return [""], "", rows


def _decode(content):
    """Return the text of a .csv, whatever the customer's program wrote it in."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content[:1000]:
        zeros = content[:1000:2].count(b"\0")
        return content.decode("utf-16-be" if zeros else "utf-16-le")
    guess = chardet.detect(content[:ENCODING_SAMPLE])["encoding"] or ""
    # GB18030 reads all that GBK and GB2312 write.
    guesses = ["cp1252"] if guess.lower() in ("iso-8859-1", "windows-1252") else []
    for encoding in ("utf-8-sig", *guesses, "gb18030", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _take_rows(lines):
    """Return the rows that are not empty, with their numbers."""
    rows = []
    for number, line in enumerate(lines, 1):
        cells = [_clean(cell) for cell in line]
        if any(cell is not None for cell in cells):
            rows.append((number, cells))
    return rows


def _clean(cell):
    if isinstance(cell, str):
        cell = cell.replace("\0", "").strip() or None
        if cell in ERRORS:
            return Unusable(cell)
    return cell
