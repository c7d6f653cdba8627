"""What callers are told while they wait: their place, and how long it may take; and then, who answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from calllog import events as ev
from ivr import sentences
from phone.port import LegEnded, LegGone, PhoneFault
from routing.messages import CallSettingsChanged, CancelRing, Ring
from routing.plan import ABSENT_CAUSE, NO_ANSWER, Nobody
from routing.session import Call, in_language
from routing.steps import guard_wait
from routing.wait import Outlook, tell

INTRODUCTION = 15.0
"""Longest time that the announcement of an agent may take, in seconds: twelve digits, however slowly they are said."""


async def hear(call: Call, deadline: float | None = None) -> object:
    """The next event for a caller who waits; tells them their place at the start and then from time to time.

    ``deadline`` is a time of the loop; raises TimeoutError then.
    """
    loop = asyncio.get_running_loop()
    every = call.settings.hotline.times.announce_every
    while True:
        if call.guard_due and not call.playing:
            call.guard_due = False
            await call.quietly(guard_wait(call))
        due = max(0.0, every - (call.clock.now() - call.state.told_at) / 1_000_000)
        left = due + 1.0 if deadline is None else max(0.0, deadline - loop.time())
        try:
            event = await call.next(min(due, left))
        except TimeoutError:
            if left <= due:
                raise
            await announce(call)
            continue
        if not isinstance(event, CallSettingsChanged):
            return event
        # A guard of a longest wait that was shorter would take the caller out of the queue. Not while a prompt plays:
        # Asterisk would answer at its end only, and an agent who is free now would be kept waiting for the caller.
        call.guard_due = True


async def announce(call: Call) -> None:
    """Tell the caller how many wait ahead and how long it may take, over the music."""
    state, wanted = call.state, call.settings.hotline.announce
    now = call.desk.outlook(call.call_id) or Outlook(0)
    told = tell(state.told, state.told_wait, now if wanted.wait else replace(now, seconds=None), place=wanted.position)
    await call.quietly(call.stop_play())  # a place that cannot be told is no fault of the call
    if state.told_at:
        # Music that ended in the instant in which the room emptied (a race in Asterisk) comes back here at the latest.
        await call.quietly(call.phone.keep_music())
    await call.start_play(_words(call, told))
    call.note(told)


def _words(call: Call, told: ev.PositionTold) -> list[str]:
    if not call.state.told_at and told.ahead == 0 and call.state.stage == "ringing":
        return ["connecting"]
    words = ["still_waiting" if call.state.told_at else "queue_wait"]
    if told.cause:
        words.append("wait_longer_agents" if told.cause == "agents" else "wait_longer_priority")
    if told.place:
        words += sentences.position(call.language, told.ahead)
    if told.wait is not None:
        words += sentences.wait(call.language, told.wait)
    return words


def apology(call: Call) -> list[str]:
    """Why nobody comes, and of a queue that is closed when it opens again."""
    state = call.state
    match state.offered_why:
        case "uncovered":
            return ["nobody_on_duty"]
        case "closed":
            times, zone = (call.clock.now(), state.offered_opens), call.settings.hotline.zone
            now, opens = (datetime.fromtimestamp(at / 1_000_000, zone) for at in times)
            return ["closed_now", *(sentences.opens(call.language, now, opens) if opens > now else ())]
        case _:
            return ["wait_too_long"]


async def introduce(call: Call, ring: Ring, leg: str) -> Nobody | None:
    """Say who has answered, to caller and agent at once: so the agent knows when they are heard, and the language.

    The two are not connected yet: both plays are over then, for a leg that still hears one could not be moved
    (DESIGN.md section 5), and no recording has begun. Returns what became of the ring if the agent did not stay.
    """
    if not call.settings.hotline.announce.agent:
        return None
    words = sentences.agent(call.language, ring.agent)
    await call.quietly(call.stop_play())
    try:
        await call.phone.play(leg, f"{ring.talk_id}-introduced", in_language(call.language, words))
    except PhoneFault as fault:
        call.log.warning("the agent does not hear that they are announced", agent=ring.agent, why=str(fault))
    except LegGone:
        return Nobody("unreachable", ABSENT_CAUSE)
    play = await call.start_play(words)
    call.note(ev.AgentAnnounced(talk_id=ring.talk_id, agent=ring.agent))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + INTRODUCTION
    while play and call.playing == play:
        try:
            event = await call.next(max(0.0, deadline - loop.time()))
        except TimeoutError:
            break
        match event:
            case LegEnded(leg=ended, cause=cause) if ended == leg:
                return Nobody("missed" if cause in NO_ANSWER else "failed", cause)
            case CancelRing(talk_id=talk_id) if talk_id == ring.talk_id:
                await call.surely(lambda: call.phone.hang_up(leg))
                return Nobody("failed", 0)
            case CallSettingsChanged():
                call.guard_due = True  # they may wait again: the agent can be lost yet
            case _:
                pass
    return None
