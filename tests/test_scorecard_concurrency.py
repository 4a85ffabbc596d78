"""Two at the same scorecards at the same moment, in real transactions."""

import threading
from datetime import date

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

JANUARY, FEBRUARY, MARCH = (date(2026, number, 1) for number in (1, 2, 3))
# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_message WHERE model = 'quality.scorecard'",
    "DELETE FROM mail_followers WHERE res_model = 'quality.scorecard'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "DELETE FROM quality_scorecard WHERE company_id = %s",
)


@tagged("post_install", "-at_install")
class TestScorecardAtOnce(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Cards at Once"})
            user = new_test_user(
                env,
                login="cards_manager",
                groups="quality_resident.group_manager",
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
                context={"no_reset_password": True},
            )
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "Cards at Once",
                        "code": "CARDS",
                        "company_id": company.id,
                        "partner_id": env["res.partner"].create({"name": "Cards"}).id,
                    }
                )
            )
            cls.company_id, cls.user_id, cls.site_id = company.id, user.id, site.id
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        cls._clear()
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.users"].browse(cls.user_id).active = False
            env["resident.site"].browse(cls.site_id).active = False

    @classmethod
    def _clear(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)

    def setUp(self):
        super().setUp()
        self._clear()
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_id, {})
            cards = env["quality.scorecard"].create(
                [
                    {"site_id": self.site_id, "month": month}
                    for month in (JANUARY, FEBRUARY)
                ]
            )
            self.january_id, self.february_id = cards.ids

    def _run(self, *calls):
        """Do all of ``calls`` at once, each as the web server does.

        :return: the refusals
        """
        barrier, errors = threading.Barrier(len(calls)), []

        def work(call):
            with self.pool.cursor() as cr:
                env = api.Environment(cr, self.user_id, {})
                # Each has begun to read before the other writes.
                env["resident.site"].browse(self.site_id).mapped("streak_since")
                barrier.wait()
                try:
                    retrying(lambda: call(env), env)
                except (UserError, psycopg2.IntegrityError) as error:
                    errors.append(error)

        threads = [threading.Thread(target=work, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return errors

    def _read(self):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            events = env["resident.event"].search(
                [("company_id", "=", self.company_id)]
            )
            site = env["resident.site"].browse(self.site_id)
            return site.streak_since, len(site.scorecard_ids), events.mapped("kind")

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_two_ratings_at_once(self):
        """Neither sees the other's month; together they are a streak all the same."""

        def rate(card_id):
            return lambda env: (
                env["quality.scorecard"].browse(card_id).write({"customer_rating": "C"})
            )

        self.assertFalse(self._run(rate(self.january_id), rate(self.february_id)))
        since, _count, kinds = self._read()
        self.assertEqual(since, MARCH)
        self.assertEqual(kinds.count("streak_started"), 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_sent_in_two_tabs(self):
        def send(env):
            return env["quality.scorecard"].browse(self.february_id).action_send()

        self.assertEqual(len(self._run(send, send)), 1)
        self.assertEqual(self._read()[2].count("scorecard_sent"), 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_made_twice_at_once(self):
        def make(env):
            return env["quality.scorecard"].create(
                {"site_id": self.site_id, "month": "2025-12-01"}
            )

        self.assertEqual(len(self._run(make, make)), 1)
        self.assertEqual(self._read()[1], 3)
