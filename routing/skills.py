"""One skill's queue: the callers who wait for it, and beside it the agents who are free for it.

Callers who may be answered from one level of a skill on, and those who may from another, wait apart; an agent stands
beside each queue that their level reaches. A seat is an agent as the desk sees them: their state, and where they are
listed. All listing goes through :meth:`Seat.list` and :meth:`Seat.unlist`, so that counts and lists cannot part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from calllog.folds import AgentState
from config.settings import Device
from routing.messages import CallAsked
from routing.ranked import Ranked
from routing.strategy import Rank, Strategy

Place = tuple[int, int, int, str]
"""A caller's place: priority, asked at (µs), order of arrival, call_id."""


class SkillQueue:
    """The callers of one skill from one level on, and its agents.

    ``on_duty`` counts its agents on duty; ``serving`` those of them who can be reached and are not paused, ``first``
    those of these who are not backups, and ``staff`` has the seats of all who serve. ``overdue`` are the callers who
    have waited so long that backups are rung for them too. ``changes`` grows with whatever becomes of its agents.
    """

    __slots__ = (
        "backups", "changes", "first", "free", "level", "on_duty", "overdue", "rung", "serving", "skill", "staff",
        "waiting",
    )  # fmt: skip

    def __init__(self, skill: str, level: int = 1) -> None:
        self.skill: Final = skill
        self.level: Final = level
        self.waiting: Final[Ranked[Place]] = Ranked()
        self.overdue: Final[Ranked[Place]] = Ranked()
        self.rung: Final[Ranked[Place]] = Ranked()
        self.free: Final[Ranked[tuple[Rank, str]]] = Ranked()
        self.backups: Final[Ranked[tuple[Rank, str]]] = Ranked()
        self.staff: Final[dict[str, Seat]] = {}
        self.on_duty = self.serving = self.first = 0
        self.changes = 0

    def enter(self, caller: Caller) -> None:
        """The caller comes, as they are: waiting or rung."""
        (self.waiting if caller.rung is None else self.rung).add(caller.place)
        if caller.overdue and caller.rung is None:
            self.overdue.add(caller.place)

    def leave(self, caller: Caller) -> None:
        """The caller is no longer here."""
        (self.waiting if caller.rung is None else self.rung).remove(caller.place)
        if caller.overdue and caller.rung is None:
            self.overdue.remove(caller.place)

    def ring(self, caller: Caller, seat: Seat | None) -> None:
        """The seat's agent rings for the caller, or no longer (None). The caller keeps the place."""
        self.leave(caller)
        caller.rung = seat
        self.enter(caller)

    def ahead(self, caller: Caller) -> int:
        """How many callers of this skill are before this one, those whose agent rings included."""
        return self.waiting.rank(caller.place) + self.rung.rank(caller.place)

    def next(self) -> Place | None:
        """The first caller for whom somebody can be rung now; None when there is none."""
        if self.waiting and (self.free or (self.backups and not self.first)):
            return self.waiting.first()
        return self.overdue.first() if self.overdue and self.backups else None

    def choose(self, caller: Caller) -> str:
        """The free agent to ring: one whom this caller has rung only when no other is free. One must be free."""
        able = [self.free, self.backups] if self.backups_too(caller) else [self.free]
        first = ""
        for _, agent in chain.from_iterable(able):
            if agent not in caller.tried:
                break
            first = first or agent
        else:
            agent = first
            caller.tried.clear()  # a new round
        caller.tried.add(agent)
        return agent

    def backups_too(self, caller: Caller) -> bool:
        """Whether backups are rung for this caller: nobody of the first line serves, or they have waited too long."""
        return not self.first or caller.overdue


@dataclass(slots=True, eq=False)
class Caller:
    """A caller who waits. ``due`` (µs) ends the longest wait; from ``backup_due`` on (µs; 0: never) they are
    ``overdue``. ``rung`` is the seat that rings for them."""

    asked: CallAsked
    skill: SkillQueue
    number: int
    rings: int
    tried: set[str]
    place: Place = field(init=False)
    due: int = 0
    backup_due: int = 0
    overdue: bool = False
    rung: Seat | None = None
    ring_due: int = 0

    def __post_init__(self) -> None:
        self.place = (self.asked.priority, self.asked.asked_at, self.number, self.asked.call_id)


@dataclass(slots=True, eq=False)
class Seat:
    """An agent at the desk.

    ``known``: they are in the settings. ``levels``: of their skills on this date; ``devices``: those that this shift
    rings; ``begun`` (µs): when it began, ``backup``: it is one. ``queue``, ``taken_at`` (µs, when its ring began; 0:
    unknown) and ``bridged`` are about the present ring or talk; no ring before ``cool_until`` (µs). ``paused``: the
    reason of a pause that a break came into. ``counted_*`` is what the skills' counts hold of this agent.
    """

    state: AgentState
    known: bool = False
    levels: Mapping[str, int] = field(default_factory=dict)
    skills: tuple[SkillQueue, ...] = ()
    devices: tuple[Device, ...] = ()
    on_duty: bool = False
    backup: bool = False
    begun: int = 0
    paused: str = ""
    bridged: bool = False
    queue: str = ""
    taken_at: int = 0
    cool_until: int = 0
    counted_duty: int = 0
    counted_serving: int = 0
    counted_first: int = 0
    listed: list[tuple[Ranked[tuple[Rank, str]], tuple[Rank, str]]] = field(default_factory=list)

    def unlist(self) -> None:
        """Take the agent out of every list and count."""
        for among, key in self.listed:
            among.remove(key)
        self.listed.clear()
        for skill in self.skills:
            skill.changes += 1
            skill.on_duty -= self.counted_duty
            skill.serving -= self.counted_serving
            skill.first -= self.counted_first
            skill.staff.pop(self.state.agent, None)
        self.counted_duty = self.counted_serving = self.counted_first = 0

    def list(self, now: int, reachable: bool, strategy: Strategy) -> None:
        """Put the agent into the lists and counts that their state asks for."""
        if not self.on_duty:
            return
        self.counted_duty = 1
        self.counted_serving = int(reachable and self.state.mode not in ("off", "paused"))
        self.counted_first = 0 if self.backup else self.counted_serving
        free = reachable and self.state.mode == "ready" and now >= self.cool_until
        for skill in self.skills:
            skill.changes += 1
            skill.on_duty += 1
            skill.serving += self.counted_serving
            skill.first += self.counted_first
            if self.counted_serving:
                skill.staff[self.state.agent] = self
            if free:
                key = (strategy(self.state, self.levels[skill.skill]), self.state.agent)
                among = skill.backups if self.backup else skill.free
                among.add(key)
                self.listed.append((among, key))
