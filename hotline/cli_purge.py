"""``hotline recordings hold``, ``release``, ``holds`` and ``purge``: what must stay, and what may go."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from calllog.keep_words import rule_word
from calllog.wording import BAD, GOOD, WARN, category_word
from config.catalogue import _, ngettext
from config.lengths import iso, moment
from hotline.cli_calls import find_call
from hotline.cli_keep import ReasonOption, recordings_app, stated
from hotline.cli_options import STORE, Command, ConfigFolder, FormatOption, house, micros, one_line_each, refuse, tell
from hotline.cli_store import bar
from hotline.show import Column, Format, console, near, show

if TYPE_CHECKING:
    from calllog.keep_queries import HoldRow
    from config.settings import Settings
    from hotline.ledger import Ledger
    from recordings.purge import Going, Plan, Purged

T = TypeVar("T")

CallsArgument = Annotated[
    list[str], typer.Argument(metavar="CALL_ID...", help=_("Beginnings are enough; 'last': the newest."))
]


def with_ledger(state: Path, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Do this with the right to write into the journal; refuses (exit status 1) what cannot be done now."""
    from hotline import logs
    from hotline.ledger import ledger
    from recordings.ledger import Degraded
    from recordings.purge import PurgeRefused
    from recordings.turns import Busy

    async def run() -> T:
        async with ledger(state) as book:
            return await work(book)

    logs.configure()
    try:
        return asyncio.run(run())
    except (Busy, Degraded, PurgeRefused) as error:
        refuse(str(error))
    except OSError as error:
        refuse(f"{error.filename or state}: {error.strerror or error}")


def now_micros() -> int:
    """The wall clock, µs since 1970 UTC."""
    return micros(dt.datetime.now(dt.UTC)) or 0


@recordings_app.command("hold", cls=Command, help=_("Let nothing of these calls be deleted until they are released."))
@one_line_each()
def hold_command(call_ids: CallsArgument, reason: ReasonOption, config: ConfigFolder = Path("config")) -> None:
    """保全."""
    why = stated(reason)
    settings, state = house(config)
    from hotline.ledger import me
    from recordings.holds import hold

    found = [find_call(text, settings, state / STORE) for text in call_ids]
    set_ = with_ledger(state, lambda book: hold(state, book, found, why, by=me()))
    for call_id in set_:
        console().print(_("Held: {call}").format(call=call_id), style=GOOD, soft_wrap=True)


@recordings_app.command("release", cls=Command, help=_("Lift every hold on these calls."))
@one_line_each()
def release_command(call_ids: CallsArgument, reason: ReasonOption, config: ConfigFolder = Path("config")) -> None:
    """Exit status 1 when none was held."""
    why = stated(reason)
    settings, state = house(config)
    from hotline.ledger import me
    from recordings.holds import release

    found = [find_call(text, settings, state / STORE) for text in call_ids]
    many = with_ledger(state, lambda book: release(state / STORE, book, found, why, by=me()))
    if not many:
        refuse(_("No hold is in force on these calls."))
    console().print(ngettext("{n} hold is lifted.", "{n} holds are lifted.", many).format(n=many), style=GOOD)


@recordings_app.command("holds", cls=Command, help=_("The holds in force, the newest first."))
@one_line_each()
def holds_command(
    lifted: Annotated[bool, typer.Option("--all", help=_("Those that are lifted too."))] = False,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Who ordered it, when and why."""
    settings, state = house(config)
    from calllog.keep_queries import list_holds

    rows = list_holds(state / STORE, lifted=lifted) if (state / STORE).exists() else []
    show(form, _hold_columns(settings), rows, empty=_("No holds."))


def _hold_columns(settings: Settings) -> list[Column[HoldRow]]:
    zone, prefix = settings.hotline.zone, f"{settings.hotline.asterisk.systemname}-"
    return [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column("hold_id", lambda row: row.hold_id),
        Column("set_at", lambda row: iso(row.set_at, zone), _("Since"), lambda row: moment(row.set_at, zone)),
        Column("set_by", lambda row: row.set_by, _("Who")),
        Column("reason", lambda row: row.reason, _("Why"), shrinks=True),
        Column("lifted_at", lambda row: iso(row.lifted_at, zone), _("Lifted"), lambda row: moment(row.lifted_at, zone)),
        Column("lifted_by", lambda row: row.lifted_by),
    ]


@recordings_app.command("purge", cls=Command, help=_("Delete what has been kept long enough, as every night."))
@one_line_each()
def purge_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show what would go, and by which rule."))] = False,
    most: Annotated[
        int | None,
        typer.Option("--most", min=1, max=100, metavar="PERCENT", help=_("Of all recordings, instead of the setting.")),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help=_("Stands in the manifest."))] = "",
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when it refuses, or when a file could not be deleted."""
    settings, state = house(config)
    from recordings.folders import Folders
    from recordings.purge import plan, purge
    from recordings.retention import keep_of

    store, folders, keep = state / STORE, Folders(state), keep_of(settings)
    if not store.exists():
        console().print(_("No recordings."))
        return
    if dry_run:
        made = plan(store, folders, keep, now_micros())
        show(form, _going_columns(settings), made.going, empty=_("Nothing is over."))
        if form is Format.TABLE:
            _say_plan(made)
        return
    from hotline.ledger import me

    with bar(_("Deleting")) as progress:
        done = with_ledger(state, lambda book: purge(
            store, folders, keep, now_micros(), book, by=me(), why=reason, most=most, progress=progress
        ))  # fmt: skip
    _say_purged(done)


def _going_columns(settings: Settings) -> list[Column[Going]]:
    zone, prefix = settings.hotline.zone, f"{settings.hotline.asterisk.systemname}-"
    return [
        Column("call_id", lambda row: row.due.kept.call_id, _("Call"),
               lambda row: row.due.kept.call_id.removeprefix(prefix)),
        Column("category", lambda row: row.due.kept.category, _("Kind"),
               lambda row: category_word(row.due.kept.category)),
        Column("began_at", lambda row: iso(row.due.kept.began_at, zone), _("Time"),
               lambda row: moment(row.due.kept.began_at, zone)),
        Column("kind", lambda row: row.due.kind),
        Column("days", lambda row: row.due.days),
        Column("rule", lambda row: rule_word(row.due.kind, row.due.days), _("Rule")),
        Column("bytes", lambda row: row.size, _("Size"), lambda row: megabytes(row.size), right=True),
        Column("present", lambda row: row.found == "there"),
        Column("sha256", lambda row: row.due.kept.sha256),
        Column("file", lambda row: row.due.kept.file, _("File"), wide=True),
    ]  # fmt: skip


def megabytes(size: int) -> str:
    """A size for a person."""
    return _("{n:.1f} MB").format(n=size / 1e6)


def _say_plan(made: Plan) -> None:
    screen = console()
    n = len(made.going)
    if n:
        text = ngettext("{n} of {of} recordings would go, {size}.", "{n} of {of} recordings would go, {size}.", n)
        screen.print(text.format(n=n, of=made.of, size=megabytes(made.size)), style=WARN)
    _say_left(made)


def _say_left(made: Plan) -> None:
    screen = console()
    if made.held:
        text = ngettext("{n} more is over but held.", "{n} more are over but held.", made.held)
        screen.print(text.format(n=made.held))
    for each in made.odd:
        what = _("its folder is not there: is the archive mounted?") if each.found == "no_folder" else (
            _("there is no plain file by this name"))  # fmt: skip
        tell(_("{file} is left: {why}").format(file=each.due.kept.file, why=what))


def _say_purged(done: Purged) -> None:
    screen = console()
    _say_left(done.plan)
    if done.manifest is None:
        screen.print(_("Nothing is over."))
    else:
        text = ngettext("{n} recording is deleted, {size} are free.", "{n} recordings are deleted, {size} are free.",
                        done.gone)  # fmt: skip
        screen.print(text.format(n=done.gone, size=megabytes(done.freed)), style=GOOD)
        screen.print(_("What went, and why: {path}").format(path=near(done.manifest.path)), soft_wrap=True)
    for file, why in done.failed:
        screen.print(_("{file} cannot be deleted: {why}").format(file=file, why=why), style=BAD, soft_wrap=True)
    if done.failed or done.plan.odd:
        raise typer.Exit(1)
