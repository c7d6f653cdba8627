"""``hotline roster check``: the roster proven for the days to come, and how evenly its duty is shared."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calllog.wording import DIM
from config.catalogue import _, ngettext
from hotline.cli_options import Command, ConfigFolder, FormatOption, one_line_each, when
from hotline.problems_shown import counted, show_problems
from hotline.show import Column, Format, console, show, show_json

if TYPE_CHECKING:
    from config.problems import Problem
    from routing.check import Proven
    from routing.coverage import Gap
    from routing.proof import Proof
    from routing.shares import Share

app = typer.Typer()

COVERAGE = ("uncovered", "too-few", "fewer-than-wanted")
"""Codes of problems of coverage; the others are of people and of lines."""

LINES = (
    "change-without-effect", "swap-without-shift", "swap-onto-duty", "cover-on-leave", "cover-on-duty",
    "extra-on-leave", "rule-never-applies", "requirement-never-applies", "calendar-without-data",
)  # fmt: skip
"""Codes of problems of a line of the file."""

BAR = 20
"""Columns of the bar of whoever has most hours."""

ALL = 1_000_000
"""Lines of a kind with ``--all``."""


@app.command("check", cls=Command, help=_("Prove that somebody is there at every hour; how fairly it is shared."))
@one_line_each()
def check_command(
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help=_("So many days; default: limits.look_ahead of roster.yaml."))
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="WHEN", help=_("From then on; default: now."))
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=_("Name every problem of a kind."))] = False,
    only_shares: Annotated[bool, typer.Option("--shares", help=_("Only how duty is shared."))] = False,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Every hour of the next days proven: exit status 1 where the roster has errors."""
    from config.load import load
    from hotline.preflight import beside_the_roster
    from routing.check import prove
    from routing.findings import MOST_LINES

    loaded = load(config)
    now = when(since, "--from", loaded.settings) or dt.datetime.now(dt.UTC)
    proven = prove(loaded.settings, now, days=days, most=ALL if everything else MOST_LINES)
    problems = [one for one in loaded.warnings if one.place.file == "roster.yaml"]
    problems += loaded.places.located(proven.problems)
    others = loaded.places.located(beside_the_roster(loaded.settings))
    shares = shares_of(proven)
    if form is Format.JSON:
        show_json(_json(proven, [*problems, *others], shares))
    elif form is Format.CSV and only_shares:
        show(form, _share_columns(proven), shares)
    elif form is Format.CSV:
        show(form, _problem_columns(), [*problems, *others])
    else:
        _show(proven, problems, others, shares, config, only_shares=only_shares)
    if not only_shares and any(not problem.warning for problem in (*problems, *others)):
        raise typer.Exit(1)


def shares_of(proven: Proven) -> list[Share]:
    """How the duty that begins in the proven span is shared, of every agent."""
    from routing.shares import nights, shares

    proof = proven.proof
    begun = {
        agent: [span for span in proof.spans.get(agent, ()) if proof.first <= span.begins < proof.last]
        for agent in proof.settings.agents.agents
    }
    return shares(begun, nights(proof), proof.calendar.kind)


# --- for people -------------------------------------------------------------------------------------------------------


def _show(
    proven: Proven, problems: Sequence[Problem], others: Sequence[Problem], shares: Sequence[Share], config: Path, *,
    only_shares: bool,
) -> None:  # fmt: skip
    screen = console()
    screen.print(_("The roster from {first} to {last}").format(**_dates(proven)), style="bold")
    screen.print()
    if not only_shares:
        of_lines = {problem.code for problem in problems} - {*COVERAGE} - {*LINES}
        groups = ((_("Coverage"), COVERAGE), (_("People"), of_lines), (_("Lines of the files"), LINES))
        sections = [(title, [one for one in problems if one.code in codes]) for title, codes in groups]
        for title, found in (*sections, (_("Other settings: their errors refuse changes of the roster too"), others)):
            if found:
                screen.print(title, style="bold underline")
                show_problems(found, config)
                screen.print()
        bad = any(not problem.warning for problem in (*problems, *others))
        said = counted((*problems, *others))
        summary = _("{what}: {about}").format(what=said or _("All good"), about=covered_words(proven))
        screen.print(summary, style="bold red" if bad else "bold green", soft_wrap=not screen.is_terminal)
        screen.print()
    screen.print(_("How duty is shared"), style="bold underline")
    show(Format.TABLE, _table_columns(), _rows(proven, shares))
    for line in _notes(proven, shares):
        screen.print(line, style=DIM, soft_wrap=not screen.is_terminal)


def covered_words(proven: Proven) -> str:
    """``covered 100 % of the next 60 days, 5 queues``; a share that is not whole is never told as whole."""
    from routing.coverage import share_covered

    share = share_covered(proven.covers)
    percent = "100" if share >= 1 else f"{math.floor(share * 1000) / 10:.1f}"
    days = round((proven.proof.ends - proven.proof.begins) / dt.timedelta(days=1))
    queues = len(proven.proof.settings.queues.queues)
    covered = ngettext("covered {share} % of the next {n} day", "covered {share} % of the next {n} days", days)
    return _(", ").join((
        covered.format(share=percent, n=days),
        ngettext("{n} queue", "{n} queues", queues).format(n=queues),
    ))  # fmt: skip


def _dates(proven: Proven) -> dict[str, str]:
    first, last = proven.proof.local(proven.proof.first), proven.proof.local(proven.proof.last)
    return {"first": f"{first:%Y-%m-%d %H:%M}", "last": f"{last:%Y-%m-%d %H:%M}"}


def _notes(proven: Proven, shares: Iterable[Share]) -> Iterable[str]:
    from routing.check_changes import past

    night = proven.proof.settings.roster.limits.night
    said = _("Nights: 3 h or more between {begins} and {ends}. Weekends: Saturdays and Sundays. Hours without breaks.")
    yield said.format(begins=f"{night.start:%H:%M}", ends=f"{night.end:%H:%M}")
    gone = past(proven.proof)
    if gone:
        yield ngettext(
            "{n} change of the file is past and can go.", "{n} changes of the file are past and can go.", gone
        ).format(n=gone)


# --- how duty is shared -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A person, or a figure over all of them (without a ``agent``); ``most`` is the most hours of anybody."""

    agent: str
    title: str
    name: str
    figures: Mapping[str, float]
    most: float = 0.0


def _rows(proven: Proven, shares: Sequence[Share]) -> list[_Row]:
    """Everybody, those with most hours first; then the fewest, the mean and the most of those with any duty."""
    from routing.shares import spreads

    agents = proven.proof.settings.agents.agents
    most = max((one.hours for one in shares), default=0.0)
    ordered = sorted(shares, key=lambda one: (-one.hours, -one.backup, one.agent))
    rows = [_Row(one.agent, one.agent, agents[one.agent].name, one.figures(), most) for one in ordered]
    spread = spreads(shares)
    for title, part in ((_("Fewest"), "least"), (_("Mean"), "mean"), (_("Most"), "most")) if spread else ():
        rows.append(_Row("", title, "", {key: getattr(one, part) for key, one in spread.items()}))
    return rows


def _figure_titles() -> dict[str, str]:
    return {
        "hours": _("Hours"), "shifts": _("Shifts"), "nights": _("Nights"), "weekends": _("Weekends"),
        "holidays": _("Holidays"), "backup": _("Standby"),
    }  # fmt: skip


def _table_columns() -> list[Column[_Row]]:
    def figure(key: str, title: str) -> Column[_Row]:
        def cell(row: _Row) -> tuple[str, str]:
            return f"{row.figures[key]:.1f}".removesuffix(".0"), "" if row.agent else "bold"

        return Column(key, lambda row: row.figures[key], title, cell, right=True)

    def bar(row: _Row) -> tuple[str, str]:
        return "█" * round(BAR * row.figures["hours"] / row.most) if row.most else "", "blue"

    return [
        Column("agent", lambda row: row.agent, _("Staff no."), lambda row: (row.title, "" if row.agent else "bold")),
        Column("name", lambda row: row.name, _("Name"), shrinks=True),
        *(figure(key, title) for key, title in _figure_titles().items()),
        Column("bar", lambda row: "", _("Compared"), bar, wide=True),
    ]


def _share_columns(proven: Proven) -> list[Column[Share]]:
    agents = proven.proof.settings.agents.agents

    def figure(key: str) -> Column[Share]:
        return Column(key, lambda one: round(one.figures()[key], 2))

    return [
        Column("agent", lambda one: one.agent),
        Column("name", lambda one: agents[one.agent].name),
        *map(figure, _figure_titles()),
    ]


# --- for programs -----------------------------------------------------------------------------------------------------


def _problem_columns() -> list[Column[Problem]]:
    return [
        Column("severity", lambda one: "warning" if one.warning else "error"),
        Column("code", lambda one: one.code),
        Column("file", lambda one: one.place.file),
        Column("line", lambda one: one.place.line or None),
        Column("key", lambda one: one.place.key),
        Column("what", lambda one: one.what),
        Column("fix", lambda one: one.fix),
    ]


def _json(proven: Proven, problems: Sequence[Problem], shares: Sequence[Share]) -> dict[str, Any]:
    from routing.coverage import share_covered
    from routing.shares import spreads

    proof = proven.proof
    columns, of_shares = _problem_columns(), _share_columns(proven)
    return {
        "from": proof.local(proof.first).isoformat(timespec="seconds"),
        "to": proof.local(proof.last).isoformat(timespec="seconds"),
        "covered": share_covered(proven.covers),
        "gaps": [_gap(proof, gap) for gap in proven.gaps],
        "problems": [{column.key: column.value(one) for column in columns} for one in problems],
        "shares": [{column.key: column.value(one) for column in of_shares} for one in shares],
        "spread": {key: asdict(one) for key, one in spreads(shares).items()},
    }


def _gap(proof: Proof, gap: Gap) -> dict[str, Any]:
    begins, ends = (at.astimezone(proof.settings.hotline.zone).isoformat() for at in (gap.begins, gap.ends))
    return {
        "queue": gap.queue, "level": gap.level, "from": begins, "to": ends, "have": gap.have, "backup": gap.backup,
        "asked": gap.asked, "severity": "error" if gap.refuses else "warning",
    }  # fmt: skip
