"""First line and backups, levels of skill, the shift's devices, service hours and breaks at the desk."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from config.settings import Device, Skill
from routing.messages import (
    AgentCommand,
    AgentReachable,
    CallAsked,
    Closed,
    Ring,
    RingReport,
    Rules,
    TalkBegan,
    TalkEnded,
    Tick,
)
from routing.roster import Line
from tests.pure.desk_floor import given_up
from tests.pure.desk_plain import SECOND, on
from tests.pure.desk_play import START, Play, agent, queue

FIRST, BACKUP = Line(START, False, ()), Line(START, True, ())
TODAY = dt.date(2027, 2, 5)
QUEUES = {"sales": queue("a"), "expert": queue("a", level=3), "other": queue("b", wrap_up=0)}


def play(people: dict[str, Any], duty: dict[str, Line], **rules: Any) -> Play:
    """Everybody's phones can be rung, and these are on duty."""
    one = Play(Rules(QUEUES, people, **{"wrap_up": 0, **rules}))
    for number, found in people.items():
        for device in found.devices:
            if device.sip is not None:
                one.tell(AgentReachable(number, device.sip, True))
    one.tell(on(duty, date=TODAY))
    return one


def rung(commands: list[Any]) -> list[str]:
    return [one.agent for one in commands if isinstance(one, Ring)]


def asks(one: Play, call: str, name: str = "sales") -> list[str]:
    return rung(one.tell(CallAsked(call, name, one.now, 5)))


def passes(one: Play, seconds: float) -> list[Any]:
    until, said = one.now + round(seconds * SECOND), len(one.log)
    while one.wake and one.wake <= until:
        one.now = one.wake
        one.tell(Tick())
    one.now = until
    return one.log[said:]


def ends(one: Play, call: str, result: Any) -> list[str]:
    ring = one.referee.rung[call]
    return rung(one.tell(RingReport(call, ring.talk_id, ring.agent, result)))


TWO = {"8001": agent("8001", "a"), "8002": agent("8002", "a")}


def test_a_backup_is_rung_only_while_nobody_of_the_first_line_serves() -> None:
    one = play(TWO, {"8001": FIRST, "8002": BACKUP})
    assert asks(one, "c1") == ["8001"]
    assert asks(one, "c2") == []  # 8001 is busy, but serves
    assert rung(one.tell(AgentCommand("8001", "pause", "meal"))) == []  # it begins after the ring
    assert rung(one.tell(AgentReachable("8001", "p8001", False))) == ["8002"]
    assert one.referee.rung["c2"].agent == "8002"


def test_where_nobody_of_the_first_line_is_on_duty_the_backup_covers() -> None:
    one = play(TWO, {"8002": BACKUP})
    assert asks(one, "c1") == ["8002"]
    assert asks(one, "c2") == [] and not given_up(one.log)
    assert given_up(one.tell(on({}, date=TODAY))) == [("c2", "uncovered")]


def test_a_first_line_that_sleeps_is_paused_and_the_backup_woken() -> None:
    one = play(TWO, {"8001": FIRST, "8002": BACKUP}, misses_before_pause=2)
    assert asks(one, "c1") == ["8001"]
    assert ends(one, "c1", "missed") == ["8001"]
    assert ends(one, "c1", "missed") == ["8002"]
    assert one.desk.agent("8001").reason == "missed"


def test_after_a_stated_wait_backups_are_rung_though_the_first_line_talks() -> None:
    one = play(TWO, {"8001": FIRST, "8002": BACKUP}, backup_after=40)
    asks(one, "c1")
    ends(one, "c1", "answered")
    assert asks(one, "c2") == []
    one.now += 10 * SECOND
    assert asks(one, "c3") == []
    assert rung(passes(one, 29.9)) == []
    assert rung(passes(one, 0.2)) == ["8002"]
    assert one.referee.rung["c2"].agent == "8002"


def test_the_first_line_goes_before_a_backup_also_for_who_waited_long() -> None:
    people = TWO | {"8003": agent("8003", "a")}
    one = play(people, {"8001": FIRST, "8002": BACKUP, "8003": FIRST}, backup_after=1)
    for number in ("8001", "8003"):
        asks(one, f"c{number}")
        ends(one, f"c{number}", "answered")
    asks(one, "c2")
    assert rung(passes(one, 2)) == ["8002"]
    assert ends(one, "c2", "missed") == ["8002"]
    assert one.referee.rung["c2"].agent == "8002", "nobody else is free"


def test_the_higher_level_rings_first_and_a_queue_may_ask_for_one() -> None:
    people = {
        "8001": agent("8001", "a"),
        "8002": agent("8002", Skill(skill="a", level=2)),
        "8003": agent("8003", Skill(skill="a", level=3)),
    }
    one = play(people, {"8001": FIRST})
    one.now += SECOND
    one.tell(on(dict.fromkeys(people, FIRST), date=TODAY))  # 8001 has been ready longest
    assert asks(one, "c1") == ["8003"]
    assert asks(one, "c2", "expert") == []
    assert asks(one, "c3") == ["8002"]
    assert asks(one, "c4") == ["8001"]
    ends(one, "c1", "caller_gone")
    assert one.referee.rung["c2"].agent == "8003"
    assert given_up(one.tell(on({"8001": FIRST, "8002": FIRST}, date=TODAY))) == [], "the ring goes to its end"


def test_a_queue_whose_level_nobody_on_duty_has_is_uncovered() -> None:
    one = play(TWO, {"8001": FIRST})
    assert given_up(one.tell(CallAsked("c1", "expert", one.now, 5))) == [("c1", "uncovered")]


def test_a_skill_that_begins_at_midnight_is_there_at_midnight_and_one_that_ends_ends_after_the_talk() -> None:
    later = Skill.model_validate({"skill": "b", "from": "2027-02-06"})
    gone = Skill.model_validate({"skill": "a", "to": "2027-02-05"})
    people = {"8001": agent("8001", gone, later), "8002": agent("8002", "a")}
    one = play(people, {"8001": FIRST, "8002": FIRST})
    assert asks(one, "c1") == ["8001"]
    ends(one, "c1", "answered")
    assert given_up(one.tell(CallAsked("c2", "other", one.now, 5))) == [("c2", "uncovered")]
    said = one.tell(on({"8001": FIRST, "8002": FIRST}, date=TODAY + dt.timedelta(days=1)))
    assert said == [] and one.desk.agent("8001").mode == "talking"
    assert given_up(one.tell(CallAsked("c3", "other", one.now, 5))) == []
    assert rung(one.tell(TalkEnded("c1", "c1-1"))) == ["8001"]
    assert one.referee.rung["c3"].agent == "8001"


@pytest.mark.parametrize("names, phones", [
    ((), ["p8001", None, "soft8001"]), (("mobile",), [None]), (("soft", "desk"), ["soft8001", "p8001"]),
    (("fax",), ["p8001", None, "soft8001"]),
])  # fmt: skip
def test_a_shift_chooses_the_devices_and_their_order(names: tuple[str, ...], phones: list[str | None]) -> None:
    devices = ("p8001", Device(number="13800138000"), Device(sip="soft8001", name="soft"))
    one = play({"8001": agent("8001", "a", devices=devices)}, {"8001": Line(START, False, names)})
    said = one.tell(CallAsked("c1", "sales", one.now, 5))
    plans = [command.plan for command in said if isinstance(command, Ring)]
    assert [each.device.sip for each in plans[0].tries] == phones


def test_only_the_devices_of_the_shift_count_as_reachable() -> None:
    people = {"8001": agent("8001", "a", devices=("p8001", Device(sip="soft8001", name="soft")))}
    one = play(people, {"8001": Line(START, False, ("soft",))})
    one.tell(AgentReachable("8001", "soft8001", False))
    assert asks(one, "c1") == []
    assert rung(one.tell(on({"8001": Line(START, False, ("desk",))}, date=TODAY))) == ["8001"]


def test_who_asks_outside_the_hours_is_told_so_and_who_waited_is_served() -> None:
    one = play({"8001": agent("8001", "a")}, {"8001": FIRST})
    asks(one, "c1")
    asks(one, "c2")
    one.now += 5 * SECOND
    shut = {"sales": Closed(one.now, one.now + 3600 * SECOND)}
    assert given_up(one.tell(on({"8001": FIRST}, closed=shut, date=TODAY))) == []
    said = one.tell(CallAsked("c3", "sales", one.now, 5))
    assert given_up(said) == [("c3", "closed")] and said[-1].opens == one.now + 3600 * SECOND  # type: ignore[union-attr]
    one.tell(CallAsked("c4", "sales", one.now - SECOND, 5))  # the journal says they asked in time
    assert ends(one, "c1", "missed") == ["8001"]
    said = one.tell(on({}, closed=shut, date=TODAY))
    assert sorted(given_up(said)) == [("c2", "closed"), ("c4", "closed")], "never uncovered"


def test_on_a_break_nobody_is_rung_and_a_pause_goes_on_after_it() -> None:
    one = play(TWO, {"8001": FIRST, "8002": FIRST})
    one.tell(AgentCommand("8001", "pause", "training"))
    one.now += 60 * SECOND
    one.tell(on({}, date=TODAY))
    assert [one.desk.agent(number).mode for number in TWO] == ["off", "off"]
    one.now += 60 * SECOND
    one.tell(on({"8001": FIRST, "8002": FIRST}, date=TODAY))
    state = one.desk.agent("8001")
    assert (state.mode, state.reason) == ("paused", "training")
    assert one.desk.agent("8002").mode == "ready"
    one.tell(on({}, date=TODAY))
    one.now += 60 * SECOND
    one.tell(on({"8001": Line(one.now, False, ())}, date=TODAY))
    assert one.desk.agent("8001").mode == "ready", "the next shift begins without the pause"


def test_a_shift_ends_in_the_middle_of_a_talk_and_of_a_queue() -> None:
    one = play(TWO, {"8001": FIRST}, wrap_up=5)
    asks(one, "c1")
    ends(one, "c1", "answered")
    one.tell(TalkBegan("c1", "c1-1"))
    assert asks(one, "c2") == []
    one.now += 5 * SECOND
    assert rung(one.tell(on({"8002": Line(one.now, False, ())}, date=TODAY))) == ["8002"]
    assert one.desk.agent("8001").mode == "talking"
    assert asks(one, "c3") == []
    one.tell(TalkEnded("c1", "c1-1"))
    assert one.desk.agent("8001").mode == "wrap_up"
    assert rung(passes(one, 6)) == []
    assert one.desk.agent("8001").mode == "off"
