from odoo import api, fields, models
from odoo.exceptions import UserError


class StockMove(models.Model):
    _inherit = "stock.move"

    scrap_line_id = fields.Many2one(
        comodel_name="quality.scrap.line",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    # Set by the documents' own actions only.
    _document_links = (
        "scrap_line_id",
        "quality_return_line_id",
        "quality_return_step",
        "quality_judgement_id",
    )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_document_links({name for vals in vals_list for name in vals})
        # Nor by a client's default_* key or a default of the user's own.
        nothing = dict.fromkeys(self._document_links, False)
        return super().create([{**nothing, **vals} for vals in vals_list])

    def write(self, vals):
        self._check_document_links(vals.keys())
        if vals.get("state", "done") != "done":
            # Made undone it would count as never moved, and move once more.
            done = self.filtered(lambda move: move.state == "done")
            done.move_line_ids._check_history()
        return super().write(vals)

    @api.model
    def _check_document_links(self, names):
        if self.env["quality.workflow.mixin"]._is_gate_open():
            return
        for name in self._document_links:
            if name in names:
                self._refuse_document_field(name)

    @api.model
    def _refuse_document_field(self, name):
        raise UserError(
            self.env._(
                "%(field)s is set by the document itself, by nobody else.",
                field=self._fields[name]._description_string(self.env),
            )
        )

    @api.model
    def _prepare_merge_moves_distinct_fields(self):
        return [*super()._prepare_merge_moves_distinct_fields(), *self._document_links]

    def _is_release_allowed(self):
        """Tell whether this move may take its parts out of where they are held.

        A hook for documents that have judged them.
        """
        self.ensure_one()
        return False

    @api.model
    def _move_exactly(self, vals_list):
        """Do moves of exactly the lots and quantities given, in one batch.

        Core reserves what lies at the source, packages, owners and shelves included.

        :param vals_list: values of moves, each with ``lot_id`` (or False) besides
        :return: the done moves, in the order given
        :raise UserError: names all that is not free at its source; nothing is moved
        """
        lots = [vals.pop("lot_id", False) for vals in vals_list]
        moves = self.create([{**vals, "picked": True} for vals in vals_list])
        moves._action_confirm(merge=False)
        missing = []
        for move, lot_id in zip(moves, lots, strict=True):
            lot = self.env["stock.lot"].browse(lot_id)
            wanted = move.product_qty
            taken = move._reserve_exactly(lot)
            if move.product_id.uom_id.compare(taken, wanted) < 0:
                missing.append((move, lot, taken))
        if missing:
            raise UserError(
                self.env._(
                    "Not everything lies there free, nothing was moved:\n%(lines)s",
                    lines="\n".join(
                        self.env._(
                            "%(product)s %(lot)s in %(location)s: %(wanted)g wanted, "
                            "%(there)g free",
                            product=move.product_id.display_name,
                            lot=lot.name or "",
                            location=move.location_id.display_name,
                            wanted=move.product_qty,
                            there=taken,
                        )
                        for move, lot, taken in missing
                    ),
                )
            )
        moves.move_line_ids.picked = True
        moves._action_done()
        return moves

    def _reserve_exactly(self, lot):
        """Reserve this move's quantity of ``lot``; return what could be had of it."""
        self.ensure_one()
        if self.product_id.is_storable:
            return self._update_reserved_quantity(
                self.product_qty, self.location_id, lot_id=lot, strict=False
            )
        self.move_line_ids.create(
            {
                **self._prepare_move_line_vals(quantity=self.product_qty),
                "lot_id": lot.id,
            }
        )
        return self.product_qty
