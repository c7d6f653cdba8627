"""What the daemon lends the console (:class:`console.site.Site`), and the console as one of the daemon's tasks.

The console never holds a call up: it is loaded before the first call, listens on its own, and whatever fails of it is
logged and tried again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import importlib.metadata
import os
import shutil
import ssl
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from calllog.events import AnyEvent, Stream
from calllog.folds import AgentState
from calllog.notes import Note
from cases.records import Records
from config.catalogue import _
from config.console import Console as ConsoleSettings
from config.settings import Settings
from console.app import make_app
from console.assets import AssetsMissing
from console.book import BookFault
from console.kept import Kept
from console.office import Office
from console.server import Listener
from console.site import CallNow, Facts, Refusal
from console.week import Instant, Proven, Week
from hotline.console_desk import call_now, switched
from hotline.console_week import RosterLooks
from hotline.keep_on import keep_on
from hotline.ledger import Own
from hotline.loop_lag import LoopLag
from phone.regions import Regions
from recordings.access import AccessLog
from recordings.folders import Folders
from recordings.ledger import Ledger
from recordings.playback import Playback
from recordings.review_desk import ReviewDesk
from recordings.signed import new_secret
from routing.messages import AgentVerb, Standing
from routing.plan import chosen
from routing.roster import Roster

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()

T = TypeVar("T")

TRY_AGAIN = 10.0
"""Seconds until what could not be opened is tried again."""

LOOK_EVERY = 1.0
"""Seconds between two looks whether the console's own settings changed."""

DISK_STEP = 100_000_000
"""Bytes to which free space is rounded."""


async def _made(work: Awaitable[T]) -> T:
    """What a worker made. Raises Refusal when it died or took too long."""
    try:
        return await work
    except (BrokenProcessPool, TimeoutError, OSError) as error:
        log.error("the roster could not be shown", why=repr(error))
        raise Refusal(_("The roster could not be read just now. Try again in a moment."), status=503) from error


class ConsoleSite:
    """The daemon, as the console sees it."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._began = daemon.clock.now()
        self._version = importlib.metadata.version("hotline")
        self._reviews = ReviewDesk(daemon.journal, self.store)
        self._signing = new_secret()
        self.lag = LoopLag()
        self._looks = RosterLooks()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._daemon.settings

    @property
    def config_dir(self) -> Path:
        """Where the operator's files are."""
        return self._daemon.config_dir

    @property
    def state_dir(self) -> Path:
        """The state folder."""
        return self._daemon.state_dir

    @property
    def store(self) -> Path:
        """The call store."""
        return self._daemon.state_dir / "hotline.sqlite"

    @property
    def folders(self) -> Folders:
        """Where recordings lie."""
        return self._daemon.folders

    @property
    def reviews(self) -> ReviewDesk:
        """Where grades are given."""
        return self._reviews

    @property
    def access(self) -> AccessLog:
        """The access log."""
        return self._daemon.access

    def ledger(self, by: str) -> Ledger:
        """What writes holds into the journal, in this person's name."""
        return Own(self._daemon.journal, self._daemon.access, by)

    @property
    def playback(self) -> Playback:
        """Finished recordings, by range."""
        return self._daemon.playback

    @property
    def signing(self) -> bytes:
        """The secret of addresses of recordings."""
        return self._signing

    def now(self) -> int:
        """µs since 1970 UTC."""
        return self._daemon.clock.now()

    def wall(self) -> dt.datetime:
        """The wall clock."""
        return self._daemon.wall()

    def append(self, stream: Stream, stream_id: str, event: AnyEvent) -> None:
        """Journal an event."""
        self._daemon.journal.append(stream, stream_id, event)

    async def commit(self, stream: Stream, stream_id: str, event: AnyEvent, *, notes: Iterable[Note] = ()) -> None:
        """Journal an event with its notes and wait until it is safe. Raises StoreLost."""
        await self._daemon.journal.commit(stream, stream_id, event, notes=notes)

    @property
    def records(self) -> Records:
        """The call records."""
        return self._daemon.records

    def call_now(self, call_id: str) -> CallNow | None:
        """A call that runs."""
        return call_now(self._daemon, call_id)

    async def switch_recording(self, agent: str, *, pause: bool) -> None:
        """Pause the recording of this agent's talk, or let it go on. Raises Refusal."""
        await switched(self._daemon.calls, agent, pause=pause)

    @property
    def adopted(self) -> bool:
        """Whether Asterisk has been read back."""
        return self._daemon.adopted

    def agents(self) -> Sequence[AgentState]:
        """Every agent's state."""
        return self._daemon.desk.agents() if self._daemon.adopted else []

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        """Change an agent's state. Raises LookupError, IllegalTransition."""
        return await self._daemon.staff.command(agent, verb, reason)

    @property
    def standing(self) -> Standing:
        """Who is on duty now."""
        return self._daemon.duty.now

    @property
    def roster(self) -> Roster:
        """The roster in force."""
        return self._daemon.duty.roster

    def devices(self, agent: str) -> Mapping[str, bool]:
        """The agent's devices, and whether each can be reached; of a number we know no better."""
        known = self._daemon.settings.agents.agents.get(agent)
        devices = known.devices if known is not None else ()
        return {one.label: one.number is not None or one.sip in self._daemon.reachable for one in devices}

    def alert(self, code: str, **params: str | int) -> None:
        """Tell people that something needs them."""
        self._daemon.alerts.alert(code, **params)

    async def week(self, first: dt.date) -> Week:
        """Seven days of the roster in force."""
        return await _made(self._looks.week(self.settings, first, self.wall()))

    async def proof(self) -> Proven:
        """The proof of the roster in force."""
        return await _made(self._looks.checked(self.settings, self.wall()))

    async def instant(self) -> Instant:
        """Who is on duty at this minute."""
        return await self._looks.instant(self.settings, self.wall())

    async def facts(self) -> Facts:
        """How the hotline is at this moment."""
        daemon = self._daemon
        free, size, fault, spool = await asyncio.to_thread(_disk, daemon.folders, daemon.state_dir / "spool.jsonl")
        states, waiting = self.agents(), daemon.desk.waiting() if daemon.adopted else []
        duty = daemon.duty.now.duty
        return Facts(
            version=self._version, began=self._began, adopted=daemon.adopted, ari=daemon.client.ready,
            ami=daemon.phone.ready or not daemon.client.ready, asterisk=daemon.release, calls=len(daemon.calls),
            waiting=sum(one.many for one in waiting), longest=round(max((one.longest for one in waiting), default=0.0)),
            talking=sum(one.mode == "talking" for one in states), ready=sum(one.mode == "ready" for one in states),
            on_duty=sum(not line.backup for line in duty.values()), backups=sum(line.backup for line in duty.values()),
            archiving=daemon.shelf.waiting, store_fails=daemon.journal.degraded, recordings_fail=fault, free=free,
            size=size, trunks=dict(daemon.trunks.states), config=daemon.reload.status(),
            roster=daemon.reload.roster_digest, lag=round(self.lag.longest, 2), spool=spool,
            unheard=daemon.upkeep.status()["lost"], archive_gone=daemon.archive.missing,
            plain=daemon.upkeep.plain if daemon.settings.hotline.recording.encrypt else 0,
            unreached=sum(daemon.adopted and not self._rings(one, line.devices) for one, line in duty.items()),
        )  # fmt: skip

    def _rings(self, agent: str, named: Iterable[str]) -> bool:
        """Whether any of the devices that ring on this shift can be reached."""
        known = self.settings.agents.agents.get(agent)
        reached = self.devices(agent)
        return known is not None and any(reached[one.label] for one in chosen(known, named))


def _disk(folders: Folders, spool: Path) -> tuple[int, int, str, int]:
    """Free and whole of the recordings' disk, why they cannot be written (empty: they can), bytes in the spool."""
    fault = ""
    try:
        usage = shutil.disk_usage(folders.archive)
        free, size = usage.free // DISK_STEP * DISK_STEP, usage.total
    except OSError as error:
        free, size, fault = 0, 0, f"{error.filename}: {error.strerror}"
    if not fault and not os.access(folders.spool, os.W_OK | os.X_OK):
        fault = f"{folders.spool}: {os.strerror(errno.EACCES)}"
    return free, size, fault, spool.stat().st_size if spool.exists() else 0


class ConsoleService:
    """:meth:`run` it for as long as the daemon serves; follows ``console`` of the settings."""

    def __init__(self, daemon: Daemon) -> None:
        self._site = ConsoleSite(daemon)
        self._told = ""

    async def run(self) -> None:
        """Serve for ever; a change of the console's settings takes effect at once. What was begun goes on meanwhile."""
        kept = await asyncio.to_thread(Kept.open, self._site)
        try:
            kept.exports.begin()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._site.lag.run())
                tasks.create_task(keep_on("regions", Regions(self._site.state_dir).keep))
                while True:
                    wanted = self._site.settings.hotline.console
                    if wanted.enabled:
                        await self._serve(wanted, kept)
                    await asyncio.sleep(LOOK_EVERY)
        finally:
            await kept.close()

    async def _serve(self, wanted: ConsoleSettings, kept: Kept) -> None:
        """Serve by these settings, until others are in force or something is wrong."""
        office: Office | None = None
        listener: Listener | None = None
        try:
            office = await asyncio.to_thread(Office.open, self._site, kept)
            listener = Listener(await asyncio.to_thread(make_app, office), wanted)
            await listener.open()
            office.connections = lambda: listener.connections
            if not await office.thread(office.accounts.are_there_any):
                log.warning("nobody can enter the console yet: 'hotline users first' makes the first administrator")
            self._told = ""
            log.info("the console is open", url=wanted.model_copy(update={"port": listener.port}).url)
            while True:
                await asyncio.sleep(LOOK_EVERY)
                if self._bound(self._site.settings.hotline.console) != self._bound(wanted):
                    log.info("the console is opened anew: its settings changed")
                    break
        except (OSError, ssl.SSLError, BookFault, AssetsMissing) as fault:
            if str(fault) != self._told:
                self._told = str(fault)
                log.error("the console cannot be opened; calls are not touched, trying again", why=self._told)
            await asyncio.sleep(TRY_AGAIN)
        finally:
            if office is not None:
                office.live.close()
            if listener is not None:
                await listener.close()
            if office is not None:
                office.close()

    @staticmethod
    def _bound(settings: ConsoleSettings) -> object:
        """What needs another listener; the rest is asked for at every request."""
        return settings.enabled, settings.address, settings.port, settings.tls, settings.proxies
