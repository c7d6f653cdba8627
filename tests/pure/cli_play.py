"""The tests' words for the command: a folder of settings, a store in which every kind of event happened, a run."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from calllog import events as ev
from calllog.clock import Clock
from calllog.journal import Journal
from config import catalogue
from hotline import control
from hotline.cli import build
from tests.pure.journal_play import new_store

ROOT = Path(__file__).parents[2]

START = 1_770_321_600_000_000
"""2026-02-06 04:00 in Shanghai, µs UTC."""

SERVED, AWAY, HIDDEN = "hotline-1770321600.12", "hotline-1770321700.30", "hotline-1770321800.44"
WANG = ev.Party(raw="013800001111", e164="+8613800001111", name="=王[red]芳")


def config_folder(folder: Path) -> Path:
    """A copy of the tracked settings whose state folder is in ``folder``."""
    config = folder / "config"
    config.mkdir(parents=True)
    for file in (ROOT / "config").glob("*.yaml"):
        shutil.copy(file, config)
    path = config / "hotline.yaml"
    text = re.sub(r"(?m)^state_dir: .*$", f"state_dir: {folder / 'var'}", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return config


def served() -> list[tuple[float, ev.CallEvent]]:
    """A complaint: two phones rung, a hold, recorded in two parts; seconds from the arrival, and the event."""
    first, second = f"{SERVED}-1", f"{SERVED}-2"
    spans = (ev.Span(second, 0, 520_000, True, "silent=agent"),)
    return [
        (0.0, ev.Arrived(leg=SERVED, did="4001234567", trunk="carrier")),
        (0.055, ev.Answered()),
        (2.4, ev.Greeted()),
        (5.1, ev.NoticeGiven(version="1")),
        (5.2, ev.MenuEntered(menu="main")),
        (6.0, ev.KeyPressed(menu="main", key="9")),
        (11.0, ev.KeyTimedOut(menu="main")),
        (12.0, ev.KeyPressed(menu="main", key="*", meaning="repeat")),
        (12.5, ev.LanguageChosen(language="en")),
        (13.0, ev.KeyPressed(menu="main", key="2", meaning="queue")),
        (13.0, ev.Asked(queue="complaint", label="投诉")),
        (13.1, ev.Enqueued(queue="complaint", priority=2)),
        (13.2, ev.PositionTold(ahead=2, wait=3, agents=2)),
        (14.0, ev.RingStarted(talk_id=first, agent="8001", device="8001", leg="l1")),
        (34.0, ev.RingEnded(talk_id=first, agent="8001", result="missed", cause=19)),
        (35.0, ev.PositionTold(ahead=0, wait=0, agents=1, cause="agents")),
        (36.0, ev.RingStarted(talk_id=second, agent="8002", device="8002", leg="l2")),
        (36.1, ev.DeviceRung(talk_id=second, agent="8002", device="*5678", leg="l3", trunk="carrier")),
        (38.0, ev.ConfirmAsked(talk_id=second, leg="l3")),
        (39.0, ev.DeviceEnded(talk_id=second, leg="l3", result="unconfirmed", cause=16)),
        (40.0, ev.RingEnded(talk_id=second, agent="8002", result="answered")),
        (40.0, ev.AgentAnnounced(talk_id=second, agent="8002")),
        (40.1, ev.TalkStarted(talk_id=second, agent="8002", bridge="b")),
        (40.2, ev.RecordingRequested(talk_id=second, part=1, file="a.raw")),
        (40.3, ev.RecordingStarted(talk_id=second, part=1, monitor="m")),
        (45.0, ev.RecordingPaused(talk_id=second, part=1, by="agent")),
        (46.0, ev.RecordingResumeAsked(talk_id=second, part=1, by="command")),
        (48.0, ev.RecordingResumed(talk_id=second, part=1, by="hotline")),
        (50.0, ev.Held(talk_id=second, by="agent")),
        (55.0, ev.Unheld(talk_id=second, by="agent")),
        (60.0, ev.Adopted(stage="talk")),
        (61.0, ev.Fault(where="talk", what="ValueError: x")),
        (62.0, ev.RecordingStopped(talk_id=second, part=1)),
        (63.0, ev.RecordingRequested(talk_id=second, part=2, file="b.raw")),
        (63.1, ev.RecordingFailed(talk_id=second, part=2, why="no such channel")),
        (105.1, ev.TalkEnded(talk_id=second, agent="8002", by="agent")),
        (105.1, ev.SurveyInvited(talk_id=second)),
        (105.1, ev.Rated(talk_id=second, rating=2)),
        (105.1, ev.HungUp(by="caller", cause=16)),
        (105.2, ev.Ended(outcome="answered", reason="agent_hung_up")),
        (106.0, ev.Archived(category="call", file=f"2026/02/06/{SERVED}.flac", sha256="0" * 64, frames=520_000,
                            rate=8000, channels=2, spans=spans)),
        (106.5, ev.Measured(category="call", by=1, seconds=65.0, loudness=(-20.0, -22.5), speech=(30.0, 28.0),
                            silence_from=5.0, talk_over_from=1.0)),
        (107.0, ev.RecordExtended(by="8002", until=START + 200_000_000)),
        (110.0, ev.RecordWritten(record_id="r", version=1, by="8002", agent="8002", subject="complaint-refund",
                                 solved="open", complete=True)),
    ]  # fmt: skip


def away() -> list[tuple[float, ev.CallEvent]]:
    """A fault hands the caller to the dialplan; a message is tried twice, and its archive fails."""
    return [
        (0.0, ev.Arrived(leg=AWAY, direction="callback")),
        (0.1, ev.HandedOver(why="guard")),
        (0.2, ev.Asked(queue="", via="away")),
        (0.3, ev.VoicemailOffered(why="away")),
        (1.0, ev.VoicemailStarted(file="v0.wav")),
        (2.0, ev.VoicemailDropped(why="too_short", seconds=0.5)),
        (3.0, ev.VoicemailStarted(file="v1.wav")),
        (9.0, ev.VoicemailKept(file="v1.wav", seconds=6.0)),
        (9.1, ev.HungUp(by="hotline", cause=31)),
        (9.2, ev.Ended(outcome="voicemail", reason="away")),
        (9.9, ev.ArchiveFailed(why="disk_full=ENOSPC", category="voicemail")),
    ]


def hidden() -> list[tuple[float, ev.CallEvent]]:
    """An anonymous caller who is still waiting."""
    return [
        (0.0, ev.Arrived(leg=HIDDEN)),
        (0.1, ev.Answered()),
        (1.0, ev.MenuEntered(menu="main")),
        (2.0, ev.RecordingDeclined(menu="main", key="7")),
        (20.0, ev.Asked(queue="person", via="retries")),
        (20.1, ev.Enqueued(queue="person", priority=4)),
    ]


SYSTEM: list[tuple[ev.Stream, str, ev.AnyEvent]] = [
    ("system", "hotline", ev.DaemonStarted(version="0.1.0", pid=1)),
    ("roster", "roster", ev.RosterTookEffect(sha256="ab" * 32, text="shifts: {}")),
    ("agent", "8001", ev.AgentChanged(mode="paused", reason="missed", missed=2)),
    ("agent", "8002", ev.AgentChanged(mode="talking", call_id=SERVED, talk_id=f"{SERVED}-2", since=START)),
    ("system", "hotline", ev.AsteriskLost(connection="ami", why="closed")),
    ("system", "hotline", ev.AsteriskBack(connection="ami")),
    ("system", "hotline", ev.ClockStepped(seconds=-3.5)),
    ("system", "hotline", ev.Alarm(code="last_agent_missed", what="agent 8001")),
    ("system", "hotline", ev.Degraded(on=True, why="disk full")),
    ("system", "hotline", ev.Degraded(on=False)),
    ("system", "hotline", ev.ConfigTookEffect(version=2, sha256="cd" * 32, how="edit")),
    ("system", "hotline", ev.ConfigRefused(sha256="ef" * 32, errors=2, what="agents.yaml:7")),
    ("system", "hotline", ev.DaemonStopped(reason="stopped")),
]


def fill(folder: Path) -> Path:
    """A store with all of it in the state folder of :func:`config_folder`; returns its path."""
    state = folder / "var"
    state.mkdir(exist_ok=True)
    store = state / "hotline.sqlite"
    new_store(folder / "new").rename(store)
    asyncio.run(_write(store))
    return store


async def _write(store: Path) -> None:
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    for number, (call_id, course, party) in enumerate(
        ((SERVED, served(), WANG), (AWAY, away(), ev.Party("008651234", "", "")), (HIDDEN, hidden(), ev.Party()))
    ):
        for seconds, event in course:
            at = START + number * 100_000_000 + round(seconds * 1e6)
            known = party if isinstance(event, ev.Arrived) else None
            journal.append("call", call_id, event, party=known, at=at)
    for stream, name, event in SYSTEM:
        journal.append(stream, name, event, at=START)
    await journal.close()


def hotline(*arguments: str | Path, config: Path | None = None, language: catalogue.Language = "zh") -> Result:
    """Run the command in this process, without a terminal."""
    before = catalogue._chosen
    catalogue.set_language(language)
    try:
        given = [str(each) for each in arguments]
        return CliRunner().invoke(build(), given + (["--config", str(config)] if config else []))
    finally:
        catalogue._chosen = before


def kinds(union: Any) -> Iterable[type[ev.Event]]:
    """The classes of a union of events."""
    return union.__args__  # type: ignore[no-any-return]


class Daemon:
    """Answers on the control socket as the daemon does."""

    def __init__(self, state: Path) -> None:
        self.asked: list[dict[str, object]] = []
        self.stopping = False
        self._state = state
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Daemon:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            door = control.Control(control.socket_path(self._state), {"status": self._status, "agent": self._agent})
            await door.open()
            self._ready.set()
            await self._stop.wait()
            await door.close()

        asyncio.run(serve())

    async def _status(self, _request: object) -> dict[str, object]:
        seat = {"mode": "ready", "reason": "", "on_duty": True, "reachable": True}
        seats = {"8001": seat, "8002": seat | {"mode": "off"}}
        return {"ready": True, "degraded": False, "calls": 0, "agents": seats, "pid": 4711, "stopping": self.stopping}

    async def _agent(self, request: object) -> dict[str, object]:
        assert isinstance(request, dict)
        self.asked.append(request)
        if request["agent"] == "8003":
            raise control.Refused(lambda: "8003 不在当班。")
        return {"mode": "paused", "reason": request["reason"]}
