"""What came of a simulated day, by quarter-hour: the calls, and the agents' time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calllog.kpi import Tally
from routing.agents import SECOND

QUARTER = 900 * SECOND
"""A quarter-hour in µs."""

BUSY = frozenset({"ringing", "talking", "wrap_up"})
"""An agent's modes that count as handling: a ring takes their time too."""


@dataclass(slots=True)
class Quarter:
    """The calls that arrived in one quarter-hour, whenever they ended, and what the agents did in it.

    ``begins`` and ``length`` in µs; ``on_duty`` and ``busy`` are mean numbers of agents; ``load`` is the offered load
    of the talks in erlangs, as drawn; ``longest`` is the longest wait, in seconds, of an answered call.
    """

    begins: int
    length: int = QUARTER
    tally: Tally = field(default_factory=Tally)
    on_duty: float = 0.0
    busy: float = 0.0
    load: float = 0.0
    longest: float = 0.0
    most_waiting: int = 0


@dataclass(slots=True)
class Played:
    """The day as it went. ``waits`` are the answered callers' seconds from asking to the talk, in order of answer."""

    quarters: list[Quarter]
    waits: list[float] = field(default_factory=list)
    steps: int = 0
    _busy: dict[str, int] = field(default_factory=dict)
    _on_duty: int = 0
    _duty_since: int = 0

    @classmethod
    def of(cls, begins: int, ends: int) -> Played:
        """An empty day of quarter-hours from ``begins`` to ``ends`` (µs)."""
        return cls([Quarter(at) for at in range(begins, ends, QUARTER)], _duty_since=begins)

    def answered(self, quarter: Quarter, waited: float, within: float) -> None:
        """A call of this quarter-hour was answered after so many seconds; in time is ``within``."""
        quarter.tally.answered += 1
        quarter.tally.answered_in_time += waited <= within
        quarter.tally.waited += waited
        quarter.longest = max(quarter.longest, waited)
        self.waits.append(waited)

    def agent(self, now: int, agent: str, mode: str) -> None:
        """The agent is in this mode from now on."""
        if mode in BUSY:
            self._busy.setdefault(agent, now)
        elif (since := self._busy.pop(agent, None)) is not None:
            for quarter, share in self._parts(since, now):
                quarter.busy += share

    def duty(self, now: int, agents: int) -> None:
        """So many agents are on duty from now on."""
        for quarter, share in self._parts(self._duty_since, now):
            quarter.on_duty += share * self._on_duty
        self._on_duty, self._duty_since = agents, now

    def close(self, now: int) -> None:
        """The day is over."""
        self.duty(now, 0)
        for agent in list(self._busy):
            self.agent(now, agent, "off")

    def _parts(self, begins: int, ends: int) -> list[tuple[Quarter, float]]:
        """The quarter-hours that [begins, ends) touches, and the share of each."""
        first = self.quarters[0].begins
        parts = []
        for number in range((begins - first) // QUARTER, min((ends - first) // QUARTER + 1, len(self.quarters))):
            quarter = self.quarters[number]
            share = min(ends, quarter.begins + QUARTER) - max(begins, quarter.begins)
            parts.append((quarter, share / QUARTER))
        return parts

    def total(self) -> Tally:
        """The whole day's counts."""
        tally = Tally()
        for quarter in self.quarters:
            tally.add(quarter.tally)
        return tally


def together(quarters: Sequence[Quarter]) -> Quarter:
    """These quarter-hours, at least one, as one span: calls added up, agents' means taken over all."""
    span = Quarter(quarters[0].begins, sum(one.length for one in quarters))
    for one in quarters:
        span.tally.add(one.tally)
        span.on_duty += one.on_duty / len(quarters)
        span.busy += one.busy / len(quarters)
        span.load += one.load / len(quarters)
        span.longest = max(span.longest, one.longest)
        span.most_waiting = max(span.most_waiting, one.most_waiting)
    return span
