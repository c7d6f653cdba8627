"""What pages and API do at an agent's desk: how the agent stands, the call before them, its record, their calls today.

Every function checks its verb; a call is shown to an agent only where they talk or talked in it, or it rings at them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from calllog import queries
from calllog.errors import StoreMissing
from calllog.folds import AgentState
from calllog.queries import CallRow
from calllog.rating_queries import ratings_of
from calllog.record_queries import Stands, earlier_calls, records_of, talked_in
from cases.record import Card, Content
from cases.subjects import subjects_of
from config.catalogue import _, language
from config.masking import masked, masked_text, shown
from config.settings import Settings
from console.live import Live
from console.permits import Verb, Who, own_agent
from console.site import Refusal, Site
from phone.regions import Regions
from routing.agents import RESERVED, IllegalTransition
from routing.messages import AgentVerb

LOOK_EVERY = 0.5
"""Seconds between two looks at the agents' states while any desk is open: a ring lasts twenty."""

EARLIER = 5
"""Earlier calls of the caller that are shown."""

TODAY = 200
"""Own calls of the day that are shown."""

Deed = Literal["sign_in", "sign_out", "ready", "pause", "extend", "recording_pause", "recording_resume"]
"""What an agent can do at the desk."""


@dataclass(frozen=True, slots=True)
class Line:
    """One call in a list. Times are µs; ``number`` as this person may see it, ``record`` how its record stands,
    ``rating`` the caller's, of the own talk (0: none)."""

    call_id: str
    arrived_at: int
    number: str
    label: str
    outcome: str
    agents: tuple[str, ...]
    talked: float
    record: Stands | None
    rating: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """The call before the agent: ringing, talking, or just over. ``waited`` seconds since they asked for a person;
    ``known`` whether this is a live call."""

    call_id: str
    number: str
    name: str
    region: str
    label: str
    language: str
    asked_at: int
    waited: float
    recording: Literal["", "on", "paused", "off"]
    earlier: tuple[Line, ...]
    earlier_more: bool


@dataclass(frozen=True, slots=True)
class View:
    """The desk at this moment. ``agent`` is empty for somebody bound to none; ``due`` (µs) is until when a record is
    awaited at the longest, 0: none is; ``extendable``: more time can be had."""

    agent: str = ""
    name: str = ""
    state: AgentState = field(default_factory=lambda: AgentState(""))
    since: int = 0
    there: bool = True
    """Whether Asterisk has been read back: before that nobody can do anything."""
    on_duty: bool = False
    shift: str = ""
    devices: Mapping[str, bool] = field(default_factory=dict)
    due: int = 0
    extendable: bool = False
    deeds: tuple[Deed, ...] = ()
    pauses: tuple[str, ...] = ()
    before: Before | None = None


def watch(live: Live, site: Site) -> None:
    """While a desk is open, tell each agent's own when their state changes."""
    seen: dict[str, object] = {}

    async def look() -> int:
        for state in site.agents():
            now = (state.mode, state.reason, state.call_id, state.until, state.changed_at, state.extended)
            if state.agent in seen and seen[state.agent] != now:
                live.tell("desk", agent=state.agent)
            seen[state.agent] = now
        return 0

    live.watch("desk", LOOK_EVERY, look)


async def view(site: Site, who: Who, thread: Thread) -> View:
    """How this agent stands, and the call before them. Raises NotPermitted."""
    who.must(Verb.DESK_USE)
    settings, agent = site.settings, who.agent
    known = settings.agents.agents.get(agent)
    if known is None:
        return View()
    state = next((one for one in site.agents() if one.agent == agent), AgentState(agent))
    duty = site.standing.duty.get(agent)
    since = (state.mode == "ready" and state.since) or state.changed_at
    awaited = state.mode == "wrap_up" and state.free_from > 0
    return View(
        agent, known.name, state, since, site.adopted, duty is not None, _shift(site, agent),
        site.devices(agent), state.until if awaited else 0,
        awaited and state.extended < settings.hotline.record.extensions, _deeds(state, duty is not None),
        tuple(dict.fromkeys(settings.hotline.codes.pauses.values())),
        await _before(site, who, state, thread) if state.call_id else None,
    )  # fmt: skip


Thread = Callable[..., Awaitable[Any]]


def _shift(site: Site, agent: str) -> str:
    """The name of the shift that they are in now."""
    now = site.wall()
    return next((one.shift for one in site.roster.of_agent(agent, now, now + dt.timedelta(seconds=1))), "")


def _deeds(state: AgentState, on_duty: bool) -> tuple[Deed, ...]:
    """What the state leaves to be done."""
    if state.mode == "off":
        return ("sign_out",) if state.reason == "signed_in" else ("sign_in",)
    some: list[Deed] = []
    if state.mode in ("paused", "wrap_up") or state.reason:
        some.append("ready")
    return (*some, "pause", "sign_out")


async def _before(site: Site, who: Who, state: AgentState, thread: Thread) -> Before | None:
    now, settings = site.call_now(state.call_id), site.settings
    try:
        detail = await queries.get_call(site.store, state.call_id)
    except StoreMissing:
        detail = None
    if now is None and detail is None:
        return None
    row = detail.row if detail is not None else None
    raw = row.number if row is not None else (now.e164 or now.number) if now is not None else ""
    asked = now.asked_at if now is not None else row.asked_at if row is not None else 0
    talk = state.changed_at if state.mode == "talking" else row.first_talk_at if row is not None else 0
    end = talk or site.now()
    more = await earlier_calls(site.store, raw, before=state.call_id, limit=EARLIER + 1) if raw else []
    lines = await _lines(site, who, more[:EARLIER])
    spoken = now.language if now is not None else ""
    return Before(
        state.call_id, shown(raw, settings.hotline.country, whole=who.may(Verb.NUMBER_SEE)),
        row.name if row is not None else "",
        await thread(Regions(site.state_dir).of, raw, language()),
        (now.label if now is not None else "") or (row.label if row is not None else ""),
        spoken, asked, max(0, end - asked) / 1e6 if asked else 0.0, now.recording if now is not None else "",
        tuple(lines), len(more) > EARLIER,
    )  # fmt: skip


async def today(site: Site, who: Who) -> list[Line]:
    """The calls of today in which this agent talked, and the one that rings at them now, the newest first. Raises
    NotPermitted."""
    who.must(Verb.DESK_USE)
    midnight = site.wall().astimezone(site.settings.hotline.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since = (midnight - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    if not who.agent:
        return []
    try:
        rows = await queries.list_calls(site.store, since=since, agent=who.agent, limit=TODAY)
        now = ringing_at(site, who.agent)
        if now and all(row.call_id != now for row in rows):
            rows = [*await queries.calls_of(site.store, [now]), *rows]
        rated = await ratings_of(site.store, who.agent, [row.call_id for row in rows])
        return await _lines(site, who, rows, rated)
    except StoreMissing:
        return []


def ringing_at(site: Site, agent: str) -> str:
    """The call that rings at this agent just now; empty: none does."""
    return next((one.call_id for one in site.agents() if one.agent == agent and one.mode == "ringing"), "")


async def _lines(
    site: Site, who: Who, rows: list[CallRow], rated: Mapping[str, int] | None = None
) -> list[Line]:  # fmt: skip
    """``rated``: what callers said of this agent's own talks; of others' they are not told here."""
    stands = await records_of(site.store, [row.call_id for row in rows]) if rows else {}
    country, whole = site.settings.hotline.country, who.may(Verb.NUMBER_SEE)
    return [
        Line(row.call_id, row.arrived_at, shown(row.number, country, whole=whole), row.label, row.outcome, row.agents,
             row.talk_us / 1e6, stands.get(row.call_id), (rated or {}).get(row.call_id, 0))
        for row in rows
    ]  # fmt: skip


async def act(site: Site, who: Who, deed: Deed, reason: str = "") -> None:
    """Do it for the agent who asks. Raises NotPermitted, Refusal."""
    who.must(Verb.DESK_USE)
    if not who.agent or who.agent not in site.settings.agents.agents:
        raise Refusal(_("Your account is bound to no agent: an administrator can do that."))
    if not site.adopted:
        raise Refusal(_("Asterisk has not answered yet: try again in a moment."), status=503)
    if deed in ("recording_pause", "recording_resume"):
        who.must(Verb.RECORDING_PAUSE)
        await site.switch_recording(who.agent, pause=deed == "recording_pause")
        return
    if deed == "pause" and reason in RESERVED:
        raise Refusal(_("“{reason}” is a word of the hotline's own: give another.").format(reason=reason))
    verb: AgentVerb = deed  # type: ignore[assignment]
    try:
        await site.command(who.agent, verb, reason[:60])
    except IllegalTransition:
        if deed == "extend":
            raise Refusal(_("There is no more time for the call record to be had: save what you have, and complete it "
                            "later.")) from None  # fmt: skip
        if who.agent in site.standing.duty:
            raise Refusal(_("You have not signed in.")) from None
        raise Refusal(_("You are not on duty, and no shift of yours begins soon.")) from None
    except LookupError:
        raise Refusal(_("The hotline knows no agent {agent} any more: an administrator binds your account to another "
                        "one under “Users”.").format(agent=who.agent)) from None  # fmt: skip


# --- the call record --------------------------------------------------------------------------------------------------


async def record(site: Site, who: Who, call_id: str) -> Card:
    """The call's record and its history. Raises NotPermitted; LookupError where there is none, or not for them."""
    who.must(Verb.RECORD_READ)
    await _theirs(site, who, call_id)
    return _as_seen(await site.records.read(call_id), who)


def _as_seen(card: Card, who: Who) -> Card:
    """Telephone numbers in it are masked for whoever may not see them."""
    if who.may(Verb.NUMBER_SEE):
        return card
    versions = tuple(replace(one, content=_masked(one.content)) for one in card.versions)
    return replace(card, content=_masked(card.content), versions=versions)


def _masked(content: Content) -> Content:
    plain = content.contact.strip().lstrip("+").replace("-", "").replace(" ", "")
    contact = masked(content.contact) if plain.isdigit() else masked_text(content.contact)
    return replace(content, name=masked_text(content.name), contact=contact, problem=masked_text(content.problem),
                   solution=masked_text(content.solution))  # fmt: skip


async def write(
    site: Site, who: Who, call_id: str, changes: Mapping[str, Any], version: int | None = None
) -> Card:
    """Put these fields in place. Raises NotPermitted, LookupError, cases.record.NotTaken, StoreError."""
    who.must(Verb.RECORD_WRITE)
    await _theirs(site, who, call_id)
    by = who.agent or who.name
    return _as_seen(await site.records.write(call_id, changes, by=by, agent=who.agent, version=version), who)


async def may_draft(site: Site, who: Who, call_id: str) -> None:
    """Raises NotPermitted; LookupError where there is no such call, or it is not for them."""
    who.must(Verb.RECORD_WRITE)
    await _theirs(site, who, call_id)


async def _theirs(site: Site, who: Who, call_id: str) -> None:
    agent, now = own_agent(who), site.call_now(call_id)
    if agent is None:
        if now is None and not await _is_there(site, call_id):
            raise LookupError(call_id)
        return
    if not agent:
        raise LookupError(call_id)
    if any(one.call_id == call_id for one in site.agents() if one.agent == agent):
        return
    if now is not None and agent in now.agents:
        return
    try:
        if await talked_in(site.store, call_id, agent):
            return
    except StoreMissing:
        pass
    raise LookupError(call_id)


async def _is_there(site: Site, call_id: str) -> bool:
    try:
        return bool(await queries.calls_of(site.store, [call_id]))
    except StoreMissing:
        return False


def subjects(settings: Settings) -> list[tuple[str, str]]:
    """Id and label of every subject that can be chosen."""
    return [(one.id, one.label) for one in subjects_of(settings).values() if one.open]


