"""Checks of the claim ledger that are kept, and what they find later (L4)."""

from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SmtpCatcher
from .test_claim_ledger import CHAIN, ClaimCommon

CRON = "quality_resident.ir_cron_claim_check"
TABLES = (
    "quality_claim_entry",
    "quality_claim_check",
    "quality_claim_check_line",
)


@tagged("post_install", "-at_install")
class TestClaimCheck(SmtpCatcher, ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Check = cls.env["quality.claim.check"]
        cls.Entry = cls.env["quality.claim.entry"]

    def _verify(self, user=None):
        action = self.Entry.with_user(user or self.quality).action_verify()
        return self.Check.browse(action["res_id"])

    def _rewrite(self, first, **values):
        """Change ``first`` and write the whole chain behind it anew, hash by hash."""
        for name, value in values.items():
            self._tamper(
                f"UPDATE quality_claim_entry SET {name} = %s WHERE id = %s",
                value,
                first.id,
            )
        tail = None
        for row in list(self.Entry._read_chain(self.company_a)):
            row["previous_hash"] = tail or row["previous_hash"]
            tail = self.Entry._get_digest(row)
            self._tamper(
                "UPDATE quality_claim_entry SET previous_hash = %s, hash = %s "
                "WHERE id = %s",
                row["previous_hash"],
                tail,
                row["id"],
            )

    def _fit_balances(self, claim):
        """Make the claim agree with what is left of its entries."""
        self.env.cr.execute(
            """UPDATE quality_claim SET (entry_count, amount_claimed, amount_accepted) =
                (SELECT COUNT(*),
                    COALESCE(SUM(amount) FILTER (WHERE balance = 'claimed'), 0),
                    COALESCE(SUM(amount) FILTER (WHERE balance = 'accepted'), 0)
                FROM quality_claim_entry WHERE claim_id = quality_claim.id)
            WHERE id = %s""",
            [claim.id],
        )
        self.env.invalidate_all()

    # === A CHECK === #

    def test_whole(self):
        claim = self._create_agreed()
        last = claim.entry_ids.sorted("sequence")[-1]
        for user in (self.quality, self.sales, self.manager, self.gm):
            check = self._verify(user)
            self.assertRecordValues(
                check,
                [
                    {
                        "company_id": self.company_a.id,
                        "user_id": user.id,
                        "nightly": False,
                        "broken_count": 0,
                        "first_sequence": 1,
                        "last_sequence": last.sequence,
                        "last_hash": last.hash,
                    }
                ],
            )
            self.assertTrue(check.with_user(user).display_name)

    def test_resident_and_outsider_do_not_verify(self):
        self._create_agreed()
        for user in (self.resident, self.outsider):
            with self.assertRaises(AccessError):
                self.Entry.with_user(user).action_verify()

    def test_empty_ledger(self):
        (check,) = self.Check._check(
            self.env["res.company"].create({"name": "Nothing Claimed"})
        )
        self.assertRecordValues(
            check, [{"entry_count": 0, "last_hash": False, "broken_count": 0}]
        )

    def test_two_companies_at_once(self):
        self._create_agreed()
        other = self._create_claim(
            self.resident_b, [{"responsibility": "ours"}], site=self.site_b
        )
        other.action_judge()
        self._tamper(
            "UPDATE quality_claim_entry SET amount = 7 WHERE id = %s",
            other.entry_ids.id,
        )
        companies = self.company_a | self.company_b
        checks = self.Check._check(companies)
        self.assertEqual(checks.company_id, companies)
        self.assertEqual([bool(c.broken_count) for c in checks], [False, True])
        self.assertEqual(checks[1].line_ids.mapped("entry_id"), other.entry_ids)
        # Nobody sees another company's results.
        with self.assertRaises(AccessError):
            checks[1].with_user(self.quality).read(["broken_count"])
        with self.assertRaises(AccessError):
            checks[1].line_ids.with_user(self.quality).read(["reason"])

    def test_named_with_number_claim_and_reason(self):
        claim = self._create_agreed()
        first, last = claim.entry_ids.sorted("sequence")
        number = str(first.sequence)
        self._tamper("DELETE FROM quality_claim_entry WHERE id = %s", first.id)
        check = self._verify()
        lines = check.line_ids
        self.assertEqual(lines.mapped("problem"), ["gap", "balance"])
        self.assertEqual(lines[0].entry_id, last)
        self.assertIn(number, lines[0].reason)
        self.assertIn(claim.name, lines[1]._get_label())
        action = lines[0].with_user(self.quality).action_open_entry()
        self.assertEqual((action["res_model"], action["res_id"]), (last._name, last.id))
        action = lines[1].with_user(self.quality).action_open_entry()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (claim._name, claim.id)
        )
        zh = lines[0].with_context(lang="zh_CN")
        self.assertIn(number, zh.reason)

    # === ANCHORS === #

    def test_rewritten_chain_is_found(self):
        claim = self._create_agreed()
        self._verify()
        first = claim.entry_ids.sorted("sequence")[0]
        with self._rolled_back():
            # Without a kept check a chain that is whole in itself cannot be told.
            self.env.cr.execute(
                "ALTER TABLE quality_claim_check_line DISABLE TRIGGER USER;"
                "ALTER TABLE quality_claim_check DISABLE TRIGGER USER;"
                "DELETE FROM quality_claim_check_line; DELETE FROM quality_claim_check"
            )
            self._rewrite(first, amount_company=77)
            self.assertFalse(self.Entry._verify_company(self.company_a)[1])
        self._rewrite(first, amount_company=77)
        check = self._verify()
        self.assertEqual(check.line_ids.mapped("problem"), ["replaced"])
        self.assertIn("earlier check", check.line_ids.reason)

    def test_cut_end_is_found(self):
        claim = self._create_agreed()
        last = claim.entry_ids.sorted("sequence")[-1]
        number = last.sequence
        self._verify()
        self._tamper("DELETE FROM quality_claim_entry WHERE id = %s", last.id)
        self._fit_balances(claim)
        check = self._verify()
        self.assertRecordValues(
            check.line_ids, [{"problem": "gone", "sequence": number}]
        )

    def test_cut_and_written_on_is_found(self):
        claim = self._create_agreed()
        last = claim.entry_ids.sorted("sequence")[-1]
        self._verify()
        self._tamper("DELETE FROM quality_claim_entry WHERE id = %s", last.id)
        self._fit_balances(claim)
        self._create_agreed()
        self.assertEqual(self._verify().line_ids.mapped("problem"), ["replaced"])

    def test_anchor_holds_while_the_ledger_grows(self):
        self._create_agreed()
        self._verify()
        self._create_agreed()
        self.assertFalse(self._verify().broken_count)

    # === KEPT FOR GOOD === #

    def test_nobody_creates_changes_or_deletes(self):
        claim = self._create_agreed()
        self._tamper(
            "UPDATE quality_claim_entry SET amount = 7 WHERE id = %s",
            claim.entry_ids[0].id,
        )
        check = self._verify()
        for user in (self.quality, self.manager, self.admin, self.root):
            for record in (check, check.line_ids[0]):
                own = record.with_user(user)
                with self.subTest(user=user.login, model=record._name):
                    with self.assertRaises(AccessError):
                        own.write({"company_id": self.company_b.id})
                    with self.assertRaises(AccessError):
                        own.unlink()
                    with self.assertRaises(AccessError):
                        own.create({"company_id": self.company_a.id})

    @mute_logger("odoo.sql_db")
    def test_database_refuses(self):
        claim = self._create_agreed()
        self._tamper(
            "UPDATE quality_claim_entry SET amount = 7 WHERE id = %s",
            claim.entry_ids[0].id,
        )
        self._verify()
        self.env.flush_all()
        for table in TABLES:
            for query in (
                f"UPDATE {table} SET company_id = company_id"
                if table != "quality_claim_check_line"
                else f"UPDATE {table} SET sequence = 1",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with (
                    self.subTest(query=query),
                    self.assertRaisesRegex(psycopg2.Error, "append-only"),
                    self.env.cr.savepoint(),
                ):
                    self.env.cr.execute(query)

    # === EVERY NIGHT === #

    def test_nightly_once_for_each_company(self):
        self._create_agreed()
        before = self.Check.search_count([])
        self._run_cron(CRON)
        checks = self.Check.search([("nightly", "=", True)])
        self.assertIn(self.company_a, checks.company_id)
        self.assertEqual(len(checks), len(checks.company_id))
        self._run_cron(CRON)
        self.assertEqual(self.Check.search_count([]), before + len(checks))
        with self._at(fields.Datetime.add(fields.Datetime.now(), days=1)):
            self._run_cron(CRON)
        self.assertEqual(self.Check.search_count([]), before + 2 * len(checks))

    def test_nightly_goes_on_after_a_kill(self):
        self._create_agreed()
        self._create_claim(
            self.resident_b, [{"responsibility": "ours"}], site=self.site_b
        ).action_judge()
        due = self.Check._get_due_companies()
        self.assertLessEqual(self.company_a | self.company_b, due)
        self.Check._check(due[:1], nightly=True)
        self.assertEqual(self.Check._get_due_companies(), due[1:])

    def test_mailed_once_for_each_failure(self):
        claim = self._create_agreed(lines=[{"responsibility": "ours"}] * 3)
        entries = claim.entry_ids.sorted("sequence")
        self._run_cron(CRON)
        self._send_mails()
        self.assertFalse(self._get_broken_mails())
        self._tamper(
            "UPDATE quality_claim_entry SET amount_company = 7 WHERE id = %s",
            entries[0].id,
        )
        check = self._verify()
        self._send_mails()
        for user in (self.sales, self.quality, self.manager):
            (mail,) = self._get_broken_mails(user)
            body = mail.get_body(("html",)).get_content()
            self.assertIn(f"No. {entries[0].sequence}", body)
            self.assertIn(f"/odoo/claim-ledger-checks/{check.id}", body)
        self.assertEqual(
            check.activity_ids.user_id,
            self.sales | self.quality | self.quality_de | self.manager,
        )
        # The same failure is not told every night.
        self.mailbox.mails.clear()
        self._verify()
        self._send_mails()
        self.assertFalse(self._get_broken_mails())
        # Another one is.
        self._tamper(
            "UPDATE quality_claim_entry SET amount_company = 7 WHERE id = %s",
            entries[3].id,
        )
        self._verify()
        self._send_mails()
        self.assertEqual(len(self._get_broken_mails(self.sales)), 1)

    def _get_broken_mails(self, *users):
        return [
            mail for mail in self._get_received(*users) if "ledger" in mail["Subject"]
        ]

    # === MANY === #

    def test_queries_grow_with_batches_only(self):
        self._create_agreed(lines=[{"responsibility": "ours"}] * 5)
        self._verify()

        def count():
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.Entry._verify_company(self.company_a)
            return self.env.cr.sql_log_count - before

        few = count()
        self._create_agreed(lines=[{"responsibility": "ours"}] * 100)
        self.assertEqual(count(), few)
        with patch(f"{CHAIN}.VERIFY_BATCH", 50):
            self.assertGreater(count(), few)
