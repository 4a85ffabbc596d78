from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .quality_return_line import JUDGEMENTS


class QualityReturnJudgement(models.Model):
    """Quality's verdict about some pieces of a returned lot (spec.md R1, R4).

    A verdict moves its parts, or prepares the transfer or the scrap request that will;
    it is never changed: a wrong one is taken back and judged anew.
    """

    _name = "quality.return.judgement"
    _description = "Verdict on Returned Parts"
    _inherit = ["quality.workflow.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _state_field = "undone"
    _protected_fields = (
        "return_id",
        "site_id",
        "company_id",
        "product_id",
        "lot_id",
        "defect_id",
        "user_id",
        "date",
        "scrap_line_id",
    )
    _fixed_fields = ("line_id", "quantity", "judgement")

    line_id = fields.Many2one(
        comodel_name="quality.return.line",
        string="Parts",
        required=True,
        index=True,
        ondelete="restrict",
    )
    return_id = fields.Many2one(
        related="line_id.return_id", store=True, index=True, precompute=True
    )
    site_id = fields.Many2one(
        related="line_id.site_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(
        related="line_id.company_id", store=True, index=True, precompute=True
    )
    product_id = fields.Many2one(
        related="line_id.product_id", store=True, index=True, precompute=True
    )
    lot_id = fields.Many2one(related="line_id.lot_id", store=True, precompute=True)
    defect_id = fields.Many2one(
        related="line_id.defect_id", store=True, precompute=True
    )
    uom_id = fields.Many2one(related="line_id.uom_id")
    quantity = fields.Float(required=True, digits="Product Unit")
    judgement = fields.Selection(JUDGEMENTS, string="Verdict", required=True)
    note = fields.Char()
    analysis = fields.Text(help="What was found on the parts; the complaint shows it.")
    photo_ids = fields.Many2many(
        comodel_name="ir.attachment",
        string="Photos",
        # Photos follow the verdict: who may read it may see them.
        bypass_search_access=True,
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Judged by",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    date = fields.Datetime(
        string="Judged On", required=True, readonly=True, default=fields.Datetime.now
    )
    undone = fields.Boolean(string="Taken Back", readonly=True)
    scrap_line_id = fields.Many2one(
        comodel_name="quality.scrap.line",
        string="Scrap Request",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    move_ids = fields.One2many(
        "stock.move", "quality_judgement_id", groups="stock.group_stock_user"
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "A verdict is about more than 0 pieces."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        verdicts = super().create(vals_list)
        verdicts.return_id._ensure_judge()
        verdicts.line_id._check_judged()
        # Two may judge the same pieces at once: the second waits here, Odoo runs it
        # again, and it finds none left.
        verdicts.line_id.flush_recordset()
        verdicts._adopt_photos()
        verdicts._carry_out()
        return verdicts

    def write(self, vals):
        result = super().write(vals)
        if "photo_ids" in vals:
            self._adopt_photos()
        return result

    def _adopt_photos(self):
        """Tie photos uploaded before the first save to their verdict."""
        for verdict in self.filtered("photo_ids"):
            verdict.photo_ids._tie_to(verdict)

    def _get_locked_message(self, names):
        return self.env._("A verdict is not changed: take it back and judge again.")

    def _describe(self):
        """Return verdict and finding as one line of text, in the context's language."""
        self.ensure_one()
        labels = dict(self._fields["judgement"]._description_selection(self.env))
        verdict = f"{self.quantity:g} {self.uom_id.name} {labels[self.judgement]}"
        return " · ".join(filter(None, (verdict, self.note, self.analysis)))

    # === STOCK === #

    def _carry_out(self):
        """Do what the verdicts say: at once, as a transfer, or as a scrap request."""
        # Judging is Quality's right, stock is not; moved are the judged pieces only.
        by_judgement = self.sudo().grouped("judgement")
        nothing = self.browse()
        by_judgement.pop("stock", nothing)._release()
        by_judgement.pop("scrap", nothing)._request_scrap()
        nothing.union(*by_judgement.values())._create_transfers()

    def _get_way(self):
        """Return operation type, target and partner of what this verdict moves."""
        self.ensure_one()
        site = self.site_id
        warehouse = site._get_warehouse()
        if self.judgement == "supplier":
            # Without a seller the company's usual place of suppliers.
            seller = self.product_id.seller_ids[:1].partner_id
            partner = (seller or self.company_id.partner_id).with_company(
                self.company_id
            )
            return warehouse.out_type_id, partner.property_stock_supplier, seller
        if self.judgement == "customer":
            # Back to who is at fault: his own parts, or our stock at his plant.
            sold = self.line_id.is_sold
            target = site._get_customer_location() if sold else site.buffer_location_id
            return warehouse.out_type_id, target, site.partner_id
        partner = self.env["res.partner"]
        return site._get_internal_type(), warehouse.lot_stock_id, partner

    def _prepare_move_values(self, target):
        self.ensure_one()
        line = self.line_id
        home = line.site_id.return_location_id
        return {
            **line._prepare_move_values(
                "verdict", home, target, line._get_pieces(self.quantity)
            ),
            "quality_judgement_id": self.id,
        }

    def _release(self):
        """Good after all: free stock at once."""
        moves = self.env["stock.move"].with_env(self._with_gate().env)
        moves._move_exactly(
            [
                {
                    **verdict._prepare_move_values(verdict._get_way()[1]),
                    "lot_id": verdict.lot_id.id,
                }
                for verdict in self
            ]
        )

    def _request_scrap(self):
        """Ask for the signatures that scrap needs (S1); the parts stay held.

        One draft for each return: photos and value are still to be looked at. Nobody
        has requested yet; whoever submits it does, so that the judge may sign.
        """
        requests = self.env["quality.scrap.request"].with_user(SUPERUSER_ID)
        for document, verdicts in self.grouped("return_id").items():
            request = requests.create(
                {
                    "site_id": document.site_id.id,
                    "complaint_id": document.complaint_id.id,
                    "reason": "\n".join(
                        filter(None, (document.reason, *verdicts.mapped("analysis")))
                    ),
                    "line_ids": [
                        Command.create(
                            {
                                "product_id": verdict.product_id.id,
                                "lot_id": verdict.lot_id.id,
                                "quantity": verdict.quantity,
                                "uom_id": verdict.uom_id.id,
                                "location_id": document.site_id.return_location_id.id,
                                "defect_id": verdict.defect_id.id,
                                "note": verdict.note,
                            }
                        )
                        for verdict in verdicts
                    ],
                }
            )
            for verdict, line in zip(verdicts, request.line_ids, strict=True):
                verdict._write_protected({"scrap_line_id": line.id})

    def _create_transfers(self):
        """Prepare one transfer for each return and way, with the lots reserved.

        Parts to rework stay held meanwhile; the transfer takes the reworked ones.
        """
        groups = {}
        for verdict in self:
            key = (verdict.return_id, *verdict._get_way())
            groups.setdefault(key, []).append(verdict)
        pickings = self.env["quality.return"]._create_pickings(
            [
                {
                    "picking_type_id": types.id,
                    "partner_id": partner.id,
                    "origin": document.name,
                    "location_id": document.site_id.return_location_id.id,
                    "location_dest_id": target.id,
                    "company_id": document.company_id.id,
                    "move_ids": [
                        Command.create(
                            {
                                **verdict._prepare_move_values(target),
                                "picking_type_id": types.id,
                            }
                        )
                        for verdict in verdicts
                    ],
                }
                for (document, types, target, partner), verdicts in groups.items()
            ]
        )
        pickings.move_ids._reserve_lots()

    def _is_carried_out_by(self, move):
        """Tell whether ``move`` does what this verdict says, and no more."""
        if not self or self.undone:
            return False
        _type, target, _partner = self._get_way()
        home = self.site_id.return_location_id
        # What was asked for may be changed on a done move, what it moved may not.
        moves = move | self.move_ids.filtered(lambda m: m.state == "done")
        done = sum(
            m.product_uom._compute_quantity(
                m.quantity, m.product_id.uom_id, round=False
            )
            for m in moves
        )
        return (
            self.judgement not in ("stock", "scrap")
            and move._goes_to(target)
            and move.product_id == self.product_id
            and all(
                ml.product_id == self.product_id
                and ml.lot_id == self.lot_id
                and ml.location_id.parent_path.startswith(home.parent_path)
                for ml in move.move_line_ids
            )
            and move.product_id.uom_id.compare(
                done, self.line_id._get_pieces(self.quantity)
            )
            <= 0
        )

    def action_undo(self):
        """Take back verdicts that nothing has followed yet, to judge again.

        :raise UserError: the parts have left
        """
        self.return_id._ensure_judge()
        todo = self.filtered(lambda v: not v.undone)
        # A verdict's own consequences need no further right.
        for verdict in todo.sudo():
            if verdict.return_id.state == "closed":
                raise UserError(
                    self.env._("%(name)s is closed.", name=verdict.return_id.name)
                )
            verdict._take_back()
        # Verdicts are written by nobody but through this.
        todo.sudo()._write_protected({"undone": True})
        judged = todo.return_id.filtered(lambda r: r.state == "judged")
        judged._move_to("received")
        return True

    def _take_back(self):
        """Cancel what this verdict has prepared, or move its parts back."""
        self.ensure_one()
        done = self.move_ids.filtered(lambda m: m.state == "done")
        if done and self.judgement != "stock":
            raise UserError(
                self.env._(
                    "%(line)s: the parts have left by %(transfer)s. Make a new "
                    "return if they come back.",
                    line=self.line_id.display_name,
                    transfer=done[0].reference or "",
                )
            )
        (self.move_ids - done)._action_cancel()
        self._withdraw_scrap()
        moves = self.env["stock.move"].with_env(self._with_gate().env)
        moves._move_exactly(
            [
                {
                    "product_id": move.product_id.id,
                    "product_uom": move.product_uom.id,
                    "product_uom_qty": move.quantity,
                    "location_id": move.location_dest_id.id,
                    "location_dest_id": move.location_id.id,
                    "company_id": move.company_id.id,
                    "origin": self.return_id.name,
                    "lot_id": self.lot_id.id,
                }
                for move in done
            ]
        )

    def _withdraw_scrap(self):
        """Take these parts out of their scrap request, while nobody signs it.

        :raise UserError: it is being signed, or the parts are scrapped
        """
        request = self.scrap_line_id.request_id
        if request.state in ("signing", "done"):
            raise UserError(
                self.env._(
                    "%(line)s: %(request)s asks to scrap it. Withdraw that first.",
                    line=self.line_id.display_name,
                    request=request.name,
                )
            )
        if request.state == "draft":
            self.scrap_line_id.unlink()
            if not request.line_ids:
                request.unlink()
