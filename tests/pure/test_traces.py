"""Callers whom only Asterisk knew: what its line says becomes one call, once, and nobody who is known is doubled."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from hypothesis import given, strategies as st

from calllog.clock import Clock
from calllog.events import Answered, Arrived, Ended, HungUp
from calllog.folds import CallState
from calllog.journal import Journal
from calllog.verify import verify
from hotline.traces import Trace, Traces, read
from tests.pure.journal_play import new_store

LINE = "hotline-1795614565.494|Up|1795614565.750000|4001234567|13912345678\n"
RINGING = "hotline-1795614566.1|Ring|1795614567.000000|4001234567|\n"


def test_a_line_is_read() -> None:
    (trace,) = read(LINE)
    assert trace == Trace("hotline-1795614565.494", True, 1795614565_750000, "4001234567", "13912345678")
    assert trace.begin == 1795614565_000000


@given(st.text(alphabet="|0123456789.Uphotline-\n\x00é ", max_size=200))
def test_what_is_no_line_is_passed_over(text: str) -> None:
    for trace in read(text + "\n" + LINE):
        assert 0 < trace.begin <= trace.end and trace.call_id


def left(folder: Path) -> list[Path]:
    return list(folder.glob("hung-up*"))


async def journal_at(folder: Path) -> Journal:
    return await Journal.open(new_store(folder, "store.sqlite"), clock=Clock(), spool=folder / "spool")


async def test_the_unknown_are_taken_in_once_and_the_known_never(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    journal = await journal_at(tmp_path)
    journal.append("call", "hotline-1.1", Arrived(leg="hotline-1.1"))
    known = LINE.replace("1795614565.494", "1.1")
    running = LINE.replace("1795614565.494", "1.2")
    file.write_text(LINE + RINGING + known + running)
    ended: list[CallState] = []
    traces = Traces(file, journal, country="CN", ended=ended.append)
    traces.connected()
    found = [await traces.take_in({"hotline-1.2"}) for _ in range(4)]
    assert sum(found) == 2 and not left(tmp_path)
    assert [state.outcome for state in ended] == ["menu", "menu"]
    events = [each.event for each in await journal.events_of("hotline-1795614565.494")]
    assert [type(event) for event in events] == [Arrived, Answered, HungUp, Ended]
    assert Answered() not in [each.event for each in await journal.events_of("hotline-1795614566.1")]
    assert len(await journal.events_of("hotline-1.1")) == 1 and not await journal.events_of("hotline-1.2")
    assert traces.has("hotline-1795614565.494") and not traces.has("hotline-1.1")
    file.write_text(LINE)
    traces.connected()
    assert [await traces.take_in(()) for _ in range(4)] == [0] * 4
    await journal.close()
    assert verify(tmp_path / "store.sqlite") == []


async def test_a_kill_between_taking_in_and_deleting_doubles_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    for _ in range(2):
        file.with_suffix(".old").write_text(LINE)
        journal = await journal_at(tmp_path)
        traces = Traces(file, journal, country="CN", ended=lambda state: None)
        traces.connected()
        await traces.take_in(())
        await journal.close()
    assert verify(tmp_path / "store.sqlite") == []


async def test_without_a_fault_the_file_is_emptied_and_nothing_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    file.write_text(LINE.replace("|1795614565.750000", "|1795614575.750000"))
    journal = await journal_at(tmp_path)
    traces = Traces(file, journal, country="CN", ended=lambda state: None)
    assert [await traces.take_in(()) for _ in range(3)] == [0] * 3
    assert not left(tmp_path) and not await journal.events_of("hotline-1795614565.494")
    await journal.close()


async def test_who_hung_up_before_we_were_asked_is_found_at_any_time(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    late = LINE.replace("|1795614565.750000", "|1795614575.750000")
    given = ((late, "silent"), (late, "handed"), (late, "frozen"), (LINE, "handed"))
    lines = [line.replace("\n", f"|{why}\n").replace(".494", f".{place}") for place, (line, why) in enumerate(given)]
    file.write_text("".join(lines))
    journal = await journal_at(tmp_path)
    traces = Traces(file, journal, country="CN", ended=lambda state: None)
    assert [await traces.take_in(()) for _ in range(3)] == [0, 3, 0] and not left(tmp_path)
    outcomes = [CallState.of("", await journal.events_of(f"hotline-1795614565.{place}")).outcome for place in range(4)]
    assert outcomes == ["menu", "", "menu", "menu"]
    await journal.close()


async def test_a_pipe_or_a_link_in_its_place_is_taken_away_unread(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "hung-up.log", tmp_path / "elsewhere"
    elsewhere.write_text(LINE)
    journal = await journal_at(tmp_path)
    traces = Traces(file, journal, country="CN", ended=lambda state: None)
    for lay in (lambda: os.mkfifo(file), lambda: file.symlink_to(elsewhere)):
        lay()
        traces.connected()
        async with asyncio.timeout(60):
            assert [await traces.take_in(()) for _ in range(4)] == [0] * 4
        assert not left(tmp_path) and elsewhere.exists()
    await journal.close()


async def test_a_line_that_comes_late_is_looked_up_too(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    journal = await journal_at(tmp_path)
    traces = Traces(file, journal, country="CN", ended=lambda state: None)
    traces.connected()
    assert await traces.take_in(()) == 0
    file.write_text(LINE)
    assert [await traces.take_in(()) for _ in range(2)] == [0, 1] and not traces.looking
    await journal.close()
