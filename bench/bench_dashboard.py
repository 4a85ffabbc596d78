"""The overview of 50 sites at 1,000,000 moves and 100,000 complaints, beside plain SQL.

Run by ``./dev bench``. One complaint in fifty of those that were open is so still, with
its clocks. Medians of RUNS interleaved runs after a warm-up; nothing is committed.
"""

import datetime
import statistics
import sys
import time
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.modules.module import get_module_path
from odoo.tools import SQL

# A shell has no file of its own to import beside.
sys.path.insert(0, get_module_path("quality_resident"))
from bench.generate import YEAR, generate_year  # noqa: E402
from bench.raw_figures import QUERIES, get_spans  # noqa: E402

RUNS = 5
TODAY = datetime.date(YEAR, 12, 20)
# What the overview shows of the facts that the figures know.
PPM_QUERIES = [
    query
    for names, query in QUERIES.items()
    if {"delivered_qty", "sorted_bad", "told_bad"} & set(names)
]
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821


def prepare():
    """Return (sites, manager) of a generated year in which most work is done."""
    start = time.perf_counter()
    year = generate_year(env, sites=50, moves=1000000, complaints=100000)
    env.cr.execute(
        """UPDATE quality_complaint SET state = 'closed', closed_at = called_at
        WHERE state IN ('new', 'reported', 'contained') AND id % 50 > 0"""
    )
    env.cr.execute(
        """UPDATE quality_complaint
        SET arrival_deadline = called_at + interval '5 minutes',
            due_deadline = called_at + interval '30 days',
            defect_id = (SELECT min(id) + quality_complaint.id % 20 FROM quality_defect)
        WHERE name LIKE 'BENCH/%'"""
    )
    env.cr.execute("ANALYZE quality_complaint")
    companies = year.sites.company_id
    manager = env["res.users"].create(
        {
            "name": "Bench",
            "login": "bench_dashboard",
            "tz": "Asia/Shanghai",
            "company_id": companies[0].id,
            "company_ids": [Command.set(companies.ids)],
            "group_ids": [
                Command.link(env.ref(group).id)
                for group in ("base.group_user", "quality_resident.group_manager")
            ],
        }
    )
    print(f"generated in {time.perf_counter() - start:.0f} s")
    return year.sites, manager


def read_plain(sites, months):
    """Read what the overview shows, written for the purpose."""
    first = (TODAY.replace(day=1) - datetime.timedelta(days=31 * (months - 1))).replace(
        day=1
    )
    spans = get_spans(sites, first, TODAY.replace(day=1))
    bounds = min(span[4] for span in spans), max(span[5] for span in spans)
    for query in PPM_QUERIES:
        if "%(moves)s" in query:
            moves = SQL("move.date >= %s AND move.date < %s", *bounds)
            query = SQL(query, moves=moves)
        else:
            query = SQL(query)
        rows = SQL(", ").join(SQL("%s", span) for span in spans)
        env.cr.execute(
            SQL(
                """WITH span (site_id, company_id, partner_id, month, starts, ends)
                AS (VALUES %s) %s""",
                rows,
                query,
            )
        )
        env.cr.fetchall()
    ids = sites._ids
    called = SQL(
        """FROM quality_complaint complaint
        JOIN resident_site site ON site.id = complaint.site_id
        JOIN resource_calendar calendar ON calendar.id = site.calendar_id
        WHERE complaint.called_at >= %s AND complaint.site_id IN %s
            AND state NOT IN ('refused', 'cancelled')
            AND (called_at AT TIME ZONE 'UTC' AT TIME ZONE calendar.tz)::date >= %s""",
        bounds[0] - datetime.timedelta(days=1),
        ids,
        first,
    )
    open_states = ("new", "reported", "contained", "analysed", "verifying")
    running = SQL(" UNION ALL ").join(
        SQL(
            """(SELECT id, name, site_id, %s, %s AS deadline FROM quality_complaint
            WHERE state IN %s AND site_id IN %s AND %s IS NOT NULL AND %s IS NULL
            ORDER BY 5 LIMIT 8)""",
            *map(SQL.identifier, (start, deadline)),
            open_states,
            ids,
            *map(SQL.identifier, (deadline, stop)),
        )
        for start, deadline, stop in (
            ("called_at", "arrival_deadline", "arrived_at"),
            ("arrived_at", "feedback_deadline", "feedback_sent_at"),
            ("called_at", "due_deadline", "closed_at"),
        )
    )
    for query in (
        SQL("SELECT defect_id, count(*) %s GROUP BY 1 ORDER BY 2 DESC", called),
        SQL(
            """SELECT date_trunc('week',
                called_at AT TIME ZONE 'UTC' AT TIME ZONE calendar.tz), count(*)
            %s GROUP BY 1""",
            called,
        ),
        SQL("SELECT * FROM (%s) clocks ORDER BY deadline LIMIT 8", running),
        SQL(
            """SELECT count(*) FILTER (WHERE state = 'new'),
                count(*) FILTER (WHERE due_deadline < %s),
                count(*) FILTER (WHERE arrived_at IS NULL),
                count(*) FILTER (WHERE due_deadline IS NOT NULL)
            FROM quality_complaint WHERE state IN %s AND site_id IN %s""",
            fields.Datetime.now(),
            open_states,
            ids,
        ),
        *(
            SQL(
                """SELECT state, count(*) FROM %s
                WHERE site_id IN %s AND state IN %s GROUP BY 1""",
                SQL.identifier(table),
                ids,
                states,
            )
            for table, states in (
                ("quality_8d", ("draft", "sent", "refused")),
                ("quality_measure", ("open",)),
                ("quality_service_sheet", ("draft",)),
                ("quality_suspect_slip", ("suspect", "bad", "rework")),
                ("quality_scrap_request", ("signing",)),
                (
                    "quality_return",
                    ("requested", "approved", "in_transit", "received", "judged"),
                ),
                ("quality_claim", ("received", "judging", "judged", "agreed")),
            )
        ),
        SQL(
            """SELECT company_id, balance, sum(amount_company),
                sum(amount_company) FILTER (WHERE date >= %s)
            FROM quality_claim_entry WHERE site_id IN %s GROUP BY 1, 2""",
            first,
            ids,
        ),
    ):
        env.cr.execute(query)
        env.cr.fetchall()


def measure(run):
    """Return (seconds, queries) of ``run`` with nothing in the cache."""
    env.invalidate_all()
    queries, begin = env.cr.sql_log_count, time.perf_counter()
    run()
    return time.perf_counter() - begin, env.cr.sql_log_count - queries


def report(name, dashboard, sites, months, site_ids=()):
    filters = {"months": months, "site_ids": list(site_ids)}
    ours, plain = [], []
    for run in range(RUNS + 1):
        mine = measure(lambda: dashboard.get_data(filters))
        theirs = measure(lambda: read_plain(sites, months))
        if run:
            ours.append(mine)
            plain.append(theirs)
    seconds, raw = (statistics.median(row[0] for row in rows) for rows in (ours, plain))
    print(
        f"{name:<26}{seconds * 1000:>8.0f}{ours[0][1]:>9}{raw * 1000:>10.0f}"
        f"{plain[0][1]:>9}{seconds / raw:>8.2f}"
    )


def report_sections(dashboard):
    read = dashboard._read_filters({"months": 12})
    for name, method in dashboard._get_sections().items():
        runs = [measure(lambda m=method: m(read)) for _run in range(RUNS + 1)][1:]
        seconds = statistics.median(row[0] for row in runs)
        print(f"    {name:<22}{seconds * 1000:>8.0f}{runs[0][1]:>9}")


noon = fields.Datetime.to_datetime(TODAY) + datetime.timedelta(hours=12)
with (
    patch.object(fields.Datetime, "now", lambda *_args: noon),
    patch.object(fields.Date, "context_today", lambda *_args: TODAY),
):
    all_sites, boss = prepare()
    mine = env["quality.dashboard"].with_user(boss)
    mine = mine.with_context(
        tz=boss.tz, allowed_company_ids=boss.company_ids.ids, lang="en_US"
    )
    print(f"{'':<26}{'ms':>8}{'queries':>9}{'plain ms':>10}{'queries':>9}{'ratio':>8}")
    for months in (3, 6, 12):
        report(f"{months} months, 51 sites", mine, all_sites, months)
    one = all_sites[0]
    report("6 months, 1 site", mine, one, 6, one.ids)
    report_sections(mine)
env.cr.rollback()
