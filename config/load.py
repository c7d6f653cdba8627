"""The files of a configuration folder become Settings, or every reason why they cannot, at once.

An edit from a command or the console does not go through here: it re-opens the file's YAML tree with
``ruamel.yaml``'s round trip, so that comments and order survive, and then loads the result to check it.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from config.catalogue import _
from config.check import Files, check, spoken
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
    ReviewFile,
    RosterFile,
    Settings,
    SubjectFile,
)
from config.tree import Tree, read_tree

FILES: dict[str, type[Part]] = {
    "hotline.yaml": Hotline,
    "menu.yaml": MenuFile,
    "queues.yaml": QueueFile,
    "agents.yaml": AgentFile,
    "roster.yaml": RosterFile,
}
"""The files that must be there, besides the prompts of the languages that callers hear."""

OPTIONAL: dict[str, type[Part]] = {"subjects.yaml": SubjectFile, "reviews.yaml": ReviewFile}
"""The files that may be missing."""

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


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a configuration folder: the files that could be read, and every problem so far."""

    files: Files
    places: Places
    problems: list[Problem]


def load_settings(folder: Path) -> Settings:
    """The settings in a configuration folder. Raises Refused with every problem of every file."""
    return load(folder).settings


def load(folder: Path) -> Loaded:
    """The settings, the line of each key, and the warnings. Raises Refused with every problem found."""
    found = read(folder)
    if any(not problem.warning for problem in found.problems):
        raise Refused(found.problems)
    settings = Settings.model_construct(**{name: getattr(found.files, name) for name in Settings.model_fields})
    return Loaded(settings, found.places, found.problems)


def read(folder: Path) -> Found:
    """The files one by one, so that a broken one hides nothing about the others. Raises Refused without a folder."""
    if not folder.is_dir():
        what = _("The configuration folder {folder} is missing.").format(folder=shown(folder, 200))
        raise Refused([Problem("folder-missing", Place(""), what, _("Name another with --config."))])
    trees: dict[str, Tree] = {}
    problems: list[Problem] = []
    hotline = _read(folder, "hotline.yaml", Hotline, trees, problems)
    menu = _read(folder, "menu.yaml", MenuFile, trees, problems)
    prompts: dict[str, PromptFile] = {}
    used = spoken(hotline, menu)
    for language in _LANGUAGES:
        file = f"prompts.{language}.yaml"
        if _is_there(folder / file) or language in used:
            read = _read(folder, file, PromptFile, trees, problems)
            if read is not None:
                prompts[language] = read
    agents = _read(folder, "agents.yaml", AgentFile, trees, problems)
    names = {number: agent.name for number, agent in agents.agents.items()} if agents else None
    files = Files(
        hotline=hotline,
        menu=menu,
        queues=_read(folder, "queues.yaml", QueueFile, trees, problems),
        agents=agents,
        roster=_read(folder, "roster.yaml", RosterFile, trees, problems, names),
        prompts=prompts,
        subjects=_read(folder, "subjects.yaml", SubjectFile, trees, problems)
        if _is_there(folder / "subjects.yaml") else SubjectFile(),
        reviews=_read(folder, "reviews.yaml", ReviewFile, trees, problems)
        if _is_there(folder / "reviews.yaml") else ReviewFile(),
    )  # fmt: skip
    places = Places(trees)
    disagreements = check(files)
    if any(not problem.warning for problem in problems):
        # Of a file with mistakes, what is right is checked too; that something in it is unknown cannot be said then.
        partly = check(_as_far_as_readable(files, trees))
        disagreements += [
            problem for problem in partly if problem.code.endswith("-doubled") and problem not in disagreements
        ]
    problems += places.located(disagreements)
    problems += _strangers(folder, trees)
    return Found(files, places, in_order(problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Errors before warnings, each by file and line."""
    return sorted(problems, key=_order)


_P = TypeVar("_P", bound=Part)

MOST_ROUNDS = 8
"""How often the rest of a file is looked at again: a level of its tree goes with each round at the worst."""


def _read(
    folder: Path, file: str, model: type[_P], trees: dict[str, Tree], problems: list[Problem],
    names: Mapping[str, str] | None = None,
) -> _P | None:  # fmt: skip
    tree = trees[file] = read_tree(folder, file)
    found = list(tree.problems)
    read: _P | None = None
    if isinstance(tree.value, dict):
        try:
            read = model.model_validate(tree.value)
        except ValidationError as error:
            found += explain(error, model, tree, names)
    problems += found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        what = _("{n} more problems in this file are not shown.").format(n=len(found) - MOST_PROBLEMS)
        problems.append(
            Problem("too-many-problems", Place(file), what, _("Mend those that are shown first."))
        )
    return read if not found else None


def _as_far_as_readable(files: Files, trees: dict[str, Tree]) -> Files:
    """The same files, each that has mistakes without what is wrong in it."""

    def part(file: str, model: type[_P], whole: _P | None) -> _P | None:
        tree = trees.get(file)
        return whole if whole is not None or tree is None else _salvage(tree.value, model)

    return dataclasses.replace(
        files,
        hotline=part("hotline.yaml", Hotline, files.hotline),
        queues=part("queues.yaml", QueueFile, files.queues),
        agents=part("agents.yaml", AgentFile, files.agents),
        roster=part("roster.yaml", RosterFile, files.roster),
    )


def _salvage(value: object, model: type[_P]) -> _P | None:
    """The model of what is left once every wrong value is taken out; None when too little is left."""
    rest: Any = copy.deepcopy(value)
    for _round in range(MOST_ROUNDS):
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            paths = [_cut(rest, each["loc"]) for each in error.errors(include_url=False)]
        if not all(paths):
            return None
        for path in sorted(set(paths), key=len, reverse=True):
            holder = rest
            for step in path[:-1]:
                holder = holder.get(step, {}) if isinstance(holder, dict) else {}
            if isinstance(holder, dict):
                holder.pop(path[-1], None)
    return None


def _cut(tree: object, loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The path of what must go for this error: a key that is there, and a list as a whole, so that places stay."""
    path: list[str] = []
    for step in loc:
        if not isinstance(tree, dict) or step not in tree:
            break
        path.append(str(step))
        tree = tree[step]
    return tuple(path)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _strangers(folder: Path, trees: dict[str, Tree]) -> list[Problem]:
    """Files that nothing reads, which is how a misspelt file name shows."""
    known = [*FILES, *OPTIONAL, *(f"prompts.{language}.yaml" for language in _LANGUAGES)]
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
