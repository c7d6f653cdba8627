"""What a hand edit of the roster has thrown away: an editor that was open while a command wrote saves the older text.

Nothing can stop an editor from that, but it can be told: the lines that commands put in within the last day, and that
the edited file has lost again, with who put them in.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from config.catalogue import _
from config.versions import Damaged, History, Version
from hotline.show import at

FILE = "roster.yaml"

ABOUT_A_DAY = 86_400_000_000
"""µs. An editor that was opened longer ago is not what took a line away."""

MOST_LINES = 5


def overwritten(state_dir: Path, digest: str, edited: bytes, now: int, zone: ZoneInfo) -> list[str]:
    """In words, what a file edited by hand no longer has of what commands wrote; nothing where a command wrote it too.

    ``digest`` is that of the whole folder as it is edited, ``now`` in µs since 1970 UTC. What can no longer be read of
    the past is passed over.
    """
    history = History(state_dir)
    if history.note(digest) is not None:
        return []
    versions, found = history.versions(), list[str]()
    try:
        there = set(_lines(history, versions[-1])) if versions else set()
        gone = there - set(edited.decode("utf-8", "replace").splitlines())
        for before, version in pairwise(versions):
            if version.how not in ("command", "import") or version.at < now - ABOUT_A_DAY or not gone:
                continue
            old = set(_lines(history, before))
            lost = [line.strip() for line in _lines(history, version) if line not in old and line in gone]
            if lost:
                found.append(_told(version, lost, zone))
    except (Damaged, OSError):
        return found
    return found


def _lines(history: History, version: Version) -> list[str]:
    return history.content(version.files.get(FILE, "")).decode("utf-8", "replace").splitlines()


def _told(version: Version, lost: list[str], zone: ZoneInfo) -> str:
    moment: dt.datetime = at(version.at, zone)
    said = _("roster.yaml was edited and no longer has what {author} wrote at {when} (version {n}): {lines}")
    return said.format(
        author=version.author, when=f"{moment:%H:%M}", n=version.version, lines="  ".join(lost[:MOST_LINES])
    )
