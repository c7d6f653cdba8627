"""``hotline simulate``: a stated day on the real desk and roster, in virtual time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calllog.kpi import ANSWER_WITHIN, occupancy
from config.catalogue import _
from hotline.cli_options import ConfigFolder, FormatOption, house, one_line_each, refuse, tell, when
from hotline.show import Column, Format, clock, console, show, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.day import Day
    from config.settings import Settings
    from routing.played import Played, Quarter
    from routing.simulation import Simulation

TYPICAL = Path("days") / "typical.yaml"
"""The example, below the configuration folder."""

GOAL = 0.8
"""The share of callers answered in time by which the agents needed are counted: the field's 80/20 rule."""

MOST_CALLS = 1_000_000
"""Calls of one day that are played: some minutes; no hotline has more, and a slip of a digit must not run for hours."""

PROGRESS_FROM = 5_000
"""Calls from which a progress bar is worth its line: about a tenth of a second each 1,000."""


@one_line_each()
def simulate(
    day: Annotated[Path | None, typer.Option("--day", metavar="FILE", help=_("The day; default: days/typical.yaml."))]
    = None,
    date: Annotated[str | None, typer.Option("--date", metavar="WHEN", help=_("The roster's day; default: tomorrow."))]
    = None,
    calls: Annotated[int | None, typer.Option(min=1, max=MOST_CALLS, help=_("Scale the day to so many calls."))] = None,
    agents: Annotated[
        int | None,
        typer.Option(min=1, max=50_000, help=_("So many agents: scales the day's staff; without staff, all day long.")),
    ] = None,
    within: Annotated[float, typer.Option(min=0, max=3600, help=_("Seconds that count as answered in time."))]
    = ANSWER_WITHIN,
    seed: Annotated[int, typer.Option(help=_("The same seed gives the same day."))] = 1,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", help=_("Draw the day into this file."))] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:  # fmt: skip
    """Try a day before it comes: the real desk and roster, synthetic callers, virtual time."""
    settings, _state = house(config)
    from config.day import load_day

    stated = load_day(day if day is not None else config / TYPICAL, set(settings.queues.queues))
    zone = settings.hotline.zone
    instant = when(date, "--date", settings) or dt.datetime.now(zone) + dt.timedelta(days=1)
    on = instant.astimezone(zone).date()
    course = _course(settings, stated, on, agents=agents, calls=calls, seed=seed, within=within)
    if course.expected > 1.001 * MOST_CALLS:
        refuse(
            _("This day brings {calls:,.0f} calls, at most {most:,} can be played. Lower its arrivals, or set --calls.")
            .format(calls=course.expected, most=MOST_CALLS)
        )  # fmt: skip
    with _progress(course.expected if form is Format.TABLE else 0) as progress:
        played = course.run(progress)
    if not played.total().asked:
        refuse(_("No call came: give the day more calls."))
    hours = [_wall(quarter, settings) for quarter in played.quarters]
    if picture is not None:
        from hotline.day_picture import draw

        title = _("{company}: {date}, simulated").format(company=settings.hotline.company, date=on.isoformat())
        picture.write_text(draw(played, hours, title, _story(played, within), within=within), encoding="utf-8")
    if form is Format.TABLE:
        screen = console()
        screen.print(_("{date}, simulated with seed {seed}").format(date=on.isoformat(), seed=seed), style="bold")
        for line in _story(played, within):
            screen.print(line)
        if settings.hotline.record.required and stated.record is None:
            screen.print(_("The day does not say how long a call record takes (record): it is written in the wrap-up."))
        screen.print()
        show(form, _columns(settings, stated, within), _by_hour(played.quarters))
        if picture is not None:
            tell(_("The day is drawn in {file}.").format(file=picture))
    elif form is Format.JSON:
        columns = _columns(settings, stated, within)
        rows = [{column.key: column.value(quarter) for column in columns} for quarter in played.quarters]
        show_json({"date": on.isoformat(), "seed": seed, "total": _totals(played, within), "quarters": rows})
    else:
        show(form, _columns(settings, stated, within), played.quarters)


def _course(
    settings: Settings, day: Day, date: dt.date, *,
    agents: int | None, calls: int | None, seed: int, within: float,
) -> Simulation:  # fmt: skip
    from routing.messages import Rules
    from routing.roster import Roster
    from routing.simulation import Simulation, staffed

    rules, roster = Rules.of(settings), settings.roster
    if day.staff or agents is not None:
        rules, roster = staffed(rules, day.staff, agents)
    zone = settings.hotline.zone
    compiled = Roster.compile(roster, zone, settings.hotline.country)
    return Simulation(day, rules, compiled, date, zone, seed=seed, calls=calls, within=within)


@contextmanager
def _progress(expected: float) -> Iterator[Callable[[int], None]]:
    """A bar on standard error for days that take a while."""
    screen = console(stderr=True)
    if expected < PROGRESS_FROM or not screen.is_terminal:
        yield lambda calls: None
        return
    from rich.progress import Progress

    with Progress(console=screen, transient=True) as bar:
        task = bar.add_task(_("Calls"), total=expected)
        yield lambda calls: bar.update(task, completed=calls)


# --- what is shown ----------------------------------------------------------------------------------------------------


def _by_hour(quarters: Sequence[Quarter]) -> list[Quarter]:
    from routing.played import together

    return [together(quarters[at : at + 4]) for at in range(0, len(quarters), 4)]


def _columns(settings: Settings, day: Day, within: float) -> list[Column[Quarter]]:
    from routing.staffing import agents_needed

    hours = any(queue.hours for queue in settings.queues.queues.values())
    wrap_up = settings.hotline.times.wrap_up
    if settings.hotline.record.required and day.record is not None:
        wrap_up = max(wrap_up, day.record.mean)
    wrap_up += day.picks_up.mean if day.picks_up else 0.0

    def needed(one: Quarter) -> int:
        """By Erlang C for the load that came, with the ring, and the wrap-up or the call record."""
        if not one.tally.asked:
            return 0
        per_second = one.tally.asked / (one.length / 1_000_000)
        handling = one.load / per_second + wrap_up
        return agents_needed(per_second * handling, handling, level=GOAL, within=within)

    return [
        Column("begins", lambda one: _moment(one, settings).isoformat(), _("From"), lambda one: _wall(one, settings)),
        Column("asked", lambda one: one.tally.asked, _("Calls"), right=True),
        Column("answered", lambda one: one.tally.answered, _("Answered"), right=True),
        Column("service_level", lambda one: _rounded(one.tally.service_level),
               _("Within {n:g} s").format(n=within), lambda one: _percent(one.tally.service_level), right=True),
        Column("voicemail", lambda one: one.tally.voicemail, _("Messages"), right=True),
        Column("abandoned", lambda one: one.tally.abandoned, _("Hung up"), right=True),
        Column("uncovered", lambda one: one.tally.uncovered, _("Nobody there"), right=True),
        *([Column("closed", lambda one: one.tally.closed, _("Closed"), right=True)] if hours else []),
        Column("speed_of_answer", lambda one: _rounded(one.tally.average_speed_of_answer), _("Mean wait"),
               lambda one: _time(one.tally.average_speed_of_answer), right=True),
        Column("longest_wait", lambda one: round(one.longest, 3), _("Longest"), lambda one: clock(one.longest),
               right=True),
        Column("most_waiting", lambda one: one.most_waiting, _("Most waiting"), right=True, wide=True),
        Column("on_duty", lambda one: round(one.on_duty, 2), _("On duty"), lambda one: f"{one.on_duty:.1f}",
               right=True),
        Column("busy", lambda one: round(one.busy, 2), _("Busy"), lambda one: f"{one.busy:.1f}", right=True),
        Column("needed", needed, _("Needed"), lambda one: _beside(needed(one), one.on_duty), right=True),
    ]  # fmt: skip


def _beside(needed: int, on_duty: float) -> str | tuple[str, str]:
    return str(needed) if needed <= on_duty + 0.05 else (str(needed), "red")


def _totals(played: Played, within: float) -> dict[str, Any]:
    tally = played.total()
    busy, on_duty = (sum(getattr(one, name) for one in played.quarters) for name in ("busy", "on_duty"))
    return {
        "asked": tally.asked,
        "answered": tally.answered,
        "voicemail": tally.voicemail,
        "abandoned": tally.abandoned,
        "uncovered": tally.uncovered,
        "closed": tally.closed,
        "within": within,
        "answer_rate": _rounded(tally.answer_rate),
        "service_level": _rounded(tally.service_level),
        "abandon_rate": _rounded(tally.abandon_rate),
        "speed_of_answer": _rounded(tally.average_speed_of_answer),
        "longest_wait": round(max(one.longest for one in played.quarters), 3),
        "occupancy": _rounded(occupancy(busy, max(0.0, on_duty - busy))),
    }


def _story(played: Played, within: float) -> list[str]:
    """The day in a few lines: what became of the calls, and how long it took."""
    total = _totals(played, within)
    calls = _(
        "{asked} calls: {answered} answered ({rate}), {level} within {within:g} s; {voicemail} left a message, "
        "{abandoned} hung up, nobody was there for {uncovered}."
    )
    closed = _("{closed} asked outside service hours and left no message.")
    times = _("Mean wait {wait}, longest {longest}; agents occupied {occupancy}.")
    return [
        calls.format(
            asked=total["asked"], answered=total["answered"], voicemail=total["voicemail"],
            abandoned=total["abandoned"], uncovered=total["uncovered"], within=within,
            rate=_percent(total["answer_rate"]), level=_percent(total["service_level"]),
        ),
        *([closed.format(closed=total["closed"])] if total["closed"] else []),
        times.format(
            wait=_time(total["speed_of_answer"]), longest=clock(total["longest_wait"]),
            occupancy=_percent(total["occupancy"]),
        ),
    ]  # fmt: skip


def _moment(quarter: Quarter, settings: Settings) -> dt.datetime:
    return dt.datetime.fromtimestamp(quarter.begins / 1_000_000, settings.hotline.zone)


def _wall(quarter: Quarter, settings: Settings) -> str:
    return _moment(quarter, settings).strftime("%H:%M")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _time(value: float | None) -> str:
    return "–" if value is None else clock(value)
