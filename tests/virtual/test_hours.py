"""Service hours: who asks outside them hears that, and when it opens; who waits at closing time is served."""

from __future__ import annotations

import datetime as dt

import pytest

from calllog import events as ev
from routing.messages import Closed
from tests.pure.desk_plain import on
from tests.virtual.world import World, answers, opened

SAID = ["closed_now", "opens_again", "day_tomorrow", "time_morning", "num_8", "time_hour", "time_half", "opens_end"]


def closes(world: World, opens: bool = True) -> None:
    """The queue of key 1 closes now, until 08:30 tomorrow."""
    zone = world.settings.hotline.zone
    now = dt.datetime.fromtimestamp(world.clock.now() / 1_000_000, zone)
    then = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(8, 30), zone)
    closed = Closed(world.clock.now(), round(then.timestamp() * 1_000_000) if opens else 0)
    world.desk.stand(on(world.duty, closed={"inquiry": closed}))


@pytest.mark.parametrize("opens", [True, False])
async def test_outside_the_hours_the_caller_hears_when_it_opens_and_may_leave_a_message(opens: bool) -> None:
    world = await opened("8001")
    closes(world, opens)
    caller = world.call()
    caller.leg.speaks = 7
    caller.press("1")
    await caller.gone()
    said = SAID if opens else SAID[:1]
    assert caller.sounds[2:] == [*said, "voicemail_invite", "beep", "voicemail_thanks"]
    state = await world.over(caller)
    assert (state.outcome, state.reason) == ("voicemail", "closed")
    assert not world.rung
    await world.nothing_left()


async def test_who_hangs_up_then_ends_as_closed_also_across_a_restart() -> None:
    world = await opened("8001", on_duty=())
    closes(world)
    caller = world.call()
    caller.press("1")
    await caller.heard("opens_again")
    await world.restart()
    await caller.heard("time_half")
    caller.hang_up()
    state = await world.over(caller)
    assert (state.outcome, state.reason) == ("closed", "no_message")
    assert [event.why for event in world.events(caller) if isinstance(event, ev.VoicemailOffered)] == ["closed"]
    await world.nothing_left()


async def test_who_waits_at_closing_time_is_served_and_told_so_only_when_the_last_agent_goes() -> None:
    world = await opened("8001")
    talking = await world.asks()
    (await world.rings("8001")).answer()
    await talking.talks()
    caller, last = await world.asks(), await world.asks()
    closes(world)
    world.answers["8001"] = answers(1)
    talking.hang_up()
    await caller.talks()
    assert last.leg.held == "room"
    world.duty = {}
    closes(world)
    await last.heard("closed_now")
    last.hang_up()
    caller.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    assert (await world.over(last)).outcome == "closed"
    await world.nothing_left()
