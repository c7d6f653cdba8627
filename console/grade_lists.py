"""Grades, graders' lists and examples as pages and API show them: found by wishes, page by page, within what this
person may see; and the draw that fills the lists."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from calllog import list_pages, review_pages, review_queries
from calllog.list_pages import ListedRow, ListFigures, ListWish, Turn
from calllog.paging import Page
from calllog.review_pages import ExemplaryRow, Figures, GradeWish, ReviewRow
from config.catalogue import _
from console import calls, graders
from console.accounts import User
from console.grading import decided, seen
from console.office import Office
from console.permits import Verb, Who, command_line, own_agent
from console.site import Refusal, Site
from recordings.review_desk import Drew

PAGE = 50
"""Rows of one page."""
MOST = 200
"""Rows that a program may ask for at once."""

FIELDS = ("agent", "grader", "form", "score", "result", "appeal", "period", "since", "until")
"""Of a wish for grades, as addresses and forms name them, in the order in which they are shown."""
RESULTS: tuple[str, ...] = ("passed", "failed", "fatal")
APPEALS: tuple[str, ...] = ("open", "kept", "changed", "decided", "any")

DAY = 86_400_000_000
OTHER_WITHIN = 7
"""Days for a list of a plan that is no more."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One page of grades, the newest first, and the figures of all of them (None on later pages, and where a field
    was not understood: ``faults`` says why)."""

    page: Page[ReviewRow]
    figures: Figures | None = None
    faults: Mapping[str, str] = field(default_factory=dict)


def wish_of(site: Site, who: Who, fields: Mapping[str, str]) -> tuple[GradeWish, dict[str, str]]:
    """The wish in these fields, and by field why it cannot be understood."""
    given = {name: fields.get(name, "").strip() for name in FIELDS}
    question = calls.asked({name: given[name] for name in ("agent", "score", "period", "since", "until")}, site, who)
    wanted, faults = question.wanted, dict(question.faults)
    for name, known in (("result", RESULTS), ("appeal", APPEALS)):
        if given[name] and given[name] not in known:
            faults[name] = _("Write one of: {known}.").format(known=", ".join(known))
    for name in ("grader", "form"):
        if len(given[name]) > 200:
            faults[name] = _("At most {n} characters.").format(n=200)
    score, own = wanted.score, own_agent(who)
    values: dict[str, Any] = {
        "agent": wanted.agent if own is None else own, "grader": given["grader"] or None,
        "form": given["form"] or None, "least": score.least if score else None,
        "most": score.most if score else None,
        "result": given["result"] or None, "appeal": given["appeal"] or None, "since": wanted.since,
        "until": wanted.until, "standing": given["appeal"] not in ("changed", "decided", "any"),
        "blind": who.name if who.may(Verb.REVIEW_GRADE) else None,
    }  # fmt: skip
    return GradeWish(**values), faults


async def grades(
    site: Site, who: Who, fields: Mapping[str, str], *, limit: int = PAGE, after: str | None = None,
    before: str | None = None,
) -> Graded:  # fmt: skip
    """Grades that count, the newest first (with an appeal that was decided also those that it changed); an agent sees
    their own, a grader none of others on the calls that they have still to grade. Raises NotPermitted, StoreError."""
    who.must(Verb.REVIEW_READ)
    wish, faults = wish_of(site, who, fields)
    if faults:
        return Graded(Page(()), None, faults)
    if own_agent(who) == "":
        return Graded(Page(()), Figures())
    page = review_pages.find_grades(site.store, wish, limit=limit, after=after, before=before)
    if after or before:
        return Graded(await page)
    found, figures = await asyncio.gather(page, review_pages.grade_figures(site.store, wish))
    return Graded(found, figures)


async def graded_calls(site: Site, who: Who, fields: Mapping[str, str], limit: int) -> list[str]:
    """The calls of all grades that are as wished. Raises NotPermitted, Refusal, StoreError."""
    who.must(Verb.REVIEW_READ)
    wish, faults = wish_of(site, who, fields)
    for why in faults.values():
        raise Refusal(why, status=422)
    return [] if own_agent(who) == "" else await review_pages.graded_calls(site.store, wish, limit)


async def todo(
    site: Site, who: Who, *, done: bool = False, grader: str | None = None, everybody: bool = False,
    week: str | None = None, limit: int = PAGE, after: str | None = None, before: str | None = None,
) -> Page[ListedRow]:  # fmt: skip
    """This grader's list, or everybody's (or that of one ``grader``). Raises NotPermitted, StoreError."""
    who.must(Verb.REVIEW_PLAN if everybody else Verb.REVIEW_GRADE)
    wish = ListWish(grader if everybody else who.name, week or None, done)
    page = await list_pages.find_listed(site.store, wish, limit=limit, after=after, before=before)
    return await _blind(site, who, page)


async def figures(site: Site, who: Who, *, everybody: bool = False) -> list[ListFigures]:
    """How far this grader is, or everybody. Raises NotPermitted, StoreError."""
    who.must(Verb.REVIEW_PLAN if everybody else Verb.REVIEW_GRADE)
    now = site.now()
    due = {name: now - plan.within * DAY for name, plan in site.settings.reviews.plans.items()}
    other = now - OTHER_WITHIN * DAY
    found = await list_pages.list_figures(site.store, due, other, None if everybody else who.name)
    return found if everybody else found or [ListFigures(who.name, 0, 0, 0)]


def due_at(site: Site, row: ListedRow) -> int:
    """When this call is overdue, in µs."""
    plan = site.settings.reviews.plans.get(row.plan)
    return row.drawn_at + (plan.within if plan is not None else OTHER_WITHIN) * DAY


async def turn(site: Site, who: Who, call_id: str) -> Turn:
    """Where this grader is in their list; nowhere for others. Raises StoreError."""
    if not who.may(Verb.REVIEW_GRADE):
        return Turn(0, 0)
    return await list_pages.turn(site.store, who.name, call_id)


async def examples(
    site: Site, who: Who, *, limit: int = PAGE, after: str | None = None, before: str | None = None
) -> Page[ExemplaryRow]:
    """Calls that others can learn from, the last one marked first; an agent sees their own. Raises NotPermitted."""
    who.must(Verb.REVIEW_READ)
    only = own_agent(who)
    if only == "":
        return Page(())
    page = await review_queries.examples(site.store, agent=only, limit=limit, after=after, before=before)
    return await _blind(site, who, replace(page, rows=tuple(replace(row, why=seen(row.why, who)) for row in page.rows)))


Scored = TypeVar("Scored", ListedRow, ExemplaryRow)


async def _blind(site: Site, who: Who, page: Page[Scored]) -> Page[Scored]:
    """The rows, without the score of a call that this person has still to grade."""
    if not who.may(Verb.REVIEW_GRADE) or not any(row.score >= 0 for row in page.rows):
        return page
    calls_left = await list_pages.open_of(site.store, who.name)
    return replace(page, rows=tuple(
        replace(row, score=-1) if row.call_id in calls_left else row for row in page.rows
    ))  # fmt: skip


# --- the draw -----------------------------------------------------------------------------------------------------


async def draw(
    site: Site, who: Who, week: str, users: Sequence[User], plan: str | None = None
) -> tuple[list[Drew], list[graders.Absent]]:
    """Fill the lists for a week, of those graders who can grade; and those who cannot. Raises NotPermitted, Refusal."""
    who.must(Verb.REVIEW_PLAN)
    settings = site.settings
    gone = [one for one in graders.absent(settings.reviews, users) if plan in (None, one.plan)]
    file = graders.with_those_there(settings.reviews, users)
    if gone and (plan not in file.plans if plan else not file.plans):
        what = "; ".join(map(graders.absent_word, gone))
        raise Refusal(f"{what}. {graders.what_to_do(gone)}")
    try:
        drew = await decided(
            site.reviews.draw(
                who.name, file, week.strip().upper(), settings.hotline.zone, graders.bound(users), plan,
                bad_from=settings.hotline.survey.bad_from,
            )
        )
    except ValueError:
        raise Refusal(_("{week} is no week: write one as 2026-W48.").format(week=week[:20]), status=404) from None
    return drew, gone


async def users(office: Office) -> list[User]:
    """Everybody who is a user, for the draw: asked by the console itself."""
    return await office.thread(office.accounts.users, command_line("console"))


async def absent(office: Office) -> list[graders.Absent]:
    """Graders of plans who cannot grade."""
    plans = office.site.settings.reviews
    return graders.absent(plans, await users(office)) if plans.plans else []


async def missed(office: Office) -> list[graders.Absent]:
    """The same, once anybody is of the quality staff: what the status tells."""
    gone = await absent(office)
    return gone if gone and graders.begun(await users(office)) else []
