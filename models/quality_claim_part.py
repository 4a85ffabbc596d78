from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from .quality_claim import GROUP, JUDGING_STATES
from .quality_claim_actions import NAMED

RELEASERS = (f"{GROUP}quality", f"{GROUP}manager")


class QualityClaimLine(models.Model):
    """The claimed part itself: sent back, analysed, and kept until released (L3)."""

    _inherit = "quality.claim.line"

    analysis_result = fields.Text(
        string="Found by Analysis",
        compute="_compute_analysis",
        # Who judges the claim need not see the returns of home.
        compute_sudo=True,
        help="What Quality found on the part that was sent back.",
    )
    analysis_by_id = fields.Many2one(
        comodel_name="res.users",
        string="Analysed by",
        compute="_compute_analysis",
        compute_sudo=True,
    )
    analysis_at = fields.Datetime(
        string="Analysed on", compute="_compute_analysis", compute_sudo=True
    )

    @api.depends("return_line_id.judgement_ids.undone")
    @api.depends_context("lang")
    def _compute_analysis(self):
        for line in self:
            found = line.return_line_id.judgement_ids.filtered(lambda v: not v.undone)
            last = found.sorted("date")[-1:]
            line.analysis_result = "\n".join(v._describe() for v in found) or False
            line.analysis_by_id = last.user_id
            line.analysis_at = last.date

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._touch_parts()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if not self._is_gate_open() and not {"lot_id", "return_line_id"}.isdisjoint(
            vals
        ):
            self._touch_parts()
        return result

    def _follow_judgement(self):
        result = super()._follow_judgement()
        reopened = self.filtered(
            lambda line: line.responsibility == "open" and line.released_at
        )
        reopened._write_protected({"released_at": False, "released_by_id": False})
        return result

    # === ANALYSIS === #

    def action_send_for_analysis(self):
        """Make a return of these parts, one for each site (L3).

        :return: action that opens it
        :raise UserError: names the lines whose parts are on a return already
        """
        self.check_access("write")
        self.claim_id._lock()
        if sent := self.filtered("return_line_id"):
            raise UserError(
                self.env._(
                    "%(lines)s: sent back already, see “Sent Back in”.",
                    lines=", ".join(sent[:NAMED].mapped("display_name")),
                )
            )
        self._check_locked({"return_line_id"})
        returns = self.env["quality.return"]
        for site, lines in self.grouped("site_id").items():
            claims = lines.claim_id
            document = returns.create(
                {
                    "site_id": site.id,
                    "complaint_ids": [Command.set(claims.complaint_id.ids)],
                    "reason": self.env._(
                        "Analysis for %(claims)s",
                        claims=", ".join(claims.mapped("name")),
                    ),
                    "line_ids": [
                        Command.create(
                            {
                                "product_id": line.product_id.id,
                                "lot_id": line.lot_id.id,
                                "quantity": line.quantity,
                            }
                        )
                        for line in lines
                    ],
                }
            )
            for line, returned in zip(lines, document.line_ids, strict=True):
                line._write_protected({"return_line_id": returned.id})
            returns |= document
        self._touch_parts()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_return_action"
        )
        if len(returns) == 1:
            return {**action, "res_id": returns.id, "views": [(False, "form")]}
        return {**action, "domain": [("id", "in", returns.ids)]}

    # === RELEASE FOR SCRAP === #

    def action_release_part(self):
        """Quality needs these parts as evidence no more: they may be scrapped.

        :raise AccessError: for everybody but Quality and the manager
        :raise UserError: names the lines that are undecided
        """
        self.check_access("write")
        if not self.env.su and not self._has_one_group(RELEASERS):
            raise AccessError(
                self.env._("Only Quality and the manager release claimed parts.")
            )
        self.claim_id._lock()
        if undecided := self.filtered(lambda line: line.responsibility == "open"):
            raise UserError(
                self.env._(
                    "%(lines)s: undecided. Choose the “Responsibility” first, then "
                    "release the part.",
                    lines=", ".join(undecided[:NAMED].mapped("display_name")),
                )
            )
        self.filtered(lambda line: not line.released_at)._write_protected(
            {"released_by_id": self.env.uid, "released_at": fields.Datetime.now()}
        )
        return True

    def _is_part_kept(self):
        """Tell whether this line's part must not be scrapped."""
        self.ensure_one()
        return self.state in JUDGING_STATES and (
            self.responsibility == "open" or not self.released_at
        )

    def _touch_parts(self):
        """Make whoever scraps these parts at this moment start anew.

        He holds their rows, see :meth:`_ensure_may_be_scrapped`: a row rewritten since
        he began is refused to him by PostgreSQL, Odoo runs him again, and he sees
        these lines.
        """
        self._lock_parts(self.lot_id.ids, self.return_line_id.ids, touch=True)

    @api.model
    def _lock_parts(self, lot_ids, return_line_ids, touch=False):
        for table, ids in (
            ("stock_lot", lot_ids),
            ("quality_return_line", return_line_ids),
        ):
            if not ids:
                continue
            self.env.cr.execute(
                SQL(
                    "SELECT id FROM %s WHERE id IN %s ORDER BY id FOR NO KEY UPDATE",
                    SQL.identifier(table),
                    tuple(ids),
                )
            )
            if touch:
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET id = id WHERE id IN %s",
                        SQL.identifier(table),
                        tuple(ids),
                    )
                )

    @api.model
    def _ensure_may_be_scrapped(self, lots, return_lines):
        """Refuse to scrap what an open claim is about (L3).

        By lot or serial number; without one, by the return that brought the part.

        :raise UserError: names line and claim, and the way out
        """
        if not lots and not return_lines:
            return
        self.flush_model()
        self._lock_parts(lots.ids, return_lines.ids)
        # The claim of a site that the user does not see keeps its parts as well.
        lines = self.sudo().search(
            Domain("lot_id", "in", lots.ids)
            | Domain("return_line_id", "in", return_lines.ids)
        )
        # Nobody reopens or judges them meanwhile.
        lines.claim_id._lock()
        kept = lines.filtered(lambda line: line._is_part_kept())
        if kept:
            raise UserError(
                self.env._(
                    "Claimed parts cannot be scrapped yet:\n%(lines)s\nJudge these "
                    "lines, then have Quality choose “Release Part” on them.",
                    lines="\n".join(
                        f"{line.display_name} ({line.claim_id.name})"
                        for line in kept[:NAMED]
                    ),
                )
            )


class QualityScrapRequest(models.Model):
    _inherit = "quality.scrap.request"

    def _ensure_unclaimed(self):
        # Verdicts of home that the requester need not see.
        verdicts = self.env["quality.return.judgement"].sudo()
        verdicts = verdicts.search([("scrap_line_id", "in", self.line_ids.ids)])
        self.env["quality.claim.line"]._ensure_may_be_scrapped(
            self.line_ids.lot_id, verdicts.line_id
        )

    def _check_lines(self):
        self._ensure_unclaimed()
        return super()._check_lines()

    def _sign(self, role, agree, comment):
        if agree:
            self._ensure_unclaimed()
        return super()._sign(role, agree, comment)

    def _execute(self):
        self._ensure_unclaimed()
        return super()._execute()


class QualityReturnJudgement(models.Model):
    _inherit = "quality.return.judgement"

    def _request_scrap(self):
        self.env["quality.claim.line"]._ensure_may_be_scrapped(
            self.lot_id, self.line_id
        )
        return super()._request_scrap()


class QualityReturn(models.Model):
    _inherit = "quality.return"

    def action_judge(self):
        """Judge all that came, and say so to who judges the claims about it (R4)."""
        result = super().action_judge()
        # The claims of the parts, whether or not Quality at home may see them.
        lines_sudo = self.env["quality.claim.line"].sudo()
        lines_sudo.search(
            [("return_line_id", "in", self.line_ids.ids)]
        )._tell_analysis()
        return result
