import unicodedata

# A table's heading, and the padding of a row, in lines of text.
HEADING = 3
PADDING = 0.4


def count_lines(text, width):
    """Return how many lines ``text`` needs in a column of ``width`` Latin letters."""
    lines = 0
    for part in str(text or "").splitlines() or [""]:
        # A Chinese character is as wide as two letters.
        letters = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in part)
        lines += max(1, -(-letters // width))
    return lines


class Pages:
    """Cuts tables into pages: Debian's wkhtmltopdf cuts through the rows of a long one
    and does not repeat its heading.

    :param first: lines that the first page has left below what stands above the tables
    :param rest: lines of a whole page
    """

    def __init__(self, first, rest):
        self.left, self.rest = first, rest

    def needs_break(self, lines):
        """Tell whether ``lines`` begin a new page, and take them off its space."""
        broken = lines > self.left
        if broken:
            self.left = self.rest
        self.left -= lines
        return broken

    def cut(self, rows, get_cells):
        """Return the table's parts, each with a heading of its own.

        :param rows: of any kind
        :param get_cells: returns a row's cells, each a list of (text, width)
        :return: dicts with ``rows`` and ``new_page``
        """
        parts = []
        for row in rows:
            lines = PADDING + max(
                sum(count_lines(text, width) for text, width in cell if text)
                for cell in get_cells(row)
            )
            first = not parts
            if lines + (HEADING if first else 0) > self.left:
                self.left = self.rest - HEADING
                parts.append({"rows": [], "new_page": True})
            elif first:
                self.left -= HEADING
                parts.append({"rows": [], "new_page": False})
            parts[-1]["rows"].append(row)
            self.left -= lines
        return parts
