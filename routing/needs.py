"""How many are asked for at every instant, per queue and level of its skill: the roster file's requirements. Pure.

Every queue begins with the line "need: 1" at its own level; the lines of the file come on top of it, and the last that
fits an instant holds. Nothing is asked for while a queue is closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.roster_file import DAY
from config.settings import Hours, Rule, Settings
from routing.calendar import Calendar
from routing.counts import Interval, painted, together
from routing.spans import instant, microseconds

OWN = -1
"""The line of the requirement that every queue begins with."""


class Need(NamedTuple):
    """``need``: fewer is an error; ``want`` (never less): fewer is a warning; ``line`` of the file's requirements."""

    need: int
    want: int
    line: int = OWN
    open: bool = True


NOTHING, CLOSED = Need(0, 0), Need(0, 0, open=False)


def needs(
    settings: Settings, calendar: Calendar, begins: dt.datetime, ends: dt.datetime
) -> dict[tuple[str, int], list[tuple[int, int, Need]]]:
    """(from, to, :class:`Need`) over all of [begins, ends) by (queue, level), in µs since 1970 UTC.

    Requirements of a queue that is not there are passed over (config refuses them). ValueError: not aware.
    """
    zone, queues = settings.hotline.zone, settings.queues.queues
    first, last = microseconds(begins), microseconds(ends)
    ground = {(name, queue.level): Need(1, 1) for name, queue in queues.items()}
    layers: dict[tuple[str, int], list[tuple[int, int, Need]]] = {asked: [] for asked in ground}
    for index, line in enumerate(settings.roster.requirements):
        if line.queue in queues:
            asked = line.queue, max(line.level, queues[line.queue].level)
            need = Need(line.need, max(line.need, line.want or 0), index)
            spans = hours_within(line, calendar, zone, begins, ends)
            layers.setdefault(asked, []).extend((*span, need) for span in spans)
    found = {}
    for (name, level), over in layers.items():
        wanted = painted(over, ground.get((name, level), NOTHING), first, last)
        hours = queues[name].hours
        service = [(*span, True) for one in hours for span in hours_within(one, calendar, zone, begins, ends)]
        serving = painted(service, not hours, first, last)
        found[name, level] = [
            (one, other, need if served else CLOSED) for one, other, need, served in together(wanted, serving)
        ]
    return found


def applies(line: Hours | Rule, calendar: Calendar, date: dt.date) -> bool:
    """Whether its ``days``, ``dates`` and ``not_on`` say this date."""
    if calendar.fits(date, line.not_on):
        return False
    return not (line.days or line.dates) or date in line.dates or calendar.fits(date, line.days)


def hours_within(
    hours: Hours, calendar: Calendar, zone: ZoneInfo, begins: dt.datetime, ends: dt.datetime
) -> Iterator[Interval]:
    """These hours of every day on which they begin and that may reach into [begins, ends), in µs, uncut."""
    date, last = begins.astimezone(zone).date() - DAY, ends.astimezone(zone).date()
    while date <= last:
        if applies(hours, calendar, date):
            one, other = (microseconds(instant(wall, zone)) for wall in hours.wall_span(date))
            if one < other:
                yield one, other
        date += DAY
