"""``hotline report …``: what the journal says of a period. Here: attendance (考勤)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import BAD, DIM, WARN, Names
from config.catalogue import _, ngettext
from hotline.cli_options import (
    STORE,
    Command,
    ConfigFolder,
    FormatOption,
    Group,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    tell,
)
from hotline.no_such import no_agent
from hotline.show import Column, Format, console, iso, show, show_json

if TYPE_CHECKING:
    from config.settings import Settings
    from routing.attendance import Attended, Past, Person

report_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("What the journal says of a period."))

MonthOption = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM", help=_("This month; the present one if none is named."))
]
FromOption = Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("First day."))]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Last day, included."))]

MOST_DAYS = 366
"""Days of a report."""


@dataclass(frozen=True, slots=True)
class Period:
    """Both days included."""

    first: dt.date
    last: dt.date


@report_app.command("attendance", cls=Command, help=_("Arrivals, lateness, hours worked, time off in lieu."))
@one_line_each()
def attendance(
    month: MonthOption = None,
    since: FromOption = None,
    until: ToOption = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="N", help=_("This staff number, shift by shift."))]
    = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Each person's attendance, by the roster that was in force then."""
    settings, state = house(config)
    now = dt.datetime.now(settings.hotline.zone)
    period = period_of(month, since, until, now, settings)
    from calllog import house_queries
    from hotline.past import midnight, opening_day, past_of
    from routing.attendance import attended, people, taken

    end = min(micros(now) or 0, midnight(period.last + dt.timedelta(days=4), settings))
    known = answer(house_queries.house(state / STORE, end), None)
    if known is None:
        refuse(_("There is no call store yet: nothing is known of anybody's attendance."))
    past, unread = past_of(settings, known, micros(now) or 0)
    opened, last = opening_day(settings, known, period.first), min(period.last, now.date())
    every = [one for one in attended(past, min(opened, period.first), last)
             if one.begins < past.now and one.ends > known.begins]  # fmt: skip
    rows = [one for one in every if one.date >= period.first]
    sums = people(every, period.first, period.last, opened, settings.roster.lieu.opening,
                  taken(past, period.first, last), taken(past, opened, last))  # fmt: skip
    if agent is not None:
        if agent not in settings.agents.agents and all(one.agent != agent for one in rows):
            refuse(no_agent(agent, settings.agents.agents))
        rows, sums = [one for one in rows if one.agent == agent], [one for one in sums if one.agent == agent]
    for at in unread:
        said = _("The roster that took effect at {when} cannot be read by this version: the one before it is used.")
        tell(said.format(when=iso(at, settings.hotline.zone)))
    _show(form, settings, period, rows, sums, past, alone=agent is not None)


def _show(
    form: Format, settings: Settings, period: Period, rows: list[Attended], sums: list[Person], past: Past, *,
    alone: bool,
) -> None:  # fmt: skip
    shifts, persons = _shift_columns(settings), _person_columns(settings)
    if form is Format.JSON:
        show_json({
            "from": period.first.isoformat(), "to": period.last.isoformat(),
            "grace_minutes": settings.roster.limits.late, "sign_in": settings.hotline.sign_in,
            "people": [{column.key: column.value(one) for column in persons} for one in sums],
            "shifts": [{column.key: column.value(one) for column in shifts} for one in rows],
        })  # fmt: skip
        return
    if form is Format.CSV:
        show(form, shifts, rows)
        return
    screen = console()
    title = _("Attendance {first} to {last}").format(first=period.first, last=period.last)
    screen.print(title, style="bold")
    screen.print()
    show(form, persons, sums, empty=_("Nobody was due."))
    notable = rows if alone else [one for one in rows if one.late or one.early or one.absent or one.extra]
    if notable:
        screen.print()
        screen.print(_("Shift by shift") if alone else _("Late, early, absent and extra duty"), style="bold")
        show(form, shifts, notable)
    screen.print()
    for line in formulas(settings):
        screen.print(line, style=DIM, soft_wrap=True)
    many = len(past.outages) - 1  # before the journal began is no outage
    if many > 0:
        said = ngettext("While no daemon ran ({n} time) nobody could sign in: that counts as nobody's lateness.",
                        "While no daemon ran ({n} times) nobody could sign in: that counts as nobody's lateness.",
                        many)  # fmt: skip
        screen.print(said.format(n=many), style=DIM, soft_wrap=True)


def formulas(settings: Settings) -> list[str]:
    """How each figure is made."""
    lieu = settings.roster.lieu
    lines = [
        _("Planned: the shift without its breaks, by the roster in force when it ended. Backups are not counted."),
        _("Worked: planned time in which the agent was signed in (also when paused)."),
        _("Late, early: more than {grace:g} min of planned time before the first or after the last presence.").format(
            grace=settings.roster.limits.late
        ),
        _("Absent: not there at all. Extra: hours worked of extra duty."),
        _("Lieu earned: hours worked on festivals × {festival:g}; of extra duty on workdays × {workday:g}, on other"
          " days off × {restday:g}.").format(
            festival=lieu.rates.festival, workday=lieu.rates.workday, restday=lieu.rates.restday
        ),
        _("Lieu taken: {day:g} h for each day of leave with a shift, or the hours of a leave by hours."
          " Balance: opening + earned − taken{since}.").format(
            day=lieu.day, since=_(" since {date}").format(date=lieu.since) if lieu.since else ""
        ),
    ]  # fmt: skip
    if settings.hotline.sign_in == "automatic":
        lines.append(_("Signing in is automatic: whoever is due counts as there until they sign out. Only with"
                       " sign_in: required does this table say who came."))  # fmt: skip
    return lines


def period_of(
    month: str | None, since: str | None, until: str | None, now: dt.datetime, settings: Settings
) -> Period:
    """The month, or the days, that were named; the present month where none were. Wrong usage (exit status 2) where one
    cannot be understood."""
    if month is not None and (since is not None or until is not None):
        raise typer.BadParameter(_("Name a month, or days, not both."), param_hint="--month")
    if since is None and until is None:
        text = now.strftime("%Y-%m") if month is None else month
        written = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})", text)
        try:
            first = dt.date(int(written[1]), int(written[2]), 1) if written else None
            following = (first + dt.timedelta(days=32)).replace(day=1) if first else None
        except (ValueError, OverflowError):
            first = following = None
        if first is None or following is None or not 1970 <= first.year <= 9000:
            said = _("“{text}” is no month. Write 2027-02.").format(text=text[:40])
            raise typer.BadParameter(said, param_hint="--month")
        return Period(first, following - dt.timedelta(days=1))
    first = _day(since, "--from", now, settings) if since is not None else now.date().replace(day=1)
    last = _day(until, "--to", now, settings) if until is not None else max(first, now.date())
    if last < first:
        raise typer.BadParameter(_("The last day is before the first."), param_hint="--to")
    if (last - first).days >= MOST_DAYS:
        raise typer.BadParameter(_("At most {n} days.").format(n=MOST_DAYS), param_hint="--from")
    return Period(first, last)


def _day(text: str, option: str, now: dt.datetime, settings: Settings) -> dt.date:
    from routing.when import NotAnInstant, instant_of

    try:
        return instant_of(text, now, settings.hotline.zone).date()
    except NotAnInstant as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _person_columns(settings: Settings) -> list[Column[Person]]:
    agents = settings.agents.agents

    def bad(many: int) -> str | tuple[str, str]:
        return (str(many), WARN) if many else ""

    def times(many: int, hours: float) -> str | tuple[str, str]:
        said = _("{n} × ({minutes} min)").format(n=many, minutes=round(hours * 60))
        return (said, WARN) if many else ""

    return [
        Column("agent", lambda one: one.agent, _("Staff no.")),
        Column("name", lambda one: agents[one.agent].name if one.agent in agents else "", _("Name")),
        Column("shifts", lambda one: one.shifts, _("Shifts"), right=True),
        Column("planned_h", lambda one: round(one.planned, 2), _("Planned h"), lambda one: f"{one.planned:.1f}",
               right=True),
        Column("worked_h", lambda one: round(one.worked, 2), _("Worked h"), lambda one: f"{one.worked:.1f}",
               right=True),
        Column("extra_h", lambda one: round(one.extra, 2), _("Extra h"), lambda one: _hours(one.extra), right=True),
        Column("late", lambda one: one.late, _("Late"), lambda one: times(one.late, one.late_hours)),
        Column("late_h", lambda one: round(one.late_hours, 3)),
        Column("early", lambda one: one.early, _("Left early"), lambda one: times(one.early, one.early_hours)),
        Column("early_h", lambda one: round(one.early_hours, 3)),
        Column("absent", lambda one: one.absent, _("Absent"), lambda one: bad(one.absent), right=True),
        Column("lieu_earned_h", lambda one: round(one.earned, 2), _("Lieu earned h"), lambda one: _hours(one.earned),
               right=True),
        Column("lieu_taken_h", lambda one: round(one.taken, 2), _("Lieu taken h"), lambda one: _hours(one.taken),
               right=True),
        Column("lieu_balance_h", lambda one: round(one.balance, 2), _("Lieu balance h"),
               lambda one: (f"{one.balance:.1f}", BAD) if one.balance < -0.005 else f"{one.balance:.1f}", right=True),
    ]  # fmt: skip


def _shift_columns(settings: Settings) -> list[Column[Attended]]:
    zone, names, agents = settings.hotline.zone, Names.of(settings), settings.agents.agents

    def clock(at: int, date: dt.date) -> str:
        if not at:
            return ""
        local = dt.datetime.fromtimestamp(at / 1e6, zone)
        return local.strftime("%H:%M" if local.date() == date else "%m-%d %H:%M")

    def minutes(length: int) -> str | tuple[str, str]:
        return (_("{n} min").format(n=length // 60_000_000), WARN) if length else ""

    def remark(one: Attended) -> str | tuple[str, str]:
        if one.absent:
            return _("absent"), BAD
        if one.extra:
            return _("extra duty")
        if one.instead_of:
            return _("in place of {agent}").format(agent=names.agent(one.instead_of))
        return "" if one.over else (_("not over yet"), DIM)

    return [
        Column("agent", lambda one: one.agent, _("Staff no.")),
        Column("name", lambda one: agents[one.agent].name if one.agent in agents else "", _("Name")),
        Column("date", lambda one: one.date.isoformat(), _("Date")),
        Column("shift", lambda one: one.shift, _("Shift")),
        Column("begins", lambda one: iso(one.begins, zone), _("From"), lambda one: clock(one.begins, one.date)),
        Column("ends", lambda one: iso(one.ends, zone), _("To"), lambda one: clock(one.ends, one.date)),
        Column("arrived", lambda one: iso(one.arrived, zone), _("Arrived"), lambda one: clock(one.arrived, one.date)),
        Column("left", lambda one: iso(one.left, zone), _("Left"), lambda one: clock(one.left, one.date)),
        Column("planned_h", lambda one: round(one.planned / 3.6e9, 2), _("Planned h"),
               lambda one: f"{one.planned / 3.6e9:.1f}", right=True),
        Column("worked_h", lambda one: round(one.worked / 3.6e9, 2), _("Worked h"),
               lambda one: f"{one.worked / 3.6e9:.1f}", right=True),
        Column("late_min", lambda one: one.late // 60_000_000, _("Late"), lambda one: minutes(one.late), right=True),
        Column("early_min", lambda one: one.early // 60_000_000, _("Left early"), lambda one: minutes(one.early),
               right=True),
        Column("away_min", lambda one: one.away // 60_000_000),
        Column("absent", lambda one: one.absent),
        Column("extra", lambda one: one.extra),
        Column("instead_of", lambda one: one.instead_of),
        Column("over", lambda one: one.over),
        Column("lieu_earned_h", lambda one: round(one.earned, 2)),
        Column("remark", remark_key, _("Remark"), remark),
    ]  # fmt: skip


def remark_key(one: Attended) -> str:
    """The remark's code."""
    return "absent" if one.absent else "extra" if one.extra else one.why if one.why != "pattern" else ""


def _hours(hours: float) -> str:
    return f"{hours:.1f}" if hours else ""
