from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .quality_scrap_signature import SIGNATURE_ROLES

# Who was asked this morning need not be reminded this morning.
DIGEST_AFTER = timedelta(hours=8)
ACTIVITY = "quality_resident.mail_activity_type_sign"
ROLE_GROUPS = {
    role: f"quality_resident.group_{role}" for role, _label in SIGNATURE_ROLES
}


class QualityScrapRequest(models.Model):
    """Who signs, and what the last signature does (S1-S3)."""

    _inherit = "quality.scrap.request"

    waits_quality = fields.Boolean(
        string="Waits for Quality", compute="_compute_waits", store=True
    )
    waits_sales = fields.Boolean(
        string="Waits for Sales", compute="_compute_waits", store=True
    )
    waits_gm = fields.Boolean(
        string="Waits for the General Manager", compute="_compute_waits", store=True
    )
    can_sign = fields.Boolean(
        string="Waiting for Me", compute="_compute_can_sign", search="_search_can_sign"
    )
    days_waiting = fields.Integer(compute="_compute_days_waiting")

    _signing_idx = models.Index("(site_id) WHERE state = 'signing'")

    # === WHO SIGNS === #

    @api.model
    def _get_roles(self):
        return list(ROLE_GROUPS)

    @api.model
    def _get_role_label(self, role):
        field = self.env["quality.scrap.signature"]._fields["role"]
        return dict(field._description_selection(self.env)).get(role, "")

    def _get_required_roles(self):
        """Return the sides that must agree to this request."""
        self.ensure_one()
        return [role for role in self._get_roles() if role != "gm" or self.needs_gm]

    def _get_signatures(self):
        """Return the signatures given to the lists as they are now."""
        return self.signature_ids.filtered(
            lambda s: s.revision == s.request_id.revision
        )

    def _get_waiting_roles(self):
        """Return the sides that have not signed this request yet."""
        self.ensure_one()
        if self.state != "signing":
            return []
        signed = self._get_signatures().mapped("role")
        return [role for role in self._get_required_roles() if role not in signed]

    @api.depends("state", "revision", "needs_gm", "signature_ids")
    def _compute_waits(self):
        for request in self:
            waiting = request._get_waiting_roles()
            for role in self._get_roles():
                request[f"waits_{role}"] = role in waiting

    @api.depends_context("uid")
    @api.depends("state", "revision", "needs_gm", "signature_ids", "requester_ids")
    def _compute_can_sign(self):
        for request in self:
            request.can_sign = bool(request._get_my_roles())

    def _get_my_roles(self):
        """Return the sides for which the current user may sign this request now."""
        self.ensure_one()
        user = self.env.user
        if user in self.requester_ids or user in self._get_signatures().user_id:
            return []
        return [
            role
            for role in self._get_waiting_roles()
            if user in self._get_event_users(role) and user.has_group(ROLE_GROUPS[role])
        ]

    @api.model
    def _search_can_sign(self, operator, value):
        if operator != "in":
            return NotImplemented
        # The rows of one side are few; who has signed before is left to the record.
        waiting = self.search(
            Domain("state", "=", "signing")
            & Domain.OR(
                Domain(f"waits_{role}", "=", True) for role in self._get_roles()
            )
        )
        domain = Domain("id", "in", waiting.filtered("can_sign").ids)
        return domain if True in value else ~domain

    def _compute_days_waiting(self):
        now = fields.Datetime.now()
        for request in self:
            since = request.state == "signing" and request.requested_at
            request.days_waiting = (now - since).days if since else 0

    @api.model
    def _get_waiting_users(self):
        """Return everybody for whose signature a request has waited for some hours."""
        since = fields.Datetime.now() - DIGEST_AFTER
        users = self.env["res.users"]
        for request in self.search(
            [("state", "=", "signing"), ("requested_at", "<", since)]
        ):
            for role in request._get_waiting_roles():
                users |= request._get_event_users(role) - request.requester_ids
        return users

    # === SIGNING === #

    def action_sign(self, role=None, comment=None):
        """Agree for ``role``; the last signature scraps the parts at once.

        :param str role: quality, sales or gm; left out, the user's own side
        :param str comment: kept with the signature
        :raise AccessError: the user is not of that side at this site
        :raise UserError: he wrote or signed the list already, or parts are missing
        """
        self.check_access("read")
        self._lock()
        for request in self.sorted("id"):
            if not request._is_signed_by_me(role):
                request._sign(role, True, comment)
        complete = self.filtered(
            lambda r: r.state == "signing" and not r._get_waiting_roles()
        )
        complete._execute()
        return True

    def action_refuse(self, role=None, reason=None):
        """Refuse for ``role`` and send the list back to who made it.

        :param str reason: what is wrong; needed
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why you refuse: fill in “Reason”."))
        self.check_access("read")
        self._lock()
        for request in self.sorted("id"):
            request._sign(role, False, reason)
            # Who signs need not be allowed to write the list.
            request.sudo()._move_to(
                "refused",
                {"refusal_reason": reason, "decided_at": fields.Datetime.now()},
            )
        self._end_todo()
        for revision, requests in self.grouped("revision").items():
            requests._emit_event("scrap_refused", key=f"r{revision}")
        return True

    def _ensure_unchanged(self, seen):
        """Raise when a list is not what its signer has before his eyes.

        :param dict seen: {str(id): change_count} when he opened it
        """
        self._lock()
        for request in self:
            if seen.get(str(request.id)) != request.change_count:
                raise UserError(
                    self.env._(
                        "%(name)s was changed after you opened it. Look at it again, "
                        "then sign.",
                        name=request.name,
                    )
                )

    def _is_signed_by_me(self, role):
        """Tell whether this very click has been done already."""
        mine = self._get_signatures().filtered(
            lambda s: s.user_id == self.env.user and s.agree
        )
        return mine and (not role or mine.role == role)

    def _sign(self, role, agree, comment):
        """Keep the current user's yes or no to this request."""
        self.ensure_one()
        self._ensure_can_sign(role)
        role = role or self._get_my_roles()[0]
        # Signatures are made by no user but through this.
        request = self.sudo()
        signature = request.signature_ids._create_protected(
            [
                {
                    "request_id": self.id,
                    "revision": self.revision,
                    "role": role,
                    "user_id": self.env.uid,
                    "date": fields.Datetime.now(),
                    "agree": agree,
                    "comment": (comment or "").strip(),
                    "amount_total": self.amount_total,
                }
            ]
        )
        request._write_protected({"sign_count": request.sign_count + 1})
        request._end_todo(self._get_event_users(role))
        request._message_log(
            body=self.env._(
                "%(user)s signs for %(role)s: %(verdict)s %(comment)s",
                user=self.env.user.name,
                role=dict(signature._fields["role"]._description_selection(self.env))[
                    role
                ],
                verdict=self.env._("agreed.") if agree else self.env._("refused."),
                comment=signature.comment or "",
            ),
            author_id=self.env.user.partner_id.id,
        )

    def _ensure_can_sign(self, role):
        """Raise unless the current user may sign this request for ``role`` now."""
        user = self.env.user
        if role and role not in ROLE_GROUPS:
            raise UserError(
                self.env._(
                    "“%(role)s” signs no scrap request: quality, sales or gm does.",
                    role=role,
                )
            )
        values = {"name": self.name, "role": self._get_role_label(role)}
        if self.state != "signing":
            raise UserError(
                self.env._("%(name)s is not waiting for signatures.", **values)
            )
        if user in self.requester_ids:
            raise UserError(
                self.env._(
                    "You wrote the list of %(name)s: somebody else must sign it.",
                    **values,
                )
            )
        if user in self._get_signatures().user_id:
            raise UserError(
                self.env._(
                    "You have signed %(name)s for one side: another person must sign "
                    "for the other.",
                    **values,
                )
            )
        roles = self._get_my_roles()
        if role in roles or (not role and roles):
            return
        if role and role not in self._get_waiting_roles():
            raise UserError(
                self.env._("%(name)s does not wait for %(role)s.", **values)
            )
        raise AccessError(
            self.env._(
                "Only Quality, Sales and, above the company's amount, the general "
                "manager of the site sign %(name)s, each for his own side.",
                **values,
            )
        )

    # === EXECUTION === #

    def _check_lines(self):
        """Raise unless all that is asked for lies free, other requests considered.

        :raise UserError: names product, lot and place
        """
        lines = self.line_ids
        wanted = {}
        # Requests of others ask for the same parts, readable or not.
        open_lines = lines.sudo().search(
            Domain("request_id.state", "=", "signing")
            & Domain("product_id", "in", lines.product_id.ids)
            & Domain("request_id", "not in", self.ids)
        )
        asked = {(li.product_id, li.lot_id, li.location_id) for li in lines}
        for line in lines + open_lines.with_env(self.env):
            key = (line.product_id, line.lot_id, line.location_id)
            if key in asked and line.product_id.is_storable:
                wanted[key] = wanted.get(key, 0) + line.product_qty
        free = lines._get_free_quantities()
        for (product, lot, location), quantity in wanted.items():
            there = sum(
                amount
                for path, amount in free.get((product.id, lot.id), ())
                if path.startswith(location.sudo().parent_path)
            )
            if product.uom_id.compare(quantity, there) > 0:
                raise UserError(
                    self.env._(
                        "%(product)s %(lot)s in %(location)s: %(there)g lie there "
                        "free, %(wanted)g are asked for in this and other requests. "
                        "Correct the quantity.",
                        product=product.display_name,
                        lot=lot.name or "",
                        location=location.display_name,
                        there=there,
                        wanted=quantity,
                    )
                )

    def _execute(self):
        """Scrap what was signed, all of it or nothing.

        :raise UserError: names what is not there any more
        """
        if not self:
            return
        # The signatures are the right to scrap, for whoever gives the last one.
        requests = self.sudo()
        lines = requests.line_ids
        moves = self.env["stock.move"].with_env(requests._with_gate().env)
        moves._move_exactly(
            [
                line._get_move_values(line.company_id._get_approved_scrap_location())
                for line in lines
            ]
        )
        requests._move_to("done", {"decided_at": fields.Datetime.now()})
        requests._end_todo()
        requests._emit_event("scrap_done")

    # === MAIL AND TO-DO === #

    def _ask_to_sign(self):
        """Mail those who must sign, once for each list, and put it on their lists."""
        for revision, requests in self.grouped("revision").items():
            requests._emit_event("scrap_requested", key=f"r{revision}")
        for request in self:
            for role in request._get_waiting_roles():
                users = request._get_event_users(role)
                if not users - request.requester_ids:
                    raise UserError(
                        self.env._(
                            "%(name)s: nobody can sign for %(role)s at %(site)s who "
                            "did not write the list. Have the manager name somebody on "
                            "the site.",
                            name=request.name,
                            role=self._get_role_label(role),
                            site=request.site_id.name,
                        )
                    )
                request._schedule_signature(users - request.requester_ids)

    def _schedule_signature(self, users):
        """Put this request on the to-do list of ``users``, once."""
        # Activities are others' to-dos, given on the requester's behalf.
        request = self.sudo()
        kind = self.env.ref(ACTIVITY)
        asked = request.activity_ids.filtered(
            lambda a: a.activity_type_id == kind
        ).user_id
        for user in users - asked:
            request.with_context(
                lang=user.lang, mail_activity_quick_update=True
            ).activity_schedule(
                ACTIVITY,
                summary=self.with_context(lang=user.lang).env._("Sign or refuse"),
                user_id=user.id,
            )

    def _end_todo(self, users=None):
        """Take these requests off the to-do lists of ``users``, or of everybody."""
        # Activities of others end with the signature, too.
        activities = self.sudo().activity_ids.filtered(
            lambda a: (
                a.activity_type_id == self.env.ref(ACTIVITY)
                and (users is None or a.user_id in users)
            )
        )
        activities.unlink()

    def _get_event_users(self, role):
        if role == "resident":
            return self.requested_by_id
        return super()._get_event_users(role)

    def _is_event_true(self, event):
        if event.kind == "scrap_requested":
            return self.state == "signing" and event.key == f"r{self.revision}"
        return super()._is_event_true(event)
