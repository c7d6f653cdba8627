"""``hotline roster check``: what an administrator reads, and what a program gets."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from hotline.preflight import Asked
from tests.pure.cli_play import config_folder, hotline
from tests.pure.proof_play import NOW, ROUND, settings_of

FROM = ("--from", "2027-02-01 09:00", "--days", "14")
ROSTER = """
shifts:
  早班: {from: "06:00", to: "14:00"}
  中班: {from: "14:00", to: "22:00"}
  夜班: {from: "22:00", to: "06:00"}
rules:
  - {shift: 早班, agents: [8001]}
  - {shift: 中班, agents: [8002]}
  - {shift: 夜班, agents: [8003]}
changes:
  - {leave: annual, agent: 8003, date: 2027-02-05}
  - {leave: other, agent: 8004, date: 2027-02-03}
  - {leave: sick, agent: 8001, date: 2026-01-01}
limits: {week: 60, days_in_a_row: 366}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = config_folder(tmp_path)
    (folder / "roster.yaml").write_text(ROSTER, encoding="utf-8")
    return folder


def test_grouped_with_file_and_line_and_what_to_type(config: Path) -> None:
    done = hotline("roster", "check", *FROM, config=config)
    assert done.exit_code == 1
    for said in (
        "2027-02-01 09:00 至 2027-02-15 09:00 的排班", "\n覆盖\n", "\n文件条目\n",
        "roster.yaml:11: changes[0]: 2027-02-05 22:00 – 02-06 06:00，所有队列：须有 1 人，仅 0 人；",
        "仅 0 人；8003 王芳 请假（年假）；无备班。",
        "→ hotline roster extra 8004 2027-02-05 夜班 （当时有空且已休息：8004 陈伟、8005 刘洋、8006 赵静、另 4 人）",
        "8004 陈伟 在 2027-02-03 没有班，无需请假。",
        "1 个错误，1 个警告：未来 14 天已覆盖 97.6 %，5 个队列", "文件中有 1 条变动已过期",
    ):  # fmt: skip
        assert said in done.stdout, said
    titles = ("8001", "8003", "最少", "平均", "最多")
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(titles)]
    assert rows[0][:8] == ["8001", "张敏", "112", "14", "0", "4", "4", "0"]
    assert rows[1][:8] == ["8003", "王芳", "104", "13", "13", "4", "3", "0"]
    assert [row[1] for row in rows[-3:]] == ["104", "109.3", "112"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_fits_80_columns(config: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.show.PIPE_WIDTH", 80)
    done = hotline("roster", "check", "--shares", *FROM, config=config, language=language)  # type: ignore[arg-type]
    table = [line for line in done.stdout.splitlines() if line[:2] in ("80", "──")]
    assert len(table) > 10 and max(map(cell_len, table)) <= 80


def test_a_good_roster(config: Path) -> None:
    (config / "roster.yaml").write_text(ROSTER.replace("date: 2027-02-05", "date: 2027-01-05"), encoding="utf-8")
    done = hotline("roster", "check", *FROM, config=config, language="en")
    assert done.exit_code == 0 and "1 warning: covered 100 % of the next 14 days, 5 queues" in done.stdout
    assert "1 warning" in hotline("roster", "check", *FROM, "--all", config=config, language="en").stdout


def test_for_programs(config: Path) -> None:
    found = json.loads(hotline("roster", "check", *FROM, "--format", "json", config=config).stdout)
    assert found["covered"] == pytest.approx(1 - 8 / (14 * 24))
    gap = next(one for one in found["gaps"] if one["queue"] == "inquiry")
    assert (gap["from"], gap["to"], gap["have"], gap["severity"]) == (
        "2027-02-05T22:00:00+08:00", "2027-02-06T06:00:00+08:00", 0, "error",
    )  # fmt: skip
    assert [(one["code"], one["line"], one["severity"]) for one in found["problems"]] == [
        ("uncovered", 11, "error"), ("change-without-effect", 12, "warning"),
    ]  # fmt: skip
    assert found["spread"]["hours"] == {"least": 104.0, "mean": pytest.approx(109.33, abs=0.01), "most": 112.0}
    rows = list(csv.DictReader(io.StringIO(hotline("roster", "check", *FROM, "--format", "csv", config=config).stdout)))
    assert [row["code"] for row in rows] == ["uncovered", "change-without-effect"]
    done = hotline("roster", "check", *FROM, "--shares", "--format", "csv", config=config)
    shares = {row["agent"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert done.exit_code == 0 and shares["8003"]["nights"] == "13" and shares["8010"]["hours"] == "0.0"


def test_files_that_cannot_be_read_are_refused(config: Path) -> None:
    (config / "roster.yaml").write_text("shifts: 3\n")
    done = hotline("roster", "check", config=config, language="en")
    assert done.exit_code == 1 and "roster.yaml:1" in done.stderr


def test_a_start_is_not_refused_and_a_change_only_by_what_it_makes_worse() -> None:
    gap = {"leave": "sick", "agent": "8003", "date": "2027-01-20"}
    bad = settings_of(ROUND, changes=[gap])
    assert [one.warning for one in Asked(NOW).of(bad)] == [False]
    assert [one.warning for one in Asked(NOW, starting=True).of(bad)] == [True]
    assert [one.warning for one in Asked(NOW, before=bad).of(bad)] == [True]
    worse = settings_of(ROUND, changes=[gap, {**gap, "agent": "8002"}])
    assert sorted(one.warning for one in Asked(NOW, before=bad).of(worse)) == [False, True]
    assert Asked(NOW + dt.timedelta(days=9)).of(bad) == []
