"""Complaints: creating 1, 100 and 1,000; pages and the clock job at 10^3 to 10^5 rows.

Run by ``./dev bench``. Every figure is the median of RUNS runs after a warm-up; pages
stand beside the raw SQL of the same page, interleaved. Nothing is committed.
"""

import random
import statistics
import time

from odoo.fields import Command
from odoo.tools import SQL

RUNS = 5
SEED = 19
random.seed(SEED)
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

site = env["resident.site"].create(
    {
        "name": "Bench",
        "code": "BENCH",
        "partner_id": env["res.partner"].create({"name": "Bench Motors"}).id,
    }
)
products = env["product.product"].create(
    [{"name": f"Bench part {n}", "is_storable": True} for n in range(40)]
)
defects = env["quality.defect"].create(
    [{"code": f"BENCH{n}", "name": f"Defect {n}"} for n in range(20)]
)
user = env["res.users"].create(
    {
        "name": "Bench",
        "login": "bench",
        "group_ids": [
            Command.link(env.ref("quality_resident.group_resident").id),
            Command.link(env.ref("base.group_user").id),
        ],
    }
)
env["resident.posting"].create({"site_id": site.id, "user_id": user.id})
complaints = env["quality.complaint"].with_user(user)


def measure(run):
    """Return (seconds, queries) of ``run`` with a warm registry and cold rows."""
    env.flush_all()
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    run()
    env.flush_all()
    return time.perf_counter() - start, env.cr.sql_log_count - queries


def median(runs):
    seconds, queries = zip(*runs, strict=True)
    return statistics.median(seconds), statistics.median(queries)


def values(count):
    return [
        {
            "product_id": random.choice(products).id,
            "defect_id": random.choice(defects).id,
            "quantity": random.randint(1, 50),
        }
        for _number in range(count)
    ]


def insert_rows(count):
    """Fill up to ``count`` rows in SQL: nine of ten closed, three years of calls."""
    present = env["quality.complaint"].search_count([])
    env.cr.execute(
        SQL(
            """INSERT INTO quality_complaint
                (name, state, site_id, company_id, partner_id, product_id, defect_id,
                 channel, severity, quantity, called_at, arrival_deadline, arrived_at,
                 arrival_status, feedback_sent_at, feedback_status, closed_at,
                 next_alert_at, create_date, write_date)
            SELECT 'B/' || n, CASE WHEN n %% 10 = 0 THEN 'reported' ELSE 'closed' END,
                %(site)s, %(company)s, %(partner)s, %(first)s + n %% 40,
                %(defect)s + n %% 20, 'phone', 'major', n %% 50,
                now() - n * interval '15 minutes', now() - n * interval '15 minutes',
                now() - n * interval '15 minutes', 'on_time', now(), 'on_time',
                CASE WHEN n %% 10 = 0 THEN NULL ELSE now() END,
                CASE WHEN n %% 1000 = 0 THEN now() - interval '1 minute' END,
                now(), now()
            FROM generate_series(%(from)s, %(to)s) AS n""",
            site=site.id,
            company=site.company_id.id,
            partner=site.partner_id.id,
            first=min(products.ids),
            defect=min(defects.ids),
            **{"from": present + 1, "to": count},
        )
    )
    env.cr.execute("ANALYZE quality_complaint")


print(f"{'create':<28}{'seconds':>10}{'queries':>10}{'per record':>12}")
complaints.create(values(2))
for count in (1, 100, 1000):
    seconds, queries = median(
        [measure(lambda n=count: complaints.create(values(n))) for _run in range(RUNS)]
    )
    print(f"{count:<28}{seconds:>10.3f}{queries:>10.0f}{queries / count:>12.2f}")

FIELDS = {
    "name": {},
    "called_at": {},
    "site_id": {"fields": {"display_name": {}}},
    "product_id": {"fields": {"display_name": {}}},
    "defect_id": {"fields": {"display_name": {}}},
    "state": {},
}
# As the web client asks: it bounds the count.
PAGE = {"specification": FIELDS, "limit": 80, "count_limit": 10001}
PAGES = {
    "list, first page": lambda: complaints.web_search_read([], **PAGE),
    "list, open": lambda: complaints.web_search_read(
        [("state", "in", ["new", "reported"])], **PAGE
    ),
    "list, number": lambda: complaints.web_search_read(
        [("name", "ilike", "B/77")], **PAGE
    ),
    "board, columns": lambda: complaints.formatted_read_group(
        [], ["state"], ["__count"]
    ),
    "by month": lambda: complaints.formatted_read_group(
        [], ["called_at:month"], ["__count"]
    ),
}
RAW = {
    "list, first page": "SELECT id, name, called_at, site_id, product_id, defect_id, "
    "state FROM quality_complaint WHERE company_id = %(c)s "
    "ORDER BY called_at DESC, id DESC LIMIT 80",
    "list, open": "SELECT id, name, called_at, site_id, product_id, defect_id, state "
    "FROM quality_complaint WHERE company_id = %(c)s AND state IN ('new', 'reported') "
    "ORDER BY called_at DESC, id DESC LIMIT 80",
    "list, number": "SELECT id, name, called_at, site_id, product_id, defect_id, state "
    "FROM quality_complaint WHERE company_id = %(c)s AND name ILIKE '%%B/77%%' "
    "ORDER BY called_at DESC, id DESC LIMIT 80",
    "board, columns": "SELECT state, count(*) FROM quality_complaint "
    "WHERE company_id = %(c)s GROUP BY state",
    "by month": "SELECT date_trunc('month', called_at), count(*) "
    "FROM quality_complaint WHERE company_id = %(c)s GROUP BY 1 ORDER BY 1",
}


def run_raw(query):
    env.cr.execute(query, {"c": site.company_id.id})
    env.cr.fetchall()


def scan_clocks():
    env["quality.complaint"].search([("next_alert_at", "<=", "now")], limit=200)


print(f"\n{'page':<22}{'rows':>8}{'ms':>9}{'queries':>9}{'raw SQL ms':>12}")
for rows in (1000, 10000, 100000):
    insert_rows(rows)
    for name, page in PAGES.items():
        ours, raw = [], []
        page()
        for _run in range(RUNS):
            ours.append(measure(page))
            raw.append(measure(lambda query=RAW[name]: run_raw(query)))
        seconds, queries = median(ours)
        raw_seconds, _queries = median(raw)
        print(
            f"{name:<22}{rows:>8}{seconds * 1000:>9.1f}{queries:>9.0f}"
            f"{raw_seconds * 1000:>12.1f}"
        )
    seconds, queries = median([measure(scan_clocks) for _run in range(RUNS)])
    print(f"{'clock job, scan':<22}{rows:>8}{seconds * 1000:>9.1f}{queries:>9.0f}")
env.cr.rollback()
