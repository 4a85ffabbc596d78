from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from .quality_claim import HOME

# How many lines a message names.
NAMED = 10


class QualityClaim(models.Model):
    """What is done with a claim, and what that writes into the ledger (L2, L4)."""

    _inherit = "quality.claim"

    # === GATES === #

    def _ensure_received(self):
        """Raise unless lines may still be added and removed."""
        self.check_access("write")
        for claim in self:
            if claim.state != "received":
                raise UserError(
                    self.env._(
                        "%(name)s is in the ledger: its lines stay. Enter further "
                        "parts as a claim of their own.",
                        name=claim.name,
                    )
                )

    def _ensure_can_correct(self):
        """Raise unless the user may take back entries of these claims."""
        self.check_access("write")
        if not self.env.su and not self._has_one_group(HOME):
            raise AccessError(
                self.env._(
                    "Quality, Sales and the customer service manager correct the "
                    "claim ledger."
                )
            )

    def _ensure_lines(self):
        for claim in self:
            if not claim.line_ids:
                raise UserError(
                    self.env._(
                        "%(name)s: enter the claimed parts under “Parts”.",
                        name=claim.name,
                    )
                )

    def _ensure_decided(self):
        for claim in self:
            undecided = claim.line_ids.filtered(lambda li: li.responsibility == "open")
            if undecided:
                raise UserError(
                    self.env._(
                        "%(name)s: %(count)s lines are undecided, such as %(lines)s. "
                        "Choose their “Responsibility”, or escalate the claim.",
                        name=claim.name,
                        count=len(undecided),
                        lines=", ".join(undecided[:NAMED].mapped("display_name")),
                    )
                )

    # === ACTIONS === #

    def action_import_lines(self):
        """Open the import of the customer's spreadsheet of parts into this claim."""
        self.ensure_one()
        self._ensure_received()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_import_action"
        )
        return {**action, "context": {"default_claim_id": self.id}}

    def action_judge(self):
        """Take the notice into the ledger; judged as soon as no line is open.

        :raise UserError: a claim has no lines, or parts sent back are not judged
        """
        self.check_access("write")
        self._ensure_lines()
        self._lock()
        received = self.filtered(lambda claim: claim.state == "received")
        for claim in self:
            decided = not claim.undecided_count
            if decided:
                claim.line_ids._ensure_returns_judged()
            if decided or claim.state != "judging":
                claim._move_to("judged" if decided else "judging")
        self._book(("claimed",))
        received._say_duplicates()
        self._escalate_large()
        return True

    def _say_duplicates(self):
        """Say in the history which parts have been claimed before."""
        for claim in self:
            twice = claim.line_ids.filtered("duplicate_ids")
            if twice:
                claim._message_log(
                    body=self.env._(
                        "Claimed before: %(lines)s",
                        lines="; ".join(
                            # Another site's claim is named, not opened.
                            f"{li.display_name} ({other.claim_id.name})"
                            for li in twice[:NAMED]
                            for other in li.duplicate_ids.sudo()[:1]
                        ),
                    )
                )

    def action_escalate(self):
        """Have Sales and Quality send somebody for what cannot be decided (L2).

        :raise UserError: nothing is undecided
        """
        self.check_access("write")
        self._lock()
        for claim in self:
            if claim.state not in ("received", "judging"):
                claim._ensure_can_move("judging")
            if not claim.undecided_count:
                raise UserError(
                    self.env._(
                        "%(name)s: no line is undecided, there is nothing to escalate.",
                        name=claim.name,
                    )
                )
        self._escalate()
        return True

    def _escalate(self):
        new = self.filtered(lambda claim: not claim.escalated_at)
        new._write_protected({"escalated_at": fields.Datetime.now()})
        new._emit_event("claim_escalated")

    def _escalate_large(self):
        """Escalate what is undecided and more than the site decides by itself."""
        self.filtered(lambda c: c.state == "judging" and c._is_large())._escalate()

    def _is_large(self):
        self.ensure_one()
        site = self.site_id
        undecided = self.line_ids.filtered(lambda li: li.responsibility == "open")
        quantity, amount = site.claim_quantity, site.claim_amount
        company = self.company_id
        worth = self.currency_id._convert(
            sum(undecided.mapped("amount")),
            company.currency_id,
            company,
            fields.Date.context_today(self),
        )
        return bool(
            (quantity and sum(undecided.mapped("quantity")) > quantity)
            or (amount and company.currency_id.compare_amounts(worth, amount) > 0)
        )

    def action_agree(self):
        """Both sides agree: what is accepted and what is refused is written."""
        self._ensure_can_move("agreed")
        self._lock()
        self._ensure_decided()
        self.line_ids._ensure_returns_judged()
        self._move_to("agreed", {"agreed_at": fields.Datetime.now()})
        self._book(("claimed", "accepted", "refused"))
        return True

    def action_reopen(self, reason=None):
        """Go back one step to decide anew; the ledger keeps what was.

        :param str reason: why; needed
        """
        reason = self._get_reason(reason)
        self._lock()
        settled = self.filtered(lambda claim: claim.state == "settled")
        settled._drop_drafts()
        (self - settled)._move_to("judging")
        self._message_log_batch({claim.id: reason for claim in self})
        return True

    def action_withdraw(self, reason=None):
        """The customer takes his claim back: its balances go to nothing.

        :param str reason: kept in the ledger; needed
        """
        reason = self._get_reason(reason)
        self._lock()
        self._move_to("withdrawn")
        self._book(("claimed", "accepted", "refused"), reason)
        self._message_log_batch({claim.id: reason for claim in self})
        return True

    def _get_reason(self, reason):
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why: fill in “Reason”."))
        return reason

    # === LEDGER === #

    def _book(self, balances, reason=False):
        """Append what makes ``balances`` of each line what the claim says now.

        Only differences are written: done twice, it writes nothing the second time.
        """
        entries = self.env["quality.claim.entry"]
        booked = {
            (line.id, balance): amount
            # What others may not see of a claim counts all the same.
            for line, balance, amount in entries.sudo()._read_group(
                [("claim_id", "in", self.ids)],
                ["line_id", "balance"],
                ["amount:sum"],
            )
        }
        vals_list = []
        for claim in self.sorted("id"):
            rate = claim._get_company_rate()
            for line in claim.line_ids.sorted("id"):
                targets = claim._get_targets(line)
                for balance in balances:
                    amount = claim.currency_id.round(
                        targets[balance] - booked.get((line.id, balance), 0)
                    )
                    if not claim.currency_id.is_zero(amount):
                        vals_list.append(
                            claim._prepare_entry_values(
                                line, balance, amount, reason, rate
                            )
                        )
        return entries._append(vals_list)

    def _prepare_entry_values(self, line, balance, amount, reason, rate):
        """Return the values of an entry of today.

        :param line: of the claim, or an empty record for the claim as a whole
        :param float rate: what a unit of the claim's currency is worth to the company
        """
        self.ensure_one()
        return {
            "claim_id": self.id,
            "line_id": line.id,
            "site_id": self.site_id.id,
            "company_id": self.company_id.id,
            "kind": balance,
            "balance": balance,
            "currency_id": self.currency_id.id,
            "amount": amount,
            "amount_company": self.company_id.currency_id.round(amount * rate),
            "reason": reason,
        }

    def _get_targets(self, line):
        """Return what each balance of ``line`` is to be."""
        if self.state == "withdrawn":
            return {"claimed": 0, "accepted": 0, "refused": 0}
        accepted = line._get_accepted()
        return {
            "claimed": line.amount,
            "accepted": accepted,
            "refused": line.amount - accepted,
        }

    def _get_company_rate(self):
        """Return what a unit of the claim's currency is worth to the company today."""
        self.ensure_one()
        company = self.company_id
        return self.currency_id._get_conversion_rate(
            self.currency_id,
            company.currency_id,
            company,
            fields.Date.context_today(self),
        )

    # === MAIL === #

    def _get_record_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/claims/{self.id}"

    def _get_link_text(self):
        return self.env._("Open the claim")

    def _get_mail_facts(self):
        """Return what the mails say about this claim."""
        self.ensure_one()
        return [
            (self.env._("Claim"), f"{self.name} {self.notice_ref or ''}".strip()),
            (self.env._("Customer"), self.partner_id.display_name),
            (self.env._("Undecided Lines"), str(self.undecided_count)),
            (self.env._("Amount"), self.currency_id.format(self.amount_notice)),
        ]

    def _is_event_true(self, event):
        if event.kind == "claim_escalated":
            return bool(self.undecided_count)
        return super()._is_event_true(event)
