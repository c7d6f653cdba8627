"""What changes by the clock alone: who is on duty and how, which queues are closed, and the date. Pure.

A queue without hours of service is open day and night. Its hours are wall time and by the calendar, as the roster is;
hours that meet or overlap are one. They are compiled for a few days around the instant that is asked for, and kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from config.roster_file import DAY
from config.settings import Queue
from routing.calendar import Calendar
from routing.counts import Interval, union
from routing.messages import Closed, Standing
from routing.needs import hours_within
from routing.roster import Duty, Roster
from routing.spans import EPOCH, MICROSECOND, instant, microseconds

BACK, AHEAD, FAR = 2, 15, 400
"""Days that are looked at: back, longer than any caller waits; ahead; and ahead where that shows no opening."""


class ServiceHours:
    """When each queue is open."""

    def __init__(self, queues: Mapping[str, Queue], calendar: Calendar, zone: ZoneInfo) -> None:
        self._hours = {name: queue.hours for name, queue in queues.items() if queue.hours}
        self._calendar, self._zone = calendar, zone
        self._date: dt.date | None = None
        self._open: dict[str, Sequence[Interval]] = {}

    def closed(self, at: dt.datetime) -> dict[str, Closed]:
        """The queues that are closed at this instant."""
        now, found = microseconds(at), {}
        for name, spans in self._spans(at).items():
            if not any(begins <= now < ends for begins, ends in spans):
                since = max((ends for _begins, ends in spans if ends <= now), default=0)
                opens = min((begins for begins, _ends in spans if begins > now), default=0) or self._far(name, at)
                found[name] = Closed(since, opens)
        return found

    def next_change(self, at: dt.datetime) -> int:
        """The first instant (µs) after ``at`` at which a queue opens or closes; 0: none within the days ahead."""
        now = microseconds(at)
        return min((edge for spans in self._spans(at).values() for span in spans for edge in span if edge > now),
                   default=0)  # fmt: skip

    def _spans(self, at: dt.datetime) -> Mapping[str, Sequence[Interval]]:
        date = at.astimezone(self._zone).date()
        if date != self._date:
            self._date, self._open = date, {name: self._compiled(name, at, AHEAD) for name in self._hours}
        return self._open

    def _compiled(self, name: str, at: dt.datetime, ahead: int) -> Sequence[Interval]:
        first, last = at - BACK * DAY, at + ahead * DAY
        return union(span for one in self._hours[name] for span in
                     hours_within(one, self._calendar, self._zone, first, last))  # fmt: skip

    def _far(self, name: str, at: dt.datetime) -> int:
        now = microseconds(at)
        return min((begins for begins, _ends in self._compiled(name, at, FAR) if begins > now), default=0)


class Timetable:
    """The standing at every instant, by these queues and a compiled roster. ``at`` must be aware."""

    def __init__(self, queues: Mapping[str, Queue], roster: Roster) -> None:
        self.roster = roster
        self._zone = roster.zone
        self._hours = ServiceHours(queues, roster.calendar, roster.zone)

    def standing(self, at: dt.datetime) -> Standing:
        """How things stand at this instant."""
        return Standing(self.roster.lines(at), self._hours.closed(at), at.astimezone(self._zone).date())

    def next_change(self, at: dt.datetime) -> dt.datetime:
        """The first instant (UTC) after ``at`` at which that can change: at midnight at the latest."""
        midnight = dt.datetime.combine(at.astimezone(self._zone).date() + DAY, dt.time())
        changes = [instant(midnight, self._zone)]
        if (duty := self.roster.next_change(at)) is not None:
            changes.append(duty)
        if (hours := self._hours.next_change(at)) != 0:
            changes.append(EPOCH + hours * MICROSECOND)
        return min(changes)


def on_break(roster: Roster, at: dt.datetime) -> dict[str, tuple[Duty, dt.datetime]]:
    """Who has a break at this instant, on which shift and until when; not those whom another shift keeps on duty."""
    now, duty = at.astimezone(dt.UTC), roster.lines(at)
    return {
        one.agent: (one, ends)
        for one in roster.spans(now, now + MICROSECOND)
        for begins, ends in one.breaks
        if begins <= now < ends and one.agent not in duty
    }
