"""Claims imported at the same moment, and killed in the middle: whole or not at all."""

import base64
import threading
from contextlib import suppress
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .test_claim_import import make_vin, make_xlsx

ROWS = 1500
# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_message WHERE model = 'quality.claim'",
    "DELETE FROM mail_followers WHERE res_model = 'quality.claim'",
    "DELETE FROM ir_attachment WHERE res_model = 'quality.claim'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "DELETE FROM quality_claim_file WHERE company_id = %s",
    "DELETE FROM quality_claim_import_column WHERE company_id = %s",
    "DELETE FROM quality_claim_import",
    "DELETE FROM quality_claim_line WHERE company_id = %s",
    "DELETE FROM quality_claim WHERE company_id = %s",
    "DELETE FROM bus_bus",
)


@tagged("post_install", "-at_install")
class TestImportAtOnce(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Import at Once"})
            user = new_test_user(
                env,
                login="import_at_once",
                groups="quality_resident.group_manager",
                company_id=company.id,
                company_ids=[(6, 0, company.ids)],
                context={"no_reset_password": True},
            )
            customer = env["res.partner"].create({"name": "Import at Once"})
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "Import at Once",
                        "code": "IMPORT",
                        "company_id": company.id,
                        "partner_id": customer.id,
                    }
                )
            )
            product = env["product.product"].create(
                {"name": "Import at Once", "default_code": "IMPORT-1"}
            )
            cls.company_id, cls.site_id = company.id, site.id
            cls.user_id, cls.product_id = user.id, product.id
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        cls._clear()
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.users"].browse(cls.user_id).active = False
            env["resident.site"].browse(cls.site_id).active = False
            env["product.product"].browse(cls.product_id).active = False

    @classmethod
    def _clear(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clear)

    def _open(self, reference, first, count=ROWS):
        """Return the id of a committed dialogue with ``count`` rows."""
        rows = [["IMPORT-1", make_vin(first + number)] for number in range(count)]
        content = make_xlsx([["Part Number", "VIN"], *rows])
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_id, {})
            return (
                env["quality.claim.import"]
                .create(
                    {
                        "site_id": self.site_id,
                        "notice_ref": reference,
                        "file": base64.b64encode(content),
                        "file_name": "notice.xlsx",
                    }
                )
                .id
            )

    def _import(self, wizard_id, barrier=None, errors=None):
        """Import as the web server does: run again when two were at once."""
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_id, {})
            wizard = env["quality.claim.import"].browse(wizard_id)
            if barrier:
                barrier.wait()
            try:
                retrying(wizard.action_import, env)
                if wizard.error_count:
                    errors.append(wizard.problem_ids[0].message)
            except (UserError, ValidationError) as error:
                errors.append(str(error))

    def _import_at_once(self, *wizard_ids):
        barrier, errors = threading.Barrier(len(wizard_ids)), []
        threads = [
            threading.Thread(target=self._import, args=(wizard_id, barrier, errors))
            for wizard_id in wizard_ids
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def _count(self):
        """Return how many claims, lines, kept files and attachments there are."""
        with self.pool.cursor() as cr:
            cr.execute(
                """SELECT
                    (SELECT count(*) FROM quality_claim WHERE company_id = %(id)s),
                    (SELECT count(*) FROM quality_claim_line WHERE company_id = %(id)s),
                    (SELECT count(*) FROM quality_claim_file WHERE company_id = %(id)s),
                    (SELECT count(*) FROM ir_attachment
                     WHERE res_model = 'quality.claim')""",
                {"id": self.company_id},
            )
            return cr.fetchone()

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_same_notice_by_two(self):
        attachments = self._count()[3]
        errors = self._import_at_once(
            self._open("N-1", 0, 50), self._open(" N-1", 100, 50)
        )
        self.assertEqual(len(errors), 1)
        self.assertIn("notice", errors[0])
        self.assertEqual(self._count(), (1, 50, 1, attachments + 1))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_same_file_by_two(self):
        errors = self._import_at_once(
            self._open("N-1", 0, 50), self._open("N-2", 0, 50)
        )
        self.assertEqual(len(errors), 1)
        self.assertIn("imported", errors[0])
        self.assertEqual(self._count()[:3], (1, 50, 1))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_first_two_notices_of_a_customer(self):
        """Both remember the same columns; neither fails for it."""
        errors = self._import_at_once(
            self._open("N-1", 0, 50), self._open("N-2", 100, 50)
        )
        self.assertFalse(errors)
        self.assertEqual(self._count()[:3], (2, 100, 2))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_killed_between_the_lines(self):
        """The connection dies after a thousand lines: there is no claim, no file."""
        before = self._count()
        wizard_id = self._open("N-1", 0)
        cr = self.pool.cursor()
        env = api.Environment(cr, self.user_id, {})
        wizard = env["quality.claim.import"].browse(wizard_id)
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
        show = type(wizard)._show_progress

        def show_and_kill(self, step, done, total):
            show(self, step, done, total)
            if step == "create" and done:
                with self.env.registry.cursor() as killer:
                    killer.execute("SELECT pg_terminate_backend(%s)", [pid])

        with (
            patch.object(type(wizard), "_show_progress", show_and_kill),
            self.assertRaises(psycopg2.OperationalError),
        ):
            wizard.action_import()
        with suppress(psycopg2.Error):
            cr.close()
        self.assertEqual(self._count(), before)
        # Nothing stands in the way of the same file.
        self._import(wizard_id, errors=[])
        self.assertEqual(self._count()[:3], (1, ROWS, 1))

    @mute_logger("odoo.sql_db")
    def test_progress_is_told_before_the_end(self):
        """The browser hears of it while no line is committed."""
        wizard_id = self._open("N-1", 0)
        seen = []
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_id, {})
            wizard = env["quality.claim.import"].browse(wizard_id)
            lines = type(env["quality.claim.line"])
            create = lines.create

            def look(model, vals_list):
                with model.env.registry.cursor() as other:
                    other.execute(
                        """SELECT count(*), max(message) FROM bus_bus
                        WHERE message LIKE '%%claim_import%%'"""
                    )
                    count, _message = other.fetchone()
                seen.append((count, self._count()[1]))
                return create(model, vals_list)

            with patch.object(lines, "create", look):
                wizard.action_import()
        self.assertEqual([lines for _count, lines in seen], [0, 0])
        self.assertLess(0, seen[0][0])
        self.assertLess(seen[0][0], seen[1][0])
        self.assertEqual(self._count()[1], ROWS)
