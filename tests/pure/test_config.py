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


# One mistake: file, what stands there, what is written instead, the problem's code, key and words.
MISTAKES = [
    (
        "hotline.yaml",
        "company: 示例公司",
        "compony: 示例公司",
        "unknown-key",
        "compony",
        "Did you mean company?",
    ),
    ("hotline.yaml", "company: 示例公司", "company:", "value-missing", "company", "after the colon"),
    ("hotline.yaml", "company: 示例公司", "company: [a, b]", "wrong-type", "company", "Write text"),
    ("hotline.yaml", "company: 示例公司", "company: true", "wrong-type", "company", "quotes"),
    ("hotline.yaml", "company: 示例公司", 'company: "a\\nb"', "wrong-form", "company", "one line"),
    ("hotline.yaml", "company: 示例公司", "company: " + "长" * 61, "too-long", "company", "At most 60"),
    ("hotline.yaml", "numbers: [4001234567]", "numbers: []", "too-few", "numbers", "at least one"),
    ("hotline.yaml", "numbers: [4001234567]", "numbers: 4001234567", "wrong-type", "numbers", "a list"),
    (
        "hotline.yaml",
        "numbers: [4001234567]",
        "numbers: [400-123]",
        "wrong-form",
        "numbers[0]",
        "2 to 20 digits",
    ),
    ("hotline.yaml", "[4001234567]", "[4001234567, 4001234567]", "number-doubled", "numbers[1]", "twice"),
    (
        "hotline.yaml",
        "timezone: Asia/Shanghai",
        "timezone: Shanghai",
        "unknown-time-zone",
        "timezone",
        "Asia/Shanghai",
    ),
    ("hotline.yaml", "language: zh", "language: cn", "wrong-value", "language", "Known: zh, en."),
    ("menu.yaml", "language: en}", "language: x}", "wrong-value", "menus.main.options.9.language", "en"),
    ("menu.yaml", "{language: en, prompt", "{prompt", "key-missing", "menus.main.offers[0].language", "example"),
    ("menu.yaml", "prompt: menu_language", "prompt: menu_langage", "prompt-without-text",
     "menus.main.offers[0].prompt", "menu_language"),
    ("hotline.yaml", "# apology_languages: [zh, en]", "apology_languages: [zh, cn]", "wrong-value",
     "apology_languages[1]", "Known: zh, en."),
    ("hotline.yaml", "port: 5060", "port: 70000", "out-of-range", "asterisk.sip.port", "at most 65535"),
    ("hotline.yaml", "port: 5060", "port: true", "wrong-type", "asterisk.sip.port", "a number"),
    ("hotline.yaml", "port: 5060", "port: 50.5", "wrong-type", "asterisk.sip.port", "whole number"),
    (
        "hotline.yaml",
        "bind: 127.0.0.1",
        "bind: 127.0.0.300",
        "wrong-address",
        "asterisk.sip.bind",
        "IP address",
    ),
    (
        "hotline.yaml",
        "127.0.0.1:5070",
        "127.0.0.1:99999",
        "wrong-address",
        "trunks[0].addresses[0]",
        "host name",
    ),
    ("hotline.yaml", "127.0.0.1:5070", "a b;c", "wrong-address", "trunks[0].addresses[0]", "host name"),
    ("hotline.yaml", "127.0.0.1:5070", "10.0.0.0/40", "wrong-address", "trunks[0].addresses[0]", "network"),
    (
        "hotline.yaml",
        "codecs: [alaw, ulaw]",
        "codecs: [alow]",
        "wrong-value",
        "trunks[0].codecs[0]",
        "mean alaw?",
    ),
    ("hotline.yaml", "ring: 20", "ring: soon", "wrong-type", "times.ring", "Write a number"),
    ("hotline.yaml", "ring: 20", "ring: 0", "out-of-range", "times.ring", "at least 0.1"),
    ("hotline.yaml", "ring: 20", "ring: nan", "out-of-range", "times.ring", "at least"),
    ("hotline.yaml", "ring: 20", "ring: true", "wrong-type", "times.ring", "Write a number"),
    ("hotline.yaml", "enabled: true", "enabled: maybe", "wrong-type", "recording.enabled", "true or false"),
    (
        "hotline.yaml",
        "first: 10000, last: 10999",
        "first: 9999, last: 9000",
        "ports-reversed",
        "asterisk.rtp.last",
        "Exch",
    ),
    ("hotline.yaml", "last: 10999", "last: 10003", "ports-too-few", "asterisk.rtp.last", "at least 8"),
    (
        "hotline.yaml",
        "ami_port: 5038",
        "ami_port: 8088",
        "port-doubled",
        "asterisk.ami_port",
        "asterisk.ari_port",
    ),
    (
        "hotline.yaml",
        "ari_port: 8088",
        "ari_port: 10500",
        "port-doubled",
        "asterisk.ari_port",
        "10000 to 10999",
    ),
    ("hotline.yaml", "emergency_number: 02112345678", "# none", "key-missing", "emergency_number", "Add it"),
    (
        "hotline.yaml",
        "02112345678",
        "4001234567",
        "emergency-is-hotline",
        "emergency_number",
        "hotline itself",
    ),
    (
        "menu.yaml",
        "queue: complaint",
        "queue: complain",
        "unknown-queue",
        "menus.main.options.2.queue",
        "mean complaint?",
    ),
    (
        "menu.yaml",
        "person_queue: person",
        "person_queue: nobody",
        "unknown-queue",
        "person_queue",
        "Known: inquiry",
    ),
    (
        "menu.yaml",
        "prompt: menu_main",
        "prompt: menu_mian",
        "prompt-without-text",
        "menus.main.prompt",
        "mean menu_main?",
    ),
    ("menu.yaml", '"1": {', '"11": {', "wrong-form", "menus.main.options.11", "key of a telephone"),
    ("menu.yaml", '"1": {', '"2": {', "duplicate-key", "menus.main.options.2", "twice"),
    ("menu.yaml", '"*": {', "*: {", "yaml-syntax", "", "quotes"),
    (
        "menu.yaml",
        "repeat: true",
        "repaet: true",
        "unknown-key",
        "menus.main.options.*.repaet",
        "mean repeat?",
    ),
    (
        "queues.yaml",
        "label: 咨询, skill: inquiry",
        "skill: inquiry",
        "key-missing",
        "queues.inquiry.label",
        "Add it",
    ),
    (
        "queues.yaml",
        "skill: business",
        "skill: bussiness",
        "skill-without-agent",
        "queues.business.skill",
        "mean business?",
    ),
    ("queues.yaml", "priority: 2", "priority: 10", "out-of-range", "queues.complaint.priority", "at most 9"),
    ("agents.yaml", '[{sip: "8001"}]', "[]", "too-few", "agents.8001.devices", "at least one"),
    ("agents.yaml", ', devices: [{sip: "8001"}]', "", "key-missing", "agents.8001.devices", "Add it"),
    (
        "agents.yaml",
        '{sip: "8002"}',
        '{sip: "8001"}',
        "account-doubled",
        "agents.8002.devices[0].sip",
        "agent 8001",
    ),
    (
        "agents.yaml",
        '{sip: "8002"}',
        "{sip: carrier}",
        "account-doubled",
        "agents.8002.devices[0].sip",
        "trunk carrier",
    ),
    ("agents.yaml", '{sip: "8002"}', '{sip: "80 02"}', "wrong-form", "agents.8002.devices[0].sip", "letters"),
    ("agents.yaml", "8002: {", "8001: {", "duplicate-key", "agents.8001", "first is in line 6"),
    ("agents.yaml", "8002: {", "8: {", "wrong-form", "agents.8", "2 to 12 digits"),
    (
        "agents.yaml",
        "[business], dev",
        "[busines], dev",
        "skill-without-queue",
        "agents.8011.skills[0]",
        "mean business?",
    ),
    ("roster.yaml", "甲班: [8001, 8002]", "甲班: [8001, 8099]", "unknown-agent", "teams.甲班[1]", "Did you mean"),
    ("roster.yaml", "甲班: [8001, 8002]", "甲班: [8001, 8001]", "agent-doubled", "teams.甲班[1]", "twice"),
    ("roster.yaml", "甲班: [8001, 8002]", "甲班: [8001, 80 01]", "wrong-form", "teams.甲班[1]", "2 to 12 digits"),
    ("roster.yaml", "8003, 8004]", "8003, {agent: 8004, from: 2027-03-01, to: 2027-02-28}]", "dates-reversed",
     "teams.乙班[1]", "oth days are included"),
    ("roster.yaml", "8003, 8004]", "8003, {agent: 8004, to: 2027-02-29}]", "wrong-date", "teams.乙班[1].to", "exists"),
    ("roster.yaml", "8003, 8004]", "8003, {agent: 8004, till: 2027-02-28}]", "unknown-key", "teams.乙班[1].till",
     "no setting"),
    ("roster.yaml", "中班, 中班, 夜班, 夜班, 休", "中班, 中班, 夜班, 晚班, 休", "unknown-shift",
     "rotations.四班三运转.cycle[5]",
     "Known: 早班, 中班, 夜班"),
    ("roster.yaml", "{甲班: 1, 乙班", "{甲般: 1, 乙班", "unknown-team", "rotations.四班三运转.teams.甲般",
     "Known: 甲班, 乙班"),
    ("roster.yaml", "{甲班: 1, 乙班", "{甲班: 9, 乙班", "cycle-day", "rotations.四班三运转.teams.甲班", "no day 9"),
    ("roster.yaml", "{甲班: 1, 乙班", "{甲班: 0, 乙班", "out-of-range", "rotations.四班三运转.teams.甲班",
     "at least 1"),
    ("roster.yaml", "start: 2026-01-01", "start: 2026-01-32", "wrong-date", "rotations.四班三运转.start", "exists"),
    ("roster.yaml", "shift: 行政, days: [workday]", "shift: 行证, days: [workday]", "unknown-shift", "rules[0].shift",
     "Known: 早班"),
    ("roster.yaml", "[workday], teams: [白班组]", "[workday], teams: [白班]", "unknown-team", "rules[0].teams[0]",
     "mean 白班组?"),
    ("roster.yaml", "[workday], teams: [白班组]", "[workday]", "rule-without-people", "rules[0]", "Name teams"),
    ("roster.yaml", "days: [mon], not_on", "days: [mon, mon], not_on", "day-doubled", "rules[1].days[1]", "twice"),
    ("roster.yaml", "days: [mon], not_on", "days: [monday], not_on", "wrong-value", "rules[1].days[0]", "mean mon?"),
    ("roster.yaml", "days: [workday]", "days: [workdays]", "wrong-value", "rules[0].days[0]", "mean workday?"),
    ("roster.yaml", "agents: [8009, 8010]", "agents: [8009, 8009]", "agent-doubled", "rules[1].agents[1]", "twice"),
    ("roster.yaml", "days: [mon], not_on", "from: 2026-03-02, to: 2026-03-01, days: [mon], not_on", "dates-reversed",
     "rules[1].to", "before it begins"),
    ("roster.yaml", "rules:", "weekly:", "unknown-key", "weekly", "weekly is called rules now"),
    ("roster.yaml", '夜班: {from: "22:00"', "夜班: {from: 2200", "wrong-time", "shifts.夜班.from", "HH:MM"),
    ("roster.yaml", '夜班: {from: "22:00"', "夜班: {from: 25:00", "wrong-time", "shifts.夜班.from", "HH:MM"),
    ("roster.yaml", '夜班: {from: "22:00", to: "06:00"', '夜班: {from: "22:00"', "shift-unclear", "shifts.夜班",
     "length"),
    ("roster.yaml", '夜班: {from: "22:00", to: "06:00"', '夜班: {from: "22:00", to: "06:00", length: "8:00"',
     "shift-unclear", "shifts.夜班", "either to or length"),
    ("roster.yaml", '夜班: {from: "22:00", to: "06:00"', '夜班: {from: "22:00", length: "73:00"', "wrong-time",
     "shifts.夜班.length", "72:00"),
    ("roster.yaml", "short: 夜", "short: 早", "short-doubled", "shifts.夜班.short", "already means the shift 早班"),
    ("roster.yaml", "color: blue", "color: red", "wrong-value", "shifts.夜班.color", "Known: amber"),
    ("roster.yaml", "color: blue", "ring: [moble]", "unknown-device", "shifts.夜班.ring[0]", "Known: desk"),
    ("roster.yaml", '[{from: "12:00", to: "13:00"}]', '[{from: "17:30", to: "18:30"}]', "break-outside",
     "shifts.行政.breaks[0]", "17:30 – 18:30"),
    ("roster.yaml", "  夜班: {from", "  休: {from", "shift-name", "shifts.休", "another name"),
    ("roster.yaml", "from: 2027-02-17", "from: 2027-02-30", "wrong-date", "changes[0].from", "exists"),
    ("roster.yaml", "from: 2027-02-17", "from: 20270217", "wrong-date", "changes[0].from", "with a time or without"),
    ("roster.yaml", "from: 2027-02-17", "from: 2027-02-20", "dates-reversed", "changes[0].to", "2027-02-19"),
    ("roster.yaml", "from: 2027-02-17, ", "", "dates-missing", "changes[0]", "only one"),
    ("roster.yaml", "from: 2027-02-17", "date: 2027-02-16, from: 2027-02-17", "dates-unclear", "changes[0]", "as well"),
    ("roster.yaml", "from: 2027-02-17", "from: 2027-02-17 14:00", "times-unclear", "changes[0]", "the other has"),
    ("roster.yaml", "from: 2027-02-17, to: 2027-02-19", "from: 2027-02-17 14:00, to: 2027-02-17 12:00",
     "dates-reversed", "changes[0].to", "moment"),
    ("roster.yaml", "leave: annual", "leave: anual", "wrong-value", "changes[0].leave", "mean annual?"),
    ("roster.yaml", "leave: annual", "leave: 婚假", "wrong-value", "changes[0].leave", "年假, 病假, 事假"),
    ("roster.yaml", "cover: 8009", "cover: 王芳", "wrong-form", "changes[1].cover", "number of 王芳 is 8003"),
    ("roster.yaml", "cover: 8009", "cover: 王大锤", "wrong-form", "changes[1].cover", "2 to 12 digits"),
    ("roster.yaml", "color: blue", "color：blue", "unknown-key", "shifts.夜班.color：blue", "half-width :"),
    ("roster.yaml", "short: 夜, ", "short: 夜，", "yaml-syntax", "", "full-width sign “，”"),
    ("roster.yaml", "leave: annual, agent: 8011, ", "leave: annual，agent：8011，", "yaml-syntax", "", "full-width"),
    ("roster.yaml", "leave: annual, agent: 8011, ", "leave: annual，agent：8011, ", "wrong-value", "changes[0].leave",
     "full-width"),
    ("roster.yaml", "{leave: annual, agent", "{agent", "change-unclear", "changes[0]", "must say"),
    ("roster.yaml", "leave: annual", "leave: annual, off: true", "change-unclear", "changes[0]", "leave, off"),
    ("roster.yaml", "leave: annual", "off: false", "change-unclear", "changes[0]", "must say"),
    ("roster.yaml", "leave: annual", "shifts: []", "change-unclear", "changes[0].shifts", "off: true"),
    ("roster.yaml", "leave: annual", "extra: 晚班", "unknown-shift", "changes[0].extra", "Known: 早班"),
    ("roster.yaml", "leave: annual", "shifts: [早班, 早班]", "shift-doubled", "changes[0].shifts[1]", "twice"),
    ("roster.yaml", "leave: annual", "team: 戊班", "unknown-team", "changes[0].team", "班"),
    ("roster.yaml", "leave: annual, agent: 8011", "leave: annual", "agent-missing", "changes[0]", "Add agent"),
    ("roster.yaml", "leave: annual, agent: 8011", "leave: annual, agent: 8111", "unknown-agent", "changes[0].agent",
     "mean 8011?"),
    ("roster.yaml", "leave: annual, agent: 8011, from: 2027-02-17, to: 2027-02-19", "swap: {8001: 2027-02-06}",
     "swap-unclear", "changes[0].swap", "here are 1"),
    ("roster.yaml", "leave: annual, agent: 8011, from: 2027-02-17, to: 2027-02-19",
     "swap: {8001: 2027-02-06, 8003: 2027-02-06, 8005: 2027-02-06}", "swap-unclear", "changes[0].swap", "here are 3"),
    ("roster.yaml", "leave: annual, agent: 8011, from: 2027-02-17, to: 2027-02-19",
     "agent: 8001, swap: {8001: 2027-02-06, 8005: 2027-02-08}", "swap-unclear", "changes[0].agent", "in itself"),
    ("roster.yaml", "leave: annual, agent: 8011, from: 2027-02-17, to: 2027-02-19",
     "swap: {8001: 2027-02-06, 8099: 2027-02-08}", "unknown-agent", "changes[0].swap.8099", "Did you mean"),
    ("roster.yaml", "cover: 8009", "cover: 8001", "cover-unclear", "changes[1].cover", "their own"),
    ("roster.yaml", "cover: 8009", "cover: 8099", "unknown-agent", "changes[1].cover", "Did you mean"),
    ("roster.yaml", "leave: sick, agent: 8001", "extra: 早班, agent: 8001", "cover-unclear", "changes[1].cover",
     "leave"),
    ("roster.yaml", "leave: sick, agent: 8001, date: 2026-12-11", "leave: sick, agent: 8011, date: 2027-02-18",
     "change-doubled", "changes[1]", "the other is changes[0]"),
    ("roster.yaml", "is: holiday", "is: holliday", "wrong-value", "calendar[0].is", "mean holiday?"),
    ("roster.yaml", "to: 2027-02-11, is", "to: 2037-02-11, is", "calendar-too-long", "calendar[0]", "year"),
    ("roster.yaml", "to: 2027-02-11, is", "to: 2027-02-08, is", "dates-reversed", "calendar[0].to", "before"),
    ("prompts.zh.yaml", "speed: 160", "speed: 10", "out-of-range", "speed", "at least 80"),
    ("prompts.zh.yaml", "greeting: ", "Greeting: ", "wrong-form", "prompts.Greeting", "small letters"),
]


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
