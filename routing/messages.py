"""What is said to the desk's core, and what it answers: the words of :mod:`routing.queue`.

Inputs say what happened; commands say what must now be done, in this order. All times are microseconds since 1970
UTC. Nothing here is text for a person: alarms carry a code and parameters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from calllog.events import AgentChanged, RingResult
from calllog.folds import AgentState
from config import settings
from routing.plan import Plan, plan_of
from routing.roster import Line

AgentVerb = Literal["ready", "pause", "sign_in", "sign_out", "extend"]

# --- settings, as far as the desk needs them ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator set for queues and agents.

    Seconds: ``wrap_up`` where a queue has none of its own, ``ring`` the longest ring of a device that has none,
    ``confirm`` the time for key 1, and ``backup_after`` a caller's wait after which backups are rung though somebody of
    the first line serves (None: never).
    """

    queues: Mapping[str, settings.Queue]
    agents: Mapping[str, settings.Agent]
    wrap_up: float = 30.0
    misses_before_pause: int = 2
    ring: float = 20.0
    confirm: float = 12.0
    backup_after: float | None = None
    must_sign_in: bool = False
    record: settings.CallRecords = field(default_factory=settings.CallRecords)

    def accounts(self) -> dict[str, str]:
        """Whose each SIP account is."""
        devices = ((device, number) for number, agent in self.agents.items() for device in agent.devices)
        return {device.sip: number for device, number in devices if device.sip is not None}

    def longest_ring(self) -> float:
        """Seconds that the ring at any agent may take, with all their devices."""
        plans = (plan_of(agent, agent.devices, self.ring, self.confirm) for agent in self.agents.values())
        return max((plan.longest for plan in plans), default=0.0)

    @classmethod
    def of(cls, all_settings: settings.Settings) -> Rules:
        """The desk's part of all settings."""
        return cls(
            all_settings.queues.queues,
            all_settings.agents.agents,
            all_settings.hotline.times.wrap_up,
            all_settings.hotline.misses_before_pause,
            all_settings.hotline.times.ring,
            all_settings.hotline.times.confirm,
            all_settings.hotline.backup_after,
            all_settings.hotline.sign_in == "required",
            all_settings.hotline.record,
        )


# --- inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallAsked:
    """This caller waits for a person from now on.

    The place is (``priority``, ``asked_at``, order of telling). A caller who comes back after a talk broke off asks
    again with the ``asked_at`` of old, so with their old place; ``waiting_since`` is then the instant from which the
    longest wait counts (0: ``asked_at``). ``rings`` is the number of rings this call has begun, so that talk ids never
    repeat; ``avoid`` are agents to be rung only when no other is free.

    One who waits already and asks again changes nothing; but if an agent rings for them, and ``rings`` counts that
    ring, or if they talk, then that ring or talk is taken as lost, and they wait. Another queue: they change over.
    """

    call_id: str
    queue: str
    asked_at: int
    priority: int
    waiting_since: int = 0
    rings: int = 0
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallGone:
    """The call no longer wants an agent: hung up, ended, or went elsewhere; whatever it held is free.

    Said at the end of every call, also of one that crashed; a repetition does nothing. Tell it when the ringing
    agent's leg is down, else the next ring at that phone may meet a busy line.
    """

    call_id: str


@dataclass(frozen=True, slots=True)
class RingReport:
    """How a ring ended. ``answered``: the agent is up, the bridge is not yet; ``caller_gone`` also ends the waiting.

    A report about a ring that the desk has already taken back changes nothing; if it says ``answered``, the desk
    repeats its :class:`CancelRing`.
    """

    call_id: str
    talk_id: str
    agent: str
    result: RingResult


@dataclass(frozen=True, slots=True)
class TalkBegan:
    """Caller and agent are bridged."""

    call_id: str
    talk_id: str


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """The agent's part is over. Without a :class:`TalkBegan` before it, there is no wrap-up and the turn is kept."""

    call_id: str
    talk_id: str


@dataclass(frozen=True, slots=True)
class AgentReachable:
    """A device registered or was lost. ``device`` is the SIP account's name."""

    agent: str
    device: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A queue outside its service hours: since when, and when it opens again (µs since 1970 UTC; 0: not in sight)."""

    since: int
    opens: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand by the clock: who is on duty and how, which queues are closed, and the local date.

    ``duty`` by agent, without those on a break; ``closed`` by queue. Skills hold by the ``date``.
    """

    duty: Mapping[str, Line] = field(default_factory=dict)
    closed: Mapping[str, Closed] = field(default_factory=dict)
    date: dt.date = dt.date.min


@dataclass(frozen=True, slots=True)
class AgentCommand:
    """The agent (or a supervisor) says so. ``ready`` also ends a wrap-up and takes back a pause not yet begun;
    ``sign_in`` counts for a shift that begins ``soon``, too (``routing.agents.EARLY``). ``extend``: more time for the
    record that the wrap-up waits for. ``by``: who says so, where it is not the agent."""

    agent: str
    verb: AgentVerb
    reason: str = ""
    soon: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class RecordSaved:
    """A version of this call's record was written, and is complete or not."""

    call_id: str
    complete: bool


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """New rules, in force at once. A removed queue drains; a removed agent finishes what they do.

    ``standing`` where that is new too: in one step, so that nobody who waits is given up because the agents of before
    are gone and those of now not yet on duty.
    """

    rules: Rules
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class CallSettingsChanged:
    """To a call, on its line: its settings are new, so what it set by the old ones must be set anew."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; said at the instant of the last :class:`WakeAt`. One that comes too early is repeated."""


@dataclass(frozen=True, slots=True)
class LiveTalk:
    """A talk that is up at this moment, as found in Asterisk."""

    call_id: str
    talk_id: str
    agent: str
    queue: str


@dataclass(frozen=True, slots=True)
class Handled:
    """A talk that ended at ``at`` (µs) had taken its agent for ``seconds`` from the ring on, without the wrap-up.

    ``after``: how long (seconds) its wrap-up took where the call's record was awaited; None: the queue's own.
    """

    queue: str
    at: int
    seconds: float
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """The first input of every start: what the journal knows and Asterisk confirms.

    ``agents`` are the rows of the journal, ``waiting`` the callers still there (rings of theirs are taken as lost),
    ``talks`` the talks still up, ``reachable`` pairs of agent and device, ``handled`` the talks of the last hours, in
    order of their ends, ``complete`` the calls of these agents whose record is complete.
    """

    agents: Iterable[AgentState] = ()
    waiting: Iterable[CallAsked] = ()
    talks: Iterable[LiveTalk] = ()
    standing: Standing = Standing()
    reachable: Iterable[tuple[str, str]] = ()
    handled: Iterable[Handled] = ()
    complete: Iterable[str] = ()


Input = (
    CallAsked | CallGone | RingReport | TalkBegan | TalkEnded | AgentReachable | Standing | AgentCommand
    | RecordSaved | SettingsChanged | Tick | Restore
)  # fmt: skip

Why = Literal["uncovered", "longest_wait", "closed"]
"""Why nobody comes."""

# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentChange:
    """To be journalled in the agent's stream; it stands before the command that it is the reason for."""

    agent: str
    event: AgentChanged


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring the agent for this call, by this plan. They are reserved; answer with a :class:`RingReport`."""

    call_id: str
    talk_id: str
    agent: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class CancelRing:
    """Take this ring back; no report is awaited, and one that comes is ignored."""

    call_id: str
    talk_id: str
    agent: str
    why: RingResult


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody will come: ``uncovered`` nobody with the skill is on duty, ``longest_wait`` the time is up, ``closed`` it
    is outside the queue's service hours, until ``opens`` (µs; 0: not in sight)."""

    call_id: str
    why: Why
    opens: int = 0


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Somebody should look.

    ``last_agent_missed`` (agent, missed, queues: names with commas), ``unknown_queue`` (call_id, queue),
    ``ring_unreported`` (call_id, talk_id, agent): nobody said how the ring ended.
    """

    code: Literal["last_agent_missed", "unknown_queue", "ring_unreported"]
    params: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Say :class:`Tick` at this instant; takes the place of any earlier ``WakeAt``. 0: there is nothing to wait for."""

    at: int


Command = AgentChange | Ring | CancelRing | GiveUp | RaiseAlarm | WakeAt
