"""Several devices and mobiles: nobody is connected who did not accept, one wins, the others stop, nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from calllog import events as ev
from config.settings import Device
from phone.port import PhoneFault
from tests.virtual import fake_phone, scripts
from tests.virtual.conftest import Logged
from tests.virtual.fake_phone import Failure, Request
from tests.virtual.sweep import sweep
from tests.virtual.virtual_time import run
from tests.virtual.world import Caller, World, answers, opened

MOBILE = Device(number="13800138001")


def ring_events(world: World, caller: Caller) -> list[str]:
    """What was journalled of the rings, in short."""
    said = []
    for event in world.events(caller):
        match event:
            case ev.RingStarted(device=device) | ev.DeviceRung(device=device):
                said.append(f"rings {device}")
            case ev.ConfirmAsked():
                said.append("asked")
            case ev.DeviceEnded(result=result):
                said.append(result)
            case ev.RingEnded(agent=agent, result=ring_result):
                said.append(f"{agent} {ring_result}")
            case _:
                pass
    return said


def test_a_voicemail_never_answers_a_customer(logged: Logged) -> None:
    async def play() -> None:
        world = await opened("8001", "8002", devices={"8001": (MOBILE,)})
        caller = await world.asks()
        voicemail = await world.device_rings("0138001")
        await asyncio.sleep(5)
        voicemail.answer()
        ring = await world.rings("8002")
        heard = {sound for sound, _at, _whole in voicemail.leg.heard}
        assert heard == {"agent_confirm"} and len(voicemail.leg.heard) >= 3, "the question, again and again"
        assert voicemail.over and not voicemail.leg.moved, "in no bridge and no room"
        assert caller.leg.held == "room"
        ring.answer()
        await caller.talks()
        await asyncio.sleep(0.1)
        assert ring_events(world, caller) == [
            "rings *8001", "asked", "unconfirmed", "8001 missed", "rings p8002", "8002 answered"
        ]  # fmt: skip
        caller.hang_up()
        await world.nothing_left()

    run(play())
    assert not logged, logged


def test_in_order_the_mobile_follows_the_phone_and_is_one_ring_of_the_agent(logged: Logged) -> None:
    async def play() -> None:
        world = await opened("8001", "8002", devices={"8001": (Device(sip="p8001", ring_time=7), MOBILE)})
        caller = await world.asks()
        began = world.loop.time()
        phone = await world.rings("8001")
        mobile = await world.device_rings("0138001")
        assert phone.over and world.loop.time() - began == pytest.approx(7, abs=0.1)
        await asyncio.sleep(3)
        mobile.answer()
        await asyncio.sleep(3)
        mobile.press("9")
        await asyncio.sleep(1)
        assert caller.leg.held == "room" and world.mode("8001") == "ringing"
        mobile.press("1")
        await caller.talks()
        await asyncio.sleep(0.1)
        state = world.state(caller)
        assert [(talk.agent, talk.device, talk.ring_result) for talk in state.talks] == [("8001", "*8001", "answered")]
        assert world.shelf.calls[caller.id].talks[0].leg == mobile.leg.leg
        assert world.mode("8001") == "talking"
        mobile.hang_up()
        await caller.heard("farewell")
        await caller.gone()
        assert (await world.over(caller)).outcome == "answered"
        await world.nothing_left()

    run(play())
    assert not logged, logged


@pytest.mark.parametrize("winner", ["phone", "mobile"])
def test_at_once_the_first_that_accepts_wins_and_the_other_stops(winner: str, logged: Logged) -> None:
    async def play() -> None:
        devices = {"8001": (Device(sip="p8001"), MOBILE)}
        world = await opened("8001", devices=devices, ring={"8001": "at_once"})
        caller = await world.asks()
        phone, mobile = await world.rings("8001"), await world.device_rings("0138001")
        await asyncio.sleep(1)
        mobile.answer()
        await asyncio.sleep(1)
        assert not phone.over, "a mobile that was picked up has not accepted"
        if winner == "phone":
            phone.answer()
        else:
            mobile.press("1")
        before = world.loop.time()
        await caller.talks()
        await asyncio.sleep(0.1)
        won, lost = (phone, mobile) if winner == "phone" else (mobile, phone)
        assert lost.over and world.asterisk.gone_at[lost.leg.leg] - before < 0.1
        assert not won.over and won.leg.held == caller.leg.held
        assert ring_events(world, caller)[-2:] == ["elsewhere", "8001 answered"]
        caller.hang_up()
        await world.nothing_left()

    run(play())
    assert not logged, logged


def test_a_phone_may_have_to_be_confirmed_too(logged: Logged) -> None:
    async def play() -> None:
        world = await opened("8001", devices={"8001": (Device(sip="p8001", confirm=True),)})
        caller = await world.asks()
        ring = await world.rings("8001")
        ring.answer()
        await asyncio.sleep(1)
        assert caller.leg.held == "room"
        ring.press("1")
        before = world.loop.time()
        await caller.talks()
        assert world.loop.time() - before < 0.1, "the question is cut short"
        await asyncio.sleep(0.1)
        caller.hang_up()
        await world.nothing_left()

    run(play())
    assert not logged, logged


def test_the_next_trunk_rings_when_the_first_is_broken(logged: Logged) -> None:
    async def play() -> None:
        trunks = (await opened("8001")).settings.hotline.trunks
        second = trunks[0].model_copy(update={"name": "second"})
        world = await opened("8001", devices={"8001": (MOBILE,)}, trunks=(*trunks, second))
        caller = await world.asks()
        first = await world.device_rings("@carrier")
        await asyncio.sleep(0.2)
        first.reject(34)
        again = await world.device_rings("@second")
        again.answer()
        await asyncio.sleep(1)
        again.press("1")
        await caller.talks()
        await asyncio.sleep(0.1)
        rung = [event for event in world.events(caller) if isinstance(event, ev.RingStarted | ev.DeviceRung)]
        assert [event.trunk for event in rung] == ["carrier", "second"]
        caller.hang_up()
        await world.nothing_left()

    run(play())
    assert not logged, logged


def test_a_question_that_cannot_be_played_is_asked_again(logged: Logged) -> None:
    async def play() -> None:
        world = await opened("8001", devices={"8001": (MOBILE,)})
        failed: list[Request] = []

        def fault(request: Request) -> Failure:
            if request.verb == "play" and request.leg.endswith("-agent") and not failed:
                failed.append(request)
                return "refused"
            return ""

        world.phone.fault = fault
        caller = await world.asks()
        mobile = await world.device_rings("0138001")
        mobile.answer()
        await world.until(lambda: bool(mobile.leg.heard), "asked again")
        mobile.press("1")
        await caller.talks()
        await asyncio.sleep(0.1)
        caller.hang_up()
        await world.nothing_left()
        assert failed

    run(play())
    assert any("press 1" in str(line) for line in logged), logged
    logged.clear()


# --- races ------------------------------------------------------------------------------------------------------------


def everybody_accepts(world: World, caller: Caller) -> None:
    """Whatever rings is picked up and presses 1, all in one instant."""
    for ring in world.rung:
        ring.answer()
        ring.press("1")


def one_winner(world: World, caller: Caller) -> None:
    events = world.events(caller)
    rings = [event.talk_id for event in events if isinstance(event, ev.RingStarted)]
    ends = [event.talk_id for event in events if isinstance(event, ev.RingEnded)]
    assert sorted(rings) == sorted(ends), "each ring ends once"
    bridged = [leg for leg in world.asterisk.gone.values() if any("bridge" in where for where, _at in leg.moved)]
    for talk in world.state(caller).talks:
        assert sum(leg.leg.startswith(talk.talk_id) for leg in bridged) <= 1, "two of one agent were connected"


@pytest.mark.parametrize("wire", [0.0015, 0.0002], ids=["answer_first", "event_first"])
def test_all_accept_in_the_same_instant(wire: float, logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_phone, "WIRE", wire)

    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        one_winner(world, caller)

    assert sweep(scripts.with_mobiles, scripts.accepted_by_mobile, everybody_accepts, check) > 50


def accepts_and_hangs_up(world: World, caller: Caller) -> None:
    for ring in world.rung:
        ring.answer()
        ring.press("1")
        ring.hang_up()
    world.answers = {"8001": answers(3), "8002": answers(3), "8003": answers(3)}


def caller_goes_too(world: World, caller: Caller) -> None:
    everybody_accepts(world, caller)
    caller.hang_up()


@pytest.mark.parametrize("blow", [accepts_and_hangs_up, caller_goes_too, lambda world, caller: caller.hang_up()])
def test_a_hang_up_in_the_same_instant(blow: Callable[[World, Caller], None], logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        one_winner(world, caller)
        assert not any(isinstance(event, ev.Fault) for event in world.events(caller))
        gone = world.asterisk.gone_at
        late = {leg: at - gone[caller.id] for leg, at in gone.items() if at > gone[caller.id] + 0.2}
        assert not late, f"a phone rang on after the caller had gone: {late}"

    assert sweep(scripts.with_mobiles, scripts.accepted_by_mobile, blow, check) > 50


def killed(world: World, caller: Caller) -> None:
    world.restarting = world.loop.create_task(world.restart())
    world.answers = dict.fromkeys(world.settings.agents.agents, answers(12))


def killed_while_all_accept(world: World, caller: Caller) -> None:
    killed(world, caller)
    world.loop.call_later(0.2, everybody_accepts, world, caller)


@pytest.mark.parametrize("blow", [killed, killed_while_all_accept])
def test_a_daemon_killed_in_mid_ring_leaves_no_leg(blow: Callable[[World, Caller], None], logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        one_winner(world, caller)
        assert world.state(caller).outcome == "answered"

    assert sweep(scripts.with_mobiles, scripts.accepted_by_mobile, blow, check) > 50


def test_a_fault_of_any_request_leaves_no_leg(logged: Logged) -> None:
    """Each request in turn is refused, or its answer is lost."""

    async def play(number: int, kind: Failure) -> int:
        world = await scripts.with_mobiles()
        world.phone.fault = lambda request: kind if request.number == number else ""
        world.answers = dict.fromkeys(("8001", "8002", "8003"), answers(30))
        caller = world.call()
        people = asyncio.ensure_future(scripts.accepted_by_mobile(world, caller))
        await world.until(lambda: people.done() or caller.id in world.asterisk.gone, "the script's end", 20_000)
        people.cancel()
        await asyncio.gather(people, return_exceptions=True)
        caller.hang_up()
        await world.nothing_left()
        one_winner(world, caller)
        return len(world.phone.requests)

    count = run(play(0, ""))
    for kind in ("refused", "unanswered"):
        for number in range(1, count + 1):
            try:
                run(play(number, kind))  # type: ignore[arg-type]
            except (AssertionError, PhoneFault) as error:
                error.add_note(f"request {number} {kind}")
                raise
    logged.clear()
