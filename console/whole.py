"""One call whole: its course line by line, and everything that is known of it for a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from calllog.events import Recorded
from calllog.queries import CallDetail
from calllog.wording import Names
from config.lengths import at, iso
from console.timeline import Line, timeline, words
from recordings.folders import Folders

INDENT = "   "


def course_of(detail: CallDetail, names: Names, zone: ZoneInfo) -> Iterator[tuple[str, Line | None]]:
    """Each line of the timeline with what stands before it: local time, and how long after the arrival. A new day is
    a line of its own, with nothing behind it."""
    start, day = detail.row.arrived_at, at(detail.row.arrived_at, zone).date()
    for line in timeline(detail.events, names):
        local = at(line.at, zone)
        if local.date() != day:
            day = local.date()
            yield f"{day:%Y-%m-%d}", None
        yield f"{local:%H:%M:%S}.{local.microsecond // 1000:03} {_offset(line.at - start):>11}  ", line


def plain_course(detail: CallDetail, names: Names, zone: ZoneInfo) -> Iterator[str]:
    """The same as text."""
    for head, line in course_of(detail, names, zone):
        yield head if line is None else f"{head}{INDENT * line.depth}{line.text}"


def _offset(micros: int) -> str:
    """``+0.055``, ``+1:05.123``."""
    sign, thousandths = ("-" if micros < 0 else "+"), abs(micros) // 1000
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000:02}.{rest % 1000:03}"
    if hours:
        return f"{sign}{hours}:{minutes:02}:{seconds}"
    return f"{sign}{minutes}:{seconds}" if minutes else f"{sign}{rest // 1000}.{rest % 1000:03}"


def event_fields(detail: CallDetail, names: Names, zone: ZoneInfo) -> dict[str, Callable[[Recorded], Any]]:
    """What is told of an event, by name."""
    start = detail.row.arrived_at

    def data(each: Recorded) -> dict[str, Any]:
        built: dict[str, Any] = msgspec.to_builtins(each.event)
        built.pop("kind")
        return built

    return {
        "seq": lambda each: each.seq,
        "at": lambda each: iso(each.at, zone),
        "offset_ms": lambda each: (each.at - start) // 1000,
        "kind": lambda each: msgspec.to_builtins(each.event)["kind"],
        "text": lambda each: words(each.event, names),
        "data": data,
    }


def whole(detail: CallDetail, names: Names, zone: ZoneInfo, folders: Folders) -> dict[str, Any]:
    """All that is known of the call, for a program."""
    fields = event_fields(detail, names, zone)
    return {
        "call": _timed(asdict(detail.row), zone),
        "party": msgspec.to_builtins(detail.party),
        "state": _timed(asdict(detail.state), zone, skip=("talks", "recordings", "told", "told_wait", "record")),
        "record": _timed(asdict(detail.state.record), zone, skip=("at",)) if detail.state.record else None,
        "talks": [_timed(asdict(talk), zone) for talk in detail.talks],
        "recordings": [
            {
                **_timed(asdict(recording), zone),
                "seconds": round(recording.seconds, 3),
                "path": str(folders.finished(recording.file)) if recording.file else None,
            }
            for recording in detail.recordings
        ],
        "events": [{key: value(each) for key, value in fields.items()} for each in detail.events],
    }


def _timed(fields: dict[str, Any], zone: ZoneInfo, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields with their instants in ISO 8601; what counts µs keeps its ``_us``."""
    return {
        key: iso(value, zone) if key.endswith("_at") else msgspec.to_builtins(value)
        for key, value in fields.items()
        if key not in skip
    }
