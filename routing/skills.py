"""One skill's queue: the callers who wait for it, and beside it the agents who are free for it.

A seat is an agent as the desk sees them: their state, and where they are listed. All listing goes through
:meth:`Seat.list` and :meth:`Seat.unlist`, so that counts and lists cannot part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from calllog.folds import AgentState
from config.settings import Device
from routing.messages import CallAsked
from routing.ranked import Ranked
from routing.strategy import Rank, Strategy

Place = tuple[int, int, int, str]
"""A caller's place: priority, asked at (µs), order of arrival, call_id."""


class SkillQueue:
    """The callers of one skill, and its agents.

    ``on_duty`` counts its agents on duty; ``serving`` those of them who can be reached and are not paused, and
    ``staff`` has the seats of these. ``changes`` grows with whatever becomes of its agents.
    """

    __slots__ = ("changes", "free", "on_duty", "rung", "serving", "skill", "staff", "waiting")

    def __init__(self, skill: str) -> None:
        self.skill: Final = skill
        self.waiting: Final[Ranked[Place]] = Ranked()
        self.rung: Final[Ranked[Place]] = Ranked()
        self.free: Final[Ranked[tuple[Rank, str]]] = Ranked()
        self.staff: Final[dict[str, Seat]] = {}
        self.on_duty = 0
        self.serving = 0
        self.changes = 0

    def enter(self, caller: Caller) -> None:
        """The caller comes, as they are: waiting or rung."""
        (self.waiting if caller.rung is None else self.rung).add(caller.place)

    def leave(self, caller: Caller) -> None:
        """The caller is no longer here."""
        (self.waiting if caller.rung is None else self.rung).remove(caller.place)

    def ring(self, caller: Caller, seat: Seat | None) -> None:
        """The seat's agent rings for the caller, or no longer (None). The caller keeps the place."""
        self.leave(caller)
        caller.rung = seat
        self.enter(caller)

    def ahead(self, caller: Caller) -> int:
        """How many callers of this skill are before this one, those whose agent rings included."""
        return self.waiting.rank(caller.place) + self.rung.rank(caller.place)

    def choose(self, caller: Caller) -> str:
        """The free agent to ring: one whom this caller has rung only when no other is free. One must be free."""
        for _, agent in self.free:
            if agent not in caller.tried:
                break
        else:
            agent = self.free.first()[1]
            caller.tried.clear()  # a new round
        caller.tried.add(agent)
        return agent


@dataclass(slots=True, eq=False)
class Caller:
    """A caller who waits. ``due`` (µs) ends the longest wait; ``rung`` is the seat that rings for them."""

    asked: CallAsked
    skill: SkillQueue
    number: int
    rings: int
    tried: set[str]
    place: Place = field(init=False)
    due: int = 0
    rung: Seat | None = None
    ring_due: int = 0

    def __post_init__(self) -> None:
        self.place = (self.asked.priority, self.asked.asked_at, self.number, self.asked.call_id)


@dataclass(slots=True, eq=False)
class Seat:
    """An agent at the desk.

    ``known``: they are in the settings. ``queue``, ``taken_at`` (µs, when its ring began; 0: unknown) and ``bridged``
    are about the present ring or talk; no ring before
    ``cool_until`` (µs). ``counted_*`` is what the skills' counts hold of this agent.
    """

    state: AgentState
    known: bool = False
    skills: tuple[SkillQueue, ...] = ()
    devices: tuple[Device, ...] = ()
    on_duty: bool = False
    bridged: bool = False
    queue: str = ""
    taken_at: int = 0
    cool_until: int = 0
    counted_duty: int = 0
    counted_serving: int = 0
    listed: list[tuple[SkillQueue, tuple[Rank, str]]] = field(default_factory=list)

    def unlist(self) -> None:
        """Take the agent out of every list and count."""
        for skill, key in self.listed:
            skill.free.remove(key)
        self.listed.clear()
        for skill in self.skills:
            skill.changes += 1
            skill.on_duty -= self.counted_duty
            skill.serving -= self.counted_serving
            skill.staff.pop(self.state.agent, None)
        self.counted_duty = self.counted_serving = 0

    def list(self, now: int, reachable: bool, strategy: Strategy) -> None:
        """Put the agent into the lists and counts that their state asks for."""
        if not self.on_duty:
            return
        self.counted_duty = 1
        self.counted_serving = int(reachable and self.state.mode not in ("off", "paused"))
        free = reachable and self.state.mode == "ready" and now >= self.cool_until
        for skill in self.skills:
            skill.changes += 1
            skill.on_duty += 1
            skill.serving += self.counted_serving
            if self.counted_serving:
                skill.staff[self.state.agent] = self
            if free:
                key = (strategy(self.state, skill.skill), self.state.agent)
                skill.free.add(key)
                self.listed.append((skill, key))
