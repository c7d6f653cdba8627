"""The agent's desk and call records, for programs: the same functions as the screens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Path
from pydantic import BaseModel, ConfigDict, Field

from calllog.wording import mode_word
from cases.record import LONGEST, Card, NotTaken
from cases.subjects import subjects_of
from console import desk, drafting
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import ApiRoom
from console.said import WHOLE
from console.site import Refusal

room = ApiRoom("desk")

FORM = 512 * 1024
"""Bytes of a record: four texts of 10,000 Chinese characters, escaped."""

CallId = Annotated[str, Path(max_length=200)]
Text = Annotated[str, Field(max_length=LONGEST)]
Solved = Literal["", "yes", "no", "open"]


class EarlierCall(BaseModel):
    """A call in a list. ``record`` is none, incomplete or complete; ``rating``: of one's own talk, 1 (best) to 5, 0 for
    none."""

    call_id: str
    arrived_at: int
    number: str
    label: str
    outcome: str
    agents: list[str]
    talked: float
    record: Literal["none", "incomplete", "complete"]
    subject: str
    solved: str
    rating: Annotated[int, Field(ge=0, le=5)]


class Caller(BaseModel):
    """The call before the agent. ``waited`` in seconds."""

    call_id: str
    number: str
    name: str
    region: str
    label: str
    asked_at: int
    waited: float
    recording: str
    earlier: list[EarlierCall]


class Desk(BaseModel):
    """How the agent stands; ``due``: until when (µs) the record is awaited, 0: none is."""

    agent: str
    mode: str
    mode_text: str
    reason: str
    since: int
    on_duty: bool
    shift: str
    due: int
    deeds: list[str]
    call: Caller | None


class State(BaseModel):
    """What the agent does; ``reason`` of a pause."""

    model_config = ConfigDict(extra="forbid")

    do: desk.Deed
    reason: Annotated[str, Field(max_length=60)] = ""


class Content(BaseModel):
    """What a record says; fields that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    contact: Text | None = None
    identity_checked: Annotated[bool, Field(strict=True)] | None = None
    subject: Annotated[str, Field(max_length=40)] | None = None
    problem: Text | None = None
    solution: Text | None = None
    solved: Solved | None = None

    def given(self) -> dict[str, Any]:
        """The fields that are there."""
        return {field: value for field, value in self.model_dump().items() if value is not None}


class Writing(Content):
    """``version``: the one that was seen; where somebody wrote another since, nothing is written (409)."""

    version: Annotated[int, Field(ge=0, le=2**53), WHOLE] | None = None


class Version(BaseModel):
    """One version of a record."""

    version: int
    at: int
    by: str
    agent: str
    complete: bool
    changed: list[str]
    erased: list[str]
    record: Content


class Record(BaseModel):
    """A call's record; ``version`` 0: nothing has been written. ``missing``: by the settings of now."""

    call_id: str
    version: int
    complete: bool
    missing: list[str]
    record: Content
    versions: list[Version]


class Typed(BaseModel):
    """What was typed so far: nothing of it need be right yet."""

    name: str | None = None
    contact: str | None = None
    identity_checked: bool | None = None
    subject: str | None = None
    problem: str | None = None
    solution: str | None = None
    solved: str | None = None


class Kept(BaseModel):
    """A draft; ``at`` in µs, 0: there is none."""

    at: int
    version: int
    record: Typed


class Subject(BaseModel):
    """A subject; ``open``: it can be chosen."""

    id: str
    label: str
    path: list[str]
    open: bool


@room.read("/desk", Verb.DESK_USE)
async def seen(ask: Asked) -> Desk:
    """How one stands, and the call before one."""
    return await _desk(ask)


@room.do("POST", "/desk/state", Verb.DESK_USE)
async def act(ask: Asked, wanted: State) -> Desk:
    """Sign in or out, be ready, pause, take more time for the record, pause the recording."""
    await desk.act(ask.site, ask.who, wanted.do, wanted.reason)
    return await _desk(ask)


@room.read("/desk/calls", Verb.DESK_USE)
async def today(ask: Asked) -> list[EarlierCall]:
    """One's own calls today."""
    return [_line(line) for line in await desk.today(ask.site, ask.who)]


@room.read("/subjects", Verb.RECORD_READ)
async def subjects(ask: Asked) -> list[Subject]:
    """The tree of subjects, laid flat."""
    found = subjects_of(ask.site.settings).values()
    return [Subject(id=one.id, label=one.label, path=list(one.path), open=one.open) for one in found]


@room.read("/calls/{call_id}/record", Verb.RECORD_READ)
async def read(ask: Asked, call_id: CallId) -> Record:
    """A call's record, with every version."""
    return _record(await desk.record(ask.site, ask.who, call_id))


@room.do("PATCH", "/calls/{call_id}/record", Verb.RECORD_WRITE, body=FORM)
async def write(ask: Asked, call_id: CallId, wanted: Writing) -> Record:
    """Put these fields in place."""
    given = {field: value for field, value in wanted.given().items() if field != "version"}
    try:
        return _record(await desk.write(ask.site, ask.who, call_id, given, wanted.version))
    except NotTaken as refused:
        raise Refusal(str(refused), status=409 if refused.outdated else 422) from None


@room.read("/calls/{call_id}/record/draft", Verb.RECORD_WRITE)
async def draft(ask: Asked, call_id: CallId) -> Kept:
    """What one has typed and not saved."""
    await desk.may_draft(ask.site, ask.who, call_id)
    read = await drafting.get(ask, f"record:{call_id}")
    typed = {field: value for field, value in read.get("typed", {}).items() if field in Content.model_fields}
    return Kept(at=read.get("at", 0), version=read.get("version", 0), record=Typed(**typed))


@room.do("PUT", "/calls/{call_id}/record/draft", Verb.RECORD_WRITE, body=FORM)
async def keep(ask: Asked, call_id: CallId, wanted: Annotated[Writing, Body()]) -> Kept:
    """Keep what is being typed."""
    await desk.may_draft(ask.site, ask.who, call_id)
    given = {field: value for field, value in wanted.given().items() if field != "version"}
    said = {"version": wanted.version or 0, "at": ask.site.now(), "typed": given}
    at = await drafting.put(ask, f"record:{call_id}", said)
    return Kept(at=at, version=wanted.version or 0, record=Typed(**given))


@room.do("DELETE", "/calls/{call_id}/record/draft", Verb.RECORD_WRITE, status_code=204)
async def drop(ask: Asked, call_id: CallId) -> None:
    """It is not wanted."""
    await desk.may_draft(ask.site, ask.who, call_id)
    await drafting.drop(ask, f"record:{call_id}")


async def _desk(ask: Ask) -> Desk:
    view = await desk.view(ask.site, ask.who, ask.thread)
    state, before = view.state, view.before
    call = Caller(
        call_id=before.call_id, number=before.number, name=before.name, region=before.region, label=before.label,
        asked_at=before.asked_at, waited=before.waited, recording=before.recording,
        earlier=[_line(line) for line in before.earlier],
    ) if before is not None else None  # fmt: skip
    return Desk(
        agent=view.agent, mode=state.mode, mode_text=mode_word(state.mode), reason=state.reason, since=view.since,
        on_duty=view.on_duty, shift=view.shift, due=view.due, deeds=list(view.deeds), call=call,
    )  # fmt: skip


def _line(line: desk.Line) -> EarlierCall:
    record = line.record
    return EarlierCall(
        call_id=line.call_id, arrived_at=line.arrived_at, number=line.number, label=line.label, outcome=line.outcome,
        agents=list(line.agents), talked=line.talked, subject=record.subject if record is not None else "",
        record="none" if record is None else "complete" if record.complete else "incomplete",
        solved=record.solved if record is not None else "", rating=line.rating,
    )  # fmt: skip


def _record(card: Card) -> Record:
    return Record(
        call_id=card.call_id, version=card.version, complete=card.complete, missing=list(card.missing),
        record=_content(card.content),
        versions=[
            Version(version=one.version, at=one.at, by=one.by, agent=one.agent, complete=one.complete,
                    changed=list(one.changed), erased=list(one.erased), record=_content(one.content))
            for one in card.versions
        ],
    )  # fmt: skip


def _content(content: Any) -> Content:
    return Content(**{name: getattr(content, name) for name in Content.model_fields})
