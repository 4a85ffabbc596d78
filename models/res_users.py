from odoo import api, fields, models
from odoo.exceptions import ValidationError

GROUPS = ("resident", "quality", "sales", "manager", "gm")
DIGEST_HOUR = 8
DOCUMENTS = ("quality.scrap.request", "quality.return")


class ResUsers(models.Model):
    _inherit = "res.users"

    quality_digest_on = fields.Date(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="Day of the last mail about what waits for this user's signature.",
    )

    def _get_waiting_documents(self):
        """Return the recordsets that wait for this user's signature.

        :rtype: list of recordsets, none of them empty
        """
        self.ensure_one()
        waiting = []
        for model in DOCUMENTS:
            documents = (
                self.env[model]
                .with_user(self)
                .with_context(
                    lang=self.lang or "en_US",
                    allowed_company_ids=self.company_ids.ids,
                )
            )
            if documents.has_access("read"):
                waiting.append(documents.search([("can_sign", "=", True)], order="id"))
        return [documents for documents in waiting if documents]

    @api.model
    def _cron_send_digest(self):
        """Mail each morning, once, what waits for whom; silent when nothing does."""
        waited_for = self.concat(
            *(self.env[model]._get_waiting_users() for model in DOCUMENTS)
        )
        due = self.browse(waited_for.ids).filtered(lambda user: user._is_digest_due())
        template = self.env.ref("quality_resident.mail_template_digest")
        for number, user in enumerate(due, start=1):
            if user._get_waiting_documents():
                template.with_context(lang=user.lang).send_mail(user.id)
            user.quality_digest_on = user._get_local_now().date()
            self.env["ir.cron"]._commit_progress(1, remaining=len(due) - number)

    def _get_local_now(self):
        return fields.Datetime.context_timestamp(
            self.with_context(tz=self.tz or "UTC"), fields.Datetime.now()
        )

    def _is_digest_due(self):
        now = self._get_local_now()
        return (
            self.active
            and self.email
            and now.hour >= DIGEST_HOUR
            and self.quality_digest_on != now.date()
        )

    def _check_serves_sites(self, group):
        """Refuse users who have none of our groups: they could open nothing.

        :param str group: the group to give, by what the user is named for
        :raise ValidationError: names the users and the group
        """
        groups = {name: f"quality_resident.group_{name}" for name in GROUPS}
        # Who names a user need not read the groups of others.
        strangers = self.sudo().filtered(
            lambda user: not any(user.has_group(xml_id) for xml_id in groups.values())
        )
        if strangers:
            raise ValidationError(
                self.env._(
                    "%(users)s cannot open any complaint: have the administrator give "
                    "the role “%(group)s” in the user's settings first.",
                    users=", ".join(strangers.mapped("name")),
                    group=self.env.ref(groups[group]).sudo().name,
                )
            )
