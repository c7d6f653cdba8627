"""``hotline roster import|export``: the roster as a sheet, there and back; and as CSV and calendars."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import GOOD
from config.catalogue import _, ngettext
from hotline.cli_options import Command, ConfigFolder, one_line_each, refuse, tell
from hotline.put_roster import AuthorOption, DryRunOption, YesOption, whole_or_not
from hotline.show import console, near

if TYPE_CHECKING:
    from config.settings import Settings

app = typer.Typer()
"""Its commands are put into ``hotline roster``."""

CALENDAR_MONTHS = 3
"""Months in a calendar where none is named: this one and the next two."""

MOST_LINES = 60
"""Cells that import names one by one."""

# --- export -----------------------------------------------------------------------------------------------------------


@app.command("export", cls=Command, help=_("A month as an Excel sheet to fill in, as CSV, or as calendars."))
@one_line_each()
def export_command(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help=_("month.xlsx, month.csv, or with --agent shifts.ics."))
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help=_("Which month; this one if left out."))
    ] = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", metavar="DIR", help=_("A calendar for each person into this folder."))
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NUMBER", help=_("Calendars of this agent alone."))
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=_("Write over a sheet that is there already."))] = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """Written whole or not at all."""
    from hotline.sheet.save import save

    if (file is None) == (ics is None):
        raise typer.BadParameter(_("Name a file, or a folder with --ics."), param_hint="FILE")
    settings, text = _settings(config)
    first = _month(month, settings)
    if agent is not None and agent not in settings.agents.agents:
        from hotline.no_such import no_agent

        refuse(no_agent(agent, settings.agents.agents))
    if ics is not None:
        ics.mkdir(parents=True, exist_ok=True)
        numbers = [agent] if agent else list(settings.agents.agents)
        made = _calendars(settings, numbers, first, 1 if month else CALENDAR_MONTHS)
        files = {ics / f"{number}.ics": content for number, content in made.items()}
    else:
        assert file is not None
        files = {file: _content(file, settings, text, first, agent, 1 if month else CALENDAR_MONTHS, force)}
    save(files)
    for path in [*files] if len(files) == 1 else [ics]:
        console().print(_("Written: {file}").format(file=near(path or Path())), style=GOOD)


def _content(
    file: Path, settings: Settings, text: bytes, first: dt.date, agent: str | None, months: int, force: bool
) -> bytes:
    match file.suffix.lower():
        case ".xlsx":
            if file.exists() and not force:
                said = _("{file} is there already, and somebody may have filled it in.").format(file=near(file))
                refuse(said, _("Take another name, or write over it with --force."))
            return _sheet(settings, text, first)
        case ".csv":
            from hotline.sheet.csv_file import csv_of
            from hotline.sheet.find import days_of
            from routing.roster import Roster

            return csv_of(settings, Roster.of(settings), first, days_of(first)[-1])
        case ".ics":
            if agent is None:
                raise typer.BadParameter(_("Whose? Add --agent, or use --ics DIR for all."), param_hint="FILE")
            return _calendars(settings, [agent], first, months)[agent]
    raise typer.BadParameter(_("The file's name must end in .xlsx, .csv or .ics."), param_hint="FILE")


def _sheet(settings: Settings, text: bytes, first: dt.date) -> bytes:
    import hashlib

    from config.catalogue import language
    from hotline.sheet.draw import Stamp, draw
    from hotline.sheet.gather import page_of
    from hotline.sheet.words import Vocabulary

    words = Vocabulary(settings.roster.shifts, chinese=language() == "zh")
    now = dt.datetime.now(settings.hotline.zone)
    return draw(page_of(settings, first), words, Stamp(hashlib.sha256(text).hexdigest(), now))


def _calendars(settings: Settings, numbers: list[str], first: dt.date, months: int) -> dict[str, bytes]:
    from hotline.sheet.find import days_of
    from hotline.sheet.ics import ics_of
    from routing.roster import Roster

    last = first
    for _month_more in range(months):
        last = days_of(last)[-1] + dt.timedelta(days=1)
    last -= dt.timedelta(days=1)
    roster, now = Roster.of(settings), dt.datetime.now(dt.UTC)
    return {number: ics_of(settings, roster, number, first, last, now) for number in numbers}


def _month(said: str | None, settings: Settings) -> dt.date:
    """Its first day."""
    if said is None:
        return dt.datetime.now(settings.hotline.zone).date().replace(day=1)
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})", said)
    if not found or not 1 <= int(found[2]) <= 12 or not 2000 <= int(found[1]) <= 2200:
        raise typer.BadParameter(_("Write a month as YYYY-MM, for example 2027-02."), param_hint="--month")
    return dt.date(int(found[1]), int(found[2]), 1)


# --- import -----------------------------------------------------------------------------------------------------------


@app.command("import", cls=Command, help=_("Take a filled-in sheet: shows what changes, proves it, then it holds."))
@whole_or_not()
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("An .xlsx file, as export made it."))],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    author: AuthorOption = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Cells that differ become dated changes of roster.yaml; on any fault nothing is changed."""
    from config.problems import Place, Problem
    from hotline.put_roster import put
    from hotline.sheet.bring import bring

    settings, was = _settings(config)
    brought = bring(file, settings, was)
    for warning in brought.warnings:
        tell(str(warning))
    today = dt.datetime.now(settings.hotline.zone).date()
    past = [change for change in brought.changes if change.date < today]
    if past:
        what = ngettext(
            "{n} cell is of a day that is past.", "{n} cells are of days that are past.", len(past)
        ).format(n=len(past))
        tell(str(Problem("sheet-past", Place(file.name, 0, past[0].cell), what, _("Is it the right month?"), True)))
    if not brought.changes:
        console().print(_("The sheet says what the roster says: nothing changes."))
        return
    count = len(brought.changes)
    console().print(ngettext("{n} cell differs:", "{n} cells differ:", count).format(n=count))
    for change in brought.changes[:MOST_LINES]:
        console().print(f"  {change}")
    if count > MOST_LINES:
        more = count - MOST_LINES
        console().print("  " + ngettext("and {n} more", "and {n} more", more).format(n=more))
    put(config, was, brought.becomes, how="import", author=author, dry_run=dry_run, yes=yes)


def _settings(config: Path) -> tuple[Settings, bytes]:
    """The settings of the files, and the text of roster.yaml that they were read from. Raises config's Refused."""
    from config.load import load

    path = config / "roster.yaml"
    while True:
        before = path.read_bytes() if path.is_file() else b""
        loaded = load(config)
        if path.read_bytes() == before:
            return loaded.settings, before
