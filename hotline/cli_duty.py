"""``hotline duty``: who is on duty at an instant, with which phones, until when, and who is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import DIM, WARN, Names
from config.catalogue import _
from hotline.cli_options import ConfigFolder, FormatOption, house, one_line_each, tell, when
from hotline.show import Column, Format, console, show, show_json

if TYPE_CHECKING:
    from config.settings import Settings
    from routing.calendar import DayKind
    from routing.present import Present
    from routing.roster import Duty

@one_line_each()
def duty(
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WHEN", help=_("For example 2027-02-06 03:00, 03:00, tomorrow 03:00; or ISO.")),
    ] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Who is on duty at an instant, until when, and who is next for each queue."""
    settings, state = house(config)
    from hotline.in_force import lines_in_force
    from routing.present import present
    from routing.roster import Roster
    from routing.timetable import on_break

    zone = settings.hotline.zone
    for line in lines_in_force(state, zone, config) if form is Format.TABLE else ():
        tell(line)
    instant = when(at, "--at", settings) or dt.datetime.now(zone)
    roster = Roster.of(settings)
    breaks = on_break(roster, instant)
    there = (*roster.on_duty(instant), *(shift for shift, _ends in breaks.values()))
    on_duty = sorted(there, key=lambda one: (one.backup, one.agent in breaks, one.agent))
    covers = present(settings, roster, instant)
    columns = _duty_columns(settings, instant, {agent: ends for agent, (_shift, ends) in breaks.items()},
                            any(one.instead_of for one in on_duty))  # fmt: skip
    day = roster.calendar.kind(instant.date())
    if form is Format.JSON:
        show_json({
            "at": instant.isoformat(timespec="seconds"),
            "timezone": settings.hotline.timezone,
            "day": day,
            "holiday": roster.calendar.name(instant.date()),
            "on_duty": [{column.key: column.value(one) for column in columns} for one in on_duty],
            "queues": [{column.key: column.value(cover) for column in _cover_columns(settings, instant)}
                       for cover in covers],
        })  # fmt: skip
        return
    if form is Format.TABLE:
        screen = console()
        screen.print(
            _("On duty at {when} ({zone})").format(
                when=instant.strftime("%Y-%m-%d %H:%M:%S"), zone=settings.hotline.timezone
            ),
            style="bold",
        )
        screen.print(_day_words(instant.date(), day, roster.calendar.name(instant.date())), style=DIM)
        screen.print()
        if not on_duty:
            screen.print(_("Nobody is on duty."), style="bold red")
    show(form, columns, on_duty)
    if form is Format.TABLE:
        screen.print()
        show(form, _cover_columns(settings, instant), covers)


def _day_words(date: dt.date, kind: DayKind, name: str) -> str:
    """``周六，法定节假日（春节）``."""
    weekday = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    kinds: dict[DayKind, str] = {
        "festival": _("a statutory festival"), "holiday": _("a holiday"), "makeup": _("a make-up workday"),
        "workday": _("a workday"), "restday": _("a day of rest"),
    }  # fmt: skip
    said = _("{weekday}, {kind}").format(weekday=weekday[date.weekday()], kind=kinds[kind])
    return _("{day} ({name})").format(day=said, name=name) if name else said


def _duty_columns(
    settings: Settings, instant: dt.datetime, breaks: Mapping[str, dt.datetime], swapped: bool
) -> list[Column[Duty]]:
    agents, names = settings.agents.agents, Names.of(settings)

    def local(time: dt.datetime) -> dt.datetime:
        return time.astimezone(settings.hotline.zone)

    def skills(one: Duty) -> list[str]:
        return list(agents[one.agent].skills_at(one.date)) if one.agent in agents else []

    def labels(one: Duty) -> str:
        return _(", ").join(_skill_words(settings, skills(one)))

    def devices(one: Duty) -> list[str]:
        return _devices(settings, one)

    def line(one: Duty) -> str | tuple[str, str]:
        if one.agent in breaks:
            return _("break until {time}").format(time=_hour(breaks[one.agent], instant)), DIM
        return (_("backup"), DIM) if one.backup else _("first line")

    return [
        Column("agent", lambda one: one.agent, _("Staff no.")),
        Column("name", lambda one: agents[one.agent].name if one.agent in agents else "", _("Name")),
        Column("shift", lambda one: one.shift, _("Shift")),
        Column("line", lambda one: "backup" if one.backup else "first", _("Line"), line),
        Column("break_until", lambda one: local(breaks[one.agent]).isoformat() if one.agent in breaks else None),
        Column("since", lambda one: local(one.begins).isoformat(), _("Since"), lambda one: _hour(one.begins, instant)),
        Column("until", lambda one: local(one.until).isoformat(), _("Until"), lambda one: _hour(one.until, instant)),
        Column("rings", devices, _("Rings"), lambda one: _(", ").join(devices(one))),
        Column("instead_of", lambda one: one.instead_of, _("In place of") if swapped else "",
               lambda one: names.agent(one.instead_of) if one.instead_of else ""),
        Column("skills", skills, _("Answers"), labels),
    ]  # fmt: skip


def _devices(settings: Settings, duty: Duty) -> list[str]:
    """The labels of the devices that ring on this shift, in their order: all, where it names none that there are."""
    from routing.plan import chosen

    agent = settings.agents.agents.get(duty.agent)
    if agent is None:
        return []
    return [one.label for one in chosen(agent, duty.devices)]


def _cover_columns(settings: Settings, instant: dt.datetime) -> list[Column[Present]]:
    names = Names.of(settings)

    def local(time: dt.datetime) -> dt.datetime:
        return time.astimezone(settings.hotline.zone)

    def people(duties: tuple[Duty, ...]) -> str:
        first = [names.agent(one.agent) for one in duties if not one.backup]
        backups = [_("{agent} (backup)").format(agent=names.agent(one.agent)) for one in duties if one.backup]
        return _(", ").join(first + backups)

    def now(cover: Present) -> str | tuple[str, str]:
        if cover.closed is not None:
            if not cover.closed.opens:
                return _("closed"), DIM
            opens = dt.datetime.fromtimestamp(cover.closed.opens / 1_000_000, settings.hotline.zone)
            return _("closed until {time}").format(time=_hour(opens, instant)), DIM
        return people(cover.now) or (_("nobody"), "bold red")

    def following(cover: Present) -> str | tuple[str, str]:
        if not cover.next:
            return _("nobody within 8 days"), WARN
        return f"{_hour(cover.next[0].begins, instant)} {people(cover.next)}"

    return [
        Column("queue", lambda cover: cover.name),
        Column("label", lambda cover: cover.label, _("Queue")),
        Column("closed", lambda cover: cover.closed is not None),
        Column("now", lambda cover: [one.agent for one in cover.now], _("Now"), now),
        Column("next_at", lambda cover: local(cover.next[0].begins).isoformat() if cover.next else None),
        Column("next", lambda cover: [one.agent for one in cover.next], _("Next"), following),
    ]


def _skill_words(settings: Settings, skills: list[str]) -> list[str]:
    """The queues that these skills answer, by their labels; a skill without a queue by its name."""
    queues = settings.queues.queues.values()
    labels = [queue.label for queue in queues if queue.skill in skills]
    return labels + [skill for skill in skills if all(queue.skill != skill for queue in queues)]


def _hour(time: dt.datetime, instant: dt.datetime) -> str:
    """``06:00`` in the zone of ``instant``, with the date where it is another day."""
    local = time.astimezone(instant.tzinfo)
    return local.strftime("%H:%M" if local.date() == instant.date() else "%m-%d %H:%M")
