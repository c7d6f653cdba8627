"""The agent's table: legal ways lead where it says, illegal ones raise and nothing happens."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from calllog.events import AgentChanged, AgentMode, RingResult
from calllog.folds import AgentState
from routing.agents import (
    COOLS_DOWN,
    EARLY,
    RING_ENDS,
    SIGNED_IN,
    SIGNED_OUT,
    TABLE,
    AgentEvent,
    IllegalTransition,
    by_duty,
    change,
    same,
)

E = AgentEvent
MODES: tuple[AgentMode, ...] = get_args(AgentMode)
NOW = 1_700_000_000_000_000

states = st.builds(
    AgentState,
    agent=st.just("8001"),
    mode=st.sampled_from(MODES),
    reason=st.sampled_from(["", "meal", SIGNED_IN, SIGNED_OUT]),
    call_id=st.sampled_from(["", "c1"]),
    talk_id=st.sampled_from(["", "c1-1"]),
    missed=st.integers(0, 3),
    since=st.sampled_from([0, NOW - 60]),
    until=st.sampled_from([0, NOW + 60]),
    free_from=st.sampled_from([0, NOW - 5, NOW + 20]),
    extended=st.integers(0, 2),
)


def test_the_table_knows_every_mode_and_uses_every_event() -> None:
    assert set(TABLE) == set(MODES)
    assert {event for row in TABLE.values() for event in row} == set(AgentEvent)
    assert set(RING_ENDS) == set(get_args(RingResult)) >= COOLS_DOWN


@given(states)
def test_every_state_and_event(any_state: AgentState) -> None:
    for mode, event, on_duty in product(MODES, AgentEvent, (True, False)):
        one_state_and_event(replace(any_state, mode=mode), event, on_duty)


def one_state_and_event(state: AgentState, event: AgentEvent, on_duty: bool) -> None:
    before = replace(state)
    awaited = state.mode == "wrap_up" and state.free_from > 0
    of_records = event in (E.RECORD_COMPLETE, E.EXTENDED, E.RECORD_MISSING)
    if event not in TABLE[state.mode] or (of_records and not awaited):
        with pytest.raises(IllegalTransition) as caught:
            change(state, event, NOW, on_duty=on_duty)
        assert (caught.value.agent, caught.value.mode, caught.value.event) == ("8001", state.mode, event)
        assert state == before
        return
    ends = {"call_id": "c2", "talk_id": "c2-1", "wrap_up_until": NOW + 30, "reason": "tea"}
    changed = change(state, event, NOW, on_duty=on_duty, **ends)  # type: ignore[arg-type]
    assert state == before
    goal = TABLE[state.mode][event]
    if awaited and event in (E.READY, E.PAUSE):
        goal = "wrap_up"  # they have to finish first, and are free as soon as they have
        assert changed.free_from == min(state.free_from, NOW)
    if event is E.RECORD_COMPLETE and state.free_from <= NOW:
        goal = "ready"
    assert bool(changed.free_from) <= (changed.mode == "wrap_up")
    if goal in ("ready", "paused") and not on_duty:
        assert changed == AgentChanged(mode="off", reason=SIGNED_IN if event is E.SIGN_IN else "")
    elif goal in ("ready", "paused") and state.reason == SIGNED_OUT and event not in (
        E.READY, E.SHIFT_BEGAN, E.SIGN_IN, E.PAUSE
    ):  # fmt: skip
        assert changed == AgentChanged(mode="off", reason=SIGNED_OUT)
    elif goal == "ready" and state.reason == "meal" and event not in (E.READY, E.SHIFT_BEGAN):
        assert (changed.mode, changed.reason) == ("paused", state.reason)
    else:
        assert changed.mode == goal
    assert bool(changed.since) == (changed.mode in ("ready", "ringing", "talking"))
    assert bool(changed.until) <= (changed.mode == "wrap_up")
    assert bool(changed.call_id) <= (changed.mode in ("ringing", "talking", "wrap_up"))
    assert changed.mode != "paused" or changed.reason


class Agent:
    """One agent through a story."""

    def __init__(self, on_duty: bool = True) -> None:
        self.now, self.state, self.on_duty = 100, AgentState("8001"), on_duty

    def does(self, event: AgentEvent, reason: str = "", wrap_up: int = 30) -> AgentState:
        self.now += 10
        changed = change(
            self.state, event, self.now, on_duty=self.on_duty, reason=reason,
            call_id="c1", talk_id="c1-1", wrap_up_until=self.now + wrap_up,
        )  # fmt: skip
        self.state.apply(self.now, changed)
        assert same(self.state, changed)
        return self.state


def test_a_shift_with_one_talk() -> None:
    agent = Agent()
    assert agent.does(E.SHIFT_BEGAN).mode == "ready"
    assert agent.does(E.RUNG).mode == "ringing"
    assert agent.state.since == 110
    assert agent.does(E.ANSWERED).mode == "talking"
    assert (agent.does(E.TALK_ENDED).mode, agent.state.until) == ("wrap_up", agent.now + 30)
    assert (agent.does(E.WRAP_UP_ENDED).mode, agent.state.since) == ("ready", agent.now)
    assert agent.does(E.SHIFT_ENDED).mode == "off"


@pytest.mark.parametrize("event", [E.RING_LOST, E.NEVER_BRIDGED])
def test_the_turn_is_kept_when_it_was_not_the_agent(event: AgentEvent) -> None:
    agent = Agent()
    agent.does(E.SHIFT_BEGAN)
    agent.does(E.RUNG)
    if event is E.NEVER_BRIDGED:
        agent.does(E.ANSWERED)
    assert (agent.does(event).mode, agent.state.since, agent.state.missed) == ("ready", 110, 0)


def test_misses_count_in_a_row_and_an_answer_forgives() -> None:
    agent = Agent()
    agent.does(E.SHIFT_BEGAN)
    agent.does(E.RUNG)
    assert (agent.does(E.RING_MISSED).missed, agent.state.since) == (1, agent.now)
    agent.does(E.RUNG)
    assert agent.does(E.RING_FAILED).missed == 1
    agent.does(E.RUNG)
    assert agent.does(E.ANSWERED).missed == 0
    assert agent.does(E.TALK_ENDED, wrap_up=0).mode == "ready"
    agent.does(E.RUNG)
    assert (agent.does(E.MISSED_TOO_OFTEN).mode, agent.state.reason, agent.state.missed) == ("paused", "missed", 1)
    assert (agent.does(E.READY).mode, agent.state.missed) == ("ready", 0)


def test_the_end_of_a_shift_waits_for_the_talk_and_the_wrap_up() -> None:
    agent = Agent()
    agent.does(E.SHIFT_BEGAN)
    agent.does(E.RUNG)
    agent.on_duty = False
    for event, mode in [(E.SHIFT_ENDED, "ringing"), (E.ANSWERED, "talking"), (E.TALK_ENDED, "wrap_up")]:
        assert agent.does(event).mode == mode
    assert agent.does(E.WRAP_UP_ENDED).mode == "off"


def test_a_pause_asked_for_in_a_talk_begins_after_it_and_can_be_taken_back() -> None:
    agent = Agent()
    agent.does(E.SHIFT_BEGAN)
    agent.does(E.RUNG)
    agent.does(E.ANSWERED)
    assert (agent.does(E.PAUSE, "meal").mode, agent.state.reason) == ("talking", "meal")
    agent.does(E.TALK_ENDED)
    assert (agent.does(E.WRAP_UP_ENDED).mode, agent.state.reason) == ("paused", "meal")
    assert agent.does(E.SHIFT_BEGAN).mode == "ready"
    agent.does(E.RUNG)
    agent.does(E.PAUSE, "meal")
    agent.does(E.READY)
    assert agent.does(E.RING_MISSED).mode == "ready"
    agent.does(E.RUNG)
    agent.does(E.PAUSE, "meal")
    assert (agent.does(E.MISSED_TOO_OFTEN).mode, agent.state.reason) == ("paused", "meal")


def test_signing_out_in_a_talk_waits_for_its_end_and_can_be_taken_back() -> None:
    agent = Agent()
    agent.does(E.SHIFT_BEGAN)
    agent.does(E.RUNG)
    agent.does(E.ANSWERED)
    assert (agent.does(E.SIGN_OUT).mode, agent.state.reason) == ("talking", SIGNED_OUT)
    agent.does(E.TALK_ENDED)
    assert (agent.does(E.WRAP_UP_ENDED).mode, agent.state.reason) == ("off", SIGNED_OUT)
    assert (agent.does(E.SIGN_IN).mode, agent.state.reason) == ("ready", "")
    agent.does(E.RUNG)
    agent.does(E.SIGN_OUT)
    agent.does(E.SIGN_IN)
    assert agent.does(E.RING_MISSED).mode == "ready"
    agent.does(E.PAUSE, "meal")
    assert (agent.does(E.SIGN_IN).mode, agent.state.reason) == ("paused", "meal"), "signed in already"
    assert (agent.does(E.SIGN_OUT).mode, agent.state.reason) == ("off", SIGNED_OUT)


HOUR = 3600 * 1_000_000


@pytest.mark.parametrize(("mode", "reason", "changed", "must", "comes"), [
    ("off", "", -8, False, E.SHIFT_BEGAN), ("off", "", -8, True, None),
    ("off", SIGNED_IN, -1, True, E.SHIFT_BEGAN), ("off", SIGNED_IN, -1, False, E.SHIFT_BEGAN),
    ("off", SIGNED_IN, -5, True, None),  # to an earlier shift, which they were then taken out of
    ("off", SIGNED_OUT, 1, False, None), ("off", SIGNED_OUT, -8, False, E.SHIFT_BEGAN),
    ("off", SIGNED_OUT, -8, True, None), ("off", SIGNED_OUT, 1, True, None),
    ("off", "", 1, True, E.SHIFT_BEGAN),  # back from a break in the shift
    ("paused", "meal", -1, True, E.SHIFT_BEGAN), ("paused", "meal", 1, True, None),
    ("talking", SIGNED_OUT, -1, True, None), ("talking", SIGNED_OUT, -1, False, E.SHIFT_BEGAN),
    ("ready", "", -1, True, None),
])  # fmt: skip
def test_what_a_shift_asks_of_an_agent(
    mode: AgentMode, reason: str, changed: float, must: bool, comes: AgentEvent | None
) -> None:
    """``changed``: hours after the shift's beginning at which their state began."""
    assert EARLY == 4 * HOUR
    state = AgentState("8001", mode, reason, changed_at=NOW + round(changed * HOUR))
    assert by_duty(state, NOW, must_sign_in=must) is comes
    assert by_duty(state, None, must_sign_in=must) is (None if mode == "off" else E.SHIFT_ENDED)
