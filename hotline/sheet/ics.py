"""One person's shifts as a calendar for their phone (RFC 5545).

Times are UTC: a calendar shows them by the clock of whoever looks. The identifier of a shift is made of the hotline,
the person, the date and the shift alone, so that a calendar which is read in again changes what it has instead of
doubling it. There are no alarms: whoever wants to be woken sets that in their own calendar.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator

from config.catalogue import _
from config.leave_words import leave_word
from config.roster_file import DAY, LeaveKind
from config.settings import Settings
from hotline.sheet.csv_file import duties_of
from routing.roster import Duty, Roster

LINE = 75
"""Octets of a line, without its end (RFC 5545, 3.1)."""


def ics_of(
    settings: Settings, roster: Roster, number: str, first: dt.date, last: dt.date, made_at: dt.datetime
) -> bytes:
    """The calendar of this agent's shifts that begin on these dates, both included, and of their leave by whole days.

    ``made_at``: aware, when it was made.
    """
    agent = settings.agents.agents[number]
    stamp = _utc(made_at)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Hotline//Roster//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        _text("X-WR-CALNAME", _("{company} duty: {name}").format(company=settings.hotline.company, name=agent.name)),
        _text("X-WR-TIMEZONE", settings.hotline.timezone),
    ]
    doubled: dict[tuple[dt.date, str], int] = {}
    for duty in duties_of(settings, roster, first, last):
        if duty.agent == number:
            part = doubled[duty.date, duty.shift] = doubled.get((duty.date, duty.shift), 0) + 1
            lines += _event(settings, duty, stamp, part)
    for begins, ends, kind, note in _leaves(roster, number, first, last):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_identifier(settings, number, begins, kind, 0)}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{begins:%Y%m%d}",
            f"DTEND;VALUE=DATE:{ends + DAY:%Y%m%d}",
            _text("SUMMARY", leave_word(kind)),
            *([_text("DESCRIPTION", note)] if note else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def _event(settings: Settings, duty: Duty, stamp: str, part: int) -> list[str]:
    told = [_("Break {begins:%H:%M}–{ends:%H:%M}").format(begins=one, ends=other) for one, other in duty.breaks]
    other = settings.agents.agents.get(duty.instead_of)
    if other is not None:
        told.append(_("Instead of {agent}").format(agent=f"{duty.instead_of} {other.name}"))
    title = _("{shift} (backup)").format(shift=duty.shift) if duty.backup else duty.shift
    return [
        "BEGIN:VEVENT",
        f"UID:{_identifier(settings, duty.agent, duty.date, duty.shift, part - 1)}",
        f"DTSTAMP:{stamp}",
        f"DTSTART:{_utc(duty.begins)}",
        f"DTEND:{_utc(duty.ends)}",
        _text("SUMMARY", title),
        *([_text("DESCRIPTION", "\n".join(told))] if told else []),
        "TRANSP:OPAQUE",
        "END:VEVENT",
    ]


def _leaves(
    roster: Roster, number: str, first: dt.date, last: dt.date
) -> Iterator[tuple[dt.date, dt.date, LeaveKind, str]]:
    """Leave by whole days: first and last day, kind, note."""
    days = []
    date = first
    while date <= last:
        days += [(date, one) for one in roster.pattern.absences(date).get(number, ()) if one.times is None]
        date += DAY
    days.sort(key=lambda day: (day[1].change, day[0]))
    for _change, group in itertools.groupby(days, key=lambda day: day[1].change):
        same = list(group)
        yield same[0][0], same[-1][0], same[0][1].leave, same[0][1].note


def _identifier(settings: Settings, number: str, date: dt.date, what: str, part: int) -> str:
    """The same for the same shift of the same person, always; in ASCII, as identifiers are compared byte by byte."""
    name = hashlib.sha256(what.encode()).hexdigest()[:12]
    tail = f"-{part}" if part else ""
    return f"{number}-{date:%Y%m%d}-{name}{tail}@{settings.hotline.numbers[0].lstrip('+')}.hotline"


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(key: str, value: str) -> str:
    """A property whose value is text (RFC 5545, 3.3.11)."""
    value = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return f"{key}:" + "".join(each for each in value if each == "\t" or (each >= " " and each != "\x7f"))


def _folded(line: str) -> Iterable[str]:
    """A long line in several, each of at most 75 octets, never parted within a character."""
    found, size = [""], 0
    for each in line:
        octets = len(each.encode())
        if size + octets > LINE:
            found.append(" ")
            size = 1
        found[-1] += each
        size += octets
    return found
