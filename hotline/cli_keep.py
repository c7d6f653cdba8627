"""``hotline recordings get`` and ``accesses``: recordings handed out, and the log of who has heard or taken what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.catalogue import _
from hotline.cli_calls import find_call
from hotline.cli_options import (
    STORE,
    Command,
    ConfigFolder,
    FormatOption,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    when,
)
from hotline.cli_store import CategoryOption, recordings_app as recordings_app
from hotline.keep_words import verb_word
from hotline.show import Column, Format, clock, console, iso, moment, show

if TYPE_CHECKING:
    from calllog.access import Access
    from calllog.access_queries import AccessRow
    from config.settings import Settings

ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help=_("Why; it stands in the access log for good."))
]


def note(state: Path, accesses: Sequence[Access]) -> None:
    """Write into the access log, before anything is handed out. Raises StoreError, NotRunning, Refused."""
    import asyncio

    from hotline import logs
    from hotline.ledger import ledger

    async def write() -> None:
        async with ledger(state) as book:
            await book.note(accesses)

    logs.configure()
    asyncio.run(write())


def stated(reason: str) -> str:
    """The reason; wrong usage where there is none in it."""
    if not reason.strip():
        raise typer.BadParameter(_("Say why in a few words."), param_hint="--reason")
    return reason.strip()


@recordings_app.command("get", cls=Command, help=_("A copy of one recording, proved by its SHA-256."))
@one_line_each()
def get_command(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help=_("Its beginning is enough; 'last': the newest."))],
    reason: ReasonOption,
    to: Annotated[Path, typer.Option("--to", metavar="PATH", help=_("A folder or a file."))] = Path("."),
    category: CategoryOption = None,
    replace: Annotated[bool, typer.Option("--replace", help=_("Overwrite a file that is there."))] = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """The talks of the call, else its message."""
    why = stated(reason)
    settings, state = house(config)
    from calllog import queries
    from calllog.access import Access
    from hotline.story import recording_state
    from recordings.folders import Folders, archived_of
    from recordings.keys import BadKey, key_folder, load_ring
    from recordings.listing import NotCopied, get

    found = find_call(call_id, settings, state / STORE)
    row = answer(queries.get_recording(state / STORE, found, category), None)
    if row is None:
        refuse(_("Nothing of call {call} was recorded.").format(call=found))
    detail = answer(queries.get_call(state / STORE, found), None)
    archived = archived_of(detail.state, "voicemail" if row.category == "voicemail" else "call") if detail else None
    if archived is None:
        refuse(_("The recording of call {call} cannot be had: {why}").format(call=found, why=recording_state(row)))
    note(state, [Access("", "recording.export", why, call_id=found, category=row.category)])
    try:
        ring = load_ring(key_folder(settings.hotline.recording, state))
        path = get(archived, Folders(state), to, ring=ring, replace=replace)
    except (NotCopied, BadKey) as error:
        refuse(str(error))
    console().print(
        _("{path}: {length}, SHA-256 verified").format(path=path, length=clock(row.seconds)), soft_wrap=True
    )


@recordings_app.command("accesses", cls=Command, help=_("Who has heard or taken a recording, the newest first."))
@one_line_each()
def accesses_command(
    call_id: Annotated[str | None, typer.Option("--call", metavar="CALL_ID", help=_("Of this call."))] = None,
    who: Annotated[str | None, typer.Option(help=_("By this user: a name of the console, or os:NAME."))] = None,
    verb: Annotated[str | None, typer.Option(help=_("Only recording.hear, recording.export …"))] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help=_("From this moment on."))] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=_("Before this moment."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help=_("At most so many, the newest."))] = 50,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The access log."""
    settings, state = house(config)
    from calllog.access_queries import list_accesses

    rows = answer(
        list_accesses(
            state / STORE,
            since=micros(when(since, "--since", settings)),
            until=micros(when(until, "--until", settings)),
            call_id=None if call_id is None else find_call(call_id, settings, state / STORE),
            who=who,
            verb=verb,
            limit=limit,
        ),
        [],
    )
    show(form, _access_columns(settings), rows, empty=_("Nobody has heard or taken anything."))


def _access_columns(settings: Settings) -> list[Column[AccessRow]]:
    zone, prefix = settings.hotline.zone, f"{settings.hotline.asterisk.systemname}-"
    return [
        Column("n", lambda row: row.entry.n, _("No."), right=True),
        Column("at", lambda row: iso(row.at, zone), _("Time"), lambda row: moment(row.at, zone)),
        Column("who", lambda row: row.entry.who, _("Who")),
        Column("role", lambda row: row.entry.role),
        Column("verb", lambda row: row.entry.verb, _("What"), lambda row: verb_word(row.entry.verb)),
        Column("call_id", lambda row: row.entry.call_id, _("Call"), lambda row: row.entry.call_id.removeprefix(prefix)),
        Column("category", lambda row: row.entry.category),
        Column("party_id", lambda row: row.entry.party_id),
        Column("why", lambda row: row.entry.why, _("Why"), shrinks=True),
        Column("address", lambda row: row.entry.address, _("From"), wide=True),
        Column("batch", lambda row: row.entry.batch),
        Column("digest", lambda row: row.entry.digest),
    ]
