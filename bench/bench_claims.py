"""The claim ledger: appending 1,000 entries beside creating the same rows, verifying.

Run by ``./dev bench``. Medians of RUNS interleaved runs after a warm-up; nothing is
committed. Plain is the ORM's own create of rows whose number and hash are known.
"""

import statistics
import time

from odoo.fields import Command

RUNS = 5
ENTRIES = 1000
env = env(context={**env.context, "lang": "en_US"})  # noqa: F821

partner = env["res.partner"].create({"name": "Bench Motors", "is_company": True})
site = env["resident.site"].create(
    {"name": "Bench", "code": "BENCHCLM", "partner_id": partner.id}
)
product = env["product.product"].create({"name": "Bench part"})
claim = env["quality.claim"].create(
    {
        "site_id": site.id,
        "line_ids": [Command.create({"product_id": product.id, "price_unit": 5})],
    }
)
entries = env["quality.claim.entry"]
values = {
    "claim_id": claim.id,
    "line_id": claim.line_ids.id,
    "site_id": site.id,
    "company_id": claim.company_id.id,
    "kind": "claimed",
    "balance": "claimed",
    "currency_id": claim.currency_id.id,
    "amount": 5.0,
    "amount_company": 5.0,
}


def measure(run):
    """Return (seconds, queries) of ``run`` with a warm registry and cold rows."""
    env.flush_all()
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    run()
    env.flush_all()
    return time.perf_counter() - start, env.cr.sql_log_count - queries


def append():
    entries._append([dict(values) for _number in range(ENTRIES)])


def create_plain():
    """Rows far from the chain's end, as wide as those of the ledger."""
    first = 10**6 + plain["count"] * ENTRIES
    plain["count"] += 1
    entries._create_protected(
        [
            {
                **values,
                "date": "2026-01-01",
                "recorded_at": "2026-01-01 00:00:00",
                "user_id": env.uid,
                "version": 1,
                "sequence": first + number,
                "previous_hash": f"{first + number:064d}",
                "hash": f"{first + number + 1:064d}",
            }
            for number in range(ENTRIES)
        ]
    )


plain = {"count": 0}
times = {"append": [], "plain": []}
with env.cr.savepoint() as savepoint:
    for number in range(RUNS + 1):
        for name, run in (("append", append), ("plain", create_plain)):
            with env.cr.savepoint() as inner:
                cost = measure(run)
                inner.rollback()
                env.invalidate_all()
            if number:
                times[name].append(cost)
    for _number in range(10):
        append()
    start = time.perf_counter()
    broken = entries._verify_entries(claim.company_id)[1]
    verified = time.perf_counter() - start
    assert not broken, broken
    savepoint.rollback()

medians = {
    name: tuple(statistics.median(column) for column in zip(*costs, strict=True))
    for name, costs in times.items()
}
for name, (seconds, queries) in medians.items():
    print(f"{name:8} {ENTRIES} entries: {seconds * 1000:.0f} ms, {queries:.0f} queries")
print(f"append / plain = {medians['append'][0] / medians['plain'][0]:.2f}")
print(f"verify {ENTRIES * 10} entries: {verified * 1000:.0f} ms")
