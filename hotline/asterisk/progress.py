"""How far a long step is: a bar on a terminal, a line per step elsewhere; always on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress as Bar, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Progress:
    """Shows steps as they are done."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    def note(self, text: str) -> None:
        """One line that stays."""
        self.console.print(text, soft_wrap=True)

    @contextmanager
    def task(self, title: str, total: float) -> Iterator[Callable[[float], None]]:
        """A step of ``total`` units; yields the function that is told how many are done."""
        if not self.console.is_terminal:
            self.note(f"{title} …")
            yield lambda done: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Bar(*columns, console=self.console) as bar:
            row = bar.add_task(title, total=total)
            yield lambda done: bar.update(row, completed=done)
            bar.update(row, completed=total)
