"""A recording is paused by the agent's keys or by others, and goes on: by itself, after a crash, at the talk's end."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from calllog import events as ev
from hotline.recording_switch import NoTalk, switch_recording
from phone.port import LegGone
from routing.pausing import BETWEEN, Typed
from routing.recording import LOOK, STILL, Growth
from tests.virtual.conftest import Logged
from tests.virtual.world import Caller, Ring, World, answers, opened


async def talking(**changes: object) -> tuple[World, Caller, Ring]:
    world = await opened("8001", **changes)
    caller = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await world.until(lambda: bool(world.asterisk.recorded), "it is recorded")
    await asyncio.sleep(2)
    return world, caller, ring


def told(world: World) -> list[str]:
    """What was journalled of pauses, in short."""
    world.journal.sync()
    kinds = {ev.RecordingPaused: "paused", ev.RecordingResumed: "resumed"}
    return [
        f"{kinds[type(one.event)]} {one.event.by}"
        for one in world.shelf.events
        if isinstance(one.event, ev.RecordingPaused | ev.RecordingResumed)
    ]


def heard(ring: Ring) -> list[str]:
    return [name.rpartition("/")[2] for name, _at, _whole in ring.leg.heard]


async def test_an_agent_pauses_by_keys_and_hears_it_alone() -> None:
    world, caller, ring = await talking()
    before = len(caller.sounds)
    (file,) = world.asterisk.recorded
    ring.press(*"12*8", *"*81")
    await world.until(lambda: world.asterisk.muted == {file}, "paused")
    await world.until(lambda: heard(ring) == ["recording_paused"], "the agent hears it")
    ring.press(*"*81")
    await world.until(lambda: len(heard(ring)) == 2, "said once more")
    await asyncio.sleep(5)
    ring.press(*"*82")
    await world.until(lambda: not world.asterisk.muted, "it goes on")
    await asyncio.sleep(3)
    assert heard(ring)[2:] == ["recording_resumed"] and len(caller.sounds) == before
    caller.hang_up()
    state = await world.over(caller)
    (pause,) = state.parts[0].pauses
    assert told(world) == ["paused agent", "resumed agent"] and 5 <= (pause.until - pause.since) / 1e6 < 8
    await world.nothing_left()


async def test_a_pause_that_is_forgotten_ends_by_itself_after_a_warning() -> None:
    world, caller, ring = await talking()
    longest = world.settings.hotline.recording.longest_pause
    ring.press(*"*81")
    await world.until(lambda: heard(ring) == ["recording_paused"], "paused")
    since = world.loop.time()
    await world.until(lambda: len(heard(ring)) == 2, "the warning")
    assert longest - 11 < world.loop.time() - since < longest - 9 and world.asterisk.muted
    await world.until(lambda: not world.asterisk.muted, "it goes on")
    assert longest - 1 < world.loop.time() - since < longest + 1
    await asyncio.sleep(2)
    assert heard(ring)[1:] == ["recording_resumes_soon", "recording_resumed"]
    assert told(world) == ["paused agent", "resumed hotline"]
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()


async def test_the_end_of_the_talk_ends_the_pause() -> None:
    world, caller, ring = await talking()
    ring.press(*"*81")
    await world.until(lambda: bool(world.asterisk.muted), "paused")
    caller.hang_up()
    state = await world.over(caller)
    assert told(world) == ["paused agent", "resumed hotline"] and not state.parts[0].paused_since
    await world.nothing_left()


@pytest.mark.parametrize("muted_before", [True, False])
async def test_the_next_daemon_keeps_the_recorder_as_the_journal_has_it(muted_before: bool) -> None:
    world, caller, ring = await talking()
    (file,) = world.asterisk.recorded
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {file}, "paused")
    await asyncio.sleep(3)
    if not muted_before:  # as if it had died between the journal and the recorder
        world.asterisk.muted.clear()
    await world.restart()
    await world.until(lambda: world.asterisk.muted == {file}, "still paused")
    assert await switch_recording(world.calls, "8001", False, "console") == "resumed"
    assert not world.asterisk.muted and told(world) == ["paused agent", "resumed console"]
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()


@pytest.mark.parametrize("done", [True, False], ids=["done, untold", "not done"])
async def test_a_wish_to_go_on_outlives_the_daemon_that_could_not_fulfil_it(done: bool, logged: Logged) -> None:
    world, caller, ring = await talking()
    (file,) = world.asterisk.recorded
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {file}, "paused")
    failure = "unanswered" if done else "refused"
    world.phone.fault = lambda request: failure if request.verb == "resume_recording" else ""
    ring.press(*"*82")
    await asyncio.sleep(6)
    assert (world.asterisk.muted == set()) == done and told(world) == ["paused agent"]
    await world.restart()
    await world.until(lambda: not world.asterisk.muted and told(world)[-1] == "resumed agent", "the next one does it")
    await world.until(lambda: heard(ring)[-1] == "recording_resumed", "and says so")
    assert world.asterisk.recorded == [file]
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()
    logged.clear()


async def test_who_pauses_again_after_a_wish_to_go_on_is_paused(logged: Logged) -> None:
    world, caller, ring = await talking()
    (file,) = world.asterisk.recorded
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {file}, "paused")
    world.phone.fault = lambda request: "unanswered" if request.verb == "resume_recording" else ""
    ring.press(*"*82")
    await asyncio.sleep(1)
    assert not world.asterisk.muted, "it was told, and the answer is lost"
    world.phone.fault = lambda request: ""
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {file}, "silent again")
    await world.restart()
    await asyncio.sleep(10)
    assert world.asterisk.muted == {file} and told(world) == ["paused agent", "paused agent"]
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()
    logged.clear()


async def test_a_recorder_that_cannot_be_told_is_said_to_go_on(logged: Logged) -> None:
    world, caller, ring = await talking()
    world.phone.fault = lambda request: "unanswered" if request.verb == "pause_recording" else ""
    assert await switch_recording(world.calls, "8001", True, "command") == "failed" and not world.asterisk.muted
    await world.until(lambda: heard(ring) == ["recording_goes_on"], "the agent is warned")
    world.phone.fault = lambda request: ""
    assert await switch_recording(world.calls, "8001", True, "command") == "paused"
    world.phone.fault = lambda request: "refused" if request.verb == "resume_recording" else ""
    assert await switch_recording(world.calls, "8001", False, "command") == "failed" and world.asterisk.muted
    world.phone.fault = lambda request: ""
    assert await switch_recording(world.calls, "8001", False, "command") == "resumed"
    assert told(world) == ["paused command", "resumed hotline", "paused command", "resumed command"]
    caller.hang_up()
    await world.over(caller)
    with pytest.raises(NoTalk):
        await switch_recording(world.calls, "8001", True, "command")
    await world.nothing_left()
    logged.clear()


async def test_one_that_never_goes_on_again_is_replaced_and_somebody_is_told(logged: Logged) -> None:
    world, caller, ring = await talking()
    (first,) = world.asterisk.recorded
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {first}, "paused")
    world.phone.fault = lambda request: "unanswered" if request.verb == "resume_recording" else ""
    ring.press(*"*82")
    await world.until(lambda: len(world.asterisk.recorded) == 2, "another part")
    await world.until(lambda: heard(ring)[-1] == "recording_resumed", "the agent hears that it goes on")
    assert caller.leg.monitors == world.asterisk.recorded[1:], "the first is stopped"
    await asyncio.sleep(20)
    caller.hang_up()
    state = await world.over(caller)
    assert "recording_broke" in world.alarms and len(state.parts) == 2
    stopped = [event for event in world.events(caller) if isinstance(event, ev.RecordingStopped)]
    assert [(event.part, event.why) for event in stopped] == [(1, "muted"), (2, "")]
    assert state.parts[0].pauses[0].until == state.parts[0].stopped_at
    await world.nothing_left()
    logged.clear()


async def test_a_recorder_that_writes_no_more_is_replaced_but_not_while_it_is_paused(logged: Logged) -> None:
    world, caller, ring = await talking()
    (first,) = world.asterisk.recorded
    ring.press(*"*81")
    await world.until(lambda: world.asterisk.muted == {first}, "paused")
    world.asterisk.dead.add(first)
    await asyncio.sleep(30)
    assert world.asterisk.recorded == [first], "what is said now must not be kept"
    ring.press(*"*82")
    since = world.loop.time()
    await world.until(lambda: len(world.asterisk.recorded) == 2, "another part")
    assert world.loop.time() - since < STILL + 2 * LOOK + 1
    await asyncio.sleep(60)
    assert len(world.asterisk.recorded) == 2, "the second one grows"
    caller.hang_up()
    stopped = [event.why for event in world.events(caller) if isinstance(event, ev.RecordingStopped)]
    await world.over(caller)
    assert stopped[0] == "still" and world.alarms == ["recording_broke"]
    await world.nothing_left()
    logged.clear()


async def test_nothing_begins_to_be_recorded_while_an_agent_believes_it_paused(logged: Logged) -> None:
    world = await opened("8001")
    world.phone.fault = lambda request: "refused" if request.verb == "record_talk" else ""
    caller = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await asyncio.sleep(1)
    ring.press(*"*81")
    await world.until(lambda: heard(ring) == ["recording_off"], "the agent hears how it is")
    world.phone.fault = lambda request: ""
    await asyncio.sleep(60)
    assert not world.asterisk.recorded
    ring.press(*"*82")
    await world.until(lambda: bool(world.asterisk.recorded), "recorded from now on")
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()
    logged.clear()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80))
def test_a_file_that_grows_is_left_alone_and_one_that_does_not_is_noticed(steps: list[int]) -> None:
    growth, size, last, parts, told = Growth(), 0, LOOK, 0, True
    for number, step in enumerate([1, *steps], 1):
        now = number * LOOK
        if step or told:
            size, last = size + 1, now
        at, came = round(now * 1e6), {"caller": round(50 * now), "agent": 0}
        told = not growth.grows(f"part {parts}", size, at) and growth.is_broken(came, at)
        assert told == (now - last >= STILL)
        parts += told


@given(st.lists(st.tuples(st.sampled_from([0, 1, 4, 9, 12, 33, 50]), st.integers(0, 9)), min_size=1, max_size=120))
def test_a_recorder_that_writes_what_comes_is_never_taken_for_a_broken_one(looks: list[tuple[int, int]]) -> None:
    growth, came, sound = Growth(), 0, 0.0
    for number, (rate, noise) in enumerate(looks, 1):
        came += round(rate * LOOK) + noise  # keys and comfort noise between
        sound += rate * LOOK * 640 if rate >= 10 else 0
        size, at = int(sound) // 32_768 * 32_768, round(number * LOOK * 1e6)
        assert growth.grows("part", size, at) or not growth.is_broken({"caller": came, "agent": 7}, at)


@pytest.mark.parametrize("how", ["silent", "comfort noise", "on hold"])
async def test_phones_that_send_no_sound_break_no_recorder(how: str, logged: Logged) -> None:
    world, caller, ring = await talking()
    (first,) = world.asterisk.recorded
    if how == "on hold":
        caller.hold()
        world.asterisk.dead.add(first)  # whatever the phones send now: nothing is judged by it
    for leg in (caller.leg, ring.leg):
        world.asterisk.sends(leg.leg, 5 if how == "comfort noise" else 50 if how == "on hold" else 0, sound=False)
    await asyncio.sleep(120)
    assert world.asterisk.recorded == [first] and not world.alarms
    if how == "on hold":
        world.asterisk.dead.clear()
        caller.hold(on=False)
    world.asterisk.sends(caller.leg.leg, 50)
    await asyncio.sleep(60)
    assert world.asterisk.recorded == [first] and not world.alarms, "and it grows again"
    world.asterisk.dead.add(first)
    await world.until(lambda: len(world.asterisk.recorded) == 2, "a broken one is seen all the same")
    assert world.alarms == ["recording_broke"]
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()
    logged.clear()


async def test_a_recorder_is_replaced_though_nobody_can_tell_what_came(logged: Logged) -> None:
    world, caller, _ring = await talking()
    world.phone.fault = lambda request: "refused" if request.verb == "received" else ""
    world.asterisk.dead.add(world.asterisk.recorded[0])
    await asyncio.sleep(60)
    assert len(world.asterisk.recorded) == 1, "Asterisk could not be asked"

    async def uncounted(leg: str) -> int:
        raise LegGone(leg)

    world.phone.received = uncounted  # type: ignore[method-assign]
    await world.until(lambda: len(world.asterisk.recorded) == 2, "another part")
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()
    logged.clear()


async def test_where_nothing_is_recorded_nothing_is_paused() -> None:
    world = await opened("8001", recording=False)
    caller = await world.asks()
    world.answers["8001"] = answers(1)
    await caller.talks()
    await asyncio.sleep(1)
    assert await switch_recording(world.calls, "8001", True, "console") == "unrecorded"
    caller.hang_up()
    await world.over(caller)
    await world.nothing_left()


async def test_a_caller_declines_by_key_and_is_served_unrecorded_by_each_agent() -> None:
    world = await opened("8001")
    menu = world.settings.menu
    main = menu.menus["main"]
    option = main.options["*"].model_copy(update={"repeat": False, "decline_recording": True})
    declining = main.model_copy(update={"options": {**main.options, "8": option}})
    world.settings = world.settings.model_copy(
        update={"menu": menu.model_copy(update={"menus": {**menu.menus, "main": declining}})}
    )
    caller = world.call()
    await caller.heard("menu_main")
    caller.press("8")
    await caller.heard("recording_declined")
    await caller.heard("menu_main", 2)
    caller.press("1")
    world.answers["8001"] = answers(1)
    await caller.talks()
    await asyncio.sleep(3)
    world.rung[-1].hang_up()
    await caller.heard("farewell")
    caller.press("0")
    await world.rings("8001", 2)
    await caller.talks()
    await asyncio.sleep(3)
    caller.hang_up()
    state = await world.over(caller)
    assert state.outcome == "answered" and state.declined_at and not world.asterisk.recorded
    assert [part.failed for part in state.parts] == ["declined"] * 2 and state.archives_wanted == ()
    await world.nothing_left()


KEYS = st.text("0123456789*#", max_size=12)


@given(KEYS, st.sampled_from(["*81", "*82", "##"]), KEYS)
def test_a_code_is_found_wherever_it_stands(before: str, code: str, after: str) -> None:
    typed, found = Typed(), []
    for number, key in enumerate(before + code + after):
        if hit := typed.press(key, number, ("*81", "*82", "##")):
            found.append((number, hit))
    if not before.endswith("#"):
        assert (len(before) + len(code) - 1, code) in found


def test_keys_that_come_slowly_are_no_code() -> None:
    typed = Typed()
    assert [typed.press(key, number * (BETWEEN + 1), ("*81",)) for number, key in enumerate("*81")] == [""] * 3
    assert [typed.press(key, 10 * BETWEEN, ("*81",)) for key in "*81"] == ["", "", "*81"]
