"""The claim ledger as a spreadsheet beside plain xlsxwriter writing the same cells.

Run by ``./dev bench``. Plain takes the same rows from a server-side cursor of its own
and writes them with xlsxwriter in constant memory, nothing else. Medians of RUNS
interleaved runs; memory is the peak that Python allocates, measured in runs of their
own since measuring slows down. Verifying the same ledger is measured as well. Nothing
is committed.
"""

import io
import statistics
import time
import tracemalloc

import xlsxwriter

from odoo.fields import Command
from odoo.tools import SQL

RUNS = 3
ENTRIES = 100_000
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

partner = env["res.partner"].create({"name": "Bench Motors", "is_company": True})
site = env["resident.site"].create(
    {"name": "Bench", "code": "BENCHXLS", "partner_id": partner.id}
)
product = env["product.product"].create({"name": "Bench part", "default_code": "B-1"})
LINES = 1000
claim = env["quality.claim"].create(
    {
        "site_id": site.id,
        "notice_ref": "BENCH-1",
        "line_ids": [
            Command.create({"product_id": product.id, "price_unit": 5, "vin": f"V{n}"})
            for n in range(LINES)
        ],
    }
)
entries = env["quality.claim.entry"]
wizard = env["quality.claim.report"].create({"output": "xlsx", "claim_ids": claim.ids})
report = env["report.quality_resident.claim_ledger_xlsx"].with_context(
    active_model=wizard._name
)


def fill(count):
    """Append ``count`` entries to the claim."""
    line_ids = claim.line_ids.ids
    values = {
        "claim_id": claim.id,
        "site_id": site.id,
        "company_id": claim.company_id.id,
        "kind": "claimed",
        "balance": "claimed",
        "currency_id": claim.currency_id.id,
        "amount": 5.0,
        "amount_company": 5.0,
        "reason": "Bench",
    }
    for first in range(0, count, 5000):
        entries._append(
            [
                {**values, "line_id": line_ids[number % LINES]}
                for number in range(first, min(first + 5000, count))
            ]
        )
        env.invalidate_all()


def write_ours():
    content, _kind = report.create_xlsx_report(wizard.ids, {})
    return len(content)


def write_plain():
    """Write the same cells, each by the function for its type."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(
        stream, {"constant_memory": True, "strings_to_formulas": False}
    )
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    money = book.add_format({"num_format": "#,##0.00"})
    writers = {
        "date": lambda *at: sheet.write_datetime(*at, day),
        "recorded_at": lambda *at: sheet.write_datetime(*at, moment),
        **dict.fromkeys(("sequence", "reversed", "currency"), sheet.write_number),
        **dict.fromkeys(
            ("amount", "amount_company", "open_after"),
            lambda *at: sheet.write_number(*at, money),
        ),
    }
    names = list(entries._get_row_columns())
    chosen = [
        (number, writers.get(name, sheet.write_string))
        for number, name in enumerate(names)
        if name != "company_currency"
    ]
    query = SQL("%s", entries._get_rows_sql(wizard._get_domain()))
    cursor = env.cr._cnx.cursor("bench_plain")
    cursor.itersize = 2000
    cursor.execute(query.code, query.params)
    for line, row in enumerate(cursor, 1):
        for column, (number, write) in enumerate(chosen):
            if row[number] is not None:
                write(line, column, row[number])
    cursor.close()
    book.close()
    return len(stream.getvalue())


def measure(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure_memory(run):
    env.invalidate_all()
    tracemalloc.start()
    run()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


with env.cr.savepoint() as savepoint:
    fill(ENTRIES // 10)
    small = {run.__name__: measure_memory(run) for run in (write_ours, write_plain)}
    fill(ENTRIES - ENTRIES // 10)
    env.cr.execute("ANALYZE quality_claim_entry")
    times = {write_ours: [], write_plain: []}
    for _number in range(RUNS):
        for run, costs in times.items():
            costs.append(measure(run))
    large = {run.__name__: measure_memory(run) for run in (write_ours, write_plain)}
    seconds = measure(lambda: entries._verify_entries(claim.company_id))
    memory = measure_memory(lambda: entries._verify_entries(claim.company_id))
    savepoint.rollback()

medians = {run.__name__: statistics.median(costs) for run, costs in times.items()}
for name, median in medians.items():
    print(
        f"{name:12} {ENTRIES} entries x 19 cells: {median:.1f} s, peak "
        f"{large[name]:.1f} MB ({ENTRIES // 10}: {small[name]:.1f} MB)"
    )
print(f"ours / plain = {medians['write_ours'] / medians['write_plain']:.2f}")
print(f"verify {ENTRIES} entries: {seconds:.1f} s, peak {memory:.1f} MB")
