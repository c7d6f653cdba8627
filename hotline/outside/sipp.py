"""SIPp, bounded: for peers that Asterisk would never be (no number, hostile headers, CANCEL and BYE at once)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hotline.asterisk.install import sipp_command

GRACE = 5.0
"""Seconds that SIPp gets to end by itself after its own time-out."""


@dataclass(frozen=True, slots=True)
class SippResult:
    """``status``: 0 all calls went as the scenario says, 1 at least one did not, 97 or 254 time-out, other a fault.

    ``messages``: every SIP message of the run, as text. ``errors``: SIPp's complaints.
    """

    status: int
    messages: str
    errors: str

    @property
    def ok(self) -> bool:
        return self.status == 0


async def sipp(
    scenario: str,
    folder: Path,
    to: tuple[str, int],
    local_port: int,
    *,
    calls: int = 1,
    rate: float = 10.0,
    timeout: float = 20.0,
    keys: Mapping[str, str] | None = None,
    service: str = "4001234567",
) -> SippResult:
    """Run a scenario (XML text) against ``to`` from 127.0.0.1:``local_port``.

    ``folder`` is made and keeps what SIPp writes; ``keys`` become ``[name]`` in the scenario, ``service`` its
    ``[service]``; ``rate`` is calls a second. Raises AsteriskFault when SIPp is missing, TimeoutError when it hangs.
    """
    file = folder / "scenario.xml"

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(scenario, encoding="utf-8")

    await asyncio.to_thread(write)
    given = [word for key, value in (keys or {}).items() for word in ("-key", key, value)]
    process = await asyncio.create_subprocess_exec(
        *sipp_command(), f"{to[0]}:{to[1]}", "-sf", str(file), "-i", "127.0.0.1", "-p", str(local_port),
        "-m", str(calls), "-r", f"{rate:g}", "-s", service, "-timeout", f"{timeout:g}s", "-timeout_error", "-nostdin",
        "-trace_msg", "-message_file", "messages", "-trace_err", "-error_file", "errors", *given,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        cwd=folder, env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout + GRACE):
            status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return SippResult(
        status, await asyncio.to_thread(_read, folder / "messages"), await asyncio.to_thread(_read, folder / "errors")
    )


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
