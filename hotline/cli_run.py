"""``hotline run`` and ``hotline check``: the daemon in service, and everything that would keep it from serving."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.catalogue import _, ngettext
from hotline.cli_options import STORE, ConfigFolder, house, one_line_each, refuse, status_of, tell
from hotline.problems_shown import counted, show_problems
from hotline.show import console

if TYPE_CHECKING:
    from config.problems import Problem
    from config.settings import Settings
    from hotline.preflight import Ready

INTERRUPTED = 130
"""Exit status after Ctrl-C before the daemon served (the shells' 128 + SIGINT)."""


@one_line_each()
def run(
    config: ConfigFolder = Path("config"),
    with_asterisk: Annotated[
        bool,
        typer.Option("--with-asterisk", help=_("Start the private Asterisk too; Ctrl-C then stops both.")),
    ] = False,
    clock_offset: Annotated[float, typer.Option("--clock-offset", hidden=True)] = 0.0,
) -> None:
    """Serve until SIGTERM or Ctrl-C; talks outlive the daemon."""
    from hotline import logs

    logs.configure()
    from hotline import daemon
    from hotline.preflight import prepare_to_serve, state_dir_said

    _refuse_a_second(state_dir_said(config))
    try:
        ready = prepare_to_serve(config)
        if ready.refused:
            for problem in ready.refused:
                tell(str(problem))
            tell(_("The files have errors: starting with the version that was in force last."))
        for warning in ready.warnings:
            tell(_("Warning: {what}").format(what=warning))
        ours = _start_asterisk(ready) if with_asterisk else False
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if sys.stderr.isatty():
        hotline, sip = ready.settings.hotline, ready.settings.hotline.asterisk.sip
        said = _("Number {numbers}, SIP {host}:{port}; Ctrl-C stops the hotline.")
        tell(said.format(numbers=_(", ").join(hotline.numbers), host=sip.bind, port=sip.port))
        from hotline.cli_users import first_at_start

        web = [_("Web console: {url}").format(url=hotline.console.url)] if hotline.console.enabled else []
        for line in first_at_start(ready.settings, ready.state_dir) or web:
            tell(line)
    interrupted = False
    try:
        interrupted = daemon.run(ready, offset=clock_offset, ends_asterisk=ours)
    except daemon.Fatal as fatal:
        refuse(str(fatal))
    except KeyboardInterrupt:
        interrupted = True
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if ours and interrupted:
            tell(_("Asterisk is stopped too, and with it every call that goes on."))
            _stop_asterisk(ready)
        elif ours:
            tell(_("Asterisk goes on running, with its talks; 'hotline asterisk stop' ends it."))


def _refuse_a_second(state: Path) -> None:
    """Refuse at once while another daemon is in service here; one that is stopping is waited for, by the store's lock.
    """
    now = status_of(state)
    if now and now.get("stopping") is False:
        what = _("A hotline is running already on {path} (process {pid}): stop it first, or set another state_dir.")
        refuse(what.format(path=state, pid=now.get("pid")))


def _start_asterisk(ready: Ready) -> bool:
    """Start the private Asterisk unless it runs; returns whether this started it. Raises AsteriskFault."""
    from hotline.asterisk import process
    from hotline.asterisk.home import AsteriskHome
    from hotline.asterisk.install import find_asterisk
    from hotline.asterisk.passwords import load_secrets
    from hotline.asterisk.render import devices, render

    own = ready.settings.hotline.asterisk.own
    if own is not None or process.running(AsteriskHome.of(ready.state_dir)) is not None:
        return False
    install = find_asterisk()
    secrets = load_secrets(ready.state_dir, devices(ready.settings))
    render(ready.settings, install, ready.state_dir, secrets)
    process.start(ready.settings, install, ready.state_dir, secrets)
    return True


def _stop_asterisk(ready: Ready) -> None:
    from hotline.asterisk import process
    from hotline.asterisk.install import find_asterisk

    process.stop(find_asterisk(), ready.state_dir)


# --- check ------------------------------------------------------------------------------------------------------------


@one_line_each()
def check(config: ConfigFolder = Path("config")) -> None:
    """Every problem at once: what, where, and what to do."""
    from hotline import logs

    logs.configure()
    from config.load import load
    from config.problems import Refused

    try:
        problems = _proved(config)
    except Refused as refused:
        problems = refused.problems
    try:
        loaded = load(config)
    except Refused:
        loaded = None  # every problem of the files is in the list already
    if loaded is not None:
        more = [
            *_store(loaded.settings), *_plain(loaded.settings), *_asterisk(loaded.settings), *_graders(loaded.settings),
        ]  # fmt: skip
        problems = list(dict.fromkeys(problems + loaded.places.located(more)))
    errors = [problem for problem in problems if not problem.warning]
    warnings = [problem for problem in problems if problem.warning]
    show_problems([*errors, *warnings], config)
    said = counted(problems)
    for line in (*_used(), *_in_force(config), *(_to_be_set(loaded.settings) if loaded is not None else ())):
        console().print(line, soft_wrap=True)
    if errors:
        console().print(said, style="bold red")
        raise typer.Exit(1)
    if loaded is not None:
        good = _("All good") if not warnings else _("In order, with {what}").format(what=said)
        done = _("{what}: {about}").format(what=good, about=_summary(loaded.settings))
        console().print(done, style="bold green")


def _proved(config: Path) -> list[Problem]:
    """The warnings of files that may take effect; prompts are built aside. Raises config's Refused."""
    from hotline.preflight import prepare_aside

    return prepare_aside(config).warnings


def _in_force(config: Path) -> list[str]:
    """Whether a running daemon has these files in force, and what waits for a restart."""
    from config.problems import Refused
    from config.snapshot import look
    from hotline.in_force import told_of, when

    try:
        settings, state = house(config)
    except Refused:
        return []
    about = (status_of(state) or {}).get("config", {})
    if not isinstance(about, dict) or not about.get("version"):
        return []
    zone = settings.hotline.zone
    same = about.get("digest") == look(config).digest
    yes, no = _("These files are in force since {when}."), _("These files are not in force, but those of {when}.")
    said = yes if same else no
    rest = {key: value for key, value in about.items() if key != "errors"}  # they are named already
    return [said.format(when=when(int(about.get("since", 0)), zone)), *told_of(rest, zone)]


def _store(settings: Settings) -> Iterator[Problem]:
    """Whether the store that is there can be used."""
    from calllog.errors import StoreError
    from calllog.store import shape
    from config.problems import Place, Problem
    from hotline.asterisk.home import AsteriskHome

    state = AsteriskHome.of(settings.hotline.state_dir).state
    path, spool = state / STORE, state / "spool.jsonl"
    if path.exists():
        try:
            shape(path, "ro")
        except StoreError as error:
            fix = _("Move it away, or bring back a good one; recordings are not touched.")
            yield Problem("store-unusable", Place(str(path)), str(error), fix)
    if spool.exists() and spool.stat().st_size and status_of(state) is None:
        what = _("Events wait here for the store.")
        yield Problem("spool-left", Place(str(spool)), what, _("The next start takes them in."), warning=True)


def _plain(settings: Settings) -> list[Problem]:
    """Recordings that are still to be encrypted."""
    from hotline.asterisk.home import AsteriskHome
    from recordings.check_plain import check_plain

    state = AsteriskHome.of(settings.hotline.state_dir).state
    return check_plain(settings, state, state / STORE)


def _asterisk(settings: Settings) -> Iterator[Problem]:
    from config.problems import Place, Problem
    from hotline.asterisk import process
    from hotline.asterisk.check import check_any
    from hotline.asterisk.fault import AsteriskFault
    from hotline.asterisk.home import AsteriskHome
    from hotline.cli_trunks import problems as trunk_problems

    try:
        yield from check_any(settings)
        home = AsteriskHome.of(settings.hotline.state_dir)
        if settings.hotline.asterisk.own is not None or process.running(home) is not None:
            yield from trunk_problems(settings, home.state)
    except AsteriskFault as fault:
        yield Problem("asterisk-missing", Place("Asterisk"), str(fault), "")


def _graders(settings: Settings) -> Iterator[Problem]:
    """Graders of plans who cannot grade; nothing while nobody is of the quality staff yet."""
    from config.problems import Place, Problem, key_path
    from console.book import BookFault
    from console.graders import absent, absent_word, begun, what_to_do
    from hotline.reviewing import users

    if not settings.reviews.plans:
        return
    try:
        known = users(Path(settings.hotline.state_dir))
    except BookFault as fault:
        yield Problem("console-file", Place("console.sqlite"), str(fault), "", warning=True)
        return
    for one in absent(settings.reviews, known) if known is not None and begun(known) else ():
        index = settings.reviews.plans[one.plan].graders.index(one.grader)
        place = Place("reviews.yaml", 0, key_path(("plans", one.plan, "graders", index)))
        what = _("{who}: nothing is drawn for them.").format(who=absent_word(one))
        yield Problem("grader-absent", place, what, what_to_do([one]), warning=True)


def _used() -> Iterator[str]:
    """Which Asterisk is used, in a line; nothing where there is none."""
    from hotline.asterisk.fault import AsteriskFault
    from hotline.asterisk.install import find_asterisk

    with contextlib.suppress(AsteriskFault):
        yield find_asterisk().described()


def _to_be_set(settings: Settings) -> Iterator[str]:
    """What a fresh install has still to be told before callers can come: no fault, so no warning."""
    for trunk in settings.hotline.trunks:
        if trunk.is_example:
            said = _("The trunk {name} is still the example's: before you publish the number set your carrier under "
                     "'trunks' in hotline.yaml.")  # fmt: skip
            yield said.format(name=trunk.name)


def _summary(settings: Settings) -> str:
    """What was found in order, in a line."""
    import datetime as dt

    from hotline.asterisk import process
    from hotline.asterisk.home import AsteriskHome
    from routing.roster import Roster

    home = AsteriskHome.of(settings.hotline.state_dir)
    on_duty = Roster.of(settings).on_duty(dt.datetime.now(dt.UTC))
    agents, queues = len(settings.agents.agents), len(settings.queues.queues)
    status = status_of(home.state)
    parts = [
        ngettext("{n} agent", "{n} agents", agents).format(n=agents),
        ngettext("{n} queue", "{n} queues", queues).format(n=queues),
        _("{n} on duty now").format(n=len(on_duty)),
        _("Asterisk is not running") if process.running(home) is None else _("Asterisk is running"),
        _("the hotline is not running") if status is None else _("the hotline is in service"),
    ]
    return _(", ").join(parts)
