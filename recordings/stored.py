"""What lies in the archive's day folders: recordings, their measure files, and what is neither."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from calllog.events import Category

_NAME = re.compile(r"(?P<call>.+?)(?P<voicemail>\.voicemail)?\.(?:flac|opus)(?P<measure>\.measure)?")
_DAY = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}")


def stored_files(archive: Path) -> Iterator[str]:
    """Every file below the archive's day folders, relative to it, in order of days; unfinished ones too.

    What is not text (a name of a machine that writes GBK) is left out: it is none of ours. Raises OSError.
    """
    for day in _days(archive):
        with os.scandir(archive / day) as entries:
            names = sorted(entry.name for entry in entries if entry.name.isprintable())
        yield from (f"{day}/{name}" for name in names)


def _days(archive: Path) -> Iterator[str]:
    for year in _folders(archive, ""):
        for month in _folders(archive, f"{year}/"):
            yield from _folders(archive, f"{month}/")


def _folders(archive: Path, above: str) -> list[str]:
    digits = 4 if not above else 2
    with os.scandir(archive / above) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(f"{above}{name}" for name in names if len(name) == digits and name.isascii() and name.isdigit())


def belongs_to(file: str) -> tuple[str, Category, bool] | None:
    """The call and category of a file by its name, and whether it is a measure file; None for any other."""
    day, _slash, name = file.rpartition("/")
    found = _NAME.fullmatch(name)
    if found is None or not _DAY.fullmatch(day) or name.startswith("."):
        return None
    return unquote(found["call"]), "voicemail" if found["voicemail"] else "call", bool(found["measure"])
