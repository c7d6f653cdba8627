"""What callers are told while they wait: their place, and how long it may take; and then, who answers."""

from __future__ import annotations

import asyncio

from calllog import events as ev
from ivr import sentences
from routing.messages import CallSettingsChanged
from routing.session import Call
from routing.steps import guard_wait


async def hear(call: Call, deadline: float | None = None) -> object:
    """The next event for a caller who waits; tells them their place at the start and then from time to time.

    ``deadline`` is a time of the loop; raises TimeoutError then.
    """
    loop = asyncio.get_running_loop()
    every = call.settings.hotline.times.announce_every
    while True:
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
        # A guard of a longest wait that was shorter would take the caller out of the queue.
        await call.quietly(guard_wait(call))


async def announce(call: Call) -> None:
    """Tell the caller how many wait ahead, over the music."""
    ahead = call.desk.position(call.call_id) or 0
    place = sentences.position(call.language, ahead)
    sounds: tuple[str, ...]
    if call.state.told_at:
        sounds = ("still_waiting", *place)
    elif ahead == 0 and call.state.stage == "ringing":
        sounds = ("connecting",)
    else:
        sounds = ("queue_wait", *place)
    await call.quietly(call.stop_play())  # a place that cannot be told is no fault of the call
    if call.state.told_at:
        # Music that ended in the instant in which the room emptied (a race in Asterisk) comes back here at the latest.
        await call.quietly(call.phone.keep_music())
    await call.start_play(sounds)
    call.note(ev.PositionTold(ahead=ahead))
