"""``hotline calllog export`` and ``erase``: what there is about one caller, handed to them, or gone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from calllog.wording import BAD, GOOD, WARN
from config.catalogue import _, ngettext
from config.masking import masked
from hotline.cli_keep import ReasonOption, note, stated
from hotline.cli_options import STORE, Command, ConfigFolder, FormatOption, answer, house, one_line_each, refuse, tell
from hotline.cli_purge import megabytes, now_micros, with_ledger
from hotline.cli_store import bar, calllog_app as calllog_app
from hotline.show import Column, Format, console, near, show

if TYPE_CHECKING:
    from calllog.folds import CallState
    from config.settings import Settings
    from recordings.erasing import ErasedReport, ErasePlan, Left, Taken

NumberOption = Annotated[
    str, typer.Option("--number", metavar="NUMBER", help=_("The whole number, as dialled, or with + and country."))
]


def _nobody(number: str) -> NoReturn:
    refuse(_("Nobody with the number {number} has called.").format(number=masked(number)))


@calllog_app.command("export", cls=Command, help=_("Everything about one caller, into a folder."))
@one_line_each()
def export_command(
    number: NumberOption,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help=_("A folder; it is made where there is none."))],
    reason: ReasonOption,
    config: ConfigFolder = Path("config"),
) -> None:
    """Calls, what was written about them, and recordings. Exit status 1 when a recording is missing from it."""
    why = stated(reason)
    settings, state = house(config)
    from calllog.access import Access
    from calllog.erasing import calls_of
    from console import person
    from hotline.cli_export import opener_of
    from recordings.export import ExportStopped

    people = person.parties(state / STORE, number, settings) if (state / STORE).exists() else []
    if not people:
        _nobody(number)
    found = calls_of(state / STORE, [one.party_id for one in people])
    note(state, [Access("", "person.export", why, party_id=one.party_id) for one in people])
    details = answer(person.details(state / STORE, [one.call_id for one in found]), [])
    about: dict[str, Any] = {"why": why}
    try:
        with bar(_("Copying")) as progress:
            items = person.items_of(state / STORE, details, settings)
            done = person.write(people, details, items, settings, state, to, opener_of(settings, state), about,
                                progress)  # fmt: skip
    except ExportStopped as stopped:
        refuse(str(stopped))
    said = _("{what} in {path}").format(what=_counted(len(details), done.written + done.kept), path=near(to))
    console().print(said, style=GOOD, soft_wrap=True)
    for (call_id, _category), fault in done.faults.items():
        console().print(_("Not in it: {call}: {why}").format(call=call_id, why=fault), style=BAD, soft_wrap=True)
    if done.faults:
        raise typer.Exit(1)


@calllog_app.command("erase", cls=Command, help=_("Delete what names one caller; figures stay."))
@one_line_each()
def erase_command(
    number: NumberOption,
    reason: ReasonOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show what would go."))] = False,
    vacuum: Annotated[
        bool, typer.Option("--vacuum", help=_("Make a store of any size anew where a trace of the number is left."))
    ] = False,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when a call is held or goes on, so that something stays."""
    why = stated(reason)
    settings, state = house(config)
    store = state / STORE
    if not store.exists():
        _nobody(number)
    if dry_run:
        made = answer(_plan(settings, state, number), None)
        if made is None or made.nobody:
            _nobody(number)
        show(form, _taken_columns(), made.recordings)
        if form is Format.TABLE:
            _say_plan(made)
        return
    from calllog.access import Access
    from console.drafts import Drafts
    from console.export_shelf import Shelf
    from console.parcels import forget_beside
    from hotline.ledger import Ledger, me
    from recordings.erasing import erase
    from recordings.folders import Folders

    drafts, exports = Drafts(state), Shelf(state)

    def forget(call_ids: list[str]) -> None:
        exports.forget(call_ids)
        forget_beside(state, call_ids)
        for call_id in call_ids:
            drafts.forget(call_id)

    async def work(book: Ledger) -> ErasedReport | None:
        # Planned only now: what waited in the spool while no daemon ran has just been taken in.
        made = await _plan(settings, state, number)
        if made.nobody:
            return None
        people = [one.party_id for one in (*made.people, *made.kept)]
        await book.note([Access("", "person.erase", why, party_id=one) for one in people or [""]])
        return await erase(store, Folders(state), made, now_micros(), book, by=me(), why=why, also=forget,
                           rewrite=vacuum, progress=progress)  # fmt: skip

    with bar(_("Deleting")) as progress:
        done = with_ledger(state, work)
    if done is None:
        _nobody(number)
    _forget_filters(state, number.strip(), settings.hotline.country)
    _say_erased(done)


def _forget_filters(state: Path, number: str, country: str) -> None:
    """Saved filters of the console that ask for this number, however it was written there."""
    from console.book import NAME, Book
    from console.person import forget_filters

    if (state / NAME).exists():
        forget_filters(Book(state), number, country)


async def _plan(settings: Settings, state: Path, number: str) -> ErasePlan:
    from phone.numbers import e164
    from recordings import erasing
    from recordings.folders import Folders

    async def calls(call_ids: list[str]) -> list[CallState]:
        from console.person import details

        return [one.state for one in await details(state / STORE, call_ids)]

    written = number.strip()
    return await erasing.plan(state / STORE, Folders(state), e164(written, settings.hotline.country), written, calls)


def _taken_columns() -> list[Column[Taken]]:
    return [
        Column("call_id", lambda row: row.call_id, _("Call")),
        Column("category", lambda row: row.category, _("Kind")),
        Column("bytes", lambda row: row.size, _("Size"), lambda row: megabytes(row.size), right=True),
        Column("sha256", lambda row: row.sha256),
        Column("file", lambda row: row.file, _("File"), wide=True),
    ]


def _counted(calls: int, recordings: int) -> str:
    """Calls and recordings, in words."""
    return _(", ").join([
        ngettext("{n} call", "{n} calls", calls).format(n=calls),
        ngettext("{n} recording", "{n} recordings", recordings).format(n=recordings),
    ])


def _say_plan(made: ErasePlan) -> None:
    what = _counted(len(made.calls), len(made.recordings))
    console().print(_("It would erase {what}.").format(what=what), style=WARN)
    if made.refused:
        n = len(made.refused)
        text = ngettext("{n} call more stands only in lines that the store refused; it would be emptied there.",
                        "{n} calls more stand only in lines that the store refused; they would be emptied there.", n)
        console().print(text.format(n=n), style=WARN)
    if made.waiting:
        tell(_("Events wait in the spool: what they name is not counted here, and an erasure takes it along."))
    _say_left(made.left, bool(made.kept))


def _say_left(left: dict[str, Left], number_stays: bool) -> None:
    words = {
        "held": _("it is held: see 'hotline recordings holds'"),
        "open": _("it is still going on"),
        "due": _("its recording is just being finished: try again in a minute"),
    }
    for call_id, why in left.items():
        tell(_("Call {call} stays: {why}").format(call=call_id, why=words[why]))
    if number_stays:
        tell(_("The number and the name stay with it, until it can go."))


def _say_erased(done: ErasedReport) -> None:
    screen = console()
    erased = len(done.plan.calls) - sum(call_id in done.left for call_id in done.plan.calls)
    text = ngettext("{n} call is erased; {size} are free.", "{n} calls are erased; {size} are free.", erased)
    screen.print(text.format(n=erased, size=megabytes(done.freed)), style=GOOD)
    if done.manifest is not None:
        screen.print(_("What went, and why: {path}").format(path=near(done.manifest.path)), soft_wrap=True)
    for path in done.remains:
        what = _("The number still stands in {path}: delete the file, or see docs/recordings.md.")
        screen.print(what.format(path=near(path)), style=WARN, soft_wrap=True)
    for file, why in done.failed:
        screen.print(_("{file} cannot be deleted: {why}").format(file=file, why=why), style=BAD, soft_wrap=True)
    _say_left(done.left, bool(done.left))
    if done.left or done.failed:
        raise typer.Exit(1)
