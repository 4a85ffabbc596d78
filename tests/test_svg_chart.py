import subprocess
import tempfile
from pathlib import Path

from lxml import etree

from odoo.tests import BaseCase
from odoo.tools.misc import find_in_path

from ..reports.svg_chart import draw_bars, draw_lines, draw_pareto

SVG = "{http://www.w3.org/2000/svg}"


class TestSvgChart(BaseCase):
    def _parse(self, chart):
        return etree.fromstring(str(chart))

    def _get_boxes(self, chart):
        """Return ``(height, fill)`` of the bars, the legend's boxes left out."""
        return [
            (float(box.get("height")), box.get("fill"))
            for box in self._parse(chart).iter(f"{SVG}rect")
            if float(box.get("y")) > 20
        ]

    def _get_texts(self, chart):
        return [text.text for text in self._parse(chart).iter(f"{SVG}text")]

    def test_bars_are_as_high_as_their_values(self):
        boxes = self._get_boxes(draw_bars(["1", "2"], [("n", [10, 20])]))
        self.assertAlmostEqual(boxes[0][0] * 2, boxes[1][0], delta=0.1)

    def test_stacked_bars_add_up(self):
        stacked = draw_bars(["1"], [("a", [10]), ("b", [20])], stacked=True)
        low, high = self._get_boxes(stacked)
        self.assertAlmostEqual(low[0] * 2, high[0], delta=0.1)
        self.assertNotEqual(low[1], high[1])
        self.assertIn("30", self._get_texts(stacked))

    def test_unknown_values_leave_a_gap(self):
        self.assertEqual(
            len(self._get_boxes(draw_bars(["1", "2"], [("n", [None, 1])]))), 1
        )
        chart = draw_lines(["1", "2", "3", "4"], [("n", [1, None, 3, 4])])
        lines = [
            line
            for line in self._parse(chart).iter(f"{SVG}line")
            if line.get("stroke-width") == "2" and float(line.get("y1")) > 20
        ]
        self.assertEqual(len(lines), 1)

    def test_pareto_ranks_and_ends_at_all(self):
        chart = draw_pareto(["a", "b", "c"], [1, 7, 2], ("Bad", "Cumulated"))
        heights = [height for height, _fill in self._get_boxes(chart)]
        self.assertEqual(heights, sorted(heights, reverse=True))
        points = [float(p.get("cy")) for p in self._parse(chart).iter(f"{SVG}circle")]
        self.assertEqual(points, sorted(points, reverse=True))
        self.assertEqual(points[-1], 30)

    def test_labels_are_text_whatever_they_hold(self):
        texts = self._get_texts(
            draw_bars(
                ["<b>&", "车身侧围总成" * 20], [("100 %s", [1, 2])], target=("目标", 3)
            )
        )
        self.assertIn("<b>&", texts)
        self.assertIn("100 %s", texts)
        self.assertIn("目标", texts)
        self.assertTrue(any(text.endswith("…") for text in texts))

    def test_nothing_to_draw(self):
        for chart in (
            draw_bars([], []),
            draw_bars(["1"], [("n", [0])]),
            draw_lines(["1"], [("n", [None])]),
            draw_pareto([], [], ("Bad", "Cumulated")),
        ):
            self.assertFalse(self._get_boxes(chart))

    def test_pieces_are_not_halved(self):
        self.assertNotIn("0.50", self._get_texts(draw_bars(["1"], [("n", [1])])))
        self.assertIn("0.50", self._get_texts(draw_bars(["1"], [("n", [0.9])])))

    def test_the_print_holds_vectors(self):
        chart = draw_bars(["1", "二"], [("n", [10, 20])], target=("t", 15))
        with tempfile.TemporaryDirectory() as folder:
            page, pdf = Path(folder, "page.html"), Path(folder, "page.pdf")
            page.write_text(f"<!DOCTYPE html><meta charset='utf-8'/>{chart}", "utf-8")
            subprocess.run(
                [find_in_path("wkhtmltopdf"), "-q", str(page), str(pdf)], check=True
            )
            self.assertNotIn(b"/Subtype /Image", pdf.read_bytes())
