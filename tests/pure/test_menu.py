"""The menu: every caller leaves it, whatever is pressed; the file's mistakes are found early."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from config.catalogue import set_language
from config.load import load, load_settings
from config.problems import Problem
from config.settings import MenuFile, Settings
from ivr.menu import (
    MOST_REPEATS,
    Ask,
    Command,
    Decline,
    Event,
    IllegalEvent,
    KeyPressed,
    MenuState,
    Say,
    Speak,
    TimedOut,
    check,
    resume,
    start,
    step,
)

EXAMPLE: Settings = load_settings(Path(__file__).parents[2] / "config")
MENU = EXAMPLE.menu
MAIN = ("menu_main", "en/menu_language")
KEYS = "0123456789*#"


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def walk(menu: MenuFile, events: list[Event]) -> tuple[MenuState, list[Command]]:
    """Everything that is said and asked until the menu is done or the events are used up."""
    state, said = start(menu)
    commands = list(said)
    for event in events:
        if state.done:
            break
        state, more = step(menu, state, event)
        commands += more
    return state, commands


def pressed(keys: str) -> list[Event]:
    """``-`` is a silence, anything else a key."""
    return [TimedOut() if key == "-" else KeyPressed(key) for key in keys]


def made(
    start: str = "main", person_queue: str = "person", retries: int = 2, **menus: dict[str, dict[str, Any]]
) -> MenuFile:
    """A menu file; each menu is its keys with what they do."""
    levels = {
        name: {
            "prompt": f"menu_{name}",
            "options": {key: {"label": key, **does} for key, does in keys.items()},
        }
        for name, keys in menus.items()
    }
    return MenuFile.model_validate(
        {"start": start, "person_queue": person_queue, "retries": retries, "menus": levels}
    )


@pytest.mark.parametrize(
    ("key", "queue", "label"),
    [
        ("1", "inquiry", "咨询"),
        ("2", "complaint", "投诉"),
        ("3", "suggestion", "建议"),
        ("4", "business", "业务办理"),
        ("0", "person", "人工服务"),
    ],
)
def test_each_key_of_the_example(key: str, queue: str, label: str) -> None:
    state, commands = walk(MENU, pressed(key))
    assert state.done
    assert commands == [Say(MAIN), Ask(queue, label, key, "chosen")]


def test_wrong_key_and_silence_are_told_and_then_a_person() -> None:
    state, commands = walk(MENU, pressed("8-#"))
    assert state.done
    assert commands == [
        Say(MAIN),
        Say(("menu_wrong_key", *MAIN)),
        Say(("menu_no_key", *MAIN)),
        Say(("menu_to_person",)),
        Ask("person", "人工服务", "", "wrong_keys"),
    ]


def test_silence_alone_leads_to_a_person() -> None:
    state, commands = walk(MENU, pressed("---"))
    assert state.done and commands[-1] == Ask("person", "人工服务", "", "no_keys")


def test_after_two_mistakes_the_right_key_still_counts() -> None:
    assert walk(MENU, pressed("8-2"))[1][-1] == Ask("complaint", "投诉", "2", "chosen")


def test_repeat_costs_no_retry_but_ends() -> None:
    state, commands = walk(MENU, pressed("8" + "*" * MOST_REPEATS + "-1"))
    assert commands[-1] == Ask("inquiry", "咨询", "1", "chosen")
    state, commands = walk(MENU, pressed("*" * 100))
    assert state.done and commands[-2:] == [
        Say(("menu_to_person",)),
        Ask("person", "人工服务", "", "repeats"),
    ]
    assert commands.count(Say(MAIN)) == 1 + MOST_REPEATS


def test_a_language_is_spoken_from_its_key_on_and_no_longer_offered() -> None:
    state, commands = walk(MENU, pressed("98*1"))
    assert state.language == "en" and state.repeats == 2
    assert commands == [
        Say(MAIN),
        Speak("en"),
        Say(("menu_main",)),
        Say(("menu_wrong_key", "menu_main")),
        Say(("menu_main",)),
        Ask("inquiry", "咨询", "1", "chosen"),
    ]


def test_a_language_can_come_with_a_menu_or_a_queue_and_ends_like_any_repeat() -> None:
    menu = made(
        main={"7": {"language": "en"}, "8": {"language": "en", "menu": "sub"}, "9": {"language": "zh"}},
        sub={"3": {"language": "zh", "queue": "bills"}},
    )
    state, commands = walk(menu, pressed("83"))
    assert commands[1:] == [Speak("en"), Say(("menu_sub",)), Speak("zh"), Ask("bills", "3", "83", "chosen")]
    assert walk(menu, pressed("9"))[1][1:] == [Say(("menu_main",))], "they hear it already"
    state, commands = walk(menu, pressed("79" * MOST_REPEATS))
    assert state.done and commands.count(Say(("menu_main",))) == 1 + MOST_REPEATS
    assert resume(MENU, MenuState("main", language="en")) == (Say(("menu_main",)),)


def test_declining_the_recording_says_the_menu_again_or_leads_on() -> None:
    menu = made(
        main={"7": {"decline_recording": True}, "8": {"decline_recording": True, "menu": "sub"}},
        sub={"3": {"decline_recording": True, "language": "en", "queue": "bills"}},
    )
    state, commands = step(menu, start(menu)[0], KeyPressed("7"))
    assert commands[0] == Decline("main", "7") and isinstance(commands[1], Say) and state.repeats == 1
    state, commands = step(menu, state, KeyPressed("8"))
    assert commands[0] == Decline("main", "8") and state.menu == "sub"
    _state, commands = step(menu, state, KeyPressed("3"))
    assert [type(one) for one in commands] == [Speak, Decline, Ask]


def test_two_levels_and_their_path() -> None:
    menu = made(main={"1": {"menu": "sub"}, "0": {"queue": "person"}}, sub={"3": {"queue": "bills"}})
    _state, commands = walk(menu, pressed("13"))
    assert commands == [Say(("menu_main",)), Say(("menu_sub",)), Ask("bills", "3", "13", "chosen")]
    _state, commands = walk(menu, pressed("12-3"))
    assert commands[-1] == Ask("bills", "3", "13", "chosen"), "a wrong key is no part of the path"


def test_resume_says_the_menu_where_the_caller_was() -> None:
    menu = made(main={"1": {"menu": "sub"}}, sub={"3": {"queue": "bills"}})
    state, _commands = walk(menu, pressed("1-"))
    assert resume(menu, state) == (Say(("menu_sub",)),)


@pytest.mark.parametrize("event", [KeyPressed("1"), KeyPressed("x"), TimedOut()])
@pytest.mark.parametrize("state", [MenuState("main", done=True), MenuState("removed")])
def test_illegal_events_raise_and_nothing_changes(event: Event, state: MenuState) -> None:
    before = repr(state)
    with pytest.raises(IllegalEvent):
        step(MENU, state, event)
    with pytest.raises(IllegalEvent):
        resume(MENU, state)
    assert repr(state) == before


# --- for every menu ------------------------------------------------------------------------------


@st.composite
def menu_files(draw: st.DrawFn) -> MenuFile:
    """Menus without loops: each menu opens only later ones."""
    names = [f"m{n}" for n in range(draw(st.integers(1, 4)))]
    menus: dict[str, dict[str, dict[str, Any]]] = {}
    for index, name in enumerate(names):
        does: list[st.SearchStrategy[dict[str, Any]]] = [
            st.sampled_from(["a", "b"]).map(lambda queue: {"queue": queue}),
            st.just({"repeat": True}),
        ]
        if names[index + 1 :]:
            does.append(st.sampled_from(names[index + 1 :]).map(lambda menu: {"menu": menu}))
        menus[name] = draw(st.dictionaries(st.sampled_from(KEYS), st.one_of(does), max_size=6))
    return made("m0", "p", draw(st.integers(0, 5)), **menus)


events = st.lists(st.one_of(st.just(TimedOut()), st.sampled_from([*KEYS, "A", "", "11"]).map(KeyPressed)))


@given(menu_files(), st.one_of(st.just(TimedOut()), st.sampled_from(KEYS).map(KeyPressed)))
def test_whoever_does_one_thing_for_ever_gets_to_a_queue(menu: MenuFile, event: Event) -> None:
    longest = len(menu.menus) + menu.retries + MOST_REPEATS + 1
    state, commands = walk(menu, [event] * longest)
    assert state.done and isinstance(commands[-1], Ask)


@given(
    menu_files(),
    st.lists(st.one_of(st.just(TimedOut()), st.sampled_from(KEYS).map(KeyPressed)), min_size=16, max_size=16),
)
def test_every_sequence_ends_in_one_queue(menu: MenuFile, events: list[Event]) -> None:
    bound = len(menu.menus) - 1 + menu.retries + MOST_REPEATS + 1
    state, commands = walk(menu, events[:bound] + events)
    asked = [command for command in commands if isinstance(command, Ask)]
    assert state.done and len(asked) == 1 and asked[0] is commands[-1]
    assert asked[0].queue in ("a", "b", "p")
    assert state.tries <= menu.retries and state.repeats <= MOST_REPEATS


@given(menu_files(), events)
def test_step_is_pure_and_says_something_each_time(menu: MenuFile, events: list[Event]) -> None:
    state, _said = start(menu)
    for event in events:
        if state.done:
            break
        before = repr(state)
        after, commands = step(menu, state, event)
        assert repr(state) == before and step(menu, state, event) == (after, commands)
        assert commands, "no event is met with silence"
        assert after.done == isinstance(commands[-1], Ask)
        if not after.done:
            assert isinstance(commands[-1], Say)
            assert commands[-1].prompts[-1] == menu.menus[after.menu].prompt, "the menu is said last"
        state = after


@given(menu_files())
def test_menus_without_loops_are_not_called_loops(menu: MenuFile) -> None:
    codes = {problem.code for problem in check(EXAMPLE.model_copy(update={"menu": menu}))}
    assert codes <= {"menu-unreachable", "menu-too-deep", "menu-too-long", "menu-dead-end"}


@given(menu_files(), st.data())
def test_every_loop_is_found(menu: MenuFile, data: st.DataObject) -> None:
    names = list(menu.menus)
    index = data.draw(st.integers(0, len(names) - 1))
    back = names[data.draw(st.integers(0, index))]
    chain = {name: {"1": {"menu": after}} for name, after in pairwise(names[: index + 1])}
    looped = made("m0", "p", 2, **{**chain, names[index]: {"1": {"queue": "a"}, "2": {"menu": back}}})
    problems = check(EXAMPLE.model_copy(update={"menu": looped}))
    loops = [problem for problem in problems if problem.code == "menu-loops"]
    assert [problem.place.key for problem in loops] == [f"menus.{names[index]}.options.2.menu"]


# --- check ---------------------------------------------------------------------------------------


def found(menu: MenuFile) -> dict[str, Problem]:
    return {problem.code: problem for problem in check(EXAMPLE.model_copy(update={"menu": menu}))}


def test_the_example_is_right() -> None:
    assert check(EXAMPLE) == []


def test_loop() -> None:
    problem = found(made(main={"1": {"menu": "sub"}, "0": {"queue": "q"}}, sub={"9": {"menu": "main"}}))[
        "menu-loops"
    ]
    assert not problem.warning and problem.place.key == "menus.sub.options.9.menu"
    assert "main → sub → main" in problem.what


def test_menu_that_opens_itself() -> None:
    assert "main → main" in found(made(main={"1": {"menu": "main"}, "0": {"queue": "q"}}))["menu-loops"].what


def test_a_menu_reached_by_two_ways_is_no_loop() -> None:
    menu = made(
        main={"1": {"menu": "a"}, "2": {"menu": "b"}},
        a={"1": {"menu": "b"}, "0": {"queue": "q"}},
        b={"1": {"queue": "q"}},
    )
    assert found(menu) == {}


@pytest.mark.parametrize("does", [{}, {"menu": "main", "queue": "q"}, {"queue": "q", "repeat": True}])
def test_option_does_exactly_one_thing(does: dict[str, Any]) -> None:
    problem = found(made(main={"1": does, "0": {"queue": "q"}}))["option-unclear"]
    assert not problem.warning and problem.place.key == "menus.main.options.1"


def test_unknown_menus() -> None:
    assert found(made(main={"1": {"menu": "mian"}}))["unknown-menu"].fix == "Did you mean main?"
    assert found(made(start="mian", main={"1": {"queue": "q"}}))["unknown-menu"].place.key == "start"


def test_dead_end_and_unreachable() -> None:
    assert not found(made(main={"*": {"repeat": True}}))["menu-dead-end"].warning
    assert found(made(main={"1": {"queue": "q"}}, lost={"1": {"queue": "q"}}))["menu-unreachable"].warning


def test_too_many_options() -> None:
    five = {key: {"queue": "q"} for key in "12345"}
    assert found(made(main={**five, "0": {"queue": "q"}, "*": {"repeat": True}})) == {}
    assert found(made(main={**five, "6": {"queue": "q"}}))["menu-too-long"].warning


def test_too_many_levels() -> None:
    levels: dict[str, dict[str, dict[str, Any]]] = {
        f"m{n}": {"1": {"menu": f"m{n + 1}"}, "0": {"queue": "q"}} for n in range(3)
    }
    problem = found(made("m0", "person", 2, **levels, m3={"0": {"queue": "q"}}))["menu-too-deep"]
    assert problem.warning and problem.place.key == "menus.m3"
    levels.pop("m2")
    assert found(made("m0", "person", 2, **levels, m2={"0": {"queue": "q"}})) == {}


def test_problems_get_their_line() -> None:
    loaded = load(Path(__file__).parents[2] / "config")
    menu = made(main={"1": {"menu": "mian"}})
    (problem,) = loaded.places.located(check(EXAMPLE.model_copy(update={"menu": menu})))
    text = (Path(__file__).parents[2] / "config/menu.yaml").read_text(encoding="utf-8").splitlines()
    assert '"1"' in text[problem.place.line - 1]


def test_an_offer_that_no_key_keeps_is_a_warning() -> None:
    main = MENU.menus["main"]
    options = {key: option for key, option in main.options.items() if not option.language}
    menu = MENU.model_copy(update={"menus": {"main": main.model_copy(update={"options": options})}})
    (problem,) = check(EXAMPLE.model_copy(update={"menu": menu}))
    assert (problem.code, problem.warning, problem.place.key) == ("offer-without-key", True, "menus.main.offers[0]")
