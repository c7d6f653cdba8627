"""One month of the roster as an office sees it, as plain data: what is drawn, counted and compared.

Times are minutes of wall time after the midnight with which a date begins: a night shift of the 6th is (1320, 1800).
What the sheet's own formulas count stands here as :class:`Group` and :func:`segments`, so that it can be tested against
the roster's proof.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from hotline.sheet.words import Want

DAY_MINUTES = 1440

LONGEST = 3
"""Days that a shift can reach into, after the one on which it begins (72 h)."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date of the month; ``kind`` as in the roster's calendar, ``name`` that of the festival or empty."""

    date: dt.date
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ShiftWord:
    """A shift as the sheet shows it; ``spans``: when one takes calls in it, breaks left out; ``hours`` are paid."""

    name: str
    short: str
    color: str
    begins: int
    ends: int
    spans: tuple[tuple[int, int], ...]
    hours: float
    night: bool
    backup: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One cell: what it says, remarks (extra duty, a swap, a cover), and the part of the day that leave takes away."""

    want: Want
    remarks: tuple[str, ...] = ()
    away: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """One row: a cell for each day of the month."""

    number: str
    name: str
    team: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """So many must be there in these minutes of a day."""

    begins: int
    ends: int
    need: int
    want: int


@dataclass(frozen=True, slots=True)
class Group:
    """A queue (at one level of skill): from when to when each person counts for it, and what each day needs.

    ``skilled``: by staff number, date spans with both ends included. ``before``: how many who count begin each shift on
    the days before the first, by (days before, shift's name).
    """

    label: str
    skilled: Mapping[str, tuple[tuple[dt.date, dt.date], ...]]
    needs: tuple[tuple[Need, ...], ...]
    before: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """The whole month."""

    company: str
    days: tuple[Day, ...]
    shifts: tuple[ShiftWord, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    away: tuple[tuple[int, Person], ...] = ()
    """By day (from 0), whoever has leave for a part of a shift."""

    @property
    def first(self) -> dt.date:
        """The first of the month."""
        return self.days[0].date


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the day in which, for one group, neither numbers needed nor shifts change on any day of the month."""

    begins: int
    ends: int


def segments(page: Page, group: Group) -> list[Segment]:
    """The parts of the day for this group, in order; only those in which some day needs somebody."""
    edges = {edge for needs in group.needs for need in needs for edge in (need.begins, need.ends)}
    for shift in page.shifts:
        edges |= {minute % DAY_MINUTES for span in shift.spans for minute in span}
    for person in page.people:
        if person.number in group.skilled:
            edges |= {minute % DAY_MINUTES for box in person.boxes for span in box.away for minute in span}
    edges |= {0, DAY_MINUTES}
    marks = sorted(edge for edge in edges if 0 <= edge <= DAY_MINUTES)
    found = [Segment(begins, ends) for begins, ends in pairwise(marks)]
    return [one for one in found if any(needed(group, day, one) for day in range(len(page.days)))]


def needed(group: Group, day: int, segment: Segment) -> Need | None:
    """What that day (from 0) needs in this part of it."""
    for need in group.needs[day]:
        if need.begins <= segment.begins and segment.ends <= need.ends:
            return need
    return None


def covering(page: Page, segment: Segment) -> Iterator[tuple[int, ShiftWord]]:
    """The shifts of the first line that take calls throughout this part of a day, and how many days before it each
    begins."""
    for shift in page.shifts:
        for back in range(LONGEST + 1):
            begins, ends = segment.begins + back * DAY_MINUTES, segment.ends + back * DAY_MINUTES
            if not shift.backup and any(one <= begins and ends <= other for one, other in shift.spans):
                yield back, shift


def taken(page: Page, group: Group, day: int, segment: Segment) -> Iterator[tuple[int, Person, ShiftWord]]:
    """Who has leave in this part of the day from a shift that covers it: the day (from 0) of the shift, and it."""
    for back, shift in covering(page, segment):
        if day - back < 0:
            continue  # those are left out of ``Group.before`` already
        begins = segment.begins + back * DAY_MINUTES
        for on, person in page.away:
            box = person.boxes[on]
            here = on == day - back and shift.name in box.want.shifts
            if here and counts(group, person.number, page.days[on].date) and _in(box.away, begins):
                yield on, person, shift


def _in(spans: tuple[tuple[int, int], ...], minute: int) -> bool:
    return any(begins <= minute < ends for begins, ends in spans)


def counts(group: Group, number: str, date: dt.date) -> bool:
    """Whether this person counts for the group on this date."""
    return any(first <= date <= last for first, last in group.skilled.get(number, ()))


def have(page: Page, group: Group, day: int, segment: Segment) -> int:
    """How many there are, counted as the sheet's formulas count."""
    total = 0
    for back, shift in covering(page, segment):
        if day - back < 0:
            total += group.before.get((back - day, shift.name), 0)
            continue
        date = page.days[day - back].date
        total += sum(
            shift.name in person.boxes[day - back].want.shifts and counts(group, person.number, date)
            for person in page.people
        )
    return total - sum(1 for _one in taken(page, group, day, segment))


@dataclass(frozen=True, slots=True)
class Totals:
    """What a person works in the month: hours without breaks and backup, nights, days with a shift, without, of leave.
    """

    hours: float
    nights: int
    days: int
    rest: int
    leave: int


def totals(page: Page, person: Person) -> Totals:
    """Counted as the sheet's formulas count."""
    shifts = {shift.name: shift for shift in page.shifts if not shift.backup}
    worked = [shifts[name] for box in person.boxes for name in box.want.shifts if name in shifts]
    leave = sum(box.want.leave is not None for box in person.boxes)
    days = sum(bool(box.want.shifts) for box in person.boxes)
    return Totals(
        hours=round(sum(shift.hours for shift in worked) - sum(hours_away(page, box) for box in person.boxes), 2),
        nights=sum(shift.night for shift in worked),
        days=days,
        rest=len(person.boxes) - days - leave,
        leave=leave,
    )


def hours_away(page: Page, box: Box) -> float:
    """Of the shifts of a cell, the hours that leave takes away."""
    if not box.away:
        return 0.0
    shifts = [shift for shift in page.shifts if shift.name in box.want.shifts and not shift.backup]
    spans = [span for shift in shifts for span in shift.spans]
    lost = sum(max(0, min(one[1], other[1]) - max(one[0], other[0])) for one in spans for other in box.away)
    return round(lost / 60, 2)
