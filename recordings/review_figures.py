"""How far graders agree, from the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calllog import review_queries
from calllog.review_folds import ReviewState
from config.review_file import Form
from recordings.agreement import Agreement, Grade, agreement, couples
from recordings.forms import form_of


async def agreements(
    store: Path, form: str, *, since: int | None = None, until: int | None = None
) -> list[tuple[Form, Agreement]]:
    """For every version of the form, every two graders who graded the same calls in [since, until) (µs): how far they
    agree. A grader's latest own grade of a call counts; grades that decided an appeal do not: they were not blind.
    Raises StoreError."""
    states = await review_queries.graded_twice(store, form, since=since, until=until)
    versions = {each.version: form_of(each.text) for each in await review_queries.forms(store, form)}
    found = []
    for version, content in versions.items():
        grades = list(_grades(states.values(), form, version))
        found += [(content, agreement(content, grades, first, second)) for first, second in couples(grades)]
    return found


def _grades(states: Iterable[ReviewState], form: str, version: str) -> Iterable[Grade]:
    for state in states:
        latest = {}
        for each in state.reviews:
            given = each.given
            if (given.form, given.version) == (form, version) and not given.appealed:
                latest[given.by] = Grade(
                    state.call_id, given.by, given.answers, given.fatal, given.score, given.passed
                )  # fmt: skip
        yield from latest.values()
