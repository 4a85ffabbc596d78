from odoo import api, fields, models
from odoo.tools import formatLang


class Quality8d(models.Model):
    """What the records already say: shown in D0, D2, D3, D5 and D6, never copied."""

    _inherit = "quality.8d"

    complaint_id = fields.Many2one(
        comodel_name="quality.complaint",
        string="First Complaint",
        compute="_compute_complaint_id",
    )
    complaint_count = fields.Integer(compute="_compute_complaint_id")
    is_repeat = fields.Boolean(
        string="Repeat Failure",
        compute="_compute_complaint_id",
        help="One of the complaints recurs after it had been closed.",
    )
    fact_what = fields.Char(string="What, by the Records", compute="_compute_facts")
    fact_where = fields.Char(string="Where, by the Records", compute="_compute_facts")
    fact_when = fields.Char(string="When, by the Records", compute="_compute_facts")
    fact_how_many = fields.Char(
        string="How Many, by the Records", compute="_compute_facts"
    )
    inspection_ids = fields.Many2many(
        comodel_name="qc.inspection", string="Places", compute="_compute_lines"
    )
    breakpoint_ids = fields.Many2many(
        comodel_name="quality.breakpoint",
        string="Breakpoints",
        compute="_compute_lines",
    )
    interim_measure_ids = fields.Many2many(
        comodel_name="quality.measure",
        string="Interim Measures",
        compute="_compute_lines",
    )
    permanent_measure_ids = fields.Many2many(
        comodel_name="quality.measure",
        string="Permanent Measures",
        compute="_compute_lines",
    )

    @api.depends("complaint_ids.recurrence_of_id")
    def _compute_complaint_id(self):
        for eightd in self:
            complaints = eightd.complaint_ids
            eightd.complaint_id = complaints.sorted("called_at")[:1]
            eightd.complaint_count = len(complaints)
            eightd.is_repeat = bool(complaints.recurrence_of_id)

    @api.depends("complaint_ids")
    def _compute_lines(self):
        for eightd in self:
            eightd.inspection_ids = eightd._get_sortings()
            eightd.breakpoint_ids = eightd.complaint_ids.breakpoint_ids
            eightd.interim_measure_ids = eightd._get_measures("interim")
            eightd.permanent_measure_ids = eightd._get_measures("permanent")

    @api.depends("complaint_ids")
    @api.depends_context("lang")
    def _compute_facts(self):
        for eightd in self:
            complaints = eightd.complaint_ids.sorted("called_at")
            parts = complaints.part_id
            eightd.fact_what = eightd._join(
                [
                    eightd.product_id.display_name,
                    *parts.mapped("customer_ref"),
                    *complaints.defect_id.mapped("display_name"),
                ]
            )
            eightd.fact_where = eightd._join(
                [
                    eightd.site_id.name,
                    *complaints.place_id.mapped("display_name"),
                    *parts.mapped("vehicle_position"),
                ]
            )
            eightd.fact_when = eightd._join(
                [
                    *(c._format_moment("called_at") for c in complaints),
                    *complaints.lot_ids.mapped("name"),
                ]
            )
            sorted_ = eightd._get_totals()
            bad = sum(complaints.mapped("quantity"))
            unit = eightd.product_id.uom_id.name
            eightd.fact_how_many = eightd._join(
                [
                    bad
                    and self.env._(
                        "%(bad)s %(unit)s complained of",
                        bad=eightd._format_quantity(bad),
                        unit=unit,
                    ),
                    sorted_["checked"]
                    and self.env._(
                        "%(bad)s bad of %(checked)s %(unit)s sorted",
                        bad=eightd._format_quantity(sorted_["bad"]),
                        checked=eightd._format_quantity(sorted_["checked"]),
                        unit=unit,
                    ),
                ]
            )

    @staticmethod
    def _join(texts):
        return " · ".join(dict.fromkeys(filter(None, texts)))

    def _get_sortings(self):
        return self.complaint_ids.inspection_ids.filtered(
            lambda i: i.state != "canceled"
        )

    def _get_measures(self, kind):
        """Return the measures of ``kind`` of all complaints."""
        return self.complaint_ids.measure_ids.filtered(lambda m: m.kind == kind)

    def _get_totals(self):
        """Return the sums of the sorting matrix."""
        sortings = self._get_sortings()
        return {
            name: sum(sortings.mapped(f"qty_{name}"))
            for name in ("expected", "checked", "good", "bad", "suspect", "left")
        }

    def _get_root_cause(self):
        """Return the root causes as one text, for the complaints."""
        self.ensure_one()
        return "\n".join(self.cause_ids.filtered("name").mapped("display_name"))

    def _get_open_action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def action_add_measure(self):
        """Open a new measure on one of the complaints, kind by the context."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Measure"),
            "res_model": "quality.measure",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_complaint_id": self.complaint_id.id,
                "default_kind": self.env.context.get("measure_kind", "permanent"),
                "default_cause_id": self.env.context.get("measure_cause"),
            },
        }

    # === DOCUMENT === #

    def _format_moment(self, name, record=None):
        """Return a datetime field of a record in the site's time zone."""
        record = self if record is None else record
        return self.site_id.with_env(self.env)._format_moment(record[name])

    def _format_quantity(self, quantity):
        """Return a quantity in the document's language, without needless zeros."""
        return formatLang(self.env, quantity, digits=0 if quantity % 1 == 0 else 2)

    def _get_printable_photos(self):
        """Return the photos of bad parts, then those of good ones, for the document."""
        self.ensure_one()
        return [
            {**photo, "name": name}
            for photos, name in (
                (self.complaint_ids.photo_ids, self.env._("Not OK")),
                (self.good_photo_ids, self.env._("OK")),
            )
            for photo in photos._get_printable_photos()
        ]

    def _get_document_lang(self):
        """Return the customer's language, else the company's, unless asked for."""
        self.ensure_one()
        return (
            self.env.context.get("document_lang")
            or self.partner_id.lang
            or self.company_id.partner_id.lang
        )

    def _get_document_name(self):
        """Return the file name of the report, without its ending."""
        self.ensure_one()
        return self.env._(
            "8D report %(number)s r%(revision)s",
            number=self.name.replace("/", "-"),
            revision=self.revision,
        )
