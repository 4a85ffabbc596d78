import unicodedata

from odoo import api, fields, models

# The printer's page, in its own points: what fits below the head of the first page and
# on any other, how high a row's frame and each line of it are.
FIRST_PAGE, NEXT_PAGE = 640, 800
ROW, LINE = 7, 9.2
# How many narrow letters the columns take.
PART, VEHICLE, JUDGEMENT, EVIDENCE = 30, 25, 20, 30


def count_lines(text, width):
    """Return how many lines ``text`` takes in a column of ``width`` narrow letters."""
    lines = 0
    for paragraph in text.splitlines():
        letters = sum(
            2 if unicodedata.east_asian_width(letter) in "WF" else 1
            for letter in paragraph
        )
        lines += max(-(-letters // width), 1)
    return lines


class QualityClaimSheet(models.Model):
    """The claim sheet in print, on the form and behind the link."""

    _inherit = "quality.claim.sheet"

    rows_html = fields.Html(
        string="As Judged", compute="_compute_rows_html", sanitize=False
    )

    @api.depends("snapshot")
    @api.depends_context("lang")
    def _compute_rows_html(self):
        for sheet in self:
            sheet.rows_html = self.env["ir.qweb"]._render(
                "quality_resident.claim_sheet_rows",
                {"doc": sheet, "pages": [sheet._get_rows()]},
            )

    def _get_rows(self):
        """Return the rows to show, with the judgement in the context's language."""
        self.ensure_one()
        lines = self.env["quality.claim.line"]
        labels = dict(lines._fields["responsibility"]._description_selection(self.env))
        return [
            {
                **row,
                "number": number,
                "label": labels[row["responsibility"]],
                "judges": " / ".join(
                    filter(None, (row["judge"], row["customer_judge"]))
                ),
                "failed_on": fields.Date.to_date(row["failed_on"]),
            }
            for number, row in enumerate(self.snapshot or [], start=1)
        ]

    def _get_pages(self):
        """Return the rows page by page.

        The renderer repeats no headings and cuts rows in two: each page is a table of
        its own, filled by an estimate on the safe side.
        """
        pages, left = [[]], FIRST_PAGE
        for row in self._get_rows():
            height = ROW + LINE * self._estimate_lines(row)
            if height > left and pages[-1]:
                pages.append([])
                left = NEXT_PAGE
            pages[-1].append(row)
            left -= height
        return pages

    @api.model
    def _estimate_lines(self, row):
        about = f"{row['vehicle_model']} {row['mileage']} km 2000/01/01"
        return max(
            count_lines(row["part"], PART) + bool(row["lot"]),
            bool(row["vin"]) + count_lines(about, VEHICLE),
            # The quantity, and below it the amount
            2,
            1 + bool(row["ours"]) + count_lines(row["judges"], JUDGEMENT),
            sum(count_lines(row[name], EVIDENCE) for name in ("note", "place"))
            # The label before it counts as well.
            + count_lines(row["analysis"] and f"{row['analysis']} Analysis", EVIDENCE),
        )

    def _get_document_name(self):
        self.ensure_one()
        return self.env._("Claim sheet %(number)s", number=self.name.replace("/", "-"))
