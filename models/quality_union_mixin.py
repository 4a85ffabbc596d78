from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# An id is (id of the select) × MAX_KINDS + number of the kind.
MAX_KINDS = 32


class QualityUnionMixin(models.AbstractModel):
    """Rows read from several tables: a union of one select for each ``kind``.

    Another kind is an option of ``kind``, its select in :meth:`_get_selects` and its
    tables in ``_depends``.
    """

    _name = "quality.union.mixin"
    _description = "Rows of Several Tables"

    # {column: type}. All selects of a union must give the very same types: else
    # PostgreSQL does not push conditions down into them and reads whole tables.
    _union_columns = {}

    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document ID",
        model_field="res_model",
        readonly=True,
        aggregator=None,
    )

    @property
    def _table_query(self):
        selects = self._get_selects()
        return SQL(" UNION ALL ").join(
            self._get_select(number, kind, *selects[kind])
            for number, (kind, _label) in enumerate(self._fields["kind"].selection)
        )

    @api.model
    def _get_select(self, number, kind, columns, source):
        return SQL(
            "SELECT (%s)::int8 * %s + %s AS id, %s::varchar AS kind, %s %s",
            SQL(columns["id"]),
            MAX_KINDS,
            number,
            kind,
            SQL(", ").join(
                SQL(
                    "(%s)::%s AS %s",
                    SQL(columns.get(name, "NULL")),
                    SQL(sql_type),
                    SQL.identifier(name),
                )
                for name, sql_type in self._union_columns.items()
            ),
            source,
        )

    @api.model
    def _get_selects(self):
        """Return ``{kind: ({column: expression}, source)}``.

        Columns are those of ``_union_columns`` and a unique ``id``; what is left out
        is empty. Expressions are constants of the code. The source, from FROM on, must
        let the usual conditions through: no window functions.
        """
        return {}

    def action_open(self):
        """Open the document of this row, if the user may read it.

        :raise AccessError: says which document it is
        """
        self.ensure_one()
        if not self.res_model:
            raise UserError(
                self.env._("“%(name)s” has no document.", name=self.display_name)
            )
        document = self.env[self.res_model].browse(self.res_id)
        if not document.has_access("read"):
            raise AccessError(
                self.env._(
                    "%(document)s %(name)s lies outside your sites or your apps. Ask "
                    "the customer service manager.",
                    document=self.env["ir.model"]._get(self.res_model).name,
                    name=self.display_name,
                )
            )
        if document._name == "qc.inspection" and document.complaint_id:
            return document.action_open_sorting()
        return document.get_formview_action()
