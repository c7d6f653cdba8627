"""What several real tests say alike."""

from __future__ import annotations

import asyncio

from hotline.outside import Caller, Ring
from hotline.trial import Trial


async def either(hotline: Trial, *agents: str) -> Ring:
    """The ring at whichever of these agents' phones rings first."""
    waits = [asyncio.ensure_future(hotline.world.handsets[agent].rings(30)) for agent in agents]
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return done.pop().result()


async def connected(hotline: Trial, number: str, talks: int = 1) -> None:
    """Return when the newest call from this number is in its so many-th talk, and that is being recorded (or is not to
    be): who picks up is heard a moment later."""
    async with asyncio.timeout(60):
        while True:
            call = await hotline.detail(number)
            begun = [talk for talk in call.state.talks if talk.started_at] if call is not None else []
            if len(begun) >= talks and any(part.started_at or part.failed for part in begun[talks - 1].parts):
                return
            await asyncio.sleep(0.05)


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
