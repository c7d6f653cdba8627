"""What the desk's core knows at a moment, and what can be asked of it. Pure; :mod:`routing.queue` changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from calllog.folds import AgentState
from config import settings
from routing.agents import SECOND
from routing.floor import Floor, Timers
from routing.messages import Closed, Command, Handled, Rules
from routing.outlook import Outlooks
from routing.skills import Caller, Seat
from routing.strategy import Strategy, best_first
from routing.wait import Outlook
from routing.waiting import Waiting
from routing.wrapping import WrapUps


class DeskState:
    """All callers who wait, all agents, and the talks; nothing here changes any of it, but for what is learnt."""

    def __init__(self, rules: Rules, strategy: Strategy = best_first) -> None:
        self._timers = Timers()
        self._floor = Floor(rules, strategy, self._timers)
        self._wrap_ups = WrapUps(self._floor, self._learn)
        self._queues: dict[str, settings.Queue] = dict(rules.queues)
        self._closed: Mapping[str, Closed] = {}
        self._callers: dict[str, Caller] = {}
        self._waiting: Counter[str] = Counter()
        self._talks: dict[str, Seat] = {}
        self._outlooks = Outlooks()
        self._arrivals = 0
        self._wake = 0
        self._used = False
        self._now = 0
        self._out: list[Command] = []

    def _learn(self, handled: Handled) -> None:
        """Remember for the outlooks how long a caller took their agent."""
        self._outlooks.learn(handled, self._queues.get(handled.queue), self._floor.rules.wrap_up)

    def position(self, call_id: str) -> int | None:
        """How many callers are ahead of this one at the same skill; None when the call does not wait."""
        caller = self._callers.get(call_id)
        return None if caller is None else caller.skill.ahead(caller)

    def outlook(self, call_id: str, now: int) -> Outlook | None:
        """What this caller can expect at ``now`` (µs); None when the call does not wait."""
        caller = self._callers.get(call_id)
        return None if caller is None else self._outlooks.of(caller, now)

    def waiting(self, queue: str) -> int:
        """How many callers wait in this queue, those whose agent rings included."""
        return self._waiting[queue]

    def waits(self, now: int) -> list[Waiting]:
        """Each queue that has callers at ``now`` (µs), by name."""
        found: dict[str, list[Caller]] = {}
        for caller in self._callers.values():
            found.setdefault(caller.asked.queue, []).append(caller)
        return [
            Waiting(queue, len(callers), max(now - caller.asked.asked_at for caller in callers) / SECOND,
                    callers[0].skill.serving)
            for queue, callers in sorted(found.items())
        ]  # fmt: skip

    def agent(self, agent: str) -> AgentState:
        """A copy of the agent's state. Raises LookupError."""
        return replace(self._floor.present(agent).state)

    def on_duty(self, agent: str) -> bool:
        """Whether the roster has the agent on duty now. Raises LookupError."""
        return self._floor.present(agent).on_duty

    def agents(self) -> list[AgentState]:
        """A copy of the state of every agent of the settings, and of those who have yet to finish."""
        seats = (seat for _, seat in sorted(self._floor.seats.items()))
        return [replace(seat.state) for seat in seats if seat.known or seat.state.mode != "off"]
