"""What one caller can expect by the floor of this moment: gathers what :mod:`routing.wait` asks for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from config import settings
from routing.messages import Handled
from routing.skills import Caller, Seat, SkillQueue
from routing.wait import SECOND, Outlook, Pace, Recent, Writing, pace


@dataclass(frozen=True, slots=True)
class _Team:
    """Those who can serve a skill: how many, the pace at which they do, and how many of them serve each other skill.

    ``stamp``: as of which moment.
    """

    stamp: tuple[int, int, int]
    agents: int
    pace: Pace | None
    shared: dict[SkillQueue, int]


class Outlooks:
    """How long callers of each skill took an agent lately, and what callers can expect by that.

    A team is looked at once a second at most, and after each change: with thousands of agents that takes milliseconds,
    and thousands of callers ask. So the time that passes counts in whole seconds, by the clock and not by who asks.
    """

    def __init__(self) -> None:
        self._recent: dict[str, Recent] = {}
        self._learnt: Counter[str] = Counter()
        self._teams: dict[tuple[SkillQueue, bool], _Team] = {}

    def learn(self, handled: Handled, queue: settings.Queue | None, wrap_up: float) -> None:
        """A talk of this queue ended, and its record is written where it was awaited; ``wrap_up`` (seconds) is the one
        of queues that have none of their own."""
        if queue is not None:
            after = wrap_up if queue.wrap_up is None else queue.wrap_up
            after = after if handled.after is None else handled.after
            self._recent.setdefault(queue.skill, Recent()).add(handled.at, handled.seconds + after)
            self._learnt[queue.skill] += 1

    def of(self, caller: Caller, now: int) -> Outlook:
        """What this caller can expect at ``now`` (µs).

        Whoever waits for another skill of the same agents and goes before this caller counts too: wholly for
        ``before``, and for the wait by the part of that skill's agents who are also agents of this one. No time is
        told to a caller whose agent rings already, nor one beyond the longest wait, after which nobody comes. Backups
        count where they are rung.
        """
        skill = caller.skill
        team = self._team(skill, skill.backups_too(caller), now // SECOND)
        before, share = 0, 0.0
        for other, common in team.shared.items():
            first = other.waiting.rank(caller.place)
            before += first
            share += first * min(1.0, common / (other.first or other.serving))
        seconds = team.pace.within(share) if caller.rung is None and team.pace is not None else None
        if seconds is not None and now + seconds * SECOND > caller.due:
            seconds = None
        return Outlook(skill.ahead(caller), before, team.agents, seconds)

    def _team(self, skill: SkillQueue, backups: bool, second: int) -> _Team:
        stamp = (skill.changes, self._learnt[skill.skill], second)
        team = self._teams.get((skill, backups))
        if team is None or team.stamp != stamp:
            recent = self._recent.get(skill.skill)
            now = second * SECOND
            seats = [seat for seat in skill.staff.values() if backups or not seat.backup]
            team = _look(seats, now, recent.at(now) if recent is not None else [], stamp)
            self._teams[skill, backups] = team
        return team


def _look(seats: Iterable[Seat], now: int, recent: list[float], stamp: tuple[int, int, int]) -> _Team:
    """For how long those who serve have been taken by their callers, how long the others still need, and who they
    are."""
    # Where a pause waits for the end of the talk, nobody after it is served.
    serving = [seat for seat in seats if not seat.state.reason]
    ages, rests, records = [], [], []
    for seat in serving:
        state = seat.state
        if state.mode in ("ringing", "talking"):
            ages.append(max(0, now - (seat.taken_at or state.changed_at)) / SECOND)
        elif state.mode == "wrap_up" and state.free_from and seat.taken_at:
            most = max(0, state.until - now) / SECOND
            least = min(most, max(0, state.free_from - now) / SECOND)
            records.append(Writing(max(0, now - seat.taken_at) / SECOND, least, most))
        else:
            rests.append(max(0, _free_at(seat) - now) / SECOND)
    shared: dict[SkillQueue, int] = {}
    for skills, alike in Counter(seat.skills for seat in serving).items():
        for other in skills:
            shared[other] = shared.get(other, 0) + alike
    return _Team(stamp, len(serving), pace(ages, rests, recent, records) if serving else None, shared)


def _free_at(seat: Seat) -> int:
    return seat.state.until if seat.state.mode == "wrap_up" else seat.cool_until
