"""Problems on the screen: one line says where and what, the next what to do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from config.catalogue import _, ngettext
from hotline.show import PIPE_WIDTH, console, folded

if TYPE_CHECKING:
    from config.problems import Problem


def show_problems(problems: Iterable[Problem], config: Path) -> None:
    """Print each; errors are red, warnings yellow."""
    from rich.cells import cell_len
    from rich.text import Text

    screen = console()
    room = screen.width if screen.is_terminal else PIPE_WIDTH * 100
    for problem in problems:
        title, style = (_("Warning"), "yellow") if problem.warning else (_("Error"), "bold red")
        place = place_shown(problem, config)
        for number, part in enumerate(folded(f"{title} {place} {problem.what}", room - 2, cell_len)):
            line = Text(part if not number else f"  {part}")
            if not number:
                line.stylize(style, 0, len(title))
                line.stylize("bold", len(title) + 1, len(title) + 1 + len(place))
            screen.print(line, soft_wrap=True)
        for number, part in enumerate(folded(problem.fix, room - 4, cell_len)):
            screen.print(f"    {part}" if number else f"  → {part}", soft_wrap=True)


def place_shown(problem: Problem, config: Path) -> str:
    """``config/hotline.yaml:12: key:`` for a file of the folder, else what the place is called."""
    place = problem.place
    text = str(config / str(place)) if place.file and (config / place.file).exists() else str(place)
    return f"{text}:" if text else ""


def counted(problems: Iterable[Problem]) -> str:
    """``2 errors, 1 warning``; empty where there is none."""
    warnings = [problem.warning for problem in problems]
    errors, others = warnings.count(False), warnings.count(True)
    said = [
        ngettext("{n} error", "{n} errors", errors).format(n=errors) if errors else "",
        ngettext("{n} warning", "{n} warnings", others).format(n=others) if others else "",
    ]
    return _(", ").join(text for text in said if text)
