"""How long a caller may still have to wait, and what of it can honestly be told. Pure: no clock, no I/O.

Theory of operation. A queue moves on when agents become free. With ``s`` agents at work who take ``m`` seconds for a
caller on average, one becomes free about every ``m / s`` seconds, so with ``n`` callers ahead of one the wait is near
``(n + 1) * m / s``. The literature on delay announcements calls this the queue-length estimator with the numbers of
this moment (QL; Ibrahim and Whitt 2009, "Real-Time Delay Estimation Based on Delay History", section 2): of the simple
ones it errs least, and it knows at once when agents come or go, which those that look at the waits of others (LES,
HOL) learn only when it is too late. Two things are added to it:

- The first agent becomes free after what the *present* talks still need, not after a whole one: each is expected to
  last as long as those recent ones did that were longer than it is now. Together they end at the sum of their rates.
- What is told is not the mean but a time within which four of five callers are served (:data:`SURE` standard
  deviations above it: Jouini, Aksin and Dallery 2011, "Call Centers with Delay Information": announce a percentile,
  since a wait that is longer than told hurts more than one that is shorter). Each agent's next end and each later one
  is taken to vary as the recent handling times do, and their mean to be known only as well as their number allows.

Nothing is told when the spread is wide against the mean, when there are too few recent talks, or when nobody can
come. A short wait may vary as it likes: "less than a minute" is true all the same.

Then the promise. :func:`tell` never tells a longer wait than before, unless it can say why: fewer agents who can
answer, or more callers ahead. What grew for no such cause is held at what was told, for as long as that is near
enough; when it is not, no time is told.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from calllog.events import PositionTold, WaitCause

SECOND = 1_000_000
"""Microseconds in a second."""

FEWEST, MOST = 8, 50
"""How many recent handling times an estimate needs, and how many it looks at."""

RECENT = 8 * 3600.0
"""Seconds after which a handling time says nothing of the present: a shift."""

SURE = 0.84
"""Standard deviations above the mean below which four of five values of a normal distribution lie."""

WIDEST = 0.75
"""The standard deviation in means above which a wait is too uncertain to be told: one exponential talk is (1.0), the
second of two is not (0.71)."""

SHORT = 60.0
"""Seconds of a wait that is told as less than a minute, however it may vary."""

SOONEST = 2.0
"""Seconds that even a free agent needs: their phone has to ring."""

NEAR_ENOUGH = 1.5
"""By how much an estimate may exceed what was told and still be told as it was."""

EXACT_MINUTES, STEP_MINUTES = 10, 5
"""Up to ten minutes each is told; beyond, people say fifteen, twenty."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one caller can expect.

    ``ahead`` callers of their skill are before them, ``before`` of all skills that share agents with it; ``agents``
    can answer at all. Four of five are served within ``seconds``; None: too uncertain.
    """

    ahead: int
    before: int = 0
    agents: int = 0
    seconds: float | None = None


class Recent:
    """The latest handling times of one skill, in seconds: from the ring that was answered to the end of the wrap-up,
    with what the agent really took for the call's record where that is awaited."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[tuple[int, float]] = deque(maxlen=MOST)

    def add(self, at: int, seconds: float) -> None:
        """A talk ended at ``at`` (µs)."""
        self._times.append((at, seconds))

    def at(self, now: int) -> list[float]:
        """Those that still count at ``now`` (µs)."""
        while self._times and self._times[0][0] < now - RECENT * SECOND:
            self._times.popleft()
        return [seconds for _at, seconds in self._times]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a queue moves on: its next caller is served in ``first`` seconds, each later one ``step`` seconds after that.

    ``variation`` is that of the handling times, over their mean; ``known`` how many of them the pace is made of.
    """

    first: float
    step: float
    variation: float
    known: int

    def within(self, ahead: float) -> float | None:
        """The seconds within which four of five callers with so many before them are served; None: uncertain.

        ``ahead`` need not be whole: of callers who wait for another skill some are served by agents of this one. It
        grows with ``ahead``.
        """
        expected = self.first + ahead * self.step
        spread = sqrt(
            self.variation**2 * (self.first**2 + ahead * self.step**2) + (expected * self.variation) ** 2 / self.known
        )
        seconds = expected + SURE * spread
        return seconds if seconds <= SHORT or spread <= WIDEST * expected else None


@dataclass(frozen=True, slots=True)
class Writing:
    """An agent from whom a call's record is awaited: taken by that caller for ``age`` seconds, and free again in
    ``least`` seconds at the soonest and ``most`` at the latest."""

    age: float
    least: float
    most: float


def estimate(ahead: float, ages: Iterable[float], rests: Iterable[float], recent: Sequence[float]) -> float | None:
    """:meth:`Pace.within` of the :func:`pace`."""
    found = pace(ages, rests, recent)
    return None if found is None else found.within(ahead)


def pace(
    ages: Iterable[float], rests: Iterable[float], recent: Sequence[float], records: Iterable[Writing] = ()
) -> Pace | None:
    """How a queue moves on; None where too little is known, or nobody can come.

    ``ages``: for how long each agent who can answer has been taken by their present caller. ``rests``: how long each
    other one still needs who is in no talk (wrap-up), but for those who write ``records``. ``recent``: handling times.
    """
    if len(recent) < FEWEST:
        return None
    times = sorted(recent)
    sums = [0.0, *accumulate(times)]
    mean = sums[-1] / len(times)
    if mean <= 0:
        return Pace(SOONEST, 0.0, 0.0, len(times))
    variation = sqrt(sum((each - mean) ** 2 for each in times) / (len(times) - 1)) / mean
    left = [_rest(age, times, sums, mean) for age in ages]
    left += [max(SOONEST, rest) for rest in rests]
    for one in records:
        left.append(max(SOONEST, one.least, min(one.most, _rest(one.age, times, sums, mean))))
    if not left:
        return None
    return Pace(1 / sum(1 / max(SOONEST, rest) for rest in left), mean / len(left), variation, len(times))


def _rest(age: float, times: Sequence[float], sums: Sequence[float], mean: float) -> float:
    """How long a talk of this age still lasts, by the recent ones that were longer; a mean one where few were."""
    first = bisect_right(times, age)
    longer = len(times) - first
    return (sums[-1] - sums[first]) / longer - age if longer >= FEWEST // 2 else mean


def minutes(seconds: float) -> int:
    """As people say it: 0 is less than a minute; up to ten each minute, then every fifth."""
    if seconds <= SHORT:
        return 0
    whole = max(1, round(seconds / 60))
    return whole if whole <= EXACT_MINUTES else STEP_MINUTES * round(whole / STEP_MINUTES)


def tell(
    last: PositionTold | None, last_wait: PositionTold | None, outlook: Outlook, *, place: bool = True
) -> PositionTold:
    """What a caller is told now, after what they were told last, and last with a time. ``place``: also how many wait
    ahead.

    The time never exceeds the one told before, and the place never falls back, unless the cause is told with it.
    """
    cause: WaitCause = ""
    wait = None if outlook.seconds is None else minutes(outlook.seconds)
    if place and last is not None and outlook.ahead > last.ahead:
        cause = "priority"
    if wait is not None and last_wait is not None and last_wait.wait is not None and wait > last_wait.wait:
        if outlook.agents < last_wait.agents:
            cause = "agents"
        elif outlook.before > last_wait.before:
            cause = "priority"
        elif outlook.seconds is not None and outlook.seconds <= NEAR_ENOUGH * 60 * max(1, last_wait.wait):
            wait = last_wait.wait
        else:
            wait = None
    return PositionTold(
        ahead=outlook.ahead, place=place, wait=wait, agents=outlook.agents, before=outlook.before, cause=cause
    )
