"""Trace: one lot across 100,000 done moves, alone and among as many of other lots.

Run by ``./dev bench``. Every figure is the median of RUNS runs after a warm-up, beside
the raw SQL of what was delivered to whom, interleaved. Nothing is committed.
"""

import statistics
import time

from odoo.fields import Command
from odoo.tools import SQL

RUNS = 5
MOVES = 100000
CUSTOMERS = 200
SITES = 20
OTHER_LOTS = 1000
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

customers = env["res.partner"].create(
    [{"name": f"Bench customer {n}"} for n in range(CUSTOMERS)]
)
sites = env["resident.site"].create(
    [
        {"name": f"Bench {n}", "code": f"BENCH{n}", "partner_id": customers[n].id}
        for n in range(SITES)
    ]
)
sites.action_set_up()
product, other = env["product.product"].create(
    [
        {"name": name, "is_storable": True, "tracking": "lot"}
        for name in ("Bench part", "Bench other part")
    ]
)
lot, *others = env["stock.lot"].create(
    [
        {"name": f"BENCH{n}", "product_id": (other if n else product).id}
        for n in range(OTHER_LOTS + 1)
    ]
)
for site in sites:
    env["stock.quant"]._update_available_quantity(
        product, site.buffer_location_id, 10, lot_id=lot
    )
complaint = env["quality.complaint"].create(
    {
        "site_id": sites[0].id,
        "product_id": product.id,
        "lot_ids": [Command.set(lot.ids)],
    }
)
manager = env["res.users"].create(
    {
        "name": "Bench",
        "login": "bench",
        "group_ids": [Command.link(env.ref("quality_resident.group_manager").id)],
    }
)
warehouse = env["stock.warehouse"].search([], limit=1)
PICKINGS = MOVES // 10


def insert_pickings():
    """Make the transfers in SQL, ten lines each."""
    env.cr.execute(
        SQL(
            """INSERT INTO stock_picking (name, partner_id, picking_type_id, state,
                company_id, location_id, location_dest_id, move_type)
            SELECT 'BENCH/' || n, %s + n %% %s, %s, 'done', %s, %s, %s, 'direct'
            FROM generate_series(1, %s) AS n RETURNING id""",
            min(customers.ids),
            CUSTOMERS,
            warehouse.out_type_id.id,
            env.company.id,
            warehouse.lot_stock_id.id,
            env.ref("stock.stock_location_customers").id,
            PICKINGS,
        )
    )
    return min(row[0] for row in env.cr.fetchall())


def insert_moves(product, lots, first_picking):
    """Make done moves with a line each in SQL, one in twenty a return."""
    stock = warehouse.lot_stock_id.id
    customer = env.ref("stock.stock_location_customers").id
    env.cr.execute(
        SQL(
            """WITH moves AS (
                INSERT INTO stock_move (product_id, product_uom, product_uom_qty,
                    quantity, location_id, location_dest_id, company_id, state, date,
                    procure_method, picking_id, origin)
                SELECT %(product)s, %(uom)s, 10, 10,
                    CASE WHEN n %% 20 = 0 THEN %(customer)s ELSE %(stock)s END,
                    CASE WHEN n %% 20 = 0 THEN %(stock)s ELSE %(customer)s END,
                    %(company)s, 'done', now() - n * interval '5 minutes',
                    'make_to_stock', %(picking)s + n %% %(pickings)s, n
                FROM generate_series(1, %(moves)s) AS n
                RETURNING id, product_id, product_uom, location_id, location_dest_id,
                    company_id, date, picking_id, origin::int AS n
            )
            INSERT INTO stock_move_line (move_id, product_id, product_uom_id,
                quantity, quantity_product_uom, location_id, location_dest_id,
                company_id, state, date, picking_id, lot_id, picked)
            SELECT id, product_id, product_uom, 10, 10, location_id, location_dest_id,
                company_id, 'done', date, picking_id, %(lot)s + n %% %(lots)s, TRUE
            FROM moves""",
            product=product.id,
            uom=product.uom_id.id,
            stock=stock,
            customer=customer,
            company=env.company.id,
            picking=first_picking,
            pickings=PICKINGS,
            moves=MOVES,
            lot=min(lot.id for lot in lots),
            lots=len(lots),
        )
    )
    for table in ("stock_move", "stock_move_line", "stock_picking"):
        env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))


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


def run_raw():
    env.cr.execute(
        SQL(
            """SELECT picking.partner_id, sum(line.quantity_product_uom)
            FROM stock_move_line line
            JOIN stock_picking picking ON picking.id = line.picking_id
            WHERE line.lot_id = %s AND line.state = 'done'
            GROUP BY picking.partner_id""",
            lot.id,
        )
    )
    env.cr.fetchall()


def get_page(action):
    """Return what the list of ``action`` asks for."""
    trace = env["quality.trace"].with_user(manager).with_context(**action["context"])
    view = env.ref("quality_resident.quality_trace_view_list_elsewhere")
    names = trace.get_view(view.id, "list")["models"]["quality.trace"]
    specification = {
        name: {"fields": {"display_name": {}}}
        if trace._fields[name].type == "many2one"
        else {}
        for name in names
        if name in trace._fields
    }
    return trace.web_search_read(
        action["domain"], specification, limit=80, count_limit=10001
    )


def get_groups(action):
    trace = env["quality.trace"].with_user(manager).with_context(**action["context"])
    trace.formatted_read_group(action["domain"], ["kind"], ["__count"])


own = complaint.with_user(manager)
mine = lot.with_user(manager)
SCREENS = {
    "trace of the lot": lambda: get_page(mine.action_view_trace()),
    "trace, by kind": lambda: get_groups(mine.action_view_trace()),
    "where else?": lambda: get_page(own.action_view_elsewhere()),
    "lot form, count": lambda: mine.mapped("trace_count"),
    "lot form, banner": lambda: mine.mapped("quality_alert"),
}


def open_containment():
    with env.cr.savepoint() as savepoint:
        domain, context = own._get_elsewhere()
        trace = env["quality.trace"].with_user(manager).with_context(**context)
        row = trace.search([*domain, ("site_id", "=", sites[5].id)], limit=1)
        row.action_open_containment()
        env.flush_all()
        savepoint.rollback()
        env.invalidate_all()


print(f"{'screen':<22}{'moves':>9}{'ms':>9}{'queries':>9}{'raw SQL ms':>12}")
first_picking = insert_pickings()
for moved, lots in ((product, [lot]), (other, others)):
    insert_moves(moved, lots, first_picking)
    env.cr.execute("SELECT count(*) FROM stock_move_line")
    (rows,) = env.cr.fetchone()
    for name, screen in {**SCREENS, "open containment": open_containment}.items():
        screen()
        ours, raw = [], []
        for _run in range(RUNS):
            ours.append(measure(screen))
            raw.append(measure(run_raw))
        seconds, queries = median(ours)
        raw_seconds, _queries = median(raw)
        print(
            f"{name:<22}{rows:>9}{seconds * 1000:>9.1f}{queries:>9.0f}"
            f"{raw_seconds * 1000:>12.1f}"
        )
env.cr.rollback()
