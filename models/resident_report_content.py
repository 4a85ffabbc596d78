from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime

from ..reports.svg_chart import draw_bars, draw_lines, draw_pareto
from .resident_report import REPORT

DRAWERS = {"bars": draw_bars, "lines": draw_lines, "pareto": draw_pareto}
# Reports that tell the movement since the last one of their kind.
MOVING_KINDS = ("daily", "weekly")
# A report after a long pause does not go further back than this.
LOOK_BACK = timedelta(days=31)


class ResidentReport(models.Model):
    """The content: sections of facts, charts, and the document kept as sent.

    ``data`` holds both as plain values, in the language of the report:
    ``{"sections": [{"title", "head": [text], "rows": [[text, number, None or
    {"date": ISO date}]]}],
    "charts": [{"title", "draw": one of DRAWERS, "args": [...], "options": {...}}]}``.
    """

    _inherit = "resident.report"

    def _compile(self):
        """Write the content of the reports from the records of their periods."""
        for report in self:
            report = report.with_context(lang=report.lang)
            start, stop = report._get_span()
            sections, charts = getattr(report, f"_get_{report.kind}_facts")(start, stop)
            data = {"sections": [s for s in sections if s["rows"]], "charts": charts}
            content = self.env["ir.qweb"]._render(
                "quality_resident.resident_report_sections",
                {"sections": data["sections"], "format": report._format_cell},
            )
            report._write_protected(
                {
                    "covers_from": start,
                    "covers_until": stop,
                    "data": data,
                    "content": content,
                }
            )

    def _get_span(self):
        """Return from when until when records belong to this report (naive UTC).

        Daily and weekly reports go on where the last one that was sent ended: what
        happens in the evening or on a holiday is in the next one.
        """
        self.ensure_one()
        start = self._get_day_start(self.date_from)
        stop = min(fields.Datetime.now(), self._get_end(self.date_to))
        if self.kind in MOVING_KINDS:
            last = self.search(
                [
                    ("site_id", "=", self.site_id.id),
                    ("kind", "=", self.kind),
                    ("state", "=", "sent"),
                    ("date_from", "<", self.date_from),
                ],
                order="date_from desc",
                limit=1,
            )
            if last and start - LOOK_BACK < last.covers_until < stop:
                start = last.covers_until
        return start, max(start, stop)

    def _get_sites(self):
        """Return the sites that the report is about."""
        self.ensure_one()
        return self.site_id or self.env["resident.site"].search(
            [("company_id", "=", self.company_id.id)]
        )

    def _get_domain(self, name=None, start=None, stop=None):
        """Return the domain of the sites' records with ``name`` in a span of time."""
        domain = Domain("site_id", "in", self._get_sites().ids)
        if name:
            domain &= Domain(name, ">=", start) & Domain(name, "<=", stop)
        return domain

    # === FORM === #

    @api.model
    def _get_section(self, title, head, rows):
        return {"title": title, "head": head, "rows": rows}

    @api.model
    def _get_chart(self, title, draw, *args, **options):
        return {"title": title, "draw": draw, "args": args, "options": options}

    @api.model
    def _format_cell(self, value):
        """Return a cell of a table as text; what is not known is a dash."""
        if value is None or value is False:
            return "–"
        if isinstance(value, dict):
            return format_date(self.env, value["date"])
        if isinstance(value, float):
            return f"{value:,.1f}".removesuffix(".0")
        return f"{value:,}" if isinstance(value, int) else value

    @api.model
    def _get_label(self, record, name):
        """Return what a selection field of ``record`` holds, in the report's words."""
        labels = dict(record._fields[name]._description_selection(self.env))
        return labels.get(record[name], "")

    def _draw_charts(self):
        """Return the charts with their titles, as inline SVG."""
        self.ensure_one()
        return Markup("").join(
            Markup('<div class="qr_keep"><h3>%s</h3>%s</div>')
            % (
                chart["title"],
                DRAWERS[chart["draw"]](*chart["args"], **chart["options"]),
            )
            for chart in (self.data or {}).get("charts", [])
        )

    # === DOCUMENT === #

    def _get_document_lang(self):
        self.ensure_one()
        return self.env.context.get("document_lang") or self.lang

    def _get_document_name(self):
        """Return the file name of the document, without its ending."""
        self.ensure_one()
        return self.display_name

    def _format_period(self):
        self.ensure_one()
        first, last = (
            format_date(self.env, day) for day in (self.date_from, self.date_to)
        )
        return first if first == last else f"{first} – {last}"

    def _format_moment(self, name):
        """Return a moment of this report in the time of its site or company."""
        self.ensure_one()
        if not self[name]:
            return "–"
        return format_datetime(
            self.env, self[name], tz=self._get_calendar().tz, dt_format="short"
        )

    def _archive(self):
        """Keep the report's document as it is sent."""
        self.ensure_one()
        report = self.env.ref(REPORT)
        # As sent it says when and by whom.
        self.flush_recordset()
        content, _format = report._render_qweb_pdf(report.report_name, self.ids)
        in_its_language = self.with_context(lang=self.lang)
        pdf = self.env["ir.attachment"].create(
            {
                "name": f"{in_its_language._get_document_name()}.pdf",
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        self._write_protected({"pdf_id": pdf.id})

    # === MAIL === #

    def _get_event_users(self, role):
        """The responsible hears of what is due; a company's list has no site."""
        if role in ("resident", "standin"):
            return self.user_id
        if not self.site_id:
            sites = self._get_sites()
            return (
                sites.manager_id if role == "manager" else sites._get_role_users(role)
            )
        return super()._get_event_users(role)

    def _is_event_true(self, event):
        if event.kind in ("report_due", "report_reminder"):
            return self.state != "sent"
        return super()._is_event_true(event)

    def _get_event_attachments(self, event):
        if event.kind in ("report_due", "report_reminder", "report_missed"):
            return super()._get_event_attachments(event)
        return self.pdf_id

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/reports/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the report")

    def _get_mail_facts(self):
        """Return what the mails say about this report."""
        self.ensure_one()
        facts = [(self.env._("Period"), self._format_period())]
        if self.due_at:
            facts.append((self.env._("Due"), self._format_moment("due_at")))
        facts.append((self.env._("Responsible"), self.user_id.name or "–"))
        if self.remark:
            facts.append((self.env._("Remark"), self.remark))
        return facts
