"""``hotline asterisk …``: the private Asterisk got, configured, started, looked at and stopped by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from config.catalogue import _
from config.load import load
from config.problems import Refused
from config.settings import Settings
from hotline.asterisk import process
from hotline.asterisk.check import state_folder
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.install import AsteriskInstall, find_asterisk, install
from hotline.asterisk.passwords import Secrets, load_secrets
from hotline.asterisk.render import devices, render

asterisk_app = typer.Typer(no_args_is_help=True, help=_("The private Asterisk, or files for one of your own."))

ConfigFolder = Annotated[Path, typer.Option("--config", metavar="DIR", help=_("The configuration folder."))]


@asterisk_app.command("install", help=_("Get a private Asterisk unless there is one; needs no root."))
def install_command() -> None:
    """Get what is missing; without a missing part it only says what is used."""
    with _one_line_each():
        found = install()
        typer.echo(found.described())


@asterisk_app.command("build", help=_("Build Asterisk from Debian's source, without the patch that loses sound."))
def build_command() -> None:
    """Some four minutes on two cores; a second run finds it done."""
    from hotline.asterisk.build import build

    with _one_line_each():
        typer.echo(_("From now on this is used: {asterisk}").format(asterisk=build().described()))
        typer.echo(_("A hotline that is running takes it at its next start; HOTLINE_ASTERISK chooses another."))


@asterisk_app.command("render", help=_("Write Asterisk's configuration files from the settings."))
def render_command(
    config: ConfigFolder = Path("config"),
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help=_("Files to include in an Asterisk of your own."))
    ] = None,
) -> None:
    """Write the files; a running Asterisk keeps its old ones until it is restarted."""
    with _one_line_each():
        if to is not None:
            _render_own(config, to)
            return
        settings, found, _secrets = _prepare(config)
        typer.echo(_("Written to {path}.").format(path=state_folder(settings) / "asterisk/etc"))
        if process.status(found, state_folder(settings)).pid is not None:
            typer.echo(_("The running Asterisk takes them at its next start."))


@asterisk_app.command("start", help=_("Start the private Asterisk in the background."))
def start_command(
    config: ConfigFolder = Path("config"),
    foreground: Annotated[
        bool, typer.Option("--foreground", help=_("Become Asterisk, in the foreground: for a supervisor like systemd."))
    ] = False,
) -> None:
    """Write the files, start, and wait until it serves."""
    with _one_line_each():
        settings, found, secrets = _prepare(config)
        state = state_folder(settings)
        if foreground:
            process.become(settings, found, state, secrets)
        before = process.status(found, state).pid
        pid = process.start(settings, found, state, secrets)
        form = _("Asterisk is running already (pid {pid}).") if before else _("Asterisk is running (pid {pid}).")
        typer.echo(form.format(pid=pid))


@asterisk_app.command("stop", help=_("Stop the private Asterisk, with its calls."))
def stop_command(config: ConfigFolder = Path("config")) -> None:
    """Stop it; one that does not run is no error."""
    with _one_line_each():
        settings = _private(config)
        stopped = process.stop(find_asterisk(), state_folder(settings))
        typer.echo(_("Asterisk has stopped.") if stopped else _("Asterisk was not running."))


@asterisk_app.command("status", help=_("Whether the private Asterisk runs."))
def status_command(config: ConfigFolder = Path("config")) -> None:
    """Exit status 0 when it serves, 1 when not."""
    with _one_line_each():
        settings = _private(config)
        found = find_asterisk()
        typer.echo(found.described())
        now = process.status(found, state_folder(settings))
        if not now.serving:
            raise AsteriskFault(now.said or _("Asterisk is not running: start it with 'hotline asterisk start'."))
        typer.echo(_("Asterisk is running (pid {pid}).").format(pid=now.pid))
        typer.echo(now.said)


@asterisk_app.command("console", help=_("Attach a console to the private Asterisk; leave it with Ctrl-C."))
def console_command(config: ConfigFolder = Path("config")) -> None:
    """Become ``asterisk -rvvv``."""
    with _one_line_each():
        command = process.console_command(find_asterisk(), state_folder(_private(config)))
    os.execv(command[0], command)


def _render_own(config: Path, to: Path) -> None:
    from hotline.asterisk.own import render_own

    settings = _settings(config)
    state = state_folder(settings)
    for file in render_own(settings, to, state, load_secrets(state, devices(settings))):
        into = file.name.removeprefix("hotline-")
        typer.echo(_("{path}: to be included in {file}").format(path=file.absolute(), file=into))
    typer.echo(_("Then 'hotline check' says what is still missing."))


def _prepare(config: Path) -> tuple[Settings, AsteriskInstall, Secrets]:
    settings = _private(config)
    state = state_folder(settings)
    found = find_asterisk()
    secrets = load_secrets(state, devices(settings))
    render(settings, found, state, secrets)
    return settings, found, secrets


def _private(config: Path) -> Settings:
    """The settings of a hotline whose Asterisk is ours to start and stop. Raises AsteriskFault."""
    settings = _settings(config)
    if settings.hotline.asterisk.own is not None:
        what = _("asterisk.own is set: Asterisk is yours to start and stop. 'hotline check' looks at it, and 'hotline asterisk render --to DIR' writes files for it.")  # noqa: E501
        raise AsteriskFault(what)
    return settings


def _settings(config: Path) -> Settings:
    loaded = load(config)
    for warning in loaded.warnings:
        typer.echo(str(warning), err=True)
    return loaded.settings


@contextmanager
def _one_line_each() -> Iterator[None]:
    """Faults as one line each on standard error and exit status 1, without a traceback."""
    try:
        yield
    except Refused as refused:
        _refuse([str(problem) for problem in refused.problems])
    except AsteriskFault as fault:
        _refuse([str(fault)])


def _refuse(lines: list[str]) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)
