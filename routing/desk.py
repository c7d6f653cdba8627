"""The desk: the one owner of the queue and of the agents' states; it journals what its core decides, then acts.

All decisions are in ``routing.queue``; here is no branch about who gets whom. Every method is synchronous and runs to
its end, so between reading and changing the state nothing else can happen; answers to calls arrive on their lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context

import structlog

from calllog.events import RecordExtended, RingResult
from calllog.folds import AgentState
from phone.port import Line
from routing import queue
from routing.messages import (
    AgentChange,
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    CancelRing,
    Command,
    GiveUp,
    Input,
    RaiseAlarm,
    RecordSaved,
    Restore,
    Ring,
    RingReport,
    Rules,
    SettingsChanged,
    Standing,
    TalkBegan,
    TalkEnded,
    Tick,
    WakeAt,
)
from routing.session import Clock, Journal
from routing.wait import Outlook
from routing.waiting import Waiting

log = structlog.get_logger()

OWN = Context()
"""In which the desk wakes up: not in the language of whoever spoke to it last (``config.catalogue.answering``)."""


class Desk:
    """The shell around :class:`routing.queue.Desk`. ``alarm`` is told a code and its parameters."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        journal: Journal,
        alarm: Callable[[str, Mapping[str, str | int]], None],
    ) -> None:
        self._core = queue.Desk(rules)
        self._clock = clock
        self._journal = journal
        self._alarm = alarm
        self._lines: dict[str, Line] = {}
        self._queues: dict[str, str] = {}
        self._accounts: dict[str, str] = {}
        self.longest_ring = 0.0
        """Seconds that a ring at any agent may take."""
        self._timer: asyncio.TimerHandle | None = None
        self._learn(rules)

    # --- said by calls ----------------------------------------------------------------------------------------------

    def ask(self, asked: CallAsked, line: Line) -> None:
        """Wait for an agent from now on; the same again changes nothing."""
        self._lines[asked.call_id] = line
        self._queues[asked.call_id] = asked.queue
        self._step(asked)

    def gone(self, call_id: str) -> None:
        """No longer want an agent; whatever the call held is free."""
        self._step(CallGone(call_id))
        self._forget(call_id)

    def ring_ended(self, call_id: str, talk_id: str, agent: str, result: RingResult) -> None:
        """How the ring ended."""
        self._step(RingReport(call_id, talk_id, agent, result))

    def talk_began(self, call_id: str, talk_id: str) -> None:
        """Bridged: the call waits no more."""
        self._step(TalkBegan(call_id, talk_id))
        self._forget(call_id)

    def talk_ended(self, call_id: str, talk_id: str) -> None:
        """The agent's part is over."""
        self._step(TalkEnded(call_id, talk_id))

    def outlook(self, call_id: str) -> Outlook | None:
        """How many wait ahead, and how long it may take; None when the call does not wait."""
        return self._core.outlook(call_id, self._clock.now())

    # --- said by the house --------------------------------------------------------------------------------------------

    def restore(self, restore: Restore, lines: Mapping[str, Line]) -> None:
        """The first word of every start: what the journal knows and Asterisk confirms."""
        self._lines.update(lines)
        self._queues.update((asked.call_id, asked.queue) for asked in restore.waiting)
        self._step(restore)

    def reachable(self, account: str, reachable: bool) -> None:
        """A phone registered or was lost."""
        agent = self._accounts.get(account)
        if agent is not None:
            self._step(AgentReachable(agent, account, reachable))

    def stand(self, standing: Standing) -> None:
        """How things stand by the clock now: duty, service hours, the date."""
        self._step(standing)

    def settings_changed(self, rules: Rules, standing: Standing | None = None) -> None:
        """New queues and agents, and with ``standing`` a new roster or service hours, in force at once."""
        self._learn(rules)
        self._step(SettingsChanged(rules, standing))

    def command(self, command: AgentCommand) -> AgentState:
        """What an agent or a supervisor says; returns the agent's state then.

        Raises LookupError for an unknown agent, agents.IllegalTransition for what the state forbids.
        """
        self._step(command)
        state = self._core.agent(command.agent)
        if command.verb == "extend":
            event = RecordExtended(by=command.by or command.agent, until=state.until)
            self._journal.append("call", state.call_id, event)
        return state

    def record_saved(self, call_id: str, complete: bool) -> None:
        """A version of this call's record was written."""
        self._step(RecordSaved(call_id, complete))

    def agent(self, agent: str) -> tuple[AgentState, bool]:
        """The agent's state, and whether they are on duty. Raises LookupError."""
        return self._core.agent(agent), self._core.on_duty(agent)

    def owner(self, account: str) -> str | None:
        """Whose phone this is."""
        return self._accounts.get(account)

    def engaged(self, account: str) -> bool:
        """Whether the agent whose phone this is rings or talks by us."""
        agent = self._accounts.get(account)
        return agent is not None and self._core.agent(agent).mode in ("ringing", "talking")

    def waiting(self) -> list[Waiting]:
        """The callers of each queue that has any."""
        return self._core.waits(self._clock.now())

    def agents(self) -> list[AgentState]:
        """Every agent's state."""
        return self._core.agents()

    def close(self) -> None:
        """Decide nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    # --- the shell ------------------------------------------------------------------------------------------------

    def _learn(self, rules: Rules) -> None:
        self._accounts, self.longest_ring = rules.accounts(), rules.longest_ring()

    def _forget(self, call_id: str) -> None:
        self._lines.pop(call_id, None)
        self._queues.pop(call_id, None)

    def _step(self, message: Input) -> None:
        now = self._clock.now()
        for command in self._core.step(now, message):
            self._act(now, command)

    def _act(self, now: int, command: Command) -> None:
        match command:
            case AgentChange(agent=agent, event=event):
                self._journal.append("agent", agent, event, at=now)
            case Ring() | CancelRing() | GiveUp():
                if isinstance(command, GiveUp) and command.why == "uncovered":
                    self._alarm("uncovered", {"queue": self._queues.get(command.call_id, "")})
                line = self._lines.get(command.call_id)
                if line is None:
                    log.error("the desk has no line to this call", call=command.call_id, command=repr(command))
                else:
                    line.post(command)
            case RaiseAlarm(code=code, params=params):
                self._alarm(code, params)
            case WakeAt(at=at):
                self._wake_at(at)

    def _wake_at(self, at: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at:
            seconds = max(0.0, (at - self._clock.now()) / 1_000_000)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._step, Tick(), context=OWN)
