"""The wait that is told: what it must never do, and, over whole days at the real desk, whether it was true."""

from __future__ import annotations

from itertools import pairwise
from math import log
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings, strategies as st

from calllog.events import PositionTold
from routing.wait import (
    FEWEST,
    MOST,
    NEAR_ENOUGH,
    RECENT,
    SECOND,
    SHORT,
    Outlook,
    Recent,
    estimate,
    minutes,
    tell,
)
from tests.pure.wait_play import Bank, Day, late, verdicts

times = st.lists(st.floats(5, 1200), min_size=FEWEST, max_size=MOST)
ages = st.lists(st.floats(0, 1500), min_size=1, max_size=12)
outlooks = st.builds(
    Outlook,
    ahead=st.integers(0, 30),
    before=st.integers(0, 30),
    agents=st.integers(1, 12),
    seconds=st.none() | st.floats(2, 3000),
)


@given(times, ages, st.floats(0, 50), st.floats(0, 10))
def test_whoever_is_further_back_is_never_told_less(
    recent: list[float], busy: list[float], ahead: float, more: float
) -> None:
    near, far = estimate(ahead, busy, [], recent), estimate(ahead + more, busy, [], recent)
    if near is not None and far is not None:
        assert far >= near - 1e-6


@given(times, ages, st.floats(0, 50))
def test_another_agent_never_makes_the_wait_longer(recent: list[float], busy: list[float], ahead: float) -> None:
    fewer, more = estimate(ahead, busy, [], recent), estimate(ahead, busy, [0.0], recent)
    if fewer is not None and more is not None:
        assert more <= fewer + 1e-6


def test_talks_of_one_length_are_told_as_they_are() -> None:
    steady = [180.0] * 20
    assert estimate(0, [0.0], [], steady) == pytest.approx(180)
    assert estimate(2, [0.0], [], steady) == pytest.approx(540)
    assert estimate(2, [0.0, 0.0, 0.0], [], steady) == pytest.approx(180)
    assert estimate(0, [150.0], [], steady) == pytest.approx(30), "the present talk is nearly over"
    assert estimate(0, [400.0], [], steady) == pytest.approx(180), "one longer than all before says nothing"
    assert estimate(1, [], [30.0], steady) == pytest.approx(210), "a wrap-up that has 30 s to go"


@given(times, st.integers(0, 30))
def test_nothing_is_told_when_it_is_too_uncertain(recent: list[float], ahead: int) -> None:
    assert estimate(ahead, [], [], recent) is None, "nobody can be reached"
    assert estimate(ahead, [10.0], [], recent[: FEWEST - 1]) is None, "too few recent talks"


def test_a_wide_spread_is_not_told_but_a_short_wait_is() -> None:
    wide = [10.0] * 18 + [1200.0] * 2
    assert estimate(0, [5.0], [], wide) is None
    found = estimate(0, [5.0] * 40, [], wide)
    assert found is not None and found <= SHORT


def test_old_talks_are_forgotten() -> None:
    recent = Recent()
    for n in range(MOST + 10):
        recent.add(n * SECOND, float(n))
    assert recent.at(0) == [float(n) for n in range(10, MOST + 10)]
    assert recent.at(round((RECENT + 50) * SECOND)) == [float(n) for n in range(50, MOST + 10)]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, 0), (60, 0), (61, 1), (89, 1), (91, 2), (150, 2), (211, 4), (600, 10), (700, 10), (840, 15), (1200, 20)],
)
def test_minutes_as_people_say_them(seconds: float, said: int) -> None:
    assert minutes(seconds) == said


@given(st.floats(0, 86_400), st.floats(0, 86_400))
def test_a_longer_wait_is_never_said_as_a_shorter_one(one: float, other: float) -> None:
    assert (minutes(one) <= minutes(other)) or one > other


def course(outlooks: list[Outlook]) -> list[PositionTold]:
    """What one caller is told, one after the other."""
    told: list[PositionTold] = []
    for outlook in outlooks:
        timed = [each for each in told if each.wait is not None]
        told.append(tell(told[-1] if told else None, timed[-1] if timed else None, outlook))
    return told


@given(st.lists(outlooks, min_size=2, max_size=12))
@settings(max_examples=300)
def test_what_is_told_never_grows_without_a_cause_and_the_cause_is_true(seen: list[Outlook]) -> None:
    told = course(seen)
    for before, after in pairwise(told):
        assert after.ahead <= before.ahead or after.cause, "the place fell back"
    timed = [each for each in told if each.wait is not None]
    for before, after in pairwise(timed):
        assert before.wait is not None and after.wait is not None
        assert after.wait <= before.wait or after.cause
        if after.wait > before.wait:
            fewer, overtaken = after.agents < before.agents, after.before > before.before
            assert fewer if after.cause == "agents" else overtaken
    for outlook, said in zip(seen, told, strict=True):
        assert said.wait is None or outlook.seconds is not None
        if said.wait is not None and outlook.seconds is not None:
            assert outlook.seconds <= NEAR_ENOUGH * 60 * max(1, said.wait) + SHORT, "held at what was never near"


def test_the_same_wait_is_told_again_only_while_it_is_near_enough() -> None:
    first, near, far = Outlook(2, 2, 3, 130.0), Outlook(2, 2, 3, 175.0), Outlook(2, 2, 3, 200.0)
    assert [told.wait for told in course([first, near, far, first])] == [2, 2, None, 2]
    fewer = course([first, Outlook(2, 2, 2, 200.0)])[-1]
    assert (fewer.wait, fewer.cause) == (3, "agents")
    overtaken = course([first, Outlook(2, 3, 3, 200.0)])[-1]
    assert (overtaken.wait, overtaken.cause) == (3, "priority")


def lognormal(mean: float, variation: float, random: Random) -> float:
    """Talks as call centres see them (Brown et al. 2005, "Statistical Analysis of a Telephone Call Center")."""
    square = log(1 + variation**2)
    return random.lognormvariate(log(mean) - square / 2, square**0.5)


DAYS = {
    "one agent": Day(1, lambda random: lognormal(180, 0.9, random), 0.85, 1, hours=12),
    "three agents": Day(2, lambda random: lognormal(180, 0.9, random), 0.95, 3),
    "memoryless talks": Day(3, lambda random: random.expovariate(1 / 180), 0.95, 4),
    "talks of one length": Day(4, lambda random: 180.0, 1.0, 4),
    "ten agents": Day(5, lambda random: lognormal(240, 1.2, random), 0.98, 10, hours=5),
    "complaints go ahead": Day(6, lambda random: lognormal(180, 0.9, random), 0.95, 6, urgent=0.1, hours=5),
    "records are awaited": Day(
        8, lambda random: lognormal(120, 0.7, random), 0.95, 4, hours=5,
        record=lambda random: lognormal(90, 0.6, random),
    ),
    "a shift ends": Day(7, lambda random: lognormal(180, 0.9, random), 0.95, 8, hours=3, leave_at=5000, leaving=3),
}


@pytest.mark.parametrize("name", DAYS)
def test_what_is_told_comes_true(name: str) -> None:
    """At most one of five that were told a time waits much longer, and it is no empty warning."""
    waiters = Bank(DAYS[name]).play()
    assert all(waiter.served for waiter in waiters)
    told = verdicts(waiters)
    assert len(told) > 150
    assert sum(late(*each) for each in told) <= 0.2 * len(told)
    longer = [became / said for said, became in told if said > 60]
    assert not longer or 0.5 < median(longer) < 1.2
    for waiter in waiters:
        timed = [event for _at, event in waiter.told if event.wait is not None]
        assert all(after.cause or (after.wait or 0) <= (before.wait or 0) for before, after in pairwise(timed))
    causes = {event.cause for waiter in waiters for _at, event in waiter.told} - {""}
    assert causes <= ({"agents"} if name == "a shift ends" else {"priority"} if "complaints" in name else set())
    assert causes or name not in ("a shift ends", "complaints go ahead")
