from odoo import api, models
from odoo.exceptions import UserError


class QualityFigure(models.Model):
    _inherit = "quality.figure"

    def action_export(self):
        """Give what the screen shows as a spreadsheet, by site and month."""
        report = self.env.ref("quality_resident.action_report_figures_xlsx")
        domain = self.env.context.get("active_domain") or []
        return report.report_action([], data={"domain": domain})

    @api.model
    def _get_export(self, domain):
        """Return the figures of the facts in ``domain``: by site and month, and all.

        :raise UserError: the domain is none
        """
        try:
            figures = self._get_figures(domain)
            total = self._get_figures(domain, ()).get((), {})
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                self.env._("“%(domain)s” is no filter of figures.", domain=domain)
            ) from error
        rows = sorted(
            figures.items(), key=lambda row: (row[0][0].name or "", row[0][1])
        )
        return rows, total
