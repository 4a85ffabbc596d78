"""C or D two months running: a daily report each working day (Q2)."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SmtpCatcher
from .test_scorecard import ScorecardCommon

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
# Figures that the default rule rates A and C.
GOOD = {"delivered_qty": 10000}
BAD = {"delivered_qty": 10000, "bad_qty": 5}


@tagged("post_install", "-at_install")
class TestStreak(SmtpCatcher, ScorecardCommon):
    def _rate(self, *ratings, site=None, start=1):
        """Return scorecards from the month ``start`` on, with these forecasts."""
        cards = self.cards
        for number, rating in enumerate(ratings, start=start):
            figures = {"A": GOOD, "C": BAD, "-": {}}[rating]
            cards += self._create_card(site, date(2026, number, 1), **figures)
        return cards

    def test_two_months_running(self):
        self._rate("C")
        self.assertFalse(self.site.streak_since)
        self._rate("C", start=2)
        self.assertEqual(self.site.streak_since, MARCH)
        self._rate("C", start=3)
        self.assertEqual(self.site.streak_since, MARCH)
        self.assertFalse(self.site_de.streak_since)

    def test_not_running(self):
        self._rate("C", "A", "C")
        self.assertFalse(self.site.streak_since)

    def test_month_missing_breaks_it(self):
        """A month that nobody rated cannot be counted as bad."""
        self._rate("C")
        self._rate("C", start=3)
        self.assertFalse(self.site.streak_since)

    def test_month_without_delivery_neither_ends_nor_extends(self):
        self._rate("C", "-")
        self.assertFalse(self.site.streak_since)
        self._rate("C", start=3)
        self.assertEqual(self.site.streak_since, date(2026, 4, 1))
        self._rate("-", start=4)
        self.assertEqual(self.site.streak_since, date(2026, 4, 1))

    def test_customer_s_rating_goes_first(self):
        first, second = self._rate("A", "A")
        (first + second).with_user(self.sales).write({"customer_rating": "D"})
        self.assertEqual(self.site.streak_since, MARCH)

    def test_late_rating_ends_it(self):
        _first, second, third = self._rate("C", "C", "C")
        third.with_user(self.quality).action_send()
        third.with_user(self.sales).customer_rating = "B"
        self.assertFalse(self.site.streak_since)
        second.with_user(self.sales).customer_rating = "D"
        self.assertFalse(self.site.streak_since)
        third.with_user(self.sales).customer_rating = "C"
        self.assertEqual(self.site.streak_since, MARCH)

    def test_late_rating_moves_its_begin(self):
        first, _second, _third = self._rate("C", "C", "C")
        first.with_user(self.sales).customer_rating = "A"
        self.assertEqual(self.site.streak_since, date(2026, 4, 1))

    def test_told_at_begin_and_end(self):
        cards = self._rate("C", "C", "C")
        self.assertEqual(len(self._get_events(cards, "streak_started")), 1)
        self._send_mails()
        people = self.resident + self.sales + self.quality + self.manager + self.gm
        self.assertTrue({u.email for u in people} <= set(self._get_addresses()))
        self.mailbox.mails.clear()
        cards[-1].with_user(self.sales).customer_rating = "A"
        self.assertEqual(len(self._get_events(cards, "streak_ended")), 1)
        self._send_mails()
        (mail,) = self._get_received(self.gm)
        self.assertIn("streak is over", mail["subject"])

    def test_corrected_before_anybody_was_told(self):
        cards = self._rate("C", "C")
        cards[-1].with_user(self.sales).customer_rating = "A"
        self._send_mails()
        self.assertFalse(
            [m for m in self._get_received(self.gm) if "running" in m["subject"]]
        )

    def test_not_by_hand(self):
        site = self.site.with_user(self.manager)
        with self._assert_refused("scorecards"):
            site.streak_since = "2026-03-01"
        with self.assertRaises(UserError):
            self._create_site("HAND", streak_since="2026-03-01")
        self.assertFalse(self.site.copy().streak_since)

    def test_two_sites_two_companies(self):
        self._rate("C", "C")
        self._rate("C", "C", site=self.site_b)
        self.cards.search([("site_id", "=", self.site.id)])[0].customer_rating = "A"
        self.assertFalse(self.site.streak_since)
        self.assertEqual(self.site_b.streak_since, MARCH)

    def test_deleted_month(self):
        cards = self._rate("C", "C")
        cards[-1].with_user(self.manager).unlink()
        self.assertFalse(self.site.streak_since)

    # === DAILY REPORTS === #

    def test_daily_report_on_working_days(self):
        """Monday to Friday, not on the customer's holidays, not before it begins."""
        self.assertFalse(self.site._is_daily_report_due(date(2026, 3, 2)))
        self._rate("C", "C")
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Plant holiday",
                "calendar_id": self.calendar.id,
                "company_id": self.company_a.id,
                "date_from": "2026-03-03 16:00:00",
                "date_to": "2026-03-04 15:59:59",
            }
        )
        for day, due in (
            (date(2026, 2, 27), False),
            (date(2026, 3, 1), False),
            (date(2026, 3, 2), True),
            (date(2026, 3, 3), True),
            (date(2026, 3, 4), False),
            (date(2026, 3, 5), True),
            (date(2026, 3, 7), False),
        ):
            with self.subTest(day=day):
                self.assertEqual(
                    self.site.with_user(self.resident)._is_daily_report_due(day), due
                )

    def test_day_on_which_the_clocks_change(self):
        self.calendar_de.attendance_ids.copy({"dayofweek": "6"})
        self._rate("C", "C", site=self.site_de)
        self.assertTrue(self.site_de._is_daily_report_due(date(2026, 3, 29)))
