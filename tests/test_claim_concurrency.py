"""Writers of one company's ledger at the same moment, in real transactions."""

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

WRITERS = 10
CLAIMS_EACH = 5
LINES = 20
# What these tests leave behind, children first; %s is the test's company.
LEFTOVERS = (
    "DELETE FROM mail_message WHERE model = 'quality.claim'",
    "DELETE FROM mail_followers WHERE res_model = 'quality.claim'",
    "DELETE FROM resident_event WHERE company_id = %s",
    "ALTER TABLE quality_claim_entry DISABLE TRIGGER USER",
    "DELETE FROM quality_claim_entry WHERE company_id = %s",
    "ALTER TABLE quality_claim_entry ENABLE TRIGGER USER",
    "DELETE FROM account_partial_reconcile WHERE company_id = %s",
    "DELETE FROM account_move_line WHERE company_id = %s",
    "DELETE FROM account_move WHERE company_id = %s",
    "DELETE FROM quality_claim_line WHERE company_id = %s",
    "DELETE FROM quality_claim WHERE company_id = %s",
)


@tagged("post_install", "-at_install")
class TestLedgerAtOnce(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = Registry(get_db_name())
        with cls.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].create({"name": "Ledger at Once"})
            env["account.chart.template"].try_loading(
                "generic_coa", company=company, install_demo=False
            )
            users = [
                new_test_user(
                    env,
                    login=f"ledger_{group}",
                    groups=f"quality_resident.group_{group}",
                    company_id=company.id,
                    company_ids=[Command.set(company.ids)],
                    context={"no_reset_password": True},
                )
                for group in ("quality", "manager")
            ]
            accountant = new_test_user(
                env,
                login="ledger_accountant",
                groups="account.group_account_manager",
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
                context={"no_reset_password": True},
            )
            customer = env["res.partner"].create({"name": "Ledger at Once"})
            site = (
                env["resident.site"]
                .with_company(company)
                .create(
                    {
                        "name": "Ledger at Once",
                        "code": "LEDGER",
                        "company_id": company.id,
                        "partner_id": customer.id,
                        "quality_user_ids": users[0].ids,
                    }
                )
            )
            product = env["product.product"].create({"name": "Ledger at Once"})
            cls.company_id, cls.product_id = company.id, product.id
            cls.site_id, cls.user_ids = site.id, [user.id for user in users]
            cls.accountant_id = accountant.id
        cls.addClassCleanup(cls._remove_leftovers)

    @classmethod
    def _remove_leftovers(cls):
        with cls.pool.cursor() as cr:
            for query in LEFTOVERS:
                cr.execute(query, [cls.company_id] if "%s" in query else None)
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.users"].browse([*cls.user_ids, cls.accountant_id]).active = False
            env["resident.site"].browse(cls.site_id).active = False
            env["product.product"].browse(cls.product_id).active = False

    def _create(self, count):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_ids[1], {})
            line = {
                "product_id": self.product_id,
                "price_unit": 10,
                "responsibility": "ours",
            }
            return (
                env["quality.claim"]
                .create(
                    [
                        {
                            "site_id": self.site_id,
                            "line_ids": [Command.create(line)] * LINES,
                        }
                        for _number in range(count)
                    ]
                )
                .ids
            )

    def _call(self, claim_id, method, barrier=None, errors=None, tries=None):
        """Call an action as the web server does: run again when two were at once."""
        if barrier:
            barrier.wait()
        with self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_ids[1], {})

            def call():
                if tries is not None:
                    tries.append(claim_id)
                getattr(env["quality.claim"].browse(claim_id), method)()

            try:
                retrying(call, env)
            except UserError as error:
                errors.append(str(error))

    def _run(self, *targets):
        threads = [threading.Thread(target=target) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _read(self):
        """Return the numbers of the chain, the sums and what is broken."""
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            entries = env["quality.claim.entry"].search(
                [("company_id", "=", self.company_id)], order="sequence"
            )
            company = env["res.company"].browse(self.company_id)
            _facts, broken = entries._verify_company(company)
            return entries.mapped("sequence"), entries.mapped("kind"), broken

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_ten_writers(self):
        """2,000 entries by ten writers: no gap, no fork, nobody sent back to start."""
        before = len(self._read()[0])
        claim_ids = self._create(WRITERS * CLAIMS_EACH)
        barrier, errors, tries = threading.Barrier(WRITERS), [], []

        def work(own):
            barrier.wait()
            for claim_id in own:
                self._call(claim_id, "action_judge", errors=errors, tries=tries)
                self._call(claim_id, "action_agree", errors=errors, tries=tries)

        self._run(
            *(
                lambda own=claim_ids[writer::WRITERS]: work(own)
                for writer in range(WRITERS)
            )
        )
        self.assertFalse(errors)
        numbers, _kinds, broken = self._read()
        self.assertEqual(len(numbers), before + WRITERS * CLAIMS_EACH * LINES * 2)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertFalse(broken)
        self.assertEqual(len(tries), len(claim_ids) * 2)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_settled_in_two_tabs(self):
        (claim_id,) = self._create(1)
        self._call(claim_id, "action_judge")
        self._call(claim_id, "action_agree")
        barrier, errors = threading.Barrier(2), []
        self._run(*[lambda: self._call(claim_id, "action_settle", barrier, errors)] * 2)
        self.assertEqual(len(errors), 1)
        self._post(self._get_document_ids(claim_id))
        _numbers, kinds, broken = self._read()
        self.assertEqual(kinds.count("credited"), LINES)
        self.assertFalse(broken)

    def _get_document_ids(self, claim_id):
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env["quality.claim"].browse(claim_id).move_ids.ids

    def _post(self, move_ids, barrier=None, errors=None, method="action_post"):
        """Have the accountant do something with documents, as the web server does."""
        if barrier:
            barrier.wait()
        with self.pool.cursor() as cr:
            env = api.Environment(
                cr, self.accountant_id, {"allowed_company_ids": [self.company_id]}
            )
            try:
                retrying(
                    lambda: getattr(env["account.move"].browse(move_ids), method)(),
                    env,
                )
            except UserError as error:
                errors.append(str(error))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_reopened_while_it_is_posted(self):
        """One of both happens: the draft goes, or it is posted and stays."""
        (claim_id,) = self._create(1)
        for method in ("action_judge", "action_agree", "action_settle"):
            self._call(claim_id, method)
        (move_id,) = self._get_document_ids(claim_id)
        barrier, errors = threading.Barrier(2), []

        def reopen():
            barrier.wait()
            with self.pool.cursor() as cr:
                env = api.Environment(cr, self.user_ids[1], {})
                claim = env["quality.claim"].browse(claim_id)
                try:
                    retrying(lambda: claim.action_reopen("Anew"), env)
                except UserError as error:
                    errors.append(str(error))

        self._run(reopen, lambda: self._post([move_id], barrier, errors))
        self.assertEqual(len(errors), 1, errors)
        with self.pool.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            claim = env["quality.claim"].browse(claim_id)
            posted = claim.move_ids.filtered(lambda move: move.state == "posted")
            self.assertEqual(claim.state, "settled" if posted else "agreed")
            self.assertEqual(claim.amount_credited, LINES * 10 if posted else 0)
        self.assertFalse(self._read()[2])

    @mute_logger("odoo.sql_db")
    def test_killed_while_it_is_settled(self):
        """Neither the document nor the state is there, and the next one makes both."""
        (claim_id,) = self._create(1)
        self._call(claim_id, "action_judge")
        self._call(claim_id, "action_agree")
        with suppress(psycopg2.Error), self.pool.cursor() as cr:
            env = api.Environment(cr, self.user_ids[1], {})
            env["quality.claim"].browse(claim_id).action_settle()
            env.flush_all()
            cr.execute("SELECT pg_backend_pid()")
            with self.pool.cursor() as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", cr.fetchone())
        self.assertFalse(self._get_document_ids(claim_id))
        self._call(claim_id, "action_settle")
        self.assertEqual(len(self._get_document_ids(claim_id)), 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_reversed_in_two_tabs(self):
        (claim_id,) = self._create(1)
        self._call(claim_id, "action_judge")
        barrier, errors = threading.Barrier(2), []

        def reverse():
            barrier.wait()
            with self.pool.cursor() as cr:
                env = api.Environment(cr, self.user_ids[1], {})
                try:
                    retrying(
                        lambda: (
                            env["quality.claim"]
                            .browse(claim_id)
                            .entry_ids[0]
                            .action_reverse("Twice")
                        ),
                        env,
                    )
                except UserError as error:
                    errors.append(str(error))

        before = self._read()[1].count("reversal")
        self._run(reverse, reverse)
        self.assertEqual(len(errors), 1)
        self.assertEqual(self._read()[1].count("reversal"), before + 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_judged_while_it_is_agreed(self):
        """What is written is what the lines say: whoever comes second starts anew."""
        (claim_id,) = self._create(1)
        self._call(claim_id, "action_judge")
        with self.pool.cursor() as first, self.pool.cursor() as second:
            mine = api.Environment(first, self.user_ids[1], {})["quality.claim"]
            theirs = api.Environment(second, self.user_ids[1], {})["quality.claim"]
            self.assertEqual(theirs.browse(claim_id).state, "judged")
            mine.browse(claim_id).line_ids.responsibility = "theirs"
            mine.env.flush_all()
            first.commit()
            retrying(lambda: theirs.browse(claim_id).action_agree(), theirs.env)
            self.assertEqual(theirs.browse(claim_id).amount_accepted, 0)
            self.assertEqual(theirs.browse(claim_id).amount_refused, LINES * 10)

    @mute_logger("odoo.sql_db")
    def test_killed_while_it_is_agreed(self):
        """What was not committed has not happened, and the next one goes on."""
        (claim_id,) = self._create(1)
        self._call(claim_id, "action_judge")
        before = len(self._read()[0])
        cr = self.pool.cursor()
        env = api.Environment(cr, self.user_ids[1], {})
        env["quality.claim"].browse(claim_id).action_agree()
        env.flush_all()
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
        with self.pool.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [pid])
        with self.assertRaises(psycopg2.OperationalError):
            cr.execute("COMMIT")
        with suppress(psycopg2.Error):
            cr.close()
        self.assertEqual(len(self._read()[0]), before)
        self._call(claim_id, "action_agree")
        numbers, _kinds, broken = self._read()
        self.assertEqual(numbers, list(range(1, before + LINES + 1)))
        self.assertFalse(broken)
