from odoo import fields, models
from odoo.exceptions import UserError

from .quality_claim_entry import DOCUMENT_BALANCES
from .quality_claim_settlement import spread


class QualityClaim(models.Model):
    """What accounting does with a claim's documents, followed by the ledger (L5).

    Only the difference between both is written, whichever door of accounting it came
    through: asked twice, it writes nothing the second time.
    """

    _inherit = "quality.claim"

    def _follow_accounting(self):
        """Make the states and ledgers of these claims what accounting says.

        :raise UserError: two documents would settle one claim
        """
        if self:
            self._lock()
            self._follow_documents()
            self._book_documents()

    # === DOCUMENTS === #

    def _get_live_documents(self):
        """Return the documents that settle this claim: neither cancelled nor reversed.

        :rtype: account.move
        """
        self.ensure_one()
        live = self.env["account.move"]
        families = self.move_ids.grouped(lambda move: move._get_claim_document())
        for document, family in families.items():
            posted = family.filtered(lambda move: move.state == "posted")
            left = sum(sum(move._get_claim_shares().values()) for move in posted)
            is_reversed = len(posted) > 1 and self.currency_id.is_zero(left)
            if document.state != "cancel" and not is_reversed:
                live |= document
        return live

    def _follow_documents(self):
        """Settle claims whose document stands again, open those that lost theirs."""
        for claim in self:
            documents = claim._get_live_documents()
            accepted = any(line._get_accepted() for line in claim.line_ids)
            fits = claim.state == "settled" or (claim.state == "agreed" and accepted)
            if len(documents) > 1 or (documents and not fits):
                raise UserError(
                    self.env._(
                        "%(claim)s has been settled or decided anew meanwhile: what "
                        "was cancelled or reversed stays so.",
                        claim=claim.name,
                    )
                )
            if documents and claim.state == "agreed":
                claim._move_to("settled", {"settled_at": fields.Datetime.now()})
            elif not documents and claim.state == "settled" and accepted:
                claim._move_to("agreed", {"settled_at": False})

    # === LEDGER === #

    def _get_document_targets(self):
        """Return ``{(claim line, balance): amount}`` as accounting has it.

        What is paid of a document is paid of each of its lines alike.
        """
        self.ensure_one()
        targets = {}
        for move in self.move_ids.filtered(lambda move: move.state == "posted"):
            shares = move._get_claim_shares()
            paid = spread(self.currency_id, move._get_settled_ratio(), shares.values())
            for (line, credited), part in zip(shares.items(), paid, strict=True):
                for balance, amount in (("credited", credited), ("paid", part)):
                    key = line, balance
                    targets[key] = targets.get(key, 0) + amount
        return targets

    def _book_documents(self):
        """Append what makes the ledger say what accounting says."""
        entries = self.env["quality.claim.entry"]
        standing = entries.search(
            [
                ("claim_id", "in", self.ids),
                ("balance", "in", DOCUMENT_BALANCES),
                ("kind", "!=", "reversal"),
                ("reversal_ids", "=", False),
            ]
        ).grouped(lambda entry: (entry.claim_id, entry.line_id, entry.balance))
        vals_list = []
        for claim in self.sorted("id"):
            targets = claim._get_document_targets()
            reason, rate = claim._get_documents_reason(), claim._get_company_rate()
            for line in [*claim.line_ids.sorted("id"), claim.line_ids.browse()]:
                for balance in DOCUMENT_BALANCES:
                    back, amount = standing.get(
                        (claim, line, balance), entries
                    )._get_way_to(targets.get((line, balance), 0), claim.currency_id)
                    vals_list += [entry._get_reversal_values(reason) for entry in back]
                    if amount:
                        vals_list.append(
                            claim._prepare_entry_values(
                                line, balance, amount, reason, rate
                            )
                        )
        return entries._append(vals_list)

    def _get_documents_reason(self):
        """Return what entries say besides: the documents that they follow."""
        self.ensure_one()
        return ", ".join(move.name or move.ref or "" for move in self.move_ids)

    # === MAIL === #

    def _get_mail_facts(self):
        facts = super()._get_mail_facts()
        if self.amount_credited:
            facts += [
                (self.env._("Document"), self.document_names),
                (self.env._("Credited"), self.currency_id.format(self.amount_credited)),
            ]
        return facts

    def _is_event_true(self, event):
        if event.kind == "claim_settled":
            # Posted, and not taken back before anybody was told.
            return event.key in {
                str(move.id)
                for move in self._get_live_documents()
                if move.state == "posted"
            }
        return super()._is_event_true(event)


class QualityClaimEntry(models.Model):
    _inherit = "quality.claim.entry"

    def _get_way_to(self, target, currency):
        """Return which of these entries to take back and what to add to reach a sum.

        :param self: standing entries of one balance of one line, newest first
        :param float target: what they are to sum up to
        :rtype: tuple(quality.claim.entry, float)
        """
        missing = currency.round(target - sum(self.mapped("amount")))
        # A payment that is taken back is one of them.
        back = self.filtered(lambda entry: currency.is_zero(entry.amount + missing))[:1]
        if back and missing:
            return back, 0
        back = self.browse()
        for entry in self:
            if missing * target > 0 or currency.is_zero(missing):
                break
            back |= entry
            missing = currency.round(missing + entry.amount)
        return back, missing
