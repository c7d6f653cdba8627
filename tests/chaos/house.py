"""The hotline under test: its Asterisk, its daemon behind two wires of ours, a crowd, and what is idle in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hotline.asterisk import process
from hotline.trial import Trial, trial
from phone.snapshot import HUSK
from tests.chaos.crowd import Crowd
from tests.chaos.mouths import Mouths
from tests.chaos.sip import Peer, Phone
from tests.real.conftest import profile
from tests.real.hostile import Wire

NOBODYS = "8099"
"""An agent who is never on duty, and the only one for key 3: its callers leave messages."""

CALM_LIMIT = 120.0
"""Seconds until nothing of the crowd is left, once all have hung up: a daemon may be in the middle of its return."""


def settings(agents: list[str]) -> dict[str, Any]:
    """Short times; many misses before a pause, or the crowd would soon have no agent."""
    return profile(
        agents,
        hotline={
            "misses_before_pause": 20,
            "times": {"ring": 2.5, "wrap_up": 0.2, "digit_timeout": 1.5, "announce_every": 3, "dead_phone": 8},
        },
        queues={"queues": {
            **{name: {"longest_wait": 12, "wrap_up": None} for name in ("inquiry", "complaint", "business", "person")},
            "suggestion": {"skill": "nothing", "longest_wait": 8},
        }},
        agents={"agents": {NOBODYS: {"name": "无人", "skills": ["nothing"]}}},
    )  # fmt: skip


class House:
    """``idle`` is what the daemon and Asterisk hold when nothing happens: tasks and open files."""

    def __init__(self, it: Trial, ari: Wire, ami: Wire, crowd: Crowd, mouths: Mouths, seed: str) -> None:
        self.trial, self.ari, self.ami, self.crowd, self.mouths, self.seed = it, ari, ami, crowd, mouths, seed
        self.idle: dict[str, int] = {}
        self.audited = 0
        """Callers of the crowd whom an audit has seen."""
        self.log_from = 0
        """Bytes of the daemon's log that an audit has read."""
        self.found_before: set[str] = set()

    @property
    def store(self) -> Path:
        return self.trial.store

    @property
    def daemon_pid(self) -> int:
        assert self.trial.daemon is not None
        return self.trial.daemon.pid

    @property
    def asterisk_pid(self) -> int:
        pid = process.running(self.trial.home)
        assert pid is not None, "Asterisk does not run"
        return pid

    def rng(self, what: str) -> random.Random:
        """Chance by the seed."""
        return random.Random(f"{self.seed} {what}")

    # --- Asterisk

    def signal_asterisk(self, number: int) -> None:
        os.kill(self.asterisk_pid, number)

    async def kill_asterisk(self) -> None:
        """``kill -9``, and return when it is gone."""
        pid = self.asterisk_pid
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while process.running(self.trial.home) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def start_asterisk(self) -> None:
        it = self.trial
        await asyncio.to_thread(process.start, it.settings, it.install, it.state, it.secrets)

    async def ready(self, want: bool = True, limit: float = 30.0) -> None:
        """Return when the daemon says so of its connections."""
        async with asyncio.timeout(limit):
            while (await self.trial.status()).get("ready") is not want:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    # --- what is there

    async def open_files(self) -> dict[str, int]:
        """How many files the daemon and Asterisk have open, and how many tasks the daemon has."""
        status = await self.trial.status()
        kept = self._kept_alive()
        return {
            "tasks": int(status.get("tasks", 0)),
            "daemon's files": _files(self.daemon_pid, kept),
            "Asterisk's files": _files(self.asterisk_pid, kept),
        }

    def open_kinds(self) -> str:
        """What daemon and Asterisk have open, for a person to read."""
        found = []
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        tcp = {f"socket:[{row[9]}]": f"{int(row[1][-4:], 16)}-{int(row[2][-4:], 16)}" for row in rows}
        for pid in (self.daemon_pid, self.asterisk_pid):
            links = []
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    link = os.readlink(f"/proc/{pid}/fd/{name}")
                    links.append(tcp.get(link, link))
            found.append(" ".join(sorted(links)))
        return f"ARI {self.ari.port}-{self.ari.to}, AMI {self.ami.port}-{self.ami.to}: " + " | ".join(found)

    def _kept_alive(self) -> set[str]:
        """The sockets of ARI: how many HTTP connections are kept alive for their few seconds is chance."""
        ports = {f"{port:04X}" for port in (self.ari.port, self.ari.to)}
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {f"socket:[{line[9]}]" for line in lines if ports & {line[1][-4:], line[2][-4:]}}

    async def calm(self, limit: float = CALM_LIMIT) -> str:
        """Return when no call is left anywhere; what is left, if something is after ``limit`` seconds."""
        left = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while left := await self._left():  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        return left

    async def _left(self) -> str:
        status = await self.trial.status()
        busy = ("degraded", "calls", "archiving", "looking")
        if not status.get("ready") or any(status.get(key) for key in busy):
            known = {key: status.get(key) for key in ("ready", *busy)}
            return f"the daemon is not idle: {known}"
        there = self.trial.home.away.iterdir() if self.trial.home.away.is_dir() else ()
        away = [file.name for file in there if file.stem != self.trial.home.hung_up.stem]
        if away:
            return f"not taken in: {away[:5]}"
        try:
            await self.trial.nothing_left(0.5)
        except AssertionError as error:
            return f"{error}{await self._husks(str(error))}"
        return ""

    async def _husks(self, left: str) -> str:
        """All that Asterisk says of a husk that stays (``phone.snapshot.HUSK``): whose thread it is, and where."""
        it, found = self.trial, ""
        for name in (line.partition("!")[0] for line in left.splitlines() if line.startswith(HUSK)):
            found += "\n" + await asyncio.to_thread(process.ask, it.install, it.home, f"core show channel {name}")
        return found


@asynccontextmanager
async def house(
    folder: Path, seed: str, *, agents: int = 6, changes: Mapping[str, Any] | None = None
) -> AsyncIterator[House]:
    """A hotline in service with so many agents' phones registered."""
    numbers = [str(8001 + n) for n in range(agents)]
    tree = settings(numbers)
    tree.update(changes or {})
    async with trial(folder, tree, daemon=False, world=False) as it:
        at = it.settings.hotline.asterisk
        ari, ami = Wire(at.ari_port), Wire(at.ami_port)
        await ari.restore()
        await ami.restore()
        wires = folder / "wires"
        shutil.copytree(it.config, wires)
        file = wires / "hotline.yaml"
        text = file.read_text(encoding="utf-8")
        for true, wire in ((at.ari_port, ari), (at.ami_port, ami)):
            text = text.replace(f": {true}\n", f": {wire.port}\n")
        file.write_text(text, encoding="utf-8")
        it.config = wires
        it.leash, it.module = _without_privileges(), "tests.chaos.stepped"
        os.environ["CHAOS_CLOCK"] = str(it.state / "clock-offset")
        mouths = Mouths(random.Random(f"{seed} net"))
        to = (at.sip.bind, at.sip.port)
        carrier = await Peer.open(to, mouths, int(it.settings.hotline.trunks[0].addresses[0].rpartition(":")[2]))
        desk = await Peer.open(to, mouths)
        phones = [Phone(desk, number, it.secrets.sip[number]) for number in numbers]
        crowd = Crowd(carrier, desk, phones, it.number, seed, f"139{os.getpid() % 1000:03}")
        found = House(it, ari, ami, crowd, mouths, seed)
        try:
            await it.start()
            await crowd.register()
            await it.reachable(*numbers)
            yield found
        finally:
            await crowd.close()
            for wire in (ari, ami):
                wire.freeze(False)
            for pid in (it.daemon.pid if it.daemon else None, process.running(it.home)):
                with contextlib.suppress(ProcessLookupError):
                    if pid is not None:
                        os.kill(pid, signal.SIGCONT)
            carrier.close()
            desk.close()
            mouths.stop()
            with contextlib.suppress(Exception):
                await it.stop()
            for wire in (ari, ami):
                await wire.cut()


def _files(pid: int, without: set[str]) -> int:
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/{pid}/fd/{name}") not in without
    return count


def _without_privileges() -> list[str]:
    """Words before the daemon's command that take root's right to write everywhere; none for who has it not."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--"]
