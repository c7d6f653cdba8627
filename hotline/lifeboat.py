"""What the lifeboat wrote of a call, in the journal's words. Pure.

``asterisk-conf/lifeboat.py`` writes one JSON object a line: ``at`` (µs since 1970 UTC), ``do``, and what belongs to it.
A power cut or a kill may break the file off at any byte: every whole line before that counts, and :func:`events` closes
what was left open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from calllog import events as ev
from calllog.folds import CallState
from calllog.wording import VIA as VIA
from recordings.folders import talk_id_of

LARGEST = 256 * 1024
"""Bytes of a file that are read: a visit writes one or two kilobytes."""

LATEST = 250_000_000_000_000_000
"""A later time (µs) is no time: beyond the year 9999 no calendar could show the call."""

OVER = ("ended", "gone", "fault")
"""The words after which the script writes no more."""

_WHY: dict[str, Literal["uncovered", "closed"]] = {"uncovered": "uncovered", "closed": "closed"}
_RESULTS = frozenset({"missed", "busy", "rejected", "unreachable", "failed"})


Small = Annotated[int, msgspec.Meta(ge=-(1 << 31), lt=1 << 31)]
"""What the script counts; the store would refuse a far larger number, and with it the event."""


class Line(msgspec.Struct, frozen=True):
    """One line; what a word does not need is left out."""

    at: int
    do: str
    number: str = ""
    did: str = ""
    trunk: str = ""
    version: str = ""
    queue: str = ""
    priority: Small = 5
    talk: str = ""
    agent: str = ""
    device: str = ""
    result: str = ""
    cause: Small = 0
    part: Small = 1
    file: str = ""
    recorded: bool = False
    by: str = ""
    why: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One file as far as it is whole."""

    call_id: str
    lines: tuple[Line, ...] = field(default=())

    @property
    def over(self) -> bool:
        """Whether the script has said its last word."""
        return bool(self.lines) and self.lines[-1].do in OVER

    @property
    def arrived(self) -> Line | None:
        """The first line, with the caller's number and the number dialled; None where even that is missing."""
        return self.lines[0] if self.lines and self.lines[0].do == "arrived" else None

    @property
    def complete(self) -> bool:
        """Whether the script came to its end, or its caller hung up: nothing went wrong."""
        return self.over and self.lines[-1].do != "fault"

    @property
    def ended_by(self) -> ev.Side:
        """Who ended the call, as far as the file knows."""
        return "hotline" if self.lines and self.lines[-1].do == "ended" else "caller"

    def ended_at(self, latest: int) -> int:
        """When (µs); ``latest`` is by when a file that was broken off was last written to."""
        last = self.lines[-1].at if self.lines else 0
        return last if self.over else max(latest, last)


def read(call_id: str, data: bytes) -> Visit:
    """The whole lines of a file; what is broken is passed over."""
    return Visit(call_id, tuple(_lines(data[:LARGEST])))


def _lines(data: bytes) -> Iterator[Line]:
    for text in data.split(b"\n")[:-1]:
        try:
            line = msgspec.json.decode(text, type=Line)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            continue
        if 0 < line.at < LATEST:
            yield line


def events(visit: Visit, state: CallState, end: int) -> Iterator[tuple[int, ev.CallEvent]]:
    """The visit up to its end (``Visit.ended_at``) as events with their times (µs), without message and hang-up.

    They must be folded into ``state`` one by one as they come.
    """
    talk, part, rung = "", 0, False
    first = visit.lines[0].at if visit.lines else end
    if not state.arrived_at:
        about = visit.arrived or Line(first, "arrived")
        yield first, ev.Arrived(leg=visit.call_id, did=about.did, trunk=about.trunk)
    if state.stage != "away":
        yield first, ev.HandedOver(why="lifeboat")
    for line in visit.lines:
        match line.do:
            case "answered" if not state.answered_at:
                yield line.at, ev.Answered()
            case "greeted":
                yield line.at, ev.Greeted()
            case "notice":
                yield line.at, ev.NoticeGiven(version=line.version)
            case "asked":
                if not state.asked_at:
                    yield line.at, ev.Asked(queue=line.queue, via="away")
                yield line.at, ev.Enqueued(queue=line.queue, priority=line.priority)
            case "ring" if _names(line, visit.call_id):
                yield from _closed(state, line.at, "hotline", "failed")
                talk, rung = line.talk, True
                yield line.at, ev.RingStarted(
                    talk_id=talk, agent=line.agent, device=line.device, leg=f"{talk}-agent"
                )
            case "ring_ended" if rung and line.talk == talk:
                result: ev.RingResult = line.result if line.result in _RESULTS else "failed"  # type: ignore[assignment]
                yield line.at, ev.RingEnded(talk_id=talk, agent=line.agent, result=result, cause=line.cause)
                rung = False
            case "talk" if rung and line.talk == talk:
                rung, part = False, line.part
                yield line.at, ev.RingEnded(talk_id=talk, agent=line.agent, result="answered")
                yield line.at, ev.TalkStarted(talk_id=talk, agent=line.agent, bridge="")
                if line.file == f"{talk}.{part}.raw" and talk_id_of(line.file) == talk:
                    yield line.at, ev.RecordingRequested(talk_id=talk, part=part, file=line.file)
                    if line.recorded:
                        yield line.at, ev.RecordingStarted(talk_id=talk, part=part)
                    else:
                        yield line.at, ev.RecordingFailed(talk_id=talk, part=part, why="no_notice")
            case "talk_ended" if state.talk is not None and state.talk.live:
                yield from _closed(state, line.at, _side(line.by), "failed")
            case "offered":
                yield line.at, ev.VoicemailOffered(why=_WHY.get(line.why, "longest_wait"))
            case "fault":
                yield line.at, ev.Fault(where="away", what=line.what[:300])
            case _:
                pass
    yield from _closed(state, end, visit.ended_by, "caller_gone")


def _names(line: Line, call_id: str) -> bool:
    beginning, _, number = line.talk.rpartition("-b")
    return beginning == call_id and number.isascii() and number.isdecimal() and bool(line.agent)


def _side(by: str) -> ev.Side:
    return "agent" if by == "agent" else "caller" if by == "caller" else "hotline"


def _closed(state: CallState, at: int, by: ev.Side, result: ev.RingResult) -> Iterator[tuple[int, ev.CallEvent]]:
    """What ends a ring or a talk that is still on."""
    now = state.talk
    if now is None:
        return
    if now.ringing:
        yield at, ev.RingEnded(talk_id=now.talk_id, agent=now.agent, result=result)
    if now.live:
        for part in now.parts:
            if part.started_at and not part.stopped_at:
                yield at, ev.RecordingStopped(talk_id=now.talk_id, part=part.part)
        yield at, ev.TalkEnded(talk_id=now.talk_id, agent=now.agent, by=by)


def engaged(visits: Iterable[Visit]) -> set[str]:
    """The devices that the lifeboat rings, or that talk in it."""
    found: set[str] = set()
    for visit in visits:
        last = [line for line in visit.lines if line.do in ("ring", "ring_ended", "talk", "talk_ended")][-1:]
        if not visit.over:
            found |= {line.device for line in last if line.do in ("ring", "talk")}
    return found
