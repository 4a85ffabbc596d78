from datetime import date

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.quality_resident.bench.generate import YEAR, generate_year
from odoo.addons.quality_resident.bench.raw_figures import get_raw_figures

from .common import ResidentCommon

FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 1)
SITES, MOVES, COMPLAINTS = 8, 4000, 500


@tagged("post_install", "-at_install")
class TestFiguresOfAYear(ResidentCommon):
    """Every figure of a generated year equals what plain SQL sums by its own way.

    bench/bench_figures.py does the same with 50 sites and 1,000,000 moves.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = generate_year(cls.env, SITES, MOVES, COMPLAINTS)
        cls.figures = cls.env["quality.figure"]

    def test_equal_to_plain_sql(self):
        sites = self.year.sites
        raw = get_raw_figures(self.env, sites, FIRST, LAST)
        ours = self.figures._get_month_figures(sites, FIRST, LAST)
        self.assertEqual(len(ours), 12 * (SITES + 1))
        for (site, month), row in ours.items():
            for name, value in row.items():
                with self.subTest(site=site.code, month=month, figure=name):
                    expected = raw[site.id, month][name]
                    if expected is None:
                        self.assertIsNone(value)
                    else:
                        self.assertAlmostEqual(float(value), expected, 5)

    def test_nothing_is_empty(self):
        """The year has facts for every figure, or it would prove nothing."""
        (total,) = self.figures._get_figures([], []).values()
        self.assertFalse([name for name, value in total.items() if not value])

    def test_site_without_facts(self):
        site = self.year.sites[-1]
        row = self.figures._get_month_figures(site, FIRST)[site, FIRST]
        self.assertEqual({value for value in row.values() if value is not None}, {0})
        self.assertIsNone(row["ppm"])
        self.assertIsNone(row["handling_rate"])

    def test_sums_over_sums(self):
        """A group's ratio is made of its sums, and the total's of all sums."""
        domain = [("site_id", "in", self.year.sites.ids)]
        by_site = self.figures._get_figures(domain, ["site_id"])
        (total,) = self.figures._get_figures(domain, []).values()
        bad = sum(row["bad_qty"] for row in by_site.values())
        delivered = sum(row["delivered_qty"] for row in by_site.values())
        self.assertAlmostEqual(total["ppm"], 1000000 * bad / float(delivered))
        mean = sum(row["ppm"] for row in by_site.values()) / len(by_site)
        self.assertNotAlmostEqual(total["ppm"], mean, 0)

    def test_as_the_client_asks(self):
        """Pivot, graph and groups of lists get the same figures."""
        groups = self.figures.formatted_read_group(
            [("month", ">=", FIRST), ("month", "<", LAST)],
            ["month:month", "site_id"],
            ["ppm:avg", "bad_qty:sum", "amount_claimed:sum_currency", "__count"],
        )
        raw = get_raw_figures(self.env, self.year.sites, FIRST, LAST)
        self.assertTrue(groups)
        for group in groups:
            if not group["site_id"]:
                continue
            month = date.fromisoformat(group["month:month"][0])
            expected = raw.get((group["site_id"][0], month))
            if expected:
                self.assertAlmostEqual(group["ppm:avg"] or 0, expected["ppm"] or 0, 5)
                self.assertLess(month, LAST)

    def test_queries_do_not_grow_with_sites(self):
        sites = self.year.sites
        counts = set()
        for some in (sites[:1], sites):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.figures._get_month_figures(some, FIRST, LAST)
            counts.add(self.env.cr.sql_log_count - before)
        self.assertEqual(counts, {2})

    def test_month_reads_that_month_alone(self):
        """What is asked of a month reaches the index of every table."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        query = self.figures._search([("month", "=", FIRST)]).select()
        rows = self.env.execute_query(SQL("EXPLAIN %s", query))
        plan = "\n".join(row[0] for row in rows)
        for condition in (r"\(date >= ", r"called_at >= "):
            self.assertRegex(plan, rf"Index Cond: .*{condition}")
