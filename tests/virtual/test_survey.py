"""The survey after a talk: who is asked, what each key does, and that nothing of it is lost or asked twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from calllog import events as ev
from calllog.folds import CallState
from config.survey import Survey
from routing.messages import Rules
from tests.pure.desk_plain import on
from tests.virtual.conftest import Logged
from tests.virtual.fake_asterisk import length
from tests.virtual.sweep import sweep
from tests.virtual.virtual_time import START
from tests.virtual.world import Caller, Ring, World, answers, opened

QUESTION = ["survey_invite", "survey_ratings", "survey_person"]
ON = Survey(enabled=True)


async def asked(survey: Survey = ON, key: str = "1", **changes: Any) -> tuple[World, Caller, Ring]:
    """Whose agent has hung up, and who hears the first sentence of the question."""
    world, caller, ring = await talking(survey, key, **changes)
    ring.hang_up()
    await caller.heard("survey_invite")
    return world, caller, ring


async def talking(survey: Survey = ON, key: str = "1", **changes: Any) -> tuple[World, Caller, Ring]:
    world = await opened("8001", "8002", survey=survey, wrap_up=1.0, **changes)
    caller = await world.asks(key)
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await asyncio.sleep(10)
    return world, caller, ring


def of_survey(world: World, caller: Caller) -> list[ev.AnyEvent]:
    return [event for event in world.events(caller) if isinstance(event, ev.SurveyEvent)]


async def over(world: World, caller: Caller) -> CallState:
    await caller.gone()
    state = await world.over(caller)
    await world.nothing_left()
    return state


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
async def test_a_key_rates_the_talk_and_is_thanked_or_apologised_for(key: str) -> None:
    world, caller, _ring = await asked()
    await asyncio.sleep(0.5)
    caller.press(key)  # in the middle of the question
    word = "survey_sorry" if key in "45" else "survey_thanks"
    await caller.heard(word)
    assert not caller.whole("survey_invite") and "survey_ratings" not in caller.sounds
    state = await over(world, caller)
    assert caller.sounds[-2:] == [word, "farewell"] and caller.whole(word) and caller.whole("farewell")
    talk = state.talks[0]
    assert (state.rating, talk.rating, state.outcome, state.reason) == (int(key), int(key), "answered", "agent_hung_up")
    assert talk.invited_at >= talk.ended_at > 0 and state.hung_up_by == "hotline"
    assert of_survey(world, caller) == [
        ev.SurveyInvited(talk_id=talk.talk_id), ev.Rated(talk_id=talk.talk_id, rating=int(key))
    ]  # fmt: skip


async def test_the_recorder_has_stopped_before_the_question_and_its_file_ends_there() -> None:
    for unbroken in (False, True):
        world, caller, _ring = await talking(unbroken=unbroken)
        world.rung[-1].hang_up()
        await caller.heard("survey_invite")
        going_on = [monitor for monitor in caller.leg.monitors if monitor not in world.asterisk.muted]
        assert going_on == [] and bool(caller.leg.monitors) == unbroken  # one that runs on writes silence
        caller.press("2")
        await over(world, caller)
        kinds = [type(event) for event in world.events(caller)]
        assert kinds.index(ev.RecordingStopped) < kinds.index(ev.SurveyInvited)


async def test_silence_is_followed_by_the_farewell_and_is_an_invitation_all_the_same() -> None:
    world, caller, _ring = await asked()
    state = await over(world, caller)
    at = len(caller.sounds) - 4
    assert caller.sounds[at:] == [*QUESTION, "farewell"] and all(caller.whole(name) for name in QUESTION)
    waited = caller.at("farewell")[0] - caller.at("survey_person")[0] - length("survey_person")
    assert waited == pytest.approx(5.0, abs=0.05)
    assert state.rating == 0 and state.talks[0].invited_at and len(of_survey(world, caller)) == 1


@pytest.mark.parametrize("key", ["6", "7", "8", "9", "*", "#"])
async def test_a_wrong_key_gets_the_question_once_more_and_then_the_farewell(key: str) -> None:
    world, caller, _ring = await asked()
    caller.press(key)
    await caller.heard("menu_wrong_key")
    await caller.heard("survey_person")
    assert caller.sounds[-4:] == ["menu_wrong_key", *QUESTION]
    caller.press(key)
    state = await over(world, caller)
    assert caller.sounds[-1] == "farewell" and caller.sounds.count("survey_invite") == 2
    assert state.rating == 0 and len(of_survey(world, caller)) == 1


async def test_a_wrong_key_may_be_put_right() -> None:
    world, caller, _ring = await asked()
    caller.press("#", "1")
    assert (await over(world, caller)).rating == 1
    assert len(world.rung) == 1


async def test_a_key_pressed_twice_rates_once_and_the_farewell_is_heard_whole() -> None:
    world, caller, _ring = await asked()
    caller.press("5", "5", "0")
    assert (await over(world, caller)).rating == 5
    assert caller.whole("farewell") and len(world.rung) == 1


async def test_who_presses_0_gets_a_person_again_and_is_asked_about_that_talk_too() -> None:
    world, caller, _ring = await asked()
    caller.press("0")
    second = await world.rings("8002")
    second.answer()
    await caller.talks()
    await asyncio.sleep(5)
    second.hang_up()
    await caller.heard("survey_invite", 2)
    caller.press("2")
    await caller.heard("farewell")
    caller.press("0")  # and in the farewell still
    await caller.waits()
    caller.hang_up()
    state = await over(world, caller)
    assert [(talk.agent, talk.rating) for talk in state.talks if talk.started_at] == [("8001", 0), ("8002", 2)]
    assert all(talk.invited_at for talk in state.talks if talk.started_at)
    assert (state.rating, state.outcome) == (2, "answered")


async def test_who_rated_and_asks_again_keeps_the_rating_of_each_talk() -> None:
    world, caller, _ring = await asked()
    caller.press("1")
    await caller.heard("farewell")
    caller.press("0")
    (await world.rings("8002")).answer()
    await caller.talks()
    world.rung[-1].hang_up()
    await caller.heard("survey_invite", 2)
    caller.press("4")
    state = await over(world, caller)
    assert [talk.rating for talk in state.talks] == [1, 4] and state.rating == 4


async def test_keys_pressed_in_the_talk_and_in_its_last_instant_answer_nothing() -> None:
    world, caller, ring = await talking()
    caller.press("1", "5")
    await asyncio.sleep(1)
    ring.hang_up()
    caller.press("5", "0")  # while the talk is being tidied up
    await caller.heard("survey_person")
    state = await over(world, caller)
    assert state.rating == 0 and len(world.rung) == 1 and caller.whole("survey_person")


async def test_who_is_not_asked() -> None:
    some = Survey(enabled=True, queues=("complaint",))
    for survey, key, cause in ((Survey(), "1", 16), (some, "1", 16), (ON, "1", 38)):
        world, caller, ring = await talking(survey, key)
        ring.hang_up(cause)
        await caller.heard("agent_lost" if cause == 38 else "farewell")
        caller.hang_up()
        await over(world, caller)
        assert not of_survey(world, caller) and "survey_invite" not in caller.sounds
    world, caller, _ring = await asked(some, "2")
    caller.hang_up()
    await over(world, caller)
    world, caller, _ring = await talking()
    caller.hang_up()  # first
    await over(world, caller)
    assert not of_survey(world, caller)


async def test_both_hang_up_at_once_and_nobody_was_asked() -> None:
    world, caller, ring = await talking()
    ring.hang_up()
    caller.hang_up()
    state = await over(world, caller)
    assert (state.outcome, state.hung_up_by) == ("answered", "caller") and not of_survey(world, caller)


async def test_whose_second_agent_came_after_a_lost_phone_is_asked_about_that_one_alone() -> None:
    world, caller, ring = await talking()
    ring.hang_up(38)
    second = await world.rings("8002")
    second.answer()
    await caller.talks()
    await asyncio.sleep(5)
    second.hang_up()
    await caller.heard("survey_invite")
    caller.press("3")
    state = await over(world, caller)
    assert [(bool(talk.invited_at), talk.rating) for talk in state.talks] == [(False, 0), (True, 3)]


async def test_it_is_asked_and_thanked_for_in_the_callers_language() -> None:
    world = await opened("8001", survey=ON, wrap_up=1.0)
    caller = world.call()
    await caller.heard("menu_main")
    caller.press("9")
    await caller.heard("en/menu_main")
    caller.press("1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    ring.hang_up()
    await caller.heard("en/survey_person")
    caller.press("7", "5")
    await over(world, caller)
    assert caller.sounds[-2:] == ["en/survey_sorry", "en/farewell"] and "en/menu_wrong_key" in caller.sounds


async def test_a_worse_rating_is_bad_from_where_the_company_says() -> None:
    world, caller, _ring = await asked(Survey(enabled=True, bad_from=3))
    caller.press("3")
    await over(world, caller)
    assert caller.sounds[-2] == "survey_sorry"


@pytest.mark.parametrize("on", [True, False])
async def test_a_change_in_the_middle_is_for_the_next_talk_and_what_was_begun_is_finished(on: bool) -> None:
    world, caller, ring = await (talking(Survey()) if on else asked())
    change(world, Survey(enabled=on))
    if on:
        ring.hang_up()
        await caller.heard("survey_invite")
    caller.press("9")
    await caller.heard("survey_invite", 2)
    caller.press("1")
    assert (await over(world, caller)).rating == 1
    other = await world.asks()
    (await world.rings("8001", 2)).answer()
    await other.talks()
    world.rung[-1].hang_up()
    await other.heard("survey_invite" if on else "farewell")
    other.hang_up()
    await over(world, other)


def change(world: World, survey: Survey) -> None:
    """What the daemon does when a change takes effect."""
    hotline = world.settings.hotline.model_copy(update={"survey": survey})
    world.settings = world.settings.model_copy(update={"hotline": hotline})
    world.desk.settings_changed(Rules.of(world.settings), on(world.duty))
    world.calls.settings_changed(world.settings)


async def test_killed_in_the_question_it_is_put_again_and_killed_after_the_key_it_is_not(logged: Logged) -> None:
    world, caller, _ring = await asked()
    await caller.heard("survey_ratings")
    await world.restart()
    await caller.heard("survey_invite", 2)
    caller.press("2")
    await caller.heard("survey_thanks")
    await world.restart()
    await caller.heard("survey_thanks", 2)
    state = await over(world, caller)
    assert caller.sounds[-1] == "farewell" and caller.sounds.count("survey_invite") == 2
    assert (state.rating, state.adopted, len(of_survey(world, caller))) == (2, 2, 2) and not logged


async def test_killed_after_a_lost_phone_the_caller_still_gets_another_agent() -> None:
    world, caller, ring = await talking()
    ring.hang_up(38)
    await caller.heard("agent_lost")
    await asyncio.sleep(0.5)
    await world.restart()
    world.answers = dict.fromkeys(("8001", "8002"), answers(2))
    await caller.talks()
    caller.hang_up()
    await over(world, caller)
    assert not of_survey(world, caller)


async def test_the_guard_waits_for_a_slow_caller_and_takes_them_when_no_daemon_does() -> None:
    world, caller, _ring = await asked(digit_timeout=60.0)
    await asyncio.sleep(50)
    caller.press("8")
    await asyncio.sleep(50)
    caller.press("3")
    assert (await over(world, caller)).rating == 3 and not world.away
    world, caller, _ring = await asked()
    await asyncio.sleep(0.5)
    world.desk.close()
    await world.calls.stop(30.0)
    await asyncio.sleep(40)
    assert not caller.leg.ours  # the dialplan's apology has them
    await world.restart()
    caller.hang_up()
    await world.nothing_left()
    assert world.state(caller).outcome == "answered" and world.state(caller).talks[0].invited_at


async def test_a_talk_without_sound_prompts_is_not_rated_by_chance(logged: Logged) -> None:
    """A question that cannot be played is waited for all the same, and nothing is made up."""
    world, caller, ring = await talking()
    world.phone.fault = lambda request: "refused" if request.verb == "play" else ""
    ring.hang_up()
    await caller.gone()
    state = await world.over(caller)
    assert state.rating == 0 and state.outcome == "answered" and logged
    world.phone.fault = lambda request: ""
    await world.nothing_left()


async def one_agent() -> World:
    return await opened("8001", survey=ON, wrap_up=1.0)


async def rates(world: World, caller: Caller) -> None:
    """The agent hangs up; 9, which is wrong, and then 3."""
    await caller.heard("greeting")
    caller.press("1")
    ring = await world.rings("8001")
    ring.answer()
    await caller.talks()
    await asyncio.sleep(5)
    ring.hang_up()
    await caller.heard("survey_ratings")
    caller.press("9")
    await caller.heard("survey_ratings", 2)
    caller.press("3")
    await caller.gone()


def test_a_rating_counts_in_whatever_instant_the_caller_hangs_up_after_it(logged: Logged) -> None:
    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state = world.state(caller)
        assert state.rating == (3 if "3" in caller.leg.pressed else 0)
        assert state.outcome == ("answered" if state.served else state.outcome)

    assert sweep(one_agent, rates, lambda world, caller: caller.hang_up(), check) > 50


def test_killed_in_any_instant_the_question_is_put_until_it_is_answered_and_not_again(logged: Logged) -> None:
    def kill(world: World, caller: Caller) -> None:
        world.restarting = world.loop.create_task(world.restart())
        world.answers = {"8001": answers(2, talks=5)}

    def check(world: World, caller: Caller) -> None:
        assert not logged, logged
        state = world.state(caller)
        rated = [each.at for each in world.shelf.events if isinstance(each.event, ev.Rated)]
        invited = caller.at("survey_invite")
        assert state.outcome == "answered" and len(rated) == (state.rating > 0)
        if rated:
            assert all(START + at * 1e6 <= rated[0] for at in invited), "asked again after the answer"

    assert sweep(one_agent, rates, kill, check) > 50
