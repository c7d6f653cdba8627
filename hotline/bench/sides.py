"""The two that are compared, on the same Asterisk: a plain dialplan with ``Queue()``, and Hotline.

Both have the same trunk, the same phones, the same prompts, music and modules. The plain side has app_queue besides
and no daemon. Only one of them runs at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.load import load_settings
from config.settings import Settings
from hotline.asterisk import process
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import AsteriskInstall, find_asterisk
from hotline.asterisk.passwords import Secrets, load_secrets
from hotline.asterisk.render import devices, render, rendered
from hotline.bench.cost import Cost, tree
from hotline.outside.ports import free_ports
from hotline.outside.switch import Switch
from hotline.preflight import build_prompts
from hotline.trial import NotInService, Trial
from hotline.trial_config import copy_config

WORDS = {
    "greeting": "您好，欢迎致电。",
    "recording_notice": "通话将被录音。",
    "menu_main": "咨询请按 1，投诉请按 2。",
    "connecting": "正在接通。",
    "queue_wait": "请您稍候。",
    "farewell": "感谢来电。",
    "still_waiting": "感谢等候。",
}
"""Short, so that a call of eight seconds has everything in it; the same files on both sides."""

RTP = range(4_000, 12_000)
"""Below the ports that are given (``hotline.outside.ports``), and wide, so that a port which was just freed is hardly
ever given to the next call at once; Asterisk passes over those that somebody else has."""

FEW = 8
"""Agents of a queue of their own, for which more callers wait than it has agents."""
FEW_KEY = 2
"""The key by which callers get there (``menu.yaml``: 投诉)."""

BEFORE_KEY = 0.4
"""Seconds of the menu that a caller hears before pressing the key."""

PLAIN = """\
[general]
static = yes
writeprotect = yes
autofallthrough = yes

[from-trunk]
exten = {number},1,Answer()
 same = n,Playback({prompts}/greeting)
 same = n,Playback({prompts}/recording_notice)
 same = n,Read(CHOICE,{prompts}/menu_main,1,,2,2)
{recorder}
 same = n,Queue(${{IF($["${{CHOICE}}" = "{few_key}"]?few:inquiry)}},,,,300)
 same = n,Hangup()

[agents]
exten = _[0-9*#+]!,1,Hangup(21)
"""

RECORDERS = {
    "dialplan": """\
 same = n,MixMonitor({spool}/${{UNIQUEID}}.raw,Db)""",
    "queue": """\
 same = n,Set(MONITOR_FILENAME={spool}/${{UNIQUEID}})
 same = n,Set(MONITOR_OPTIONS=D)""",
}
"""Who starts MixMonitor: the dialplan before Queue(), as it is mostly written (it listens on while the caller waits and
writes what is bridged), or Queue() itself at the moment of bridging, which costs less."""

QUEUES = """\
[general]
persistentmembers = no
autofill = yes
shared_lastcall = no

[common](!)
strategy = leastrecent
timeout = 20
retry = 1
wrapuptime = 0
ringinuse = no
musicclass = default
{monitor}
announce-frequency = 30
announce-position = no
joinempty = yes
leavewhenempty = no

[inquiry](common)
{members}

[few](common)
{few}
"""


@dataclass(slots=True)
class Ground:
    """What both sides share."""

    folder: Path
    config: Path
    settings: Settings
    install: AsteriskInstall
    secrets: Secrets
    carrier: int
    callers: int
    """UDP port of the callers' sound."""
    agents: int
    """UDP port of the agents' sound."""
    spare: int

    @property
    def server(self) -> tuple[str, int]:
        """Where both Asterisks listen for SIP."""
        return "127.0.0.1", self.settings.hotline.asterisk.sip.port

    @property
    def number(self) -> str:
        """The number that is called."""
        return self.settings.hotline.numbers[0]

    @property
    def prompts(self) -> Path:
        """The built prompts."""
        return Path(self.settings.hotline.state_dir) / "sounds" / "zh"

    def phones(self, count: int) -> dict[str, str]:
        """The first so many accounts with their passwords."""
        return dict(sorted(self.secrets.sip.items())[:count])

    def few(self) -> dict[str, str]:
        """The accounts of the queue that has few agents."""
        return dict(sorted(self.secrets.sip.items())[-FEW:])

    def key_after(self) -> float:
        """Seconds after the answer at which the menu is being played."""
        return self.seconds("greeting", "recording_notice") + BEFORE_KEY

    def seconds(self, *prompts: str) -> float:
        """The length of these prompts together."""
        return sum(((self.prompts / f"{name}.wav").stat().st_size - 44) / 16_000 for name in prompts)


def make_ground(folder: Path, agents: int, changes: Mapping[str, Any]) -> Ground:
    """Settings, passwords and prompts for so many agents, in ``folder``. Raises NotInService."""
    state = folder / "var"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    accounts = [str(10_001 + number) for number in range(agents)]
    few = [str(90_001 + number) for number in range(FEW)]
    skills = dict.fromkeys(accounts, "inquiry") | dict.fromkeys(few, "complaint")
    tree_: dict[str, Any] = {
        "hotline": {
            "asterisk": {"rtp": {"first": RTP[0], "last": RTP[-1]}},
            "times": {"wrap_up": 0, "ring": 20, "digit_timeout": 2},
            **changes,
        },
        "agents": {"agents": {
            "8001": None, "8002": None,
            **{one: {"name": one, "skills": [skill], "devices": [{"sip": one}]} for one, skill in skills.items()},
        }},
        "roster": {
            "shifts": {"全天": {"from": "00:00", "to": "00:00"}},
            "teams": None,
            "rotations": None,
            "rules": [{"shift": "全天", "agents": list(skills)}],
            "changes": [],
        },
        "queues": {"queues": {"complaint": {"wrap_up": 0}}},
        "prompts.zh": {"speed": 260, "prompts": WORDS},
    }  # fmt: skip
    config = copy_config(folder / "config", state, tree_)
    settings = load_settings(config)
    carrier = int(settings.hotline.trunks[0].addresses[0].rpartition(":")[2])
    callers, sound, spare = free_ports(3)
    install = find_asterisk()
    secrets = load_secrets(state, devices(settings))
    problems = build_prompts(settings, config, state)
    if errors := [problem for problem in problems if not problem.warning]:
        raise NotInService("\n".join(map(str, errors)))
    return Ground(folder, config, settings, install, secrets, carrier, callers, sound, spare)


class Running:
    """A side that serves. ``parts``: the processes that count as its cost, by name."""

    def __init__(self, name: str, asterisk: int, recordings: Path, trial: Trial | None) -> None:
        self.name = name
        self.asterisk = asterisk
        self.recordings = recordings
        self.trial = trial

    @property
    def daemon(self) -> int | None:
        """The daemon's process; None on the plain side."""
        found = self.trial.daemon if self.trial is not None else None
        return found.pid if found is not None else None

    def cost(self) -> Cost:
        """What has been used so far."""
        daemon, workers = tree(self.daemon) if self.daemon is not None else (0.0, 0.0)
        return Cost(tree(self.asterisk)[0], daemon, workers)

    async def idle(self, limit: float = 60.0) -> None:
        """Return when no call and no recording is being worked on any more. Raises TimeoutError."""
        if self.trial is None:
            return
        async with asyncio.timeout(limit):
            while True:
                said = await self.trial.status()
                if said.get("ready") and not said.get("calls") and not said.get("archiving"):
                    return
                await asyncio.sleep(0.2)


@asynccontextmanager
async def plain(ground: Ground, agents: int, recorder: str = "dialplan") -> AsyncIterator[Running]:
    """Asterisk with a dialplan and ``Queue()``; the first ``agents`` accounts are its members.

    ``recorder`` is one of ``RECORDERS``.
    """
    folder = ground.folder / "plain"
    spool = folder / "recordings"
    shutil.rmtree(folder, ignore_errors=True)
    spool.mkdir(parents=True)
    home = AsteriskHome.of(ground.settings.hotline.state_dir)
    files = rendered(ground.settings, ground.install, home, ground.secrets)
    members, few = (
        "\n".join(f"member = PJSIP/{account}" for account in some) for some in (ground.phones(agents), ground.few())
    )
    own = {
        "extensions.conf": PLAIN.format(
            number=ground.number, prompts=ground.prompts, few_key=FEW_KEY,
            recorder=RECORDERS[recorder].format(spool=spool),
        ),
        "queues.conf": QUEUES.format(
            members=members, few=few,
            monitor="monitor-type = MixMonitor\nmonitor-format = raw" if recorder == "queue" else "",
        ),
        # As Asterisk comes: with its record of each call, and every message.
        "cdr.conf": "",
        "stasis.conf": "",
        "logger.conf": "[general]\nqueue_log = yes\n[logfiles]\nmessages => notice,warning,error\n",
    }
    modules = [line.removeprefix("load = ").removesuffix(".so") for line in files["modules.conf"].splitlines()]
    switch = Switch(ground.install, folder, "plain")
    kept = {name: text for name, text in files.items() if name not in ("asterisk.conf", "modules.conf")}
    await switch.start({**kept, **own}, [*modules, "app_queue"])
    try:
        assert switch.pid is not None
        yield Running("plain", switch.pid, spool, None)
    finally:
        await switch.stop()


@asynccontextmanager
async def hotline(ground: Ground) -> AsyncIterator[Running]:
    """Hotline: its Asterisk and its daemon, as in service."""
    state = Path(ground.settings.hotline.state_dir)
    for left in ("hotline.sqlite", "hotline.sqlite-wal", "hotline.sqlite-shm", "daemon.log"):
        (state / left).unlink(missing_ok=True)
    shutil.rmtree(state / "recordings", ignore_errors=True)
    render(ground.settings, ground.install, state, ground.secrets)
    pid = await asyncio.to_thread(process.start, ground.settings, ground.install, state, ground.secrets)
    it = Trial(ground.config, ground.settings, ground.install, ground.secrets)
    try:
        await it.start()
        yield Running("hotline", pid, state / "recordings", it)
    finally:
        if it.daemon is not None and it.daemon.returncode is None:
            with contextlib.suppress(NotInService):
                await it.stop()
        await asyncio.to_thread(process.stop, ground.install, state)
