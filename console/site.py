"""What the daemon lends the console: the one door between the rooms on the screen and the rooms that take calls.

``hotline.console_site`` is it in service, ``tests.web.plain_site`` without an Asterisk. A room that needs more adds it
here, in words of the domain; nothing else of the daemon is reached from the console.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from calllog.events import AnyEvent, Stream
from calllog.folds import AgentState
from calllog.notes import Note
from cases.records import Records
from config.settings import Settings
from console.week import Instant, Proven, Week
from phone.trunk_words import TrunkState
from recordings.access import AccessLog
from recordings.folders import Folders
from recordings.ledger import Ledger
from recordings.playback import Playback
from recordings.review_desk import ReviewDesk
from routing.messages import AgentVerb, Standing
from routing.roster import Roster


class Refusal(Exception):
    """What was asked cannot be done, and why, in words for whoever asked (in their language)."""

    def __init__(self, why: str, *, status: int = 409) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Facts:
    """How the hotline is. Times are µs since 1970 UTC, lengths seconds, sizes bytes; empty: all is well."""

    version: str
    began: int
    adopted: bool
    ari: bool
    ami: bool
    asterisk: str
    """Its release; empty while it is not known."""
    calls: int
    waiting: int
    longest: float
    """The longest of the waits that last."""
    talking: int
    ready: int
    on_duty: int
    backups: int
    archiving: int
    """Recordings that are not finished yet."""
    store_fails: bool
    recordings_fail: str
    free: int
    """On the disk of the recordings; rounded to 100 MB, so that it seldom changes."""
    size: int
    trunks: Mapping[str, TrunkState]
    config: Mapping[str, Any]
    """See :meth:`hotline.reload.Reload.status`."""
    roster: str
    """The version of the roster file in force."""
    lag: float
    """The longest time in the last minute for which the event loop came late; rounded to 10 ms."""
    spool: int = 0
    """Bytes that wait in the spool for the store."""
    archive_gone: str = ""
    """The folder that should be the archive, and is not."""
    unheard: int = 0
    """Recordings that the last check found gone, damaged or without their key."""
    plain: int = 0
    """Recordings from before ``encrypt`` that are not encrypted yet, by the last check."""
    unreached: int = 0
    """Of those on duty, backups too, so many have no phone that can be rung now."""

    @property
    def in_service(self) -> bool:
        """Whether calls are taken."""
        return self.adopted and self.ari


@dataclass(frozen=True, slots=True)
class CallNow:
    """A call that runs, as far as its agent's desk shows it. ``number`` is as the trunk gave it, ``e164`` empty where
    it cannot be read; ``agents`` are those it rings at or talked with; ``recording`` is of the talk that is on."""

    call_id: str
    number: str
    e164: str
    label: str
    language: str
    asked_at: int
    agents: frozenset[str]
    recording: Literal["", "on", "paused", "off"]


class Site(Protocol):
    """The running hotline. Every method is for the daemon's loop; none blocks."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def config_dir(self) -> Path:
        """Where the operator's files are."""

    @property
    def state_dir(self) -> Path:
        """The state folder."""

    @property
    def store(self) -> Path:
        """The call store, for questions (:mod:`calllog.queries`)."""

    @property
    def folders(self) -> Folders:
        """Where recordings lie."""

    @property
    def reviews(self) -> ReviewDesk:
        """Where grades are given: one for the daemon, since it decides one at a time."""

    @property
    def access(self) -> AccessLog:
        """The access log; what it notes is safe when it returns."""

    def ledger(self, by: str) -> Ledger:
        """What writes holds into the journal, in this person's name."""

    @property
    def playback(self) -> Playback:
        """Finished recordings, by range."""

    @property
    def signing(self) -> bytes:
        """The secret of addresses of recordings; another one at each start."""

    def now(self) -> int:
        """µs since 1970 UTC, by the journal's clock."""

    def wall(self) -> dt.datetime:
        """The wall clock, aware."""

    def append(self, stream: Stream, stream_id: str, event: AnyEvent) -> None:
        """Journal an event; see :meth:`calllog.journal.Journal.append`."""

    async def commit(self, stream: Stream, stream_id: str, event: AnyEvent, *, notes: Iterable[Note] = ()) -> None:
        """Journal an event with its notes and wait until it is safe. Raises StoreLost."""

    @property
    def records(self) -> Records:
        """The call records."""

    def call_now(self, call_id: str) -> CallNow | None:
        """A call that runs; None for any other."""

    async def switch_recording(self, agent: str, *, pause: bool) -> None:
        """Pause the recording of the talk that this agent is in, or let it go on. Raises Refusal."""

    @property
    def adopted(self) -> bool:
        """Whether Asterisk has been read back; before that nobody may speak to the desk, and agents() is empty."""

    def agents(self) -> Sequence[AgentState]:
        """Every agent's state as the desk has it."""

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        """Change an agent's state. Raises LookupError, routing.agents.IllegalTransition."""

    @property
    def standing(self) -> Standing:
        """Who is on duty now, and which queues are closed."""

    @property
    def roster(self) -> Roster:
        """The roster in force."""

    def devices(self, agent: str) -> Mapping[str, bool]:
        """The agent's devices by name, and whether each can be reached."""

    async def week(self, first: dt.date) -> Week:
        """The seven days from ``first`` on, in the reader's language. Raises Refusal."""

    async def proof(self) -> Proven:
        """What the proof of the roster in force says, in the reader's language. Raises Refusal."""

    async def instant(self) -> Instant:
        """Who is on duty at this minute, by the roster in force."""

    async def facts(self) -> Facts:
        """How the hotline is at this moment."""

    def alert(self, code: str, **params: str | int) -> None:
        """Tell people that something needs them."""
