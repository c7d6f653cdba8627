"""The stage on which a side is measured: phones registered, sound running, callers ready; all gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotline.bench.agents import Agents
from hotline.bench.callers import Callers
from hotline.bench.sides import Ground, Running

REPOSITORY = Path(__file__).resolve().parents[2]

SPEECH = ("away_apology", "voicemail_invite", "voicemail_thanks")
"""Prompts that callers and agents say, over and over: real speech, not a tone."""

SETTLE = 2.0
"""Seconds from the key to the talk after which what a caller hears counts as talk; the phones ring a second of it."""

ENDS = 5.0
"""Seconds for the sound to end and report."""


@dataclass(slots=True)
class Heard:
    """What the receivers heard of the talks: by second since 1970 packets promised, in time, late, missing."""

    seconds: dict[int, list[int]] = field(default_factory=dict)
    streams: int = 0
    late_p99: float = 0.0
    """Seconds by which the generator itself was late."""

    @property
    def lost(self) -> float:
        """The share of packets that were late or missing."""
        promised = sum(row[0] for row in self.seconds.values())
        return sum(row[2] + row[3] for row in self.seconds.values()) / promised if promised else 0.0

    def suffered_at(self, share: float) -> int | None:
        """The first second since 1970 in which, and in the next, more than this share was lost."""
        bad = [second for second, row in sorted(self.seconds.items()) if row[0] and (row[2] + row[3]) / row[0] > share]
        return next((second for second in bad if second + 1 in bad), None)


@dataclass(slots=True)
class Stage:
    """Callers and agents before one side."""

    side: Running
    callers: Callers
    agents: Agents
    heard: Heard


@asynccontextmanager
async def stage(
    ground: Ground,
    side: Running,
    phones: Mapping[str, str],
    *,
    ring: float,
    talk: float | None = None,
    key: int = 1,
) -> AsyncIterator[Stage]:
    """Phones that answer after ``ring`` seconds (and hang up after ``talk``), callers who press ``key``.

    What was heard is known once it is left.
    """
    agents = Agents(phones, ground.server, ground.agents, ring=ring, talk=talk)
    await agents.open()
    try:
        if side.trial is not None:
            await side.trial.reachable(*phones)
        heard = Heard()
        sound = await _sound(ground, key)
        try:
            callers = Callers(
                ground.folder / "sipp", ground.server, ground.carrier, ground.callers, ground.spare, ground.number
            )
            yield Stage(side, callers, agents, heard)
        finally:
            await _end(sound, heard)
    finally:
        agents.close()


async def _sound(ground: Ground, key: int) -> asyncio.subprocess.Process:
    after = ground.key_after()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline.bench.sound", "--callers", str(ground.callers), "--agents", str(ground.agents),
        "--key", str(key), "--key-after", f"{after:g}", "--talk-after", f"{after + SETTLE:g}",
        *(str(ground.prompts / f"{name}.wav") for name in SPEECH),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, cwd=REPOSITORY, limit=1 << 24,
    )  # fmt: skip
    assert process.stdout is not None
    if (await process.stdout.readline()).strip() != b"ready":
        await process.wait()
        raise RuntimeError("the sound did not start")
    return process


async def _end(process: asyncio.subprocess.Process, heard: Heard) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(ENDS):
            line = await process.stdout.readline()
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return
    if not line:
        return
    report = json.loads(line)
    heard.late_p99 = report["late_p99_s"]
    for side in ("callers", "agents"):
        heard.streams += report[side]["streams"]
        for second, row in report[side]["seconds"].items():
            so_far = heard.seconds.setdefault(int(second), [0, 0, 0, 0])
            for place, value in enumerate(row):
                so_far[place] += value
