"""What the commands of the archive do beside a running daemon, or by themselves while none runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from calllog.clock import Clock
from calllog.journal import Journal
from hotline.cli_options import STORE
from hotline.control import NotRunning, ask
from hotline.ledger import pieces
from hotline.upkeep import Measurer, note_checked
from recordings.findings import Checked
from recordings.folders import Folders
from recordings.jobs import how_of

if TYPE_CHECKING:
    from calllog.verify import Progress
    from config.settings import Settings

POLL = 0.5
"""Seconds between two questions to the daemon how far it is."""


def live_calls(state: Path) -> frozenset[str]:
    """The calls that go on in a running daemon; none where none runs, or it cannot tell yet."""
    try:
        return frozenset(map(str, ask(state, "running")["calls"]))
    except NotRunning:
        return frozenset()


def tell_checked(state: Path, checked: Sequence[Checked]) -> None:
    """Journal what a check has changed. Raises StoreError, Refused."""
    if not checked:
        return
    try:
        for piece in pieces(asdict(one) for one in checked):
            ask(state, "checked", checked=piece)
    except NotRunning:
        asyncio.run(_note(state, checked))


def tell_sealed(state: Path, left: int) -> None:
    """Tell a running daemon how many recordings are not sealed yet. Raises Refused."""
    with contextlib.suppress(NotRunning):
        ask(state, "sealed", left=left)


def measure_all(settings: Settings, state: Path, progress: Progress) -> tuple[int, int]:
    """Measure whatever is not measured; returns how many were, and could not be. Raises StoreError, Refused."""
    try:
        course = ask(state, "measure", begin=True)
    except NotRunning:
        return asyncio.run(_measure(settings, state, progress))
    before, failed = course["done"], course["failed"]
    while course["hurry"]:
        time.sleep(POLL)
        course = ask(state, "measure")
        done = course["done"] - before
        progress(done, done + course["left"])
    return course["done"] - before, course["failed"] - failed


async def _open(state: Path) -> Journal:
    return await Journal.open(state / STORE, clock=Clock(), spool=state / "spool.jsonl")


async def _note(state: Path, checked: Sequence[Checked]) -> None:
    journal = await _open(state)
    try:
        note_checked(journal, tuple(checked))
        await journal.flush()
    finally:
        await journal.close()


async def _measure(settings: Settings, state: Path, progress: Progress) -> tuple[int, int]:
    journal = await _open(state)
    measurer = Measurer(
        journal, state / STORE, Folders(state), lambda: how_of(settings.hotline.recording, state)
    )
    course = measurer.course

    def told() -> float:
        progress(course.done, course.done + course.left)
        return 0.0

    try:
        await measurer.all(told)
        await journal.flush()
    finally:
        await measurer.close()
        await journal.close()
    return course.done, course.failed
