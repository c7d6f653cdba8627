"""What one caller can expect by the floor of this moment: gathers what :mod:`routing.wait` asks for. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from config import settings
from routing.messages import Handled
from routing.skills import Caller, Seat, SkillQueue
from routing.wait import SECOND, Outlook, Recent, estimate


class Experience:
    """How long callers of each skill took an agent lately."""

    def __init__(self) -> None:
        self._recent: dict[str, Recent] = {}

    def learn(self, handled: Handled, queue: settings.Queue | None, wrap_up: float) -> None:
        """A talk of this queue ended; ``wrap_up`` is the one of queues that have none of their own, in seconds."""
        if queue is not None:
            after = wrap_up if queue.wrap_up is None else queue.wrap_up
            self._recent.setdefault(queue.skill, Recent()).add(handled.at, handled.seconds + after)

    def of(self, skill: str, now: int) -> list[float]:
        """The handling times that still count, in seconds."""
        return self._recent[skill].at(now) if skill in self._recent else []


@dataclass(slots=True)
class _Team:
    """Those who can serve a skill now: how many, and how many of them each skill has."""

    agents: int
    shared: dict[SkillQueue, int]


def outlook(caller: Caller, experience: Experience, now: int) -> Outlook:
    """What this caller can expect at ``now`` (µs).

    Whoever waits for another skill of the same agents and goes before this caller counts too: wholly for ``before``,
    and for the wait by the part of that skill's agents who are also agents of this one. No time is told to a caller
    whose agent rings already, nor one beyond the longest wait, after which nobody comes.
    """
    skill = caller.skill
    team = _team(skill)
    before, share = 0, 0.0
    for other, common in team.shared.items():
        first = other.waiting.rank(caller.place)
        before += first
        share += first * common / len(other.staff)
    seconds = None
    if caller.rung is None and team.agents:
        seconds = estimate(share, *_taken(skill, now), experience.of(skill.skill, now))
    if seconds is not None and now + seconds * SECOND > caller.due:
        seconds = None
    return Outlook(skill.ahead(caller), before, team.agents, seconds)


def _team(skill: SkillQueue) -> _Team:
    alike = Counter(seat.skills for seat in _serving(skill))
    shared: dict[SkillQueue, int] = {}
    for skills, seats in alike.items():
        for other in skills:
            shared[other] = shared.get(other, 0) + seats
    return _Team(alike.total(), shared)


def _serving(skill: SkillQueue) -> list[Seat]:
    """Whoever serves callers from now on: where a pause waits for the end of the talk, nobody after it is served."""
    return [seat for seat in skill.staff.values() if not seat.state.reason]


def _taken(skill: SkillQueue, now: int) -> tuple[list[float], list[float]]:
    """For how long those who serve have been taken by their callers, and how long the others still need."""
    ages, rests = [], []
    for seat in _serving(skill):
        if seat.state.mode in ("ringing", "talking"):
            ages.append(max(0, now - (seat.taken_at or seat.state.changed_at)) / SECOND)
        else:
            rests.append(max(0, _free_at(seat) - now) / SECOND)
    return ages, rests


def _free_at(seat: Seat) -> int:
    return seat.state.until if seat.state.mode == "wrap_up" else seat.cool_until
