import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MODULE, ResidentCommon, SmtpCatcher

TRIGGER = f"{MODULE}.qc_trigger_containment"
# Queries for each tranche that moves stock, beyond those of a whole batch.
SORT_EACH = 9.5
# The same where nothing moves.
COUNT_EACH = 0.1
SERIALS = 500


class ContainmentCommon(ResidentCommon):
    """Five places must be screened: two of ours, three of the customer's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buffer_location = cls._set_up_stock()
        cls.transit_location = cls.site.transit_location_id
        cls.suspect_location = cls.site.suspect_location_id
        cls.rework_location = cls.site.rework_location_id
        by_kind = {place.kind: place for place in cls.site.place_ids}
        cls.buffer, cls.transit = by_kind["buffer"], by_kind["transit"]
        cls.warehouse, cls.assembly = by_kind["warehouse"], by_kind["assembly"]
        (by_kind["body"] + by_kind["paint"]).must_screen = False
        cls.five = cls.buffer + cls.transit + cls.warehouse + cls.assembly + cls.place
        cls.in_lots, cls.in_serials = cls.env["product.product"].create(
            [
                {"name": f"Test {tracking}", "is_storable": True, "tracking": tracking}
                for tracking in ("lot", "serial")
            ]
        )
        cls.lot = cls._create_lot("L7", cls.in_lots)
        cls.env.cr.flush()

    @classmethod
    def _open(cls, product=None, user=None, **values):
        """Return a reported complaint whose containment has been opened."""
        product = product or cls.in_lots
        complaint = cls._create_in_state(
            "reported", user, product_id=product.id, place_id=cls.place.id, **values
        )
        complaint.action_open_containment()
        return complaint

    @classmethod
    def _get_sorting(cls, complaint, place):
        return complaint.inspection_ids.filtered(lambda i: i.place_id == place)

    @classmethod
    def _count(cls, sorting, user=None, **values):
        """Return a tranche as the resident counts it."""
        return (
            cls.env["quality.sorting"]
            .with_user(user or cls.resident)
            .create({"inspection_id": sorting.id, **values})
        )

    def _get_moves(self, complaint):
        return self.env["stock.move"].search([("origin", "=", complaint.name)])


@tagged("post_install", "-at_install")
class TestSortings(ContainmentCommon):
    # === OPENING === #

    def test_one_sorting_for_each_place(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        self._put(self.transit_location, 12, self.lot, self.in_lots)
        complaint = self._open()
        self.assertEqual(complaint.inspection_ids.place_id, self.five)
        self.assertEqual(len(complaint.inspection_ids), 5)
        self.assertTrue(complaint.containment_opened_at)
        self.assertEqual(set(complaint.inspection_ids.mapped("state")), {"ready"})
        self.assertEqual(complaint.inspection_ids.product_id, self.in_lots)
        self.assertEqual(complaint.inspection_ids.company_id, self.company_a)
        self.assertEqual(complaint.places_open, 5)
        self.assertRecordValues(
            self._get_sorting(complaint, self.buffer)
            + self._get_sorting(complaint, self.transit)
            + self._get_sorting(complaint, self.assembly),
            [
                {"is_ours": True, "qty_expected": 30, "qty_left": 30},
                {"is_ours": True, "qty_expected": 12, "qty_left": 12},
                {"is_ours": False, "qty_expected": 0, "qty_left": 0},
            ],
        )

    def test_opened_twice(self):
        with self._at("2026-03-10 01:00:00") as first:
            complaint = self._open(called_at="2026-03-10 01:00:00")
        sortings = complaint.inspection_ids
        with self._at("2026-03-10 05:00:00"):
            complaint.action_open_containment()
        self.assertEqual(complaint.inspection_ids, sortings)
        self.assertEqual(complaint.containment_opened_at, first)

    def test_place_added_later(self):
        complaint = self._open()
        late = self.place.create({"site_id": self.site.id, "name": "Trucks"})
        with self._assert_refused("Trucks"):
            complaint.action_contain()
        complaint.action_open_containment()
        self.assertEqual(complaint.inspection_ids.place_id, self.five + late)

    def test_two_complaints_at_once(self):
        both = self._create_in_state("reported") + self._create_in_state("reported")
        both.action_open_containment()
        for complaint in both:
            self.assertEqual(complaint.inspection_ids.place_id, self.five)

    def test_product_needed(self):
        unknown = self._create_complaint(product_id=False)
        known = self._create_complaint()
        label = unknown._fields["product_id"].string
        with self._assert_refused(unknown.name, label):
            (known + unknown).action_open_containment()
        self.assertFalse(known.inspection_ids)

    def test_finished_complaint_is_not_opened(self):
        complaint = self._create_in_state("cancelled")
        with self._assert_refused(complaint.name):
            complaint.action_open_containment()

    def test_who_opens(self):
        complaint = self._create_in_state("reported")
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                complaint.with_user(user).action_open_containment()
        self.assertFalse(complaint.inspection_ids)

    def test_place_is_sorted_once_for_a_complaint(self):
        sorting = self._open().inspection_ids[0].sudo()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            sorting._with_gate().create(
                {
                    "complaint_id": sorting.complaint_id.id,
                    "place_id": sorting.place_id.id,
                    "object_id": f"product.product,{self.in_lots.id}",
                }
            )
            self.env.flush_all()

    # === COUNTING === #

    def test_checked_is_the_sum(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        tranche = self._count(sorting, qty_good=5, qty_bad=2, qty_suspect=1)
        self.assertEqual(tranche.qty_checked, 8)
        self.assertEqual(tranche.user_id, self.resident)
        self.assertEqual(tranche.defect_id, self.defect, "the complaint's, if no other")
        self.assertRecordValues(
            tranche,
            [
                {
                    "complaint_id": sorting.complaint_id.id,
                    "site_id": self.site.id,
                    "company_id": self.company_a.id,
                    "place_id": self.assembly.id,
                    "product_id": self.in_lots.id,
                }
            ],
        )

    def test_balance(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        for checked in (7, 9, 8.01):
            with (
                self.subTest(checked=checked),
                self._assert_refused(self.assembly.display_name, error=ValidationError),
            ):
                self._count(
                    sorting, qty_checked=checked, qty_good=5, qty_bad=2, qty_suspect=1
                )
        self.assertFalse(sorting.sorting_ids)
        self.assertTrue(self._count(sorting, qty_checked=8, qty_good=6, qty_bad=2))

    def test_nothing_and_negative(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        for values, error in (
            ({}, psycopg2.errors.CheckViolation),
            ({"qty_good": 0}, psycopg2.errors.CheckViolation),
            ({"qty_good": -1}, psycopg2.errors.CheckViolation),
            ({"qty_good": 5, "qty_bad": -1}, psycopg2.errors.CheckViolation),
            ({"qty_good": 5, "qty_suspect": -5}, psycopg2.errors.CheckViolation),
            ({"qty_checked": 3}, ValidationError),
        ):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(error),
            ):
                self._count(sorting, **values)
                self.env.flush_all()
        self.assertFalse(sorting.sorting_ids)

    def test_bad_needs_a_defect(self):
        complaint = self._open()
        complaint.defect_id = False
        sorting = self._get_sorting(complaint, self.assembly)
        with self._assert_refused("Defect", error=ValidationError):
            self._count(sorting, qty_bad=1)
        self.assertTrue(self._count(sorting, qty_good=1, qty_suspect=1))
        tranche = self._count(sorting, qty_bad=1, defect_id=self.defect_2.id)
        self.assertEqual(tranche.defect_id, self.defect_2)

    def test_lot_where_stock_is_ours(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        for values in ({"qty_bad": 1}, {"qty_suspect": 1}, {"qty_good": 1}):
            with self.subTest(values=values), self._assert_refused("Lot"):
                self._count(sorting, **values)
        self.assertFalse(sorting.sorting_ids)
        self._count(sorting, qty_bad=1, lot_id=self.lot.id)
        self.assertEqual(sorting.sorted_lot_ids, self.lot)

    def test_lot_not_needed_at_the_customer_s(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        self.assertTrue(self._count(sorting, qty_bad=1))

    def test_lot_of_another_product(self):
        other = self._create_lot("X1", self.in_serials)
        complaint = self._open()
        for place in (self.assembly, self.buffer):
            with (
                self.subTest(place=place.name),
                self._assert_refused("X1", error=ValidationError),
            ):
                self._count(
                    self._get_sorting(complaint, place), qty_good=1, lot_id=other.id
                )

    def test_serial_is_one(self):
        serial = self._create_lot("S1", self.in_serials)
        self._put(self.buffer_location, 1, serial, self.in_serials)
        complaint = self._open(self.in_serials)
        for place in (self.buffer, self.assembly):
            sorting = self._get_sorting(complaint, place)
            with self.subTest(place=place.name), self._assert_refused("S1"):
                self._count(sorting, qty_good=2, lot_id=serial.id)

    def test_serial_is_counted_once(self):
        serial = self._create_lot("S1", self.in_serials)
        self._put(self.buffer_location, 1, serial, self.in_serials)
        complaint = self._open(self.in_serials)
        sorting = self._get_sorting(complaint, self.buffer)
        first = self._count(sorting, qty_good=1, lot_id=serial.id)
        with self._assert_refused("S1"):
            self._count(sorting, qty_good=1, lot_id=serial.id)
        with self._assert_refused("S1"):
            self._count(sorting, qty_bad=1, lot_id=serial.id)
        first.action_undo()
        self.assertTrue(self._count(sorting, qty_bad=1, lot_id=serial.id))

    def test_serial_twice_in_one_create(self):
        serial = self._create_lot("S1", self.in_serials)
        sorting = self._get_sorting(self._open(self.in_serials), self.assembly)
        values = {"inspection_id": sorting.id, "qty_good": 1, "lot_id": serial.id}
        with self._assert_refused("S1"):
            sorting.sorting_ids.create([dict(values), dict(values)])
        self.assertFalse(sorting.sorting_ids)

    # === STOCK === #

    def test_count_moves_the_stock(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        tranche = self._count(
            sorting, qty_good=10, qty_bad=3, qty_suspect=2, lot_id=self.lot.id
        )
        moves = self._get_moves(complaint)
        self.assertEqual(tranche.sudo().move_ids, moves)
        self.assertRecordValues(
            moves.sorted("quantity"),
            [
                {
                    "state": "done",
                    "quantity": quantity,
                    "product_id": self.in_lots.id,
                    "location_id": self.buffer_location.id,
                    "location_dest_id": target.id,
                    "lot_ids": self.lot.ids,
                    "company_id": self.company_a.id,
                }
                for quantity, target in (
                    (2, self.suspect_location),
                    (3, self.rework_location),
                )
            ],
        )
        for location, quantity in (
            (self.buffer_location, 25),
            (self.suspect_location, 2),
            (self.rework_location, 3),
        ):
            self.assertEqual(
                self._get_stock(location, self.lot, self.in_lots), quantity
            )
        self.assertRecordValues(
            sorting,
            [
                {
                    "qty_expected": 30,
                    "qty_checked": 15,
                    "qty_good": 10,
                    "qty_bad": 3,
                    "qty_suspect": 2,
                    "qty_left": 15,
                }
            ],
        )

    def test_good_parts_stay(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        self._count(sorting, qty_good=30, lot_id=self.lot.id)
        self.assertFalse(self._get_moves(complaint))

    def test_transit_is_ours_too(self):
        self._put(self.transit_location, 12, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.transit)
        self._count(sorting, qty_suspect=12, lot_id=self.lot.id)
        for location, quantity in (
            (self.transit_location, 0),
            (self.suspect_location, 12),
        ):
            self.assertEqual(
                self._get_stock(location, self.lot, self.in_lots), quantity
            )

    def test_nothing_moves_at_the_customer_s(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.assembly)
        self._count(sorting, qty_bad=3, qty_suspect=2, lot_id=self.lot.id)
        self.assertFalse(self._get_moves(complaint))
        self.assertEqual(
            self._get_stock(self.buffer_location, self.lot, self.in_lots), 30
        )
        self.assertEqual(sorting.qty_bad, 3)

    def _try(self, sorting, *vals_list):
        """Count without the savepoint of assertRaises: what is half done would stay."""
        try:
            sorting.sorting_ids.create(
                [{"inspection_id": sorting.id, **vals} for vals in vals_list]
            )
        except UserError as error:
            return str(error)
        return None

    def test_more_than_lies_there(self):
        other = self._create_lot("L8", self.in_lots)
        self._put(self.buffer_location, 10, self.lot, self.in_lots)
        self._put(self.buffer_location, 5, other, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        lot, other_lot = {"lot_id": self.lot.id}, {"lot_id": other.id}
        names = {self.lot.id: "L7", other.id: "L8"}
        for vals_list in (
            [{"qty_bad": 11, **lot}],
            [{"qty_bad": 6, "qty_suspect": 5, **lot}],
            [{"qty_suspect": 6, **other_lot}],
            # Each fits, both together do not.
            [{"qty_bad": 6, **lot}, {"qty_suspect": 5, **lot}],
            # The first fits, the second does not.
            [{"qty_bad": 6, **lot}, {"qty_suspect": 6, **other_lot}],
        ):
            with self.subTest(vals_list=vals_list):
                refusal = self._try(sorting, *vals_list)
                self.assertIn(names[vals_list[-1]["lot_id"]], refusal or "")
                self.assertFalse(self._get_moves(complaint))
                self.assertEqual(
                    self._get_stock(self.buffer_location, product=self.in_lots), 15
                )
        self.assertFalse(self._try(sorting, {"qty_bad": 10, **lot}))
        self.assertEqual(
            self._get_stock(self.buffer_location, self.lot, self.in_lots), 0
        )

    def test_stock_on_pallets(self):
        """No quant may go below zero, however the parts are packed."""
        package = self.env["stock.package"].create({"name": "PALLET-1"})
        self._put(self.buffer_location, 30, self.lot, self.in_lots, package_id=package)
        sorting = self._get_sorting(self._open(), self.buffer)
        self._try(sorting, {"qty_suspect": 4, "lot_id": self.lot.id})
        self.env.flush_all()
        quants = self.env["stock.quant"].search([("product_id", "=", self.in_lots.id)])
        self.assertGreaterEqual(min(quants.mapped("quantity")), 0)

    def test_site_without_areas(self):
        self.site.suspect_location_id = False
        self._put(self.buffer_location, 10, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        refusal = self._try(
            sorting, {"qty_bad": 1, "qty_suspect": 1, "lot_id": self.lot.id}
        )
        self.assertIn(self.site.name, refusal)
        self.assertFalse(self._get_moves(complaint))

    def test_1200_parts_in_30_tranches(self):
        """The scenario of the issue, with one count that does not balance."""
        lots = self.lot + self._create_lot("L8", self.in_lots)
        for location, quantities in (
            (self.buffer_location, (300, 200)),
            (self.transit_location, (120, 80)),
        ):
            for lot, quantity in zip(lots, quantities, strict=True):
                self._put(location, quantity, lot, self.in_lots)
        complaint = self._open()
        for place, quantity in (
            (self.warehouse, 250),
            (self.assembly, 150),
            (self.place, 100),
        ):
            self._get_sorting(complaint, place).qty_expected = quantity
        sortings = complaint.inspection_ids
        self.assertEqual(sum(sortings.mapped("qty_expected")), 1200)
        vals_list = []
        for sorting in sortings:
            ours = sorting.is_ours
            sizes = (
                [
                    (
                        lot,
                        self._get_stock(
                            sorting.place_id.location_id, lot, self.in_lots
                        ),
                    )
                    for lot in lots
                ]
                if ours
                else [(lots[:0], sorting.qty_expected / 2)] * 2
            )
            for lot, size in sizes:
                # Three tranches of each half: a half, a quarter and the rest.
                parts = (size // 2, size // 4, size - size // 2 - size // 4)
                for number, checked in enumerate(parts):
                    bad, suspect = number, 2 * number
                    vals_list.append(
                        {
                            "inspection_id": sorting.id,
                            "lot_id": lot.id,
                            "qty_checked": checked,
                            "qty_good": checked - bad - suspect,
                            "qty_bad": bad,
                            "qty_suspect": suspect,
                        }
                    )
        self.assertEqual(len(vals_list), 30)
        tranches = self.env["quality.sorting"].with_user(self.resident)
        right = dict(vals_list[17])
        vals_list[17]["qty_good"] -= 1
        place = sortings.browse(right["inspection_id"]).place_id.display_name
        with self._assert_refused(place, error=ValidationError):
            tranches.create(vals_list)
        self.assertFalse(self._get_moves(complaint))
        # Counted one by one, the others stand.
        for number, vals in enumerate(vals_list):
            if number != 17:
                tranches.create(vals)
        wrong = sortings.browse(right["inspection_id"])
        (sortings - wrong).action_confirm()
        with self._assert_refused(place, f"{right['qty_checked']:g}"):
            wrong.action_confirm()
        with self._assert_refused(place):
            complaint.action_contain()
        self.assertEqual(complaint.places_open, 1)
        tranches.create(right)
        wrong.action_confirm()
        complaint.invalidate_recordset()
        self.assertRecordValues(
            complaint,
            [
                {
                    "qty_checked": 1200,
                    "qty_good": 1110,
                    "qty_bad": 30,
                    "qty_suspect": 60,
                    "places_open": 0,
                }
            ],
        )
        self.assertEqual(set(sortings.mapped("state")), {"failed"}, "bad parts found")
        # Two of the five places are ours: 4 halves of 3 bad and 6 suspect parts.
        for location, quantity in (
            (self.rework_location, 12),
            (self.suspect_location, 24),
            (self.buffer_location, 500 - 18),
            (self.transit_location, 200 - 18),
        ):
            self.assertEqual(self._get_stock(location, product=self.in_lots), quantity)
        # One for each tranche with such parts, none for the one that did not balance.
        moves = self._get_moves(complaint)
        self.assertEqual(set(moves.mapped("state")), {"done"})
        moved = sorted(
            (line.lot_id.name, line.location_dest_id.id, line.quantity)
            for line in moves.move_line_ids
        )
        expected = sorted(
            (lot.name, location.id, quantity)
            for lot in lots
            for location, quantities in (
                (self.rework_location, (1, 2)),
                (self.suspect_location, (2, 4)),
            )
            for quantity in quantities * 2
        )
        self.assertEqual(moved, expected)
        complaint.action_contain()
        self.assertEqual(complaint.state, "contained")

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_500_serial_numbers(self):
        serials = self.env["stock.lot"].create(
            [
                {"name": f"S{number:03}", "product_id": self.in_serials.id}
                for number in range(SERIALS + 20)
            ]
        )
        self.env["stock.quant"].create(
            [
                {
                    "product_id": self.in_serials.id,
                    "location_id": self.buffer_location.id,
                    "lot_id": serial.id,
                    "quantity": 1,
                }
                for serial in serials
            ]
        )
        complaint = self._open(self.in_serials)
        sorting = self._get_sorting(complaint, self.buffer)
        tranches = self.env["quality.sorting"].with_user(self.resident)

        def count(serials, name):
            tranches.create(
                [
                    {"inspection_id": sorting.id, "lot_id": serial.id, name: 1}
                    for serial in serials
                ]
            )

        few, many = serials[:20], serials[20:]
        for name, these, those, each in (
            ("qty_good", few[:10], few[10:] + many[: SERIALS // 2], COUNT_EACH),
            ("qty_suspect", few[:10], many[SERIALS // 2 :], SORT_EACH),
        ):
            if name == "qty_suspect":
                # Counted good by mistake.
                sorting.sorting_ids.filtered(lambda t: t.lot_id in few).action_undo()
            base = self._count_queries(lambda n=name, s=these: count(s, n))
            queries = self._count_queries(lambda n=name, s=those: count(s, n))
            growth = (queries - base) / (len(those) - len(these))
            with self.subTest(name=name):
                self.assertLessEqual(growth, each)
        self.assertEqual(sorting.qty_good, SERIALS // 2)
        self.assertEqual(sorting.qty_suspect, SERIALS // 2 + 10)
        self.assertEqual(
            self._get_stock(self.suspect_location, product=self.in_serials),
            SERIALS // 2 + 10,
        )
        self.assertEqual(sorting.qty_left, 10)

    # === UNDOING === #

    def test_undo_moves_back(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        wrong = self._count(
            sorting, qty_good=1, qty_bad=3, qty_suspect=2, lot_id=self.lot.id
        )
        self._count(sorting, qty_bad=1, lot_id=self.lot.id)
        wrong.action_undo()
        self.assertTrue(wrong.undone)
        self.assertRecordValues(
            sorting,
            [{"qty_checked": 1, "qty_bad": 1, "qty_suspect": 0, "qty_left": 29}],
        )
        for location, quantity in (
            (self.buffer_location, 29),
            (self.suspect_location, 0),
            (self.rework_location, 1),
        ):
            self.assertEqual(
                self._get_stock(location, self.lot, self.in_lots), quantity
            )
        # A second click moves nothing.
        wrong.action_undo()
        self.assertEqual(
            self._get_stock(self.buffer_location, self.lot, self.in_lots), 29
        )
        self.assertEqual(len(self._get_moves(complaint)), 5)

    def test_who_undoes(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        tranche = self._count(sorting, qty_good=1)
        with self._assert_refused(self.resident.name):
            self.posting_standin.role = "resident"
            tranche.with_user(self.standin).action_undo()
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                tranche.with_user(user).action_undo()
        self.assertFalse(tranche.undone)
        tranche.with_user(self.manager).action_undo()
        self.assertTrue(tranche.undone)

    def test_undo_after_the_parts_left(self):
        """Suspect parts that have been taken away cannot be moved back."""
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        tranche = self._count(sorting, qty_suspect=4, lot_id=self.lot.id)
        self._put(self.suspect_location, -4, self.lot, self.in_lots)
        with self._assert_refused("L7"):
            tranche.action_undo()
        self.assertEqual(
            self._get_stock(self.suspect_location, self.lot, self.in_lots), 0
        )
        self.assertFalse(tranche.undone)

    # === SCREENED === #

    def _screen_place(self, sorting):
        sorting.qty_expected = 2
        tranche = self._count(sorting, qty_good=2)
        sorting.action_confirm()
        return tranche

    def test_screened_place_takes_no_counts(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        tranche = self._screen_place(sorting)
        self.assertEqual(sorting.state, "success")
        with self._assert_refused(self.assembly.display_name):
            self._count(sorting, qty_good=1)
        with self._assert_refused(self.assembly.display_name):
            tranche.action_undo()
        sorting.action_reopen_sorting()
        self.assertEqual(sorting.state, "ready")
        self.assertTrue(self._count(sorting, qty_good=1))
        tranche.action_undo()
        self.assertEqual(sorting.qty_checked, 1)

    def test_who_reopens(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        self._screen_place(sorting)
        for user in (self.quality, self.sales, self.gm, self.resident_de):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                sorting.with_user(user).action_reopen_sorting()
        self.assertEqual(sorting.state, "success")

    def test_reopened_where_parts_came_in(self):
        self._put(self.buffer_location, 10, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        self._count(sorting, qty_good=8, qty_bad=2, lot_id=self.lot.id)
        sorting.action_confirm()
        self.assertEqual(sorting.state, "failed")
        self._put(self.buffer_location, 5, self.lot, self.in_lots)
        sorting.action_reopen_sorting()
        self.assertEqual(sorting.qty_left, 5)
        with self._assert_refused(self.buffer.display_name):
            sorting.action_confirm()

    def test_uncounted_place_is_not_screened(self):
        """Core passes an inspection without questions."""
        sorting = self._get_sorting(self._open(), self.assembly)
        self.assertFalse(sorting.inspection_lines)
        sorting.qty_expected = 3
        with self._assert_refused(self.assembly.display_name, "3"):
            sorting.action_confirm()
        self._count(sorting, qty_good=4)
        with self._assert_refused(self.assembly.display_name, "4"):
            sorting.action_confirm()
        sorting.qty_expected = 4
        sorting.action_confirm()
        self.assertEqual(sorting.state, "success")

    def test_silence_is_not_screened(self):
        """A customer's place of which nobody says anything may hold everything."""
        complaint = self._open()
        sortings = self._get_sorting(complaint, self.assembly)
        sortings += self._get_sorting(complaint, self.warehouse)
        with self._assert_refused(self.assembly.display_name, "Nothing Lies Here"):
            self._call(sortings, "action_confirm")
        self.assertIn(self.assembly.name, "".join(complaint._get_containment_gaps()))
        self._call(sortings, "write", {"is_empty": True})
        self._call(sortings, "action_confirm")
        self.assertEqual(sortings.mapped("state"), ["success"] * 2)
        with self._assert_refused("Nothing Lies Here"):
            self._call(sortings, "write", {"is_empty": False})
        # Parts came in: it is to be said again.
        sortings.action_reopen_sorting()
        self.assertEqual(sortings.mapped("is_empty"), [False] * 2)

    def test_empty_place_holds_nothing(self):
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.assembly)
        sorting.is_empty = True
        with self._rolled_back(), self._assert_refused("Nothing Lies Here"):
            self._count(sorting, qty_good=1)
            sorting.flush_recordset()
        with self._rolled_back(), self._assert_refused("Nothing Lies Here"):
            sorting.qty_expected = 2
        ours = self._get_sorting(complaint, self.buffer)
        with self._assert_refused("Nothing Lies Here"):
            self._call(ours, "write", {"is_empty": True})

    def test_verdict(self):
        complaint = self._open()
        for place, values, state in (
            (self.assembly, {"qty_good": 4}, "success"),
            (self.warehouse, {"qty_good": 3, "qty_bad": 1}, "failed"),
            (self.place, {"qty_good": 3, "qty_suspect": 1}, "failed"),
        ):
            sorting = self._get_sorting(complaint, place)
            sorting.qty_expected = 4
            self._count(sorting, **values)
            sorting.action_confirm()
            with self.subTest(place=place.name):
                self.assertEqual(sorting.state, state)

    def test_core_buttons_screen_nothing(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        sorting.qty_expected = 3
        for action in ("action_approve", "action_cancel", "action_draft"):
            for user in (self.resident, self.manager):
                with self.subTest(action=action), self.assertRaises(UserError):
                    getattr(sorting.with_user(user), action)()
        self.assertEqual(sorting.state, "ready")

    def test_core_inspections_work_as_before(self):
        inspection = self.env["qc.inspection"].create(
            {"object_id": f"product.product,{self.product.id}"}
        )
        inspection.action_confirm()
        self.assertEqual(inspection.state, "success")
        inspection.state = "draft"
        inspection.unlink()

    def test_two_are_deleted_at_once(self):
        """Core's own guard against deleting stops with a traceback."""
        both = self.env["qc.inspection"].create(
            [{"object_id": f"product.product,{self.product.id}"}] * 2
        )
        both.unlink()
        self.assertFalse(both.exists())
        for user in (self.resident, self.manager, self.root):
            sortings = self._open().inspection_ids.with_user(user)
            with self.subTest(user=user.login), self.assertRaises(UserError):
                sortings.unlink()

    # === CONTAINED === #

    def test_contained_when_all_is_screened(self):
        complaint = self._open()
        last = self._get_sorting(complaint, self.place)
        for sorting in complaint.inspection_ids - last:
            if sorting.is_ours:
                sorting.action_confirm()
            else:
                self._screen_place(sorting)
        with self._assert_refused(complaint.name, self.place.display_name):
            complaint.action_contain()
        self.assertEqual(complaint.state, "reported")
        self._screen_place(last)
        complaint.action_contain()
        self.assertEqual(complaint.state, "contained")

    def test_manager_says_why(self):
        complaint = self._open()
        for user in (self.resident, self.quality, self.sales, self.gm):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                complaint.with_user(user).action_contain(reason="Line is empty")
        boss = complaint.with_user(self.manager)
        for reason in (None, "", " \n"):
            with self._assert_refused(self.buffer.display_name):
                boss.action_contain(reason=reason)
        self.assertEqual(complaint.state, "reported")
        boss.action_contain(reason="Line is <b>empty</b>")
        self.assertEqual(complaint.state, "contained")
        bodies = complaint.message_ids.mapped("body")
        self.assertTrue(any("Line is &lt;b&gt;empty&lt;/b&gt;" in b for b in bodies))

    # === BY RPC === #

    def _call(self, records, method, *args, user=None):
        records = records.with_user(user or self.resident)
        return call_kw(records, method, [records.ids, *args], {})

    def test_sorting_cannot_be_forged(self):
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.buffer)
        elsewhere = self._open()
        forged = {
            "state": "success",
            "complaint_id": elsewhere.id,
            "place_id": self.assembly.id,
            "product_id": self.product.id,
            "object_id": f"product.product,{self.product.id}",
            "qty_checked": 30,
            "qty_good": 30,
            "qty_bad": 1,
            "qty_suspect": 1,
            "qty_left": 7,
            # There our own stock says it.
            "qty_expected": 7,
        }
        before = sorting.read(list(forged))
        for user in (self.resident, self.manager):
            for name, value in forged.items():
                with (
                    self.subTest(user=user.login, field=name),
                    self._rolled_back(),
                    self.assertRaises(UserError),
                ):
                    self._call(sorting, "write", {name: value}, user=user)
        self.assertEqual(sorting.read(list(forged)), before)

    def test_sorting_is_not_untied(self):
        """Untied from its complaint, the status would be anybody's."""
        complaint = self._open()
        sorting = self._get_sorting(complaint, self.assembly)
        with self.assertRaises(UserError):
            self._call(sorting, "write", {"complaint_id": False})
            self._call(sorting, "write", {"state": "success"})
        self.assertEqual(sorting.state, "ready")

    def test_screened_sorting_cannot_be_made(self):
        complaint = self._create_in_state("reported")
        values = {
            "complaint_id": complaint.id,
            "place_id": self.assembly.id,
            "object_id": f"product.product,{self.product.id}",
            "state": "success",
        }
        for user in (self.resident, self.manager):
            model = self.env["qc.inspection"].with_user(user)
            with (
                self.subTest(user=user.login),
                self._rolled_back(),
                self.assertRaises(UserError),
            ):
                call_kw(model, "create", [dict(values)], {})
            with (
                self.subTest(user=user.login, way="x2many"),
                self._rolled_back(),
                self.assertRaises(UserError),
            ):
                self._call(
                    complaint,
                    "write",
                    {"inspection_ids": [Command.create(dict(values))]},
                    user=user,
                )

    def test_expected_quantity_of_a_screened_place_stays(self):
        sorting = self._get_sorting(self._open(), self.assembly)
        self._screen_place(sorting)
        with self.assertRaises(UserError):
            self._call(sorting, "write", {"qty_expected": 9})

    def test_tranche_cannot_be_changed(self):
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        tranche = self._count(sorting, qty_bad=2, lot_id=self.lot.id)
        for user in (self.resident, self.manager):
            for values in (
                {"qty_bad": 1, "qty_checked": 1},
                {"undone": True},
                {"user_id": self.standin.id},
                {"lot_id": False},
            ):
                with (
                    self.subTest(user=user.login, values=values),
                    self.assertRaises(UserError),
                ):
                    self._call(tranche, "write", values, user=user)
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self._call(tranche, "unlink", user=user)
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self._call(
                    sorting,
                    "write",
                    {"sorting_ids": [Command.update(tranche.id, {"undone": True})]},
                    user=user,
                )
            with self.subTest(user=user.login), self.assertRaises(UserError):
                self._call(
                    sorting,
                    "write",
                    {"sorting_ids": [Command.delete(tranche.id)]},
                    user=user,
                )
        self.assertRecordValues(
            tranche, [{"qty_bad": 2, "undone": False, "user_id": self.resident.id}]
        )

    def test_tranche_cannot_be_forged(self):
        """Who counted, when, where and what follows from the call itself."""
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        self._put(self.transit_location, 30, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        values = {
            "inspection_id": sorting.id,
            "qty_suspect": 1,
            "lot_id": self.lot.id,
        }
        model = self.env["quality.sorting"].with_user(self.resident)
        for name, value in (
            ("user_id", self.standin.id),
            ("date", "2020-01-01 00:00:00"),
            ("undone", True),
            ("place_id", self.transit.id),
            ("product_id", self.product.id),
            ("site_id", self.site_de.id),
            ("company_id", self.company_b.id),
            ("complaint_id", self._create_complaint().id),
        ):
            with self.subTest(field=name), self._rolled_back():
                try:
                    (made,) = call_kw(model, "create", [[{**values, name: value}]], {})
                except UserError:
                    continue
                # Left out in silence is as good as refused.
                tranche = model.browse(made)
                self.env.flush_all()
                self.env.invalidate_all()
                given = tranche.read([name])[0][name]
                given = given[0] if isinstance(given, tuple) else given
                self.assertNotEqual(str(given), str(value))
                self.assertEqual(
                    self._get_stock(self.transit_location, self.lot, self.in_lots), 30
                )

    def test_tranche_of_another_site(self):
        complaint = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        complaint.action_open_containment()
        sorting = complaint.inspection_ids
        model = self.env["quality.sorting"].with_user(self.resident)
        for values in (
            {},
            {"site_id": self.site.id},
            {"site_id": self.site.id, "company_id": self.company_a.id},
            {
                "site_id": self.site.id,
                "complaint_id": self._create_complaint().id,
                "place_id": self.buffer.id,
            },
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                call_kw(
                    model,
                    "create",
                    [[{"inspection_id": sorting.id, "qty_good": 1, **values}]],
                    {},
                )
        self.assertFalse(sorting.sorting_ids)
        tranche = self._count(sorting, self.resident_de, qty_good=1)
        for method, args in (
            ("action_undo", []),
            ("read", [["qty_good"]]),
            ("write", [{"undone": True}]),  # refused by the guard before the right
        ):
            with self.subTest(method=method), self.assertRaises(UserError):
                self._call(tranche, method, *args)

    def test_finished_complaint_takes_no_counts(self):
        """What is cancelled moves no stock any more."""
        self._put(self.buffer_location, 30, self.lot, self.in_lots)
        complaint = self._open()
        complaint.with_user(self.manager).action_cancel(reason="Not our part")
        sorting = self._get_sorting(complaint, self.buffer)
        with self._assert_refused(complaint.name):
            self._count(sorting, qty_suspect=3, lot_id=self.lot.id)
        self.assertFalse(self._get_moves(complaint))

    def test_photo_of_another_site_cannot_be_linked(self):
        foreign = self._create_photo(self.resident_de)
        elsewhere = self._create_complaint(self.resident_de, site_id=self.site_de.id)
        elsewhere.photo_ids = foreign
        sorting = self._get_sorting(self._open(), self.assembly)
        with self.assertRaises(AccessError):
            self._count(sorting, qty_good=1, photo_ids=[Command.link(foreign.id)])

    # === MATRIX === #

    def test_matrix_totals(self):
        complaint = self._open()
        counts = {
            self.assembly: {"qty_good": 7, "qty_bad": 2, "qty_suspect": 1},
            self.warehouse: {"qty_good": 5, "qty_suspect": 4},
        }
        for place, values in counts.items():
            self._count(self._get_sorting(complaint, place), **values)
        self._count(self._get_sorting(complaint, self.place), qty_bad=9).action_undo()
        self._count(self._get_sorting(self._open(), self.assembly), qty_bad=50)
        complaint.invalidate_recordset()
        self.assertRecordValues(
            complaint,
            [
                {
                    "qty_checked": 19,
                    "qty_good": 12,
                    "qty_bad": 2,
                    "qty_suspect": 5,
                    "places_open": 5,
                }
            ],
        )
        sorting = self._get_sorting(complaint, self.assembly)
        sorting.qty_expected = 12
        self.assertEqual(sorting.qty_left, 2)
        for user in (self.quality, self.sales, self.gm):
            seen = complaint.with_user(user)
            with self.subTest(user=user.login):
                self.assertEqual(seen.qty_checked, 19)
                self.assertEqual(sum(seen.inspection_ids.mapped("qty_checked")), 19)

    def test_totals_of_many(self):
        """One list of complaints costs the same however many are shown."""
        many = self.env["quality.complaint"].browse(
            [self._open().id for _number in range(6)]
        )
        names = ["qty_checked", "qty_bad", "places_open"]
        few = self._count_queries(lambda: many[:1].read(names))
        self.assertLessEqual(self._count_queries(lambda: many.read(names)), few)


@tagged("post_install", "-at_install")
class TestInstruction(ContainmentCommon):
    """Which test the quality module gives for this product and customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.category = cls.env["product.category"].create({"name": "Seals"})
        cls.in_lots.categ_id = cls.category

    def _add(self, kind, name, partner=None, product=None, owner=None, **values):
        """Return a test with one question that containment gives for ``product``."""
        product = product or self.in_lots
        test = self.env["qc.test"].create(
            {
                "name": name,
                "company_id": self.company_a.id,
                "test_lines": [
                    Command.create(
                        {
                            "name": f"{name}?",
                            "type": "qualitative",
                            "ql_values": [
                                Command.create({"name": "Yes", "ok": True}),
                                Command.create({"name": "No", "ok": False}),
                            ],
                        }
                    )
                ],
                **values,
            }
        )
        field, usual = {
            "product": ("product", product),
            "product_template": ("product_template", product.product_tmpl_id),
            "product_category": ("product_category", product.categ_id),
        }[kind]
        self.env[f"qc.trigger.{kind}_line"].create(
            {
                "trigger": self.env.ref(TRIGGER).id,
                "test": test.id,
                field: (owner or usual).id,
                "partners": [Command.link(partner.id)] if partner else False,
            }
        )
        return test

    def test_none(self):
        sortings = self._open().inspection_ids
        self.assertFalse(sortings.test)
        self.assertFalse(sortings.inspection_lines)

    def test_every_place_gets_the_questions(self):
        test = self._add("product", "Scratch")
        sortings = self._open().inspection_ids
        self.assertEqual(len(sortings), 5)
        for sorting in sortings:
            self.assertEqual(sorting.test, test)
            self.assertEqual(sorting.inspection_lines.mapped("name"), ["Scratch?"])

    def test_most_particular_first(self):
        found = []
        for kind in ("product_category", "product_template", "product"):
            found.append(self._add(kind, kind))
            with self.subTest(kind=kind):
                self.assertEqual(self._open().inspection_ids.test, found[-1])

    def test_nearest_category_first(self):
        root = self.env["product.category"].create({"name": "Rubber"})
        # The parent's is the older line, and its category the younger record.
        self._add("product_category", "Rubber", owner=root)
        self.category.parent_id = root
        nearest = self._add("product_category", "Seals")
        self.assertEqual(self._open().inspection_ids.test, nearest)
        own = self._add("product_category", "Own", owner=root, partner=self.customer)
        self.assertEqual(self._open().inspection_ids.test, own)

    def test_customer_s_own_first(self):
        self._add("product", "General")
        own = self._add("product", "Own", partner=self.customer)
        other = self.env["res.partner"].create({"name": "Other", "is_company": True})
        self._add("product", "Foreign", partner=other)
        self.assertEqual(self._open().inspection_ids.test, own)

    def test_other_customer_s_is_not_used(self):
        other = self.env["res.partner"].create({"name": "Other", "is_company": True})
        self._add("product", "Foreign", partner=other)
        self.assertFalse(self._open().inspection_ids.test)

    def test_archived_is_not_used(self):
        """Core still fires an archived test through its category."""
        for kind in ("product_category", "product_template", "product"):
            self._add(kind, kind).active = False
            with self.subTest(kind=kind):
                self.assertFalse(self._open().inspection_ids.test)

    def test_archived_gives_way_to_the_next(self):
        self._add("product", "Archived").active = False
        general = self._add("product_category", "General")
        self.assertEqual(self._open().inspection_ids.test, general)

    def test_other_company_s_is_not_used(self):
        self._add("product", "Theirs", company_id=self.company_b.id)
        self.assertFalse(self._open().inspection_ids.test)
        shared = self._add("product_category", "Shared", company_id=False)
        self.assertEqual(self._open().inspection_ids.test, shared)

    def test_other_trigger_is_not_used(self):
        self._add("product", "Scratch")
        self.env["qc.trigger.product_line"].search([]).trigger = self.env[
            "qc.trigger"
        ].create({"name": "Receipts"})
        self.assertFalse(self._open().inspection_ids.test)

    def test_questions_are_answered(self):
        """Core's own rule stays: each question is answered before the verdict."""
        self._add("product", "Scratch")
        sorting = self._get_sorting(self._open(), self.assembly)
        sorting.qty_expected = 2
        self._count(sorting, qty_good=2)
        with self.assertRaises(UserError):
            sorting.action_confirm()
        line = sorting.inspection_lines
        line.qualitative_value = line.possible_ql_values.filtered(lambda v: not v.ok)
        sorting.action_confirm()
        self.assertEqual(sorting.state, "failed", "a question was answered with no")

    def test_question_in_another_unit(self):
        """Core compares metres with millimetres."""
        test = self._add("product", "Length")
        unit_mm = self.env.ref("uom.product_uom_millimeter")
        test.test_lines = [
            Command.clear(),
            Command.create(
                {
                    "name": "Length",
                    "type": "quantitative",
                    "uom_id": unit_mm.id,
                    "min_value": 100,
                    "max_value": 200,
                }
            ),
        ]
        line = self._get_sorting(self._open(), self.assembly).inspection_lines
        line.uom_id = self.env.ref("uom.product_uom_meter")
        for value, right in ((0.15, True), (150, False)):
            line.quantitative_value = value
            with self.subTest(value=value):
                self.assertEqual(line.success, right)


@tagged("post_install", "-at_install")
class TestTotalsByMail(SmtpCatcher, ContainmentCommon):
    def test_totals(self):
        complaint = self._create_in_state("reported", rework_method="Grind, repaint")
        self._screen(complaint)
        sorting = self._get_sorting(complaint, self.assembly)
        sorting.action_reopen_sorting()
        sorting.qty_expected = 41
        self._count(sorting, qty_good=20, qty_bad=11, qty_suspect=6)
        sorting.action_confirm()
        self._get_events(complaint).unlink()
        complaint.action_contain()
        self.assertEqual(self._get_events(complaint).mapped("key"), ["r1"])
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        (mail,) = self._get_received(self.quality)
        self.assertIn(complaint.name, mail["Subject"])
        self.assertIn("11", mail["Subject"])
        html = mail.get_body(("html",)).get_content()
        self.assertIn("Grind, repaint", html)
        self.assertIn(self.assembly.display_name, html)
        for quantity in (41, 24, 11, 6):
            self.assertIn(f">{quantity}<", html)

    def test_each_time_anew(self):
        complaint = self._open()
        self._get_events(complaint).unlink()
        complaint.action_send_containment()
        complaint.action_send_containment()
        self.assertEqual(
            self._get_events(complaint, "contained").mapped("key"), ["r1", "r2"]
        )
        self._send_mails()
        self.assertEqual(len(self._get_received(self.sales)), 2)
        self._send_mails()
        self.assertEqual(len(self._get_received(self.sales)), 2)
        for user in (self.quality, self.sales, self.resident_de):
            with self.assertRaises(AccessError):
                complaint.with_user(user).action_send_containment()

    def test_strangers_text_is_escaped(self):
        complaint = self._open(rework_method="<script>x</script>")
        self._get_events(complaint).unlink()
        complaint.action_send_containment()
        self._send_mails()
        html = self._get_received(self.sales)[0].get_body(("html",)).get_content()
        self.assertNotIn("<script>", html)
