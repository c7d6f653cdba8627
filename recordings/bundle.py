"""A zip file of many recordings that lies nowhere: its layout is computed once they are proved, and any part of its
bytes is made from the archive at the moment at which it is asked for.

Sound does not shrink any more, so each recording is *stored* in the zip (PKWARE APPNOTE 4.4.5): a head of some bytes
whose checksum and sizes are known beforehand, and the recording itself. One of more than 2 GB, and a zip of more than
4 GB, has the sizes of zip64 (4.5.3). So a download that was cut goes on at any
byte, no second copy of a recording lies on the disk (least of all one in the clear, where the archive is encrypted), a
recording that is deleted or erased is gone for good, and nothing has to be removed afterwards. Pure but for the clock
of zip entries, which is the recordings' own.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from config.lengths import at
from recordings.export_names import Item, manifest_csv, manifest_json, names

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What proving a recording found: its size in bytes and CRC-32, or why it cannot be had."""

    size: int = 0
    crc: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of the zip: ``data`` itself, or [first, end) of a recording."""

    data: bytes = b""
    item: Item | None = None
    first: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Bundle:
    """The whole zip. ``tag`` differs whenever a byte of it would (RFC 9110, 8.8.3)."""

    size: int
    tag: str
    _starts: tuple[int, ...]
    _parts: tuple[bytes | tuple[Item, int], ...]

    def slices(self, first: int, end: int) -> Iterator[Slice]:
        """What the bytes [first, end) are made of, in order."""
        index = max(0, bisect_right(self._starts, first) - 1)
        while index < len(self._parts) and self._starts[index] < end:
            start, part = self._starts[index], self._parts[index]
            length = len(part) if isinstance(part, bytes) else part[1]
            since, until = max(first - start, 0), min(end - start, length)
            if since < until:
                if isinstance(part, bytes):
                    yield Slice(part[since:until])
                else:
                    yield Slice(item=part[0], first=since, end=until)
            index += 1


def bundle_of(items: Sequence[Item], proofs: Mapping[Key, Proof], zone: ZoneInfo, about: Mapping[str, Any]) -> Bundle:
    """The zip of these recordings: those that are whole, and a manifest that names all with their SHA-256."""
    named = names(items, zone)
    faults = {key: proof.fault for key, proof in proofs.items() if proof.fault}
    infos: list[zipfile.ZipInfo] = []
    parts: list[bytes | tuple[Item, int]] = []
    starts: list[int] = []
    place, digest = 0, hashlib.sha256()

    def put(part: bytes | tuple[Item, int], length: int) -> None:
        nonlocal place
        starts.append(place)
        parts.append(part)
        place += length

    for item in items:
        proof = proofs[item.key]
        if proof.fault:
            continue
        info = zipfile.ZipInfo(named[item.key], at(item.began_at, zone).timetuple()[:6])
        info.external_attr = 0o640 << 16
        info.CRC, info.file_size, info.compress_size, info.header_offset = proof.crc, proof.size, proof.size, place
        head = info.FileHeader(zip64=proof.size > zipfile.ZIP64_LIMIT)
        infos.append(info)
        put(head, len(head))
        put((item, proof.size), proof.size)
        digest.update(head)
        digest.update(item.sha256.encode())
    tail = _Tail(place)
    made = at(int(about.get("made_at_us", 0)), zone).timetuple()[:6]
    with zipfile.ZipFile(tail, "w", zipfile.ZIP_STORED) as archive:
        archive.infolist().extend(infos)
        said = {key: value for key, value in about.items() if key != "made_at_us"}
        for name, data in (("manifest.json", manifest_json(items, named, faults, said, zone)),
                           ("manifest.csv", manifest_csv(items, named, faults, zone))):  # fmt: skip
            info = zipfile.ZipInfo(name, made)
            info.external_attr = 0o640 << 16
            archive.writestr(info, data)
    last = tail.getvalue()
    put(last, len(last))
    digest.update(last)
    return Bundle(place, digest.hexdigest()[:32], tuple(starts), tuple(parts))


class _Tail(io.BytesIO):
    """The end of a file of which only the end is written: ``zipfile`` puts manifests and directory behind it."""

    def __init__(self, begins: int) -> None:
        super().__init__()
        self._begins = begins

    def tell(self) -> int:
        """The place in the whole file."""
        return self._begins + super().tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """To a place in the whole file."""
        return self._begins + super().seek(offset - self._begins if whence == 0 else offset, whence)
