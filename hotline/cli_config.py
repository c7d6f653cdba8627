"""``hotline config …``: which versions of the configuration took effect, what each changed, and taking one back."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import GOOD
from config.catalogue import _, ngettext
from hotline.cli_options import Command, ConfigFolder, FormatOption, Group, house, one_line_each, refuse, tell
from hotline.in_force import author_word, lines_in_force
from hotline.show import Column, Format, at, console, iso, near, show

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from config.settings import Settings
    from config.versions import History, Version

config_app = typer.Typer(cls=Group, no_args_is_help=True, help=_("The versions of the configuration; take one back."))

VersionOption = Annotated[int | None, typer.Option("--version", metavar="N", help=_("Which; the newest if left out."))]


# --- history ----------------------------------------------------------------------------------------------------------


@config_app.command("history", cls=Command, help=_("Every version that took effect: when, whose, what changed."))
@one_line_each()
def history_command(
    limit: Annotated[int, typer.Option("--limit", min=1, help=_("At most so many, the newest."))] = 20,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The newest first."""
    settings, state, history = _house(config)
    versions = history.versions()
    if form is Format.TABLE:
        for line in lines_in_force(state, settings.hotline.zone, config):
            tell(line)
    rows = list(reversed(versions))[:limit]
    empty = _("No version has taken effect yet: the daemon notes the first at its start.")
    show(form, _columns(settings.hotline.zone), rows, empty=empty)


def _columns(zone: ZoneInfo) -> list[Column[Version]]:
    def moment(version: Version) -> str:
        return at(version.at, zone).strftime("%Y-%m-%d %H:%M:%S")

    def changes(version: Version) -> list[str]:
        return [str(change) for change in version.changes]

    def told(version: Version) -> str:
        lines = changes(version)
        more = len(lines) - 3 + version.more
        if more > 0:
            lines = [*lines[:3], ngettext("and {n} more", "and {n} more", more).format(n=more)]
        if version.how == "undo":
            lines.insert(0, _("taken back to version {n}").format(n=version.restores))
        if not lines:
            lines = [_("the first") if version.version == 1 else _("comments or spacing alone")]
        return "\n".join(lines)

    return [
        Column("version", lambda one: one.version, _("Version"), right=True),
        Column("at", lambda one: iso(one.at, zone), _("In force since"), moment),
        Column("author", lambda one: one.author, _("By"), author_word),
        Column("how", lambda one: one.how),
        Column("restores", lambda one: one.restores or None),
        Column("changes", changes, _("What changed"), told),
        Column("more", lambda one: one.more),
    ]


# --- show and diff ----------------------------------------------------------------------------------------------------


@config_app.command("show", cls=Command, help=_("The files of a version, as they were written."))
@one_line_each()
def show_command(
    version: VersionOption = None,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help=_("One file alone, for example menu.yaml."))
    ] = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """The texts with their comments; of own recordings the names."""
    from config.snapshot import is_text
    from hotline.put_in_force import version_of

    _settings, _state, history = _house(config)
    wanted = version_of(history, version)
    if file is not None and (file not in wanted.files or not is_text(file)):
        known = _(", ").join(sorted(filter(is_text, wanted.files)))
        refuse(_("Version {n} has no text {file}; it has {files}.").format(n=wanted.version, file=file, files=known))
    for name in sorted(wanted.files):
        if file is None:
            print(f"# --- {name}")
        if (file is None and is_text(name)) or name == file:
            print(history.content(wanted.files[name]).decode("utf-8", "replace"), end="")


@config_app.command("diff", cls=Command, help=_("What differs between two versions, or between one and the files."))
@one_line_each()
def diff_command(
    old: Annotated[int | None, typer.Argument(metavar="N", help=_("A version; the newest if left out."))] = None,
    new: Annotated[int | None, typer.Argument(metavar="M", help=_("Another; the files of now if left out."))] = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """Line by line; nothing is printed where nothing differs."""
    from config.snapshot import Snapshot, is_text, look
    from config.versions import texts_of
    from hotline.put_in_force import version_of

    _settings, _state, history = _house(config)
    before = version_of(history, old)
    if new is None:
        there = look(config)
        after, names = {name: text.decode("utf-8", "replace") for name, text in there.texts.items()}, there
        title = str(config)
    else:
        other = version_of(history, new)
        after, names, title = texts_of(history, other.files), Snapshot(other.files), _named(other)
    texts = texts_of(history, before.files)
    for name in names.differing(Snapshot(before.files)):
        if is_text(name):
            was, is_now = (text.get(name, "").splitlines(keepends=True) for text in (texts, after))
            said = difflib.unified_diff(was, is_now, f"{name} ({_named(before)})", f"{name} ({title})")
            print("".join(line if line.endswith("\n") else f"{line}\n" for line in said), end="")
        else:
            print(_("{file}: another recording, or one that came or went").format(file=name))


def _named(version: Version) -> str:
    return _("version {n}").format(n=version.version)


# --- undo -------------------------------------------------------------------------------------------------------------


@config_app.command("undo", cls=Command, help=_("Take the newest change back, or go back to a version."))
@one_line_each()
def undo_command(
    to: Annotated[int | None, typer.Option("--to", metavar="N", help=_("Go back to this version."))] = None,
    force: Annotated[bool, typer.Option("--force", help=_("Also where the files were changed since."))] = False,
    config: ConfigFolder = Path("config"),
) -> None:
    """The texts of before, with their comments, are proved and then written into the files."""
    from config.snapshot import look
    from config.versions import Note, aside, changed_files, write_back
    from config.write import alone
    from hotline.put_in_force import version_of, wait, who

    settings, state, history = _house(config)
    last = version_of(history, None)
    wanted = _before(history, last) if to is None else version_of(history, to)
    if changed := changed_files(last, look(config)):
        if not force:
            refuse(
                _("These files were changed since version {n} took effect: {files}.").format(
                    n=last.version, files=_(", ").join(changed)
                ),
                _("See 'hotline config diff'. With --force they are overwritten; copies go to {folder}.").format(
                    folder=near(aside(history))
                ),
            )
    elif wanted.digest == last.digest:
        refuse(_("The files are as in version {n} already.").format(n=wanted.version))
    _prove(history, wanted, state, settings)
    with alone(history.folder / "edit.lock"):
        history.leave_note(Note(wanted.digest, who(), "undo", wanted.version, look(config).digest))
        write_back(history, wanted, config)
    said = _("The files are as in version {n} again, of {when}.").format(
        n=wanted.version, when=at(wanted.at, settings.hotline.zone).strftime("%Y-%m-%d %H:%M:%S")
    )
    console().print(said, style=GOOD)
    wait(state, wanted.digest, config, last.version)


def _before(history: History, last: Version) -> Version:
    """The version whose change the newest one is: the one before it."""
    found = next((one for one in reversed(history.versions()) if one.version < last.version), None)
    if found is None:
        refuse(_("There is no version before the first."))
    return found


def _prove(history: History, wanted: Version, state: Path, now: Settings) -> None:
    """Raises config's Refused where that version would not be good today."""
    from hotline.preflight import Asked, prepare_version
    from ivr.versions import draft_folder, forget, lay

    draft = draft_folder(state)
    try:
        lay(state, draft)
        prepare_version(history, wanted, sounds=draft, roster=Asked(before=now))
    finally:
        forget(draft)


# --- shared -----------------------------------------------------------------------------------------------------------


def _house(config: Path) -> tuple[Settings, Path, History]:
    from config.versions import History

    settings, state = house(config)
    return settings, state, History(state)
