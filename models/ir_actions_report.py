import io

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from odoo import api, models
from odoo.tools.pdf import PdfFileReader, PdfFileWriter

# Points: within the lower margin of our paper.
FOOTER_AT = (40, 18)
FOOTER_SIZE = 8
# Each page is a document of its own, without a margin.
UNNUMBERED = ("quality_resident.report_label",)


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _is_resident_document(self):
        return (self.report_name or "").startswith("quality_resident.")

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Render one document at a time, and number its pages.

        Debian's wkhtmltopdf is built with an unpatched Qt: it cannot tell several
        bodies in one run apart, and core then refuses the print.
        """
        report = self._get_report(report_ref)
        if not (res_ids and report._is_resident_document()):
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
        if report.report_name in UNNUMBERED:
            return streams
        for record in self.env[report.model].browse(res_ids):
            stream = streams[record.id]
            # What has been kept as a file was numbered when it was made.
            if stream["stream"] and not stream["attachment"]:
                stream["stream"] = self._number_pages(
                    stream["stream"], record.display_name
                )
        return streams

    @api.model
    def _number_pages(self, stream, name):
        """Return the PDF ``stream`` with ``name`` and “page / pages” below each page.

        The unpatched build knows no footers, and its pages cannot be counted while
        they are made. A document of one page says what it is in its heading.
        """
        reader = PdfFileReader(stream, strict=False)
        total = reader.getNumPages()
        if total < 2:
            return stream
        font = "Helvetica"
        if not name.isascii():
            font = "STSong-Light"
            pdfmetrics.registerFont(UnicodeCIDFont(font))
        footers = io.BytesIO()
        drawing = canvas.Canvas(footers)
        for number in range(total):
            box = reader.getPage(number).mediaBox
            width, height = float(box.getWidth()), float(box.getHeight())
            drawing.setPageSize((width, height))
            drawing.setFont(font, FOOTER_SIZE)
            right, bottom = FOOTER_AT
            drawing.drawRightString(
                width - right, bottom, f"{name}   {number + 1} / {total}"
            )
            drawing.showPage()
        drawing.save()
        stamps, writer = PdfFileReader(footers), PdfFileWriter()
        for number in range(total):
            page = reader.getPage(number)
            page.mergePage(stamps.getPage(number))
            writer.addPage(page)
        numbered = io.BytesIO()
        writer.write(numbered)
        return numbered

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
