from odoo import fields
from odoo.tests import tagged

from .common import ResidentCommon

CALL = "2026-01-05 01:00:00"
CLOSED = "2026-01-10 01:00:00"


@tagged("post_install", "-at_install")
class TestRecurrence(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["resident.part"].create(
            {
                "site_id": cls.site.id,
                "product_id": cls.product_2.id,
                "customer_ref": "WA-1",
            }
        )

    def setUp(self):
        super().setUp()
        with self._at(CALL):
            self.earlier = self._create_in_state("verifying", called_at=CALL)
        with self._at(CLOSED):
            self._prove(self.earlier)
            self.earlier.action_close()

    def _create_again(self, called_at="2026-02-01 01:00:00", **values):
        with self._at(called_at):
            return self._create_complaint(
                **{
                    "called_at": called_at,
                    "defect_id": self.defect.id,
                    **values,
                }
            )

    def test_recurrence(self):
        again = self._create_again()
        self.assertEqual(again.recurrence_of_id, self.earlier)
        self.assertEqual(len(self._get_events(again, "recurring")), 1)
        self.assertFalse(self._get_events(self.earlier, "recurring"))

    def test_period_of_the_company(self):
        for days, called_at, recurs in (
            (90, "2026-04-10 01:00:00", True),  # 90 days to the second
            (90, "2026-04-10 01:00:01", False),
            (10, "2026-01-20 01:00:00", True),
            (10, "2026-01-20 01:00:01", False),
            (0, "2026-01-10 01:00:01", False),
        ):
            self.company_a.recurrence_days = days
            with self.subTest(days=days, called_at=called_at), self._rolled_back():
                again = self._create_again(called_at)
                self.assertEqual(
                    again.recurrence_of_id,
                    self.earlier if recurs else self.earlier.browse(),
                )
                self.assertEqual(len(self._get_events(again, "recurring")), int(recurs))

    def test_other_company_s_period_does_not_count(self):
        self.company_b.recurrence_days = 1
        self.assertTrue(self._create_again().recurrence_of_id)

    def test_only_the_same_site_product_and_defect(self):
        for values in (
            {"defect_id": self.defect_2.id},
            {"defect_id": False},
            {"product_id": self.product_2.id},
            {"product_id": False},
            {"user": self.resident_de, "site_id": self.site_de.id},
            {"user": self.resident_b, "site_id": self.site_b.id},
        ):
            with self.subTest(values=values):
                again = self._create_again(**values)
                self.assertFalse(again.recurrence_of_id)
                self.assertFalse(self._get_events(again, "recurring"))

    def test_call_before_the_closing(self):
        # Called in the first days of January, entered late: not a recurrence.
        with self._at("2026-02-01 01:00:00"):
            other = self._create_complaint(
                called_at="2026-01-09 01:00:00", defect_id=self.defect.id
            )
        self.assertFalse(other.recurrence_of_id)

    def test_only_closed_ones(self):
        self.earlier.with_user(self.manager).action_reopen(reason="Not proven")
        self.assertFalse(self._create_again().recurrence_of_id)

    def test_the_last_closed_one(self):
        with self._at("2026-01-20 01:00:00"):
            later = self._create_in_state("closed", called_at="2026-01-20 01:00:00")
        self.assertEqual(later.recurrence_of_id, self.earlier)
        self.assertEqual(self._create_again().recurrence_of_id, later)

    def test_batch(self):
        base = {"site_id": self.site.id, "called_at": "2026-02-01 01:00:00"}
        with self._at("2026-02-01 01:00:00"):
            many = (
                self.env["quality.complaint"]
                .with_user(self.resident)
                .create(
                    [
                        {
                            **base,
                            "product_id": product.id,
                            "defect_id": defect.id,
                        }
                        for product, defect in (
                            (self.product, self.defect),
                            (self.product_2, self.defect),
                            (self.product, self.defect_2),
                            (self.product, self.defect),
                        )
                    ]
                )
            )
        nothing = self.earlier.browse()
        self.assertEqual(
            [c.recurrence_of_id for c in many],
            [self.earlier, nothing, nothing, self.earlier],
        )
        self.assertEqual(
            self._get_events(many, "recurring").mapped("res_id"),
            [many[0].id, many[3].id],
        )

    def test_found_when_the_defect_is_filled_in(self):
        again = self._create_again(defect_id=False)
        self.assertFalse(again.recurrence_of_id)
        again.defect_id = self.defect
        self.assertEqual(again.recurrence_of_id, self.earlier)
        self.assertEqual(len(self._get_events(again, "recurring")), 1)
        again.defect_id = self.defect_2
        self.assertFalse(again.recurrence_of_id)
        again.defect_id = self.defect
        self.assertEqual(len(self._get_events(again, "recurring")), 1)

    def test_twins(self):
        first = self._create_again()
        second = self._create_again()
        self._create_again(defect_id=self.defect_2.id)
        self.assertEqual(first.twin_ids, second)
        self.assertEqual(second.twin_ids, first)
        self.assertFalse(self.earlier.twin_ids & self.earlier)
        second.with_user(self.manager).action_cancel(reason="Twice")
        first.invalidate_recordset(["twin_ids"])
        self.assertFalse(first.twin_ids)

    def test_twins_while_typing(self):
        first = self._create_again()
        draft = (
            self.env["quality.complaint"]
            .with_user(self.resident)
            .new(
                {
                    "site_id": self.site.id,
                    "product_id": self.product.id,
                    "defect_id": self.defect.id,
                    "called_at": fields.Datetime.to_datetime("2026-02-01 01:00:00"),
                }
            )
        )
        self.assertEqual(draft.twin_ids._origin, first)

    def test_line_stop_is_told_once(self):
        complaint = self._create_complaint()
        self.assertFalse(self._get_events(complaint, "line_stop"))
        complaint.line_stop_minutes = 12
        complaint.line_stop_minutes = 14
        self.assertEqual(len(self._get_events(complaint, "line_stop")), 1)
        # It has doubled: that is news.
        complaint.line_stop_minutes = 30
        self.assertEqual(len(self._get_events(complaint, "line_stop")), 2)
        stopped = self._create_complaint(line_stop_minutes=5)
        self.assertEqual(len(self._get_events(stopped, "line_stop")), 1)
