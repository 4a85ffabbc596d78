"""Claims in accounting: the document, and the ledger that follows it (L5)."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import freeze_time

from .test_claim_ledger import ClaimCommon

OURS = {"responsibility": "ours"}


class SettlementCommon(ClaimCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=cls.company_a, install_demo=False
        )
        cls.books = cls.env["account.move"].with_company(cls.company_a)
        # Of no group of ours.
        cls.accountant = new_test_user(
            cls.env,
            login="accountant",
            groups="account.group_account_manager,account.group_account_user",
            company_id=cls.company_a.id,
            context={"no_reset_password": True},
        )
        products = (cls.product | cls.product_2).with_company(cls.company_a)
        products.taxes_id = cls.company_a.account_sale_tax_id
        products.supplier_taxes_id = cls.company_a.account_purchase_tax_id
        cls.bank = cls.env["account.journal"].search(
            [("company_id", "=", cls.company_a.id), ("type", "=", "bank")], limit=1
        )

    def _settle(self, lines=(OURS,), **values):
        """Return a claim settled by Sales and its draft, as the accountant sees it."""
        claim = self._create_agreed(lines=lines, **values)
        claim.with_user(self.sales).action_settle()
        return claim, self._get_books(claim.move_ids)

    @classmethod
    def _create_agreed(cls, **values):
        # As the test sees it, who may see all.
        return super()._create_agreed(**values).with_env(cls.env)

    def _get_books(self, moves):
        return moves.sudo(False).with_user(self.accountant).with_company(self.company_a)

    def _post(self, move):
        move.invoice_date = move.invoice_date or "2026-03-02"
        move.action_post()
        return move

    def _pay(self, move, amount=None):
        """Register a payment as its dialogue does."""
        wizard = (
            self.env["account.payment.register"]
            .with_user(self.accountant)
            .with_company(self.company_a)
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": self.bank.id, "group_payment": True})
        )
        if amount:
            wizard.amount = amount
            wizard.payment_difference_handling = "open"
        return wizard._create_payments()

    def _create_invoice(self, amount):
        invoice = self.books.with_user(self.accountant).create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_date": "2026-03-02",
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Parts", "price_unit": amount, "tax_ids": []}
                    )
                ],
            }
        )
        return self._post(invoice)

    def _reverse(self, move, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.accountant)
            .with_company(self.company_a)
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "date": "2026-03-03"})
        )
        if modify:
            wizard.modify_moves()
        else:
            wizard.refund_moves()
        return wizard.new_move_ids

    def _assert_books(self, claim, credited, paid=0, state="settled"):
        self.assertRecordValues(
            claim,
            [{"amount_credited": credited, "amount_paid": paid, "state": state}],
        )
        entries = claim.entry_ids
        count = len(entries)
        claim.sudo()._follow_accounting()
        self.assertEqual(len(claim.entry_ids), count, "Asked twice, it writes once")
        for balance, total in (("credited", credited), ("paid", paid)):
            of_balance = entries.filtered(lambda e, b=balance: e.balance == b)
            self.assertAlmostEqual(sum(of_balance.mapped("amount")), total)
            for entry in of_balance.filtered(lambda e: e.kind == "reversal"):
                self.assertEqual(entry.reversal_of_id.amount, -entry.amount)
        ledger = self.env["quality.claim.entry"].with_company(self.company_a)
        self.assertFalse(ledger.verify_chain())


@tagged("post_install", "-at_install")
class TestClaimSettlement(SettlementCommon):
    # === THE DOCUMENT === #

    def test_credit_note(self):
        claim = self._create_agreed(
            lines=(
                {**OURS, "quantity": 3, "price_unit": 10, "vin": "LFV2A21K3P4000001"},
                {"responsibility": "theirs"},
                {"responsibility": "shared", "our_share": 33, "quantity": 7},
            ),
            notice_ref="N-4711",
        )
        with self.assertRaises(AccessError):
            self.books.with_user(self.sales).create({"move_type": "out_refund"})
        claim.with_user(self.sales).action_settle()
        self.assertRecordValues(
            claim,
            [{"state": "settled", "settlement_state": "draft", "amount_credited": 0}],
        )
        move = claim.move_ids
        self.assertRecordValues(
            move,
            [
                {
                    "move_type": "out_refund",
                    "state": "draft",
                    "company_id": self.company_a.id,
                    "partner_id": self.customer.id,
                    "currency_id": claim.currency_id.id,
                    "ref": "N-4711",
                    "invoice_origin": claim.name,
                    "invoice_date": False,
                    "amount_untaxed": 261,
                    "amount_tax": 39.15,
                    "create_uid": self.sales.id,
                }
            ],
        )
        first, _theirs, third = claim.line_ids
        self.assertRecordValues(
            move.invoice_line_ids,
            [
                {
                    "claim_line_ids": first.ids,
                    "product_id": self.product.id,
                    "quantity": 3,
                    "price_subtotal": 30,
                },
                {
                    "claim_line_ids": third.ids,
                    "product_id": self.product.id,
                    "quantity": 7,
                    "price_subtotal": 231,
                },
            ],
        )
        self.assertIn("LFV2A21K3P4000001", move.invoice_line_ids[0].name)
        self.assertIn("33 %", move.invoice_line_ids[1].name)

    def test_prices_that_do_not_divide(self):
        _claim, move = self._settle(
            lines=[{**OURS, "quantity": 3, "amount": 100, "price_unit": 33.33}] * 2
        )
        self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), [100, 100])

    def test_taxes_that_are_part_of_the_price(self):
        self.product.taxes_id.price_include_override = "tax_included"
        _claim, move = self._settle(lines=[{**OURS, "quantity": 3}])
        self.assertEqual(move.amount_untaxed, 300)
        self.assertEqual(move.amount_total, 345)

    def test_customer_s_invoice(self):
        self.site.claim_settlement = "bill"
        claim, move = self._settle()
        self.assertEqual(claim.settlement, "bill")
        self.assertRecordValues(
            move,
            [{"move_type": "in_invoice", "amount_untaxed": 100, "ref": claim.name}],
        )
        self._post(move)
        self._assert_books(claim, 100)

    def test_price_allowance(self):
        account = self.env["account.account"].create(
            {
                "name": "Allowances",
                "code": "ALLOW1",
                "account_type": "income",
                "company_ids": [Command.set(self.company_a.ids)],
            }
        )
        lines = [
            {**OURS, "amount": 100},
            {**OURS, "amount": 33.34},
            {"responsibility": "shared", "our_share": 50, "amount": 33.33},
            {**OURS, "product_id": self.product_2.id},
        ]
        claim = self._create_agreed(lines=lines)
        claim.with_user(self.sales).settlement = "allowance"
        with self._assert_refused("Account for Price Allowances", claim.name):
            claim.with_user(self.sales).action_settle()
        self.env.invalidate_all()
        self.company_a.claim_allowance_account_id = account
        claim.with_user(self.sales).action_settle()
        move = self._get_books(claim.move_ids)
        self.assertRecordValues(
            claim.move_ids.invoice_line_ids,
            [
                {
                    "price_subtotal": 150.01,
                    "account_id": account.id,
                    "claim_line_ids": claim.line_ids[:3].ids,
                },
                {
                    "price_subtotal": 100,
                    "account_id": account.id,
                    "claim_line_ids": claim.line_ids[3].ids,
                },
            ],
        )
        self._post(move)
        self._assert_books(claim, 250.01)
        credited = {
            entry.line_id: entry.amount
            for entry in claim.entry_ids.filtered(lambda e: e.kind == "credited")
        }
        self.assertEqual(
            [credited[line] for line in claim.line_ids], [100, 33.34, 16.67, 100]
        )

    def test_nothing_accepted_no_document(self):
        claim = self._create_agreed(lines=[{"responsibility": "theirs"}])
        claim.with_user(self.sales).action_settle()
        self.assertFalse(claim.move_ids)
        self.assertRecordValues(
            claim, [{"state": "settled", "settlement_state": "none"}]
        )
        claim.with_user(self.sales).action_reopen("Not so")
        self.assertEqual(claim.state, "agreed")

    def test_several_at_once(self):
        claims = self._create_agreed() | self._create_agreed(lines=[OURS, OURS])
        claims |= self._create_agreed(lines=[{"responsibility": "theirs"}])
        claims.with_user(self.sales).action_settle()
        self.assertEqual([len(claim.move_ids) for claim in claims], [1, 1, 0])
        self.assertEqual(
            [claim.move_ids.amount_untaxed for claim in claims], [100, 200, 0]
        )
        with self._assert_refused(claims[0].name):
            claims.with_user(self.sales).action_settle()
        moves = self._get_books(claims.move_ids)
        moves.invoice_date = "2026-03-02"
        moves.action_post()
        self.assertEqual(claims.mapped("amount_credited"), [100, 200, 0])

    def test_company_without_accounts(self):
        claim = self._create_agreed(site=self.site)
        self.env["account.journal"].search(
            [("company_id", "=", self.company_a.id), ("type", "=", "sale")]
        ).active = False
        with self._assert_refused(self.company_a.name):
            claim.with_user(self.sales).action_settle()

    def test_company_of_the_claim(self):
        """Whatever company the user works in, and never another's settings."""
        boss = self.manager
        boss.company_ids += self.company_b
        claim = self._create_agreed()
        companies = (self.company_b | self.company_a).ids
        claim.with_user(boss).with_context(
            allowed_company_ids=companies
        ).action_settle()
        self.assertEqual(claim.move_ids.company_id, self.company_a)
        self.assertEqual(claim.move_ids.journal_id.company_id, self.company_a)
        self.site_b.claim_settlement = "bill"
        other = self._create_claim(
            user=self.manager_b, site=self.site_b, lines=[OURS]
        ).with_user(self.manager_b)
        other.action_judge()
        other.action_agree()
        with self._assert_refused(self.company_b.name):
            other.action_settle()

    def test_customer_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.customer.lang = "zh_CN"
        self.product.with_context(lang="zh_CN").name = "测试密封条"
        _claim, move = self._settle()
        self.assertIn("测试密封条", move.invoice_line_ids.name)

    def test_no_stock_value_moves(self):
        """Money is given for the part; none goes through the stock."""
        category = self.env["product.category"].create(
            {"name": "Valued", "property_valuation": "real_time"}
        )
        self.product.categ_id = category
        self.product.with_company(self.company_a).standard_price = 40
        _claim, move = self._settle()
        self._post(move)
        self.assertNotIn("cogs", move.line_ids.mapped("display_type"))

    # === POSTING === #

    def test_posted_and_reset(self):
        claim, move = self._settle(lines=[OURS] * 2)
        with self.assertRaises(AccessError):
            claim.with_user(self.accountant).check_access("read")
        self._post(move)
        self._assert_books(claim, 200)
        self.assertEqual(claim.settlement_state, "posted")
        credited = claim.entry_ids.filtered(lambda e: e.kind == "credited")
        self.assertEqual(credited.line_id, claim.line_ids)
        self.assertEqual(credited.user_id, self.accountant)
        move.button_draft()
        self._assert_books(claim, 0)
        self.assertEqual(claim.settlement_state, "draft")
        self._post(move)
        self._assert_books(claim, 200)

    def test_what_is_posted_counts(self):
        claim, move = self._settle(lines=[OURS] * 2)
        move.invoice_line_ids[0].price_unit = 60
        move.invoice_line_ids = [
            Command.create({"name": "Freight", "price_unit": 15, "tax_ids": []})
        ]
        self._post(move)
        self._assert_books(claim, 175)
        self.assertTrue(claim.is_credited_otherwise)
        credited = {
            entry.line_id: entry.amount
            for entry in claim.entry_ids.filtered(lambda e: e.kind == "credited")
        }
        first, second = claim.line_ids
        self.assertEqual(
            credited, {first: 60, second: 100, claim.line_ids.browse(): 15}
        )

    def test_posted_line_changed_by_a_program(self):
        claim, move = self._settle()
        self._post(move)
        move.invoice_line_ids.write({"price_unit": 80})
        self._assert_books(claim, move.amount_untaxed)

    def test_duplicate_counts_for_nothing(self):
        claim, move = self._settle()
        copy = self._post(move.copy())
        self.assertFalse(copy.claim_id)
        self.assertFalse(copy.sudo().invoice_line_ids.claim_line_ids)
        self._assert_books(claim, 0)
        self._post(move)
        self._assert_books(claim, 100)

    def test_told_once(self):
        claim, move = self._settle()
        self._post(move)
        told = [
            ("res_model", "=", claim._name),
            ("res_id", "=", claim.id),
            ("kind", "=", "claim_settled"),
        ]
        events = self.env["resident.event"].search(told)
        self.assertEqual(len(events), 1)
        move.button_draft()
        self.assertFalse(claim._is_event_true(events))
        self._post(move)
        self.assertTrue(claim._is_event_true(events))
        events._process()
        self.assertEqual(events.partner_ids, (self.sales | self.quality).partner_id)
        move.button_draft()
        self._post(move)
        self.assertEqual(self.env["resident.event"].search_count(told), 1)

    # === PAYING === #

    def test_paid_by_entries(self):
        self._check_payments(has_entries=True)

    def _pay_without_entries(self):
        methods = self.env["account.payment.method.line"]
        methods.search([("journal_id", "=", self.bank.id)]).payment_account_id = False
        # As where the bank's statements are reconciled.
        self.startPatcher(
            patch.object(
                type(self.env["account.move"]),
                "_get_invoice_in_payment_state",
                lambda _self: "in_payment",
            )
        )

    def test_paid_without_entries(self):
        self._pay_without_entries()
        self._check_payments(has_entries=False)

    def test_difference_to_an_invoice_paid_without_entries(self):
        self._pay_without_entries()
        claim, move = self._settle()
        self._post(move)
        self._pay(move | self._create_invoice(200))
        self._assert_books(claim, 100, 100)

    def _check_payments(self, has_entries):
        claim, move = self._settle(lines=[OURS, {**OURS, "price_unit": 33.33}])
        self._post(move)
        first = self._pay(move, 50)
        self.assertEqual(bool(first.move_id), has_entries)
        paid = claim.amount_paid
        self.assertAlmostEqual(paid, 133.33 * 50 / move.amount_total, 2)
        self.assertEqual(claim.settlement_state, "partial")
        self._assert_books(claim, 133.33, paid)
        second = self._pay(move, move.amount_total - 50)
        self._assert_books(claim, 133.33, 133.33)
        self.assertEqual(claim.settlement_state, "paid")
        for line, amount in zip(claim.line_ids, (100, 33.33), strict=True):
            entries = line.entry_ids.filtered(lambda e: e.balance == "paid")
            self.assertAlmostEqual(sum(entries.mapped("amount")), amount)
        second.action_cancel()
        self._assert_books(claim, 133.33, paid)
        # Core keeps a payment's draft reconciled, and what it leaves open.
        first.action_draft()
        self._assert_books(claim, 133.33, paid if first.move_id else 0)
        first.action_cancel()
        self._assert_books(claim, 133.33, 0)

    def test_set_against_an_invoice(self):
        claim, move = self._settle()
        self._post(move)
        invoice = self._create_invoice(23)
        credit = move.line_ids.filtered(lambda li: li.display_type == "payment_term")
        invoice.js_assign_outstanding_line(credit.id)
        self._assert_books(claim, 100, 20)
        partial = credit.matched_debit_ids
        invoice.js_remove_outstanding_partial(partial.id)
        self._assert_books(claim, 100, 0)
        invoice.js_assign_outstanding_line(credit.id)
        move.button_draft()
        self._assert_books(claim, 0, 0)

    # === CANCELLED, DELETED, REVERSED === #

    def test_cancelled_and_settled_anew(self):
        claim, move = self._settle()
        self._post(move)
        move.button_draft()
        move.button_cancel()
        self._assert_books(claim, 0, state="agreed")
        claim.with_user(self.sales).action_settle()
        self.assertEqual(len(claim.move_ids), 2)
        with self._assert_refused(claim.name):
            move.button_draft()
        self.env.invalidate_all()
        other = self._get_books(claim.move_ids - move.sudo())
        self._post(other)
        self._assert_books(claim, 100)

    def test_cancelled_and_revived(self):
        claim, move = self._settle()
        move.button_cancel()
        self.assertEqual(claim.state, "agreed")
        move.button_draft()
        self.assertEqual(claim.state, "settled")
        move.button_cancel()
        claim.with_user(self.quality).action_withdraw("Theirs")
        with self._assert_refused(claim.name):
            move.button_draft()

    def test_deleted(self):
        claims = self._settle()[0] | self._settle()[0]
        self._get_books(claims.move_ids).unlink()
        self.assertEqual(claims.mapped("state"), ["agreed"] * 2)
        claims.with_user(self.sales).action_settle()
        self.assertEqual([len(claim.move_ids) for claim in claims], [1, 1])

    def test_reversed(self):
        claim, move = self._settle()
        self._post(move)
        back = self._reverse(move)
        self.assertEqual(back.claim_id, claim.with_env(back.env))
        self._assert_books(claim, 100)
        self._post(back)
        self._assert_books(claim, 0, state="agreed")
        claim.with_user(self.sales).action_settle()
        with self._assert_refused(claim.name):
            back.button_draft()
        self.env.invalidate_all()
        drafts = claim.move_ids.filtered(lambda m: m.state == "draft")
        self._post(self._get_books(drafts))
        self._assert_books(claim, 100)

    def test_reversed_in_part(self):
        claim, move = self._settle(lines=[OURS] * 2)
        self._post(move)
        back = self._reverse(move)
        back.invoice_line_ids[0].price_unit = 40
        self._post(back)
        self._assert_books(claim, 60)
        self._pay(move)
        self._assert_books(claim, 60, 60)
        self.assertEqual(claim.settlement_state, "paid")
        back.button_draft()
        back.button_cancel()
        self.assertEqual(claim.amount_credited, 200)

    def test_reversed_and_replaced(self):
        claim, move = self._settle()
        self._post(move)
        other = self._reverse(move, modify=True)
        self.assertEqual(other.claim_id, claim.with_env(other.env))
        self._assert_books(claim, 0)
        self.assertEqual(claim.settlement_state, "draft")
        with self._assert_refused(claim.name):
            claim.with_user(self.sales).action_settle()
        self._post(other)
        self._assert_books(claim, 100)

    def test_reversal_is_reversed(self):
        claim, move = self._settle()
        self._post(move)
        back = self._post(self._reverse(move))
        again = self._post(self._reverse(back))
        self.assertEqual(again.move_type, "out_refund")
        self._assert_books(claim, 100)

    def test_reopened(self):
        claim, move = self._settle()
        with self.assertRaises(AccessError):
            claim.with_user(self.quality).action_reopen("No")
        claim.with_user(self.sales).action_reopen("As an allowance")
        self.assertFalse(move.exists())
        self.assertEqual(claim.state, "agreed")
        claim.with_user(self.sales).settlement = "bill"
        claim.with_user(self.sales).action_settle()
        move = self._post(self._get_books(claim.move_ids))
        with self._assert_refused(move.name):
            claim.with_user(self.sales).action_reopen("Too late")

    def test_entries_are_not_reversed_by_hand(self):
        claim, move = self._settle()
        self._post(move)
        entry = claim.entry_ids.filtered(lambda e: e.kind == "credited")
        with self._assert_refused(str(entry.sequence)):
            entry.with_user(self.manager).action_reverse("No")

    # === WHO, AND HOW NOT === #

    def test_nobody_ties_documents_to_claims(self):
        claim, move = self._settle()
        line = move.invoice_line_ids
        values = {"move_type": "out_refund", "partner_id": self.customer.id}
        for user in (self.accountant, self.admin, self.root):
            books = move.with_user(user)
            for action in (
                lambda b=books: b.write({"claim_id": False}),
                lambda b=books: b.create([{**values, "claim_id": claim.id}]),
                lambda b=books: b.invoice_line_ids.write({"claim_line_ids": False}),
                lambda b=books: b.create(
                    [
                        {
                            **values,
                            "invoice_line_ids": [
                                Command.create({"claim_line_ids": claim.line_ids.ids})
                            ],
                        }
                    ]
                ),
            ):
                with self.assertRaises(UserError):
                    action()
        for user in (self.manager, self.sales, self.admin):
            for values in (
                {"move_ids": [Command.clear()]},
                {"settlement_state": "paid"},
                {"amount_credited": 1},
            ):
                with self.assertRaises(UserError):
                    claim.with_user(user).write(values)
        free = self.books.with_user(self.accountant).with_context(
            default_claim_id=claim.id, default_claim_line_ids=claim.line_ids.ids
        )
        free = free.create(
            {
                "move_type": "out_refund",
                "partner_id": self.customer.id,
                "invoice_line_ids": [Command.create({"name": "X", "price_unit": 1})],
            }
        )
        self.assertFalse(free.claim_id)
        self.assertFalse(free.sudo().invoice_line_ids.claim_line_ids)
        self.assertEqual(line.sudo().claim_line_ids, claim.line_ids)

    def test_document_stays_what_it_is(self):
        _claim, move = self._settle()
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            move.action_switch_move_type()
        currency = self.env["res.currency"].create({"name": "TSX", "symbol": "X"})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            move.currency_id = currency

    def test_settlement_is_fixed_once_settled(self):
        claim, _move = self._settle()
        with self._assert_refused(claim.name):
            claim.with_user(self.sales).settlement = "bill"

    def test_opens_each_other(self):
        claim, move = self._settle()
        self.assertEqual(
            claim.with_user(self.sales).action_view_documents()["res_id"], move.id
        )
        self.assertEqual(move.action_view_claim()["res_id"], claim.id)
        self.assertTrue(claim.with_user(self.sales).document_names)

    # === CURRENCIES === #

    def test_each_entry_at_the_rate_of_its_day(self):
        currency = self.env["res.currency"].create(
            {"name": "TSJ", "symbol": "J", "rounding": 1}
        )
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": self.company_a.id, **rate}
                for rate in (
                    {"name": "2026-03-01", "rate": 100},
                    {"name": "2026-03-10", "rate": 80},
                    {"name": "2026-03-20", "rate": 50},
                )
            ]
        )
        with freeze_time("2026-03-05"):
            claim, move = self._settle(
                lines=[{**OURS, "price_unit": 333, "quantity": 3}] * 2,
                currency_id=currency.id,
            )
        with freeze_time("2026-03-12"):
            self._post(move)
        with freeze_time("2026-03-22"):
            self._pay(move)
        with freeze_time("2026-03-25"):
            move.button_draft()
        self.assertRecordValues(
            claim.entry_ids.filtered(
                lambda e: e.balance in ("credited", "paid")
            ).sorted("sequence"),
            [
                {"kind": kind, "amount": amount, "amount_company": company}
                for kind, amount, company in (
                    ("credited", 999, 12.49),
                    ("credited", 999, 12.49),
                    ("paid", 999, 19.98),
                    ("paid", 999, 19.98),
                    ("reversal", -999, -12.49),
                    ("reversal", -999, -19.98),
                    ("reversal", -999, -12.49),
                    ("reversal", -999, -19.98),
                )
            ],
        )
        self._assert_books(claim, 0, 0)

    # === MANY === #

    def test_query_count_is_flat(self):
        def count(number):
            claim, move = self._settle(lines=[OURS] * number)
            self._post(move)
            self.env.flush_all()
            move.button_draft()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            claim.sudo().move_ids.write({"state": "posted"})
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(40), count(4) + 4)
