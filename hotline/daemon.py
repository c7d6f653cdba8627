"""The daemon: wires the rooms together, starts, serves until it is told to stop, and stops in good order."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import importlib.metadata
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
import uvloop

import ari
from ari.errors import AriError, Replaced, Unauthorized
from calllog import events as ev
from calllog.clock import Clock
from calllog.errors import StoreError
from calllog.folds import CallState
from calllog.journal import Journal
from cases.records import Records
from config.catalogue import _
from config.settings import Settings
from hotline.alerts import Alerts
from hotline.archive_watch import ArchiveWatch
from hotline.asterisk.access import access
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import OLDEST, parse_version
from hotline.asterisk.own import share
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import devices
from hotline.away import Away
from hotline.calls import Calls, recent_talks
from hotline.codes import CodeCalls
from hotline.console_run import ConsoleRun, load
from hotline.control import Control, socket_path
from hotline.drawing import Drawing
from hotline.duty_file import DutyKeeper
from hotline.duty_watch import DutyWatch
from hotline.heartbeat import Heartbeat
from hotline.keep_on import keep_on
from hotline.keep_verbs import KeepVerbs
from hotline.keeping import Keeping, access_log
from hotline.last_turns import LastTurns
from hotline.night import Night
from hotline.notify import Notifier, keep_told
from hotline.preflight import Ready
from hotline.record_verbs import complete_records
from hotline.recording_switch import RecordingVerbs
from hotline.reload import Reload
from hotline.shelf import Shelf
from hotline.staff import Staff, roll_call
from hotline.traces import Traces
from hotline.trunk_watch import TrunkWatch
from hotline.upkeep import Upkeep, UpkeepVerbs
from hotline.verbs import Verbs
from phone.ami import Ami, AmiError, AmiLogin
from phone.asterisk import AsteriskPhone
from phone.names import Names
from phone.port import Arrival, PhoneFault
from recordings.folders import Folders
from recordings.jobs import How, how_of
from recordings.keys import key_folder
from recordings.playback import Playback
from routing.desk import Desk
from routing.messages import Restore, Rules
from routing.roster import Roster
from routing.session import House

log = structlog.get_logger()

CLOCK_EVERY, CLOCK_STEP = 5.0, 1.0
"""Seconds between two looks at the wall clock, and by how many it must have left ours to be called stepped."""

COLLECT = (20_000, 20, 20)
"""New objects, and collections of younger ones, between two collections of garbage (gc.set_threshold)."""

SWITCH = 0.001
"""Seconds that the store's thread may hold the loop up while it works in Python (sys.setswitchinterval)."""


class Fatal(Exception):
    """The daemon cannot go on; the text is one line for the operator."""


class Daemon:
    """One Hotline in service. ``offset`` (seconds) moves its clock, for tests; ``ends_asterisk``: after Ctrl-C whoever
    runs this stops Asterisk too."""

    def __init__(self, ready: Ready, *, offset: float = 0.0, ends_asterisk: bool = False) -> None:
        self.settings: Settings = ready.settings
        self.state_dir, self.config_dir = ready.state_dir, ready.config_dir
        self.release = ""  # Asterisk's, once it has said so
        self.reload = Reload(ready, self)
        self.clock = Clock(offset=offset)
        self.folders = Folders(self.state_dir)
        self.archive = ArchiveWatch(self.folders)
        self.home = AsteriskHome.of(self.state_dir)
        self.duty = DutyWatch(
            self.settings, Roster.of(self.settings), self.wall, lambda: self.desk.stand if self._adopted else None
        )
        self.playback = Playback(self.folders, lambda: key_folder(self.settings.hotline.recording, self.state_dir))
        self.stopping = asyncio.Event()
        self.interrupted, self._ends_asterisk = False, ends_asterisk
        self.notifier = Notifier.taken_from(os.environ)
        self._adopted = False
        self.reachable: set[str] = set()
        """The SIP accounts that can be rung now."""

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises Fatal, and StoreError when the store cannot be used."""
        self.folders.make()
        self.home.away.mkdir(mode=0o700, parents=True, exist_ok=True)
        load_secrets(self.state_dir, devices(self.settings))
        by = access(self.settings, self.state_dir)
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self._told_to_stop, sig)
        store = self.state_dir / "hotline.sqlite"
        self.journal = await Journal.open(
            store, clock=self.clock, spool=self.state_dir / "spool.jsonl", on_degraded=self._degraded
        )
        await self.archive.begin(store)
        self.alerts = Alerts(self.journal, lambda: self.settings, self.wall)
        self.access = access_log(self)
        verbs = Verbs(self).table() | KeepVerbs(self).table() | RecordingVerbs(self).table() | UpkeepVerbs(self).table()
        control = Control(socket_path(self.state_dir), verbs)
        try:
            try:
                await control.open()
            except OSError as error:
                raise Fatal(_("Another daemon runs on this state folder, or {path} cannot be made: {reason}").format(
                    path=error.filename or socket_path(self.state_dir), reason=error.strerror
                )) from None  # fmt: skip
            client = ari.Client(
                by.ari_url, by.ari_user, by.ari_password, self.settings.hotline.asterisk.application
            )
            ami = Ami(by.host, by.ami_port, by.ami_user, by.ami_password)
            async with client, Shelf(
                self.folders, self.settings.hotline.zone, self.journal, self.how_kept
            ) as self.shelf:
                await self._serve(client, ami)
        finally:
            await control.close()
            await self.playback.close()
            await self.journal.close()

    def how_kept(self) -> How:
        """How recordings are kept, by the settings in force."""
        return replace(how_of(self.settings.hotline.recording, self.state_dir), marked=self.archive.known)

    def _told_to_stop(self, sig: signal.Signals) -> None:
        self.interrupted = sig == signal.SIGINT
        self.stopping.set()

    async def _serve(self, client: ari.Client, ami: Ami) -> None:
        version = importlib.metadata.version("hotline")
        self._system(ev.DaemonStarted(version=version, pid=os.getpid()))
        await asyncio.to_thread(self.reload.lay_prompts)
        await asyncio.to_thread(share, self.home, self.settings)
        self.client = client
        self.phone = AsteriskPhone(
            client,
            ami,
            prompts=self.reload.prompts(),
            spool=self.folders.spool,
            devices=devices(self.settings),
            names=Names(self.settings.hotline),
        )
        self.desk = Desk(Rules.of(self.settings), self.clock, self.journal, self._alarm)
        house = House(
            self.phone, self.journal, self.clock, self.desk, self.folders.message_seconds, self.folders.part_size,
            self._alarm,
        )  # fmt: skip
        self.away = Away(
            self.home.away,
            self.folders,
            self.journal,
            country=self.settings.hotline.country,
            shortest=self.settings.hotline.recording.shortest_voicemail,
            ended=self.shelf.ended,
        )
        self.records = Records(self.journal, lambda: self.settings, self._record_saved)
        self.calls = Calls(house, lambda: self.settings, self.shelf.ended, self.away.handed_over)
        self.staff = Staff(self)
        self.codes = CodeCalls(self.phone, self.staff, lambda: self.settings)
        self.phone.on_dialled = self.codes.begin
        rolls = roll_call(self)
        self.calls.others = lambda leg: self.codes.has(leg) or rolls.has(leg)
        self.trunks = TrunkWatch(ami, lambda: self.settings.hotline)
        country = self.settings.hotline.country
        self.traces = Traces(self.home.hung_up, self.journal, country=country, ended=self.shelf.ended)
        self.phone.on_arrival = self._arrived
        self.phone.on_reachable = self._reachable_changed
        self.phone.on_back = self._back
        self.turns = LastTurns(self.state_dir)
        self.upkeep = Upkeep(self)
        self.heart = Heartbeat(client)
        self.duty_file = DutyKeeper(self.home, lambda: self.settings, time.time)
        self.phone.on_connected = self.heart.connected
        self.phone.on_user_event = self.heart.came
        self.phone.is_ours = self._is_ours
        self.phone.on_lost = lambda why: self._system(ev.AsteriskLost(connection="ari", why=why))
        ami.on_change = self._ami_changed
        stopped = "stopped"
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._connection(client.run())),
                    tasks.create_task(self._connection(ami.run())),
                    tasks.create_task(self.phone.run()),
                    tasks.create_task(keep_on("duty", self.duty.run)),
                    tasks.create_task(keep_on("clock", self._watch_clock)),
                    tasks.create_task(self.reload.run()),
                    tasks.create_task(keep_on("away", lambda: self.away.watch(
                        self._in_service, self.phone.is_there, self.calls.running
                    ))),
                    tasks.create_task(keep_on("traces", lambda: self.traces.watch(
                        self._in_service, self.calls.running
                    ))),
                    tasks.create_task(keep_on("duty file", self.duty_file.run)),
                    tasks.create_task(keep_on("heartbeat", self.heart.run)),
                    tasks.create_task(keep_on("systemd", lambda: keep_told(
                        self.notifier, ready=self._in_service, alive=lambda: self.heart.alive, status=self._status_line
                    ))),
                    tasks.create_task(keep_on("trunks", self.trunks.run)),
                    tasks.create_task(keep_on("alerts", self.alerts.run)),
                    tasks.create_task(keep_on("roll call", rolls.run)),
                    tasks.create_task(keep_on("night", Night(self).run)),
                    tasks.create_task(keep_on("keeping", Keeping(self).run)),
                    tasks.create_task(keep_on("upkeep", self.upkeep.run)),
                    tasks.create_task(keep_on("drawing", Drawing(self).run)),
                    tasks.create_task(keep_on("console", ConsoleRun(self).run)),
                ]
                log.info("in service", version=version, pid=os.getpid())
                await self.stopping.wait()
                ends = self.interrupted and self._ends_asterisk
                what = "Asterisk is stopped too, and its calls end" if ends else \
                    "talks go on, waiting callers are kept for the next daemon"  # fmt: skip
                log.info("stopping: " + what, calls=len(self.calls))
                self.notifier.tell(STOPPING=1)
                await self.heart.stop()
                self.desk.close()
                await self.codes.stop()
                await self.calls.stop(self.settings.hotline.times.stop_grace)
                for task in running:
                    task.cancel()
        except* Fatal as fatal:
            stopped = str(fatal.exceptions[0])
            raise _first(fatal) from None
        finally:
            self.desk.close()
            await self.calls.abandon()
            self._system(ev.DaemonStopped(reason=stopped))

    async def _connection(self, course: Any) -> None:
        """A connection's run, its fatal ends in one line each."""
        asterisk = self.settings.hotline.asterisk
        try:
            await course
        except Unauthorized:
            what = _("Asterisk refuses the ARI user or password at 127.0.0.1:{port}: render and restart it.")
            raise Fatal(what.format(port=asterisk.ari_port)) from None
        except Replaced:
            what = _("Another program took over the Stasis application {name}: is a second daemon running?")
            raise Fatal(what.format(name=asterisk.application)) from None
        except AmiLogin:
            what = _("Asterisk refuses the AMI user or password at 127.0.0.1:{port}: render and restart it.")
            raise Fatal(what.format(port=asterisk.ami_port)) from None
        except (AriError, AmiError) as error:
            raise Fatal(str(error)) from None

    # --- a start, and every reconnect -------------------------------------------------------------------------------

    async def _back(self, restarted: bool) -> None:
        """Asterisk is there (again): compare what it has with what we know, and put it right."""
        info = await self.client.asterisk.info()
        self.release = info.system.version
        if parse_version(info.system.version) < OLDEST:
            raise Fatal(
                _("Asterisk {version} is too old: 22.5 or newer is needed.").format(version=info.system.version)
            )
        self._system(ev.AsteriskBack(connection="ari"))
        if self.settings.hotline.recording.unbroken and not self.phone.one_recorder:
            self._alarm("recording_in_parts", {"asterisk": info.system.version})  # its build would lose sound
        if restarted:
            self.reload.asterisk_restarted()
        started = info.status.startup_time
        micros = int(started.timestamp() * 1_000_000) if started is not None else 0
        try:
            await self.journal.flush()
            agents = await self.journal.agent_states()
            handled = await recent_talks(self.journal, self.clock.now())
            complete = await complete_records(self.journal, agents.values())
            running = self.calls.running()  # before the journal is read: those may end while it is
            adoption = await self.calls.read_back(
                [call for call in await self.journal.open_calls() if call.call_id not in running],
                asterisk_started=micros, was_away=self.away.has, is_over=self._is_over,
                ends=lambda: self.traces.ends(self.clock.now() - time.time_ns() // 1000),
            )  # fmt: skip
        except (PhoneFault, StoreError) as fault:
            if self._adopted and isinstance(fault, StoreError):  # the running calls know all they need
                log.error("the store cannot be read; calls go on, what else is in Asterisk waits", why=str(fault))
                return
            log.error("Asterisk and the journal could not be compared; trying again", why=str(fault))
            raise OSError(str(fault)) from None  # ari drops the connection and tries again
        first = not self._adopted
        if first:  # no await from here to the end of restore: nobody may speak to the desk before it
            self._adopted = True
            accounts = Rules.of(self.settings).accounts()
            self.desk.restore(
                Restore(
                    agents=agents.values(),
                    waiting=sorted(adoption.waiting, key=lambda asked: (asked.priority, asked.asked_at)),
                    talks=adoption.talks,
                    standing=self.duty.look(),
                    reachable=[(accounts[account], account) for account in sorted(self.reachable)],
                    handled=handled,
                    complete=complete,
                ),
                adoption.lines,
            )
        self.calls.adopt(adoption)
        self.traces.connected()
        log.info("Asterisk is read back", adopted=len(adoption.begin), restarted=restarted)
        if first:
            try:
                await self.shelf.leftovers(self.away.calls())
            except (OSError, StoreError) as fault:
                log.error("unfinished recordings could not be looked for; the next start does", why=str(fault))

    def _arrived(self, arrival: Arrival) -> None:
        """A caller rings, unless this is read late: whom the dialplan had once, nobody brings back to us."""
        if self.away.has(arrival.leg) or self.traces.has(arrival.leg):
            log.warning("a caller was read of too late: the dialplan took them", call=arrival.leg)
            return
        self.calls.arrive(arrival)

    async def _is_over(self, call_id: str) -> bool:
        return bool(CallState.of(call_id, await self.journal.events_of(call_id)).ended_at)

    def _reachable_changed(self, account: str, reachable: bool) -> None:
        (self.reachable.add if reachable else self.reachable.discard)(account)
        if self._adopted:
            self.desk.reachable(account, reachable)

    def _is_ours(self, account: str) -> bool:
        """Whether a phone in use rings or talks by us, not by the lifeboat."""
        if not self._adopted:
            return account not in self.away.engaged()
        return self.desk.engaged(account)

    def _in_service(self) -> bool:
        return self._adopted and self.client.ready

    def _status_line(self) -> str:
        """What ``systemctl status`` shows."""
        if not self._in_service():
            return _("Waiting for Asterisk")
        return _("In service: {calls} calls, {agents} agents on duty").format(
            calls=len(self.calls), agents=len(self.duty.now.duty)
        )

    # --- watching -----------------------------------------------------------------------------------------------------

    def wall(self) -> datetime:
        """The wall clock: duty follows it even where it was stepped."""
        return datetime.fromtimestamp(self.clock.now() / 1_000_000 + self.clock.drift(), UTC)

    def can_reach(self, agent: str) -> bool:
        """Whether any device of theirs can be reached; an outside number counts as reachable."""
        known = self.settings.agents.agents.get(agent)
        return known is not None and any(
            one.number is not None or one.sip in self.reachable for one in known.devices
        )

    @property
    def adopted(self) -> bool:
        """Whether Asterisk has been read back: nobody may speak to the desk before."""
        return self._adopted

    async def _watch_clock(self) -> None:
        known = 0.0
        while True:
            await asyncio.sleep(CLOCK_EVERY)
            drift = self.clock.drift()
            if abs(drift - known) >= CLOCK_STEP:
                log.warning("the wall clock was stepped", seconds=round(drift - known, 3))
                self._system(ev.ClockStepped(seconds=round(drift - known, 3)))
                known = drift

    # --- what the rooms tell ----------------------------------------------------------------------------------------

    def _system(self, event: ev.SystemEvent) -> None:
        self.journal.append("system", "hotline", event)

    def _degraded(self, on: bool, why: str) -> None:
        if on:
            log.error("DEGRADED: the store fails; events go to the spool file, calls go on", why=why)
        else:
            log.warning("the store works again; the spool was taken in")

    def _ami_changed(self, up: bool, why: str) -> None:
        self._system(ev.AsteriskBack(connection="ami") if up else ev.AsteriskLost(connection="ami", why=why))

    def _record_saved(self, call_id: str, complete: bool) -> None:
        if self._adopted:  # else the start reads it from the journal
            self.desk.record_saved(call_id, complete)

    def _alarm(self, code: str, params: Mapping[str, str | int]) -> None:
        self.alerts.alert(code, **params)


def _first(group: BaseExceptionGroup[Fatal]) -> Fatal:
    found = group.exceptions[0]
    return found if isinstance(found, Fatal) else _first(found)


def run(ready: Ready, *, offset: float = 0.0, ends_asterisk: bool = False) -> bool:
    """Run the daemon to its end; returns whether that was Ctrl-C (SIGINT). Raises Fatal and StoreError."""
    faulthandler.enable()  # a watchdog's SIGABRT then tells where we hang
    daemon = Daemon(ready, offset=offset, ends_asterisk=ends_asterisk)
    if ready.settings.hotline.console.enabled:
        load()  # now, not while calls wait for it
    # What was imported stays for ever: the collector need not look at it again, and a collection among the objects of
    # many calls, few of which die in circles, is seldom worth its pause.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    sys.setswitchinterval(SWITCH)
    uvloop.run(daemon.run())
    return daemon.interrupted
