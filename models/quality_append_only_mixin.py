from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class QualityAppendOnlyMixin(models.AbstractModel):
    """Rows that are added by the module's own code and stay as they are for good.

    Neither a user nor the superuser changes or deletes one through Odoo, and the
    database itself refuses UPDATE, DELETE and TRUNCATE. Set ``_log_access = False``
    as well: core would empty create_uid when its user is deleted, which is an update.
    """

    _name = "quality.append.only.mixin"
    _description = "Rows That Are Only Added"
    _inherit = ["quality.workflow.mixin"]

    # === DATABASE === #

    def _auto_init(self):
        # An update of the module may fill new columns; init() closes the table again.
        self._drop_guards()
        return super()._auto_init()

    def _drop_guards(self):
        self.env.cr.execute(SQL("SELECT to_regclass(%s)", self._table))
        if self.env.cr.fetchone()[0]:
            for suffix in ("keep_row", "keep_all"):
                self.env.cr.execute(
                    SQL(
                        "DROP TRIGGER IF EXISTS %s ON %s",
                        SQL.identifier(f"{self._table}_{suffix}"),
                        SQL.identifier(self._table),
                    )
                )

    def init(self):
        """Have the database refuse what nobody may do, whoever asks for it."""
        if self._abstract:
            return
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION quality_append_only() RETURNS trigger AS $$
                BEGIN
                    RAISE restrict_violation USING MESSAGE =
                        TG_TABLE_NAME || ' is append-only: ' || TG_OP || ' refused';
                END $$ LANGUAGE plpgsql;
                CREATE OR REPLACE TRIGGER %(row)s
                    BEFORE UPDATE OR DELETE ON %(table)s
                    FOR EACH ROW EXECUTE FUNCTION quality_append_only();
                CREATE OR REPLACE TRIGGER %(all)s
                    BEFORE TRUNCATE ON %(table)s
                    FOR EACH STATEMENT EXECUTE FUNCTION quality_append_only();
                """,
                row=SQL.identifier(f"{self._table}_keep_row"),
                all=SQL.identifier(f"{self._table}_keep_all"),
                table=SQL.identifier(self._table),
            )
        )

    # === CRUD METHODS === #

    @api.model
    def _get_protected_fields(self):
        return set(self._fields)

    @api.model
    def _check_protected(self, vals_list):
        """Refuse whatever does not come from the module's own code, and every change.

        :raise AccessError: always
        """
        raise AccessError(self._get_append_only_message())

    @api.model
    def _get_append_only_message(self):
        """Return who writes these rows instead, and the way out."""
        return self.env._(
            "%(document)s: written by the system alone, never changed or deleted.",
            document=self.env["ir.model"]._get(self._name).name,
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        if self:
            self._check_protected([])
