from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .quality_8d_steps import STEPS_3D

TEMPLATE = "quality_resident.mail_template_8d"
REPORT = "quality_resident.action_report_8d"
# What of a report is kept as data with each revision, besides its own content.
SNAPSHOT_LINES = {
    "member_ids": ("partner_id", "role"),
    "complaint_ids": (
        "name",
        "called_at",
        "customer_ref",
        "defect_id",
        "place_id",
        "lot_ids",
        "quantity",
        "description",
        "interim_measure",
        "line_stop_minutes",
        "recurrence_of_id",
    ),
    "inspection_ids": (
        "place_id",
        "qty_expected",
        "qty_checked",
        "qty_good",
        "qty_bad",
        "qty_suspect",
    ),
    "breakpoint_ids": ("kind", "value", "online_at", "state"),
    "cause_ids": (
        "branch",
        "why_1",
        "why_2",
        "why_3",
        "why_4",
        "why_5",
        "name",
        "contribution",
        "verify_method",
        "verified_by_id",
        "verified_on",
        "reproduced",
    ),
    **dict.fromkeys(
        ("interim_measure_ids", "permanent_measure_ids"),
        (
            "name",
            "cause_id",
            "user_id",
            "date_due",
            "verification",
            "state",
            "date_done",
            "verified_at",
        ),
    ),
    "prevention_ids": (
        "kind",
        "name",
        "reference",
        "user_id",
        "date_due",
        "date_done",
    ),
}


class Quality8d(models.Model):
    """The report at the customer: sent as a revision, accepted or refused."""

    _inherit = "quality.8d"

    revision_ids = fields.One2many(
        "quality.8d.revision", "eightd_id", string="Sent Revisions", readonly=True
    )

    def _get_last_revision(self):
        """Return what the customer got last."""
        # By number: one sent in this transaction comes last in the field.
        return self.revision_ids.sorted("number")[-1:]

    # === SENDING === #

    def action_send(self):
        """Freeze the report as a revision and open the mail to the customer.

        A report with D0 to D3 may go out as an interim one.

        :raise UserError: names what of D0 to D3 is missing
        """
        self.ensure_one()
        self._ensure_can_move("sent")
        if missing := self._get_missing(STEPS_3D):
            raise UserError(
                self.env._(
                    "Nothing was sent. At least D0 to D3 must be complete, this is "
                    "missing:\n%(gaps)s",
                    gaps="\n".join(f" – {gap}" for gap in missing),
                )
            )
        now = fields.Datetime.now()
        is_complete = not self._get_missing()
        stopped = []
        if not self.sent_3d_at:
            stopped.append(("three_d", "sent_3d_at"))
        if is_complete and self.level == "full" and not self.sent_8d_at:
            stopped.append(("full", "sent_8d_at"))
        self._move_to("sent", {name: now for _clock, name in stopped})
        for clock, _name in stopped:
            self._settle_clock(clock, now)
        self._archive(now, is_complete)
        return self.action_mail()

    def _archive(self, now, is_complete):
        """Keep the report as it is sent: document and data."""
        self.invalidate_recordset(["steps", "progress", "is_complete"])
        in_his_language = self.with_context(lang=self._get_document_lang())
        report = self.env.ref(REPORT)
        content, _format = report._render_qweb_pdf(report.report_name, self.ids)
        pdf = self.env["ir.attachment"].create(
            {
                "name": f"{in_his_language._get_document_name()}.pdf",
                "raw": content,
                "mimetype": "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
            }
        )
        # Nobody may write revisions; whoever may send the report makes one.
        self.env["quality.8d.revision"].sudo().create(
            {
                "eightd_id": self.id,
                "number": self.revision,
                "sent_at": now,
                "sent_by_id": self.env.uid,
                "progress": self.progress,
                "is_complete": is_complete,
                "pdf_id": pdf.id,
                "data": self._get_snapshot(),
            }
        )

    def _get_snapshot(self):
        """Return the content of the report as plain data."""
        self.ensure_one()
        own = ("name", "revision", "site_id", "product_id", "signed_by_id", "signed_on")
        specification = self._get_specification(self, (*own, *self._content_fields))
        for name, columns in SNAPSHOT_LINES.items():
            specification[name] = {
                "fields": self._get_specification(self[name], columns)
            }
        return self.web_read(specification)[0]

    @api.model
    def _get_specification(self, records, names):
        return {
            name: {"fields": {"display_name": {}}}
            if records._fields[name].relational
            else {}
            for name in names
        }

    def action_mail(self):
        """Open the mail to the customer with the last revision attached."""
        self.ensure_one()
        self.check_access("write")
        if self.state not in ("sent", "accepted"):
            raise UserError(
                self.env._("%(name)s is in work: send it first.", name=self.name)
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mail the 8D Report"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_composition_mode": "comment",
                "default_template_id": self.env.ref(TEMPLATE).id,
                "force_email": True,
            },
        }

    def _get_mail_partners(self):
        """Return whom of the customer the report goes to, unless chosen otherwise."""
        self.ensure_one()
        return self.member_ids.filtered(
            lambda m: m.role == "customer" and m.email
        ).partner_id

    def _process_attachments_for_template_post(self, mail_template):
        """Attach the revision as it was archived, not a new print."""
        result = super()._process_attachments_for_template_post(mail_template)
        if mail_template == self.env.ref(TEMPLATE):
            for eightd in self:
                pdf = eightd._get_last_revision().pdf_id
                result.setdefault(eightd.id, {})["attachment_ids"] = pdf.ids
        return result

    def _message_post_after_hook(self, message, msg_values):
        """Note to whom of the customer a revision was mailed."""
        last = self._get_last_revision()
        # Who sends the mail has attached the file himself.
        if last and last.pdf_id in message.sudo().attachment_ids:
            links = [Command.link(partner.id) for partner in message.partner_ids]
            # Nobody may write revisions.
            last.sudo().write({"mailed_partner_ids": links})
        return super()._message_post_after_hook(message, msg_values)

    # === THE CUSTOMER'S ANSWER === #

    def action_accept(self, contact_id=None, answered_at=None, remark=None):
        """Record that the customer accepts; a complete report is locked with it.

        With an interim report the work goes on, as the next revision.

        :param int contact_id: who of the customer's contacts said so
        :param answered_at: when, by default now
        """
        self.ensure_one()
        target = "accepted" if self._get_last_revision().is_complete else "draft"
        self._record_answer("accepted", contact_id, answered_at, remark, target)
        if target == "accepted":
            self._clear_todo()
            self.complaint_ids._take_root_cause()
        return True

    def action_refuse(self, reason=None, contact_id=None, answered_at=None):
        """Record that the customer refuses; it is in work again, as a new revision.

        :param str reason: what the customer wants otherwise
        """
        self.ensure_one()
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(
                self.env._(
                    "Say why the customer refuses: fill in “What the Customer Said”."
                )
            )
        self._record_answer("refused", contact_id, answered_at, reason, "refused")
        return True

    def _record_answer(self, answer, contact_id, answered_at, remark, target):
        self._ensure_can_move(target)
        if self.state != "sent":
            raise UserError(
                self.env._(
                    "%(name)s does not lie at the customer: send it first.",
                    name=self.name,
                )
            )
        contact = self.env["resident.contact"].browse(contact_id or [])
        # A contact of a site that he may not see is refused as well.
        if not contact.exists() or contact.sudo().site_id != self.site_id:
            raise UserError(
                self.env._("Choose who of the customer answered: “Answered by”.")
            )
        last = self._get_last_revision()
        now = fields.Datetime.now()
        answered_at = fields.Datetime.to_datetime(answered_at) or now
        if not last.sent_at <= answered_at <= now:
            raise UserError(
                self.env._(
                    "“Answered On” lies before the report was sent or in the future."
                )
            )
        remark = str(remark or "").strip()
        is_final = target == "accepted"
        self._move_to(target, {} if is_final else self._get_next_revision_values())
        # Nobody may write revisions.
        last.sudo().write(
            {
                "answer": answer,
                "answered_by_id": contact.id,
                "answered_at": answered_at,
                "remark": remark,
            }
        )
        label = dict(last._fields["answer"]._description_selection(self.env))[answer]
        self._message_log(
            body=self.env._(
                "Revision %(number)s: %(answer)s by %(who)s. %(remark)s",
                number=last.number,
                answer=label,
                who=contact.partner_id.name,
                remark=remark,
            )
        )

    def _get_next_revision_values(self):
        return {
            "revision": self.revision + 1,
            # Who signed the revision that was sent signs the next one anew.
            "signed_by_id": False,
            "signed_on": False,
        }

    def action_revise(self):
        """Go on working while the customer has not answered, as the next revision."""
        for eightd in self:
            if eightd.state != "sent":
                raise UserError(
                    self.env._("%(name)s is not at the customer.", name=eightd.name)
                )
            eightd._move_to("draft", eightd._get_next_revision_values())
        return True

    def action_reopen(self, reason=None):
        """Open an accepted report again, saying why: the manager's alone."""
        reason = str(reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why the report is opened again."))
        for eightd in self:
            if eightd.state != "accepted":
                raise UserError(
                    self.env._("%(name)s is not accepted.", name=eightd.name)
                )
            eightd._move_to("draft", eightd._get_next_revision_values())
        self._message_log_batch({eightd.id: reason for eightd in self})
        return True
