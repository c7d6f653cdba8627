"""What could not be taken away is tried again until it is gone, once at a time, and at once after a reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from phone import leftovers
from phone.leftovers import Leftovers
from phone.port import PhoneFault


class Exchange:
    """Takes things away once it is there."""

    def __init__(self) -> None:
        self.there = False
        self.tries: list[str] = []

    async def take(self, name: str) -> None:
        self.tries.append(name)
        if not self.there:
            raise PhoneFault("not connected")


async def until(true: Callable[[], bool], limit: float = 10.0) -> None:
    async with asyncio.timeout(limit):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_is_tried_until_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "AGAIN", 0.01)
    left, exchange = Leftovers(), Exchange()
    for name in ("leg", "leg", "bridge"):
        left.remember(name, lambda name=name: exchange.take(name))
    await until(lambda: len(exchange.tries) == 3)
    assert len(left) == 2 and set(exchange.tries) == {"leg"}  # the first that fails: the others would, too
    exchange.there = True
    await until(lambda: not len(left))
    assert exchange.tries[-2:] == ["leg", "bridge"]
    left.remember("later", lambda: exchange.take("later"))
    left.close()


async def test_a_reconnect_brings_a_try_at_once() -> None:
    left, exchange = Leftovers(), Exchange()
    exchange.there = True
    left.remember("leg", lambda: exchange.take("leg"))
    await asyncio.sleep(0)
    left.hurry()
    await until(lambda: not len(left), leftovers.AGAIN - 0.5)


async def test_one_that_stays_for_ever_is_left_to_the_next_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "AGAIN", 0.01)
    monkeypatch.setattr(leftovers, "LONGEST", 0.05)
    left, exchange = Leftovers(), Exchange()
    left.remember("leg", lambda: exchange.take("leg"))
    await until(lambda: not len(left))
