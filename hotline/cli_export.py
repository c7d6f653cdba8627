"""``hotline recordings get`` and ``export``: recordings handed out, one or many, each with its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from calllog.wording import BAD, GOOD, WARN
from config.catalogue import _, ngettext
from config.lengths import clock
from hotline import cli_search as narrowed
from hotline.cli_calls import find_call
from hotline.cli_keep import ReasonOption, note, stated
from hotline.cli_options import STORE, Command, ConfigFolder, answer, house, one_line_each, refuse
from hotline.cli_purge import CallsArgument, megabytes
from hotline.cli_seal import recordings_app as recordings_app
from hotline.cli_store import CategoryOption, bar
from hotline.show import console, near

if TYPE_CHECKING:
    from calllog.keep_queries import Wanted
    from config.settings import Settings
    from recordings.export import Exported, Opener
    from recordings.export_names import Item

FAULTS = 20
"""Recordings named one by one that are not in an export; the manifest has all of them."""

ToOption = Annotated[Path, typer.Option("--to", help=_("A folder, or a file that ends in .zip."))]
ReplaceOption = Annotated[bool, typer.Option("--replace", help=_("Overwrite files that are there."))]
NumbersOption = Annotated[
    bool, typer.Option("--whole-numbers", help=_("Numbers whole in names and manifest, not 138****8000."))
]


@recordings_app.command("get", cls=Command, help=_("Copies of recordings, each proved by its SHA-256."))
@one_line_each()
def get_command(
    call_ids: CallsArgument,
    reason: ReasonOption,
    to: Annotated[Path, typer.Option("--to", help=_("A folder or a file."))] = Path("."),
    category: CategoryOption = None,
    replace: ReplaceOption = False,
    whole_numbers: NumbersOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """Of one call its talks, else its message; of several calls everything, with a manifest."""
    why = stated(reason)
    settings, state = house(config)
    from calllog.keep_queries import Wanted

    found = [find_call(text, settings, state / STORE) for text in call_ids]
    if len(found) == 1 and to.suffix.lower() != ".zip":
        _get_one(found[0], settings, state, why, to, category, replace)
    else:
        wanted = Wanted(found, category)
        _export(wanted, settings, state, why, to, replace, whole_numbers)


def _get_one(
    call_id: str, settings: Settings, state: Path, why: str, to: Path, category: CategoryOption, replace: bool
) -> None:
    from calllog import queries
    from calllog.access import Access
    from hotline.story import recording_state
    from recordings.folders import Folders, archived_of
    from recordings.keys import BadKey, key_folder, load_ring
    from recordings.listing import NotCopied, get

    row = answer(queries.get_recording(state / STORE, call_id, category), None)
    if row is None:
        refuse(_("Nothing of call {call} was recorded.").format(call=call_id))
    detail = answer(queries.get_call(state / STORE, call_id), None)
    archived = archived_of(detail.state, "voicemail" if row.category == "voicemail" else "call") if detail else None
    if archived is None or row.state != "finished":
        refuse(_("The recording of call {call} cannot be had: {why}").format(call=call_id, why=recording_state(row)))
    note(state, [Access("", "recording.export", why, call_id=call_id, category=row.category)])
    try:
        ring = load_ring(key_folder(settings.hotline.recording, state))
        path = get(archived, Folders(state), to, ring=ring, replace=replace)
    except (NotCopied, BadKey) as error:
        refuse(str(error))
    console().print(
        _("{path}: {length}, SHA-256 verified").format(path=path, length=clock(row.seconds)), soft_wrap=True
    )


@recordings_app.command("export", cls=Command, help=_("Many recordings, into a folder or a zip file, with a manifest."))
@one_line_each()
def export_command(
    to: ToOption,
    reason: ReasonOption,
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
    replace: ReplaceOption = False,
    whole_numbers: NumbersOption = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """Begun again after a kill, it goes on where it was. Exit status 1 when a recording is missing from it."""
    why = stated(reason)
    settings, state = house(config)
    from calllog.keep_queries import Wanted

    given: dict[str, str | None] = {
        "since": since, "until": until, "number": number, "agent": agent, "queue": queue, "subject": subject,
        "outcome": outcome, "length": length, "hold": hold, "silence": silence, "talk_over": talk_over, "score": score,
        "rating": rating, "words": words, "category": category,
    }  # fmt: skip
    if all(each is None for each in given.values()):
        raise typer.BadParameter(_("Say which: --since, --queue, --words …"), param_hint="--since")
    calls = narrowed.wanted_of(settings, **given | {"category": category or "any"})
    _export(Wanted(narrowed.all_of(state / STORE, calls), category), settings, state, why, to, replace, whole_numbers)


def _export(
    wanted: Wanted, settings: Settings, state: Path, why: str, to: Path, replace: bool, whole: bool
) -> None:
    from uuid_utils import uuid7

    from calllog.access import Access
    from calllog.keep_queries import exportable
    from recordings.export import ExportStopped, to_folder, to_zip
    from recordings.export_names import item_of
    from recordings.folders import Folders

    rows = exportable(state / STORE, wanted) if (state / STORE).exists() else []
    if not rows:
        refuse(_("No such recordings."))
    archive = Folders(state).archive
    if not archive.is_dir():
        refuse(_("{path} is not there.").format(path=archive))
    items = [item_of(row, settings, whole=whole) for row in rows]
    batch = str(uuid7())
    note(state, [Access("", "recording.export", why, call_id=one.call_id, category=one.category, batch=batch)
                 for one in items])  # fmt: skip
    about: dict[str, Any] = {"made_at": dt.datetime.now(settings.hotline.zone).isoformat(timespec="seconds"),
                             "why": why, "access_log_batch": batch}  # fmt: skip
    work = to_zip if to.suffix.lower() == ".zip" else to_folder
    try:
        with bar(_("Copying")) as progress:
            done = work(items, to, opener_of(settings, state), settings.hotline.zone, about, replace=replace,
                        progress=progress)  # fmt: skip
    except ExportStopped as stopped:
        refuse(str(stopped))
    except KeyboardInterrupt:
        refuse(_("Broken off: what is whole stays, and the same command goes on from there."))
    _say(done, items)


def opener_of(settings: Settings, state: Path) -> Opener:
    """Opens the recordings of this archive, decrypted where they are sealed; refuses where a key cannot be read."""
    from recordings.folders import Folders
    from recordings.keys import BadKey, key_folder, load_ring
    from recordings.sealed import open_stored

    folders = Folders(state)
    try:
        ring = load_ring(key_folder(settings.hotline.recording, state))
    except BadKey as error:
        refuse(str(error))

    def opened(file: str) -> IO[bytes]:
        return open_stored(folders.finished(file), file, ring)

    return opened


def _say(done: Exported, items: Sequence[Item]) -> None:
    screen = console()
    n = done.written + done.kept
    text = ngettext("{n} recording in {path} ({size})", "{n} recordings in {path} ({size})", n)
    said = text.format(n=n, path=near(done.path or Path()), size=megabytes(done.size))
    screen.print(said, style=GOOD, soft_wrap=True)
    if done.kept:
        text = ngettext("{n} was there whole already.", "{n} were there whole already.", done.kept)
        screen.print(text.format(n=done.kept))
    for (call_id, _category), why in list(done.faults.items())[:FAULTS]:
        screen.print(_("Not in it: {call}: {why}").format(call=call_id, why=why), style=BAD, soft_wrap=True)
    if len(done.faults) > FAULTS:
        screen.print(_("… and {n} more; the manifest names all.").format(n=len(done.faults) - FAULTS), style=WARN)
    if done.faults:
        raise typer.Exit(1)
