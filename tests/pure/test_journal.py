"""The journal while the store works: what is written, that it is there again, and however it is cut."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from calllog import events as ev, store
from calllog.clock import Clock
from calllog.codec import UPCASTS, VERSIONS, Undecodable, decode
from calllog.errors import StoreInUse, StoreLost
from calllog.folds import CallState
from calllog.journal import Journal
from calllog.verify import rebuild, verify
from tests.pure.journal_play import (
    ANONYMOUS,
    UNHURRIED,
    WANG,
    Entry,
    folded,
    histories,
    journalled,
    jumbled,
    new_store,
    open_journal,
    run,
    short_call,
    stored,
)

C = "hotline-1.1"
ROOT = Path(__file__).parents[2]


def put(journal: Journal, entries: list[Entry], first_at: int = 1_000) -> None:
    for at, (stream, stream_id, event, party) in enumerate(entries, first_at):
        journal.append(stream, stream_id, event, party=party, at=at)


async def write(path: Path, history: list[Entry], cuts: list[int]) -> None:
    """The history, flushed at every cut, and with a new daemon at every second one."""
    journal = await open_journal(path)
    done = 0
    for n, cut in enumerate([*sorted(cuts), len(history)]):
        put(journal, history[done:cut], 1_000 + done)
        done = max(done, cut)
        await journal.flush()
        if n % 2:
            await journal.close()
            journal = await open_journal(path)
    await journal.close()


# --- properties ---------------------------------------------------------------------------------------------------


@settings(UNHURRIED, max_examples=40)
@given(st.data())
def test_rows_are_the_fold_of_the_events_however_the_batches_are_cut(data: st.DataObject) -> None:
    history = data.draw(st.one_of(histories(), jumbled()))
    cuts = data.draw(st.lists(st.integers(0, len(history)), max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        whole, pieces = new_store(Path(folder) / "whole"), new_store(Path(folder) / "pieces")
        run(write(whole, history, []))
        run(write(pieces, history, cuts))
        assert folded(pieces, party_ids=False) == folded(whole, party_ids=False)
        expected = [(stream, stream_id) for stream, stream_id, _event, _party in history]
        assert [row[:2] for row in journalled(pieces)] == expected
        before = folded(pieces)
        assert rebuild(pieces).changed == 0
        assert folded(pieces) == before


@settings(UNHURRIED, max_examples=20)
@given(histories())
def test_a_store_of_well_formed_calls_is_found_faultless(history: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = new_store(Path(folder))
        run(write(path, history, [len(history) // 2]))
        assert verify(path) == []


@settings(UNHURRIED, max_examples=20)
@given(histories(), st.integers(0, 60))
def test_the_journal_recalls_what_the_events_say(history: list[Entry], cut: int) -> None:
    expected: dict[str, CallState] = {}
    agents: dict[str, ev.AgentChanged] = {}
    for at, (_stream, stream_id, event, _party) in enumerate(history, 1_000):
        if isinstance(event, ev.AgentChanged):
            agents[stream_id] = event
        else:
            expected.setdefault(stream_id, CallState(stream_id)).apply(at, event)  # type: ignore[arg-type]

    async def ask(path: Path) -> None:
        journal = await open_journal(path)
        put(journal, history[:cut])
        await journal.flush()
        put(journal, history[cut:], 1_000 + len(history[:cut]))  # not written yet: it counts all the same
        calls = {call.call_id: call for call in await journal.open_calls()}
        assert set(calls) == {call_id for call_id, call in expected.items() if not call.ended_at}
        for call_id, call in calls.items():
            call.party_id = ""
            assert call == expected[call_id]
        due = {call.call_id for call in await journal.unarchived_calls()}
        assert due == {call_id for call_id, call in expected.items() if call.archives_due}
        again = {call.call_id for call in await journal.unarchived_calls(retry_failed=True)}
        failed = {call_id for call_id, call in expected.items() if call.ended_at and call.archives_failed}
        assert again == due | failed
        states = await journal.agent_states()
        assert {agent: (state.mode, state.since) for agent, state in states.items()} == {
            agent: (event.mode, event.since) for agent, event in agents.items()
        }
        for call_id in expected:
            heard = [type(each.event) for each in await journal.events_of(call_id)]
            assert heard == [type(event) for _stream, name, event, _party in history if name == call_id]
        await journal.close()

    with tempfile.TemporaryDirectory() as folder:
        run(ask(new_store(Path(folder))))


# --- writing ------------------------------------------------------------------------------------------------------


async def test_a_commit_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    journal.append("call", C, ev.Arrived(leg=C), party=WANG)
    await journal.commit("call", C, ev.Enqueued(queue="advice"))
    assert [row[2] for row in journalled(path)] == ["arrived", "enqueued"]
    assert stored(path, "SELECT stage, queue FROM call") == [("queue", "advice")]
    await journal.close()


async def test_an_append_needs_nobody_to_wait_for_it(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    journal.append("call", C, ev.Arrived(leg=C))
    async with asyncio.timeout(10):
        while not journalled(path):  # noqa: ASYNC110 (the other side is a file)
            await asyncio.sleep(0.005)
    await journal.close()


async def test_those_who_wait_share_transactions(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    writes: list[int] = []
    write_batch = journal._database.write

    async def counted(items: Any, **options: Any) -> None:
        writes.append(len(items))
        await write_batch(items, **options)

    journal._database.write = counted  # type: ignore[method-assign]
    await asyncio.gather(*(journal.commit("system", "x", ev.Alarm(code="a", what=str(n))) for n in range(200)))
    assert sum(writes) == 200
    assert len(writes) <= 3
    await journal.close()


async def test_the_connection_syncs_fully(tmp_path: Path) -> None:
    journal = await open_journal(new_store(tmp_path))
    database = journal._database
    assert await database._errand(lambda: database._rows("PRAGMA synchronous")) == [(2,)]
    assert await database._errand(lambda: database._rows("PRAGMA journal_mode")) == [("wal",)]
    await journal.close()


async def test_closing_writes_what_is_left_and_later_events_are_refused(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    put(journal, short_call(C))
    await journal.close()
    await journal.close()
    assert len(journalled(path)) == 17
    journal.append("call", C, ev.Fault(where="x", what="y"))
    with pytest.raises(StoreLost):
        await journal.commit("call", C, ev.Fault(where="x", what="y"))
    assert len(journalled(path)) == 17


async def test_a_finished_call_leaves_the_memory_and_may_still_get_an_event(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    *before, last = short_call(C)
    put(journal, before)
    await journal.flush()
    assert journal._database.cached_calls == 1  # its archive is due
    put(journal, [last], 2_000)
    await journal.flush()
    assert journal._database.cached_calls == 0
    put(journal, [("call", C, ev.ArchiveFailed(why="again"), None)], 3_000)
    await journal.flush()
    assert stored(path, "SELECT state, file, archive_failed FROM recording") == [
        ("finished", f"2025/01/01/{C}.flac", "again")
    ]
    assert stored(path, "SELECT outcome, first_talk_at FROM call") == [("answered", 1_009)]
    await journal.close()
    assert verify(path) == []


async def test_an_event_that_does_not_fit_is_kept_and_stops_nothing(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    journal.append("call", C, ev.Arrived(leg=C))
    await journal.commit("call", C, ev.TalkStarted(talk_id="never rung", agent="8001", bridge="b"))
    await journal.commit("call", C, ev.AgentChanged(mode="ready"))
    await journal.commit("agent", "8001", ev.Answered())
    await journal.commit("call", C, ev.Enqueued(queue="advice"))
    await journal.close()
    assert [row[2] for row in journalled(path)] == ["arrived", "talk_started", "agent_changed", "answered", "enqueued"]
    assert stored(path, "SELECT stage FROM call") == [("queue",)]
    assert len(verify(path)) == 5
    assert rebuild(path).changed == 0


async def test_what_no_table_takes_is_set_aside_and_stops_nothing(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    journal.append("call", C, ev.Arrived(leg=C), at=1)
    journal.append("system", "x", ev.Alarm(code="odd", what="time"), at=1.5)  # type: ignore[arg-type]
    journal.append("system", "x", "no event", at=1)  # type: ignore[arg-type]
    journal.append("call", C, ev.Answered(), at=2)
    await journal.flush()
    assert not journal.degraded
    await journal.close()
    assert [row[2] for row in journalled(path)] == ["arrived", "answered"]
    assert b'"odd"' in (tmp_path / "spool.jsonl.refused").read_bytes()
    assert len(verify(path)) == 1  # the gap


async def test_text_and_numbers_that_json_or_sqlite_cannot_hold_are_made_to_fit(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    odd = "a\ud800'\"\n;DROP TABLE event\x00"
    journal.append("call", odd, ev.Arrived(leg=odd, did=odd), party=ev.Party(raw=odd, name=odd))
    journal.append("call", odd, ev.VoicemailKept(file=odd, seconds=2.0), at=2**70)
    journal.append("call", odd, ev.VoicemailKept(file="v.wav", seconds=float("nan")))
    await journal.flush()
    await journal.close()
    assert len(journalled(path)) == 3
    assert stored(path, "SELECT raw FROM party") == [("a'\";DROP TABLE event",)]
    assert verify(path) == []


async def test_system_and_roster_events_have_no_rows(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    await journal.commit("roster", "roster.yaml", ev.RosterTookEffect(sha256="0", text="shifts: {}\n# 夜班"))
    await journal.commit("system", "daemon", ev.DaemonStarted(version="1", pid=2))
    await journal.close()
    assert not any(folded(path).values())
    assert verify(path) == []


# --- parties ------------------------------------------------------------------------------------------------------


async def parties_of(path: Path, given: list[ev.Party | None]) -> list[str]:
    journal = await open_journal(path)
    for n, party in enumerate(given):
        journal.append("call", f"c{n}", ev.Arrived(leg="l"), party=party)
        if n % 2:
            await journal.flush()
    await journal.close()
    assert verify(path) == []
    rows = stored(path, "SELECT party_id, json_extract(data, '$.party_id') FROM call JOIN event ON stream_id = call_id")
    assert all(row == folded_too for row, folded_too in rows)
    return [row for row, _folded in rows]


async def test_one_number_is_one_person(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    other_way = ev.Party(raw="+8613800001111", e164="+8613800001111")
    short = ev.Party(raw="10086", name="\u202eMobile\r\n")
    a, b, c, d, e = await parties_of(path, [WANG, other_way, short, WANG, short])
    assert a == b == d != c == e
    assert stored(path, "SELECT raw, e164, name FROM party ORDER BY e164") == [
        ("10086", "", "Mobile"),
        (WANG.raw, WANG.e164, WANG.name),
    ]


async def test_callers_without_a_number_are_each_a_person_of_their_own(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    ids = await parties_of(path, [ANONYMOUS, None, ev.Party(name="Anonymous"), ANONYMOUS, ev.Party(raw="\n \x00")])
    assert len(set(ids)) == 5
    assert ids == sorted(ids)  # UUIDv7: in order of time


async def test_a_number_and_a_name_are_limited(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    await parties_of(path, [ev.Party(raw="1" * 500, name="王" * 500)])
    assert stored(path, "SELECT length(raw), length(name) FROM party") == [(64, 128)]


async def test_an_arrival_that_names_its_party_keeps_it(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal = await open_journal(path)
    await journal.commit("call", C, ev.Arrived(leg=C, party_id="known", direction="callback"), party=WANG)
    await journal.close()
    assert stored(path, "SELECT party_id FROM call") == [("known",)]
    assert stored(path, "SELECT * FROM party") == []


# --- opening, versions, time --------------------------------------------------------------------------------------


async def test_two_daemons_cannot_write_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "HANDOVER_PATIENCE", 0.1)
    path = new_store(tmp_path)
    first = await open_journal(path)
    with pytest.raises(StoreInUse) as refused:
        await open_journal(path)
    assert str(path) in str(refused.value)
    await first.close()
    second = await open_journal(path)
    await second.commit("call", C, ev.Arrived(leg=C))
    await second.close()


async def test_a_new_daemon_waits_for_the_old_one_to_let_go(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    old = await open_journal(path)
    opening = asyncio.create_task(open_journal(path))
    await old.commit("call", C, ev.Arrived(leg=C))
    assert not opening.done()
    await old.close()
    new = await opening
    assert [call.call_id for call in await new.open_calls()] == [C]
    await new.close()


def test_the_daemon_does_not_load_alembic_for_a_current_store(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from pathlib import Path
from calllog.clock import Clock
from calllog.journal import Journal
async def main():
    path = Path(sys.argv[1])
    await (await Journal.open(path, clock=Clock(), spool=path.with_name("spool"))).close()
asyncio.run(main())
print("alembic" in sys.modules)
"""
    path = tmp_path / "deep" / "er" / "calls.db"
    for _round in ("new", "current"):
        ran = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60, cwd=ROOT
        )
        assert (ran.returncode, ran.stdout.strip()) == (0, "False"), ran.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_old_event_is_brought_up_to_date_on_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERSIONS, "notice_given", 3)
    monkeypatch.setitem(UPCASTS, ("notice_given", 1), lambda data: {**data, "version": f"{data['number']}."})
    monkeypatch.setitem(UPCASTS, ("notice_given", 2), lambda data: {**data, "version": data["version"] + "0"})
    assert decode("notice_given", 1, '{"kind":"notice_given","number":7}') == ev.NoticeGiven(version="7.0")
    assert decode("notice_given", 2, '{"kind":"notice_given","version":"8."}') == ev.NoticeGiven(version="8.0")
    assert decode("notice_given", 3, '{"kind":"notice_given","version":"9"}') == ev.NoticeGiven(version="9")


@pytest.mark.parametrize(
    ("kind", "v", "data"),
    [
        ("teleported", 1, '{"kind":"teleported"}'),
        ("answered", 2, '{"kind":"answered"}'),
        ("answered", 1, '{"kind":"greeted"}'),
        ("answered", 1, '{"kind":"answ'),
        ("arrived", 1, '{"kind":"arrived"}'),
        ("answered", 0, '{"kind":"answered"}'),
    ],
)
def test_what_cannot_be_read_says_so(kind: str, v: int, data: str) -> None:
    with pytest.raises(Undecodable):
        decode(kind, v, data)


class Sources:
    """A wall clock and a steady clock, in nanoseconds, set by hand."""

    def __init__(self) -> None:
        self.wall_ns, self.steady_ns = 1_700_000_000_000_000_000, 55_000_000_000

    def clock(self, offset: float = 0.0) -> Clock:
        return Clock(lambda: self.wall_ns, lambda: self.steady_ns, offset)

    def wait(self, seconds: float, wall: float | None = None) -> None:
        self.steady_ns += round(seconds * 1e9)
        self.wall_ns += round((seconds if wall is None else wall) * 1e9)


def test_a_stepped_wall_clock_does_not_move_the_journals_time() -> None:
    sources = Sources()
    clock = sources.clock()
    assert clock.now() == 1_700_000_000_000_000
    sources.wait(10, wall=-3590)
    assert clock.now() == 1_700_000_010_000_000
    assert clock.drift() == pytest.approx(-3600)
    assert clock.resync() == pytest.approx(-3600)
    assert clock.drift() == 0
    assert clock.now() == sources.wall_ns // 1000


def test_an_offset_moves_the_whole_day() -> None:
    sources = Sources()
    clock = sources.clock(offset=-7200.5)
    sources.wait(1)
    assert clock.now() == (sources.wall_ns - 7_200_500_000_000) // 1000
    assert clock.drift() == 0
