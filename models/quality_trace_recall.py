from odoo import api, fields, models
from odoo.exceptions import UserError

from .qc_inspection import SCREENED_STATES
from .quality_complaint import OPEN_STATES


class QualityTrace(models.Model):
    """Rows of “Where else?”: seen from the complaint in the context."""

    _inherit = "quality.trace"

    status = fields.Selection(
        selection=[
            ("todo", "To Contain"),
            ("open", "Being Contained"),
            ("done", "Screened"),
            ("held", "Set Aside"),
            ("none", "No Site"),
        ],
        compute="_compute_status",
    )
    where = fields.Char(compute="_compute_where")
    known_complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        string="Complaint There",
        compute="_compute_status",
    )

    @api.model
    def _get_complaint(self):
        """Return the complaint from which the user looks, if he may read it."""
        complaint_id = self.env.context.get("trace_complaint_id")
        complaint = self.env["quality.complaint"].browse(complaint_id)
        complaint.check_access("read")
        return complaint

    @api.depends("place_id", "partner_id", "name")
    @api.depends_context("lang")
    def _compute_where(self):
        for row in self:
            # What stands in the row is read by its rules, place and customer with it.
            row_sudo = row.sudo()
            row.where = (
                row_sudo.place_id.display_name
                or row_sudo.partner_id.display_name
                or row.name
            )

    @api.depends_context("trace_complaint_id", "uid")
    def _compute_status(self):
        complaint = self._get_complaint()
        self.status = self.known_complaint_id = False
        if not complaint:
            return
        known = complaint._get_known(self)
        for row in self:
            row.known_complaint_id = known[row]
            row.status = row._get_status(known[row], complaint)

    def _get_status(self, known, origin):
        self.ensure_one()
        if self.is_held:
            return "held"
        if not self.site_id:
            return "none"
        if not known:
            return "todo"
        if known != origin and known.state not in OPEN_STATES:
            return "done"
        if not self.place_id:
            return "open" if known.containment_opened_at else "todo"
        sorting = known.inspection_ids.filtered(lambda i: i.place_id == self.place_id)
        if not sorting:
            return "todo"
        return "done" if sorting.state in SCREENED_STATES else "open"

    def action_open_containment(self):
        """Open the containment where these rows are, from the complaint looked from.

        Safe to run again.

        :raise AccessError: names who may
        """
        complaint = self._get_complaint()
        if not complaint:
            raise UserError(
                self.env._("Open this list by “Where else?” of a complaint.")
            )
        domain, context = complaint._get_elsewhere()
        # Only what is there now, whatever ids and context a client sends.
        rows = self.with_context(**context)
        rows = rows.search(domain) & self
        if not rows:
            raise UserError(
                self.env._("The parts are no longer there: open the list again.")
            )
        return complaint._recall(rows)

    def _get_lines(self):
        """Return where and how much, a line for each row."""
        return [
            " · ".join(
                filter(
                    None,
                    (
                        row.where,
                        row.lot_id.name,
                        f"{row.quantity:g} {row.uom_id.name}",
                    ),
                )
            )
            for row in self
        ]

    def _get_whom_to_tell(self):
        """Return how to reach those where nobody of ours is, a line for each."""
        lines = []
        for row in self:
            if row.kind == "stock":
                text = self.env._(
                    "%(where)s is no place of a site: tell the warehouse to block it.",
                    where=row.name,
                )
            else:
                text = self.env._(
                    "%(customer)s has no site of ours: tell the customer. %(contact)s",
                    customer=row.partner_id.display_name
                    or self.env._("A customer not named on %(name)s", name=row.name),
                    contact=", ".join(filter(None, (row.phone, row.email))),
                )
            if text not in lines:
                lines.append(text)
        return lines
