"""A caller chooses English: from then on everything is said in English, also by the next daemon."""

from __future__ import annotations

import asyncio

from calllog import events as ev
from calllog.events import AnyEvent
from tests.virtual.conftest import Logged
from tests.virtual.sweep import sweep
from tests.virtual.test_kills import killed
from tests.virtual.world import Caller, World, opened

CHOICE = "en/menu_language"


def english_only(sounds: list[str]) -> bool:
    return bool(sounds) and all(sound.startswith("en/") for sound in sounds)


async def chooses(world: World) -> Caller:
    """A caller who has pressed 9 in the Chinese menu, where English was offered in English."""
    caller = world.call()
    await caller.heard(CHOICE)
    assert caller.sounds == ["greeting", "recording_notice", "menu_main", CHOICE]
    caller.press("9")
    await caller.heard("en/menu_main")
    return caller


async def test_the_whole_call_goes_on_in_english() -> None:
    world = await opened("8001", longest_wait=200)
    first = await world.asks()
    ring = await world.rings("8001")
    ring.answer()
    await first.talks()
    caller = await chooses(world)
    caller.press("1")
    await caller.waits()
    await caller.heard("en/still_waiting", 2)
    ring.hang_up()
    ring = await world.rings("8001", 2)
    ring.answer()
    await caller.talks()
    await asyncio.sleep(5)
    ring.hang_up(cause=38)
    await caller.heard("en/agent_lost")
    ring = await world.rings("8001", 3)
    await asyncio.sleep(2)
    ring.answer()
    await caller.talks()
    await asyncio.sleep(5)
    ring.hang_up()
    await caller.heard("en/farewell")
    await caller.gone()
    said = caller.sounds[caller.sounds.index(CHOICE) + 1 :]
    assert english_only(said) and said[:2] == ["en/recording_notice", "en/menu_main"], said
    assert said.index("en/queue_wait") < said.index("en/position_next") and caller.whole("en/recording_notice")
    events = world.events(caller)
    assert ev.LanguageChosen(language="en") in events and world.state(caller).language == "en"
    notices = [event.language for event in events if isinstance(event, ev.NoticeGiven)]
    assert notices == ["zh", "en"]
    assert all(part.started_at for part in world.state(caller).parts)
    await world.nothing_left()


async def test_a_message_is_asked_for_in_english() -> None:
    world = await opened("8001", on_duty=())
    caller = await chooses(world)
    caller.press("2")
    await caller.heard("en/voicemail_thanks")
    await caller.gone()
    said = caller.sounds[caller.sounds.index(CHOICE) + 1 :]
    assert english_only(said) and {"en/nobody_on_duty", "en/voicemail_invite", "en/beep"} <= set(said)
    await world.nothing_left()


async def test_the_caller_is_recorded_only_after_the_notice_in_their_language(logged: Logged) -> None:
    world = await opened("8001")
    caller = world.call()
    await caller.heard(CHOICE)
    world.phone.fault = lambda request: "refused" if request.verb == "play" and not world.rung else ""
    caller.press("9", "1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await asyncio.sleep(5)
    assert not caller.leg.monitors
    caller.hang_up()
    await world.over(caller)
    (failed,) = [event for event in world.events(caller) if isinstance(event, ev.RecordingFailed)]
    assert failed.why == "no_notice" and logged
    await world.nothing_left()


async def chooses_and_asks(world: World, caller: Caller) -> None:
    """Chooses English, waits for the whole menu, asks for a person, and is served."""
    await caller.heard(CHOICE)
    caller.press("9")
    await caller.heard("en/menu_main")
    caller.press("1")
    ring = await world.rings("8001")
    await caller.heard("en/connecting")
    await asyncio.sleep(3)
    ring.answer()
    await caller.talks()
    await asyncio.sleep(10)
    ring.hang_up()
    await caller.heard("en/farewell")
    await caller.gone()


async def one_agent() -> World:
    return await opened("8001", wrap_up=1.0)


def chosen(events: list[AnyEvent]) -> int:
    return sum(isinstance(event, ev.LanguageChosen) for event in events)


def test_a_kill_at_any_instant_leaves_the_caller_in_their_language_and_recorded(logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state, events = world.state(caller), world.events(caller)
        assert state.outcome == "answered" and chosen(events) <= 1
        heard = [sound for sound, _at, _whole in caller.leg.heard]
        if chosen(events):
            after = heard[heard.index(CHOICE) + 1 :]
            assert english_only(after), after
            assert any(part.started_at for part in state.parts), state.parts

    assert sweep(one_agent, chooses_and_asks, killed(), check) > 100
