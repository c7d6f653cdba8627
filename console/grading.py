"""What pages and API do with grades: one function each, which checks the verb and whose call it is, and says what is
wrong. Decisions are in ``recordings.reviews``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from calllog import review_queries
from calllog.events import ReviewGiven
from calllog.list_pages import ListWish, find_listed
from calllog.queries import CallDetail
from calllog.review_folds import Comment, Review, ReviewState
from calllog.review_queries import Published
from config.masking import masked_text
from config.review_file import Form
from console import hearing
from console.permits import Verb, Who, own_agent
from console.site import Refusal, Site
from recordings import reviews
from recordings.agreement import Agreement
from recordings.forms import WrongAnswers, form_of, version
from recordings.review_figures import agreements
from recordings.reviews import Filled

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Graded:
    """One grade with its form and texts, and what this person may do with it."""

    review: Review
    form: Form
    title: str
    remarks: Mapping[str, str]
    why: str
    decision: str
    may_correct: bool
    may_appeal: bool
    may_decide: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A comment and its text; erased texts are empty."""

    comment: Comment
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that quality has said of one call, as this person sees it.

    ``hidden``: others' grades are not shown before the own one is given, so that grading twice is blind. ``to_fill``:
    the forms by which this person can grade it still.
    """

    detail: CallDetail
    score: int
    exemplary: bool
    exemplary_by: str
    exemplary_why: str
    grades: tuple[Graded, ...]
    comments: tuple[Said, ...]
    hidden: int
    to_fill: Mapping[str, Form] = field(default_factory=dict)
    may_grade: bool = False
    why_not: str = ""


async def sheet(site: Site, who: Who, call_id: str) -> Sheet:
    """What quality has said of this call. Raises NotPermitted, LookupError."""
    detail = await hearing.call_of(site, who, call_id)
    state = await review_queries.state_of(site.store, call_id)
    texts = await review_queries.texts_of(site.store, call_id)
    forms = {(one.form, one.version): form_of(one.text) for one in await review_queries.forms(site.store)}
    me = reviews.Who(who.name, who.agent)
    facts = _facts(detail)
    blind = await _still_blind(site, who, call_id)
    only = own_agent(who)
    theirs = [each for each in state.reviews if only is None or each.given.agent == only]
    shown = [each for each in theirs if not blind or each.given.by == who.name]
    to_fill = {
        name: form for name, form in site.settings.reviews.forms.items()
        if who.may(Verb.REVIEW_GRADE) and _allowed(partial(reviews.may_give, me, facts, state, name, form))
    }  # fmt: skip
    return Sheet(
        detail, -1 if blind else replace(state, reviews=theirs).score, state.exemplary, state.exemplary_by,
        seen(texts.get(state.exemplary_notes.get("why", ""), ""), who) if state.exemplary else "",
        tuple(_graded(each, who, me, facts, state, forms, texts) for each in shown),
        tuple(
            Said(one, seen(texts.get(one.notes.get("text", ""), ""), who), one.by == who.name)
            for one in sorted(state.comments, key=lambda one: one.at_ms) if not one.removed
        ),
        len(theirs) - len(shown), to_fill, bool(to_fill), _why_not(me, facts) if not to_fill else "",
    )  # fmt: skip


async def form_of_grade(site: Site, who: Who, call_id: str, review_id: str) -> tuple[Graded, Form]:
    """A grade and its form, to be corrected or decided. Raises NotPermitted, LookupError."""
    found = await sheet(site, who, call_id)
    for graded in found.grades:
        if graded.review.given.review_id == review_id and (graded.may_correct or graded.may_decide):
            return graded, graded.form
    raise LookupError(review_id)


async def give(site: Site, who: Who, call_id: str, form: str, filled: Filled) -> ReviewGiven:
    """Grade the call. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_GRADE)
    await hearing.call_of(site, who, call_id)
    return await decided(site.reviews.give(_me(who), call_id, site.settings.reviews, form, filled))


async def correct(site: Site, who: Who, call_id: str, review_id: str, filled: Filled) -> ReviewGiven:
    """Another grade in the place of an own one. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_GRADE)
    await hearing.call_of(site, who, call_id)
    return await decided(site.reviews.correct(_me(who), call_id, review_id, filled))


async def appeal(site: Site, who: Who, call_id: str, review_id: str, why: str) -> None:
    """The agent does not agree. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_APPEAL)
    await hearing.call_of(site, who, call_id)
    await decided(site.reviews.appeal(_me(who), call_id, review_id, why))


async def keep(site: Site, who: Who, call_id: str, review_id: str, why: str) -> None:
    """The appeal is decided: the grade stays. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_DECIDE)
    await hearing.call_of(site, who, call_id)
    await decided(site.reviews.keep(_me(who), call_id, review_id, why))


async def change(site: Site, who: Who, call_id: str, review_id: str, filled: Filled) -> ReviewGiven:
    """The appeal is decided: this grade takes its place. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_DECIDE)
    await hearing.call_of(site, who, call_id)
    return await decided(site.reviews.change(_me(who), call_id, review_id, filled))


async def mark(site: Site, who: Who, call_id: str, on: bool, why: str) -> None:
    """Make the call an example, or no longer, with its reason. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.REVIEW_GRADE)
    await hearing.call_of(site, who, call_id)
    await decided(site.reviews.mark(_me(who), call_id, on, why))


async def comment(site: Site, who: Who, call_id: str, at: float, text: str) -> str:
    """Comment ``at`` seconds into the recording; returns its id. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.COMMENT_WRITE)
    detail = await hearing.call_of(site, who, call_id)
    archived = hearing.recording_of(detail)
    longest = round(archived.frames * 1000 / archived.rate) if archived is not None and archived.rate else 0
    at_ms = round(at * 1000) if 0 <= at < 10**6 else -1
    return await decided(site.reviews.comment(_me(who), call_id, at_ms, text, longest))


async def uncomment(site: Site, who: Who, call_id: str, comment_id: str) -> None:
    """Take an own comment back. Raises NotPermitted, LookupError, Refusal."""
    who.must(Verb.COMMENT_WRITE)
    await hearing.call_of(site, who, call_id)
    await decided(site.reviews.uncomment(_me(who), call_id, comment_id))


async def agreement(
    site: Site, who: Who, *, since: int | None = None, until: int | None = None
) -> list[tuple[str, Form, Agreement]]:
    """By form and version, how far every two graders agree. Raises NotPermitted."""
    who.must(Verb.REVIEW_PLAN)
    names = sorted({one.form for one in await review_queries.forms(site.store)})
    return [
        (name, form, found)
        for name in names for form, found in await agreements(site.store, name, since=since, until=until)
    ]  # fmt: skip


async def forms(site: Site, who: Who) -> tuple[dict[str, Form], list[Published]]:
    """The forms in force, and every version that was ever used. Raises NotPermitted."""
    who.must(Verb.REVIEW_READ)
    return site.settings.reviews.forms, await review_queries.forms(site.store)


async def _still_blind(site: Site, who: Who, call_id: str) -> bool:
    """Whether this grader has the call on their list and has not graded it yet."""
    if not who.may(Verb.REVIEW_GRADE):
        return False
    return bool((await find_listed(site.store, ListWish(who.name, call_id=call_id), limit=1)).rows)


def _graded(
    each: Review, who: Who, me: reviews.Who, facts: reviews.CallFacts, state: ReviewState,
    forms: Mapping[tuple[str, str], Form], texts: Mapping[str, str],
) -> Graded:  # fmt: skip
    given = each.given
    form = forms[given.form, given.version]

    def said(note: str, own: bool = False) -> str:
        """As this person may read it; what they wrote themselves is whole, since a correction begins with it."""
        return texts.get(note, "") if own else seen(texts.get(note, ""), who)

    return Graded(
        each, form, form.title, {name: said(note, given.by == who.name) for name, note in given.notes.items()},
        said(each.appeal_notes.get("why", "")), said(each.decision_notes.get("decision", "")),
        who.may(Verb.REVIEW_GRADE) and _allowed(lambda: reviews.may_correct(me, facts, state, given.review_id)),
        who.may(Verb.REVIEW_APPEAL) and _allowed(lambda: reviews.may_appeal(me, state, given.review_id)),
        who.may(Verb.REVIEW_DECIDE) and _allowed(lambda: reviews.may_decide(me, facts, state, given.review_id)),
    )  # fmt: skip


def seen(text: str, who: Who) -> str:
    """A text with its numbers masked for whoever may not see them."""
    return text if who.may(Verb.NUMBER_SEE) else masked_text(text)


def _allowed(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except reviews.Refused:
        return False
    return True


def _why_not(me: reviews.Who, facts: reviews.CallFacts) -> str:
    try:
        reviews.may_grade(me, facts)
    except reviews.Refused as refused:
        return str(refused)
    return ""


def _facts(detail: CallDetail) -> reviews.CallFacts:
    finished = any(one.category == "call" and one.state == "finished" for one in detail.recordings)
    return reviews.CallFacts(detail.row.call_id, detail.row.agents, finished, detail.row.talk_us / 1e6)


def _me(who: Who) -> reviews.Who:
    return reviews.Who(who.name, who.agent)


async def decided(work: Awaitable[T]) -> T:
    """What grading decided. Raises Refusal where it refused."""
    try:
        return await work
    except reviews.Refused as refused:
        raise Refusal(str(refused)) from None
    except WrongAnswers as wrong:
        raise Refusal(str(wrong), status=422) from None


def version_of(form: Form) -> str:
    """For pages: the version of a form in force."""
    return version(form)
