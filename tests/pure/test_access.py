"""The access log: a chain of who heard what, and every way of changing it found out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from calllog.access import Access, Anchor, digest, faults, linked
from calllog.access_queries import AccessWish, access_statement, list_accesses
from calllog.clock import Clock
from calllog.errors import StoreLost
from calllog.events import Accessed
from calllog.verify import verify
from recordings.access import HEAD, AccessLog, anchors
from tests.pure.journal_play import UNHURRIED, new_store, open_journal, stored, tamper

Chain = list[tuple[int, int, Accessed]]


def chain(*accesses: Access) -> Chain:
    last, found = Anchor(), []
    for seq, access in enumerate(accesses, 1):
        event = linked(last, seq * 1000, access)
        last = Anchor(event.n, event.digest)
        found.append((seq, seq * 1000, event))
    return found


def heard(who: str = "zhang", **more: str) -> Access:
    return Access(who, "recording.hear", **more)


def test_the_digest_is_of_these_bytes() -> None:
    entry = linked(Anchor(), 5, heard("张敏", call_id="c-1", why="投诉 13800008000"))
    assert entry.why == "投诉 138****8000"
    text = f'["hotline-access-1","{"0" * 64}",1,5,"张敏","","recording.hear","c-1","","","投诉 138****8000","",""]'
    assert entry.digest == hashlib.sha256(text.encode()).hexdigest()


def test_no_text_can_break_the_one_way_to_write_an_entry() -> None:
    entry = linked(Anchor(), 5, heard("a\nb\u202e\ud800" + "x" * 999, why="\0"))
    assert entry.who.startswith("a b  ?") or entry.who.startswith("a b ?")
    assert len(entry.who) <= 400 and entry.why == ""
    assert list(faults([(1, 5, entry)])) == []


texts = st.text(max_size=8)
accesses = st.builds(Access, texts, texts, texts, texts, texts, texts, texts, texts, texts)


@UNHURRIED
@given(st.lists(accesses, min_size=2, max_size=8), st.data())
def test_what_is_changed_taken_out_put_in_moved_or_cut_off_is_found(some: list[Access], data: Any) -> None:
    whole = chain(*some)
    end = Anchor(whole[-1][2].n, whole[-1][2].digest, "head")
    assert list(faults(whole, [end, Anchor()])) == []
    at = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "double", "swap", "cut", "anew", "time"]))
    broken = list(whole)
    seq, when, entry = whole[at]
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
    if how == "change":
        field = data.draw(st.sampled_from(["who", "verb", "role", "call_id", "category", "why", "address", "batch"]))
        broken[at] = (seq, when, Accessed(**fields | {field: fields[field] + "!"}))
    elif how == "time":
        broken[at] = (seq, when + 1, entry)
    elif how == "remove":
        del broken[at]
    elif how == "double":
        broken.insert(at, whole[at])
    elif how == "swap":
        other = data.draw(st.integers(0, len(whole) - 1).filter(lambda one: one != at))
        broken[at], broken[other] = broken[other], broken[at]
    elif how == "cut":
        broken = broken[:at]
    else:  # somebody who can compute digests writes it anew from here on
        broken = chain(*some[:at], Access("nobody", "nothing"), *some[at + 1 :])
        if broken == whole:
            return
    assert list(faults(broken, [end]))


async def log_of(path: Path, cut: list[tuple[int, int]] | None = None) -> tuple[Any, AccessLog]:
    journal = await open_journal(path)
    return journal, AccessLog(journal, Clock().now, path.parent, lambda *told: (cut or []).append(told))


async def test_it_is_safe_when_note_returns_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await asyncio.gather(*(access.note([heard(call_id=f"c-{n}"), heard("li")]) for n in range(5)))
    assert len(await list_accesses(path)) == 10
    await journal.close()
    journal, access = await log_of(path)
    await access.note([heard("wang", call_id="c-3", why="复核", batch="b", address="10.0.0.1")])
    await journal.close()
    assert verify(path, anchors=anchors(tmp_path)) == []
    assert [row.entry.n for row in await list_accesses(path)] == list(range(11, 0, -1))
    assert [row.entry.who for row in await list_accesses(path, call_id="c-3")] == ["wang", "zhang"]
    assert len(await list_accesses(path, who="li", limit=3)) == 3
    newest = "SELECT data FROM event WHERE stream = 'access' ORDER BY seq DESC LIMIT 1"
    (plan,) = stored(path, f"EXPLAIN QUERY PLAN {newest}")
    assert "event_of_access" in plan[3]


@pytest.mark.parametrize(("wish", "index"), [
    (AccessWish(), "event_of_access (stream=?)"),
    (AccessWish(since=1, until=2, below=9), "event_of_access (stream=? AND seq<?)"),
    (AccessWish(who="li", verb="recording.hear", since=1), "access_by_who (<expr>=?)"),
    (AccessWish(verb="recording.hear", until=2, above=3), "access_by_verb (<expr>=? AND seq>?)"),
    (AccessWish(call_id="c-1", who="li"), "event_by_stream (stream=? AND stream_id=?)"),
])  # fmt: skip
def test_what_nobody_did_is_known_by_an_index_alone(tmp_path: Path, wish: AccessWish, index: str) -> None:
    path = new_store(tmp_path)
    statement, values = access_statement(wish, 51)
    with closing(sqlite3.connect(path)) as connection:
        (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        assert plan[3] == f"SEARCH event USING INDEX {index}", "and no sorting"
        code = [row[1] for row in connection.execute(f"EXPLAIN {statement}", values)]
    if wish.call_id is None:  # what is compared stands in the index: the entry itself is not read for it
        assert "Function" not in code or code.index("Function") > code.index("ResultRow")


async def test_an_entry_that_somebody_broke_is_passed_over(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await access.note([heard(), heard("li"), heard()])
    await journal.close()
    tamper(path, "UPDATE event SET data = '{' WHERE seq = 2")
    assert [row.seq for row in await list_accesses(path, who="zhang", verb="recording.hear")] == [3, 1]
    assert await list_accesses(path, who="li") == [] and len(await list_accesses(path)) == 2


async def test_an_end_that_was_cut_off_is_told_at_the_start_and_found_ever_after(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await access.note([heard() for _ in range(4)])
    await journal.close()
    tamper(path, "DELETE FROM event WHERE json_extract(data, '$.n') > 2",
           "UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM event)")  # fmt: skip
    (said,) = verify(path, anchors=anchors(tmp_path))
    assert HEAD in said and "4" in said
    cut: list[tuple[int, int]] = [(0, 0)]
    journal, access = await log_of(path, cut)
    await access.note([heard() for _ in range(4)])
    await journal.close()
    assert cut[1:] == [(2, 4)]
    (said,) = verify(path, anchors=anchors(tmp_path))
    assert f"{HEAD}.1" in said


async def test_a_head_file_that_is_gone_or_rubbish(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await access.note([heard()])
    (tmp_path / HEAD).write_text("{")
    assert len(verify(path, anchors=anchors(tmp_path))) == 1
    await access.note([heard()])
    assert verify(path, anchors=anchors(tmp_path)) == []
    (tmp_path / HEAD).unlink()
    (tmp_path / HEAD).mkdir()  # it cannot be written: the entry itself is safe all the same
    await access.note([heard()])
    await journal.close()
    assert len(await list_accesses(path)) == 3


async def test_nothing_is_handed_out_that_cannot_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await access.note([heard()])

    async def lost() -> None:
        raise StoreLost("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "flush", lost)
        with pytest.raises(StoreLost):
            await access.note([heard("li")])
    await access.note([heard("wang")])  # the entry before is written all the same: somebody tried
    await journal.close()
    assert verify(path, anchors=anchors(tmp_path)) == []
    assert json.loads((tmp_path / HEAD).read_text())["n"] == 3


async def test_beside_the_chain_the_store_is_whole(tmp_path: Path) -> None:
    path = new_store(tmp_path)
    journal, access = await log_of(path)
    await access.note([heard(call_id="c-1")])
    await journal.close()
    tamper(path, "UPDATE event SET data = replace(data, 'zhang', 'li')")
    (said,) = verify(path, anchors=anchors(tmp_path))
    with sqlite3.connect(path) as connection:
        (seq,) = connection.execute("SELECT seq FROM event WHERE stream = 'access'").fetchone()
    assert str(seq) in said


def test_digest_depends_on_the_time() -> None:
    entry = linked(Anchor(), 5, heard())
    assert digest(5, entry) != digest(6, entry)
