"""A year of moves, complaints, sortings, returns, scrap and claims, made in SQL.

For the measurements of bench/ and, scaled down, for the tests of the figures. The same
seed gives the same year. Nothing is committed.

What it holds on purpose: two companies, time zones on both sides of UTC and with summer
time, moves in the minutes around each month's end, three units of measure for products
kept in three, moves that count for nothing (cancelled, within our own stock, into the
intermediate warehouse), parts sold out of it, returns, complaints of every state and
problem type, with and without tranches, tranches undone or of an earlier round, suspect
parts judged again, claims with entries taken back, and a site where nothing happens.
"""

from typing import NamedTuple

from odoo.tools import SQL

YEAR = 2026
TIME_ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Auckland")
UNITS = ("product_uom_unit", "product_uom_dozen", "product_uom_pack_6")
PRODUCTS = 30
TABLES = (
    "stock_picking",
    "stock_move",
    "quality_complaint",
    "qc_inspection",
    "quality_sorting",
    "quality_return_line",
    "quality_scrap_line",
    "quality_claim",
    "quality_claim_line",
    "quality_claim_entry",
)
# A point of the year, one in five within an hour of a month's end at the site.
MOMENT = """(CASE WHEN random() < 0.8
    THEN timestamp '2025-12-31' + random() * interval '367 days'
    ELSE (timestamp '2026-01-01' + floor(random() * 13) * interval '1 month')
        AT TIME ZONE place.tz AT TIME ZONE 'UTC'
        + (random() - 0.5) * interval '2 hours' END)::timestamp(0)"""


class Year(NamedTuple):
    """What was generated; the last of ``sites`` has seen nothing."""

    sites: object
    products: object


def generate_year(env, sites=50, moves=1000000, complaints=20000, seed=0.7):
    """Make a year of facts at ``sites`` sites in two companies.

    :param int sites: how many sites see facts
    :param float seed: of PostgreSQL's random numbers, -1 to 1
    :rtype: Year
    """
    env = env(context={**env.context, "lang": "en_US"})
    year = Year(_create_sites(env, sites + 1), _create_products(env))
    env.flush_all()
    env.cr.execute(SQL("SELECT setseed(%s)", seed))
    _note_places(env, year)
    _insert_moves(env, moves)
    _insert_complaints(env, complaints)
    _insert_tranches(env)
    _insert_returns(env, complaints // 10)
    _insert_scrap(env, complaints // 10)
    _insert_claims(env, complaints // 4)
    for table in TABLES:
        env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
    env.invalidate_all()
    return year


def _create_sites(env, count):
    companies = env.company | env["res.company"].create({"name": "Bench Company"})
    calendars = {
        (company, tz): env["resource.calendar"].create(
            {"name": f"Bench {tz}", "tz": tz, "company_id": company.id}
        )
        for company in companies
        for tz in TIME_ZONES
    }
    partners = env["res.partner"].create(
        [{"name": f"Bench plant {n}", "is_company": True} for n in range(count)]
    )
    sites = env["resident.site"]
    for company in companies:
        if not sites.with_company(company)._default_warehouse_id():
            env["stock.warehouse"].create(
                {"name": company.name, "code": "BENCH", "company_id": company.id}
            )
        sites += sites.with_company(company).create(
            [
                {
                    "name": f"Bench {n}",
                    "code": f"BENCH{n}",
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "calendar_id": calendars[
                        company, TIME_ZONES[n // 2 % len(TIME_ZONES)]
                    ].id,
                }
                for n, partner in enumerate(partners)
                if companies[n % 2] == company
            ]
        )
    sites.action_set_up()
    return sites.sorted(lambda site: int(site.code.removeprefix("BENCH")))


def _create_products(env):
    units = [env.ref(f"uom.{name}") for name in UNITS]
    return env["product.product"].create(
        [
            {
                "name": f"Bench part {n}",
                "is_storable": True,
                "uom_id": units[n % len(units)].id,
            }
            for n in range(PRODUCTS)
        ]
    )


def _note_places(env, year):
    """Keep the masters in tables that the statements below draw from."""
    env.cr.execute(
        SQL(
            """CREATE TEMPORARY TABLE bench_place ON COMMIT DROP AS
            SELECT row_number() OVER (ORDER BY site.id = %s, site.id) - 1 AS n,
                site.id AS site_id, site.company_id, site.partner_id, calendar.tz,
                site.buffer_location_id AS buffer_id, site.suspect_location_id,
                site.transit_location_id, warehouse.lot_stock_id AS stock_id,
                warehouse.out_type_id AS type_id, company.currency_id
            FROM resident_site site
            JOIN resource_calendar calendar ON calendar.id = site.calendar_id
            JOIN res_company company ON company.id = site.company_id
            JOIN LATERAL (
                SELECT * FROM stock_warehouse
                WHERE company_id = site.company_id ORDER BY id LIMIT 1
            ) warehouse ON TRUE
            WHERE site.id IN %s""",
            year.sites[-1].id,
            year.sites._ids,
        )
    )
    # The last one sees nothing.
    env.cr.execute("DELETE FROM bench_place WHERE n = (SELECT max(n) FROM bench_place)")
    env.cr.execute(
        SQL(
            """CREATE TEMPORARY TABLE bench_product ON COMMIT DROP AS
            SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM product_product
            WHERE id IN %s""",
            year.products._ids,
        )
    )


def _insert_moves(env, moves):
    """Make the moves, ten to a transfer; most deliver."""
    customer = env.ref("stock.stock_location_customers").id
    units = [env.ref(f"uom.{name}").id for name in UNITS]
    env.cr.execute(
        SQL(
            """INSERT INTO stock_picking (name, partner_id, picking_type_id, state,
                company_id, location_id, location_dest_id, move_type)
            SELECT 'BENCH/' || number, place.partner_id, place.type_id, 'done',
                place.company_id, place.stock_id, %(customer)s, 'direct'
            FROM generate_series(1, %(pickings)s) AS number
            JOIN bench_place place
                ON place.n = number %% (SELECT count(*) FROM bench_place)""",
            customer=customer,
            pickings=max(moves // 10, 1),
        )
    )
    env.cr.execute(
        """CREATE TEMPORARY TABLE bench_picking ON COMMIT DROP AS
        SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, partner_id
        FROM stock_picking WHERE name LIKE 'BENCH/%'"""
    )
    env.cr.execute(
        SQL(
            """INSERT INTO stock_move (product_id, product_uom, product_uom_qty,
                quantity, location_id, location_dest_id, company_id, state, date,
                procure_method, picking_id)
            SELECT product.id, (%(units)s::int[])[1 + floor(random() * 3)],
                drawn.quantity, drawn.quantity,
                CASE WHEN drawn.way < 0.03 THEN %(customer)s
                    WHEN drawn.way > 0.9 THEN place.buffer_id
                    ELSE place.stock_id END,
                CASE WHEN drawn.way < 0.03 THEN place.stock_id
                    WHEN drawn.way < 0.05 THEN place.buffer_id
                    WHEN drawn.way < 0.06 THEN place.stock_id
                    ELSE %(customer)s END,
                place.company_id,
                CASE WHEN drawn.way BETWEEN 0.06 AND 0.07 THEN 'cancel'
                    WHEN drawn.way BETWEEN 0.07 AND 0.08 THEN 'assigned'
                    ELSE 'done' END,
                %(moment)s, 'make_to_stock', picking.id
            FROM (
                SELECT n, random() AS way, ceil(random() * 60) AS quantity
                FROM generate_series(1, %(moves)s) AS n
            ) drawn
            JOIN bench_picking picking
                ON picking.n = drawn.n / 10 %% (SELECT count(*) FROM bench_picking)
            JOIN bench_place place ON place.partner_id = picking.partner_id
            JOIN bench_product product ON product.n = drawn.n %% %(products)s
            ORDER BY drawn.n""",
            units=units,
            customer=customer,
            moves=moves,
            products=PRODUCTS,
            moment=SQL(MOMENT),
        )
    )


def _insert_complaints(env, complaints):
    env.cr.execute(
        SQL(
            """INSERT INTO quality_complaint (name, site_id, company_id, partner_id,
                state, channel, severity, eightd_level, problem_type, product_id,
                quantity, called_at, closed_at, line_stop_minutes, arrival_status,
                feedback_status)
            SELECT 'BENCH/' || drawn.n, place.site_id, place.company_id,
                place.partner_id, drawn.state, 'phone',
                ('{minor,major,critical}'::text[])[1 + floor(random() * 3)], 'none',
                ('{quality,quality,tracking,dispute,NULL}'::text[])
                    [1 + floor(random() * 5)],
                product.id, floor(random() * 20), drawn.called_at,
                CASE WHEN drawn.state = 'closed'
                    THEN drawn.called_at + random() * interval '40 days' END,
                CASE WHEN random() < 0.1 THEN ceil(random() * 90) END,
                ('{pending,on_time,on_time,late,excused}'::text[])
                    [1 + floor(random() * 5)],
                ('{pending,on_time,on_time,late}'::text[])[1 + floor(random() * 4)]
            FROM (
                SELECT number AS n, %(moment)s AS called_at, place.n AS place,
                    ('{new,reported,contained,closed,closed,closed,refused,cancelled}'
                        ::text[])[1 + floor(random() * 8)] AS state
                FROM generate_series(1, %(complaints)s) AS number
                JOIN bench_place place
                    ON place.n = number %% (SELECT count(*) FROM bench_place)
            ) drawn
            JOIN bench_place place ON place.n = drawn.place
            JOIN bench_product product ON product.n = drawn.n %% %(products)s
            ORDER BY drawn.n""",
            moment=SQL(MOMENT),
            complaints=complaints,
            products=PRODUCTS,
        )
    )
    env.cr.execute(
        """UPDATE quality_complaint complaint SET recurrence_of_id = complaint.id - 1
        FROM quality_complaint earlier
        WHERE complaint.name LIKE 'BENCH/%' AND complaint.id % 9 = 0
            AND earlier.id = complaint.id - 1"""
    )


def _insert_tranches(env):
    """Sort two complaints of three: at a place, some held parts again."""
    env.cr.execute(
        """INSERT INTO qc_inspection (name, date, state, complaint_id, site_id,
            company_id, product_id, held_area, sorting_round)
        SELECT complaint.name || '/' || area.n, complaint.called_at,
            CASE WHEN random() < 0.1 THEN 'canceled' ELSE 'ready' END, complaint.id,
            complaint.site_id, complaint.company_id, complaint.product_id, area.name,
            1 + floor(random() * 1.2)
        FROM quality_complaint complaint
        JOIN (VALUES (1, NULL), (2, 'suspect'), (3, 'rework')) AS area (n, name)
            ON area.n = 1 OR complaint.id % (area.n * 2) = 0
        WHERE complaint.name LIKE 'BENCH/%' AND complaint.id % 3 > 0
        ORDER BY complaint.id, area.n"""
    )
    env.cr.execute(
        SQL(
            """INSERT INTO quality_sorting (inspection_id, user_id, date, complaint_id,
                site_id, company_id, product_id, undone, sorting_round, qty_good,
                qty_bad, qty_suspect, qty_checked)
            SELECT drawn.*, qty_good + qty_bad + qty_suspect
            FROM (
                SELECT place.id, %s, place.date + random() * interval '9 days',
                    place.complaint_id, place.site_id, place.company_id,
                    place.product_id, random() < 0.1, 1 + floor(random() * 1.2),
                    1 + floor(random() * 200) AS qty_good,
                    floor(random() * 6) AS qty_bad,
                    CASE WHEN place.held_area IS NULL
                        THEN 300 + floor(random() * 9) ELSE 0 END AS qty_suspect
                FROM qc_inspection place
                CROSS JOIN generate_series(1, 2)
                WHERE place.name LIKE 'BENCH/%%'
                ORDER BY place.id
            ) drawn""",
            env.uid,
        )
    )


def _insert_returns(env, count):
    """Return parts in lines whose receipts come in other units and pieces."""
    units = [env.ref(f"uom.{name}").id for name in UNITS]
    env.cr.execute(
        SQL(
            """WITH documents AS (
                INSERT INTO quality_return (name, site_id, company_id, state, kind)
                SELECT 'BENCH/' || number, place.site_id, place.company_id, 'received',
                    'return'
                FROM generate_series(1, %(count)s) AS number
                JOIN bench_place place
                    ON place.n = number %% (SELECT count(*) FROM bench_place)
                RETURNING id, site_id, company_id
            ), lines AS (
                INSERT INTO quality_return_line (return_id, site_id, company_id,
                    product_id, uom_id, quantity)
                SELECT documents.id, site_id, company_id, product.id,
                    (%(units)s::int[])[1], 5
                FROM documents
                JOIN bench_product product ON product.n = documents.id %% %(products)s
                RETURNING id, site_id, company_id, product_id
            )
            INSERT INTO stock_move (product_id, product_uom, product_uom_qty, quantity,
                location_id, location_dest_id, company_id, state, date, procure_method,
                quality_return_line_id, quality_return_step)
            SELECT lines.product_id, (%(units)s::int[])[1 + floor(random() * 3)], 5, 5,
                place.transit_location_id, place.stock_id, lines.company_id,
                CASE WHEN random() < 0.1 THEN 'assigned' ELSE 'done' END, %(moment)s,
                'make_to_stock', lines.id, step.name
            FROM lines
            JOIN bench_place place ON place.site_id = lines.site_id
            CROSS JOIN (VALUES ('pickup'), ('receipt'), ('extra')) AS step (name)""",
            count=count,
            units=units,
            products=PRODUCTS,
            moment=SQL(MOMENT),
        )
    )


def _insert_scrap(env, count):
    env.cr.execute(
        SQL(
            """WITH requests AS (
                INSERT INTO quality_scrap_request (name, site_id, company_id,
                    currency_id, revision, state, decided_at)
                SELECT 'BENCH/' || number, place.site_id, place.company_id,
                    place.currency_id, 1,
                    ('{done,done,refused}'::text[])[1 + floor(random() * 3)], %(moment)s
                FROM generate_series(1, %(count)s) AS number
                JOIN bench_place place
                    ON place.n = number %% (SELECT count(*) FROM bench_place)
                RETURNING id, site_id, company_id, state, decided_at
            )
            INSERT INTO quality_scrap_line (request_id, site_id, company_id, state,
                decided_at, product_id, uom_id, location_id, quantity, value_company)
            SELECT requests.id, requests.site_id, requests.company_id, state,
                decided_at, product.id, %(unit)s, place.suspect_location_id, 1,
                round((random() * 500)::numeric, 2)
            FROM requests
            JOIN bench_place place ON place.site_id = requests.site_id
            JOIN bench_product product ON product.n < 2""",
            count=count,
            unit=env.ref("uom.product_uom_unit").id,
            moment=SQL(MOMENT),
        )
    )


def _insert_claims(env, count):
    """Book claims of one line; the hashes are no chain, only unlike each other."""
    env.cr.execute(
        SQL(
            """WITH claims AS (
                INSERT INTO quality_claim (name, site_id, company_id, partner_id,
                    currency_id, state, settlement, notice_date)
                SELECT 'BENCH/' || number, place.site_id, place.company_id,
                    place.partner_id, place.currency_id, 'judged', 'refund',
                    DATE '2026-01-01'
                FROM generate_series(1, %(count)s) AS number
                JOIN bench_place place
                    ON place.n = number %% (SELECT count(*) FROM bench_place)
                RETURNING id, site_id, company_id, currency_id
            ), lines AS (
                INSERT INTO quality_claim_line (claim_id, site_id, company_id,
                    product_id, responsibility, quantity, vehicle_model, failed_on)
                SELECT claims.id, site_id, company_id, product.id, 'open', 1,
                    'Model ' || claims.id %% 3, DATE '2025-06-01' + claims.id %% 300
                FROM claims
                JOIN bench_product product ON product.n = claims.id %% %(products)s
                RETURNING id, claim_id, site_id, company_id
            )
            INSERT INTO quality_claim_entry (claim_id, line_id, site_id, company_id,
                sequence, user_id, currency_id, version, kind, balance, previous_hash,
                hash, date, amount, amount_company, recorded_at)
            SELECT lines.claim_id, lines.id, lines.site_id, lines.company_id,
                1000000 + row_number() OVER (), %(user)s, claims.currency_id, 1,
                CASE WHEN random() < 0.1 THEN 'reversal' ELSE entry.balance END,
                entry.balance, md5('a' || lines.id || entry.n),
                md5('b' || lines.id || entry.n), drawn.date, drawn.amount, drawn.amount,
                drawn.date
            FROM lines
            JOIN claims ON claims.id = lines.claim_id
            CROSS JOIN (VALUES
                (1, 'claimed'), (2, 'accepted'), (3, 'refused'), (4, 'paid'),
                (5, 'claimed')
            ) AS entry (n, balance)
            CROSS JOIN LATERAL (
                SELECT DATE '2026-01-01' + floor(random() * 365 + 0 * lines.id)::int
                        AS date,
                    round(
                        ((CASE WHEN entry.n = 5 THEN -100 ELSE 400 END) * random())
                        ::numeric, 2
                    ) AS amount
            ) drawn""",
            count=count,
            products=PRODUCTS,
            user=env.uid,
        )
    )
