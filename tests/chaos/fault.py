"""What a fault is, and how it gets into the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.house import House

READY = 60.0
"""Seconds until a hotline must serve again once its fault is over."""

TAKEN = 180.0
"""Seconds until a changed configuration must be in force: it is proved, and its prompts built, with low priority."""


class Skipped(Exception):
    """This machine does not let us try it; the text says why."""


@dataclass(frozen=True)
class Fault:
    """``say`` is its line in the table, in both languages; ``settle`` seconds of crowd follow it."""

    name: str
    say: tuple[str, str]
    strike: Callable[[House, bool], Awaitable[None]]
    """With the house, and whether this is the short form."""
    on_tmpfs: bool = False


FAULTS: dict[str, Fault] = {}


Strike = Callable[[House, bool], Awaitable[None]]


def fault(english: str, chinese: str, *, on_tmpfs: bool = False) -> Callable[[Strike], Fault]:
    """A fault of this name in the table."""

    def take(strike: Strike) -> Fault:
        found = FAULTS[strike.__name__] = Fault(strike.__name__, (english, chinese), strike, on_tmpfs)
        return found

    return take
