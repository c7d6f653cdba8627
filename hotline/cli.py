"""The ``hotline`` command: every command of it under one roof, in the reader's language.

Modules of the commands import nothing heavy before a command runs, so that help and refusals come at once.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from config.catalogue import _, set_language


def main() -> None:
    """Run the command line; the exit status is 0 done, 1 refused with reasons, 2 wrong usage."""
    _prepare_streams()
    try:
        build()(prog_name="hotline")
    except BrokenPipeError:
        _pipe_closed()
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _pipe_closed()


def _prepare_streams() -> None:
    """What a terminal cannot show must not end a command; where it has no Chinese at all, speak English."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        "座席".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        if "HOTLINE_LANG" not in os.environ:
            set_language("en")


def _pipe_closed() -> None:
    """The reader went away (``| head``): nothing more can be said, and that is no fault."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(f"Hotline {importlib.metadata.version('hotline')}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help=_("Show the version and exit."))
    ] = False,
) -> None:
    """What stands before a command's name."""


def build() -> typer.Typer:
    """The whole command, with its texts in the language in force."""
    from hotline import (
        cli_calls,
        cli_config,
        cli_duty,
        cli_export,
        cli_floor,
        cli_handover,
        cli_person,
        cli_record,
        cli_reviews,
        cli_roster,
        cli_run,
        cli_satisfaction,
        cli_simulate,
        cli_trunks,
        cli_users,
    )  # fmt: skip
    from hotline.cli_options import Command

    app = typer.Typer(
        cls=_commands(),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=_("Answers a company's 24-hour number on Asterisk."),
    )

    app.callback()(_top)

    def add(name: str, course: Any, help: str) -> None:
        app.command(name, cls=Command, help=help)(course)

    add("run", cli_run.run, _("The daemon: answer calls until Ctrl-C or SIGTERM."))
    add("check", cli_run.check, _("Settings, roster, prompts, store, Asterisk: every problem at once."))
    add("duty", cli_duty.duty, _("Who is on duty, now or at any instant."))
    add("agents", cli_floor.agents, _("The state of each agent; change one with ready or pause."))
    add("trunks", cli_trunks.trunks, _("Each carrier, and whether it is in service."))
    add("calls", cli_calls.calls, _("The call log."))
    add("call", cli_calls.call, _("One call's timeline."))
    add("record", cli_record.record, _("A call's record: show it, fill it in; without a call, what is missing."))
    app.add_typer(cli_roster.roster_app, name="roster")
    add("handover", cli_handover.handover, _("The sheet for the change of shifts."))
    app.add_typer(cli_satisfaction.report_app, name="report")
    app.add_typer(cli_config.config_app, name="config")
    app.add_typer(cli_users.users_app, name="users")
    add("simulate", cli_simulate.simulate, _("A stated day on the real desk and roster, in virtual time."))
    app.add_typer(cli_reviews.reviews_app, name="reviews")
    app.add_typer(cli_export.recordings_app, name="recordings")
    app.add_typer(cli_person.calllog_app, name="calllog")
    for name, later in _later().items():
        add(name, later.stand_in, later.help)
    return app


@dataclass(frozen=True, slots=True)
class _Later:
    """A command whose module is read only when the command is wanted: its help text, and what loads it."""

    help: str
    load: Callable[[str], Any]

    @staticmethod
    def stand_in() -> None:
        """Stands in the list of commands until then."""


def _later() -> dict[str, _Later]:
    """The commands of the private Asterisk, and the trials where they are."""
    found = {"asterisk": _Later(_("The private Asterisk, or files for one of your own."), lambda _help: _asterisk())}
    if importlib.util.find_spec("hotline.demo") is not None:
        found["demo"] = _Later(_("The whole product with a few real calls."), partial(_trial, "demo"))
        found["call-in"] = _Later(_("One call into the running hotline."), partial(_trial, "call_in"))
    return found


def _asterisk() -> Any:
    from hotline.cli_asterisk import asterisk_app
    from hotline.cli_options import Command, Group

    asterisk_app.info.cls = Group
    for command in asterisk_app.registered_commands:
        command.cls = Command
    return typer.main.get_group(asterisk_app)


def _trial(function: str, help: str) -> Any:
    from hotline.cli_options import Command

    trial = typer.Typer(add_completion=False)
    trial.command(cls=Command, help=help)(getattr(importlib.import_module("hotline.demo"), function))
    return typer.main.get_command(trial)


def _commands() -> Any:
    """The class of the top group, which puts a command in its stand-in's place when it is wanted."""
    from hotline.cli_options import Group, translate_frames

    class Commands(Group):
        """All commands."""

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """The command that these arguments name."""
            if args and (later := _later().get(args[0])) is not None:
                self.add_command(later.load(later.help), args[0])
            return super().resolve_command(ctx, args)

        def make_context(self, *args: Any, **kwargs: Any) -> Any:
            """Read what stands before the command's name."""
            with _refused_in_words():
                return super().make_context(*args, **kwargs)

        def invoke(self, ctx: Any) -> Any:
            """Read the command's own arguments and run it."""
            with _refused_in_words():
                return super().invoke(ctx)

    @contextlib.contextmanager
    def _refused_in_words() -> Iterator[None]:
        try:
            yield
        except Exception as raised:
            error: Any = raised
            if hasattr(error, "ctx"):  # typer's wrong usage, whose class it does not name in public
                from hotline.usage_words import in_our_words

                translate_frames()
                said = error.format_message()
                error.format_message = lambda: in_our_words(said)
            raise

    return Commands


if __name__ == "__main__":
    main()
