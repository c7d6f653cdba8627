"""Passwords: what is accepted, how a one-time one is made, and argon2 in a process of its own.

Argon2id by RFC 9106's second recommendation (64 MiB, three passes), on one lane: some 100 ms of a core and much memory,
which the daemon's own process must not spend. The worker comes at the first sign-in, is a little polite (nice), and
goes after some quiet minutes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import secrets
import signal
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from config.catalogue import _
from recordings.orphans import end_with_parent

if TYPE_CHECKING:
    from argon2 import PasswordHasher

COST = (3, 64 * 1024, 1)
"""Passes, KiB, lanes."""

SHORTEST, LONGEST = 10, 200
"""Characters of a password. NIST SP 800-63B asks for length and no rules about kinds of characters."""

MOST_WAITING = 16
"""Passwords that wait for the worker; whoever comes then is asked to try again."""

QUIET = 300.0
"""Seconds without a sign-in after which the worker's process ends."""

TOO_LONG = 120.0
"""Seconds after which a worker that has not done one password is taken for stuck, however busy the machine is."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""For one-time passwords: nothing that is mistaken for something else when read from a terminal."""

_WORN = ("password", "qwerty", "hotline", "12345", "abcdef", "iloveyou", "letmein", "welcome", "admin", "woaini")


class TooBusy(Exception):
    """More people sign in than passwords can be checked: try again in a moment."""

    def __str__(self) -> str:
        """The same to whoever waits."""
        return _("Many people are at it just now. Try again in a moment.")


class TooSlow(TooBusy):
    """The machine did not get one password done in ``TOO_LONG``, however few people are there."""

    def __str__(self) -> str:
        """The same to whoever waits."""
        return _("The machine is slow just now: try again in a moment.")


def one_time() -> str:
    """A password to be read from a screen once: 16 characters in four groups, about 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def fault_of(password: str, name: str) -> str:
    """Why this password cannot be taken, in a line for the person; empty when it can."""
    plain = tidy(password)
    if len(plain) < SHORTEST:
        return _("A password has at least {n} characters.").format(n=SHORTEST)
    if len(plain) > LONGEST:
        return _("A password has at most {n} characters.").format(n=LONGEST)
    low = plain.casefold()
    if len(set(low)) < 5 or any(worn in low and len(low) < len(worn) + 6 for worn in _WORN):
        return _("This password is among the first that anybody would try: take several words instead.")
    if name and len(name) > 3 and name.casefold() in low:
        return _("A password must not have the user name in it.")
    return ""


def tidy(password: str) -> str:
    """The same password however the keyboard composes it (NFKC, RFC 8265 section 4)."""
    return unicodedata.normalize("NFKC", password)


def hashed(password: str, cost: tuple[int, int, int] = COST) -> str:
    """Argon2id's encoded hash. Costs what it should: in a worker, or in a command."""
    return _argon2(cost).hash(tidy(password)[: 4 * LONGEST])


def agrees(known: str, password: str) -> bool:
    """Whether the password is the one that was hashed. Costs the same for every password."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _argon2(COST).verify(known, tidy(password)[: 4 * LONGEST])
    except (VerificationError, InvalidHashError):
        return False


def _argon2(cost: tuple[int, int, int]) -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=cost[0], memory_cost=cost[1], parallelism=cost[2])


NICENESS = 2
"""Calls come first; but people wait for this, so it must not stand behind every other work of the machine."""


def _begin() -> None:
    """Prepare the worker: deaf to the terminal's Ctrl-C and systemd's SIGTERM, gone with its daemon."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()


class Worker:
    """The process that hashes. ``cost`` is smaller in tests."""

    def __init__(self, cost: tuple[int, int, int] = COST) -> None:
        self._cost = cost
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0
        self._leave: asyncio.TimerHandle | None = None
        self._nobody = ""
        self._turn = asyncio.Lock()

    async def hash(self, password: str) -> str:
        """See :func:`hashed`. Raises TooBusy."""
        return str(await self._do(hashed, password, self._cost))

    async def check(self, known: str | None, password: str) -> bool:
        """See :func:`agrees`; where nothing is known a wasted check takes as long. Raises TooBusy."""
        if known is None and not self._nobody:
            self._nobody = await self.hash(secrets.token_urlsafe(16))
        found = bool(await self._do(agrees, known or self._nobody, password))
        return found and known is not None

    async def _do(self, work: Callable[..., object], *arguments: object) -> object:
        if self._waiting >= MOST_WAITING:
            raise TooBusy
        self._waiting += 1
        try:
            async with self._turn:
                return await self._in_process(work, *arguments)
        finally:
            self._waiting -= 1

    async def _in_process(self, work: Callable[..., object], *arguments: object) -> object:
        loop = asyncio.get_running_loop()
        if self._leave is not None:
            self._leave.cancel()
        try:
            try:
                return await self._ask(work, *arguments)
            except BrokenProcessPool:  # somebody ended the process, or the machine was short of memory
                self._end()
                return await self._ask(work, *arguments)
        except (BrokenProcessPool, TimeoutError):
            self._end()
            raise TooSlow from None
        finally:
            self._leave = loop.call_later(QUIET, self._end)

    async def _ask(self, work: Callable[..., object], *arguments: object) -> object:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        async with asyncio.timeout(TOO_LONG):
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    def close(self) -> None:
        """End the process."""
        if self._leave is not None:
            self._leave.cancel()
        self._end()

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
