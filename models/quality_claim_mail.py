from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .quality_claim import JUDGING_STATES

# Nobody is reminded in the night: the hour of the day at the site.
REMIND_FROM = 7
# For so many days after the last one a reminder that could not go out still does.
REMIND_UNTIL = timedelta(days=3)
ACTIVITY = "quality_resident.mail_activity_type_clock"


class ResidentSite(models.Model):
    _inherit = "resident.site"

    claim_reminder_days = fields.Integer(
        string="Remind of Answers (Days Before)",
        default=3,
        help="So many days before a claim's answer is due, Sales and Quality are "
        "reminded, and again on the day. 0: on the day only.",
    )

    _claim_reminder_days_positive = models.Constraint(
        "CHECK (claim_reminder_days >= 0)",
        "The days before which answers are reminded of cannot be negative.",
    )


class QualityClaim(models.Model):
    """What people hear of a claim, and who goes to the customer for it (L2)."""

    _inherit = "quality.claim"

    specialist_date = fields.Date(
        string="Specialist Goes on", copy=False, tracking=True
    )
    answered_at = fields.Datetime(
        string="Answered",
        readonly=True,
        copy=False,
        help="When the customer got our answer: nobody is reminded any more.",
    )

    @api.model
    def _get_protected_fields(self):
        return super()._get_protected_fields() | {"answered_at"}

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        claims = super().create(vals_list)
        claims.filtered("specialist_id")._call_specialist()
        return claims

    def write(self, vals):
        moved = self._get_changed(vals, "appeal_deadline")
        called = self._get_changed(vals, "specialist_id", "specialist_date")
        result = super().write(vals)
        if moved:
            # Another day asks for another answer.
            moved._end_todo("claim_due")
            moved.filtered("answered_at")._write_protected({"answered_at": False})
        if called:
            called._call_specialist()
        return result

    def _get_changed(self, vals, *names):
        """Return the claims of which ``vals`` changes one of the fields ``names``."""
        given = [name for name in names if name in vals]
        return self.filtered(
            lambda claim: any(claim._is_changed(name, vals[name]) for name in given)
        )

    def _is_changed(self, name, value):
        self.ensure_one()
        field = self._fields[name]
        return field.convert_to_cache(value, self) != field.convert_to_cache(
            self[name], self
        )

    # === ACTIONS === #

    def action_judge(self):
        result = super().action_judge()
        self.filtered(lambda claim: claim.state == "judged")._end_todo(
            "claim_escalated", "claim_specialist"
        )
        return result

    def action_agree(self):
        result = super().action_agree()
        self._end_todo()
        for claim in self:
            claim._emit_event("claim_agreed", key=claim._get_agreed_key())
        return result

    def action_withdraw(self, reason=None):
        result = super().action_withdraw(reason)
        self._end_todo()
        return result

    def action_answer(self):
        """Note that the customer has our answer: reminders stop."""
        self.check_access("write")
        self.filtered(lambda claim: not claim.answered_at)._write_protected(
            {"answered_at": fields.Datetime.now()}
        )
        self._end_todo("claim_due")
        return True

    # === SPECIALIST === #

    def _call_specialist(self):
        """Give the specialist named his to-do, and mail him.

        :raise UserError: he may not see the claim
        """
        self._end_todo("claim_specialist")
        for claim in self.filtered("specialist_id"):
            user = claim.specialist_id
            if not claim.with_user(user).has_access("read"):
                raise UserError(
                    self.env._(
                        "%(user)s may not open %(claim)s: name him at %(site)s first, "
                        "for Quality, for Sales or by a posting.",
                        user=user.name,
                        claim=claim.name,
                        site=claim.site_id.name,
                    )
                )
            # He has been named: that was what the others were asked for.
            claim._end_todo("claim_escalated")
            claim.with_context(
                lang=user.lang, mail_activity_quick_update=True
            ).activity_schedule(
                ACTIVITY,
                date_deadline=claim.specialist_date
                or fields.Date.context_today(claim.with_context(tz=user.tz)),
                summary=claim.with_context(lang=user.lang).env._(
                    "Judge with the customer"
                ),
                user_id=user.id,
                resident_clock="claim_specialist",
            )
            claim._emit_event("claim_specialist", key=claim._get_specialist_key())

    def _get_specialist_key(self):
        return f"{self.specialist_id.id} {self.specialist_date or ''}"

    def _get_agreed_key(self):
        return fields.Datetime.to_string(self.agreed_at) or ""

    def _end_todo(self, *kinds):
        """Take these claims off the to-do lists, for all kinds of event or for some."""
        kinds = kinds or ("claim_escalated", "claim_specialist", "claim_due")
        # They were given to others, who need not do it themselves.
        self.env["mail.activity"].sudo().search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("resident_clock", "in", kinds),
            ]
        ).unlink()

    # === ANSWER DUE === #

    @api.model
    def _cron_remind_answers(self):
        """Remind of answers due, some days before and on the day, at the site."""
        now = fields.Datetime.now()
        (longest,) = self.env["resident.site"]._read_group(
            [], aggregates=["claim_reminder_days:max"]
        )[0]
        # A day more on both sides: it is another day elsewhere.
        day = timedelta(days=1)
        claims = self.search(
            [
                ("state", "in", JUDGING_STATES),
                ("answered_at", "=", False),
                ("appeal_deadline", ">=", now.date() - REMIND_UNTIL - day),
                ("appeal_deadline", "<=", now.date() + day * (longest or 0) + day),
            ]
        )
        for key, due in claims.grouped(lambda c: c._get_due_key(now)).items():
            if key:
                due._emit_event("claim_due", key=key)

    def _get_due_key(self, now):
        """Return the name of the reminder that this claim's answer needs now, or ''."""
        self.ensure_one()
        local = pytz.utc.localize(now).astimezone(pytz.timezone(self.site_id.tz))
        left = self.appeal_deadline - local.date()
        if local.hour < REMIND_FROM or left < -REMIND_UNTIL:
            return ""
        if left <= timedelta():
            return f"{self.appeal_deadline} day"
        early = left <= timedelta(days=self.site_id.claim_reminder_days)
        return f"{self.appeal_deadline} before" if early else ""

    # === MAIL === #

    def _get_named_users(self, event):
        if event.kind == "claim_specialist":
            return self.specialist_id
        if event.kind == "claim_analysed":
            return self.line_ids.judged_by_id
        return super()._get_named_users(event)

    def _is_event_true(self, event):
        if event.kind == "claim_new":
            return bool(self.line_ids) and self.state != "withdrawn"
        if event.kind == "claim_agreed":
            agreed = self.state in ("agreed", "settled")
            return agreed and event.key == self._get_agreed_key()
        if event.kind == "claim_due":
            waits = self.state in JUDGING_STATES and not self.answered_at
            return waits and event.key.split()[0] == str(self.appeal_deadline)
        if event.kind == "claim_specialist":
            return event.key == self._get_specialist_key()
        return super()._is_event_true(event)

    def _get_mail_facts(self):
        facts = super()._get_mail_facts()
        if self.appeal_deadline:
            day = format_date(self.env, self.appeal_deadline)
            facts.append((self.env._("Answer Due"), day))
        if self.specialist_id:
            day = format_date(self.env, self.specialist_date)
            facts.append(
                (self.env._("Specialist"), f"{self.specialist_id.name} {day}".strip())
            )
        if self.state in ("agreed", "settled"):
            facts += [
                (self.env._("Accepted"), self.currency_id.format(self.amount_accepted)),
                (self.env._("Refused"), self.currency_id.format(self.amount_refused)),
            ]
        return facts


class QualityClaimLine(models.Model):
    _inherit = "quality.claim.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # Once for each claim; told when this transaction is through, so with all the
        # lines of an import.
        lines.claim_id._emit_event("claim_new")
        return lines

    def _tell_analysis(self):
        """Say to who judges these lines that Quality has found something (R4)."""
        for claim, lines in self.grouped("claim_id").items():
            if verdicts := lines.return_line_id.judgement_ids:
                claim._emit_event("claim_analysed", key=f"v{max(verdicts.ids)}")
