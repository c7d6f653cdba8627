"""One recorder for all talks of a call (``recording.unbroken``): paused between them, replaced when it fails, ended."""

from __future__ import annotations

import asyncio

import pytest

from calllog import events as ev
from routing.recorder import running_on, runs_on
from tests.virtual import scripts
from tests.virtual.sweep import sweep
from tests.virtual.world import Caller, World, answers, opened


async def to_the_second_agent(world: World) -> Caller:
    """One agent has talked and hung up; the caller waits for the second, whose phone rings."""
    caller = await world.asks()
    (await world.rings("8001")).answer()
    await caller.talks()
    await asyncio.sleep(5)
    world.rung[-1].hang_up()
    await caller.heard("farewell")
    caller.press("0")
    await world.rings("8002")
    return caller


async def test_the_second_talk_is_in_the_file_of_the_first_and_the_waiting_is_not() -> None:
    world = await opened("8001", "8002", unbroken=True)
    caller = await to_the_second_agent(world)
    (file,) = world.asterisk.recorded
    assert world.asterisk.muted == {file} and caller.leg.monitors == [file]
    world.rung[-1].answer()
    await caller.talks()
    await world.until(lambda: not world.asterisk.muted, "the second talk is recorded")
    await asyncio.sleep(5)
    caller.hang_up()
    state = await world.over(caller)
    first, second = state.parts
    assert world.asterisk.recorded == [file] == [first.file] == [second.file]
    assert (first.part, second.part) == (1, 2) and first.monitor == second.monitor
    assert first.started_at < first.stopped_at < second.started_at < second.stopped_at
    assert first.runs_on and not second.runs_on and running_on(state) is None
    await world.nothing_left()


async def test_a_caller_who_gives_up_waiting_ends_the_recorder() -> None:
    world = await opened("8001", "8002", unbroken=True)
    caller = await to_the_second_agent(world)
    caller.hang_up()
    state = await world.over(caller)
    (part,) = state.parts
    assert part.runs_on and world.asterisk.muted == {part.file}
    await world.nothing_left()


async def test_a_caller_who_goes_after_the_farewell_leaves_no_recorder() -> None:
    world = await opened("8001", unbroken=True)
    caller = await world.asks()
    (await world.rings("8001")).answer()
    await caller.talks()
    await asyncio.sleep(5)
    world.rung[-1].hang_up()
    await caller.gone()
    await world.over(caller)
    assert caller.leg.monitors == []
    await world.nothing_left()


@pytest.mark.parametrize("verb", ["pause_recording", "resume_recording"])
async def test_a_recorder_that_cannot_be_paused_or_resumed_is_followed_by_another(verb: str) -> None:
    world = await opened("8001", "8002", unbroken=True)
    world.phone.fault = lambda request: "refused" if request.verb == verb else ""
    caller = await to_the_second_agent(world)
    world.rung[-1].answer()
    await caller.talks()
    await asyncio.sleep(5)
    caller.hang_up()
    state = await world.over(caller)
    files = [part.file for part in state.parts]
    assert world.asterisk.recorded == files and len(set(files)) == 2
    assert all(part.started_at and part.stopped_at and not part.failed for part in state.parts)
    await world.nothing_left()


async def test_a_build_that_would_lose_the_second_agent_gets_a_part_for_each_talk() -> None:
    world = await opened("8001", "8002", unbroken=True)
    world.phone.one_recorder = False
    caller = await to_the_second_agent(world)
    assert caller.leg.monitors == []
    world.rung[-1].answer()
    await caller.talks()
    await asyncio.sleep(5)
    caller.hang_up()
    state = await world.over(caller)
    assert len({part.file for part in state.parts}) == 2 and not any(part.runs_on for part in state.parts)
    await world.nothing_left()


async def test_a_daemon_that_died_while_the_caller_waited_goes_on_with_the_same_recorder() -> None:
    world = await opened("8001", "8002", unbroken=True)
    caller = await to_the_second_agent(world)
    world.answers["8002"] = answers(1)
    await world.restart()
    await caller.talks()
    await asyncio.sleep(5)
    caller.hang_up()
    state = await world.over(caller)
    assert len(world.asterisk.recorded) == 1 and len({part.file for part in state.parts}) == 1
    assert world.asterisk.muted == set()
    await world.nothing_left()


def test_a_recorder_runs_on_only_for_a_caller_who_is_still_there() -> None:
    assert [runs_on(True, by) for by in ("agent", "caller", "hotline")] == [True, False, False]
    assert not any(runs_on(False, by) for by in ("agent", "caller", "hotline"))


def test_events_of_before_are_read_as_they_were_meant() -> None:
    assert ev.RecordingStopped(talk_id="t", part=1).runs_on is False


async def three_agents_and_one_recorder() -> World:
    return await opened("8001", "8002", "8003", wrap_up=1.0, unbroken=True)


def killed(world: World, caller: Caller) -> None:
    world.restarting = world.loop.create_task(world.restart())
    world.answers = dict.fromkeys(world.settings.agents.agents, answers(12))


def test_a_daemon_killed_at_any_instant_leaves_no_talk_unrecorded_and_no_recorder_behind() -> None:
    def check(world: World, caller: Caller) -> None:
        state = world.state(caller)
        assert state.outcome == "answered"
        for talk in state.talks:
            if talk.started_at and talk.ended_at - talk.started_at > 3_000_000:
                assert any(part.started_at for part in talk.parts), talk
        assert {part.file for part in state.parts if part.started_at} <= set(world.asterisk.recorded)
        assert not world.asterisk.muted & {part.file for part in state.parts[-1:] if not part.runs_on}

    assert sweep(three_agents_and_one_recorder, scripts.served, killed, check, step=2) > 100
