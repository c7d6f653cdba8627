"""The console as one of the daemon's tasks, loaded only where it is wanted, or where orders of an earlier one lie: its
libraries take 0.4 s and 40 MB."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotline.daemon import Daemon

SHELF = "exports"
"""The folder of ``console.export_shelf``, which is not loaded for this."""

LOOK_EVERY = 2.0
"""Seconds between two looks whether the console is wanted now."""


def load() -> None:
    """Load it. Before the first call this costs nobody anything; later it belongs into a thread."""
    importlib.import_module("hotline.console_site")


class ConsoleRun:
    """:meth:`run` it for as long as the daemon serves."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def run(self) -> None:
        """Wait until the settings want a console, then serve it for ever. Exports that lie there from an earlier run go
        on without one, and are taken away when their time is over."""
        ordered = await asyncio.to_thread(lambda: any((self._daemon.state_dir / SHELF).glob("*.order")))
        while not ordered:
            if self._daemon.settings.hotline.console.enabled:
                break
            await asyncio.sleep(LOOK_EVERY)
        await asyncio.to_thread(load)
        from hotline.console_site import ConsoleService

        await ConsoleService(self._daemon).run()
