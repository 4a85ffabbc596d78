from odoo import fields, models
from odoo.exceptions import UserError

from .quality_suspect_slip import OPEN_STATES

# What the parts are from the decision on, hence the colour of their label.
DECIDED_STATES = {
    "pending": "suspect",
    "sort": "suspect",
    "rework": "rework",
    "return": "bad",
    "scrap": "bad",
    "use_as_is": "suspect",
}
# Once done, these make the parts good.
RELEASING = ("sort", "rework", "use_as_is")
# The label that a box of this state carries, where it is not the state's own.
STATE_LABELS = {"released": "good"}


class QualitySuspectSlip(models.Model):
    """What is decided about the parts, and what is printed of them."""

    _inherit = "quality.suspect.slip"

    # === DOCUMENTS AND LABELS === #

    def _get_document_name(self):
        self.ensure_one()
        return self.env._("Suspect slip %(number)s", number=self.name.replace("/", "-"))

    def _get_record_url(self):
        """Return the link of the QR code and of the mails, which opens the slip."""
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/suspect-slips/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the suspect slip")

    def _get_status_text(self):
        """Return what the box is, its colour as a word, and the colour for the slip."""
        return self._describe_status(STATE_LABELS.get(self.state, self.state))

    def _get_label_values(self):
        if self.state == "split":
            raise UserError(
                self.env._(
                    "%(name)s is split: print the labels of the slips made of it.",
                    name=self.name,
                )
            )
        return {
            **super()._get_label_values(),
            "status": STATE_LABELS.get(self.state, self.state),
            "product": self.product_id,
            "quantity": self.quantity,
            "lots": self.lot_id,
            "defect": self.defect_id.display_name or "",
        }

    # === ACTIONS === #

    def action_decide(self, disposition=None, concession_no=None):
        """Decide what becomes of the parts, noting by whom and when.

        :param str disposition: a key of DISPOSITIONS
        :param str concession_no: the customer's, for parts used as they are
        """
        concession_no = (concession_no or "").strip()
        if disposition not in DECIDED_STATES:
            raise UserError(self.env._("Choose the “Disposition”."))
        if disposition == "use_as_is" and not concession_no:
            raise UserError(
                self.env._(
                    "Parts are used as they are only with the customer's leave: enter "
                    "its “Concession Number”."
                )
            )
        self.check_access("write")
        self._ensure_open()
        values = {
            "disposition": disposition,
            "concession_no": disposition == "use_as_is" and concession_no,
            "decided_by_id": self.env.uid,
            "decided_at": fields.Datetime.now(),
        }
        target = DECIDED_STATES[disposition]
        stay = self.filtered(lambda slip: slip.state == target)
        stay._write_protected(values)
        (self - stay)._move_to(target, values)
        return True

    def _ensure_open(self):
        for slip in self:
            if slip.state not in OPEN_STATES:
                raise UserError(
                    self.env._(
                        "%(name)s is done with: nothing is left to decide.",
                        name=slip.name,
                    )
                )

    def action_release(self):
        """Call the parts good, after what was decided has been done.

        :raise UserError: nothing is decided, or that the parts go
        """
        self.check_access("write")
        todo = self.filtered(lambda slip: slip.state != "released")
        for slip in todo:
            if slip.disposition not in RELEASING:
                raise UserError(
                    self.env._(
                        "%(name)s: decide first that the parts are sorted, reworked or "
                        "used as they are.",
                        name=slip.name,
                    )
                )
        todo._move_to(
            "released",
            {"released_at": fields.Datetime.now(), "released_by_id": self.env.uid},
        )
        return True

    def action_block(self, reason=None):
        """Take a release back: the parts are suspect again. The manager's.

        :param str reason: why, kept in the history
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why in “Reason”."))
        self._move_to(
            "suspect",
            {
                "disposition": "pending",
                "concession_no": False,
                "released_at": False,
                "released_by_id": False,
            },
        )
        self._message_log_batch({slip.id: reason for slip in self})
        return True

    def action_split(self, parts=None):
        """Divide the parts into slips of their own, one a box.

        :param list parts: dicts of ``quantity`` and, optionally, ``package_ref``
        :return: action that shows the new slips
        :raise UserError: the quantities do not make this slip's
        """
        self.ensure_one()
        self.check_access("write")
        parts = parts or []
        quantities = [part.get("quantity") or 0 for part in parts]
        total = sum(quantities)
        if (
            len(parts) < 2
            or min(quantities) <= 0
            or self.uom_id.compare(total, self.quantity) != 0
        ):
            raise UserError(
                self.env._(
                    "%(name)s holds %(quantity)g, the new slips %(total)g: divide all "
                    "of it into two slips or more.",
                    name=self.name,
                    quantity=self.quantity,
                    total=total,
                )
            )
        state = self.state
        self._move_to("split")
        slips = self._create_protected(
            [
                {
                    **self.copy_data()[0],
                    "state": state,
                    "disposition": self.disposition,
                    "concession_no": self.concession_no,
                    "decided_by_id": self.decided_by_id.id,
                    "decided_at": self.decided_at,
                    "parent_id": self.id,
                    "quantity": part["quantity"],
                    "package_ref": part.get("package_ref") or False,
                }
                for part in parts
            ]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_suspect_slip_action"
        )
        return {**action, "domain": [("id", "in", slips.ids)], "context": {}}
