"""Which recordings may go, and by which rule. Pure: ``now`` is an argument.

A recording is of one or more kinds: talks are a ``call``, a message is a ``voicemail``, and either is a ``complaint``
too when its queue, its menu option or its record's subject says so, or ever said so. Each kind has its days in the
settings (``recording.keep``, by :func:`keep_of`); the longest counts, and a kind without days is never over. What is
held stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from config.keep import Keep
from config.record_file import Subject
from config.settings import Settings

Subjects = Mapping[str, Subject]

Kind = Literal["call", "complaint", "voicemail"]

DAY = 86_400_000_000
"""µs."""
DATED = 946_684_800_000_000
"""µs: 2000-01-01. A recording said to be older was made by a clock that was not set: it is not judged by it."""
FEW = 5
"""So many may always go, however few there are: the share of a handful says nothing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished recording, as far as it is judged. ``began_at`` is in µs; ``about``: its queue, its label, its
    record's subject, those of before too: what was a complaint once stays one."""

    call_id: str
    category: str
    began_at: int
    file: str
    sha256: str
    about: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A recording that may go: it was kept for ``days``, being a ``kind``."""

    kept: Kept
    kind: Kind
    days: int


def keep_of(settings: Settings) -> Keep:
    """The settings, with every subject below one that makes a call a complaint among them."""
    keep = settings.hotline.recording.keep
    below = _below(settings.subjects.subjects, set(keep.complaints))
    return keep.model_copy(update={"complaints": tuple(dict.fromkeys([*keep.complaints, *below]))})


def _below(among: Subjects, named: set[str], inside: bool = False) -> Iterator[str]:
    for name, subject in among.items():
        within = inside or name in named or subject.label in named
        if within:
            yield name
        yield from _below(subject.subjects, named, within)


def kinds(kept: Kept, keep: Keep) -> tuple[Kind, ...]:
    """Every kind that it is of."""
    own: Kind = "voicemail" if kept.category == "voicemail" else "call"
    return (own, "complaint") if set(kept.about) & set(keep.complaints) else (own,)


def rule(kept: Kept, keep: Keep) -> tuple[Kind, int] | None:
    """The kind that keeps it longest, and its days; None where it is kept for ever."""
    days: dict[Kind, int | None] = {"call": keep.call, "complaint": keep.complaint, "voicemail": keep.voicemail}
    longest: tuple[Kind, int] | None = None
    for kind in kinds(kept, keep):
        limit = days[kind]
        if limit is None:
            return None
        if longest is None or limit > longest[1]:
            longest = kind, limit
    return longest


def due(recordings: Iterable[Kept], keep: Keep, now: int) -> list[Due]:
    """Those that may go at ``now`` (µs), in their order."""
    found = []
    for kept in recordings:
        known = rule(kept, keep)
        if known is None or kept.held or kept.began_at < DATED:
            continue
        if now >= kept.began_at + known[1] * DAY:
            found.append(Due(kept, *known))
    return found


def shortest(keep: Keep) -> int | None:
    """Days before which nothing can be due; None: never."""
    days = [each for each in (keep.call, keep.complaint, keep.voicemail) if each is not None]
    return min(days, default=None)


def too_many(going: int, of: int, most: int) -> bool:
    """Whether so many of all recordings are more than ``most`` per cent: then rather none."""
    return going > FEW and going * 100 > of * most
