"""Warnings reach log, journal and hook; nothing of the hook holds up or floods anybody."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import hotline.alerts
from calllog.events import Alarm
from config.load import load_settings
from config.settings import Settings
from hotline.alert_words import alert_words
from hotline.alerts import MOST, QUIET, Alert, Alerts, Bound, post, run_command

NOW = dt.datetime(2026, 11, 25, 14, 0, tzinfo=dt.UTC)
PARAMS = {"agent": "8001", "why": "off"}
WARNING = Alert("agent_missing", "夜班\n未签到", "2026-11-25T22:10:00+08:00", "公司", "h", PARAMS)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; it says so to nobody."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def dead(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"


class Journal:
    """Keeps what is appended."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, Any]] = []

    def append(self, stream: Any, stream_id: str, event: Any, **rest: Any) -> None:
        self.said.append((stream, stream_id, event))

    async def commit(self, *args: Any, **rest: Any) -> None:
        raise AssertionError("nothing waits for a warning")


def settings(**hook: Any) -> Settings:
    found = load_settings(Path("config"))
    alerts = found.hotline.alerts.model_copy(update=hook)
    return found.model_copy(update={"hotline": found.hotline.model_copy(update={"alerts": alerts})})


def told(of: Settings, steady: list[float]) -> tuple[Alerts, Journal]:
    journal = Journal()
    return Alerts(journal, lambda: of, lambda: NOW, lambda: steady[0]), journal


def test_the_same_warning_is_told_once_in_a_while_and_then_says_how_often_it_came() -> None:
    steady = [0.0]
    alerts, journal = told(settings(), steady)
    for second in range(100):
        steady[0] = float(second)
        alerts.alert("waiting_unserved", queue="complaint", waiting=second, longest=second)
    alerts.alert("waiting_unserved", queue="inquiry", waiting=1, longest=30)
    steady[0] = QUIET
    alerts.alert("waiting_unserved", queue="complaint", waiting=9, longest=900)
    assert [event.what for _, _, event in journal.said] == [
        "queue complaint, waiting 0, longest 0",
        "queue inquiry, waiting 1, longest 30",
        "queue complaint, waiting 9, longest 900, again 99",
    ]
    assert all(isinstance(event, Alarm) and stream == "system" for stream, _, event in journal.said)


def test_many_warnings_of_a_kind_reach_the_hook_only_so_often() -> None:
    bound = Bound()
    assert [bound.send("x", 0.0) for _ in range(MOST + 5)] == [True] * MOST + [False] * 5
    assert bound.send("y", 0.0) and bound.send("x", QUIET)


async def test_the_command_gets_the_warning_as_json_and_in_its_environment(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read()"
        " + '\\n'.join(sorted(f'{k}={v}' for k, v in os.environ.items() if 'HOTLINE_ALERT' in k)).encode())"
    )
    said = tmp_path / "said; echo $HOME"  # no shell reads this
    assert await run_command((sys.executable, "-c", code, str(said)), WARNING) == ""
    text = said.read_text("utf-8").splitlines()
    assert json.loads(text[0])["params"] == {"agent": "8001", "why": "off"}
    assert json.loads(text[0])["text"] == "夜班\n未签到"
    assert "HOTLINE_ALERT_TEXT=夜班 未签到" in text and "HOTLINE_ALERT_AGENT=8001" in text


async def test_a_command_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hotline.alerts, "COMMAND_TIME", 0.5)
    pid = tmp_path / "pid"
    assert "took longer" in await run_command(("sh", "-c", f"sleep 600 & echo $! > {pid}; wait"), WARNING)
    child = int(pid.read_text())
    await until(lambda: dead(child))


async def test_a_command_that_fails_says_why() -> None:
    assert "No such file" in await run_command(("/nowhere/at/all",), WARNING)
    assert await run_command(("sh", "-c", "exit 3"), WARNING) == "sh ended with status 3"
    assert await run_command(("true",), WARNING) == ""


async def test_the_address_gets_json_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotline.alerts, "TRIES", (0.0, 0.0, 0.0))
    got: list[Any] = []
    answers = [503, 200, 404, 302]

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=answers[len(got) - 1], headers={"Location": "/"})

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        assert await post(url, WARNING) == "" and len(got) == 2
        assert await post(url, WARNING) == f"{url}: HTTP 404" and len(got) == 3  # no use in trying again
        assert await post(url, WARNING) == f"{url}: HTTP 302" and len(got) == 4
        assert got[0]["code"] == "agent_missing" and got[0]["company"] == "公司"
    finally:
        await runner.cleanup()
    assert url in await post(url, WARNING)  # nobody is there


async def test_a_hook_that_fails_holds_the_next_one_up_only_for_its_time(tmp_path: Path) -> None:
    said = tmp_path / "said"
    steady = [0.0]
    alerts, _journal = told(settings(command=("sh", "-c", f"cat >> {said}; exit 1")), steady)
    running = asyncio.create_task(alerts.run())
    alerts.alert("uncovered", queue="complaint")
    alerts.alert("agent_missing", agent="8001", shift="夜班", begins="2026-11-25T22:00:00+08:00", why="off")
    await until(lambda: said.exists() and said.read_text("utf-8").count("\n") == 2)
    running.cancel()
    lines = [json.loads(line) for line in said.read_text("utf-8").splitlines()]
    assert [line["code"] for line in lines] == ["uncovered", "agent_missing"]
    assert "夜班" in lines[1]["text"] and "尚未签到" in lines[1]["text"] and "11-25 22:00" in lines[1]["text"]


@pytest.mark.parametrize("code", [
    "gap_ahead", "gap_now", "agent_missing", "waiting_unserved", "uncovered", "roll_call_missed", "backup_woken",
    "no_backup_woken", "last_agent_missed", "of_another_version",
])  # fmt: skip
def test_every_warning_has_words_whatever_its_parameters(code: str) -> None:
    assert alert_words(code, {}, settings())
    assert alert_words(code, {"agent": "x", "queue": "?", "begins": "never", "again": 2}, settings())
