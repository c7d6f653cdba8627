"""Who may grade what, and what a grade, an appeal and its decision are. Pure: state in, event out, or Refused.

The rules: nobody grades a call in which they talked; one grade per grader, form version and call; a grade is never
edited, its grader may correct it by another one as long as nobody has appealed; the agent who was graded may appeal
once; somebody who neither gave the grade nor talked in the call decides: it stays, or theirs takes its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import msgspec
from uuid_utils import uuid7

from calllog.events import AppealDecided, AppealMade, Commented, CommentRemoved, ExemplaryMarked, ReviewGiven
from calllog.review_folds import Review, ReviewState
from config.catalogue import _
from config.review_file import Form, ReviewFile
from recordings.forms import score, version

LONGEST_REMARK = 2000
"""Characters of one remark, reason or comment."""


class Refused(Exception):
    """It may not be done; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody at the console: the name they sign in with, and the staff number of one who answers calls too."""

    name: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What grading must know of a call: who talked with the caller, in order, and whether there is a recording."""

    call_id: str
    agents: tuple[str, ...]
    recorded: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as a grader filled it in. ``remarks`` by point, "" for the call; ``agent``: whom it grades, if several."""

    answers: Mapping[str, int]
    fatal: Collection[str] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)
    agent: str = ""


def no_form(name: str, file: ReviewFile) -> str:
    """That there is none of this name, and which there are."""
    known = _(", ").join(form.title for form in file.forms.values()) or "–"
    return _("There is no form {form} any more: open the call again and choose another ({known}).").format(
        form=name[:40], known=known
    )


def give(who: Who, call: CallFacts, state: ReviewState, name: str, form: Form, filled: Filled) -> ReviewGiven:
    """The first grade of this grader by this form. Raises Refused, WrongAnswers."""
    may_give(who, call, state, name, form)
    return _given(who, call, name, version(form), form, filled)


def may_give(who: Who, call: CallFacts, state: ReviewState, name: str, form: Form) -> None:
    """Raises Refused where this grader cannot grade the call by this form."""
    may_grade(who, call)
    if _own(who, state, name, version(form)):
        raise Refused(_("You have graded this call by this form: correct that grade instead."))


def correct(
    who: Who, call: CallFacts, state: ReviewState, review_id: str, form: Form, filled: Filled
) -> ReviewGiven:
    """The grade that takes the place of an own one, by the same version of the form. Raises Refused, WrongAnswers."""
    before = may_correct(who, call, state, review_id).given
    given = _given(who, call, before.form, before.version, form, filled, before.agent)
    return _after(given, review_id)


def may_correct(who: Who, call: CallFacts, state: ReviewState, review_id: str) -> Review:
    """The grade that is to be corrected. Raises Refused."""
    may_grade(who, call)
    before = _standing(state, review_id)
    if before.given.by != who.name:
        raise Refused(_("Only {name} can correct this grade; the agent can appeal.").format(name=before.given.by))
    if before.appeal or before.given.appealed:
        raise Refused(_("There is an appeal against this grade: who decides it changes the grade, or keeps it."))
    return before


def appeal(who: Who, state: ReviewState, review_id: str, why: str) -> AppealMade:
    """The agent who was graded does not agree. Raises Refused."""
    may_appeal(who, state, review_id)
    if not why.strip():
        raise Refused(_("Say why: whoever decides needs the reason."))
    return AppealMade(review_id=review_id, by=who.name, agent=who.agent)


def may_appeal(who: Who, state: ReviewState, review_id: str) -> None:
    """Raises Refused where this person cannot appeal."""
    review = _standing(state, review_id)
    if not who.agent or who.agent != review.given.agent:
        raise Refused(_("Only the agent who was graded can appeal."))
    if review.appeal or review.given.appealed:
        raise Refused(_("An appeal can be made once; it is open, or was decided."))


def keep(who: Who, call: CallFacts, state: ReviewState, review_id: str, why: str) -> AppealDecided:
    """The appeal is decided: the grade stays. Raises Refused."""
    may_decide(who, call, state, review_id)
    if not why.strip():
        raise Refused(_("Say why: the agent has a right to the reason."))
    return AppealDecided(review_id=review_id, by=who.name)


def change(who: Who, call: CallFacts, state: ReviewState, review_id: str, form: Form, filled: Filled) -> ReviewGiven:
    """The appeal is decided: this grade takes the place of the other. Raises Refused, WrongAnswers."""
    review = may_decide(who, call, state, review_id)
    before = review.given
    return _after(_given(who, call, before.form, before.version, form, filled, before.agent), review_id, appealed=True)


def mark(who: Who, call: CallFacts, state: ReviewState, on: bool, why: str) -> ExemplaryMarked:
    """Make the call an example for others, or no longer; either with a reason. Raises Refused."""
    may_grade(who, call)
    if not why.strip():
        raise Refused(_("Say what others can learn from it.") if on else _("Say why it is no example any more."))
    if state.exemplary == on:
        raise Refused(_("It is one already.") if on else _("It is none."))
    return ExemplaryMarked(by=who.name, on=on)


def comment(who: Who, call: CallFacts, at_ms: int, text: str, longest_ms: int) -> Commented:
    """A comment at a moment of the recording. Raises Refused."""
    if not call.recorded:
        raise Refused(_("This call has no recording."))
    if not text.strip():
        raise Refused(_("The comment is empty."))
    if not 0 <= at_ms <= longest_ms:
        raise Refused(_("The recording has no such moment."))
    return Commented(comment_id=new_id(), by=who.name, at_ms=at_ms)


def uncomment(who: Who, state: ReviewState, comment_id: str) -> CommentRemoved:
    """Take an own comment back. Raises Refused."""
    mine = [each for each in state.comments if each.comment_id == comment_id and not each.removed]
    if not mine:
        raise Refused(_("There is no such comment any more: it was taken back. Load the page again."))
    if mine[0].by != who.name:
        raise Refused(_("Only {name} can take this comment back.").format(name=mine[0].by))
    return CommentRemoved(comment_id=comment_id, by=who.name)


def too_long(texts: Collection[str]) -> None:
    """Raises Refused where a text is longer than a remark may be."""
    if any(len(text) > LONGEST_REMARK for text in texts):
        raise Refused(_("A remark has at most {n} characters.").format(n=LONGEST_REMARK))


def new_id() -> str:
    """An id of its own (UUIDv7)."""
    return str(uuid7())


def may_grade(who: Who, call: CallFacts) -> None:
    """Raises Refused where this person cannot grade this call at all."""
    _not_their_own(who, call)
    if not call.agents:
        raise Refused(_("No agent talked in this call: there is nothing to grade."))
    if not call.recorded:
        raise Refused(_("This call has no recording."))


def may_decide(who: Who, call: CallFacts, state: ReviewState, review_id: str) -> Review:
    """The grade whose appeal is to be decided, also once the recording's time is over: no appeal stays open for ever.
    Raises Refused."""
    _not_their_own(who, call)
    review = _standing(state, review_id)
    if review.appeal != "open":
        raise Refused(_("There is no open appeal against this grade any more: load the page to see the decision."))
    if review.given.by == who.name:
        raise Refused(_("You gave this grade: somebody else decides the appeal."))
    return review


def _not_their_own(who: Who, call: CallFacts) -> None:
    if who.agent and who.agent in call.agents:
        raise Refused(_("You talked in this call: somebody else grades it."))


def _standing(state: ReviewState, review_id: str) -> Review:
    review = state.review(review_id)
    if review is None:
        raise Refused(_("There is no such grade. Load the page again to see those that there are."))
    if not review.standing:
        raise Refused(_("This grade has been replaced by another since."))
    return review


def _own(who: Who, state: ReviewState, name: str, this: str) -> bool:
    return any(
        each.given.by == who.name and (each.given.form, each.given.version) == (name, this) and not each.given.appealed
        for each in state.reviews
    )


def _given(
    who: Who, call: CallFacts, name: str, this: str, form: Form, filled: Filled, agent: str = ""
) -> ReviewGiven:
    graded = agent or filled.agent or call.agents[0]
    if graded not in call.agents:
        raise Refused(_("{agent} did not talk in this call.").format(agent=graded))
    too_long(list(filled.remarks.values()))
    found = score(form, filled.answers, filled.fatal)
    return ReviewGiven(
        review_id=new_id(), form=name, version=this, by=who.name, agent=graded,
        answers={point: filled.answers[point] for point in form.points}, score=found.total, passed=found.passed,
        fatal=found.fatal,
    )  # fmt: skip


def _after(given: ReviewGiven, review_id: str, *, appealed: bool = False) -> ReviewGiven:
    return msgspec.structs.replace(given, corrects=review_id, appealed=appealed)
