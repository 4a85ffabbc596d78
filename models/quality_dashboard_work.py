from odoo import api, fields, models
from odoo.fields import Domain

from .quality_8d import OPEN_STATES as OPEN_8DS
from .quality_claim import JUDGING_STATES
from .quality_return import OPEN_STATES as OPEN_RETURNS
from .quality_scorecard import SENDERS
from .quality_suspect_slip import OPEN_STATES as OPEN_SLIPS
from .resident_report import OPEN_STATES as OPEN_REPORTS

# Nobody works off more than this; counting on would only take time.
COUNT_LIMIT = 1000
CLOCK_LIMIT = 8
MODULE = "quality_resident"


class QualityDashboard(models.AbstractModel):
    """What is due now, which clocks run, what waits for somebody."""

    _inherit = "quality.dashboard"

    @api.model
    def _get_tile(
        self, key, label, model, domain, action, *, level="warning", count=None
    ):
        """Return a figure that opens its records, None where the user reads none.

        :param str action: xml id of the window action that shows the records
        :param str level: danger or warning, as Bootstrap calls its colours
        :param int count: how many records ``domain`` finds, where that is known
        """
        records = self.env[model]
        if not records.has_access("read"):
            return None
        if count is None:
            count = records.search_count(domain, limit=COUNT_LIMIT + 1)
        return {
            "key": key,
            "label": label,
            "count": count,
            "limit": COUNT_LIMIT,
            "level": level,
            "action": action if "." in action else f"{MODULE}.{action}",
            "domain": list(domain),
        }

    # === DUE NOW === #

    @api.model
    def _get_due(self, filters):
        """Return the tiles of what the user has to see to; the empty ones are left out.

        :rtype: list of dict, see :meth:`_get_tile`
        """
        site = self._get_site_domain(filters)
        tiles = [*self._get_my_tiles(site), *self._get_late_tiles(site)]
        return [tile for tile in tiles if tile and tile["count"]]

    @api.model
    def _get_my_tiles(self, site):
        """Return what waits for this user himself."""
        today = fields.Date.context_today(self)
        tiles = [
            self._get_tile(
                "todo",
                self.env._("My to-dos"),
                "mail.activity",
                Domain("user_id", "=", self.env.uid)
                & Domain("date_deadline", "<=", today),
                "mail.mail_activity_action_my",
            ),
            self._get_tile(
                "send_report",
                self.env._("Reports to send"),
                "resident.report",
                Domain("user_id", "=", self.env.uid)
                & Domain("state", "in", OPEN_REPORTS)
                & Domain("due_at", "!=", False)
                & site,
                "resident_report_action",
            ),
            self._get_tile(
                "sign_scrap",
                self.env._("Scrap to sign by me"),
                "quality.scrap.request",
                Domain("can_sign", "=", True) & site,
                "quality_scrap_request_action_for_me",
            ),
            self._get_tile(
                "approve_return",
                self.env._("Returns to approve"),
                "quality.return",
                Domain("can_sign", "=", True) & site,
                "quality_return_action",
            ),
        ]
        if any(self.env.user.has_group(group) for group in SENDERS):
            tiles.append(
                self._get_tile(
                    "send_scorecard",
                    self.env._("Scorecards to send"),
                    "quality.scorecard",
                    Domain("state", "=", "draft") & site,
                    "quality_scorecard_action",
                )
            )
        return tiles

    @api.model
    def _get_late_tiles(self, site):
        """Return what is late or unsigned at the user's sites."""
        overdue = Domain("is_overdue", "=", True) & site
        return [
            self._get_tile(
                "new",
                self.env._("Complaints without feedback"),
                "quality.complaint",
                Domain("state", "=", "new") & site,
                "quality_complaint_action",
                level="danger",
            ),
            self._get_tile(
                "overdue",
                self.env._("Overdue complaints"),
                "quality.complaint",
                overdue,
                "quality_complaint_action",
                level="danger",
            ),
            self._get_tile(
                "overdue_8d",
                self.env._("Overdue 8D reports"),
                "quality.8d",
                overdue,
                "quality_8d_action",
                level="danger",
            ),
            self._get_tile(
                "overdue_measure",
                self.env._("Overdue measures"),
                "quality.measure",
                self._get_clock_domain("quality.measure", "measure")
                & Domain("due_deadline", "<", "now")
                & site,
                "quality_measure_action",
                level="danger",
            ),
            self._get_tile(
                "missed_report",
                self.env._("Missed reports"),
                "resident.report",
                Domain("state", "=", "missed") & site,
                "resident_report_action",
                level="danger",
            ),
            self._get_tile(
                "unsigned_sheet",
                self.env._("Service sheets to sign"),
                "quality.service.sheet",
                Domain("state", "=", "draft") & site,
                "quality_service_sheet_action",
            ),
            self._get_tile(
                "unsigned_slip",
                self.env._("Suspect slips to sign"),
                "quality.suspect.slip",
                Domain("state", "in", OPEN_SLIPS)
                & Domain("signed_on", "=", False)
                & site,
                "quality_suspect_slip_action",
            ),
            self._get_tile(
                "appeal",
                self.env._("Claims to object to within 7 days"),
                "quality.claim",
                Domain("state", "in", JUDGING_STATES)
                & Domain("appeal_deadline", "<=", "+7d")
                & site,
                "quality_claim_action",
                level="danger",
            ),
        ]

    # === CLOCKS === #

    @api.model
    def _get_clock_models(self):
        """Return ``{model: (action, domain of the records whose clocks may run)}``.

        The domains say what ``_has_running_clocks`` says of a record.
        """
        open_complaint = self.env["quality.complaint"]._get_open_domain()
        return {
            "quality.complaint": ("quality_complaint_action", open_complaint),
            "quality.8d": ("quality_8d_action", Domain("state", "in", OPEN_8DS)),
            "quality.measure": (
                "quality_measure_action",
                Domain("state", "=", "open")
                & Domain("complaint_id", "any", open_complaint),
            ),
            "quality.return": (
                "quality_return_action",
                Domain("kind", "=", "exchange")
                & Domain("state", "in", OPEN_RETURNS[1:]),
            ),
            "quality.scorecard": (
                "quality_scorecard_action",
                Domain("state", "=", "draft"),
            ),
            "resident.report": ("resident_report_action", Domain.TRUE),
        }

    @api.model
    def _get_clock_domain(self, model, name):
        """Return the domain of the records of ``model`` whose clock ``name`` runs."""
        clock = self.env[model]._clocks[name]
        _action, domain = self._get_clock_models()[model]
        if name == "full":
            domain &= Domain("level", "=", "full")
        return (
            domain
            & Domain(clock.start, "!=", False)
            & Domain(clock.deadline, "!=", False)
            & Domain(clock.stop, "=", False)
        )

    @api.model
    def _get_clocks(self, filters):
        """Return the clocks that run: the most urgent ones, and how many there are.

        :return: ``{"count": …, "limit": …, "rows": [{model, id, name, site, label,
            start, deadline}]}``, moments in UTC, the first deadline first
        """
        site = self._get_site_domain(filters)
        rows, count = [], 0
        for model, (action, _domain) in self._get_clock_models().items():
            records = self.env[model]
            if not records.has_access("read"):
                continue
            for name, clock in records._clocks.items():
                domain = self._get_clock_domain(model, name) & site
                urgent = records.search_fetch(
                    domain,
                    ["display_name", "site_id", clock.start, clock.deadline],
                    order=f"{clock.deadline}, id",
                    limit=CLOCK_LIMIT,
                )
                found = len(urgent)
                if found == CLOCK_LIMIT:
                    found = records.search_count(domain, limit=COUNT_LIMIT + 1)
                count += found
                label = records._fields[clock.deadline]._description_string(self.env)
                rows += [
                    {
                        "key": f"{model},{record.id},{name}",
                        "model": model,
                        "id": record.id,
                        "name": record.display_name,
                        "site": record.site_id.name,
                        "label": label,
                        "start": fields.Datetime.to_string(record[clock.start]),
                        "deadline": fields.Datetime.to_string(record[clock.deadline]),
                        "action": f"{MODULE}.{action}",
                    }
                    for record in urgent
                ]
        rows.sort(key=lambda row: row["deadline"])
        return {"count": count, "limit": COUNT_LIMIT, "rows": rows[:CLOCK_LIMIT]}

    # === WAITING === #

    @api.model
    def _get_waiting(self, filters):
        """Return the documents on their way, by whom or what they wait for.

        :return: ``[{"key": …, "label": …, "tiles": […]}]``, see :meth:`_get_tile`
        """
        site = self._get_site_domain(filters)
        late = Domain("is_replacement_late", "=", True) & site
        groups = {
            "returns": [
                *self._get_state_tiles(
                    "quality.return",
                    ("requested", "approved", "in_transit", "received", "judged"),
                    site,
                    "quality_return_action",
                ),
                self._get_tile(
                    "replacement",
                    self.env._("Replacement late"),
                    "quality.return",
                    late,
                    "quality_return_action",
                    level="danger",
                ),
            ],
            "scrap": [
                self._get_tile(
                    name,
                    self._get_field_label("quality.scrap.request", name),
                    "quality.scrap.request",
                    Domain("state", "=", "signing") & Domain(name, "=", True) & site,
                    "quality_scrap_request_action",
                )
                for name in ("waits_quality", "waits_sales", "waits_gm")
            ],
            "claims": self._get_state_tiles(
                "quality.claim",
                (*JUDGING_STATES, "agreed"),
                site,
                "quality_claim_action",
            ),
        }
        labels = {
            "returns": self.env._("Returns"),
            "scrap": self.env._("Scrap"),
            "claims": self.env._("Claims"),
        }
        return [
            {"key": key, "label": labels[key], "tiles": shown}
            for key, tiles in groups.items()
            if (shown := [tile for tile in tiles if tile])
        ]

    @api.model
    def _get_field_label(self, model, name):
        return self.env[model]._fields[name]._description_string(self.env)

    @api.model
    def _get_state_tiles(self, model, states, site, action):
        """Return a tile for each of ``states``, named as the status bar names it."""
        records = self.env[model]
        if not records.has_access("read"):
            return []
        labels = dict(records._fields["state"]._description_selection(self.env))
        counts = dict(
            records._read_group(
                Domain("state", "in", states) & site, ["state"], ["__count"]
            )
        )
        return [
            self._get_tile(
                state,
                labels[state],
                model,
                Domain("state", "=", state) & site,
                action,
                count=counts.get(state, 0),
            )
            for state in states
        ]
