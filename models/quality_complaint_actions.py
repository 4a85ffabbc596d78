from odoo import api, fields, models
from odoo.exceptions import UserError

MANAGER = ("quality_resident.group_manager",)
# What the feedback form must hold (spec.md C1).
FEEDBACK_FIELDS = (
    "place_id",
    "product_id",
    "defect_id",
    "problem_type",
    "quantity",
    "description",
    "suspect_area",
    "interim_measure",
    "breakpoint_note",
    "talk_result",
    "photo_ids",
)


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    _reason_actions = (
        "action_refuse",
        "action_cancel",
        "action_reopen",
        "action_contain",
    )

    # === WORKFLOW === #

    @api.model
    def _get_transitions(self):
        return {
            "new": {"reported": (), "refused": MANAGER, "cancelled": MANAGER},
            "reported": {"contained": (), "refused": MANAGER, "cancelled": MANAGER},
            # Back to reported: a breakpoint failed.
            "contained": {
                "analysed": (),
                "reported": (),
                "refused": MANAGER,
                "cancelled": MANAGER,
            },
            "analysed": {"verifying": (), "reported": (), "cancelled": MANAGER},
            "verifying": {"closed": (), "reported": (), "cancelled": MANAGER},
            "closed": {"reported": MANAGER},
            "refused": {"reported": MANAGER, "new": MANAGER},
            "cancelled": {"reported": MANAGER, "new": MANAGER},
        }

    def action_arrive(self):
        """Note that the resident, or his stand-in, is on the spot now (C3)."""
        self.check_access("write")
        now = fields.Datetime.now()
        coming = self.filtered(lambda c: not c.arrived_at)
        for complaint in coming:
            complaint._ensure_open()
        standing_in = coming.filtered(
            lambda c: (
                not c.standin_id
                and self.env.user != c.resident_id
                and self.env.user in c.site_id._get_on_duty("standin")
            )
        )
        standing_in._write_protected({"standin_id": self.env.uid})
        for complaint in coming:
            # The clocks of two machines may differ by seconds.
            complaint._write_protected({"arrived_at": max(now, complaint.called_at)})
        coming._settle_clock("arrival", now)
        return True

    def action_send_feedback(self):
        """Send the complete feedback form to the people of the site (C4).

        What has been sent already is left alone, so that two clicks at once send one
        form. Nothing is sent while something is missing on one of the records.

        :raise UserError: names field by field what is missing
        """
        self.check_access("write")
        unsent = self.filtered(lambda c: c.state == "new")
        for complaint in self - unsent:
            complaint._ensure_open()
        unsent._ensure_complete()
        now = fields.Datetime.now()
        unsent._move_to("reported", {"feedback_sent_at": now})
        unsent._settle_clock("feedback", now)
        unsent._emit_feedback()
        return self._get_sent_notification()

    def action_send_revision(self):
        """Send the form again after changes, as its next revision.

        The clock keeps the first form, which has been seen and stays on record.

        :raise UserError: names field by field what is missing
        """
        self.check_access("write")
        for complaint in self:
            complaint._ensure_open()
            if not complaint.feedback_sent_at:
                raise UserError(
                    self.env._(
                        "%(name)s has no feedback form yet: send the first one.",
                        name=complaint.name,
                    )
                )
        self._ensure_complete()
        self._emit_feedback()
        return self._get_sent_notification()

    def _ensure_complete(self):
        gaps = [
            "\n".join([c.name, *(f" – {label}" for label in missing)])
            for c in self
            if (missing := c._get_missing_labels())
        ]
        if gaps:
            raise UserError(
                self.env._(
                    "Nothing was sent, the draft is kept. Still missing on\n%(gaps)s",
                    gaps="\n".join(gaps),
                )
            )

    def _emit_feedback(self):
        for revision, complaints in self.grouped("feedback_revision").items():
            complaints._write_protected({"feedback_revision": revision + 1})
            complaints._emit_event("feedback", key=f"r{revision + 1}")

    def _get_sent_notification(self):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Sent: %(names)s. The people named at the site get it by mail.",
                    names=", ".join(self.mapped("name")),
                ),
                # Reloads the form.
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _get_missing_labels(self):
        """Return the labels of what the feedback form still lacks.

        :rtype: list of str, in the user's language
        """
        self.ensure_one()

        def label(name):
            return self._fields[name]._description_string(self.env)

        missing = [label(name) for name in FEEDBACK_FIELDS if self._is_blank(name)]
        if not self.arrived_at:
            missing.insert(0, self.env._("On Site (press “I am on site” first)"))
        elif self.arrival_status == "late":
            missing.insert(
                0,
                self.env._(
                    "%(reason)s, %(standin)s or %(told)s, as the arrival was late",
                    reason=label("late_reason"),
                    standin=label("standin_id"),
                    told=label("customer_told"),
                ),
            )
        if self.line_stop_minutes and self._is_blank("line_stop_reason"):
            missing.append(label("line_stop_reason"))
        return missing

    def action_analyse(self):
        """The root cause is known."""
        self._ensure_filled("root_cause")
        self._move_to("analysed")
        return True

    def action_verify(self):
        """The permanent measure is in place and is being proven."""
        self._move_to("verifying")
        return True

    def action_close(self):
        """The correction is proven: measures verified, breakpoint held (C7, C8).

        :raise UserError: names what is not proven yet
        """
        self._ensure_can_move("closed")
        gaps = [
            "\n".join([c.name, *(f" – {gap}" for gap in missing)])
            for c in self
            if (missing := c._get_closing_gaps())
        ]
        if gaps:
            raise UserError(
                self.env._(
                    "Not proven yet, so it stays open:\n%(gaps)s", gaps="\n".join(gaps)
                )
            )
        self._move_to("closed", {"closed_at": fields.Datetime.now()})
        self._clear_todo()
        return True

    def action_refuse(self, reason=None):
        """Refuse the complaint as not ours, saying why.

        :param str reason: shown on the record and in its history
        """
        return self._move_with_reason("refused", reason)

    def action_cancel(self, reason=None):
        """Cancel a complaint that was entered in error, saying why."""
        return self._move_with_reason("cancelled", reason)

    def action_reopen(self, reason=None):
        """Open a finished complaint again, where its feedback form left it."""
        self.check_access("write")
        for complaint in self:
            if complaint._has_running_clocks():
                raise UserError(
                    self.env._("%(name)s is open already.", name=complaint.name)
                )
        sent = self.filtered("feedback_sent_at")
        sent._move_with_reason("reported", reason, {"closed_at": False})
        (self - sent)._move_with_reason("new", reason, {"closed_at": False})
        return True

    def _move_with_reason(self, target, reason, values=None):
        if not self:
            return True
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
        self._message_log_batch({c.id: reason for c in self})
        if target in ("refused", "cancelled"):
            self._clear_todo()
        return True

    def _ensure_open(self):
        if not self._has_running_clocks():
            raise UserError(
                self.env._("%(name)s is finished. Open it again first.", name=self.name)
            )

    def _ensure_filled(self, *names):
        for complaint in self:
            for name in names:
                if complaint._is_blank(name):
                    raise UserError(
                        self.env._(
                            "%(name)s: fill in “%(field)s” first.",
                            name=complaint.name,
                            field=self._fields[name]._description_string(self.env),
                        )
                    )

    # === SMART BUTTONS === #

    def action_view_history(self):
        """Open all complaints about the same product at the same site."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_complaint_action"
        )
        action["domain"] = [
            ("site_id", "=", self.site_id.id),
            ("product_id", "=", self.product_id.id),
        ]
        action["context"] = {"create": False}
        return action

    def action_view_stock(self):
        """Open our stock of the product at the site."""
        self.ensure_one()
        return self.site_id._get_stock_action(self.product_id)

    def action_view_contacts(self):
        """Open the people of the customer at this site."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.resident_contact_action"
        )
        action["domain"] = [("site_id", "=", self.site_id.id)]
        action["context"] = {"default_site_id": self.site_id.id}
        return action

    def action_view_talks(self):
        """Open the talks about this complaint."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.resident_talk_action"
        )
        action["domain"] = [("complaint_id", "=", self.id)]
        action["context"] = {"default_complaint_id": self.id}
        return action
