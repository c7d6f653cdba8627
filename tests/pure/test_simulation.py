"""The simulated day: every call accounted for, the same by seed, and in agreement with Erlang where Erlang applies."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given, settings, strategies as st

from config.day import Day, load_day
from config.load import load_settings
from config.problems import Refused
from config.record_file import CallRecords
from config.settings import Hours, Queue
from hotline.cli_simulate import simulate
from hotline.day_picture import draw
from routing.messages import Rules
from routing.played import Played, together
from routing.roster import Roster
from routing.simulation import Simulation, staffed
from routing.staffing import mean_wait

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DATE = dt.date(2026, 12, 1)
SKILLS = ["a", "b"]


def queues(**changes: Any) -> dict[str, Queue]:
    plain = {"longest_wait": 86_400, "wrap_up": 0} | changes
    return {name: Queue(label=name, skill=name, **plain) for name in SKILLS}


def day(**changes: Any) -> Day:
    plain = {"arrivals": {"00:00": 10}, "queues": {"a": {"share": 1}}, "handling": {"mean": 120}}
    return Day.model_validate(plain | changes)


def play(stated: Day, *, agents: int | None = None, zone: ZoneInfo = SHANGHAI, date: dt.date = DATE,
         rules: Rules | None = None, **how: Any) -> Played:  # fmt: skip
    found, roster = staffed(rules or Rules(queues(), {}, wrap_up=0), stated.staff, agents)
    return Simulation(stated, found, Roster.compile(roster, zone), date, zone, **how).run()


@pytest.mark.parametrize(("agents", "load"), [(2, 1.0), (4, 2.4)])
def test_waits_agree_with_erlang_c(agents: int, load: float) -> None:
    """Poisson arrivals, exponential handling, nobody hangs up: the mean wait within 4 % of the load that came."""
    calls = 40_000
    played = play(day(handling={"mean": load * 86_400 / calls}), agents=agents, calls=calls, seed=0)
    tally, came = played.total(), sum(quarter.load for quarter in played.quarters) / 96
    assert came == pytest.approx(load, rel=0.01)
    wait = mean_wait(agents, came, came * 86_400 / tally.answered)
    assert tally.waited / tally.answered == pytest.approx(wait, rel=0.04)


def test_the_same_seed_is_the_same_day_and_another_is_not() -> None:
    stated = day(patience={"mean": 30}, picks_up={"mean": 5, "spread": 0.4}, missed=0.05)
    first, again, other = (play(stated, agents=2, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.waits != other.waits


def test_another_staff_meets_the_very_same_callers() -> None:
    few, many = (play(day(patience={"mean": 60}), agents=agents) for agents in (1, 30))
    assert [(q.tally.asked, q.load) for q in few.quarters] == [(q.tally.asked, q.load) for q in many.quarters]
    assert few.total().abandoned > many.total().abandoned


def test_calls_outside_the_service_hours_are_closed_and_nobody_is_uncovered() -> None:
    hours = Hours.model_validate({"from": "08:00", "to": "20:00"})
    shut = {"a": queues()["a"].model_copy(update={"hours": (hours,)})}
    played = play(day(patience={"mean": 600}), agents=3, calls=2000, rules=Rules(shut, {}, wrap_up=0))
    for quarter in played.quarters:
        tally, hour = quarter.tally, dt.datetime.fromtimestamp(quarter.begins / 1_000_000, SHANGHAI).hour
        assert tally.uncovered == 0
        assert (tally.closed == tally.asked - tally.voicemail) if not 8 <= hour < 20 else tally.closed == 0


@pytest.mark.parametrize("records", [
    CallRecords(required=True, time_limit=90), CallRecords(required=True, time_limit=45, extend_by=10, extensions=2),
])  # fmt: skip
def test_a_record_that_is_awaited_takes_its_agent_as_long_as_it_is_written(records: CallRecords) -> None:
    asked, stated = dict(agents=2, calls=900), day(record={"mean": 60, "spread": 0})
    with_records = play(stated, rules=Rules(queues(wrap_up=5), {}, record=records), **asked)
    assert with_records.waits == play(stated, rules=Rules(queues(wrap_up=60), {}), **asked).waits
    assert with_records.waits != play(stated, rules=Rules(queues(wrap_up=5), {}), **asked).waits
    late = CallRecords(required=True, time_limit=45, extensions=0, at_limit="pause")
    total = play(stated, rules=Rules(queues(wrap_up=5), {}, record=late), **asked).total()
    assert total.answered == total.asked, "who was paused for a record is ready again once it is written"


lengths = st.fixed_dictionaries({"mean": st.floats(1, 600), "spread": st.sampled_from([0, 0.5, 1, 2])})
days = st.fixed_dictionaries(
    {
        "arrivals": st.dictionaries(st.sampled_from(["00:00", "08:15", "17:30"]), st.floats(0.1, 8), min_size=1),
        "queues": st.just({"a": {"share": 3}, "b": {"share": 1, "handling": {"mean": 30}}}),
        "handling": lengths, "missed": st.floats(0, 0.5), "leaves_message": st.floats(0, 1),
        "staff": st.lists(
            st.fixed_dictionaries({
                "from": st.sampled_from(["00:00", "06:00", "22:00"]),
                "to": st.sampled_from(["06:00", "14:00", "23:00"]),
                "agents": st.integers(1, 4), "skills": st.sampled_from([["a"], ["b"], ["a", "b"]]),
            }), min_size=1, max_size=3),
    },
    optional={"patience": lengths, "picks_up": lengths},
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(days, st.sampled_from([0.0, 60.0, 86_400.0]), st.integers(0, 9))
def test_every_call_is_in_exactly_one_outcome(stated: dict[str, Any], longest: float, seed: int) -> None:
    rules = Rules(queues(longest_wait=longest), {}, wrap_up=0)
    played = play(day(**stated), rules=rules, seed=seed)
    total = played.total()
    assert total.asked == total.answered + total.abandoned + total.voicemail + total.uncovered
    assert total.answered == len(played.waits) and total.answered_in_time <= total.answered
    for quarter in played.quarters:
        assert quarter.busy >= -1e-9 and quarter.tally.asked >= quarter.tally.answered >= 0


def test_shifts_come_and_go_as_the_roster_says() -> None:
    stated = day(staff=[{"from": "08:00", "to": "20:00", "agents": 3, "skills": ["a"]}], leaves_message=0)
    played = play(stated)
    on_duty = [quarter.on_duty for quarter in played.quarters]
    assert on_duty == pytest.approx([0] * 32 + [3] * 48 + [0] * 16)
    assert all(quarter.tally.uncovered == quarter.tally.asked for quarter in played.quarters[:32])
    assert together(played.quarters[32:36]).on_duty == pytest.approx(3)


@pytest.mark.parametrize(("date", "quarters"), [(dt.date(2027, 3, 28), 92), (dt.date(2026, 10, 25), 100)])
def test_days_on_which_the_clocks_change(date: dt.date, quarters: int) -> None:
    played = play(day(arrivals={"00:00": 1, "04:00": 9}), agents=2, zone=BERLIN, date=date)
    assert len(played.quarters) == quarters
    early = sum(quarter.tally.asked for quarter in played.quarters[: quarters - 80])
    assert early < 40 < played.total().asked


def test_agents_scale_every_group_and_lose_none() -> None:
    groups = [{"from": "00:00", "to": "00:00", "agents": n, "skills": ["a"]} for n in (5, 1, 1)]
    for agents in (1, 3, 7, 500):
        rules, roster = staffed(Rules(queues(), {}), day(staff=groups).staff, agents)
        assert len(rules.agents) == agents == sum(len(rule.agents) for rule in roster.rules)


def test_the_tracked_day_is_served_and_drawn() -> None:
    own = load_settings(Path("config"))
    stated = load_day(Path("config/days/typical.yaml"), set(own.queues.queues))
    played = Simulation(stated, Rules.of(own), Roster.compile(own.roster, SHANGHAI), DATE, SHANGHAI).run()
    assert (played.total().answer_rate or 0) > 0.8
    hours = [f"{at // 4:02}:{at % 4 * 15:02}" for at in range(96)]
    picture = ET.fromstring(draw(played, hours, "<一天> & more", ["a < b"], within=15))
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}rect"))) > 300


def test_every_mistake_of_a_day_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(
        'arrivals: {"00:07": 1}\nqueues:\n  nobody: {share: 1}\nhandling: {mean: 0}\nmissed: 2\nstuff: 1\n',
        encoding="utf-8",
    )
    with pytest.raises(Refused) as refused:
        load_day(file, {"a"})
    told = {(problem.code, problem.place.line) for problem in refused.value.problems}
    assert told == {("wrong-time", 1), ("out-of-range", 4), ("out-of-range", 5), ("unknown-key", 6)}
    file.write_text('arrivals: {"00:00": 1}\nqueues:\n  nobody: {share: 1}\n', encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_day(file, {"a"})
    assert [(problem.code, problem.place.line) for problem in refused.value.problems] == [("unknown-queue", 3)]
    file.write_text('arrivals: {"00:00": 0}\nqueues: {a: {share: 1}}\n', encoding="utf-8")
    with pytest.raises(Refused, match="刻钟"):
        load_day(file, {"a"})


def test_a_slip_of_a_digit_is_refused_before_it_runs_for_hours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "day.yaml"
    file.write_text('arrivals: {"00:00": 1000000}\nqueues: {inquiry: {share: 1}}\n', encoding="utf-8")
    with pytest.raises(typer.Exit) as refused:
        simulate(day=file, calls=None, agents=20, seed=1)
    assert refused.value.exit_code == 1 and "96,000,000" in capsys.readouterr().err
