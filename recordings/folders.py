"""Where recordings lie: the spool that Asterisk writes, the archive by day, and what came while we were away.

::

    <state_dir>/recordings/spool/<talk_id>.<part>.raw   raw parts of talks as Asterisk writes them; voicemails
    <state_dir>/recordings/YYYY/MM/DD/<call_id>.flac    one finished recording per call, by local day
    <state_dir>/recordings/away/                        voicemails taken by the dialplan while no daemon ran
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from calllog.events import Archived, Category
from calllog.folds import CallState
from config.plain import open_plain

RATE = 8_000
"""Hz; calls are alaw or ulaw (DESIGN.md section 5), and MixMonitor writes the bridge's rate."""
RAW_FRAME = 4
"""Bytes of a frame of a raw part: caller, agent, 16-bit little-endian each (``MixMonitor`` option D)."""
WAV_HEADER = 44
"""Bytes before the samples in the WAV that Asterisk writes; its sizes are filled in only at the end."""

_PART = re.compile(r"^(?P<talk>.+)\.(?P<part>[0-9]+)\.raw$")


@dataclass(frozen=True, slots=True)
class Folders:
    """The recordings' folders under one state folder."""

    state_dir: Path

    @property
    def archive(self) -> Path:
        """The root of the finished recordings; ``Archived.file`` is relative to it."""
        return self.state_dir / "recordings"

    @property
    def spool(self) -> Path:
        """Where Asterisk writes; the files of RecordingRequested and VoicemailStarted are relative to it."""
        return self.archive / "spool"

    @property
    def away(self) -> Path:
        """Where the dialplan keeps voicemails while no daemon runs."""
        return self.archive / "away"

    def make(self) -> None:
        """Make what is missing. Raises OSError where that cannot be done."""
        for folder in (self.archive, self.spool, self.away):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)

    def raw(self, file: str) -> Path:
        """The full path of a file named by the journal relative to the spool.

        Raises ValueError for a name that leads out of the recordings' folder.
        """
        path = Path(os.path.normpath(self.spool / file))
        if not path.is_relative_to(os.path.normpath(self.archive)):
            raise ValueError(f"{file!r} is not in the recordings' folder")
        return path

    def part_size(self, file: str) -> int:
        """Bytes of a raw part named by the journal; 0 where it is not there."""
        try:
            return os.stat(self.raw(file)).st_size
        except (OSError, ValueError):
            return 0

    def message_seconds(self, file: str) -> float:
        """The length of a voicemail named by the journal (:func:`voicemail_seconds`)."""
        try:
            return voicemail_seconds(self.raw(file))
        except ValueError:
            return 0.0

    def has_place_for(self, file: str) -> bool:
        """Whether :meth:`raw` takes this name."""
        return Path(os.path.normpath(self.spool / file)).is_relative_to(os.path.normpath(self.archive))

    def finished(self, file: str) -> Path:
        """The full path of a finished recording (``Archived.file``). Raises ValueError as ``raw`` does."""
        path = Path(os.path.normpath(self.archive / file))
        if not path.is_relative_to(os.path.normpath(self.archive)):
            raise ValueError(f"{file!r} is not in the recordings' folder")
        return path


def part_file(talk_id: str, part: int) -> str:
    """The spool file of one part of a talk, relative to the spool."""
    return f"{quote(talk_id, safe='')}.{part}.raw"


def talk_id_of(file: str) -> str | None:
    """The talk that a spool file belongs to by its name; None for any other file (a voicemail)."""
    found = _PART.match(file)
    return unquote(found["talk"]) if found else None


def wav_layout(head: bytes, size: int) -> tuple[int, int]:
    """Where the samples of a mono 16-bit voicemail begin (bytes) and its rate (Hz).

    ``head`` is the first 64 bytes or more, ``size`` the file's. A header without sizes is that of a file
    whose writer died: everything after it counts as samples. No header at all is signed linear, 8 kHz.
    """
    if head[:4] != b"RIFF":
        unwritten = size >= WAV_HEADER and not any(head[:WAV_HEADER])
        return (WAV_HEADER if unwritten else 0), RATE
    rate, at = RATE, 12
    while at + 8 <= len(head):
        name, length = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt " and at + 16 <= len(head):
            rate = struct.unpack_from("<I", head, at + 12)[0] or RATE
        if name == b"data":
            return at + 8, rate
        at += 8 + length + length % 2
    return min(WAV_HEADER, size), rate


def voicemail_seconds(path: Path) -> float:
    """The length of a voicemail in seconds by its file's size; 0.0 for a missing or empty file, and for what
    is no plain one (``recordings.odd``). One read."""
    try:
        with os.fdopen(open_plain(path, links=False), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            first, rate = wav_layout(file.read(256), size)
    except OSError:
        return 0.0
    return max(0, size - first) // 2 / rate


def spool_files(folders: Folders) -> list[str]:
    """Every file of the spool but hidden ones, relative to it, sorted; none where there is no spool.

    A name that is no text (of a machine that writes GBK) is none of ours, and no journal could be asked for it.
    """
    try:
        with os.scandir(folders.spool) as entries:
            files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(file for file in files if not file.startswith(".") and file.isprintable())


def archived_of(call: CallState, category: Category) -> Archived | None:
    """The call's latest ``Archived`` event of that category, from its fold; None while there is none."""
    found = call.recordings.get(category)
    if found is None or not found.file:
        return None
    return Archived(
        category=category, file=found.file, sha256=found.sha256, frames=found.frames,
        rate=found.rate, channels=found.channels, spans=found.spans,
    )  # fmt: skip


def files_of(call: CallState, category: Category | None = None) -> list[str]:
    """The spool files that the journal names for this call (of one category, or all), in order of request."""
    files: list[str] = []
    if category in (None, "call"):
        files += [part.file for part in call.parts]
    if category in (None, "voicemail") and call.voicemail_file:
        files.append(call.voicemail_file)
    return list(dict.fromkeys(files))


def discard_parts(folders: Folders, call: CallState, archived: Archived) -> list[str]:
    """Delete the spool files whose sound is in ``archived``; call it after that event is committed.

    Returns the names deleted. Deletes nothing unless the finished file is there, or was purged. Idempotent. Raises
    OSError where a file cannot be deleted.
    """
    known = call.recordings.get(archived.category)
    if not (known is not None and known.purged) and not folders.finished(archived.file).is_file():
        return []
    gone = []
    for file in files_of(call, archived.category):
        path = folders.raw(file)
        if path.exists():
            path.unlink()
            gone.append(file)
    return gone
