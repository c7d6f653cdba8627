"""The desk when settings change under it, and when it starts after a crash."""

from __future__ import annotations

import pytest

from calllog.folds import AgentState
from routing.messages import (
    AgentReachable,
    CallAsked,
    LiveTalk,
    Restore,
    Ring,
    Rules,
    SettingsChanged,
    TalkEnded,
)
from routing.plan import Plan
from routing.queue import Desk
from tests.pure.desk_floor import QUEUES, Floor, given_up
from tests.pure.desk_plain import SECOND, on
from tests.pure.desk_play import START, Referee, agent, queue

# --- settings ---------------------------------------------------------------------------------------------------------


def test_a_removed_queue_drains_and_a_removed_agent_finishes() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.answers("8001")
    floor.asks("c2")
    floor.asks("c3")
    people = {"8002": agent("8002", "a")}
    floor.tell(SettingsChanged(Rules({"complaint": QUEUES["complaint"]}, people, wrap_up=10)))
    floor.answers("8002")
    floor.hangs_up("8002")
    floor.passes(10)
    assert floor.ringing() == {"8002": "c3"}
    floor.hangs_up("8001")
    floor.passes(10)
    with pytest.raises(LookupError):
        floor.desk.agent("8001")
    assert [state.agent for state in floor.desk.agents()] == ["8002"]


def test_a_queue_that_asks_for_another_skill_takes_its_callers_along() -> None:
    floor = Floor("a b")
    for call in ("c1", "c2", "c3"):
        floor.asks(call)
    changed = {**QUEUES, "sales": queue("b", longest_wait=20)}
    floor.tell(SettingsChanged(Rules(changed, floor.rules.agents, wrap_up=10)))
    assert floor.ringing() == {"8001": "c1", "8002": "c2"} and floor.desk.position("c3") == 2
    assert given_up(floor.passes(20)) == [("c3", "longest_wait")]


def test_a_new_agent_and_a_new_skill_serve_at_once() -> None:
    floor = Floor("b")
    floor.shift("8001", "8009")
    assert given_up(floor.asks("c1")) == [("c1", "uncovered")]
    people = {"8001": agent("8001", "b", "a"), "8009": agent("8009", "a")}
    floor.tell(SettingsChanged(Rules(QUEUES, people)))
    floor.asks("c2")
    floor.tell(AgentReachable("8009", "p8009", True))
    floor.asks("c3")
    assert floor.ringing() == {"8001": "c2", "8009": "c3"}


# --- after a crash ----------------------------------------------------------------------------------------------------


def test_a_start_after_a_crash() -> None:
    people = {f"800{n}": agent(f"800{n}", "a") for n in range(1, 8)}
    rules = Rules({**QUEUES, "other": queue("c")}, {**people, "8008": agent("8008", "c")}, wrap_up=10)
    desk, referee, then = Desk(rules), Referee(rules), START - 100
    states = [
        AgentState("8001", "talking", call_id="c1", talk_id="c1-1", since=then, changed_at=then),  # still talks
        AgentState("8002", "talking", call_id="c2", talk_id="c2-1", since=then, changed_at=then),  # hung up meanwhile
        AgentState("8003", "ringing", call_id="c3", talk_id="c3-1", since=then - 5, changed_at=then),
        AgentState("8004", "paused", reason="missed", missed=2, changed_at=then),
        AgentState("8005", "paused", reason="meal", changed_at=then - 60),  # a shift began meanwhile
        AgentState("8006", "wrap_up", call_id="c0", talk_id="c0-1", until=then + 50, changed_at=then),
        AgentState("8007", "ready", since=then - 9, changed_at=then - 9),  # went off duty meanwhile
        AgentState("8099", "ready", since=then, changed_at=then),  # no longer in the settings
    ]
    restore = Restore(
        agents=states,
        waiting=[CallAsked("c5", "sales", then - 9, 5), CallAsked("c3", "sales", then, 5, rings=1),
                 CallAsked("c4", "vip", then, 1), CallAsked("c7", "complaint", then, 5),
                 CallAsked("c8", "sales", then, 5), CallAsked("c9", "other", then - 400 * SECOND, 5)],
        talks=[LiveTalk("c1", "c1-1", "8001", "sales"), LiveTalk("c6", "c6-1", "8008", "other")],
        standing=on({"8001": then - 90, "8002": then - 90, "8003": then - 90, "8004": then - 90, "8005": then - 50,
              "8006": then - 90, "8008": then - 90}),
        reachable=[(number, f"p{number}") for number in [*people, "8008"]],
    )  # fmt: skip
    referee.agents = {state.agent: AgentState(**{f: getattr(state, f) for f in state.__slots__}) for state in states}
    referee.heard(START, restore)
    referee.talks = {"c1": Ring("c1", "c1-1", "8001", Plan()), "c6": Ring("c6", "c6-1", "8008", Plan())}
    said = desk.step(START, restore)
    referee.answered(START, said)
    rings = [(one.call_id, one.talk_id, one.agent) for one in said if isinstance(one, Ring)]
    assert rings == [("c4", "c4-1", "8003"), ("c5", "c5-1", "8005"), ("c3", "c3-2", "8006")]
    assert given_up(said) == [("c7", "uncovered"), ("c9", "longest_wait")]
    modes = {state.agent: state.mode for state in desk.agents()}
    assert modes == {
        "8001": "talking", "8002": "wrap_up", "8003": "ringing", "8004": "paused",
        "8005": "ringing", "8006": "ringing", "8007": "off", "8008": "talking",
    }  # fmt: skip
    assert referee.agents["8099"].mode == "off"
    del referee.agents["8099"]
    referee.compare(desk)
    assert desk.agent("8003").since == then - 5
    desk.step(START + 1, TalkEnded("c6", "c6-1"))
    assert desk.agent("8008").mode == "wrap_up"


def test_a_start_from_nothing() -> None:
    desk = Desk(Rules(QUEUES, {"8001": agent("8001", "a")}))
    said = desk.step(START, Restore(standing=on({"8001": START - 5}), reachable=[("8001", "p8001")]))
    assert [type(one).__name__ for one in said] == ["AgentChange"]
    assert desk.agent("8001").mode == "ready"
