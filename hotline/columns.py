"""Lines of a terminal in runs of text and style, laid out by columns: a Chinese character takes two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from hotline.day_words import FESTIVAL, MAKEUP, Day
from hotline.heat import Gap
from hotline.show import folded, visible

Run = tuple[str, str]
Line = list[Run]
"""Runs of text and style of rich."""


def fill(text: str, room: int, align: str = "<") -> str:
    """The text in exactly ``room`` columns, cut at its end where it is longer."""
    text = cut(text, room)
    left = room - cell_len(text)
    before = 0 if align == "<" else left if align == ">" else left // 2
    return " " * before + text + " " * (left - before)


def cut(text: str, room: int) -> str:
    """The text in at most ``room`` columns."""
    text = visible(text)
    if cell_len(text) <= room:
        return text
    return set_cell_size(text, room - 2).rstrip() + ".." if room > 4 else set_cell_size(text, max(0, room))


def first_that_fits(words: Sequence[str], room: int) -> str:
    """The first of the words that takes no more than ``room`` columns; else the last."""
    return next((word for word in words if cell_len(word) <= room), words[-1])


def wrapped(items: Sequence[Line], width: int, gap: int = 3) -> Iterator[Line]:
    """The items beside each other, in as many lines as it takes."""
    line: Line = []
    room = width
    for item in items:
        wide = sum(cell_len(text) for text, _style in item)
        if line and wide + gap > room:
            yield line
            line, room = [], width
        if line:
            line.append((" " * gap, ""))
            room -= gap
        line += item if wide <= room else [(cut("".join(text for text, _style in item), room), "")]
        room -= wide
    if line:
        yield line


def gap_lines(gap: Gap, width: int) -> Iterator[Line]:
    """One gap in words, in as many lines as it takes: red, or yellow where backups make up for it."""
    style = "yellow" if gap.filled else "red"
    for number, part in enumerate(folded(visible(gap.words), width - 2, cell_len)):
        yield [("  " if number else "! ", f"bold {style}"), (part, style)]


def head_style(day: Day) -> str:
    """How a day's head looks: red where offices are closed, reversed today."""
    style = "bold red" if day.kind == FESTIVAL else "red" if day.free else "bold blue" if day.kind == MAKEUP else ""
    return f"{style} reverse" if day.today else style
