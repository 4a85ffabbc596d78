from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .quality_8d_steps import STEPS_3D


class QualityComplaint(models.Model):
    """The complaint's 8D report: made from it, feeding it, asked for to close it."""

    _inherit = "quality.complaint"

    eightd_level = fields.Selection(
        selection=[("none", "None"), ("3d", "3D"), ("full", "8D")],
        string="8D Needed",
        compute="_compute_eightd_level",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        help="What the customer wants in writing. A critical complaint needs an 8D; "
        "the complaint closes only with what is needed here.",
    )
    eightd_id = fields.Many2one(
        comodel_name="quality.8d",
        string="8D Report",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    eightd_steps = fields.Json(related="eightd_id.steps")
    eightd_progress = fields.Char(related="eightd_id.progress", string="8D Progress")

    @api.depends("severity")
    def _compute_eightd_level(self):
        for complaint in self:
            is_critical = complaint.severity == "critical"
            complaint.eightd_level = (
                "full" if is_critical else complaint.eightd_level or "none"
            )

    @api.constrains("eightd_id", "site_id", "product_id")
    def _check_eightd_id(self):
        for complaint in self:
            # The report of a site that the user may not see is refused as well.
            eightd_sudo = complaint.sudo().eightd_id
            if eightd_sudo and (
                eightd_sudo.site_id != complaint.site_id
                or eightd_sudo.product_id != complaint.product_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(complaint)s: an 8D serves complaints of one site about one "
                        "product. %(eightd)s is about %(product)s at %(site)s: take "
                        "the complaint out of it or make another 8D.",
                        complaint=complaint.name,
                        eightd=eightd_sudo.name,
                        product=eightd_sudo.product_id.display_name,
                        site=eightd_sudo.site_id.name,
                    )
                )

    # === ACTIONS === #

    def action_create_8d(self):
        """Make one 8D report on these complaints, or add them to the one they have.

        :return: action that opens it
        :raise UserError: they are of several sites, products or reports
        """
        if not self:
            raise UserError(self.env._("Choose the complaints of the 8D first."))
        self._ensure_filled("product_id")
        for complaint in self:
            if complaint.state in ("refused", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(name)s is refused or cancelled and needs no 8D.",
                        name=complaint.name,
                    )
                )
        eightd = self.eightd_id
        if len(eightd) > 1 or len(self.site_id) > 1 or len(self.product_id) > 1:
            raise UserError(
                self.env._(
                    "An 8D serves complaints of one site about one product, and a "
                    "complaint has one 8D: choose complaints that go together."
                )
            )
        joining = self.filtered(lambda c: not c.eightd_id)
        if eightd and joining:
            eightd.check_access("write")
            eightd._ensure_in_work()
        elif not eightd:
            eightd = self.env["quality.8d"]._create_for(self)
        # Quality makes and owns 8D reports without the right to write complaints.
        joining.sudo()._write_protected({"eightd_id": eightd.id})
        joining.filtered(lambda c: c.eightd_level == "none").sudo()._write_protected(
            {"eightd_level": "full"}
        )
        return eightd._get_open_action()

    def action_leave_8d(self):
        """Take these complaints out of their 8D; the last one stays."""
        for complaint in self.filtered("eightd_id"):
            eightd = complaint.eightd_id
            eightd.check_access("write")
            eightd._ensure_in_work()
            if eightd.complaint_ids == complaint:
                raise UserError(
                    self.env._(
                        "%(complaint)s is the only complaint of %(eightd)s.",
                        complaint=complaint.name,
                        eightd=eightd.name,
                    )
                )
            # As in action_create_8d.
            complaint.sudo()._write_protected({"eightd_id": False})
        return True

    def action_view_8d(self):
        """Open the complaint's 8D report."""
        self.ensure_one()
        return self.eightd_id._get_open_action()

    # === ROOT CAUSE AND CLOSING === #

    def _take_root_cause(self):
        """Fill an empty root cause from the 8D, once its causes are complete."""
        for complaint in self.filtered("eightd_id"):
            eightd = complaint.eightd_id
            if complaint._is_blank("root_cause") and not eightd._get_missing(["D4"]):
                # Quality records what the customer accepts and writes no complaints;
                # a closed complaint gets its cause as well.
                complaint.sudo()._write_protected(
                    {"root_cause": eightd._get_root_cause()}
                )

    def action_analyse(self):
        """The root cause is known, here or from the complete D4 of the 8D."""
        self.check_access("write")
        self._take_root_cause()
        return super().action_analyse()

    def _get_closing_gaps(self):
        return super()._get_closing_gaps() + self._get_eightd_gaps()

    def _get_eightd_gaps(self):
        """Return what the report that is needed still lacks."""
        if self.eightd_level == "none":
            return []
        if not self.eightd_id:
            return [self.env._("No 8D report yet, and it needs one")]
        if self.eightd_id.state == "accepted":
            return []
        steps = STEPS_3D if self.eightd_level == "3d" else None
        return [
            f"{self.eightd_id.name} {gap}" for gap in self.eightd_id._get_missing(steps)
        ]
