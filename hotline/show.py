"""What a command prints: one listing as a table for a person, as JSON or as CSV; times and lengths in words.

A table takes the terminal's width; in a pipe nothing is cut, wrapped or coloured, unless COLUMNS says how wide it is.
Text that came from outside (a caller's name) is printed as it is, never read as markup; in CSV it cannot become a
formula.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from config.catalogue import _
from config.cells import plain_cell as plain_cell
from config.lengths import (
    at as at,
    clock as clock,
    iso as iso,
    length as length,
    moment as moment,
    since as since,
)
from config.masking import at_home

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

T = TypeVar("T")

PIPE_WIDTH = 400
"""Columns in a pipe: no line is wrapped."""

ROOMY = 110
"""Columns from which a table shows its wide columns too."""


class Format(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column. ``key`` and ``value`` are for machines; ``title`` and ``cell`` (text, style) for a person.

    Without a ``title`` it is in JSON and CSV alone. ``shrinks``: may be cut where the terminal is narrow; ``wide``:
    shown only where there is room.
    """

    key: str
    value: Callable[[T], Any]
    title: str = ""
    cell: Callable[[T], str | tuple[str, str]] | None = None
    right: bool = False
    shrinks: bool = False
    wide: bool = False

    def text(self, row: T) -> Text:
        """The cell of this row."""
        from rich.text import Text

        shown = self.cell(row) if self.cell else self.value(row)
        if isinstance(shown, tuple):
            return Text(*shown)
        return Text("" if shown is None else str(shown))


def console(*, stderr: bool = False) -> Console:
    """Where to print: without colour in a pipe, without a guess at markup."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    asked = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(asked) if re.fullmatch(r"[1-9][0-9]{1,3}", asked) else PIPE_WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def visible(text: str) -> str:
    """The text without what moves a terminal's cursor or turns its writing round: control and direction marks."""
    return "".join(char for char in text if unicodedata.category(char) not in _UNSEEN or char in "\u200c\u200d")


_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


_OPENING, _CLOSING, _CHINESE = "(（《“‘[", "，。；：、！？）》”’,.;:!?)]", "\u2e80-\uffef"
_PARTS = re.compile(
    f" *[{re.escape(_OPENING)}]*(?:[{_CHINESE}]|[^ {_CHINESE}{re.escape(_OPENING)}]+)[{re.escape(_CLOSING)}]* *"
    f"| *[{re.escape(_OPENING)}]+ *"
)


def folded(text: str, room: float, width_of: Callable[[str], float]) -> list[str]:
    """The text in lines no wider than ``room``: broken at spaces and beside any Chinese character, but not behind an
    opening mark nor before a closing one (as in GB/T 15834)."""
    lines: list[str] = []
    line = ""
    for part in _PARTS.findall(text):
        if line and width_of((line + part).rstrip()) > room:
            lines.append(line.rstrip())
            line, part = "", part.lstrip()
        while width_of(part.rstrip()) > room:  # a word that is too long for any line
            fits = next((many for many in range(len(part), 1, -1) if width_of(part[:many]) <= room), 1)
            lines.append(part[:fits])
            part = part[fits:]
        line += part
    return [*lines, line.rstrip()] if line.strip() else lines


class Lines:
    """Lines of text and style to print as they are, without wrapping: ten times as quick as rich's own ``Text``."""

    def __init__(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        self._lines = lines

    def __rich_console__(self, screen: Console, _options: ConsoleOptions) -> RenderResult:
        """For rich."""
        from rich.segment import Segment

        for line in self._lines:
            for text, style in line:
                yield Segment(text, screen.get_style(style) if style else None)
            yield Segment.line()


def show_lines(lines: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Print the lines; through the reader's pager where they are more than the terminal has."""
    screen = console()
    if screen.is_terminal and len(lines) >= screen.height:
        os.environ.setdefault("LESS", "FRX")  # colours, and no pager for what fits
        with screen.pager(styles=True):
            screen.print(Lines(lines), end="")
    else:
        screen.print(Lines(lines), end="")


def show(form: Format, columns: Sequence[Column[T]], rows: Sequence[T], *, empty: str = "") -> None:
    """Print the rows; ``empty`` is what a person reads where there are none."""
    match form:
        case Format.JSON:
            show_json([{column.key: column.value(row) for column in columns} for row in rows])
        case Format.CSV:
            _show_csv(columns, rows)
        case Format.TABLE:
            if rows:
                _show_table(columns, rows)
            elif empty:
                console().print(empty)


def show_json(value: Any) -> None:
    """Print any value as JSON; beyond ASCII only where the terminal can show it."""
    plain = not (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")
    print(json.dumps(value, ensure_ascii=plain, indent=2))


def _show_csv(columns: Sequence[Column[T]], rows: Iterable[T]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    writer.writerows([[plain_cell(column.value(row)) for column in columns] for row in rows])
    print(out.getvalue(), end="")


def _show_table(columns: Sequence[Column[T]], rows: Sequence[T]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table

    screen = console()
    shown = [column for column in columns if column.title and (not column.wide or screen.width >= ROOMY)]
    cells = [[column.text(row) for column in shown] for row in rows]
    inside = [
        max(cell_len(part.plain) for line in cells for part in line[number].split(allow_blank=True))
        for number in range(len(shown))
    ]
    natural = [max(cell_len(column.title), width) for column, width in zip(shown, inside, strict=True)]
    gap = 1 if sum(natural) + 2 * (len(shown) - 1) <= screen.width else 0
    # Where it is narrow titles may break between words, and long texts anywhere; dates and numbers never.
    least = [
        max(1 if column.shrinks else min(width, screen.width // 4), *map(cell_len, column.title.split()))
        for column, width in zip(shown, inside, strict=True)
    ]
    widths = natural if gap else _shared(natural, least, screen.width - (len(shown) - 1))
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for column, width in zip(shown, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="ellipsis" if column.shrinks else "fold",
            no_wrap=column.shrinks,
            width=width,
        )
    for line in cells:
        table.add_row(*line)
    screen.print(table)


def _shared(natural: list[int], least: list[int], room: int) -> list[int]:
    """Widths from ``least`` on towards ``natural``: what ``room`` leaves goes where most is missing."""
    widths = list(map(min, least, natural))
    for _cell in range(room - sum(widths)):
        missing = [full - width for full, width in zip(natural, widths, strict=True)]
        if max(missing) > 0:
            widths[missing.index(max(missing))] += 1
    return widths


# --- times and lengths ------------------------------------------------------------------------------------------------


def near(path: Path) -> Path:
    """The path as seen from the working folder, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def number_shown(number: str, country: str) -> str:
    """A caller's number whole, as people at home write it; empty: anonymous."""
    return at_home(number, country) or _("anonymous")
