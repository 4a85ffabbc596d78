import io
from datetime import date

import openpyxl

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .test_containment import ContainmentCommon

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


class FigureCommon(ContainmentCommon):
    """Deliveries, complaints and claims at fixed moments of two sites."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plant_de, cls.plant_b = cls.env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Test Werk", "Test B")]
        )
        cls.site_de.partner_id = cls.plant_de
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.stock = cls._get_stock(cls.company_a)
        cls.dozen = cls.env.ref("uom.product_uom_dozen")

    @classmethod
    def _get_stock(cls, company):
        return (
            cls.env["stock.warehouse"]
            .search([("company_id", "=", company.id)], limit=1)
            .lot_stock_id
        )

    @classmethod
    def _deliver(cls, quantity, moment, partner=None, back=False, **values):
        """Return a move to ``partner`` that was done at ``moment``, or ``back``."""
        source, dest = cls.stock, cls.customers
        values = {
            "product_id": cls.product.id,
            "product_uom": cls.product.uom_id.id,
            "product_uom_qty": quantity,
            "location_id": (dest if back else source).id,
            "location_dest_id": (source if back else dest).id,
            "company_id": cls.company_a.id,
            "partner_id": (partner or cls.customer).id,
            "picked": True,
            **values,
        }
        move = cls.env["stock.move"].create(values)
        move.quantity = quantity
        move.picked = True
        move._action_done()
        move.date = moment
        return move

    def _get(self, site, month, user=None):
        figures = self.env["quality.figure"].with_user(user or self.manager)
        return figures._get_month_figures(site, month)[site, month]

    def _assert_figures(self, site, month, **expected):
        figures = self._get(site, month)
        self.assertEqual({name: figures[name] for name in expected}, expected)


@tagged("post_install", "-at_install")
class TestDelivered(FigureCommon):
    def test_delivered_less_returned(self):
        self._deliver(1000, "2026-02-10 08:00:00")
        self._deliver(40, "2026-02-20 08:00:00", back=True)
        self._deliver(7, "2026-02-20 08:00:00", self.plant_de)
        self._assert_figures(self.site, FEBRUARY, delivered_qty=960)
        self._assert_figures(self.site_de, FEBRUARY, delivered_qty=7)

    def test_returned_in_another_month(self):
        self._deliver(100, "2026-02-10 08:00:00")
        self._deliver(40, "2026-03-10 08:00:00", back=True)
        self._assert_figures(self.site, FEBRUARY, delivered_qty=100)
        self._assert_figures(self.site, MARCH, delivered_qty=-40, ppm=None)

    def test_units(self):
        """Counted are pieces, whatever unit the delivery is written in."""
        self._deliver(5, "2026-02-10 08:00:00", product_uom=self.dozen.id)
        self._deliver(3, "2026-02-10 08:00:00")
        in_dozens = self.product_2
        in_dozens.uom_id = self.dozen
        self._deliver(
            24,
            "2026-02-10 08:00:00",
            product_id=in_dozens.id,
            product_uom=self.env.ref("uom.product_uom_unit").id,
        )
        self._assert_figures(self.site, FEBRUARY, delivered_qty=5 * 12 + 3 + 2)

    def test_months_of_the_site(self):
        """A month begins and ends at the site's midnight, summer time or not."""
        self._deliver(1, "2026-01-31 15:59:59")  # 23:59:59 in Shanghai
        self._deliver(2, "2026-01-31 16:00:00")
        self._deliver(4, "2026-02-28 15:59:59")
        self._deliver(8, "2026-02-28 16:00:00")
        self._assert_figures(self.site, FEBRUARY, delivered_qty=6)
        self._assert_figures(self.site, MARCH, delivered_qty=8)
        self._deliver(1, "2026-02-28 22:59:59", self.plant_de)
        self._deliver(2, "2026-02-28 23:00:00", self.plant_de)
        self._deliver(4, "2026-03-31 21:59:59", self.plant_de)
        self._deliver(8, "2026-03-31 22:00:00", self.plant_de)
        self._assert_figures(self.site_de, FEBRUARY, delivered_qty=1)
        self._assert_figures(self.site_de, MARCH, delivered_qty=6)

    def test_consignment_counts_once(self):
        """What lies in our warehouse at the plant is delivered when it leaves it."""
        where = {"location_dest_id": self.buffer_location.id}
        self._deliver(50, "2026-02-10 08:00:00", **where)
        self._assert_figures(self.site, FEBRUARY, delivered_qty=0, ppm=None)
        self._deliver(20, "2026-02-11 08:00:00", location_id=self.buffer_location.id)
        self._assert_figures(self.site, FEBRUARY, delivered_qty=20)

    def test_one_customer_of_two_sites(self):
        """A delivery belongs to one site, whatever fits."""
        self.site_de.partner_id = self.customer
        self._deliver(10, "2026-02-10 08:00:00")
        self._assert_figures(self.site, FEBRUARY, delivered_qty=10)
        self._assert_figures(self.site_de, FEBRUARY, delivered_qty=0)
        self.part_de.copy({"product_id": self.product_2.id, "customer_ref": "X"})
        self._deliver(20, "2026-02-10 08:00:00", product_id=self.product_2.id)
        self._assert_figures(self.site_de, FEBRUARY, delivered_qty=20)
        self._set_up_stock(self.site_de)
        self._deliver(
            40,
            "2026-02-10 08:00:00",
            location_id=self.site_de.buffer_location_id.id,
        )
        self._assert_figures(self.site, FEBRUARY, delivered_qty=10)
        self._assert_figures(self.site_de, FEBRUARY, delivered_qty=60)

    def test_customer_without_a_site(self):
        """What he gets would thin out the PPM of all sites together."""
        self._deliver(10, "2026-02-10 08:00:00", self.plant_b)
        figures = self.env["quality.figure"]
        self.assertFalse(
            figures.search_count(
                [("kind", "=", "delivery"), ("product_id", "=", self.product.id)]
            )
        )

    def test_not_done(self):
        move = self._deliver(10, "2026-02-10 08:00:00")
        move.copy({"date": "2026-02-10 08:00:00"})
        self._assert_figures(self.site, FEBRUARY, delivered_qty=10)


@tagged("post_install", "-at_install")
class TestComplaintFigures(FigureCommon):
    def test_counts(self):
        self._deliver(1000, "2026-02-10 08:00:00")
        with self._at("2026-02-10 01:00:00"):
            self._create_complaint(severity="critical", line_stop_minutes=12)
            self._create_complaint(severity="minor")
            wrong = self._create_complaint()
            wrong.with_user(self.manager).action_cancel(reason="Twice")
        self._assert_figures(
            self.site,
            FEBRUARY,
            complaint_count=2,
            minor_count=1,
            major_count=0,
            critical_count=1,
            line_stop_minutes=12,
            handled_count=0,
            handling_rate=0,
            handling_time=None,
            ppm=0,
        )

    def test_rates_are_no_whole_numbers(self):
        with self._at("2026-02-10 01:00:00"):
            for number in range(3):
                complaint = self._create_complaint()
                if number:
                    complaint.action_arrive()
        self._assert_figures(self.site, FEBRUARY, arrival_count=2, arrival_rate=100)
        with self._at("2026-02-11 01:00:00"):
            self._create_complaint(called_at="2026-02-10 01:00:00").action_arrive()
        self._assert_figures(self.site, FEBRUARY, arrival_on_time_count=2)
        rate = self._get(self.site, FEBRUARY)["arrival_rate"]
        self.assertAlmostEqual(rate, 200 / 3)

    def test_ppm_comes_down(self):
        """Bad and suspect parts are the provisional PPM, bad ones the confirmed."""
        self._deliver(10000, "2026-02-10 08:00:00")
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        with self._at("2026-02-10 01:00:00"):
            complaint = self._open(
                called_at="2026-02-10 01:00:00", problem_type="tracking", quantity=5
            )
        self._assert_figures(
            self.site, FEBRUARY, bad_qty=0, suspect_qty=5, ppm=0, ppm_provisional=500
        )
        complaint.problem_type = "quality"
        self._assert_figures(self.site, FEBRUARY, bad_qty=5, suspect_qty=0, ppm=500)
        place = self._get_sorting(complaint, self.buffer)
        self._count(place, lot_id=self.lot.id, qty_good=10, qty_bad=2, qty_suspect=8)
        self._assert_figures(
            self.site,
            FEBRUARY,
            sorted_qty=20,
            bad_qty=2,
            suspect_qty=8,
            ppm=200,
            ppm_provisional=1000,
        )
        wrong = self._count(place, lot_id=self.lot.id, qty_bad=1)
        wrong.action_undo()
        complaint.action_sort_held()
        held = complaint.inspection_ids.filtered(lambda i: i.held_area == "suspect")
        self._count(held, lot_id=self.lot.id, qty_good=7, qty_bad=1)
        self._assert_figures(
            self.site, FEBRUARY, sorted_qty=20, bad_qty=3, suspect_qty=0, ppm=300
        )
        complaint.invalidate_recordset()
        self.assertEqual((complaint.qty_bad, complaint.qty_suspect), (3, 0))
        complaint.problem_type = "dispute"
        self._assert_figures(self.site, FEBRUARY, bad_qty=0, complaint_count=1)


@tagged("post_install", "-at_install")
class TestFigureRights(FigureCommon):
    def test_by_site_and_company(self):
        for site, user in (
            (self.site, self.resident),
            (self.site_de, self.resident_de),
            (self.site_b, self.resident_b),
        ):
            with self._at("2026-02-10 01:00:00"):
                self._create_complaint(user, site_id=site.id)
        for user, sites in (
            (self.resident, self.site),
            (self.standin, self.site),
            (self.quality, self.site),
            (self.quality_de, self.site_de),
            (self.sales, self.site),
            (self.manager, self.site + self.site_de),
            (self.gm, self.site + self.site_de),
            (self.manager_b, self.site_b),
        ):
            with self.subTest(user=user.login):
                figures = self.env["quality.figure"].with_user(user)
                found = figures._get_figures(
                    [("site_id", "in", (self.site + self.site_de + self.site_b).ids)],
                    ["site_id"],
                )
                self.assertEqual({site for (site,) in found}, set(sites))
        with self.assertRaises(AccessError):
            self.env["quality.figure"].with_user(self.outsider)._get_figures([])

    def test_row_opens_its_document(self):
        complaint = self._create_complaint()
        domain = [("complaint_id", "=", complaint.id)]
        row = self.env["quality.figure"].with_user(self.resident).search(domain)
        action = row.action_open()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (complaint._name, complaint.id)
        )
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.env["stock.warehouse"]
                .search([("company_id", "=", self.company_a.id)], limit=1)
                .out_type_id.id,
                "partner_id": self.customer.id,
                "location_id": self.stock.id,
                "location_dest_id": self.customers.id,
            }
        )
        self._deliver(10, "2026-02-10 08:00:00", picking_id=picking.id)
        row = row.search([("res_id", "=", picking.id), ("kind", "=", "delivery")])
        self.assertEqual(row.delivered_qty, 10)
        with self.assertRaisesRegex(AccessError, "outside your sites or your apps"):
            row.action_open()

    def test_nobody_enters_figures(self):
        self._create_complaint()
        for user in (self.resident, self.quality, self.sales, self.manager, self.gm):
            figures = self.env["quality.figure"].with_user(user)
            row = figures.search([], limit=1)
            with self.subTest(user=user.login):
                self.assertTrue(row)
                for change in (
                    lambda figures=figures: figures.create({"bad_qty": 1}),
                    lambda row=row: row.write({"bad_qty": 1}),
                    lambda row=row: row.unlink(),
                ):
                    with self.assertRaises(AccessError):
                        change()

    def test_claim_s_own_month(self):
        claim = self.env["quality.claim"].create(
            {
                "site_id": self.site.id,
                "line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "price_unit": 50,
                            "quantity": 2,
                            "vehicle_model": "Tayron",
                            "failed_on": "2026-01-17",
                        }
                    )
                ],
            }
        )
        with self._at("2026-02-10 01:00:00"):
            claim.action_judge()
        self._assert_figures(
            self.site,
            FEBRUARY,
            amount_claimed=100,
            amount_open=100,
            amount_accepted=0,
            acceptance_rate=None,
        )
        found = self.env["quality.figure"]._get_figures(
            [("claim_id", "=", claim.id)], ["vehicle_model", "failure_month"]
        )
        self.assertEqual(set(found), {("Tayron", date(2026, 1, 1))})


@tagged("post_install", "-at_install")
class TestFiguresExport(FigureCommon):
    def _export(self, domain, user):
        action = (
            self.env["quality.figure"]
            .with_user(user)
            .with_context(active_domain=domain)
            .action_export()
        )
        report = self.env["ir.actions.report"]._get_report(action["report_name"])
        content, _kind = report.with_user(user)._render_xlsx(
            report.report_name, [], data=action["data"]
        )
        return list(openpyxl.load_workbook(io.BytesIO(content)).active.values)

    def test_spreadsheet_says_what_the_screen_says(self):
        self._deliver(3000, "2026-02-10 08:00:00")
        self._deliver(1000, "2026-03-10 08:00:00")
        self._create_complaint(
            called_at="2026-02-11 08:00:00", problem_type="quality", quantity=3
        )
        domain = [("site_id", "=", self.site.id), ("month", ">=", "2026-02-01")]
        head, *rows, total = self._export(domain, self.manager)
        february = dict(zip(head, rows[0], strict=True))
        self.assertEqual(february["Site"], self.site.name)
        self.assertEqual(february["Month"].date(), FEBRUARY)
        self.assertEqual(february["Delivered"], 3000)
        self.assertEqual(february["PPM"], 1000)
        march = dict(zip(head, rows[1], strict=True))
        self.assertEqual(march["PPM"], 0)
        # A sum over a sum, no mean of means; no denominator, an empty cell.
        self.assertEqual(dict(zip(head, total, strict=True))["PPM"], 750)
        self.assertIsNone(march["Arrived on Time (%)"])

    def test_spreadsheet_of_what_the_reader_may_see(self):
        self._deliver(3000, "2026-02-10 08:00:00")
        rows = self._export([], self.resident_de)
        self.assertNotIn(self.site.name, [row[0] for row in rows])
        with self.assertRaises(AccessError):
            self._export([], self.outsider)
        with self._assert_refused("no filter"):
            self._export([("no_such_field", "=", 1)], self.manager)
