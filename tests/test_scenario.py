from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_breakpoint import BreakpointCommon

SERIALS = 500
# Ten past six in the early shift of Changchun, after the one that was watched.
TEN_PAST_SIX = "2026-03-10 22:10:00"
CALL = "2026-03-10 01:00:00"
# Queries for each serial number scanned beyond the first: good ones move nothing.
GOOD_EACH = 0.1


@tagged("post_install", "-at_install")
class TestSerialScenario(BreakpointCommon):
    """A part tracked by serial number: scanned, missed, scanned again, traced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serials = cls.env["stock.lot"].create(
            [
                {"name": f"SN{number:04}", "product_id": cls.in_serials.id}
                for number in range(SERIALS)
            ]
        )
        cls.env["stock.quant"].create(
            [
                {
                    "product_id": cls.in_serials.id,
                    "location_id": cls.buffer_location.id,
                    "lot_id": serial.id,
                    "quantity": 1,
                }
                for serial in cls.serials
            ]
        )

    def _scan(self, sorting, names, verdict="good", user=None):
        """Count what the scanner sends, one number a line."""
        dialogue = (
            self.env["quality.sorting.scan"]
            .with_user(user or self.resident)
            .with_context(active_id=sorting.id, active_model=sorting._name)
            .create(
                {
                    "serials": "\n".join(names),
                    "verdict": verdict,
                    "defect_id": verdict == "bad" and self.defect.id,
                }
            )
        )
        dialogue.action_apply()

    def _open_for_serials(self):
        with self._at(CALL):
            complaint = self._open(self.in_serials, called_at=CALL)
        return complaint, self._get_sorting(complaint, self.buffer)

    def _screen_the_rest(self, complaint, sorting):
        others = complaint.inspection_ids - sorting
        others.filtered(lambda s: not s.is_ours).is_empty = True
        complaint.inspection_ids.action_confirm()

    def _count_queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_all_scanned(self):
        complaint, sorting = self._open_for_serials()
        names = self.serials.mapped("name")
        good, bad, suspect = names[:450], names[450:480], names[480:]
        one = self._count_queries(lambda: self._scan(sorting, good[:1]))
        many = self._count_queries(lambda: self._scan(sorting, good[1:]))
        self.assertLessEqual(many, one + GOOD_EACH * len(good))
        self._scan(sorting, bad, "bad")
        self._scan(sorting, suspect, "suspect", user=self.manager)
        self.assertRecordValues(
            sorting,
            [
                {
                    "qty_checked": 500,
                    "qty_good": 450,
                    "qty_bad": 30,
                    "qty_suspect": 20,
                    "qty_left": 0,
                }
            ],
        )
        for location, quantity, serials in (
            (self.buffer_location, 450, good),
            (self.rework_location, 30, bad),
            (self.suspect_location, 20, suspect),
        ):
            quants = self.env["stock.quant"].search(
                [
                    ("location_id", "=", location.id),
                    ("product_id", "=", self.in_serials.id),
                    ("quantity", "!=", 0),
                ]
            )
            self.assertEqual(set(quants.mapped("quantity")), {1})
            self.assertEqual(sorted(quants.lot_id.mapped("name")), serials)
            self.assertEqual(len(quants), quantity)
        moves = self._get_moves(complaint)
        self.assertEqual(set(moves.mapped("state")), {"done"})
        self.assertEqual(len(moves.move_line_ids.lot_id), 50, "good parts stay")
        self.assertEqual(sum(moves.mapped("quantity")), 50)

    def test_all_or_none(self):
        _complaint, sorting = self._open_for_serials()
        self._scan(sorting, ["SN0000", "SN0001"])
        for names, words in (
            (["SN0002", "SN9999"], "SN9999"),
            (["SN0002", "SN0003", "SN0002"], "Entered twice"),
            (["SN0002", "SN0001"], "Counted before"),
            (["", " "], "no number"),
        ):
            with self.subTest(names=names):
                with self._assert_refused(words), self._rolled_back():
                    self._scan(sorting, names)
                self.assertEqual(sorting.qty_checked, 2)

    def test_breakpoint_fails_and_all_are_scanned_again(self):
        """What was scanned before the failure proves nothing: each is scanned anew."""
        complaint, sorting = self._open_for_serials()
        names = self.serials.mapped("name")
        with self._at(CALL):
            self._scan(sorting, names[:-1])
            self._scan(sorting, names[-1:], "suspect")
            self._screen_the_rest(complaint, sorting)
            complaint.action_contain()
        mark = self._create_mark(complaint, kind="serial", value=names[0])
        with self._at(TEN_PAST_SIX):
            mark.action_fail(reason="Scratch on SN0007", place_id=self.buffer.id)
            self.assertEqual(complaint.state, "reported")
            self.assertEqual(sorting.qty_left, SERIALS - 1, "all that still lies there")
            with self.assertRaises(UserError):
                complaint.action_contain()
            self._scan(sorting, [name for name in names[:-1] if name != "SN0007"])
            self._scan(sorting, ["SN0007"], "bad")
            self.assertEqual(sorting.qty_left, 0)
            self.assertEqual(sorting.qty_good, SERIALS - 2)
            sorting.action_confirm()
            complaint.action_contain()
        self.assertEqual(complaint.state, "contained")
        serial = self.serials.filtered(lambda s: s.name == "SN0007")
        self.assertEqual(
            self._get_stock(self.rework_location, serial, self.in_serials), 1
        )
        self.env.flush_all()
        rows = self.env["quality.trace"].search([("lot_id", "=", serial.id)])
        self.assertEqual(sorted(rows.mapped("kind")), ["sorting", "stock"])
        self.assertEqual(
            rows.filtered(lambda r: r.kind == "sorting").mapped("qty_bad"), [1]
        )
        self.assertTrue(rows.filtered("is_held"))
