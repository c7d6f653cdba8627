"""kill -9 at every instant, and a new daemon half a second later: each call goes on from its stage, in its old place.

What was not yet synced to disk is lost with the kill, what was sent to Asterisk is carried out all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from calllog.events import RingStarted, VoicemailKept, VoicemailStarted
from tests.virtual import scripts
from tests.virtual.conftest import Logged
from tests.virtual.sweep import Script, sweep
from tests.virtual.virtual_time import run
from tests.virtual.world import Caller, World, answers, opened

Meanwhile = Callable[[World, Caller], object]


def killed(meanwhile: Meanwhile = lambda world, caller: None) -> Callable[[World, Caller], None]:
    """The blow: killed, and while nobody looks something happens."""

    def blow(world: World, caller: Caller) -> None:
        world.restarting = world.loop.create_task(world.restart())
        world.loop.call_later(0.2, meanwhile, world, caller)
        world.answers = dict.fromkeys(world.settings.agents.agents, answers(12))

    return blow


def test_a_served_call_goes_on(logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        assert world.state(caller).outcome == "answered"
        assert world.state(caller).adopted in (0, 1)

    assert sweep(scripts.three_agents, scripts.served, killed(), check) > 200


@pytest.mark.parametrize("script", [scripts.leaves_message, scripts.leaves_one_message])
def test_a_message_is_taken_once(script: Script, logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state, events = world.state(caller), world.events(caller)
        assert (state.outcome, state.reason) == ("voicemail", "uncovered")
        assert world.asterisk.messages[state.voicemail_file] == pytest.approx(state.voicemail_seconds, abs=0.001)
        assert state.voicemail_seconds >= 2
        kept = [isinstance(event, VoicemailKept) for event in events].index(True)
        assert not any(isinstance(event, VoicemailStarted) for event in events[kept:])

    assert sweep(scripts.nobody, script, killed(), check) > 40


def hangs_up(world: World, caller: Caller) -> None:
    caller.hang_up()


def agents_hang_up(world: World, caller: Caller) -> None:
    for ring in world.rung:
        ring.hang_up()


def taken(world: World, caller: Caller) -> None:
    world.asterisk.take(caller.leg)


def crashes(world: World, caller: Caller) -> None:
    world.asterisk.crash()
    world.asterisk.started = world.clock.now()


@pytest.mark.parametrize("meanwhile", [hangs_up, agents_hang_up, taken, crashes])
def test_what_happened_while_nobody_looked_is_found(meanwhile: Meanwhile, logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state = world.state(caller)
        if meanwhile is crashes and state.arrived_at and not state.served:
            assert state.outcome in ("failed", "")
        if meanwhile is hangs_up and caller.id not in world.away:
            assert state.hung_up_by == "caller" or not state.arrived_at

    assert sweep(scripts.three_agents, scripts.served, killed(meanwhile), check) > 200


async def a_queue(turn: int) -> tuple[World, int]:
    """One agent; while they talk three callers ask, of different urgency; the daemon is killed at this turn."""
    world = await opened("8001", wrap_up=1.0)
    world.answers["8001"] = answers(2, talks=30)
    first = await world.asks("1")
    await first.talks()
    began = world.loop.turns
    if turn:
        def kill() -> None:
            world.restarting = world.loop.create_task(world.restart())

        world.loop.at_turn[began + turn] = kill
    for key in ("1", "2", "0", "1"):
        caller = world.call()
        await asyncio.sleep(0.7)
        caller.press(key)
        await asyncio.sleep(0.8)
    await asyncio.sleep(12)
    turns = world.loop.turns - began
    for caller in world.callers:
        await caller.gone()
    await world.nothing_left()
    return world, turns


def passed_over(world: World) -> list[str]:
    """Who was rung for although somebody with a better place had waited for a second and more."""
    found = []
    rung = [(each.at, each.stream_id) for each in world.shelf.events if isinstance(each.event, RingStarted)]
    for at, call_id in rung:
        mine = world.shelf.calls[call_id]
        for other in world.shelf.calls.values():
            first = min((ring for ring, name in rung if name == other.call_id), default=10**18)
            waits = other.asked_at and other.asked_at + 1_500_000 < at < first
            if waits and (other.priority, other.asked_at) < (mine.priority, mine.asked_at):
                found.append(f"{call_id} before {other.call_id}")
    return found


def test_the_order_of_the_queue_outlives_a_kill(logged: Logged) -> None:
    world, turns = run(a_queue(0))
    assert [state.queue for state in world.shelf.calls.values()] == [
        "inquiry", "inquiry", "complaint", "person", "inquiry"
    ]  # fmt: skip
    assert passed_over(world) == [] and turns > 100
    for turn in range(1, turns + 1):
        try:
            world, _turns = run(a_queue(turn))
            assert passed_over(world) == []
            assert {state.outcome for state in world.shelf.calls.values()} == {"answered"}
            assert not logged, logged
        except BaseException as error:
            error.add_note(f"killed in turn {turn} of {turns}")
            raise
