"""Free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 12_000, 32_000
"""Where ports are taken from: below Linux's ephemeral range (32768 and up), so that no outgoing connection takes one
before we do."""

BLOCK, SINGLES = 2_500, 400
"""Ports of one process; so many of them are given singly and the others in runs, so that those are not broken up."""

STAGGER = 100
"""At how many places runs may begin again: a single port that somebody has does not spoil the same ones for ever."""

TRIES = 20


class _Block:
    """The ports of one process, from ``first`` on."""

    def __init__(self, first: int) -> None:
        self.pid = os.getpid()
        self._singles = list(range(first, first + SINGLES))
        random.shuffle(self._singles)  # so the one behind a port that is used is hardly ever used, too
        self._first, self._end = first + SINGLES, first + BLOCK
        self._at = self._first
        self._last = range(0)

    def some(self, count: int) -> list[int]:
        """So many single ports, those that were not given for longest; none when there are not so many."""
        found: list[int] = []
        for port in self._singles:
            if len(found) < count and _free(port):
                found.append(port)
        self._singles = [port for port in self._singles if port not in found] + found
        return found if len(found) == count else []

    def run(self, count: int) -> list[int]:
        """A run behind the one that was given last, and clear of it; none when there is none."""
        for _ in range(TRIES):
            if self._at + count > self._end:
                self._at = self._first + 2 * random.randrange(STAGGER)
            first = self._at
            self._at += count
            ports = range(first, first + count)
            clear = first >= self._last.stop or ports.stop <= self._last.start
            if clear and ports.stop <= self._end and all(map(_free, ports)):
                self._last = ports
                return list(ports)
        return []


_block: _Block | None = None


def free_ports(count: int, *, run: bool = False) -> list[int]:
    """So many ports of 127.0.0.1 that are free for UDP and TCP at this moment.

    ``run``: one run of successive ports, as an RTP range is. Processes side by side are given different ports, though
    they bind them only later; and a process is given one again only after others of its own: what somebody may still
    send to a port that was given up goes to nobody. Raises OSError when there are none.
    """
    global _block
    for _ in range(TRIES):
        if _block is None or _block.pid != os.getpid():
            _block = _another()
        if ports := _block.run(count) if run else _block.some(count):
            return ports
        _block = None  # others have too much of it
    raise OSError(f"no {count} free ports between {FIRST} and {LAST}")


def _another() -> _Block:
    """A block that no other process has; one by chance where all are taken."""
    firsts = list(range(FIRST, LAST, BLOCK))
    random.shuffle(firsts)
    return _Block(next((first for first in firsts if _lock(first)), firsts[0]))


def _lock(first: int) -> bool:
    """Take the block that begins at this port for as long as this process lives; false when another has it."""
    with contextlib.suppress(OSError):
        path = Path(tempfile.gettempdir()) / f"hotline-ports-{first}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            os.close(handle)
    return False


def _free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
