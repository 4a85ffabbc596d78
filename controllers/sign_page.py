import binascii

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

PATH = "/quality_resident/sign/<string:model>/<int:res_id>/<string:token>"


class SignPage(http.Controller):
    """The page behind the link in the SQE's mail: read the document and sign it."""

    def _find_document(self, model, res_id, token):
        if model not in request.env["quality.signature.mixin"]._get_signed_models():
            return None
        # The token, valid until it expires or is used, stands in for a log-in.
        document_sudo = request.env[model].sudo().browse(res_id)
        return document_sudo if document_sudo._is_link_valid(token) else None

    @http.route(PATH, type="http", auth="public", methods=["GET"], sitemap=False)
    def show(self, model, res_id, token):
        """Show the document with the field to sign in, or that the link is over."""
        document_sudo = self._find_document(model, res_id, token)
        if document_sudo:
            lang = document_sudo.contact_id.partner_id.lang
            request.update_context(lang=lang)
            document_sudo = document_sudo.with_context(lang=lang)
        return request.render(
            "quality_resident.sign_page",
            {
                "doc": document_sudo,
                "sign_url": document_sudo and self._get_sign_url(document_sudo, token),
            },
            headers={"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"},
        )

    def _get_sign_url(self, document_sudo, token):
        """Return the address to sign what the page shows, and nothing else."""
        shown = document_sudo._get_content_hash()
        return f"{document_sudo._get_link_path(token)}/sign/{shown}"

    @http.route(f"{PATH}/sign/<string:shown>", type="jsonrpc", auth="public")
    def sign(self, model, res_id, token, shown, *, name=None, signature=None):
        """Sign the document; answers as portal's signature form expects it.

        ``shown`` is the hash of what the customer has read.
        """
        document_sudo = self._find_document(model, res_id, token)
        if not document_sudo:
            return {"error": request.env._("This link is no longer valid.")}
        if document_sudo._get_content_hash() != shown:
            return {
                "error": request.env._(
                    "This was changed while you read it. Load the page again."
                )
            }
        try:
            with request.env.cr.savepoint():
                document_sudo._sign(signature, name, None)
        except UserError as error:
            return {"error": str(error)}
        except (TypeError, ValueError, binascii.Error):
            return {"error": request.env._("This is not a signature. Draw it again.")}
        return {"success": True, "message": request.env._("Thank you, it is signed.")}
