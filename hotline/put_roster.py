"""Takes a new text of roster.yaml over: shows what changes in people's duty, proves it, asks, writes, and waits.

Every command that changes the roster ends here: leave, swap, extra duty, taking back, and a sheet that comes back.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.catalogue import _
from hotline.cli_options import house, one_line_each, refuse, tell
from hotline.show import console

if TYPE_CHECKING:
    from config.problems import Problem
    from config.roster_file import RosterFile
    from config.settings import Settings
    from config.versions import How
    from hotline.put_in_force import ChangedMeanwhile

FILE = "roster.yaml"

AuthorOption = Annotated[
    str | None, typer.Option("--author", metavar="NAME", help=_("Who changes it; the system's user if left out."))
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help=_("Write it without asking."))]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help=_("Show and prove it alone; write nothing."))]


class WrittenAlready(typer.Exit):
    """The file is written, though it is not in force: what a refusal must not deny."""


@contextmanager
def whole_or_not() -> Iterator[None]:
    """For a command that changes the roster: what refuses it is told, and at the end that nothing was written."""
    try:
        with one_line_each():
            yield
    except WrittenAlready:
        raise
    except typer.Exit as left:
        if left.exit_code == 1:
            tell(_("Nothing was written."))
        raise


def put(
    config: Path, was: bytes, becomes: bytes, *, how: How, author: str | None = None, dry_run: bool = False,
    yes: bool = False, restores: int = 0, known: tuple[Settings, Path] | None = None,
) -> None:  # fmt: skip
    """Take ``becomes`` over in the place of ``was``, which was read from the file. Exits with status 1 where it is
    refused, or somebody else changed the file meanwhile; raises config's Refused with what the proof has found.

    ``known`` are the settings and the state folder where the caller has read them already.
    """
    from config.problems import Refused
    from config.versions import History
    from hotline import put_in_force

    settings, state = known or house(config)
    for line in lines(was, becomes, settings):
        console().print(line)
    try:
        ready = put_in_force.prove(config, state, FILE, becomes, _in_force(config, state, settings))
    except Refused as refused:
        raise Refused([problem for problem in refused.problems if not problem.warning]) from None
    for warning in _news(config, state, was, ready.warnings):
        tell(_("warning: {problem}").format(problem=warning))
    if dry_run:
        console().print(_("Nothing was written."))
        return
    if not yes and not _agreed():
        raise typer.Exit(1)
    last = History(state).last()
    try:
        digest = put_in_force.put(
            config, state, FILE, was, becomes, author=author or put_in_force.who(), how=how, restores=restores
        )
    except put_in_force.ChangedMeanwhile as changed:
        refuse(*_told(changed, was, settings))
    console().print(_("{file} is written.").format(file=FILE))
    try:
        put_in_force.wait(state, digest, config, last.version if last else 0)
    except typer.Exit as left:
        raise WrittenAlready(left.exit_code) from None


def _in_force(config: Path, state: Path, settings: Settings) -> Settings:
    """The settings in force: mostly those of the files."""
    from config.snapshot import look
    from config.versions import History
    from hotline.preflight import settings_in_force

    last = History(state).last()
    if last is None or last.digest == look(config).digest:
        return settings
    found = settings_in_force(config)
    return found[0] if found else settings


def lines(was: bytes, becomes: bytes, settings: Settings) -> list[str]:
    """What changes in people's duty from one text of the file to another, a line each."""
    from calllog.wording import Names
    from hotline.duty_words import duty_lines
    from routing.difference import changed

    before, after = _read(was), _read(becomes)
    if before is None or after is None:
        return [_("One of the two cannot be read as a roster, so nothing can be compared.")]
    today = dt.datetime.now(settings.hotline.zone).date()
    found = changed(before, after, settings.hotline.country, today)
    return duty_lines(found, Names.of(settings)) or [_("Nobody's duty changes.")]


def _read(text: bytes) -> RosterFile | None:
    from config.problems import Refused
    from config.roster_edit import file_of

    try:
        return file_of(text.decode("utf-8-sig", "replace"))
    except Refused:
        return None


def _news(config: Path, state: Path, was: bytes, warnings: list[Problem]) -> list[Problem]:
    """The warnings that the file as it was did not have."""
    from config.problems import Refused
    from hotline.put_in_force import prove

    if not warnings:
        return []
    try:
        known = prove(config, state, FILE, was, None).warnings
    except Refused as refused:
        known = refused.problems
    said = {(one.code, one.what) for one in known}
    return [one for one in warnings if (one.code, one.what) not in said]


def _agreed() -> bool:
    if not sys.stdin.isatty():
        refuse(_("Nobody can be asked here. Add --yes."))
    return typer.confirm(_("Write it?"), default=True)


def _told(changed: ChangedMeanwhile, was: bytes, settings: Settings) -> list[str]:
    """What the second of two who edit at once is told."""
    said = _("{author} changed roster.yaml at {when}, while you were at it:").format(
        author=changed.author, when=changed.at.astimezone(settings.hotline.zone).strftime("%Y-%m-%d %H:%M:%S")
    )
    what = lines(was, changed.now, settings)
    return [said, *(f"  {line}" for line in what), _("Give the command again: it then works on what is there now.")]
