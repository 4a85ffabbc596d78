"""Signers who press at the same moment, in real transactions that are committed."""

import threading
from contextlib import suppress

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

TIMES = 50
# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_activity WHERE res_model = 'quality.scrap.request'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "DELETE FROM stock_move_line WHERE company_id = %s",
    "DELETE FROM stock_move WHERE company_id = %s",
    "DELETE FROM quality_scrap_signature WHERE company_id = %s",
    "DELETE FROM quality_scrap_line WHERE company_id = %s",
    "DELETE FROM quality_scrap_request WHERE company_id = %s",
    "DELETE FROM stock_quant WHERE company_id = %s",
)


@tagged("post_install", "-at_install")
class TestSignersAtOnce(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "At Once"})
            users = [
                new_test_user(
                    env,
                    login=f"at_once_{group}",
                    groups=f"quality_resident.group_{group}",
                    company_id=company.id,
                    company_ids=[Command.set(company.ids)],
                    context={"no_reset_password": True},
                )
                for group in ("resident", "quality", "sales")
            ]
            resident, quality, sales = users
            customer = env["res.partner"].create({"name": "At Once"})
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "At Once",
                        "code": "ATONCE",
                        "company_id": company.id,
                        "partner_id": customer.id,
                        "quality_user_ids": quality.ids,
                        "sales_user_ids": sales.ids,
                        "posting_ids": [
                            Command.create(
                                {"user_id": resident.id, "date_from": "2020-01-01"}
                            )
                        ],
                    }
                )
            )
            site._create_locations()
            product = env["product.product"].create(
                {"name": "At Once", "is_storable": True}
            )
            env["stock.quant"]._update_available_quantity(
                product, site.suspect_location_id, TIMES * 2
            )
            company._get_approved_scrap_location()
            cls.company_id = company.id
            cls.user_ids = [user.id for user in users]
            cls.values = {
                "site_id": site.id,
                "reason": "x",
                "line_ids": [Command.create({"product_id": product.id, "quantity": 1})],
            }
            cls.location_id = site.suspect_location_id.id
            cls.product_id = product.id
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.users"].browse(cls.user_ids).active = False
            env["resident.site"].browse(cls.values["site_id"]).active = False
            env["product.product"].browse(cls.product_id).active = False

    def _submit(self, count):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_ids[0], {})
            requests = env["quality.scrap.request"].create(
                [dict(self.values) for _number in range(count)]
            )
            requests.action_submit()
            return requests.ids

    def _sign(self, user_id, request_id, role, barrier, errors):
        """Sign as the web server does it: run again when two were at once."""
        barrier.wait()
        with self.pool.cursor() as cr:
            env = api.Environment(cr, user_id, {})

            def call():
                env["quality.scrap.request"].browse(request_id).action_sign(role)

            try:
                retrying(call, env)
            except UserError as error:
                errors.append(str(error))

    def _sign_at_once(self, request_id, *signers):
        barrier, errors = threading.Barrier(len(signers)), []
        threads = [
            threading.Thread(
                target=self._sign, args=(user, request_id, role, barrier, errors)
            )
            for user, role in signers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def _read(self, request_ids):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            requests = env["quality.scrap.request"].browse(request_ids)
            quants = env["stock.quant"].search(
                [
                    ("product_id", "=", self.product_id),
                    ("location_id", "=", self.location_id),
                ]
            )
            return (
                requests.mapped("state"),
                [len(request.signature_ids) for request in requests],
                len(requests.line_ids.move_ids),
                sum(quants.mapped("quantity")),
            )

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_both_sides_in_the_same_second(self):
        *_sums, before = self._read([])
        request_ids = self._submit(TIMES)
        _resident, quality, sales = self.user_ids
        for request_id in request_ids:
            errors = self._sign_at_once(
                request_id, (quality, "quality"), (sales, "sales")
            )
            self.assertFalse(errors)
        states, signatures, moves, left = self._read(request_ids)
        self.assertEqual(states, ["done"] * TIMES)
        self.assertEqual(signatures, [2] * TIMES)
        self.assertEqual(moves, TIMES)
        self.assertEqual(left, before - TIMES)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_clicks_of_the_last_signer(self):
        (request_id,) = self._submit(1)
        _resident, quality, sales = self.user_ids
        self._sign_at_once(request_id, (quality, "quality"))
        errors = self._sign_at_once(request_id, (sales, "sales"), (sales, "sales"))
        self.assertFalse(errors)
        states, signatures, moves, _left = self._read([request_id])
        self.assertEqual((states, signatures, moves), (["done"], [2], 1))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_change_and_last_signature(self):
        """Whoever comes second sees what the first has done."""
        (request_id,) = self._submit(1)
        resident, quality, sales = self.user_ids
        self._sign_at_once(request_id, (quality, "quality"))
        with self.pool.cursor() as first, self.pool.cursor() as second:
            mine = api.Environment(first, resident, {})["quality.scrap.request"]
            theirs = api.Environment(second, sales, {})["quality.scrap.request"]
            self.assertEqual(theirs.browse(request_id).state, "signing")
            mine.browse(request_id).line_ids.quantity = 2
            first.commit()
            retrying(lambda: theirs.browse(request_id).action_sign("sales"), theirs.env)
        states, signatures, moves, _left = self._read([request_id])
        self.assertEqual((states, signatures, moves), (["signing"], [2], 0))

    @mute_logger("odoo.sql_db")
    def test_killed_in_the_last_signature(self):
        """What was not committed has not happened: no signature, no move."""
        (request_id,) = self._submit(1)
        _resident, quality, sales = self.user_ids
        self._sign_at_once(request_id, (quality, "quality"))
        *_sums, before = self._read([request_id])
        cr = self.pool.cursor()
        env = api.Environment(cr, sales, {})
        env["quality.scrap.request"].browse(request_id).action_sign("sales")
        env.flush_all()
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
        with self.pool.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [pid])
        with self.assertRaises(psycopg2.OperationalError):
            # What the web server does next.
            cr.execute("COMMIT")
        with suppress(psycopg2.Error):
            cr.close()
        states, signatures, moves, left = self._read([request_id])
        self.assertEqual((states, signatures, moves), (["signing"], [1], 0))
        self.assertEqual(left, before)
