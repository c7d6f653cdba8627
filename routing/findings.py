"""What the proof of a roster finds, before it is told: alike things in one line, so many lines of a kind, the rest
counted. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from config.catalogue import _, ngettext
from config.problems import Place, Problem, key_path
from routing.answering import HOUR

Path = tuple[str | int, ...]

MOST_LINES = 12
"""Lines of one kind that are told; the others are counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a finding: where it stands in ``file``, what is wrong, what to do."""

    path: Path
    what: str
    fix: str
    file: str = "roster.yaml"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault at one time.

    ``key`` says what it is of: a roster that had the same key before is no worse. Findings of one ``group`` (and one
    ``code``) are told in one line, the first of them in full by ``tell``, which may cost something.
    """

    code: str
    key: tuple[object, ...]
    group: tuple[object, ...]
    date: dt.date
    tell: Callable[[], Told]
    warning: bool = False


def weighed(findings: Iterable[Finding], before: Iterable[Finding] | None) -> list[Finding]:
    """With ``before`` (what the roster in force has), the errors that it has as well are warnings."""
    known = {(one.code, one.key) for one in before or ()}
    return [replace(one, warning=one.warning or (one.code, one.key) in known) for one in findings]


def told(findings: Iterable[Finding], most: int = MOST_LINES) -> list[Problem]:
    """Errors first, each kind by date; of each kind ``most`` lines."""
    grouped: dict[tuple[object, ...], list[Finding]] = {}
    for one in sorted(findings, key=lambda one: (one.warning, one.date)):
        grouped.setdefault((one.warning, one.code, *one.group), []).append(one)
    kinds: dict[tuple[bool, str], list[list[Finding]]] = {}
    for group in grouped.values():
        kinds.setdefault((group[0].warning, group[0].code), []).append(group)
    problems: list[Problem] = []
    for (warning, code), groups in kinds.items():
        problems += [_problem(group) for group in groups[:most]]
        if len(groups) > most:
            problems.append(_rest(code, groups[most:], warning))
    return problems


def hours_shown(micros: float) -> str:
    """µs as hours: ``7.5``, ``8``."""
    return f"{micros / HOUR:.1f}".removesuffix(".0")


def _problem(group: Sequence[Finding]) -> Problem:
    said = group[0].tell()
    what = said.what
    if len(group) > 1:
        what += ngettext(
            " The same once more, on {last}.", " The same {n} more times, the last on {last}.", len(group) - 1
        ).format(n=len(group) - 1, last=group[-1].date)
    return Problem(group[0].code, Place(said.file, 0, key_path(said.path)), what, said.fix, group[0].warning)


def _rest(code: str, groups: Sequence[Sequence[Finding]], warning: bool) -> Problem:
    said = groups[0][0].tell()
    count = len(groups)
    what = ngettext("And {n} more like the one above.", "And {n} more like those above.", count).format(n=count)
    fix = _("'hotline roster check --all' names them.")
    return Problem(code, Place(said.file), what, fix, warning)
