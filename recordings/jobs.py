"""What is to be archived, and what came of it: plain values that cross the process boundary."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from calllog.events import Archived, ArchiveFailed, Category, Measured, RecordingFault
from calllog.folds import CallState
from calllog.talk import Talk
from config.settings import Recording
from recordings.folders import RATE, Folders
from recordings.keys import key_folder

Format = Literal["flac", "opus"]


@dataclass(frozen=True, slots=True)
class How:
    """How recordings are kept, by the settings in force.

    ``keys`` is the folder of keys (empty: there is none), ``seal``: by the newest of them. A silence lasts at least
    ``silence_from`` seconds, both talk at once for at least ``talk_over_from``. ``marked``: the archive has its mark
    (``recordings.mark``), so that a place without one is not it.
    """

    format: Format = "flac"
    keys: str = ""
    seal: bool = False
    silence_from: float = 5.0
    talk_over_from: float = 1.0
    marked: bool = False


def how_of(recording: Recording, state_dir: Path) -> How:
    """How recordings are kept by these settings."""
    return How(
        recording.format, str(key_folder(recording, state_dir)), recording.encrypt, recording.silence_from,
        recording.talk_over_from,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawPart:
    """One raw file. Times are µs since 1970 UTC, ``stopped_at`` 0 where unknown; ``started_at`` is known.

    ``failed``: Asterisk said that it would not record, so that nobody need miss the file.
    """

    part: int
    path: str
    started_at: int
    stopped_at: int = 0
    failed: bool = False
    since: int = 0
    """When the file itself begins, for a part that shares it with others; 0 where it is this part's alone."""

    @property
    def reach(self) -> tuple[int, int | None]:
        """The frames of the file that are this part's, by the journal's times: from, and up to (None: its end)."""
        if not self.since:
            return 0, None
        first = _frames(self.started_at - self.since)
        return first, max(first, _frames(self.stopped_at - self.since)) if self.stopped_at else None

    @property
    def key(self) -> str:
        """The name under which what is heard in this part is kept (``recordings.layout``)."""
        return self.path if not self.since else f"{self.path}#{self.reach[0]}"


@dataclass(frozen=True, slots=True)
class TalkJob:
    """One talk and its raw files in the order of their requests. Times are µs, 0 where unknown."""

    talk_id: str
    started_at: int
    ended_at: int
    parts: tuple[RawPart, ...]
    pauses: tuple[tuple[int, int], ...] = ()
    """When its recording was paused at somebody's wish, from and to."""

    @property
    def paused_us(self) -> int:
        """For how long it was."""
        return sum(until - since for since, until in self.pauses)

    def paused_frames(self, first: int, rate: int) -> list[tuple[int, int]]:
        """Where that stands in a recording in which this talk begins at frame ``first``."""
        began = next((part.started_at for part in self.parts if not part.failed), self.started_at)
        return [
            (first + (since - began) * rate // 1_000_000, first + (until - began) * rate // 1_000_000)
            for since, until in self.pauses
        ]


@dataclass(frozen=True, slots=True)
class ArchiveJob:
    """One recording to be finished: ``root``/``file`` from the talks' parts, or from one voicemail."""

    call_id: str
    category: Category
    root: str
    file: str
    arrived_at: int
    talks: tuple[TalkJob, ...] = ()
    voicemail: str = ""
    how: How = How()


@dataclass(frozen=True, slots=True)
class ArchiveResult:
    """What came of a job: ``archived``, or ``why`` it failed (``recordings.notes.say`` puts it into words).

    ``measured`` is what can be told of its sound; None where that failed (``unmeasured`` says why), which does not fail
    the recording.
    A failed job has deleted nothing but its own temporary file.
    """

    archived: Archived | None = None
    why: str = ""
    measured: Measured | None = None
    unmeasured: str = ""

    def event(self, category: Category) -> Archived | ArchiveFailed:
        """The event to journal."""
        return self.archived or ArchiveFailed(why=self.why, category=category)


def jobs_of(call: CallState, folders: Folders, zone: ZoneInfo, how: How = How()) -> list[ArchiveJob]:
    """The recordings that the journal says this ended call has: none, its talks, its voicemail, or both.

    ``zone`` is the operator's time zone, in which the folder's day is meant. Pure. Raises ValueError for a
    file name in the journal that leads out of the recordings' folder.
    """
    day = dt.datetime.fromtimestamp(call.arrived_at / 1e6, dt.UTC).astimezone(zone)
    name = f"{day:%Y/%m/%d}/{quote(call.call_id, safe='')}"
    jobs = []
    base = ArchiveJob(call.call_id, "call", str(folders.archive), f"{name}.{how.format}", call.arrived_at, how=how)
    if call.parts:
        talks = tuple(_talk_job(talk, call, folders) for talk in call.talks if talk.started_at or talk.parts)
        jobs.append(replace(base, talks=talks))
    if call.voicemail_kept and call.voicemail_file:
        voicemail = str(folders.raw(call.voicemail_file))
        jobs.append(replace(base, category="voicemail", file=f"{name}.voicemail.{how.format}", voicemail=voicemail))
    return jobs


def _frames(time: int) -> int:
    return round(time * RATE / 1e6)


def _talk_job(talk: Talk, call: CallState, folders: Folders) -> TalkJob:
    shared: dict[str, int] = {}
    for one, other in combinations((part for part in call.parts if part.started_at), 2):
        if one.file == other.file:
            shared.setdefault(one.file, one.started_at)
    parts = tuple(
        RawPart(
            part.part, str(folders.raw(part.file)), part.started_at or part.requested_at, part.stopped_at,
            failed=bool(part.failed), since=shared.get(part.file, 0),
        )
        for part in talk.parts
    )  # fmt: skip
    ended_at = talk.ended_at or call.hung_up_at or call.ended_at
    pauses = [(pause.since, pause.until or part.stopped_at or ended_at) for part in talk.parts for pause in part.pauses]
    return TalkJob(talk.talk_id, talk.started_at, ended_at, parts, tuple(one for one in pauses if one[0] < one[1]))


@dataclass(frozen=True, slots=True)
class ProveJob:
    """A recording below ``root``, the SHA-256 that it must have, and the folder of keys (empty: none)."""

    root: str
    file: str
    sha256: str
    keys: str


@dataclass(frozen=True, slots=True)
class ProveResult:
    """Bytes and CRC-32 of its sound file as it is handed out, or what is wrong with it."""

    size: int = 0
    crc: int = 0
    fault: RecordingFault = ""
