"""Questions to the store: filters, pages, and one call whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from calllog import events as ev, queries
from calllog.queries import (
    agent_rows,
    count_by_outcome,
    get_call,
    get_recording,
    list_calls,
    list_recordings,
)
from calllog.tables import call, metadata, recording
from tests.pure.journal_play import new_store, open_journal, short_call, stored

LI = ev.Party(raw="010%5_5", name="李")
WANG = ev.Party(raw="013800001111", e164="+8613800001111", name="王芳")


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Four calls: answered by 8001, answered by 8001 and 8002, abandoned while 8002 was rung, a voicemail; one open."""
    path = new_store(tmp_path)
    journal = await open_journal(path)
    for _stream, _call, event, party in short_call("c1", WANG):
        journal.append("call", "c1", event, party=party, at=100)
    for _stream, _call, event, party in short_call("c2", WANG)[:-2]:
        journal.append("call", "c2", event, party=party, at=200)
    for event in (
        ev.RingStarted(talk_id="c2-2", agent="8002", device="desk", leg="l"),
        ev.RingEnded(talk_id="c2-2", agent="8002", result="answered"),
        ev.TalkStarted(talk_id="c2-2", agent="8002", bridge="b"),
        ev.TalkEnded(talk_id="c2-2", agent="8002", by="agent"),
        ev.Ended(outcome="answered", reason="agent_hung_up"),
        ev.ArchiveFailed(why="disk full"),
    ):
        journal.append("call", "c2", event, at=250)
    for event in (
        ev.Arrived(leg="c3", trunk="t"),
        ev.Asked(queue="advice"),
        ev.RingStarted(talk_id="c3-1", agent="8002", device="desk", leg="l"),
        ev.RingEnded(talk_id="c3-1", agent="8002", result="caller_gone"),
        ev.RecordingRequested(talk_id="c3-1", part=0, file="c3.raw"),
        ev.RecordingFailed(talk_id="c3-1", part=0, why="no such channel"),
        ev.HungUp(by="caller"),
        ev.Ended(outcome="abandoned"),
    ):
        journal.append("call", "c3", event, party=LI, at=300)
    for event in (
        ev.Arrived(leg="c4"),
        ev.VoicemailStarted(file="v.wav"),
        ev.VoicemailKept(file="v.wav", seconds=3.5),
        ev.Ended(outcome="voicemail"),
    ):
        journal.append("call", "c4", event, at=300)
    journal.append("call", "c5", ev.Arrived(leg="c5"), at=400, party=WANG)
    journal.append("agent", "8002", ev.AgentChanged(mode="paused", reason="missed", missed=2, since=7), at=401)
    journal.append("agent", "8001", ev.AgentChanged(mode="ready"), at=402)
    await journal.close()
    return path


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "c5 c4 c3 c2 c1"),
        ({"since": 200, "until": 300}, "c2"),
        ({"since": 300}, "c5 c4 c3"),
        ({"until": 100}, ""),
        ({"outcome": "answered"}, "c2 c1"),
        ({"agent": "8001"}, "c2 c1"),
        ({"agent": "8002"}, "c2"),
        ({"agent": "9999"}, ""),
        ({"number": "138 0000-1111"}, "c5 c2 c1"),
        ({"number": "+86138"}, "c5 c2 c1"),
        ({"number": "0138"}, "c5 c2 c1"),
        ({"number": "%"}, "c3"),
        ({"number": "5_5"}, "c3"),
        ({"number": "5x5"}, ""),
        ({"number": "111", "outcome": "answered", "agent": "8002"}, "c2"),
        ({"limit": 2}, "c5 c4"),
        ({"after": "c4"}, "c3 c2 c1"),
        ({"after": "c4", "limit": 1}, "c3"),
        ({"after": "no such call"}, ""),
    ],
)
async def test_calls_are_listed_newest_first(path: Path, asked: dict[str, object], found: str) -> None:
    calls = await list_calls(path, **asked)  # type: ignore[arg-type]
    assert " ".join(call.call_id for call in calls) == found


async def test_a_line_says_what_a_person_wants_to_know(path: Path) -> None:
    c5, c4, c3, c2, c1 = await list_calls(path)
    assert (c1.number, c1.name, c1.agents, c1.rings, c1.recorded) == ("+8613800001111", "王芳", ("8001",), 1, True)
    assert (c2.agents, c2.rings, c2.recorded, c2.outcome, c2.reason) == (
        ("8001", "8002"), 2, False, "answered", "agent_hung_up",
    )  # fmt: skip
    assert (c3.number, c3.name, c3.agents, c3.trunk, c3.first_talk_at) == ("010%5_5", "李", (), "t", 0)
    assert (c4.number, c4.name) == ("", "")
    assert (c5.stage, c5.outcome, c5.ended_at) == ("arrived", "", 0)


async def test_pages_follow_each_other_without_gap_or_repeat(path: Path) -> None:
    seen: list[str] = []
    while page := await list_calls(path, limit=2, after=seen[-1] if seen else None):
        seen += [call.call_id for call in page]
    assert seen == ["c5", "c4", "c3", "c2", "c1"]


async def test_one_call_whole(path: Path) -> None:
    detail = await get_call(path, "c2")
    assert detail is not None
    assert detail.row in await list_calls(path)
    assert detail.party == WANG
    assert detail.state.outcome == "answered"
    assert [(talk.agent, talk.started_at, talk.verified) for talk in detail.talks] == [
        ("8001", 200, False),
        ("8002", 250, False),
    ]
    assert [(recording.state, recording.archive_failed) for recording in detail.recordings] == [("failed", "disk full")]
    assert [each.seq for each in detail.events] == sorted(each.seq for each in detail.events)
    assert isinstance(detail.events[0].event, ev.Arrived)
    assert detail.events[-1].at == 250
    assert await get_call(path, "c9") is None


async def test_spans_of_the_recording_stand_beside_the_talks(path: Path) -> None:
    detail = await get_call(path, "c1")
    assert detail is not None
    (talk,) = detail.talks
    assert (talk.first_frame, talk.end_frame, talk.verified, talk.parts) == (0, 8000, True, 1)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "c4 c2 c1"),
        ({"category": "voicemail"}, "c4"),
        ({"agent": "8002"}, "c2"),
        ({"since": 100, "until": 201}, "c2 c1"),
        ({"after": "c2"}, "c1"),
        ({"limit": 1}, "c4"),
    ],
)
async def test_recordings_are_listed_newest_first(path: Path, asked: dict[str, object], found: str) -> None:
    recordings = await list_recordings(path, **asked)  # type: ignore[arg-type]
    assert " ".join(recording.call_id for recording in recordings) == found


async def test_one_recording(path: Path) -> None:
    recording = await get_recording(path, "c1")
    assert recording is not None
    assert (recording.category, recording.state, recording.seconds, recording.agents) == (
        "call", "finished", 1.0, ("8001",),
    )  # fmt: skip
    voicemail = await get_recording(path, "c4", "voicemail")
    assert voicemail is not None
    assert (voicemail.state, voicemail.seconds) == ("due", 0.0)
    assert await get_recording(path, "c4", "call") is None
    assert await get_recording(path, "c3") is None


async def test_agents_and_outcomes(path: Path) -> None:
    assert [(agent.agent, agent.mode, agent.missed) for agent in await agent_rows(path)] == [
        ("8001", "ready", 0),
        ("8002", "paused", 2),
    ]
    assert await count_by_outcome(path) == {"": 1, "answered": 2, "abandoned": 1, "voicemail": 1}
    assert await count_by_outcome(path, since=200, until=301) == {"answered": 1, "abandoned": 1, "voicemail": 1}


def test_the_rows_of_a_page_are_looked_up_one_by_one(path: Path) -> None:
    for base, column in ((queries._calls(), call.c.call_id), (queries._recordings(), recording.c.call_id)):
        query = base.where(column.in_(queries._listed('["c1"]')))
        text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        plan = [str(row[-1]) for row in stored(path, f"EXPLAIN QUERY PLAN {text}")]
        assert not [line for line in plan if line.startswith("SCAN") and line.split()[1] in metadata.tables], plan


def test_a_store_may_be_read_while_nobody_writes_it_and_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    for leftover in ("calls.db-wal", "calls.db-shm"):
        path.with_name(leftover).unlink(missing_ok=True)
    assert len(asyncio.run(list_calls(path))) == 5
    assert path.read_bytes() == before
