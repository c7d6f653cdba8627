"""What systemd is told of a service of ``Type=notify`` (sd_notify(3)): a datagram of ``KEY=value`` lines.

Own code, since the protocol is one ``sendto``: the packages for it wrap libsystemd in C or are not kept up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, MutableMapping

import structlog

log = structlog.get_logger()

EXTEND_EVERY = 5.0
"""Seconds between two words while we start and wait for Asterisk; each asks for three times as long."""

STATUS_EVERY = 5.0
"""Seconds between two looks at the status line when there is no watchdog."""


class Notifier:
    """``address`` is that of ``NOTIFY_SOCKET`` (a path, or an abstract one that begins with ``@``); empty: nobody
    listens, and nothing is sent. ``watchdog`` is in seconds, 0: none."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self.watchdog = watchdog if address else 0.0
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str]) -> Notifier:
        """By ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``, which are taken out of ``environ``: children
        must not speak for us. A watchdog meant for another process is not ours."""
        address = environ.pop("NOTIFY_SOCKET", "")
        micros, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        mine = not pid or pid == str(os.getpid())
        return cls(address, int(micros) / 1e6 if mine and micros.isdecimal() else 0.0)

    def tell(self, **what: str | int) -> None:
        """Send these, e.g. ``tell(READY=1, STATUS="…")``. A supervisor that does not listen is no fault of ours."""
        if not self._address:
            return
        text = "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in what.items())
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
            self._socket.sendto(text.encode(errors="replace"), self._address)
        except OSError as error:
            log.warning("systemd could not be told", what=text, why=str(error))

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


async def keep_told(
    notifier: Notifier, *, ready: Callable[[], bool], alive: Callable[[], bool], status: Callable[[], str]
) -> None:
    """Tell READY once, WATCHDOG while ``alive``, and STATUS when it changes, for ever.

    That this task runs proves the event loop; ``alive`` tells of the rest. Until ``ready`` more time is asked for: to
    wait for an Asterisk that is not there is no failed start.
    """
    served, said, well = False, "", True
    while True:
        words: dict[str, str | int] = {}
        if (now := status()) != said:
            words["STATUS"] = said = now
        if not served and ready():
            served = True
            words["READY"] = 1
        if not served:
            words["EXTEND_TIMEOUT_USEC"] = int(3 * EXTEND_EVERY * 1e6)
        if notifier.watchdog:
            if alive():
                words["WATCHDOG"] = 1
                well = True
            elif well:
                well = False
                log.error("the heartbeat has stopped: the watchdog gets no more signs of life")
        if words:
            notifier.tell(**words)
        pace = notifier.watchdog / 4 if notifier.watchdog else STATUS_EVERY
        await asyncio.sleep(min(pace, STATUS_EVERY if served else 0.5))
