"""``make chaos [SEED=n] [ONLY=fault,fault] [MINUTES=n]``: the long form, on a house of its own per group of faults.

Prints a table, writes it with all that was found to ``var/chaos/latest.json``, and with ``--readme`` into both READMEs.
Exit status 0 when nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import fmean

from hotline.asterisk.install import find_asterisk
from hotline.trial_config import REPOSITORY
from tests.chaos.every import FAULTS
from tests.chaos.fault import Fault, Skipped
from tests.chaos.house import House, house
from tests.chaos.round import Row, one_round, settle
from tests.chaos.table import into_readmes, lines

RATE = 5.0
"""Callers a second."""

AGENTS = 12
KILLS = 5
"""Rounds of twenty kills each."""

TMPFS = 40 << 20
"""Bytes of the small disk."""


@asynccontextmanager
async def small_disk(folder: Path) -> AsyncIterator[None]:
    """A tmpfs as the state folder. Raises Skipped where mounting is not allowed."""
    state = folder / "var"
    state.mkdir(parents=True)
    done = await asyncio.to_thread(
        subprocess.run, ["mount", "-t", "tmpfs", "-o", f"size={TMPFS},mode=0700", "tmpfs", str(state)],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Skipped(f"mounting is not allowed here ({done.stderr.decode().strip()})")
    try:
        yield
    finally:
        kept = folder / "kept"
        kept.mkdir()
        for file in (*state.glob("hotline.sqlite*"), state / "daemon.log"):
            with contextlib.suppress(OSError):
                shutil.copy(file, kept)
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(state)], check=False)


async def strike(at: House, fault: Fault, *, tries: int, rate: float) -> Row:
    """So many rounds of one fault."""
    row = Row(fault.name)
    for _ in range(tries):
        try:
            await one_round(at, row, lambda it: fault.strike(it, False), rate=rate, after=5.0)
        except Exception as error:
            row.losses.append(f"{type(error).__name__}: {error}")
            raise Broken(row) from error
        say(row)
        if row.losses:
            break
    return row


class Broken(Exception):
    """The house cannot go on after this row."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.fault)
        self.row = row


def say(row: Row) -> None:
    """One line, and what was lost."""
    a = row.audit
    print(
        f"{row.fault:28} tries {row.tries:3}  callers {a.callers:5}  answered {a.answered:5}  "
        f"talks>3s {a.long_talks:4} verified {a.verified:4}  losses {len(row.losses)}  {row.seconds:.0f} s  "
        f"{row.skipped}  {dict(a.outcomes)} {dict(a.reasons)} struck in {','.join(row.struck_in)}",
        flush=True,
    )
    if a.shares:
        least, mean = ([round(float(of(side)), 2) for side in zip(*a.shares, strict=True)] for of in (min, fmean))
        print(f"    heard, caller and agent recorded, of {len(a.shares)} calls: least {least}, mean {mean}", flush=True)
    for loss in row.losses:
        print(f"    {loss}", flush=True)


async def all_of(names: list[str], seed: str, until: float, keep: Path) -> list[Row]:
    """Strike each; after a house that broke, the others go on in a new one."""
    rows: list[Row] = []
    left = list(names)
    while left:
        group = [left.pop(0)]
        tmpfs = FAULTS[group[0]].on_tmpfs
        while left and FAULTS[left[0]].on_tmpfs == tmpfs and not tmpfs:
            group.append(left.pop(0))
        folder = keep / f"{len(rows):02}-{group[0]}"
        try:
            if tmpfs:
                async with small_disk(folder), house(folder, seed, agents=AGENTS) as at:
                    await settle(at, RATE)
                    rows.append(await strike(at, FAULTS[group[0]], tries=1, rate=RATE))
                continue
            async with house(folder, seed, agents=AGENTS) as at:
                await settle(at, RATE)
                while group:
                    name = group[0]
                    tries = KILLS if name == "daemon_killed" else 1
                    if time.monotonic() > until:
                        rows.append(Row(name, skipped="no time left"))
                    else:
                        rows.append(await strike(at, FAULTS[name], tries=tries, rate=RATE))
                    group.pop(0)
                    if rows[-1].losses:
                        break
        except Skipped as skipped:
            rows.append(Row(group[0], skipped=str(skipped)))
            say(rows[-1])
        except Broken as broken:
            rows.append(broken.row)
            group.pop(0)
            say(broken.row)
        left = group + left if not tmpfs else left
    return rows


def _stop(number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", default=str(int(time.time()) % 1_000_000))
    parser.add_argument("--only", default="", help="names of faults, with commas: " + ", ".join(FAULTS))
    parser.add_argument("--minutes", type=float, default=60.0, help="what is not begun by then is left out")
    parser.add_argument("--readme", action="store_true", help="write the table into both READMEs")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(FAULTS)
    if unknown := [name for name in names if name not in FAULTS]:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    print(f"seed {given.seed}; again with: make chaos SEED={given.seed} ONLY={','.join(names)}", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, _stop)
    keep = Path(tempfile.mkdtemp(prefix="hotline-chaos-"))
    rows = asyncio.run(all_of(names, given.seed, time.monotonic() + 60 * given.minutes, keep))
    version = ".".join(map(str, find_asterisk().version))
    table = lines(rows, "en")
    print("\n".join(table))
    report = REPOSITORY / "var" / "chaos" / "latest.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({
        "seed": given.seed, "date": dt.date.today().isoformat(), "asterisk": version, "cores": os.cpu_count(),
        "rows": [{
            "fault": row.fault, "tries": row.tries, "seconds": round(row.seconds), "skipped": row.skipped,
            "callers": row.audit.callers, "answered": row.audit.answered, "long_talks": row.audit.long_talks,
            "verified": row.audit.verified, "reasons": row.audit.reasons, "outcomes": row.audit.outcomes,
            "losses": row.losses,
        } for row in rows],
    }, ensure_ascii=False, indent=1))  # fmt: skip
    if given.readme:
        into_readmes(rows, version, given.seed)
    lost = [row for row in rows if row.losses]
    if lost:
        print(f"Something was lost; logs are in {keep}. Again: make chaos SEED={given.seed} "
              f"ONLY={','.join(row.fault for row in lost)}", file=sys.stderr)  # fmt: skip
        raise SystemExit(1)
    shutil.rmtree(keep, ignore_errors=True)


if __name__ == "__main__":
    main()
