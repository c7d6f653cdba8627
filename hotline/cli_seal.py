"""``hotline recordings seal``: recordings from before ``recording.encrypt`` was set are encrypted too."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import BAD, GOOD
from config.catalogue import _, ngettext
from hotline.cli_archive import recordings_app as recordings_app
from hotline.cli_options import STORE, Command, ConfigFolder, house, one_line_each, refuse
from hotline.cli_store import bar
from hotline.show import console

if TYPE_CHECKING:
    from recordings.sealing import Sealing

NAMED = 20
"""Files named one by one that were left as they are."""


@recordings_app.command(
    "seal", cls=Command, help=_("Encrypt the recordings from before 'encrypt' was set; may be stopped and begun again.")
)
@one_line_each()
def seal_command(
    opened: Annotated[
        bool, typer.Option("--open", help=_("The other way, where 'encrypt' is off: no recording stays encrypted."))
    ] = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """Exit status 1 when a file was left as it is."""
    settings, state = house(config)
    from hotline import logs
    from hotline.archive_work import tell_sealed
    from recordings.errors import NoKey
    from recordings.folders import Folders
    from recordings.keys import BadKey, key_folder, load_ring
    from recordings.sealing import SealingStopped, plain_files, seal_all
    from recordings.turns import Busy

    logs.configure()
    if settings.hotline.recording.encrypt == opened:
        refuse(
            _("'recording.encrypt' is on: new recordings would be encrypted all the same. Take it out of hotline.yaml "
              "first.") if opened
            else _("'recording.encrypt' is off: new recordings would not be encrypted. Set it in hotline.yaml first.")
        )  # fmt: skip
    store, folders = state / STORE, Folders(state)
    if not store.exists():
        console().print(_("No recordings."))
        return
    try:
        ring = load_ring(key_folder(settings.hotline.recording, state))
        with bar(_("Opening the recordings") if opened else _("Sealing the recordings")) as progress:
            done = asyncio.run(seal_all(store, folders, ring, seal=not opened, progress=progress))
    except (Busy, NoKey, BadKey, SealingStopped) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        refuse(_("Broken off: what is done stays, and the same command goes on from there."))
    tell_sealed(state, 0 if opened else sum(plain_files(store, folders)))
    _say(done, opened)


def _say(done: Sealing, opened: bool) -> None:
    n = done.done
    text = (
        ngettext("{n} file is no longer encrypted.", "{n} files are no longer encrypted.", n) if opened
        else ngettext("{n} file is encrypted now.", "{n} files are encrypted now.", n)
    )  # fmt: skip
    console().print(text.format(n=n), style=GOOD)
    for file, why in done.left[:NAMED]:
        console().print(_("{file} is left as it is: {why}").format(file=file, why=why), style=BAD, soft_wrap=True)
    if len(done.left) > NAMED:
        console().print(_("… and {n} more.").format(n=len(done.left) - NAMED), style=BAD)
    if done.left:
        raise typer.Exit(1)
