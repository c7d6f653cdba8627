"""A hotline on trial: a copy of the configuration on free ports, its private Asterisk, its daemon as a process of its
own, and the outside world around it. The demo and the tests run on it; nothing of the real state is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from calllog import queries
from calllog.errors import StoreError
from calllog.queries import CallDetail, CallRow
from config.catalogue import _
from config.load import load_settings
from config.settings import Settings
from config.telephony import Trunk
from hotline.asterisk import process
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import AsteriskInstall, cache_folder, find_asterisk
from hotline.asterisk.passwords import Secrets, load_secrets
from hotline.asterisk.ports import cannot_bind
from hotline.asterisk.render import devices, render
from hotline.control import NotRunning, Refused, ask
from hotline.outside import Handset, OutsideWorld
from hotline.preflight import build_prompts
from hotline.trial_config import REPOSITORY, copy_config
from ivr.prompts import languages
from recordings.keys import key_folder, load_ring, make_key

READY_LIMIT = 90.0
"""Seconds until a started daemon answers and has read Asterisk back: it imports and builds prompts first."""

END_LIMIT = 60.0
"""Seconds for a daemon to end after SIGTERM."""

ENDED_LIMIT = 90.0
"""Seconds until a call that is over stands in the store with its outcome and its recording."""


class NotInService(Exception):
    """The daemon did not come up, or died; the text is the end of its log."""


class Trial:
    """One hotline on trial; made by :func:`trial`."""

    def __init__(self, config: Path, settings: Settings, install: AsteriskInstall, secrets: Secrets) -> None:
        self.config = config
        self.settings = settings
        self.install = install
        self.secrets = secrets
        self.state = Path(settings.hotline.state_dir)
        self.home = AsteriskHome.of(self.state)
        self.world: OutsideWorld
        self.daemon: asyncio.subprocess.Process | None = None
        self.module = "hotline"
        """The module that is run as the daemon."""
        self.leash: list[str] = []
        """Words before the daemon's command, e.g. those that take its privileges."""
        self._calls = 0

    @property
    def number(self) -> str:
        """The hotline's number."""
        return self.settings.hotline.numbers[0]

    @property
    def store(self) -> Path:
        """The database."""
        return self.state / "hotline.sqlite"

    @property
    def log(self) -> Path:
        """What the daemon logs."""
        return self.state / "daemon.log"

    # --- the daemon -----------------------------------------------------------------------------------------------

    async def start(self, *, offset: float = 0.0) -> None:
        """Start the daemon, and return when it serves. Raises NotInService."""
        await self.launch(offset=offset)
        await self.in_service()

    async def launch(self, *, offset: float = 0.0) -> None:
        """Start the daemon's process."""
        command = [*self.leash, sys.executable, "-m", self.module, "run", "--config", str(self.config)]
        command += ["--clock-offset", str(offset)] if offset else []
        with self.log.open("ab") as log:
            self.daemon = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                start_new_session=True,
                env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
            )

    async def in_service(self) -> None:
        """Return when the daemon serves."""
        assert self.daemon is not None
        try:
            async with asyncio.timeout(READY_LIMIT):
                while not (await self.status()).get("ready"):
                    if self.daemon.returncode is not None:
                        raise NotInService(self._last_words())
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise NotInService(self._last_words()) from None

    async def status(self) -> dict[str, Any]:
        """What the daemon says of itself; empty when none answers."""
        try:
            return await asyncio.to_thread(ask, self.state, "status")
        except (NotRunning, Refused):
            return {}

    async def idle(self, limit: float = 90.0) -> dict[str, Any]:
        """The status once no call is in hand any more: a call's task ends a moment after its outcome is safe.

        Raises TimeoutError.
        """
        async with asyncio.timeout(limit):
            while True:
                if (status := await self.status()).get("calls") == 0:
                    return status
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """``kill -9``: the daemon and its workers are gone at once."""
        if self.daemon is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.daemon.pid, signal.SIGKILL)
            await self.daemon.wait()

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        if self.daemon is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.daemon.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_LIMIT):
                return await self.daemon.wait()
        except TimeoutError:
            await self.kill()
            raise NotInService(f"the daemon did not end within {END_LIMIT:g} s\n{self._last_words()}") from None

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:] if self.log.exists() else ""

    # --- phones and calls -------------------------------------------------------------------------------------------

    async def handset(self, agent: str, *, register: bool = True) -> Handset:
        """The agent's phone."""
        devices = self.settings.agents.agents[agent].devices
        account = next(device.sip for device in devices if device.sip is not None)
        user = self.settings.hotline.asterisk.endpoint(account)
        return await self.world.handset(agent, user, self.secrets.sip[account], register=register)

    def fresh_number(self) -> str:
        """A mobile number that nobody has called from yet."""
        self._calls += 1
        return self._fresh(self._calls)

    def fresh_number_after(self, count: int) -> list[str]:
        """The numbers that the next so many calls of :meth:`fresh_number` will give."""
        return [self._fresh(self._calls + 1 + ahead) for ahead in range(count)]

    @staticmethod
    def _fresh(count: int) -> str:
        return f"139{os.getpid() % 10_000:04}{count:04}"

    async def reachable(self, *agents: str) -> None:
        """Return when the daemon knows that these agents can be rung."""
        async with asyncio.timeout(READY_LIMIT):
            while True:
                known = (await self.status()).get("agents", {})
                if all(known.get(agent, {}).get("reachable") for agent in agents):
                    return
                await asyncio.sleep(0.05)

    async def rows(self) -> list[CallRow]:
        """Every call in the store, the newest first."""
        try:
            return await queries.list_calls(self.store, limit=100_000)
        except StoreError:
            return []

    async def detail(self, number: str) -> CallDetail | None:
        """The newest call from this number."""
        try:
            rows = await queries.list_calls(self.store, number=number)
        except StoreError:
            return None
        found = next((row for row in rows if row.number.endswith(number)), None)
        return await queries.get_call(self.store, found.call_id) if found is not None else None

    async def ended(self, number: str, *, archived: bool = True, limit: float = ENDED_LIMIT) -> CallDetail:
        """The newest call from this number once it has its outcome and, if it has one, its recording."""
        found: CallDetail | None = None
        try:
            async with asyncio.timeout(limit):
                while True:
                    found = await self.detail(number)
                    if found is not None and found.state.ended_at and (not archived or _archived(found)):
                        return found
                    await asyncio.sleep(0.1)
        except TimeoutError:
            state = found.state if found is not None else None
            raise AssertionError(f"{number}: not ended within {limit:g} s: {state}\n{self._last_words()}") from None

    def _left(self) -> list[str]:
        channels = process.ask(self.install, self.home, "core show channels concise")
        bridges = process.ask(self.install, self.home, "bridge show all")
        # The waiting room, the channel of its music, and the watch over callers stay.
        stays = ("Announcer/", "Local/s@hotline-watch-")
        left = [line for line in channels.splitlines() if "!" in line and not line.startswith(stays)]
        left += [line for line in bridges.splitlines() if "-bridge" in line.split(" ")[0]]
        kept = self._kept() if left else ()
        return [line for line in left if line.rpartition("!")[2] not in kept]

    async def nothing_left(self, limit: float = 90.0) -> None:
        """Return when Asterisk has no channel and no bridge of a call any more; raises AssertionError.

        But those that it keeps by its own fault for ten minutes after their hang-up, as the daemon has told in its log
        (``phone.lines.HUNG_UP``).
        """
        until = asyncio.get_running_loop().time() + limit
        while True:  # one look at least: a loaded machine may take longer for it than the limit
            try:
                left = await asyncio.to_thread(self._left)
            except AsteriskFault as fault:  # it is busy, or only just starts
                left = [str(fault)]
            if not left:
                return
            if asyncio.get_running_loop().time() > until:
                raise AssertionError("\n".join(["left over in Asterisk:", *left]))
            await asyncio.sleep(0.1)

    def _kept(self) -> set[str]:
        """The legs that have hung up, and that Asterisk does not let go."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return {json.loads(line)["leg"] for line in lines if '"Asterisk keeps a channel that has hung up"' in line}


def _prompts(settings: Settings, config: Path, state: Path) -> None:
    """Build the prompts, from those of the last trial where nothing has changed: speaking them takes seconds."""
    spoken = languages(settings)
    texts = b"".join((config / f"prompts.{language}.yaml").read_bytes() for language in spoken)
    name = hashlib.sha256(texts).hexdigest()[:12]
    kept = cache_folder() / f"trial-sounds-{name}"
    if kept.is_dir():
        shutil.copytree(kept, state / "sounds", dirs_exist_ok=True)
    problems = build_prompts(settings, config, state)
    if errors := [problem for problem in problems if not problem.warning]:
        raise NotInService("\n".join(map(str, errors)))
    if not kept.is_dir():
        fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copytree(state / "sounds", fresh, dirs_exist_ok=True)
        with contextlib.suppress(OSError):  # another trial was first
            fresh.rename(kept)
        shutil.rmtree(fresh, ignore_errors=True)


def _key(settings: Settings, state: Path) -> None:
    """A key to seal recordings with, where that is set: a new state folder has none."""
    folder = key_folder(settings.hotline.recording, state)
    if settings.hotline.recording.encrypt and load_ring(folder).current is None:
        make_key(folder, dt.datetime.now(dt.UTC))


def _sounds(settings: Settings, state: Path) -> list[Path]:
    return [state / "sounds" / language for language in languages(settings)]


def _archived(detail: CallDetail) -> bool:
    state = detail.state
    return not state.archives_due


def _port(trunk: Trunk) -> int:
    return int(trunk.peers[0].rpartition(":")[2])


@asynccontextmanager
async def trial(
    folder: Path,
    changes: Mapping[str, Any] | None = None,
    *,
    daemon: bool = True,
    world: bool = True,
    **outside: Any,
) -> AsyncIterator[Trial]:
    """A hotline in ``folder`` with the outside world around it (unless not ``world``); nothing of it runs on
    afterwards.

    ``outside`` is given to :meth:`OutsideWorld.start` besides.
    """
    state = folder / "var"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = copy_config(folder / "config", state, changes or {})
    settings = load_settings(config)
    install = find_asterisk()
    secrets = load_secrets(state, devices(settings))
    home = render(settings, install, state, secrets)
    _key(settings, state)
    await asyncio.to_thread(_prompts, settings, config, state)
    await asyncio.to_thread(process.start, settings, install, state, secrets)
    it = Trial(config, settings, install, secrets)
    carrier = _port(settings.hotline.trunks[0])
    outside.setdefault(
        "carriers", [_port(trunk) for trunk in settings.hotline.trunks[1:] if trunk.outgoing.present is not None]
    )
    sip = settings.hotline.asterisk.sip
    try:
        async with AsyncExitStack() as stack:
            if world:
                sounds, at = _sounds(settings, home.state), (sip.bind, sip.port)
                around = OutsideWorld.start(install, folder / "outside", at, carrier, sounds=sounds, **outside)
                it.world = await stack.enter_async_context(around)
            try:
                if daemon:
                    await it.start()
                yield it
            finally:
                if it.daemon is not None and it.daemon.returncode is None:
                    await it.stop()
    finally:
        await asyncio.to_thread(process.stop, install, state)


@asynccontextmanager
async def visit(config: Path, folder: Path) -> AsyncIterator[Trial]:
    """An outside world around a hotline that runs already; nothing of the hotline is started or stopped.

    Raises NotInService when no trunk of it has a free address on this machine to call from.
    """
    settings = load_settings(config)
    home = AsteriskHome.of(settings.hotline.state_dir)
    changed = settings.hotline.model_copy(update={"state_dir": str(home.state)})
    it = Trial(
        config,
        settings.model_copy(update={"hotline": changed}),
        find_asterisk(),
        load_secrets(home.state, devices(settings)),
    )
    carrier = next(
        (
            int(port)
            for trunk in settings.hotline.trunks
            for host, _colon, port in [address.rpartition(":") for address in trunk.addresses]
            if host == "127.0.0.1" and not cannot_bind(host, int(port), "udp")
        ),
        None,
    )
    if carrier is None:
        what = _("No trunk of {config} has a free address 127.0.0.1:PORT to call from.")
        raise NotInService(what.format(config=config))
    sip = settings.hotline.asterisk.sip
    host = "127.0.0.1" if sip.bind == "0.0.0.0" else sip.bind
    sounds = _sounds(settings, home.state)
    async with OutsideWorld.start(it.install, folder, (host, sip.port), carrier, sounds=sounds) as it.world:
        yield it
