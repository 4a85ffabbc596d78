from odoo import api, fields, models
from odoo.tools import SQL

from .quality_figure import PRODUCT, SITE, get_local, get_period

# What was entered in error or refused as not ours is no complaint of the month.
COUNTED = "complaint.state NOT IN ('refused', 'cancelled')"
# Parts that both sides hold to be somebody else's are not our bad parts.
OURS = "complaint.problem_type IS DISTINCT FROM 'dispute'"
# The tranches that count: as in qc.inspection's and the complaint's own totals.
TRANCHE = """
    sorting.undone IS NOT TRUE
    AND place.id = sorting.inspection_id
    AND place.sorting_round = sorting.sorting_round
    AND place.state != 'canceled'
"""
# With a limit it is looked up for the few complaints asked for: else PostgreSQL reads
# all tranches there are.
UNSORTED = f"""{OURS} AND (
    SELECT 1
    FROM quality_sorting sorting, qc_inspection place
    WHERE sorting.complaint_id = complaint.id AND {TRANCHE}
    LIMIT 1
) IS NULL"""
LOCAL = get_local("complaint.called_at")
# Sorted parts have a product of their own.
OF_COMPLAINT = {
    **get_period("complaint.called_at"),
    "company_id": "complaint.company_id",
    "site_id": "complaint.site_id",
    "partner_id": "site.partner_id",
    "product_id": "fact.product_id",
    "product_categ_id": "template.categ_id",
    "problem_type": "complaint.problem_type",
    "severity": "complaint.severity",
    "shift": f"""(
        SELECT attendance.name
        FROM resource_calendar_attendance attendance
        WHERE attendance.calendar_id = site.calendar_id
            AND attendance.dayofweek = (EXTRACT(isodow FROM {LOCAL}) - 1)::varchar
            AND attendance.day_period != 'lunch'
            AND EXTRACT(epoch FROM {LOCAL}::time) / 3600 >= attendance.hour_from
            AND EXTRACT(epoch FROM {LOCAL}::time) / 3600 < attendance.hour_to
        ORDER BY attendance.id
        LIMIT 1
    )""",
    "cause": """COALESCE((
        SELECT cause.name
        FROM quality_cause cause
        WHERE cause.eightd_id = complaint.eightd_id
            AND cause.branch = 'occurrence' AND cause.name > ''
        ORDER BY cause.contribution DESC, cause.id
        LIMIT 1
    ), complaint.root_cause)""",
    "complaint_id": "complaint.id",
    "name": "complaint.name",
}


def count_if(condition):
    """Return the SQL of 1 where ``condition`` holds."""
    return f"CASE WHEN {condition} THEN 1 END"


class QualityFigure(models.Model):
    """Complaints and the parts sorted for them.

    Everything is dated at the call, where the customer counts it: each later tranche
    brings that month's provisional PPM down to its confirmed one. Each part counts once
    (:meth:`~.quality_complaint_containment.QualityComplaint._get_sorted_totals`):
    suspect parts that are judged again are what they prove to be, a bad part stays one
    when it is reworked.

    As long as nothing is sorted the complaint's own quantity stands for it: bad where
    the problem is confirmed to be ours, else suspect. Parts of a dispute are neither.
    """

    _inherit = "quality.figure"
    _depends = {
        "quality.complaint": [
            "name",
            "state",
            "called_at",
            "closed_at",
            "company_id",
            "site_id",
            "product_id",
            "defect_id",
            "problem_type",
            "severity",
            "place_id",
            "quantity",
            "root_cause",
            "eightd_id",
            "recurrence_of_id",
            "line_stop_minutes",
            "arrival_status",
            "feedback_status",
        ],
        "qc.inspection": ["state", "sorting_round", "held_area"],
        "quality.sorting": [
            "inspection_id",
            "complaint_id",
            "product_id",
            "place_id",
            "defect_id",
            "undone",
            "sorting_round",
            "qty_checked",
            "qty_good",
            "qty_bad",
            "qty_suspect",
        ],
        "quality.cause": ["eightd_id", "branch", "name", "contribution"],
        "resource.calendar.attendance": [
            "calendar_id",
            "name",
            "dayofweek",
            "day_period",
            "hour_from",
            "hour_to",
        ],
    }

    kind = fields.Selection(
        selection_add=[("complaint", "Complaint"), ("sorting", "Sorting")]
    )

    @api.model
    def _get_selects(self):
        return {
            **super()._get_selects(),
            "complaint": (
                {
                    **OF_COMPLAINT,
                    "id": "complaint.id",
                    "defect_id": "complaint.defect_id",
                    "place_id": "complaint.place_id",
                    "res_model": "'quality.complaint'",
                    "res_id": "complaint.id",
                    "bad_qty": f"""CASE
                        WHEN complaint.problem_type = 'quality' AND {UNSORTED}
                        THEN complaint.quantity END""",
                    "suspect_qty": f"""CASE
                        WHEN complaint.problem_type IS DISTINCT FROM 'quality'
                            AND {UNSORTED}
                        THEN complaint.quantity END""",
                    "complaint_count": "1",
                    **{
                        f"{severity}_count": count_if(
                            f"complaint.severity = '{severity}'"
                        )
                        for severity in ("minor", "major", "critical")
                    },
                    "recurrence_count": count_if(
                        "complaint.recurrence_of_id IS NOT NULL"
                    ),
                    "line_stop_minutes": "complaint.line_stop_minutes",
                    "handled_count": count_if("complaint.state = 'closed'"),
                    "handling_hours": """CASE WHEN complaint.state = 'closed' THEN
                        EXTRACT(epoch FROM complaint.closed_at - complaint.called_at)
                        / 3600 END""",
                    **{
                        f"{clock}_{name}": count_if(
                            f"complaint.{clock}_status {condition}"
                        )
                        for clock in ("arrival", "feedback")
                        for name, condition in (
                            ("count", "!= 'pending'"),
                            ("on_time_count", "= 'on_time'"),
                        )
                    },
                },
                SQL(
                    """FROM quality_complaint complaint
                    CROSS JOIN LATERAL (
                        SELECT complaint.site_id, complaint.product_id
                    ) fact
                    %s %s
                    WHERE %s""",
                    SITE,
                    PRODUCT,
                    SQL(COUNTED),
                ),
            ),
            "sorting": (
                {
                    **OF_COMPLAINT,
                    "id": "fact.id",
                    "defect_id": "COALESCE(fact.defect_id, complaint.defect_id)",
                    "place_id": "fact.place_id",
                    "res_model": "'qc.inspection'",
                    "res_id": "fact.inspection_id",
                    "sorted_qty": "CASE WHEN fact.held_area IS NULL "
                    "THEN fact.qty_checked END",
                    "bad_qty": f"CASE WHEN {OURS} THEN fact.qty_bad END",
                    # What lay in the suspect area has proved to be good or bad.
                    "suspect_qty": f"""CASE
                        WHEN {OURS} AND fact.held_area IS NULL THEN fact.qty_suspect
                        WHEN {OURS} THEN -fact.qty_good - fact.qty_bad END""",
                },
                SQL(
                    """FROM (
                        SELECT sorting.*, place.held_area
                        FROM quality_sorting sorting, qc_inspection place
                        WHERE %s AND place.held_area IS DISTINCT FROM 'rework'
                    ) fact
                    JOIN quality_complaint complaint
                        ON complaint.id = fact.complaint_id AND %s
                    %s %s""",
                    SQL(TRANCHE),
                    SQL(COUNTED),
                    SITE,
                    PRODUCT,
                ),
            ),
        }
