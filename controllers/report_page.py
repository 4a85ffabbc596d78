from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools.mimetypes import guess_mimetype

MAX_PHOTOS = 10
MAX_PHOTO_BYTES = 25 * 1024 * 1024
# More than a plant can mean seriously: keeps a leaked link from flooding us.
MAX_PER_HOUR = 30
TEXT_LENGTHS = {"name": 100, "email": 200, "part": 100, "description": 10000}


class ReportPage(http.Controller):
    """The page behind a site's link or QR code: a customer reports without log-in."""

    @http.route(
        "/quality_resident/report/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        sitemap=False,
    )
    def report(self, token, **post):
        """Show the form, or make a complaint of what was entered (spec.md C2)."""
        # The token stands in for a log-in; what the page shows is the site's name.
        site_sudo = request.env["resident.site"].sudo()._find_by_token(token)
        if not site_sudo:
            raise request.not_found()
        # The reader's own language where we have it, else that of the plant.
        languages = request.env["ir.http"]
        lang = (
            languages.get_nearest_lang(request.best_lang) or site_sudo.partner_id.lang
        )
        request.update_context(lang=lang)
        site_sudo = site_sudo.with_context(lang=lang)
        context = {"site": site_sudo, "values": post, "error": None, "done": None}
        if request.httprequest.method == "POST":
            try:
                complaint = self._create_complaint(site_sudo, post)
            except UserError as error:
                context["error"] = str(error)
            else:
                # Loading the thank-you page again must not report again.
                request.session["resident_reported"] = complaint.id
                return request.redirect(f"{request.httprequest.path}?done=1")
        elif post.get("done"):
            context["done"] = (
                site_sudo.env["quality.complaint"]
                .search(
                    [
                        ("id", "=", request.session.get("resident_reported")),
                        ("site_id", "=", site_sudo.id),
                    ]
                )
                .with_context(lang=lang)
            )
        return request.render(
            "quality_resident.report_page", context, headers={"X-Robots-Tag": "noindex"}
        )

    def _create_complaint(self, site_sudo, post):
        complaints_sudo = site_sudo.env["quality.complaint"].with_company(
            site_sudo.company_id
        )
        values = {
            name: (post.get(name) or "").strip()[:length]
            for name, length in TEXT_LENGTHS.items()
        }
        if not values["description"]:
            raise UserError(request.env._("“What is wrong?” is empty: describe it."))
        if complaints_sudo._count_recent_portal(site_sudo) >= MAX_PER_HOUR:
            raise UserError(
                request.env._("Too many reports in one hour. Please call the resident.")
            )
        photos = self._read_photos()
        complaint = complaints_sudo._create_from_portal(site_sudo, values)
        complaint.photo_ids = (
            request.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": name,
                        "raw": content,
                        "res_model": complaint._name,
                        "res_id": complaint.id,
                    }
                    for name, content in photos
                ]
            )
        )
        return complaint

    def _read_photos(self):
        photos = []
        for upload in request.httprequest.files.getlist("photos"):
            if not upload.filename:
                continue
            content = upload.read(MAX_PHOTO_BYTES + 1)
            if len(content) > MAX_PHOTO_BYTES:
                raise UserError(
                    request.env._(
                        "%(name)s is larger than 25 MB: choose a smaller photo.",
                        name=upload.filename,
                    )
                )
            mimetype = guess_mimetype(content)
            if not mimetype.startswith("image/") or mimetype == "image/svg+xml":
                raise UserError(
                    request.env._(
                        "%(name)s is not a photo: choose a picture.",
                        name=upload.filename,
                    )
                )
            photos.append((upload.filename, content))
        if len(photos) > MAX_PHOTOS:
            raise UserError(
                request.env._("At most %(number)s photos, please.", number=MAX_PHOTOS)
            )
        return photos
