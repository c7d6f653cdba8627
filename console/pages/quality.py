"""The quality room: a grader's list, and grades, appeals, examples, agreement, forms. One recording: ``recording``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query
from starlette.requests import Request
from starlette.responses import Response

from calllog.list_pages import ListedRow
from calllog.paging import Page
from calllog.rating_queries import By
from calllog.rating_words import formulas, percent
from calllog.survey_words import RATINGS
from config.catalogue import _, ngettext
from console import grade_lists, grading, hearing, satisfaction as figures, taking
from console.ask import Ask, Asked
from console.called import Called
from console.graders import absent_word, what_to_do
from console.pages.calls import periods
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal
from recordings.notes import say
from recordings.sampling import week_of

room = Room("quality", title=lambda: _("Quality"), path="/quality", verb=Verb.REVIEW_READ, order=40)

Text = Annotated[str, Form(max_length=200)]
Id = Annotated[str, Query(max_length=200)]
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
    if ask.may(Verb.RECORDING_EXPORT):
        found.append(("exports", "/quality/exports", _("Exports")))
    if ask.may(Verb.RECORDING_VERIFY):
        found.append(("coverage", "/quality/coverage", _("Recorded")))
    found.append(("satisfaction", "/quality/satisfaction", _("Satisfaction")))
    found.append(("forms", "/quality/forms", _("Forms")))
    return found


@room.page("/quality", Verb.REVIEW_READ)
async def own_list(ask: Asked, request: Request, done: bool = False, after: Id = "", before: Id = "") -> Response:
    """A grader's list; for everybody else the grades."""
    if not ask.may(Verb.REVIEW_GRADE):
        return await grades(ask, request)
    page = await grade_lists.todo(ask.site, ask.who, done=done, after=after or None, before=before or None)
    (figures,) = await grade_lists.figures(ask.site, ask.who)
    drafts = await ask.thread(ask.office.drafts.of, ask.who.user_id)
    return await ask.page("quality_list.html", tabs=tabs(ask), here="list", page=page, done=done, figures=figures,
                          query=urlencode({"done": "true"}) if done else "", overdue=_overdue(ask), drafts=drafts,
                          forms=ask.site.settings.reviews.forms, **_names(ask))  # fmt: skip


@room.page("/quality/grades", Verb.REVIEW_READ)
async def grades(ask: Asked, request: Request, after: Id = "", before: Id = "") -> Response:
    """Grades that count; to htmx the list alone."""
    fields = {key: request.query_params[key].strip() for key in grade_lists.FIELDS if request.query_params.get(key)}
    return await _grades(ask, "grades", fields, after, before)


@room.page("/quality/appeals", Verb.REVIEW_READ)
async def appeals(ask: Asked, appeal: Literal["open", "decided"] = "open", after: Id = "", before: Id = "") -> Response:
    """Appeals that wait for a decision, or those that were decided."""
    return await _grades(ask, "appeals", {"appeal": appeal}, after, before)


async def _grades(ask: Ask, here: str, fields: Mapping[str, str], after: str, before: str) -> Response:
    sought = dict(fields)
    try:
        if "grader" in fields:
            sought["grader"] = await ask.thread(Called(ask.office).sought, fields["grader"])
    except Refusal as refusal:
        found = grade_lists.Graded(Page(()), None, {"grader": str(refusal)})
    else:
        found = await grade_lists.grades(ask.site, ask.who, sought, after=after or None, before=before or None)
    settings = ask.site.settings
    values: dict[str, Any] = {
        "here": here, "path": f"/quality/{here}", "found": found, "page": found.page, "figures": found.figures,
        "fields": {key: fields.get(key, "") for key in grade_lists.FIELDS}, "query": urlencode(sought),
        "faults": {key: (_title(key), why) for key, why in found.faults.items()},
        "reasons": hearing.reasons(ask.who), "source": "grades", "forms": settings.reviews.forms,
        **_names(ask),
    }  # fmt: skip
    if ask.htmx:
        return await ask.page("_grades.html", **values)
    choices = {
        "agent": [(number, agent.name) for number, agent in settings.agents.agents.items()],
        "form": [(name, form.title) for name, form in settings.reviews.forms.items()],
        "result": [("passed", _("passed")), ("failed", _("not passed")), ("fatal", _("fatal"))],
        "appeal": [("open", _("appeal open")), ("kept", _("appeal: kept")), ("changed", _("appeal: changed"))],
        "period": periods(ask),
    }  # fmt: skip
    return await ask.page("quality_grades.html", tabs=tabs(ask), choices=choices, all_agents=ask.may(Verb.REVIEW_PLAN),
                          **values)  # fmt: skip


def _title(field: str) -> str:
    return {
        "agent": _("Agent"), "grader": _("Grader"), "form": _("Form"), "score": _("Score"), "result": _("Result"),
        "appeal": _("Appeal"), "period": _("Time"), "since": _("Since"), "until": _("Until"),
    }[field]  # fmt: skip


@room.page("/quality/exemplary", Verb.REVIEW_READ)
async def exemplary(ask: Asked, after: Id = "", before: Id = "") -> Response:
    """Calls that others can learn from."""
    page = await grade_lists.examples(ask.site, ask.who, after=after or None, before=before or None)
    return await ask.page("quality_exemplary.html", tabs=tabs(ask), here="exemplary", page=page,
                          reasons=hearing.reasons(ask.who), **_names(ask))  # fmt: skip


@room.page("/quality/lists", Verb.REVIEW_PLAN)
async def lists(
    ask: Asked, grader: Id = "", week: Id = "", done: bool = False, after: Id = "", before: Id = ""
) -> Response:
    """Everybody's lists, and where they are drawn."""
    page = await grade_lists.todo(ask.site, ask.who, everybody=True, grader=grader or None, week=week.upper() or None,
                                  done=done, after=after or None, before=before or None)  # fmt: skip
    zone, absent = ask.site.settings.hotline.zone, await grade_lists.absent(ask.office)
    wish = {"grader": grader, "week": week, "done": "true" if done else ""}
    query = urlencode({key: value for key, value in wish.items() if value})
    return await ask.page("quality_lists.html", tabs=tabs(ask), here="lists", page=page, done=done, grader=grader,
                          figures=await grade_lists.figures(ask.site, ask.who, everybody=True), query=query,
                          plans=ask.site.settings.reviews.plans, absent=absent, absent_word=absent_word,
                          what_to_do=what_to_do(absent), overdue=_overdue(ask), wanted_week=week,
                          week=week_of(ask.site.wall() - WEEK, zone), **_names(ask))  # fmt: skip


@room.act("/quality/lists", Verb.REVIEW_PLAN)
async def draw(ask: Asked, week: Text = "", plan: Text = "") -> Response:
    """Fill the lists for a week."""
    users = await grade_lists.users(ask.office)
    try:
        drew, gone = await grade_lists.draw(ask.site, ask.who, week, users, plan or None)
    except Refusal as refusal:
        return ask.go("/quality/lists", said=str(refusal), bad=True)
    n = sum(len(one.drawing.picks) for one in drew)
    said = ngettext("{n} call was added to the lists.", "{n} calls were added to the lists.", n).format(n=n)
    if not n:
        said = _("Nothing was added: what the plans take of that week is on the lists already, or it has no such "
                 "calls.")  # fmt: skip
    if left := sum(len(one.drawing.nobody) for one in drew):
        said += " " + ngettext("{n} call has nobody who may grade it.", "{n} calls have nobody who may grade them.",
                               left).format(n=left)  # fmt: skip
    if gone:
        said += " " + _("Nothing is drawn for them: {who}.").format(who="; ".join(map(absent_word, gone)))
        said += " " + what_to_do(gone)
    return ask.go("/quality/lists", said=said, bad=bool(gone))


def _names(ask: Ask) -> dict[str, Any]:
    settings = ask.site.settings
    return {"agents": settings.agents.agents, "queues": settings.queues.queues}


def _overdue(ask: Ask) -> Callable[[ListedRow], bool]:
    """Whether a call on a list should have been graded by now."""
    now = ask.site.now()
    return lambda row: not row.review_id and grade_lists.due_at(ask.site, row) <= now


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


@room.page("/quality/satisfaction", Verb.REVIEW_READ)
async def satisfaction(
    ask: Asked, by: By = "agent", days: Annotated[int, Query(ge=1, le=figures.MOST_DAYS)] = 7,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:  # fmt: skip
    """What callers said of their talks; to an agent, of their own."""
    found, settings = await figures.satisfaction(ask.site, ask.who, by, days), ask.site.settings
    kinds: list[tuple[By, str]] = [("agent", _("Agent")), ("queue", _("Queue")), ("day", _("Day"))]
    pages = max(1, -(-len(found.lines) // figures.PAGE))
    page = min(page, pages)
    lines = found.lines[(page - 1) * figures.PAGE : page * figures.PAGE]
    return await ask.page(
        "quality_satisfaction.html", tabs=tabs(ask), here="satisfaction", found=found, lines=lines, by=by, days=days,
        kinds=kinds, page=page, pages=pages, title=dict(kinds)[by], ratings=RATINGS, percent=percent,
        formulas=formulas(), since=found.since.strftime("%Y-%m-%dT%H:%M"), bad_from=settings.hotline.survey.bad_from,
        asking=settings.hotline.survey.enabled, agents=settings.agents.agents, queues=settings.queues.queues,
    )  # fmt: skip


@room.page("/quality/forms", Verb.REVIEW_READ)
async def forms(ask: Asked) -> Response:
    """The forms in force, whole, and earlier versions by name."""
    in_force, used = await grading.forms(ask.site, ask.who)
    now = {(name, grading.version_of(form)) for name, form in in_force.items()}
    return await ask.page("quality_forms.html", tabs=tabs(ask), here="forms", forms=in_force,
                          version=grading.version_of, used=used, now=now)  # fmt: skip
