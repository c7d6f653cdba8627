"""``hotline agents`` and ``hotline duty``: who is on duty and how they stand, with a daemon and without."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.pure.cli_play import Daemon, config_folder, fill, hotline


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Settings without a store."""
    return config_folder(tmp_path)


def test_agents_beside_a_daemon(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    fill(tmp_path)
    with Daemon(tmp_path / "var") as daemon:
        listed = json.loads(hotline("agents", "--format", "json", config=config).stdout)
        seats = {seat["agent"]: seat for seat in listed}
        assert seats["8001"]["mode"] == "ready" and seats["8001"]["reachable"] is True
        assert seats["8002"]["mode"] == "off" and seats["8002"]["call_id"] == ""
        assert seats["8005"]["reachable"] is False
        done = hotline("agents", "8001", "pause", "吃饭", config=config)
        assert (done.exit_code, done.stdout) == (0, "8001 张敏：示忙（吃饭）\n")
        (asked,) = daemon.asked
        assert asked == {"verb": "agent", "language": "zh", "agent": "8001", "command": "pause", "reason": "吃饭"}
        done = hotline("agents", "8003", "ready", config=config)
        assert (done.exit_code, done.stderr) == (1, "8003 不在当班。\n")


# --- duty -------------------------------------------------------------------------------------------------------------


def test_duty(empty: Path) -> None:
    done = hotline("duty", "--at", "2026-02-16T19:00Z", config=empty)
    assert "2026-02-17 03:00:00" in done.stdout and "Asia/Shanghai" in done.stdout
    assert "星期二，法定节假日（春节）" in done.stdout
    assert re.search(r"8007\s+孙磊\s+夜班\s+主班\s+02-16 22:00\s+06:00\s+8007\s+咨询", done.stdout)
    found = json.loads(hotline("duty", "--at", "2026-02-17 03:00", "--format", "json", config=empty).stdout)
    assert (found["day"], found["holiday"]) == ("festival", "春节")
    assert {(one["line"], *one["rings"]) for one in found["on_duty"]} == {("first", "8007"), ("first", "8008")}
    assert found["timezone"] == "Asia/Shanghai" and [one["agent"] for one in found["on_duty"]] == ["8007", "8008"]
    business = next(queue for queue in found["queues"] if queue["queue"] == "business")
    assert business["next_at"] == "2026-02-17T06:00:00+08:00" and business["next"] == ["8003", "8004"]


def test_nobody_on_duty(empty: Path) -> None:
    (empty / "roster.yaml").write_text(
        'shifts: {早班: {from: "06:00", to: "14:00"}}\n'
        "rules: [{shift: 早班, days: [mon], agents: [8001], from: 2030-01-01}]\n"
    )
    for language, said in (("zh", "无人当班。"), ("en", "Nobody is on duty.")):
        done = hotline("duty", config=empty, language="zh" if language == "zh" else "en")
        assert done.exit_code == 0 and said in done.stdout


def test_duty_on_a_break_and_outside_the_service_hours(empty: Path) -> None:
    (empty / "roster.yaml").write_text(
        'shifts: {行政: {from: "09:00", to: "18:00", breaks: [{from: "12:00", to: "13:00"}]},'
        ' 夜备: {from: "18:00", to: "09:00", backup: true}}\n'
        "rules: [{shift: 行政, agents: [8001, 8002]}, {shift: 夜备, agents: [8003]}]\n"
        "changes: [{leave: annual, agent: 8002, date: 2026-11-25}]\n"
    )
    queues = (empty / "queues.yaml").read_text(encoding="utf-8")
    hours = 'skill: business, hours: [{days: [workday], from: "08:00", to: "12:00"}]'
    (empty / "queues.yaml").write_text(queues.replace("skill: business", hours, 1), encoding="utf-8")
    found = json.loads(hotline("duty", "--at", "2026-11-25 12:30", "--format", "json", config=empty).stdout)
    assert [(one["agent"], one["break_until"]) for one in found["on_duty"]] == [("8001", "2026-11-25T13:00:00+08:00")]
    assert [queue["queue"] for queue in found["queues"] if queue["closed"]] == ["business"]
    said = hotline("duty", "--at", "2026-11-25 12:30", config=empty).stdout
    assert "休息至 13:00" in said and "非服务时间，11-26 08:00 恢复" in said and "无人  " in said
    night = json.loads(hotline("duty", "--at", "2026-11-25 20:00", "--format", "json", config=empty).stdout)
    assert [(one["agent"], one["line"]) for one in night["on_duty"]] == [("8003", "backup")]
