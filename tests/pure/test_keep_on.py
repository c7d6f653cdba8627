"""Work at the daemon's side that fails begins anew, and ends when it is told to."""

from __future__ import annotations

import asyncio

import pytest

from hotline import keep_on


async def test_a_fault_of_ours_is_no_end_and_a_cancellation_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_on, "AGAIN", 0.001)
    begun, serves = 0, asyncio.Event()

    async def course() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise LookupError("no such agent")
        serves.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(keep_on.keep_on("the test", course))
        await serves.wait()
        assert not task.done()
        task.cancel()
    assert begun == 3 and task.cancelled()
