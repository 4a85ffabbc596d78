"""Scrap requests: submit and sign 20 and 200 lots, beside as many of core's scraps.

Run by ``./dev bench``. Median of RUNS runs after a warm-up, ours and core's in turn.
Also what the guard costs a delivery that holds nothing. Nothing is committed.
"""

import statistics
import time

from odoo.fields import Command

RUNS = 3
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821


def new_user(login, group):
    return env["res.users"].create(
        {
            "name": login,
            "login": login,
            "group_ids": [Command.link(env.ref(f"quality_resident.group_{group}").id)],
        }
    )


quality, sales = new_user("bench_q", "quality"), new_user("bench_s", "sales")
site = env["resident.site"].create(
    {
        "name": "Bench scrap",
        "code": "BENCHS",
        "partner_id": env["res.partner"].create({"name": "Bench Motors"}).id,
        "quality_user_ids": quality.ids,
        "sales_user_ids": sales.ids,
    }
)
site.action_set_up()
held, free = site.suspect_location_id, site.buffer_location_id
product = env["product.product"].create(
    {"name": "Bench rail", "is_storable": True, "tracking": "lot"}
)


def stock(count, location):
    lots = env["stock.lot"].create(
        [{"name": f"{location.id}-{n}", "product_id": product.id} for n in range(count)]
    )
    for lot in lots:
        env["stock.quant"]._update_available_quantity(product, location, 1, lot_id=lot)
    return lots


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
    return f"{statistics.median(seconds):7.3f} s {statistics.median(queries):6.0f} SQL"


def request(count):
    lots = stock(count, held)
    scrap = env["quality.scrap.request"].create(
        {
            "site_id": site.id,
            "reason": "Bench",
            "line_ids": [
                Command.create({"product_id": product.id, "lot_id": lot.id})
                for lot in lots
            ],
        }
    )
    return scrap


for count in (20, 200):
    runs = {"submit": [], "first signature": [], "last signature": [], "core": []}
    for number in range(RUNS + 1):
        with env.cr.savepoint() as savepoint:
            scrap = request(count)
            timed = {
                "submit": measure(scrap.action_submit),
                "first signature": measure(
                    lambda: scrap.with_user(quality).action_sign("quality")  # noqa: B023
                ),
                "last signature": measure(
                    lambda: scrap.with_user(sales).action_sign("sales")  # noqa: B023
                ),
            }
            lots = stock(count, free)

            def core():
                for lot in lots:  # noqa: B023
                    env["stock.scrap"].create(
                        {
                            "product_id": product.id,
                            "lot_id": lot.id,
                            "location_id": free.id,
                            "scrap_qty": 1,
                        }
                    ).action_validate()

            timed["core"] = measure(core)
            savepoint.rollback()
        env.invalidate_all()
        if number:
            for name, result in timed.items():
                runs[name].append(result)
    for name, results in runs.items():
        print(f"{count:4} lots, {name:16} {median(results)}")
