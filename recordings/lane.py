"""One worker process for work on audio, made when it is first needed and again after it died or was killed."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Generic, TypeVar

import structlog

from recordings import worker

log = structlog.get_logger(__name__)

START_TIMEOUT = 60.0
"""Seconds for a worker process to come up; 0.2 on an idle machine."""
TRIES = 3
"""A job is tried once, and again at most twice when its worker died: a job must be safe to repeat."""

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerLost(Exception):
    """The job was not done. ``why`` is of ``recordings.notes``'s words: ``timeout=900``, ``worker_died``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Lane(Generic[Job, Result]):
    """Does one job after the other. ``run`` is what the worker does with a job (importable by name), ``timeout`` in
    seconds per job; ``idle``: seconds without a job after which the process ends (None: never)."""

    def __init__(self, run: Callable[[Job], Result], timeout: float, *, idle: float | None = None) -> None:
        self._run, self._timeout, self._idle = run, timeout, idle
        self._pool: ProcessPoolExecutor | None = None
        self._process = -1
        self._turn = asyncio.Lock()
        self._ends: asyncio.TimerHandle | None = None

    async def do(self, job: Job, about: str = "") -> Result:
        """Do the job, with a new worker when the old one died in it. Raises WorkerLost, and what ``run`` raises.

        ``about`` says in the log what the job was.
        """
        async with self._turn:
            if self._ends:
                self._ends.cancel()
            try:
                return await self._tried(job, about)
            finally:
                if self._idle is not None and self._pool is not None:
                    self._ends = asyncio.get_running_loop().call_later(self._idle, self._end_idle)

    def _end_idle(self) -> None:
        if not self._turn.locked():
            self.kill()

    async def _tried(self, job: Job, about: str) -> Result:
        for again in range(TRIES):
            try:
                pool = await self._ready()
                async with asyncio.timeout(self._timeout):
                    return await asyncio.wrap_future(pool.submit(self._run, job))
            except TimeoutError:
                self.kill()
                raise WorkerLost(f"timeout={self._timeout:.0f}") from None
            except BrokenProcessPool:
                self.kill()
                log.warning("a worker of the recordings died", about=about, tries=again + 1)
        raise WorkerLost("worker_died")

    async def _ready(self) -> ProcessPoolExecutor:
        if self._pool is not None:
            return self._pool
        pool = ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn"), initializer=worker.begin
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                pid = await asyncio.wrap_future(pool.submit(worker.pid))
            # A handle, not a number: by the time of a kill the number may be another process's.
            self._process = os.pidfd_open(pid)
        except (TimeoutError, OSError) as error:
            raise BrokenProcessPool(f"the worker does not start: {error}") from error
        finally:
            if self._process < 0:
                pool.shutdown(wait=False, cancel_futures=True)
        self._pool = pool
        return pool

    def kill(self) -> None:
        """End the worker at once; whatever it was doing is safe to repeat."""
        pool, process = self._pool, self._process
        self._pool, self._process = None, -1
        if pool is None:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
        os.close(process)
        pool.shutdown(wait=False, cancel_futures=True)
