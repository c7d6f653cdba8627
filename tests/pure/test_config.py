"""What an operator writes: the example works, every mistake has its file, line, key and advice."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from config.catalogue import set_language
from config.load import Loaded, load, load_settings
from config.problems import Refused
from config.tree import composed
from tests.pure.config_mistakes import MISTAKES
from tests.pure.config_play import EXAMPLE, NAMES, edit, line_of, problems


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


def test_example_loads_without_any_warning() -> None:
    loaded: Loaded = load(EXAMPLE)
    assert loaded.warnings == []
    assert loaded.settings.hotline.company == "示例公司"
    assert loaded.settings.hotline.numbers == ("4001234567",)
    assert loaded.settings.hotline.emergency_number == "02112345678"
    assert loaded.settings.agents.agents["8001"].name == "张敏"
    assert loaded.settings.menu.menus["main"].options["*"].repeat
    assert str(loaded.settings.roster.shifts["夜班"].end) == "06:00:00"
    assert load_settings(EXAMPLE) == loaded.settings


def test_example_survives_the_round_trip_of_an_edit(tmp_path: Path) -> None:
    for name in NAMES:
        text = (EXAMPLE / name).read_text(encoding="utf-8")
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 200
        yaml.indent(mapping=2, sequence=4, offset=2)
        with (tmp_path / name).open("w", encoding="utf-8") as file:
            yaml.dump(yaml.load(text), file)
        assert comments((tmp_path / name).read_text(encoding="utf-8")) == comments(text), name
    assert load(tmp_path).settings == load(EXAMPLE).settings


def comments(text: str) -> list[str]:
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def test_places(folder: Path) -> None:
    places = load(folder).places
    place = places.place("agents.yaml", "agents.8003.devices[0].sip")
    assert (place.file, place.line) == ("agents.yaml", line_of(folder, "agents.yaml", "8003:"))
    assert places.place("hotline.yaml", "times.ring").line == line_of(folder, "hotline.yaml", "ring: 20")
    assert places.place("hotline.yaml", "asterisk.application").line == line_of(
        folder, "hotline.yaml", "asterisk:"
    )
    assert places.place("nowhere.yaml", "x").line == 0


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('shifts:\n  早班: {from: "06:00", to: "14:0', 2, "没有结束"),
        ("shifts:\n  早班: {from: 1,\n", 2, "没有结束"),
        ("shifts:\n  早班：{from: 1, to: 2}\n", 2, "全角"),
        ("shifts：\n  早班: {from: 1}\n", 1, "全角"),
        ("shifts:\n  早班: {from: 1， to: 2}\n", 2, "全角"),
        ("shifts:\n\t早班: {from: 1}\n", 2, "制表符"),
        ("shifts:\n  早班: {from: 1 to: 2}\n", 2, "冒号"),
        ("shifts:\n  早班: [1 2\nrules: 3\n", 3, ""),
        ("shifts:\n    a: 1\n  b: 2\n", 3, "缩进"),
        ("shifts:\n  a: @x\n", 2, "引号"),
        ("shifts:\n  a: - 1\n", 2, ""),
        ('shifts: "a\\q"\n', 1, ""),
        ("shifts\nrules: 3\n", 2, ""),
        ("changes:\n  - leave：sick\n    agent: 8003\n", 2, "全角"),
    ],
)
def test_what_is_wrong_with_the_yaml_is_told_in_chinese(text: str, line: int, words: str) -> None:
    set_language("zh")
    tree, _node = composed("roster.yaml", text)
    (problem,) = tree.problems
    assert problem.place.line == line and words in problem.what + problem.fix, problem
    assert not re.search(r"expected|found|while|[a-z]{8}", problem.what + problem.fix), problem


@pytest.mark.parametrize(("name", "old", "new", "code", "key", "words"), MISTAKES)
def test_a_mistake(folder: Path, name: str, old: str, new: str, code: str, key: str, words: str) -> None:
    line = line_of(folder, name, old)
    edit(folder, name, old, new)
    found = [problem for problem in problems(folder) if problem.code == code]
    assert found, problems(folder)
    problem = found[0]
    assert problem.place.file == name and problem.place.key == key
    assert words in f"{problem.what} {problem.fix}"
    missing_here = code in ("key-missing",)
    later = code in ("duplicate-key", "change-doubled")
    if not missing_here and not later:
        assert problem.place.line == line
    assert problem.place.line > 0 or missing_here


def test_everything_that_is_doubled_is_found(folder: Path) -> None:
    edit(folder, "agents.yaml", "8002: {", "8001: {")
    edit(folder, "agents.yaml", "8004: {", "8003: {")
    found = [problem for problem in problems(folder) if problem.code == "duplicate-key"]
    assert [problem.place.line for problem in found] == [7, 9]


def test_all_mistakes_of_all_files_at_once(folder: Path) -> None:
    edit(folder, "hotline.yaml", "company: 示例公司", "compony: 示例公司")
    edit(folder, "hotline.yaml", "port: 5060", "port: x")
    edit(folder, "menu.yaml", "queue: inquiry", "queue: enquiry")
    edit(folder, "queues.yaml", "priority: 2", "priority: high")
    edit(folder, "roster.yaml", "shift: 行政, days", "shift: 晚班, days")
    edit(folder, "agents.yaml", "8002: {", "8001: {")
    (folder / "prompts.zh.yaml").write_text("prompts: {\n")
    found = {(problem.code, problem.place.file) for problem in problems(folder)}
    assert found >= {
        ("unknown-key", "hotline.yaml"),
        ("key-missing", "hotline.yaml"),
        ("wrong-type", "hotline.yaml"),
        ("wrong-type", "queues.yaml"),
        ("unknown-shift", "roster.yaml"),
        ("duplicate-key", "agents.yaml"),
        ("yaml-syntax", "prompts.zh.yaml"),
    }


def test_wrong_and_right_key_together(folder: Path) -> None:
    edit(folder, "hotline.yaml", "company: 示例公司", "company: 示例公司\ncompanny: x")
    (problem,) = problems(folder)
    assert problem.code == "unknown-key" and "mean company" not in problem.fix


def test_24_00_is_midnight(folder: Path) -> None:
    edit(folder, "roster.yaml", 'to: "22:00"', "to: 24:00")
    assert str(load(folder).settings.roster.shifts["中班"].end) == "00:00:00"


def test_problems_are_in_chinese_when_asked(folder: Path) -> None:
    edit(folder, "hotline.yaml", "company: 示例公司", "compony: 示例公司")
    set_language("zh")
    try:
        assert "此处没有名为 compony 的设置。是不是 company？" in str(Refused(problems(folder)))
    finally:
        set_language("en")
