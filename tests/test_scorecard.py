"""Scorecards: made each month, sent once, never changed afterwards (Q1)."""

from contextlib import suppress
from datetime import date
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ResidentCommon, SmtpCatcher

CRON = "quality_resident.ir_cron_scorecards"
CRON_ALERTS = "quality_resident.ir_cron_scorecard_alerts"
FEBRUARY = date(2026, 2, 1)


class ScorecardCommon(ResidentCommon):
    """``self.figures[(site, month)]`` are the figures of a month, in place of moves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The job looks at all sites: only those of the tests, without the demo's.
        cls.env.cr.execute("DELETE FROM quality_scorecard")
        cls.env["resident.site"].search([]).active = False
        cls.sites = cls.site + cls.site_de + cls.site_b
        cls.sites.active = True
        cls.cards = cls.env["quality.scorecard"]
        cls.figures = {}
        cls.figure_calls = []

        def get_inputs(model, sites, month):
            cls.figure_calls.append((sites, month))
            names = model._get_input_fields()
            return {
                site: {
                    **dict.fromkeys(names, 0),
                    **cls.figures.get((site.id, month), {}),
                }
                for site in sites
            }

        cls.startClassPatcher(patch.object(type(cls.cards), "_get_inputs", get_inputs))

    def setUp(self):
        super().setUp()
        self.figures.clear()
        self.figure_calls.clear()

    def _create_card(self, site=None, month=FEBRUARY, user=None, **values):
        """Return the scorecard of a month with these figures."""
        site = site or self.site
        names = self.cards._get_input_fields()
        self.figures[(site.id, month)] = {
            name: values.pop(name) for name in names if name in values
        }
        return self.cards.with_user(user or self.env.user).create(
            {"site_id": site.id, "month": month, **values}
        )


@tagged("post_install", "-at_install")
class TestScorecard(SmtpCatcher, ScorecardCommon):
    # === FIGURES === #

    def test_ppm(self):
        card = self._create_card(delivered_qty=20000, bad_qty=3, suspect_qty=7)
        self.assertEqual((card.ppm, card.ppm_provisional), (150, 500))
        self.assertEqual((card.score, card.forecast_rating), (88, "B"))
        self.assertEqual(card.rule_id.name, "General Rule")

    def test_no_delivery_is_empty_not_zero(self):
        card = self._create_card(complaint_count=1, major_count=1)
        clean = self._create_card(self.site_de, delivered_qty=5)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertIs(card.ppm, False)
        self.assertIs(card.read(["ppm"])[0]["ppm"], False)
        self.assertEqual((clean.ppm, type(clean.ppm)), (0, float))
        self.assertEqual(self.cards.search([("ppm", "=", False)]), card)
        self.assertEqual(card.forecast_rating, "A")
        quiet = self._create_card(self.site_b)
        self.assertFalse(quiet.forecast_rating)
        self.assertIs(quiet.score, False)

    def test_ppm_of_several_months(self):
        """Σbad ÷ Σdelivered, never the mean of the months."""
        self._create_card(delivered_qty=1000, bad_qty=1)
        self._create_card(month=date(2026, 1, 1), delivered_qty=9000, bad_qty=0)
        self._create_card(self.site_de)
        groups = self.cards._read_group(
            [("site_id", "in", self.sites.ids)], ["site_id"], ["ppm:avg", "ppm:sum"]
        )
        self.assertEqual(
            dict((site, values) for site, *values in groups),
            {self.site: [100, 100], self.site_de: [False, False]},
        )

    def test_rates(self):
        card = self._create_card(
            arrival_count=4, arrival_on_time=3, complaint_count=2, handled_count=2
        )
        self.assertEqual((card.arrival_rate, card.handling_rate), (75, 100))
        self.assertIs(card.feedback_rate, False)

    def test_why(self):
        card = self._create_card(
            delivered_qty=10000, bad_qty=2, major_count=1, line_stop_minutes=12
        )
        html = str(card.composition_html)
        for words in ("Major complaints", "-16", "-8", "-4", "B at best", "72"):
            self.assertIn(words, html)
        self.assertEqual((card.score, card.rating), (72, "C"))

    def test_special_status_rates_anew(self):
        card = self._create_card(delivered_qty=10)
        own = card.with_user(self.quality)
        own.special_status = "cs2"
        self.assertEqual(card.forecast_rating, "D")
        own.special_status = False
        self.assertEqual(card.forecast_rating, "A")
        with self._assert_refused("Special Status", error=AccessError):
            card.with_user(self.resident).special_status = "cs1"

    def test_compute_anew(self):
        card = self._create_card(delivered_qty=10)
        self.figures[(self.site.id, FEBRUARY)] = {"delivered_qty": 20, "bad_qty": 1}
        card.with_user(self.resident).action_compute()
        self.assertEqual((card.delivered_qty, card.ppm), (20, 50000))

    # === MONTHS === #

    def test_made_on_the_first_at_the_site(self):
        """China's March begins eight hours before UTC's, Germany's one."""
        for moment, sites in (
            ("2026-02-28 15:59:00", self.site.browse()),
            ("2026-02-28 16:01:00", self.site + self.site_b),
            ("2026-02-28 23:01:00", self.sites),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON)
                made = self.cards.search([("month", "=", FEBRUARY)])
                self.assertEqual(made.site_id, sites)
        self.assertEqual(set(made.mapped("date_due")), {date(2026, 3, 2)})
        card = made.filtered(lambda c: c.site_id == self.site)
        self.assertEqual(str(card.deadline), "2026-03-02 15:59:59")

    def test_span_of_a_month(self):
        """February, and the hour that summer time takes from March in Germany."""
        for site, month, start, end in (
            (self.site, FEBRUARY, "2026-01-31 16:00:00", "2026-02-28 16:00:00"),
            (self.site, date(2028, 2, 1), "2028-01-31 16:00:00", "2028-02-29 16:00:00"),
            (
                self.site_de,
                date(2026, 3, 1),
                "2026-02-28 23:00:00",
                "2026-03-31 22:00:00",
            ),
            (
                self.site_de,
                date(2026, 10, 1),
                "2026-09-30 22:00:00",
                "2026-10-31 23:00:00",
            ),
        ):
            with self.subTest(site=site.code, month=month):
                self.assertEqual(
                    [str(moment) for moment in site._get_month_span(month)],
                    [start, end],
                )

    def test_made_once(self):
        with self._at("2026-03-01 12:00:00"):
            self._run_cron(CRON)
            self._run_cron(CRON)
        made = self.cards.search([("site_id", "in", self.sites.ids)])
        self.assertEqual(made.site_id, self.sites)
        self.assertEqual(len(made), 3)
        self.assertEqual(len(self._get_events(made, "scorecard_due")), 3)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_card()

    def test_killed_half_way(self):
        """What was made stays; the next run makes the rest, each once."""
        commits = []

        def commit(cron, *_args, **_kwargs):
            commits.append(1)
            if len(commits) == 2:
                raise KeyboardInterrupt
            return 100.0

        crons = type(self.env["ir.cron"])
        with self._at("2026-03-01 12:00:00"):
            # Not assertRaises, which undoes what happened inside.
            with (
                patch.object(crons, "_commit_progress", commit),
                suppress(KeyboardInterrupt),
            ):
                self.cards._cron_make()
            self.assertEqual(self.cards.search_count([("month", "=", FEBRUARY)]), 2)
            self._run_cron(CRON)
        made = self.cards.search([("month", "=", FEBRUARY)])
        self.assertEqual(sorted(made.site_id.ids), sorted(self.sites.ids))
        self.assertEqual(len(self._get_events(made, "scorecard_due")), 3)

    def test_one_site_fails(self):
        create = type(self.cards)._prepare_values

        def prepare(model, inputs, rule, status):
            if inputs["delivered_qty"] == 13:
                raise ValueError("Out of order")
            return create(model, inputs, rule, status)

        self.figures[(self.site.id, FEBRUARY)] = {"delivered_qty": 13}
        with (
            self._at("2026-03-01 12:00:00"),
            patch.object(type(self.cards), "_prepare_values", prepare),
            mute_logger(
                "odoo.addons.quality_resident.models.quality_scorecard_actions"
            ),
        ):
            self._run_cron(CRON)
        made = self.cards.search([("month", "=", FEBRUARY)])
        self.assertEqual(made.site_id, self.site_de + self.site_b)

    def test_figures_are_asked_for_once(self):
        with self._at("2026-03-01 12:00:00"):
            self._run_cron(CRON)
        self.assertEqual([(len(s), m) for s, m in self.figure_calls], [(3, FEBRUARY)])

    def test_month_that_is_not_over(self):
        with self._at("2026-03-31 15:00:00"), self._assert_refused("Month"):
            self._create_card(month=date(2026, 3, 1))
        with self._at("2026-03-31 16:00:00"):
            card = self._create_card(month=date(2026, 3, 17))
            self.assertEqual(card.month, date(2026, 3, 1))
            # In Germany it is still March.
            with self.assertRaises(ValidationError):
                self._create_card(self.site_de, month=date(2026, 3, 1))

    # === SENDING === #

    def test_sent_once_to_sales_and_quality(self):
        card = self._create_card(delivered_qty=10000, bad_qty=1)
        card.with_user(self.quality).action_send()
        self.assertEqual((card.state, card.sent_by_id), ("sent", self.quality))
        with self._assert_refused("Sent"):
            card.with_user(self.quality).action_send()
        self._send_mails()
        self._send_mails()
        self.assertEqual(
            self._get_addresses(),
            sorted(u.email for u in self.quality + self.sales + self.manager),
        )
        (mail,) = self._get_received(self.sales)
        self.assertIn("/odoo/scorecards/", mail.get_body(("html",)).get_content())
        (pdf,) = mail.iter_attachments()
        self.assertEqual(pdf.get_content(), card.pdf_id.raw)
        with self._assert_refused("archived document"):
            card.pdf_id.with_user(self.manager).raw = b"x"

    def test_who_sends(self):
        card = self._create_card()
        for user in (self.resident, self.sales, self.gm):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                card.with_user(user).action_send()
        both = card + self._create_card(self.site_de)
        both.with_user(self.manager).action_send()
        self.assertEqual(set(both.mapped("state")), {"sent"})

    def test_sent_figures_stay(self):
        card = self._create_card(delivered_qty=10)
        card.with_user(self.quality).action_send()
        self.figures[(self.site.id, FEBRUARY)] = {"delivered_qty": 99}
        with self._assert_refused("sent"):
            card.with_user(self.quality).action_compute()
        self.env.ref("quality_resident.rating_rule_default").copy(
            {"threshold_a": 100.5, "company_id": self.company_a.id}
        ).action_release()
        for values in ({"comment": "Later"}, {"special_status": "cs2"}):
            with self._assert_refused("no longer"):
                card.with_user(self.quality).write(values)
        self.assertEqual((card.delivered_qty, card.forecast_rating), (10, "A"))
        with self._assert_refused("stays on record"):
            card.with_user(self.manager).unlink()

    def test_rpc_writes_are_refused(self):
        card = self._create_card(delivered_qty=10)
        for name, value in (
            ("state", "sent"),
            ("delivered_qty", 1),
            ("ppm", 0),
            ("score", 100),
            ("forecast_rating", "A"),
            ("rating", "A"),
            ("composition", []),
            ("sent_at", "2026-03-01"),
            ("date_due", "2027-01-01"),
            ("customer_recorded_by_id", 1),
        ):
            for user in (self.quality, self.manager):
                with self.subTest(name=name, user=user.login):
                    with self.assertRaises(UserError):
                        card.with_user(user).write({name: value})
        with self.assertRaises(UserError):
            self.cards.with_user(self.manager).create(
                {"site_id": self.site_de.id, "month": "2026-02-01", "delivered_qty": 5}
            )
        for values in ({"month": "2026-01-01"}, {"site_id": self.site_de.id}):
            with self.subTest(**values), self.assertRaises(UserError):
                card.with_user(self.manager).write(values)

    def test_comment(self):
        card = self._create_card()
        card.with_user(self.resident).comment = "Two lots in quarantine"
        with self.assertRaises(AccessError):
            card.with_user(self.sales).comment = "x"
        with self.assertRaises(AccessError):
            card.with_user(self.gm).comment = "x"

    def test_late_ones_are_chased(self):
        with self._at("2026-03-01 02:00:00"):
            self._run_cron(CRON)
            card = self.cards.search([("site_id", "=", self.site.id)])
            self._send_mails()
            self.assertEqual(len(self._get_received(self.resident, self.quality)), 2)
        activities = card.activity_ids
        self.assertEqual(activities.user_id, self.resident + self.quality)
        for moment, kinds in (
            ("2026-03-02 15:00:00", {"half"}),
            ("2026-03-02 16:01:00", {"half", "late"}),
            ("2026-03-03 16:01:00", {"half", "late", "escalated"}),
        ):
            with self.subTest(moment=moment), self._at(moment):
                self._run_cron(CRON_ALERTS)
                self._run_cron(CRON_ALERTS)
                events = self._get_events(card)
                told = set(events.mapped("kind")) - {"scorecard_due"}
                self.assertEqual(told, kinds)
        self.mailbox.mails.clear()
        with self._at("2026-03-03 16:02:00"):
            self._send_mails()
        for user in (self.gm, self.manager):
            subjects = [mail["subject"] for mail in self._get_received(user)]
            self.assertEqual(len([s for s in subjects if "TSTCN" in s]), 1, subjects)
        with self._at("2026-03-03 17:00:00"):
            card.with_user(self.manager).action_send()
        self.assertFalse(card.activity_ids)
        self.assertFalse(card.next_alert_at)

    def test_server_was_down_on_the_first(self):
        with self._at("2026-03-09 02:00:00"):
            self._run_cron(CRON)
        card = self.cards.search([("site_id", "=", self.site.id)])
        self.assertEqual(card.date_due, date(2026, 3, 2))
        self.assertEqual(str(card.deadline), "2026-03-10 15:59:59")

    # === THE CUSTOMER'S VERDICT === #

    def test_verdict_comes_late(self):
        card = self._create_card(delivered_qty=10000, bad_qty=1)
        card.with_user(self.quality).action_send()
        card.with_user(self.manager).action_freeze()
        own = card.with_user(self.sales)
        own.write({"customer_rating": "B", "customer_ppm": 0, "gap_reason": "Not his"})
        self.assertEqual((card.rating, card.forecast_rating), ("B", "A"))
        self.assertIsNot(card.customer_ppm, False)
        self.assertEqual(card.customer_recorded_by_id, self.sales)
        self.assertEqual((card.state, card.delivered_qty), ("frozen", 10000))
        with self.assertRaises(AccessError):
            card.with_user(self.resident).customer_rating = "A"
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            own.customer_ppm = -1
            self.env.flush_all()

    def test_previous_rating(self):
        before = self._create_card(month=date(2026, 1, 1), delivered_qty=10)
        card = self._create_card(delivered_qty=10)
        self.assertEqual((before.previous_rating, card.previous_rating), (False, "A"))

    # === FREEZING === #

    def test_ppm_of_several_cards_is_a_sum_over_a_sum(self):
        cards = self._create_card() + self._create_card(self.site_de)
        for card, delivered, bad in zip(cards, (1000, 9000), (5, 5), strict=True):
            card._write_protected(
                {"delivered_qty": delivered, "bad_qty": bad, "suspect_qty": 10}
            )
        domain = [("id", "in", cards.ids)]
        sums = ["ppm:avg", "ppm_provisional:avg"]
        self.assertEqual(cards._read_group(domain, [], sums), [(1000, 3000)])
        cards._write_protected({"delivered_qty": 0})
        (group,) = cards._read_group(domain, ["site_id"], sums)[:1]
        self.assertFalse(group[1])

    def test_a_sent_card_keeps_its_customer(self):
        card = self._create_card()
        customer = card.partner_id
        card.action_send()
        self.site.partner_id = self.env["res.partner"].create({"name": "New Owner"})
        self.assertEqual(card.partner_id, customer)

    def test_frozen_after_some_days(self):
        self.company_b.scorecard_freeze_days = 0
        with self._at("2026-03-01 02:00:00"):
            cards = self._create_card() + self._create_card(self.site_b)
            cards.action_send()
        with self._at("2026-03-31 01:00:00"):
            self._run_cron(CRON)
            self.assertEqual(cards.mapped("state"), ["sent", "sent"])
        with self._at("2026-03-31 03:00:00"):
            self._run_cron(CRON)
        self.assertEqual(cards.mapped("state"), ["frozen", "sent"])
        with self.assertRaises(AccessError):
            cards[1].with_user(self.quality).action_freeze()
        cards[1].with_user(self.manager_b).action_freeze()
        self.assertEqual(cards[1].state, "frozen")

    def test_delete_a_draft(self):
        self._create_card(user=self.quality).with_user(self.quality).unlink()
        # Made anew it would not be late, and the customer's verdict would be lost.
        told = self._create_card(user=self.quality, customer_rating="C")
        with self._at("2026-03-01 02:00:00"):
            self._run_cron(CRON)
        late = self.cards.search([("site_id", "=", self.site_de.id)])
        with self._at("2026-03-04 02:00:00"):
            for card in (told, late):
                with self._assert_refused(card.name):
                    card.with_user(self.manager).unlink()
        with self.assertRaises(AccessError):
            self._create_card(user=self.resident)

    # === SEVERAL OF THEM === #

    def test_killed_connection_leaves_no_half_card(self):
        """A card, its event and its figures are one transaction."""
        with self._at("2026-03-01 12:00:00"), self._rolled_back():
            self.cards._try_make(
                self.site,
                FEBRUARY,
                self.cards._get_inputs(self.site, FEBRUARY)[self.site],
                self.env.ref("quality_resident.rating_rule_default"),
            )
        self.assertFalse(self.cards.search([("month", "=", FEBRUARY)]))
        self.assertFalse(
            self.env["resident.event"].search([("kind", "=", "scorecard_due")])
        )
