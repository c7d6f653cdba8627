"""Calls that go through much: what the sweeps disturb."""

from __future__ import annotations

from asyncio import sleep

from config.settings import Device, Survey
from tests.virtual.world import Caller, World, opened


async def three_agents() -> World:
    """Three agents on duty; short wrap-up, long patience; callers are asked how it was."""
    return await opened("8001", "8002", "8003", wrap_up=1.0, survey=Survey(enabled=True))


async def served(world: World, caller: Caller) -> None:
    """Greeted, chosen after a wrong key, rung in vain, put through; the agent hangs up; rated after a wrong key; asked
    again by 0; the second agent's phone is lost; served by a third; the caller hangs up."""
    await caller.heard("menu_main")
    caller.press("8")
    await caller.heard("menu_wrong_key")
    caller.press("1")
    ring = await world.rings("8001")
    await caller.heard("connecting")
    await sleep(1)
    ring.reject(17)
    ring = await world.rings("8002")
    await sleep(3)
    ring.answer()
    await caller.talks()
    await sleep(10)
    ring.hang_up()
    await caller.heard("survey_invite")
    caller.press("9")
    await caller.heard("survey_ratings")
    caller.press("4")
    await caller.heard("farewell")
    caller.press("0")
    await caller.waits()
    ring = world.rung[-1] if len(world.rung) > 2 else await world.rings("8003")
    await sleep(3)
    ring.answer()
    await caller.talks()
    await sleep(10)
    ring.hang_up(cause=38)
    await caller.heard("agent_lost")
    await caller.waits()
    await world.until(lambda: not world.rung[-1].over, "a third ring")
    await sleep(3)
    world.rung[-1].answer()
    await caller.talks()
    await sleep(10)
    caller.hang_up()


async def nobody() -> World:
    """Nobody on duty."""
    return await opened("8001", on_duty=())


async def leaves_one_message(world: World, caller: Caller) -> None:
    """Nobody is on duty: a message that is kept at once, ended by ``#``."""
    caller.press("2")
    await caller.heard("beep")
    await sleep(5)
    caller.press("#")
    await caller.heard("voicemail_thanks")
    await caller.gone()


async def leaves_message(world: World, caller: Caller) -> None:
    """Nobody is on duty: a message too short, then one that is kept."""
    caller.leg.speaks = 0.5
    caller.press("2")
    await caller.heard("nobody_on_duty")
    await caller.heard("voicemail_too_short")
    caller.leg.speaks = 9.0
    await caller.heard("voicemail_thanks")
    await caller.gone()


MOBILES = {
    number: (Device(sip=f"p{number}"), Device(number=f"1380013{number}")) for number in ("8001", "8002", "8003")
}


async def with_mobiles() -> World:
    """Three agents, each with a phone and a mobile: of the first they ring in order, of the others together."""
    return await opened(
        "8001", "8002", "8003", wrap_up=1.0, devices=MOBILES, ring={"8002": "at_once", "8003": "at_once"}
    )


async def accepted_by_mobile(world: World, caller: Caller) -> None:
    """The first agent's phone is busy and their mobile's voicemail picks up and hangs up; at the second agent phone and
    mobile ring, and 1 is pressed on the mobile; the agent hangs up, and so does the caller."""
    await caller.heard("greeting")
    caller.press("1")
    ring = await world.rings("8001")
    await sleep(2)
    ring.reject(17)
    voicemail = await world.device_rings("0138001")
    await sleep(4)
    voicemail.answer()
    await sleep(6)
    voicemail.hang_up()
    mobile = await world.device_rings("0138002")
    await world.rings("8002")
    await sleep(3)
    mobile.answer()
    await sleep(2)
    mobile.press("7", "1")
    await caller.talks()
    await sleep(5)
    mobile.hang_up()
    await caller.heard("farewell")
    await sleep(1)
    caller.hang_up()
