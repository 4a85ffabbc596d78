from odoo import api, fields, models

from .quality_cause import BRANCHES

STEPS = tuple(f"D{number}" for number in range(9))
STEPS_3D = STEPS[:4]
# Without these the customer has nothing to decide on.
REQUIRED_BRANCHES = ("occurrence", "detection")
# What every customer asks for after a defect.
REQUIRED_PREVENTIONS = ("fmea", "control_plan")
# The containment is complete, or the manager has said why it may pass.
CONTAINED_STATES = ("contained", "analysed", "verifying", "closed")


class Quality8d(models.Model):
    """How far an 8D report is: what each D-step still lacks, by name."""

    _inherit = "quality.8d"

    steps = fields.Json(
        compute="_compute_steps", help="D0 to D8: what is done and what is missing."
    )
    progress = fields.Char(compute="_compute_steps")
    is_complete = fields.Boolean(compute="_compute_steps")

    # On the lines only, not on all that the complaints hold: a request computes it
    # anew, and the actions ask _get_step_gaps.
    @api.depends(
        "level",
        "complaint_ids",
        "member_ids",
        "cause_ids",
        "prevention_ids",
        "signed_on",
        *(f"is_not_{name}" for name in ("what", "where", "when", "how_many")),
    )
    @api.depends_context("lang")
    def _compute_steps(self):
        labels = self._get_step_labels()
        for eightd in self:
            needed = eightd._get_needed_steps()
            gaps = eightd._get_step_gaps()
            eightd.steps = [
                {
                    "name": step,
                    "label": labels[step],
                    "needed": step in needed,
                    "done": not gaps[step],
                    "missing": gaps[step],
                }
                for step in STEPS
            ]
            reached = next((i for i, step in enumerate(needed) if gaps[step]), None)
            eightd.is_complete = reached is None
            done = len(needed) if reached is None else reached
            eightd.progress = self.env._(
                "%(step)s of %(steps)s",
                step=needed[done - 1] if done else "–",
                steps=needed[-1][1:],
            )

    @api.model
    def _get_step_labels(self):
        return {
            "D0": self.env._("Emergency Action"),
            "D1": self.env._("Team"),
            "D2": self.env._("Problem"),
            "D3": self.env._("Containment"),
            "D4": self.env._("Root Causes"),
            "D5": self.env._("Chosen Measures"),
            "D6": self.env._("Introduced Measures"),
            "D7": self.env._("Prevention of Recurrence"),
            "D8": self.env._("Effectiveness"),
        }

    def _get_needed_steps(self):
        self.ensure_one()
        return STEPS_3D if self.level == "3d" else STEPS

    def _get_missing(self, steps=None, sign_off=True):
        """Return what the report lacks, a line each, named with its step.

        :param steps: the steps that count, by default all that are needed
        :param bool sign_off: whether the sign-off counts
        :rtype: list of str, in the user's language
        """
        self.ensure_one()
        gaps = self._get_step_gaps(sign_off=sign_off)
        return [
            f"{step}: {gap}"
            for step in steps or self._get_needed_steps()
            for gap in gaps[step]
        ]

    def _get_step_gaps(self, sign_off=True):
        """Return ``{step: list of what it lacks}``, in the user's language."""
        self.ensure_one()
        gaps = {step: getattr(self, f"_get_gaps_{step.lower()}")() for step in STEPS}
        if sign_off and not self.signed_on:
            gaps["D8"].append(self.env._("not signed off"))
        return gaps

    def _name_gaps(self, gaps_by_complaint):
        """Return the gaps of all complaints, with their numbers if they are several."""
        if len(self.complaint_ids) < 2:
            return [gap for gaps in gaps_by_complaint.values() for gap in gaps]
        return [
            f"{complaint.name}: {gap}"
            for complaint, gaps in gaps_by_complaint.items()
            for gap in gaps
        ]

    def _get_gaps_d0(self):
        if not self.complaint_ids:
            return [self.env._("no complaint")]
        gaps = {}
        for complaint in self.complaint_ids:
            gaps[complaint] = complaint._get_blank_labels(
                ("description", "interim_measure")
            )
            if not complaint.feedback_sent_at:
                gaps[complaint].append(self.env._("feedback form not sent"))
        return self._name_gaps(gaps)

    def _get_gaps_d1(self):
        gaps = self._get_blank_labels(("sponsor_id", "leader_id"))
        roles = set(self.member_ids.mapped("role"))
        if not roles - {"customer"}:
            gaps.append(self.env._("no team member"))
        if "customer" not in roles:
            gaps.append(self.env._("nobody of the customer"))
        return gaps

    def _get_gaps_d2(self):
        names = ("place_id", "defect_id", "quantity", "photo_ids")
        gaps = {c: c._get_blank_labels(names) for c in self.complaint_ids}
        return self._name_gaps(gaps) + self._get_blank_labels(
            ("is_not_what", "is_not_where", "is_not_when", "is_not_how_many")
        )

    def _get_gaps_d3(self):
        gaps = {}
        for complaint in self.complaint_ids:
            if complaint.state in CONTAINED_STATES:
                gaps[complaint] = []
            elif complaint.containment_opened_at:
                gaps[complaint] = complaint._get_containment_gaps()
            else:
                gaps[complaint] = [self.env._("containment not opened")]
            if not complaint.breakpoint_ids.filtered(lambda b: b.state != "failed"):
                gaps[complaint].append(self.env._("no breakpoint"))
        return self._name_gaps(gaps) + [
            self.env._("interim measure not in place: %(name)s", name=measure.name)
            for measure in self._get_measures("interim")
            if measure.state == "open"
        ]

    def _get_gaps_d4(self):
        labels = dict(
            self.env["quality.cause"]._fields["branch"]._description_selection(self.env)
        )
        gaps = []
        for branch, _label in BRANCHES:
            causes = self.cause_ids.filtered(lambda c, b=branch: c.branch == b)
            found = causes.filtered(lambda c: (c.name or "").strip())
            if causes - found or (branch in REQUIRED_BRANCHES and not causes):
                gaps.append(
                    self.env._("no root cause for: %(branch)s", branch=labels[branch])
                )
            gaps += [
                self.env._("not verified: %(cause)s", cause=cause.display_name)
                for cause in found
                if not (
                    cause.verified_on and cause.verified_by_id and cause.verify_method
                )
            ]
            total = sum(causes.mapped("contribution"))
            if causes and total != 100:
                gaps.append(
                    self.env._(
                        "%(branch)s: the contributions make %(total)s %%, not 100 %%",
                        branch=labels[branch],
                        total=total,
                    )
                )
        return gaps

    def _get_gaps_d5(self):
        gaps = []
        if not self.cause_ids:
            gaps.append(self.env._("no cause to act on"))
        for cause in self.cause_ids:
            chosen = cause.measure_ids.filtered(lambda m: m.kind == "permanent")
            if not chosen:
                gaps.append(
                    self.env._(
                        "no permanent measure for: %(cause)s", cause=cause.display_name
                    )
                )
            for measure in chosen:
                gaps += [
                    f"{measure.name}: {label}"
                    for label in measure._get_blank_labels(("date_due", "verification"))
                ]
        return gaps

    def _get_gaps_d6(self):
        measures = self._get_measures("permanent")
        if not measures:
            return [self.env._("no permanent measure")]
        gaps = [
            self.env._("not introduced: %(name)s", name=measure.name)
            for measure in measures
            if measure.state == "open"
        ]
        return gaps + [
            self.env._("not verified at the customer: %(name)s", name=measure.name)
            for measure in measures
            if measure.state == "done"
        ]

    def _get_gaps_d7(self):
        labels = dict(
            self.env["quality.prevention"]
            ._fields["kind"]
            ._description_selection(self.env)
        )
        kinds = set(self.prevention_ids.mapped("kind"))
        gaps = [
            self.env._("nothing said about: %(kind)s", kind=labels[kind])
            for kind in REQUIRED_PREVENTIONS
            if kind not in kinds
        ]
        return gaps + [
            self.env._("not done: %(name)s", name=line.name)
            for line in self.prevention_ids
            if not line.date_done
        ]

    def _get_gaps_d8(self):
        return self._get_blank_labels(
            ("effectiveness", "effective_on", "effective_by_id", "recognition")
        )
