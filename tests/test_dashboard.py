from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ResidentCommon

NOW = "2026-03-10 02:00:00"


class DashboardCommon(ResidentCommon):
    def _get_data(self, user=None, **filters):
        user = user or self.resident
        self.env.flush_all()
        return (
            self.env["quality.dashboard"]
            .with_user(user)
            .with_context(
                lang=user.lang,
                tz=user.tz,
                allowed_company_ids=user.company_ids.ids,
            )
            .get_data(filters)
        )

    def _get_tiles(self, data):
        """Return ``{key: tile}`` of all counts of the page."""
        tiles = data["due"] + [t for group in data["waiting"] for t in group["tiles"]]
        return {tile["key"]: tile for tile in tiles}

    def _get_counts(self, user=None, **filters):
        """Return ``{key: count}``, and see that each opens as many records."""
        user = user or self.resident
        tiles = self._get_tiles(self._get_data(user, **filters))
        for tile in tiles.values():
            model = self.env.ref(tile["action"]).res_model
            found = (
                self.env[model]
                .with_user(user)
                .with_context(allowed_company_ids=user.company_ids.ids)
                .search_count(tile["domain"])
            )
            self.assertEqual(tile["count"], found, tile["key"])
        return {key: tile["count"] for key, tile in tiles.items()}


@tagged("post_install", "-at_install")
class TestDashboard(DashboardCommon):
    # === RIGHTS === #

    def test_each_role_sees_his_sites(self):
        for user, sites in (
            (self.resident, self.site),
            (self.quality, self.site),
            (self.sales, self.site),
            (self.resident_b, self.site_b),
            (self.manager_b, self.site_b),
        ):
            with self.subTest(user=user.login):
                shown = self._get_data(user)["filters"]["sites"]
                self.assertEqual([site["id"] for site in shown], sites.ids)
        for boss in (self.manager, self.gm):
            shown = {site["id"] for site in self._get_data(boss)["filters"]["sites"]}
            self.assertLessEqual({self.site.id, self.site_de.id}, shown)
            self.assertNotIn(self.site_b.id, shown)

    def test_filters_that_are_none(self):
        dashboard = self.env["quality.dashboard"].with_user(self.resident)
        for filters, words in (
            ("x", "Period"),
            ({"months": "6"}, "Period"),
            ({"months": 6.5}, "Period"),
            ({"site_ids": 5}, "Sites"),
            ({"site_ids": {"a": 1}}, "Sites"),
        ):
            with self.subTest(filters=filters), self._assert_refused(words):
                dashboard.get_data(filters)
        nothing = dashboard.get_data({"site_ids": [[1], "x", None, -1]})
        self.assertEqual(nothing["filters"]["site_ids"], [])

    def test_outsider_is_refused(self):
        with self.assertRaises(AccessError):
            self._get_data(self.outsider)

    def test_sites_of_others_count_for_nobody_else(self):
        self._create_complaint()
        self._create_complaint(self.resident_de, site_id=self.site_de.id)
        self._create_complaint(self.resident_b, site_id=self.site_b.id)
        self.assertEqual(self._get_counts(self.resident)["new"], 1)
        self.assertEqual(self._get_counts(self.resident_b)["new"], 1)
        self.assertEqual(self._get_counts(self.manager_b)["new"], 1)
        both = self._get_counts(
            self.manager, site_ids=[self.site.id, self.site_de.id, self.site_b.id]
        )
        self.assertEqual(both["new"], 2)
        self.assertEqual(
            self._get_counts(self.manager, site_ids=self.site_de.ids)["new"], 1
        )

    def test_two_companies_at_once(self):
        self.manager.company_ids += self.company_b
        self._create_complaint()
        self._create_complaint(self.resident_b, site_id=self.site_b.id)
        chosen = [self.site.id, self.site_b.id]
        self.assertEqual(self._get_counts(self.manager, site_ids=chosen)["new"], 2)
        alone = (
            self.env["quality.dashboard"]
            .with_user(self.manager)
            .with_context(allowed_company_ids=self.company_a.ids)
            .get_data({"site_ids": chosen})
        )
        self.assertEqual(alone["filters"]["site_ids"], self.site.ids)

    def test_without_rights_on_claims(self):
        self.env["ir.model.access"].search(
            [("model_id.model", "in", ("quality.claim", "quality.claim.entry"))]
        ).active = False
        data = self._get_data(self.manager)
        self.assertFalse(data["money"])
        self.assertNotIn("claims", [group["key"] for group in data["waiting"]])
        self.assertNotIn("appeal", self._get_tiles(data))

    # === FILTERS === #

    def test_period(self):
        with self._at("2026-01-31 12:00:00"):
            for months, first in ((3, (2025, 11)), (6, (2025, 8)), (12, (2025, 2))):
                filters = self._get_data(months=months)["filters"]
                self.assertEqual(filters["first_day"], date(*first, 1))
        self.assertEqual(self._get_data()["filters"]["months"], 6)
        for wrong in (0, 7, "6", None):
            with self._assert_refused("Period"):
                self._get_data(months=wrong)

    # === DUE, WAITING === #

    def test_what_is_due_to_whom(self):
        self.assertFalse(self._get_data(self.resident)["due"])
        with self._at(NOW):
            complaint = self._create_complete(customer_due_date="2026-03-12")
            complaint.action_send_feedback()
            self._create_complaint()
            measure = (
                self.env["quality.measure"]
                .with_user(self.resident)
                .create(
                    {
                        "complaint_id": complaint.id,
                        "name": "New die",
                        "date_due": "2026-03-11",
                    }
                )
            )
            sheet = (
                self.env["quality.service.sheet"]
                .with_user(self.resident)
                .create({"complaint_id": complaint.id})
            )
        with self._at("2026-03-11 12:00:00"):
            counts = self._get_counts()
            self.assertEqual(
                (counts["new"], counts.get("overdue"), counts["unsigned_sheet"]),
                (1, None, 1),
            )
        with self._at("2026-03-13 12:00:00"):
            counts = self._get_counts()
            self.assertEqual((counts["overdue"], counts["overdue_measure"]), (1, 1))
            measure.evidence = "Photo"
            measure.action_done()
            self.assertNotIn("overdue_measure", self._get_counts())
        self.assertEqual(sheet.state, "draft")

    def test_reports_to_send(self):
        with self._at(NOW):
            reports = self.env["resident.report"].with_user(self.resident)
            weekly = reports.create({"site_id": self.site.id, "kind": "weekly"})
            reports.create({"site_id": self.site.id})
            self.assertEqual(self._get_counts()["send_report"], 1)
            self.assertNotIn("send_report", self._get_counts(self.resident_de))
            self.assertEqual(self._get_data()["clocks"]["rows"][0]["id"], weekly.id)
        with self._at("2026-03-16 02:00:00"):
            self._run_cron("quality_resident.ir_cron_report_alerts")
            self.assertEqual(weekly.state, "missed")
            self.assertEqual(self._get_counts(self.manager)["missed_report"], 1)
            self.assertNotIn("send_report", self._get_counts(self.manager))
            self.assertEqual(self._get_counts()["send_report"], 1)
            weekly.action_send()
            self.assertNotIn("missed_report", self._get_counts(self.manager))

    def test_scrap_waits_for_both_sides(self):
        self._set_up_stock()
        self._put(self.site.suspect_location_id, 5)
        request = (
            self.env["quality.scrap.request"]
            .with_user(self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "reason": "Torn",
                    "line_ids": [
                        Command.create({"product_id": self.product.id, "quantity": 2})
                    ],
                }
            )
        )
        request.action_submit()
        for user in (self.quality, self.sales):
            counts = self._get_counts(user)
            self.assertEqual((counts["sign_scrap"], counts["waits_quality"]), (1, 1))
        self.assertNotIn("sign_scrap", self._get_counts(self.resident))
        request.with_user(self.quality).action_sign()
        self.assertNotIn("sign_scrap", self._get_counts(self.quality))
        self.assertEqual(self._get_counts(self.sales)["waits_quality"], 0)
        self.assertEqual(self._get_counts(self.sales)["waits_sales"], 1)

    def test_return_waits_for_home(self):
        self._set_up_stock()
        self._put(self.site.suspect_location_id, 5)
        document = (
            self.env["quality.return"]
            .with_user(self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "reason": "Torn",
                    "line_ids": [
                        Command.create({"product_id": self.product.id, "quantity": 2})
                    ],
                }
            )
        )
        document.action_request()
        self.assertEqual(self._get_counts(self.quality)["approve_return"], 1)
        self.assertEqual(self._get_counts(self.manager)["approve_return"], 1)
        for user in (self.resident, self.sales, self.gm, self.quality_de):
            self.assertNotIn("approve_return", self._get_counts(user))
        for user in (self.resident, self.sales):
            counts = self._get_counts(user)
            self.assertEqual(counts["requested"], 1)
        document.with_user(self.quality).action_approve()
        counts = self._get_counts(self.quality)
        self.assertNotIn("approve_return", counts)
        self.assertEqual((counts["requested"], counts["approved"]), (0, 1))

    # === CLOCKS === #

    def test_clocks_are_those_that_run(self):
        """The domains of the page and the clocks of the records say the same."""
        with self._at(NOW):
            for state in ("new", "reported", "closed", "cancelled"):
                complaint = self._create_in_state(state, customer_due_date="2026-03-12")
                if state == "reported":
                    complaint.eightd_level = "full"
                    complaint.action_create_8d()
            self._create_complaint(
                customer_due_date="2026-03-09", called_at="2026-03-01"
            )
            self.env["quality.measure"].create(
                {
                    "complaint_id": complaint.create(
                        {"site_id": self.site.id, "product_id": self.product.id}
                    ).id,
                    "name": "New die",
                    "date_due": "2026-03-11",
                }
            )
            self.env["quality.scorecard"]._create_protected(
                [
                    {"site_id": self.site.id, "month": month, "state": state}
                    for month, state in (
                        ("2026-01-01", "sent"),
                        ("2026-02-01", "draft"),
                    )
                ]
            )
            self.env["resident.report"].create(
                [
                    {"site_id": self.site.id, "kind": kind}
                    for kind in ("weekly", "daily")
                ]
            )
            dashboard = self.env["quality.dashboard"]
            for model in dashboard._get_clock_models():
                records = self.env[model].search([("site_id", "=", self.site.id)])
                for name in records._clocks:
                    with self.subTest(model=model, clock=name):
                        running = records.filtered(
                            lambda r, name=name: r._get_clock_moments(name)
                        )
                        found = records.filtered_domain(
                            dashboard._get_clock_domain(model, name)
                        )
                        self.assertEqual(running, found)
                        if model != "quality.return":
                            self.assertTrue(running)

    def test_most_urgent_clock_first(self):
        with self._at(NOW):
            calls = [
                fields.Datetime.to_datetime(NOW) - timedelta(minutes=minutes)
                for minutes in range(12)
            ]
            self.env["quality.complaint"].with_user(self.resident).create(
                [
                    {
                        "site_id": self.site.id,
                        "product_id": self.product.id,
                        "called_at": call,
                    }
                    for call in calls
                ]
            )
            clocks = self._get_data()["clocks"]
        self.assertEqual((clocks["count"], len(clocks["rows"])), (12, 8))
        deadlines = [row["deadline"] for row in clocks["rows"]]
        self.assertEqual(deadlines, sorted(deadlines))
        # Called 11 minutes ago, five allowed.
        self.assertEqual(deadlines[0], "2026-03-10 01:54:00")
        self.assertEqual(clocks["rows"][0]["start"], "2026-03-10 01:49:00")

    # === MONEY === #

    def _claim(self, price, user=None, **values):
        claim = (
            self.env["quality.claim"]
            .with_user(user or self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "line_ids": [
                        Command.create(
                            {"product_id": self.product.id, "price_unit": price}
                        )
                    ],
                    **values,
                }
            )
        )
        claim.action_judge()
        return claim

    def test_money_is_what_the_ledger_says(self):
        self.assertFalse(self._get_data()["money"])
        with self._at("2025-01-10 02:00:00"):
            self._claim(100)
        with self._at(NOW):
            half = self._claim(80)
            half.line_ids.write({"responsibility": "shared", "our_share": 25})
            half.action_judge()
            half.with_user(self.quality).action_agree()
            self._claim(7, self.resident_b, site_id=self.site_b.id)
            (sums,) = self._get_data(self.quality, months=3)["money"]
            self.assertEqual(sums["currency_id"], self.company_a.currency_id.id)
            self.assertEqual(
                {figure["key"]: figure["amount"] for figure in sums["figures"]},
                # The old claim is undecided still, but not of the period.
                {
                    "open": 100,
                    "claimed": 80,
                    "accepted": 20,
                    "refused": 60,
                    "credited": 0,
                    "paid": 0,
                },
            )
            for figure in sums["figures"]:
                model = self.env.ref(figure["action"]).res_model
                records = self.env[model].with_user(self.quality)
                found = records.search(figure["domain"])
                field = "amount_open" if figure["key"] == "open" else "amount_company"
                self.assertEqual(sum(found.mapped(field)), figure["amount"])

    def test_money_of_two_currencies_is_not_added(self):
        other = self.env["res.currency"].with_context(active_test=False)
        self.company_b.currency_id = other.search(
            [("id", "!=", self.company_a.currency_id.id)], limit=1
        )
        self.company_b.currency_id.active = True
        self.manager.company_ids += self.company_b
        self._claim(80)
        self._claim(7, self.resident_b, site_id=self.site_b.id)
        money = self._get_data(self.manager, site_ids=[self.site.id, self.site_b.id])
        self.assertEqual(
            {
                sums["currency_id"]: sums["figures"][0]["amount"]
                for sums in money["money"]
            },
            {self.company_a.currency_id.id: 80, self.company_b.currency_id.id: 7},
        )

    # === FIGURES === #

    def _deliver(self, site, quantity, moment):
        """Have ``quantity`` reach the site's customer at ``moment``."""
        customers = self.env.ref("stock.stock_location_customers")
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", site.company_id.id)], limit=1
        )
        self._put(warehouse.lot_stock_id, quantity)
        with self._at(moment):
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": warehouse.out_type_id.id,
                    "partner_id": site.partner_id.id,
                    "location_id": warehouse.lot_stock_id.id,
                    "location_dest_id": customers.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": self.product.id,
                                "product_uom_qty": quantity,
                                "quantity": quantity,
                                "picked": True,
                                "location_id": warehouse.lot_stock_id.id,
                                "location_dest_id": customers.id,
                            }
                        )
                    ],
                }
            )
            picking.button_validate()

    def _complain(self, called_at, user=None, **values):
        return self._create_complaint(
            user, called_at=called_at, problem_type="quality", **values
        )

    def test_ppm_is_sum_over_sum(self):
        self.site_de.partner_id = self.customer.copy({"name": "Test Motors"})
        self.site.ppm_target = 500
        for site, quantity, moment in (
            (self.site, 1000, "2026-01-15 02:00:00"),
            (self.site, 3000, "2026-02-15 02:00:00"),
            # In China it is February.
            (self.site, 1000, "2026-01-31 20:00:00"),
            (self.site_de, 5000, "2026-02-15 02:00:00"),
        ):
            self._deliver(site, quantity, moment)
        self._complain("2026-01-20 02:00:00", quantity=1)
        self._complain("2026-02-20 02:00:00", quantity=1)
        self._complain("2026-02-20 02:00:00", quantity=8).problem_type = "tracking"
        with self._at(NOW):
            data = self._get_data(months=3)["ppm"]
            months = {
                row["key"]: (row["delivered"], row["ppm"], row["provisional"])
                for row in data["months"]
            }
            self.assertEqual(
                months,
                {
                    "2026-01-01": (1000, 1000, 1000),
                    "2026-02-01": (4000, 250, 2250),
                    "2026-03-01": (0, None, None),
                },
            )
            (row,) = data["sites"]
            self.assertEqual(
                (row["key"], row["delivered"], row["ppm"], row["provisional"]),
                (self.site.id, 5000, 400, 2000),
            )
            self.assertEqual({row["target"] for row in data["months"]}, {500})
            self.assertEqual(row["target"], 500)
            both = self._get_data(
                self.manager, months=3, site_ids=[self.site.id, self.site_de.id]
            )["ppm"]
            self.assertEqual(len(both["sites"]), 2)
            february = both["months"][1]
            self.assertEqual(
                (february["delivered"], february["ppm"]), (9000, 1e6 / 9e3)
            )
            # Two sites with two targets have none in common.
            self.assertEqual(february["target"], 0)

    def _assert_opens_counted(self, rows, user):
        """See that each row opens as many complaints as it says."""
        for row in rows:
            model = self.env.ref(row["action"]).res_model
            found = self.env[model].with_user(user).search_count(row["domain"])
            self.assertEqual(row["count"], found, row["key"])

    def test_weeks_are_those_of_the_site(self):
        # Monday 0:30 in China, Sunday 17:30 in Germany.
        border = "2026-03-01 16:30:00"
        self._complain(border)
        self._complain(border, self.resident_de, site_id=self.site_de.id)
        self._create_complaint(called_at=border).with_user(self.manager).action_refuse(
            reason="Not ours"
        )
        chosen = {"months": 3, "site_ids": [self.site.id, self.site_de.id]}
        self.env["res.lang"]._lang_get("en_US").week_start = "1"
        with self._at(NOW):
            weeks = self._get_data(self.manager, **chosen)["weeks"]
            counts = {row["key"]: row["count"] for row in weeks}
            self.assertEqual(counts["2026-02-23"], 1)
            self.assertEqual(counts["2026-03-02"], 1)
            self.assertEqual(counts["2026-03-09"], 0)
            # The week of New Year's Day is there, cut at the beginning of the period.
            self.assertEqual((len(counts), min(counts)), (11, "2025-12-29"))
            self._assert_opens_counted(weeks, self.manager)

    def test_defects_most_complained_of_first(self):
        defects = self.env["quality.defect"].create(
            [
                {"code": f"PAR-{number}", "name": f"Part {number}"}
                for number in range(12)
            ]
        )
        for number, defect in enumerate(defects, start=1):
            for _time in range(number):
                self._complain("2026-03-02 02:00:00", defect_id=defect.id)
        self._complain("2026-03-02 02:00:00")
        # Before the period at the site, though not yet in UTC.
        self._complain("2025-12-31 15:30:00", defect_id=defects[0].id)
        with self._at(NOW):
            rows = self._get_data(months=3)["defects"]
        self.assertEqual(
            [row["count"] for row in rows], [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 4]
        )
        self.assertEqual(rows[0]["label"], "Part 11")
        self.assertAlmostEqual(rows[1]["share"], 23 / 79 * 100)
        self.assertEqual((rows[-1]["key"], rows[-1]["share"]), ("others", 100))
        self._assert_opens_counted(rows, self.resident)

    def test_ratings_of_the_months_that_are_over(self):
        self.assertFalse(self._get_data()["ratings"]["sites"])
        cards = self.env["quality.scorecard"]._create_protected(
            [
                {
                    "site_id": site.id,
                    "month": month,
                    "forecast_rating": rating,
                    "state": "sent",
                    # Otherwise it is rated by its figures.
                    "computed_at": NOW,
                }
                for site, month, rating in (
                    (self.site, "2025-11-01", "D"),
                    (self.site, "2025-12-01", "B"),
                    (self.site, "2026-02-01", "C"),
                    (self.site_de, "2026-02-01", "A"),
                )
            ]
        )
        cards[2].customer_rating = "D"
        with self._at(NOW):
            ratings = self._get_data(self.quality, months=3)["ratings"]
            self.assertEqual(
                ratings["months"], ["2025-12-01", "2026-01-01", "2026-02-01"]
            )
            (row,) = ratings["sites"]
            self.assertEqual(
                row["cells"],
                [
                    {"id": cards[1].id, "rating": "B", "is_customer": False},
                    None,
                    {"id": cards[2].id, "rating": "D", "is_customer": True},
                ],
            )
            self.assertEqual(
                self.env["quality.scorecard"].search(row["domain"]), cards[2] + cards[1]
            )
            self.assertEqual(len(self._get_data(self.manager)["ratings"]["sites"]), 2)
            self.env["quality.scorecard"]._create_protected(
                [{"site_id": self.site.id, "month": "2026-01-01"}]
            )
            self.assertEqual(self._get_counts(self.quality)["send_scorecard"], 1)
            self.assertNotIn("send_scorecard", self._get_counts(self.resident))

    def test_read_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.resident.lang = "zh_CN"
        self._create_complaint()
        data = self._get_data()
        self.assertEqual(self._get_tiles(data)["new"]["label"], "未反馈的客户抱怨")
        self.assertEqual(data["clocks"]["rows"][0]["label"], "到场期限")

    # === TARGET === #

    def test_target_cannot_be_negative(self):
        with self.assertRaises(Exception) as refusal, self.env.cr.savepoint():
            self.site.ppm_target = -1
            self.env.flush_all()
        self.assertIn("ppm_target_positive", str(refusal.exception))

    # === COST === #

    def _count_queries(self, user):
        self._get_data(user)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self._get_data(user)
        return self.env.cr.sql_log_count - before

    def test_queries_do_not_grow(self):
        with self._at(NOW):
            few = self._count_queries(self.manager)
            for number in range(18):
                site = self._create_site(
                    f"FLAT{number}",
                    calendar_id=self.calendar.id,
                    manager_id=self.manager.id,
                )
                self._create_complaint(self.manager, site_id=site.id)
                self._claim(5, self.manager, site_id=site.id)
            self.assertLessEqual(self._count_queries(self.manager), few + 2)
