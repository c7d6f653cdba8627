"""What the commands share: their options, how they refuse, and where they find settings and store."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from config.catalogue import _
from config.os_words import reason
from hotline.show import Format
from routing.when import NotAnInstant, instant_of

if TYPE_CHECKING:
    from config.settings import Settings

T = TypeVar("T")

ConfigFolder = Annotated[Path, typer.Option("--config", metavar="DIR", help=_("The configuration folder."))]
FormatOption = Annotated[
    Format,
    typer.Option("--format", case_sensitive=False, help=_("A table to read, or JSON or CSV for a program.")),
]

STORE = "hotline.sqlite"
"""The store's file in the state folder."""


class Command(TyperCommand):
    """A command whose help is all in our language, not only our own part of it."""

    def get_help_option(self, ctx: Any) -> Any:
        """The ``--help`` option."""
        return _translated(super().get_help_option(ctx))

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The line of usage, above help and refusals."""
        _write_usage(ctx, formatter, self.collect_usage_pieces(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        translate_frames()
        _plain_types(self.get_params(ctx))
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands, likewise."""

    def get_help_option(self, ctx: Any) -> Any:
        """The ``--help`` option."""
        return _translated(super().get_help_option(ctx))

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The line of usage, above help and refusals."""
        _write_usage(ctx, formatter, self.collect_usage_pieces(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        translate_frames()
        _plain_types(self.get_params(ctx))
        super().format_help(ctx, formatter)


def _write_usage(ctx: Any, formatter: Any, pieces: Iterable[str]) -> None:
    """``Usage: hotline …`` in our language; typer has these words, and its own dots and brackets around ours."""
    words = {"[OPTIONS]": _("[OPTIONS]"), "COMMAND [ARGS]...": _("COMMAND [ARGS]...")}
    said = [re.sub(r"^\[(\[.*\])\]$|\.\.\.(?=[}\]]\.\.\.)", r"\1", words.get(piece, piece)) for piece in pieces]
    formatter.write_usage(ctx.command_path, " ".join(said), prefix=_("Usage: "))


def _plain_types(params: Iterable[Any]) -> None:
    """What kind of value is wanted, for people: nothing for a flag, and of Python's names of types none."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        elif param.metavar is None or param.param_type_name == "argument":
            param.display_type_rich = partial(_type_word, param, param.display_type_rich)


def _type_word(param: Any, word: Callable[..., str | None], ctx: Any) -> str | None:
    said = word(ctx=ctx)
    kind = re.sub(r"^<(?:list\[)?(\w+)(?: range)?\]?>$", r"\1", said or "")
    if param.param_type_name == "argument" and kind in ("str", "int", "float", "path"):
        return None
    return {"str": _("TEXT"), "int": "N", "float": "N", "path": _("PATH")}.get(kind, said)


def _translated(option: Any) -> Any:
    if option is not None:
        option.help = _("Show this text and exit.")
    return option


def translate_frames() -> None:
    """Set typer's own words around help and refusals; they cost 0.1 s to load, so only where they are needed."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.ERRORS_PANEL_TITLE = _("Wrong usage")
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    rich_utils.REQUIRED_LONG_STRING = _("[required]")
    rich_utils.highlighter.highlights = [  # type: ignore[misc]  # its own colours the English word
        rf"(?P<usage>{_('Usage: ')})" if "usage" in each else each for each in rich_utils.OptionHighlighter.highlights
    ]
    rich_utils.RICH_HELP = _("Try '{command_path} {help_option}' for help.")


def house(config: Path) -> tuple[Settings, Path]:
    """The settings and the state folder: while the files have errors, by the version in force. Raises config's Refused.
    """
    from config.load import load_settings
    from config.problems import Refused
    from hotline.asterisk.home import AsteriskHome

    try:
        settings = load_settings(config)
    except Refused:
        from hotline.preflight import settings_in_force

        kept = settings_in_force(config)
        if kept is None:
            raise
        settings = kept[0]
    return settings, AsteriskHome.of(settings.hotline.state_dir).state


def answer(question: Coroutine[Any, Any, T], where_no_store: T) -> T:
    """What the store answers; ``where_no_store`` while the daemon has not made one."""
    import asyncio

    from calllog.errors import StoreMissing
    from hotline import logs

    logs.configure()
    try:
        return asyncio.run(question)
    except StoreMissing:
        return where_no_store


def when(text: str | None, option: str, settings: Settings) -> dt.datetime | None:
    """The instant that an option names, in the hotline's zone; wrong usage (exit status 2) where it names none."""
    if text is None:
        return None
    try:
        return instant_of(text, dt.datetime.now(dt.UTC), settings.hotline.zone)
    except NotAnInstant as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def micros(at: dt.datetime | None) -> int | None:
    """µs since 1970 UTC."""
    return None if at is None else (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def refuse(*lines: str) -> NoReturn:
    """Say why not, one line each on standard error, and exit with status 1."""
    for line in lines:
        tell(line)
    raise typer.Exit(1)


def tell(line: str) -> None:
    """One line on standard error."""
    print(line, file=sys.stderr)


def status_of(state: Path) -> dict[str, Any] | None:
    """The daemon's word on itself; None while none runs, nothing in it where it cannot answer now."""
    from hotline import control

    try:
        return control.ask(state, "status")
    except control.NotRunning:
        return None
    except control.Refused:
        return {}


@contextmanager
def one_line_each() -> Iterator[None]:
    """What an operator can mend becomes a line on standard error and exit status 1, without a traceback."""
    try:
        yield
    except Exception as error:
        lines = _lines_of(error)
        if lines is None:
            raise
        refuse(*lines)


def _lines_of(error: Exception) -> list[str] | None:
    """The reasons in this error; None for a fault of our own, and for what typer itself handles."""
    from calllog.errors import StoreError
    from config.problems import Refused
    from config.versions import Damaged
    from config.write import Busy, NotOurs
    from hotline import control
    from hotline.asterisk.fault import AsteriskFault

    match error:
        case Refused():
            return [str(problem) for problem in error.problems]
        case control.NotRunning():
            return [_("The hotline is not running: start it with 'hotline run'.")]
        case StoreError() | AsteriskFault() | control.Refused() | Damaged():
            return [str(error)]
        case Busy():
            return [_("Another command is writing the settings just now; try again.")]
        case NotOurs():
            said = _("{path}: it belongs to another user; give the command as that user (sudo -u).")
            return [said.format(path=error)]
        case BrokenPipeError():
            return None
        case OSError() if error.filename is not None:
            return [f"{error.filename}: {reason(error)}"]
    return None
