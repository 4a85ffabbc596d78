"""Claims: the notice, the joint judgement and who may do what (L1-L3)."""

from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SmtpCatcher
from .test_claim_ledger import ClaimCommon

VIN = "LFV2A21K3P4000001"


@tagged("post_install", "-at_install")
class TestClaim(ClaimCommon):
    # === NOTICE === #

    def test_notice_of_the_site_s_customer(self):
        claim = self._create_claim(lines=[{"quantity": 3}, {"amount": 12}])
        self.assertEqual(claim.partner_id, self.customer)
        self.assertEqual(claim.currency_id, self.company_a.currency_id)
        self.assertTrue(claim.name.startswith("CL/"))
        self.assertEqual(claim.line_ids.mapped("amount"), [300, 12])
        self.assertEqual(claim.amount_notice, 312)
        self.assertEqual(claim.undecided_count, 2)

    def test_same_notice_once(self):
        claim = self._create_claim(notice_ref="N-1")
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self._create_claim(notice_ref=" N-1 ")
        claim.with_user(self.quality).action_withdraw("Entered in error")
        self._create_claim(notice_ref="N-1")
        self._create_claim(notice_ref=False)
        self._create_claim(notice_ref=False)

    def test_numbers_that_cannot_be(self):
        for values in ({"quantity": 0}, {"amount": -1}, {"mileage": -1}):
            with (
                self.subTest(values=values),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self._create_claim(lines=[values])
        for values in (
            {"responsibility": "shared", "our_share": 100},
            {"responsibility": "ours", "our_share": 50},
            {"lot_id": self._create_lot("L-2", self.product_2).id},
        ):
            with (
                self.subTest(values=values),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self._create_claim(lines=[values])

    def test_nothing_to_judge(self):
        claim = self._create_claim(lines=())
        with self._assert_refused(claim.name, "Parts"):
            claim.action_judge()

    def test_vehicle_claimed_twice_is_said(self):
        first = self._create_claim(lines=[{"vin": VIN, "failed_on": "2026-01-05"}])
        second = self._create_claim(
            lines=[
                {"vin": " lfv2a21k3p4 000001", "failed_on": "2026-01-05"},
                {"vin": VIN, "failed_on": "2026-02-05"},
            ]
        )
        self.assertEqual(second.line_ids[0].duplicate_ids, first.line_ids)
        self.assertFalse(second.line_ids[1].duplicate_ids)
        second.action_judge()
        self.assertIn(first.name, "".join(second.message_ids.mapped("body")))
        first.with_user(self.quality).action_withdraw("Twice")
        self.env.invalidate_all()
        self.assertFalse(second.line_ids.duplicate_ids)

    def test_vehicle_claimed_at_another_site_is_named_only(self):
        part = {"vin": VIN, "failed_on": "2026-01-05"}
        first = self._create_claim(self.resident_de, site=self.site_de, lines=[part])
        second = self._create_claim(lines=[part])
        self.env.invalidate_all()
        # As the form reads it.
        fields = {"duplicate_names": {}, "duplicate_ids": {}}
        [row] = second.web_read({"line_ids": {"fields": fields}})
        self.assertEqual(row["line_ids"][0]["duplicate_names"], first.name)
        second.action_judge()
        self.assertIn(first.name, "".join(second.message_ids.mapped("body")))
        with self.assertRaises(AccessError):
            second.line_ids.duplicate_ids.read(["vin"])

    def test_serial_claimed_twice_in_one_notice(self):
        lot = self._create_lot("S-1")
        claim = self._create_claim(lines=[{"lot_id": lot.id}, {"lot_id": lot.id}])
        first, second = claim.line_ids
        self.assertEqual(second.duplicate_ids, first)
        self.assertFalse(first.duplicate_ids)

    # === IMPORT === #

    def _load(self, claim, rows):
        fields = ["product_id", "vin", "quantity", "price_unit", "failed_on"]
        return (
            self.env["quality.claim.line"]
            .with_user(self.manager)
            .with_context(default_claim_id=claim.id)
            .load(fields, rows)
        )

    @staticmethod
    def _get_rows(count):
        return [
            ["TST-SEAL", f"LFV2A21K3P4{number:06d}", "1", "2.5", "2026-01-05"]
            for number in range(count)
        ]

    def test_import(self):
        claim = self._create_claim(lines=())
        result = self._load(claim, self._get_rows(300))
        self.assertFalse(result["messages"])
        self.assertEqual(len(claim.line_ids), 300)
        self.assertEqual(claim.amount_notice, 750)

    def test_import_names_bad_rows_and_keeps_nothing(self):
        claim = self._create_claim(lines=())
        rows = self._get_rows(100)
        rows[3][0] = "NO-SUCH-PART"
        rows[57][4] = "yesterday"
        result = self._load(claim, rows)
        self.assertFalse(result["ids"])
        self.assertEqual(
            {message["rows"]["from"] for message in result["messages"]}, {3, 57}
        )
        self.assertIn("NO-SUCH-PART", result["messages"][0]["message"])
        self.assertFalse(claim.line_ids)

    def test_import_template(self):
        (template,) = self.env["quality.claim.line"].get_import_templates()
        self.assertIn("quality.claim.line", template["template"])

    # === JUDGEMENT === #

    def test_judged_when_nothing_is_open(self):
        claim = self._create_claim(lines=[{}, {}])
        claim.action_judge()
        self.assertEqual(claim.state, "judging")
        self.assertEqual(claim.amount_claimed, 200)
        with self._assert_refused("judging".capitalize()):
            claim.with_user(self.quality).action_agree()
        claim.line_ids[0].responsibility = "theirs"
        claim.action_judge()
        self.assertEqual(claim.state, "judging")
        claim.line_ids[1].write(
            {"responsibility": "shared", "our_share": 25, "customer_judge": "Li Wei"}
        )
        claim.action_judge()
        self.assertEqual(claim.state, "judged")
        self.assertEqual(claim.line_ids.judged_by_id, self.resident)
        self.assertTrue(all(claim.line_ids.mapped("judged_at")))
        # Back to open: both sides must decide before they agree.
        claim.line_ids[0].responsibility = "open"
        self.assertFalse(claim.line_ids[0].judged_by_id)
        with self._assert_refused(claim.name, "undecided"):
            claim.with_user(self.quality).action_agree()
        claim.line_ids[0].responsibility = "theirs"
        claim.with_user(self.quality).action_agree()
        self.assertEqual(claim.amount_accepted, 25)
        self.assertEqual(claim.amount_refused, 175)

    def test_noticed_stays_once_in_the_ledger(self):
        claim = self._create_claim()
        claim.line_ids.quantity = 2
        claim.action_judge()
        for values in (
            {"quantity": 3},
            {"amount": 5},
            {"vin": VIN},
            {"product_id": self.product_2.id},
        ):
            with self._assert_refused(claim.name):
                claim.line_ids.write(values)
        with self._assert_refused(claim.name):
            claim.line_ids.create({"claim_id": claim.id, "product_id": self.product.id})
        with self._assert_refused(claim.name):
            claim.line_ids = [Command.clear()]
        for values in ({"site_id": self.site_de.id}, {"notice_ref": "X"}):
            with self.assertRaises(UserError):
                claim.with_user(self.manager).write(values)
        agreed = self._create_agreed()
        with self._assert_refused(agreed.name):
            agreed.line_ids.responsibility = "theirs"
        with self._assert_refused(agreed.name):
            agreed.with_user(self.manager).line_ids.our_share = 10

    def test_state_moves_through_actions_only(self):
        claim = self._create_claim()
        for user in (self.resident, self.manager, self.admin, self.root):
            own = claim.with_user(user)
            for values in (
                {"state": "settled"},
                {"agreed_at": "2026-01-01 00:00:00"},
                {"escalated_at": "2026-01-01 00:00:00"},
            ):
                with self.subTest(user=user.login, values=values):
                    with self.assertRaises(UserError):
                        own.write(values)
            with self.assertRaises(UserError):
                own.line_ids.write({"judged_by_id": self.gm.id})
            with self.assertRaises(UserError):
                own.create({"site_id": self.site.id, "state": "agreed"})

    def test_who_agrees_and_settles(self):
        claim = self._create_claim(lines=[{"responsibility": "theirs"}])
        for user in (self.sales, self.gm):
            with self.assertRaises(AccessError):
                claim.with_user(user).action_judge()
        claim.action_judge()
        for user in (self.resident, self.gm):
            with self.assertRaises(AccessError):
                claim.with_user(user).action_agree()
        claim.with_user(self.sales).action_agree()
        for user in (self.resident, self.quality, self.gm):
            with self.assertRaises(AccessError):
                claim.with_user(user).action_settle()
        for action in ("action_withdraw", "action_reopen"):
            with self.assertRaises(AccessError):
                getattr(claim.with_user(self.resident), action)("No")
            with self._assert_refused("Reason"):
                getattr(claim.with_user(self.quality), action)()
        claim.with_user(self.sales).action_settle()
        with self._assert_refused(claim.name):
            claim.with_user(self.sales).action_withdraw("Too late")

    def test_other_sites_and_companies(self):
        claim = self._create_claim()
        for user in (self.resident_de, self.resident_b, self.manager_b, self.outsider):
            with self.assertRaises(AccessError):
                claim.with_user(user).action_judge()
            with self.assertRaises(AccessError):
                claim.line_ids.with_user(user).write({"responsibility": "theirs"})

    def test_who_only_reads_writes_no_entry(self):
        claim = self._create_claim()
        claim.action_judge()
        claim.entry_ids.with_user(self.sales).action_reverse("By mistake")
        with self.assertRaises(AccessError):
            claim.with_user(self.gm).action_judge()
        self.assertEqual(len(claim.entry_ids), 2)

    def test_sent_back_is_judged_before(self):
        returned = self.env["quality.return"].create(
            {
                "site_id": self.site.id,
                "line_ids": [Command.create({"product_id": self.product.id})],
            }
        )
        claim = self._create_claim(
            lines=[
                {"responsibility": "ours", "return_line_id": returned.line_ids.id},
            ]
        )
        with self._assert_refused("Sent Back in"):
            claim.action_judge()
        other = self.env["quality.return"].create(
            {
                "site_id": self.site.id,
                "line_ids": [Command.create({"product_id": self.product_2.id})],
            }
        )
        with self.assertRaises(ValidationError):
            claim.line_ids.return_line_id = other.line_ids
        claim.line_ids.return_line_id = False
        claim.action_judge()
        self.assertEqual(claim.state, "judged")

    def test_copy_is_a_new_notice(self):
        claim = self._create_agreed(notice_ref="N-9")
        copy = claim.with_user(self.resident).copy()
        self.assertRecordValues(
            copy, [{"state": "received", "notice_ref": False, "amount_claimed": 0}]
        )
        self.assertEqual(copy.line_ids.responsibility, "open")
        self.assertFalse(copy.line_ids.judged_by_id)

    def test_lines_queries_are_flat(self):
        def count(number):
            claim = self._create_claim(lines=[{"vin": VIN}] * number)
            claim.action_judge()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            claim.line_ids.write({"responsibility": "ours"})
            claim.line_ids.mapped("duplicate_ids")
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(50), count(2) + 2)


@tagged("post_install", "-at_install")
class TestClaimMail(SmtpCatcher, ClaimCommon):
    def test_large_and_undecided_goes_to_sales_and_quality(self):
        self.site.claim_amount = 150
        small = self._create_claim()
        large = self._create_claim(lines=[{}, {}])
        decided = self._create_claim(lines=[{"responsibility": "ours"}] * 2)
        self._get_events(small | large | decided, "claim_new").unlink()
        (small | large | decided).action_judge()
        self.assertTrue(large.escalated_at)
        self.assertFalse((small | decided).filtered("escalated_at"))
        large.action_judge()
        self.assertEqual(len(self._get_events(large, "claim_escalated")), 1)
        self._send_mails()
        self.assertEqual(
            self._get_addresses(), sorted([self.sales.email, self.quality.email])
        )
        (mail,) = self._get_received(self.sales)
        self.assertIn(large.name, mail["subject"])
        body = mail.get_body(("html",)).get_content()
        self.assertIn(f"/odoo/claims/{large.id}", body)

    def test_quantity_above_the_site_s(self):
        self.site.claim_quantity = 5
        claim = self._create_claim(lines=[{"quantity": 6}])
        claim.action_judge()
        self.assertTrue(claim.escalated_at)

    def test_escalated_by_hand(self):
        claim = self._create_claim()
        self._get_events(claim, "claim_new").unlink()
        claim.action_escalate()
        self.assertEqual(len(self._get_events(claim, "claim_escalated")), 1)
        claim.line_ids.responsibility = "ours"
        with self._assert_refused(claim.name, "undecided"):
            claim.action_escalate()
        # Decided before anybody was told: nobody is.
        self._send_mails()
        self.assertFalse(self.mailbox.mails)

    def test_limit_cannot_be_negative(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.site.claim_amount = -1
            self.env.flush_all()

    def test_mail_is_not_sent_in_the_transaction(self):
        with patch.object(type(self.env["mail.mail"]), "send") as send:
            self._create_claim().action_escalate()
        send.assert_not_called()
