"""What RPC, defaults and forged values try on a scrap request (spec.md S1-S3)."""

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .test_scrap import ScrapCommon


@tagged("post_install", "-at_install")
class TestScrapForged(ScrapCommon):
    def _sign_all(self, request):
        request.with_user(self.quality).action_sign("quality")
        request.with_user(self.sales).action_sign("sales")

    def test_values_are_set_by_nobody(self):
        """A value of one's own would stay below the general manager's amount."""
        request = self._submit()
        line = request.line_ids
        for name in ("value", "value_company"):
            with self.subTest(name=name), self._assert_refused("set directly"):
                line[name] = 0.01
        for name in ("amount_total", "amount_company"):
            with self.subTest(name=name), self._assert_refused("set directly"):
                request[name] = 0.01
        for name in ("waits_sales", "waits_gm"):
            with self.subTest(name=name), self._assert_refused("set directly"):
                request[name] = False

    def test_site_of_a_line_is_its_request_s(self):
        """Another site's signers would agree to this site's parts."""
        self._create_posting(self.site_de, self.resident)
        self.site_de.action_set_up()
        request = self._create_request(
            self._line(location_id=self.site_de.suspect_location_id.id),
            site_id=self.site_de.id,
        )
        with self._assert_refused():
            request.line_ids.write(
                {"site_id": self.site.id, "location_id": self.suspect.id}
            )
        own = self._create_request()
        with self._assert_refused("is no place of"), self.env.cr.savepoint():
            own.site_id = self.site_de

    def test_price_below_cost_keeps_the_general_manager(self):
        self.company_a.scrap_gm_amount = 15
        request = self._submit(self._line(quantity=4, price_unit=0.01))
        self.assertEqual(request.amount_total, 0.04)
        self.assertTrue(request.needs_gm)
        below = self._submit(self._line(self.lots[1], quantity=3, price_unit=0.01))
        self.assertFalse(below.needs_gm)
        below.line_ids.quantity = 5
        self.assertTrue(below.needs_gm)

    def test_defaults_add_no_line_to_a_decided_request(self):
        request = self._submit()
        self._sign_all(request)
        self.assertEqual(request.state, "done")
        lines = self.env["quality.scrap.line"].with_user(self.resident)
        values = {"product_id": self.product_lot.id, "lot_id": self.lots[1].id}
        with self._assert_refused("is decided"), self.env.cr.savepoint():
            lines.with_context(default_request_id=request.id).create(values)
        self.env["ir.default"].with_user(self.resident).set(
            "quality.scrap.line", "request_id", request.id, user_id=True
        )
        with self._assert_refused("is decided"), self.env.cr.savepoint():
            lines.create(values)

    def test_no_number_is_no_quantity_and_no_price(self):
        """JSON knows NaN and Infinity; they would compare as within any amount."""
        for name in ("quantity", "price_unit"):
            for number, error in (("nan", ValueError), ("inf", OverflowError)):
                line = self._line(**{name: float(number)})
                with self.subTest(name=name, number=number), self.assertRaises(error):
                    with self.env.cr.savepoint():
                        self._create_request(line)

    def test_line_moves_to_no_other_request(self):
        mine = self._create_request()
        other = self._submit(self._line(self.lots[1]))
        for command in (
            Command.link(other.line_ids.id),
            Command.set(other.line_ids.ids),
        ):
            with self._assert_refused("stays in its request"):
                mine.write({"line_ids": [command]})

    def test_signer_moved_to_another_side(self):
        """Who signed for Quality and then joins Sales has still signed once."""
        request = self._submit()
        request.with_user(self.both).action_sign("quality")
        with self._assert_refused("another person"):
            request.with_user(self.both).action_sign("sales")

    def test_import_is_no_way(self):
        request = self._submit()
        lines = self.env["quality.scrap.request"].with_user(self.resident)
        result = lines.load(
            [".id", "state"],
            [[str(request.id), "Scrapped"]],
        )
        self.assertTrue(result["messages"])
        self.assertEqual(request.state, "signing")

    def test_scrap_goes_to_no_place_of_stock(self):
        with self._assert_refused("Inventory Loss", error=ValidationError):
            self.company_a.approved_scrap_location_id = self.site.buffer_location_id

    def test_copy_starts_anew(self):
        request = self._submit()
        self._sign_all(request)
        copied = request.with_user(self.resident).copy()
        self.assertRecordValues(
            copied,
            [
                {
                    "state": "draft",
                    "sign_count": 0,
                    "revision": 1,
                    "requester_ids": self.resident.ids,
                }
            ],
        )
        self.assertFalse(copied.signature_ids)
