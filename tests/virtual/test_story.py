"""The call as the issue tells it, one test for each way through it, with the times an operator would set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import pytest

from calllog import events as ev
from calllog.events import AnyEvent
from tests.virtual.conftest import Logged
from tests.virtual.fake_asterisk import length
from tests.virtual.world import answers, opened, rejects

E = TypeVar("E", bound=AnyEvent)


def all_of(kind: type[E], events: Sequence[AnyEvent]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


async def test_greeted_warned_and_served() -> None:
    world = await opened("8001")
    caller = world.call()
    await caller.heard("menu_main")
    assert caller.sounds == ["greeting", "recording_notice", "menu_main"]
    assert caller.whole("greeting") and caller.whole("recording_notice")
    caller.press("2")
    ring = await world.rings("8001")
    assert world.mode("8001") == "ringing"
    await asyncio.sleep(3)
    ring.answer()
    await caller.talks()
    await asyncio.sleep(10)
    assert caller.leg.monitors and world.mode("8001") == "talking"
    caller.hang_up()
    state = await world.over(caller)
    assert (state.outcome, state.reason, state.queue) == ("answered", "caller_hung_up", "complaint")
    events = world.events(caller)
    notice = events.index(all_of(ev.NoticeGiven, events)[0])
    assert notice < events.index(all_of(ev.RecordingRequested, events)[0])
    assert ring.over and world.mode("8001") == "wrap_up"
    await asyncio.sleep(59)  # complaint has a minute of its own
    assert world.mode("8001") == "wrap_up"
    await asyncio.sleep(2)
    assert world.mode("8001") == "ready"
    await world.nothing_left()


async def test_a_hold_that_began_before_the_talk_is_a_hold_of_the_talk() -> None:
    world = await opened("8001")
    caller = await world.asks()
    ring = await world.rings("8001")
    caller.hold()
    caller.hold(on=False)  # over before anybody was there: nothing of any talk
    caller.hold()
    ring.answer()
    await caller.talks()
    await asyncio.sleep(4)
    caller.hold(on=False)
    await asyncio.sleep(4)
    caller.hang_up()
    state = await world.over(caller)
    assert [one.by for one in all_of(ev.Held, world.events(caller))] == ["caller"]
    assert 4_000_000 <= state.talks[0].held_us < 5_000_000


async def test_a_key_cuts_the_menu_short_and_one_typed_ahead_skips_it() -> None:
    world = await opened("8001")
    barges = world.call()
    await barges.heard("menu_main")
    await asyncio.sleep(1)
    barges.press("1")
    await barges.waits()
    assert not barges.whole("menu_main")
    ahead = world.call()
    await ahead.heard("greeting")
    ahead.press("3")
    await ahead.waits()
    assert ahead.sounds == ["greeting", "recording_notice"] and ahead.whole("recording_notice")
    assert world.state(ahead).queue == "suggestion"
    barges.hang_up()
    ahead.hang_up()
    await world.nothing_left()


async def test_what_was_typed_ahead_of_the_menu_does_not_answer_the_farewell() -> None:
    world = await opened("8001")
    world.answers["8001"] = answers(2, talks=20)
    caller = world.call()
    await caller.heard("greeting")
    caller.press("1", "1", "0")
    await caller.heard("farewell")
    await caller.gone()
    assert caller.whole("farewell") and len(world.rung) == 1
    await world.nothing_left()


async def test_wrong_key_silence_and_repeat_each_get_their_word_and_then_a_person() -> None:
    world = await opened("8001")
    caller = world.call()
    await caller.heard("menu_main")
    caller.press("*")
    await caller.heard("menu_main", 2)
    caller.press("7")
    await caller.heard("menu_wrong_key")
    await caller.heard("menu_main", 3)
    began = caller.at("menu_main")[-1]
    await caller.heard("menu_no_key")
    patience = caller.at("menu_no_key")[0] - began - length("menu_main") - length("en/menu_language")
    assert patience == pytest.approx(5.0, abs=0.05)
    await caller.waits()
    assert caller.sounds[-1] == "menu_to_person" and caller.whole("menu_to_person")
    events = world.events(caller)
    assert [(key.key, key.meaning) for key in all_of(ev.KeyPressed, events)] == [("*", "repeat"), ("7", "none")]
    assert len(all_of(ev.KeyTimedOut, events)) == 2
    assert (world.state(caller).queue, all_of(ev.Asked, events)[0].via) == ("person", "retries")
    caller.hang_up()
    assert (await world.over(caller)).outcome == "abandoned"
    await world.nothing_left()


async def test_the_place_is_told_at_the_start_and_every_half_minute_also_while_phones_ring() -> None:
    world = await opened("8001", longest_wait=200)
    first, second = await world.asks(), await world.asks()
    await second.heard("position_waiting")
    assert "position_ahead" in second.sounds and "num_1" in second.sounds
    await second.heard("still_waiting", 4)
    told = [*second.at("queue_wait"), *second.at("still_waiting")]
    gaps = [round(later - earlier, 1) for earlier, later in pairwise(told)]
    assert gaps == [30.0] * 4
    await first.heard("still_waiting", 4)
    told = [*first.at("connecting"), *first.at("still_waiting")]
    assert [round(later - earlier, 1) for earlier, later in pairwise(told)] == [30.0] * 4
    rung = [each.at for each in world.shelf.events if isinstance(each.event, ev.RingStarted)]
    assert len(rung) > 3 and world.asterisk.music
    for caller in (first, second):
        caller.hang_up()
    await world.nothing_left()


async def test_a_phone_rings_for_twenty_seconds_and_then_the_next() -> None:
    world = await opened("8001", "8002")
    caller = await world.asks()
    first = await world.rings("8001")
    began = world.loop.time()
    second = await world.rings("8002")
    assert world.loop.time() - began == pytest.approx(20, abs=0.1)
    assert first.over and not second.over
    second.answer()
    await caller.talks()
    caller.hang_up()
    state = await world.over(caller)
    assert [talk.ring_result for talk in state.talks] == ["missed", "answered"]
    await world.nothing_left()


@pytest.mark.parametrize(
    ("cause", "result"), [(17, "busy"), (21, "rejected"), (41, "failed"), (20, "unreachable"), (19, "missed")]
)
async def test_who_is_busy_or_says_no_is_followed_by_the_next(cause: int, result: str) -> None:
    world = await opened("8001", "8002")
    world.answers["8001"] = rejects(1, cause)
    world.answers["8002"] = answers(2)
    caller = await world.asks()
    await caller.talks()
    await asyncio.sleep(1)
    assert [talk.ring_result for talk in world.state(caller).talks] == [result, "answered"]
    caller.hang_up()
    await world.nothing_left()


async def test_a_phone_that_is_not_registered_is_not_rung_and_one_that_just_left_is_followed() -> None:
    world = await opened("8001", "8002")
    world.phone.unregistered.add("p8001")  # the desk does not know it yet
    world.answers["8002"] = answers(2)
    caller = await world.asks()
    await caller.talks()
    assert world.state(caller).talks[0].ring_result == "unreachable"
    caller.hang_up()
    await world.nothing_left()


async def test_who_misses_twice_is_paused_but_not_the_last_one() -> None:
    world = await opened("8001", "8002", longest_wait=400)
    caller = await world.asks()
    await asyncio.sleep(85)
    assert world.mode("8001") == "paused missed"
    await asyncio.sleep(120)
    assert world.mode("8002") == "ringing" and "last_agent_missed" in world.alarms
    world.rung[-1].answer()
    await caller.talks()
    caller.hang_up()
    await world.nothing_left()


async def test_a_second_agent_after_the_first_hung_up() -> None:
    world = await opened("8001", "8002")
    caller = await world.asks()
    (await world.rings("8001")).answer()
    await caller.talks()
    await asyncio.sleep(5)
    world.rung[-1].hang_up()
    await caller.heard("farewell")
    caller.press("0")
    second = await world.rings("8002")
    second.answer()
    await caller.talks()
    await asyncio.sleep(5)
    second.hang_up()
    await caller.heard("farewell", 2)
    await caller.gone()
    state = await world.over(caller)
    assert (state.outcome, state.reason, state.hung_up_by) == ("answered", "agent_hung_up", "hotline")
    assert [talk.agent for talk in state.talks] == ["8001", "8002"]
    assert [part.part for part in state.parts] == [1, 2] and all(part.stopped_at for part in state.parts)
    await world.nothing_left()


async def test_whose_agent_is_lost_comes_back_in_the_old_place() -> None:
    world = await opened("8001", "8002")
    world.answers["8002"] = answers(1)
    caller = await world.asks()
    (await world.rings("8001")).answer()
    await caller.talks()
    busy, later, latest = await world.asks(), await world.asks(), await world.asks()
    await busy.talks()
    world.rung[0].hang_up(cause=38)
    await caller.heard("agent_lost")
    await asyncio.sleep(5)
    assert world.desk._core.position(caller.id) == 0 and world.desk._core.position(later.id) == 1
    world.answers["8001"] = answers(1)
    busy.hang_up()
    await caller.talks()
    await asyncio.sleep(0.1)
    assert world.desk._core.position(later.id) == 0 and later.leg.held == "room"
    for each in (caller, later, latest):
        each.hang_up()
    await world.nothing_left()


async def test_nobody_on_duty_and_a_message_is_kept() -> None:
    world = await opened("8001", on_duty=())
    caller = world.call()
    caller.leg.speaks = 7
    await caller.heard("menu_main")
    caller.press("1")
    await caller.gone()
    assert caller.sounds[3:] == ["nobody_on_duty", "voicemail_invite", "beep", "voicemail_thanks"]
    state = await world.over(caller)
    assert (state.outcome, state.reason, state.voicemail_seconds) == ("voicemail", "uncovered", 7.0)
    await world.nothing_left()


@pytest.mark.parametrize(("speaks", "outcome"), [(1.0, "abandoned"), (4.0, "voicemail")])
async def test_the_longest_wait_and_the_hang_up_in_the_message(speaks: float, outcome: str) -> None:
    world = await opened("8001", longest_wait=60)
    talking = await world.asks()
    (await world.rings("8001")).answer()
    await talking.talks()
    caller = await world.asks()
    asked = world.loop.time()
    caller.leg.speaks = 100
    await caller.heard("wait_too_long")
    assert caller.at("wait_too_long")[0] - asked == pytest.approx(60, abs=0.1)
    await world.until(lambda: bool(caller.leg.message), "a message is recorded")
    await asyncio.sleep(speaks)
    caller.hang_up()
    state = await world.over(caller)
    assert state.outcome == outcome and state.hung_up_by == "caller"
    assert state.voicemail_seconds == pytest.approx(speaks, abs=0.01)
    talking.hang_up()
    await world.nothing_left()


async def test_a_message_too_short_may_be_tried_once_more() -> None:
    world = await opened("8001", on_duty=())
    caller = world.call()
    caller.leg.speaks = 0.5
    caller.press("1")
    await caller.gone()
    assert caller.sounds.count("voicemail_too_short") == 1 and caller.sounds[-1] == "sorry_goodbye"
    state = await world.over(caller)
    assert (state.outcome, state.reason) == ("uncovered", "no_message")
    assert len(all_of(ev.VoicemailDropped, world.events(caller))) == 2
    await world.nothing_left()


async def test_without_the_notice_nothing_is_recorded() -> None:
    """PIPL art. 17: a notice that could not be played was not given."""
    world = await opened("8001")
    world.answers["8001"] = answers(1)
    world.phone.fault = lambda request: "refused" if request.verb == "play" else ""
    caller = world.call()
    await caller.talks()
    await asyncio.sleep(5)
    assert world.asterisk.recorded == [] and not caller.leg.monitors
    assert not all_of(ev.NoticeGiven, world.events(caller))
    caller.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    assert [event.why for event in all_of(ev.RecordingFailed, world.events(caller))] == ["no_notice"]
    await world.nothing_left()


async def test_a_talk_outlasts_the_guard_of_its_waiting(logged: Logged) -> None:
    """Even where Asterisk would not take the guard away at first, and across a restart in that instant."""
    for killed in (False, True):
        world = await opened("8001", longest_wait=30)
        caller = await world.asks()
        world.phone.fault = lambda request: "refused" if request.verb == "guard" else ""
        (await world.rings("8001")).answer()
        await caller.talks()
        if killed:
            await world.restart()
        await asyncio.sleep(5)
        world.phone.fault = lambda request: ""
        await asyncio.sleep(600)
        assert caller.leg.ours and "guard" not in caller.leg.timers and caller.leg.held
        caller.hang_up()
        assert (await world.over(caller)).reason == "caller_hung_up"
        await world.nothing_left()


async def test_both_hang_up_in_one_instant_and_in_that_of_the_answer() -> None:
    world = await opened("8001", wrap_up=0)
    caller = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    ring.hang_up()
    caller.hang_up()
    assert (await world.over(caller)).outcome == "abandoned"
    caller = await world.asks()
    ring = await world.rings("8001", 2)
    ring.answer()
    await caller.talks()
    caller.hang_up()
    ring.hang_up()
    assert (await world.over(caller)).outcome == "answered"
    await world.nothing_left()


async def test_a_fault_of_our_own_resumes_the_call_and_one_that_stays_hands_it_over(logged: Logged) -> None:
    for stays in (False, True):
        world = await opened("8001")
        world.answers["8001"] = answers(2)
        wrong = [0]

        def broken(request: object, wrong: list[int] = wrong, stays: bool = stays) -> str:
            if getattr(request, "verb", "") == "wait_with_music" and (stays or not wrong[0]):
                wrong[0] += 1
                raise RuntimeError("a bug")
            return ""

        world.phone.fault = broken  # type: ignore[assignment]
        caller = world.call()
        caller.press("1")
        if stays:
            await world.until(lambda world=world: bool(world.away), "handed over")  # type: ignore[misc]
            assert wrong[0] == 3 and not caller.leg.ours
            assert len(all_of(ev.HandedOver, world.events(caller))) == 1
        else:
            await caller.talks()
            assert len(all_of(ev.Fault, world.events(caller))) == 1
        await asyncio.sleep(20)
        caller.hang_up()
        await world.nothing_left()
