"""``hotline report attendance`` and ``hotline handover`` on a store in which something happened."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest

from calllog import events as ev
from calllog.clock import Clock
from calllog.journal import Journal
from hotline.handover import absences_of
from routing.pattern import Absence
from tests.pure.cli_play import START, config_folder, fill, hotline
from tests.pure.journal_play import new_store

ROSTER = """
shifts:
  行政: {from: "09:00", to: "18:00", breaks: [{from: "12:00", to: "13:00"}]}
rules:
  - {shift: 行政, days: [mon, tue, wed, thu, fri], agents: [8001, 8002]}
changes:
  - {leave: annual, agent: 8002, from: 2026-11-24, to: 2026-11-25, cover: 8003}
requirements: [{queue: inquiry, need: 0}, {queue: complaint, need: 0}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return config_folder(tmp_path)


def at(text: str) -> int:
    return round(dt.datetime.fromisoformat(f"{text}+08:00").timestamp() * 1e6)


async def written(store: Path, events: list[tuple[str, ev.Stream, str, ev.AnyEvent]]) -> None:
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    for when, stream, name, event in events:
        journal.append(stream, name, event, at=at(when))
    await journal.close()


@pytest.fixture
def monday(config: Path, tmp_path: Path) -> Path:
    """Monday the 23rd: 8001 comes at 09:20, is rung and paused, and goes at 18:00; 8002 never comes."""
    (tmp_path / "var").mkdir()
    store = tmp_path / "var" / "hotline.sqlite"
    new_store(tmp_path / "new").rename(store)
    (config / "roster.yaml").write_text(ROSTER, encoding="utf-8")
    asyncio.run(written(store, [
        ("2026-11-23 00:00", "system", "hotline", ev.DaemonStarted(version="1", pid=1)),
        ("2026-11-23 00:00", "roster", "roster", ev.RosterTookEffect(sha256="0" * 64, text=ROSTER)),
        ("2026-11-23 09:20", "agent", "8001", ev.AgentChanged(mode="ready", since=1)),
        ("2026-11-23 10:00", "agent", "8001", ev.AgentChanged(mode="paused", reason="meal")),
        ("2026-11-23 12:00", "agent", "8001", ev.AgentChanged(mode="off")),
        ("2026-11-23 13:00", "agent", "8001", ev.AgentChanged(mode="ready", since=1)),
        ("2026-11-23 18:00", "agent", "8001", ev.AgentChanged(mode="off")),
        ("2026-11-24 00:00", "roster", "roster", ev.RosterTookEffect(sha256="1" * 64, text="shifts: [")),
    ]))  # fmt: skip
    return config


def test_the_report_tells_who_was_late_and_who_did_not_come(monday: Path) -> None:
    said = hotline("report", "attendance", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "json",
                   config=monday)  # fmt: skip
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    rows = {row["agent"]: row for row in found["shifts"]}
    assert (rows["8001"]["late_min"], rows["8001"]["early_min"], rows["8001"]["worked_h"]) == (20, 0, 7.67)
    assert rows["8001"]["arrived"][:16] == "2026-11-23T09:20" and rows["8001"]["left"][11:16] == "18:00"
    assert rows["8002"]["absent"] and not rows["8001"]["absent"]
    people = {row["agent"]: row for row in found["people"]}
    assert (people["8001"]["planned_h"], people["8001"]["late"], people["8002"]["absent"]) == (8.0, 1, 1)
    assert "2026-11-24" in said.stderr  # a roster that cannot be read is named


def test_the_table_is_chinese_and_says_how_its_figures_are_made(monday: Path) -> None:
    said = hotline("report", "attendance", "--month", "2026-11", config=monday)
    assert said.exit_code == 0, said.output
    for words in ("考勤 2026-11-01 至 2026-11-30", "迟到", "20 分钟", "缺勤", "调休结余", "5 分钟"):
        assert words in said.stdout
    alone = hotline("report", "attendance", "--month", "2026-11", "--agent", "8001", config=monday, language="en")
    assert "Shift by shift" in alone.stdout and "8002" not in alone.stdout
    rows = list(csv.DictReader(io.StringIO(
        hotline("report", "attendance", "--month", "2026-11", "--format", "csv", config=monday).stdout)))  # fmt: skip
    assert {row["agent"] for row in rows} <= {"8001", "8002", "8003"} and rows[0]["late_min"] == "20"


@pytest.mark.parametrize("arguments", [
    ["--month", "2026-13"], ["--month", "x"], ["--month", "2026-11", "--from", "2026-11-01"],
    ["--from", "2026-11-02", "--to", "2026-11-01"], ["--from", "2020-01-01", "--to", "2026-01-01"], ["--from", "??"],
])  # fmt: skip
def test_a_period_that_is_none_is_refused(monday: Path, arguments: list[str]) -> None:
    said = hotline("report", "attendance", *arguments, config=monday)
    assert said.exit_code == 2 and "--" in said.stderr


def test_without_a_store_and_for_a_stranger_it_says_so(config: Path, monday: Path, tmp_path: Path) -> None:
    stranger = hotline("report", "attendance", "--month", "2026-11", "--agent", "9999", config=monday)
    assert stranger.exit_code == 1 and "9999" in stranger.stderr
    (tmp_path / "var" / "hotline.sqlite").unlink()
    assert hotline("report", "attendance", config=config).exit_code == 1


def test_the_hand_over_sheet_tells_of_the_shift(config: Path, tmp_path: Path) -> None:
    fill(tmp_path)
    early = ROSTER.replace('from: "09:00", to: "18:00"', 'from: "00:00", to: "08:00"')
    early = early.replace('{from: "12:00", to: "13:00"}', "").replace("days: [mon, tue, wed, thu, fri], ", "")
    (config / "roster.yaml").write_text(early, encoding="utf-8")
    when = dt.datetime.fromtimestamp(START / 1e6, dt.UTC).astimezone().isoformat()
    said = hotline("handover", "--at", when, config=config)
    assert said.exit_code == 0, said.output
    for words in ("交接班表", "交班", "8001", "最长等待", "3 个来电", "语音留言", "数据库故障", "8001 张敏", "接班人",
                  "满意度 100.0% = 满意 1 / 已评价 1"):  # fmt: skip
        assert words in said.stdout, (words, said.stdout)
    found = json.loads(hotline("handover", "--at", when, "--format", "json", config=config).stdout)
    assert [one["agent"] for one in found["going"]] == ["8001", "8002"] and found["coming"] == []
    assert found["calls"] == 3 and found["outcomes"]["answered"] == 1 and found["running"] is False
    assert (found["ratings"]["invited"], found["ratings"]["rated"], found["ratings"]["participation"]) == (1, 1, 1.0)
    assert found["longest_wait"]["call_id"] and len(found["voicemails"]) == 1 and len(found["faults"]) >= 4
    assert hotline("handover", "--format", "csv", config=config).exit_code == 2


def test_hours_of_leave_over_midnight_are_told_once_with_the_date_on_which_they_begin() -> None:
    day, next_day = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
    night = dt.datetime(2026, 11, 23, 22), dt.datetime(2026, 11, 24, 2)
    hours, whole = Absence("8001", "sick", 0, night, "", ""), Absence("8002", "annual", 1, None, "", "")
    both = {"8001": [hours], "8002": [whole]}
    assert absences_of([(day, both), (next_day, both)]) == [(day, hours), (day, whole), (next_day, whole)]


def test_the_hand_over_sheet_tells_who_is_on_leave(config: Path) -> None:
    (config / "roster.yaml").write_text(ROSTER, encoding="utf-8")
    said = hotline("handover", "--at", "2026-11-23 17:00", config=config, language="en")
    assert said.exit_code == 0, said.output
    assert "8002" in said.stdout and "Notes" in said.stdout
    people = said.stdout.partition("People")[2].splitlines()[1:4]
    assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in people}) == 1, people
