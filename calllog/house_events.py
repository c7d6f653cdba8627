"""The events of the house: its agents, its roster, and the system itself; those of a call are in ``calllog.events``."""

from __future__ import annotations

from typing import Literal

import msgspec

AgentMode = Literal["off", "ready", "ringing", "talking", "wrap_up", "paused"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Base of all events; ``kind`` is the tag."""


# --- stream "agent", stream_id = staff number ---------------------------------------------------------------------


class AgentChanged(Event, frozen=True, kw_only=True, tag="agent_changed"):
    """The agent's state from now on.

    ``since`` (µs) is when readiness began: it survives a ring that the caller abandoned, so the agent keeps their
    turn. ``until`` (µs) ends a wrap-up. ``missed`` counts rings not answered in a row.

    Version 2 adds the wrap-up that waits for the call's record, until ``until`` at the longest: ``free_from`` (µs; 0:
    no record is awaited) is from when the agent is free once the record is complete, ``extended`` how often the limit
    was extended.
    """

    mode: AgentMode
    reason: str = ""
    call_id: str = ""
    talk_id: str = ""
    missed: int = 0
    since: int = 0
    until: int = 0
    free_from: int = 0
    extended: int = 0


# --- stream "roster" ------------------------------------------------------------------------------------------------


class RosterTookEffect(Event, frozen=True, kw_only=True, tag="roster_took_effect"):
    """This version of the roster file is in force; ``text`` is the file, so that the past can be answered."""

    sha256: str
    text: str


class RollCalled(Event, frozen=True, kw_only=True, tag="roll_called"):
    """点名: before the shift that begins at ``begins`` (µs) somebody was asked whether they are there, and what became
    of it; stream_id is ``roll_call``. ``instead_of``: they are the backup, woken because this agent did not answer.

    ``asked``: their devices ring, for the ``round``-th time. ``answered``: they said so, or were found at work.
    ``unfilled``: after ``missed``, no backup answered either.
    """

    agent: str
    shift: str
    begins: int
    what: Literal["asked", "answered", "missed", "unfilled"]
    instead_of: str = ""
    round: int = 0


# --- stream "system" ------------------------------------------------------------------------------------------------


class DaemonStarted(Event, frozen=True, kw_only=True, tag="daemon_started"):
    """The daemon runs."""

    version: str
    pid: int


class DaemonStopped(Event, frozen=True, kw_only=True, tag="daemon_stopped"):
    """The daemon ended in good order."""

    reason: str


class AsteriskLost(Event, frozen=True, kw_only=True, tag="asterisk_lost"):
    """The connection to Asterisk (``ari`` or ``ami``) broke."""

    connection: Literal["ari", "ami"]
    why: str


class AsteriskBack(Event, frozen=True, kw_only=True, tag="asterisk_back"):
    """The connection to Asterisk stands again."""

    connection: Literal["ari", "ami"]


class ClockStepped(Event, frozen=True, kw_only=True, tag="clock_stepped"):
    """The wall clock left the steady clock by ``seconds``; times in the journal follow the steady clock."""

    seconds: float


class Alarm(Event, frozen=True, kw_only=True, tag="alarm"):
    """Somebody should look now. ``key`` is what it is told once for; ``params`` say at whom and where, ``what`` the
    same as a line."""

    code: str
    what: str
    key: str = ""
    params: dict[str, str | int] = {}


class Degraded(Event, frozen=True, kw_only=True, tag="degraded"):
    """The store failed and events went to the spool (``on`` true), or it works again."""

    on: bool
    why: str = ""


class ConfigTookEffect(Event, frozen=True, kw_only=True, tag="config_took_effect"):
    """This version of the configuration is in force; its texts, and what changed, are kept beside the store."""

    version: int
    sha256: str
    how: Literal["start", "edit", "command", "import", "undo"]


class ConfigRefused(Event, frozen=True, kw_only=True, tag="config_refused"):
    """The files were changed and have errors: what was in force stays so. ``what`` names places, not values."""

    sha256: str
    errors: int
    what: str


SystemEvent = (
    DaemonStarted | DaemonStopped | AsteriskLost | AsteriskBack | ClockStepped | Alarm | Degraded | ConfigTookEffect
    | ConfigRefused
)  # fmt: skip
