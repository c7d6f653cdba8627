"""``python -m hotline.bench``: measure, print the table, keep it. Exit status 1 when a target fails."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from config.catalogue import _
from config.problems import Refused
from hotline.asterisk.fault import AsteriskFault
from hotline.bench import figures, finding, inside, measure, page, rosters
from hotline.bench.cost import machine
from hotline.bench.many_calls import many_calls
from hotline.bench.sides import FEW, Ground, hotline, make_ground, plain
from hotline.bench.stage import REPOSITORY
from hotline.outside.switch import SwitchFault
from hotline.trial import NotInService

RATE = 20.0
"""Calls a second at which the CPU per call is measured."""
CALM = 5.0
"""The same for a calm machine, for the answer's delay alone."""
OTHER_LIMIT = 180.0
"""Seconds that a program of its own (the simulator, the lifeboat's bench) may take."""
SCREENS_LIMIT = 900.0
"""The same for the console's screens: some hundred and fifty pages, one after the other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. ``phones`` for the rounds at ``RATE``; ``most`` phones for the search of limits."""

    rounds: int
    seconds: float
    calm: float
    each: int
    phones: int
    most: int
    limits: bool
    sizes: tuple[int, ...]
    steps: int
    journal: float
    calls: int


FULL = Plan(3, 20.0, 10.0, 8, 150, 420, True, inside.SIZES, 6_000, 10.0, 1_000_000)
QUICK = Plan(1, 10.0, 0.0, 4, 150, 150, False, (100, 1_000, 10_000, 20_000), 2_000, 4.0, 100_000)


async def run(folder: Path, plan: Plan, tell: Console) -> figures.Measured:
    """Everything, one after the other. Nothing of it runs on afterwards, however it ends."""
    found = figures.Measured()
    task = asyncio.current_task()
    assert task is not None
    # As at Ctrl-C: what was started is ended, and nothing is measured any more.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with _step(tell, _("The desk, alone")):
        found.decisions = await asyncio.to_thread(inside.decisions, plan.sizes, plan.steps)
    with _step(tell, _("The roster, alone")):
        found.roster = await asyncio.to_thread(rosters.rosters)
    with _step(tell, _("The journal, alone")):
        found.journal = await inside.journal(folder, seconds=plan.journal)
    with _step(tell, _("Finding calls (a store of {calls} is made once, in minutes)").format(calls=f"{plan.calls:,}")):
        found.finding = await finding.finding(folder.parent, plan.calls)
    with _step(tell, _("The screens of the console, with as many calls and 1,000 agents")):
        found.screens = await _screens(folder.parent, plan)
    if found.screens is None:
        found.missing.append("scripts/bench_screens.py")
    with _step(tell, _("Settings, passwords and prompts for {count} phones").format(count=plan.most + FEW)):
        ground = await asyncio.to_thread(make_ground, folder, plan.most, {})
    runs = [(RATE, plan.seconds), (CALM, plan.calm)][: 2 if plan.calm else 1]
    for number in range(plan.rounds):
        of = _("round {number} of {count}").format(number=number + 1, count=plan.rounds)
        with _step(tell, f"Queue(): {of}"):
            async with plain(ground, plan.phones) as side:
                first, *calm = await measure.busy(ground, side, plan.phones, runs)
                found.plain.append(first)
                found.calm_plain += calm
                found.queue_free.append(await measure.free_to_ring(ground, side, plan.each))
        with _step(tell, f"Hotline: {of}"):
            async with hotline(ground) as side:
                idle = measure.memory(side)
                found.idle_mb = max(idle, found.idle_mb or idle)
                first, *calm = await measure.busy(ground, side, plan.phones, runs)
                found.hotline.append(first)
                found.calm_hotline += calm
                found.hotline_free.append(await measure.free_to_ring(ground, side, plan.each))
    if plan.limits:
        with _step(tell, _("Queue() with its own recorder")):
            async with plain(ground, plan.phones, "queue") as side:
                found.cheap += await measure.busy(ground, side, plan.phones, runs[:1])
        await _limits(ground, plan, found, tell)
    with _step(tell, _("A day, simulated")):
        found.simulate = await _simulate(plan)
    if found.simulate is None:
        found.missing.append("hotline simulate")
    with _step(tell, _("The lifeboat")):
        found.lifeboat = await _lifeboat()
    if found.lifeboat is None:
        found.missing.append("scripts/bench_lifeboat.py")
    return found


async def _limits(ground: Ground, plan: Plan, found: figures.Measured, tell: Console) -> None:
    with _step(tell, _("Queue(): more and more talks")):
        async with plain(ground, plan.most) as side:
            found.talks_plain = await measure.talks(ground, side, plan.most, 10.0)
    with _step(tell, _("Hotline: more and more talks")):
        async with hotline(ground) as side:
            found.talks_hotline = await measure.talks(ground, side, plan.most, 10.0)
    with _step(tell, _("Queue(): more and more calls a second")):
        async with plain(ground, plan.most) as side:
            found.rate_plain = await measure.calls_a_second(ground, side, plan.most, 25.0, 5.0, 7)
    with _step(tell, _("Hotline: more and more calls a second")):
        async with hotline(ground) as side:
            found.rate_hotline = await measure.calls_a_second(ground, side, plan.most, 25.0, 5.0, 7)


async def _simulate(plan: Plan) -> dict[str, Any] | None:
    """The stated day of ``hotline simulate``: 100,000 calls, or a tenth of them in the short form."""
    share = 1 if plan.limits else 10
    began = time.monotonic()
    said = await _program(
        "-m", "hotline", "simulate", "--calls", str(100_000 // share), "--agents", str(500 // share), "--seed", "1",
        "--format", "json",
    )  # fmt: skip
    if said is None:
        return None
    return {"calls": 100_000 // share, "agents": 500 // share, "seconds": (time.monotonic() - began) * share}


async def _lifeboat() -> dict[str, Any] | None:
    """The lifeboat's own bench, where it is there."""
    script = REPOSITORY / "scripts" / "bench_lifeboat.py"
    said = await _program(str(script)) if script.exists() else None
    found: dict[str, Any] | None = json.loads(said) if said else None
    return found


async def _screens(folder: Path, plan: Plan) -> dict[str, Any] | None:
    """The console's screens in a browser; in the short form the rooms alone, each once."""
    path = await asyncio.to_thread(many_calls, folder, plan.calls)
    how = () if plan.limits else ("--short",)
    said = await _program(str(REPOSITORY / "scripts" / "bench_screens.py"), "--store", str(path), *how,
                          limit=SCREENS_LIMIT)  # fmt: skip
    return {**json.loads(said), "calls": plan.calls} if said else None


async def _program(*arguments: str, limit: float = OTHER_LIMIT) -> str | None:
    """What a program of ours prints; None when it fails or takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=REPOSITORY, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limit):
            said, _errors = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
    return said.decode() if process.returncode == 0 else None


@contextmanager
def _step(tell: Console, what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = time.monotonic()
    with tell.status(what):
        yield
    tell.print(f"{what}: {time.monotonic() - began:.0f} s", style="dim", highlight=False)


def show(table: list[figures.Line], tell: Console) -> None:
    """The table on the screen."""
    shown = Table(box=None, pad_edge=False)
    for name, right in ((_("Measured"), False), (_("Seen"), True), ("", False), (_("Over the rounds"), False),
                        (_("Target"), True), ("", False)):  # fmt: skip
        shown.add_column(name, justify="right" if right else "left")
    words = {True: f"[green]{_('holds')}[/]", False: f"[bold red]{_('does not hold')}[/]", None: ""}
    for line in table:
        spread = "" if line.spread is None else " – ".join(line.shown(end) for end in line.spread)
        shown.add_row(line.name, line.shown(line.seen), line.unit, spread, line.target, words[line.holds])
    tell.print(shown)


def about(ground_version: str, quick: bool) -> dict[str, Any]:
    """When, where and of what."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine(),
        "versions": {"hotline": version("hotline"), "asterisk": ground_version, "uvloop": version("uvloop")},
    }


def main() -> int:
    """Measure and tell; returns the exit status."""
    told = argparse.ArgumentParser(prog="make bench")
    told.add_argument("--quick", action="store_true", help="a short form, some five minutes")
    told.add_argument("--docs", type=Path, default=REPOSITORY / "docs" / "bench", help="where the pages lie")
    given = told.parse_args()
    tell = Console()
    kept = REPOSITORY / "var" / "bench"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=kept))
    plan = QUICK if given.quick else FULL
    try:
        from hotline.asterisk.install import find_asterisk

        found = asyncio.run(run(folder, plan, tell))
        table = figures.lines(found)
        whole = figures.as_json(found, table, about(find_asterisk().version_text, given.quick))
    except (KeyboardInterrupt, asyncio.CancelledError):
        tell.print(_("Stopped; nothing runs on."))
        return 130
    except (AsteriskFault, SwitchFault, NotInService, Refused, TimeoutError, ExceptionGroup, OSError) as fault:
        tell.print(_("The bench could not go on: {reason}").format(reason=fault or type(fault).__name__))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (kept / "latest.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    show(table, tell)
    for what in found.missing:
        tell.print(_("Not measured, since it failed: {what}").format(what=what), style="bold red")
    if not given.quick:
        page.write(given.docs, found, whole)
    return 0 if all(line.holds is not False for line in table) and not found.missing else 1


if __name__ == "__main__":
    sys.exit(main())
