from datetime import timedelta

from odoo import models
from odoo.fields import Domain

from .quality_8d import OPEN_STATES as OPEN_8D
from .quality_suspect_slip import OPEN_STATES as OPEN_SLIPS

# How long after the call a complaint may be entered and still be news.
ENTERED_LATE = timedelta(days=2)
# Clocks that reports look at: model, and which of its records are open.
CLOCKED = {
    "quality.complaint": lambda records: records._get_open_domain(),
    "quality.measure": lambda _records: Domain("state", "=", "open"),
    "quality.8d": lambda _records: Domain("state", "in", OPEN_8D),
    "quality.return": lambda records: records._get_open_domain(),
}


class ResidentReport(models.Model):
    """What happened since the last report, and what is open (spec.md D1)."""

    _inherit = "resident.report"

    def _get_daily_facts(self, start, stop):
        return self._get_movement(start, stop), []

    def _get_movement(self, start, stop):
        """Return the sections of a daily report."""
        complaints = self.env["quality.complaint"]
        # Entered after the last report, though the customer had called before it.
        entered = self._get_domain("create_date", start, stop) & self._get_domain(
            "called_at", start - ENTERED_LATE, start
        )
        new = complaints.search(
            self._get_domain("called_at", start, stop) | entered, order="called_at"
        )
        closed = complaints.search(
            self._get_domain("closed_at", start, stop), order="closed_at"
        )
        sorted_rows = self._get_sorted_rows(start, stop)
        overdue = self._get_overdue_rows(stop)
        stops = self._get_line_stop_complaints(start, stop)
        return [
            self._get_summary(new, closed, sorted_rows, overdue, stops),
            self._get_complaint_section(self.env._("New complaints"), new),
            self._get_complaint_section(self.env._("Closed complaints"), closed),
            self._get_section(
                self.env._("Sorted"),
                [
                    self.env._("Place"),
                    self.env._("Product"),
                    self.env._("Checked"),
                    self.env._("Good"),
                    self.env._("Bad"),
                    self.env._("Suspect"),
                ],
                sorted_rows,
            ),
            self._get_suspect_section(),
            self._get_breakpoint_section(start, stop),
            self._get_section(
                self.env._("Overdue"),
                [
                    self.env._("Document"),
                    self.env._("Clock"),
                    self.env._("Due"),
                    self.env._("Site"),
                ],
                overdue,
            ),
            self._get_people_section(),
            self._get_line_stop_section(stops),
            self._get_talk_section(start, stop),
            self._get_return_section(start, stop),
            self._get_vehicle_section(start, stop),
        ]

    def _get_summary(self, new, closed, sorted_rows, overdue, stops):
        complaints = self.env["quality.complaint"]
        checked, good, bad, suspect = (
            sum(row[column] for row in sorted_rows) for column in range(2, 6)
        )
        return self._get_section(
            self.env._("At a glance"),
            [self.env._("Figure"), self.env._("Result")],
            [
                [
                    self.env._("Open complaints"),
                    complaints.search_count(
                        self._get_domain() & complaints._get_open_domain()
                    ),
                ],
                [self.env._("New complaints"), len(new)],
                [self.env._("Closed complaints"), len(closed)],
                [self.env._("Parts checked"), checked],
                [self.env._("Good parts"), good],
                [self.env._("Bad parts"), bad],
                [self.env._("Suspect parts"), suspect],
                [
                    self.env._("Line-stop minutes"),
                    sum(stops.mapped("line_stop_minutes")),
                ],
                [self.env._("Overdue"), len(overdue)],
            ],
        )

    def _get_complaint_section(self, title, complaints):
        return self._get_section(
            title,
            [
                self.env._("Complaint"),
                self.env._("Product"),
                self.env._("Defect"),
                self.env._("Severity"),
                self.env._("Quantity"),
                self.env._("Status"),
            ],
            [
                [
                    complaint.name,
                    complaint.product_id.display_name or "",
                    complaint.defect_id.display_name or "",
                    self._get_label(complaint, "severity"),
                    complaint.quantity,
                    self._get_label(complaint, "state"),
                ]
                for complaint in complaints
            ],
        )

    def _get_sorted_rows(self, start, stop):
        """Return what was counted, one row for each place and product."""
        totals = ("qty_checked", "qty_good", "qty_bad", "qty_suspect")
        groups = self.env["quality.sorting"]._read_group(
            self._get_domain("date", start, stop) & Domain("undone", "=", False),
            ["place_id", "product_id"],
            [f"{name}:sum" for name in totals],
        )
        return [
            [place.display_name or "", product.display_name, *quantities]
            for place, product, *quantities in groups
        ]

    def _get_suspect_section(self):
        """Return what waits on suspect slips, by place and product."""
        slips = self.env["quality.suspect.slip"]
        groups = slips._read_group(
            self._get_domain() & Domain("state", "in", OPEN_SLIPS),
            ["place_id", "product_id"],
            ["__count", "quantity:sum"],
        )
        return self._get_section(
            self.env._("Open suspect slips"),
            [
                self.env._("Place"),
                self.env._("Product"),
                self.env._("Slips"),
                self.env._("Quantity"),
            ],
            [
                [place.display_name or "", product.display_name, count, quantity]
                for place, product, count, quantity in groups
            ],
        )

    def _get_breakpoint_section(self, start, stop):
        breakpoints = self.env["quality.breakpoint"].search(
            self._get_domain()
            & (
                Domain("state", "=", "watching")
                | self._get_domain("decided_at", start, stop)
            ),
            order="online_at",
        )
        return self._get_section(
            self.env._("Breakpoints"),
            [
                self.env._("Complaint"),
                self.env._("From"),
                self.env._("On line"),
                self.env._("Status"),
            ],
            [
                [
                    point.complaint_id.name,
                    point.value,
                    point.site_id._format_moment(point.online_at),
                    self._get_label(point, "state"),
                ]
                for point in breakpoints
            ],
        )

    def _get_overdue_rows(self, moment):
        """Return what is past its deadline at ``moment``, the oldest first."""
        rows = []
        for model, get_open in CLOCKED.items():
            records = self.env[model]
            opened = self._get_domain() & get_open(records)
            for clock in records._clocks.values():
                late = records.search(
                    opened
                    & Domain(clock.deadline, "<", moment)
                    & Domain(clock.stop, "=", False)
                )
                label = records._fields[clock.deadline]._description_string(self.env)
                rows += [
                    (record[clock.deadline], record, label)
                    for record in late
                    if record._has_running_clocks()
                ]
        rows.sort(key=lambda row: row[0])
        return [
            [
                record.display_name,
                label,
                record.site_id._format_moment(deadline),
                record.site_id.name,
            ]
            for deadline, record, label in rows
        ]

    def _get_people_section(self):
        """Return who was posted at the site, and who of them was there."""
        day = min(self.date_to, self._get_local_date())
        people = self.site_id._get_people(day)
        # Who is posted is no secret of the site's.
        postings = self.site_id.sudo().posting_ids.filtered(
            lambda p: p.user_id in people and p._is_current(day)
        )
        return self._get_section(
            self.env._("People on site"),
            [self.env._("Engineer"), self.env._("Role"), self.env._("Shift")],
            [
                [
                    posting.user_id.name,
                    self._get_label(posting, "role"),
                    posting.calendar_id.name or "",
                ]
                for posting in postings.sorted("role")
            ],
        )

    def _get_line_stop_complaints(self, start, stop):
        return self.env["quality.complaint"].search(
            self._get_domain("called_at", start, stop)
            & Domain("line_stop_minutes", ">", 0)
            & Domain("state", "not in", ("refused", "cancelled")),
            order="called_at",
        )

    def _get_line_stop_section(self, complaints):
        return self._get_section(
            self.env._("Line stops"),
            [
                self.env._("Complaint"),
                self.env._("Called"),
                self.env._("Reason"),
                self.env._("Minutes"),
            ],
            [
                [
                    complaint.name,
                    complaint.site_id._format_moment(complaint.called_at),
                    complaint.line_stop_reason or "",
                    complaint.line_stop_minutes,
                ]
                for complaint in complaints
            ],
        )

    def _get_talk_section(self, start, stop):
        talks = self.env["resident.talk"].search(
            self._get_domain("date", start, stop), order="date"
        )
        return self._get_section(
            self.env._("Talks with the customer"),
            [self.env._("With"), self.env._("Subject"), self.env._("Agreed")],
            [
                [talk.contact_id.display_name or "", talk.subject, talk.agreed or ""]
                for talk in talks
            ],
        )

    def _get_return_section(self, start, stop):
        returns = self.env["quality.return"]
        moved = Domain.OR(
            self._get_domain(name, start, stop)
            for name in ("requested_at", "approved_at", "closed_at")
        )
        waiting = self._get_domain() & returns._get_open_domain()
        return self._get_section(
            self.env._("Returns and exchanges"),
            [
                self.env._("Return"),
                self.env._("Kind"),
                self.env._("Status"),
                self.env._("Requested"),
            ],
            [
                [
                    document.name,
                    self._get_label(document, "kind"),
                    self._get_label(document, "state"),
                    document.site_id._format_moment(document.requested_at),
                ]
                for document in returns.search(moved | waiting)
            ],
        )

    def _get_vehicle_section(self, start, stop):
        vehicles = self.env["quality.vehicle"]
        rows = [
            [label, vehicles.search_count(domain)]
            for label, domain in (
                (
                    self.env._("To repair"),
                    self._get_domain() & Domain("state", "=", "open"),
                ),
                (
                    self.env._("Repaired since the last report"),
                    self._get_domain("repaired_at", start, stop),
                ),
                (
                    self.env._("Verified since the last report"),
                    self._get_domain("verified_at", start, stop),
                ),
            )
        ]
        return self._get_section(
            self.env._("Vehicles"),
            [self.env._("Vehicles"), self.env._("Quantity")],
            [row for row in rows if row[1]],
        )
