from odoo import api, models
from odoo.fields import Domain

from .quality_claim_entry import BALANCES


class QualityDashboard(models.AbstractModel):
    """What customers claim, in company currency, from the ledger alone."""

    _inherit = "quality.dashboard"

    @api.model
    def _get_sections(self):
        return {**super()._get_sections(), "money": self._get_money}

    @api.model
    def _get_money(self, filters):
        """Return the sums of the claims, for each company currency its own.

        What is undecided is so today, however long ago it was claimed; the other sums
        are of the period.

        :return: ``[{"currency_id": …, "figures": [{key, label, amount, …}]}]``, empty
            where the user reads no claims or nothing was claimed
        """
        entries = self.env["quality.claim.entry"]
        if not entries.has_access("read"):
            return []
        site = self._get_site_domain(filters)
        period = Domain("date", ">=", filters["first_day"]) & site
        booked = self._get_sums(period)
        ever = self._get_sums(site)
        return [
            {
                "currency_id": currency.id,
                "figures": [
                    self._get_undecided(sums, site),
                    *(
                        {
                            "key": balance,
                            "label": label,
                            "amount": booked.get(currency, {}).get(balance, 0),
                            "action": "quality_resident.quality_claim_entry_action",
                            "domain": list(period & Domain("balance", "=", balance)),
                        }
                        for balance, label in entries._fields[
                            "balance"
                        ]._description_selection(self.env)
                    ),
                ],
            }
            for currency, sums in ever.items()
        ]

    @api.model
    def _get_sums(self, domain):
        """Return ``{currency: {balance: amount}}`` of the entries, by company."""
        sums = {}
        for company, balance, amount in self.env["quality.claim.entry"]._read_group(
            domain, ["company_id", "balance"], ["amount_company:sum"]
        ):
            of_currency = sums.setdefault(
                company.currency_id, dict.fromkeys(dict(BALANCES), 0)
            )
            of_currency[balance] += amount
        return sums

    @api.model
    def _get_undecided(self, sums, site):
        return {
            "key": "open",
            "label": self.env["quality.claim"]
            ._fields["amount_open"]
            ._description_string(self.env),
            "amount": sums["claimed"] - sums["accepted"] - sums["refused"],
            "action": "quality_resident.quality_claim_action",
            "domain": list(Domain("amount_open", "!=", 0) & site),
        }
