import io

import xlsxwriter

from odoo import http
from odoo.http import content_disposition, request

from ..models.import_template_mixin import TEMPLATE_ROUTE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ImportTemplate(http.Controller):
    @http.route(f"{TEMPLATE_ROUTE}/<string:model>", type="http", auth="user")
    def import_template(self, model):
        """Return an empty spreadsheet whose headings Odoo's import recognises.

        Made on the spot: headings are the fields' labels in the user's language,
        which is what the import matches against.
        """
        records = request.env.get(model)
        fields = getattr(records, "_import_template_fields", ())
        if not fields:
            raise request.not_found()
        records.check_access("create")
        output = io.BytesIO()
        with xlsxwriter.Workbook(output, {"in_memory": True}) as workbook:
            sheet = workbook.add_worksheet()
            heading = workbook.add_format({"bold": True, "bg_color": "#E7E9ED"})
            sheet.freeze_panes(1, 0)
            for column, (path, example) in enumerate(fields.items()):
                sheet.write_string(0, column, records._get_import_label(path), heading)
                sheet.write_string(1, column, example)
                sheet.set_column(column, column, 24)
        name = request.env["ir.model"]._get(model).name
        return request.make_response(
            output.getvalue(),
            headers=[
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(f"{name}.xlsx")),
            ],
        )
