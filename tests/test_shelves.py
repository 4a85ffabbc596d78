from odoo.tests import tagged

from .test_containment import ContainmentCommon


@tagged("post_install", "-at_install")
class TestShelves(ContainmentCommon):
    """Stock on the shelves below a place's location is the place's, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rack = cls._create_location("Rack", cls.buffer_location)
        cls.shelf = cls._create_location("Shelf", cls.rack)
        cls.lot_8 = cls._create_lot("L8", cls.in_lots)

    @classmethod
    def _create_location(cls, name, parent):
        return cls.env["stock.location"].create(
            {"name": name, "location_id": parent.id, "company_id": cls.company_a.id}
        )

    def _get(self, location, lot=None):
        return self._get_stock(location, lot or self.lot, self.in_lots)

    def test_shelves_are_there(self):
        self._put(self.buffer_location, 5, self.lot, self.in_lots)
        self._put(self.rack, 7, self.lot, self.in_lots)
        self._put(self.shelf, 11, self.lot_8, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        self.assertRecordValues(sorting, [{"qty_expected": 23, "qty_in_stock": 23}])

    def test_count_takes_from_the_shelf(self):
        self._put(self.rack, 7, self.lot, self.in_lots)
        self._put(self.shelf, 11, self.lot, self.in_lots)
        self._put(self.shelf, 4, self.lot_8, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        tranche = self._count(sorting, lot_id=self.lot_8.id, qty_good=1, qty_suspect=3)
        self.assertEqual(self._get(self.shelf, self.lot_8), 1)
        self.assertEqual(self._get(self.suspect_location, self.lot_8), 3)
        self.assertEqual(self._get(self.buffer_location, self.lot_8), 0, "not below 0")
        # More than one shelf holds.
        both = self._count(sorting, lot_id=self.lot.id, qty_suspect=10)
        self.assertEqual(self._get(self.rack) + self._get(self.shelf), 8)
        self.assertEqual(self._get(self.suspect_location), 10)
        (tranche + both).action_undo()
        self.assertEqual(self._get(self.rack), 7, "back where it lay")
        self.assertEqual(self._get(self.shelf), 11)
        self.assertEqual(self._get(self.shelf, self.lot_8), 4)
        with self._assert_refused("L7", "18"):
            self._count(sorting, lot_id=self.lot.id, qty_suspect=19)

    def test_suspects_put_on_a_shelf_come_back(self):
        self._put(self.buffer_location, 5, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        tranche = self._count(sorting, lot_id=self.lot.id, qty_suspect=5)
        cage = self._create_location("Cage", self.suspect_location)
        self._put(self.suspect_location, -5, self.lot, self.in_lots)
        self._put(cage, 5, self.lot, self.in_lots)
        tranche.action_undo()
        self.assertEqual(self._get(cage), 0)
        self.assertEqual(self._get(self.buffer_location), 5)

    def test_nearest_place(self):
        """A shelf that is a place of its own is not its parent's as well."""
        self._put(self.buffer_location, 5, self.lot, self.in_lots)
        self._put(self.shelf, 11, self.lot, self.in_lots)
        self.place.location_id = self.rack
        complaint = self._open()
        upper = self._get_sorting(complaint, self.buffer)
        lower = self._get_sorting(complaint, self.place)
        self.assertRecordValues(
            upper + lower,
            [
                {"qty_expected": 5, "qty_in_stock": 5},
                {"qty_expected": 11, "qty_in_stock": 11},
            ],
        )
        with self._assert_refused("L7"):
            self._count(upper, lot_id=self.lot.id, qty_suspect=6)
        self._count(lower, lot_id=self.lot.id, qty_suspect=6)
        self.assertEqual(self._get(self.shelf), 5)

    def test_area_below_a_place(self):
        """Suspects are not to be checked again, wherever their area lies."""
        self.suspect_location.location_id = self.buffer_location
        self._put(self.buffer_location, 5, self.lot, self.in_lots)
        self._put(self.suspect_location, 3, self.lot, self.in_lots)
        sorting = self._get_sorting(self._open(), self.buffer)
        self.assertEqual(sorting.qty_expected, 5)

    def test_stock_of_the_site(self):
        self._put(self.shelf, 11, self.lot, self.in_lots)
        action = self.site.action_view_stock()
        quants = self.env["stock.quant"].search(action["domain"])
        self.assertEqual(quants.location_id, self.shelf)
        complaint = self._open()
        quants = quants.search(complaint.action_view_stock()["domain"])
        self.assertEqual(sum(quants.mapped("quantity")), 11)

    def test_many_places_do_not_grow(self):
        def count(sortings):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            sortings._get_own_stock()
            return self.env.cr.sql_log_count - before

        complaint = self._open()
        ours = complaint.inspection_ids.filtered("is_ours")
        self.assertEqual(len(ours), 2)
        count(ours)
        self.assertEqual(count(ours), count(ours[:1]))
