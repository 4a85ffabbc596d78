"""Reports sent and made by two at the same moment, in real transactions."""

import threading

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_message WHERE model = 'resident.report'",
    "DELETE FROM mail_followers WHERE res_model = 'resident.report'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "DELETE FROM resident_report WHERE company_id = %s",
    "DELETE FROM ir_attachment WHERE res_model = 'resident.report' "
    "AND res_id NOT IN (SELECT id FROM resident_report)",
)


@tagged("post_install", "-at_install")
class TestReportAtOnce(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Reports at Once"})
            user = new_test_user(
                env,
                login="reports_manager",
                groups="quality_resident.group_manager",
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
                context={"no_reset_password": True},
            )
            customer = env["res.partner"].create({"name": "Reports at Once"})
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "Reports at Once",
                        "code": "REPORTS",
                        "company_id": company.id,
                        "partner_id": customer.id,
                        "manager_id": user.id,
                    }
                )
            )
            cls.company_id, cls.site_id, cls.user_id = company.id, site.id, user.id
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.users"].browse(cls.user_id).active = False
            env["resident.site"].browse(cls.site_id).active = False

    def _run_twice(self, work, uid):
        """Run ``work(env)`` in two transactions at once, as the web server does."""
        barrier, errors = threading.Barrier(2), []

        def run():
            with self.pool.cursor() as cr:
                env = api.Environment(cr, uid, {})
                # Both have seen the state before either of them changes it.
                env["resident.report"].search_count([])
                barrier.wait()
                try:
                    retrying(lambda: work(env), env)
                except UserError as error:
                    errors.append(str(error))

        threads = [threading.Thread(target=run) for _number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def _count(self, model, *domain):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env[model].search_count([("site_id", "=", self.site_id), *domain])

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_sent_in_two_tabs(self):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_id, {})
            report_id = env["resident.report"].create({"site_id": self.site_id}).id
        errors = self._run_twice(
            lambda env: env["resident.report"].browse(report_id).action_send(),
            self.user_id,
        )
        self.assertEqual(len(errors), 1)
        self.assertEqual(
            self._count("resident.event", ("kind", "=", "report_daily")), 1
        )

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_made_by_two(self):
        values = {
            "kind": "weekly",
            "site_id": self.site_id,
            "company_id": self.company_id,
            "date_from": fields.Date.to_date("2026-03-02"),
            "due_at": fields.Datetime.to_datetime("2026-03-06 15:00:00"),
        }
        self._run_twice(
            lambda env: env["resident.report"]._try_make(values), SUPERUSER_ID
        )
        self.assertEqual(self._count("resident.report", ("kind", "=", "weekly")), 1)
        self.assertEqual(self._count("resident.event", ("kind", "=", "report_due")), 1)
