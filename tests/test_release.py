"""Held parts that are judged again: the free way out (spec.md C6, C9)."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ResidentCommon


@tagged("post_install", "-at_install")
class TestRelease(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.action_set_up()
        cls.buffer = cls.site.buffer_location_id
        cls.suspect = cls.site.suspect_location_id
        cls.rework = cls.site.rework_location_id
        cls.env["stock.quant"]._update_available_quantity(cls.product, cls.buffer, 20)
        cls.complaint = cls._create_complaint(defect_id=cls.defect.id)
        cls.complaint.action_open_containment()
        cls._count(cls._get_sorting(cls.buffer), 10, 4, 6)

    @classmethod
    def _get_sorting(cls, location):
        return cls.complaint.inspection_ids.filtered(
            lambda i: i.place_id.location_id == location
        )

    @classmethod
    def _count(cls, sorting, good, bad, suspect):
        return sorting.sorting_ids.create(
            {
                "inspection_id": sorting.id,
                "qty_good": good,
                "qty_bad": bad,
                "qty_suspect": suspect,
            }
        )

    def _get_stock(self):
        quants = self.env["stock.quant"]
        return tuple(
            quants._get_available_quantity(self.product, location)
            for location in (self.buffer, self.suspect, self.rework)
        )

    def _get_totals(self):
        self.complaint.invalidate_recordset()
        complaint = self.complaint
        return (complaint.qty_good, complaint.qty_bad, complaint.qty_suspect)

    def test_suspects_become_good_or_bad(self):
        self.assertEqual(self._get_stock(), (10, 6, 4))
        self.complaint.action_sort_held()
        sorting = self._get_sorting(self.suspect)
        self.assertEqual(sorting.qty_expected, 6)
        self._count(sorting, 4, 1, 0)
        self.assertEqual(self._get_stock(), (14, 1, 5))
        self.assertEqual(sorting.qty_left, 1)
        self._count(sorting, 0, 0, 1)
        sorting.action_confirm()
        self.assertEqual(self._get_totals(), (14, 5, 1), "each part counts once")
        self.assertEqual(self.complaint.qty_checked, 20)

    def test_reworked_parts_go_back(self):
        self.complaint.action_sort_held()
        sorting = self._get_sorting(self.rework)
        self._count(sorting, 3, 1, 0)
        self.assertEqual(self._get_stock(), (13, 6, 1))
        sorting.action_confirm()
        self.assertEqual(self._get_totals(), (10, 4, 6), "reworked, yet it was bad")

    def test_again_when_more_came_in(self):
        self.complaint.action_sort_held()
        sorting = self._get_sorting(self.suspect)
        self._count(sorting, 6, 0, 0)
        sorting.action_confirm()
        self.assertFalse(self._get_stock()[1])
        self._count(self._get_sorting(self.buffer), 8, 0, 2)
        self.complaint.action_sort_held()
        self.assertEqual(sorting.state, "ready")
        self.assertEqual(sorting.qty_left, 2)
        self._count(sorting, 2, 0, 0)
        sorting.action_confirm()
        self.assertFalse(self._get_stock()[1])

    def test_undone_count_goes_back(self):
        self.complaint.action_sort_held()
        tranche = self._count(self._get_sorting(self.suspect), 4, 1, 1)
        tranche.action_undo()
        self.assertEqual(self._get_stock(), (10, 6, 4))

    def test_run_twice(self):
        self.complaint.action_sort_held()
        count = len(self.complaint.inspection_ids)
        self.complaint.action_sort_held()
        self.assertEqual(len(self.complaint.inspection_ids), count)

    def test_nothing_held(self):
        other = self._create_complaint(product_id=self.product_2.id)
        with self.assertRaisesRegex(UserError, "Nothing of"):
            other.action_sort_held()

    def test_refused(self):
        with self.assertRaises(AccessError):
            self.complaint.with_user(self.quality).action_sort_held()
        self.complaint.action_sort_held()
        with self.assertRaises(UserError):
            self._get_sorting(self.suspect).held_area = False
