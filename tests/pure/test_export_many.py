"""Handing out many recordings: names, manifests, killed and begun again, a full disk, damaged and foreign files."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from recordings import export
from recordings.bundle import Proof, bundle_of
from recordings.export import ExportStopped, plain, to_folder, to_zip
from recordings.export_names import Item, manifest_csv, names

ZONE = ZoneInfo("Asia/Shanghai")
AT = 1_770_321_600_000_000


def sound(number: int) -> bytes:
    return os.urandom(64).hex().encode() * (100 + number)


def archive_of(folder: Path, many: int) -> tuple[Path, list[Item]]:
    archive, items = folder / "archive", []
    archive.mkdir()
    for number in range(many):
        data = sound(number)
        (archive / f"{number}.flac").write_bytes(data)
        items.append(Item(
            f"hotline-1.{number}", "call", f"{number}.flac", hashlib.sha256(data).hexdigest(), AT + number, 4.0, 2,
            "投诉", ("8001", "8002"), "138****8000", "answered",
        ))  # fmt: skip
    return archive, items


def whole(folder: Path, items: list[Item]) -> bool:
    named = names(items, ZONE)
    return all(
        hashlib.sha256((folder / named[item.key]).read_bytes()).hexdigest() == item.sha256 for item in items
    )


def test_names_are_readable_on_every_system_and_never_alike(tmp_path: Path) -> None:
    item = Item("hotline-1.2", "voicemail", "2026/a.voicemail.flac", "", AT, 1, 1, "投诉/建议", ("8001",),
                "138****8000")  # fmt: skip
    assert names([item], ZONE)[item.key] == "20260206-040000_投诉-建议_8001_138xxxx8000_hotline-1-2_voicemail.flac"


texts = st.text(max_size=30)
items_ = st.builds(Item, texts, st.sampled_from(["call", "voicemail"]), texts, texts, st.integers(0, AT), st.just(1.0),
                   st.just(2), texts, st.lists(texts, max_size=3).map(tuple), texts)  # fmt: skip


@given(st.lists(items_, max_size=8))
def test_no_name_is_a_path_a_formula_or_another_s(items: list[Item]) -> None:
    named = names(items, ZONE)
    assert len({name.casefold() for name in named.values()}) == len({item.key for item in items})
    for name in named.values():
        assert re.fullmatch(r"[\w\-]+(\.[\w\-]+)+", name) and not name.startswith(("-", ".")) and len(name) < 220


@given(st.lists(items_, max_size=4))
def test_no_cell_of_the_manifest_is_a_formula(items: list[Item]) -> None:
    text = manifest_csv(items, names(items, ZONE), {item.key: "=cmd" for item in items[:1]}, ZONE).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        assert all(cell[:1] not in ("=", "-", "@", "\t", "\r") for cell in row)
        assert all(not cell.startswith("+") or re.fullmatch(r"\+[0-9]+", cell) for cell in row)


def test_into_a_folder_and_again_and_what_is_wrong_is_told(tmp_path: Path) -> None:
    archive, items = archive_of(tmp_path, 4)
    (archive / "1.flac").write_bytes(b"other")
    (archive / "2.flac").unlink()
    seen: list[tuple[int, int]] = []
    done = to_folder(items, tmp_path / "out", plain(archive), ZONE, {"why": "复核"},
                     progress=lambda at, of: seen.append((at, of)))  # fmt: skip
    assert (done.written, done.kept, set(done.faults)) == (2, 0, {items[1].key, items[2].key})
    assert seen[-1] == (4, 4)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [bool(one["missing"]) for one in manifest["recordings"]] == [False, True, True, False]
    assert manifest["why"] == "复核" and manifest["recordings"][0]["number"] == "138****8000"
    assert whole(tmp_path / "out", [items[0], items[3]])
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700, "names may hold numbers"
    named = names(items, ZONE)
    (tmp_path / "out" / named[items[0].key]).write_bytes(b"somebody else's")
    again = to_folder(items, tmp_path / "out", plain(archive), ZONE, {})
    assert (again.written, again.kept, len(again.faults)) == (0, 1, 3)
    assert (tmp_path / "out" / named[items[0].key]).read_bytes() == b"somebody else's"
    again = to_folder(items, tmp_path / "out", plain(archive), ZONE, {}, replace=True)
    assert (again.written, again.kept) == (1, 1) and not list((tmp_path / "out").glob(".*"))


class Killed(BaseException):
    """The process ended here."""


def opener(archive: Path, most: int, error: BaseException) -> export.Opener:
    """Opens so many recordings, then this happens in the midst of one."""
    left = most

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise error
            return super().read(10)

    def opened(file: str) -> IO[bytes]:
        nonlocal left
        left -= 1
        return plain(archive)(file) if left >= 0 else Broken((archive / file).read_bytes())

    return opened


@pytest.mark.parametrize("large", [False, True], ids=["", "zip64"])
@pytest.mark.parametrize("most", range(7))
def test_a_zip_that_was_killed_anywhere_goes_on_where_it_was(
    tmp_path: Path, most: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)  # as if each were of more than 2 GB
    archive, items = archive_of(tmp_path, 3)
    target = tmp_path / "out.zip"
    if most < 6:  # each is opened twice: proved, then copied
        with pytest.raises(Killed):
            to_zip(items, target, opener(archive, most, Killed()), ZONE, {})
        assert not target.exists() and (tmp_path / ".out.zip.part").exists()
    done = to_zip(items, target, plain(archive), ZONE, {"why": "复核"})
    assert (done.kept, done.written) == (min(3, most // 2) if most < 6 else 0, 3 - done.kept)
    with zipfile.ZipFile(target) as made:
        assert made.testzip() is None
        assert len(made.namelist()) == len(set(made.namelist())) == 5
        for item in items:
            assert hashlib.sha256(made.read(names(items, ZONE)[item.key])).hexdigest() == item.sha256
        assert json.loads(made.read("manifest.json"))["recordings"][2]["sha256"] == items[2].sha256
    assert target.stat().st_mode & 0o777 == 0o600


@given(st.integers(0, 60_000), st.integers(0, 255))
def test_a_torn_or_foreign_unfinished_zip_is_never_believed(tmp_path_factory: Any, at: int, byte: int) -> None:
    tmp_path = tmp_path_factory.mktemp("zip")
    archive, items = archive_of(tmp_path, 2)
    to_zip(items, tmp_path / "out.zip", plain(archive), ZONE, {})
    data = bytearray((tmp_path / "out.zip").read_bytes())
    data[at % len(data)] = byte
    (tmp_path / ".out.zip.part").write_bytes(data[: len(data) - at % 7])
    to_zip(items, tmp_path / "out.zip", plain(archive), ZONE, {}, replace=True)
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert made.testzip() is None
        for item in items:
            assert hashlib.sha256(made.read(names(items, ZONE)[item.key])).hexdigest() == item.sha256


def test_a_recording_of_more_than_two_gigabytes_is_in_its_export_too() -> None:
    items = [Item(f"c-{n}", "call", f"{n}.flac", "0" * 64, AT, 1.0, 2, "投诉", ("8001",), "") for n in range(3)]
    sizes = (5 << 30, 7, (2 << 30) + 1)
    proofs = {item.key: Proof(size, zlib.crc32(b"x" * 7)) for item, size in zip(items, sizes, strict=True)}
    made = bundle_of(items, proofs, ZONE, {"made_at_us": AT})

    class Sent(io.RawIOBase):
        at = 0

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset + (0, self.at, made.size)[whence]
            return self.at

        def read(self, size: int = -1) -> bytes:
            end = made.size if size < 0 else min(made.size, self.at + size)
            parts = [part.data or b"x" * (part.end - part.first) for part in made.slices(self.at, end)]
            self.at = end
            return b"".join(parts)

    with zipfile.ZipFile(Sent()) as opened:  # type: ignore[arg-type]
        assert [one.file_size for one in opened.infolist()[:3]] == list(sizes)
        assert opened.infolist()[1].header_offset > 5 << 30 and opened.read(opened.infolist()[1]) == b"x" * 7
        for one in opened.infolist()[:3]:
            with opened.open(one) as sound:
                assert sound.read(5) == b"x" * 5
        assert len(json.loads(opened.read("manifest.json"))["recordings"]) == 3


@given(parts=st.lists(st.integers(0, 9_999), min_size=1, max_size=6), many=st.integers(0, 3), broken=st.integers(0, 3))
@settings(max_examples=25)
def test_any_part_of_a_bundle_is_that_part_of_one_and_the_same_zip(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], many: int, broken: int
) -> None:
    archive, items = archive_of(tmp_path_factory.mktemp("bundle"), many)
    proofs = {}
    for n, item in enumerate(items):
        data = (archive / item.file).read_bytes()
        proofs[item.key] = Proof(fault="没有了") if n == broken else Proof(len(data), zlib.crc32(data))
    made = bundle_of(items, proofs, ZONE, {"why": "x", "made_at_us": 1_795_000_000_000_000})

    def read(first: int, end: int) -> bytes:
        found = b""
        for part in made.slices(first, end):
            whole = part.data if part.item is None else (archive / part.item.file).read_bytes()[part.first : part.end]
            found += whole
        return found

    whole = read(0, made.size)
    assert len(whole) == made.size
    cuts = sorted({0, made.size, *(part % made.size for part in parts)})
    assert b"".join(read(first, end) for first, end in itertools.pairwise(cuts)) == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert len(opened.namelist()) == 2 + many - (broken < many)
        for n, item in enumerate(items):
            if n != broken:
                assert hashlib.sha256(opened.read(names(items, ZONE)[item.key])).hexdigest() == item.sha256
        assert (b"\xe6\xb2\xa1" in opened.read("manifest.csv")) is (broken < many)


@pytest.mark.parametrize("work", [to_folder, to_zip])
def test_a_full_disk_says_how_far_it_came_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    archive, items = archive_of(tmp_path, 3)
    target = tmp_path / ("out.zip" if work is to_zip else "out")
    left = 2
    sync = os.fsync

    def full(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as patched:
        if work is to_zip:
            blocks = export._blocks

            def some(giving: Any) -> Any:
                nonlocal left
                left -= 0.5  # type: ignore[assignment]
                if left < 0:
                    raise OSError(28, "No space left on device")
                yield from blocks(giving)

            patched.setattr(export, "_blocks", some)
        else:
            patched.setattr(os, "fsync", full)
        with pytest.raises(ExportStopped, match="No space left"):
            work(items, target, plain(archive), ZONE, {})
    done = work(items, target, plain(archive), ZONE, {})
    assert (done.kept, done.written, done.faults) == (2, 1, {})


def test_two_into_one_place_and_a_place_that_is_none(tmp_path: Path) -> None:
    archive, items = archive_of(tmp_path, 2)
    for work, place in ((to_folder, tmp_path / "out"), (to_zip, tmp_path / "out.zip")):

        def opened(file: str, work: Any = work, place: Path = place) -> IO[bytes]:
            with pytest.raises(ExportStopped):
                work(items, place, plain(archive), ZONE, {})
            return plain(archive)(file)

        assert work(items, place, opened, ZONE, {}).written == 2
    with pytest.raises(ExportStopped):
        to_zip(items, tmp_path / "out.zip", plain(archive), ZONE, {})
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportStopped):
        to_folder(items, tmp_path / "file", plain(archive), ZONE, {})
    with pytest.raises(ExportStopped):
        to_zip(items, tmp_path / "nowhere" / "x.zip", plain(archive), ZONE, {})


def test_a_name_in_the_journal_leads_nowhere_else(tmp_path: Path) -> None:
    archive, (item,) = archive_of(tmp_path, 1)
    (tmp_path / "secret").write_bytes(b"secret")
    evil = replace(item, file="../secret", sha256=hashlib.sha256(b"secret").hexdigest())
    done = to_folder([evil], tmp_path / "out", plain(archive), ZONE, {})
    assert done.written == 0 and len(done.faults) == 1
