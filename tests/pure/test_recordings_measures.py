"""What is measured of a recording: loudness by the standard, who speaks, silences, both at once, the waveform."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from calllog import events as ev
from calllog.folds import CallState
from calllog.rows import FOLDED, call_rows
from recordings.errors import Unreadable
from recordings.keys import Ring
from recordings.measures import QUIETEST, Measures, measure_file, read_measures, write_measures
from recordings.measuring import Measuring
from recordings.sound import Samples

RATE = 8000


def sine(dbfs: float, seconds: float, hz: float = 997.0, rate: int = RATE) -> Samples:
    t = np.arange(round(seconds * rate)) / rate
    return (32767 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * t)).round().astype(np.int16)


def still(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def measured(caller: Samples, agent: Samples | None = None, *, step: int = 65_536, **how: object) -> Measures:
    sides = [caller] if agent is None else [caller, agent]
    block = np.stack(sides, axis=1)
    measuring = Measuring()
    for at in range(0, len(block), step):
        measuring.take(block[at : at + step], RATE)
    return measuring.result(5.0, 1.0, **how)  # type: ignore[arg-type]


def test_loudness_is_that_of_the_standard() -> None:
    # BS.1770-5: a 997 Hz sine of full scale in one channel has -3.01 LUFS.
    assert measured(sine(0, 3)).loudness == pytest.approx((-3.0,), abs=0.1)
    assert measured(sine(-20, 20)).loudness == pytest.approx((-23.0,), abs=0.1)
    # EBU Tech 3341, case 3: what is 10 LU below is left out by the relative gate.
    parts = np.concatenate([sine(-36, 10), sine(-23, 60), sine(-36, 10)])
    assert measured(parts).loudness == pytest.approx((-26.0,), abs=0.1)
    # Case 4: and what is below -70 LUFS by the absolute one.
    parts = np.concatenate([sine(-72, 10), sine(-36, 10), sine(-23, 60), sine(-36, 10), sine(-72, 10)])
    assert measured(parts).loudness == pytest.approx((-26.0,), abs=0.1)
    # The weighting: BS.1770's filters have -0.03 dB at 500 Hz and +3.2 dB at 2 kHz beside 997 Hz.
    assert measured(sine(-20, 5, 500)).loudness[0] < -23.0 < -21.0 < measured(sine(-20, 5, 2000)).loudness[0]
    assert measured(sine(-20, 5, 30)).loudness[0] < -28
    assert measured(still(3), sine(-20, 3)).loudness == pytest.approx((QUIETEST, -23.0), abs=0.1)


def test_who_speaks_who_is_silent_and_who_talks_over_whom() -> None:
    caller = np.concatenate([sine(-20, 4), still(8), sine(-20, 4), still(4)])
    agent = np.concatenate([still(2), sine(-30, 2), still(6), sine(-30, 3.5), still(6.5)])
    found = measured(caller, agent)
    assert found.seconds == 20.0
    assert found.speech == (((0.0, 4.0), (12.0, 16.0)), ((2.0, 4.0), (10.0, 13.5)))
    assert found.talk_overs == ((2.0, 4.0), (12.0, 13.5))
    assert found.silences == ((4.0, 10.0),)
    event = found.event("call")
    assert (event.silences, event.silence, event.longest_silence) == (1, 6.0, 6.0)
    assert (event.talk_overs, event.talk_over, event.longest_talk_over) == (2, 3.5, 2.0)
    assert event.speech == (8.0, 5.5)


def test_clicks_are_no_speech_and_short_pauses_belong_to_it() -> None:
    click, pause = sine(-20, 0.04), still(0.18)
    said = np.concatenate([still(1), click, still(1), sine(-20, 1), pause, sine(-20, 1), still(1)])
    assert measured(said).speech == (((2.04, 4.22),),)


def test_between_two_talks_and_while_paused_nothing_is_a_silence() -> None:
    sound = np.concatenate([sine(-20, 2), still(20), sine(-20, 2)])
    whole = (0, len(sound))
    assert measured(sound, sound).silences == ((2.0, 22.0),)
    assert measured(sound, sound, within=[(0, 3 * RATE), (21 * RATE, len(sound))]).silences == ()
    assert measured(sound, sound, within=[whole], paused=[(8 * RATE, 20 * RATE)]).silences == ((2.0, 8.0),)


def test_a_voicemail_has_one_side_and_nobody_to_talk_over() -> None:
    found = measured(np.concatenate([sine(-20, 1), still(6)]))
    assert len(found.peaks) == len(found.loudness) == len(found.speech) == 1
    assert found.talk_overs == () and found.silences == ((1.0, 7.0),)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(0, 999))
def test_the_blocks_make_no_difference_and_every_peak_is_seen(frames: int, step: int, seed: int) -> None:
    sides = np.random.default_rng(seed).integers(-32768, 32768, (2, frames), dtype=np.int16)
    found = measured(*sides, step=step)
    assert found == measured(*sides)
    assert [len(side) for side in found.peaks] == [-(-frames // 320)] * 2
    for side in (0, 1):
        wave, few = found.waveform(side, 9000), found.waveform(side, 3)
        for at in range(0, frames, 320):
            highest = np.abs(sides[side, at : at + 320].astype(int)).max() / 32767
            assert highest - 0.003 <= wave[at // 320] ** 2 <= highest + 0.01
        assert len(few) <= 3 and max(few) == max(wave)


def test_the_file_is_read_back_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    found = measured(sine(-20, 3), still(3))
    write_measures(tmp_path, "x.flac", found)
    assert read_measures(tmp_path, "x.flac", Ring({})) == found
    path = tmp_path / measure_file("x.flac")
    assert path.stat().st_mode & 0o777 == 0o640
    for data in (b"", b"{}", path.read_bytes()[:-9]):
        path.write_bytes(data)
        with pytest.raises(Unreadable):
            read_measures(tmp_path, "x.flac", Ring({}))
    assert [each.name for each in tmp_path.iterdir()] == ["x.flac.measure"]


def test_the_numbers_become_a_row() -> None:
    state = CallState("c1")
    state.apply(1, measured(sine(-20, 3), sine(-20, 1).repeat(3)).event("call"))
    state.apply(2, measured(sine(-20, 3)).event("voicemail"))
    rows = [dict(zip(FOLDED["measure"][0], row, strict=True)) for row in call_rows(state)["measure"]]
    assert [row["category"] for row in rows] == ["call", "voicemail"]
    assert [(row["caller_share"], row["agent_loudness"] > QUIETEST) for row in rows] == [(0.5, True), (1.0, False)]
    assert rows[0]["talk_over"] == 3.0


def test_a_check_is_of_the_recording_it_was_of() -> None:
    state = CallState("c1")
    state.apply(1, ev.RecordingChecked(category="call", fault="gone"))  # of none
    state.apply(2, ev.Archived(category="call", file="f", sha256="s", frames=1, rate=8000, channels=2, size=9))
    state.apply(3, ev.RecordingChecked(category="call", fault="digest"))
    assert call_rows(state)["recording"][0][-2:] == (9, "digest")
    state.apply(4, ev.RecordingChecked(category="call"))
    assert state.recordings["call"].fault == ""
