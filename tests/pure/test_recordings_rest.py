"""Leftovers of a killed daemon, the listing and its copies, the check, the measurements, and the words."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, settings, strategies as st

from calllog.events import Archived, ArchiveFailed, Arrived, Category, Ended, Recorded, Span
from calllog.folds import CallState
from calllog.talk import Part, Talk
from config.catalogue import set_language
from config.settings import Recording, Settings
from recordings import check as checking, notes
from recordings.folders import Folders, part_file, spool_files, talk_id_of
from recordings.leftovers import Leftovers, ToArchive, leftovers
from recordings.listing import NotCopied, get, rows
from recordings.measure import measure, tones
from recordings.sound import Unreadable


def call(number: int, *, ended: bool = True, voicemail: bool = False, talk: bool = True) -> CallState:
    state = CallState(f"h-{number}", arrived_at=number, ended_at=number + 1 if ended else 0)
    if talk:
        one = Talk(f"h-{number}-t", state.call_id, "8001", "desk", "leg", number, started_at=number)
        one.parts = [Part(1, f"h-{number}-t.1.raw", number), Part(2, f"h-{number}-t.2.raw", number)]
        state.talks.append(one)
    if voicemail:
        state.voicemail_file, state.voicemail_kept = f"h-{number}.wav", True
    return state


def archived(state: CallState, category: Category = "call") -> CallState:
    file = f"2026/01/01/{state.call_id}.flac"
    state.apply(9, Archived(category=category, file=file, sha256="", frames=1, rate=8000, channels=2))
    return state


def test_leftovers_tell_what_to_archive_what_to_discard_and_whose_nothing_is() -> None:
    live, fresh, lost, gone = call(9, ended=False), call(8), call(7), archived(call(6))
    discard, refused = archived(call(5)), call(4)
    failed_kept, failed_gone = call(3), call(2)
    for failed, why in ((failed_kept, "disk_full=ENOSPC"), (failed_gone, "missing"), (refused, "missing")):
        failed.apply(9, ArchiveFailed(why=why, category="call"))
    refused.voicemail_file = "h-4.wav"  # dropped: too short
    files = [
        "h-9-t.1.raw",
        "h-8-t.1.raw",
        "h-5-t.2.raw",
        "h-3-t.1.raw",
        "h-4.wav",
        "stranger.raw",
        "../away/1.wav",
    ]
    found = leftovers([live, fresh, lost, gone, discard, refused, failed_kept, failed_gone], files)
    assert [(one.call.call_id, one.only) for one in found.to_archive] == [
        ("h-3", "call"), ("h-7", "call"), ("h-8", "call"),
    ]  # fmt: skip
    assert [(one.call_id, event.file) for one, event in found.to_discard] == [("h-5", "2026/01/01/h-5.flac")]
    assert found.orphans == ("../away/1.wav", "h-4.wav", "stranger.raw")


def test_leftovers_of_a_call_with_talks_and_voicemail() -> None:
    new = call(1, voicemail=True)
    assert leftovers([new], []) == Leftovers((ToArchive(new, None),), (), ())
    # Killed between the two events: the voicemail's is missing.
    half = archived(call(1, voicemail=True))
    found = leftovers([half], ["h-1-t.1.raw", "h-1.wav"])
    assert found.to_archive == (ToArchive(half, "voicemail"),)
    assert [event.category for _, event in found.to_discard] == ["call"]
    both = archived(half, "voicemail")
    assert leftovers([both], []) == Leftovers((), (), ())
    assert [event.category for _, event in leftovers([both], ["h-1.wav"]).to_discard] == ["voicemail"]


def test_a_part_that_asterisk_refused_is_no_leftover_unless_there_is_a_file() -> None:
    state = call(1)
    for part in state.parts:
        part.failed = "no such channel"
    assert leftovers([state], []) == Leftovers((), (), ())
    assert leftovers([state], ["h-1-t.2.raw"]).to_archive == (ToArchive(state, "call"),)


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.sets(st.integers(1, 3)))
    )
)
def test_no_file_is_both_an_orphan_and_a_call_s_and_none_is_forgotten(
    specs: list[tuple[bool, bool, bool, bool, set[int]]],
) -> None:
    calls, files = [], ["stranger.raw"]
    for number, (ended, voicemail, talk, done, present) in enumerate(specs):
        state = call(number, ended=ended, voicemail=voicemail, talk=talk)
        if ended and done:
            archived(state, "call" if talk else "voicemail")
        calls.append(state)
        owned = [part.file for part in state.parts] + [state.voicemail_file] * voicemail
        files += [file for index, file in enumerate(owned, 1) if index in present]
    found = leftovers(calls, files)
    assert found.orphans == ("stranger.raw",)
    handled = {part.file for one in found.to_archive for part in one.call.parts}
    handled |= {one.call.voicemail_file for one in found.to_archive}
    handled |= {part.file for one, _ in found.to_discard for part in one.parts}
    handled |= {one.voicemail_file for one, _ in found.to_discard}
    for live in (one for one in calls if not one.ended_at):
        handled |= {live.voicemail_file, *(part.file for part in live.parts)}
    assert set(files) - handled == {"stranger.raw"}


@given(st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text), st.integers(0, 999))
def test_a_spool_file_names_its_talk(talk_id: str, part: int) -> None:
    file = part_file(talk_id, part)
    assert "/" not in file
    if not any("\ud800" <= letter <= "\udfff" for letter in talk_id):
        assert talk_id_of(file) == talk_id
    assert talk_id_of("vm-1.wav") is None


def test_the_spool_is_listed_and_no_name_leads_out(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    assert spool_files(folders) == []
    folders.make()
    for name in ("b.raw", "a.wav", ".check-1"):
        (folders.spool / name).touch()
    (folders.spool / "folder").mkdir()
    os.close(os.open(os.fsencode(folders.spool) + b"/\xbb\xb6-1.1.raw", os.O_CREAT))
    assert spool_files(folders) == ["a.wav", "b.raw"]
    assert folders.raw("../away/a.wav") == folders.away / "a.wav"
    for outside in ("../../x", "/etc/passwd", "a/../../../../x"):
        with pytest.raises(ValueError, match="not in the recordings"):
            folders.raw(outside)
        with pytest.raises(ValueError, match="not in the recordings"):
            folders.finished(outside)


def flac(folders: Folders, file: str, seconds: float = 1.0) -> Archived:
    path = folders.finished(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = round(8000 * seconds)
    soundfile.write(path, np.arange(frames, dtype=np.int16), 8000, format="FLAC")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    spans = (Span("t1", 0, 4000, True), Span("t2", 4000, 8000, False, "short=3.2 silent=agent"))
    return Archived(
        category="call", file=file, sha256=sha256, frames=frames, rate=8000, channels=1, spans=spans
    )


def test_the_list_shows_each_file_once_with_its_notes_in_words(tmp_path: Path) -> None:
    set_language("en")
    folders = Folders(tmp_path)
    one, two = flac(folders, "2026/01/01/a.flac"), flac(folders, "2026/01/01/b.flac", 2.5)
    events = [
        Recorded(1, 10, "call", "a", Arrived(leg="x")), Recorded(2, 20, "call", "a", one),
        Recorded(3, 30, "call", "b", ArchiveFailed(why="missing")), Recorded(4, 40, "call", "b", two),
        Recorded(5, 50, "call", "a", one), Recorded(6, 60, "call", "a", Ended(outcome="answered")),
    ]  # fmt: skip
    folders.finished(two.file).unlink()
    first, second = rows(events, folders)
    assert (first.call_id, first.at, first.seconds, first.talks, first.verified) == ("a", 50, 1.0, 2, 1)
    assert first.notes == (
        "The recording is 3.2 s shorter than the talk.",
        "Nothing is heard from the agent.",
    )
    assert (second.call_id, second.seconds, second.present) == ("b", 2.5, False)


def test_get_hands_out_a_proved_copy_or_says_why_not(tmp_path: Path) -> None:
    set_language("en")
    folders = Folders(tmp_path / "var")
    event = flac(folders, "2026/01/01/a.flac")
    out = tmp_path / "out"
    out.mkdir()
    assert get(event, folders, out) == out / "a.flac"
    assert (out / "a.flac").read_bytes() == folders.finished(event.file).read_bytes()
    with pytest.raises(NotCopied, match="there already"):
        get(event, folders, out / "a.flac")
    made = get(event, folders, tmp_path / "new" / "folder")
    assert made == tmp_path / "new" / "folder" / "a.flac" and made.stat().st_mode & 0o777 == 0o600
    assert made.parent.stat().st_mode & 0o777 == 0o700
    damaged = bytearray(folders.finished(event.file).read_bytes())
    damaged[100] ^= 1
    folders.finished(event.file).write_bytes(damaged)
    good = (out / "a.flac").read_bytes()
    with pytest.raises(NotCopied, match="damaged"):
        get(event, folders, out / "a.flac", replace=True)
    assert (out / "a.flac").read_bytes() == good
    with pytest.raises(NotCopied, match="nowhere is not there"):
        get(event, folders, tmp_path / "nowhere" / "a.flac")
    (tmp_path / "file").touch()
    with pytest.raises(NotCopied, match="cannot be written"):
        get(event, folders, tmp_path / "file" / "a.flac")
    folders.finished(event.file).unlink()
    with pytest.raises(NotCopied, match=re.escape(f"{folders.finished(event.file)} is not there")):
        get(event, folders, tmp_path / "b.flac")
    assert sorted(path.name for path in out.iterdir()) == ["a.flac"]


SETTINGS = cast("Settings", SimpleNamespace(hotline=SimpleNamespace(recording=Recording())))


def test_the_check_tells_every_problem_of_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_language("en")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    assert checking.check(SETTINGS, tmp_path) == []
    assert spool_files(Folders(tmp_path)) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4.9 * 10**9))
    (little,) = checking.check(SETTINGS, tmp_path)
    assert (little.code, little.warning) == ("recordings-little-space", True)
    assert "4.9 GB" in little.what
    Folders(tmp_path).away.rmdir()
    Folders(tmp_path).away.touch()
    (away,) = checking.check(SETTINGS, tmp_path)
    assert (away.code, away.warning) == ("recordings-not-writable", False)
    assert str(Folders(tmp_path).away) in away.what


def test_a_spool_on_another_filesystem_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second filesystem here")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    with tempfile.TemporaryDirectory(dir=shm) as other:
        Folders(tmp_path).archive.mkdir()
        Folders(tmp_path).spool.symlink_to(other)
        assert [problem.code for problem in checking.check(SETTINGS, tmp_path)] == [
            "recordings-spool-elsewhere"
        ]


def tone(hz: float, seconds: float, level: float = 0.25) -> npt.NDArray[np.float64]:
    samples: npt.NDArray[np.float64] = level * np.sin(
        2 * np.pi * hz * np.arange(round(seconds * 8000)) / 8000
    )
    return samples


def test_levels_frequencies_and_sound_are_measured_per_span_and_channel(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    left = np.concatenate([tone(440, 2), np.zeros(8000), tone(440, 3)])
    right = np.concatenate([tone(660, 1), np.zeros(16000), tone(880, 3, 0.5)])
    soundfile.write(path, np.stack([left, right], axis=1), 8000, subtype="PCM_16")
    places = {"t1": (0, 24_000), "t2": (24_000, 48_000), "t3": (48_000, 48_000)}
    found = measure(path, [Span(name, first, end, True) for name, (first, end) in places.items()])
    assert [(m.talk_id, m.channel, m.seconds, m.sound_seconds) for m in found] == [
        ("t1", 0, 3.0, 2.0), ("t1", 1, 3.0, 1.0), ("t2", 0, 3.0, 3.0), ("t2", 1, 3.0, 3.0),
        ("t3", 0, 0.0, 0.0), ("t3", 1, 0.0, 0.0),
    ]  # fmt: skip
    assert [m.dominant_hz for m in found] == pytest.approx([440, 660, 440, 880, 0, 0], abs=1)
    assert [m.rms_dbfs for m in found[:4]] == pytest.approx([-15.05, -15.05, -15.05, -9.03], abs=0.05)
    assert found[4].rms_dbfs == -np.inf
    whole = measure(path)
    assert [(m.channel, m.seconds, m.sound_seconds) for m in whole] == [(0, 6.0, 5.0), (1, 6.0, 4.0)]


def test_tones_are_told_one_after_another(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    mono = np.concatenate([tone(660, 1), np.zeros(4000), tone(880, 1.5), tone(440, 0.1), tone(880, 1)])
    soundfile.write(path, mono, 8000, subtype="PCM_16")
    assert [(round(t.hz), t.first, t.end) for t in tones(path, 0)] == [
        (660, 0, 8000), (880, 12_000, 24_000), (880, 24_800, 32_800),
    ]  # fmt: skip
    with pytest.raises(IndexError):
        tones(path, 1)


def test_a_tone_that_pauses_is_two_and_an_offset_does_not_hide_it(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    mono = np.concatenate([tone(440, 1), np.zeros(4000), tone(440, 1)]) + 0.4
    soundfile.write(path, mono, 8000, subtype="PCM_16")
    assert [(round(t.hz), t.first, t.end) for t in tones(path, 0)] == [(440, 0, 8000), (440, 12_000, 20_000)]


def test_noise_two_tones_hum_and_whispers_are_no_tone(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for name, samples in {
        "noise": random.normal(0, 0.1, 16_000),
        "two": tone(440, 2) + tone(880, 2),
        "offset": np.full(16_000, 0.5),
        "hum": tone(20, 2),
        "quiet": tone(440, 2, 0.001),
        "nothing": np.zeros(0),
    }.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 8000, subtype="PCM_16")
        assert tones(tmp_path / f"{name}.wav", 0) == [], name


@settings(max_examples=40, deadline=None)
@given(st.floats(150, 3500), st.floats(0.02, 0.9), st.floats(0, 0.2), st.integers(0, 999))
def test_a_tone_in_noise_is_found_at_its_frequency(hz: float, level: float, dirt: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, dirt * level, 8000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.wav")
        soundfile.write(path, np.clip(tone(hz, 1, level) + noise, -1, 1), 8000, subtype="PCM_16")
        (found,) = tones(path, 0)
        assert found.hz == pytest.approx(hz, abs=3)
        assert (found.first, found.end) == (0, 8000)
        (whole,) = measure(path)
        assert whole.dominant_hz == pytest.approx(hz, abs=3)


def test_a_raw_part_can_be_measured_and_garbage_is_unreadable(tmp_path: Path) -> None:
    both = (np.stack([tone(440, 1), tone(660, 1)], axis=1) * 32768).astype("<i2")
    (tmp_path / "x.raw").write_bytes(both.tobytes() + b"x")
    assert [round(m.dominant_hz) for m in measure(tmp_path / "x.raw")] == [440, 660]
    (tmp_path / "x.flac").write_bytes(b"no flac")
    with pytest.raises(Unreadable):
        measure(tmp_path / "x.flac")
    with pytest.raises(FileNotFoundError):
        measure(tmp_path / "y.flac")


def test_every_word_that_the_code_writes_has_a_sentence() -> None:
    set_language("en")
    folder = Path(notes.__file__).parent
    code = "".join((folder / name).read_text() for name in ("archive.py", "archiver.py", "layout.py"))
    words = set(re.findall(r'f"([a-z_]+)=\{', code)) | set(re.findall(r'why="([a-z_]+)"', code))
    words |= set(re.findall(r'(?:_Failed\(|return False, )"([a-z_]+)"', code)) | {
        "raw_gone",
        "no_end",
        "short",
        "long",
    }
    assert len(words) >= 18
    for word in words:
        (sentence,) = notes.say(f"{word}=7")
        assert sentence.endswith("."), word
    assert notes.say("") == []
    assert notes.say("short=3.2 new_word=7 other") == [
        "The recording is 3.2 s shorter than the talk.", "new_word=7", "other",
    ]  # fmt: skip
