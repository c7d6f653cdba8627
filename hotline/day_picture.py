"""The picture of a simulated day, as SVG: the calls by quarter-hour, the agents, and how long callers waited.

Text stays text, so a browser shows Chinese with its own fonts, and a reader can copy it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.catalogue import _
from hotline import svg
from hotline.svg import line, rect, text, wide
from routing.played import Played, Quarter

WIDTH, LEFT, RIGHT = 960, 64, 24
PANEL, GAP, TOP = 150, 64, 118
STYLE = svg.STYLE + ".line { fill: none; stroke-width: 2; stroke-linejoin: round }\n"
IN_TIME, LATER, MESSAGE, GAVE_UP, NOBODY = "#2c7a7b", "#81c5bf", "#d9a441", "#c05640", "#52606d"
SHUT = "#9aa5b1"
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
    heads = [text(LEFT, 30, title, "title"), *(text(LEFT, 50 + 17 * at, said, "axis") for at, said in enumerate(story))]
    return svg.page(WIDTH, height, title, STYLE, heads + parts)


def _calls(quarters: Sequence[Quarter], hours: Sequence[str], within: float) -> list[str]:
    layers: list[tuple[str, str, Callable[[Quarter], float]]] = [
        (IN_TIME, _("answered within {n:g} s").format(n=within), lambda one: one.tally.answered_in_time),
        (LATER, _("answered later"), lambda one: one.tally.answered - one.tally.answered_in_time),
        (MESSAGE, _("left a message"), lambda one: one.tally.voicemail),
        (GAVE_UP, _("hung up"), lambda one: one.tally.abandoned),
        (NOBODY, _("nobody on duty"), lambda one: one.tally.uncovered),
    ]
    if any(one.tally.closed for one in quarters):
        layers.append((SHUT, _("outside service hours"), lambda one: one.tally.closed))
    panel = _Panel(TOP, _nice(max(one.tally.asked for one in quarters)), len(quarters))
    parts = _frame(panel, hours, _("Calls in a quarter-hour"), [(colour, word) for colour, word, _of in layers])
    for number, one in enumerate(quarters):
        below = 0.0
        for colour, _word, of in layers:
            if value := of(one):
                left, top, bottom = panel.x(number + 0.1), panel.y(below + value), panel.y(below)
                parts.append(rect(left, top, panel.x(number + 0.9) - left, bottom - top, colour))
                below += value
    return parts


def _agents(quarters: Sequence[Quarter], hours: Sequence[str]) -> list[str]:
    most = _nice(max(max(one.on_duty, one.busy) for one in quarters))
    panel = _Panel(TOP + PANEL + GAP, most, len(quarters))
    parts = _frame(panel, hours, _("Agents"), [(ON_DUTY, _("on duty")), (BUSY, _("handling a call"))])
    for number, one in enumerate(quarters):
        parts.append(rect(panel.x(number), panel.y(one.busy), panel.x(1) - panel.x(0),
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
            parts.append(rect(left, panel.y(value), panel.x(number + 0.9) - left, panel.y(0) - panel.y(value), colour))
    return parts


def _frame(panel: _Panel, hours: Sequence[str], head: str, legend: Sequence[tuple[str, str]]) -> list[str]:
    """Head, legend, grid and both axes."""
    parts = [text(LEFT, panel.top - 12, head, "head")]
    x: float = WIDTH - RIGHT
    for colour, word in reversed(legend):
        x -= wide(word)
        parts += [text(x, panel.top - 12, word, "axis"), rect(x - 15, panel.top - 21, 10, 10, colour)]
        x -= 32
    for step in range(5):
        value = panel.most * step / 4
        y = panel.y(value)
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, "grid" if step else "base"))
        parts.append(text(LEFT - 8, y + 4, f"{value:g}", "axis", "end"))
    for number, hour in enumerate([*hours, "24:00"]):
        if hour.endswith(":00") and int(hour[:2]) % 3 == 0:
            parts.append(text(panel.x(number), panel.top + PANEL + 16, hour, "axis", "middle"))
    return parts


def _nice(value: float) -> float:
    """The next round number whose quarters are round too."""
    if value <= 4:
        return 4.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 4, 8, 10, 20) if size * step >= value)
