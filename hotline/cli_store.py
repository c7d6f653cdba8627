"""``hotline calllog …`` and ``hotline recordings …``: the store proved against its journal, and the recordings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from calllog.wording import BAD, GOOD, WARN, category_word
from config.catalogue import _, ngettext
from hotline import cli_search as narrowed
from hotline.cli_options import (
    STORE,
    Command,
    ConfigFolder,
    FormatOption,
    Group,
    answer,
    house,
    one_line_each,
)
from hotline.show import Column, Format, clock, console, iso, moment, number_shown, show

if TYPE_CHECKING:
    from calllog.access import Anchor
    from calllog.queries import RecordingRow
    from calllog.verify import Progress
    from config.settings import Settings

DIFFERENCES = 100
"""Rows named one by one after a rebuild; the rest are counted."""

calllog_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("The call store, held against its journal."))
recordings_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("Recordings and messages."))


# --- the store --------------------------------------------------------------------------------------------------------


@calllog_app.command("verify", cls=Command, help=_("Does every row say what its events say? Changes nothing."))
@one_line_each()
def verify_command(
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="N:DIGEST", help=_("An entry of the access log, as kept elsewhere.")),
    ] = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when something is wrong."""
    given = [_anchor(text) for text in anchor or ()]
    store = _store(config)
    from calllog.verify import verify
    from recordings.access import anchors

    if store is None:
        return
    known = [*given, *anchors(store.parent)]
    with bar(_("Reading the journal")) as progress:
        found = verify(store, progress, known)
    screen = console()
    for line in found:
        screen.print(line, soft_wrap=True)
    if found:
        n = len(found)
        screen.print(ngettext("{n} finding.", "{n} findings.", n).format(n=n), style="bold red")
        raise typer.Exit(1)
    screen.print(_("The store holds what the journal says."), style=GOOD)


def _anchor(text: str) -> Anchor:
    """One entry's number and digest, as the daemon's log has them."""
    from calllog.access import anchor_of

    try:
        return anchor_of(text, _("the anchor given"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--anchor") from None


@calllog_app.command("rebuild", cls=Command, help=_("Compute every row anew from the events, and mend what differs."))
@one_line_each()
def rebuild_command(config: ConfigFolder = Path("config")) -> None:
    """Exit status 1 when something had to be mended."""
    store = _store(config)
    from calllog.verify import rebuild

    if store is None:
        return
    with bar(_("Reading the journal")) as progress:
        report = rebuild(store, progress)
    screen = console()
    for line in report.differences[:DIFFERENCES]:
        screen.print(_("Mended: {row}").format(row=line), soft_wrap=True)
    done = _("{events} events read, {rows} rows computed").format(events=report.events, rows=report.rows)
    if report.changed:
        n = report.changed
        text = ngettext("{n} row was wrong and is mended.", "{n} rows were wrong and are mended.", n).format(n=n)
        screen.print(f"{done}: {text}", style="bold yellow")
        raise typer.Exit(1)
    screen.print(_("{done}: every row was right.").format(done=done), style=GOOD)


def _store(config: Path) -> Path | None:
    """The store's path; None, with a word, while there is none."""
    from hotline import logs

    logs.configure()
    _settings, state = house(config)
    if (state / STORE).exists():
        return state / STORE
    console().print(_("No calls yet."))
    return None


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """A progress bar on standard error, where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


# --- recordings -------------------------------------------------------------------------------------------------------

Kind = Literal["call", "voicemail"]
CategoryOption = Annotated[
    Kind | None, typer.Option("--category", help=_("Only talks (call), or only messages (voicemail)."))
]


@recordings_app.command("list", cls=Command, help=_("Recordings and messages, the newest first."))
@one_line_each()
def list_command(
    since: narrowed.Since = None,
    until: narrowed.Until = None,
    number: narrowed.Number = None,
    agent: narrowed.Agent = None,
    queue: narrowed.Queue = None,
    subject: narrowed.Subject = None,
    outcome: narrowed.Outcome = None,
    length: narrowed.Length = None,
    hold: narrowed.Hold = None,
    silence: narrowed.Silence = None,
    talk_over: narrowed.TalkOver = None,
    score: narrowed.Score = None,
    rating: narrowed.Rating = None,
    words: narrowed.Words = None,
    category: CategoryOption = None,
    limit: narrowed.Limit = 50,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """What is finished, and what is not yet."""
    settings, state = house(config)
    from calllog import queries

    wanted = narrowed.wanted_of(
        settings, since=since, until=until, number=number, agent=agent, queue=queue, subject=subject, outcome=outcome,
        length=length, hold=hold, silence=silence, talk_over=talk_over, score=score, rating=rating,
        words=words, category=category or "any",
    )  # fmt: skip
    found = narrowed.hits(state / STORE, wanted, limit)
    rows = answer(queries.recordings_of(state / STORE, found.call_ids, category), [])[:limit]
    show(form, _columns(settings, state), rows, empty=_("No recordings."))


def _columns(settings: Settings, state: Path) -> list[Column[RecordingRow]]:
    from calllog.rating_words import rating_said
    from calllog.survey_words import RATING_STYLES
    from hotline.story import recording_state
    from recordings.folders import Folders

    zone, country, folders = settings.hotline.zone, settings.hotline.country, Folders(state)
    prefix, now = f"{settings.hotline.asterisk.systemname}-", dt.datetime.now(zone)

    def path(row: RecordingRow) -> Path | None:
        return folders.finished(row.file) if row.file else None

    def present(row: RecordingRow) -> bool:
        found = path(row)
        return found is not None and found.is_file()

    def how(row: RecordingRow) -> tuple[str, str]:
        if row.state == "finished" and not present(row):
            return _("the file has gone"), BAD
        return recording_state(row), {"finished": GOOD, "failed": BAD}.get(row.state, WARN)

    return [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column(
            "arrived_at", lambda row: iso(row.arrived_at, zone), _("Time"),
            lambda row: moment(row.arrived_at, zone, now),
        ),
        Column("category", lambda row: row.category, _("Kind"), lambda row: category_word(row.category)),
        Column("number", lambda row: row.number, _("Number"), lambda row: number_shown(row.number, country)),
        Column("agents", lambda row: list(row.agents), _("Agent"), lambda row: " ".join(row.agents)),
        Column(
            "seconds", lambda row: round(row.seconds, 3) if row.file else None, _("Length"),
            lambda row: clock(row.seconds) if row.file else "", right=True,
        ),
        Column("rating", lambda row: row.rating or None, _("Rating"),
               lambda row: (rating_said(row.rating), RATING_STYLES.get(row.rating, "")), wide=True),
        Column("channels", lambda row: row.channels),
        Column("state", lambda row: row.state, _("State"), how, shrinks=True),
        Column("why", lambda row: row.archive_failed),
        Column("present", present),
        Column("sha256", lambda row: row.sha256),
        Column("path", lambda row: str(path(row) or ""), _("File"), lambda row: row.file, wide=True),
    ]  # fmt: skip
