"""``hotline reviews show``: all that was graded and said of one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calllog import review_queries
from calllog.review_folds import Review, ReviewState
from calllog.wording import BAD, DIM, GOOD, WARN, Names
from config.catalogue import _
from config.review_file import Form
from config.settings import Settings
from hotline.show import clock, iso, moment, visible
from recordings.forms import form_of
from recordings.review_words import answer_word, appeal_word, total

Line = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A call's grades, the forms they were given by, and the texts."""

    call_id: str
    state: ReviewState
    forms: Mapping[tuple[str, str], Form]
    texts: Mapping[str, str]


async def read(store: Path, call_id: str) -> Page:
    """What there is of this call. Raises StoreError."""
    state = await review_queries.state_of(store, call_id)
    texts = await review_queries.texts_of(store, call_id)
    forms = {(one.form, one.version): form_of(one.text) for one in await review_queries.forms(store)}
    return Page(call_id, state, forms, texts)


def as_json(page: Page, settings: Settings) -> dict[str, Any]:
    """For a program."""
    zone = settings.hotline.zone

    def texts(notes: Mapping[str, str]) -> dict[str, str]:
        return {name: page.texts.get(note, "") for name, note in notes.items()}

    return {
        "call_id": page.call_id,
        "score": page.state.score / 10 if page.state.score >= 0 else None,
        "exemplary": page.state.exemplary,
        "grades": [
            {
                "review_id": each.given.review_id, "form": each.given.form, "version": each.given.version,
                "grader": each.given.by, "agent": each.given.agent, "given_at": iso(each.at, zone),
                "score": each.given.score / 10, "passed": each.given.passed, "fatal": list(each.given.fatal),
                "answers": each.given.answers, "remarks": texts(each.given.notes), "standing": each.standing,
                "corrects": each.given.corrects, "appeal": each.appeal, "appeal_texts": texts(each.appeal_notes),
                "decided_by": each.decided_by, "decision_texts": texts(each.decision_notes),
            }
            for each in page.state.reviews
        ],
        "comments": [
            {"comment_id": one.comment_id, "by": one.by, "at_s": one.at_ms / 1000, "made_at": iso(one.made_at, zone),
             **texts(one.notes)}
            for one in page.state.comments if not one.removed
        ],
    }  # fmt: skip


def lines(page: Page, settings: Settings) -> list[Line]:
    """For a person."""
    found: list[Line] = []
    for review in page.state.reviews:
        found += [*_grade(page, review, settings), []]
    comments = [one for one in page.state.comments if not one.removed]
    if comments:
        found.append([(_("Comments"), "bold")])
    for one in sorted(comments, key=lambda one: one.at_ms):
        text = visible(page.texts.get(one.notes.get("text", ""), "")) or _("(erased)")
        found.append([(f"  {clock(one.at_ms / 1000):>7}  ", DIM), (f"{one.by}: {text}", "")])
    if page.state.exemplary:
        found.append([(_("Exemplary: others can learn from it."), GOOD)])
    return found


def _grade(page: Page, review: Review, settings: Settings) -> Iterator[Line]:
    given, zone = review.given, settings.hotline.zone
    style = DIM if not review.standing else BAD if not given.passed else GOOD
    head = _("{grader} graded {agent} by {form}, {time}").format(
        grader=given.by, agent=Names.of(settings).agent(given.agent), form=given.form, time=moment(review.at, zone)
    )
    yield [(f"{total(given.score):>5}  ", f"bold {style}"), (head, "bold" if review.standing else DIM),
           ("" if review.standing else f"  {_('replaced')}", DIM)]  # fmt: skip
    form = page.forms.get((given.form, given.version))
    if form is None:
        return
    for name in given.fatal:
        yield [(f"       ✗ {form.fatal.get(name, name)}", BAD)]
    for group in form.groups.values():
        for name, point in group.points.items():
            answer = given.answers[name]
            yield [(f"       {answer_word(point, answer):>8}  ", "" if answer else WARN), (point.ask, ""),
                   *_remark(page, given.notes.get(name))]  # fmt: skip
    if "" in given.notes:
        yield [("       ", ""), *_remark(page, given.notes[""])]
    if review.appeal:
        yield [(f"       {appeal_word(review.appeal)}", WARN), *_remark(page, review.appeal_notes.get("why"))]
        if review.decided_by:
            yield [(f"       {review.decided_by}", ""), *_remark(page, review.decision_notes.get("decision"))]


def _remark(page: Page, note: str | None) -> Line:
    return [] if note is None else [(f"  {visible(page.texts.get(note, '')) or _('(erased)')}", "italic")]
