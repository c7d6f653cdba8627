"""The map of coverage as a picture (SVG): light or dark as the reader's screen is, every span with words of its own.

``scheme`` ``auto`` follows the reader's browser (prefers-color-scheme), ``light`` and ``dark`` are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from config.catalogue import _
from hotline.day_words import FESTIVAL, MAKEUP, Day, mark, weekday
from hotline.heat import QUARTERS, SIGNS, Gap, Heat, HeatRow, Panel, Run, level_word, runs, told
from hotline.palette import LEVELS, Level
from hotline.show import folded
from hotline.svg import FONT, clean, line, page, text, wide

Scheme = Literal["auto", "light", "dark"]

WIDTH, LEFT, RIGHT, TOP = 1104, 210, 36, 84
ROW, GAP = 22, 2
"""Pixels of a day, and of them the space to the next."""

HEAD, AXIS, BETWEEN, LINE = 30, 20, 30, 18
"""Pixels of a panel's head, of its hours, between panels, and of a line of words."""

INK = {"": ("#1f2933", "#e4e7eb"), "soft": ("#5b6875", "#9aa5b1"), "free": ("#b3261e", "#f2938c"),
       "makeup": ("#1d4ed8", "#8fb8ff"), "short": ("#b3261e", "#ff9d96"),
       "filled": ("#8a4b00", "#f7b267")}  # fmt: skip
"""The colours of words outside the cells, on a light and on a dark page."""

PAGE, CLOSED, GRID, NOW = ("#ffffff", "#14181d"), ("#f3f5f7", "#1d232a"), ("#ffffff", "#14181d"), ("#1f2933", "#f5f7fa")


def draw(heat: Heat, scheme: Scheme = "auto") -> str:
    """The picture."""
    parts = [
        text(24, 34, heat.title, "title"),
        text(24, 54, heat.as_of, "soft"),
    ]
    y = TOP
    if heat.panels:
        parts += _legend(heat, y - 10)
    y += 14
    for panel in heat.panels:
        parts += _panel(heat, panel, y)
        said = sum(len(_gap_lines(gap)) for gap in panel.gaps)
        y += HEAD + AXIS + ROW * len(panel.rows) + LINE * said + BETWEEN
    return page(WIDTH, y, heat.title, style(scheme), parts)


def style(scheme: Scheme) -> str:
    """The style sheet; a picture that follows the reader's screen has the dark colours behind the light ones."""
    said = [
        f"text {{ font-family: {FONT}; font-size: 12px }}",
        ".title { font-size: 18px; font-weight: 600 }", ".head { font-size: 14px; font-weight: 600 }",
        ".soft { font-size: 11px }", ".cell { font-size: 11px; text-anchor: middle }", ".strong { font-weight: 600 }",
        ".hour { stroke-width: 1; stroke-opacity: 0.45 }", ".now { stroke-width: 2 }",
        ".today { fill: none; stroke-width: 1.2 }",
        *_colours(dark=scheme == "dark"),
    ]  # fmt: skip
    if scheme == "auto":
        said += ["@media (prefers-color-scheme: dark) {", *_colours(dark=True), "}"]
    return "\n" + "\n".join(said) + "\n"


def _colours(dark: bool) -> Iterator[str]:
    place = int(dark)
    yield f"text {{ fill: {INK[''][place]} }}"
    yield from (f".{kind} {{ fill: {colours[place]} }}" for kind, colours in INK.items() if kind)
    yield f".page {{ fill: {PAGE[place]} }}"
    yield f".closed {{ fill: {CLOSED[place]} }}"
    yield f".hour {{ stroke: {GRID[place]} }}"
    yield f".now, .today {{ stroke: {NOW[place]} }}"
    for level, colour in LEVELS.items():
        fill, ink = colour.shade(dark)
        yield f".{_kind(level)} {{ fill: {fill} }}"
        yield f".on-{_kind(level)} {{ fill: {ink} }}"


def _kind(level: Level) -> str:
    """The class of a cell; ``short`` alone is that of words."""
    return f"c-{level.value}"


def _x(quarter: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * quarter / QUARTERS


def _panel(heat: Heat, panel: Panel, top: float) -> Iterator[str]:
    yield text(24, top + 18, panel.label, "head")
    rows = top + HEAD + AXIS
    for hour in range(0, 25, 2):
        yield text(_x(hour * 4), rows - 6, f"{hour:02}", "soft", "middle")
    for number, row in enumerate(panel.rows):
        yield from _row(panel, row, rows + number * ROW)
    bottom = rows + len(panel.rows) * ROW - GAP
    for hour in range(2, 24, 2):
        yield line(_x(hour * 4), rows, _x(hour * 4), bottom, "hour")
    yield from _now(heat, panel, rows)
    for number, row in enumerate(panel.rows):
        for run in runs(row.quarters):
            yield from _number(run, rows + number * ROW)
    y = rows + len(panel.rows) * ROW + 16
    for gap in panel.gaps:
        level, ink = (Level.BACKUP, "filled") if gap.filled else (Level.SHORT, "short")
        yield f'<circle class="{_kind(level)}" cx="{LEFT + 4}" cy="{y - 4:.1f}" r="3.5"/>'
        for part in _gap_lines(gap):
            yield text(LEFT + 14, y, part, ink)
            y += LINE


def _gap_lines(gap: Gap) -> list[str]:
    return folded(gap.words, WIDTH - LEFT - RIGHT - 14, lambda words: wide(words, 12))


def _row(panel: Panel, row: HeatRow, y: float) -> Iterator[str]:
    yield from _label(row.day, y)
    for run in runs(row.quarters):
        yield _cell(panel, row, run, y)


def _label(day: Day, y: float) -> Iterator[str]:
    """Date, weekday and what marks the day, in columns; today framed."""
    kind = "free" if day.free else "makeup" if day.kind == MAKEUP else ""
    strong = f"{kind} strong".strip() if day.kind in (FESTIVAL, MAKEUP) or day.today else kind
    base = y + 14.5
    if day.today:
        yield f'<rect class="today" x="18" y="{y:.1f}" width="{LEFT - 26}" height="{ROW - GAP}" rx="3"/>'
    yield text(24, base, day.date.strftime("%m-%d"), strong)
    yield text(70, base, weekday(day.date), strong)
    if sign := mark(day, 15):
        yield text(106, base, sign, kind)


def _cell(panel: Panel, row: HeatRow, run: Run, y: float) -> str:
    kind = _kind(run.quarter.level) if run.quarter else "closed"
    return (
        f'<rect class="{kind}" x="{_x(run.first):.1f}" y="{y:.1f}" width="{_x(run.end) - _x(run.first):.1f}" '
        f'height="{ROW - GAP}"><title>{clean(told(panel, row, run))}</title></rect>'
    )


def _number(run: Run, y: float) -> Iterator[str]:
    if run.quarter is None:
        return
    room = _x(run.end) - _x(run.first)
    for word in run.quarter.words:
        if wide(word) + 3 <= room:
            strong = " strong" if run.quarter.level in (Level.SHORT, Level.BACKUP) else ""
            kind = f"cell on-{_kind(run.quarter.level)}{strong}"
            yield text((_x(run.first) + _x(run.end)) / 2, y + 14, word, kind)
            return


def _now(heat: Heat, panel: Panel, rows: float) -> Iterator[str]:
    """Where the clock stands."""
    for number, row in enumerate(panel.rows):
        if heat.now is not None and row.day.date == heat.now[0]:
            x, y = _x(heat.now[1] * QUARTERS), rows + number * ROW
            yield line(x, y - 2, x, y + ROW, "now")


def _legend(heat: Heat, y: float) -> Iterator[str]:
    """From the left: each level that occurs, with the sign that its cells carry."""
    x = 24.0
    for level in heat.levels:
        yield f'<rect class="{_kind(level)}" x="{x:.1f}" y="{y - 12:.1f}" width="28" height="16" rx="2"/>'
        yield text(x + 14, y, SIGNS[level], f"cell on-{_kind(level)}")
        yield text(x + 34, y, level_word(level), "soft")
        x += 34 + wide(level_word(level)) + 20
    if any(one is None for panel in heat.panels for row in panel.rows for one in row.quarters):
        yield f'<rect class="closed" x="{x:.1f}" y="{y - 12:.1f}" width="28" height="16" rx="2"/>'
        yield text(x + 34, y, _("closed"), "soft")
