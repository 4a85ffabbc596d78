from markupsafe import Markup

from odoo import models
from odoo.exceptions import AccessError, UserError


class QualityReturn(models.Model):
    _inherit = "quality.return"

    def _ensure_judge(self):
        """Refuse a verdict by anybody but Quality of the site.

        :raise AccessError: names who may
        """
        if not (
            self.env.su or self.env.user.has_group("quality_resident.group_quality")
        ):
            raise AccessError(self.env._("Only Quality judges returned parts."))
        self.check_access("write")

    def action_judge(self):
        """Judge all that came: carries out the verdicts chosen on the lines.

        :raise UserError: names the lines without a verdict
        """
        self._ensure_can_move("judged")
        missing = []
        verdicts = []
        for line in self.line_ids:
            if line.uom_id.compare(line.qty_open, 0) <= 0:
                continue
            if not line.judgement:
                missing.append(
                    self.env._(
                        "%(line)s: %(open)g %(unit)s",
                        line=line.display_name,
                        open=line.qty_open,
                        unit=line.uom_id.name,
                    )
                )
            verdicts.append(
                {
                    "line_id": line.id,
                    "quantity": line.qty_open,
                    "judgement": line.judgement,
                }
            )
        if missing:
            raise UserError(
                self.env._("No verdict yet on:\n%(lines)s", lines="\n".join(missing))
            )
        self.env["quality.return.judgement"].create(verdicts)
        self._move_to("judged")
        self._clear_todo("return_received")
        self._tell_complaints()
        return True

    def _tell_complaints(self):
        """Write what was found on the parts into their complaints (R4)."""
        for document in self:
            found = document.line_ids.judgement_ids.filtered(lambda j: not j.undone)
            if not found:
                continue
            rows = Markup().join(
                Markup("<li>%s: %s</li>") % (v.line_id.display_name, v._describe())
                for v in found
            )
            # The complaint is not Quality's to write, its history tells the finding.
            for complaint in document.sudo().complaint_ids:
                complaint.message_post(
                    body=Markup("<p>%s</p><ul>%s</ul>")
                    % (
                        self.env._(
                            "Returned parts judged: %(name)s", name=document.name
                        ),
                        rows,
                    ),
                    author_id=self.env.user.partner_id.id,
                    # The photos are those of the verdict that he has given.
                    attachment_ids=found.photo_ids.sudo()
                    .copy({"res_model": complaint._name, "res_id": complaint.id})
                    .ids,
                )


class QualityReturnLine(models.Model):
    _inherit = "quality.return.line"

    def _check_judged(self):
        """Refuse to judge more than has come.

        :raise UserError: names the line
        """
        for line in self:
            if line.uom_id.compare(line.qty_open, 0) < 0:
                raise UserError(
                    self.env._(
                        "%(line)s: %(judged)g judged, but only %(received)g came. "
                        "Judge %(left)g less.",
                        line=line.display_name,
                        judged=line.qty_judged,
                        received=line.qty_received,
                        left=-line.qty_open,
                    )
                )
