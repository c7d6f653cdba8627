"""The picture of a simulated day, as SVG: the calls by quarter-hour, the agents, and how long callers waited.

Text stays text, so a browser shows Chinese with its own fonts, and a reader can copy it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from config.catalogue import _
from routing.played import Played, Quarter

WIDTH, LEFT, RIGHT = 960, 64, 24
PANEL, GAP, TOP = 150, 64, 118
FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', sans-serif"
STYLE = f"""
text {{ font-family: {FONT}; fill: #1f2933; font-size: 12px }}
.title {{ font-size: 18px; font-weight: 600 }}
.head {{ font-weight: 600; font-size: 13px }}
.axis {{ fill: #52606d; font-size: 11px }}
.grid {{ stroke: #e4e7eb; stroke-width: 1 }}
.base {{ stroke: #9aa5b1; stroke-width: 1 }}
.line {{ fill: none; stroke-width: 2; stroke-linejoin: round }}
"""
IN_TIME, LATER, MESSAGE, GAVE_UP, NOBODY = "#2c7a7b", "#81c5bf", "#d9a441", "#c05640", "#52606d"
ON_DUTY, BUSY, WAIT, LONGEST = "#334e8c", "#a9b9e0", "#7b5ea7", "#cfc0e6"


@dataclass(frozen=True, slots=True)
class _Panel:
    """One diagram: its place from above, and how values become pixels."""

    top: float
    most: float
    count: int

    def x(self, number: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * number / self.count

    def y(self, value: float) -> float:
        return self.top + PANEL * (1 - min(value, self.most) / self.most)


def draw(played: Played, hours: Sequence[str], title: str, story: Sequence[str], *, within: float) -> str:
    """The picture. ``hours``: the wall times at which the quarter-hours begin; ``story``: the lines below the title."""
    quarters = played.quarters
    parts = _calls(quarters, hours, within) + _agents(quarters, hours) + _waits(quarters, hours)
    height = TOP + 3 * (PANEL + GAP) - GAP + 36
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>',
        *(f'<text class="axis" x="{LEFT}" y="{50 + 17 * at}">{escape(line)}</text>' for at, line in enumerate(story)),
        *parts,
        "</svg>",
        "",
    ])  # fmt: skip


def _calls(quarters: Sequence[Quarter], hours: Sequence[str], within: float) -> list[str]:
    layers: list[tuple[str, str, Callable[[Quarter], float]]] = [
        (IN_TIME, _("answered within {n:g} s").format(n=within), lambda one: one.tally.answered_in_time),
        (LATER, _("answered later"), lambda one: one.tally.answered - one.tally.answered_in_time),
        (MESSAGE, _("left a message"), lambda one: one.tally.voicemail),
        (GAVE_UP, _("hung up"), lambda one: one.tally.abandoned),
        (NOBODY, _("nobody on duty"), lambda one: one.tally.uncovered),
    ]
    panel = _Panel(TOP, _nice(max(one.tally.asked for one in quarters)), len(quarters))
    parts = _frame(panel, hours, _("Calls in a quarter-hour"), [(colour, word) for colour, word, _of in layers])
    for number, one in enumerate(quarters):
        below = 0.0
        for colour, _word, of in layers:
            if value := of(one):
                left, top, bottom = panel.x(number + 0.1), panel.y(below + value), panel.y(below)
                parts.append(_rect(left, top, panel.x(number + 0.9) - left, bottom - top, colour))
                below += value
    return parts


def _agents(quarters: Sequence[Quarter], hours: Sequence[str]) -> list[str]:
    most = _nice(max(max(one.on_duty, one.busy) for one in quarters))
    panel = _Panel(TOP + PANEL + GAP, most, len(quarters))
    parts = _frame(panel, hours, _("Agents"), [(ON_DUTY, _("on duty")), (BUSY, _("handling a call"))])
    for number, one in enumerate(quarters):
        parts.append(_rect(panel.x(number), panel.y(one.busy), panel.x(1) - panel.x(0),
                           panel.y(0) - panel.y(one.busy), BUSY))  # fmt: skip
    points = [
        f"{panel.x(number + side):.1f},{panel.y(one.on_duty):.1f}"
        for number, one in enumerate(quarters) for side in (0, 1)
    ]  # fmt: skip
    return [*parts, f'<polyline class="line" stroke="{ON_DUTY}" points="{" ".join(points)}"/>']


def _waits(quarters: Sequence[Quarter], hours: Sequence[str]) -> list[str]:
    most = _nice(max(one.longest for one in quarters))
    panel = _Panel(TOP + 2 * (PANEL + GAP), most, len(quarters))
    parts = _frame(panel, hours, _("Seconds until the answer"), [(WAIT, _("mean")), (LONGEST, _("longest"))])
    for number, one in enumerate(quarters):
        mean = one.tally.average_speed_of_answer or 0.0
        for value, colour in ((one.longest, LONGEST), (mean, WAIT)):
            left = panel.x(number + 0.1)
            parts.append(_rect(left, panel.y(value), panel.x(number + 0.9) - left, panel.y(0) - panel.y(value), colour))
    return parts


def _frame(panel: _Panel, hours: Sequence[str], head: str, legend: Sequence[tuple[str, str]]) -> list[str]:
    """Head, legend, grid and both axes."""
    parts = [f'<text class="head" x="{LEFT}" y="{panel.top - 12}">{escape(head)}</text>']
    x: float = WIDTH - RIGHT
    for colour, word in reversed(legend):
        x -= sum(12 if ord(char) > 0x2E80 else 6.2 for char in word)
        parts.append(f'<text class="axis" x="{x:.0f}" y="{panel.top - 12}">{escape(word)}</text>')
        parts.append(_rect(x - 15, panel.top - 21, 10, 10, colour))
        x -= 32
    for step in range(5):
        value = panel.most * step / 4
        y = panel.y(value)
        parts.append(f'<line class="{"grid" if step else "base"}" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                     f'y1="{y:.1f}" y2="{y:.1f}"/>')  # fmt: skip
        parts.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for number, hour in enumerate([*hours, "24:00"]):
        if hour.endswith(":00") and int(hour[:2]) % 3 == 0:
            parts.append(f'<text class="axis" x="{panel.x(number):.1f}" y="{panel.top + PANEL + 16}" '
                         f'text-anchor="middle">{escape(hour)}</text>')  # fmt: skip
    return parts


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _nice(value: float) -> float:
    """The next round number whose quarters are round too."""
    if value <= 4:
        return 4.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 4, 8, 10, 20) if size * step >= value)
