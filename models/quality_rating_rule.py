from math import isfinite

from odoo import api, fields, models
from odoo.exceptions import ValidationError

RATINGS = [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")]
SEVERITIES = ("critical", "major", "minor")
# What the customer may have put us under, from his letter.
SPECIAL_STATUSES = [
    ("cs1", "Controlled Shipping 1"),
    ("cs2", "Controlled Shipping 2"),
    ("stop_ship", "Stop Shipment"),
    ("safety", "Safety Relevant Defect"),
]


class QualityRatingRule(models.Model):
    """How a customer rates us, as far as we can foresee it (spec.md Q1).

    Score = 100 less points for PPM, complaints, line stops and late answers; the score
    gives the rating, and some things allow no better one than a ceiling (documents.md
    4.5, "Proposed default").
    """

    _name = "quality.rating.rule"
    _description = "Rating Rule"
    _inherit = "quality.version.mixin"
    _order = "name, version desc, id desc"
    _check_company_auto = True
    _content_fields = (
        "name",
        "company_id",
        "partner_id",
        "site_id",
        "count_suspect",
        "ppm_limit",
        "ppm_points",
        "ppm_bands",
        "critical_points",
        "major_points",
        "minor_points",
        "repeat_factor",
        "complaint_cap",
        "stop_minutes",
        "stop_cap",
        "response_points",
        "threshold_a",
        "threshold_b",
        "threshold_c",
        "ceiling_line_stop",
        "ceiling_cs1",
        "ceiling_cs2",
        "ceiling_stop_ship",
        "ceiling_safety",
    )
    _editable_states = {name: ("draft",) for name in _content_fields}

    name = fields.Char(string="Rule", required=True, translate=True)
    previous_id = fields.Many2one(
        comodel_name="quality.rating.rule",
        string="Supersedes",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        index=True,
        help="Empty: the rule that ships, for all companies.",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Empty: for all customers that have no rule of their own.",
    )
    site_id = fields.Many2one(
        comodel_name="resident.site",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Only where one plant rates in its own way.",
    )

    # PPM
    count_suspect = fields.Boolean(
        string="Count Suspect Parts",
        help="Rate by the provisional PPM: suspect parts count as bad until sorted.",
    )
    ppm_limit = fields.Float(
        string="PPM Limit",
        default=500,
        help="At this PPM all points are gone; below, they go evenly.",
    )
    ppm_points = fields.Float(string="Points for PPM", default=40)
    ppm_bands = fields.Char(
        string="PPM Bands",
        help="In place of the limit: “100: 0, 300: 10, 1000: 25” takes no point up to "
        "100 PPM, 10 up to 300, 25 up to 1000, and all above.",
    )

    # Complaints
    critical_points = fields.Float(string="Points per Critical Complaint", default=15)
    major_points = fields.Float(string="Points per Major Complaint", default=8)
    minor_points = fields.Float(string="Points per Minor Complaint", default=3)
    repeat_factor = fields.Float(
        default=2, help="A recurring complaint costs this many times its points."
    )
    complaint_cap = fields.Float(string="Points for Complaints at Most", default=30)

    # Line stops and answers
    stop_minutes = fields.Float(
        string="Line-stop Minutes per Point", default=3, help="One point each."
    )
    stop_cap = fields.Float(string="Points for Line Stops at Most", default=20)
    response_points = fields.Float(
        string="Points for Answers",
        default=10,
        help="Lost by the share of 3D and 8D reports due in the month that were late.",
    )

    # Score to rating
    threshold_a = fields.Float(string="A from", default=90)
    threshold_b = fields.Float(string="B from", default=80)
    threshold_c = fields.Float(string="C from", default=60)
    ceiling_line_stop = fields.Selection(
        RATINGS, string="After a Line Stop at Best", default="B"
    )
    ceiling_cs1 = fields.Selection(
        RATINGS, string="Under Controlled Shipping 1 at Best", default="C"
    )
    ceiling_cs2 = fields.Selection(
        RATINGS, string="Under Controlled Shipping 2 at Best", default="D"
    )
    ceiling_stop_ship = fields.Selection(
        RATINGS, string="After a Stop Shipment at Best", default="D"
    )
    ceiling_safety = fields.Selection(
        RATINGS, string="After a Safety Relevant Defect at Best", default="D"
    )

    _in_use_uniq = models.UniqueIndex(
        "(COALESCE(company_id, 0), COALESCE(partner_id, 0), COALESCE(site_id, 0)) "
        "WHERE state = 'active'",
        "A rule for the same is in use already: make a new version of that one.",
    )
    _version_uniq = models.UniqueIndex(
        "(previous_id) WHERE previous_id IS NOT NULL",
        "There is a new version of this rule already.",
    )
    _thresholds_fall = models.Constraint(
        "CHECK (threshold_a > threshold_b AND threshold_b > threshold_c)",
        "“A from” lies above “B from”, and that above “C from”.",
    )
    _positive = models.Constraint(
        "CHECK (ppm_limit > 0 AND stop_minutes > 0 AND ppm_points >= 0 "
        "AND critical_points >= 0 AND major_points >= 0 AND minor_points >= 0 "
        "AND repeat_factor >= 1 AND complaint_cap >= 0 AND stop_cap >= 0 "
        "AND response_points >= 0)",
        "Points cannot be negative, “PPM Limit” and “Line-stop Minutes per Point” are "
        "more than 0, and “Repeat Factor” is at least 1.",
    )

    # === COMPUTE METHODS === #

    @api.depends("site_id")
    def _compute_company_id(self):
        # What a module brings holds for everybody.
        default = (
            self.env["res.company"]
            if self.env.context.get("install_mode")
            else self.env.company
        )
        for rule in self:
            rule.company_id = rule.site_id.company_id or rule.company_id or default

    @api.constrains("ppm_bands")
    def _check_ppm_bands(self):
        for rule in self:
            try:
                bands = rule._get_ppm_bands()
            except ValueError:
                bands = [(0, 0), (0, 0)]
            limits = [limit for limit, _points in bands]
            is_number = all(isfinite(n) and n >= 0 for band in bands for n in band)
            if not is_number or limits != sorted(set(limits)):
                raise ValidationError(
                    self.env._(
                        "“PPM Bands” of %(name)s: write rising limits with their "
                        "points, such as “100: 0, 300: 10, 1000: 25”.",
                        name=rule.display_name,
                    )
                )

    # === VERSIONS === #

    def action_new_version(self):
        self.ensure_one()
        if self.company_id:
            return super().action_new_version()
        # What ships stays in use for the other companies.
        company = self.env.company
        draft = self.search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "=", False),
                ("site_id", "=", False),
                ("state", "=", "draft"),
            ],
            limit=1,
        ) or self.copy({"company_id": company.id})
        return draft._get_form_action()

    @api.model
    def _release_default(self):
        """Put the rule that ships into use: called by its data file."""
        rule = self.env.ref("quality_resident.rating_rule_default")
        if rule.state == "draft":
            rule.action_release()

    # === WHICH ONE APPLIES === #

    @api.model
    def _find_current(self, sites):
        """Return ``{site: rule in use}``.

        The site's own goes before its customer's, that before the company's and the
        one that ships.
        """
        # Which rule rates a site does not depend on who asks.
        rules_sudo = self.sudo().search([("state", "=", "active")])
        return {
            site: rules_sudo._pick(site).with_env(self.env) for site in sites.sudo()
        }

    def _pick(self, site):
        """Return the rule of these that rates ``site``, or none."""
        targets = [
            (site, site.partner_id.browse()),
            (site, site.partner_id),
            (site, site.partner_id.commercial_partner_id),
            (site.browse(), site.partner_id),
            (site.browse(), site.partner_id.commercial_partner_id),
            (site.browse(), site.partner_id.browse()),
        ]
        fitting = [
            (targets.index(target), not rule.company_id, rule)
            for rule in self
            if rule.company_id in (site.company_id, site.company_id.browse())
            and (target := (rule.site_id, rule.partner_id)) in targets
        ]
        return min(fitting, key=lambda row: row[:2])[2] if fitting else self.browse()

    # === RATING === #

    def _rate(self, inputs):
        """Return score, rating and how they come about.

        :param dict inputs: ``delivered_qty``, ``ppm`` and ``ppm_provisional`` (False
            where nothing was delivered), ``<severity>_count`` and
            ``<severity>_repeat_count``, ``line_stop_minutes``, ``answer_count`` and
            ``answer_on_time`` (3D and 8D reports due), ``special_status``
        :return: ``(score, rating, lines)``; a line is ``{kind, value, points}`` with
            points taken (negative ones given back), or ``{kind, value, ceiling}``.
            The rating is False where nothing happened that a customer could rate.
        """
        self.ensure_one()
        lines = [
            line
            for line in (
                self._get_ppm_line(inputs),
                *self._get_complaint_lines(inputs),
                self._get_stop_line(inputs),
                self._get_response_line(inputs),
            )
            if line["value"] or line["points"]
        ]
        score = round(max(0, 100 - sum(line["points"] for line in lines)), 2)
        ceilings = self._get_ceiling_lines(inputs)
        rating = max([self._get_rating(score), *(c["ceiling"] for c in ceilings)])
        # A month in which parts only came back delivers nothing to rate either.
        if not (inputs["delivered_qty"] > 0 or lines or ceilings):
            rating = False
        return score, rating, lines + ceilings

    def _get_rating(self, score):
        for rating, threshold in (
            ("A", self.threshold_a),
            ("B", self.threshold_b),
            ("C", self.threshold_c),
        ):
            if score >= threshold:
                return rating
        return "D"

    def _get_ppm_bands(self):
        """Return ``[(PPM up to, points)]``; raise ValueError for anything else."""
        bands = []
        for band in (self.ppm_bands or "").replace("：", ":").split(","):
            if band.strip():
                limit, points = band.split(":")
                bands.append((float(limit), float(points)))
        return bands

    def _get_ppm_line(self, inputs):
        ppm = inputs["ppm_provisional" if self.count_suspect else "ppm"] or 0.0
        if bands := self._get_ppm_bands():
            points = next(
                (points for limit, points in bands if ppm <= limit), self.ppm_points
            )
        else:
            points = self.ppm_points * min(1, ppm / self.ppm_limit)
        return {"kind": "ppm", "value": ppm, "points": points}

    def _get_complaint_lines(self, inputs):
        lines = []
        repeats, repeat_points = 0, 0
        for severity in SEVERITIES:
            each = self[f"{severity}_points"]
            count = inputs[f"{severity}_count"]
            lines.append({"kind": severity, "value": count, "points": each * count})
            repeated = inputs[f"{severity}_repeat_count"]
            repeats += repeated
            repeat_points += repeated * each * (self.repeat_factor - 1)
        lines.append({"kind": "repeat", "value": repeats, "points": repeat_points})
        total = sum(line["points"] for line in lines)
        given_back = min(0, self.complaint_cap - total)
        return [
            *lines,
            {
                "kind": "complaint_cap",
                "value": self.complaint_cap if given_back else 0,
                "points": given_back,
            },
        ]

    def _get_stop_line(self, inputs):
        minutes = inputs["line_stop_minutes"]
        return {
            "kind": "line_stop",
            "value": minutes,
            "points": min(self.stop_cap, minutes / self.stop_minutes),
        }

    def _get_response_line(self, inputs):
        late = inputs["answer_count"] - inputs["answer_on_time"]
        share = late / inputs["answer_count"] if late else 0
        return {
            "kind": "response",
            "value": late,
            "points": self.response_points * share,
        }

    def _get_ceiling_lines(self, inputs):
        reasons = {
            "line_stop": inputs["line_stop_minutes"],
            **{
                status: inputs["special_status"] == status
                for status, _label in SPECIAL_STATUSES
            },
        }
        return [
            {"kind": f"ceiling_{reason}", "value": 1, "ceiling": ceiling}
            for reason, holds in reasons.items()
            if holds and (ceiling := self[f"ceiling_{reason}"])
        ]
