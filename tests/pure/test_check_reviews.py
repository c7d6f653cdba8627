"""reviews.yaml: every mistake has its line, the example has none, and without the file nothing is graded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.load import load, load_settings
from hotline.demo_console import people
from hotline.scenes import CHANGES
from hotline.trial_config import copy_config
from tests.pure.config_play import EXAMPLE, edit, line_of, problems

FILE = "reviews.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "days", "locale")))


def found(folder: Path) -> list[tuple[str, int]]:
    return [(each.code, each.place.line) for each in problems(folder) if each.place.file == FILE]


def test_the_example_is_right_and_may_be_left_out(folder: Path) -> None:
    assert found(folder) == []
    assert load_settings(folder).reviews.forms["service"].points["listen"].steps == 5
    (folder / FILE).unlink()
    assert load(folder).settings.reviews.forms == {}


def test_the_demos_lists_are_for_a_grader_it_has(tmp_path: Path) -> None:
    settings = load_settings(copy_config(tmp_path / "config", tmp_path / "var", CHANGES))
    graders = {grader for plan in settings.reviews.plans.values() for grader in plan.graders}
    assert graders == {name for name, _about, _password in people(settings, tmp_path / "var") if name in graders}
    assert found(tmp_path / "config") == []


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("title: 开场\n        weight: 15", "title: 开场\n        weight: 16", "weights-do-not-add-up", "groups:"),
        ("greeting: {ask: 规范问候，报公司名或工号, weight: 10}", "greeting: {ask: 问候, weight: 9}",
         "weights-do-not-add-up", "weight: 15"),
        ("abuse: 辱骂", "greeting: 辱骂", "point-doubled", "greeting: 辱骂"),
        ("privacy: {ask", "greeting: {ask", "point-doubled", "greeting: {ask: 只问"),
        ("form: service", "form: servce", "unknown-form", "form: servce"),
        ("[admin]", "[admin, admin]", "grader-doubled", "graders:"),
        ("silence: 30", "double: 11", "too-few-graders", "double: 11"),
        ("[complaint]", "[complaints]", "unknown-queue", "all_of_queues:"),
        ("per_agent: 3", "per_agents: 3", "unknown-key", "per_agents:"),
        ("pass_mark: 80", "pass_mark: 800", "out-of-range", "pass_mark:"),
        ("weight: 5, optional: true}", "weight: 5.5, optional: true}", "wrong-type", "hold: {ask"),
        ("    fatal:\n", "    fatal:\n      leak: 甲\n", "duplicate-key", "leak: 泄露"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(folder: Path, old: str, new: str, code: str, at: str) -> None:
    edit(folder, FILE, old, new)
    assert (code, line_of(folder, FILE, at)) in found(folder)


def test_a_form_that_could_be_graded_by_nothing_is_refused(folder: Path) -> None:
    (folder / FILE).write_text(
        "forms: {f: {title: 表, groups: {g: {title: 组, weight: 100, points: "
        "{p: {ask: 问, weight: 100, optional: true}}}}}}\nplans: {empty: {form: f, graders: [a]}}\n",
        encoding="utf-8",
    )
    assert found(folder) == [("all-optional", 1), ("empty-plan", 2)]
