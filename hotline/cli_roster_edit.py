"""``hotline roster leave|swap|extra|cancel|history|undo``: the daily changes, and taking one back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.catalogue import _, ngettext
from hotline.cli_options import Command, ConfigFolder, FormatOption, house, one_line_each, refuse, tell
from hotline.put_roster import FILE, AuthorOption, DryRunOption, YesOption, put, whole_or_not
from hotline.show import Column, Format, at, iso, near, show
from routing.when import NotAnInstant, day_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from calllog.wording import Names
    from config.list_edit import Entry
    from config.roster_edit import Written
    from config.roster_file import LeaveKind
    from config.settings import Settings
    from config.versions import History, Version

app = typer.Typer()
"""Its commands are put into ``hotline roster``."""

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help=_("Staff number, or the name."))]
DateArgument = Annotated[str, typer.Argument(metavar="DATE", help=_("For example 2027-02-06, 02-06 or tomorrow."))]
KindOption = Annotated[
    str, typer.Option("--kind", metavar="KIND", help=_("annual, sick, personal, lieu, other (or 年假 病假 …)."))
]
LineOption = Annotated[
    int | None, typer.Option("--line", metavar="N", help=_("Which of several, by its line in the file."))
]
NoteOption = Annotated[str, typer.Option("--note", help=_("Why; it stands in the file."))]


# --- the daily changes ------------------------------------------------------------------------------------------------


@app.command("leave", cls=Command, help=_("Somebody is away: leave, sick, time off in lieu (调休)."))
@whole_or_not()
def leave_command(
    agent: AgentArgument,
    begins: Annotated[
        str, typer.Argument(metavar="FROM", help=_("The first day, or 2027-02-06 14:00 for some hours."))
    ],
    ends: Annotated[
        str | None, typer.Argument(metavar="TO", help=_("The last day (included), or a time; left out: that day."))
    ] = None,
    kind: KindOption = "annual",
    cover: Annotated[str | None, typer.Option("--cover", metavar="AGENT", help=_("Who works it instead."))] = None,
    note: NoteOption = "",
    author: AuthorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """One line in ``changes``."""
    from config.roster_edit import leave_entry

    known, was = _begin(config)
    settings = known[0]
    who, instead = _agent(agent, settings), _agent(cover, settings) if cover else ""
    if who == instead:
        refuse(_("{agent} cannot cover for themselves.").format(agent=who))
    first = _day(begins, "FROM", settings)
    if ends is None and isinstance(first, dt.datetime):
        raise typer.BadParameter(_("Until when? Name a time or a day."), param_hint="TO")
    last = first if ends is None else _day(ends, "TO", settings, on=first)
    if _end(last) <= _begin_of(first):
        raise typer.BadParameter(_("It ends before it begins."), param_hint="TO")
    entry = leave_entry(who, first, last, kind=_kind(kind), cover=instead, note=note)
    _add(config, known, was, entry, author, dry_run, yes)


@app.command("swap", cls=Command, help=_("Two swap: the first's shifts of that day for the second's of theirs."))
@whole_or_not()
def swap_command(
    agent: AgentArgument,
    date: DateArgument,
    other: AgentArgument,
    day: DateArgument,
    note: NoteOption = "",
    author: AuthorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """One line in ``changes``."""
    from config.roster_edit import swap_entry

    known, was = _begin(config)
    settings = known[0]
    one, two = _agent(agent, settings), _agent(other, settings)
    if one == two:
        refuse(_("{agent} cannot swap with themselves.").format(agent=one))
    entry = swap_entry(one, _date(date, settings), two, _date(day, settings), note=note)
    _add(config, known, was, entry, author, dry_run, yes)


@app.command("extra", cls=Command, help=_("Somebody works one more shift."))
@whole_or_not()
def extra_command(
    agent: AgentArgument,
    date: DateArgument,
    shift: Annotated[str, typer.Argument(metavar="SHIFT", help=_("A shift of the roster, for example 夜班."))],
    note: NoteOption = "",
    author: AuthorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """One line in ``changes``."""
    from config.roster_edit import extra_entry

    known, was = _begin(config)
    settings = known[0]
    if shift not in settings.roster.shifts:
        _unknown(_("The roster has no shift {name}.").format(name=shift), shift, settings.roster.shifts)
    entry = extra_entry(_agent(agent, settings), _date(date, settings), shift, note=note)
    _add(config, known, was, entry, author, dry_run, yes)


@app.command("cancel", cls=Command, help=_("Take back a leave, a swap, extra duty or other shifts of somebody's day."))
@whole_or_not()
def cancel_command(
    agent: AgentArgument,
    date: DateArgument,
    line: LineOption = None,
    day: Annotated[bool, typer.Option("--day", help=_("That day alone, of a change for several days."))] = False,
    author: AuthorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """The line goes out of ``changes``."""
    from config.roster_edit import concerning, edit_changes, without_day

    known, was = _begin(config)
    settings = known[0]
    who, on = _agent(agent, settings), _date(date, settings)
    text = _text(was)
    found = [one for one in concerning(text, who, on) if line in (None, one.line)]
    if not found:
        refuse(_("roster.yaml says nothing about {agent} on {date} that could be taken back.").format(
            agent=who, date=on.isoformat()))  # fmt: skip
    if len(found) > 1:
        refuse(_("There are several; say which with --line:"), *(_as_written(one) for one in found))
    becomes = without_day(text, found[0], on) if day else edit_changes(text, {found[0].place: []})
    put(config, was, becomes.encode(), how="command", author=author, dry_run=dry_run, yes=yes, known=known)


def _add(
    config: Path, known: tuple[Settings, Path], was: bytes, entry: Entry, author: str | None, dry_run: bool, yes: bool
) -> None:
    from config.roster_edit import edit_changes

    becomes = edit_changes(_text(was), {}, [entry])
    put(config, was, becomes.encode(), how="command", author=author, dry_run=dry_run, yes=yes, known=known)


# --- what took effect -------------------------------------------------------------------------------------------------


@app.command("history", cls=Command, help=_("Every roster that took effect: when, whose, what changed in duty."))
@one_line_each()
def history_command(
    limit: Annotated[int, typer.Option("--limit", min=1, help=_("At most so many, the newest."))] = 20,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The newest first."""
    from calllog.wording import Names
    from config.versions import History
    from hotline.in_force import lines_in_force

    settings, state = house(config)
    if form is Format.TABLE:
        for said in lines_in_force(state, settings.hotline.zone, config):
            tell(said)
    rows = [version for version, _before in reversed(_of_roster(History(state)))][:limit]
    empty = _("No version has taken effect yet: the daemon notes the first at its start.")
    show(form, _columns(settings.hotline.zone, Names.of(settings)), rows, empty=empty)


def _of_roster(history: History) -> list[tuple[Version, Version | None]]:
    """The versions that brought another roster, the oldest first, each with the one before it."""
    found, before = list[tuple["Version", "Version | None"]](), None
    for version in history.versions():
        if before is None or version.files.get(FILE) != before.files.get(FILE):
            found.append((version, before))
        before = version
    return found


def _columns(zone: ZoneInfo, names: Names) -> list[Column[Version]]:
    from hotline.duty_words import duty_lines
    from hotline.in_force import author_word

    def lines(version: Version) -> list[str]:
        return duty_lines(version.duty, names)

    def told(version: Version) -> str:
        said = lines(version)
        more = len(said) - 5 + version.more_duty
        if more > 0:
            said = [*said[:5], ngettext("and {n} more", "and {n} more", more).format(n=more)]
        if version.how == "undo":
            said.insert(0, _("taken back to version {n}").format(n=version.restores))
        if not version.duty:
            keys = [str(change).removeprefix(f"{FILE}: ") for change in version.changes if change.file == FILE]
            said += keys[:3] or [_("the first") if version.version == 1 else _("nobody's duty")]
        return "\n".join(said)

    return [
        Column("version", lambda one: one.version, _("Version"), right=True),
        Column("at", lambda one: iso(one.at, zone), _("In force since"),
               lambda one: at(one.at, zone).strftime("%Y-%m-%d %H:%M:%S")),
        Column("author", lambda one: one.author, _("By"), author_word),
        Column("how", lambda one: one.how),
        Column("restores", lambda one: one.restores or None),
        Column("duty", lines, _("What changed in people's duty"), told),
        Column("more", lambda one: one.more_duty),
    ]  # fmt: skip


@app.command("undo", cls=Command, help=_("Take the newest change of the roster back, or go back to a version's."))
@whole_or_not()
def undo_command(
    to: Annotated[int | None, typer.Option("--to", metavar="N", help=_("Go back to this version's roster."))] = None,
    force: Annotated[bool, typer.Option("--force", help=_("Also where the file was changed since."))] = False,
    author: AuthorOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """The roster's text of before, byte for byte; the other files stay as they are."""
    from config.versions import History, aside, set_aside
    from hotline.put_in_force import version_of

    known = house(config)
    history = History(known[1])
    last, was = version_of(history, None), (config / FILE).read_bytes()
    if to is None:
        versions = _of_roster(history)
        wanted = versions[-1][1] if versions else None
        if wanted is None:
            refuse(_("There is no roster before the first."))
    else:
        wanted = version_of(history, to)
    becomes = history.content(wanted.files.get(FILE, ""))
    if was == becomes:
        refuse(_("The roster is as in version {n} already.").format(n=wanted.version))
    if was != history.content(last.files.get(FILE, "")):
        if not force:
            refuse(
                _("roster.yaml was changed since version {n} took effect.").format(n=last.version),
                _("See 'hotline config diff'. With --force it is overwritten; a copy goes to {folder}.").format(
                    folder=near(aside(history))
                ),
            )
        if not dry_run:
            set_aside(history, config, FILE)
    put(config, was, becomes, how="undo", author=author, dry_run=dry_run, yes=yes, restores=wanted.version, known=known)


# --- reading what was said --------------------------------------------------------------------------------------------


def _begin(config: Path) -> tuple[tuple[Settings, Path], bytes]:
    """The settings with the state folder, and the file as it is now. Raises config's Refused while the file has errors:
    it is not edited then."""
    from config.roster_edit import changes_of

    known = house(config)
    was = (config / FILE).read_bytes()
    changes_of(_text(was))
    return known, was


def _text(was: bytes) -> str:
    from config.problems import Place, Problem, Refused

    try:
        return was.decode()
    except UnicodeDecodeError as error:
        what = _("The file is not UTF-8 text from here on.")
        place = Place(FILE, was.count(b"\n", 0, error.start) + 1)
        raise Refused([Problem("not-utf-8", place, what, _("Save it as UTF-8 in your editor."))]) from None


def _agent(said: str, settings: Settings) -> str:
    """The staff number of an agent who is named by it, or by a name that one alone has."""
    agents = settings.agents.agents
    if said in agents:
        return said
    called = [number for number, agent in agents.items() if agent.name == said]
    if len(called) == 1:
        return called[0]
    if called:
        refuse(_("Several are called {name}: {numbers}.").format(name=said, numbers=_(", ").join(called)))
    _unknown(_("There is no agent {name}.").format(name=said), said, [*agents, *(one.name for one in agents.values())])


def _unknown(what: str, said: str, known: Iterable[str]) -> NoReturn:
    from config.explain import did_you_mean

    refuse(f"{what} {did_you_mean(said, list(known))}".strip())


def _kind(said: str) -> LeaveKind:
    from typing import get_args

    from config.roster_file import LEAVE, LeaveKind

    if said in LEAVE:
        return LEAVE[said]
    for kind in get_args(LeaveKind):
        if kind == said.lower():
            return kind  # type: ignore[no-any-return]
    known = _(", ").join((*get_args(LeaveKind), *LEAVE))
    raise typer.BadParameter(_("There is no leave {kind}; there are {known}.").format(kind=said, known=known),
                             param_hint="--kind")  # fmt: skip


def _day(said: str, name: str, settings: Settings, on: dt.date | None = None) -> dt.date:
    day = on.date() if isinstance(on, dt.datetime) else on
    try:
        return day_of(said, dt.datetime.now(dt.UTC), settings.hotline.zone, on=day)
    except NotAnInstant as error:
        raise typer.BadParameter(str(error), param_hint=name) from None


def _date(said: str, settings: Settings) -> dt.date:
    day = _day(said, "DATE", settings)
    if isinstance(day, dt.datetime):
        raise typer.BadParameter(_("A day is meant here, without a time."), param_hint="DATE")
    return day


def _begin_of(day: dt.date) -> dt.datetime:
    return day if isinstance(day, dt.datetime) else dt.datetime.combine(day, dt.time())


def _end(day: dt.date) -> dt.datetime:
    return day if isinstance(day, dt.datetime) else dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1)


def _as_written(one: Written) -> str:
    from config.list_edit import in_one_line

    return f"  {FILE}:{one.line}: {in_one_line(one.values)}"
