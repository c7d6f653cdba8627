"""What several real tests say alike."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from hotline.asterisk import process
from hotline.asterisk.fault import AsteriskFault
from hotline.outside import Caller, Ring
from hotline.trial import Trial


async def either(hotline: Trial, *agents: str) -> Ring:
    """The ring at whichever of these agents' phones rings first."""
    waits = [asyncio.ensure_future(hotline.world.handsets[agent].rings()) for agent in agents]
    done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return done.pop().result()


async def connected(hotline: Trial, number: str, talks: int = 1) -> None:
    """Return when the newest call from this number is in its so many-th talk, and that is being recorded (or is not to
    be): who picks up is heard a moment later."""
    async with asyncio.timeout(90):
        while True:
            call = await hotline.detail(number)
            begun = [talk for talk in call.state.talks if talk.started_at] if call is not None else []
            if len(begun) >= talks and any(part.started_at or part.failed for part in begun[talks - 1].parts):
                return
            await asyncio.sleep(0.05)


async def recorded(hotline: Trial, number: str, seconds: float, talks: int = 1) -> None:
    """Return when the so many-th talk of this caller has been recorded for so many seconds."""
    await connected(hotline, number, talks)
    await asyncio.sleep(seconds)


async def leaves_message(hotline: Trial, number: str, seconds: float, folder: Path | None = None) -> None:
    """Return when so many seconds of this caller's message are recorded: it begins a moment after the beep.

    ``folder``: where an Asterisk of somebody's own keeps what it records.
    """
    folder = folder or hotline.state / "recordings" / "spool"
    async with asyncio.timeout(90):
        while True:
            call = await hotline.detail(number)
            file = call.state.voicemail_file if call is not None and call.state.voicemail_open else ""
            if file and next(folder.rglob(file), None) is not None:
                break
            await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)


async def hung_up(hotline: Trial, *, caller: str = "", agent: str = "") -> None:
    """Return when the hotline's Asterisk has no leg of this caller (their number), or of this agent's phone, any more:
    a BYE is on its way for a moment."""
    async with asyncio.timeout(90):
        while True:
            with contextlib.suppress(AsteriskFault):
                said = await asyncio.to_thread(process.ask, hotline.install, hotline.home, "core show channels concise")
                rows = [line.split("!") for line in said.splitlines() if "!" in line]
                legs = {(row[0].rpartition("-")[0], row[7]) for row in rows}
                if ("PJSIP/carrier", caller) not in legs and f"PJSIP/{agent}" not in {name for name, _number in legs}:
                    return
            await asyncio.sleep(0.05)


async def asks(hotline: Trial, key: str = "1", number: str = "") -> tuple[Caller, str]:
    """A caller who has pressed a key in the menu, and their number; rings of before are forgotten."""
    for handset in hotline.world.handsets.values():
        handset.forget()
    number = number or hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.answered()
    await asyncio.sleep(0.3)
    await caller.press(key)  # typed ahead: greeting and notice are played all the same
    return caller, number
