from odoo import models
from odoo.exceptions import ValidationError

GROUPS = ("resident", "quality", "sales", "manager", "gm")


class ResUsers(models.Model):
    _inherit = "res.users"

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
