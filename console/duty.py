"""Who is on duty: now and next, a week at a time, and what the proof of the roster says. Pages and API ask here."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calllog.wording import Names
from config.catalogue import _
from config.problems import Problem
from config.settings import Settings
from console.permits import Verb, Who
from console.site import Refusal, Site
from console.week import Week
from routing.plan import chosen
from routing.present import Present, present
from routing.roster import Duty, Roster
from routing.timetable import on_break

FARTHEST = dt.timedelta(days=400)
"""How far from today a week may lie: as far as a change of the roster is proven."""

MOST_TOLD = 50
"""Problems that are told one by one."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty. Times are aware, of the hotline's zone; ``state`` is that of the desk, empty without one."""

    agent: str
    name: str
    shift: str
    backup: bool
    since: dt.datetime
    until: dt.datetime
    break_until: dt.datetime | None
    state: str
    devices: tuple[tuple[str, bool], ...]
    """Each that rings on this shift, and whether it can be reached."""
    instead_of: str
    queues: tuple[str, ...]
    """Labels of the queues that they answer."""


@dataclass(frozen=True, slots=True)
class QueueDuty:
    """A queue: who of those on duty can answer, and who comes next. ``opens``: until when it is closed, if so."""

    name: str
    label: str
    closed: bool
    opens: dt.datetime | None
    now: tuple[str, ...]
    next_at: dt.datetime | None
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DutyNow:
    """An instant."""

    at: dt.datetime
    people: tuple[OnDuty, ...]
    queues: tuple[QueueDuty, ...]


async def now(site: Site, who: Who) -> DutyNow:
    """Who is on duty at this moment. Raises NotPermitted."""
    who.must(Verb.DUTY_READ)
    settings = site.settings
    states = {state.agent: str(state.mode) for state in site.agents()}
    reached = {agent: site.devices(agent) for agent in settings.agents.agents}
    return await asyncio.to_thread(_now, settings, site.wall().astimezone(settings.hotline.zone), states, reached)


async def week(site: Site, who: Who, first: dt.date | None = None) -> Week:
    """Seven days from ``first`` on, from today without. Raises NotPermitted, Refusal."""
    who.must(Verb.DUTY_READ)
    today = site.wall().astimezone(site.settings.hotline.zone).date()
    chosen_day = first or today
    if abs(chosen_day - today) > FARTHEST:
        raise Refusal(_("That is too far away: at most 400 days from today."), status=422)
    return await site.week(chosen_day)


async def proof(site: Site, who: Who) -> Sequence[Problem]:
    """What must be mended of the roster in force, or known; errors first. Raises NotPermitted, Refusal."""
    who.must(Verb.DUTY_READ)
    return await site.proof()


async def file_errors(site: Site, who: Who) -> list[str]:
    """Errors of files that were changed and are therefore not in force: file, line, what, and what to do."""
    who.must(Verb.DUTY_READ)
    return [str(line) for line in (await site.facts()).config.get("errors", ())][:MOST_TOLD]


_compiled: tuple[Settings, Roster] | None = None
_compiling = threading.Lock()


def _now(
    settings: Settings, at: dt.datetime, states: Mapping[str, str], reached: Mapping[str, Mapping[str, bool]]
) -> DutyNow:
    """Not by the desk's own roster, which its loop compiles as it goes: a large one takes a moment for eight days."""
    global _compiled
    with _compiling:
        if _compiled is None or _compiled[0] is not settings:
            _compiled = settings, Roster.of(settings)
        roster = _compiled[1]
        queues = tuple(_queue(one, settings) for one in present(settings, roster, at))
        return DutyNow(at, tuple(_people(settings, roster, at, states, reached)), queues)


def _people(
    settings: Settings, roster: Roster, at: dt.datetime, states: Mapping[str, str],
    reached: Mapping[str, Mapping[str, bool]],
) -> list[OnDuty]:  # fmt: skip
    breaks = on_break(roster, at)
    there = (*roster.on_duty(at), *(shift for shift, _ends in breaks.values()))
    names, zone = Names.of(settings), settings.hotline.zone
    found = []
    for one in sorted(there, key=lambda duty: (duty.backup, duty.agent in breaks, duty.agent)):
        ends = breaks[one.agent][1] if one.agent in breaks else None
        found.append(OnDuty(
            one.agent, names.agents.get(one.agent, ""), one.shift, one.backup, one.begins.astimezone(zone),
            one.until.astimezone(zone), ends.astimezone(zone) if ends is not None else None,
            states.get(one.agent, ""), _devices(settings, one, reached.get(one.agent, {})),
            names.agent(one.instead_of) if one.instead_of else "", _answers(settings, one),
        ))  # fmt: skip
    return found


def _devices(settings: Settings, duty: Duty, reached: Mapping[str, bool]) -> tuple[tuple[str, bool], ...]:
    agent = settings.agents.agents.get(duty.agent)
    if agent is None:
        return ()
    return tuple((one.label, reached.get(one.label, False)) for one in chosen(agent, duty.devices))


def _answers(settings: Settings, duty: Duty) -> tuple[str, ...]:
    agent = settings.agents.agents.get(duty.agent)
    skills = agent.skills_at(duty.date) if agent is not None else {}
    return tuple(one.label for one in settings.queues.queues.values() if skills.get(one.skill, 0) >= one.level)


def _queue(one: Present, settings: Settings) -> QueueDuty:
    names, zone = Names.of(settings), settings.hotline.zone
    opens = one.closed.opens if one.closed is not None else 0
    return QueueDuty(
        one.name, one.label, one.closed is not None, dt.datetime.fromtimestamp(opens / 1e6, zone) if opens else None,
        _named(names, one.now), one.next[0].begins.astimezone(zone) if one.next else None, _named(names, one.next),
    )  # fmt: skip


def _named(names: Names, duties: Sequence[Duty]) -> tuple[str, ...]:
    backup = _("{agent} (backup)")
    first = [names.agent(one.agent) for one in duties if not one.backup]
    return (*first, *(backup.format(agent=names.agent(one.agent)) for one in duties if one.backup))
