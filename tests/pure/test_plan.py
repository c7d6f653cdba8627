"""The ring at several devices: one winner at most, all others stopped, the order kept, whatever happens when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from config.settings import Agent, Device
from phone.port import KeyPress, LegAnswered, LegEnded, PlayEnded
from routing.plan import (
    ASK_AGAIN,
    Accept,
    Ask,
    Broken,
    Dial,
    Drop,
    Nobody,
    Plan,
    PlannedTry,
    RingCommand,
    Ringing,
    RingInput,
    Tick,
    Try,
    Way,
    leg_id,
    plan_of,
    verdict,
)

DESK = Try("desk", (Way("PJSIP/desk", "139"),), 20.0)
MOBILE = Try("*8000", (Way("PJSIP/1@first", "021", "first"), Way("PJSIP/1@second", "022", "second")), 25.0, 10.0)
FIRST, SECOND, SECOND_WAY = leg_id("t", 0, 0), leg_id("t", 1, 0), leg_id("t", 1, 1)


def told(ringing: Ringing, *events: tuple[float, RingInput]) -> list[RingCommand]:
    """What the ring answers to the last of these."""
    said: list[RingCommand] = []
    for now, event in events:
        said = ringing.step(now, event)
    return said


def test_in_order_the_next_device_rings_when_the_one_before_is_over() -> None:
    ringing = Ringing("t", [DESK, MOBILE], at_once=False)
    assert ringing.begin(0) == [Dial(FIRST, "desk", DESK.ways[0], 20)]
    assert told(ringing, (19.9, Tick())) == []
    assert told(ringing, (20, Tick())) == [Drop(FIRST, "missed", 19, True), Dial(SECOND, "*8000", MOBILE.ways[0], 25)]
    assert told(ringing, (20.001, LegAnswered(FIRST))) == [], "it had its time"
    assert told(ringing, (30, LegAnswered(SECOND))) == [Ask(SECOND, f"{SECOND}-q1", True)]
    assert told(ringing, (31, KeyPress(SECOND, "5"))) == []
    assert told(ringing, (32, KeyPress(SECOND, "1"))) == [Accept(SECOND, f"{SECOND}-q1")]
    assert told(ringing, (33, KeyPress(SECOND, "1"))) == [] and ringing.over


def test_the_question_is_repeated_until_the_time_is_up() -> None:
    ringing = Ringing("t", [MOBILE], at_once=False)
    ringing.begin(0)
    told(ringing, (5, LegAnswered(FIRST)))
    assert told(ringing, (7, PlayEnded(FIRST, "another", True))) == [] and ringing.due == 15
    assert told(ringing, (8, PlayEnded(FIRST, f"{FIRST}-q1", True))) == [] and ringing.due == 8 + ASK_AGAIN
    assert told(ringing, (9, Tick())) == [Ask(FIRST, f"{FIRST}-q2", False)]
    assert told(ringing, (15, Tick())) == [Drop(FIRST, "unconfirmed", 19, True), Nobody("missed", 19)]


def test_a_voicemail_that_hangs_up_has_not_accepted() -> None:
    ringing = Ringing("t", [MOBILE], at_once=False)
    ringing.begin(0)
    said = told(ringing, (5, LegAnswered(FIRST)), (9, LegEnded(FIRST, 16)))
    assert said == [Drop(FIRST, "unconfirmed", 16, False), Nobody("missed", 16)]


@pytest.mark.parametrize("cause", [34, 38, 41, 27, 3])
def test_a_broken_trunk_is_followed_by_the_next_within_the_same_time(cause: int) -> None:
    ringing = Ringing("t", [DESK, MOBILE], at_once=True)
    assert [one.way.trunk for one in ringing.begin(0) if isinstance(one, Dial)] == ["", "first"]
    said = told(ringing, (4, LegEnded(SECOND, cause)))
    assert said == [Drop(SECOND, "unreachable", cause, False), Dial(SECOND_WAY, "*8000", MOBILE.ways[1], 21)]
    assert told(ringing, (5, LegEnded(SECOND_WAY, cause))) == [Drop(SECOND_WAY, "unreachable", cause, False)]
    assert told(ringing, (6, LegEnded(FIRST, 17))) == [Drop(FIRST, "busy", 17, False), Nobody("busy", 17)]


SAID = [(17, "busy"), (21, "rejected"), (18, "missed"), (1, "unreachable"), (20, "unreachable")]


@pytest.mark.parametrize(("cause", "result"), SAID)
def test_what_the_far_phone_says_is_not_tried_again_by_another_trunk(cause: int, result: str) -> None:
    ringing = Ringing("t", [MOBILE], at_once=False)
    ringing.begin(0)
    assert [type(one) for one in told(ringing, (4, LegEnded(FIRST, cause)))] == [Drop, Nobody]
    ringing = Ringing("t", [MOBILE], at_once=False)
    ringing.begin(0)
    assert told(ringing, (4, Broken(FIRST, "unreachable")))[-1] == Dial(leg_id("t", 0, 1), "*8000", MOBILE.ways[1], 21)
    assert told(ringing, (5, LegEnded(leg_id("t", 0, 1), cause)))[-1] == Nobody(result, cause)  # type: ignore[arg-type]


def test_a_number_without_any_way_is_unreachable() -> None:
    ringing = Ringing("t", [Try("*8000", (), 25, 10)], at_once=False)
    assert ringing.begin(0) == [Nobody("unreachable", 0)]
    assert Ringing("t", [], at_once=True).begin(0) == [Nobody("unreachable", 20)]


def test_what_says_most_of_the_person_is_the_result() -> None:
    order = ["missed", "unconfirmed", "rejected", "busy", "unreachable", "failed"]
    for place, result in enumerate(order):
        expected = "missed" if result == "unconfirmed" else result
        rest: Sequence[tuple[object, int]] = [(one, 1) for one in reversed(order[place:])]
        assert verdict(rest).result == expected  # type: ignore[arg-type]


def test_the_plan_is_by_the_settings() -> None:
    phone, mobile = Device(sip="p"), Device(number="13800138000", ring_time=9)
    agent = Agent(name="x", skills=("a",), devices=(phone, mobile, Device(sip="q", confirm=True)), ring="at_once")
    plan = plan_of(agent, agent.devices, 20, 12)
    assert [(one.ring, one.confirm) for one in plan.tries] == [(20, 0), (9, 12), (20, 12)]
    assert plan.at_once and plan.longest == 32 and Plan(plan.tries).longest == 73
    assert PlannedTry(phone, 20, 0).longest == 20


def test_no_leg_is_the_beginning_of_another() -> None:
    legs = [leg_id("hotline-1.1-1", device, way) for device in range(12) for way in range(12)]
    assert len(set(legs)) == 144
    assert not [(one, other) for one in legs for other in legs if one != other and other.startswith(one)]


# --- whatever happens -------------------------------------------------------------------------------------------------

TRIES = st.lists(
    st.builds(
        Try,
        st.just("d"),
        st.sampled_from([(), *2 * [(Way("e", "n", ""),), (Way("e", "n", "first"), Way("e", "n", "second"))]]),
        st.sampled_from([1.0, 3.0, 5.0]),
        st.sampled_from([0.0, 2.0]),
    ),
    max_size=4,
)


WHATS = ["answer", "answer", "key", "key", "end", "broken", "wrong key", "played", "time", "due"]


@settings(max_examples=400)
@given(TRIES, st.booleans(), st.data())
def test_one_winner_at_most_and_all_others_stopped(tries: list[Try], at_once: bool, data: st.DataObject) -> None:
    ringing = Ringing("t", tries, at_once=at_once)
    now, dialled, up, ends = 0.0, list[str](), set[str](), list[RingCommand]()
    asked: dict[str, str] = {}
    answered: set[str] = set()

    def hear(commands: list[RingCommand]) -> None:
        for command in commands:
            assert not ends, "something after the end"
            match command:
                case Dial(leg=leg, longest=longest):
                    assert leg not in dialled and longest > 0
                    if not at_once:
                        assert not up, "two ring in order"
                    dialled.append(leg)
                    up.add(leg)
                case Ask(leg=leg, play=play):
                    assert leg in answered and leg in up
                    asked[leg] = play
                case Drop(leg=leg, up=hang_up, result=result):
                    assert hang_up or leg not in up, f"{leg} rings on"
                    assert result != "elsewhere" or any(isinstance(one, Accept) for one in commands)
                    up.discard(leg)
                case Accept(leg=leg):
                    assert up == {leg}, f"{up} with the winner"
                    assert leg in answered
                    course = next(one for one in ringing._courses if one.leg == leg)
                    assert not course.what.confirm or pressed == leg, "nobody pressed 1"
                    ends.append(command)
                case Nobody():
                    assert not up
                    ends.append(command)

    pressed = ""
    hear(ringing.begin(now))
    for _ in range(data.draw(st.integers(3, 40))):
        due = ringing.due
        if ends:
            assert due is None or ringing.over
        leg = data.draw(st.sampled_from([*dialled, *sorted(up), *sorted(up)] or ["none"]))
        what = data.draw(st.sampled_from(WHATS))
        now += data.draw(st.sampled_from([0.0, 0.5, 2.0]))
        pressed = ""
        event: RingInput = Tick()
        match what:
            case "answer":
                answered.add(leg)
                event = LegAnswered(leg)
            case "end":
                up.discard(leg)
                event = LegEnded(leg, data.draw(st.sampled_from([0, 16, 17, 19, 20, 21, 34, 127])))
            case "broken":
                event = Broken(leg, data.draw(st.sampled_from(["unreachable", "failed"])))
                if event.result == "unreachable":
                    up.discard(leg)
            case "key":
                pressed, event = leg, KeyPress(leg, "1")
            case "wrong key":
                event = KeyPress(leg, "2")
            case "played":
                event = PlayEnded(leg, asked.get(leg, ""), True)
            case "due" if due is not None:
                now = max(now, due)
            case _:
                pass
        winners = [one.leg for one in ends if isinstance(one, Accept)]
        hear(ringing.step(now, event))
        assert not winners or [one.leg for one in ends if isinstance(one, Accept)] == winners
    for _ in range(100):  # and it always ends by its own times
        if ends:
            break
        due = ringing.due
        assert due is not None, "it waits for nothing"
        now = max(now, due)
        hear(ringing.step(now, Tick()))
        for leg, play in asked.items():
            hear(ringing.step(now, PlayEnded(leg, play, True)))
    assert len(ends) == 1
    longest = [one.ring + one.confirm for one in tries]
    assert now <= max(sum(longest), 100.0)
