from contextlib import suppress

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common import ResidentCommon, SmtpCatcher
from .test_containment import ContainmentCommon

THREE_SHIFTS = ((0, 6), (6, 14), (14, 22), (22, 24))
CALL = "2026-03-10 01:00:00"


class BreakpointCommon(ContainmentCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site.calendar_id = cls._create_calendar(
            "Test three shifts", "Asia/Shanghai", THREE_SHIFTS, days="0123456"
        )

    def _create_mark(self, complaint=None, user=None, **values):
        complaint = complaint or self._create_contained()
        return (
            self.env["quality.breakpoint"]
            .with_user(user or self.resident)
            .create(
                {
                    "complaint_id": complaint.id,
                    "value": "L8",
                    "handed_to_id": self.sqe.id,
                    "online_at": complaint.called_at,
                    **values,
                }
            )
        )

    def _create_contained(self, state="contained", **values):
        with self._at(CALL):
            return self._create_in_state(state, called_at=CALL, **values)

    def _create_missed(self, state="contained"):
        """Return a breakpoint whose complaint was sorted by two people."""
        complaint = self._create_contained("new")
        with self._at(CALL):
            complaint.action_send_feedback()
            complaint.action_open_containment()
            self.posting_standin.role = "resident"
            sorting = self._get_sorting(complaint, self.assembly)
            sorting.qty_expected = 10
            self._count(sorting, self.standin, qty_good=8)
            wrong = self._count(sorting, self.resident, qty_good=1)
            wrong.action_undo()
            self._count(sorting, self.standin, qty_good=2)
            self._get_sorting(complaint, self.warehouse).is_empty = True
            self._get_sorting(complaint, self.place).qty_expected = 4
            self._count(
                self._get_sorting(complaint, self.place), self.resident, qty_good=4
            )
            complaint.inspection_ids.action_confirm()
            complaint.action_contain()
            if state != "contained":
                complaint.action_analyse()
            if state == "verifying":
                complaint.action_verify()
        self._get_events(complaint).unlink()
        return self._create_mark(complaint)


@tagged("post_install", "-at_install")
class TestWatch(ResidentCommon):
    """Until when a breakpoint is watched: one full shift after it went on line."""

    def _assert_until(self, calendar, *cases):
        self.site.calendar_id = calendar
        for online, until in cases:
            with self.subTest(online=online):
                expected = until and fields.Datetime.to_datetime(until)
                moment = fields.Datetime.to_datetime(online)
                self.assertEqual(self.site._get_full_shift_end(moment), expected)

    def _create_leave(self, calendar, start, stop):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "calendar_id": calendar.id,
                "date_from": start,
                "date_to": stop,
                "time_type": "leave",
            }
        )

    def test_three_shifts(self):
        # Tuesday in Changchun: 6:00, 14:00 and 22:00 are 22:00, 6:00 and 14:00 UTC.
        self._assert_until(
            self._create_calendar("3", "Asia/Shanghai", THREE_SHIFTS, days="0123456"),
            # As the early shift begins: that one is watched.
            ("2026-03-09 22:00:00", "2026-03-10 06:00:00"),
            # A second later it has begun: the late shift is the first full one.
            ("2026-03-09 22:00:01", "2026-03-10 14:00:00"),
            ("2026-03-10 03:00:00", "2026-03-10 14:00:00"),
            ("2026-03-10 06:00:00", "2026-03-10 14:00:00"),
            # In the late shift: the night shift, over midnight, until 6:00.
            ("2026-03-10 06:00:01", "2026-03-10 22:00:00"),
            ("2026-03-10 14:00:00", "2026-03-10 22:00:00"),
            # In the night shift, before and after midnight: the early shift.
            ("2026-03-10 15:00:00", "2026-03-11 06:00:00"),
            ("2026-03-10 16:00:00", "2026-03-11 06:00:00"),
            ("2026-03-10 18:00:00", "2026-03-11 06:00:00"),
        )

    def test_one_shift(self):
        self._assert_until(
            self._create_calendar("1", "Asia/Shanghai"),
            ("2026-03-10 00:00:00", "2026-03-10 09:00:00"),
            ("2026-03-10 04:00:00", "2026-03-11 09:00:00"),
            # Friday noon: Monday.
            ("2026-03-13 04:00:00", "2026-03-16 09:00:00"),
        )

    def test_night_shift_only(self):
        self._assert_until(
            self._create_calendar(
                "N", "Asia/Shanghai", ((0, 6), (22, 24)), days="0123456"
            ),
            ("2026-03-10 13:00:00", "2026-03-10 22:00:00"),
            ("2026-03-10 15:00:00", "2026-03-11 22:00:00"),
        )

    def test_holiday(self):
        calendar = self._create_calendar("1", "Asia/Shanghai")
        self._create_leave(calendar, "2026-03-10 16:00:00", "2026-03-11 16:00:00")
        self._assert_until(calendar, ("2026-03-10 04:00:00", "2026-03-12 09:00:00"))

    def test_our_own_holiday_does_not_count(self):
        calendar = self._create_calendar("1", "Asia/Shanghai")
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Our holiday",
                "company_id": self.company_a.id,
                "calendar_id": False,
                "date_from": "2026-03-10 16:00:00",
                "date_to": "2026-03-11 16:00:00",
            }
        )
        self._assert_until(calendar, ("2026-03-10 04:00:00", "2026-03-11 09:00:00"))

    def test_plant_closed_for_long(self):
        calendar = self._create_calendar("1", "Asia/Shanghai")
        self._create_leave(calendar, "2026-03-09 16:00:00", "2026-03-30 16:00:00")
        self._assert_until(calendar, ("2026-03-10 04:00:00", "2026-03-31 09:00:00"))

    def test_no_shifts(self):
        self._assert_until(
            self._create_calendar("0", "Asia/Shanghai", ()),
            ("2026-03-10 04:00:00", False),
        )

    def test_summer_time(self):
        """The night of 29 March 2026 is an hour short in Berlin."""
        self._assert_until(
            self._create_calendar("B", "Europe/Berlin", THREE_SHIFTS, days="0123456"),
            # Winter: UTC+1.
            ("2026-03-27 13:00:00", "2026-03-27 21:00:00"),
            # The night shift begins at UTC+1 and ends at UTC+2.
            ("2026-03-28 21:00:00", "2026-03-29 04:00:00"),
            ("2026-03-28 22:00:00", "2026-03-29 12:00:00"),
            # And an hour long in October.
            ("2026-10-24 20:00:00", "2026-10-25 05:00:00"),
        )

    def test_no_shifts_is_watched_for_a_day(self):
        self.site.calendar_id = self._create_calendar("0", "Asia/Shanghai", ())
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL)
            mark = (
                self.env["quality.breakpoint"]
                .with_user(self.resident)
                .create({"complaint_id": complaint.id, "value": "L8"})
            )
            with self._assert_refused("L8"):
                mark.action_hold()
        self.assertEqual(str(mark.watch_until), "2026-03-11 01:00:00")
        with self._at(mark.watch_until):
            mark.action_hold()
        self.assertEqual(mark.state, "holds")

    def test_field_follows_the_line(self):
        with self._at(CALL):
            complaint = self._create_complaint(called_at=CALL)
            mark = self.env["quality.breakpoint"].create(
                {"complaint_id": complaint.id, "value": "L8", "online_at": CALL}
            )
        # 9:00 in Changchun: the shift from 8 to 17 has begun.
        self.assertEqual(str(mark.watch_until), "2026-03-11 09:00:00")
        mark.online_at = "2026-03-11 04:00:00"
        self.assertEqual(str(mark.watch_until), "2026-03-12 09:00:00")


@tagged("post_install", "-at_install")
class TestBreakpoint(BreakpointCommon):
    # === HOLDS === #

    def test_holds_after_one_full_shift(self):
        mark = self._create_mark()
        self.assertEqual(str(mark.watch_until), "2026-03-10 14:00:00")
        for moment in (CALL, "2026-03-10 06:00:00", "2026-03-10 13:59:59"):
            with self.subTest(moment=moment), self._at(moment):
                # 22:00 at the site, said as there.
                with self._assert_refused("L8", "10:00"):
                    mark.action_hold()
        self.assertEqual(mark.state, "watching")
        with self._at("2026-03-10 14:00:00") as now:
            mark.action_hold()
        self.assertEqual((mark.state, mark.decided_at), ("holds", now))

    def test_one_of_two_is_too_early(self):
        complaint = self._create_contained()
        ready = self._create_mark(complaint)
        early = self._create_mark(
            complaint, value="L9", online_at="2026-03-10 08:00:00"
        )
        with self._at("2026-03-10 15:00:00"):
            with self._assert_refused("L9"):
                (ready + early).action_hold()
        self.assertEqual((ready + early).mapped("state"), ["watching"] * 2)
        with self._at("2026-03-10 23:00:00"):
            (ready + early).action_hold()
        self.assertEqual((ready + early).mapped("state"), ["holds"] * 2)

    def test_on_line_before_the_call(self):
        complaint = self._create_contained()
        with self._assert_refused("L8", error=ValidationError):
            self._create_mark(complaint, online_at="2026-03-10 00:59:59")

    def test_held_is_final(self):
        mark = self._create_mark()
        with self._at("2026-03-10 14:00:00"):
            mark.action_hold()
            with self.assertRaises(UserError):
                mark.action_hold()

    # === FAILS === #

    def test_fails_at_ten_past_six(self):
        """The issue's scenario: in the early shift after the one that was watched."""
        mark = self._create_missed()
        complaint = mark.complaint_id
        missed = self._get_sorting(complaint, self.assembly)
        others = complaint.inspection_ids - missed
        # 6:10 in Changchun.
        with self._at("2026-03-10 22:10:00") as now:
            self.env["quality.breakpoint.fail"].with_user(self.resident).with_context(
                active_id=mark.id, active_model=mark._name
            ).create(
                {"reason": "Scratch on lot 8", "place_id": self.assembly.id}
            ).action_apply()
        self.assertRecordValues(
            mark,
            [
                {
                    "state": "failed",
                    "decided_at": now,
                    "failed_place_id": self.assembly.id,
                    "failed_reason": "Scratch on lot 8",
                    "failed_sorter_ids": self.standin.ids,
                }
            ],
        )
        self.assertEqual(complaint.state, "reported")
        self.assertEqual(missed.state, "ready")
        self.assertEqual(set(others.mapped("state")), {"success"})
        self.assertEqual(complaint.places_open, 1)
        with self._assert_refused(self.assembly.display_name):
            complaint.action_contain()

    def test_missed_place_is_sorted_again(self):
        """What was sorted before the failure proves nothing any more."""
        mark = self._create_missed()
        complaint = mark.complaint_id
        mark.action_fail(reason="Scratch", place_id=self.assembly.id)
        missed = self._get_sorting(complaint, self.assembly)
        with self._assert_refused(self.assembly.display_name):
            missed.action_confirm()
        with self.assertRaises(UserError):
            complaint.action_contain()

    def test_fails_in_each_state(self):
        for state in ("contained", "analysed", "verifying"):
            mark = self._create_missed(state)
            complaint = mark.complaint_id
            with self.subTest(state=state):
                self.assertEqual(complaint.state, state)
                mark.action_fail(reason="Scratch", place_id=self.assembly.id)
                self.assertEqual(complaint.state, "reported")
                self.assertEqual(len(self._get_events(complaint)), 1)

    def test_fails_while_reported(self):
        complaint = self._create_contained("reported")
        mark = self._create_mark(complaint)
        mark.action_fail(reason="Scratch")
        self.assertEqual((mark.state, complaint.state), ("failed", "reported"))
        self.assertEqual(len(self._get_events(complaint, "breakpoint_failed")), 1)

    def test_fails_before_the_form_is_sent(self):
        """A complaint is reported by its form and by nothing else."""
        complaint = self._create_contained("new")
        mark = self._create_mark(complaint)
        mark.action_fail(reason="Scratch", place_id=self.assembly.id)
        self.assertEqual((mark.state, complaint.state), ("failed", "new"))
        self.assertFalse(complaint.feedback_sent_at)

    def test_fails_at_a_place_never_sorted(self):
        mark = self._create_missed()
        forgotten = self.site.place_ids.filtered(lambda p: p.kind == "paint")
        self.assertNotIn(forgotten, mark.complaint_id.inspection_ids.place_id)
        mark.action_fail(reason="Scratch", place_id=forgotten.id)
        sorting = self._get_sorting(mark.complaint_id, forgotten)
        self.assertEqual(sorting.state, "ready")
        self.assertFalse(mark.failed_sorter_ids)

    def test_fails_at_an_unknown_place(self):
        """No place is proven clean: each is counted anew, a forgotten one as well."""
        mark = self._create_missed()
        complaint = mark.complaint_id
        sorted_before = complaint.inspection_ids
        forgotten = self.site.place_ids.filtered(lambda p: p.kind == "paint")
        forgotten.must_screen = True
        self.env["quality.breakpoint.fail"].with_user(self.resident).create(
            {"breakpoint_id": mark.id, "reason": "Scratch at the end of the line"}
        ).action_apply()
        self.assertEqual(set(complaint.inspection_ids.mapped("state")), {"ready"})
        self.assertEqual(set(sorted_before.mapped("sorting_round")), {2})
        self.assertFalse(any(sorted_before.mapped("qty_checked")))
        self.assertEqual(complaint.inspection_ids.place_id, self.five | forgotten)
        with self._assert_refused(self.assembly.name, self.place.name, forgotten.name):
            complaint.action_contain()

    def test_fails_before_the_containment_is_opened(self):
        complaint = self._create_contained("reported")
        self._create_mark(complaint).action_fail(reason="Scratch")
        self.assertEqual(complaint.inspection_ids.place_id, self.five)
        self.assertTrue(complaint.containment_opened_at)

    def test_fails_without_a_reason(self):
        mark = self._create_mark()
        for reason in (None, "", " \n"):
            with self.subTest(reason=reason), self._assert_refused("Reason"):
                mark.action_fail(reason=reason, place_id=self.assembly.id)
        self.assertEqual(mark.state, "watching")
        self.assertEqual(mark.complaint_id.state, "contained")

    def test_place_of_another_site(self):
        mark = self._create_mark()
        for place in (self.place_de, self.place_b):
            with self.subTest(site=place.site_id.name), self.assertRaises(UserError):
                mark.action_fail(reason="Scratch", place_id=place.id)
        self.assertEqual(mark.state, "watching")
        self.assertEqual(mark.complaint_id.state, "contained")

    def test_fails_after_it_held(self):
        mark = self._create_missed()
        with self._at("2026-03-10 14:00:00"):
            mark.action_hold()
        with self._at("2026-03-12 01:00:00"):
            mark.action_fail(reason="Scratch", place_id=self.assembly.id)
            with self.assertRaises(UserError):
                mark.action_fail(reason="Again")
            with self.assertRaises(UserError):
                mark.action_hold()
        self.assertEqual((mark.state, mark.complaint_id.state), ("failed", "reported"))

    def test_fails_after_closing(self):
        with self._at(CALL):
            complaint = self._create_in_state("closed", called_at=CALL)
        mark = complaint.breakpoint_ids.with_user(self.manager)
        self.assertEqual(mark.state, "holds")
        with self.assertRaises(AccessError):
            mark.with_user(self.resident).action_fail(reason="Scratch")
        mark.action_fail(reason="Scratch", place_id=self.assembly.id)
        self.assertEqual(complaint.state, "reported")
        self.assertFalse(complaint.closed_at, "as after opening it by hand")

    def test_second_of_two_fails(self):
        first = self._create_missed()
        second = self._create_mark(first.complaint_id, value="L9")
        with self._at("2026-03-10 14:00:00"):
            first.action_hold()
        second.action_fail(reason="Scratch", place_id=self.assembly.id)
        self.assertEqual((first + second).mapped("state"), ["holds", "failed"])
        third = self._create_mark(first.complaint_id, value="L10")
        third.action_fail(reason="Once more", place_id=self.assembly.id)
        self.assertEqual(
            len(self._get_events(first.complaint_id, "breakpoint_failed")), 2
        )

    def test_two_at_once(self):
        marks = self._create_missed() + self._create_missed()
        marks.action_fail(reason="Scratch", place_id=self.assembly.id)
        self.assertEqual(marks.mapped("state"), ["failed"] * 2)
        self.assertEqual(marks.complaint_id.mapped("state"), ["reported"] * 2)

    def test_only_a_failure_goes_back(self):
        """No button leads from contained to reported."""
        mark = self._create_missed()
        complaint = mark.complaint_id.with_user(self.manager)
        for action in ("action_reopen", "action_send_feedback", "action_contain"):
            with self.subTest(action=action), self._rolled_back():
                with suppress(UserError):
                    getattr(complaint, action)(
                        **{"reason": "x"} if action != "action_send_feedback" else {}
                    )
                self.assertEqual(complaint.state, "contained")
        with self.assertRaises(UserError):
            complaint.write({"state": "reported"})

    # === WHO === #

    def test_who_decides(self):
        mark = self._create_missed()
        with self._at("2026-03-10 15:00:00"):
            for user in (self.quality, self.sales, self.gm, self.resident_de):
                for action, kwargs in (
                    ("action_hold", {}),
                    ("action_fail", {"reason": "Scratch"}),
                ):
                    with (
                        self.subTest(user=user.login, action=action),
                        self.assertRaises(AccessError),
                    ):
                        getattr(mark.with_user(user), action)(**kwargs)
            self.assertEqual(mark.state, "watching")
            mark.with_user(self.manager).action_hold()

    def test_decision_cannot_be_written(self):
        mark = self._create_mark()
        forged = {
            "state": "holds",
            "watch_until": CALL,
            "decided_at": CALL,
            "failed_place_id": self.assembly.id,
            "failed_reason": "x",
            "site_id": self.site_de.id,
            "company_id": self.company_b.id,
        }
        for user in (self.resident, self.manager, self.root):
            for name, value in forged.items():
                own = mark.with_user(user)
                with self.subTest(user=user.login, field=name):
                    with self.assertRaises(UserError):
                        call_kw(own, "write", [own.ids, {name: value}], {})
                    with self.assertRaises(UserError):
                        self._create_mark(mark.complaint_id, user, **{name: value})
        complaint = mark.complaint_id
        for name, value in forged.items():
            with self.subTest(field=name), self.assertRaises(UserError):
                complaint.breakpoint_ids = [Command.update(mark.id, {name: value})]
        self.assertEqual(mark.state, "watching")

    def test_is_not_moved_to_another_site(self):
        mark = self._create_mark()
        for user, site in (
            (self.resident_de, self.site_de),
            (self.resident_b, self.site_b),
        ):
            complaint = self._create_complaint(user, site_id=site.id, called_at=CALL)
            with self.subTest(company=site.company_id.name):
                with self._rolled_back(), self.assertRaises(UserError):
                    mark.complaint_id = complaint.id
                with self._rolled_back(), self.assertRaises(UserError):
                    self._create_mark(complaint.sudo(), self.resident)

    def test_held_one_proves_only_its_complaint(self):
        """A breakpoint that held here is not lent to another complaint."""
        mark = self._create_mark()
        with self._at("2026-03-10 14:00:00"):
            mark.action_hold()
        with self.assertRaises(UserError):
            mark.complaint_id = self._create_contained().id

    def test_failed_stays_on_record(self):
        mark = self._create_missed()
        mark.action_fail(reason="Scratch", place_id=self.assembly.id)
        for user in (self.resident, self.manager):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                mark.with_user(user).unlink()


@tagged("post_install", "-at_install")
class TestFailureByMail(SmtpCatcher, BreakpointCommon):
    def test_mail(self):
        mark = self._create_missed()
        mark.value = "L8-0815"
        complaint = mark.complaint_id
        self.assertEqual(complaint.resident_id, self.resident)
        mark.with_user(self.manager).action_fail(
            reason="Scratch <again>", place_id=self.assembly.id
        )
        self._send_mails()
        people = self.sales + self.quality + self.manager
        self.assertEqual(self._get_addresses(), sorted(people.mapped("email")))
        (mail,) = self._get_received(self.manager)
        self.assertIn(complaint.name, mail["Subject"])
        html = mail.get_body(("html",)).get_content()
        for text in (
            "L8-0815",
            self.assembly.display_name,
            "Scratch &lt;again&gt;",
            # Who sorted the place that was missed.
            self.standin.name,
        ):
            with self.subTest(text=text):
                self.assertIn(text, html)
        self._send_mails()
        self.assertEqual(len(self._get_received(self.manager)), 1)

    def test_each_failure_tells_its_own(self):
        """The second mail is about the second failure."""
        complaint = self._create_contained()
        self._get_events(complaint).unlink()
        self._create_mark(complaint).action_fail(reason="First one")
        self._send_mails()
        self.mailbox.mails.clear()
        self._create_mark(complaint, value="L9").action_fail(reason="Second one")
        self._send_mails()
        (mail,) = self._get_received(self.manager)
        html = mail.get_body(("html",)).get_content()
        self.assertIn("Second one", html)
