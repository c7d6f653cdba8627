"""The codes that agents are dialling at this moment: one short task each, apart from the callers' calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from config.settings import Settings
from phone.port import Dialled, Phone
from routing import codes

log = structlog.get_logger()


class CodeCalls:
    """Begins what an agent's phone dials. A daemon that stops leaves them to the dialplan, which says so."""

    def __init__(self, phone: Phone, staff: codes.Staff, settings: Callable[[], Settings]) -> None:
        self._phone, self._staff, self._settings = phone, staff, settings
        self._running: dict[str, asyncio.Task[None]] = {}

    def has(self, leg: str) -> bool:
        """Whether this leg is being served."""
        return leg in self._running

    def begin(self, dialled: Dialled) -> None:
        """A phone has dialled."""
        if dialled.leg in self._running:
            return
        hotline = self._settings().hotline
        line = self._phone.line(dialled.leg, [dialled.leg])
        course = codes.answer(self._phone, line, dialled, self._staff, hotline.codes, hotline.language)
        task = asyncio.create_task(course, name=f"code {dialled.leg}")
        self._running[dialled.leg] = task

        def done(task: asyncio.Task[None]) -> None:
            self._running.pop(dialled.leg, None)
            line.close()
            if not task.cancelled() and task.exception() is not None:
                log.error("a code could not be served", account=dialled.account, exc_info=task.exception())

        task.add_done_callback(done)

    async def stop(self) -> None:
        """End every task and leave the legs to the dialplan."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
