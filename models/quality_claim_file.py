from odoo import api, fields, models


class QualityClaimFile(models.Model):
    """A spreadsheet that became lines of a claim: the same one never twice (L1)."""

    _name = "quality.claim.file"
    _description = "Imported Claim File"
    _order = "id desc"

    name = fields.Char(required=True, readonly=True)
    claim_id = fields.Many2one(
        comodel_name="quality.claim",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    site_id = fields.Many2one(related="claim_id.site_id", store=True, precompute=True)
    company_id = fields.Many2one(
        related="claim_id.company_id", store=True, index=True, precompute=True
    )
    is_withdrawn = fields.Boolean(
        compute="_compute_is_withdrawn", store=True, precompute=True
    )
    digest = fields.Char(
        required=True, readonly=True, help="SHA-256 of what the sheet says."
    )
    row_count = fields.Integer(string="Rows", readonly=True)

    _digest_uniq = models.UniqueIndex(
        "(site_id, digest) WHERE is_withdrawn IS NOT TRUE",
        "This file has been imported at this site already, by somebody else at this "
        "moment. Look for it in the list of claims.",
    )

    @api.depends("claim_id.state")
    def _compute_is_withdrawn(self):
        for file in self:
            file.is_withdrawn = file.claim_id.state == "withdrawn"
