"""SIGTERM at every instant: talks stay up; whoever waits is never forgotten, whether a daemon follows or not."""

from __future__ import annotations

import asyncio

import pytest

from tests.virtual import scripts
from tests.virtual.conftest import Logged
from tests.virtual.fake_asterisk import APOLOGY
from tests.virtual.sweep import Opening, Script, sweep
from tests.virtual.world import Caller, World, answers

GRACE = 30.0

CALLS = pytest.mark.parametrize(
    ("opening", "script"),
    [(scripts.three_agents, scripts.served), (scripts.nobody, scripts.leaves_message)],
    ids=["served", "message"],
)


async def stopped(world: World, caller: Caller, away: float) -> None:
    """Told to stop; another daemon comes after so many seconds."""
    world.desk.close()
    await world.calls.stop(GRACE)
    world.journal.sync()
    talked = caller.leg.held.endswith("-bridge")
    if caller.leg.leg in world.asterisk.legs and caller.leg.up and not talked:
        assert "guard" in caller.leg.timers or not caller.leg.ours, "waits without a guard"
    talk, guard = world.state(caller).talk, caller.leg.timers.get("guard")
    if talked and talk is not None and talk.live and guard is not None:
        assert guard.when() > world.loop.time() + 2 * GRACE, "a talk would be cut off by the dialplan"
    await world.restart(away)


@CALLS
@pytest.mark.parametrize("away", [2.0, GRACE + APOLOGY + 20], ids=["followed", "alone"])
def test_stopped_at_every_instant(opening: Opening, script: Script, away: float, logged: Logged) -> None:
    def stop(world: World, caller: Caller) -> None:
        world.restarting = asyncio.ensure_future(stopped(world, caller, away))
        world.answers = dict.fromkeys(world.settings.agents.agents, answers(12))

    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        if away < GRACE:
            assert world.state(caller).outcome in ("answered", "voicemail")

    assert sweep(opening, script, stop, check) > 50
