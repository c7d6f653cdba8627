"""``hotline handover``: the sheet for the change of shifts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from config.catalogue import _
from hotline.cli_options import STORE, ConfigFolder, FormatOption, answer, house, micros, one_line_each, refuse, when
from hotline.show import Format, show_json, show_lines

AHEAD = dt.timedelta(days=2)
"""How far the sheet looks for gaps, from the change of shifts on."""

MOST_CALLS = 100_000
"""Calls of one shift."""


@one_line_each()
def handover(
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WHEN", help=_("The change of shifts then, or the next one; now if left out.")),
    ] = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """What whoever comes should know."""
    settings, state = house(config)
    if form is Format.CSV:
        raise typer.BadParameter(_("The sheet is a text, or JSON."), param_hint="--format")
    from calllog import house_queries, queries, rating_queries
    from calllog.kpi import Ratings
    from hotline import control
    from hotline.handover import Sheet, absences_of, as_json, lines
    from routing import handover as shifts
    from routing.coverage import coverage, gaps
    from routing.roster import Roster

    zone = settings.hotline.zone
    now = dt.datetime.now(zone)
    roster = Roster.of(settings)
    found = shifts.handover(roster, when(at, "--at", settings) or now)
    if found is None:
        refuse(_("No shift ends within four days of then: there is nothing to hand over."))
    since, until = micros(found.since), micros(min(max(found.at, found.since), now)) or 0
    try:
        status = control.ask(state, "status")
    except control.NotRunning:
        status = None
    day = max(now, found.at).date()
    begins = max(now, found.at)
    sheet = Sheet(
        settings, found, now,
        calls=answer(queries.list_calls(state / STORE, since=since, until=until, limit=MOST_CALLS), []),
        system=answer(house_queries.system_events(state / STORE, since or 0, until), []),
        status=status,
        gaps=gaps(coverage(settings, roster, begins, begins + AHEAD)),
        ratings=answer(rating_queries.ratings(state / STORE, since=since or 0, until=until), Ratings()),
        absences=absences_of((date, roster.pattern.absences(date)) for date in (day, day + dt.timedelta(days=1))),
    )  # fmt: skip
    if form is Format.JSON:
        show_json(as_json(sheet))
    else:
        show_lines(lines(sheet))
