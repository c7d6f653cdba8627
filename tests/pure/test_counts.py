"""Sweep lines over intervals say for every instant what a count of that instant alone says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings, strategies as st

from routing.counts import Interval, Tally, clipped, common, painted, together, total, union, without

TIMES = st.integers(-3, 40)
SPANS = st.lists(st.tuples(TIMES, TIMES), max_size=8)
INSTANTS = range(-5, 45)
FEW = settings(max_examples=150, deadline=None)


def holds(spans: Sequence[Interval], at: int) -> bool:
    return any(begins <= at < ends for begins, ends in spans)


def in_order(spans: Sequence[Interval]) -> bool:
    return all(begins < ends for begins, ends in spans) and all(
        one[1] < other[0] for one, other in pairwise(spans)
    )


@FEW
@given(SPANS, SPANS)
def test_sets_of_instants(some: list[Interval], others: list[Interval]) -> None:
    one, other = union(some), union(others)
    both, rest = common(one, other), without(one, other)
    assert in_order(one) and in_order(both) and in_order(rest)
    for at in INSTANTS:
        assert holds(one, at) == holds(some, at)
        assert holds(both, at) == (holds(some, at) and holds(others, at))
        assert holds(rest, at) == (holds(some, at) and not holds(others, at))
        assert holds(clipped(some, 3, 20), at) == (3 <= at < 20 and holds(some, at))
    assert total(both) + total(rest) == total(one) == sum(holds(some, at) for at in INSTANTS)


@FEW
@given(SPANS, SPANS, TIMES, TIMES)
def test_how_many(some: list[Interval], more: list[Interval], begins: int, ends: int) -> None:
    tally, other = Tally(), Tally()
    tally.add(span for span in some if span[0] <= span[1])
    other.add(span for span in more if span[0] <= span[1])
    tally.add_all(other)
    steps = tally.steps(begins, ends)
    told = {at: n for one, until, n in steps for at in range(one, until)}
    assert told == {
        at: sum(one <= at < until for one, until in [*some, *more]) for at in range(begins, ends)
    }
    assert all(one[1] == two[0] and one[2] != two[2] for one, two in pairwise(steps))


@FEW
@given(st.lists(st.tuples(TIMES, TIMES, st.integers(1, 3)), max_size=6), SPANS, TIMES, TIMES)
def test_layers(layers: list[tuple[int, int, int]], some: list[Interval], begins: int, ends: int) -> None:
    found = painted(layers, 0, begins, ends)
    told = {at: colour for one, until, colour in found for at in range(one, until)}
    for at in range(begins, ends):
        assert told[at] == next((colour for one, until, colour in reversed(layers) if one <= at < until), 0)
    assert set(told) == set(range(begins, ends))
    assert all(one[2] != two[2] for one, two in pairwise(found))
    tally = Tally()
    tally.add(span for span in some if span[0] <= span[1])
    steps = tally.steps(begins, ends)
    joint = together(found, steps)
    assert [each for one, until, *each in joint for at in range(one, until)] == [
        [told[at], sum(one <= at < until for one, until in some)] for at in range(begins, ends)
    ]
