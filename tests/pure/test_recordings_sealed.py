"""Recordings encrypted at rest: any part reads back, and whatever is done to the bytes is noticed, never given out."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from recordings import sealed
from recordings.errors import Damaged, NoKey
from recordings.keys import Ring, key_file, load_ring, loose_keys, make_key
from recordings.sealed import CHUNK, HEAD, TAG, Sealed, Sealer, digest_of, is_sealed, key_of, open_stored, rewrap

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
NAME = "2026/11/25/hotline-1.flac"


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Ring:
    folder = tmp_path_factory.mktemp("keys")
    make_key(folder, NOW)
    return load_ring(folder)


def seal(path: Path, data: bytes, ring: Ring, name: str = NAME) -> Path:
    with open(path, "w+b") as file:
        sealer = Sealer(file, name, ring)
        sealer.write(data)
        sealer.finish()
    return path


def read(path: Path, ring: Ring, name: str = NAME) -> bytes:
    with open_stored(path, name, ring) as file:
        return file.read()


sizes = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 77]) | st.integers(0, 4 * CHUNK)


@settings(max_examples=25, deadline=None)
@given(sizes, st.data())
def test_any_part_reads_back_and_the_beginning_can_be_written_again(ring: Ring, size: int, data: st.DataObject) -> None:
    content = bytearray(os.urandom(size))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        with open(path, "w+b") as file:
            sealer, at = Sealer(file, NAME, ring), 0
            while at < size:
                step = data.draw(st.integers(1, size - at))
                assert sealer.write(content[at : at + step]) == step
                at += step
            if size > 42:  # as libsndfile does with a FLAC's stream info
                content[26:42] = os.urandom(16)
                sealer.seek(26)
                sealer.write(content[26:42])
                assert sealer.seek(0, os.SEEK_END) == size
            sealer.finish()
        assert is_sealed(path) and path.stat().st_size == HEAD + size + max(1, -(-size // CHUNK)) * TAG
        assert size < 8 or bytes(content) not in path.read_bytes()
        assert digest_of(path, NAME, ring)[1] == size
        with open_stored(path, NAME, ring) as source:
            assert isinstance(source, Sealed) and source.size == size
            for _ in range(4):
                first = data.draw(st.integers(0, size + 5))
                many = data.draw(st.integers(0, size))
                source.seek(first)
                assert source.read(many) == bytes(content[first : first + many])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_changed_is_noticed_and_nothing_of_it_is_given_out(ring: Ring, data: st.DataObject) -> None:
    content = os.urandom(2 * CHUNK + 999)
    with tempfile.TemporaryDirectory() as folder:
        path = seal(Path(folder, "x"), content, ring)
        whole = bytearray(path.read_bytes())
        one = HEAD + CHUNK + TAG
        how = data.draw(st.sampled_from(["flip", "cut", "cut a chunk", "exchange", "again", "more", "empty"]))
        if how == "flip":
            at = data.draw(st.integers(0, 99) | st.integers(HEAD, len(whole) - 1))
            whole[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "cut":
            del whole[data.draw(st.integers(1, len(whole) - 1)) :]
        elif how == "cut a chunk":
            del whole[one + CHUNK + TAG :]
        elif how == "exchange":
            whole[HEAD:one], whole[one : one + CHUNK + TAG] = whole[one : one + CHUNK + TAG], whole[HEAD:one]
        elif how == "again":
            whole += whole[one + CHUNK + TAG :]
        elif how == "more":
            whole += os.urandom(data.draw(st.integers(1, 99)))
        else:
            whole.clear()
        path.write_bytes(whole)
        if whole[:16] != sealed.MAGIC:
            return  # it passes for a plain file, whose SHA-256 is not that of the journal
        given_out = bytearray()
        with pytest.raises((Damaged, NoKey)), open_stored(path, NAME, ring) as source:
            while piece := source.read(1000):
                given_out += piece
        assert content.startswith(given_out)


def test_a_file_in_anothers_place_and_chunks_of_another_file_do_not_open(tmp_path: Path, ring: Ring) -> None:
    mine, other = (seal(tmp_path / name, os.urandom(CHUNK * 2), ring, name) for name in ("mine", "other"))
    with pytest.raises(Damaged):
        read(other, ring, "mine")
    spliced = mine.read_bytes()[:HEAD] + other.read_bytes()[HEAD:]
    mine.write_bytes(spliced)
    with pytest.raises(Damaged):
        read(mine, ring, "mine")


def test_a_new_key_seals_what_is_new_and_the_old_one_still_opens(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    first = make_key(keys, NOW)
    old = seal(tmp_path / "old", b"old", load_ring(keys))
    second = make_key(keys, NOW)  # within the same second
    ring = load_ring(keys)
    assert ring.current == second
    new = seal(tmp_path / "new", b"new", ring)
    assert (key_of(old), key_of(new)) == (first.key_id, second.key_id)
    assert (read(old, ring), read(new, ring)) == (b"old", b"new")
    before = old.read_bytes()
    assert rewrap(old, NAME, ring) and not rewrap(old, NAME, ring) and not rewrap(new, NAME, ring)
    after = old.read_bytes()
    assert after[HEAD:] == before[HEAD:] and key_of(old) == second.key_id
    key_file(keys, first.key_id).unlink()
    alone = load_ring(keys)
    assert read(old, alone) == b"old"
    old.write_bytes(before)
    with pytest.raises(NoKey) as lost:
        read(old, alone)
    assert lost.value.key_id == first.key_id and first.key_id in str(lost.value)


def test_a_rewrapping_that_is_killed_leaves_a_file_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tmp_path / "keys"
    make_key(keys, NOW)
    path = seal(tmp_path / "x", b"sound", load_ring(keys))
    make_key(keys, NOW)
    ring = load_ring(keys)
    real, steps = os.pwrite, 0

    def torn(file: int, data: bytes, at: int) -> int:
        nonlocal steps
        steps += 1
        real(file, data[:30], at)  # half of it is on the disk when the power goes
        raise KeyboardInterrupt

    monkeypatch.setattr(sealed.os, "pwrite", torn)
    with pytest.raises(KeyboardInterrupt):
        rewrap(path, NAME, ring)
    assert read(path, ring) == b"sound"
    monkeypatch.undo()
    assert rewrap(path, NAME, ring) and read(path, ring) == b"sound"
    assert key_of(path) == ring.current.key_id if ring.current else False


def test_keys_are_private_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert load_ring(keys).current is None
    with pytest.raises(NoKey):
        seal(tmp_path / "x", b"", load_ring(keys))
    key = make_key(keys, NOW)
    path = key_file(keys, key.key_id)
    assert (keys.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert loose_keys(keys) == [] and key.secret.hex() not in repr(key)
    path.chmod(0o644)
    assert loose_keys(keys) == [path]
    path.write_text(path.read_text().replace("secret ", "secret A"))
    other = make_key(keys, NOW)
    ring = load_ring(keys)
    assert ring.current == other and key.key_id in str(ring.damaged[key.key_id]), "it keeps the others from nothing"
    for text in ("", "\0" * 200, other.secret.hex(), "secret \n" * 4):
        path.write_text(text)
        assert set(load_ring(keys).damaged) == {key.key_id}
    path.unlink()
    path.mkdir()
    assert set(load_ring(keys).damaged) == {key.key_id} and load_ring(keys).keys == {other.key_id: other}
