"""How a month is rated: points, ceilings, and which rule holds (Q1)."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ResidentCommon

QUIET = {
    "delivered_qty": 10000,
    "ppm": 0.0,
    "ppm_provisional": 0.0,
    "critical_count": 0,
    "major_count": 0,
    "minor_count": 0,
    "critical_repeat_count": 0,
    "major_repeat_count": 0,
    "minor_repeat_count": 0,
    "line_stop_minutes": 0,
    "answer_count": 0,
    "answer_on_time": 0,
    "special_status": False,
}


@tagged("post_install", "-at_install")
class TestRatingRule(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["quality.rating.rule"]
        cls.rule = cls.env.ref("quality_resident.rating_rule_default")

    def _rate(self, rule=None, **inputs):
        score, rating, _lines = (rule or self.rule)._rate({**QUIET, **inputs})
        return score, rating

    def _create_rule(self, **values):
        rule = self.rules.create({"name": "Own way", **values})
        rule.action_release()
        return rule

    def test_default_is_in_use(self):
        self.assertEqual(self.rule.state, "active")
        self.assertFalse(self.rule.company_id)
        # An update does not release it twice.
        self.rules._release_default()
        self.assertEqual(self.rules._find_current(self.site)[self.site], self.rule)

    def test_points(self):
        """The proposed default of documents.md 4.5, worked out by hand."""
        for inputs, expected in (
            ({}, (100, "A")),
            ({"ppm": 125.0}, (90, "A")),
            ({"ppm": 126.0}, (89.92, "B")),
            ({"ppm": 500.0}, (60, "C")),
            ({"ppm": 90000.0}, (60, "C")),
            ({"ppm_provisional": 500.0}, (100, "A")),
            ({"critical_count": 1}, (85, "B")),
            ({"major_count": 1}, (92, "A")),
            ({"minor_count": 3}, (91, "A")),
            ({"minor_count": 1, "minor_repeat_count": 1}, (94, "A")),
            ({"critical_count": 1, "critical_repeat_count": 1}, (70, "C")),
            # At most 30 for complaints.
            ({"critical_count": 5}, (70, "C")),
            ({"answer_count": 4, "answer_on_time": 3}, (97.5, "A")),
            ({"answer_count": 2, "answer_on_time": 0}, (90, "A")),
            # 3 minutes cost one point; the ceiling is B.
            ({"line_stop_minutes": 3}, (99, "B")),
            ({"line_stop_minutes": 600}, (80, "B")),
            ({"ppm": 500.0, "critical_count": 2}, (30, "D")),
        ):
            with self.subTest(**inputs):
                self.assertEqual(self._rate(**inputs), expected)

    def test_ceilings(self):
        for status, rating in (
            ("cs1", "C"),
            ("cs2", "D"),
            ("stop_ship", "D"),
            ("safety", "D"),
        ):
            with self.subTest(status=status):
                self.assertEqual(self._rate(special_status=status), (100, rating))
        # A ceiling never lifts.
        self.assertEqual(
            self._rate(ppm=500.0, critical_count=2, line_stop_minutes=3)[1], "D"
        )

    def test_composition_adds_up(self):
        score, _rating, lines = self.rule._rate(
            {
                **QUIET,
                "ppm": 250.0,
                "critical_count": 2,
                "critical_repeat_count": 1,
                "line_stop_minutes": 30,
                "answer_count": 2,
                "answer_on_time": 1,
            }
        )
        points = {line["kind"]: line.get("points") for line in lines}
        self.assertEqual(
            points,
            {
                "ppm": 20,
                "critical": 30,
                "repeat": 15,
                "complaint_cap": -15,
                "line_stop": 10,
                "response": 5,
                "ceiling_line_stop": None,
            },
        )
        self.assertEqual(score, 100 - sum(filter(None, points.values())))

    def test_nothing_to_rate(self):
        self.assertEqual(self._rate(delivered_qty=0, ppm=False), (100, False))
        self.assertEqual(
            self._rate(delivered_qty=0, ppm=False, major_count=2), (84, "B")
        )
        # More came back than went out.
        self.assertEqual(self._rate(delivered_qty=-10, ppm=False), (100, False))

    def test_bands(self):
        rule = self._create_rule(
            site_id=self.site.id, ppm_bands="100: 0, 300: 10, 1000: 25"
        )
        for ppm, score in ((100, 100), (101, 90), (300, 90), (1000, 75), (1001, 60)):
            with self.subTest(ppm=ppm):
                self.assertEqual(self._rate(rule, ppm=float(ppm))[0], score)
        for bands in (
            "x",
            "100",
            "300: 1, 100: 2",
            "100: 1, 100: 2",
            "1: 2: 3",
            "100: -50",
            "nan: 1, 100: 2",
            "100: inf",
        ):
            with self.subTest(bands=bands), self.assertRaises(ValidationError):
                self.rules.create({"name": "Bands", "ppm_bands": bands})

    def test_suspect_parts_count_where_the_customer_counts_them(self):
        rule = self._create_rule(site_id=self.site.id, count_suspect=True)
        self.assertEqual(self._rate(rule, ppm_provisional=500.0), (60, "C"))

    def test_which_rule_holds(self):
        """The site's own, its customer's, the company's, the one that ships."""
        find = self.rules._find_current
        sites = self.site + self.site_de + self.site_b
        company = self._create_rule()
        self.assertEqual(company.company_id, self.company_a)
        customer = self._create_rule(partner_id=self.customer.id)
        own = self._create_rule(site_id=self.site.id)
        self.assertEqual(
            find(sites),
            {self.site: own, self.site_de: customer, self.site_b: self.rule},
        )
        plant = self.env["res.partner"].create(
            {"name": "Plant 9", "parent_id": self.customer.id}
        )
        site = self._create_site("TST9", partner_id=plant.id)
        self.assertEqual(find(site)[site], customer)
        other = self._create_site(
            "TST8", partner_id=self.env["res.partner"].create({"name": "Other"}).id
        )
        self.assertEqual(find(other)[other], company)

    def test_versions(self):
        rule = self._create_rule(site_id=self.site.id, ppm_limit=100)
        with self._assert_refused("New Version"):
            rule.ppm_limit = 200
        with self._assert_refused("stays on record"):
            rule.unlink()
        draft = self.rules.browse(rule.action_new_version()["res_id"])
        self.assertEqual((draft.version, draft.previous_id), (2, rule))
        draft.ppm_limit = 200
        draft.action_release()
        self.assertEqual((rule.state, draft.state), ("superseded", "active"))
        self.assertEqual(self.rules._find_current(self.site)[self.site], draft)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_rule(site_id=self.site.id)

    def test_numbers_that_cannot_be(self):
        for values in (
            {"ppm_limit": 0},
            {"stop_minutes": 0},
            {"minor_points": -1},
            {"repeat_factor": 0.5},
            {"threshold_b": 95},
        ):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.rules.create({"name": "Wrong", **values})

    def test_who_may(self):
        """What ships is everybody's to read and nobody's to change."""
        for user in (self.resident, self.sales, self.gm, self.manager_b):
            self.assertEqual(self.rule.with_user(user).name, "General Rule")
        for user in (self.resident, self.sales, self.gm):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.rules.with_user(user).create({"name": "x"})
        own = self.rule.with_user(self.manager)
        for values in ({"name": "Mine"}, {"state": "superseded"}):
            with self.subTest(**values), self.assertRaises(UserError):
                own.write(values)
        with self.assertRaises(UserError):
            own.unlink()
        self.assertEqual(self.rule.state, "active")

    def test_own_rule_from_the_one_that_ships(self):
        """A company changes its own copy; the others keep what ships."""
        own = self.rule.with_user(self.manager)
        copy = self.rules.browse(own.action_new_version()["res_id"])
        self.assertEqual(own.action_new_version()["res_id"], copy.id)
        self.assertEqual(copy.company_id, self.company_a)
        copy.action_release()
        self.assertEqual(
            self.rules._find_current(self.site + self.site_b),
            {self.site: copy, self.site_b: self.rule},
        )

    def test_rpc(self):
        rule = self.rules.with_user(self.manager).create({"name": "x"})
        for values in (
            {"state": "active"},
            {"version": 7},
            {"valid_from": "2026-01-01"},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                rule.write(values)
