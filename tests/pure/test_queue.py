"""The desk's rules, one by one, as scripts: what is said, and whose phone rings."""

from __future__ import annotations

import pytest

from calllog.events import AgentChanged
from config.settings import Device
from routing.agents import IllegalTransition
from routing.announce import INTRODUCTION
from routing.messages import (
    AgentChange,
    AgentCommand,
    AgentReachable,
    CallAsked,
    CallGone,
    CancelRing,
    RaiseAlarm,
    Restore,
    Ring,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
    WakeAt,
)
from routing.plan import Plan, PlannedTry
from routing.queue import RING_GUARD, Desk
from routing.session import CLEAN_UP
from tests.pure.desk_floor import QUEUES, Floor, alarms, given_up
from tests.pure.desk_plain import SECOND, on
from tests.pure.desk_play import START, Play, agent, plan

# --- who rings --------------------------------------------------------------------------------------------------------


def test_the_agent_who_has_been_ready_longest_rings() -> None:
    floor = Floor()
    for call in ("c1", "c2", "c3"):
        floor.asks(call)
        floor.passes(1)
    assert floor.ringing() == {"8001": "c1", "8002": "c2", "8003": "c3"}
    for number in ("8002", "8001", "8003"):
        floor.answers(number)
        floor.hangs_up(number)
        floor.passes(1)
    floor.passes(15)
    floor.asks("c4")
    assert floor.ringing() == {"8002": "c4"}


def test_callers_in_order_of_priority_then_asking_over_all_queues_of_an_agent() -> None:
    floor = Floor("a+b")
    floor.asks("c1")
    for call, name in [("c2", "sales"), ("c3", "complaint"), ("c4", "vip")]:
        floor.passes(1)
        floor.asks(call, name)
    assert [floor.desk.position(call) for call in ("c1", "c2", "c3", "c4")] == [1, 2, 0, 0]
    assert (floor.desk.waiting("sales"), floor.desk.waiting("vip"), floor.desk.waiting("none")) == (2, 1, 0)
    served = []
    for _ in range(4):
        served += floor.ringing().values()
        floor.answers("8001")
        floor.hangs_up("8001")
        floor.passes(11)
    assert served == ["c1", "c4", "c2", "c3"]


def test_a_caller_keeps_the_place_and_the_next_agent_rings() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.asks("c2")
    floor.ends("8001", "missed")
    assert floor.ringing() == {"8001": "c1", "8002": "c2"}  # nobody else is free: the same again
    floor.asks("c3")
    floor.answers("8002")
    floor.hangs_up("8002")
    floor.passes(15)
    floor.ends("8002", "missed")
    assert floor.ringing() == {"8001": "c1", "8002": "c3"}
    assert floor.desk.position("c3") == 1


def test_not_the_same_agent_while_another_is_free() -> None:
    floor = Floor("a a")
    floor.tell(AgentReachable("8002", "p8002", False))
    floor.asks("c1")
    floor.ends("8001", "failed")  # keeps the turn, so would be first again
    floor.tell(AgentReachable("8002", "p8002", True))
    floor.ends("8002", "missed")
    floor.passes(5)
    assert floor.ringing() == {"8002": "c1"}  # a new round began while 8001 cooled down
    floor.ends("8002", "missed")
    assert floor.ringing() == {"8001": "c1"}


def test_when_all_have_been_rung_a_new_round_begins() -> None:
    floor = Floor("a a a", on="8003")
    floor.asks("c0")
    floor.answers("8003")
    floor.asks("c1")

    def both_go_and_come() -> None:  # ready at once, so that 8001 is first but for the rounds
        floor.shift("8003")
        floor.passes(6)
        floor.tell(AgentReachable("8002", "p8002", True))
        floor.shift("8001", "8002", "8003")

    both_go_and_come()
    floor.ends("8001", "failed")
    floor.ends("8002", "failed")
    both_go_and_come()
    assert floor.ringing() == {"8001": "c1"}
    floor.tell(AgentReachable("8002", "p8002", False))
    floor.ends("8001", "failed")
    both_go_and_come()
    assert floor.ringing() == {"8002": "c1"}


def test_an_agent_to_avoid_rings_only_when_nobody_else_is_free() -> None:
    floor = Floor("a a")
    floor.asks("c1", avoid=frozenset({"8001"}))
    assert floor.ringing() == {"8002": "c1"}


@pytest.mark.parametrize(
    ("result", "missed", "turn_kept"),
    [("busy", 1, False), ("rejected", 1, False), ("unreachable", 0, False), ("failed", 0, True)],
)
def test_a_ring_that_comes_back_at_once_cools_down(result: str, missed: int, turn_kept: bool) -> None:
    floor = Floor("a")
    floor.asks("c1")
    floor.passes(1)
    floor.ends("8001", result)
    assert floor.ringing() == {} and floor.desk.agent("8001").missed == missed
    assert floor.desk.agent("8001").since == (START if turn_kept else floor.now)
    floor.passes(4.999)
    assert floor.ringing() == {}
    floor.passes(0.001)
    assert floor.ringing() == {"8001": "c1"}


def test_the_devices_that_can_be_reached_in_the_order_of_the_settings() -> None:
    mobile = Device(number="13800138000", ring_time=25)
    people = {"8001": agent("8001", "a", devices=("desk", "soft", mobile))}
    play = Play(Rules(QUEUES, people, confirm=10))
    play.tell(on({"8001": START}))
    play.tell(CallAsked("c1", "sales", START, 5))
    ring = play.referee.rung["c1"]
    assert ring.plan == Plan((PlannedTry(mobile, 25, 10),)) and ring.plan.longest == 35
    play.tell(AgentReachable("8001", "soft", True))
    play.tell(AgentReachable("8001", "desk", True))
    play.tell(RingReport("c1", "c1-1", "8001", "missed"))
    again = Plan((*plan("desk", "soft").tries, PlannedTry(mobile, 25, 10)))
    assert play.referee.rung["c1"] == Ring("c1", "c1-2", "8001", again) and again.longest == 75


def test_whose_phone_is_gone_is_rung_at_the_mobile_and_does_serve() -> None:
    people = {"8001": agent("8001", "a", devices=("desk", Device(number="13800138000")), at_once=True)}
    play = Play(Rules(QUEUES, people, confirm=10))
    play.tell(on({"8001": START}))
    play.tell(AgentReachable("8001", "desk", True))
    play.tell(AgentReachable("8001", "desk", False))
    play.tell(CallAsked("c1", "sales", START, 5))
    assert [one.device.label for one in play.referee.rung["c1"].plan.tries] == ["*8000"]
    assert Rules(QUEUES, people, ring=20, confirm=10).longest_ring() == 30


# --- misses -----------------------------------------------------------------------------------------------------------


def test_missed_twice_pauses_until_ready_or_the_next_shift() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.ends("8001", "missed")
    floor.ends("8002", "missed")
    floor.ends("8001", "rejected")
    assert floor.mode("8001") == "paused missed"
    floor.tell(AgentCommand("8001", "ready"))
    assert (floor.mode("8001"), floor.desk.agent("8001").missed) == ("ready", 0)
    floor.passes(1)
    floor.tell(AgentCommand("8001", "pause", "meal"))
    floor.passes(60)
    floor.shift("8001", "8002")
    assert floor.mode("8001") == "paused meal"
    floor.shift("8001", "8002", new=True)
    assert floor.mode("8001") == "ready"


def test_how_many_misses_is_a_setting() -> None:
    floor = Floor("a a", misses_before_pause=1)
    floor.asks("c1")
    floor.ends("8001", "missed")
    assert floor.mode("8001") == "paused missed"
    patient = Floor("a a", misses_before_pause=3)
    patient.asks("c1")
    for number in ("8001", "8002", "8001", "8002"):
        patient.ends(number, "missed")
    assert (patient.mode("8001"), patient.mode("8002")) == ("ringing", "ready")


def test_the_last_agent_of_a_queue_rings_on_with_an_alarm() -> None:
    floor = Floor("a a+b a")
    floor.tell(AgentReachable("8001", "p8001", False))
    floor.tell(AgentCommand("8003", "pause", "meal"))
    floor.asks("c1")
    assert alarms(floor.ends("8002", "missed")) == []
    assert alarms(floor.ends("8002", "missed")) == ["last_agent_missed"]
    assert floor.ringing() == {"8002": "c1"}
    floor.tell(AgentReachable("8001", "p8001", True))
    said = floor.ends("8002", "missed")
    assert [one.params["queues"] for one in said if isinstance(one, RaiseAlarm)] == ["complaint"]
    assert floor.ringing() == {"8001": "c1"} and floor.mode("8002") == "ready"


# --- nobody comes -----------------------------------------------------------------------------------------------------


def test_uncovered_at_asking_and_when_the_last_goes_but_not_when_they_talk_or_pause() -> None:
    floor = Floor("a b", on="8001")
    assert given_up(floor.asks("c1", "complaint")) == [("c1", "uncovered")]
    floor.tell(AgentCommand("8001", "pause", "meal"))
    floor.tell(AgentReachable("8001", "p8001", False))
    assert given_up(floor.asks("c2")) == []
    assert given_up(floor.shift("8002")) == [("c2", "uncovered")]


def test_longest_wait_to_the_microsecond() -> None:
    floor = Floor("a")
    floor.tell(AgentCommand("8001", "pause", "meal"))
    floor.asks("c1")
    assert given_up(floor.passes(299.999999)) == []
    assert given_up(floor.passes(0.000001)) == [("c1", "longest_wait")]
    floor.asks("c2", waiting_since=floor.now - 290 * SECOND)
    assert given_up(floor.desk.step(floor.now + 10 * SECOND, Tick())) == [("c2", "longest_wait")]


def test_a_ring_that_is_on_when_the_time_is_up_goes_to_its_end() -> None:
    floor = Floor("a a")
    for number in ("8001", "8002"):
        floor.tell(AgentCommand(number, "pause", "meal"))
    floor.asks("c1")
    floor.asks("c2")
    floor.passes(299)
    floor.tell(AgentCommand("8001", "ready"))
    assert given_up(floor.passes(5)) == [("c2", "longest_wait")]
    floor.tell(AgentCommand("8002", "ready"))
    assert given_up(floor.ends("8001", "missed")) == [("c1", "longest_wait")]
    assert floor.ringing() == {}


def test_the_longest_wait_still_holds_after_a_ring_that_failed_before_it() -> None:
    floor = Floor("a")
    floor.asks("c1", waiting_since=floor.now - 275 * SECOND)
    floor.ends("8001", "busy")
    floor.tell(AgentCommand("8001", "pause", "meal"))
    assert given_up(floor.passes(25)) == [("c1", "longest_wait")]


def test_who_becomes_free_in_the_last_instant_is_rung() -> None:
    floor = Floor("a", wrap_up=300)
    floor.asks("c1")
    floor.answers("8001")
    floor.hangs_up("8001")
    floor.asks("c2")
    assert given_up(floor.passes(300)) == []
    assert floor.ringing() == {"8001": "c2"}


def test_a_queue_that_nobody_knows() -> None:
    desk = Desk(Rules(QUEUES, {}))
    said = desk.step(START, CallAsked("c1", "gone", START, 5))
    assert given_up(said) == [("c1", "uncovered")] and alarms(said) == ["unknown_queue"]


# --- races ------------------------------------------------------------------------------------------------------------


def test_an_answer_for_a_call_that_has_gone() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.passes(3)
    said = floor.tell(CallGone("c1"))
    assert CancelRing("c1", "c1-1", "8001", "caller_gone") in said
    assert floor.desk.agent("8001").since == START
    late = floor.tell(RingReport("c1", "c1-1", "8001", "answered"))
    assert late == [CancelRing("c1", "c1-1", "8001", "caller_gone")]
    assert floor.tell(RingReport("c1", "c1-1", "8001", "missed")) == []
    assert floor.tell(CallGone("c1")) == floor.tell(TalkEnded("c1", "c1-1")) == floor.tell(TalkBegan("c1", "x")) == []
    floor.asks("c2")
    assert floor.ringing() == {"8001": "c2"}  # kept their turn


def test_the_shift_ends_while_ringing() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.asks("c2")
    assert given_up(floor.shift()) == []
    floor.answers("8001")
    assert given_up(floor.ends("8002", "missed")) == [("c2", "uncovered")]
    floor.hangs_up("8001")
    assert (floor.mode("8001"), floor.mode("8002")) == ("wrap_up", "off")
    floor.passes(10)
    assert floor.mode("8001") == "off"


def test_answered_but_never_bridged_is_no_talk() -> None:
    floor = Floor("a")
    floor.asks("c1")
    floor.passes(3)
    floor.ends("8001", "answered")
    floor.tell(CallGone("c1"))
    assert (floor.mode("8001"), floor.desk.agent("8001").since) == ("ready", START)


def test_a_late_word_about_an_earlier_talk() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    floor.answers("8001")
    floor.hangs_up("8001")
    floor.asks("c1", rings=1)
    floor.answers("8002")
    assert floor.tell(TalkEnded("c1", "c1-1")) == []
    assert floor.mode("8002") == "talking"


def test_the_wrap_up_is_the_queues_own_or_the_usual_and_ready_ends_it() -> None:
    floor = Floor("a+b")
    floor.asks("c1")
    floor.answers("8001")
    floor.hangs_up("8001")
    assert (floor.mode("8001"), floor.desk.agent("8001").until) == ("wrap_up", START + 10 * SECOND)
    floor.tell(AgentCommand("8001", "ready"))
    floor.asks("c2", "complaint")
    floor.answers("8001")
    floor.hangs_up("8001")
    assert floor.mode("8001") == "ready"


def test_commands_that_cannot_be() -> None:
    floor = Floor("a a", on="8002")
    with pytest.raises(IllegalTransition):
        floor.desk.step(START, AgentCommand("8001", "ready"))
    with pytest.raises(LookupError):
        floor.desk.step(START, AgentCommand("9999", "ready"))
    with pytest.raises(LookupError):
        floor.desk.agent("9999")
    with pytest.raises(ValueError):
        floor.desk.step(START, Restore())
    assert floor.mode("8001") == "off"


def test_asking_again() -> None:
    desk = Desk(Rules(QUEUES, {"8001": agent("8001", "a"), "8002": agent("8002", "a")}))
    desk.step(START, Restore(standing=on({"8001": START, "8002": START}), reachable=[("8001", "p8001")]))
    assert Ring("c1", "c1-1", "8001", plan("p8001")) in desk.step(START, CallAsked("c1", "sales", START, 5))
    assert desk.step(START, CallAsked("c1", "sales", START, 5)) == []  # it has not heard of the ring yet
    said = desk.step(START, CallAsked("c1", "sales", START, 5, rings=1))  # it lost the ring
    assert CancelRing("c1", "c1-1", "8001", "caller_gone") in said and Ring("c1", "c1-2", "8001", plan("p8001")) in said
    desk.step(START, RingReport("c1", "c1-2", "8001", "answered"))
    desk.step(START, TalkBegan("c1", "c1-2"))
    desk.step(START, CallAsked("c1", "sales", START, 5, rings=2))  # it lost the talk
    assert desk.agent("8001").mode == "wrap_up" and desk.position("c1") == 0


def test_a_ring_of_which_nobody_reports_the_end_is_taken_back() -> None:
    floor = Floor("a a")
    floor.asks("c1")
    said = floor.passes(20 + RING_GUARD / SECOND)
    assert alarms(said) == ["ring_unreported"] and floor.ringing() == {"8002": "c1"}
    assert CancelRing("c1", "c1-1", "8001", "failed") in said


def test_a_tick_that_comes_too_early_is_asked_for_again() -> None:
    floor = Floor("a")
    floor.asks("c1")
    floor.answers("8001")
    floor.hangs_up("8001")
    floor.now += 10 * SECOND - 1
    assert floor.tell(Tick()) == [WakeAt(START + 10 * SECOND)]
    floor.now += 1
    assert floor.tell(Tick())[:1] == [AgentChange("8001", AgentChanged(mode="ready", since=floor.now))]


def test_an_agent_who_is_announced_as_slowly_as_can_be_is_not_taken_for_lost() -> None:
    assert RING_GUARD > (INTRODUCTION + CLEAN_UP) * SECOND
