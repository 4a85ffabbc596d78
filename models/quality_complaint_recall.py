from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from .quality_complaint import OPEN_STATES


class QualityComplaint(models.Model):
    """Where else the suspect lots went, and containment there (A5)."""

    _inherit = "quality.complaint"

    origin_complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        string="Recall from",
        readonly=True,
        copy=False,
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The complaint whose lots were found here.",
    )

    # === WHERE ELSE === #

    def _get_suspect_lots(self):
        """Return the lots complained of and those in which bad parts were counted."""
        tranches = self.sorting_ids.filtered(
            lambda s: not s.undone and (s.qty_bad or s.qty_suspect)
        )
        return self.lot_ids | tranches.lot_id

    @api.model
    def _get_lots_domain(self, lots):
        """Return the domain of complaints to which one of ``lots`` is suspect."""
        return Domain("lot_ids", "in", lots.ids) | Domain(
            "sorting_ids",
            "any",
            Domain("lot_id", "in", lots.ids)
            & Domain("undone", "=", False)
            & (Domain("qty_bad", ">", 0) | Domain("qty_suspect", ">", 0)),
        )

    def _get_elsewhere(self):
        """Return domain and context of the trace rows that show where else it is.

        Without a lot it is all of the product: what lies in our stock now, and what was
        delivered in the days that the company sets.
        """
        self.ensure_one()
        context = {"trace_complaint_id": self.id}
        lots = self._get_suspect_lots()._get_lots_made_of()
        if lots:
            context["trace_lot_ids"] = lots.ids
            domain = Domain("lot_id", "in", lots.ids)
        else:
            since = self.called_at - timedelta(days=self.company_id.trace_days)
            context["trace_since"] = fields.Datetime.to_string(since)
            domain = Domain("product_id", "=", self.product_id.id)
        # What this site received is sorted by the containment here.
        elsewhere = (
            Domain("kind", "!=", "delivery")
            | Domain("site_id", "!=", self.site_id.id)
            | Domain("product_id", "!=", self.product_id.id)
        )
        domain &= (
            Domain("kind", "in", ("stock", "delivery"))
            & Domain("quantity", ">", 0)
            & Domain("company_id", "in", (self.company_id.id, False))
            & elsewhere
        )
        return domain, context

    def action_view_elsewhere(self):
        """Open every other place and customer that the suspect lots went to."""
        self.check_access("read")
        self._ensure_filled("product_id")
        domain, context = self._get_elsewhere()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_trace_action_elsewhere"
        )
        action["domain"] = list(domain)
        action["context"] = context
        if "trace_lot_ids" in context:
            return action
        # The client would show the markup of an action's help after a notice.
        del action["help"]
        since = fields.Datetime.to_datetime(context["trace_since"])
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": self.env._(
                    "No lot is known on %(name)s. This is all of %(product)s: our "
                    "stock now, and what was delivered since %(date)s.",
                    name=self.name,
                    product=self.product_id.display_name,
                    date=fields.Date.to_string(since),
                ),
                "next": action,
            },
        }

    def _get_known(self, rows):
        """Return ``{row: complaint}`` about what this complaint is about, at its site.

        Those that a recall from here opened, and open ones about the same lot.
        """
        # Whoever sees the row hears that somebody is at it there already.
        others = self.sudo().search(
            Domain("site_id", "in", rows.site_id.ids)
            & Domain("product_id", "in", rows.product_id.ids)
            & Domain("state", "not in", ("refused", "cancelled"))
            & (Domain("origin_complaint_id", "=", self.id) | self._get_open_domain())
            & (
                Domain("origin_complaint_id", "=", self.id)
                | Domain("lot_ids", "in", rows.lot_id.ids)
                | Domain("lot_ids", "=", False)
                & Domain("defect_id", "=", self.defect_id.id)
            ),
            order="origin_complaint_id, id",
        )
        by_part = others.grouped(lambda c: (c.site_id, c.product_id))
        own = (self.site_id, self.product_id)
        known = {}
        for row in rows:
            part = (row.site_id, row.product_id)
            known[row] = (
                self.sudo()
                if part == own
                else next(
                    (c for c in by_part.get(part, ()) if c._is_about(row.lot_id, self)),
                    self.sudo().browse(),
                )
            )
        return known

    def _is_about(self, lot, origin):
        """Tell whether ``lot`` is, or comes, under this complaint."""
        self.ensure_one()
        return (
            not self.lot_ids
            or lot in self.lot_ids
            or (self.origin_complaint_id == origin and self.state in OPEN_STATES)
        )

    # === RECALL === #

    def _recall(self, rows):
        """Open the containment where ``rows`` of the trace say that the lots are.

        At this site it is a sorting of the place, at another one a complaint there.
        What is open already stays as it is.

        :return: a notice of what was opened and, where nobody of ours is, whom to tell
        :raise AccessError: names who may
        """
        self.ensure_one()
        self._lock_sites(rows.site_id)
        todo = rows.filtered(lambda r: r.status == "todo")
        told = rows.filtered(lambda r: r.status == "none")._get_whom_to_tell()
        opened = self.browse()
        for (site, product), part in todo.grouped(
            lambda r: (r.site_id, r.product_id)
        ).items():
            opened |= self._recall_at(site, product, part)
        if opened:
            names = ", ".join(f"{c.name} ({c.site_id.name})" for c in opened)
            message = self.env._("Containment opened: %(names)s", names=names)
            self._message_log_batch({self.id: message})
        elif told:
            message = ""
        else:
            message = self.env._("Containment is open there already.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if told else "success",
                "sticky": bool(told),
                "message": "\n".join(filter(None, [message, *told])),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _lock_sites(self, sites):
        """Let one recall at a time happen at ``sites``.

        A lock alone would let the second go on with what it saw before the first was
        done. A new version of the row makes PostgreSQL refuse it; Odoo runs it again.
        """
        if sites:
            self.env.cr.execute(
                SQL(
                    "UPDATE resident_site SET write_date = write_date WHERE id IN %s",
                    tuple(sorted(sites.ids)),
                )
            )

    def _recall_at(self, site, product, rows):
        """Open the containment of ``product`` at ``site``, in a complaint there."""
        try:
            complaint = rows.known_complaint_id[:1]
            if not complaint:
                complaint = self.create(self._prepare_recall_values(site, rows))
                complaint._write_protected({"origin_complaint_id": self.id})
            elif complaint.origin_complaint_id == self and rows.lot_id:
                complaint.lot_ids |= rows.lot_id
            if rows.place_id - complaint.inspection_ids.place_id:
                complaint._uncontain()
            complaint.action_open_containment()
            # A place may hold parts though it need not be screened as a rule.
            complaint._open_containment(rows.place_id)
        except AccessError as error:
            raise AccessError(
                self.env._(
                    "Only a customer service manager, or a resident posted to "
                    "%(site)s, opens a containment there.",
                    # He has seen the name in the row.
                    site=site.sudo().name,
                )
            ) from error
        return complaint

    def _uncontain(self):
        """Take back that all is contained, where another place is found."""
        if self.state in ("contained", "analysed", "verifying"):
            self._move_to("reported")

    def _prepare_recall_values(self, site, rows):
        return {
            "site_id": site.id,
            "product_id": rows.product_id.id,
            "defect_id": self.defect_id.id,
            "lot_ids": [Command.set(rows.lot_id.ids)],
            "channel": "recall",
            # Neither confirmed there nor ruled out.
            "problem_type": "tracking",
            "severity": self.severity,
            "description": self.env._(
                "Recall from %(name)s, %(site)s: %(description)s",
                name=self.name,
                site=self.site_id.name,
                description=self.description or self.defect_id.display_name or "",
            ),
            "suspect_area": "\n".join(rows._get_lines()),
        }
