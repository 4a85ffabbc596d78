from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MODULE, SmtpCatcher
from .test_return import ReturnCommon

NOW = "2026-03-10 02:00:00"
DUE = "2026-03-10 10:00:00"


class ExchangeCommon(ReturnCommon):
    @classmethod
    def _get_confirmation(cls, **values):
        return {
            "kind": "exchange",
            "confirmed_by_id": cls.contact.id,
            "confirmed_on": "2026-03-10",
            "confirmed_how": "slip",
            "confirmed_file_ids": cls._create_photo(
                name="slip.jpg", res_model="quality.return"
            ).ids,
            "replacement_due": fields.Datetime.now() + timedelta(hours=8),
            **values,
        }

    @classmethod
    def _create_exchange(cls, user=None, lines=None, **values):
        return cls._create_return(user, lines, **cls._get_confirmation(**values))

    @classmethod
    def _get_replacements(cls, document):
        return document.sudo().replacement_picking_ids


@tagged("post_install", "-at_install")
class TestReturnExchange(ExchangeCommon):
    # === CONFIRMATION === #

    def test_sqe_must_have_confirmed(self):
        for values, word in (
            ({"confirmed_by_id": False}, "Confirmed by"),
            ({"confirmed_on": False}, "Confirmed On"),
            ({"confirmed_how": False}, "Confirmed How"),
            ({"confirmed_file_ids": False}, "Signed Slip"),
            ({"confirmed_how": "sheet"}, "Service Sheet"),
            ({"replacement_due": False}, "Replacement Until"),
            ({"replacement_due": "2020-01-01"}, "has passed"),
        ):
            document = self._create_exchange(**values)
            with self.subTest(values=values):
                with self._assert_refused(word, document.name):
                    document.action_request()
                document.unlink()

    def test_confirmed_by_a_signed_sheet(self):
        complaint = self._create_in_state("reported")
        sheet = (
            self.env["quality.service.sheet"]
            .with_user(self.resident)
            .create({"complaint_id": complaint.id})
        )
        document = self._create_exchange(
            confirmed_how="sheet", confirmed_sheet_id=sheet.id, confirmed_file_ids=False
        )
        with self._assert_refused("signed by the customer"):
            document.action_request()
        sheet._with_gate().state = "signed"
        document.action_request()
        self.assertEqual(document.state, "requested")

    def test_contact_of_another_site(self):
        other = self.env["resident.contact"].create(
            {"site_id": self.site_de.id, "partner_id": self.sqe.id, "role": "sqe"}
        )
        with self._assert_refused("belongs to the site"):
            self._create_exchange(confirmed_by_id=other.id)

    # === REPLACEMENT === #

    def test_replacement_leaves_first(self):
        """It is on its way before anybody has decided on the bad parts."""
        self._put(self.stock, 30, self.lot_2, self.in_lots)
        with self._at(NOW):
            document = self._create_exchange(replacement_due=DUE)
            document.action_request()
            document.with_user(self.sales).action_provide_replacement()
        picking = self._get_replacements(document)
        self.assertEqual(picking.picking_type_id, self.warehouse.out_type_id)
        self.assertEqual(picking.location_dest_id, self.buffer)
        self.assertEqual(fields.Datetime.to_string(picking.scheduled_date), DUE)
        self.assertEqual(picking.move_ids.product_uom_qty, 10)
        self.assertFalse(document.sudo().picking_ids)
        with self._at("2026-03-10 06:30:00"):
            picking.with_user(self.stock_user).button_validate()
        self.assertRecordValues(
            document,
            [
                {
                    "state": "requested",
                    "replaced_at": fields.Datetime.to_datetime("2026-03-10 06:30:00"),
                    "replacement_hours": 4.5,
                    "is_replacement_late": False,
                }
            ],
        )
        self.assertEqual(self._get_stock(self.buffer, self.lot_2, self.in_lots), 15)

    def test_sold_parts_are_replaced_at_the_customer(self):
        lot = self._create_lot("L9", self.in_lots)
        self._deliver(self.in_lots, lot, 3)
        document = self._create_exchange(
            lines=[
                {"product_id": self.in_lots.id, "lot_id": lot.id, "quantity": 3},
                {"product_id": self.in_lots.id, "lot_id": self.lot.id, "quantity": 2},
            ]
        )
        document.action_request()
        document.with_user(self.manager).action_provide_replacement()
        self.assertEqual(
            self._get_replacements(document).location_dest_id,
            self.customers + self.buffer,
        )

    def test_provided_once(self):
        document = self._create_exchange()
        document.action_request()
        document.with_user(self.sales).action_provide_replacement()
        first = self._get_replacements(document)
        document.with_user(self.manager).action_provide_replacement()
        self.assertEqual(self._get_replacements(document), first)
        first.with_user(self.stock_user).action_cancel()
        document.with_user(self.sales).action_provide_replacement()
        self.assertEqual(len(self._get_replacements(document)), 2)

    def test_who_provides(self):
        document = self._create_exchange()
        with self._assert_refused("does not wait for a replacement"):
            document.with_user(self.sales).action_provide_replacement()
        document.action_request()
        for user in (self.resident, self.quality, self.gm, self.manager_b):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                document.with_user(user).action_provide_replacement()
        plain = self._bring(
            "requested",
            lines=[{"product_id": self.in_lots.id, "lot_id": self.lot_2.id}],
        )
        with self._assert_refused("does not wait for a replacement"):
            plain.with_user(self.sales).action_provide_replacement()

    def test_not_closed_before_the_replacement(self):
        self._put(self.stock, 30, self.lot_2, self.in_lots)
        document = self._bring("judged", **self._get_confirmation())
        home = document.with_user(self.quality)
        with self._assert_refused("replacement has not been delivered"):
            home.action_close()
        document.with_user(self.sales).action_provide_replacement()
        self._get_replacements(document).with_user(self.stock_user).button_validate()
        home.action_close()
        self.assertEqual(document.state, "closed")

    def test_cancel_cancels_the_replacement(self):
        document = self._create_exchange()
        document.action_request()
        document.with_user(self.sales).action_provide_replacement()
        document.action_cancel(reason="The customer changed his mind")
        self.assertEqual(self._get_replacements(document).state, "cancel")

    def test_refusal_cancels_the_replacement(self):
        document = self._create_exchange()
        document.action_request()
        document.with_user(self.sales).action_provide_replacement()
        document.with_user(self.quality).action_refuse(reason="Not our part")
        self.assertEqual(self._get_replacements(document).state, "cancel")

    def test_late_is_a_list(self):
        with self._at(NOW):
            document = self._create_exchange(replacement_due=DUE)
            document.action_request()
        late = [("is_replacement_late", "=", True), ("id", "=", document.id)]
        with self._at("2026-03-10 09:59:00"):
            self.assertFalse(document.is_replacement_late)
            self.assertFalse(document.search(late))
        document.invalidate_recordset()
        with self._at("2026-03-10 10:01:00"):
            self.assertTrue(document.is_replacement_late)
            self.assertEqual(document.search(late), document)


@tagged("post_install", "-at_install")
class TestReturnMail(SmtpCatcher, ExchangeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_and_install_lang("zh_CN")
        cls.quality.lang = "zh_CN"

    def _get_todos(self, document, user):
        return document.sudo().activity_ids.filtered(lambda a: a.user_id == user)

    def test_requested_and_decided(self):
        document = self._bring("requested")
        self._send_mails()
        (mail,) = self._get_received(self.quality)
        self.assertIn("退货", mail["subject"])
        self.assertIn(document.name, mail["subject"])
        html = mail.get_body(("html",)).get_content()
        self.assertIn(f"/odoo/returns/{document.id}", html)
        self.assertIn("L7", html)
        self.assertEqual(len(self._get_received(self.manager)), 1)
        self.assertFalse(self._get_received(self.sales))
        self.assertTrue(self._get_todos(document, self.quality))
        document.with_user(self.quality).action_approve()
        self.assertFalse(self._get_todos(document, self.quality))
        self.mailbox.mails.clear()
        self._send_mails()
        (mail,) = self._get_received(self.resident)
        self.assertIn("approved", mail["subject"])
        self._send_mails()
        self.assertEqual(len(self._get_received(self.resident)), 1)

    def test_refused(self):
        document = self._bring("requested")
        self._send_mails()
        self.mailbox.mails.clear()
        document.with_user(self.quality).action_refuse(reason="Sort it on site")
        self._send_mails()
        (mail,) = self._get_received(self.resident)
        self.assertIn("Sort it on site", mail.get_body(("html",)).get_content())

    def test_received(self):
        document = self._bring("received")
        self._send_mails()
        self.assertTrue(
            [
                m
                for m in self._get_received(self.resident)
                if "have come" in m["subject"]
            ]
        )
        self.assertTrue(self._get_todos(document, self.quality))
        self._judge_all(document.with_user(self.quality))
        self.assertFalse(
            self._get_todos(document, self.quality).filtered(
                lambda a: a.resident_clock == "return_received"
            )
        )

    def test_sales_are_asked_and_warned(self):
        with self._at(NOW):
            document = self._create_exchange(replacement_due=DUE)
            document.action_request()
            self._send_mails()
        (mail,) = self._get_received(self.sales)
        self.assertIn("replacement wanted", mail["subject"])
        self.assertTrue(self._get_todos(document, self.sales))
        self.mailbox.mails.clear()
        with self._at("2026-03-10 10:01:00"):
            for _twice in range(2):
                self._run_cron(f"{MODULE}.ir_cron_return_alerts")
                self._send_mails()
        (mail,) = self._get_received(self.sales)
        self.assertIn("late", mail["subject"])
        self.assertIn(document.name, mail["subject"])
        self.assertIn(
            f"/odoo/returns/{document.id}", mail.get_body(("html",)).get_content()
        )
        self.assertEqual(len(self._get_received(self.manager)), 1)
        self._put(self.stock, 30, self.lot_2, self.in_lots)
        with self._at("2026-03-10 11:00:00"):
            document.with_user(self.sales).action_provide_replacement()
            self._get_replacements(document).button_validate()
        self.assertFalse(self._get_todos(document, self.sales))
        self.assertEqual(document.replacement_hours, 9)
        self.assertTrue(document.is_replacement_late)
