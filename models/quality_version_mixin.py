from odoo import api, fields, models
from odoo.exceptions import UserError


class QualityVersionMixin(models.AbstractModel):
    """A rule that is kept in versions.

    Released, a version is never changed or deleted: what was done by it is to be read
    for good. A change is a new version, which supersedes this one once released. The
    model itself has ``name`` and ``previous_id``, a Many2one to the same model.
    """

    _name = "quality.version.mixin"
    _description = "Document in Versions"
    _inherit = ["mail.thread", "quality.workflow.mixin"]
    _protected_fields = ("version", "previous_id", "valid_from", "released_by_id")

    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("active", "Active"),
            ("superseded", "Superseded"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    version = fields.Integer(readonly=True, default=1, copy=False)
    valid_from = fields.Date(
        readonly=True, copy=False, help="The day on which it was released."
    )
    released_by_id = fields.Many2one(
        comodel_name="res.users", string="Put into Use by", readonly=True, copy=False
    )

    @api.model
    def _get_transitions(self):
        return {"draft": {"active": ()}, "active": {"superseded": ()}}

    @api.depends("name", "version")
    def _compute_display_name(self):
        for record in self:
            record.display_name = f"{record.name} V{record.version}"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_released(self):
        for record in self:
            if record.state != "draft":
                raise UserError(
                    self.env._(
                        "%(name)s was released and stays on record. Make a new version "
                        "instead.",
                        name=record.display_name,
                    )
                )

    def _get_locked_message(self, names):
        return self.env._(
            "%(name)s is released and stays as it is. “New Version” makes a copy that "
            "you can change.",
            name=self.display_name,
        )

    def _check_complete(self):
        """Raise unless these drafts hold what a version in use needs."""

    def action_release(self):
        """Put these versions into use; each supersedes the one before it.

        :raise UserError: a draft is not complete
        """
        self._check_complete()
        self._ensure_can_move("active")
        # Before: two versions are never in use at once.
        self.previous_id._move_to("superseded")
        self.flush_model(["state"])
        self._move_to(
            "active",
            {
                "valid_from": fields.Date.context_today(self),
                "released_by_id": self.env.uid,
            },
        )
        return True

    def action_new_version(self):
        """Copy this version into a draft of the next one.

        :return: action that opens the draft
        :raise UserError: it is not in use
        """
        self.ensure_one()
        self.check_access("write")
        version = self.search([("previous_id", "=", self.id)])
        if not version and self.state != "active":
            raise UserError(
                self.env._(
                    "%(name)s is not in use: change the draft, or the version that "
                    "superseded it.",
                    name=self.display_name,
                )
            )
        version = version or self._create_protected(
            [self._prepare_new_version_values()]
        )
        return version._get_form_action()

    def _get_form_action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _prepare_new_version_values(self):
        self.ensure_one()
        return {
            **self.copy_data({"name": self.name})[0],
            "version": self.version + 1,
            "previous_id": self.id,
        }
