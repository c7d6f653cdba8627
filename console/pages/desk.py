"""The agent's desk: one's state with the time in it, the call before one, its record, and one's own calls today."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from calllog.wording import MODE_STYLES, Names, language_word, mode_word, outcome_word, pause_word
from cases.record import FIELDS, TEXTS, Card, NotTaken, field_word, needs_of, solved_word
from cases.subjects import label_of, subjects_of
from config.catalogue import _
from console import desk, drafting
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal

room = Room("desk", title=lambda: _("Desk"), path="/desk", verb=Verb.DESK_USE, order=10,
            topics={"desk": Verb.DESK_USE}, watch=desk.watch)  # fmt: skip

FORM = 512 * 1024
"""Bytes of a record's form: four texts of 10,000 Chinese characters, escaped."""

Text = Annotated[str, Form()]


@room.page("/desk", Verb.DESK_USE)
async def whole(ask: Asked) -> Response:
    """The whole room: the record form is that of the call before the agent, or of their last one."""
    seen = await desk.view(ask.site, ask.who, ask.thread)
    lines = await desk.today(ask.site, ask.who)
    call_id = seen.state.call_id or (lines[0].call_id if lines else "")
    form: dict[str, Any] = {"card": None}
    if call_id and ask.may(Verb.RECORD_READ):
        with contextlib.suppress(LookupError):
            form = await _form(ask, call_id)
    return await ask.page("desk.html", **{**_seen(ask, seen), "lines": lines, **form})


@room.page("/desk/now", Verb.DESK_USE)
async def now(ask: Asked) -> Response:
    """What changes of it."""
    return await ask.page("_desk_now.html", **_seen(ask, await desk.view(ask.site, ask.who, ask.thread)))


@room.page("/desk/today", Verb.DESK_USE)
async def today(ask: Asked) -> Response:
    """The list of today's calls."""
    return await ask.page("_desk_today.html", lines=await desk.today(ask.site, ask.who), **_words(ask))


@room.act("/desk/{deed}", Verb.DESK_USE)
async def act(ask: Asked, deed: desk.Deed, reason: Text = "") -> Response:
    """Sign in or out, be ready, pause, take more time; or pause the recording."""
    try:
        await desk.act(ask.site, ask.who, deed, reason)
    except Refusal as refusal:
        if ask.htmx:
            seen = await desk.view(ask.site, ask.who, ask.thread)
            return await ask.page("_desk_now.html", **_seen(ask, seen, str(refusal)))
        return ask.go("/desk", said=str(refusal), bad=True)
    seen = await desk.view(ask.site, ask.who, ask.thread)
    later = _("That holds as soon as the call record is complete.") if deed in ("ready", "pause") and seen.due else ""
    if ask.htmx:
        return await ask.page("_desk_now.html", **_seen(ask, seen, later))
    return ask.go("/desk", said=later)


# --- the call record --------------------------------------------------------------------------------------------------


@room.page("/records/{call_id}", Verb.RECORD_READ)
async def record(ask: Asked, call_id: str) -> Response:
    """One call's record, a page of its own."""
    return await ask.page("record.html", **await _form(ask, call_id))


@room.page("/records/{call_id}/form", Verb.RECORD_READ)
async def form(ask: Asked, call_id: str) -> Response:
    """The same without the page around it: the desk puts it in the place of the last call's."""
    return await ask.page("_record_form.html", **await _form(ask, call_id))


@room.act("/records/{call_id}", Verb.RECORD_WRITE, body=FORM)
async def save(
    ask: Asked, call_id: str, version: Annotated[int, Form()] = 0, name: Text = "", contact: Text = "",
    identity_checked: Text = "", subject: Text = "", problem: Text = "", solution: Text = "", solved: Text = "",
    then: Text = "", back: Text = "",
) -> Response:  # fmt: skip
    """Write it; what cannot be taken comes back as it was typed, with why. ``then=ready``: and be ready."""
    typed = _typed(name, contact, identity_checked, subject, problem, solution, solved)
    try:
        card = await desk.write(ask.site, ask.who, call_id, typed, version)
    except NotTaken as refused:
        faults = {fault.field: fault.what for fault in refused.faults}
        values = await _form(ask, call_id, typed=typed, faults=faults)
        if not refused.outdated:
            values["version"] = version
        template = "_record_form.html" if ask.htmx else "record.html"
        return await ask.page(template, status=200 if ask.htmx else 409 if refused.outdated else 422, **values)
    await drafting.drop(ask, _about(call_id))
    said = _("The call record is complete.") if not card.missing else _("Saved; still missing: {fields}.").format(
        fields=_(", ").join(field_word(one) for one in card.missing)
    )  # fmt: skip
    wrong = ""
    if then == "ready" and not card.missing and ask.may(Verb.DESK_USE):
        try:
            await desk.act(ask.site, ask.who, "ready")
        except Refusal as refusal:
            wrong = str(refusal)
    if ask.htmx:
        values = await _form(ask, call_id) | {"saved": said, "wrong": wrong}
        answer = await ask.page("_record_form.html", **values)
        answer.headers["HX-Trigger"] = "record-saved"
        return answer
    return ask.go("/desk" if back == "desk" else f"/records/{call_id}", said=wrong or said, bad=bool(wrong))


@room.act("/records/{call_id}/draft", Verb.RECORD_WRITE, body=FORM)
async def draft(
    ask: Asked, call_id: str, version: Annotated[int, Form()] = 0, name: Text = "", contact: Text = "",
    identity_checked: Text = "", subject: Text = "", problem: Text = "", solution: Text = "", solved: Text = "",
) -> Response:  # fmt: skip
    """Keep what is being typed. The answer says when, for the line below the form."""
    await desk.may_draft(ask.site, ask.who, call_id)
    typed = _typed(name, contact, identity_checked, subject, problem, solution, solved)
    at = await drafting.put(ask, _about(call_id), {"version": version, "at": ask.site.now(), "typed": typed})
    return await ask.page("_draft_kept.html", at=at)


@room.act("/records/{call_id}/draft/drop", Verb.RECORD_WRITE)
async def drop(ask: Asked, call_id: str) -> Response:
    """The draft is not wanted."""
    await desk.may_draft(ask.site, ask.who, call_id)
    await drafting.drop(ask, _about(call_id))
    if ask.htmx:
        return await form(ask, call_id)
    return RedirectResponse(f"/records/{call_id}", 303)


# --- what the templates see -------------------------------------------------------------------------------------------


def _typed(
    name: str, contact: str, identity_checked: str, subject: str, problem: str, solution: str, solved: str
) -> dict[str, Any]:
    """A form's fields as a record has them. Browsers send a new line as CR LF (RFC 7578): typed was LF."""
    plain = {"name": name, "contact": contact, "problem": problem, "solution": solution}
    return {
        **{field: text.replace("\r\n", "\n") for field, text in plain.items()},
        "identity_checked": identity_checked == "yes", "subject": subject, "solved": solved,
    }  # fmt: skip


def _seen(ask: Ask, seen: desk.View, wrong: str = "") -> dict[str, Any]:
    return {"seen": seen, "now": ask.site.now(), "wrong": wrong, **_words(ask)}


def _words(ask: Ask) -> dict[str, Any]:
    return {
        "mode_word": mode_word, "mode_styles": MODE_STYLES, "pause_word": pause_word, "outcome_word": outcome_word,
        "language_word": language_word, "names": Names.of(ask.site.settings), "solved_word": solved_word,
        "subject_label": lambda subject: label_of(subjects_of(ask.site.settings), subject),
    }  # fmt: skip


async def _form(
    ask: Ask, call_id: str, *, typed: dict[str, Any] | None = None, faults: dict[str, str] | None = None
) -> dict[str, Any]:
    """The form's values: what was just typed, else the draft, else the record. Raises LookupError."""
    card = await desk.record(ask.site, ask.who, call_id)
    kept = 0
    version = card.version
    if typed is None and ask.may(Verb.RECORD_WRITE):
        read = _draft_read(await drafting.get(ask, _about(call_id)))
        if read is not None:
            typed, version, kept = read
    subjects = subjects_of(ask.site.settings)
    values = {field: getattr(card.content, field) for field in FIELDS} | (typed or {})
    chosen = str(values["subject"])
    kept_there = subjects.get(chosen)
    choices = desk.subjects(ask.site.settings)
    if chosen and (kept_there is None or not kept_there.open):
        choices = [(chosen, label_of(subjects, chosen)), *choices]
    return {
        "card": card, "values": values, "version": version, "faults": faults or {}, "draft": kept,
        "choices": choices, "needs": needs_of(chosen, subjects, ask.site.settings), "texts": TEXTS,
        "needs_by": {one.id: list(needs_of(one.id, subjects, ask.site.settings)) for one in subjects.values()},
        "field_word": field_word, "saved": "", "wrong": "", "behind": version < card.version, **_words(ask),
        "history": _history(card),
    }  # fmt: skip


def _history(card: Card) -> list[tuple[Any, str]]:
    return [
        (one, _(", ").join(field_word(name) for name in one.changed) or "–") for one in reversed(card.versions)
    ]


def _draft_read(read: dict[str, Any]) -> tuple[dict[str, Any], int, int] | None:
    """The fields of a draft, the version that it began with, and when it was kept (µs)."""
    try:
        typed = {field: read["typed"][field] for field in FIELDS if field in read["typed"]}
        return typed, int(read["version"]), int(read["at"])
    except (ValueError, KeyError, TypeError):
        return None


def _about(call_id: str) -> str:
    return f"record:{call_id}"


