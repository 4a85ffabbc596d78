from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

SETTLEMENTS = [
    ("refund", "Credit Note"),
    ("bill", "Customer's Invoice"),
    ("allowance", "Price Allowance"),
]
# The account.move that each of them becomes.
TYPES = {"refund": "out_refund", "bill": "in_invoice", "allowance": "out_refund"}
JOURNALS = {"out_refund": "sale", "in_invoice": "purchase"}


def spread(currency, factor, amounts):
    """Return ``factor`` × each amount, rounded so that they sum up to the rounded sum.

    :rtype: list of float
    """
    result, total, done = [], 0, 0
    for amount in amounts:
        total += amount
        part = currency.round(currency.round(total * factor) - done)
        done += part
        result.append(part)
    return result


def ensure_unlinked(model, name, vals_list):
    """Refuse to tie a document to a claim, except by settling and reversing it.

    :raise UserError: for everybody, the superuser included
    """
    if any(name in vals for vals in vals_list):
        if not model.env["quality.workflow.mixin"]._is_gate_open():
            raise UserError(
                model.env._(
                    "“%(field)s” is set by settling the claim, by nobody else.",
                    field=model._fields[name]._description_string(model.env),
                )
            )


class QualityClaim(models.Model):
    """Agreed claims become documents in accounting, each of them once (spec.md L5)."""

    _inherit = "quality.claim"

    settlement = fields.Selection(
        SETTLEMENTS,
        string="Settle by",
        compute="_compute_settlement",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        help="What “Settle” makes in accounting: a credit note with a line for each "
        "part, a vendor bill where the customer invoices us, or a credit note with a "
        "sum for each part number.",
    )
    move_ids = fields.One2many(
        "account.move", "claim_id", string="Documents in Accounting", readonly=True
    )
    move_count = fields.Integer(
        string="Documents", compute="_compute_move_count", compute_sudo=True
    )
    document_names = fields.Char(
        string="Document", compute="_compute_move_count", compute_sudo=True
    )
    settlement_state = fields.Selection(
        selection=[
            ("none", "No Document"),
            ("draft", "Draft"),
            ("posted", "Posted"),
            ("partial", "Partly Paid"),
            ("paid", "Paid"),
        ],
        string="In Accounting",
        compute="_compute_settlement_state",
        store=True,
    )
    is_credited_otherwise = fields.Boolean(
        compute="_compute_is_credited_otherwise",
        help="Accounting has posted more or less than was agreed.",
    )

    # === COMPUTE METHODS === #

    @api.depends("site_id")
    def _compute_settlement(self):
        for claim in self:
            claim.settlement = claim.site_id.claim_settlement or "refund"

    @api.depends("move_ids.name", "move_ids.state")
    def _compute_move_count(self):
        for claim in self:
            claim.move_count = len(claim.move_ids)
            claim.document_names = ", ".join(
                move.display_name for move in claim._get_live_documents()
            )

    @api.depends("state", "move_ids.state", "amount_credited", "amount_paid")
    def _compute_settlement_state(self):
        for claim in self:
            claim.settlement_state = claim._get_settlement_state()

    def _get_settlement_state(self):
        self.ensure_one()
        documents = self._get_live_documents()
        if self.state != "settled" or not documents:
            return "none"
        if documents[0].state == "draft":
            return "draft"
        if self.currency_id.is_zero(self.amount_paid):
            return "posted"
        open_amount = self.amount_credited - self.amount_paid
        return "paid" if self.currency_id.is_zero(open_amount) else "partial"

    @api.depends("settlement_state", "amount_accepted", "amount_credited")
    def _compute_is_credited_otherwise(self):
        for claim in self:
            claim.is_credited_otherwise = claim.settlement_state in (
                "posted",
                "partial",
                "paid",
            ) and claim.currency_id.compare_amounts(
                claim.amount_credited, claim.amount_accepted
            )

    @api.model
    def _get_protected_fields(self):
        return super()._get_protected_fields() | {"move_ids"}

    # === ACTIONS === #

    def action_settle(self):
        """Have accounting pay what was agreed: one draft document for each claim.

        Where nothing was accepted there is none.

        :raise UserError: the company has no journal for it, or no account for price
            allowances
        :raise AccessError: not for Sales or the customer service manager
        """
        self._ensure_can_move("settled")
        self._lock()
        self._move_to("settled", {"settled_at": fields.Datetime.now()})
        self._book(("claimed", "accepted", "refused"))
        self.filtered("amount_accepted")._make_documents()
        return True

    def action_view_documents(self):
        """Open what accounting has of this claim."""
        self.ensure_one()
        self.check_access("read")
        moves = self.move_ids
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Documents of %(name)s", name=self.name),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", moves.ids)],
            "context": {"create": False},
        }
        if len(moves) == 1:
            action |= {"view_mode": "form", "res_id": moves.id}
        return action

    def _drop_drafts(self):
        """Take settled claims back to where they are agreed; their drafts go.

        :raise UserError: a document has been posted
        """
        self._ensure_can_move("agreed")
        # Who settles has made the draft and may take it back, without any right in
        # accounting.
        documents = self.env["account.move"].sudo()
        for claim in self.sudo():
            for document in claim._get_live_documents():
                if document.state != "draft" or document.posted_before:
                    raise UserError(
                        self.env._(
                            "%(claim)s is settled by %(document)s. Have Accounting "
                            "cancel or reverse it: then the claim is open again.",
                            claim=claim.name,
                            document=document.display_name,
                        )
                    )
                documents |= document
        documents.unlink()
        # Where nothing was accepted there was no draft to follow.
        self.filtered(lambda claim: claim.state == "settled")._move_to(
            "agreed", {"settled_at": False}
        )

    # === DOCUMENTS === #

    def _make_documents(self):
        """Make the draft documents of these claims."""
        self._ensure_can_be_booked()
        for company, claims in self.grouped("company_id").items():
            # Who settles needs no right in accounting: he can make nothing but this
            # draft, in the company of the claim.
            documents_sudo = (
                claims._with_gate().env["account.move"].sudo().with_company(company)
            )
            claims._fit_prices(
                documents_sudo.create(
                    [claim._prepare_document_values() for claim in claims]
                )
            )

    def _ensure_can_be_booked(self):
        """Raise unless the companies of these claims have what the documents need."""
        # Only whether it is there: who settles need not see how accounting is set up.
        journals = self.env["account.journal"].sudo()
        for company, move_type in {(c.company_id, TYPES[c.settlement]) for c in self}:
            if not journals.search_count(
                [
                    *journals._check_company_domain(company),
                    ("type", "=", JOURNALS[move_type]),
                ],
                limit=1,
            ):
                raise UserError(
                    self.env._(
                        "%(company)s keeps no accounts yet: there is no journal for "
                        "%(documents)s. Choose its chart of accounts in the settings "
                        "of Invoicing.",
                        company=company.name,
                        documents=dict(
                            self.env["account.move"]
                            ._fields["move_type"]
                            ._description_selection(self.env)
                        )[move_type],
                    )
                )
        for claim in self.filtered(lambda c: c.settlement == "allowance"):
            if not claim.sudo().company_id.claim_allowance_account_id:
                raise UserError(
                    self.env._(
                        "%(claim)s is to be settled by a price allowance: choose the "
                        "“Account for Price Allowances” of %(company)s in Settings › "
                        "Resident Engineers, or another “Settle by”.",
                        claim=claim.name,
                        company=claim.company_id.name,
                    )
                )

    def _prepare_document_values(self):
        """Return the values of the document that settles this claim.

        Taxes and accounts are those of the product and the customer, as on each
        invoice; its date is left to accounting.
        """
        self.ensure_one()
        return {
            "move_type": TYPES[self.settlement],
            "claim_id": self.id,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "ref": self.notice_ref or self.name,
            "invoice_origin": self.name,
            "invoice_line_ids": [
                Command.create(values) for values in self._prepare_document_lines()
            ],
        }

    def _prepare_document_lines(self):
        # Accounting talks to the customer in his language.
        claim = self.with_context(lang=self.partner_id.lang or self.env.lang)
        lines = claim.line_ids.filtered(lambda line: line._get_accepted())
        if self.settlement == "allowance":
            # sudo: whoever settles need not see the accounts.
            account_sudo = claim.sudo().company_id.claim_allowance_account_id
            return [
                {
                    **parts._prepare_document_line_values(),
                    "name": claim.env._(
                        "Price allowance for %(part)s", part=product.display_name
                    ),
                    "account_id": account_sudo.id,
                }
                for product, parts in lines.grouped("product_id").items()
            ]
        return [
            {
                **line._prepare_document_line_values(line.quantity),
                "name": line._get_document_name(),
            }
            for line in lines
        ]

    def _fit_prices(self, documents_sudo):
        """Make up for taxes that are part of the price: claims are without."""
        for line in documents_sudo.invoice_line_ids:
            amount = line.quantity * line.price_unit
            if line.currency_id.compare_amounts(line.price_subtotal, amount):
                line.price_unit = (
                    line.tax_ids.compute_all(
                        amount,
                        currency=line.currency_id,
                        product=line.product_id,
                        partner=line.partner_id,
                        is_refund=line.is_refund,
                        handle_price_include=False,
                    )["total_included"]
                    / line.quantity
                )


class QualityClaimLine(models.Model):
    _inherit = "quality.claim.line"

    def _get_accepted(self):
        """Return what of this line is our share, in the claim's currency."""
        self.ensure_one()
        return self.currency_id.round(self.amount * self.our_share / 100)

    def _prepare_document_line_values(self, quantity=1):
        """Return the values of one line of a document for these parts of one kind."""
        amount = sum(line._get_accepted() for line in self)
        return {
            "product_id": self.product_id.id,
            "product_uom_id": self.product_id.uom_id.id,
            "quantity": quantity,
            "price_unit": amount / quantity,
            "claim_line_ids": [Command.set(self.ids)],
        }

    def _get_document_name(self):
        """Return what the customer reads: the part, which one, and our share of it."""
        self.ensure_one()
        names = [self.product_id.display_name, self.lot_id.name, self.vin]
        if self.responsibility == "shared":
            names.append(self.env._("our share: %(share)g %%", share=self.our_share))
        return ", ".join(name for name in names if name)
