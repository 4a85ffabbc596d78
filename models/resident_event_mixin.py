from odoo import fields, models
from odoo.tools import SQL


class ResidentEventMixin(models.AbstractModel):
    """A document that tells the people of its site what happened."""

    _name = "resident.event.mixin"
    _description = "Document with Events"

    def _emit_event(self, kind, key=""):
        """Record that ``kind`` happened to these records, once per ``key``.

        Nothing is rendered or mailed in this transaction: the event job does it
        (performance.md, "mails queued, never sent, in the transaction").

        :param str kind: one of ``resident.event``'s kinds
        :param str key: what distinguishes two events of one kind on one record
        """
        if not self:
            return
        self.flush_recordset(["site_id", "company_id"])
        uid, now = self.env.uid, fields.Datetime.now()
        rows = SQL(", ").join(
            SQL(
                "(%s, %s, %s, %s, %s, %s, 'pending', 0, %s, %s, %s, %s, %s, %s)",
                kind,
                key,
                record._name,
                record.id,
                record.site_id.id or None,
                record.company_id.id,
                uid,
                now,
                uid,
                now,
                uid,
                now,
            )
            for record in self
        )
        # Two users, or a job that runs again after a kill, may raise the same event
        # at the same moment: the unique index keeps one and nobody gets an error.
        self.env.cr.execute(
            SQL(
                """INSERT INTO resident_event
                    (kind, key, res_model, res_id, site_id, company_id, state,
                     attempts, user_id, date, create_uid, create_date,
                     write_uid, write_date)
                VALUES %s ON CONFLICT DO NOTHING""",
                rows,
            )
        )
        self.env["resident.event"].invalidate_model()
        self.env["resident.event"]._wake_job()

    def _get_event_attachments(self, event):
        """Return the ir.attachment records to send with ``event``'s mail."""
        return self.env["ir.attachment"]

    def _is_event_true(self, event):
        """Tell whether what ``event`` says still holds when it is to be told."""
        return True

    def _get_mail_facts(self):
        """Return ``[(label, text)]`` that mails say besides the complaint's facts."""
        self.ensure_one()
        return []

    def _get_parts_text(self):
        """Return the parts of a document with lines, as short as a mail needs it."""
        self.ensure_one()
        lines = [
            f"{line.product_id.display_name} {line.lot_id.name or ''} × "
            f"{line.quantity:g} {line.uom_id.name}"
            # A slice of the recordset would read each request's lines by themselves.
            for line in list(self.line_ids)[:5]
        ]
        if more := len(self.line_ids) - len(lines):
            lines.append(self.env._("and %(count)s more", count=more))
        return "\n".join(lines)

    def _get_record_url(self):
        """Return the link that opens this record, or its complaint, in the client."""
        self.ensure_one()
        return self.complaint_id._get_record_url()

    def _get_link_text(self):
        """Return what the button of the mails says that opens this record."""
        return self.env._("Open the complaint")

    def _get_named_users(self, event):
        """Return who hears of ``event`` himself, whatever the routing says."""
        return self.env["res.users"]

    def _get_event_users(self, role):
        """Return the users who have ``role`` for this document.

        :param str role: resident, standin, sales, quality, manager or gm
        """
        return self.site_id._get_role_users(role)
