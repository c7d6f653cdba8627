"""Where each part of a call's recording belongs in call time, and whether each talk is all there. Pure.

Frame 0 is the start of the first part that holds sound; a frame is 1/8000 s. A part stands where the journal
says it began, and what is between parts is silence, so a position in the file is the time since recording
began. A raw file is not wall-clock inside: where neither side sent RTP, time is missing from it (DESIGN.md
section 5, mechanics 2). Nothing recorded is ever dropped: a part that reaches into the next one's time moves
that one back. Parts that share a file (a recorder that ran on from talk to talk) stand where their times say within it;
the file is placed whole, with what lies between and after them, and only their spans' ends are by the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calllog.events import Span
from recordings.folders import RATE
from recordings.jobs import RawPart, TalkJob

LONGEST_GAP = 2 * 3600 * RATE
"""Frames of silence between two parts at the most; the rest of a longer gap is cut, and noted."""
TOLERANCE_SECONDS = 1.5
"""A talk's sound may differ from the journal by this: up to 1 s of the end is lost with a killed Asterisk, a
recorder starts some 0.1 s after the agent's leg is in ..."""
TOLERANCE_SHARE = 0.01
"""... and by this share of the talk: short pauses in the RTP of either side."""
OVERLAP_TOLD = 0.1
"""Seconds by which a part may move back without a note."""
SOUND_LEAST = 0.2
"""A side with less sound than this many seconds is called silent ..."""
SILENCE_JUDGED_FROM = 1.0
"""... in a talk with at least this many seconds of recording."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a raw file holds: whole frames, and the frames with sound of the caller and of the agent."""

    frames: int
    caller: int = 0
    agent: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """``frames`` frames of ``path``, from byte ``offset`` on, stand at frame ``first`` of the recording."""

    path: str
    first: int
    frames: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole recording: its parts in order without overlap, a span per talk, its length in frames."""

    placed: tuple[Placed, ...]
    spans: tuple[Span, ...]
    frames: int


def lay_out(talks: Sequence[TalkJob], heard: Mapping[str, Heard | None]) -> Layout:
    """Place the talks' parts in the journal's order. ``heard`` by path: None where the file is missing."""
    with_sound = [part for talk in talks for part in talk.parts if _frames(heard, part.path)]
    begun: dict[str, int] = {}
    origin = with_sound[0].started_at if with_sound else talks[0].started_at if talks else 0
    placed: list[Placed] = []
    spans: list[Span] = []
    end, cut = 0, 0
    for talk in talks:
        moved, cut_here = 0, 0
        mine: list[tuple[int, int]] = []
        for part in talk.parts:
            frames = _frames(heard, part.path)
            if not frames:
                continue
            if part.path in begun:
                mine.append(_extent(part, begun[part.path], frames))
                continue
            meant = frames_between(origin, part.started_at) - cut
            first = max(end, meant)
            if (surplus := first - end - LONGEST_GAP) > 0:
                cut, cut_here, first = cut + surplus, cut_here + surplus, end + LONGEST_GAP
            moved = max(moved, first - meant)
            placed.append(Placed(part.path, first, frames))
            begun[part.path] = first
            mine.append(_extent(part, first, frames))
            end = first + frames
        verified, note = _judge(talk, heard)
        notes = [note] if note else []
        if moved > OVERLAP_TOLD * RATE:
            notes.append(f"overlap={moved / RATE:.1f}")
        if cut_here:
            notes.append(f"gap_cut={cut_here / RATE:.0f}")
        at = max(end, frames_between(origin, talk.started_at) - cut) if not mine else mine[0][0]
        spans.append(Span(talk.talk_id, at, mine[-1][1] if mine else at, verified, " ".join(notes)))
    return Layout(tuple(placed), tuple(_within(spans, end)), end)


def frames_between(earlier: int, later: int) -> int:
    """The frames between two times in µs, to the nearest; negative when ``later`` is before."""
    return round((later - earlier) * RATE / 1e6)


def _extent(part: RawPart, first: int, frames: int) -> tuple[int, int]:
    """Where this part stands in the recording, its file of ``frames`` frames being placed at ``first``."""
    since, until = part.reach
    return first + min(since, frames), first + min(frames if until is None else until, frames)


def _frames(heard: Mapping[str, Heard | None], path: str) -> int:
    found = heard.get(path)
    return found.frames if found else 0


def _within(spans: list[Span], end: int) -> list[Span]:
    return [
        span if span.end <= end else Span(span.talk_id, end, end, span.verified, span.note) for span in spans
    ]


def _judge(talk: TalkJob, heard: Mapping[str, Heard | None]) -> tuple[bool, str]:
    """Whether the talk's sound is there as the journal has it, and what is odd (``recordings.notes``)."""
    awaited = [part for part in talk.parts if heard.get(part.key) or not part.failed]
    if not awaited:
        return False, "unrecorded"
    parts = [found for part in awaited if (found := heard.get(part.key))]
    missing = len(awaited) - len(parts)
    if not parts:
        return False, "missing"
    recorded = sum(part.frames for part in parts) / RATE
    if not recorded:
        return False, "empty"
    words = [f"missing={missing}"] if missing else []
    began = talk.started_at or talk.parts[0].started_at
    ended = talk.ended_at or talk.parts[-1].stopped_at
    if ended > began:
        expected = (ended - began) / 1e6
        tolerance = TOLERANCE_SECONDS + TOLERANCE_SHARE * expected
        if abs(recorded - expected) > tolerance:
            words.append(f"{'short' if recorded < expected else 'long'}={abs(recorded - expected):.1f}")
    else:
        words.append("no_end")
    good = not words
    if talk.paused_us:
        words.append(f"paused={talk.paused_us / 1e6:.1f}")
    if recorded - talk.paused_us / 1e6 >= SILENCE_JUDGED_FROM:
        sound = {
            "caller": sum(part.caller for part in parts),
            "agent": sum(part.agent for part in parts),
        }
        silent = [side for side, frames in sound.items() if frames < SOUND_LEAST * RATE]
        if silent:
            words.append(f"silent={silent[0] if len(silent) == 1 else 'both'}")
            good = good and len(silent) == 1
    return good, " ".join(words)
