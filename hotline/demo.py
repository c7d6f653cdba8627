"""``make demo`` and ``make call``: real SIP calls with real audio into a real hotline, told live and then measured."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import DIM, GOOD, OUTCOME_STYLES, Names, category_word, outcome_word, reason_word, with_why
from config.catalogue import _
from hotline.cli_calls import calls as list_calls
from hotline.cli_options import ConfigFolder, one_line_each, refuse
from hotline.show import console, near

if TYPE_CHECKING:
    from hotline.scenes import Result, Scene
    from hotline.trial import Trial

DEMO_FOLDER = Path("var") / "demo"
"""Below the working folder: the demo's own configuration, state and recordings; made anew by each demo."""

CALL_LIMIT = 120.0
"""Seconds one call of ``make call`` may take: every wait of the menu and the queue, and a talk."""

INTERRUPTED = 130
"""Exit status after Ctrl-C in the middle of a call (the shells' 128 + SIGINT)."""

TALK = 5.0
"""Seconds that the caller of ``make call`` talks."""


@one_line_each()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help=_("End after the calls; exit status 0 if all was right."))
    ] = False,
) -> None:
    """The whole product on a real Asterisk with a few real calls; then it stays in service until Ctrl-C."""
    from hotline.trial import NotInService

    with contextlib.suppress(KeyboardInterrupt):
        try:
            right = asyncio.run(_demo(once))
        except NotInService as fault:
            refuse(_("The demo's hotline did not come into service:"), str(fault))
        raise typer.Exit(0 if right else 1)


async def _demo(once: bool) -> bool:
    from hotline import demo_console
    from hotline.control import NotRunning, Refused, ask
    from hotline.scenes import CHANGES, ON_DUTY, scenes
    from hotline.trial import trial

    with contextlib.suppress(NotRunning, Refused):
        await asyncio.to_thread(ask, DEMO_FOLDER.absolute() / "var", "status")
        refuse(_("A demo is running already in {folder}: end it with Ctrl-C there.").format(folder=DEMO_FOLDER))
    shutil.rmtree(DEMO_FOLDER, ignore_errors=True)
    out = console()
    out.print(_("Starting a hotline on Asterisk, and the outside world around it …"), style=DIM)
    web = {"console": {"enabled": True, "port": demo_console.port(once)}}
    async with trial(DEMO_FOLDER.absolute(), CHANGES | {"hotline": CHANGES["hotline"] | web}) as it:
        for agent in ON_DUTY:
            await it.handset(agent)
        await it.reachable(*ON_DUTY)
        sip = it.settings.hotline.asterisk.sip
        said = _("In service: number {number}, SIP {host}:{port}, Asterisk {version}; on duty: {agents}.")
        names = Names.of(it.settings)
        agents = _(", ").join(names.agent(agent) for agent in ON_DUTY)
        version = ".".join(map(str, it.install.version))
        line = said.format(number=it.number, host=sip.bind, port=sip.port, version=version, agents=agents)
        out.print(line, soft_wrap=True)
        results = [await _live(it, number, scene) for number, scene in enumerate(scenes(), 1)]
        await asyncio.to_thread(_show_results, it, results)
        right = all(result.right for result in results)
        if right:
            out.print(_("All {n} scenes went as expected.").format(n=len(results)), style=GOOD)
        else:
            out.print(_("Not every call went as expected: see the lines marked ✗ above."), style="bold red")
        if not await demo_console.answers(it.settings):
            out.print(_("The console does not answer; the daemon's log says why: {log}").format(log=near(it.log)),
                      style="bold red")  # fmt: skip
            right = False
        if not once:
            await _stay(it)
    return right


async def _live(it: Trial, count: int, scene: Scene) -> Result:
    """Play one scene while its calls' events are printed as they stand in the journal."""
    from hotline.scenes import play

    out = console()
    out.print()
    out.print(f"{count}. {scene.title}", style="bold")
    follower = asyncio.create_task(_follow(it, it.fresh_number_after(scene.callers)))
    try:
        return await play(it, scene)
    finally:
        await asyncio.sleep(0.3)
        follower.cancel()
        await asyncio.wait({follower})


async def _follow(it: Trial, numbers: list[str]) -> None:
    """Print each new event of these callers' calls."""
    from console.timeline import timeline

    out, names = console(), Names.of(it.settings)
    told: dict[str, int] = {}
    letters = dict(zip(numbers, "ABCDEF", strict=False))
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            last = await _pause()
            for number in numbers:
                detail = await it.detail(number)
                if detail is None:
                    continue
                lines = timeline(detail.events, names)
                for line in lines[told.get(number, 0) :]:
                    seconds = (line.at - detail.row.arrived_at) / 1e6
                    tag = f"  {letters[number]} " if len(numbers) > 1 else "  "
                    text = f"{tag}{seconds:7.2f} s  {'  ' * line.depth}{line.text}"
                    out.print(text, style=line.style or None, soft_wrap=True)
                told[number] = len(lines)
            if last:
                return


async def _pause() -> bool:
    """Wait a moment; true when we were cancelled meanwhile and this is the last look."""
    try:
        await asyncio.sleep(0.25)
    except asyncio.CancelledError:
        return True
    return False


def _show_results(it: Trial, results: list[Result]) -> None:
    """The call log, each recording's path and what was measured in each channel of it."""
    out = console()
    out.print()
    out.print(_("Call log"), style="bold")
    list_calls(config=it.config)
    out.print()
    out.print(_("Recordings, as measured"), style="bold")
    for result in results:
        mark, style = ("✓", GOOD) if result.right else ("✗", "bold red")
        what = with_why(outcome_word(result.outcome), reason_word(result.reason) if result.reason else "")
        said = _("{what}: {about}").format(what=result.scene.title, about=what)
        out.print(f"{mark} {said}", style=style)
        for line in result.recorded:
            out.print(f"    {category_word(line.category)}  {near(line.path)}", soft_wrap=True)
            for channel in line.channels:
                out.print(f"      {channel}", style=DIM)
        for fault in result.faults:
            out.print(f"    ✗ {fault}", style="bold red")
    out.print()


async def _stay(it: Trial) -> None:
    """In service until Ctrl-C, with the phones answering by themselves."""
    from hotline.scenes import TONES

    for account, phone in it.world.handsets.items():
        phone.auto_answer(1.0, tone_hz=TONES.get(account, 660))
    out = console()
    config = DEMO_FOLDER / "config"
    out.print(_("The hotline stays in service until Ctrl-C. In another terminal try:"))
    out.print("  make call")
    for command in ("calls", "call last", "agents", "recordings list"):
        out.print(f"  .venv/bin/hotline {command} --config {config}")
    await _console(it)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, stop.set)
    await stop.wait()
    out.print(_("Stopping …"), style=DIM)


async def _console(it: Trial) -> None:
    """Where the console is, and who may enter it: the demo's users go with its folder."""
    from hotline.demo_console import address, people

    out = console()
    out.print(_("In a browser: {address} (each password is for the first sign-in alone)").format(
        address=address(it.settings)), soft_wrap=True)  # fmt: skip
    for name, about, password in await asyncio.to_thread(list, people(it.settings, it.state)):
        out.print(f"  {name:8} {password}  {about}", soft_wrap=True, highlight=False)


# --- one call into a running hotline ----------------------------------------------------------------------------------


@one_line_each()
def call_in(
    key: Annotated[str, typer.Option("--key", help=_("The key that the caller presses in the menu."))] = "1",
    number: Annotated[
        str | None, typer.Option("--number", help=_("The caller's number; a new one without it."))
    ] = None,
    config: ConfigFolder = Path("config"),
) -> None:
    """One call into the running hotline (or a running demo), told live."""
    if len(key) != 1 or key not in "0123456789*#":
        raise typer.BadParameter(_("One of 0 to 9, * and #."), param_hint="--key")
    from hotline.outside import NotHeard, NotSeen
    from hotline.trial import NotInService

    try:
        right = asyncio.run(_call_in(config, key, number or f"138{secrets.randbelow(10**8):08}"))
    except (NotInService, NotSeen, NotHeard) as fault:
        refuse(str(fault))
    except (TimeoutError, AssertionError):
        refuse(_("The call was not over within {n} s; the caller has hung up.").format(n=int(CALL_LIMIT)))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if not right:
        raise typer.Exit(1)


async def _call_in(config: Path, key: str, number: str) -> bool:
    from hotline.trial import visit

    found = next((folder for folder in (config, DEMO_FOLDER / "config") if _serves(folder)), None)
    if found is None:
        refuse(_("No hotline is running: start one with 'make run' or 'make demo' first."))
    out = console()
    known = number.lstrip("+0")  # as the end of the number is written in the store: E.164 has no leading 0
    with _scratch() as folder:
        async with visit(found, folder) as it:
            status = await it.status()
            rung = [agent for agent, state in status["agents"].items() if state["on_duty"]]
            if not any(status["agents"][agent]["reachable"] for agent in rung):
                out.print(_("No phone of an agent on duty is registered: starting test phones for them."))
                await asyncio.gather(*(it.handset(agent) for agent in rung))
                for phone in it.world.handsets.values():
                    phone.auto_answer(1.0, tone_hz=660)
                await it.reachable(*rung)
            follower = asyncio.create_task(_follow(it, [known]))
            try:
                await _one_call(it, key, number, known)
                detail = await it.ended(known, limit=CALL_LIMIT)
            finally:
                await asyncio.sleep(0.3)
                follower.cancel()
                await asyncio.wait({follower})
                phones = it.world.handsets.values()
                await asyncio.gather(*(phone.unregister() for phone in phones), return_exceptions=True)
            style = OUTCOME_STYLES.get(detail.row.outcome, "")
            out.print(_("Outcome: {what}").format(what=outcome_word(detail.row.outcome)), style=style)
            for recording in detail.recordings:
                path = near(it.state / "recordings" / recording.file)
                out.print(f"  {category_word(recording.category)}  {path}", soft_wrap=True)
            return detail.row.outcome in ("answered", "voicemail")


async def _one_call(it: Trial, key: str, number: str, known: str) -> None:
    """Call, press the key, talk for a while once an agent is there, hang up; else leave a message."""
    caller = await it.world.call(it.number, number=number)
    await caller.answered()
    await caller.press(key)
    caller.say(tone_hz=440)
    async with asyncio.timeout(CALL_LIMIT):
        while not caller.is_gone:
            detail = await it.detail(known)
            state = detail.state if detail is not None else None
            if state is not None and not state.ended_at and (state.stage in ("talk", "voicemail")):
                await asyncio.sleep(TALK)
                break
            await asyncio.sleep(0.2)
    await caller.hang_up()


def _serves(config: Path) -> bool:
    from config.problems import Refused as BadSettings
    from hotline.cli_options import house
    from hotline.control import NotRunning, Refused, ask

    try:
        _settings, state = house(config)
        return bool(ask(state, "status").get("ready"))
    except (BadSettings, NotRunning, Refused):
        return False


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hotline-call-") as folder:
        yield Path(folder)


