from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from .qc_inspection import SCREENED_STATES

TRIGGER = "quality_resident.qc_trigger_containment"
# The most particular instruction wins.
TRIGGER_LINES = (
    "qc.trigger.product_line",
    "qc.trigger.product_template_line",
    "qc.trigger.product_category_line",
)


class QualityComplaint(models.Model):
    _inherit = "quality.complaint"

    inspection_ids = fields.One2many("qc.inspection", "complaint_id", string="Places")
    sorting_ids = fields.One2many("quality.sorting", "complaint_id", string="Tranches")
    breakpoint_ids = fields.One2many(
        "quality.breakpoint", "complaint_id", string="Breakpoints"
    )
    measure_ids = fields.One2many("quality.measure", "complaint_id")
    service_sheet_ids = fields.One2many("quality.service.sheet", "complaint_id")
    containment_opened_at = fields.Datetime(readonly=True, copy=False)
    containment_revision = fields.Integer(readonly=True, copy=False)
    rework_method = fields.Text(help="How the customer wants the parts to be reworked.")
    qty_checked = fields.Float(
        string="Checked", compute="_compute_sorted", digits="Product Unit"
    )
    qty_good = fields.Float(
        string="Good", compute="_compute_sorted", digits="Product Unit"
    )
    qty_bad = fields.Float(
        string="Bad", compute="_compute_sorted", digits="Product Unit"
    )
    qty_suspect = fields.Float(
        string="Suspect", compute="_compute_sorted", digits="Product Unit"
    )
    places_open = fields.Integer(compute="_compute_sorted")

    @api.depends(
        "inspection_ids.qty_good",
        "inspection_ids.qty_bad",
        "inspection_ids.qty_suspect",
        "inspection_ids.state",
    )
    def _compute_sorted(self):
        totals = self._get_sorted_totals()
        still_open = dict(
            self.env["qc.inspection"]._read_group(
                [
                    ("complaint_id", "in", self.ids),
                    ("state", "not in", (*SCREENED_STATES, "canceled")),
                ],
                ["complaint_id"],
                ["__count"],
            )
        )
        for complaint in self:
            good, bad, suspect = totals.get(complaint._origin, (0, 0, 0))
            complaint.qty_checked = good + bad + suspect
            complaint.qty_good = good
            complaint.qty_bad = bad
            complaint.qty_suspect = suspect
            complaint.places_open = still_open.get(complaint._origin, 0)

    def _get_sorted_totals(self):
        """Return ``{complaint: [good, bad, suspect]}``, each part counted once.

        Suspect parts that were judged again are what they proved to be; a bad part
        stays one when it is reworked (design.md, "PPM").
        """
        totals = defaultdict(lambda: [0, 0, 0])
        for complaint, area, good, bad, suspect in self.env[
            "qc.inspection"
        ]._read_group(
            [("complaint_id", "in", self.ids), ("state", "!=", "canceled")],
            ["complaint_id", "held_area"],
            ["qty_good:sum", "qty_bad:sum", "qty_suspect:sum"],
        ):
            counted = (good, bad, suspect)
            if area == "suspect":
                counted = (good, bad, -good - bad)
            elif area == "rework":
                counted = (0, 0, 0)
            totals[complaint] = [
                before + number
                for before, number in zip(totals[complaint], counted, strict=True)
            ]
        return totals

    # === ACTIONS === #

    def action_open_containment(self):
        """Make one sorting for every place that must be screened (C6).

        Safe to run again: only places without a sorting get one.

        :raise UserError: the product is not known yet
        """
        self.check_access("write")
        for complaint in self:
            complaint._ensure_open()
        self._ensure_filled("product_id")
        for complaint in self:
            complaint._open_containment(complaint._get_places_to_screen())
        return True

    def _get_places_to_screen(self):
        """Return the places that a complete containment sorts."""
        self.ensure_one()
        return (
            self.site_id.place_ids.filtered("must_screen")
            | self.inspection_ids.place_id
        )

    def _open_containment(self, places):
        """Have a sorting at each of ``places``; those that are there stay."""
        self.ensure_one()
        self._ensure_filled("product_id")
        self._create_sortings(places - self.inspection_ids.place_id)
        if not self.containment_opened_at:
            self._write_protected({"containment_opened_at": fields.Datetime.now()})

    def action_sort_held(self):
        """Judge again what lies in the suspect and the rework area (C6, C9).

        Suspect parts become good or bad, reworked ones good: only so, by a return or
        by an approved scrap request do they leave.

        :return: action that opens the places to count
        :raise UserError: nothing of the product is held at the site
        """
        self.ensure_one()
        self.check_access("write")
        self._ensure_open()
        self._ensure_filled("product_id")
        places = self.site_id._get_held_places(self.product_id)
        if not places:
            raise UserError(
                self.env._(
                    "Nothing of %(product)s lies in the suspect or rework area of "
                    "%(site)s.",
                    product=self.product_id.display_name,
                    site=self.site_id.name,
                )
            )
        again = self.inspection_ids.filtered(
            lambda i: i.place_id in places and i.state in SCREENED_STATES
        )
        again.action_reopen_sorting()
        self._open_containment(places)
        return self.action_view_sortings()

    def _create_sortings(self, places):
        """Create the sortings of this complaint at ``places``."""
        self.ensure_one()
        if not places:
            return self.env["qc.inspection"]
        line = self._get_instruction()
        inspections = self.env["qc.inspection"]
        header = (
            inspections._prepare_inspection_header(self.product_id, line)
            if line
            else {"object_id": f"product.product,{self.product_id.id}"}
        )
        test_lines = inspections._prepare_inspection_lines(line.test) if line else []
        sortings = inspections._with_gate().create(
            [
                {
                    **header,
                    "state": "ready",
                    "auto_generated": True,
                    "user": self.resident_id.id or self.env.uid,
                    "company_id": self.company_id.id,
                    "complaint_id": self.id,
                    "place_id": place.id,
                    "held_area": place._get_held_area(),
                    "inspection_lines": test_lines,
                }
                for place in places
            ]
        )
        sortings._snapshot_expected()
        return sortings.with_env(self.env)

    def _get_instruction(self):
        """Return the quality module's trigger line for this product and customer."""
        self.ensure_one()
        # The instruction is for whoever sorts, who need not read the quality set-up.
        trigger_sudo = self.env.ref(TRIGGER).sudo()
        for model in TRIGGER_LINES:
            lines = (
                self.env[model]
                .sudo()
                .get_trigger_line_for_product(
                    trigger_sudo,
                    ["before", "after", "plan_ahead"],
                    # A product's or customer's rights are not the resident's.
                    self.product_id.sudo(),
                    partner=self.partner_id.sudo(),
                )
            )
            # An archived test still fires through a category.
            fitting = [
                line
                for line in lines
                if line.test.active
                and line.test.company_id in (self.company_id, self.env["res.company"])
            ]
            if fitting:
                return min(fitting, key=self._get_instruction_rank)
        return None

    @api.model
    def _get_instruction_rank(self, line):
        """A customer's own instruction first, then that of the nearest category."""
        depth = 0
        if "product_category" in line._fields:
            depth = line.product_category.parent_path.count("/")
        return (not line.partners, -depth, line.id)

    def _get_containment_gaps(self):
        """Return what keeps the containment from being complete, a line each.

        :rtype: list of str, in the user's language
        """
        self.ensure_one()
        gaps = []
        sortings = self.inspection_ids.filtered(lambda i: i.state != "canceled")
        unsorted = self.site_id.place_ids.filtered("must_screen") - sortings.place_id
        gaps += [
            self.env._("%(place)s: no sorting yet", place=place.display_name)
            for place in unsorted
        ]
        for sorting in sortings.filtered(lambda i: i.state not in SCREENED_STATES):
            gaps.append(
                sorting._get_gap()
                or self.env._(
                    "%(place)s: not called screened yet",
                    place=sorting.place_id.display_name,
                )
            )
        return gaps

    def action_contain(self, reason=None):
        """All suspect stock is under control: totals go to Sales and Quality (C6).

        :param str reason: why it may be called complete with a place open; the
            manager's alone
        :raise UserError: names the places that are open or do not balance
        """
        self._ensure_can_move("contained")
        reason = (reason or "").strip()
        if reason and not self.env.user.has_group("quality_resident.group_manager"):
            raise UserError(
                self.env._("Only the customer service manager may pass over a place.")
            )
        if not reason:
            gaps = [
                "\n".join([c.name, *(f" – {gap}" for gap in missing)])
                for c in self
                if (missing := c._get_containment_gaps())
            ]
            if gaps:
                raise UserError(
                    self.env._(
                        "The containment is not complete. Screen these places, or have "
                        "the manager say why not:\n%(gaps)s",
                        gaps="\n".join(gaps),
                    )
                )
        else:
            self._message_log_batch({c.id: reason for c in self})
        self._move_to("contained")
        self._emit_containment()
        return True

    def action_send_containment(self):
        """Mail the totals of the sorting as they stand."""
        self.check_access("write")
        self._emit_containment()
        return True

    def _emit_containment(self):
        for revision, complaints in self.grouped("containment_revision").items():
            complaints._write_protected({"containment_revision": revision + 1})
            complaints._emit_event("contained", key=f"r{revision + 1}")

    # === BREAKPOINTS AND MEASURES === #

    def _reopen_containment(self, mark):
        """Sort again after the breakpoint ``mark`` failed, at the place it names.

        Where nobody knows the place, none is proven clean: all are sorted again.
        """
        self.ensure_one()
        if self.state not in ("new", "reported"):
            self._move_to("reported", {"closed_at": False})
        places = mark.failed_place_id or self._get_places_to_screen()
        self.inspection_ids.filtered(lambda i: i.place_id in places)._start_round()
        self._open_containment(places)
        self._emit_event("breakpoint_failed", key=f"breakpoint {mark.id}")

    def _get_failed_breakpoints(self):
        return self.breakpoint_ids.filtered(lambda b: b.state == "failed")

    def _get_closing_gaps(self):
        """Return what is not proven yet, a line each, in the user's language."""
        self.ensure_one()
        gaps = [
            self.env._("Measure not verified: %(name)s", name=measure.name)
            for measure in self.measure_ids
            if measure.state != "verified"
        ]
        gaps += [
            self.env._("Breakpoint still watched: %(value)s", value=mark.value)
            for mark in self.breakpoint_ids
            if mark.state == "watching"
        ]
        gaps += self._get_vehicle_gaps()
        # What is not ours needs no correction of ours.
        if self.problem_type == "quality":
            if "permanent" not in self.measure_ids.mapped("kind"):
                gaps.append(self.env._("No permanent measure"))
            if "holds" not in self.breakpoint_ids.mapped("state"):
                gaps.append(self.env._("No breakpoint that held"))
        return gaps

    def action_view_sortings(self):
        """Open the places of the containment, on the phone as cards."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.qc_inspection_action_sorting"
        )
        action["domain"] = [("complaint_id", "=", self.id)]
        return action
