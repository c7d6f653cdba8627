"""What is wrong with what the operator set, collected and shown all at once, never the first alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting stands.

    ``file`` is relative to the configuration folder, ``line`` counts from 1 (0: the file as a whole), ``key``
    is the dotted path of the key, for example ``agents.8001.devices[0]`` (``key_path`` makes one).
    """

    file: str
    line: int = 0
    key: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.key}" if self.key else at


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be mended (or, with ``warning``, should be known).

    ``code`` is stable and for machines (``unknown-key``); ``what`` and ``fix`` are sentences in the
    operator's language.
    """

    code: str
    place: Place
    what: str
    fix: str
    warning: bool = False

    def __str__(self) -> str:
        at = f"{self.place}: " if str(self.place) else ""
        gap = "" if self.what.endswith("。") else " "
        return f"{at}{self.what}{gap}{self.fix}".strip()


class Refused(Exception):
    """Settings that cannot take effect; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def key_path(path: tuple[str | int, ...]) -> str:
    """The dotted path of a key: ``("agents", "8001", "devices", 0)`` is ``agents.8001.devices[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in path)
    return text.removeprefix(".")


def shown(value: object, longest: int = 60) -> str:
    """A value as a message shows it: one line of ``longest`` characters, invisible ones by code."""
    text = str(value)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(each if each.isprintable() else f"<U+{ord(each):04X}>" for each in text)
