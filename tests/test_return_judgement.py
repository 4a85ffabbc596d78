from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_return import ReturnCommon


@tagged("post_install", "-at_install")
class TestReturnJudgement(ReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.complaint = cls._create_in_state(
            "reported", product_id=cls.in_lots.id, place_id=cls.place.id
        )
        cls.document = cls._bring("received", complaint_ids=cls.complaint.ids)
        cls.line = cls.document.line_ids
        cls.judging = cls.document.with_user(cls.quality)

    def _judge(self, judgement, quantity, user=None, **values):
        return (
            self.env["quality.return.judgement"]
            .with_user(user or self.quality)
            .create(
                {
                    "line_id": self.line.id,
                    "judgement": judgement,
                    "quantity": quantity,
                    **values,
                }
            )
        )

    def _get_move(self, verdict):
        return verdict.sudo().move_ids

    def _home(self):
        return self._get_stock(self.home, self.lot, self.in_lots)

    def test_each_verdict(self):
        """Each verdict has its own way; all but free stock stays held until it goes."""
        ways = {
            "stock": (self.stock, "done"),
            "rework": (self.stock, "assigned"),
            "supplier": (
                self.company_a.partner_id.property_stock_supplier,
                "assigned",
            ),
            "customer": (self.buffer, "assigned"),
        }
        for judgement, (target, state) in ways.items():
            move = self._get_move(self._judge(judgement, 2))
            with self.subTest(judgement=judgement):
                self.assertEqual(move.location_dest_id, target)
                self.assertEqual(move.state, state)
                self.assertEqual(move.move_line_ids.lot_id, self.lot)
        self._judge("scrap", 2)
        self.assertEqual(self.line.qty_open, 0)
        self.assertEqual(self._home(), 8)
        self.judging.action_judge()
        self.assertEqual(self.document.state, "judged")
        self.judging.action_close()

    def test_prepared_transfers_may_leave(self):
        """The stock user validates what Quality has prepared, nothing else."""
        for judgement in ("rework", "supplier", "customer"):
            picking = self._get_move(self._judge(judgement, 3)).picking_id
            picking.with_user(self.stock_user).button_validate()
            self.assertEqual(picking.state, "done")
        self.assertEqual(self._home(), 1)

    def test_prepared_transfer_cannot_go_elsewhere(self):
        picking = self._get_move(self._judge("supplier", 3)).picking_id
        picking.move_line_ids.location_dest_id = self.stock
        with self._assert_refused("held"):
            picking.with_user(self.stock_user).button_validate()
        picking.move_line_ids.location_dest_id = picking.location_dest_id
        picking.move_ids.quantity = 5
        with self._assert_refused("held"):
            picking.with_user(self.stock_user).button_validate()

    def test_sold_parts_go_back_to_the_customer(self):
        lot = self._create_lot("L9", self.in_lots)
        self._deliver(self.in_lots, lot, 4)
        document = self._bring(
            "received",
            lines=[{"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 4}],
        )
        verdict = (
            self.env["quality.return.judgement"]
            .with_user(self.quality)
            .create(
                {
                    "line_id": document.line_ids.id,
                    "judgement": "customer",
                    "quantity": 4,
                }
            )
        )
        picking = self._get_move(verdict).picking_id
        self.assertEqual(picking.location_dest_id, self.customers)
        picking.with_user(self.stock_user).button_validate()
        self.assertEqual(self._get_stock(self.customers, lot, self.in_lots), 4)

    def test_scrap_is_requested(self):
        """The verdict makes a draft that Quality and Sales then sign."""
        verdict = self._judge("scrap", 4, note="Cracked", analysis="Brittle compound")
        request = verdict.scrap_line_id.request_id
        self.assertRecordValues(
            request,
            [
                {
                    "state": "draft",
                    "site_id": self.site.id,
                    "complaint_id": self.complaint.id,
                    "reason": "Cannot be reworked\nBrittle compound",
                }
            ],
        )
        self.assertRecordValues(
            request.line_ids,
            [
                {
                    "product_id": self.in_lots.id,
                    "lot_id": self.lot.id,
                    "quantity": 4,
                    "location_id": self.home.id,
                    "note": "Cracked",
                }
            ],
        )
        self.site.sales_user_ids = self.sales
        request.with_user(self.manager).action_submit()
        self.assertEqual(request.requested_by_id, self.manager)
        request.with_user(self.quality).action_sign("quality")
        with self._assert_refused(request.name, "Withdraw"):
            verdict.action_undo()

    def test_not_more_than_came(self):
        self._judge("stock", 6)
        with self._assert_refused("L7", "11 judged", "only 10 came"):
            self._judge("scrap", 5)
        self._judge("scrap", 4)

    def test_only_quality(self):
        for user in (self.resident, self.sales, self.manager, self.gm, self.quality_de):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self._judge("stock", 1, user)
                with self.assertRaises(AccessError):
                    self.line.with_user(user).judgement = "stock"
                with self.assertRaises(AccessError):
                    self.document.with_user(user).action_judge()

    def test_a_verdict_is_not_changed(self):
        verdict = self._judge("supplier", 3)
        for values in (
            {"quantity": 1},
            {"judgement": "stock"},
            {"undone": True},
            {"user_id": self.manager.id},
            {"line_id": self.line.id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                verdict.write(values)
        verdict.analysis = "Crack at the clip"
        with self.assertRaises(AccessError):
            verdict.unlink()

    def test_take_back(self):
        for judgement in ("stock", "rework", "supplier", "scrap"):
            verdict = self._judge(judgement, 10)
            verdict.action_undo()
            with self.subTest(judgement=judgement):
                self.assertEqual(self.line.qty_open, 10)
                self.assertEqual(self._home(), 10)
        self._judge("supplier", 10)
        self.judging.action_judge()
        verdict = self.line.judgement_ids.filtered(lambda j: not j.undone)
        verdict.with_user(self.quality).action_undo()
        self.assertEqual(self.document.state, "received")

    def test_take_back_what_has_left(self):
        verdict = self._judge("supplier", 3)
        self._get_move(verdict).picking_id.with_user(self.stock_user).button_validate()
        with self._assert_refused("have left by"):
            verdict.action_undo()
        with self.assertRaises(AccessError):
            verdict.with_user(self.manager).action_undo()

    def test_judge_by_line(self):
        with self._assert_refused("No verdict yet", "L7"):
            self.judging.action_judge()
        self.judging.line_ids.judgement = "rework"
        self.judging.action_judge()
        self.assertRecordValues(
            self.line.judgement_ids,
            [{"judgement": "rework", "quantity": 10, "user_id": self.quality.id}],
        )

    def test_dialogue_with_several_verdicts(self):
        dialogue = Form(
            self.env["quality.return.judge"]
            .with_user(self.quality)
            .with_context(active_id=self.document.id)
        )
        with dialogue.line_ids.edit(0) as line:
            line.quantity = 6
            line.judgement = "stock"
        with dialogue.line_ids.new() as line:
            line.line_id = self.line
            line.quantity = 4
            line.judgement = "supplier"
            line.analysis = "Wrong compound"
        dialogue.save().action_apply()
        self.assertEqual(self.document.state, "judged")
        self.assertEqual(
            sorted(self.line.judgement_ids.mapped("judgement")), ["stock", "supplier"]
        )

    def test_judge_while_the_rest_is_on_its_way(self):
        document = self._bring(
            "in_transit",
            lines=[
                {"product_id": self.in_lots.id, "lot_id": self.lot_2.id, "quantity": 5}
            ],
        )
        home = document.with_user(self.quality)
        home._receive([(self.in_lots, self.lot_2, 2)])
        self.line = document.line_ids
        self._judge("stock", 2)
        self.assertEqual(document.state, "in_transit")
        with self.assertRaises(UserError):
            home.action_judge()
        home._receive([(self.in_lots, self.lot_2, 3)])
        with self._assert_refused("No verdict yet"):
            home.action_judge()

    def test_more_comes_after_the_verdict(self):
        self._judge_all(self.judging)
        self._put(self.suspect, 1, self.lot, self.in_lots)
        self.judging._receive([(self.in_lots, self.lot, 1)])
        self.assertEqual(self.document.state, "received")

    def test_the_complaint_hears_of_it(self):
        photo = self._create_photo(self.quality, res_model="quality.return.judgement")
        self._judge("stock", 6)
        self._judge("supplier", 4, analysis="Wrong compound", photo_ids=photo.ids)
        self.judging.action_judge()
        complaint = self.complaint
        self.assertEqual(len(complaint.return_judgement_ids), 2)
        message = complaint.message_ids.filtered(
            lambda m: "Wrong compound" in (m.body or "")
        )
        self.assertEqual(len(message), 1)
        self.assertIn(self.document.name, message.body)
        self.assertEqual(message.author_id, self.quality.partner_id)
        self.assertEqual(message.attachment_ids.name, "photo.jpg")
        self.assertEqual(photo.res_model, "quality.return.judgement")
        self.assertEqual(
            photo.with_user(self.resident).read(["name"])[0]["name"], photo.name
        )
