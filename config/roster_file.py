"""The shape of roster.yaml: shifts, teams, rotations, rules, dated changes, the calendar, and what must be covered.

Each is explained with worked examples in ``docs/roster.md``. Wall times are local to ``Hotline.timezone``. Dates in
``from`` and ``to`` are both included, as an office means them; a time in ``to`` is an instant, excluded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, model_serializer, model_validator

from config.shapes import (
    Balance,
    Day,
    DayWord,
    Label,
    Length,
    Level,
    Moment,
    Name,
    Note,
    Number,
    Part,
    Seconds,
    ShiftName,
    StaffNumber,
    TeamName,
    Text,
    WallTime,
    Whole,
)

DAY = dt.timedelta(days=1)

OFF = ("休", "off")
"""Words for a day without a shift; no shift can be called so."""

Color = Literal["amber", "green", "blue", "violet", "rose", "teal", "gray"]

LeaveKind = Literal["annual", "sick", "personal", "lieu", "other"]

LEAVE: dict[str, LeaveKind] = {"年假": "annual", "病假": "sick", "事假": "personal", "调休": "lieu", "其他": "other"}
"""The Chinese words that are taken as well."""


class Short(Part):
    """A part that can be written as its first key's value alone, and is shown so where nothing else is said."""

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, dict | Part | list) or value is None:
            return value
        return {next(iter(cls.model_fields)): value}

    @model_serializer(mode="wrap")
    def _to_short(self, whole: Callable[[Any], dict[str, Any]]) -> Any:
        first, *others = type(self).model_fields
        plain = all(getattr(self, name) == type(self).model_fields[name].default for name in others)
        return getattr(self, first) if plain else whole(self)


# --- the pattern ----------------------------------------------------------------------------------


class Break(Part):
    """On a break one takes no calls, but the shift goes on. On every day of a shift that lasts for several."""

    start: Annotated[WallTime, Field(alias="from")]
    end: Annotated[WallTime, Field(alias="to")]


class Shift(Part):
    """A named span of wall time, half-open: until ``to`` (at or before ``from``: on the next day) or of a ``length``.

    Exactly one of the two (checked in ``config.check_roster``). ``ring`` are names of devices, in the order of ringing
    (none: all that the agent has); ``roll_call`` seconds before the beginning the duty phones are rung.
    """

    start: Annotated[WallTime, Field(alias="from")]
    end: Annotated[WallTime | None, Field(alias="to")] = None
    length: Length | None = None
    short: Annotated[Text, StringConstraints(max_length=4)] | None = None
    color: Color | None = None
    breaks: tuple[Break, ...] = ()
    backup: bool = False
    ring: tuple[Name, ...] = ()
    roll_call: Seconds | None = None

    @property
    def wall_length(self) -> dt.timedelta:
        """How long it is by the clock on the wall."""
        if self.length is not None:
            return self.length
        day = dt.date(2000, 1, 1)
        length = dt.datetime.combine(day, self.end or self.start) - dt.datetime.combine(day, self.start)
        return length if length > dt.timedelta() else length + DAY

    def wall_span(self, date: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """The shift that begins on ``date``, in naive wall time."""
        begins = dt.datetime.combine(date, self.start)
        return begins, begins + self.wall_length

    def wall_breaks(self, date: dt.date) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
        """Its breaks in naive wall time, in order and apart, cut to the shift."""
        begins, ends = self.wall_span(date)
        found: list[tuple[dt.datetime, dt.datetime]] = []
        for one in self.breaks:
            for number in range(-1, (ends.date() - date).days + 1):
                start, end = (dt.datetime.combine(date + number * DAY, time) for time in (one.start, one.end))
                start, end = max(start, begins), min(end if end > start else end + DAY, ends)
                if start < end:
                    found.append((start, end))
        apart: list[tuple[dt.datetime, dt.datetime]] = []
        for start, end in sorted(found):
            if apart and start <= apart[-1][1]:
                apart[-1] = apart[-1][0], max(end, apart[-1][1])
            else:
                apart.append((start, end))
        return tuple(apart)


class Member(Short):
    """An agent of a team, from the first day to the last, both included."""

    agent: StaffNumber
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None

    def holds(self, date: dt.date) -> bool:
        """Whether the agent is in the team on this date."""
        return (self.since is None or self.since <= date) and (self.until is None or date <= self.until)


def _cycle_day(value: object) -> object:
    if isinstance(value, str | int):
        return () if value in OFF else (value,)
    return value


def _cycle_day_written(value: tuple[str, ...]) -> Any:
    return OFF[0] if not value else value[0] if len(value) == 1 else list(value)


CycleDay = Annotated[
    tuple[ShiftName, ...], BeforeValidator(_cycle_day), PlainSerializer(_cycle_day_written)
]
"""What is worked on one day of a rotation: a shift, several, or 休."""

CycleNumber = Annotated[Whole, Field(ge=1)]


class Rotation(Part):
    """A cycle of days that teams (and single agents) follow, each from its own day of it.

    ``teams`` and ``agents``: on which day of the cycle, counted from 1, each stands on the date ``start``. The cycle
    counts every day, also those on which nobody works it (``not_on``).
    """

    start: Day
    cycle: Annotated[tuple[CycleDay, ...], Field(min_length=1, max_length=366)]
    teams: dict[TeamName, CycleNumber] = Field(default_factory=dict)
    agents: dict[StaffNumber, CycleNumber] = Field(default_factory=dict)
    until: Annotated[Day | None, Field(alias="to")] = None
    not_on: tuple[DayWord, ...] = ()


class Rule(Part):
    """These teams and agents work this shift on these days (on which it begins): of ``days`` or ``dates`` any;
    neither: every day."""

    shift: ShiftName
    days: tuple[DayWord, ...] = ()
    dates: tuple[Day, ...] = ()
    not_on: tuple[DayWord, ...] = ()
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None
    teams: tuple[TeamName, ...] = ()
    agents: tuple[StaffNumber, ...] = ()


# --- changes --------------------------------------------------------------------------------------


def _leave_kind(value: object) -> object:
    return LEAVE.get(value, value) if isinstance(value, str) else value


ChangeKind = Literal["leave", "swap", "extra", "shifts", "team"]


class Change(Part):
    """One dated change; it has exactly one of ``leave``, ``swap``, ``extra``, ``shifts`` or ``off``, and ``team``.

    On a ``date``, or on all ``from`` ... ``to``; a leave can have times there. A swap has its dates in itself.
    """

    leave: Annotated[LeaveKind, BeforeValidator(_leave_kind)] | None = None
    swap: dict[StaffNumber, Day] | None = None
    extra: ShiftName | None = None
    shifts: tuple[ShiftName, ...] | None = None
    off: bool = False
    team: TeamName | None = None
    agent: StaffNumber | None = None
    date: Day | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    cover: StaffNumber | None = None
    note: Note = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The keys of which there must be one."""
        said = {
            "leave": self.leave is not None, "swap": self.swap is not None, "extra": self.extra is not None,
            "shifts": self.shifts is not None, "off": self.off, "team": self.team is not None,
        }  # fmt: skip
        return tuple(key for key, there in said.items() if there)

    @property
    def kind(self) -> ChangeKind | None:
        """Which kind it is; None when it says nothing."""
        first = next(iter(self.kinds), None)
        return "shifts" if first == "off" else first  # type: ignore[return-value]

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """Its first and last date, both included; None for a swap, and while a date is missing."""
        if self.date is not None:
            return self.date, self.date
        if self.since is None or self.until is None:
            return None
        first, last = self.since, self.until
        if isinstance(first, dt.datetime):
            first = first.date()
        if isinstance(last, dt.datetime):
            last = (last - dt.timedelta(microseconds=1)).date()  # at midnight it ends with the day before
        return first, last

    @property
    def times(self) -> tuple[dt.datetime, dt.datetime] | None:
        """Of a leave with times: its naive wall times, half-open; None where it is by whole dates."""
        if self.since is None or self.until is None:
            return None
        if not isinstance(self.since, dt.datetime) and not isinstance(self.until, dt.datetime):
            return None
        since, until = self.since, self.until
        if not isinstance(since, dt.datetime):
            since = dt.datetime.combine(since, dt.time())
        if not isinstance(until, dt.datetime):
            until = dt.datetime.combine(until + DAY, dt.time())
        return since, until


# --- the calendar, what must be covered, and for how long one may work --------------------------------


class SpecialDay(Part):
    """What a ``date``, or all dates ``from`` ... ``to``, are, whatever the official calendar says."""

    date: Day | None = None
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None
    kind: Annotated[Literal["festival", "holiday", "makeup", "ordinary"], Field(alias="is")]
    name: Label | None = None

    @property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """Its first and last date, both included."""
        first, last = self.date or self.since, self.date or self.until
        return (first, last) if first is not None and last is not None else None


class Hours(Part):
    """Hours of certain days in wall time, half-open; ``to`` at or before ``from`` means the next day."""

    days: tuple[DayWord, ...] = ()
    dates: tuple[Day, ...] = ()
    not_on: tuple[DayWord, ...] = ()
    start: Annotated[WallTime, Field(alias="from")] = dt.time()
    end: Annotated[WallTime, Field(alias="to")] = dt.time()

    def wall_span(self, date: dt.date) -> tuple[dt.datetime, dt.datetime]:
        """Those that begin on ``date``, in naive wall time."""
        begins, ends = dt.datetime.combine(date, self.start), dt.datetime.combine(date, self.end)
        return begins, ends if ends > begins else ends + DAY


class Requirement(Hours):
    """How many must be on duty for a queue in these hours; the last line that fits (by queue and level) holds.

    Fewer than ``need`` is an error, fewer than ``want`` a warning. ``level``: the least that counts.
    """

    queue: Name
    need: Annotated[Whole, Field(ge=0, le=10_000)] = 1
    want: Annotated[Whole, Field(ge=0, le=10_000)] | None = None
    level: Level = 1


class Night(Part):
    """The hours that count as night, in wall time."""

    start: Annotated[WallTime, Field(alias="from")] = dt.time(22)
    end: Annotated[WallTime, Field(alias="to")] = dt.time(6)


class Limits(Part):
    """For how long one may work, and how far ahead the roster is proven: hours, hours, days, days."""

    rest: Annotated[Number, Field(le=72)] = 11.0
    week: Annotated[Number, Field(gt=0, le=168)] = 44.0
    days_in_a_row: Annotated[Whole, Field(ge=1, le=366)] = 6
    look_ahead: Annotated[Whole, Field(ge=1, le=366)] = 60
    night: Night = Night()
    late: Annotated[Number, Field(le=120)] = 5.0
    """Minutes after the beginning, or before the end, that count neither as late nor as leaving early."""


class Rates(Part):
    """Hours of time off that an hour earns: of extra duty on a workday or a rest day, and of any duty on a festival."""

    workday: Annotated[Number, Field(le=10)] = 1.0
    restday: Annotated[Number, Field(le=10)] = 1.0
    festival: Annotated[Number, Field(le=10)] = 1.0


class Lieu(Part):
    """Time off in lieu (调休): how it is earned, how many hours a day of it takes, and what each has to begin with."""

    rates: Rates = Rates()
    day: Annotated[Number, Field(gt=0, le=24)] = 8.0
    since: Day | None = None
    """The day at whose beginning ``opening`` is the balance; none: when the journal began."""
    opening: dict[StaffNumber, Balance] = Field(default_factory=dict)


class RosterFile(Part):
    """roster.yaml."""

    shifts: Annotated[dict[ShiftName, Shift], Field(min_length=1)]
    teams: dict[TeamName, tuple[Member, ...]] = Field(default_factory=dict)
    rotations: dict[TeamName, Rotation] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    changes: tuple[Change, ...] = ()
    calendar: tuple[SpecialDay, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    limits: Limits = Limits()
    lieu: Lieu = Lieu()
