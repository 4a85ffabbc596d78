"""The claim import: 5,000 rows of a customer's .xlsx beside core's load().

Run by ``./dev bench``. Medians of RUNS interleaved runs after a warm-up; nothing is
committed. Ours is all that a click on *Import* does: read the file, check each row,
look for duplicates, create. Core is given the rows as texts and only loads them;
``base`` is core's whole import, which reads the file as well.
"""

import base64
import io
import statistics
import time

import openpyxl

RUNS = 5
ROWS = 5000
PARTS = 50
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

partner = env["res.partner"].create({"name": "Bench Motors", "is_company": True})
site = env["resident.site"].create(
    {"name": "Bench", "code": "BENCHIMP", "partner_id": partner.id}
)
env["product.product"].create(
    [
        {"name": f"Bench part {n}", "default_code": f"BENCH-{n:03d}"}
        for n in range(PARTS)
    ]
)
fields = ["product_id", "vin", "mileage", "failed_on", "quantity", "price_unit"]
rows = [
    [
        f"BENCH-{n % PARTS:03d}",
        f"LFV2A21K3P4{n:06d}",
        str(10_000 + n),
        "2026-01-05",
        "1",
        "48.5",
    ]
    for n in range(ROWS)
]
book = openpyxl.Workbook()
book.active.append(["Part Number", "VIN", "Mileage", "Failure Date", "Qty", "Price"])
for row in rows:
    book.active.append(row)
stream = io.BytesIO()
book.save(stream)
content = stream.getvalue()


def measure(run):
    """Return (seconds, queries) of ``run`` with a warm registry and cold rows."""
    env.flush_all()
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    run()
    env.flush_all()
    return time.perf_counter() - start, env.cr.sql_log_count - queries


def run_ours():
    wizard = env["quality.claim.import"].create(
        {
            "site_id": site.id,
            "notice_ref": "BENCH",
            "file": base64.b64encode(content),
            "file_name": "bench.xlsx",
        }
    )
    wizard.action_import()
    assert not wizard.error_count, wizard.problem_ids[:1].message


def get_lines():
    claim = env["quality.claim"].create({"site_id": site.id})
    return env["quality.claim.line"].with_context(default_claim_id=claim.id)


def run_load():
    result = get_lines().load(fields, rows)
    assert result["ids"], result["messages"][:1]


def run_base():
    lines = get_lines()
    wizard = lines.env["base_import.import"].create(
        {"res_model": lines._name, "file": content, "file_name": "bench.xlsx"}
    )
    options = {"has_headers": True, "quoting": '"', "separator": ","}
    # Core reads dates and numbers in the formats that it is told.
    options |= {"date_format": "%Y-%m-%d", "float_thousand_separator": ","}
    options |= {"float_decimal_separator": "."}
    result = wizard.execute_import(fields, fields, options)
    assert result["ids"], result["messages"][:1]


runs = {"ours": run_ours, "load": run_load, "base": run_base}
times = {name: [] for name in runs}
with env.cr.savepoint() as savepoint:
    for number in range(RUNS + 1):
        for name, run in runs.items():
            with env.cr.savepoint() as inner:
                cost = measure(run)
                inner.rollback()
                env.invalidate_all()
            if number:
                times[name].append(cost)
    savepoint.rollback()

medians = {
    name: tuple(statistics.median(column) for column in zip(*costs, strict=True))
    for name, costs in times.items()
}
for name, (seconds, queries) in medians.items():
    print(f"{name:5} {ROWS} rows: {seconds:.2f} s, {queries:.0f} queries")
for name in ("load", "base"):
    print(f"ours / {name} = {medians['ours'][0] / medians[name][0]:.2f}")
