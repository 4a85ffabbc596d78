import hashlib
import json

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, float_repr

from .quality_claim import GROUP, HOME
from .quality_claim_entry import BALANCES, GENESIS

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
VERIFIERS = (*HOME, f"{GROUP}gm")
# What may be wrong with a ledger; ``quality.claim.check.line`` puts it into words.
PROBLEMS = [
    ("gap", "Entries before it are missing"),
    ("link", "It does not follow on the entry before it"),
    ("content", "Its content was changed"),
    ("gone", "An earlier check saw it, and it is gone"),
    ("replaced", "An earlier check saw another entry in its place"),
    ("balance", "The claim's balances are not those of its entries"),
]


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

        Nothing is kept of it: see :meth:`action_verify`.

        :return: one dict for each broken entry, with ``id``, ``company_id``,
            ``sequence``, ``claim_id``, ``problem`` (see :data:`PROBLEMS`) and
            ``reason``; where entries are gone at the end of a ledger, one for each
            claim whose balances they made
        """
        self.check_access("read")
        # Only whether rows are whole is told, so that those count that the user's own
        # sites leave out.
        companies = self.env.companies
        if self.env.su:
            groups = self.env["quality.claim"]._read_group([], ["company_id"])
            companies = companies.union(*(company for (company,) in groups))
        lines = self.env["quality.claim.check.line"]
        return [
            {**values, "company_id": company.id, "reason": lines._get_reason(values)}
            for company in companies.sorted("id")
            for values in self._verify_company(company)[1]
        ]

    @api.model
    def _verify_company(self, company):
        """Check one company's ledger: its chain, its anchors and its claims.

        :return: what the ledger is, as values of ``quality.claim.check``, and what is
            broken in it, as values of its lines
        :rtype: tuple(dict, list of dict)
        """
        self.env.flush_all()
        facts, broken = self._verify_entries(company)
        broken += self._verify_anchors(company)
        broken += self._verify_balances(company)
        return facts, broken

    @api.model
    def _verify_entries(self, company):
        broken, count, sequence, tail = [], 0, 0, GENESIS
        first = {}
        for row in self._read_chain(company):
            problem = missing = None
            if row["sequence"] != sequence + 1:
                problem, missing = "gap", sequence + 1
            elif row["previous_hash"] != tail:
                problem = "link"
            elif row["hash"] != self._get_digest(row):
                problem = "content"
            if problem:
                broken.append(self._prepare_broken(problem, row, missing))
            count, sequence, tail = count + 1, row["sequence"], row["hash"]
            first = first or row
        return {
            "entry_count": count,
            "first_sequence": first.get("sequence"),
            "first_hash": first.get("hash"),
            "last_sequence": sequence,
            "last_hash": tail if count else False,
        }, broken

    @api.model
    def _prepare_broken(self, problem, row, missing=None):
        return {
            "problem": problem,
            "id": row.get("id") or False,
            "sequence": row.get("sequence") or False,
            "claim_id": row.get("claim_id") or False,
            "missing_from": missing or False,
        }

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
    def _verify_anchors(self, company):
        """Compare the ledger with the last entries that earlier checks have seen.

        Whoever writes a whole chain anew, or cuts it and the claims' balances with it,
        leaves nothing that contradicts itself; it contradicts what was kept.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT anchor.last_sequence, entry.id, entry.claim_id
                FROM quality_claim_check anchor
                LEFT JOIN quality_claim_entry entry
                    ON entry.company_id = anchor.company_id
                    AND entry.sequence = anchor.last_sequence
                WHERE anchor.company_id = %s AND anchor.last_sequence > 0
                    AND entry.hash IS DISTINCT FROM anchor.last_hash
                ORDER BY anchor.last_sequence""",
                company.id,
            )
        )
        return [
            self._prepare_broken(
                "replaced" if entry_id else "gone",
                {"id": entry_id, "sequence": sequence, "claim_id": claim_id},
            )
            for sequence, entry_id, claim_id in rows
        ]

    @api.model
    def _verify_balances(self, company):
        """Compare what the claims keep as their balances with their entries.

        The last entries of a ledger have no successor that would miss them.
        """
        sums, differences = [], []
        for balance, _label in BALANCES:
            column = SQL.identifier(f"amount_{balance}")
            sums.append(
                SQL("SUM(amount) FILTER (WHERE balance = %s) AS %s", balance, column)
            )
            differences.append(
                SQL("COALESCE(entry.%s, 0) <> COALESCE(claim.%s, 0)", column, column)
            )
        rows = self.env.execute_query(
            SQL(
                """SELECT claim.id
                FROM quality_claim claim LEFT JOIN LATERAL (
                    SELECT COUNT(*) AS count, %s
                    FROM quality_claim_entry WHERE claim_id = claim.id
                ) entry ON true
                WHERE claim.company_id = %s AND (
                    entry.count <> COALESCE(claim.entry_count, 0) OR %s
                )
                ORDER BY claim.id""",
                SQL(", ").join(sums),
                company.id,
                SQL(" OR ").join(differences),
            )
        )
        return [
            self._prepare_broken("balance", {"claim_id": claim_id})
            for (claim_id,) in rows
        ]

    # === CHECKS THAT ARE KEPT === #

    def action_verify(self):
        """Check the ledgers of the user's companies, and open the results.

        Whole ledgers, whatever entries are selected.

        :raise AccessError: only Quality, Sales and the managers verify the ledger
        """
        self.check_access("read")
        if not self.env.su and not self._has_one_group(VERIFIERS):
            raise AccessError(
                self.env._("Quality, Sales and the managers verify the claim ledger.")
            )
        checks = self.env["quality.claim.check"]._check(self.env.companies)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "quality_resident.quality_claim_check_action"
        )
        if len(checks) == 1:
            return {**action, "views": [(False, "form")], "res_id": checks.id}
        return {**action, "domain": [("id", "in", checks.ids)]}
