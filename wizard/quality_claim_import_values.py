"""What people write in the cells of a spreadsheet, as values of a claim line."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from ..models.quality_vehicle import BODY_NUMBER, VIN, normalise_vin
from .quality_claim_import_reader import Unusable

EARLIEST = date(2000, 1, 1)
# Beyond these a number is a slip of the pen; the database takes them all.
MAX_MILEAGE = 5_000_000
MAX_NUMBER = Decimal(10) ** 12
MAX_TEXT = 200
KM_PER_MILE = Decimal("1.609344")
# Units as they are written after a mileage, and kilometres in one.
UNITS = {
    "": 1,
    "KM": 1,
    "KMS": 1,
    "公里": 1,
    "千米": 1,
    "万公里": 10_000,
    "MI": KM_PER_MILE,
    "MILE": KM_PER_MILE,
    "MILES": KM_PER_MILE,
    "英里": KM_PER_MILE,
}
NUMBER = re.compile(r"[+-]?[\d.,' ]*\d[\d.,' ]*")
DATE = re.compile(r"(\d{1,4})[-/.年 ]\s*(\d{1,2})[-/.月 ]\s*(\d{1,4})日?(?:[T ,].*)?")
DATE_DIGITS = re.compile(r"(20\d\d)(\d\d)(\d\d)")
# Days since the last of 1899, as spreadsheets count them: 2000 to 2099.
SERIAL_DAY = range(36526, 73051)


class CellError(Exception):
    """A cell that cannot be used; its text says why, and the way out."""


def to_text(env, cell):
    """Return a cell as the text that the spreadsheet shows."""
    if isinstance(cell, Unusable):
        raise CellError(
            env._("The cell holds an error or an unsolved formula: enter the value.")
        )
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    if len(text) > MAX_TEXT:
        raise CellError(
            env._("Longer than %(limit)d characters: shorten it.", limit=MAX_TEXT)
        )
    return text


def show(cell):
    """Return a cell as the user knows it from the spreadsheet, whatever it holds."""
    if isinstance(cell, datetime) and cell.time() == time.min:
        cell = cell.date()
    return str(cell)[:MAX_TEXT]


def to_vin(env, cell):
    vin = normalise_vin(to_text(env, cell))
    if not VIN.fullmatch(vin):
        raise CellError(
            env._(
                "No VIN: 17 letters and digits, without I, O and Q. For the plant's "
                "own numbers choose “Body Number” as the column's meaning."
            )
        )
    return vin


def to_body(env, cell):
    number = normalise_vin(to_text(env, cell))
    if not BODY_NUMBER.fullmatch(number):
        raise CellError(env._("No body number: 3 to 17 letters and digits."))
    return number


# === NUMBERS === #


def find_decimal_mark(cells):
    """Return “,” or “.” where a column's numbers prove it, else None.

    1.234,5 and 12,50 prove the comma, 1,234.5 the point; 1,234 proves nothing.
    """
    proofs = set()
    for cell in cells:
        if not isinstance(cell, str):
            continue
        marks = re.findall(r"[.,]", cell)
        if not marks:
            continue
        if len(set(marks)) == 2:
            proofs.add(marks[-1])
        elif len(marks) > 1:
            proofs.add("." if marks[0] == "," else ",")
        elif not re.search(r"(?<!\d)[1-9]\d{0,2}[.,]\d{3}(?!\d)", cell):
            proofs.add(marks[0])
    return proofs.pop() if len(proofs) == 1 else None


def to_number(env, cell, mark):
    """Return a cell as a Decimal.

    :param str mark: the decimal mark “,” or “.”; None when the column does not prove it
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        text, mark = repr(cell), "."
        number = _to_decimal(text)
    else:
        text = to_text(env, cell).strip("$€¥￥ ")
        if not NUMBER.fullmatch(text):
            raise CellError(env._("No number: write digits only."))
        text = re.sub(r"[ ']", "", text)
        if mark is None and re.search(r"[.,]", text):
            raise CellError(
                env._(
                    "Thousands or decimals? Choose the decimal mark of this column "
                    "under “Written as”."
                )
            )
        thousands = "." if mark == "," else ","
        number = _to_decimal(text.replace(thousands, "").replace(",", "."))
    if number is None or not number.is_finite() or abs(number) > MAX_NUMBER:
        raise CellError(env._("No number that a claim can hold: correct it."))
    return number


def _to_decimal(text):
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def to_positive(env, cell, mark):
    number = to_number(env, cell, mark)
    # As it is kept: less than that is nothing.
    if round(number, env["decimal.precision"].precision_get("Product Unit")) <= 0:
        raise CellError(env._("Must be more than 0."))
    return float(number)


def to_money(env, cell, mark):
    number = to_number(env, cell, mark)
    if number < 0:
        raise CellError(
            env._("Cannot be negative. Enter credits of the customer as an own claim.")
        )
    return float(number)


def to_mileage(env, cell, mark):
    """Return whole kilometres; “8,000 mi” and “1.2 万公里” are understood."""
    factor = 1
    if isinstance(cell, str):
        number, unit = re.fullmatch(r"([^A-Za-z公千万英]*)(.*)", cell, re.S).groups()
        unit = unit.strip(" .").upper()
        if unit not in UNITS:
            raise CellError(
                env._("“%(unit)s” is no unit that is known: write km or mi.", unit=unit)
            )
        cell, factor = number.strip(), UNITS[unit]
        if mark is None and factor != 10_000:
            # Nobody notes parts of a kilometre to three digits.
            mark = "." if "," in cell else ","
    mileage = to_number(env, cell, mark) * factor
    if not 0 <= mileage <= MAX_MILEAGE:
        raise CellError(
            env._("A mileage is between 0 and %(limit)d km.", limit=MAX_MILEAGE)
        )
    return int(round(mileage))


# === DATES === #


def find_date_order(cells):
    """Return “dmy” or “mdy” where a column's dates prove it, else None."""
    proofs = set()
    for cell in cells:
        if isinstance(cell, str) and (match := DATE.fullmatch(cell.strip())):
            first, second, _last = match.groups()
            if len(first) < 3 and int(first) > 12:
                proofs.add("dmy")
            elif len(first) < 3 and int(second) > 12:
                proofs.add("mdy")
    return proofs.pop() if len(proofs) == 1 else None


def to_date(env, cell, order, today):
    """Return a cell as a date between 2000 and ``today``.

    :param str order: “dmy”, “mdy” or “ymd”; None when the column does not prove it
    """
    if isinstance(cell, datetime):
        day = cell.date()
    elif isinstance(cell, date):
        day = cell
    else:
        day = _parse_date(env, to_text(env, cell), order)
    if not EARLIEST <= day <= today:
        raise CellError(
            env._(
                "A part fails between %(first)s and today: correct the year.",
                first=EARLIEST.isoformat(),
            )
        )
    return day


def _parse_date(env, text, order):
    if text.isdigit() and int(text) in SERIAL_DAY:
        return date(1899, 12, 30) + timedelta(days=int(text))
    match = DATE_DIGITS.fullmatch(text) or DATE.fullmatch(text)
    if not match:
        raise CellError(env._("No date: write it like 2026-03-31."))
    parts = match.groups()
    if len(parts[0]) == 4:
        order = "ymd"
    elif order is None and parts[0] == parts[1]:
        order = "dmy"
    if order is None:
        raise CellError(
            env._(
                "Day or month first? Choose the order of this column under "
                "“Written as”."
            )
        )
    year, month, day = (int(parts[order.index(letter)]) for letter in "ymd")
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError as error:
        raise CellError(env._("There is no such day: correct it.")) from error
