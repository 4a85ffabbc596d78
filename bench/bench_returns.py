"""Returns of 100 lots: ours beside core's own return wizard, on the same delivery.

Run by ``./dev bench``. Medians of RUNS interleaved runs after a warm-up; nothing is
committed. Ours from the request to the approved pick-up, core's from opening the
wizard to the ready return; then the validation of both.
"""

import statistics
import time

from odoo.fields import Command

RUNS = 5
LINES = 100
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

partner = env["res.partner"].create({"name": "Bench Motors", "is_company": True})
site = env["resident.site"].create(
    {"name": "Bench", "code": "BENCHRET", "partner_id": partner.id}
)
site.action_set_up()
warehouse = site.warehouse_id
stock = warehouse.lot_stock_id
customers = partner.property_stock_customer
products = env["product.product"].create(
    [
        {"name": f"Bench part {n}", "is_storable": True, "tracking": "lot"}
        for n in range(LINES)
    ]
)
lots = env["stock.lot"].create(
    [{"name": "L7", "product_id": product.id} for product in products]
)


def measure(run):
    """Return (seconds, queries) of ``run`` with a warm registry and cold rows."""
    env.flush_all()
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    result = run()
    env.flush_all()
    return (time.perf_counter() - start, env.cr.sql_log_count - queries), result


def deliver():
    """Return a done delivery of all lots."""
    for lot in lots:
        env["stock.quant"]._update_available_quantity(
            lot.product_id, stock, 10, lot_id=lot
        )
    picking = env["stock.picking"].create(
        {
            "picking_type_id": warehouse.out_type_id.id,
            "partner_id": partner.id,
            "location_id": stock.id,
            "location_dest_id": customers.id,
            "move_ids": [
                Command.create(
                    {
                        "product_id": lot.product_id.id,
                        "product_uom_qty": 10,
                        "location_id": stock.id,
                        "location_dest_id": customers.id,
                    }
                )
                for lot in lots
            ],
        }
    )
    picking.action_confirm()
    picking.action_assign()
    picking.button_validate()
    return picking


def put_suspect():
    """Let the lots lie in our suspect area at the customer."""
    for lot in lots:
        env["stock.quant"]._update_available_quantity(
            lot.product_id, site.suspect_location_id, 5, lot_id=lot
        )


def return_by_core(picking):
    wizard = (
        env["stock.return.picking"]
        .with_context(active_id=picking.id, active_model="stock.picking")
        .create({})
    )
    for line in wizard.product_return_moves:
        line.quantity = 5
    return wizard._create_return()


def return_by_us(location):
    document = env["quality.return"].create(
        {
            "site_id": site.id,
            "reason": "Bench",
            "line_ids": [
                Command.create(
                    {
                        "product_id": lot.product_id.id,
                        "lot_id": lot.id,
                        "quantity": 5,
                        "location_id": location.id,
                    }
                )
                for lot in lots
            ],
        }
    )
    document.action_request()
    document.action_approve()
    return document


def validate(picking):
    picking.move_ids.picked = True
    picking.with_context(skip_backorder=True).button_validate()


rows = {}
for number in range(RUNS + 1):
    delivery = deliver()
    put_suspect()
    figures = {}
    figures["core: make"], theirs = measure(lambda d=delivery: return_by_core(d))
    figures["ours, sold: make"], sold = measure(lambda: return_by_us(customers))
    figures["ours, our stock: make"], own = measure(
        lambda: return_by_us(site.suspect_location_id)
    )
    figures["core: validate"], _none = measure(lambda p=theirs: validate(p))
    figures["ours, sold: ship"], _none = measure(lambda r=sold: r.action_ship())
    figures["ours, our stock: ship"], _none = measure(lambda r=own: r.action_ship())
    figures["ours: receive"], _none = measure(
        lambda r=sold: r._receive(
            [(li.product_id, li.lot_id, li.qty_in_transit) for li in r.line_ids]
        )
    )
    sold.line_ids.judgement = "stock"
    figures["ours: judge"], _none = measure(lambda r=sold: r.action_judge())
    if number:
        # The first run only warms up.
        for name, figure in figures.items():
            rows.setdefault(name, []).append(figure)

medians = {
    name: tuple(statistics.median(column) for column in zip(*runs, strict=True))
    for name, runs in rows.items()
}
print(f"{LINES} lines{'':<22}{'seconds':>10}{'queries':>10}{'x core':>10}")
for name, (seconds, queries) in medians.items():
    peer = "core: make" if name.endswith("make") else "core: validate"
    ratio = seconds / medians[peer][0]
    print(f"{name:<31}{seconds:>10.3f}{queries:>10.0f}{ratio:>10.2f}")
env.cr.rollback()
