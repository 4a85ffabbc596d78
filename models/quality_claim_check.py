from datetime import datetime, time

from odoo import api, fields, models
from odoo.tools import format_datetime

from .quality_claim_chain import PROBLEMS


class QualityClaimCheck(models.Model):
    """One check of a company's claim ledger, and what it found (spec.md L4).

    Its last number and hash are an anchor for all later checks: they must find that
    entry again. Kept like the ledger itself.
    """

    _name = "quality.claim.check"
    _description = "Claim Ledger Check"
    _inherit = [
        "quality.append.only.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "resident.event.mixin",
    ]
    _order = "id desc"
    _rec_name = "checked_at"
    # Core would empty create_uid when its user is deleted: an update.
    _log_access = False

    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    checked_at = fields.Datetime(string="Checked", required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Checked by",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    nightly = fields.Boolean(readonly=True)
    entry_count = fields.Integer(string="Entries", readonly=True, aggregator=None)
    first_sequence = fields.Integer(string="First No.", readonly=True, aggregator=None)
    first_hash = fields.Char(readonly=True)
    last_sequence = fields.Integer(string="Last No.", readonly=True, aggregator=None)
    last_hash = fields.Char(
        readonly=True,
        help="Whoever keeps it outside the system can prove later that the ledger up "
        "to this number is the same.",
    )
    broken_count = fields.Integer(string="Broken", readonly=True, aggregator=None)
    line_ids = fields.One2many(
        "quality.claim.check.line", "check_id", string="Broken Entries", readonly=True
    )
    # A ledger is the company's: what mails ask of other documents is empty here.
    site_id = fields.Many2one(comodel_name="resident.site", store=False)
    complaint_id = fields.Many2one(comodel_name="quality.complaint", store=False)

    @api.depends("company_id", "checked_at")
    def _compute_display_name(self):
        for check in self:
            check.display_name = self.env._(
                "Claim ledger of %(company)s, %(moment)s",
                company=check.company_id.name,
                moment=check._format_checked_at(),
            )

    def _format_checked_at(self):
        """Return the moment in the user's time zone and language."""
        self.ensure_one()
        return format_datetime(self.env, self.checked_at)

    # === CHECKS === #

    @api.model
    def _check(self, companies, nightly=False):
        """Check the ledgers of ``companies``, keep the results and tell of failures.

        :rtype: quality.claim.check, in the order of the companies
        """
        checks = self.browse()
        for company in companies.sorted("id"):
            # Results are written by checking alone; nobody has a right to it.
            checks |= self.sudo()._check_company(company, nightly).sudo(self.env.su)
        return checks

    @api.model
    def _check_company(self, company, nightly):
        facts, broken = self.env["quality.claim.entry"]._verify_company(company)
        previous = self.search([("company_id", "=", company.id)], limit=1)
        check = self.with_context(
            mail_create_nolog=True, mail_create_nosubscribe=True
        )._create_protected(
            [
                {
                    **facts,
                    "company_id": company.id,
                    "checked_at": fields.Datetime.now(),
                    "user_id": self.env.uid,
                    "nightly": nightly,
                    "broken_count": len(broken),
                }
            ]
        )
        self.env["quality.claim.check.line"]._create_protected(
            [
                {
                    "check_id": check.id,
                    "entry_ref": values["id"],
                    **{k: v for k, v in values.items() if k != "id"},
                }
                for values in broken
            ]
        )
        check.invalidate_recordset(["line_ids"])
        known = {line._get_key() for line in previous.line_ids}
        if any(line._get_key() not in known for line in check.line_ids):
            check._emit_event("chain_broken")
        return check

    @api.model
    def _cron_check(self):
        """Check the ledger of each company once a night, each in its own transaction.

        After a kill the companies left are checked when the job runs again.
        """
        cron = self.env["ir.cron"]
        due = self._get_due_companies()
        for left, company in zip(range(len(due) - 1, -1, -1), due, strict=True):
            self._check(company, nightly=True)
            if not cron._commit_progress(1, remaining=left):
                break

    @api.model
    def _get_due_companies(self):
        """Return the companies with claims whose ledger was not checked this night."""
        checked = self._read_group(
            [
                ("nightly", "=", True),
                ("checked_at", ">=", datetime.combine(fields.Date.today(), time.min)),
            ],
            ["company_id"],
        )
        claims = self.env["quality.claim"]._read_group([], ["company_id"])
        kept = self._read_group([], ["company_id"])
        companies = self.env["res.company"]
        due = companies.union(*(c for (c,) in claims + kept))
        return (due - companies.union(*(c for (c,) in checked))).sorted("id")

    # === MAIL === #

    def _get_event_users(self, role):
        """Return the users who have ``role`` at the company's sites."""
        sites = self.env["resident.site"].search(
            [("company_id", "=", self.company_id.id)]
        )
        return sites._get_role_users(role)

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/claim-ledger-checks/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the result")

    def _get_mail_facts(self):
        """Return what the mails say: the first broken entries, and how many more."""
        self.ensure_one()
        lines = self.line_ids[:20]
        facts = [
            (self.env._("Company"), self.company_id.name),
            (self.env._("Entries"), str(self.entry_count)),
            (self.env._("Broken"), str(self.broken_count)),
            *((line._get_label(), line.reason) for line in lines),
        ]
        if self.broken_count > len(lines):
            facts.append(
                (
                    "…",
                    self.env._("%(count)s more", count=self.broken_count - len(lines)),
                )
            )
        return facts

    # === DOCUMENT === #

    def action_print(self):
        """Print the results."""
        report = self.env.ref("quality_resident.action_report_claim_check")
        return report.report_action(self)

    def _get_document_lang(self):
        """Return the language of the report: the reader's, unless asked for."""
        return self.env.context.get("document_lang") or self.env.lang

    def _get_document_name(self):
        """Return the file name of the report, without its ending."""
        self.ensure_one()
        return self.env._(
            "Claim ledger check %(company)s %(day)s",
            company=self.company_id.name,
            day=self.checked_at.date(),
        )


class QualityClaimCheckLine(models.Model):
    """A broken entry of the ledger, or a claim that does not agree with it."""

    _name = "quality.claim.check.line"
    _description = "Broken Claim Ledger Entry"
    _inherit = ["quality.append.only.mixin"]
    _order = "id"
    _rec_name = "sequence"
    _log_access = False

    check_id = fields.Many2one(
        comodel_name="quality.claim.check",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="check_id.company_id")
    problem = fields.Selection(PROBLEMS, required=True, readonly=True)
    sequence = fields.Integer(string="No.", readonly=True, aggregator=None)
    missing_from = fields.Integer(readonly=True, aggregator=None)
    claim_id = fields.Many2one(
        comodel_name="quality.claim", readonly=True, ondelete="restrict"
    )
    # No link that the database keeps: it tells of entries that are gone.
    entry_ref = fields.Integer(string="Entry ID", readonly=True, aggregator=None)
    entry_id = fields.Many2one(
        comodel_name="quality.claim.entry", compute="_compute_entry_id"
    )
    reason = fields.Char(compute="_compute_reason")

    @api.depends("entry_ref")
    def _compute_entry_id(self):
        entries = self.env["quality.claim.entry"].browse(
            ref for ref in self.mapped("entry_ref") if ref
        )
        there = set(entries.exists().ids)
        for line in self:
            line.entry_id = line.entry_ref if line.entry_ref in there else False

    @api.depends("problem", "missing_from", "sequence")
    @api.depends_context("lang")
    def _compute_reason(self):
        for line in self:
            line.reason = self._get_reason(
                {name: line[name] for name in ("problem", "missing_from", "sequence")}
            )

    @api.model
    def _get_reason(self, values):
        """Say what is wrong.

        :param dict values: problem, sequence and missing_from, as in a line
        """
        if values["problem"] == "gap":
            return self.env._(
                "No. %(first)s to %(last)s before it are missing.",
                first=values["missing_from"],
                last=values["sequence"] - 1,
            )
        labels = dict(self._fields["problem"]._description_selection(self.env))
        return self.env._("%(problem)s.", problem=labels[values["problem"]])

    def _get_key(self):
        self.ensure_one()
        return self.problem, self.sequence, self.claim_id.id

    def _get_label(self):
        """Return which entry of which claim it is."""
        self.ensure_one()
        number = self.env._("No. %(number)s", number=self.sequence)
        # Named, not opened: who reads the report may not serve the claim's site.
        claim = self.claim_id.sudo().name
        return " · ".join(filter(None, [self.sequence and number, claim]))

    def action_open_entry(self):
        """Open the entry, or the claim where there is none.

        :raise AccessError: it belongs to a site that the user does not serve
        """
        self.ensure_one()
        record = self.entry_id or self.claim_id
        record.check_access("read")
        return record.get_formview_action()
