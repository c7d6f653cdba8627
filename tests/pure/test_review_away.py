"""Visits to the dialplan's apology that were broken off, or that overlap with a daemon that was frozen for a while."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from calllog.events import Ended
from hotline.away import Away, AwayCall, read
from hotline.daemon import Daemon
from phone.port import Arrival
from recordings.folders import Folders

BEGUN = "begin=1767225600.250000\nwhy=down\nnumber=13912345678\ndid=4001234567\nanswered=1767225601.500000\n"


def test_a_visit_without_its_end_is_not_over_while_the_leg_is_there(tmp_path: Path) -> None:
    file = tmp_path / "hotline-1.1.txt"
    file.write_text(BEGUN)
    assert read(file) is None


def test_one_that_was_broken_off_keeps_the_number_and_ends_with_its_last_line(tmp_path: Path) -> None:
    file = tmp_path / "hotline-1.1.txt"
    file.write_text(BEGUN)
    os.utime(file, (1767225601.5, 1767225601.5))
    visit = read(file, broken_off=True)
    assert visit == AwayCall(
        "hotline-1.1", 1767225600_250000, 1767225601_500000, 1767225601_500000, "13912345678", "4001234567"
    )


def test_an_end_that_was_written_a_moment_ago_counts(tmp_path: Path) -> None:
    file = tmp_path / "hotline-1.1.txt"
    file.write_text(BEGUN + "end=1767225610.000000\n")
    visit = read(file, broken_off=True)
    assert visit is not None and visit.end == 1767225610_000000


class Noted:
    """A journal that knows nothing yet."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def append(self, stream: str, stream_id: str, event: Any, **_about: Any) -> None:
        self.events.append(event)

    async def commit(self, stream: str, stream_id: str, event: Any, **_about: Any) -> None:
        self.events.append(event)

    async def events_of(self, call_id: str) -> list[Any]:
        return []


async def nowhere(leg: str) -> bool:
    return False


async def test_a_call_whose_task_has_yet_to_hear_of_it_is_ended_by_nobody_else(tmp_path: Path) -> None:
    """A daemon that was frozen for a while reads of an arrival after the dialplan's visit is over."""
    journal, ended = Noted(), list[str]()
    away = Away(
        tmp_path, Folders(tmp_path), cast(Any, journal), country="CN", shortest=2.0,
        ended=lambda state: ended.append(state.call_id),
    )  # fmt: skip
    (tmp_path / "hotline-1.1.txt").write_text(BEGUN + "end=1767225610.000000\n")
    assert await away.take_in(nowhere, {"hotline-1.1"}) == 0 and not journal.events
    assert await away.take_in(nowhere) == 1 and ended == ["hotline-1.1"]
    assert [type(event) for event in journal.events].count(Ended) == 1


@pytest.mark.parametrize("late", [True, False])
def test_an_arrival_that_is_read_after_the_dialplan_took_the_caller_begins_no_call(late: bool) -> None:
    daemon, begun = Daemon.__new__(Daemon), list[str]()
    daemon.away = cast(Any, SimpleNamespace(has=lambda call_id: late))
    daemon.traces = cast(Any, SimpleNamespace(has=lambda call_id: False))
    daemon.calls = cast(Any, SimpleNamespace(arrive=lambda arrival: begun.append(arrival.leg)))
    daemon._arrived(Arrival("hotline-1.1", "13912345678", "", "4001234567", "carrier"))
    assert begun == ([] if late else ["hotline-1.1"])
