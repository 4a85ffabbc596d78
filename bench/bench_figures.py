"""Figures of 50 sites from 1,000,000 moves, beside the same sums by plain SQL.

Run by ``./dev bench``. First the whole year is compared, every figure of every site and
month; then a month and the year are measured: medians of RUNS interleaved runs after a
warm-up. Nothing is committed.
"""

import datetime
import math
import statistics
import sys
import time

from odoo.modules.module import get_module_path

# A shell has no file of its own to import beside.
sys.path.insert(0, get_module_path("quality_resident"))
from bench.generate import YEAR, generate_year  # noqa: E402
from bench.raw_figures import get_raw_figures, get_raw_sums  # noqa: E402

RUNS = 3
MOVES = 1000000
FIRST, LAST = datetime.date(YEAR, 1, 1), datetime.date(YEAR, 12, 1)
MONTH = datetime.date(YEAR, 5, 1)
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

start = time.perf_counter()
year = generate_year(env, sites=50, moves=MOVES)
figures = env["quality.figure"].with_context(
    allowed_company_ids=year.sites.company_id.ids
)
print(f"generated in {time.perf_counter() - start:.0f} s")


def compare():
    ours = figures._get_month_figures(year.sites, FIRST, LAST)
    raw = get_raw_figures(env, year.sites, FIRST, LAST)
    different = [
        (site.code, month, name, value, expected)
        for (site, month), row in ours.items()
        for name, value in row.items()
        if (value is None) != ((expected := raw[site.id, month][name]) is None)
        or value is not None
        and not math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-6)
    ]
    count = sum(len(row) for row in ours.values())
    print(f"{count} figures compared, {len(different)} differ", *different[:9])


def measure(run):
    """Return (seconds, queries) of ``run``."""
    queries, begin = env.cr.sql_log_count, time.perf_counter()
    run()
    return time.perf_counter() - begin, env.cr.sql_log_count - queries


CASES = {
    "one month, 51 sites": (year.sites, MONTH, MONTH),
    "one month, 1 site": (year.sites[0], MONTH, MONTH),
    "a year, 51 sites": (year.sites, FIRST, LAST),
}


def report(name, sites, first, last):
    def run_ours():
        figures._get_month_figures(sites, first, last)

    def run_raw():
        get_raw_sums(env, sites, first, last)

    run_ours()
    run_raw()
    ours, raw = zip(
        *((measure(run_ours), measure(run_raw)) for _run in range(RUNS)), strict=True
    )
    seconds, raw_seconds = (
        statistics.median(row[0] for row in rows) for rows in (ours, raw)
    )
    print(
        f"{name:<22}{seconds * 1000:>9.0f}{ours[0][1]:>9}"
        f"{raw_seconds * 1000:>12.0f}{seconds / raw_seconds:>9.2f}"
    )


compare()
print(f"{'figures of':<22}{'ms':>9}{'queries':>9}{'raw SQL ms':>12}{'ratio':>9}")
for name, case in CASES.items():
    report(name, *case)
env.cr.rollback()
