from odoo import models


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Render one document at a time.

        Debian's wkhtmltopdf is built with an unpatched Qt: it cannot tell several
        bodies in one run apart, and core then refuses the print.
        """
        report = self._get_report(report_ref)
        if not (
            report.report_name.startswith("quality_resident.")
            and res_ids
            and len(res_ids) > 1
        ):
            return super()._render_qweb_pdf_prepare_streams(
                report_ref, data, res_ids=res_ids
            )
        streams = {}
        for res_id in res_ids:
            streams.update(
                super()._render_qweb_pdf_prepare_streams(
                    report_ref, data, res_ids=[res_id]
                )
            )
        return streams
