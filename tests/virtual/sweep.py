"""The same call again and again, each time with something happening at another instant of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.virtual.virtual_time import run
from tests.virtual.world import Caller, World

Script = Callable[[World, Caller], Awaitable[None]]
"""What the people do; it may be left at any point."""

Opening = Callable[[], Awaitable[World]]
Blow = Callable[[World, Caller], object]
"""What happens at one instant."""

LONGEST = 20_000.0
"""Virtual seconds of a play: a script that was disturbed may wait in vain at several places."""


async def play(
    opening: Opening, script: Script, turn: int = 0, blow: Blow | None = None, *, mended: bool = False
) -> tuple[World, Caller, int]:
    """Play the script with one caller and let ``blow`` happen at that turn; returns when nothing is left.

    ``mended``: by a restart, which must put right what a call could not.
    """
    world = await opening()
    caller = world.call()
    began = world.loop.turns
    if blow is not None:
        world.loop.at_turn[began + turn] = lambda: blow(world, caller)
    people = asyncio.ensure_future(script(world, caller))
    await world.until(lambda: people.done() or caller.id in world.asterisk.gone, "the script's end", LONGEST)
    turns = world.loop.turns - began
    if people.done() and blow is None:
        people.result()
    people.cancel()
    await asyncio.gather(people, return_exceptions=True)
    if world.restarting is not None:
        await world.restarting
    world.answers.clear()
    await asyncio.sleep(1)
    caller.hang_up()
    if mended:
        await asyncio.sleep(60)
        await world.restart()
    await world.nothing_left()
    return world, caller, turns


def sweep(opening: Opening, script: Script, blow: Blow, check: Callable[[World, Caller], object], step: int = 1) -> int:
    """One play for each turn of the undisturbed one; returns how many."""
    _world, _caller, turns = run(play(opening, script))
    for turn in range(1, turns + 1, step):
        try:
            world, caller, _turns = run(play(opening, script, turn, blow))
            check(world, caller)
        except BaseException as error:
            error.add_note(f"in turn {turn} of {turns}")
            raise
    return turns
