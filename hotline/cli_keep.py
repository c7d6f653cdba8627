"""``hotline recordings accesses``: the log of who has heard or taken what; and what commands need to write into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.keep_words import verb_word
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
    when,
)
from hotline.cli_store import recordings_app as recordings_app
from hotline.show import Column, Format, iso, moment, show

if TYPE_CHECKING:
    from calllog.access import Access
    from calllog.access_queries import AccessRow
    from config.settings import Settings

ReasonOption = Annotated[
    str, typer.Option("--reason", help=_("Why; it stands in the access log for good."))
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
    from console.hearing import reason_word

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
        Column("why", lambda row: row.entry.why, _("Why"), lambda row: reason_word(row.entry.why), shrinks=True),
        Column("address", lambda row: row.entry.address, _("Address"), wide=True),
        Column("batch", lambda row: row.entry.batch),
        Column("digest", lambda row: row.entry.digest),
    ]
