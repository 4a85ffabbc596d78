import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

EVENT_KINDS = [
    ("new", "New complaint"),
    ("feedback", "Feedback form"),
    ("half", "Clock half way"),
    ("late", "Clock missed"),
    ("escalated", "Clock escalated"),
    ("recurring", "Recurring defect"),
    ("line_stop", "Line stop"),
    ("contained", "Containment totals"),
    ("breakpoint_failed", "Breakpoint failed"),
    ("sheet_signed", "Service sheet signed"),
    ("slip_signed", "Suspect slip signed"),
    ("scrap_requested", "Scrap to sign"),
    ("scrap_refused", "Scrap refused"),
    ("scrap_done", "Scrap approved and done"),
    ("return_requested", "Return requested"),
    ("return_approved", "Return approved"),
    ("return_refused", "Return refused"),
    ("return_received", "Returned parts received"),
    ("replacement_wanted", "Replacement wanted"),
    ("claim_escalated", "Claim escalated"),
    ("claim_settled", "Claim settled"),
    ("chain_broken", "Claim ledger broken"),
    ("claim_new", "New claim"),
    ("claim_agreed", "Claim agreed"),
    ("claim_due", "Answer to a claim due"),
    ("claim_specialist", "Specialist sent to a claim"),
    ("claim_analysed", "Claimed parts analysed"),
    ("claim_sheet_signed", "Claim sheet signed"),
    ("scorecard_due", "Scorecard to send"),
    ("scorecard_sent", "Scorecard"),
    ("streak_started", "C/D streak"),
    ("streak_ended", "C/D streak over"),
    ("report_due", "Report due"),
    ("report_reminder", "Report reminder"),
    ("report_missed", "Report missed"),
    ("report_daily", "Daily report"),
    ("report_weekly", "Weekly report"),
    ("report_month", "Monthly report"),
    ("report_month_end", "Month-end list"),
]
# Raised again with every write, only the row itself tells that it has been said: kept
# for good. All others are raised once by their document (a state, a revision, a level
# of alert), and done ones may go. Say here what you add.
KEPT_KINDS = ("recurring", "line_stop")
KEEP_DAYS = 180
GC_BATCH = 1000
# What Sales and Quality have to act on; of the rest they are told.
HOME_ACTS = {
    "return_requested": ("quality",),
    "return_received": ("quality",),
    "replacement_wanted": ("sales",),
    "claim_escalated": ("sales", "quality"),
    "chain_broken": ("sales", "quality"),
    "claim_due": ("quality",),
    "scorecard_due": ("quality",),
}
MAX_ATTEMPTS = 5
RETRY_AFTER = timedelta(minutes=5)
RETRY_MAILS_FOR = timedelta(hours=12)


class ResidentEvent(models.Model):
    """Something that people must hear of: the outbox of automated mails.

    A row is written with the business change itself. The job then sets it to done,
    which fires the automation rules on this model (Settings > Technical >
    Automation Rules), and commits row by row: after a kill the rows left are done,
    the others never again.
    """

    _name = "resident.event"
    _description = "Resident Event"
    _order = "id desc"
    _rec_name = "kind"

    kind = fields.Selection(EVENT_KINDS, required=True, readonly=True)
    key = fields.Char(readonly=True)
    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="res_model", required=True, readonly=True
    )
    document = fields.Reference(
        selection="_selection_document",
        compute="_compute_document",
        help="The document that the event happened to.",
    )
    complaint_id = fields.Many2one(
        comodel_name="quality.complaint", compute="_compute_document"
    )
    site_id = fields.Many2one(
        comodel_name="resident.site", readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        comodel_name="res.company", readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        comodel_name="res.users", string="Caused by", readonly=True, ondelete="set null"
    )
    date = fields.Datetime(readonly=True)
    state = fields.Selection(
        selection=[
            ("pending", "Pending"),
            ("done", "Done"),
            ("failed", "Sending Failed"),
        ],
        default="pending",
        required=True,
        readonly=True,
    )
    attempts = fields.Integer(readonly=True)
    retry_at = fields.Datetime(readonly=True)
    error = fields.Char(readonly=True)
    partner_ids = fields.Many2many(
        comodel_name="res.partner", string="Mailed to", readonly=True
    )

    mail_ids = fields.Many2many(comodel_name="mail.mail", readonly=True)

    _once = models.UniqueIndex("(res_model, res_id, kind, key)")
    _pending_idx = models.Index("(id) WHERE state = 'pending'")
    _done_idx = models.Index("(date) WHERE state = 'done'")

    @api.model
    def _selection_document(self):
        return [
            (model, self.env["ir.model"]._get(model).name)
            for model in sorted(
                self.env.registry.descendants(["resident.event.mixin"], "_inherit")
            )
            if not self.env[model]._abstract
        ]

    @api.depends("res_model", "res_id")
    def _compute_document(self):
        for event in self:
            event.document = f"{event.res_model},{event.res_id}"
            event.complaint_id = (
                event.document
                if event.res_model == "quality.complaint"
                # A month's document is about no complaint.
                else "complaint_id" in event.document and event.document.complaint_id
            )

    # === JOB === #

    @api.model
    def _wake_job(self, xmlid="quality_resident.ir_cron_process_events"):
        """Have a job run as soon as this transaction is committed."""
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id(xmlid)
        # Whoever reports may wake the job; he needs no right on scheduled actions.
        self.env["ir.cron"].sudo().browse(cron_id)._trigger()

    @api.model
    def _cron_process(self):
        """Process pending events one by one, each in its own transaction."""
        cron = self.env["ir.cron"]
        while event := self._lock_next():
            event._process()
            remaining = self.search_count(self._get_pending_domain(), limit=1000)
            if not cron._commit_progress(1, remaining=remaining):
                break

    @api.model
    def _get_pending_domain(self):
        return [
            ("state", "=", "pending"),
            "|",
            ("retry_at", "=", False),
            ("retry_at", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _lock_next(self):
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM resident_event
                WHERE state = 'pending' AND (retry_at IS NULL OR retry_at <= %s)
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED""",
                fields.Datetime.now(),
            )
        )
        return self.browse(row[0] for row in rows)

    def _process(self):
        """Tell of one event; a failure stays its own and is tried again later."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._tell()
        except Exception as error:
            # After MAX_ATTEMPTS it stays on the list of failed events.
            _logger.warning(
                "Resident event %s, “%s” of %s,%s, could not be told",
                self.id,
                self.kind,
                self.res_model,
                self.res_id,
                exc_info=True,
            )
            self.invalidate_recordset()
            attempts = self.attempts + 1
            self.write(
                {
                    "state": "failed" if attempts >= MAX_ATTEMPTS else "pending",
                    "attempts": attempts,
                    "retry_at": fields.Datetime.now() + RETRY_AFTER * attempts,
                    "error": str(error),
                }
            )

    def _tell(self):
        """Set one event to done, which fires the automation rules on it."""
        if not self.env[self.res_model].browse(self.res_id).exists():
            self.write({"state": "failed", "error": self.env._("Document deleted")})
        elif not self.document._is_event_true(self):
            # Corrected before anybody was told; it may become true again.
            self.unlink()
        else:
            # The people get our mail: no second one for the to-do.
            self.with_company(self.company_id).with_context(
                mail_activity_quick_update=True
            ).write({"state": "done"})

    @api.autovacuum
    def _gc_done(self):
        """Remove what was told long ago; what is pending or failed stays."""
        days = int(
            self.env["ir.config_parameter"].get_param(
                "quality_resident.event_keep_days", KEEP_DAYS
            )
        )
        if days <= 0:
            return
        old = self.search(
            [
                ("state", "=", "done"),
                ("date", "<", fields.Datetime.now() - timedelta(days=days)),
                ("kind", "not in", KEPT_KINDS),
            ],
            limit=GC_BATCH,
            order="date",
        )
        old.unlink()
        return len(old), len(old) == GC_BATCH

    def action_retry(self):
        """Put failed events back into the queue.

        :raise AccessError: for everybody but customer service managers
        """
        self.check_access("read")
        if not self.env.user.has_group("quality_resident.group_manager"):
            raise AccessError(
                self.env._("Only customer service managers send failed mails again.")
            )
        failed = self.filtered(lambda event: event.state == "failed")
        # Events are written by the outbox only, by no user.
        failed.sudo().write(
            {"state": "pending", "attempts": 0, "retry_at": False, "error": False}
        )
        self._wake_job()

    @api.model
    def _cron_retry_mails(self):
        """Queue again what the mail server did not take, for RETRY_MAILS_FOR.

        Core tries a mail once. Each of ours has one recipient, so that nobody gets
        one twice because of another's refusal.
        """
        since = fields.Datetime.now() - RETRY_MAILS_FOR
        unsent = self.search([("date", ">=", since)]).mail_ids.filtered(
            lambda m: (
                m.state == "exception"
                and m.failure_type in (False, "mail_smtp", "unknown")
            )
        )
        if unsent:
            unsent.mark_outgoing()
            self._wake_job("mail.ir_cron_mail_scheduler_action")

    # === MAIL === #

    def _get_recipients(self):
        """Return the partners to mail and the users to give a to-do, by routing.

        :rtype: tuple(res.partner, res.users)
        """
        self.ensure_one()
        route = self.env["resident.route"]._get_route(
            self.site_id, self.kind, self.company_id
        )
        users = self.document._get_named_users(self)
        todo_users = self.env["res.users"]
        for role in route._get_roles():
            role_users = self.document._get_event_users(role)
            users |= role_users
            # Sales and Quality are mostly told; to act is for the others.
            if route.with_activity and (
                role not in ("sales", "quality") or role in HOME_ACTS.get(self.kind, ())
            ):
                todo_users |= role_users
        if self.kind == "new":
            # Who entered the complaint knows of it.
            users -= self.user_id
        partners = users.partner_id | route.partner_ids
        return partners.filtered(lambda p: p.active and p.email), todo_users

    def _mail_site(self, template):
        """Queue ``template`` to everybody whom the routing names.

        One mail for each recipient, in his language: a recipient whose address
        fails does not make the others get theirs twice.
        """
        for event in self:
            partners, todo_users = event._get_recipients()
            document = event.document
            # An answer belongs to the document's thread, not to the company's inbox.
            reply_to = document._notify_get_reply_to()[document.id]
            for lang, group in partners.grouped("lang").items():
                event_lang = event.with_context(lang=lang or self.env.lang or "en_US")
                attachments = event_lang.document._get_event_attachments(event_lang)
                for partner in group:
                    mail_id = template.with_env(event_lang.env).send_mail(
                        event.id,
                        email_values={
                            "model": event.res_model,
                            "res_id": event.res_id,
                            "message_type": "user_notification",
                            "reply_to": reply_to,
                            "email_to": False,
                            "email_cc": False,
                            "recipient_ids": [Command.link(partner.id)],
                            "attachment_ids": [Command.link(a.id) for a in attachments],
                        },
                    )
                    event.mail_ids = [Command.link(mail_id)]
            event.partner_ids = [Command.link(partner.id) for partner in partners]
            if not partners:
                event.error = self.env._("Nobody to mail: complete the site's people.")
            else:
                document._message_log(
                    body=Markup("<p>%s</p>")
                    % self.env._(
                        "Mailed “%(what)s” to %(names)s.",
                        what=event._get_label(),
                        names=", ".join(partners.mapped("name")),
                    )
                )
            event._schedule_todo(todo_users)
        # The queue's own job runs hourly; people wait for these mails.
        self._wake_job("mail.ir_cron_mail_scheduler_action")

    def _schedule_todo(self, users):
        """Put the event on the to-do list of ``users``."""
        self.ensure_one()
        for user in users.filtered(lambda u: u.active and not u.share):
            self.document.with_context(lang=user.lang).activity_schedule(
                "quality_resident.mail_activity_type_clock",
                date_deadline=fields.Date.context_today(self.with_context(tz=user.tz)),
                summary=self.with_context(lang=user.lang)._get_label(),
                user_id=user.id,
                resident_clock=self._get_clock() or self.kind,
            )

    def _get_label(self):
        """Return what happened, in the context's language."""
        self.ensure_one()
        label = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        clock = self._get_clock_label()
        return f"{label}: {clock}" if clock else label

    def _get_clock(self):
        """Return the name of the clock that this alert is about, or ''."""
        self.ensure_one()
        clock, at, _deadline = (self.key or "").partition("@")
        return clock if at else ""

    def _get_deadline_field(self):
        """Return the name of the deadline that this alert is about, or None."""
        clock = self._get_clock()
        return self.document._clocks[clock].deadline if clock else None

    def _get_clock_label(self):
        """Return the name of the alert's clock, in the context's language."""
        name = self._get_deadline_field()
        return self.document._fields[name]._description_string(self.env) if name else ""

    def _get_deadline_text(self):
        """Return the alert's deadline in the time of the site."""
        name = self._get_deadline_field()
        return self.site_id._format_moment(self.document[name]) if name else ""
