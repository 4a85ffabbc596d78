from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .quality_return import OPEN_STATES
from .resident_clock_mixin import Clock

REPLACING = ("quality_resident.group_sales", "quality_resident.group_manager")


class QualityReturn(models.Model):
    """Exchange (R2): good parts are on their way before the line waits for them."""

    _inherit = "quality.return"

    _clocks = {
        "replacement": Clock(
            "requested_at", "replacement_due", "replaced_at", "replacement_alert"
        )
    }
    _clock_restarts = {"replacement_due": "replacement_alert"}

    # What the customer's SQE has confirmed
    confirmed_by_id = fields.Many2one(
        comodel_name="resident.contact",
        string="Confirmed by",
        domain="[('site_id', '=', site_id)]",
        check_company=True,
        copy=False,
        ondelete="restrict",
        help="The customer's SQE who has confirmed the defect.",
    )
    confirmed_on = fields.Date(copy=False)
    confirmed_how = fields.Selection(
        selection=[
            ("sheet", "Signed Service Sheet"),
            ("slip", "Signed Slip"),
            ("mail", "E-mail"),
        ],
        copy=False,
    )
    confirmed_sheet_id = fields.Many2one(
        comodel_name="quality.service.sheet",
        string="Service Sheet",
        domain="[('site_id', '=', site_id), ('state', '=', 'signed')]",
        copy=False,
        ondelete="restrict",
    )
    confirmed_file_ids = fields.Many2many(
        comodel_name="ir.attachment",
        relation="quality_return_confirmed_file_rel",
        string="Signed Slip or Mail",
        # Read by who may read the return.
        bypass_search_access=True,
        copy=False,
    )

    # The good parts
    replacement_due = fields.Datetime(
        string="Replacement Until",
        tracking=True,
        copy=False,
        help="When the good parts must be at the customer.",
    )
    provided_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, copy=False, ondelete="restrict"
    )
    replaced_at = fields.Datetime(string="Replaced On", readonly=True, copy=False)
    replacement_alert = fields.Integer(readonly=True, copy=False)
    replacement_hours = fields.Float(
        string="Lead Time (h)",
        compute="_compute_replacement_hours",
        store=True,
        aggregator="avg",
        help="From the request until the good parts were there.",
    )
    replacement_picking_ids = fields.Many2many(
        comodel_name="stock.picking",
        string="Replacements",
        compute="_compute_pickings",
        compute_sudo=True,
    )
    has_replacement = fields.Boolean(
        compute="_compute_has_replacement", compute_sudo=True
    )
    is_replacement_late = fields.Boolean(
        string="Replacement Late",
        compute="_compute_is_replacement_late",
        search="_search_is_replacement_late",
    )

    _same_site_fields = ("confirmed_by_id", "confirmed_sheet_id")

    # === COMPUTE METHODS === #

    @api.depends("requested_at", "replaced_at")
    def _compute_replacement_hours(self):
        for document in self:
            start, stop = document.requested_at, document.replaced_at
            document.replacement_hours = (
                (stop - start).total_seconds() / 3600 if start and stop else False
            )

    @api.depends("line_ids.move_ids.quality_return_step", "line_ids.move_ids.state")
    def _compute_has_replacement(self):
        for document in self:
            document.has_replacement = any(
                m.quality_return_step == "replacement" and m.state != "cancel"
                for m in document.line_ids.move_ids
            )

    @api.depends("replacement_due", "replaced_at", "state")
    def _compute_is_replacement_late(self):
        now = fields.Datetime.now()
        for document in self:
            due = document.replacement_due
            document.is_replacement_late = bool(
                document.kind == "exchange"
                and due
                and document.state not in ("draft", "refused", "cancelled")
                and (document.replaced_at or now) > due
            )

    def _search_is_replacement_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = [
            ("kind", "=", "exchange"),
            ("state", "in", OPEN_STATES[1:]),
            ("replaced_at", "=", False),
            ("replacement_due", "<", fields.Datetime.now()),
        ]
        found = self._search(late)
        return [("id", "in" if True in value else "not in", found)]

    # === CLOCK === #

    def _has_running_clocks(self):
        return self.kind == "exchange" and self.state in OPEN_STATES[1:]

    @api.model
    def _get_clock_state_depends(self):
        return ["state", "kind"]

    # === ACTIONS === #

    def _ensure_confirmed(self):
        """Refuse an exchange that the SQE has not confirmed (R2).

        :raise UserError: names what is missing
        """
        self.ensure_one()
        if self.kind != "exchange":
            return
        missing = [
            self._fields[name]._description_string(self.env)
            for name in (
                "confirmed_by_id",
                "confirmed_on",
                "confirmed_how",
                "replacement_due",
            )
            if not self[name]
        ]
        if self.confirmed_how == "sheet" and self.confirmed_sheet_id.state != "signed":
            missing.append(self.env._("“Service Sheet”, signed by the customer"))
        elif self.confirmed_how in ("slip", "mail") and not self.confirmed_file_ids:
            missing.append(
                self._fields["confirmed_file_ids"]._description_string(self.env)
            )
        if missing:
            raise UserError(
                self.env._(
                    "%(name)s: parts are exchanged once the customer's SQE has "
                    "confirmed the defect. Fill in: %(missing)s",
                    name=self.name,
                    missing=", ".join(missing),
                )
            )
        if self.replacement_due <= fields.Datetime.now():
            raise UserError(
                self.env._(
                    "%(name)s: “Replacement Until” has passed already.", name=self.name
                )
            )

    def _ask_for_replacement(self):
        """Ask Sales for good parts, before anybody has decided on the bad ones."""
        exchanges = self.filtered(lambda r: r.kind == "exchange")
        exchanges._emit_event(
            "replacement_wanted", key=fields.Datetime.to_string(fields.Datetime.now())
        )

    def action_provide_replacement(self):
        """Make the delivery of as many good parts, for the day that was promised.

        It may leave before the bad parts are back.

        :raise AccessError: for everybody but Sales and the manager
        """
        if not self.env.su and not self._has_one_group(REPLACING):
            raise AccessError(
                self.env._("Only Sales and the manager provide the replacement.")
            )
        self.check_access("read")
        for document in self:
            if document.kind != "exchange" or document.state not in OPEN_STATES[1:]:
                raise UserError(
                    self.env._(
                        "%(name)s does not wait for a replacement.", name=document.name
                    )
                )
        todo = self.filtered(lambda r: not r.has_replacement and not r.replaced_at)
        # Sales promise the parts, they need no right on stock nor on the return. Two
        # may press at once: the second waits here and is run again by Odoo.
        todo.sudo()._write_protected({"provided_by_id": self.env.uid})
        todo.flush_recordset()
        plan = {}
        for line in todo.sudo().line_ids.filtered("quantity"):
            site = line.site_id
            target = (
                site._get_customer_location()
                if line.is_sold
                else site.buffer_location_id
            )
            plan.setdefault((line.return_id, target), []).append(line)
        pickings = self._create_pickings(
            [
                document._prepare_replacement_values(target, lines)
                for (document, target), lines in plan.items()
            ]
        )
        # Which of the good lots leave is the warehouse's choice.
        pickings.action_confirm()
        pickings.move_ids._action_assign()
        todo._clear_todo("replacement_wanted")
        return True

    def _prepare_replacement_values(self, target, lines):
        self.ensure_one()
        warehouse = self.site_id._get_warehouse()
        stock = warehouse.lot_stock_id
        types = warehouse.out_type_id
        return {
            "picking_type_id": types.id,
            "partner_id": self.site_id.partner_id.id,
            "origin": self.name,
            "scheduled_date": self.replacement_due,
            "location_id": stock.id,
            "location_dest_id": target.id,
            "company_id": self.company_id.id,
            "move_ids": [
                Command.create(
                    {
                        **line._prepare_move_values(
                            "replacement", stock, target, line._get_pieces()
                        ),
                        "picking_type_id": types.id,
                        "date": self.replacement_due,
                    }
                )
                for line in lines
            ],
        }

    def _follow_replacement(self):
        """Stop the clock of exchanges whose good parts have all left."""
        now = fields.Datetime.now()
        for document in self.filtered(
            lambda r: r.kind == "exchange" and not r.replaced_at
        ):
            moves = document.line_ids.move_ids.filtered(
                lambda m: m.quality_return_step == "replacement"
            )
            open_moves = moves.filtered(lambda m: m.state not in ("done", "cancel"))
            if "done" in moves.mapped("state") and not open_moves:
                document._write_protected({"replaced_at": now})
                document._settle_clock("replacement", now)
