"""Hearing a recording in a browser: any range of bytes, whatever its format, sealed or not; and never a wrong sound."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, strategies as st

from calllog.events import Archived
from recordings import playing
from recordings.archive import finalise
from recordings.folders import RATE, Folders
from recordings.jobs import ArchiveJob, How, RawPart, TalkJob
from recordings.keys import key_file, make_key
from recordings.measures import measure_file
from recordings.playback import Playback, PlayJob, range_of
from recordings.signed import Grant, NotSigned, new_secret, opens, sign
from recordings.sound import Samples

T0 = 1_790_000_000_000_000
NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def speech(seconds: float) -> Samples:
    """Two who take turns; like voices, for a codec of voices."""
    t = np.arange(round(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * n * t) / n for n in range(1, 20)) * (np.sin(2 * np.pi * 2 * t) > -0.5)
    turn = (t // 3) % 2 == 0
    return (np.stack([voice * turn, voice * ~turn], axis=1) * 4000).astype(np.int16)


@dataclass(frozen=True)
class Kept:
    """A finished recording: what was said, its events' fields, where it lies."""

    said: Samples
    archived: Archived
    folders: Folders
    keys: Path

    @property
    def path(self) -> Path:
        return self.folders.finished(self.archived.file)

    def job(self, view: str, first: int, end: int) -> PlayJob:
        one = self.archived
        return PlayJob(
            str(self.folders.archive), one.file, one.sha256, one.frames, one.rate, one.channels, str(self.keys),
            view, first, end,  # type: ignore[arg-type]
        )  # fmt: skip


def keep(state: Path, how: How, said: Samples) -> Kept:
    folders = Folders(state)
    folders.make()
    raw = folders.raw("t1.1.raw")
    raw.write_bytes(said.astype("<i2").tobytes())
    talk = TalkJob("t1", T0, T0 + len(said) * 125, (RawPart(1, str(raw), T0),))
    result = finalise(ArchiveJob("c1", "call", str(folders.archive), "2026/09/21/c1.flac", T0, (talk,), how=how))
    assert result.archived is not None, result.why
    assert result.measured is not None and result.archived.spans[0].verified
    return Kept(said, result.archived, folders, Path(how.keys))


@pytest.fixture(scope="module", params=["flac", "opus", "flac sealed", "opus sealed"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    form, _, is_sealed = request.param.partition(" ")
    state = tmp_path_factory.mktemp("state")
    make_key(state / "keys", NOW)
    return keep(state, How(form, str(state / "keys"), bool(is_sealed)), speech(20))


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    playing.close_all()


def view(kept: Kept, name: str = "wav") -> bytes:
    size = playing.play(kept.job(name, 0, 0)).size
    return playing.play(kept.job(name, 0, size)).data


def test_it_is_heard_whole_in_either_view(kept: Kept) -> None:
    assert kept.archived.file.endswith((".flac", ".opus"))
    for whole in (view(kept), view(kept, "stored")):
        heard, rate = soundfile.read(io.BytesIO(whole), dtype="int16", always_2d=True)
        assert (rate, heard.shape) == (RATE, kept.said.shape)
        if kept.path.suffix == ".flac":
            assert np.array_equal(heard, kept.said)
        else:  # each side where it was, as loud as it was
            for at in (8000, 32_000):
                got, meant = (np.abs(sound[at : at + RATE]).mean(axis=0) for sound in (heard, kept.said))
                assert np.allclose(got, meant, rtol=0.2, atol=20)
    assert len(view(kept, "stored")) == kept.archived.size


def test_any_range_is_that_of_the_whole(kept: Kept) -> None:
    whole, stored = view(kept), view(kept, "stored")
    # Where a browser seeks to an Opus is decoded anew from shortly before, and rounded another way.
    near = 0 if kept.path.suffix == ".flac" else 400

    @given(st.integers(0, len(whole)), st.integers(0, 300_000), st.integers(0, len(stored)), st.integers(0, 99_999))
    def check(first: int, many: int, at: int, length: int) -> None:
        piece = playing.play(kept.job("wav", first, first + many))
        assert piece.fault == "" and piece.size == len(whole) == 44 + len(kept.said) * 4
        wanted = whole[first : first + many]
        assert len(piece.data) == len(wanted)
        odd = max(0, 44 - first) + first % 2 * (first >= 44)
        if not near:
            assert piece.data == wanted
        else:
            cut = (len(wanted) - odd) // 2 * 2 if len(wanted) > odd else 0
            got, meant = (np.frombuffer(each[odd : odd + cut], "<i2").astype(int) for each in (piece.data, wanted))
            assert cut == 0 or np.abs(got - meant).max() <= near
        assert playing.play(kept.job("stored", at, at + length)).data == stored[at : at + length]

    check()


def test_a_wrong_byte_is_told_and_never_played(kept: Kept, tmp_path: Path) -> None:
    there = replace(kept, folders=Folders(tmp_path))
    shutil.copytree(kept.folders.archive, there.folders.archive)
    whole = there.path.read_bytes()
    for at in (300, len(whole) // 2, len(whole) - 5):
        there.path.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        for name in ("wav", "stored"):
            right, told = view(kept, name), set()
            for first in range(0, len(right), 20_000):
                result = playing.play(there.job(name, first, first + 20_000))
                told.add(result.fault)
                if kept.path.suffix == ".flac":
                    assert result.fault or result.data == right[first : first + 20_000]
            assert "damaged" in told
    foreign = b"RIFF" + bytes(99)
    for damage, fault in ((b"", "damaged"), (foreign, "damaged"), (whole[:-200], "damaged"), (None, "gone")):
        there.path.unlink()
        if damage is not None:
            there.path.write_bytes(damage)
        assert playing.play(there.job("wav", 0, 100)).fault == fault
        there.path.touch()
    there.path.write_bytes(whole)
    assert playing.play(there.job("wav", 0, 100)).fault == ""


def test_a_lost_key_is_named_and_nothing_is_played(tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys", NOW)
    kept = keep(tmp_path, How(keys=str(tmp_path / "keys"), seal=True), speech(1))
    sealed = {path.name: path.read_bytes()[:16] for path in kept.path.parent.iterdir()}
    assert sealed == dict.fromkeys(("c1.flac", "c1.flac.measure"), b"Hotline sealed 1")
    aside = key_file(tmp_path / "keys", key.key_id).rename(tmp_path / "aside")
    assert playing.play(kept.job("wav", 0, 100)).fault == "no_key"
    assert playing.play(kept.job("measures", 0, 0)).fault == "no_key"
    aside.rename(key_file(tmp_path / "keys", key.key_id))
    assert playing.play(kept.job("wav", 0, 100)).fault == ""


async def test_a_browser_is_served_by_a_worker_in_pieces(tmp_path: Path) -> None:
    make_key(tmp_path / "keys", NOW)
    kept = keep(tmp_path, How(keys=str(tmp_path / "keys"), seal=True), speech(30))
    playback = Playback(kept.folders, lambda: kept.keys)
    one = await playback.open(kept.archived)
    assert (one.size, one.media_type, one.name) == (44 + len(kept.said) * 4, "audio/wav", "c1.wav")
    pieces = [piece async for piece in playback.read(one, 44)]
    assert len(pieces) == 4 and b"".join(pieces) == kept.said.astype("<i2").tobytes()
    both = await asyncio.gather(playback.open(kept.archived, "stored"), playback.measures(kept.archived))
    assert (both[0].size, both[0].media_type, both[0].name) == (kept.archived.size, "audio/flac", "c1.flac")
    assert both[1] is not None and both[1].seconds == 30.0
    (kept.folders.archive / measure_file(kept.archived.file)).unlink()
    assert await playback.measures(kept.archived) is None
    await playback.close()


def test_ranges_are_those_of_the_standard() -> None:
    assert range_of(None, 1000) is None
    assert range_of("bytes=0-", 1000) == (0, 1000)
    assert range_of("bytes=500-999", 1000) == (500, 1000)
    assert range_of("bytes=500-99999", 1000) == (500, 1000)
    assert range_of("bytes=-300", 1000) == (700, 1000)
    assert range_of("bytes=-3000", 1000) == (0, 1000)
    for ignored in ("bytes=0-1,5-9", "items=0-1", "bytes=9-1", "bytes=", "bytes=--1", "bytes=1-2; x"):
        assert range_of(ignored, 1000) is None, ignored
    for behind in ("bytes=1000-", "bytes=-0"):
        with pytest.raises(ValueError):
            range_of(behind, 1000)


GRANT = Grant("hotline-1.2", "call", "8001", "session one", 1_000_000)


def test_an_address_opens_one_recording_for_one_session_for_a_while() -> None:
    secret = new_secret()
    token = sign(secret, GRANT)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert opens(secret, token, "session one", 999_999) == GRANT
    for other in ((new_secret(), token, "session one", 0), (secret, token, "session two", 0),
                  (secret, token, "session one", 1_000_000)):  # fmt: skip
        with pytest.raises(NotSigned):
            opens(*other)


@given(st.data())
def test_an_address_that_was_changed_opens_nothing(data: st.DataObject) -> None:
    secret = bytes(32)
    token = sign(secret, GRANT)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters())
    changed = data.draw(st.sampled_from([token[:at] + other + token[at + 1 :], token[:at], token + other]))
    try:
        opens(secret, changed, "session one", 0)
    except NotSigned:
        return
    assert changed == token
