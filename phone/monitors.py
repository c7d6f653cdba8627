"""Recording a talk: MixMonitor, started and stopped by AMI, since ARI has no word for it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from phone.ami import Ami, AmiRefused

PATIENCE = 10.0
"""Seconds to wait for a broken AMI connection before a talk goes on unrecorded."""

OPTIONS = "Di(HOTLINE_MONITOR)"
"""D: raw, interleaved, what the caller says left and what the caller hears right (DESIGN.md section 5); i: so that the
answer holds the monitor's id."""


class Monitors:
    """MixMonitors that write below ``spool``. Raises phone.ami's errors."""

    def __init__(self, ami: Ami, spool: Path) -> None:
        self._ami = ami
        self._spool = spool

    async def start(self, channel: str, file: str) -> str:
        """Begin to record ``channel`` (its id: AMI takes that where no channel is so named) into ``file``; returns the
        monitor's id."""
        if not self._ami.ready:
            await self._ami.wait_ready(PATIENCE)
        answer = await self._ami.action("MixMonitor", Channel=channel, File=str(self._spool / file), Options=OPTIONS)
        return answer.get("mixmonitorid", "")

    async def mute(self, channel: str, monitor: str, *, on: bool) -> None:
        """Write silence of the right length instead of both directions, or no longer. AmiRefused: it runs no more."""
        await self._ami.action(
            "MixMonitorMute", Channel=channel, Direction="both", State="1" if on else "0", MixMonitorID=monitor
        )

    async def stop(self, channel: str, monitor: str) -> None:
        """End it; the file is complete on return. One that ended already is no error."""
        with contextlib.suppress(AmiRefused):
            await self._ami.action("StopMixMonitor", Channel=channel, **({"MixMonitorID": monitor} if monitor else {}))
