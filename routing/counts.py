"""Intervals of time, and how many of something there are at every instant: sweep lines over whole numbers. Pure.

Intervals are half-open; times are whole numbers of one unit (the roster's are µs since 1970 UTC). "In order" means
sorted, no two of them overlapping or touching, as :func:`union` gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Interval = tuple[int, int]
T = TypeVar("T")
U = TypeVar("U")


def union(spans: Iterable[Interval]) -> list[Interval]:
    """The same instants, in order; empty and reversed intervals hold none."""
    found: list[Interval] = []
    for begins, ends in sorted(spans):
        if begins >= ends:
            continue
        if found and begins <= found[-1][1]:
            if ends > found[-1][1]:
                found[-1] = found[-1][0], ends
        else:
            found.append((begins, ends))
    return found


def common(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The instants in both; both in order."""
    found: list[Interval] = []
    one = other = 0
    while one < len(some) and other < len(others):
        begins, ends = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if begins < ends:
            found.append((begins, ends))
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return found


def without(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The instants in ``some`` and not in ``others``; both in order."""
    found: list[Interval] = []
    other = 0
    for begins, ends in some:
        while other < len(others) and others[other][1] <= begins:
            other += 1
        at, here = begins, other
        while here < len(others) and others[here][0] < ends:
            if at < others[here][0]:
                found.append((at, others[here][0]))
            at = max(at, others[here][1])
            here += 1
        if at < ends:
            found.append((at, ends))
    return found


def clipped(spans: Iterable[Interval], begins: int, ends: int) -> list[Interval]:
    """What of them lies in [begins, ends)."""
    cut = ((max(one, begins), min(other, ends)) for one, other in spans)
    return [(one, other) for one, other in cut if one < other]


def total(spans: Iterable[Interval]) -> int:
    """The sum of their lengths."""
    return sum(ends - begins for begins, ends in spans)


class Tally:
    """How many intervals hold each instant: what is added and taken away at each boundary, summed when asked."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: dict[int, int] = {}

    def add(self, spans: Iterable[Interval], many: int = 1) -> None:
        """Count these as well, each as so many."""
        changes = self._changes
        for begins, ends in spans:
            changes[begins] = changes.get(begins, 0) + many
            changes[ends] = changes.get(ends, 0) - many

    def add_all(self, other: Tally) -> None:
        """Count what another one has counted as well."""
        for at, change in other._changes.items():
            self._changes[at] = self._changes.get(at, 0) + change

    def steps(self, begins: int, ends: int) -> list[tuple[int, int, int]]:
        """(from, to, how many) over all of [begins, ends), each as long as the number stays; empty where that is."""
        if begins >= ends:
            return []
        found: list[tuple[int, int, int]] = []
        count, since = 0, begins
        for at in sorted(self._changes):
            if at >= ends:
                break
            change = self._changes[at]
            if change and at > since:
                found.append((since, at, count))
                since = at
            count += change
        found.append((since, ends, count))
        return found


def painted(
    layers: Iterable[tuple[int, int, T]], ground: T, begins: int, ends: int
) -> list[tuple[int, int, T]]:
    """[begins, ends) in the colour ``ground``, then each (from, to, colour) painted over it, the last on top.

    Neighbours of one colour are one; empty where the span is.
    """
    if begins >= ends:
        return []
    shown = [(max(one, begins), min(other, ends), colour) for one, other, colour in layers]
    edges: dict[int, tuple[list[int], list[int]]] = {begins: ([], [])}
    for index, (one, other, _colour) in enumerate(shown):
        if one < other:
            edges.setdefault(one, ([], []))[0].append(index)
            edges.setdefault(other, ([], []))[1].append(index)
    found: list[tuple[int, int, T]] = []
    on: set[int] = set()
    times = [at for at in sorted(edges) if at < ends]
    for at, until in zip(times, [*times[1:], ends], strict=True):
        opened, closed = edges[at]
        on.difference_update(closed)
        on.update(opened)
        colour = shown[max(on)][2] if on else ground
        if at >= until:
            continue
        if found and found[-1][2] == colour:
            found[-1] = found[-1][0], until, colour
        else:
            found.append((at, until, colour))
    return found


def together(
    one: Sequence[tuple[int, int, T]], other: Sequence[tuple[int, int, U]]
) -> list[tuple[int, int, T, U]]:
    """Two divisions of one span, as one that has the boundaries of both."""
    found: list[tuple[int, int, T, U]] = []
    first = second = 0
    while first < len(one) and second < len(other):
        begins, ends = max(one[first][0], other[second][0]), min(one[first][1], other[second][1])
        if begins < ends:
            found.append((begins, ends, one[first][2], other[second][2]))
        if one[first][1] <= ends:
            first += 1
        if other[second][1] <= ends:
            second += 1
    return found
