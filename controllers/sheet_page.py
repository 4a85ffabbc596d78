import binascii

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request


class SheetPage(http.Controller):
    """The page behind the link in the SQE's mail: read the sheet and sign it."""

    def _find_sheet(self, sheet_id, token):
        # The token, valid until it expires or is used, stands in for a log-in.
        sheet_sudo = request.env["quality.service.sheet"].sudo().browse(sheet_id)
        return sheet_sudo if sheet_sudo._is_link_valid(token) else None

    @http.route(
        "/quality_resident/sheet/<int:sheet_id>/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
    )
    def sheet(self, sheet_id, token):
        """Show the sheet with the field to sign in, or that the link is over."""
        sheet_sudo = self._find_sheet(sheet_id, token)
        if sheet_sudo:
            lang = sheet_sudo.contact_id.partner_id.lang
            request.update_context(lang=lang)
            sheet_sudo = sheet_sudo.with_context(lang=lang)
        return request.render(
            "quality_resident.sheet_page",
            {
                "sheet": sheet_sudo,
                "sign_url": sheet_sudo and self._get_sign_url(sheet_sudo, token),
            },
            headers={"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"},
        )

    def _get_sign_url(self, sheet_sudo, token):
        """Return the address to sign what the page shows, and nothing else."""
        shown = sheet_sudo._get_content_hash()
        return f"/quality_resident/sheet/{sheet_sudo.id}/{token}/sign/{shown}"

    @http.route(
        "/quality_resident/sheet/<int:sheet_id>/<string:token>/sign/<string:shown>",
        type="jsonrpc",
        auth="public",
    )
    def sign(self, sheet_id, token, shown, name=None, signature=None):
        """Sign the sheet; answers as portal's signature form expects it.

        ``shown`` is the hash of what the customer has read.
        """
        sheet_sudo = self._find_sheet(sheet_id, token)
        if not sheet_sudo:
            return {"error": request.env._("This link is no longer valid.")}
        if sheet_sudo._get_content_hash() != shown:
            return {
                "error": request.env._(
                    "The sheet was changed while you read it. Load the page again."
                )
            }
        try:
            with request.env.cr.savepoint():
                sheet_sudo._sign(signature, name, None)
        except UserError as error:
            return {"error": str(error)}
        except (TypeError, ValueError, binascii.Error):
            return {"error": request.env._("This is not a signature. Draw it again.")}
        return {"success": True, "message": request.env._("Thank you, it is signed.")}
