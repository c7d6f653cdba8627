"""Does the tree of subjects hold: every id once, and something that can be chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.catalogue import _
from config.problems import Place, Problem, key_path
from config.record_file import Subject, SubjectFile

MOST = 1000
"""Subjects in all: an agent chooses from them while a caller waits."""


def check_subjects(file: SubjectFile) -> Iterator[Problem]:
    """Every problem of subjects.yaml, without lines."""
    seen: dict[str, str] = {}
    for number, (path, name) in enumerate(_walk(file.subjects, ("subjects",))):
        key = key_path(path)
        if name in seen:
            what = _("The subject {name} is there already, as {other}.").format(name=name, other=seen[name])
            fix = _("Give this one a key of its own: it is the subject's id.")
            yield Problem("subject-twice", Place("subjects.yaml", 0, key), what, fix)
        elif number == MOST:
            what = _("There are more than {most} subjects.").format(most=MOST)
            yield Problem("subjects-too-many", Place("subjects.yaml", 0, key), what, _("Put like ones together."))
            return
        seen.setdefault(name, key)


def _walk(among: Mapping[str, Subject], above: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, subject in among.items():
        path = (*above, name)
        yield path, name
        yield from _walk(subject.subjects, (*path, "subjects"))
