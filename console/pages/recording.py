"""One recording in the quality room: its sound, what happened in it, comments, grades, and the form beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import Form as Field, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from calllog.wording import category_word
from config.catalogue import _, ngettext
from config.masking import shown
from config.review_file import Form
from console import drafting, grade_lists, grading, hearing, sounding, taking
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal
from recordings.forms import DOES_NOT_APPLY
from recordings.review_words import total
from recordings.reviews import LONGEST_REMARK, Filled, no_form

room = Room("recording")

Text = Annotated[str, Field(max_length=LONGEST_REMARK * 4)]
Reason = Annotated[hearing.Reason, Field()]
MOST_FIELDS = 300


@room.page("/quality/calls/{call_id}", Verb.REVIEW_READ)
async def recording(
    ask: Asked, call_id: str, form: str = "", correct: str = "", change: Annotated[str, Query()] = ""
) -> Response:
    """The page; ``correct`` and ``change`` name a grade that is to be replaced."""
    return await _page(ask, call_id, form=form, correct=correct, change=change)


@room.act("/quality/calls/{call_id}/hear", Verb.RECORDING_HEAR)
async def hear(ask: Asked, call_id: str, reason: Reason = "", words: Text = "") -> Response:
    """An address for the sound, once it is written down who hears it and why."""
    try:
        address = await hearing.hear(ask.site, ask.who, call_id, reason, words)
    except Refusal as refusal:
        return JSONResponse({"detail": str(refusal)}, refusal.status)
    return JSONResponse({"path": address.path, "until": address.until})


@room.page("/quality/sound/{token}", Verb.RECORDING_HEAR)
async def sound(ask: Asked, request: Request, token: str) -> Response:
    """The sound, or the range of it that the browser asks for (RFC 9110, section 14)."""
    return await sounding.answer(ask, token, request.headers.get("range"))


@room.act("/quality/calls/{call_id}/hold", Verb.HOLD_SET)
async def hold(ask: Asked, call_id: str, why: Text = "") -> Response:
    """Nothing of this call is deleted from now on."""
    return await _done(ask, call_id, taking.hold(ask.site, ask.who, call_id, why),
                       _("The call is held: nothing of it is deleted until the hold is lifted."))  # fmt: skip


@room.act("/quality/calls/{call_id}/release", Verb.HOLD_SET)
async def release(ask: Asked, call_id: str, why: Text = "") -> Response:
    """The holds are lifted."""
    return await _done(ask, call_id, taking.release(ask.site, ask.who, call_id, why), _("The hold is lifted."))


@room.act("/quality/calls/{call_id}/download", Verb.RECORDING_EXPORT)
async def download(ask: Asked, call_id: str, reason: Reason = "", words: Text = "") -> Response:
    """The recording's own file, once it is written down who takes it and why."""
    try:
        taken = await taking.take(ask.site, ask.who, [call_id], reason, words)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return ask.go(f"/quality/calls/{call_id}", said=str(refusal), bad=True)
    return await sounding.file(ask, taken)


@room.act("/quality/calls/{call_id}/grade", Verb.REVIEW_READ)
async def grade(ask: Asked, request: Request, call_id: str) -> Response:
    """A grade: the first one, a correction, or the one that decides an appeal."""
    said = await _fields(request)
    about, replaces = said.get("about", "give"), said.get("replaces", "")
    turn = await grade_lists.turn(ask.site, ask.who, call_id)
    try:
        if about == "give":
            name = said.get("form", "")
            form = ask.site.settings.reviews.forms.get(name)
            if form is None:
                raise Refusal(no_form(name, ask.site.settings.reviews), status=404)
            given = await grading.give(ask.site, ask.who, call_id, name, filled(form, said))
        else:
            _graded, form = await grading.form_of_grade(ask.site, ask.who, call_id, replaces)
            course = grading.change if about == "change" else grading.correct
            given = await course(ask.site, ask.who, call_id, replaces, filled(form, said))
    except Refusal as refusal:
        more = {"correct": replaces if about == "correct" else "", "change": replaces if about == "change" else ""}
        return await _page(ask, call_id, form=said.get("form", ""), wrong=str(refusal), typed=said,
                           status=refusal.status, **more)  # fmt: skip
    await drafting.drop(ask, f"review:{call_id}")
    text = _("The grade is saved: {score}.").format(score=total(given.score))
    if said.get("go") != "next":
        return ask.go(f"/quality/calls/{call_id}", said=text)
    left = turn.left - 1 if turn.place else turn.left
    if not left or not turn.next:
        return ask.go("/quality", said=f"{text} {_('Your list is empty: everything is graded.')}")
    rest = ngettext("{n} call is left on your list.", "{n} calls are left on your list.", left).format(n=left)
    return ask.go(f"/quality/calls/{turn.next}", said=f"{text} {rest}")


@room.act("/quality/calls/{call_id}/draft", Verb.REVIEW_READ)
async def draft(ask: Asked, request: Request, call_id: str) -> Response:
    """Keep what is filled in so far."""
    await hearing.call_of(ask.site, ask.who, call_id)
    said = await _fields(request)
    said.pop("csrf", None)
    await drafting.put(ask, f"review:{call_id}", said)
    return Response(status_code=204)


@room.act("/quality/calls/{call_id}/draft/drop", Verb.REVIEW_READ)
async def drop_draft(ask: Asked, call_id: str) -> Response:
    """Begin anew."""
    await drafting.drop(ask, f"review:{call_id}")
    return ask.go(f"/quality/calls/{call_id}")


@room.act("/quality/calls/{call_id}/reviews/{review_id}/appeal", Verb.REVIEW_APPEAL)
async def appeal(ask: Asked, call_id: str, review_id: str, why: Text = "") -> Response:
    """The agent appeals."""
    return await _done(ask, call_id, grading.appeal(ask.site, ask.who, call_id, review_id, why),
                       _("The appeal is made. Somebody else than the grader decides it."))  # fmt: skip


@room.act("/quality/calls/{call_id}/reviews/{review_id}/keep", Verb.REVIEW_DECIDE)
async def keep(ask: Asked, call_id: str, review_id: str, why: Text = "") -> Response:
    """The grade stays."""
    return await _done(ask, call_id, grading.keep(ask.site, ask.who, call_id, review_id, why),
                       _("The appeal is decided: the grade stays."))  # fmt: skip


@room.act("/quality/calls/{call_id}/exemplary", Verb.REVIEW_GRADE)
async def mark(ask: Asked, call_id: str, on: Annotated[bool, Field()] = True, why: Text = "") -> Response:
    """An example for others, or no longer."""
    said = _("Marked as exemplary.") if on else _("No longer exemplary.")
    return await _done(ask, call_id, grading.mark(ask.site, ask.who, call_id, on, why), said)


@room.act("/quality/calls/{call_id}/comments", Verb.COMMENT_WRITE)
async def comment(ask: Asked, call_id: str, at: Annotated[float, Field()] = 0.0, text: Text = "") -> Response:
    """A comment at a moment; the answer is the list of them."""
    await grading.comment(ask.site, ask.who, call_id, at, text)
    return await _comments(ask, call_id)


@room.act("/quality/calls/{call_id}/comments/{comment_id}/remove", Verb.COMMENT_WRITE)
async def uncomment(ask: Asked, call_id: str, comment_id: str) -> Response:
    """Take an own comment back."""
    await grading.uncomment(ask.site, ask.who, call_id, comment_id)
    return await _comments(ask, call_id)


async def _comments(ask: Ask, call_id: str) -> Response:
    if not ask.htmx:
        return ask.go(f"/quality/calls/{call_id}")
    found = await grading.sheet(ask.site, ask.who, call_id)
    return await ask.page("_comments.html", sheet=found, call_id=call_id)


async def _done(ask: Ask, call_id: str, work: object, said: str) -> Response:
    try:
        await work  # type: ignore[misc]
    except Refusal as refusal:
        return ask.go(f"/quality/calls/{call_id}", said=str(refusal), bad=True)
    return ask.go(f"/quality/calls/{call_id}", said=said)


async def _page(
    ask: Ask, call_id: str, *, form: str = "", correct: str = "", change: str = "", wrong: str = "",
    typed: Mapping[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    found = await grading.sheet(ask.site, ask.who, call_id)
    turn = await grade_lists.turn(ask.site, ask.who, call_id)
    detail, settings = found.detail, ask.site.settings
    replaces = correct or change
    about = "change" if change else "correct" if correct else "give"
    wanted: Form | None = None
    name, values, before = form, dict(typed or {}), dict[str, str]()
    if replaces:
        graded, wanted = await grading.form_of_grade(ask.site, ask.who, call_id, replaces)
        name = graded.review.given.form
        before = values_of(graded)
    elif found.to_fill:
        name = next(one for one in (form, turn.form, *found.to_fill) if one in found.to_fill)
        wanted = found.to_fill[name]
    kept = dict[str, str]()
    if wanted is not None and not values:
        kept = _kept(await drafting.get(ask, f"review:{call_id}"), about, name, replaces)
        values = kept or before
    sound = await hearing.heard(ask.site, detail)
    held = await taking.holds_on(ask.site, ask.who, call_id) if ask.may(Verb.HOLD_READ) else []
    number = shown(detail.row.number, settings.hotline.country, whole=ask.may(Verb.NUMBER_SEE))
    return await ask.page(
        "recording.html", status=status, sheet=found, call_id=call_id, row=detail.row, sound=sound, number=number,
        form=wanted, form_name=name, about=about, replaces=replaces, values=values, drafted=bool(kept),
        wrong=wrong,
        reasons=hearing.reasons(ask.who, about == "change"),
        agents=settings.agents.agents, queues=settings.queues.queues,
        sound_data=_for_page(sound), holds=held, turn=turn, category_word=category_word,
    )  # fmt: skip


def _for_page(sound: hearing.Heard | None) -> Markup:
    """What the page's module needs, as JSON that cannot end the element it stands in."""
    if sound is None:
        return Markup("null")
    text = json.dumps({
        "seconds": sound.seconds, "channels": sound.channels, "peaks": sound.peaks, "silences": sound.silences,
        "marks": [{"kind": mark.kind, "at": mark.at, "end": mark.end, "text": mark.text} for mark in sound.marks],
    })  # fmt: skip
    return Markup(text.replace("<", "\\u003c"))


def _kept(kept: dict[str, str], about: str, name: str, replaces: str) -> dict[str, str]:
    """The draft's fields, if it is of this form and purpose, and of the same grade to be replaced."""
    of = (kept.get("about"), kept.get("form"), kept.get("replaces", ""))
    return kept if of == (about, name, replaces) else {}


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def filled(form: Form, said: Mapping[str, str]) -> Filled:
    """The form's fields as answers: ``a.POINT``, ``r.POINT``, ``f.FATAL``, ``remark``, ``agent``. Unanswered points are
    left out, and told of by whoever scores."""
    answers = {}
    for name in form.points:
        text = said.get(f"a.{name}", "")
        if text == "na":
            answers[name] = DOES_NOT_APPLY
        elif text.isascii() and text.isdigit() and len(text) < 4:
            answers[name] = int(text)
    remarks = {name: said.get(f"r.{name}", "") for name in form.points} | {"": said.get("remark", "")}
    fatal = [name for name in form.fatal if said.get(f"f.{name}")]
    return Filled(answers, fatal, {name: text for name, text in remarks.items() if text.strip()}, said.get("agent", ""))


def values_of(graded: grading.Graded) -> dict[str, str]:
    """A grade as the form's fields, to begin from."""
    given = graded.review.given
    values = {f"a.{name}": "na" if answer == DOES_NOT_APPLY else str(answer) for name, answer in given.answers.items()}
    values |= {f"r.{name}": text for name, text in graded.remarks.items() if name}
    values |= {f"f.{name}": "on" for name in given.fatal}
    return values | {"remark": graded.remarks.get("", ""), "agent": given.agent}
