from odoo import models


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _is_resident_document(self):
        return (self.report_name or "").startswith("quality_resident.")

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Render one document at a time.

        Debian's wkhtmltopdf is built with an unpatched Qt: it cannot tell several
        bodies in one run apart, and core then refuses the print.
        """
        several = res_ids and len(res_ids) > 1
        if not (several and self._get_report(report_ref)._is_resident_document()):
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

    def _get_layout(self):
        """Our documents hold all they need: the renderer fetches nothing.

        A print thus works in a job, and where the server cannot reach itself.
        """
        if len(self) == 1 and self._is_resident_document():
            return self.env.ref("quality_resident.document_layout")
        return super()._get_layout()

    def _prepare_html(self, html, report_model=False):
        prepared = super()._prepare_html(html, report_model=report_model)
        if not self._is_resident_document():
            return prepared
        # The heading is in the body; the unpatched build warns of any other.
        bodies, res_ids, _header, _footer, arguments = prepared
        return bodies, res_ids, None, None, arguments
