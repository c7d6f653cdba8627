"""Ringing an agent's devices: the hands and ears of :mod:`routing.plan`, which decides.

The caller stays in the waiting room all the while. A device's leg is in no bridge before it has accepted: the caller
hears nothing of it, and who picks it up hears nothing but the question.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from calllog import events as ev
from config.settings import Device, Hotline
from phone.port import KeyPress, LegAnswered, LegEnded, LegGone, PhoneFault, PlayEnded
from phone.trunks import outside_targets
from routing.announce import hear
from routing.messages import CancelRing, GiveUp, Ring
from routing.plan import (
    Accept,
    Ask,
    Broken,
    Dial,
    Drop,
    Nobody,
    PlannedTry,
    RingCommand,
    Ringing,
    RingInput,
    Tick,
    Try,
    Way,
)
from routing.session import Call, in_language

RING_SLACK = 5.0
"""Seconds after which Asterisk itself ends a ring that no daemon ended."""

QUESTION = ("agent_confirm",)
"""What an agent hears who picked up a device that must be confirmed, in the hotline's own language."""


async def ring_devices(call: Call, wanted: Ring) -> Accept | Nobody | GiveUp:
    """Ring by the plan until one device has accepted, all are over, or the desk takes the ring back.

    On return no leg of the ring is there but the one that accepted. When the caller goes, or at a fault, the legs are
    those that the state says (``Talk.open_legs``).
    """
    loop = asyncio.get_running_loop()
    tries = [_try(call, one) for one in wanted.plan.tries]
    ringing = Ringing(wanted.talk_id, tries, at_once=wanted.plan.at_once)
    commands = ringing.begin(loop.time())
    while True:
        end = await _carry_out(call, wanted, ringing, commands)
        if end is not None:
            return end
        try:
            event = await hear(call, ringing.due)
        except TimeoutError:
            event = Tick()
        commands = []
        match event:
            case LegAnswered() | LegEnded() | KeyPress() | PlayEnded() | Tick():
                commands = ringing.step(loop.time(), event)
            case CancelRing(talk_id=talk_id) if talk_id == wanted.talk_id:
                await hang_up_all(call, _open_legs(call))
                return Nobody("failed", 0)
            case GiveUp():
                await hang_up_all(call, _open_legs(call))
                return event
            case _:
                pass


async def hang_up_all(call: Call, legs: Iterable[str], elsewhere: frozenset[str] = frozenset()) -> None:
    """End these legs, all at the same time; those of ``elsewhere`` are told that another device took the call."""

    async def end(leg: str) -> None:
        await call.surely(lambda: call.phone.hang_up(leg, elsewhere=leg in elsewhere))

    await asyncio.gather(*(end(leg) for leg in legs))


async def _carry_out(
    call: Call, wanted: Ring, ringing: Ringing, commands: Iterable[RingCommand]
) -> Accept | Nobody | None:
    """Do what the plan says; what fails at once is an event like any other. Returns the end of the ring."""
    todo = deque(commands)
    loop = asyncio.get_running_loop()
    while todo:
        dropped = []
        while todo and isinstance(todo[0], Drop):
            dropped.append(todo.popleft())
        await _drop(call, wanted, [one for one in dropped if isinstance(one, Drop)], plain=ringing.plain)
        if not todo:
            break
        event: RingInput | None = None
        match todo.popleft():
            case Dial() as dial:
                event = await _dial(call, wanted, dial)
            case Ask() as question:
                event = await _ask(call, wanted, question)
            case Accept() as accepted:
                if accepted.play:  # it would hold the bridging up until its end (DESIGN.md section 5, mechanics 5)
                    await call.quietly(call.phone.stop_play(accepted.play))
                return accepted
            case Nobody() as nobody:
                if not _rings(call, wanted):  # there was no way to any device
                    device = wanted.plan.tries[0].device.label if wanted.plan.tries else ""
                    await _begin(call, wanted, device, f"{wanted.talk_id}-agent", "")
                return nobody
            case _:
                pass
        if event is not None:
            todo.extend(ringing.step(loop.time(), event))
    return None


async def _dial(call: Call, wanted: Ring, dial: Dial) -> RingInput | None:
    leg, way = dial.leg, dial.way
    call.line.follow(leg)
    if _rings(call, wanted):
        call.note(
            ev.DeviceRung(talk_id=wanted.talk_id, agent=wanted.agent, device=dial.device, leg=leg, trunk=way.trunk)
        )
    else:
        await _begin(call, wanted, dial.device, leg, way.trunk)
    try:
        await call.phone.ring(leg, way.endpoint, number=way.shown, longest=dial.longest + RING_SLACK)
    except LegGone:
        return Broken(leg, "unreachable")
    except PhoneFault as fault:
        call.log.error("an agent's phone could not be rung", agent=wanted.agent, device=dial.device, why=str(fault))
        return Broken(leg, "failed")
    return None


async def _begin(call: Call, wanted: Ring, device: str, leg: str, trunk: str) -> None:
    await call.keep(
        ev.RingStarted(talk_id=wanted.talk_id, agent=wanted.agent, device=device, leg=leg, trunk=trunk)
    )


async def _ask(call: Call, wanted: Ring, question: Ask) -> RingInput | None:
    if question.first:
        call.note(ev.ConfirmAsked(talk_id=wanted.talk_id, leg=question.leg))
    try:
        await call.phone.play(question.leg, question.play, in_language(call.settings.hotline.language, QUESTION))
    except LegGone:
        return None  # its end is on the way
    except PhoneFault as fault:
        call.log.error("an agent could not be asked to press 1", agent=wanted.agent, why=str(fault))
        return PlayEnded(question.leg, question.play, False)
    return None


async def _drop(call: Call, wanted: Ring, dropped: Sequence[Drop], *, plain: bool) -> None:
    await hang_up_all(
        call, [one.leg for one in dropped if one.up],
        frozenset(one.leg for one in dropped if one.result == "elsewhere"),
    )  # fmt: skip
    for one in dropped:
        if not plain:
            call.note(ev.DeviceEnded(talk_id=wanted.talk_id, leg=one.leg, result=one.result, cause=one.cause))


def _rings(call: Call, wanted: Ring) -> bool:
    """Whether this ring has begun."""
    return call.state.talk is not None and call.state.talk.talk_id == wanted.talk_id


def _open_legs(call: Call) -> list[str]:
    return call.state.talk.open_legs if call.state.talk is not None else []


def _try(call: Call, planned: PlannedTry) -> Try:
    return tried(call.settings.hotline, planned, call.number)


def tried(hotline: Hotline, planned: PlannedTry, number: str) -> Try:
    """The device with the ways to it, in order; a phone of ours shows ``number``."""
    return Try(planned.device.label, _ways(hotline, planned.device, number), planned.ring, planned.confirm)


def _ways(hotline: Hotline, device: Device, number: str) -> tuple[Way, ...]:
    if device.number is None:
        return (Way(f"PJSIP/{hotline.asterisk.endpoint(device.sip or '')}", number),)
    targets = outside_targets(device.number, hotline)
    return tuple(Way(one.endpoint, one.caller_id, one.trunk) for one in targets)
