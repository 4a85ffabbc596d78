import hashlib
import json

from odoo import api, models
from odoo.tools import SQL, float_repr

from .quality_claim_entry import GENESIS

# The canonical form, version 1: what is hashed of a row, besides the previous hash.
# A JSON object with these keys sorted, no blanks, UTF-8: records as database ids,
# amounts with six decimals, dates as YYYY-MM-DD, moments as YYYY-MM-DD HH:MM:SS in
# UTC, nothing as null. The hash is SHA-256 over the previous hash (64 hex digits,
# zeros for the first entry) followed by that. Never change it: add a version.
HASHED = (
    "version",
    "company_id",
    "site_id",
    "claim_id",
    "line_id",
    "sequence",
    "date",
    "recorded_at",
    "user_id",
    "kind",
    "balance",
    "currency_id",
    "amount",
    "amount_company",
    "reversal_of_id",
    "reason",
)
AMOUNTS = ("amount", "amount_company")
VERIFY_BATCH = 10000


class QualityClaimEntry(models.Model):
    """The chain: what is hashed, and whether it still holds (spec.md L4)."""

    _inherit = "quality.claim.entry"

    _canonical_version = 1

    @api.model
    def _get_canonical(self, row):
        """Return the text of ``row`` that is hashed.

        :param dict row: values as given to create, or as the database returns them
        """
        return json.dumps(
            {
                name: float_repr(row[name] or 0.0, 6)
                if name in AMOUNTS
                else self._get_plain(row.get(name))
                for name in HASHED
            },
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @api.model
    def _get_plain(self, value):
        if value is None or value is False or value == "":
            return None
        return value if isinstance(value, int) else str(value)

    @api.model
    def _get_digest(self, row):
        text = row["previous_hash"] + self._get_canonical(row)
        return hashlib.sha256(text.encode()).hexdigest()

    # === VERIFICATION === #

    @api.model
    def verify_chain(self):
        """Check the whole ledger of the user's companies, of all for the superuser.

        :return: one dict for each broken entry, with ``id``, ``company_id``,
            ``sequence``, ``claim_id`` and ``reason``; where entries are gone at the
            end of a ledger, one for each claim whose balances they made
        """
        self.check_access("read")
        self.env["quality.claim"].flush_model()
        # Only whether rows are whole is told, so that those count that the user's own
        # sites leave out.
        companies = self.env.companies
        if self.env.su:
            groups = self.env["quality.claim"]._read_group([], ["company_id"])
            companies = companies.union(*(company for (company,) in groups))
        broken = []
        for company in companies.sorted("id"):
            broken += self._verify_company(company)
        return broken + self._verify_balances(companies)

    @api.model
    def _verify_company(self, company):
        broken, sequence, tail = [], 0, GENESIS
        for row in self._read_chain(company):
            reason = None
            if row["sequence"] != sequence + 1:
                reason = self.env._(
                    "No. %(first)s to %(last)s before it are missing.",
                    first=sequence + 1,
                    last=row["sequence"] - 1,
                )
            elif row["previous_hash"] != tail:
                reason = self.env._("It does not follow on the entry before it.")
            elif row["hash"] != self._get_digest(row):
                reason = self.env._("Its content was changed.")
            if reason:
                broken.append(
                    {
                        "id": row["id"],
                        "company_id": company.id,
                        "sequence": row["sequence"],
                        "claim_id": row["claim_id"],
                        "reason": reason,
                    }
                )
            sequence, tail = row["sequence"], row["hash"]
        return broken

    @api.model
    def _read_chain(self, company):
        """Yield the company's rows as the database has them, in order, in batches."""
        columns = ("id", "previous_hash", "hash", *HASHED)
        names = SQL(", ").join(SQL.identifier(name) for name in columns)
        last = None
        while True:
            rows = self.env.execute_query(
                SQL(
                    """SELECT %s FROM quality_claim_entry
                    WHERE company_id = %s AND (%s::int IS NULL OR sequence > %s)
                    ORDER BY sequence LIMIT %s""",
                    names,
                    company.id,
                    last,
                    last,
                    VERIFY_BATCH,
                )
            )
            for values in rows:
                yield dict(zip(columns, values, strict=True))
            if len(rows) < VERIFY_BATCH:
                return
            last = rows[-1][columns.index("sequence")]

    @api.model
    def _verify_balances(self, companies):
        """Compare what the claims keep as their balances with their entries.

        The last entries of a ledger have no successor that would miss them.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT claim.id, claim.company_id
                FROM quality_claim claim LEFT JOIN LATERAL (
                    SELECT COUNT(*) AS count,
                        SUM(amount) FILTER (WHERE balance = 'claimed') AS claimed,
                        SUM(amount) FILTER (WHERE balance = 'accepted') AS accepted,
                        SUM(amount) FILTER (WHERE balance = 'refused') AS refused,
                        SUM(amount) FILTER (WHERE balance = 'credited') AS credited,
                        SUM(amount) FILTER (WHERE balance = 'paid') AS paid
                    FROM quality_claim_entry WHERE claim_id = claim.id
                ) entry ON true
                WHERE claim.company_id IN %s AND (
                    entry.count <> COALESCE(claim.entry_count, 0)
                    OR COALESCE(entry.claimed, 0) <> COALESCE(claim.amount_claimed, 0)
                    OR COALESCE(entry.accepted, 0)
                        <> COALESCE(claim.amount_accepted, 0)
                    OR COALESCE(entry.refused, 0) <> COALESCE(claim.amount_refused, 0)
                    OR COALESCE(entry.credited, 0)
                        <> COALESCE(claim.amount_credited, 0)
                    OR COALESCE(entry.paid, 0) <> COALESCE(claim.amount_paid, 0)
                )
                ORDER BY claim.id""",
                tuple(companies.ids) or (0,),
            )
        )
        return [
            {
                "id": False,
                "company_id": company_id,
                "sequence": False,
                "claim_id": claim_id,
                "reason": self.env._(
                    "The claim's balances are not those of its entries."
                ),
            }
            for claim_id, company_id in rows
        ]
