from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# JSON-RPC, XML-RPC and the web client can only send plain values in a context;
# none of them can send this object, so no client opens the gate.
_GATE = object()
_GATE_KEY = "quality_workflow_gate"


class QualityWorkflowMixin(models.AbstractModel):
    """A document whose state moves only through its actions.

    One table, :meth:`_get_transitions`, feeds the buttons (``next_states``) and
    the server. Protected fields are refused in ``create`` and ``write`` for every
    user, the superuser included, unless the model itself opens the gate
    (design.md, "State moves only through its action").
    """

    _name = "quality.workflow.mixin"
    _description = "Document with a Guarded Workflow"

    _state_field = "state"
    # Fields that only actions may set, besides the state.
    _protected_fields = ()
    # Fields that are given with the creation and never change.
    _fixed_fields = ()
    # {field: states in which a user may still write it}
    _editable_states = {}
    # ir.sequence code that numbers new documents.
    _sequence_code = None
    # Actions that the reason dialogue may call with a reason.
    _reason_actions = ()

    # === WORKFLOW === #

    @api.model
    def _get_transitions(self):
        """Return ``{state: {next state: tuple of group xml ids}}``.

        An empty tuple allows everybody who may write the record.
        """
        return {}

    def _get_next_states(self):
        """Return the states that the current user may move this record to.

        :rtype: list of str, in the order of the transition table
        """
        self.ensure_one()
        targets = self._get_transitions().get(self[self._state_field], {})
        return [
            target
            for target, groups in targets.items()
            if not groups or self.env.su or self._has_one_group(groups)
        ]

    @api.model
    def _has_one_group(self, groups):
        return any(self.env.user.has_group(group) for group in groups)

    def _ensure_can_move(self, target):
        """Raise unless the current user may move every record to ``target``.

        :raise UserError: the workflow has no such step from the record's state
        :raise AccessError: the step belongs to other groups
        """
        self.check_access("write")
        labels = dict(self._fields[self._state_field]._description_selection(self.env))
        for record in self:
            state = record[self._state_field]
            groups = self._get_transitions().get(state, {}).get(target)
            if groups is None:
                raise UserError(
                    self.env._(
                        "%(name)s is “%(state)s”: from there it cannot become "
                        "“%(target)s”.",
                        name=record.display_name,
                        state=labels.get(state),
                        target=labels.get(target),
                    )
                )
            if groups and not self.env.su and not self._has_one_group(groups):
                raise AccessError(
                    self.env._(
                        "Only %(groups)s may move %(name)s to “%(target)s”.",
                        groups=", ".join(
                            # Only administrators read groups; names are no secret.
                            self.env.ref(group).sudo().name
                            for group in groups
                        ),
                        name=record.display_name,
                        target=labels.get(target),
                    )
                )

    def _move_to(self, target, values=None):
        """Move every record to ``target`` and write ``values``, in one write."""
        self._ensure_can_move(target)
        return self._write_protected({self._state_field: target, **(values or {})})

    # === CRUD === #

    def _write_protected(self, values):
        """Write ``values``, protected fields included: for this model's actions."""
        return self._with_gate().write(values)

    def _with_gate(self):
        """Return self with the right to write protected fields."""
        return self.with_context(**{_GATE_KEY: _GATE})

    @api.model
    def _create_protected(self, vals_list):
        """Create records whose past is known, protected fields included."""
        return self._with_gate().create(vals_list)

    @api.model
    def _is_gate_open(self):
        return self.env.context.get(_GATE_KEY) is _GATE

    @api.model
    def _get_protected_fields(self):
        # What is computed and stored is told by other records: the ORM would keep
        # whatever a client writes into it.
        computed = (
            name
            for name, field in self._fields.items()
            if field.store and field.compute and field.readonly
        )
        return {self._state_field, *self._protected_fields, *computed}

    @api.model
    def _check_protected(self, vals_list):
        """Refuse values for protected fields, unless an action opened the gate.

        :raise UserError: naming the fields and the way out
        """
        if self._is_gate_open():
            return
        protected = self._get_protected_fields()
        refused = {name for vals in vals_list for name in protected & set(vals)}
        if refused:
            labels = ", ".join(
                sorted(self._fields[n]._description_string(self.env) for n in refused)
            )
            raise UserError(
                self.env._(
                    "%(fields)s of a %(document)s cannot be set directly. "
                    "Use the buttons of the document.",
                    fields=labels,
                    document=self.env["ir.model"]._get(self._name).name,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        model = self
        if not self._is_gate_open():
            model = self._without_protected_defaults()
            model._reset_protected(vals_list)
        if self._sequence_code:
            self._fill_names(vals_list)
        return super(QualityWorkflowMixin, model).create(vals_list)

    @api.model
    def _reset_protected(self, vals_list):
        """Give new records the initial values; refuse any others."""
        initial = self._get_initial_values()
        for vals in vals_list:
            for name in self._get_protected_fields() & set(vals):
                if vals[name] == initial.get(name, False):
                    del vals[name]
        self._check_protected(vals_list)
        for vals in vals_list:
            vals.update(initial)

    @api.model
    def _without_protected_defaults(self):
        """Return self without the client's default_* keys for protected fields."""
        refused = {f"default_{name}" for name in self._get_protected_fields()}
        context = {k: v for k, v in self.env.context.items() if k not in refused}
        # Keys are taken out, which keyword arguments cannot do.
        return self.with_context(context)  # pylint: disable=context-overridden

    @api.model
    def _get_initial_values(self):
        """Return the model's own defaults, whatever ir.default says for a user."""
        return {
            name: self._get_own_default(field)
            for name in self._get_protected_fields()
            if (field := self._fields[name]).store
            and not field.compute
            and self._has_field_access(field, "write")
        }

    def _get_own_default(self, field):
        value = field.default(self) if field.default else False
        return value.id if isinstance(value, models.BaseModel) else value

    def write(self, vals):
        self._check_protected([vals])
        if not self._is_gate_open():
            self._check_locked(set(vals))
        return super().write(vals)

    def _check_locked(self, names):
        """Refuse to change what is fixed for good or in the record's state.

        :raise UserError: naming the fields
        """
        for record in self:
            locked = [
                name
                for name in names
                if name in self._fixed_fields
                or record[self._state_field]
                not in self._editable_states.get(name, (record[self._state_field],))
            ]
            if locked:
                raise UserError(record._get_locked_message(locked))

    def _get_locked_message(self, names):
        """Return why ``names`` cannot be changed, and the way out."""
        self.ensure_one()
        labels = sorted(self._fields[n]._description_string(self.env) for n in names)
        return self.env._(
            "%(name)s: %(fields)s can no longer be changed. Enter a new one instead.",
            name=self.display_name,
            fields=", ".join(labels),
        )

    # === COMPLETENESS === #

    def _is_blank(self, name):
        """Tell whether a field holds nothing, or nothing but blanks."""
        value = self[name]
        return not (value.strip() if isinstance(value, str) else value)

    def _get_blank_labels(self, names):
        """Return the labels of those fields that are blank, in the user's language."""
        return [
            self._fields[name]._description_string(self.env)
            for name in names
            if self._is_blank(name)
        ]

    # === NUMBERING === #

    @api.model
    def _fill_names(self, vals_list):
        """Number the new documents of each company with one query."""
        by_company = {}
        for vals in vals_list:
            vals["name"] = False
            by_company.setdefault(self._get_vals_company(vals).id, []).append(vals)
        for company_id, company_vals in by_company.items():
            names = self._next_names(company_id, len(company_vals))
            for vals, name in zip(company_vals, names, strict=True):
                vals["name"] = name

    @api.model
    def _get_vals_company(self, vals):
        """Return the company that numbers the document made of ``vals``."""
        return self.env["res.company"].browse(
            vals.get("company_id") or self.env.company.id
        )

    @api.model
    def _next_names(self, company_id, count):
        # Numbering needs no right on sequences, as in core's next_by_code.
        sequence_sudo = (
            self.env["ir.sequence"]
            .sudo()
            .search_fetch(
                [
                    ("code", "=", self._sequence_code),
                    ("company_id", "in", [company_id, False]),
                ],
                ["implementation", "use_date_range", "prefix", "suffix", "padding"],
                order="company_id",
                limit=1,
            )
        )
        if not sequence_sudo:
            raise UserError(
                self.env._(
                    "There is no sequence with the code %(code)s. "
                    "Create one in Settings › Technical › Sequences.",
                    code=self._sequence_code,
                )
            )
        if sequence_sudo.implementation == "no_gap" or sequence_sudo.use_date_range:
            return [sequence_sudo.next_by_id() for _number in range(count)]
        # One query for all: a next_by_code per record costs 1.4 times the create.
        rows = self.env.execute_query(
            SQL(
                "SELECT nextval(%s) FROM generate_series(1, %s)",
                f"ir_sequence_{sequence_sudo.id:03d}",
                count,
            )
        )
        return [sequence_sudo.get_next_char(number) for (number,) in rows]
