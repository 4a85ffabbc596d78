from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

RESIDENT = ("quality_resident.group_resident", "quality_resident.group_manager")
QUALITY = ("quality_resident.group_quality",)
HOME = (*QUALITY, "quality_resident.group_manager")
MANAGER = ("quality_resident.group_manager",)


class QualityReturn(models.Model):
    _inherit = "quality.return"

    # === WORKFLOW === #

    @api.model
    def _get_transitions(self):
        return {
            "draft": {"requested": RESIDENT, "cancelled": RESIDENT},
            "requested": {
                "approved": HOME,
                "refused": HOME,
                "cancelled": RESIDENT,
            },
            # The stock moves say when: see _follow_stock.
            "approved": {"in_transit": MANAGER, "cancelled": RESIDENT},
            "in_transit": {"received": MANAGER},
            "received": {"judged": QUALITY},
            # A verdict was taken back, or more parts came.
            "judged": {"closed": HOME, "received": QUALITY},
            "refused": {"draft": RESIDENT},
        }

    def action_request(self):
        """Ask home to take the parts back (R1); Sales for others, at an exchange (R2).

        :raise UserError: names what is missing, line by line
        """
        self._ensure_can_move("requested")
        self._ensure_requestable()
        now = fields.Datetime.now()
        self._move_to(
            "requested", {"requested_by_id": self.env.uid, "requested_at": now}
        )
        self._emit_event("return_requested", key=fields.Datetime.to_string(now))
        self._ask_for_replacement()
        return True

    def _ensure_requestable(self):
        for document in self:
            site = document.site_id
            if not (site.transit_location_id and site.return_location_id):
                raise UserError(
                    self.env._(
                        "%(site)s has no place for parts on the way or returned parts "
                        "yet: press “Set Up” on the site.",
                        site=site.name,
                    )
                )
            if not document.line_ids:
                raise UserError(
                    self.env._(
                        "%(name)s: enter at least one line of “Parts”.",
                        name=document.name,
                    )
                )
            if not (document.reason or "").strip() and not all(
                line.defect_id for line in document.line_ids
            ):
                raise UserError(
                    self.env._(
                        "%(name)s: fill in “Reason”, or the “Defect” of every line.",
                        name=document.name,
                    )
                )
            document._ensure_confirmed()
        self.line_ids._ensure_there()

    def _ensure_decidable(self):
        """Refuse to decide what one has asked for, or has written part of.

        :raise AccessError: names who may
        """
        for document in self:
            # The system itself, which loads data, is nobody's colleague.
            if (
                self.env.user in document.requested_by_id | document.requester_ids
                and not self.env.user._is_superuser()
            ):
                raise AccessError(
                    self.env._(
                        "You have written or requested %(name)s: have Quality or "
                        "another manager decide.",
                        name=document.name,
                    )
                )

    def action_approve(self):
        """Take the parts back: makes the pick-up of what lies where.

        :raise UserError: parts no longer lie there
        """
        todo = self.filtered(lambda r: r.state != "approved")
        todo._ensure_can_move("approved")
        todo._ensure_decidable()
        todo._move_to("approved", todo._prepare_decision_values())
        # Two may press at once: the second waits here, Odoo runs it again, and it
        # finds the return approved.
        todo.flush_recordset()
        todo._create_pickups()
        todo._clear_todo("return_requested")
        todo._emit_event("return_approved")
        return True

    def _prepare_decision_values(self):
        return {
            "approved_by_id": self.env.uid,
            "approved_at": fields.Datetime.now(),
        }

    def action_refuse(self, reason=None):
        """Do not take the parts back, saying why."""
        self._ensure_can_move("refused")
        self._ensure_decidable()
        self._move_with_reason("refused", reason, self._prepare_decision_values())
        # What Sales have prepared for it stays in stock.
        self._cancel_transfers()
        self._emit_event(
            "return_refused", key=fields.Datetime.to_string(fields.Datetime.now())
        )
        return True

    def action_reset(self):
        """Change a refused request, to ask again."""
        self._move_to("draft", {"requested_by_id": False, "replacement_alert": 0})
        return True

    def action_cancel(self, reason=None):
        """Keep the parts where they lie; nothing has been picked up yet."""
        self._move_with_reason("cancelled", reason)
        self._cancel_transfers()
        return True

    def _move_with_reason(self, target, reason, values=None):
        self._ensure_can_move(target)
        reason = str(reason or "").strip()
        if not reason:
            raise UserError(
                self.env._(
                    "Say why: a reason is needed for %(names)s.",
                    names=", ".join(self.mapped("name")),
                )
            )
        self._move_to(target, {"closing_reason": reason, **(values or {})})
        self._message_log_batch({document.id: reason for document in self})
        self._clear_todo()

    def action_close(self):
        """All that came is judged, nothing is open any more.

        :raise UserError: names what is still open
        """
        self._ensure_can_move("closed")
        gaps = [
            "\n".join([document.name, *(f" – {gap}" for gap in missing)])
            for document in self
            if (missing := document._get_closing_gaps())
        ]
        if gaps:
            raise UserError(
                self.env._("This is still open:\n%(gaps)s", gaps="\n".join(gaps))
            )
        self._move_to("closed", {"closed_at": fields.Datetime.now()})
        self._clear_todo()
        return True

    def _get_closing_gaps(self):
        """Return what keeps this return from being closed, a line each.

        :rtype: list of str, in the user's language
        """
        self.ensure_one()
        gaps = [
            self.env._(
                "%(line)s: %(open)g not judged yet",
                line=line.display_name,
                open=line.qty_open,
            )
            for line in self.line_ids
            if line.uom_id.compare(line.qty_open, 0) > 0
        ]
        gaps += [
            self.env._(
                "%(line)s: a difference of %(difference)+g, which the manager settles",
                line=line.display_name,
                difference=line.qty_difference,
            )
            for line in self.line_ids
            if not line.uom_id.is_zero(line.qty_difference)
        ]
        if self.kind == "exchange" and not self.replaced_at:
            gaps.append(self.env._("The replacement has not been delivered"))
        return gaps
