"""Who is on duty: now and next, a week at a time, and what the proof of the roster says. Pages and API ask here.

People come a page at a time, and by a part of their name or number: a house may have a thousand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from calllog.wording import Names
from config.catalogue import _
from config.settings import Settings
from console.permits import Verb, Who
from console.site import Refusal, Site
from console.week import PEOPLE, Instant, Proven, Week, WeekRow
from routing.plan import chosen
from routing.present import Present
from routing.roster import Duty

FARTHEST = dt.timedelta(days=400)
"""How far from today a week may lie: as far as a change of the roster is proven."""

MOST_TOLD = 50
"""Problems that are told one by one."""

SMALL = 100
"""Agents up to whom a week and its proof are made at once; of a larger house they take seconds, and come later."""


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

    @property
    def reached(self) -> bool:
        """Whether any of these devices can be reached."""
        return any(reached for _device, reached in self.devices)


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
    many: int
    """People in all; ``people`` are those of one page."""


@dataclass(frozen=True, slots=True)
class People:
    """Some of the people of a week: one page of those that were asked for, and how many these are."""

    rows: tuple[WeekRow, ...]
    many: int


async def now(site: Site, who: Who, *, page: int = 1, name: str = "") -> DutyNow:
    """Who is on duty at this moment: a page of those who have ``name`` in their number or name. Raises NotPermitted."""
    who.must(Verb.DUTY_READ)
    settings, at = site.settings, site.wall().astimezone(site.settings.hotline.zone)
    seen = await site.instant()
    states = {state.agent: str(state.mode) for state in site.agents()}
    names = Names.of(settings)
    there = [one for one in seen.there if not name or name in names.agent(one.agent)]
    shown = there[PEOPLE * (page - 1) : PEOPLE * page]
    people = tuple(_person(site, settings, names, seen, one, states.get(one.agent, "")) for one in shown)
    return DutyNow(at, people, tuple(_queue(one, settings, names) for one in seen.queues), len(there))


def people(week: Week, page: int = 1, name: str = "") -> People:
    """A page of the week's people: all, or those who have ``name`` in their number, name or team. For a thread."""
    if not name:
        return People(week.page(page), week.people)
    found = [row for row in week.rows() if name in f"{row.agent} {row.name}" or name in row.team]
    return People(tuple(found[PEOPLE * (page - 1) : PEOPLE * page]), len(found))


def is_small(settings: Settings) -> bool:
    """Whether everything of the roster is there at once."""
    return len(settings.agents.agents) <= SMALL


async def week(site: Site, who: Who, first: dt.date | None = None) -> Week:
    """Seven days from ``first`` on, from today without. Raises NotPermitted, Refusal."""
    who.must(Verb.DUTY_READ)
    today = site.wall().astimezone(site.settings.hotline.zone).date()
    chosen_day = first or today
    if abs(chosen_day - today) > FARTHEST:
        raise Refusal(_("That is too far away: at most 400 days from today."), status=422)
    return await site.week(chosen_day)


async def proof(site: Site, who: Who) -> Proven:
    """What must be mended of the roster in force, or known. Raises NotPermitted, Refusal."""
    who.must(Verb.DUTY_READ)
    return await site.proof()


async def file_errors(site: Site, who: Who) -> list[str]:
    """Errors of files that were changed and are therefore not in force: file, line, what, and what to do."""
    who.must(Verb.DUTY_READ)
    return [str(line) for line in (await site.facts()).config.get("errors", ())][:MOST_TOLD]


def _person(site: Site, settings: Settings, names: Names, seen: Instant, one: Duty, state: str) -> OnDuty:
    zone = settings.hotline.zone
    ends = seen.breaks[one.agent][1] if one.agent in seen.breaks else None
    return OnDuty(
        one.agent, names.agents.get(one.agent, ""), one.shift, one.backup, one.begins.astimezone(zone),
        one.until.astimezone(zone), ends.astimezone(zone) if ends is not None else None, state,
        _devices(site, settings, one), names.agent(one.instead_of) if one.instead_of else "", _answers(settings, one),
    )  # fmt: skip


def _devices(site: Site, settings: Settings, duty: Duty) -> tuple[tuple[str, bool], ...]:
    agent = settings.agents.agents.get(duty.agent)
    if agent is None:
        return ()
    reached = site.devices(duty.agent)
    return tuple((one.label, reached.get(one.label, False)) for one in chosen(agent, duty.devices))


def _answers(settings: Settings, duty: Duty) -> tuple[str, ...]:
    agent = settings.agents.agents.get(duty.agent)
    skills = agent.skills_at(duty.date) if agent is not None else {}
    return tuple(one.label for one in settings.queues.queues.values() if skills.get(one.skill, 0) >= one.level)


def _queue(one: Present, settings: Settings, names: Names) -> QueueDuty:
    zone = settings.hotline.zone
    opens = one.closed.opens if one.closed is not None else 0
    return QueueDuty(
        one.name, one.label, one.closed is not None, dt.datetime.fromtimestamp(opens / 1e6, zone) if opens else None,
        _named(names, one.now), one.next[0].begins.astimezone(zone) if one.next else None, _named(names, one.next),
    )  # fmt: skip


def _named(names: Names, duties: Sequence[Duty]) -> tuple[str, ...]:
    backup = _("{agent} (backup)")
    first = [names.agent(one.agent) for one in duties if not one.backup]
    return (*first, *(backup.format(agent=names.agent(one.agent)) for one in duties if one.backup))
