"""Configuration folders in tests: a copy of the example with something changed in it."""

from __future__ import annotations

from pathlib import Path

from config.load import FILES, OPTIONAL, load
from config.problems import Problem, Refused

EXAMPLE = Path(__file__).parents[2] / "config"
NAMES = [*FILES, *OPTIONAL, "prompts.zh.yaml", "prompts.en.yaml"]


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def line_of(folder: Path, name: str, text: str) -> int:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def problems(folder: Path) -> list[Problem]:
    try:
        return load(folder).warnings
    except Refused as refused:
        return refused.problems
