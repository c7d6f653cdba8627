"""What the roster's check says of rosters that cannot be meant so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.catalogue import set_language
from config.load import load_settings
from config.problems import Problem
from config.settings import AgentFile, QueueFile, RosterFile, Settings
from routing.check import check

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SHIFTS = {
    "day": {"from": "06:00", "to": "22:00"},
    "night": {"from": "22:00", "to": "06:00"},
    "late": {"from": "20:00", "to": "23:00"},
    "whole": {"from": "00:00", "to": "00:00"},
}
EXAMPLE = load_settings(Path(__file__).parents[2] / "config")


@pytest.fixture(autouse=True)
def english() -> Any:
    set_language("en")
    yield
    set_language("zh")


def checked(weekly: list[dict[str, Any]], changes: list[dict[str, Any]] | None = None) -> list[Problem]:
    agent = {"name": "x", "skills": ["sales"], "devices": [{"sip": "p"}]}
    return check(
        Settings(
            hotline=EXAMPLE.hotline,
            menu=EXAMPLE.menu,
            prompts=EXAMPLE.prompts,
            queues=QueueFile.model_validate({"queues": {"sales": {"label": "s", "skill": "sales"}}}),
            agents=AgentFile.model_validate({"agents": {"8001": agent, "8002": {**agent, "skills": ["other"]}}}),
            roster=RosterFile.model_validate({"shifts": SHIFTS, "weekly": weekly, "changes": changes or []}),
        )
    )


def rule(shift: str, days: list[str] = WEEK, agent: str = "8001", **dates: str) -> dict[str, Any]:
    return {"shift": shift, "days": days, "agents": [agent], **dates}


def codes(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.place.key) for problem in problems]


def test_the_example_is_without_problems() -> None:
    assert check(EXAMPLE) == []


def test_covered_round_the_clock() -> None:
    assert checked([rule("day"), rule("night")]) == []
    assert checked([rule("whole")]) == []


def test_double_booked_by_the_pattern() -> None:
    problems = checked([rule("whole"), rule("late", ["fri"])])
    assert codes(problems) == [("double-booked", "weekly[1].agents[0]")]
    assert "whole" in problems[0].what and "late" in problems[0].what and not problems[0].warning
    over_the_week = checked([rule("night", ["sun"]), rule("whole", ["mon"])])
    assert codes(over_the_week)[0] == ("double-booked", "weekly[1].agents[0]")
    assert codes(checked([rule("day"), rule("day", ["sat"]), rule("night")]))[0][0] == "double-booked"


def test_rules_that_never_hold_together_do_not_clash() -> None:
    rules = [rule("whole", to="2026-03-01"), rule("late", **{"from": "2026-03-01"})]
    assert "double-booked" not in [problem.code for problem in checked(rules)]
    spill = [rule("night", ["sun"], to="2026-03-02"), rule("whole", ["mon"], **{"from": "2026-03-02"})]
    assert "double-booked" in [problem.code for problem in checked(spill)]


def test_double_booked_by_a_change() -> None:
    both = [rule("day"), rule("night")]
    within = {"date": "2026-02-17", "agent": "8001", "shifts": ["night", "late"]}
    assert codes(checked(both, [within])) == [("double-booked", "changes[0]")]
    spill = {"date": "2026-02-17", "agent": "8001", "shifts": ["whole"]}  # the night before ends at 06:00
    assert codes(checked(both, [spill])) == [("double-booked", "changes[0]")]
    the_day_before = {"date": "2026-02-16", "agent": "8001", "shifts": ["late"]}
    assert codes(checked(both, [the_day_before, spill])) == []
    night_before = {"date": "2026-02-16", "agent": "8001", "shifts": ["day", "night"], "note": "said once"}
    clashes = [one for one in checked(both, [night_before, spill]) if one.code == "double-booked"]
    assert [one.place.key for one in clashes] == ["changes[1]"]
    fine = {"date": "2026-02-17", "agent": "8002", "shifts": ["day", "night"]}
    assert codes(checked(both, [fine])) == []


def test_changes_without_effect() -> None:
    off = {"date": "2026-02-17", "agent": "8002", "off": True}
    same = {"date": "2026-02-17", "agent": "8001", "shifts": ["night", "day"]}
    problems = checked([rule("day"), rule("night")], [off, same])
    assert codes(problems) == [("change-without-effect", "changes[0]"), ("change-without-effect", "changes[1]")]
    assert all(problem.warning for problem in problems)


def test_uncovered_hours_of_the_week() -> None:
    (problem,) = checked([rule("day"), rule("night", WEEK[:5]), rule("night", ["sun"], agent="8002")])
    assert problem.code == "uncovered" and problem.warning
    assert "Sat 22:00 – Sun 06:00, Sun 22:00 – Mon 06:00" in problem.what
    (never,) = checked([rule("whole", agent="8002")])
    assert "ever" in never.what
    (ended,) = checked([rule("whole", to="2030-01-01")])
    assert ended.code == "uncovered"
    (many,) = checked([rule("day")])
    assert "and 3 more" in many.what
    assert all(problem.fix for problem in (problem, never, ended, many))
