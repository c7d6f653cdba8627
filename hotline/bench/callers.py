"""The callers: SIPp, the same scenario for both sides. Their sound and their key are :mod:`hotline.bench.sound`'s."""

from __future__ import annotations

import asyncio
import csv
import os
from dataclasses import dataclass, field
from pathlib import Path

from hotline.asterisk.install import sipp_command
from hotline.outside.callers import hangs_up, waits

GRACE = 15.0
"""Seconds beyond the expected length of a run after which SIPp is ended."""

FROM = "<sip:1390000[call_number]@[local_ip]:[local_port]>"
"""The callers' numbers, each another."""


@dataclass(slots=True)
class Calls:
    """What SIPp saw. ``answer``: when each 200 came (seconds since 1970), and the seconds since its INVITE."""

    made: int = 0
    good: int = 0
    answer: list[tuple[float, float]] = field(default_factory=list)
    status: int = 0
    seconds: list[tuple[float, int, int]] = field(default_factory=list)
    """At each second: seconds since 1970, calls begun so far, calls failed so far."""

    @property
    def delays(self) -> list[float]:
        """Seconds from INVITE to 200, of every answered call."""
        return [seconds for _at, seconds in self.answer]


class Callers:
    """One run of SIPp from 127.0.0.1:``port`` to ``server``; ``sound`` is the callers' RTP port."""

    def __init__(self, folder: Path, server: tuple[str, int], port: int, sound: int, spare: int, number: str) -> None:
        self._folder, self._server, self._port = folder, server, port
        self._sound, self._spare, self._number = sound, spare, number

    async def call(
        self,
        calls: int,
        rate: float,
        length: float,
        *,
        hang_up: bool = True,
        steps: tuple[float, float] | None = None,
        longest: float | None = None,
    ) -> Calls:
        """Make so many calls at ``rate`` a second, each hung up ``length`` seconds after its answer.

        Without ``hang_up`` the callers wait for the other side's BYE, at most ``length`` seconds. ``steps``: after
        every so many seconds the rate grows by so much. ``longest`` bounds the run in seconds.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            old.unlink()
        scenario = (hangs_up if hang_up else waits)(FROM, "[sound]", length)
        (self._folder / "caller.xml").write_text(scenario, encoding="utf-8")
        limit = longest if longest is not None else calls / rate + length + GRACE
        growing: tuple[str, ...] = ()
        if steps is not None:
            growing = ("-rate_interval", f"{steps[0]:g}", "-rate_increase", f"{steps[1]:g}", "-rate_max", "1000")
        process = await asyncio.create_subprocess_exec(
            *sipp_command(), f"{self._server[0]}:{self._server[1]}", "-sf", "caller.xml", "-i", "127.0.0.1",
            "-p", str(self._port), "-mp", str(self._spare), "-m", str(calls), "-r", f"{rate:g}", "-l", "5000",
            "-s", self._number, "-key", "sound", str(self._sound), "-nostdin", "-timeout", f"{limit:.0f}s",
            "-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-fd", "1", "-stf", "stat.csv", *growing,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            cwd=self._folder, env={**os.environ, "TERM": "dumb"}, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(limit + GRACE):
                status = await process.wait()
        except TimeoutError:
            status = -1
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return await asyncio.to_thread(self._read, status)

    def _read(self, status: int) -> Calls:
        found = Calls(status=status)
        for file in self._folder.glob("caller_*_rtt.csv"):
            for line in file.read_text().splitlines()[1:]:
                at, milliseconds, _name = line.split(";")[:3]
                found.answer.append((float(at) / 1000, float(milliseconds) / 1000))
        stat = self._folder / "stat.csv"
        if stat.exists():
            with stat.open(newline="") as table:
                for row in csv.DictReader(table, delimiter=";"):
                    began = int(row["TotalCallCreated"])
                    failed = int(row["FailedCall(C)"])
                    found.seconds.append((float(row["CurrentTime"].split("\t")[-1]), began, failed))
                    found.made, found.good = began, int(row["SuccessfulCall(C)"])
        return found
