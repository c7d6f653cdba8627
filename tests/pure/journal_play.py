"""The tests' words for the journal: stores made fast, call histories by hypothesis, rows as dictionaries."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import HealthCheck, settings, strategies as st

from calllog import events as ev, words
from calllog.clock import Clock
from calllog.journal import Journal
from calllog.migrate import migrate
from calllog.rows import FOLDED

Entry = tuple[ev.Stream, str, ev.AnyEvent, ev.Party | None]

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""For every property here: a busy machine is no fault."""

ANONYMOUS = ev.Party()
WANG = ev.Party(raw="013800001111", e164="+8613800001111", name="王芳")


@cache
def _template() -> bytes:
    path = Path(mkdtemp()) / "template.db"
    path.touch()
    migrate(path)
    return path.read_bytes()


def new_store(folder: Path, name: str = "calls.db") -> Path:
    """An empty store of the current shape, without the half second that alembic takes."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(_template())
    return path


async def open_journal(path: Path, **options: Any) -> Journal:
    """The journal on this store, its spool beside it."""
    options.setdefault("spool", path.with_name("spool.jsonl"))
    return await Journal.open(path, clock=Clock(), **options)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """For hypothesis, whose tests are not coroutines."""
    return asyncio.run(work)


def stored(path: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The answer to a question in SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def folded(path: Path, party_ids: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """Every folded row; without the parties' ids, which differ from run to run."""
    found = {}
    for table, (columns, keys) in FOLDED.items():
        names = [name for name in columns if party_ids or name != "party_id"]
        order = ", ".join(columns[:keys])
        found[table] = stored(path, f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}")
    return found


def journalled(path: Path) -> list[tuple[Any, ...]]:
    """Stream, id and kind of every event, in order."""
    return stored(path, "SELECT stream, stream_id, kind FROM event ORDER BY seq")


def tamper(path: Path, *statements: str) -> None:
    """Change the store behind everybody's back; the journal's own guards are taken off first."""
    with closing(sqlite3.connect(path)) as connection, connection:
        words.teach(connection)
        for name in ("event_is_never_edited", "event_is_never_deleted"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            connection.execute(statement)


def short_call(call_id: str, party: ev.Party = WANG, agent: str = "8001") -> list[Entry]:
    """A caller who is answered, recorded, and whose recording is archived."""
    talk = f"{call_id}-1"
    events: list[ev.CallEvent] = [
        ev.Arrived(leg=call_id, did="4001", trunk="carrier"),
        ev.Answered(),
        ev.Greeted(),
        ev.NoticeGiven(version="1"),
        ev.MenuEntered(menu="main"),
        ev.Asked(queue="advice", label="咨询"),
        ev.Enqueued(queue="advice"),
        ev.RingStarted(talk_id=talk, agent=agent, device="desk", leg=f"{talk}-leg"),
        ev.RingEnded(talk_id=talk, agent=agent, result="answered"),
        ev.TalkStarted(talk_id=talk, agent=agent, bridge="b"),
        ev.RecordingRequested(talk_id=talk, part=0, file=f"{talk}.0.raw"),
        ev.RecordingStarted(talk_id=talk, part=0, monitor="m"),
        ev.RecordingStopped(talk_id=talk, part=0),
        ev.TalkEnded(talk_id=talk, agent=agent, by="caller"),
        ev.HungUp(by="caller", cause=16),
        ev.Ended(outcome="answered", reason="caller_hung_up"),
        ev.Archived(
            category="call", file=f"2025/01/01/{call_id}.flac", sha256="0" * 64, frames=8000, rate=8000, channels=2,
            spans=(ev.Span(talk, 0, 8000, True),),
        ),
    ]  # fmt: skip
    return [("call", call_id, event, party if isinstance(event, ev.Arrived) else None) for event in events]


# --- histories ----------------------------------------------------------------------------------------------------

AGENTS = ("8001", "8002", "8003")
_numbers = st.sampled_from(["13800001111", "13800002222", "10086", ""])
parties = st.builds(
    lambda raw, known, name: ev.Party(raw, f"+86{raw}" if known and raw else "", name),
    _numbers, st.booleans(), st.sampled_from(["", "王芳", "Li"]),
)  # fmt: skip


@st.composite
def talk_events(draw: st.DrawFn, talk: str) -> list[ev.CallEvent]:
    """One ring, and what came of it."""
    agent = draw(st.sampled_from(AGENTS))
    events: list[ev.CallEvent] = [ev.RingStarted(talk_id=talk, agent=agent, device="desk", leg=f"{talk}-leg")]
    result = draw(st.sampled_from(["answered", "answered", "missed", "busy", "unreachable"]))
    events.append(ev.RingEnded(talk_id=talk, agent=agent, result=result))  # type: ignore[arg-type]
    if result != "answered":
        return events
    events.append(ev.TalkStarted(talk_id=talk, agent=agent, bridge=f"{talk}-b"))
    for part in range(draw(st.integers(0, 2))):
        events.append(ev.RecordingRequested(talk_id=talk, part=part, file=f"{talk}.{part}.raw"))
        if draw(st.booleans()):
            events += [
                ev.RecordingStarted(talk_id=talk, part=part),
                ev.RecordingStopped(talk_id=talk, part=part),
            ]
        else:
            events.append(ev.RecordingFailed(talk_id=talk, part=part, why="no such channel"))
    if draw(st.booleans()):
        events += [ev.Held(talk_id=talk, by="agent"), ev.Unheld(talk_id=talk, by="agent")]
    by, lost = draw(st.sampled_from([("caller", False), ("agent", False), ("agent", True), ("hotline", False)]))
    events.append(ev.TalkEnded(talk_id=talk, agent=agent, by=by, lost=lost))  # type: ignore[arg-type]
    if by == "agent" and not lost and draw(st.booleans()):
        events.append(ev.SurveyInvited(talk_id=talk))
        events += [ev.Rated(talk_id=talk, rating=key) for key in draw(st.lists(st.integers(1, 5), max_size=1))]
    return events


@st.composite
def call_events(draw: st.DrawFn, call_id: str) -> list[ev.CallEvent]:
    """A well-formed call, cut off anywhere as a crash would."""
    events: list[ev.CallEvent] = [ev.Arrived(leg=call_id, did="4001"), ev.Answered(), ev.Greeted()]
    events += [ev.NoticeGiven(version="1"), ev.MenuEntered(menu="main")]
    events += draw(st.lists(st.just(ev.KeyTimedOut(menu="main")), max_size=2))
    ended: ev.Outcome = "menu"
    if draw(st.booleans()):
        events += [
            ev.Asked(queue="advice", label="咨询"),
            ev.Enqueued(queue="advice", priority=draw(st.integers(0, 9))),
        ]
        for n in range(draw(st.integers(0, 3))):
            events += draw(talk_events(f"{call_id}-{n}"))
        ended = "answered" if any(isinstance(event, ev.TalkStarted) for event in events) else "abandoned"
        if draw(st.booleans()):
            events += [ev.VoicemailOffered(why="longest_wait"), ev.VoicemailStarted(file=f"{call_id}.wav")]
            kept = draw(st.booleans())
            events.append(
                ev.VoicemailKept(file=f"{call_id}.wav", seconds=draw(st.floats(2, 60)))
                if kept
                else ev.VoicemailDropped(why="short", seconds=0.5)
            )
            ended = "voicemail" if kept and ended == "abandoned" else ended
    events += [ev.HungUp(by="caller", cause=16), ev.Ended(outcome=ended)]
    parts = [event for event in events if isinstance(event, ev.RecordingStarted)]
    if parts:
        spans = tuple(ev.Span(part.talk_id, 0, 10, draw(st.booleans())) for part in parts)
        events.append(
            ev.Archived(
                category="call", file=f"{call_id}.flac", sha256="0" * 64, frames=10, rate=8000, channels=2, spans=spans
            )
            if draw(st.booleans())
            else ev.ArchiveFailed(why="disk full")
        )
    return events[: draw(st.integers(1, len(events)))] if draw(st.booleans()) else events


agent_events = st.builds(
    ev.AgentChanged,
    mode=st.sampled_from(["off", "ready", "ringing", "talking", "wrap_up", "paused"]),
    reason=st.sampled_from(["", "missed"]), missed=st.integers(0, 3), since=st.integers(0, 10**9),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn, most: int = 4) -> list[Entry]:
    """Several calls and agents at once, in one order."""
    threads: list[list[Entry]] = []
    for n in range(draw(st.integers(1, most))):
        call_id, party = f"hotline-{n}.1", draw(parties)
        events = draw(call_events(call_id))
        threads.append([("call", call_id, event, party if n_ == 0 else None) for n_, event in enumerate(events)])
    for agent in draw(st.lists(st.sampled_from(AGENTS), unique=True)):
        threads.append([("agent", agent, event, None) for event in draw(st.lists(agent_events, max_size=4))])
    merged: list[Entry] = []
    random = draw(st.randoms(use_true_random=False))
    while any(threads):
        merged.append(random.choice([thread for thread in threads if thread]).pop(0))
    return merged


@st.composite
def jumbled(draw: st.DrawFn) -> list[Entry]:
    """Events in an order that no caller could make: what does not fit must change nothing else."""
    history = draw(histories(most=2))
    return [entry for entry in draw(st.permutations(history)) if draw(st.integers(0, 9))]
