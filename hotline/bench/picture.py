"""The figures as one picture (SVG), in the language in force: CPU, answers, the wait for the next ring, the desk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from config.catalogue import _
from hotline import svg
from hotline.bench.figures import Measured, quantile
from hotline.bench.measure import Busy
from hotline.svg import dot, line, rect, text

WIDTH, HEIGHT = 960, 640
LEFT, WIDE, HIGH = 70, 370, 190
PLACES = ((LEFT, 60), (LEFT + 480, 60), (LEFT, 380), (LEFT + 480, 380))
"""Upper left corner of each panel."""
STYLE = svg.STYLE + ".goal { stroke: #c05640; stroke-width: 1.5; stroke-dasharray: 5 4 }\n"
QUEUE, OURS, DAEMON, WORKERS = "#9aa5b1", "#2c7a7b", "#d9a441", "#7b5ea7"


def draw(found: Measured) -> str:
    """The picture; panels of what was not measured stay empty."""
    parts: list[str] = []
    if found.plain and found.hotline:
        parts += _cpu(found, *PLACES[0])
        parts += _answers(found, *PLACES[1])
    if found.hotline_free:
        parts += _free(found, *PLACES[2])
    if found.decisions:
        parts += _desk(found, *PLACES[3])
    return svg.page(WIDTH, HEIGHT, _("Hotline beside the dialplan and Queue()"), STYLE, parts)


def _cpu(found: Measured, x: int, y: int) -> list[str]:
    """Stacked bars, with a dot for each round's sum, and the target."""
    rounds = {"Queue()": found.plain, "Hotline": found.hotline}
    goal = 1100 * fmean(one.cost.whole for one in found.plain)
    most = 1.15 * max(goal, *(1000 * one.cost.whole for side in rounds.values() for one in side))
    parts = [text(x, y - 12, _("CPU per call, ms (dots: rounds; dashed: the target)"), "head")]
    colours = ((OURS, "Asterisk"), (DAEMON, _("daemon")), (WORKERS, _("archive")))
    for at, (name, side) in enumerate(rounds.items()):
        top, left = y + 20 + 70 * at, float(x + 60)
        scale = (WIDE - 60) / most
        parts.append(text(x + 52, top + 26, name, anchor="end"))
        for (colour, _what), values in zip(colours, zip(*(_parts(one) for one in side), strict=True), strict=True):
            wide = fmean(values) * scale
            parts.append(rect(left, top, wide, 40, colour if name == "Hotline" else QUEUE))
            left += wide
        parts.append(text(left + 6, top + 16, f"{fmean(1000 * one.cost.whole for one in side):.1f}", "head"))
        parts += [dot(x + 60 + 1000 * one.cost.whole * scale, top + 33, "#1f2933") for one in side]
        if at:
            parts.append(line(x + 60 + goal * scale, y + 8, x + 60 + goal * scale, top + 50, "goal"))
    for at, (colour, what) in enumerate(colours):
        parts += [rect(x + 60 + 100 * at, y + 160, 10, 10, colour), text(x + 74 + 100 * at, y + 169, what, "axis")]
    return parts


def _parts(one: Busy) -> tuple[float, float, float]:
    return 1000 * one.cost.asterisk, 1000 * one.cost.daemon, 1000 * one.cost.workers


def _answers(found: Measured, x: int, y: int) -> list[str]:
    """How many of a hundred calls were answered within so many milliseconds."""
    sides = ((found.plain, QUEUE, "Queue()"), (found.hotline, OURS, "Hotline"))
    every = {name: [1000 * value for one in side for value in one.answer] for side, _colour, name in sides}
    low, high = 0.5, max(100.0, *(quantile(values, 0.999) for values in every.values()))
    parts = [text(x, y - 12, _("Calls answered (200) within so many ms, %"), "head")]
    parts += _log_axis(x, y, low, high)
    for share in (0, 50, 99, 100):
        level = y + HIGH * (1 - share / 100)
        parts.append(line(x, level, x + WIDE, level, "grid"))
        if share != 99:
            parts.append(text(x - 6, level + 4, str(share), "axis", "end"))
    for at, (_side, colour, name) in enumerate(sides):
        values = every[name]
        points = [(_log(quantile(values, step / 200), low, high), step / 200) for step in range(201)]
        path = " ".join(f"{x + WIDE * place:.1f},{y + HIGH * (1 - share):.1f}" for place, share in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        label = _("{name}: p99 {value:.1f} ms").format(name=name, value=quantile(values, 0.99))
        parts.append(text(x + WIDE - 6, y + HIGH - 30 + 18 * at, label, "axis", "end"))
    return parts


def _free(found: Measured, x: int, y: int) -> list[str]:
    """Every wait as a dot, on a logarithmic scale."""
    parts = [text(x, y - 12, _("Hang-up to the next ring, ms (dashed: the target)"), "head")]
    low, high = 1.0, 2_000.0
    parts += _log_axis(x, y, low, high)
    for at, (rounds, colour, name) in enumerate(
        ((found.queue_free, QUEUE, "Queue()"), (found.hotline_free, OURS, "Hotline"))
    ):
        values = sorted(1000 * value for one in rounds for value in one)
        if not values:
            continue
        top = y + 30 + 80 * at
        for number, value in enumerate(values):
            parts.append(dot(x + WIDE * _log(value, low, high), top + number * 7 % 40, colour, 2.5))
        label = _("{name}: median {middle:.1f}, p99 {last:.1f} ms").format(
            name=name, middle=quantile(values, 0.5), last=quantile(values, 0.99)
        )
        parts.append(text(x, top - 8, label, "axis"))
    goal = x + WIDE * _log(20.0, low, high)
    return [*parts, line(goal, y, goal, y + HIGH, "goal")]


def _desk(found: Measured, x: int, y: int) -> list[str]:
    """Median and p99 of a step by the callers who wait."""
    sizes = found.decisions
    most = 1.2 * 1e6 * max(one.p99 for one in sizes)
    low, high = float(sizes[0].waiting), float(sizes[-1].waiting)
    parts = [text(x, y - 12, _("A decision of the desk by the callers who wait, µs"), "head")]
    for step in range(5):
        level = y + HIGH * (1 - step / 4)
        parts.append(line(x, level, x + WIDE, level, "grid"))
        parts.append(text(x - 6, level + 4, f"{most * step / 4:.0f}", "axis", "end"))
    for colour, name, values in (
        (WORKERS, "p99", [1e6 * one.p99 for one in sizes]), (OURS, _("median"), [1e6 * one.median for one in sizes]),
    ):  # fmt: skip
        points = [
            (x + WIDE * _log(one.waiting, low, high), y + HIGH * (1 - value / most))
            for one, value in zip(sizes, values, strict=True)
        ]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        parts += [dot(across, down, colour) for across, down in points]
        parts.append(text(x + 8, points[0][1] - 8, name, "axis"))
    for one in sizes:
        place = x + WIDE * _log(one.waiting, low, high)
        parts.append(text(place, y + HIGH + 16, f"{one.waiting:,}", "axis", "middle"))
    return parts


def _log(value: float, low: float, high: float) -> float:
    """Where a value lies between the two, from 0 to 1, on a logarithmic scale."""
    return math.log(min(high, max(low, value)) / low) / math.log(high / low)


def _log_axis(x: int, y: int, low: float, high: float) -> list[str]:
    parts = [line(x, y + HIGH, x + WIDE, y + HIGH, "base")]
    marks: Sequence[float] = [mark for mark in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if low <= mark <= high]
    for mark in marks:
        place = x + WIDE * _log(mark, low, high)
        parts += [line(place, y, place, y + HIGH, "grid"), text(place, y + HIGH + 16, f"{mark:g}", "axis", "middle")]
    return parts
