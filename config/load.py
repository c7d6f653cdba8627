"""The files of a configuration folder become Settings, or every reason why they cannot, at once.

An edit from a command or the console does not go through here: it re-opens the file's YAML tree with
``ruamel.yaml``'s round trip, so that comments and order survive, and then loads the result to check it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import ValidationError

from config.catalogue import _
from config.check import Files, check
from config.explain import did_you_mean, explain
from config.problems import Place, Problem, Refused, shown
from config.settings import (
    AgentFile,
    Hotline,
    Language,
    MenuFile,
    Part,
    PromptFile,
    QueueFile,
    RosterFile,
    Settings,
)
from config.tree import Tree, read_tree

FILES: dict[str, type[Part]] = {
    "hotline.yaml": Hotline,
    "menu.yaml": MenuFile,
    "queues.yaml": QueueFile,
    "agents.yaml": AgentFile,
    "roster.yaml": RosterFile,
}
"""The files that must be there, besides the prompts of the hotline's language."""

MOST_PROBLEMS = 100
"""Problems of one file that are told at once: a file of the wrong kind can have ten thousand."""

_LANGUAGES: tuple[str, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Places:
    """Where each key of the files stands."""

    trees: dict[str, Tree]

    def place(self, file: str, key: str = "") -> Place:
        """The place of a key path such as ``agents.8001.devices[0]``.

        The line is that of the nearest key above when the key itself is not written, 0 when nothing is known.
        """
        tree = self.trees.get(file)
        return Place(file, tree.line(key) if tree else 0, key)

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems, with the line added where a check knew file and key alone."""
        return [
            problem
            if problem.place.line
            else dataclasses.replace(problem, place=self.place(problem.place.file, problem.place.key))
            for problem in problems
        ]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can take effect, where each key stands, and what the operator should know about them."""

    settings: Settings
    places: Places
    warnings: list[Problem]


def load_settings(folder: Path) -> Settings:
    """The settings in a configuration folder. Raises Refused with every problem of every file."""
    return load(folder).settings


def load(folder: Path) -> Loaded:
    """The settings, the line of each key, and the warnings. Raises Refused with every problem found."""
    if not folder.is_dir():
        what = _("The configuration folder {folder} is missing.").format(folder=shown(folder, 200))
        raise Refused([Problem("folder-missing", Place(""), what, _("Name another with --config."))])
    trees: dict[str, Tree] = {}
    problems: list[Problem] = []
    hotline = _read(folder, "hotline.yaml", Hotline, trees, problems)
    prompts: dict[str, PromptFile] = {}
    for language in _LANGUAGES:
        file = f"prompts.{language}.yaml"
        if _is_there(folder / file) or (hotline is not None and language == hotline.language):
            read = _read(folder, file, PromptFile, trees, problems)
            if read is not None:
                prompts[language] = read
    files = Files(
        hotline=hotline,
        menu=_read(folder, "menu.yaml", MenuFile, trees, problems),
        queues=_read(folder, "queues.yaml", QueueFile, trees, problems),
        agents=_read(folder, "agents.yaml", AgentFile, trees, problems),
        roster=_read(folder, "roster.yaml", RosterFile, trees, problems),
        prompts=prompts,
    )
    places = Places(trees)
    problems += places.located(check(files))
    problems += _strangers(folder, trees)
    if any(not problem.warning for problem in problems):
        raise Refused(sorted(problems, key=_order))
    settings = Settings.model_construct(**{name: getattr(files, name) for name in Settings.model_fields})
    return Loaded(settings, places, sorted(problems, key=_order))


_P = TypeVar("_P", bound=Part)


def _read(
    folder: Path, file: str, model: type[_P], trees: dict[str, Tree], problems: list[Problem]
) -> _P | None:
    tree = trees[file] = read_tree(folder, file)
    found = list(tree.problems)
    read: _P | None = None
    if isinstance(tree.value, dict):
        try:
            read = model.model_validate(tree.value)
        except ValidationError as error:
            found += explain(error, model, tree)
    problems += found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        what = _("{n} more problems in this file are not shown.").format(n=len(found) - MOST_PROBLEMS)
        problems.append(
            Problem("too-many-problems", Place(file), what, _("Mend those that are shown first."))
        )
    return read if not found else None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _strangers(folder: Path, trees: dict[str, Tree]) -> list[Problem]:
    """Files that nothing reads, which is how a misspelt file name shows."""
    known = [*FILES, *(f"prompts.{language}.yaml" for language in _LANGUAGES)]
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [
        Problem(
            "unknown-file",
            Place(shown(name)),
            _("Nothing reads this file."),
            did_you_mean(name, known),
            warning=True,
        )
        for name in names
        if re.search(r"\.ya?ml$", name, re.IGNORECASE) and not name.startswith(".") and name not in known
    ]


def _order(problem: Problem) -> tuple[bool, str, int]:
    return problem.warning, problem.place.file, problem.place.line
