"""Who of those on duty can answer for each queue at an instant, and who comes next. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from config.settings import Settings
from routing.messages import Closed
from routing.roster import Duty, Roster
from routing.timetable import ServiceHours

AHEAD = dt.timedelta(days=8)
"""How far the next of a queue is looked for: a week has come round once by then, and so have most rotations."""


@dataclass(frozen=True, slots=True)
class Present:
    """A queue at an instant: whether it is closed, who of those on duty can answer, and whose shift with the skill is
    the next to begin."""

    name: str
    label: str
    closed: Closed | None
    now: tuple[Duty, ...]
    next: tuple[Duty, ...]


def present(settings: Settings, roster: Roster, instant: dt.datetime) -> list[Present]:
    """Each queue, in the order of the file; ``instant`` must be aware."""
    agents = settings.agents.agents
    on_duty = roster.on_duty(instant)
    closed = ServiceHours(settings.queues.queues, roster.calendar, roster.zone).closed(instant)
    coming = [one for one in roster.spans(instant, instant + AHEAD) if one.begins > instant]
    found = []
    for name, queue in settings.queues.queues.items():

        def able(one: Duty, skill: str = queue.skill, level: int = queue.level) -> bool:
            return one.agent in agents and agents[one.agent].skills_at(one.date).get(skill, 0) >= level

        later = [one for one in coming if able(one)]
        first = min((one.begins for one in later), default=None)
        now, following = filter(able, on_duty), (one for one in later if one.begins == first)
        found.append(Present(name, queue.label, closed.get(name), tuple(now), tuple(following)))
    return found
