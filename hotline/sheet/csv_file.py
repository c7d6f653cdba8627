"""The roster as a long list: a line for each shift and each day of leave, for other programs (payroll, attendance)."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from config.roster_file import DAY, RosterFile
from config.settings import Settings
from hotline.show import plain_cell
from routing.roster import Duty, Roster
from routing.spans import instant

COLUMNS = (
    "staff_number", "name", "team", "date", "day", "shift", "begins", "ends", "hours", "backup", "why", "instead_of",
    "leave", "leave_begins", "leave_ends", "note",
)  # fmt: skip

MARK = "\ufeff"
"""By it Excel knows that a CSV file is UTF-8; without it Chinese names come out wrong there."""


def duties_of(settings: Settings, roster: Roster, first: dt.date, last: dt.date) -> Iterator[Duty]:
    """Every shift that begins on these local dates, both included, by person and time."""
    zone = settings.hotline.zone
    begins, ends = (instant(dt.datetime.combine(date, dt.time()), zone) for date in (first, last + DAY))
    found = (duty for duty in roster.spans(begins, ends) if first <= duty.date <= last)
    return iter(sorted(found, key=lambda duty: (duty.agent, duty.begins.astimezone(dt.UTC), duty.shift)))


def csv_of(settings: Settings, roster: Roster, first: dt.date, last: dt.date) -> bytes:
    """All people's shifts and leave on these dates, both included, as a CSV file (RFC 4180). Times are ISO 8601 with
    their offset from UTC; hours are without breaks."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rows = [*_shifts(settings, roster, first, last), *_leaves(settings, roster, first, last)]
    for row in sorted(rows, key=lambda one: (one["staff_number"], one["date"], one["begins"])):
        writer.writerow([plain_cell(row[column]) for column in COLUMNS])
    return (MARK + out.getvalue()).encode()


def _blank(settings: Settings, roster: Roster, number: str, date: dt.date) -> dict[str, object]:
    agent = settings.agents.agents.get(number)
    return {
        **dict.fromkeys(COLUMNS, ""),
        "staff_number": number,
        "name": agent.name if agent else "",
        "team": " ".join(_teams(settings.roster, number, date)),
        "date": date.isoformat(),
        "day": roster.calendar.kind(date),
    }


def _shifts(settings: Settings, roster: Roster, first: dt.date, last: dt.date) -> Iterator[dict[str, object]]:
    for duty in duties_of(settings, roster, first, last):
        seconds = sum(
            (other.astimezone(dt.UTC) - one.astimezone(dt.UTC)).total_seconds() for one, other in duty.stretches()
        )
        yield _blank(settings, roster, duty.agent, duty.date) | {
            "shift": duty.shift,
            "begins": duty.begins.isoformat(),
            "ends": duty.ends.isoformat(),
            "hours": f"{seconds / 3600:.2f}",
            "backup": duty.backup,
            "why": duty.why,
            "instead_of": duty.instead_of,
        }


def _leaves(settings: Settings, roster: Roster, first: dt.date, last: dt.date) -> Iterator[dict[str, object]]:
    date = first
    while date <= last:
        for number, absences in roster.pattern.absences(date).items():
            for absence in absences:
                times = [at.isoformat(timespec="minutes") for at in absence.times or ()] or ["", ""]
                yield _blank(settings, roster, number, date) | {
                    "leave": absence.leave,
                    "leave_begins": times[0],
                    "leave_ends": times[1],
                    "instead_of": "",
                    "note": absence.note,
                }
        date += DAY


def _teams(file: RosterFile, number: str, date: dt.date) -> Iterable[str]:
    return [
        team
        for team, members in file.teams.items()
        if any(member.agent == number and member.holds(date) for member in members)
    ]
