"""What lines that no store would take hold of a person (``spool.jsonl.refused``), and emptying it. Synchronous.

The spool itself needs none of this: nothing is erased while the store fails, and once it works the spool has been taken
in. A line is overwritten in its place, by one of the same length: so a daemon may add lines meanwhile, none moves, and
the old bytes are gone from the disk's blocks too.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

SPOOL = "spool.jsonl"
REFUSED = f"{SPOOL}.refused"
"""Files of the state folder."""

_ERASED = b"erased"
"""What is left of a line that cannot be read."""


def waiting(state_dir: Path) -> bool:
    """Whether events wait in the spool, which no question to the store knows yet."""
    try:
        return (state_dir / SPOOL).stat().st_size > 0
    except OSError:
        return False


def calls_named(state_dir: Path, e164: str, raw: str) -> list[str]:
    """The calls of this number (as :func:`calllog.erasing.persons` reads it) that stand in refused lines. Raises
    OSError."""
    found = [str(line.get("stream_id", "")) for _at, _bytes, line in _lines(state_dir) if _is(line, e164, raw)]
    return list(dict.fromkeys(found))


def empty(state_dir: Path, call_ids: Collection[str], needles: Collection[bytes] = ()) -> int:
    """Empty numbers, names and texts in every refused line about these calls, and the lines that cannot be read and
    hold any of ``needles``; returns how many lines. Raises OSError."""
    calls = set(call_ids) - {""}
    signs = [*needles, *(call.encode() for call in calls)]
    changed = [(at, _blank(line, old)) for at, old, line in _lines(state_dir) if _about(line, old, calls, signs)]
    if changed:
        file = os.open(state_dir / REFUSED, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            for at, new in changed:
                os.pwrite(file, new, at)
            os.fsync(file)
        finally:
            os.close(file)
    return len(changed)


def _lines(state_dir: Path) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Each line: where it begins, its bytes, and what it says; nothing where it cannot be read."""
    try:
        file = os.fdopen(os.open(state_dir / REFUSED, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb")
    except FileNotFoundError:
        return
    with file:
        at = 0
        for line in file:
            text = line.rstrip(b"\n")
            try:
                said = msgspec.json.decode(text)
            except (msgspec.MsgspecError, UnicodeError):
                said = None
            yield at, text, said if isinstance(said, dict) else {}
            at += len(line)


def _is(line: dict[str, Any], e164: str, raw: str) -> bool:
    party = line.get("party")
    if not isinstance(party, dict):
        return False
    known, given = party.get("e164", ""), party.get("raw", "")
    return bool(e164 and known == e164) or bool(not known and given and given == raw)


def _about(line: dict[str, Any], text: bytes, calls: set[str], signs: Collection[bytes]) -> bool:
    if not line:
        return any(sign in text for sign in signs)
    written = [note for note in _notes(line) if isinstance(note, dict) and note.get("text")]
    if not line.get("party") and not written:
        return False
    return line.get("stream_id") in calls or any(note.get("call_id") in calls for note in written)


def _notes(line: dict[str, Any]) -> list[Any]:
    notes = line.get("notes")
    return notes if isinstance(notes, list) else []


def _blank(line: dict[str, Any], old: bytes) -> bytes:
    """The line without what names somebody, as long as the old one."""
    if line:
        kept = {key: value for key, value in line.items() if key != "party"}
        if "notes" in kept:
            kept["notes"] = [note | {"text": ""} for note in _notes(line) if isinstance(note, dict)]
        new = msgspec.json.encode(kept)
        if len(new) <= len(old):
            return new.ljust(len(old))
    return _ERASED[: len(old)].ljust(len(old))
