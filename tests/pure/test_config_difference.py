"""What changed, in words: nothing where nothing did, and never silent where something did."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from config.difference import ABSENT, _walk, differences
from config.load import load_settings
from config.settings import AgentFile, Change, Hotline, Settings
from tests.pure.config_play import EXAMPLE

BASE = load_settings(EXAMPLE)


def changed(file: str, model: Any, change: Any) -> Settings:
    tree = copy.deepcopy(getattr(BASE, file).model_dump(mode="json", by_alias=True))
    change(tree)
    return BASE.model_copy(update={file: model.model_validate(tree)})


def said(new: Settings) -> list[str]:
    return [str(one) for one in differences(BASE, new)]


def test_nothing_changed() -> None:
    assert differences(BASE, load_settings(EXAMPLE)) == []


def test_a_value_shows_old_and_new() -> None:
    new = changed("hotline", Hotline, lambda tree: tree["times"].update(ring=25))
    assert said(new) == ["hotline.yaml: times.ring: 20 → 25"]


def test_an_agent_who_comes_and_one_who_goes() -> None:
    def swap(tree: Any) -> None:
        del tree["agents"]["8001"]
        tree["agents"]["8013"] = {"name": "林涛", "skills": ["general"], "devices": [{"sip": "8013"}]}

    gone, come = said(changed("agents", AgentFile, swap))
    assert gone.startswith("agents.yaml: agents.8001: - {name: 张敏")
    assert come == "agents.yaml: agents.8013: + {name: 林涛, skills: [general], devices: [{sip: 8013}], ring: in_order}"


def test_a_change_put_in_front_of_the_roster_is_one_change() -> None:
    change = Change.model_validate({"date": "2027-01-01", "agent": "8002", "off": True})
    roster = BASE.roster.model_copy(update={"changes": (change, *BASE.roster.changes)})
    (line,) = said(BASE.model_copy(update={"roster": roster}))
    assert line.startswith("roster.yaml: changes[0]: + {off: true, agent: 8002, date: 2027-01-01}")


def test_a_wall_time_is_shown_as_it_is_written() -> None:
    name, shift = next(iter(BASE.roster.shifts.items()))
    moved = shift.model_copy(update={"start": dt.time(5, 30)})
    roster = BASE.roster.model_copy(update={"shifts": {**BASE.roster.shifts, name: moved}})
    (line,) = said(BASE.model_copy(update={"roster": roster}))
    assert line == f"roster.yaml: shifts.{name}.from: {shift.start:%H:%M} → 05:30"


def test_of_two_long_texts_the_place_where_they_part_is_shown() -> None:
    prompts = BASE.prompts["zh"]
    old, new = ({**prompts.prompts, "greeting": "好" * 300 + end} for end in ("甲", "乙"))
    files = [prompts.model_copy(update={"prompts": words}) for words in (old, new)]
    before, after = (BASE.model_copy(update={"prompts": {"zh": file}}) for file in files)
    (one,) = differences(before, after)
    assert one.old.endswith("好甲") and one.new.endswith("好乙") and len(one.new) < 60


def test_a_password_is_not_shown() -> None:
    ((path, before, after),) = _walk((), {"trunks": [{"name": "a", "password": "x"}]},
                                     {"trunks": [{"name": "a", "password": "y"}]})  # fmt: skip
    assert path == ("trunks", 0, "password") and (before, after) == ("x", "y")
    from config.difference import _between

    (one,) = _between("hotline.yaml", {"password": "x"}, {"password": "y"})
    assert (one.old, one.new) == ("***", "***")


leaf = st.none() | st.integers(-3, 3) | st.text("ab", max_size=3)
keyed = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd"), "n": st.integers(0, 2)}), max_size=5
)
tree = st.recursive(
    leaf | keyed, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from("xyz"), below, max_size=3)
    | st.fixed_dictionaries({"trunks": keyed}), max_leaves=12,
)  # fmt: skip


@given(tree, tree)
@settings(max_examples=400, deadline=None)
def test_any_two_trees_differ_exactly_where_something_is_said(one: Any, other: Any) -> None:
    assert list(_walk((), one, copy.deepcopy(one))) == []
    found = list(_walk((), one, other))
    assert bool(found) == (one != other)
    for _path, before, after in found:
        assert before is not ABSENT or after is not ABSENT


@pytest.mark.parametrize("place", [0, 500, 999])
def test_a_roster_of_a_thousand_changes_is_compared_in_no_time(place: int) -> None:
    old = [{"date": f"2027-{1 + n // 28 % 12:02}-{1 + n % 28:02}", "agent": f"{8000 + n}"} for n in range(1000)]
    new = [*old[:place], {"date": "2028-01-01", "agent": "9999"}, *old[place:]]
    assert [path for path, *_ in _walk((), {"changes": old}, {"changes": new})] == [("changes", place)]
