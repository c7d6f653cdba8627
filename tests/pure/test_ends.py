"""When a call ended that went away while nobody looked: as Asterisk wrote it down, where that can be true."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from hypothesis import example, given, strategies as st

from calllog import events as ev
from calllog.clock import Clock
from calllog.folds import CallState
from calllog.journal import Journal
from hotline.calls import Calls
from hotline.ends import believed, latest
from hotline.traces import Traces
from phone import port
from routing.session import House
from tests.pure.journal_play import new_store

CALL = "hotline-1795614565.494"
BEGAN = 1_795_614_565_000_000
SECOND = 1_000_000


def in_talk() -> CallState:
    state = CallState(CALL)
    story: list[ev.CallEvent] = [
        ev.Arrived(leg=CALL),
        ev.Answered(),
        ev.Asked(queue="inquiry"),
        ev.Enqueued(queue="inquiry", priority=5),
        ev.RingStarted(talk_id=f"{CALL}-1", agent="8001", device="8001", leg=f"{CALL}-1-agent"),
        ev.RingEnded(talk_id=f"{CALL}-1", agent="8001", result="answered"),
        ev.TalkStarted(talk_id=f"{CALL}-1", agent="8001", bridge="b"),
        ev.RecordingRequested(talk_id=f"{CALL}-1", part=1, file="f"),
        ev.RecordingStarted(talk_id=f"{CALL}-1", part=1, monitor="m"),
    ]
    for second, event in enumerate(story):
        state.apply(BEGAN + second * SECOND, event)
    return state


KNOWN = BEGAN + 8 * SECOND


@given(st.integers(0, 2 * BEGAN), st.integers(0, 7200 * SECOND))
@example(KNOWN - SECOND // 2, 60 * SECOND)
@example(KNOWN + 30 * SECOND, 60 * SECOND)
@example(KNOWN + 3600 * SECOND, 60 * SECOND)
def test_an_end_is_believed_only_where_it_can_be_true(told: int, later: int) -> None:
    state = in_talk()
    assert latest(state) == KNOWN
    now = KNOWN + later
    end = believed(told, state, now)
    assert KNOWN <= end <= now
    if KNOWN <= told <= now:
        assert end == told
    elif told < KNOWN - SECOND or told > now + SECOND:
        assert end == now


class Nothing:
    """An Asterisk that has no leg any more."""

    async def snapshot(self) -> port.Snapshot:
        return port.Snapshot({}, {})

    def line(self, call_id: str, legs: Any) -> Any:
        return self

    def close(self) -> None:
        """As a line's."""


async def test_the_end_of_this_very_call_is_taken_from_asterisks_lines(tmp_path: Path) -> None:
    file = tmp_path / "hung-up.log"
    journal = await Journal.open(new_store(tmp_path, "store.sqlite"), clock=Clock(), spool=tmp_path / "spool")
    traces = Traces(file, journal, country="CN", ended=lambda state: None)
    assert await traces.ends() == {}
    end = KNOWN + 5 * SECOND
    torn = f"{CALL}|Up|17956145"
    others = f"{CALL}1|Up|1795614999.0|4001234567|\nhotline-9.9|Up|1795614999.0|4001234567|\n"
    file.with_suffix(".old").write_text(f"{CALL}|Up|{end // SECOND}.000000|4001234567|139\n")
    file.write_text(others + torn)
    found = await traces.ends(250)
    await journal.close()
    assert found[CALL] == end + 250 and len(found) == 3

    class Steady:
        """The clock of a daemon that starts much later."""

        def now(self) -> int:
            return KNOWN + 60 * SECOND

    noted: list[tuple[int, ev.AnyEvent]] = []

    class Notes:
        """The journal of what is noted."""

        def append(self, stream: str, stream_id: str, event: ev.AnyEvent, *, party: Any = None, at: int = 0) -> None:
            noted.append((at, event))

    house = House(cast(Any, Nothing()), cast(Any, Notes()), Steady(), cast(Any, None), lambda file: 0.0)
    calls = Calls(house, cast(Any, lambda: None), lambda state: None, lambda state: None)
    async def ends() -> dict[str, int]:
        return found

    adoption = await calls.read_back([in_talk()], asterisk_started=0, was_away=lambda call: False, ends=ends)
    (begun, course), = adoption.begin
    course.close()
    assert noted == [(KNOWN + 60 * SECOND, ev.Adopted(stage="talk"))]
    assert begun.clock.now() == end + 250


async def test_what_lies_in_the_files_place_is_no_end(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"{CALL}|Up|1795614999.0|4001234567|\n")
    file = tmp_path / "hung-up.log"
    file.symlink_to(elsewhere)
    file.with_suffix(".old").mkdir()
    journal = await Journal.open(new_store(tmp_path, "store.sqlite"), clock=Clock(), spool=tmp_path / "spool")
    assert await Traces(file, journal, country="CN", ended=lambda state: None).ends() == {}
    await journal.close()
