"""What an export calls its files, and its manifest. Pure."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from calllog.keep_queries import ExportRow
from config.cells import plain_cell
from config.lengths import at
from config.masking import shown
from config.settings import Settings

FORMAT = "hotline-export-1"
COLUMNS = (
    "name", "call_id", "category", "time", "seconds", "channels", "about", "agents", "number", "outcome", "sha256",
    "missing",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One recording to hand out. ``began_at`` in µs, ``number`` as whoever gets it may see it (masked, or whole);
    ``about``: the queue's label."""

    call_id: str
    category: str
    file: str
    sha256: str
    began_at: int
    seconds: float
    channels: int
    about: str = ""
    agents: tuple[str, ...] = ()
    number: str = ""
    outcome: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """By which it is found again."""
        return self.call_id, self.category


def item_of(row: ExportRow, settings: Settings, *, whole: bool) -> Item:
    """The recording as it is handed out to somebody who may see numbers ``whole``, or may not."""
    known = settings.queues.queues.get(row.queue)
    return Item(
        row.call_id, row.category, row.file, row.sha256, row.began_at, row.seconds, row.channels,
        row.label or (known.label if known else row.queue), row.agents,
        shown(row.number, settings.hotline.country, whole=whole), row.outcome,
    )  # fmt: skip


def names(items: Iterable[Item], zone: ZoneInfo) -> dict[tuple[str, str], str]:
    """A file name for each: time, subject, agents, number, call. The same for the same items, and no two alike."""
    found: dict[tuple[str, str], str] = {}
    taken: set[str] = {"manifest.json", "manifest.csv"}
    for item in items:
        if item.key in found:
            continue
        parts = [f"{at(item.began_at, zone):%Y%m%d-%H%M%S}", _safe(item.about, 20), _safe("-".join(item.agents), 30),
                 _safe(item.number, 20), _safe(item.call_id, 60)]  # fmt: skip
        if item.category == "voicemail":
            parts.append("voicemail")
        stem, ending = "_".join(filter(None, parts)), _safe(PurePosixPath(item.file).suffix.lstrip("."), 8) or "flac"
        name, number = f"{stem}.{ending}", 1
        while name.casefold() in taken:  # also on a disk that takes upper for lower case
            number += 1
            name = f"{stem}-{number}.{ending}"
        taken.add(name.casefold())
        found[item.key] = name
    return found


def manifest_json(
    items: Sequence[Item], named: Mapping[tuple[str, str], str], faults: Mapping[tuple[str, str], str],
    about: Mapping[str, Any], zone: ZoneInfo,
) -> bytes:  # fmt: skip
    """The manifest for a program."""
    body = {"format": FORMAT, **about, "recordings": list(_lines(items, named, faults, zone))}
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


def manifest_csv(
    items: Sequence[Item], named: Mapping[tuple[str, str], str], faults: Mapping[tuple[str, str], str], zone: ZoneInfo
) -> bytes:
    """The manifest for a sheet: UTF-8 with the mark by which Excel knows it; no cell can become a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in _lines(items, named, faults, zone):
        writer.writerow([plain_cell(line[column]) for column in COLUMNS])
    return out.getvalue().encode("utf-8-sig")


def _lines(
    items: Sequence[Item], named: Mapping[tuple[str, str], str], faults: Mapping[tuple[str, str], str], zone: ZoneInfo
) -> Iterable[dict[str, Any]]:
    for item in items:
        fault = faults.get(item.key, "")
        yield {
            "name": "" if fault else named[item.key], "call_id": item.call_id, "category": item.category,
            "time": at(item.began_at, zone).isoformat(timespec="seconds"), "seconds": round(item.seconds, 3),
            "channels": item.channels, "about": item.about, "agents": list(item.agents), "number": item.number,
            "outcome": item.outcome, "sha256": item.sha256, "missing": fault,
        }  # fmt: skip


def _safe(text: str, longest: int) -> str:
    """Letters and digits of any script, and ``-``: no path, no wildcard, nothing that any system refuses."""
    kept = "".join(
        char if unicodedata.category(char)[0] in "LN" else "x" if char == "*" else "-"
        for char in unicodedata.normalize("NFC", text)
    )
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept[:longest].strip("-")
