"""From raw parts to one proved FLAC: sample by sample, after every damage, and again after any stop."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, settings, strategies as st

from calllog.events import Archived
from recordings import archive
from recordings.archive import finalise
from recordings.folders import RATE, voicemail_seconds
from recordings.jobs import ArchiveJob, Format, How, RawPart, TalkJob
from recordings.keys import key_file, make_key
from recordings.measure import tones
from recordings.sound import Pcm, Samples, write_sound

T0 = 1_790_000_000_000_000
SECOND = 1_000_000
FILE = "2026/09/21/hotline-1790000000.12.flac"


def noise(seed: int, frames: int, channels: int = 2) -> Samples:
    return np.random.default_rng(seed).integers(-32768, 32768, (frames, channels), dtype=np.int16)


def tone(left: float, right: float, seconds: float) -> Samples:
    t = np.arange(round(seconds * RATE)) / RATE
    both = [8000 * np.sin(2 * np.pi * hz * t) for hz in (left, right)]
    return np.stack(both, axis=1).astype(np.int16)


def job_of(
    folder: Path, *talks: list[tuple[float, Samples | bytes | None]], length: float | None = None
) -> ArchiveJob:
    """Talks as lists of parts: (start in seconds, samples); None writes no file."""
    made = []
    for number, parts in enumerate(talks, 1):
        raws, end = [], 0.0
        for part, (start, samples) in enumerate(parts, 1):
            path = folder / f"t{number}.{part}.raw"
            data = b""
            if samples is not None:
                data = samples if isinstance(samples, bytes) else samples.astype("<i2").tobytes()
                path.write_bytes(data)
            end = start + len(data) / 4 / RATE
            raws.append(RawPart(part, str(path), T0 + round(start * SECOND)))
        begun = parts[0][0] if parts else 0.0
        ended = begun + length if length is not None else end
        made.append(
            TalkJob(f"t{number}", T0 + round(begun * SECOND), T0 + round(ended * SECOND), tuple(raws))
        )
    root = str(folder / "recordings")
    os.makedirs(root, exist_ok=True)
    return ArchiveJob("hotline-1790000000.12", "call", root, FILE, T0, tuple(made))


def done(job: ArchiveJob) -> tuple[Archived, Samples]:
    result = finalise(job)
    assert result.why == ""
    assert result.archived is not None
    samples, rate = soundfile.read(Path(job.root, job.file), dtype="int16", always_2d=True)
    assert (rate, len(samples), samples.shape[1]) == (
        result.archived.rate, result.archived.frames, result.archived.channels,
    )  # fmt: skip
    assert [path for path in Path(job.root).rglob(".*")] == []
    return result.archived, samples


def test_two_talks_in_call_time_caller_left_agents_right(tmp_path: Path) -> None:
    job = job_of(tmp_path, [(0, tone(440, 660, 3))], [(8, tone(440, 880, 2))])
    archived, samples = done(job)
    path = Path(job.root, job.file)
    heard = [[(round(t.hz), t.first, t.end) for t in tones(path, channel)] for channel in (0, 1)]
    assert heard == [[(440, 0, 24_000), (440, 64_000, 80_000)], [(660, 0, 24_000), (880, 64_000, 80_000)]]
    assert not samples[24_000:64_000].any()
    assert [(s.talk_id, s.first, s.end, s.verified, s.note) for s in archived.spans] == [
        ("t1", 0, 24_000, True, ""), ("t2", 64_000, 80_000, True, ""),
    ]  # fmt: skip
    with soundfile.SoundFile(path) as sound:
        assert sound.title == job.call_id
        assert sound.date == "2026-09-21T14:13:20.000+00:00"
        assert '"talk_id":"t2"' in sound.comment


raw_part = st.tuples(
    st.sampled_from([0.0, 0.06, 0.5, 1.25]),  # seconds after the last part's end, by the journal
    st.none() | st.integers(0, 2_000),  # frames in the file; None: no file
    st.integers(0, 3),  # bytes of a torn frame at its end
    st.integers(-400, 400),  # frames that the journal has more than the file
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(raw_part, min_size=1, max_size=3), min_size=1, max_size=3), st.integers(0, 9999))
def test_whatever_the_parts_every_sample_is_in_its_place(
    specs: list[list[tuple[float, int | None, int, int]]], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        clock, talks = 0.0, []
        raws: list[tuple[float, Samples]] = []
        for talk in specs:
            parts: list[tuple[float, Samples | bytes | None]] = []
            for gap, frames, torn, more in talk:
                clock += gap
                samples = None if frames is None else noise(seed + len(raws), frames)
                parts.append((clock, None if samples is None else samples.tobytes() + b"x" * torn))
                if samples is not None and len(samples):
                    raws.append((clock, samples))
                clock += max(0, (frames or 0) + more) / RATE
            talks.append(parts)
        job = job_of(Path(name), *talks)
        if not raws:
            assert finalise(job).why in ("missing", "empty")
            return
        archived, samples = done(job)
        wanted = np.zeros((0, 2), dtype=np.int16)
        for start, part in raws:
            at = max(len(wanted), round((start - raws[0][0]) * RATE))
            wanted = np.concatenate([wanted, np.zeros((at - len(wanted), 2), dtype=np.int16), part])
        assert np.array_equal(samples, wanted)
        assert archived.frames == len(wanted)
        assert [span.talk_id for span in archived.spans] == [talk.talk_id for talk in job.talks]


def test_parts_longer_than_a_block_are_whole(tmp_path: Path) -> None:
    first, second = noise(1, 200_001), noise(2, 70_000)
    _, samples = done(job_of(tmp_path, [(0, first)], [(60, second)]))
    assert np.array_equal(samples[:200_001], first)
    assert not samples[200_001 : 60 * RATE].any()
    assert np.array_equal(samples[60 * RATE :], second)


def test_missing_and_short_talks_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    archived, samples = done(job_of(tmp_path, [(0, None)], [(5, noise(1, 8000))], [(9, b"abc")], length=5))
    assert len(samples) == 8000
    assert [(s.first, s.end, s.verified, s.note) for s in archived.spans] == [
        (0, 0, False, "missing"), (0, 8000, False, "short=4.0"), (8000, 8000, False, "empty"),
    ]  # fmt: skip


def test_a_silent_agent_is_noted(tmp_path: Path) -> None:
    samples = tone(440, 660, 3)
    samples[:, 1] = np.where(
        np.arange(len(samples)) < 400, samples[:, 1], 8
    )  # 50 ms of sound, then A-law silence
    archived, _ = done(job_of(tmp_path, [(0, samples)]))
    assert [(s.verified, s.note) for s in archived.spans] == [(True, "silent=agent")]


def test_full_scale_is_sound(tmp_path: Path) -> None:
    archived, _ = done(job_of(tmp_path, [(0, np.full((RATE, 2), -32768, dtype=np.int16))]))
    assert archived.spans[0].note == ""


@pytest.mark.parametrize(("samples", "why"), [(None, "missing"), (b"", "empty"), (b"abc", "empty")])
def test_nothing_recorded_is_a_reason_not_a_file(tmp_path: Path, samples: bytes | None, why: str) -> None:
    job = job_of(tmp_path, [(0, samples)])
    assert finalise(job).why == why
    assert not Path(job.root, job.file).exists()


def test_an_unreadable_part_fails_the_job_and_the_others_stay(tmp_path: Path) -> None:
    job = job_of(tmp_path, [(0, noise(1, 800))], [(1, None)])
    Path(job.talks[1].parts[0].path).mkdir()
    assert finalise(job).why == "unreadable=EISDIR"
    assert Path(job.talks[0].parts[0].path).exists()
    assert not Path(job.root, job.file).exists()


def test_a_second_run_finds_the_file_and_says_the_same(tmp_path: Path) -> None:
    job = job_of(tmp_path, [(0, noise(1, 9000))], [(3, None)])
    first = finalise(job)
    path = Path(job.root, job.file)
    before = path.stat()
    assert finalise(job) == first
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("damage", ["torn", "other", "garbage"])
def test_a_damaged_file_in_its_place_is_made_again(tmp_path: Path, damage: str) -> None:
    job = job_of(tmp_path, [(0, noise(1, 9000))])
    first = finalise(job)
    path = Path(job.root, job.file)
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "garbage":
        path.write_bytes(b"no flac")
    else:
        soundfile.write(path, noise(2, 9000), RATE, format="FLAC")
    assert finalise(job) == first
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], noise(1, 9000))


@pytest.mark.parametrize("gone", [["t1.1.raw"], ["t1.1.raw", "t2.1.raw"]])
def test_a_finished_file_is_kept_when_raw_parts_are_gone(tmp_path: Path, gone: list[str]) -> None:
    job = job_of(tmp_path, [(0, noise(1, 9000))], [(3, noise(2, 9000))])
    first, samples = done(job)
    for name in gone:
        (tmp_path / name).unlink()
    again, kept = done(job)
    assert np.array_equal(kept, samples)
    assert again.sha256 == first.sha256
    assert [(s.first, s.end, s.verified, s.note) for s in again.spans] == [
        (s.first, s.end, True, "raw_gone") for s in first.spans
    ]


def test_half_written_files_of_a_killed_worker_are_replaced(tmp_path: Path) -> None:
    job = job_of(tmp_path, [(0, noise(1, 9000))])
    folder = Path(job.root, job.file).parent
    folder.mkdir(parents=True)
    (folder / f".{Path(FILE).name}.4711.part").write_bytes(b"fLaC half")
    (folder / ".another-call.flac.4711.part").write_bytes(b"fLaC half")
    assert finalise(job).why == ""
    assert [path.name for path in folder.glob(".*")] == [".another-call.flac.4711.part"]


def test_a_file_that_does_not_verify_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(tmp_path, [(0, noise(1, 9000))])

    def one_bit_off(path: Path, *args: object, **more: object) -> object:
        pcm = real(path, *args, **more)  # type: ignore[arg-type]
        samples = soundfile.read(path, dtype="int16")[0]
        samples[4711, 1] ^= 1
        soundfile.write(path, samples, RATE, format="FLAC")
        return pcm

    real = write_sound
    monkeypatch.setattr(archive, "write_sound", one_bit_off)
    assert finalise(job).why == "differs"
    assert [path for path in Path(job.root).rglob("*") if path.is_file()] == []


def test_a_fault_of_ours_is_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "lay_out", lambda *_: 1 / 0)
    assert finalise(job_of(tmp_path, [(0, noise(1, 900))])).why == "fault=ZeroDivisionError"


def in_small_space(limit: int, job: ArchiveJob) -> str:
    """Run the job in a process that may write no file longer than ``limit`` bytes; returns its ``why``."""
    code = (
        "import pickle, resource, sys\n"
        "from recordings.archive import finalise\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "print(finalise(pickle.load(sys.stdin.buffer)).why)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(job),
        capture_output=True,
        env=environment,
        check=True,
    )
    return run.stdout.decode().strip()


@pytest.mark.parametrize(
    ("limit", "form", "seal"), [(0, "flac", True), (100, "flac", False), (50_000, "flac", True), (5_000, "opus", False)]
)
def test_a_full_disk_is_a_reason_and_everything_stays(tmp_path: Path, limit: int, form: Format, seal: bool) -> None:
    make_key(tmp_path / "keys", dt.datetime.now(dt.UTC))
    how = How(form, str(tmp_path / "keys"), seal)
    job = replace(job_of(tmp_path, [(0, noise(1, 30_000))]), how=how)
    assert in_small_space(limit, job) == "disk_full=EFBIG"
    assert [path for path in Path(job.root).rglob("*") if path.is_file()] == []
    assert (tmp_path / "t1.1.raw").stat().st_size == 120_000
    assert finalise(job).why == ""


def test_without_a_key_nothing_is_kept_unsealed_and_nothing_is_lost(tmp_path: Path) -> None:
    job = replace(job_of(tmp_path, [(0, noise(1, 900))]), how=How(keys=str(tmp_path / "keys"), seal=True))
    assert finalise(job).why == "no_key"
    key = make_key(tmp_path / "keys", dt.datetime.now(dt.UTC))
    key_file(tmp_path / "keys", key.key_id).write_text("not a key")
    assert finalise(job).why == "no_key"
    assert [path for path in Path(job.root).rglob("*") if path.is_file()] == []
    assert Path(job.talks[0].parts[0].path).stat().st_size == 3600


def test_an_opus_is_proved_by_level_and_what_it_cannot_do_is_kept_as_flac(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(job_of(tmp_path, [(0, tone(440, 660, 3))]), how=How("opus"))
    result = finalise(job)
    assert result.archived is not None and result.archived.file.endswith(".opus")
    assert finalise(job) == result  # again: found by the digest of what it was made of
    Path(job.root, result.archived.file).unlink()

    def without_agent(path: Path, blocks: Iterable[Samples], *args: Any, **how: Any) -> Pcm:
        sides = np.array([1, how["format"] != "opus"], dtype=np.int16)
        return write_sound(path, (block * sides for block in blocks), *args, **how)

    monkeypatch.setattr(archive, "write_sound", without_agent)
    again = finalise(job).archived
    assert again is not None and again.file.endswith(".flac") and again.frames == 24_000


def test_an_archive_that_has_gone_is_a_reason_and_is_not_made_anew(tmp_path: Path) -> None:
    job = job_of(tmp_path, [(0, noise(1, 900))])
    Path(job.root).rmdir()
    assert finalise(job).why == "archive_gone"
    Path(job.root).write_text("a file where the folder should be")
    assert finalise(job).why == "archive_gone"
    assert Path(job.talks[0].parts[0].path).stat().st_size == 3600


def voicemail(folder: Path, data: bytes, name: str = "vm.wav") -> ArchiveJob:
    (folder / name).write_bytes(data)
    (folder / "r").mkdir(exist_ok=True)
    file = FILE.replace(".flac", ".voicemail.flac")
    return ArchiveJob(
        "hotline-1790000000.12", "voicemail", str(folder / "r"), file, T0, voicemail=str(folder / name)
    )


def wav_header(size: int, rate: int = RATE) -> bytes:
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", size)


@pytest.mark.parametrize(
    ("header", "rate"),
    [
        pytest.param(wav_header(16_000), RATE, id="finished"),
        pytest.param(wav_header(0), RATE, id="sizes unwritten"),
        pytest.param(bytes(44), RATE, id="header unwritten"),
        pytest.param(b"RIFF" + bytes(40), RATE, id="header begun"),
        pytest.param(b"", RATE, id="headerless"),
        pytest.param(wav_header(16_000, 16_000), 16_000, id="16 kHz"),
    ],
)
@pytest.mark.parametrize("torn", [b"", b"\1"])
def test_a_voicemail_is_whole_whatever_its_header(
    tmp_path: Path, header: bytes, rate: int, torn: bytes
) -> None:
    said = noise(3, 8000, 1)
    job = voicemail(tmp_path, header + said.astype("<i2").tobytes() + torn)
    archived, samples = done(job)
    assert np.array_equal(samples, said)
    assert (archived.category, archived.channels, archived.rate, archived.spans) == ("voicemail", 1, rate, ())
    assert voicemail_seconds(Path(job.voicemail)) == 8000 / rate
    assert finalise(job).archived == archived
    Path(job.voicemail).unlink()
    assert finalise(job).archived == archived


def test_a_voicemail_without_sound_is_a_reason(tmp_path: Path) -> None:
    job = voicemail(tmp_path, wav_header(0))
    assert finalise(job).why == "empty"
    Path(job.voicemail).unlink()
    assert finalise(job).why == "missing"
    assert voicemail_seconds(Path(job.voicemail)) == 0.0


@given(st.binary(max_size=300))
def test_any_bytes_are_a_voicemail_or_a_reason(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        job = voicemail(Path(name), data)
        result = finalise(job)
        assert result.why in ("", "empty")
        if result.archived:
            assert result.archived.frames / result.archived.rate == voicemail_seconds(Path(job.voicemail))
