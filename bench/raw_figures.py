"""The figures of sites and months by plain SQL, to compare with and to measure beside.

Written without a look at quality.figure: a query for each kind of fact, months as spans
of UTC that Python computes. It knows only the simple way from a delivery to a site, by
the plant's own address, which is how generate.py delivers.
"""

import datetime

import pytz
from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

# {sums: query}; each gives site, month and the sums. ``span`` holds, for each site and
# month, its first moment and that of the next month.
QUERIES = {
    ("delivered_qty",): """
        SELECT span.site_id, span.month, sum(
            move.quantity * moved.factor / own.factor
            * CASE WHEN source.usage = 'customer' THEN -1 ELSE 1 END
        )
        FROM stock_move move
        JOIN stock_picking picking ON picking.id = move.picking_id
        JOIN span ON span.partner_id = picking.partner_id
            AND span.company_id = move.company_id
            AND move.date >= span.starts AND move.date < span.ends
        JOIN stock_location source ON source.id = move.location_id
        JOIN stock_location target ON target.id = move.location_dest_id
        JOIN product_product variant ON variant.id = move.product_id
        JOIN product_template article ON article.id = variant.product_tmpl_id
        JOIN uom_uom moved ON moved.id = move.product_uom
        JOIN uom_uom own ON own.id = article.uom_id
        WHERE move.state = 'done' AND %(moves)s
            AND (source.usage = 'customer' AND target.usage != 'customer'
                OR source.usage != 'customer' AND target.usage = 'customer')
        GROUP BY 1, 2""",
    ("sorted_qty", "sorted_bad", "sorted_suspect"): """
        SELECT span.site_id, span.month,
            sum(CASE WHEN area.held_area IS NULL
                THEN qty_good + qty_bad + qty_suspect ELSE 0 END),
            sum(CASE WHEN problem_type = 'dispute' THEN 0 ELSE qty_bad END),
            sum(CASE WHEN problem_type = 'dispute' THEN 0
                WHEN area.held_area = 'suspect' THEN 0 - qty_good - qty_bad
                ELSE qty_suspect END)
        FROM (
            SELECT id, complaint_id, held_area, sorting_round FROM qc_inspection
            WHERE state != 'canceled' AND (held_area IS NULL OR held_area = 'suspect')
        ) area
        JOIN (
            SELECT inspection_id, sorting_round, qty_good, qty_bad, qty_suspect
            FROM quality_sorting WHERE NOT undone
        ) counted
            ON counted.inspection_id = area.id
            AND counted.sorting_round = area.sorting_round
        JOIN quality_complaint ON quality_complaint.id = area.complaint_id
        JOIN span ON span.site_id = quality_complaint.site_id
            AND called_at >= span.starts AND called_at < span.ends
        WHERE quality_complaint.state NOT IN ('cancelled', 'refused')
        GROUP BY 1, 2""",
    (
        "complaint_count",
        "minor_count",
        "major_count",
        "critical_count",
        "recurrence_count",
        "line_stop_minutes",
        "handled_count",
        "handling_hours",
        "arrival_count",
        "arrival_on_time_count",
        "feedback_count",
        "feedback_on_time_count",
        "told_bad",
        "told_suspect",
    ): """
        SELECT span.site_id, span.month, count(*),
            count(*) FILTER (WHERE severity = 'minor'),
            count(*) FILTER (WHERE severity = 'major'),
            count(*) FILTER (WHERE severity = 'critical'),
            count(recurrence_of_id), sum(line_stop_minutes),
            count(*) FILTER (WHERE state = 'closed'),
            sum(EXTRACT(epoch FROM closed_at - called_at) / 3600)
                FILTER (WHERE state = 'closed'),
            count(*) FILTER (WHERE arrival_status IN ('on_time', 'late', 'excused')),
            count(*) FILTER (WHERE arrival_status = 'on_time'),
            count(*) FILTER (WHERE feedback_status IN ('on_time', 'late')),
            count(*) FILTER (WHERE feedback_status = 'on_time'),
            sum(quantity) FILTER (
                WHERE problem_type = 'quality' AND sorted.complaint_id IS NULL
            ),
            sum(quantity) FILTER (
                WHERE COALESCE(problem_type, 'tracking') = 'tracking'
                    AND sorted.complaint_id IS NULL
            )
        FROM quality_complaint
        JOIN span ON span.site_id = quality_complaint.site_id
            AND called_at >= span.starts AND called_at < span.ends
        LEFT JOIN (
            SELECT DISTINCT qc_inspection.complaint_id
            FROM qc_inspection
            JOIN quality_sorting ON quality_sorting.inspection_id = qc_inspection.id
                AND quality_sorting.sorting_round = qc_inspection.sorting_round
            WHERE qc_inspection.state != 'canceled' AND NOT quality_sorting.undone
        ) sorted ON sorted.complaint_id = quality_complaint.id
        WHERE state NOT IN ('cancelled', 'refused')
        GROUP BY 1, 2""",
    ("field_returned_qty",): """
        SELECT span.site_id, span.month,
            sum(move.quantity * moved.factor / own.factor)
        FROM quality_return_line line
        JOIN stock_move move ON move.quality_return_line_id = line.id
        JOIN span ON span.site_id = line.site_id
            AND move.date >= span.starts AND move.date < span.ends
        JOIN product_product variant ON variant.id = move.product_id
        JOIN product_template article ON article.id = variant.product_tmpl_id
        JOIN uom_uom moved ON moved.id = move.product_uom
        JOIN uom_uom own ON own.id = article.uom_id
        WHERE move.state = 'done' AND move.quality_return_step IN ('receipt', 'extra')
        GROUP BY 1, 2""",
    ("scrap_value",): """
        SELECT span.site_id, span.month, sum(line.value_company)
        FROM quality_scrap_line line
        JOIN quality_scrap_request request ON request.id = line.request_id
        JOIN span ON span.site_id = request.site_id
            AND request.decided_at >= span.starts AND request.decided_at < span.ends
        WHERE request.state = 'done'
        GROUP BY 1, 2""",
    ("amount_claimed", "amount_accepted", "amount_refused", "amount_paid"): """
        SELECT span.site_id, span.month,
            sum(amount_company) FILTER (WHERE balance = 'claimed'),
            sum(amount_company) FILTER (WHERE balance = 'accepted'),
            sum(amount_company) FILTER (WHERE balance = 'refused'),
            sum(amount_company) FILTER (WHERE balance = 'paid')
        FROM quality_claim_entry entry
        JOIN span ON span.site_id = entry.site_id
            AND date_trunc('month', entry.date) = span.month
        GROUP BY 1, 2""",
}
RATIOS = {
    "ppm_provisional": lambda f: (
        1000000 * (f["bad_qty"] + f["suspect_qty"]),
        f["delivered_qty"],
    ),
    "ppm": lambda f: (1000000 * f["bad_qty"], f["delivered_qty"]),
    "arrival_rate": lambda f: (100 * f["arrival_on_time_count"], f["arrival_count"]),
    "feedback_rate": lambda f: (
        100 * f["feedback_on_time_count"],
        f["feedback_count"],
    ),
    "handling_rate": lambda f: (100 * f["handled_count"], f["complaint_count"]),
    "handling_time": lambda f: (f["handling_hours"], f["handled_count"]),
    "acceptance_rate": lambda f: (
        100 * f["amount_accepted"],
        f["amount_accepted"] + f["amount_refused"],
    ),
    "cost_per_thousand": lambda f: (1000 * f["amount_accepted"], f["delivered_qty"]),
}


def get_spans(sites, first, last):
    """Return the rows of ``span`` for each site and month."""
    rows = []
    for site in sites:
        tz = pytz.timezone(site.calendar_id.tz)
        month = first
        while month <= last:
            starts, ends = (
                tz.localize(datetime.datetime(day.year, day.month, 1))
                .astimezone(pytz.utc)
                .replace(tzinfo=None)
                for day in (month, month + relativedelta(months=1))
            )
            rows.append(
                (site.id, site.company_id.id, site.partner_id.id, month, starts, ends)
            )
            month += relativedelta(months=1)
    return rows


def get_raw_sums(env, sites, first, last):
    """Return ``{(site id, month): {sum: value}}`` of the months first to last."""
    spans = get_spans(sites, first, last)
    moves = SQL(
        "move.date >= %s AND move.date < %s",
        min(span[4] for span in spans),
        max(span[5] for span in spans),
    )
    sums = {}
    for names, query in QUERIES.items():
        if "%(moves)s" in query:
            query = SQL(query, moves=moves)
        env.cr.execute(
            SQL(
                """WITH span (site_id, company_id, partner_id, month, starts, ends)
                AS (VALUES %s) %s""",
                SQL(", ").join(SQL("%s", span) for span in spans),
                query if isinstance(query, SQL) else SQL(query),
            )
        )
        for site_id, month, *values in env.cr.fetchall():
            sums.setdefault((site_id, month), {}).update(
                zip(names, (float(value or 0) for value in values), strict=True)
            )
    return sums


def get_raw_figures(env, sites, first, last):
    """Return ``{(site id, month): {measure: value}}``, ratios without base None."""
    sums = get_raw_sums(env, sites, first, last)
    zero = dict.fromkeys((name for names in QUERIES for name in names), 0.0)
    figures = {}
    for site_id, *_rest, month, _starts, _ends in get_spans(sites, first, last):
        row = {**zero, **sums.get((site_id, month), {})}
        for name in ("bad", "suspect"):
            row[f"{name}_qty"] = row.pop(f"sorted_{name}") + row.pop(f"told_{name}")
        row["amount_open"] = (
            row["amount_claimed"] - row["amount_accepted"] - row["amount_refused"]
        )
        for name, divide in RATIOS.items():
            above, below = divide(row)
            # Rounded sums of money may leave a shadow of nothing.
            row[name] = above / below if round(below, 6) > 0 else None
        figures[site_id, month] = row
    return figures
