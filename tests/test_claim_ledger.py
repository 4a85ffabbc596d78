"""The claim ledger: who writes it, what it keeps, and how tampering shows (L4)."""

import hashlib
import json
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ResidentCommon

CHAIN = "odoo.addons.quality_resident.models.quality_claim_chain"


class ClaimCommon(ResidentCommon):
    @classmethod
    def _create_claim(cls, user=None, lines=({},), **values):
        """Return a claim with one line for each dict, 100 each unless it says other."""
        site = values.pop("site", cls.site)
        return (
            cls.env["quality.claim"]
            .with_user(user or cls.resident)
            .create(
                {
                    "site_id": site.id,
                    "line_ids": [
                        Command.create(
                            {
                                "product_id": cls.product.id,
                                "price_unit": 100,
                                **line,
                            }
                        )
                        for line in lines
                    ],
                    **values,
                }
            )
        )

    @classmethod
    def _create_agreed(cls, lines=({"responsibility": "ours"},), **values):
        claim = cls._create_claim(lines=lines, **values)
        claim.action_judge()
        claim.with_user(cls.quality).action_agree()
        return claim

    def _tamper(self, query, *values):
        """Do what somebody with the database's password may do."""
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE quality_claim_entry DISABLE TRIGGER USER")
        self.env.cr.execute(query, values)
        self.env.cr.execute("ALTER TABLE quality_claim_entry ENABLE TRIGGER USER")
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestClaimLedger(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Entry = cls.env["quality.claim.entry"]

    def _verify(self):
        return self.Entry.with_company(self.company_a).verify_chain()

    # === WHAT IS WRITTEN === #

    def test_entries_of_a_claim_s_life(self):
        claim = self._create_claim(
            lines=(
                {"responsibility": "ours"},
                {"responsibility": "theirs"},
                {"responsibility": "shared", "our_share": 33},
            )
        )
        self.assertFalse(claim.entry_ids)
        claim.action_judge()
        self.assertRecordValues(
            claim, [{"state": "judged", "amount_claimed": 300, "amount_open": 300}]
        )
        claim.with_user(self.quality).action_agree()
        self.assertRecordValues(
            claim,
            [
                {
                    "state": "agreed",
                    "amount_claimed": 300,
                    "amount_accepted": 133,
                    "amount_refused": 167,
                    "amount_paid": 0,
                    "amount_open": 0,
                }
            ],
        )
        entries = claim.entry_ids.sorted("sequence")
        first = entries[0].sequence
        self.assertEqual(
            entries.mapped("sequence"), list(range(first, first + len(entries)))
        )
        self.assertEqual(entries[-1].user_id, self.quality)
        self.assertFalse(self._verify())

    def test_two_claims_at_once(self):
        claims = self._create_claim(lines=[{"responsibility": "ours"}] * 2)
        claims |= self._create_claim(lines=[{"responsibility": "theirs"}])
        claims.action_judge()
        claims.with_user(self.quality).action_agree()
        self.assertEqual(claims.mapped("amount_accepted"), [200, 0])
        self.assertFalse(self._verify())

    def test_done_twice_writes_once(self):
        claim = self._create_agreed()
        count = claim.entry_count
        self.assertEqual(count, 2)
        claim._book(("claimed", "accepted", "refused"))
        self.assertEqual(claim.entry_count, count)

    def test_company_currency_at_the_date(self):
        currency = self.env["res.currency"].create(
            {"name": "TSC", "symbol": "T", "rounding": 0.01}
        )
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": self.company_a.id, **rate}
                for rate in (
                    {"name": "2026-03-01", "rate": 4},
                    {"name": "2026-03-10", "rate": 5},
                )
            ]
        )
        with self._at("2026-03-09 03:00:00"):
            claim = self._create_claim(
                lines=[{"responsibility": "ours"}], currency_id=currency.id
            )
            claim.action_judge()
        with self._at("2026-03-10 03:00:00"):
            claim.with_user(self.quality).action_agree()
        entries = claim.entry_ids.sorted("sequence")
        self.assertEqual(entries.mapped("amount"), [100, 100])
        self.assertEqual(entries.mapped("amount_company"), [25, 20])
        with self._at("2026-03-11 03:00:00"):
            back = entries[0].with_user(self.manager).action_reverse("Entered twice")
        self.assertEqual(back.amount_company, -25)
        self.assertFalse(self._verify())

    def test_companies_have_chains_of_their_own(self):
        claim = self._create_agreed()
        other = self._create_claim(
            self.resident_b, [{"responsibility": "ours"}], site=self.site_b
        )
        other.action_judge()
        entry = other.entry_ids
        self.assertEqual(entry.company_id, self.company_b)
        self.assertEqual((entry.sequence, entry.previous_hash), (1, "0" * 64))
        self.assertGreaterEqual(max(claim.entry_ids.mapped("sequence")), 2)

    def test_hash_is_what_the_documentation_says(self):
        claim = self._create_agreed()
        entry = claim.entry_ids.sorted("sequence")[-1]
        text = json.dumps(
            {
                "version": 1,
                "company_id": self.company_a.id,
                "site_id": self.site.id,
                "claim_id": claim.id,
                "line_id": claim.line_ids.id,
                "sequence": entry.sequence,
                "date": str(entry.date),
                "recorded_at": str(entry.recorded_at),
                "user_id": self.quality.id,
                "kind": "accepted",
                "balance": "accepted",
                "currency_id": claim.currency_id.id,
                "amount": "100.000000",
                "amount_company": "100.000000",
                "reversal_of_id": None,
                "reason": None,
            },
            sort_keys=True,
            separators=(",", ":"),
        )
        digest = hashlib.sha256((entry.previous_hash + text).encode()).hexdigest()
        self.assertEqual(entry.hash, digest)

    # === NOBODY WRITES IT === #

    def test_nobody_creates_changes_or_deletes(self):
        claim = self._create_agreed()
        entry = claim.entry_ids[:1]
        values = entry.copy_data()[0] | {
            "claim_id": claim.id,
            "amount": 5,
            "sequence": 99,
            "hash": "x",
        }
        for user in (self.resident, self.quality, self.manager, self.admin, self.root):
            own = entry.with_user(user)
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    own.create([values])
                with self.assertRaises(AccessError):
                    own.with_context(quality_workflow_gate=True).create([values])
                with self.assertRaises(UserError):
                    own.write({"amount": 5})
                with self.assertRaises(UserError):
                    own.unlink()
                with self.assertRaises(UserError):
                    claim.with_user(user).write(
                        {"entry_ids": [Command.create({"amount": 1})]}
                    )
        with self.assertRaises(UserError):
            entry.sudo().write({"amount": 5})
        with self.assertRaises(UserError):
            entry.sudo().unlink()

    @mute_logger("odoo.sql_db")
    def test_database_refuses(self):
        entry = self._create_agreed().entry_ids[:1]
        self.env.flush_all()
        for query in (
            "UPDATE quality_claim_entry SET amount = 5 WHERE id = %s",
            "DELETE FROM quality_claim_entry WHERE id = %s",
            "TRUNCATE quality_claim_entry CASCADE",
        ):
            with (
                self.subTest(query=query),
                self.assertRaisesRegex(psycopg2.Error, "append-only"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query, [entry.id] if "%s" in query else None)
        self.assertTrue(entry.exists())

    def test_claim_and_line_in_the_ledger_stay(self):
        claim = self._create_agreed()
        with self._assert_refused(claim.name):
            claim.with_user(self.manager).unlink()
        with self._assert_refused(claim.name):
            claim.line_ids.with_user(self.manager).unlink()

    def test_update_of_the_module_keeps_it_closed(self):
        self.Entry.init()
        self.test_database_refuses()

    # === VERIFY === #

    def test_changed_amount_shows(self):
        entries = self._create_agreed().entry_ids.sorted("sequence")
        self.assertFalse(self._verify())
        self._tamper(
            "UPDATE quality_claim_entry SET amount = amount + 1 WHERE id = %s",
            entries[0].id,
        )
        broken = self._verify()
        self.assertEqual(broken[0]["id"], entries[0].id)
        self.assertIn("changed", broken[0]["reason"])
        # It breaks this entry, not those after it.
        self.assertFalse([b for b in broken if b["id"] == entries[1].id])

    def test_each_column_is_guarded(self):
        entry = self._create_agreed().entry_ids.sorted("sequence")[0]
        for column, value in (
            ("date", "'2001-01-01'"),
            ("recorded_at", "'2001-01-01 00:00:00'"),
            ("user_id", str(self.gm.id)),
            ("kind", "'paid'"),
            ("balance", "'paid'"),
            ("amount_company", "1"),
            ("line_id", "NULL"),
            ("site_id", str(self.site_de.id)),
            ("reason", "'x'"),
            ("hash", "'x'"),
            ("previous_hash", "'x'"),
        ):
            with self.subTest(column=column), self._rolled_back():
                self._tamper(
                    f"UPDATE quality_claim_entry SET {column} = {value} WHERE id = %s",
                    entry.id,
                )
                self.assertIn(entry.id, [b["id"] for b in self._verify()])

    def test_recomputed_hash_breaks_the_next(self):
        entries = self._create_agreed().entry_ids.sorted("sequence")
        self._tamper(
            "UPDATE quality_claim_entry SET amount = 7 WHERE id = %s", entries[0].id
        )
        (row,) = [
            row
            for row in self.Entry._read_chain(self.company_a)
            if row["id"] == entries[0].id
        ]
        self._tamper(
            "UPDATE quality_claim_entry SET hash = %s WHERE id = %s",
            self.Entry._get_digest(row),
            entries[0].id,
        )
        self.assertIn(entries[1].id, [b["id"] for b in self._verify()])

    def test_deleted_entries_show(self):
        claim = self._create_agreed()
        first, last = claim.entry_ids.sorted("sequence")
        with self._rolled_back():
            self._tamper("DELETE FROM quality_claim_entry WHERE id = %s", first.id)
            self.assertIn(last.id, [b["id"] for b in self._verify()])
        self._tamper("DELETE FROM quality_claim_entry WHERE id = %s", last.id)
        self.assertIn(claim.id, [b["claim_id"] for b in self._verify()])

    def test_batches_join(self):
        self._create_agreed(lines=[{"responsibility": "ours"}] * 5)
        with patch(f"{CHAIN}.VERIFY_BATCH", 3):
            self.assertFalse(self._verify())

    # === REVERSAL === #

    def test_reverse_once_with_a_reason(self):
        claim = self._create_agreed()
        entry = claim.entry_ids.filtered(lambda e: e.kind == "accepted")
        boss = entry.with_user(self.manager)
        with self._assert_refused("Reason"):
            boss.action_reverse()
        with self._assert_refused("Reason"):
            boss.action_reverse("  ")
        with self.assertRaises(AccessError):
            entry.with_user(self.resident).action_reverse("No")
        with self.assertRaises(AccessError):
            entry.with_user(self.gm).action_reverse("No")
        back = boss.action_reverse("Wrong part")
        self.assertRecordValues(
            back,
            [
                {
                    "kind": "reversal",
                    "balance": "accepted",
                    "amount": -100,
                    "reversal_of_id": entry.id,
                    "reason": "Wrong part",
                    "user_id": self.manager.id,
                }
            ],
        )
        self.assertRecordValues(claim, [{"amount_accepted": 0, "amount_open": 100}])
        with self._assert_refused(str(back.sequence)):
            boss.action_reverse("Again")
        with self._assert_refused(str(back.sequence)):
            back.with_user(self.manager).action_reverse("Back again")
        self.assertFalse(self._verify())

    def test_reverse_two_at_once(self):
        claim = self._create_agreed()
        back = claim.entry_ids.with_user(self.manager).action_reverse("Not ours")
        self.assertEqual(len(back), 2)
        self.assertRecordValues(claim, [{"amount_claimed": 0, "amount_accepted": 0}])

    def test_reopened_and_judged_anew(self):
        claim = self._create_agreed()
        home = claim.with_user(self.quality)
        home.action_reopen("Analysis says no")
        home.line_ids.responsibility = "theirs"
        home.action_judge()
        home.action_agree()
        self.assertRecordValues(
            claim,
            [{"amount_claimed": 100, "amount_accepted": 0, "amount_refused": 100}],
        )
        self.assertFalse(self._verify())

    def test_withdrawn_comes_to_nothing(self):
        claim = self._create_agreed()
        claim.with_user(self.sales).action_withdraw("Customer's mistake")
        self.assertRecordValues(
            claim,
            [
                {
                    "state": "withdrawn",
                    "amount_claimed": 0,
                    "amount_accepted": 0,
                    "amount_open": 0,
                }
            ],
        )
        self.assertFalse(self._verify())

    def test_withdrawn_stays_at_nothing(self):
        claim = self._create_agreed()
        claim.with_user(self.sales).action_withdraw("Customer's mistake")
        for entry in claim.entry_ids:
            with self._assert_refused(claim.name, "withdrawn"):
                entry.with_user(self.sales).action_reverse("Once more")
        self.assertEqual(claim.amount_claimed, 0)

    def test_no_line_after_the_notice(self):
        claim = self._create_agreed()
        part = {"product_id": self.product.id, "responsibility": "ours"}
        lines = self.env["quality.claim.line"].with_user(self.resident)
        for client, values in (
            (lines, {**part, "claim_id": claim.id}),
            (lines.with_context(default_claim_id=claim.id), part),
        ):
            with self._assert_refused(claim.name), self.env.cr.savepoint():
                client.create(values)
        self.assertEqual(len(claim.line_ids), 1)

    def test_amounts_that_are_not_exact_stay_out(self):
        largest = self._create_agreed(
            lines=[
                {"amount": 99_999_999_999.99, "responsibility": "ours"},
                {"amount": 77_777_777_777.77, "responsibility": "ours"},
            ]
        )
        self.assertFalse(self._verify())
        self.assertEqual(largest.amount_claimed, 177_777_777_777.76)
        claim = self._create_claim(lines=[{"quantity": 10**7, "price_unit": 10**7}])
        with self._assert_refused(claim.name, "100,000,000,000"):
            claim.action_judge()

    # === MANY === #

    def test_query_count_is_flat(self):
        def count(number):
            claim = self._create_claim(lines=[{"responsibility": "ours"}] * number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            claim.action_judge()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(50), count(2) + 2)
