"""Charts for documents, as inline SVG that wkhtmltopdf prints as vectors.

Drawn here because pygal cannot put bars and a line into one chart (the Pareto) and
styles by scripts and rules that the renderer's old WebKit drops. Every property is an
attribute; no opacity, which the renderer would turn into pictures. Fills differ in
lightness and lines in dashes, so that a grey print reads as well.

Labels are plain text of any script; a value of None is not known and leaves a gap.
"""

from math import ceil, floor, log10

from markupsafe import Markup

WIDTH, HEIGHT = 900, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 48, 30, 28
FONT = "'Noto Sans CJK SC', 'Noto Sans', Arial, sans-serif"
FONT_SIZE = 12
FILLS = ("#1f4e79", "#d48806", "#dce6ee", "#7c8186", "#f4f5f6")
DASHES = ("", "7,3", "2,3", "9,3,2,3", "4,4")
INK, GRID, TARGET = "#1d1d1f", "#d0d4d8", "#b3261e"


def draw_bars(labels, series, *, stacked=False, target=None, percent=False):
    """Return a chart of bars, one group of them above each of ``labels``.

    :param list labels: what stands below the groups
    :param series: ``[(name, [value or None, ...]), ...]``; below 0 there is no bar
    :param bool stacked: put the series of a group on top of each other
    :param target: ``(name, value)`` of a line across
    :rtype: Markup
    """
    columns = list(zip(*(values for _name, values in series), strict=True))
    sums = [sum(max(v or 0, 0) for v in column) for column in columns]
    peaks = sums if stacked else [v or 0 for column in columns for v in column]
    chart = _Chart(labels, [*peaks, target[1] if target else 0], percent=percent)
    width = chart.slot * 0.7 / (1 if stacked else max(len(series), 1))
    for index, column in enumerate(columns):
        base = 0
        for number, value in enumerate(column):
            left = chart.middle(index) - chart.slot * 0.35
            if not stacked:
                left += number * width
            if value and value > 0:
                chart.add_bar(left, width, base, value, FILLS[number % len(FILLS)])
            if value and value > 0 and stacked:
                base += value
        if stacked or len(series) == 1:
            chart.add_value(index, sums[index])
    chart.add_target(target)
    names = [(name, FILLS[n % len(FILLS)], None) for n, (name, _v) in enumerate(series)]
    return chart.render([*names, *_get_target_key(target)])


def draw_lines(labels, series, *, target=None, percent=False):
    """Return a chart of lines over ``labels``; parameters as :func:`draw_bars`."""
    known = [v for _name, values in series for v in values if v is not None]
    chart = _Chart(labels, [*known, target[1] if target else 0], percent=percent)
    names = []
    for number, (name, values) in enumerate(series):
        color, dash = FILLS[number % len(FILLS)], DASHES[number % len(DASHES)]
        chart.add_line(values, color, dash)
        names.append((name, color, dash))
        if len(series) == 1:
            for index, value in enumerate(values):
                if value is not None:
                    chart.add_value(index, value)
    chart.add_target(target)
    return chart.render([*names, *_get_target_key(target)])


def draw_pareto(labels, values, names):
    """Return bars, highest first, with the line of their cumulated share.

    :param values: one number, 0 or more, for each of ``labels``
    :param names: what the bars and what the line are called
    :rtype: Markup
    """
    ranked = sorted(zip(labels, values, strict=True), key=lambda pair: -pair[1])
    total = sum(values)
    chart = _Chart([label for label, _value in ranked], [value for _l, value in ranked])
    cumulated, shares = 0, []
    for index, (_label, value) in enumerate(ranked):
        cumulated += value
        shares.append(cumulated / total if total else 0)
        chart.add_bar(
            chart.middle(index) - chart.slot * 0.35,
            chart.slot * 0.7,
            0,
            value,
            FILLS[0],
        )
        chart.add_value(index, value)
    # The line has an axis of its own: the right one, from 0 to 100 %.
    for share in (0, 0.25, 0.5, 0.75, 1):
        chart.add_text(
            WIDTH - RIGHT + 5, chart.y(share * chart.top) + 4, f"{share:.0%}", "start"
        )
    chart.add_line([share * chart.top for share in shares], FILLS[1], "")
    return chart.render([(names[0], FILLS[0], None), (names[1], FILLS[1], "")])


def _get_target_key(target):
    return [(target[0], TARGET, "6,4")] if target else []


def _get_width(text):
    """Return about how wide ``text`` prints, in pixels."""
    return FONT_SIZE * sum(1 if ord(char) > 0x2E7F else 0.56 for char in text)


def _shorten(text, width):
    """Return as much of ``text`` as fits into ``width`` pixels."""
    if _get_width(text) <= width:
        return text
    while text and _get_width(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _format(value, percent=False):
    if percent:
        return f"{value:.0%}"
    digits = 0 if float(value).is_integer() or value >= 100 else 1 if value >= 1 else 2
    return f"{value:,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


class _Chart:
    """The paper: a scale of values from 0, a slot for each label, and what is drawn."""

    def __init__(self, labels, peaks, *, percent=False):
        self.labels, self.percent, self.parts = labels, percent, []
        self.slot = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
        peak = max(peaks, default=0) or 1
        # Up to four steps of 1, 2 or 5 times a power of ten; pieces are not halved.
        power = 10 ** floor(log10(peak / 4))
        self.step = next(s * power for s in (1, 2, 5, 10) if s * power >= peak / 4)
        if not percent and float(sum(peaks)).is_integer():
            self.step = max(self.step, 1)
        self.top = self.step * ceil(round(peak / self.step, 6))
        self._add_axes()

    def middle(self, index):
        return LEFT + self.slot * (index + 0.5)

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top

    def _add(self, tag, text="", **values):
        attributes = Markup("").join(
            Markup(' %s="%s"')
            % (name.replace("_", "-"), f"{v:.2f}" if isinstance(v, float) else v)
            for name, v in values.items()
        )
        self.parts.append(Markup("<%s%s>%s</%s>") % (tag, attributes, text, tag))

    def add_text(self, x, y, text, anchor="middle", size=FONT_SIZE):
        font = {"font_family": FONT, "font_size": size, "fill": INK}
        self._add("text", text, x=x, y=y, text_anchor=anchor, **font)

    def _add_rule(self, start, end, color, dash="", width=1):
        pen = {"stroke": color, "stroke_width": width}
        pen["stroke_dasharray"] = dash or "none"
        self._add("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **pen)

    def _add_box(self, x, y, width, height, color):
        pen = {"fill": color, "stroke": INK, "stroke_width": 0.5}
        self._add("rect", x=x, y=y, width=width, height=height, **pen)

    def _add_axes(self):
        for number in range(round(self.top / self.step) + 1):
            value = number * self.step
            y = self.y(value)
            self._add_rule((LEFT, y), (WIDTH - RIGHT, y), GRID if number else INK)
            self.add_text(LEFT - 6, y + 4, _format(value, self.percent), "end")
        # Where days stand too close, every second or third is named.
        widest = max(map(_get_width, self.labels), default=0)
        every = max(ceil(min(widest, 42) / self.slot), 1)
        for index in range(0, len(self.labels), every):
            text = _shorten(self.labels[index], self.slot * every - 4)
            self.add_text(self.middle(index), HEIGHT - BOTTOM + 16, text)

    def add_bar(self, left, width, base, value, color):
        top = self.y(base + value)
        self._add_box(left, top, width, self.y(base) - top, color)

    def add_value(self, index, value):
        """Write a value above its bar or point, where there is room for it."""
        text = _format(value, self.percent)
        if value and _get_width(text) <= self.slot:
            self.add_text(self.middle(index), self.y(value) - 5, text, size=10)

    def add_line(self, values, color, dash):
        points = [
            value is not None and (self.middle(index), self.y(value))
            for index, value in enumerate(values)
        ]
        for start, end in zip(points, points[1:], strict=False):
            if start and end:
                self._add_rule(start, end, color, dash, 2)
        for point in filter(None, points):
            pen = {"fill": "#ffffff", "stroke": color, "stroke_width": 1.5}
            self._add("circle", cx=point[0], cy=point[1], r=3, **pen)

    def add_target(self, target):
        if target:
            y = self.y(target[1])
            self._add_rule((LEFT, y), (WIDTH - RIGHT, y), TARGET, "6,4", 1.5)

    def render(self, keys):
        """Return the SVG with its legend; ``keys`` are (name, colour, dash or None)."""
        x = LEFT
        for name, color, dash in keys:
            if dash is None:
                self._add_box(x, 8, 12, 10, color)
            else:
                self._add_rule((x, 13), (x + 18, 13), color, dash, 2)
            self.add_text(x + 23, 17, name, "start")
            x += 23 + _get_width(name) + 18
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s"'
            ' viewBox="0 0 %s %s" style="max-width:100%%">%s</svg>'
        ) % (WIDTH, HEIGHT, WIDTH, HEIGHT, Markup("").join(self.parts))
