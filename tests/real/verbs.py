"""What several real tests say alike."""

from __future__ import annotations

import asyncio

from hotline.outside import Caller, Ring
from hotline.trial import Trial


async def either(hotline: Trial, *agents: str) -> Ring:
    """The ring at whichever of these agents' phones rings first."""
    waits = [asyncio.ensure_future(hotline.world.handsets[agent].rings(10)) for agent in agents]
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return done.pop().result()


async def asks(hotline: Trial, key: str = "1") -> tuple[Caller, str]:
    """A caller who has pressed a key in the menu, and their number; rings of before are forgotten."""
    for handset in hotline.world.handsets.values():
        handset.forget()
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.answered()
    await asyncio.sleep(0.3)
    await caller.press(key)  # typed ahead: greeting and notice are played all the same
    return caller, number
