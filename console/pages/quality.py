"""The quality room: a grader's list, and grades, appeals, examples, agreement, forms. One recording: ``recording``."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from calllog.review_queries import ReviewRow
from config.catalogue import _, ngettext
from console import grading, hearing, taking
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal
from recordings.notes import say
from recordings.sampling import week_of

room = Room("quality", title=lambda: _("Quality"), path="/quality", verb=Verb.REVIEW_READ, order=40)

Text = Annotated[str, Form(max_length=200)]
WEEK = dt.timedelta(days=7)


def tabs(ask: Ask) -> list[tuple[str, str, str]]:
    """The room's parts that this person may enter: name, path, title."""
    found = []
    if ask.may(Verb.REVIEW_GRADE):
        found.append(("list", "/quality", _("My list")))
    found.append(("grades", "/quality/grades", _("Grades")))
    found.append(("appeals", "/quality/appeals", _("Appeals")))
    found.append(("exemplary", "/quality/exemplary", _("Exemplary")))
    if ask.may(Verb.REVIEW_PLAN):
        found.append(("lists", "/quality/lists", _("All lists")))
        found.append(("agreement", "/quality/agreement", _("Agreement")))
    if ask.may(Verb.RECORDING_VERIFY):
        found.append(("coverage", "/quality/coverage", _("Recording coverage")))
    found.append(("forms", "/quality/forms", _("Forms")))
    return found


@room.page("/quality", Verb.REVIEW_READ)
async def own_list(ask: Asked, done: Annotated[bool, Query()] = False) -> Response:
    """A grader's list; for everybody else the grades."""
    if not ask.may(Verb.REVIEW_GRADE):
        return await grades(ask)
    due, graded = await grading.todo(ask.site, ask.who), await grading.todo(ask.site, ask.who, done=True)
    return await ask.page("quality_list.html", tabs=tabs(ask), here="list", rows=graded if done else due, done=done,
                          due=len(due), graded=len(graded), agents=ask.site.settings.agents.agents,
                          queues=ask.site.settings.queues.queues, forms=ask.site.settings.reviews.forms)  # fmt: skip


@room.page("/quality/grades", Verb.REVIEW_READ)
async def grades(ask: Asked) -> Response:
    """Grades that count."""
    rows = await grading.grades(ask.site, ask.who)
    return await ask.page("quality_grades.html", tabs=tabs(ask), here="grades", rows=rows,
                          agents=ask.site.settings.agents.agents, figures=_figures(rows),
                          reasons=hearing.reasons(ask.who))  # fmt: skip


@room.page("/quality/appeals", Verb.REVIEW_READ)
async def appeals(ask: Asked) -> Response:
    """Appeals that wait for a decision, and those that were decided."""
    rows = [row for appeal in ("open", "kept", "changed")
            for row in await grading.grades(ask.site, ask.who, appeal=appeal)]  # fmt: skip
    return await ask.page("quality_grades.html", tabs=tabs(ask), here="appeals", rows=rows,
                          agents=ask.site.settings.agents.agents, figures=None,
                          reasons=hearing.reasons(ask.who))  # fmt: skip


@room.page("/quality/exemplary", Verb.REVIEW_READ)
async def exemplary(ask: Asked) -> Response:
    """Calls that others can learn from."""
    return await ask.page("quality_exemplary.html", tabs=tabs(ask), here="exemplary",
                          rows=await grading.exemplary(ask.site, ask.who), reasons=hearing.reasons(ask.who),
                          agents=ask.site.settings.agents.agents)  # fmt: skip


@room.page("/quality/lists", Verb.REVIEW_PLAN)
async def lists(ask: Asked) -> Response:
    """Everybody's lists, and where they are drawn."""
    due = await grading.todo(ask.site, ask.who, everybody=True)
    graded = await grading.todo(ask.site, ask.who, everybody=True, done=True)
    left, done = Counter(row.grader for row in due), Counter(row.grader for row in graded)
    zone = ask.site.settings.hotline.zone
    return await ask.page("quality_lists.html", tabs=tabs(ask), here="lists", rows=due, left=left, done=done,
                          graders=sorted(left.keys() | done.keys()), plans=ask.site.settings.reviews.plans,
                          week=week_of(ask.site.wall() - WEEK, zone), agents=ask.site.settings.agents.agents,
                          queues=ask.site.settings.queues.queues)  # fmt: skip


@room.act("/quality/lists", Verb.REVIEW_PLAN)
async def draw(ask: Asked, week: Text = "", plan: Text = "") -> Response:
    """Fill the lists for a week."""
    users = await ask.thread(ask.office.accounts.users, grading.draws_as())
    bound = {user.name: user.agent for user in users if user.agent}
    try:
        drew = await grading.draw(ask.site, ask.who, week, bound, plan or None)
    except Refusal as refusal:
        return ask.go("/quality/lists", said=str(refusal), bad=True)
    n = sum(len(one.drawing.picks) for one in drew)
    said = ngettext("{n} call was added to the lists.", "{n} calls were added to the lists.", n).format(n=n)
    if left := sum(len(one.drawing.nobody) for one in drew):
        said += " " + ngettext("{n} call has nobody who may grade it.", "{n} calls have nobody who may grade them.",
                               left).format(n=left)  # fmt: skip
    return ask.go("/quality/lists", said=said)


@room.page("/quality/agreement", Verb.REVIEW_PLAN)
async def agreement(ask: Asked) -> Response:
    """How far graders agree."""
    return await ask.page("quality_agreement.html", tabs=tabs(ask), here="agreement",
                          found=await grading.agreement(ask.site, ask.who))  # fmt: skip


@room.page("/quality/coverage", Verb.RECORDING_VERIFY)
async def coverage(ask: Asked, days: Annotated[int, Query(ge=1, le=366)] = 7) -> Response:
    """Which talks have a verified recording, and why the others have none."""
    since = ask.site.now() - days * 86_400_000_000
    found = await taking.coverage(ask.site, ask.who, since)
    return await ask.page("quality_coverage.html", tabs=tabs(ask), here="coverage", found=found, days=days, say=say,
                          agents=ask.site.settings.agents.agents)  # fmt: skip


@room.page("/quality/forms", Verb.REVIEW_READ)
async def forms(ask: Asked) -> Response:
    """The forms in force, whole, and earlier versions by name."""
    in_force, used = await grading.forms(ask.site, ask.who)
    now = {(name, grading.version_of(form)) for name, form in in_force.items()}
    return await ask.page("quality_forms.html", tabs=tabs(ask), here="forms", forms=in_force,
                          version=grading.version_of, used=used, now=now)  # fmt: skip


def _figures(rows: list[ReviewRow]) -> dict[str, object] | None:
    if not rows:
        return None
    scores = [row.score for row in rows]
    return {
        "n": len(rows), "mean": (2 * sum(scores) + len(scores)) // (2 * len(scores)),
        "passed": sum(row.passed for row in rows), "fatal": sum(row.fatal > 0 for row in rows),
        "appeals": sum(row.appeal == "open" for row in rows),
    }  # fmt: skip
