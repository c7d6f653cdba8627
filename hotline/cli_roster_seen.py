"""``hotline roster show|coverage``: the roster as a coloured grid, and how well each hour is covered as a map."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.catalogue import _
from hotline.cli_options import Command, ConfigFolder, FormatOption, house, one_line_each, refuse, tell, when
from hotline.show import Column, Format, console, show, show_lines

if TYPE_CHECKING:
    from config.settings import Settings
    from hotline.heat import Heat
    from hotline.roster_view import Entry
    from routing.coverage import Cover

app = typer.Typer()
"""Its commands are put into ``hotline roster``."""


# --- show -------------------------------------------------------------------------------------------------------------


@app.command("show", cls=Command, help=_("People down, days across, in colour: who works when."))
@one_line_each()
def show_command(
    date: Annotated[str | None, typer.Argument(metavar="[DATE]", help=_("The first day; default: today."))] = None,
    week: Annotated[bool, typer.Option("--week", help=_("Begin on the Monday of that week."))] = False,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=53, help=_("So many weeks of seven days."))] = 1,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", metavar="N", help=_("Only this agent; can be given again."))
    ] = None,
    team: Annotated[str, typer.Option("--team", help=_("Only this team."))] = "",
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", help=_("As it was in this version, see 'hotline roster history'.")),
    ] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Pure parts: ``roster_view`` gathers, ``roster_grid`` lays out, ``palette`` colours."""
    settings = _settings(config, form)
    title = ""
    if version is not None:
        settings, title = _of_version(config, version)
    from hotline.roster_view import Seen, Unknown, weeks_of

    today = dt.datetime.now(settings.hotline.zone).date()
    asked = when(date, "DATE", settings)
    first = asked.date() if asked is not None else today
    first -= dt.timedelta(days=first.weekday() if week else 0)
    try:
        found = weeks_of(Seen.of(settings, first, 7 * weeks, today), agents=agent or (), team=team)
    except Unknown as error:
        refuse(str(error))
    if form is not Format.TABLE:
        show(form, _entry_columns(), found.entries)
        return
    from hotline.palette import Paint
    from hotline.roster_grid import lines

    screen, grid = console(), found.grid
    if title:
        grid = replace(grid, title=f"{grid.title} ({title})")
    show_lines(list(lines(grid, screen.width, Paint(screen))))


def _entry_columns() -> list[Column[Entry]]:
    return [
        Column("date", lambda one: one.day.date.isoformat()),
        Column("day", lambda one: one.day.kind),
        Column("holiday", lambda one: one.day.name or None),
        Column("team", lambda one: one.person.team or None),
        Column("agent", lambda one: one.person.number),
        Column("name", lambda one: one.person.name),
        Column("shifts", lambda one: [duty.shift for duty in one.duties]),
        Column("from", lambda one: [duty.begins.isoformat() for duty in one.duties]),
        Column("to", lambda one: [duty.ends.isoformat() for duty in one.duties]),
        Column("why", lambda one: [duty.why for duty in one.duties]),
        Column("instead_of", lambda one: [duty.instead_of for duty in one.duties]),
        Column("backup", lambda one: [duty.backup for duty in one.duties]),
        Column("leave", lambda one: one.leave or None),
    ]


# --- coverage ---------------------------------------------------------------------------------------------------------


@app.command("coverage", cls=Command, help=_("How well each hour of each queue is covered, as a coloured map."))
@one_line_each()
def coverage_command(
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("The first day; default: today."))]
    = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help=_("So many days."))] = 14,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", metavar="Q", help=_("Only this queue; can be given again."))
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help=_("Draw it into this file: .svg or .png."))
    ] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:  # fmt: skip
    """On the terminal, or as a picture."""
    settings = _settings(config, form)
    from hotline.roster_view import Seen, Unknown, heat_of

    if output is not None and output.suffix.lower() not in (".svg", ".png"):
        raise typer.BadParameter(_("The file's name must end in .svg or .png."), param_hint="--output")
    now = dt.datetime.now(settings.hotline.zone)
    seen = Seen.of(settings, (when(since, "--from", settings) or now).date(), days, now.date())

    def made(latin: bool = False) -> Heat:
        return heat_of(seen, now, queues=queue or (), latin=latin)

    try:
        heat = made()
    except Unknown as error:
        refuse(str(error))
    if output is not None:
        from hotline.heat_files import write

        for line in write(output, made):
            tell(line)
    elif form is not Format.TABLE:
        keys = {key for panel in heat.panels for key in panel.queues}
        show(form, _cover_columns(settings), [cover for cover in seen.covers if cover.queue in keys])
    else:
        from hotline.heat_lines import lines
        from hotline.palette import Paint

        screen = console()
        show_lines(list(lines(heat, screen.width, Paint(screen))))


def _cover_columns(settings: Settings) -> list[Column[Cover]]:
    zone = settings.hotline.zone
    return [
        Column("queue", lambda one: one.queue),
        Column("level", lambda one: one.level),
        Column("from", lambda one: one.begins.astimezone(zone).isoformat()),
        Column("to", lambda one: one.ends.astimezone(zone).isoformat()),
        Column("open", lambda one: one.open),
        Column("have", lambda one: one.have),
        Column("backup", lambda one: one.backup),
        Column("need", lambda one: one.need),
        Column("want", lambda one: one.want),
    ]


# --- shared -----------------------------------------------------------------------------------------------------------


def _settings(config: Path, form: Format) -> Settings:
    """Those in force, or of the files; a person is told where the files were refused."""
    from hotline.in_force import lines_in_force

    settings, state = house(config)
    if form is Format.TABLE:
        for said in lines_in_force(state, settings.hotline.zone, config):
            tell(said)
    return settings


def _of_version(config: Path, number: int) -> tuple[Settings, str]:
    """The settings of a version that took effect, and what it is called."""
    from config.versions import History
    from hotline.put_in_force import version_of

    _now, state = house(config)
    history = History(state)
    version = version_of(history, number)
    return history.settings(version).settings, _("version {n}").format(n=version.version)
