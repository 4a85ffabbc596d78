from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import GROUP, ResidentCommon, SmtpCatcher

CRON_DIGEST = "quality_resident.ir_cron_digest"


class ScrapCommon(ResidentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.action_set_up()
        cls.site_b._create_locations()
        cls.suspect = cls.site.suspect_location_id
        cls.product_lot = cls.env["product.product"].create(
            {
                "name": "Test rail",
                "is_storable": True,
                "tracking": "lot",
                "standard_price": 5,
            }
        )
        cls.lots = cls.env["stock.lot"].create(
            [
                {"name": f"L-{number}", "product_id": cls.product_lot.id}
                for number in (1, 2)
            ]
        )
        for lot in cls.lots:
            cls._stock(lot, 10)
        cls.quality_2 = new_test_user(
            cls.env,
            login="quality_2",
            email="quality_2@ours.example.com",
            groups=f"{GROUP}quality",
            company_id=cls.company_a.id,
        )
        cls.both = new_test_user(
            cls.env,
            login="both_sides",
            email="both@ours.example.com",
            groups=f"{GROUP}quality,{GROUP}sales",
            company_id=cls.company_a.id,
        )
        cls.site.write(
            {
                "quality_user_ids": [
                    Command.link(cls.quality_2.id),
                    Command.link(cls.both.id),
                ],
                "sales_user_ids": [Command.link(cls.both.id)],
            }
        )

    @classmethod
    def _stock(cls, lot, quantity, location=None):
        cls.env["stock.quant"]._update_available_quantity(
            lot.product_id, location or cls.suspect, quantity, lot_id=lot
        )

    def _get_stock(self, lot, location=None):
        return self.env["stock.quant"]._get_available_quantity(
            lot.product_id, location or self.suspect, lot_id=lot, strict=True
        )

    def _line(self, lot=None, quantity=4, **values):
        lot = lot or self.lots[0]
        return Command.create(
            {
                "product_id": lot.product_id.id,
                "lot_id": lot.id,
                "quantity": quantity,
                **values,
            }
        )

    def _create_request(self, *lines, user=None, **values):
        return (
            self.env["quality.scrap.request"]
            .with_user(user or self.resident)
            .create(
                {
                    "site_id": self.site.id,
                    "reason": "Cracked",
                    "line_ids": list(lines) or [self._line()],
                    **values,
                }
            )
        )

    def _submit(self, *lines, **values):
        request = self._create_request(*lines, **values)
        request.action_submit()
        return request


@tagged("post_install", "-at_install")
class TestScrapRequest(ScrapCommon):
    def test_list_comes_prefilled(self):
        complaint = self._create_complaint(defect_id=self.defect.id)
        request = self._create_request(complaint_id=complaint.id)
        line = request.line_ids
        self.assertEqual(line.location_id, self.suspect)
        self.assertEqual(line.price_unit, 5)
        self.assertEqual(line.value, 20)
        self.assertEqual(request.amount_total, 20)
        self.assertEqual(line.defect_id, self.defect)
        self.assertEqual(complaint.scrap_request_ids, request)
        self.assertRegex(request.name, r"^SR/\d{4}/\d{5}$")

    def test_two_sides_in_either_order(self):
        for first, second in (
            (self.quality, self.sales),
            (self.sales, self.quality),
        ):
            request = self._submit()
            request.with_user(first).action_sign(comment="Seen it")
            self.assertEqual(request.state, "signing")
            self.assertFalse(request.line_ids.sudo().move_ids)
            request.with_user(second).action_sign()
            self.assertEqual(request.state, "done")
            self.assertEqual(request.signature_ids.sorted("id").user_id, first + second)
        self.assertEqual(self._get_stock(self.lots[0]), 2)
        move = request.line_ids.sudo().move_ids
        self.assertEqual((move.state, move.quantity), ("done", 4))
        self.assertEqual(move.location_dest_id.usage, "inventory")
        self.assertEqual(move.origin, request.name)

    def test_nobody_signs_his_own(self):
        request = self._submit(user=self.quality)
        with self.assertRaisesRegex(UserError, "You wrote the list"):
            request.with_user(self.quality).action_sign("quality")
        request.with_user(self.quality_2).action_sign("quality")
        request.with_user(self.sales).action_sign("sales")
        self.assertEqual(request.state, "done")

    def test_who_changed_the_list_does_not_sign_it(self):
        request = self._create_request()
        request.line_ids.with_user(self.quality).quantity = 3
        request.action_submit()
        with self.assertRaisesRegex(UserError, "You wrote the list"):
            request.with_user(self.quality).action_sign()

    def test_nobody_signs_for_both(self):
        request = self._submit()
        request.with_user(self.both).action_sign("sales")
        with self.assertRaisesRegex(UserError, "another person"):
            request.with_user(self.both).action_sign("quality")
        self.assertEqual(request.state, "signing")

    def test_only_the_sides_sign(self):
        request = self._submit()
        for user in (self.resident, self.manager, self.gm, self.outsider):
            for role in ("quality", "sales", "gm", None):
                with self.subTest(user=user.login, role=role):
                    with self.assertRaises(UserError), self.env.cr.savepoint():
                        request.with_user(user).action_sign(role)
        for user, role in ((self.quality, "sales"), (self.sales, "quality")):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                request.with_user(user).action_sign(role)
        with self.assertRaises(AccessError):
            # Quality of another site.
            request.with_user(self.quality_de).action_sign("quality")
        with self.assertRaisesRegex(UserError, "signs no scrap request"):
            request.with_user(self.quality).action_sign("state")
        self.assertFalse(request.signature_ids)

    def test_second_click_changes_nothing(self):
        request = self._submit()
        for _click in range(2):
            request.with_user(self.quality).action_sign("quality")
        self.assertEqual(len(request.signature_ids), 1)
        for _click in range(2):
            request.with_user(self.sales).action_sign("sales")
        self.assertEqual(len(request.line_ids.sudo().move_ids), 1)
        self.assertEqual(self._get_stock(self.lots[0]), 6)

    def test_refusal_says_why_and_comes_back(self):
        request = self._submit()
        request.with_user(self.quality).action_sign()
        with self.assertRaisesRegex(UserError, "Reason"):
            request.with_user(self.sales).action_refuse(reason=" ")
        request.with_user(self.sales).action_refuse("sales", "Still sellable")
        self.assertEqual(request.state, "refused")
        self.assertEqual(request.refusal_reason, "Still sellable")
        request.line_ids.quantity = 1
        request.action_submit()
        self.assertEqual(request.revision, 2)
        request.with_user(self.sales).action_sign()
        self.assertEqual(request.state, "signing", "Quality signed another list")
        request.with_user(self.quality).action_sign()
        self.assertEqual(request.state, "done")
        self.assertEqual(len(request.signature_ids), 4, "all stay on record")
        self.assertEqual(self._get_stock(self.lots[0]), 9)

    def test_change_voids_signatures(self):
        request = self._submit()
        for change in (
            lambda: request.line_ids.write({"quantity": 5}),
            lambda: request.write({"line_ids": [self._line(self.lots[1])]}),
            lambda: request.line_ids[0].unlink(),
            lambda: request.write({"reason": "Broken"}),
        ):
            request.with_user(self.quality).action_sign()
            revision = request.revision
            change()
            self.assertEqual(request.revision, revision + 1)
            self.assertFalse(request._get_signatures())
            self.assertIn("void", request.message_ids[0].body)
        request.with_user(self.sales).action_sign()
        self.assertEqual(request.state, "signing")

    def test_unseen_change_is_not_signed(self):
        request = self._submit()
        dialogue = (
            self.env["quality.scrap.sign"]
            .with_user(self.quality)
            .with_context(active_ids=request.ids)
            .create({})
        )
        request.line_ids.quantity = 10
        with self.assertRaisesRegex(UserError, "changed after you opened it"):
            dialogue.action_agree()

    def test_one_dialogue_for_many(self):
        requests = self._submit() + self._submit(self._line(self.lots[1]))
        dialogue = self.env["quality.scrap.sign"].with_context(active_ids=requests.ids)
        dialogue.with_user(self.quality).create({"comment": "Both"}).action_agree()
        dialogue.with_user(self.sales).create({}).action_agree()
        self.assertEqual(requests.mapped("state"), ["done", "done"])
        with self.assertRaisesRegex(UserError, "None of these"):
            dialogue.with_user(self.quality).create({})

    def test_dialogue_refuses_with_its_comment(self):
        request = self._submit()
        dialogue = (
            self.env["quality.scrap.sign"]
            .with_user(self.sales)
            .with_context(active_ids=request.ids)
            .create({"comment": "No"})
        )
        dialogue.action_refuse()
        self.assertEqual(request.refusal_reason, "No")

    def test_general_manager_above_the_amount(self):
        self.company_a.scrap_gm_amount = 19
        request = self._submit()
        self.assertTrue(request.needs_gm)
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        self.assertEqual(request.state, "signing")
        request.with_user(self.gm).action_sign("gm")
        self.assertEqual(request.state, "done")

    def test_amount_itself_needs_no_general_manager(self):
        self.company_a.scrap_gm_amount = 20
        request = self._submit()
        self.assertFalse(request.needs_gm)
        with self.assertRaisesRegex(UserError, "does not wait"):
            request.with_user(self.gm).action_sign("gm")
        request.line_ids.quantity = 5
        self.assertTrue(request.needs_gm, "the list is dearer now")

    def test_foreign_currency(self):
        """The tier is the company's, whatever the list is in."""
        currency = self.env["res.currency"].create(
            {
                "name": "TSC",
                "symbol": "T",
                "rounding": 1,
                "rate_ids": [
                    Command.create(
                        {
                            "name": "2020-01-01",
                            "rate": 100,
                            "company_id": self.company_a.id,
                        }
                    )
                ],
            }
        )
        self.company_a.scrap_gm_amount = 21
        request = self._submit(currency_id=currency.id)
        self.assertEqual(request.amount_total, 2000)
        self.assertEqual(request.amount_company, 20)
        self.assertFalse(request.needs_gm)

    def test_withdraw(self):
        request = self._submit()
        request.with_user(self.resident).action_withdraw("Found a use")
        self.assertEqual(request.state, "cancelled")
        self.assertFalse(request.sudo().activity_ids)
        with self.assertRaisesRegex(UserError, "not waiting"):
            request.with_user(self.quality).action_sign()
        self.assertEqual(self._get_stock(self.lots[0]), 10)

    def test_two_companies(self):
        lot = self.lots[0]
        self._stock(lot, 3, self.site_b.suspect_location_id)
        self.site_b.write(
            {"quality_user_ids": self.quality_de.ids, "sales_user_ids": self.sales.ids}
        )
        request = self._create_request(site_id=self.site.id)
        self.assertFalse(request.with_user(self.resident_b).has_access("read"))
        with self.assertRaises(AccessError):
            request.with_user(self.manager_b).action_sign("quality")
        theirs = (
            self.env["quality.scrap.request"]
            .with_user(self.resident_b)
            .create({"site_id": self.site_b.id})
        )
        self.assertEqual(theirs.company_id, self.company_b)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            # A place of another company.
            self.env["quality.scrap.line"].with_user(self.resident_b).create(
                {
                    "request_id": theirs.id,
                    "product_id": self.product.id,
                    "location_id": self.suspect.id,
                }
            )

    # === EXECUTION === #

    def test_all_or_nothing(self):
        """One lot is gone when the last one signs: nothing is scrapped or signed."""
        request = self._submit(self._line(), self._line(self.lots[1], 10))
        request.with_user(self.quality).action_sign()
        self._stock(self.lots[1], -1)
        with self.assertRaisesRegex(UserError, "L-2.*10 wanted, 9 free"):
            with self.env.cr.savepoint():
                request.with_user(self.sales).action_sign()
        self.env.invalidate_all()
        self.assertEqual(request.state, "signing")
        self.assertEqual(len(request.signature_ids), 1)
        self.assertEqual(self._get_stock(self.lots[0]), 10)

    def test_more_than_lies_there(self):
        with self.assertRaisesRegex(UserError, "L-1.*10 lie there free, 11 are"):
            self._submit(self._line(quantity=11))

    def test_two_requests_for_the_same_parts(self):
        self._submit(self._line(quantity=6))
        with self.assertRaisesRegex(UserError, "in this and other requests"):
            self._submit(self._line(quantity=5))

    def test_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self._stock(self.lots[0], 20)
        request = self._submit(self._line(quantity=2, uom_id=dozen.id))
        self.assertEqual(request.amount_total, 120)
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        self.assertEqual(self._get_stock(self.lots[0]), 6)

    def test_unit_changed_after_signing(self):
        """What was signed is scrapped, not what the unit has become since."""
        box = self.env["uom.uom"].create(
            {
                "name": "Box of 2",
                "relative_factor": 2,
                "relative_uom_id": self.product_lot.uom_id.id,
            }
        )
        request = self._submit(self._line(quantity=2, uom_id=box.id))
        request.with_user(self.quality).action_sign()
        box.relative_factor = 5
        request.with_user(self.sales).action_sign()
        self.assertEqual(self._get_stock(self.lots[0]), 6)

    def test_parts_in_packages_and_shelves(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.suspect.id}
        )
        self._stock(self.lots[0], 5, shelf)
        request = self._submit(self._line(quantity=15))
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        self.assertFalse(self._get_stock(self.lots[0]))
        self.assertFalse(self._get_stock(self.lots[0], shelf))

    def test_archived_people_and_products(self):
        request = self._submit()
        self.product_lot.active = False
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        self.assertEqual(request.state, "done")

    # === BAD INPUT === #

    def test_bad_lines(self):
        serial = self.env["product.product"].create(
            {"name": "Radio", "is_storable": True, "tracking": "serial"}
        )
        lot = self.env["stock.lot"].create({"name": "S1", "product_id": serial.id})
        hour = self.env.ref("uom.product_uom_hour")
        for values, message in (
            ({"lot_id": False}, "choose the “Lot”"),
            ({"lot_id": lot.id}, "not of"),
            ({"product_id": serial.id, "lot_id": lot.id, "quantity": 2}, "is 1"),
            ({"uom_id": hour.id}, "choose a “Unit”"),
            (
                {"location_id": self.site.warehouse_id.lot_stock_id.id},
                "is no place of",
            ),
        ):
            with self.subTest(values=values):
                with (
                    self.assertRaisesRegex(ValidationError, message),
                    self.env.cr.savepoint(),
                ):
                    self._create_request(self._line(**values))
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            with self.env.cr.savepoint():
                self._create_request(self._line(quantity=0))

    def test_incomplete(self):
        request = self._create_request(reason=" ")
        with self.assertRaisesRegex(UserError, "Reason"):
            request.action_submit()
        request = self._create_request()
        request.line_ids.unlink()
        with self.assertRaisesRegex(UserError, "Parts"):
            request.action_submit()

    def test_nobody_to_sign(self):
        self.site.sales_user_ids = False
        with self.assertRaisesRegex(UserError, "nobody can sign for Sales"):
            self._submit()

    def test_only_manager_of_the_site_changes_it_later(self):
        request = self._submit()
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        for door in (
            lambda: request.line_ids.write({"quantity": 1}),
            lambda: request.line_ids.unlink(),
            lambda: request.write({"line_ids": [self._line()]}),
            lambda: request.write({"reason": "x"}),
            request.action_withdraw,
            request.unlink,
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                door()

    # === FORGERY === #

    def test_forged_fields(self):
        request = self._submit()
        forged = {
            "state": "done",
            "revision": 9,
            "requester_ids": [Command.clear()],
            "requested_by_id": self.sales.id,
            "needs_gm": False,
            "sign_count": 5,
            "change_count": 5,
            "decided_at": "2026-01-01",
            "signature_ids": [
                Command.create({"role": "quality", "user_id": self.quality.id})
            ],
        }
        for name, value in forged.items():
            for user in (self.resident, self.manager, self.env.ref("base.user_root")):
                with self.subTest(name=name, user=user.login):
                    with self.assertRaises(UserError), self.env.cr.savepoint():
                        request.with_user(user).write({name: value})
            with self.subTest(name=name, create=True):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    self._create_request(**{name: value or True})

    def test_forged_signature(self):
        request = self._submit()
        values = {
            "request_id": request.id,
            "revision": 1,
            "role": "quality",
            "user_id": self.quality.id,
            "date": fields.Datetime.now(),
            "agree": True,
        }
        signatures = self.env["quality.scrap.signature"]
        for user in (self.resident, self.quality, self.manager, self.admin):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                signatures.with_user(user).create(values)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            signatures.create(values)
        request.with_user(self.quality).action_sign()
        signature = request.signature_ids
        for user in (self.quality, self.manager, self.env.ref("base.user_root")):
            mine = signature.with_user(user)
            for door in (
                lambda mine=mine: mine.write({"agree": False}),
                lambda mine=mine: mine.write({"user_id": self.sales.id}),
                mine.unlink,
            ):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    door()

    def test_forged_link(self):
        request = self._submit()
        with self.assertRaisesRegex(UserError, "set by the document itself"):
            self.env["stock.move"].create(
                {
                    "product_id": self.product_lot.id,
                    "location_id": self.suspect.id,
                    "location_dest_id": self.suspect.id,
                    "scrap_line_id": request.line_ids.id,
                }
            )

    def test_scrap_button_offers_the_request(self):
        boss = new_test_user(
            self.env,
            login="stock_resident",
            groups=f"{GROUP}manager,stock.group_stock_user",
            company_id=self.company_a.id,
        )
        scrap = (
            self.env["stock.scrap"]
            .with_user(boss)
            .create(
                {
                    "product_id": self.product_lot.id,
                    "lot_id": self.lots[0].id,
                    "scrap_qty": 2,
                    "location_id": self.suspect.id,
                }
            )
        )
        action = scrap.action_validate()
        self.assertEqual(action["res_model"], "quality.scrap.request")
        request = (
            self.env["quality.scrap.request"]
            .with_user(boss)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(request.site_id, self.site)
        self.assertEqual(request.line_ids.lot_id, self.lots[0])
        self.assertEqual(request.line_ids.quantity, 2)
        self.assertEqual(scrap.state, "draft")

    # === SEARCH AND FIGURES === #

    def test_waiting_for_me(self):
        request = self._submit()
        requests = self.env["quality.scrap.request"]

        def get_waiting(user):
            return requests.with_user(user).search([("can_sign", "=", True)])

        for user in (self.quality, self.sales, self.both):
            self.assertEqual(get_waiting(user), request)
        for user in (self.resident, self.manager, self.gm, self.quality_de):
            self.assertFalse(get_waiting(user))
        request.with_user(self.both).action_sign("sales")
        self.assertFalse(get_waiting(self.both))
        self.assertFalse(get_waiting(self.sales))
        self.assertEqual(get_waiting(self.quality), request)

    def test_200_lines_cost_no_more_queries_than_core_s_moves(self):
        lots = self.env["stock.lot"].create(
            [
                {"name": f"M-{number}", "product_id": self.product_lot.id}
                for number in range(60)
            ]
        )
        for lot in lots:
            self._stock(lot, 1)
        counts = []
        for part in (lots[:20], lots[20:]):
            request = self._submit(*(self._line(lot, 1) for lot in part))
            request.with_user(self.quality).action_sign()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            request.with_user(self.sales).action_sign()
            self.env.flush_all()
            counts.append((self.env.cr.sql_log_count - before) / len(part))
        # More lines, fewer queries for each.
        self.assertLessEqual(counts[1], counts[0])


@tagged("post_install", "-at_install")
class TestScrapMail(SmtpCatcher, ScrapCommon):
    def test_mails(self):
        self.quality.lang = "zh_CN" if self._has_chinese() else "en_US"
        request = self._submit()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(),
            sorted(
                user.email
                for user in (self.quality, self.quality_2, self.both, self.sales)
            ),
        )
        (mail,) = self._get_received(self.sales)
        self.assertIn(request.name, mail["Subject"])
        body = mail.get_body(("html",)).get_content()
        self.assertIn(f"/odoo/scrap-requests/{request.id}", body)
        self.assertIn("L-1", body)
        self.mailbox.mails.clear()
        request.with_user(self.quality).action_sign()
        request.with_user(self.sales).action_sign()
        self._send_mails()
        (mail,) = self._get_received(self.resident)
        (pdf,) = mail.iter_attachments()
        self.assertEqual(pdf.get_content_type(), "application/pdf")
        self.assertTrue(request.pdf_id)
        with self.assertRaisesRegex(UserError, "stays as it is"):
            request.sudo().pdf_id.unlink()

    def _has_chinese(self):
        return bool(self.env["res.lang"]._lang_get("zh_CN"))

    def test_refusal_is_mailed(self):
        request = self._submit()
        self._send_mails()
        self.mailbox.mails.clear()
        request.with_user(self.sales).action_refuse(reason="Still sellable")
        self._send_mails()
        (mail,) = self._get_received(self.resident)
        self.assertIn("Still sellable", mail.get_body(("html",)).get_content())

    def test_voided_list_is_asked_for_again(self):
        request = self._submit()
        self._send_mails()
        request.with_user(self.quality).action_sign()
        self.mailbox.mails.clear()
        request.line_ids.quantity = 1
        request.line_ids.quantity = 2
        self._send_mails()
        self.assertEqual(len(self._get_received(self.quality)), 1)

    def test_to_do(self):
        request = self._submit()
        self.assertEqual(
            request.sudo().activity_ids.user_id,
            self.quality + self.quality_2 + self.both + self.sales,
        )
        request.with_user(self.quality).action_sign()
        self.assertEqual(request.sudo().activity_ids.user_id, self.sales)
        request.with_user(self.sales).action_sign()
        self.assertFalse(request.sudo().activity_ids)

    def test_digest(self):
        """One mail each morning for all that waits, until nothing does."""
        requests = self._submit() + self._submit(self._line(self.lots[1]))
        self._send_mails()
        self.mailbox.mails.clear()
        morning = fields.Datetime.now().replace(hour=9, minute=0) + timedelta(days=1)
        with self._at(morning - timedelta(hours=2)):
            self._run_cron(CRON_DIGEST)
            self._send_mails()
            self.assertFalse(self._get_received(self.sales), "too early")
        for _run in range(2):
            with self._at(morning):
                self._run_cron(CRON_DIGEST)
                self._send_mails()
        (mail,) = self._get_received(self.sales)
        body = mail.get_body(("html",)).get_content()
        for request in requests:
            self.assertIn(request.name, body)
        requests.with_user(self.sales).action_sign()
        self.mailbox.mails.clear()
        with self._at(morning + timedelta(days=1)):
            self._run_cron(CRON_DIGEST)
            self._send_mails()
        self.assertFalse(self._get_received(self.sales))
        self.assertEqual(len(self._get_received(self.quality)), 1)
