"""Where a number is at home, in Chinese or English: ``上海市``, ``Shanghai``.

phonenumbers knows it, but its geocoder takes 98 MB once it is loaded. So a process of its own writes what we need of
it, once for each version of the library, into a small SQLite file in the state folder; questions read that.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import phonenumbers
import structlog

log = structlog.get_logger()

HOME = "86"
"""The calling code of which every area is kept; of others the country's name."""

LONGEST = 300.0
"""Seconds that the making may take on a busy machine; it takes about five."""


class Regions:
    """The table below this state folder. :meth:`of` blocks for SQLite."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / f"regions-{phonenumbers.__version__}.sqlite"

    def of(self, e164: str, language: str) -> str:
        """The region; empty where it is not known, or the table is not made yet. ``e164`` with its +."""
        if not e164.startswith("+") or not self.path.exists():
            return ""
        digits = e164[1:]
        prefixes = [digits[:length] for length in range(len(digits), 2, -1)]
        marks = ", ".join("?" * len(prefixes))
        column = "zh" if language == "zh" else "en"
        try:
            number = phonenumbers.parse(e164)
            country = phonenumbers.region_code_for_number(number) or ""
            with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
                query = f"SELECT {column} FROM area WHERE prefix IN ({marks}) ORDER BY length(prefix) DESC LIMIT 1"
                row = connection.execute(query, prefixes).fetchone()
                if row is None and not digits.startswith(HOME):
                    row = connection.execute(f"SELECT {column} FROM country WHERE code = ?", (country,)).fetchone()
        except (sqlite3.Error, phonenumbers.NumberParseException):
            return ""
        return row[0] if row else ""

    async def keep(self) -> None:
        """Have the table made, then be done for this run."""
        await self.make()
        await asyncio.Event().wait()

    async def make(self) -> None:
        """Have the table made where it is not there. Whatever goes wrong costs the region's name alone."""
        if self.path.exists():
            return
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "phone.regions", str(self.path), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )  # fmt: skip
        try:
            async with asyncio.timeout(LONGEST):
                _nothing, wrong = await process.communicate()
            if process.returncode:
                log.warning("the table of regions could not be made", why=wrong.decode(errors="replace")[-300:])
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def build(path: Path) -> None:
    """Write the table. Loads the geocoder: for a process of its own."""
    from phonenumbers.geodata import GEOCODE_DATA
    from phonenumbers.geodata.locale import LOCALE_DATA

    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(draft)) as connection, connection:
        connection.execute("CREATE TABLE area (prefix TEXT PRIMARY KEY, zh TEXT, en TEXT) WITHOUT ROWID")
        connection.execute("CREATE TABLE country (code TEXT PRIMARY KEY, zh TEXT, en TEXT) WITHOUT ROWID")
        connection.executemany("INSERT INTO area VALUES (?, ?, ?)", _areas(GEOCODE_DATA))
        connection.executemany("INSERT INTO country VALUES (?, ?, ?)", (
            (code, _named(names, "zh"), _named(names, "en")) for code, names in LOCALE_DATA.items()
        ))  # fmt: skip
    draft.replace(path)
    for old in path.parent.glob("regions-*.sqlite"):
        if old != path:
            old.unlink(missing_ok=True)


def _named(names: dict[str, str], language: str) -> str:
    """A country's name; ``*xx`` says that it is that of the language xx."""
    name = names.get(language, "") or names.get("en", "")
    return names.get(name[1:], "") if name.startswith("*") else name


def _areas(data: dict[str, dict[str, str]]) -> Iterator[tuple[str, str, str]]:
    for prefix, names in data.items():
        if prefix.startswith(HOME):
            yield prefix, names.get("zh", names.get("en", "")), names.get("en", names.get("zh", ""))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
