"""``hotline report satisfaction``: what callers said of their talks, by day, queue or agent (满意度, 参评率)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from calllog.wording import DIM, Names
from config.catalogue import _
from hotline.cli_options import STORE, Command, ConfigFolder, FormatOption, answer, house, one_line_each
from hotline.cli_report import FromOption, MonthOption, ToOption, period_of, report_app as report_app
from hotline.show import Column, Format, console, show, show_json

if TYPE_CHECKING:
    from calllog.kpi import Ratings
    from config.settings import Settings

Line = tuple[str, "Ratings"]
"""Day, queue or staff number, and its figures."""


@report_app.command("satisfaction", cls=Command, help=_("What callers said of their talks."))
@one_line_each()
def satisfaction(
    by: Annotated[Literal["day", "queue", "agent"], typer.Option("--by", help=_("A line for each of these."))] = "day",
    month: MonthOption = None,
    since: FromOption = None,
    until: ToOption = None,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The callers' ratings, of the calls that arrived in the period."""
    settings, state = house(config)
    now = dt.datetime.now(settings.hotline.zone)
    period = period_of(month, since, until, now, settings)
    from calllog.kpi import Ratings
    from calllog.rating_queries import ratings_by
    from calllog.rating_words import formulas
    from hotline.past import midnight

    begins, ends = midnight(period.first, settings), midnight(period.last + dt.timedelta(days=1), settings)
    found = answer(ratings_by(state / STORE, by, settings.hotline.zone, since=begins, until=ends), {})
    whole = sum(found.values(), Ratings())
    columns = _columns(settings, by)
    if form is Format.JSON:
        plain = {column.key: column.value(("", whole)) for column in columns if column.key != by}
        show_json({
            "from": period.first.isoformat(), "to": period.last.isoformat(),
            "bad_from": settings.hotline.survey.bad_from, "total": plain,
            "lines": [{column.key: column.value(one) for column in columns} for one in found.items()],
        })  # fmt: skip
        return
    if form is Format.CSV:
        show(form, columns, list(found.items()))
        return
    screen = console()
    screen.print(_("Satisfaction {first} to {last}").format(first=period.first, last=period.last), style="bold")
    screen.print()
    lines = [*found.items(), *([("", whole)] if len(found) > 1 else [])]
    show(form, columns, lines, empty=_("No caller was asked to rate a talk."))
    screen.print()
    for line in formulas():
        screen.print(line, style=DIM, soft_wrap=True)


def _columns(settings: Settings, by: Literal["day", "queue", "agent"]) -> list[Column[Line]]:
    from calllog.rating_words import percent, rating_said
    from calllog.survey_words import RATINGS

    names = Names.of(settings)
    titles = {"day": _("Date"), "queue": _("Queue"), "agent": _("Agent")}

    def who(line: Line) -> str | tuple[str, str]:
        if not line[0]:
            return _("All"), "bold"
        return names.queue(line[0]) if by == "queue" else names.agent(line[0]) if by == "agent" else line[0]

    def counted(rating: int) -> Column[Line]:
        return Column(f"rating_{rating}", lambda line: line[1].given[rating - 1], rating_said(rating),
                      lambda line: str(line[1].given[rating - 1] or ""), right=True)  # fmt: skip

    return [
        Column(by, lambda line: line[0], titles[by], who),
        Column("invited", lambda line: line[1].invited, _("Asked"), right=True),
        Column("rated", lambda line: line[1].rated, _("Rated"), right=True),
        Column("participation", lambda line: _rounded(line[1].participation), _("Participation"),
               lambda line: percent(line[1].participation), right=True),
        *map(counted, RATINGS),
        Column("satisfied", lambda line: line[1].satisfied),
        Column("satisfaction", lambda line: _rounded(line[1].satisfaction), _("Satisfaction"),
               lambda line: percent(line[1].satisfaction), right=True),
    ]  # fmt: skip


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)
