"""``hotline recordings list|get``: the finished recordings, and a checked copy of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from calllog.events import Archived, Recorded
from config.catalogue import _
from recordings.errors import Unreadable
from recordings.folders import Folders
from recordings.keys import NO_KEYS, Ring
from recordings.notes import say

BLOCK = 1 << 20
"""Bytes copied at a time."""


class NotCopied(Exception):
    """The recording could not be handed out; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finished recording. ``at`` is in µs since 1970 UTC: when it was finished.

    ``talks`` counts its talks (0 for a voicemail), ``verified`` those that are all there; ``notes`` are
    sentences in the reader's language; ``present`` is false when the file has gone.
    """

    call_id: str
    at: int
    category: str
    path: Path
    seconds: float
    channels: int
    talks: int
    verified: int
    notes: tuple[str, ...]
    present: bool


def rows(events: Iterable[Recorded], folders: Folders) -> list[Row]:
    """The rows of these ``Archived`` events (others are passed over); of each file the latest."""
    found: dict[str, Row] = {}
    for recorded in events:
        match recorded.event:
            case Archived() as archived:
                found[archived.file] = _row(recorded, archived, folders)
    return list(found.values())


def _row(recorded: Recorded, archived: Archived, folders: Folders) -> Row:
    path = folders.finished(archived.file)
    return Row(
        call_id=recorded.stream_id,
        at=recorded.at,
        category=archived.category,
        path=path,
        seconds=archived.frames / archived.rate if archived.rate else 0.0,
        channels=archived.channels,
        talks=len(archived.spans),
        verified=sum(span.verified for span in archived.spans),
        notes=tuple(sentence for span in archived.spans for sentence in say(span.note)),
        present=path.is_file(),
    )


def get(archived: Archived, folders: Folders, to: Path, *, ring: Ring = NO_KEYS, replace: bool = False) -> Path:
    """Copy a recording to ``to`` (a file; without an extension a folder to put it in, made where there is none), for
    its owner's eyes alone (0600), decrypted with the keys of ``ring`` where it is
    sealed, and prove the copy by its SHA-256.

    Returns the path written. Raises NotCopied when the recording is missing or damaged, or when ``to`` is
    there already (without ``replace``) or cannot be written; ``to`` is then as it was.
    """
    source = folders.finished(archived.file)
    folder = to.is_dir() or not (to.suffix or to.exists())
    target = to / source.name if folder else to
    if target.exists() and not replace:
        raise NotCopied(_("{path} is there already: name another, or add --replace.").format(path=target))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            if folder and source.exists():
                to.mkdir(mode=0o700, parents=True, exist_ok=True)
            sha256 = _copy(source, archived.file, ring, unfinished)
        except Unreadable as error:
            raise NotCopied(str(error)) from error
        except FileNotFoundError as error:
            gone = unfinished.parent if source.exists() else source
            raise NotCopied(_("{path} is not there.").format(path=gone)) from error
        except OSError as error:
            raise NotCopied(
                _("{path} cannot be written: {why}.").format(path=target, why=error.strerror)
            ) from error
        if sha256 != archived.sha256:
            raise NotCopied(
                _("{path} is damaged: its SHA-256 is not the one in the journal. It was not copied.").format(
                    path=source
                )
            )
        os.replace(unfinished, target)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return target


def _copy(source: Path, name: str, ring: Ring, target: Path) -> str:
    """Copy and return the SHA-256 of what was written (read back from it)."""
    from recordings.sealed import open_stored

    with open_stored(source, name, ring) as giving, open(target, "w+b", opener=_own) as taking:
        while block := giving.read(BLOCK):
            taking.write(block)
        taking.flush()
        os.fsync(taking.fileno())
        taking.seek(0)
        return hashlib.file_digest(taking, "sha256").hexdigest()


def _own(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
