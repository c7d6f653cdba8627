"""Talks that share one file, of a recorder that ran on: where each stands in it, and whether each is all there."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, strategies as st

from calllog import events as ev
from calllog.folds import CallState
from recordings.archive import finalise
from recordings.folders import RATE, Folders
from recordings.jobs import ArchiveJob, RawPart, TalkJob, jobs_of
from recordings.layout import Heard, frames_between, lay_out
from recordings.measure import tones

T0 = 1_790_000_000_000_000
SECOND = 1_000_000


def at(seconds: float) -> int:
    return T0 + round(seconds * SECOND)


def shared(path: str, *spans: tuple[float, float]) -> list[TalkJob]:
    """Talks from and to these seconds, each a part of the same file."""
    return [
        TalkJob(f"t{n}", at(a), at(b), (RawPart(n, path, at(a), at(b), since=at(spans[0][0])),))
        for n, (a, b) in enumerate(spans, 1)
    ]


def heard_of(talks: list[TalkJob], frames: int) -> dict[str, Heard | None]:
    """A file of so many frames, with sound all through."""
    heard: dict[str, Heard | None] = {}
    for part in (part for one in talks for part in one.parts):
        first, end = part.reach
        mine = max(0, min(frames, frames if end is None else end) - first)
        heard[part.path], heard[part.key] = Heard(frames, frames, frames), Heard(mine, mine, mine)
    return heard


gaps = st.lists(st.tuples(st.floats(0.1, 600), st.floats(3.5, 600)), min_size=1, max_size=5)


@given(gaps, st.floats(0, 60), st.booleans())
def test_the_file_is_placed_once_and_whole_and_each_talk_stands_by_its_time(
    lengths: list[tuple[float, float]], tail: float, two_files: bool
) -> None:
    spans, clock = [], 0.0
    for gap, length in lengths:
        spans.append((clock, clock + length))
        clock += length + gap
    frames = round((spans[-1][1] + tail) * RATE)
    talks = shared("a", *spans)
    heard = heard_of(talks, frames)
    if two_files:  # the recorder was lost, and another followed
        later = clock + tail + 1
        talks.append(TalkJob("own", at(later), at(later + 5), (RawPart(9, "b", at(later), at(later + 5)),)))
        heard["b"] = Heard(5 * RATE, 5 * RATE, 5 * RATE)
    layout = lay_out(talks, heard)
    assert [(part.path, part.frames) for part in layout.placed][:1] == [("a", frames)]
    assert len(layout.placed) == 1 + two_files
    for span, (first, end) in zip(layout.spans, spans, strict=False):
        assert (span.first, span.end) == (frames_between(0, round(first * SECOND)), min(frames, span.end))
        assert abs(span.end - end * RATE) <= 1
        assert span.verified and not span.note
    ends = [edge for span in layout.spans for edge in (span.first, span.end)]
    assert ends == sorted(ends) and ends[-1] <= layout.frames


def test_what_is_missing_at_its_end_is_missing_from_the_last_talk() -> None:
    talks = shared("a", (0, 10), (20, 30))
    first, second = lay_out(talks, heard_of(talks, 25 * RATE)).spans
    assert (first.verified, first.note) == (True, "")
    assert (second.verified, second.note, second.end) == (False, "short=5.0", 25 * RATE)
    first, second = lay_out(talks, heard_of(talks, 12 * RATE)).spans
    assert first.verified and (second.verified, second.note) == (False, "empty")


def test_a_missing_file_is_missing_from_all() -> None:
    talks = shared("a", (0, 10), (20, 30))
    layout = lay_out(talks, {key: None for one in talks for part in one.parts for key in (part.path, part.key)})
    assert [(span.verified, span.note) for span in layout.spans] == [(False, "missing")] * 2


def sine(hz: float, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    times = np.arange(round(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hz * times)).astype(np.int16) if hz else np.zeros(len(times), np.int16)


def test_one_flac_of_one_file_with_a_row_for_each_talk(tmp_path: Path) -> None:
    agent = np.concatenate([sine(660, 3), sine(0, 4), sine(880, 3), sine(0, 2)])
    caller = np.concatenate([sine(440, 3), sine(0, 4), sine(440, 3), sine(0, 2)])
    raw = tmp_path / "t1.1.raw"
    raw.write_bytes(np.stack([caller, agent], axis=1).astype("<i2").tobytes())
    talks = shared(str(raw), (0, 3), (7, 10))
    (tmp_path / "recordings").mkdir()
    job = ArchiveJob("c1", "call", str(tmp_path / "recordings"), "c1.flac", T0, tuple(talks))
    result = finalise(job)
    assert result.archived is not None, result.why
    file = tmp_path / "recordings/c1.flac"
    assert [(span.first, span.end, span.verified, span.note) for span in result.archived.spans] == [
        (0, 3 * RATE, True, ""), (7 * RATE, 10 * RATE, True, ""),
    ]  # fmt: skip
    assert result.archived.frames == 12 * RATE
    assert [round(tone.hz) for tone in tones(file, 1)] == [660, 880]
    assert finalise(job).archived == result.archived


def test_a_silent_agent_is_noted_at_the_talk_where_they_were_silent(tmp_path: Path) -> None:
    agent = np.concatenate([sine(660, 3), sine(0, 4), sine(0, 3)])
    raw = tmp_path / "t1.1.raw"
    raw.write_bytes(np.stack([sine(440, 10), agent], axis=1).astype("<i2").tobytes())
    job = ArchiveJob("c1", "call", str(tmp_path), "c1.flac", T0, tuple(shared(str(raw), (0, 3), (7, 10))))
    archived = finalise(job).archived
    assert archived is not None and [span.note for span in archived.spans] == ["", "silent=agent"]


def test_the_journal_says_which_parts_share_a_file(tmp_path: Path) -> None:
    call = CallState("c1")
    told: list[tuple[float, ev.AnyEvent]] = [
        (0, ev.Arrived(leg="c1", did="1", trunk="t")), (1, ev.Asked(queue="q", label="l", via="menu")),
    ]  # fmt: skip
    for talk, part, file, start in (("t1", 1, "a.raw", 10), ("t2", 2, "a.raw", 30), ("t3", 3, "b.raw", 50)):
        told += [
            (start - 1, ev.RingStarted(talk_id=talk, agent="8001", device="d", leg=talk)),
            (start, ev.TalkStarted(talk_id=talk, agent="8001", bridge="b")),
            (start, ev.RecordingRequested(talk_id=talk, part=part, file=file)),
            (start + 1, ev.RecordingStarted(talk_id=talk, part=part, monitor="m")),
            (start + 9, ev.RecordingStopped(talk_id=talk, part=part, runs_on=part == 1)),
            (start + 9, ev.TalkEnded(talk_id=talk, agent="8001", by="agent")),
        ]
    told += [(70, ev.HungUp(by="caller")), (70, ev.Ended(outcome="answered", reason=""))]
    for when, event in told:
        call.apply(at(when), event)
    (job,) = jobs_of(call, Folders(tmp_path), ZoneInfo("Asia/Shanghai"))
    parts = [part for one in job.talks for part in one.parts]
    assert [part.since for part in parts] == [at(11), at(11), 0]
    assert [part.reach for part in parts] == [(0, 8 * RATE), (20 * RATE, 28 * RATE), (0, None)]
    assert [part.runs_on for part in call.parts] == [True, False, False]
