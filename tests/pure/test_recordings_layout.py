"""Where parts stand in call time, and when a talk counts as all there."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, strategies as st

from recordings.folders import RATE
from recordings.jobs import RawPart, TalkJob
from recordings.layout import LONGEST_GAP, Heard, Layout, lay_out

T0 = 1_790_000_000_000_000
SECOND = 1_000_000


def talk(name: str, start: float, end: float, *parts: tuple[float, str]) -> TalkJob:
    """A talk from ``start`` to ``end`` (seconds) with parts that begin at those seconds."""
    raws = tuple(RawPart(n, path, T0 + round(at * SECOND)) for n, (at, path) in enumerate(parts, 1))
    return TalkJob(name, T0 + round(start * SECOND), T0 + round(end * SECOND), raws)


def sound(seconds: float, caller: float | None = None, agent: float | None = None) -> Heard:
    frames = round(seconds * RATE)
    return Heard(
        frames,
        frames if caller is None else round(caller * RATE),
        frames if agent is None else round(agent * RATE),
    )


def test_two_talks_stand_where_the_journal_says() -> None:
    talks = [talk("t1", 0, 10, (0.1, "a")), talk("t2", 30, 40, (30.1, "b"))]
    layout = lay_out(talks, {"a": sound(9.9), "b": sound(9.9)})
    assert [(part.first, part.frames) for part in layout.placed] == [(0, 79_200), (240_000, 79_200)]
    assert [(span.first, span.end, span.verified, span.note) for span in layout.spans] == [
        (0, 79_200, True, ""), (240_000, 319_200, True, ""),
    ]  # fmt: skip
    assert layout.frames == 319_200


def test_a_part_that_reaches_into_the_next_moves_it_back_and_nothing_is_lost() -> None:
    talks = [talk("t1", 0, 10, (0, "a")), talk("t2", 10.1, 20, (10.1, "b")), talk("t3", 30, 32, (30, "c"))]
    layout = lay_out(talks, {"a": sound(11), "b": sound(9.9), "c": sound(2)})
    assert [part.first for part in layout.placed] == [0, 11 * RATE, 30 * RATE]
    assert [span.note for span in layout.spans] == ["", "overlap=0.9", ""]


def test_a_gap_of_days_is_cut_to_two_hours_and_what_follows_keeps_its_distance() -> None:
    day = 86_400
    starts = {"a": 0, "b": day, "c": day + 9}
    talks = [talk(name, start, start + 5, (start, name)) for name, start in starts.items()]
    layout = lay_out(talks, {name: sound(5) for name in "abc"})
    first, second, third = (part.first for part in layout.placed)
    assert second - (first + 5 * RATE) == LONGEST_GAP
    assert third - second == 9 * RATE
    assert [span.note for span in layout.spans] == ["", f"gap_cut={day - 5 - 7200}", ""]


def test_a_long_gap_within_a_talk_is_cut_once() -> None:
    day = 86_400
    one = talk("t", 0, day + 9, (0, "a"), (day, "b"), (day + 7, "c"))
    layout = lay_out([one], {name: sound(2) for name in "abc"})
    first, second, third = (part.first for part in layout.placed)
    assert (second - first, third - second) == (2 * RATE + LONGEST_GAP, 7 * RATE)
    assert layout.spans[0].note.endswith(f"gap_cut={day - 2 - 7200}")


def judged(one: TalkJob, **heard: Heard | None) -> tuple[bool, str]:
    (span,) = lay_out([one], heard).spans
    return span.verified, span.note


def test_what_is_verified_and_what_is_noted() -> None:
    ten = talk("t", 0, 10, (0, "a"))
    assert judged(ten, a=sound(10)) == (True, "")
    assert judged(ten, a=sound(8.5)) == (True, "")
    assert judged(ten, a=sound(8)) == (False, "short=2.0")
    assert judged(ten, a=sound(12)) == (False, "long=2.0")
    assert judged(ten, a=sound(0)) == (False, "empty")
    assert judged(ten, a=None) == (False, "missing")
    assert judged(ten, a=sound(10, agent=0.1)) == (True, "silent=agent")
    assert judged(ten, a=sound(10, caller=0)) == (True, "silent=caller")
    assert judged(ten, a=sound(10, 0, 0)) == (False, "silent=both")
    assert judged(ten, a=sound(8, agent=0)) == (False, "short=2.0 silent=agent")
    assert judged(talk("t", 0, 0.5, (0, "a")), a=sound(0.4, 0, 0)) == (True, "")
    assert judged(talk("t", 0, 10)) == (False, "unrecorded")
    assert judged(talk("t", 0, 10, (0, "a"), (5, "b")), a=sound(5), b=None) == (False, "missing=1 short=5.0")
    assert judged(TalkJob("t", T0, 0, ten.parts), a=sound(10)) == (False, "no_end")


def test_a_pause_is_noted_and_its_silence_is_nobodys_fault() -> None:
    paused = replace(talk("t", 0, 10, (0, "a")), pauses=((T0 + 500_000, T0 + 10 * SECOND),))
    assert judged(paused, a=sound(10, 0, 0)) == (True, "paused=9.5")
    shorter = replace(paused, pauses=((T0, T0 + 4 * SECOND),))
    assert judged(shorter, a=sound(10, 0, 0)) == (False, "paused=4.0 silent=both")
    assert paused.paused_frames(800, RATE) == [(800 + RATE // 2, 800 + 10 * RATE)]


def test_a_part_that_asterisk_refused_is_not_missed() -> None:
    refused = RawPart(1, "a", T0, failed=True)
    whole = TalkJob("t", T0, T0 + 10 * SECOND, (refused, RawPart(2, "b", T0)))
    assert judged(whole, a=None, b=sound(10)) == (True, "")
    assert judged(TalkJob("t", T0, T0 + 10 * SECOND, (refused,)), a=None) == (False, "unrecorded")


Spec = tuple[list[tuple[int, int | None]], int]
talk_specs = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(-3, 20_000), st.none() | st.integers(0, 5 * RATE)), max_size=3),
        st.integers(0, 20),
    ),
    max_size=4,
)


def build(specs: list[Spec]) -> tuple[list[TalkJob], dict[str, Heard | None], Layout]:
    clock, talks, heard = 0.0, [], {}
    for number, (parts, length) in enumerate(specs):
        begun = clock
        starts: list[tuple[float, str]] = []
        for gap, frames in parts:
            clock += gap
            starts.append((clock, name := f"{number}.{len(starts)}"))
            heard[name] = None if frames is None else Heard(frames, frames, frames)
            clock += (frames or 0) / RATE
        clock = max(clock, begun + length)
        talks.append(talk(f"t{number}", begun, clock, *starts))
    return talks, heard, lay_out(talks, heard)


@given(talk_specs)
def test_every_frame_is_placed_once_in_order_and_never_before_its_time_but_for_cuts(
    specs: list[Spec],
) -> None:
    talks, heard, layout = build(specs)
    parts = [part for one in talks for part in one.parts if (found := heard[part.path]) and found.frames]
    assert [part.path for part in layout.placed] == [part.path for part in parts]
    end = 0
    for placed in layout.placed:
        assert placed.first >= end
        assert placed.first - end <= LONGEST_GAP
        end = placed.first + placed.frames
    assert layout.frames == end
    if not any("gap_cut" in span.note for span in layout.spans) and parts:
        for placed, part in zip(layout.placed, parts, strict=True):
            assert placed.first >= round((part.started_at - parts[0].started_at) * RATE / 1e6)


@given(talk_specs)
def test_each_talk_has_one_span_that_holds_exactly_its_parts(specs: list[Spec]) -> None:
    talks, _, layout = build(specs)
    assert [span.talk_id for span in layout.spans] == [one.talk_id for one in talks]
    for one, span in zip(talks, layout.spans, strict=True):
        mine = [placed for placed in layout.placed if placed.path in {part.path for part in one.parts}]
        assert 0 <= span.first <= span.end <= layout.frames
        if mine:
            assert (span.first, span.end) == (mine[0].first, mine[-1].first + mine[-1].frames)
        else:
            assert span.first == span.end
            assert not span.verified
