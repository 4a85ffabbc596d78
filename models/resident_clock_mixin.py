import logging
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

ALERT_NONE, ALERT_HALF, ALERT_LATE, ALERT_ESCALATED = range(4)
# The event that each alert level raises.
ALERT_EVENTS = {
    ALERT_HALF: "half",
    ALERT_LATE: "late",
    ALERT_ESCALATED: "escalated",
}
# The general manager hears of it when the time allowed has passed a second time,
# but never later than this after the deadline.
ESCALATE_WITHIN = timedelta(days=1)
CRON_BATCH = 200


class Clock(NamedTuple):
    """Names of the fields of one clock; ``alert`` holds the level reached."""

    start: str
    deadline: str
    stop: str
    alert: str


class ResidentClockMixin(models.AbstractModel):
    """A document with deadlines that warn before and after they pass.

    A clock runs from ``start`` to ``stop``; half way, at the deadline and at the
    escalation it raises the events ``half``, ``late`` and ``escalated``, each once
    (spec.md C3-C5). Deadlines are stored when the clock starts and are never
    moved by the passing of time.
    """

    _name = "resident.clock.mixin"
    _description = "Document with Clocks"
    _inherit = "resident.event.mixin"

    # {clock name: Clock}
    _clocks = {}
    # {field that a user sets: alert field of the clock that it starts anew}
    _clock_restarts = {}

    next_alert_at = fields.Datetime(
        compute="_compute_next_alert_at",
        store=True,
        precompute=True,
        copy=False,
        help="When a clock of this document next warns somebody.",
    )

    @api.model
    def _get_clock_depends(self):
        return sorted({name for clock in self._clocks.values() for name in clock})

    @api.depends(
        lambda self: self._get_clock_depends() + self._get_clock_state_depends()
    )
    def _compute_next_alert_at(self):
        for record in self:
            moments = [
                moment
                for name in self._clocks
                for level, moment in record._get_clock_moments(name).items()
                if level > record[self._clocks[name].alert]
            ]
            record.next_alert_at = min(moments, default=False)

    @api.model
    def _get_clock_state_depends(self):
        """Fields besides the clocks' own that decide whether clocks run."""
        return []

    def write(self, vals):
        for name, alert in self._clock_restarts.items():
            if name in vals:
                # A new date is a new promise, its clock may warn again.
                self.filtered(
                    lambda r, name=name: r._is_changed(name, vals[name])
                )._write_protected({alert: 0})
        return super().write(vals)

    def _is_changed(self, name, value):
        self.ensure_one()
        field = self._fields[name]
        return field.convert_to_cache(value, self) != field.convert_to_cache(
            self[name], self
        )

    def _has_running_clocks(self):
        """Return False when all clocks of this record rest, whatever their fields."""
        self.ensure_one()
        return True

    def _get_clock_moments(self, name):
        """Return ``{alert level: datetime}`` of the running clock ``name``.

        Empty when the clock does not run.
        """
        self.ensure_one()
        clock = self._clocks[name]
        start, deadline = self[clock.start], self[clock.deadline]
        if (
            not (start and deadline)
            or self[clock.stop]
            or not self._has_running_clocks()
        ):
            return {}
        allowed = max(deadline - start, timedelta())
        return {
            ALERT_HALF: start + allowed / 2,
            ALERT_LATE: deadline,
            ALERT_ESCALATED: deadline + min(allowed, ESCALATE_WITHIN),
        }

    def _raise_clock_alerts(self, now=None):
        """Raise what is due at ``now`` (UTC, default the present), once each.

        After a pause of the server a clock may be past several levels: the warning
        half way is then pointless and left out, the others are raised.
        """
        now = now or fields.Datetime.now()
        for name, clock in self._clocks.items():
            for level in (ALERT_HALF, ALERT_LATE, ALERT_ESCALATED):
                due = self.filtered(
                    lambda r, name=name, clock=clock, level=level: (
                        level > r[clock.alert]
                        and (moment := r._get_clock_moments(name).get(level))
                        and moment <= now
                    )
                )
                if level == ALERT_HALF:
                    due_late = due.filtered(
                        lambda r, clock=clock: r[clock.deadline] <= now
                    )
                    due_late._write_protected({clock.alert: level})
                    due -= due_late
                if due:
                    due._write_protected({clock.alert: level})
                    due._emit_clock_event(name, level)

    def _emit_clock_event(self, name, level):
        """Record the alert; a clock with a new deadline may warn again."""
        for deadline, records in self.grouped(self._clocks[name].deadline).items():
            key = f"{name}@{fields.Datetime.to_string(deadline)}"
            records._emit_event(ALERT_EVENTS[level], key=key)

    def _settle_clock(self, name, now):
        """A clock has stopped at ``now``: late ones say so, its to-dos end."""
        clock = self._clocks[name]
        late = self.filtered(
            lambda r: (
                r[clock.alert] < ALERT_LATE
                and r[clock.deadline]
                and now > r[clock.deadline]
            )
        )
        late._write_protected({clock.alert: ALERT_LATE})
        late._emit_clock_event(name, ALERT_LATE)
        self._clear_todo(name)

    def _clear_todo(self, *clocks):
        """Remove the to-dos of these clocks, by default of all, from all lists."""
        # They were given to others, who need not do it themselves.
        self.env["mail.activity"].sudo().search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("resident_clock", "in", clocks or list(self._clocks)),
            ]
        ).unlink()

    @api.model
    def _cron_raise_clock_alerts(self):
        """Warn of every clock that has reached a level; resumes after a kill."""
        domain = [("next_alert_at", "<=", fields.Datetime.now())]
        due = self.search(domain, limit=CRON_BATCH, order="next_alert_at, id")
        # Rows that another worker holds are his.
        records = due.try_lock_for_update()
        raised = records._try_clock_alerts()
        remaining = len(due) == CRON_BATCH and self.search_count(domain, limit=10000)
        self.env["ir.cron"]._commit_progress(len(raised), remaining=remaining or 0)

    def _try_clock_alerts(self):
        """Raise what is due; a record that fails does not stop the others.

        :return: the records that went well
        """
        try:
            with self.env.cr.savepoint():
                self._raise_clock_alerts()
            return self
        except Exception:
            if len(self) == 1:
                _logger.warning("The clocks of %s cannot warn", self, exc_info=True)
                return self.browse()
        return self.browse().union(*(record._try_clock_alerts() for record in self))
