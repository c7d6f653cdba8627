"""The console on a real store and real settings, but without an Asterisk: for the rooms' tests and for trying them.

``python -m tests.web.plain_site [PORT] [FOLDER]`` serves it until Ctrl-C; whoever signs in as ``admin``, ``agent`` or
``quality`` has the password :data:`PASSWORD`.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from calllog.clock import Clock
from calllog.events import AnyEvent, Stream
from calllog.folds import AgentState
from calllog.journal import Journal
from calllog.notes import Note
from cases.records import Records
from config.console import Console
from config.load import load_settings
from config.problems import Problem
from config.settings import Settings
from console import passwords
from console.accounts import Wanted
from console.app import make_app
from console.guard import Guard
from console.kept import Kept
from console.office import Office
from console.permits import Role, command_line
from console.server import Listener
from console.site import CallNow, Facts, Refusal
from console.week import Instant, Proven, Week
from hotline.console_week import instant_of, week_of
from hotline.ledger import Own
from recordings.access import AccessLog
from recordings.folders import Folders
from recordings.playback import Playback
from recordings.review_desk import ReviewDesk
from recordings.signed import new_secret
from routing.agents import AgentEvent, IllegalTransition
from routing.messages import AgentVerb, Standing
from routing.roster import Roster
from tests.pure.journal_play import new_store

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
PASSWORD = "correct horse battery"
CHEAP = (1, 8, 1)
"""Argon2 for tests: passes, KiB, lanes."""

USERS: Mapping[str, tuple[frozenset[Role], str]] = {
    "admin": (frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.QUALITY}), ""),
    "agent": (frozenset({Role.AGENT}), "8001"),
    "other": (frozenset({Role.AGENT}), "8002"),
    "quality": (frozenset({Role.QUALITY}), ""),
    "supervisor": (frozenset({Role.SUPERVISOR}), ""),
    "auditor": (frozenset({Role.AUDITOR}), ""),
    "department": (frozenset({Role.DEPARTMENT}), ""),
}
"""By name: roles, and the agent they are bound to."""


@dataclass(slots=True)
class PlainSite:
    """A :class:`console.site.Site`; tests set what they want to see."""

    settings: Settings
    state_dir: Path
    journal: Journal
    clock: Clock
    config_dir: Path = EXAMPLE
    adopted: bool = True
    standing: Standing = field(default_factory=Standing)
    states: dict[str, AgentState] = field(default_factory=dict)
    told: list[tuple[str, Mapping[str, str | int]]] = field(default_factory=list)
    condition: Facts | None = None
    calls: dict[str, CallNow] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    _records: Records | None = None
    problems: Sequence[Problem] = ()
    stands: dt.datetime | None = None
    """Where the wall clock stands still."""
    roster: Roster = field(init=False)
    reviews: ReviewDesk = field(init=False)
    access: AccessLog = field(init=False)
    playback: Playback = field(init=False)
    signing: bytes = field(default_factory=new_secret)

    def __post_init__(self) -> None:
        self.roster = Roster.of(self.settings)
        self.reviews = ReviewDesk(self.journal, self.store)
        self.access = AccessLog(self.journal, self.now, self.state_dir)
        self.playback = Playback(self.folders, lambda: self.state_dir / "keys")
        self.condition = Facts(
            version="0.1.0", began=self.now(), adopted=True, ari=True, ami=True, asterisk="22.10.1", calls=3, waiting=1,
            longest=12.0, talking=2, ready=1, on_duty=3, backups=1, archiving=0, store_fails=False, recordings_fail="",
            free=120_000_000_000, size=500_000_000_000, trunks={"carrier": "reachable"},
            config={"since": self.now()}, roster="3f2a91c0d4e5", lag=0.01,
        )  # fmt: skip

    @property
    def store(self) -> Path:
        return self.state_dir / "hotline.sqlite"

    @property
    def folders(self) -> Folders:
        return Folders(self.state_dir)

    def now(self) -> int:
        return self.clock.now()

    def wall(self) -> dt.datetime:
        return self.stands or dt.datetime.fromtimestamp(self.clock.now() / 1_000_000, dt.UTC)

    def ledger(self, by: str) -> Own:
        return Own(self.journal, self.access, by)

    def append(self, stream: Stream, stream_id: str, event: AnyEvent) -> None:
        self.journal.append(stream, stream_id, event)

    async def commit(self, stream: Stream, stream_id: str, event: AnyEvent, *, notes: Iterable[Note] = ()) -> None:
        await self.journal.commit(stream, stream_id, event, notes=notes)

    @property
    def records(self) -> Records:
        if self._records is None:
            self._records = Records(self.journal, lambda: self.settings, lambda call, whole: self.saved.append(call))
        return self._records

    def call_now(self, call_id: str) -> CallNow | None:
        return self.calls.get(call_id)

    async def switch_recording(self, agent: str, *, pause: bool) -> None:
        raise Refusal("You are in no talk.")

    def agents(self) -> Sequence[AgentState]:
        return list(self.states.values())

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        if agent not in self.settings.agents.agents:
            raise LookupError(agent)
        if agent not in self.states:
            raise IllegalTransition(agent, "off", AgentEvent.READY)
        mode = {"sign_in": "ready", "sign_out": "off", "ready": "ready", "pause": "paused",
                "extend": "wrap_up"}[verb]  # fmt: skip
        self.states[agent] = replace(self.states[agent], mode=mode, reason=reason)  # type: ignore[arg-type]
        return self.states[agent]

    def devices(self, agent: str) -> Mapping[str, bool]:
        known = self.settings.agents.agents.get(agent)
        return {device.label: True for device in known.devices} if known is not None else {}

    async def week(self, first: dt.date) -> Week:
        return await asyncio.to_thread(week_of, self.settings, first, self.wall())

    async def proof(self) -> Proven:
        return Proven(tuple(self.problems), len(self.problems))

    async def instant(self) -> Instant:
        return instant_of(self.settings, self.roster, self.wall())

    async def facts(self) -> Facts:
        assert self.condition is not None
        return self.condition

    def alert(self, code: str, **params: str | int) -> None:
        self.told.append((code, params))


@dataclass(slots=True)
class Web:
    """A console that listens."""

    site: PlainSite
    office: Office
    app: Guard
    listener: Listener

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"

    def user(self, name: str, roles: frozenset[Role], agent: str = "", password: str = PASSWORD) -> None:
        """Make a user who has chosen their password already."""
        who = command_line("test")
        made = self.office.accounts.create(who, Wanted(name, name, roles, agent), passwords.hashed(password, CHEAP))
        self.office.book.do(lambda run: run(
            "UPDATE user SET must_change = 0, password_until = 0 WHERE user_id = ?", (made.user_id,)
        ))  # fmt: skip

    def called(self, name: str, shown: str) -> None:
        """Give a user another name shown."""
        self.office.book.do(lambda run: run("UPDATE user SET shown = ? WHERE name = ?", (shown, name)))


@cache
def _example() -> Settings:
    return load_settings(EXAMPLE)


class Quick(passwords.Worker):
    """Cheap hashes need no process, whose start would cost each test more than all else."""

    async def _in_process(self, work: Callable[..., object], *arguments: object) -> object:
        return await asyncio.to_thread(work, *arguments)


@contextlib.asynccontextmanager
async def plain_web(folder: Path, *, port: int = 0, settings: Console | None = None) -> AsyncIterator[Web]:
    """A console on a new store in ``folder``, with the users of :data:`USERS`; ``port`` 0: any free one."""
    loaded = _example()
    clock = Clock()
    store = folder / "hotline.sqlite"
    if not store.exists():
        new_store(folder, store.name)
    journal = await Journal.open(store, clock=clock, spool=folder / "spool.jsonl")
    site = PlainSite(loaded, folder, journal, clock)
    site.folders.make()
    kept = Kept.open(site)
    office = Office.open(site, kept, cost=CHEAP)
    office.passwords = Quick(CHEAP)
    app = make_app(office)
    console = settings or Console()
    listener = Listener(app, console.model_copy(update={"port": port}))
    web = Web(site, office, app, listener)
    try:
        if not office.accounts.are_there_any():
            for name, (roles, agent) in USERS.items():
                web.user(name, roles, agent)
        await listener.open()
        office.connections = lambda: listener.connections
        kept.exports.begin()
        yield web
    finally:
        office.live.close()
        await listener.close()
        office.close()
        await kept.close()
        await site.playback.close()
        await journal.close()


async def _serve(port: int, folder: Path) -> None:
    async with plain_web(folder, port=port) as web:
        print(f"{web.url}  {', '.join(USERS)}: {PASSWORD}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    where = Path(sys.argv[2] if len(sys.argv) > 2 else "var/plain-site")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8400, where))
