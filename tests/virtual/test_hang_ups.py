"""The caller goes at every instant of a call: one outcome, and nothing is left of it anywhere."""

from __future__ import annotations

import asyncio

import pytest

from calllog.events import Fault, HandedOver
from phone.port import LineEvent
from tests.virtual import fake_phone, scripts
from tests.virtual.conftest import Logged
from tests.virtual.fake_asterisk import APOLOGY
from tests.virtual.sweep import Opening, Script, sweep
from tests.virtual.world import Caller, World, answers

CALLS = pytest.mark.parametrize(
    ("opening", "script"),
    [(scripts.three_agents, scripts.served), (scripts.nobody, scripts.leaves_message)],
    ids=["served", "message"],
)


@CALLS
@pytest.mark.parametrize("wire", [0.0015, 0.0002], ids=["answer_first", "event_first"])
def test_hang_up_at_every_instant(
    opening: Opening, script: Script, wire: float, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``wire``: whether a verb or the line learns first that the leg is gone."""
    monkeypatch.setattr(fake_phone, "WIRE", wire)

    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        assert not any(isinstance(event, Fault) for event in world.events(caller))
        gone = world.asterisk.gone_at
        late = {leg: at - gone[caller.id] for leg, at in gone.items() if at > gone[caller.id] + 0.2}
        assert not late, f"a phone rang on after the caller had gone: {late}"

    assert sweep(opening, script, lambda world, caller: caller.hang_up(), check) > 50


@CALLS
def test_the_guard_takes_the_caller_at_every_instant(opening: Opening, script: Script, logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        away = [event for event in world.events(caller) if isinstance(event, HandedOver)]
        if world.state(caller).hung_up_by == "hotline":
            return  # it was over in that very instant
        assert len(away) == (caller.id in world.away) == (not caller.leg.ours)
        if not caller.leg.ours:
            heard = world.asterisk.gone_at[caller.id] - caller.leg.moved[-1][1]
            assert caller.left or heard > APOLOGY / 2, "hung up in the apology"

    assert sweep(opening, script, lambda world, caller: world.asterisk.take(caller.leg), check) > 50


@pytest.mark.parametrize("cause", [16, 38], ids=["hangs_up", "is_lost"])
def test_the_agents_phone_goes_at_every_instant(cause: int, logged: Logged) -> None:
    def gone(world: World, caller: Caller) -> None:
        world.answers = dict.fromkeys(world.settings.agents.agents, answers(3))
        for ring in world.rung:
            ring.hang_up(cause)

    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        assert world.state(caller).outcome == "answered"

    assert sweep(scripts.three_agents, scripts.served, gone, check) > 50


@CALLS
def test_asterisk_dies_at_every_instant(opening: Opening, script: Script, logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state = world.state(caller)
        assert state.outcome in ("failed", "answered", "voicemail")
        assert state.hung_up_by == "hotline" or world.loop.time() > 60  # the script's own end

    assert sweep(opening, script, lambda world, caller: world.asterisk.crash(), check) > 50


@CALLS
def test_asterisk_dies_at_every_instant_and_the_new_one_is_read_back_slowly(
    opening: Opening, script: Script, logged: Logged
) -> None:
    """It answers requests, and knows nobody: that is no hang-up of the caller's, however late the calls are told."""

    def dies(world: World, caller: Caller) -> None:
        told: list[LineEvent] = []
        back = asyncio.Event()

        async def connection() -> bool:
            broken = not back.is_set()
            await back.wait()
            return broken

        def read_back() -> None:
            world.asterisk.tell = world.phone._sent
            for event in told:
                world.phone._sent(event)
            back.set()

        world.phone.connection = connection  # type: ignore[method-assign]
        world.asterisk.tell = told.append
        world.asterisk.crash()
        world.loop.call_later(30, read_back)

    def check(world: World, caller: Caller) -> None:
        state = world.state(caller)
        assert state.outcome in ("failed", "answered", "voicemail")
        assert state.hung_up_by == "hotline" or world.loop.time() > 60  # the script's own end

    assert sweep(opening, script, dies, check, step=7) > 50
