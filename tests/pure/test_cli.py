"""The ``hotline`` command on settings and a store of its own: what it prints, and the status it ends with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import threading
from pathlib import Path

import pytest

from calllog.errors import StoreError
from hotline import cli_run, control
from tests.pure.cli_play import AWAY, HIDDEN, SERVED, config_folder, fill, hotline
from tests.pure.journal_play import tamper

LISTINGS = [("calls",), ("call", SERVED), ("agents",), ("recordings", "list"), ("duty", "--at", "2026-02-06 03:00")]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings with a store in which everything happened; read only."""
    folder = tmp_path_factory.mktemp("hotline")
    config = config_folder(folder)
    fill(folder)
    return config


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Settings without a store."""
    return config_folder(tmp_path)


# --- listings ---------------------------------------------------------------------------------------------------------


def test_calls(filled: Path) -> None:
    done = hotline("calls", config=filled)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == [each.removeprefix("hotline-") for each in (HIDDEN, AWAY, SERVED)]
    assert re.search(r"02-06 04:00\s+13800001111\s+=王\[red\]芳\s+投诉\s+8002\s+2\s+0:27\s+1:05\s+已接通\s+●", lines[4])
    assert "匿名" in lines[2] and "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--outcome", "answered"], [SERVED]),
        (["--outcome", "已接通"], [SERVED]),
        (["--agent", "8002"], [SERVED]),
        (["--number", "138-0000"], [SERVED]),
        (["--since", "2026-02-06 04:01", "--until", "2026-02-06 04:03"], [AWAY]),
        (["--limit", "1"], [HIDDEN]),
        (["--until", "2020-01-01"], []),
    ],
)
def test_calls_narrowed(filled: Path, arguments: list[str], expected: list[str]) -> None:
    done = hotline("calls", *arguments, "--format", "json", config=filled)
    assert [call["call_id"] for call in json.loads(done.stdout)] == expected


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: " ".join(listing[:2]))
def test_every_listing_in_every_form(filled: Path, listing: tuple[str, ...], language: str) -> None:
    for form in ("table", "json", "csv"):
        done = hotline(*listing, "--format", form, config=filled, language="zh" if language == "zh" else "en")
        assert done.exit_code == 0, done.output
        assert "\x1b" not in done.stdout
        if form == "json":
            assert json.loads(done.stdout)
        if form == "csv":
            rows = list(csv.reader(io.StringIO(done.stdout)))
            assert len(rows) > 1 and len({len(row) for row in rows}) == 1
            assert all(row[0].isascii() for row in rows) and rows[0][0] in ("call_id", "agent", "seq")


def test_a_name_is_no_formula_in_csv(filled: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(hotline("calls", "--agent", "8002", "--format", "csv", config=filled).stdout))
    assert row["name"] == "'=王[red]芳" and row["number"] == "+8613800001111"
    assert row["waited_s"] == "27.1" and row["talked_s"] == "65.0" and row["recorded"] == "1"


def test_lines_fit_80_columns(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("hotline.show.PIPE_WIDTH", 80)
    for listing in LISTINGS:
        for language in ("zh", "en"):
            done = hotline(*listing, config=filled, language="zh" if language == "zh" else "en")
            if listing[0] != "call":
                assert all(cell_len(line.rstrip()) <= 80 for line in done.stdout.splitlines()), done.stdout


def test_what_is_on_duty_is_whole_in_60_columns_and_columns_counts_in_a_pipe(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", "60")
    done = hotline("duty", "--at", "2027-03-03 10:00", config=filled)
    assert "…" not in done.stdout and all(cell_len(line.rstrip()) <= 60 for line in done.stdout.splitlines())
    monkeypatch.delenv("COLUMNS")
    assert len(hotline("duty", "--at", "2027-03-03 10:00", config=filled).stdout.splitlines()) < len(
        done.stdout.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("roster", "leave"), "缺少参数 AGENT。"), (("roster", "lave"), "没有命令 lave。 是不是 leave？"),
        (("duty", "--whn", "x"), "没有选项 --whn。"), 
        (("duty", "--format", "xml"), "--format：xml 不在可选范围内：table, json, csv"),
        (("calls", "--limit", "x"), "--limit：请写整数。"), (("calls", "--limit", "0"), "--limit：至少为 1。"),
        (("duty", "now"), "多余的内容：now"), (("agents", "8001", "go"), "go 不在可选范围内"),
    ],
)
def test_wrong_usage_is_told_in_chinese(filled: Path, arguments: tuple[str, ...], said: str) -> None:
    done = hotline(*arguments, config=filled)
    assert done.exit_code == 2
    assert said in re.sub(r"\s*│\n│\s*", "", done.output), done.output


# --- one call ---------------------------------------------------------------------------------------------------------


def test_call_page(filled: Path) -> None:
    done = hotline("call", SERVED, config=filled)
    assert done.exit_code == 0
    for expected in (
        "结果    已接通（来电者挂机）",
        "时长    等待 27.1 秒，与 8002 李强 通话 1:05，共 1:45",
        "0:00–1:05  8002 李强  完整，听不到座席的声音。",
        "04:00:00.055      +0.055  接听",
        "按键 2 → 投诉",
        "04:00:34.000     +34.000     无人接听（原因 19），振铃 20.0 秒",
        "+1:45.200  结果：已接通（来电者挂机）",
    ):
        assert expected in done.stdout


@pytest.mark.parametrize("name", [SERVED, "1770321600.12", "1770321600", "hotline-17703216"])
def test_call_by_its_beginning(filled: Path, name: str) -> None:
    assert json.loads(hotline("call", name, "--format", "json", config=filled).stdout)["call"]["call_id"] == SERVED


def test_call_json_is_whole(filled: Path) -> None:
    whole = json.loads(hotline("call", SERVED, "--format", "json", config=filled).stdout)
    assert whole["call"]["arrived_at"] == "2026-02-06T04:00:00.000000+08:00"
    assert whole["party"]["e164"] == "+8613800001111"
    assert [talk["ring_result"] for talk in whole["talks"]] == ["missed", "answered"]
    assert whole["recordings"][0]["seconds"] == 65.0
    assert whole["events"][5]["kind"] == "key_pressed" and whole["events"][5]["data"] == {"menu": "main", "key": "9"}
    assert whole["events"][5]["offset_ms"] == 6000


def test_last_unknown_and_ambiguous(filled: Path) -> None:
    assert "hotline-1770321800.44" in hotline("call", "last", config=filled).stdout
    done = hotline("call", "nothing", config=filled)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "没有通话 nothing。\n")
    done = hotline("call", "hotline-17", config=filled, language="en")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == ["Several calls begin with hotline-17:", HIDDEN, AWAY, SERVED]
    assert hotline("call", "%", config=filled).exit_code == 1


def test_unfinished_calls(filled: Path) -> None:
    assert "进行中：等待" in hotline("call", HIDDEN, config=filled).stdout
    assert "未完成：磁盘已满" in hotline("call", AWAY, config=filled).stdout


# --- no store, no daemon ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["calls"], 0, "还没有通话。"),
        (["calls", "--format", "json"], 0, "[]"),
        (["call", "last"], 1, "还没有通话。"),
        (["call", "x"], 1, "没有通话 x。"),
        (["recordings", "list"], 0, "没有录音。"),
        (["recordings", "get", "x", "--reason", "复核"], 1, "没有通话 x。"),
        (["calllog", "verify"], 0, "还没有通话。"),
        (["calllog", "rebuild"], 0, "还没有通话。"),
        (["agents"], 0, "热线没有运行（用 hotline run 启动）：以下是数据库中最后的状态。"),
        (["agents", "8001", "pause"], 1, "热线没有运行：请用 hotline run 启动。"),
        (["agents", "9999"], 1, "没有座席 9999。"),
    ],
)
def test_before_the_first_call(empty: Path, arguments: list[str], status: int, said: str) -> None:
    done = hotline(*arguments, config=empty)
    assert done.exit_code == status and said in done.output
    assert len(done.stderr.splitlines()) <= 1


def test_a_store_that_is_none(empty: Path) -> None:
    (empty.parent / "var").mkdir()
    (empty.parent / "var" / "hotline.sqlite").write_text("not a database at all, but long enough to be one" * 20)
    done = hotline("calls", config=empty)
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1


def test_settings_refused(empty: Path, tmp_path: Path) -> None:
    (empty / "menu.yaml").write_text("")
    for command in (["calls"], ["duty"], ["run"]):
        done = hotline(*command, config=empty)
        assert done.exit_code == 1 and done.stdout == "" and done.stderr.startswith("menu.yaml: ")
    assert hotline("calls", config=tmp_path / "nowhere").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["calls", "--nonsense"], ["calls", "--outcome", "nonsense"], ["calls", "--format", "xml"],
        ["calls", "--since", "2026-02-30"], ["calls", "--limit", "0"], ["duty", "--at", "soon"], ["call"],
        ["agents", "8001", "sleep"], ["recordings", "list", "--category", "x"], ["--nonsense"],
    ],
)  # fmt: skip
def test_wrong_usage(empty: Path, arguments: list[str]) -> None:
    done = hotline(*arguments, config=empty)
    assert done.exit_code == 2 and done.stdout == "" and "用法有误" in done.stderr


# --- agents, beside a daemon ------------------------------------------------------------------------------------------


class Daemon:
    """Answers on the control socket as the daemon does."""

    def __init__(self, state: Path) -> None:
        self.asked: list[dict[str, object]] = []
        self.stopping = False
        self._state = state
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Daemon:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        import asyncio

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            door = control.Control(control.socket_path(self._state), {"status": self._status, "agent": self._agent})
            await door.open()
            self._ready.set()
            await self._stop.wait()
            await door.close()

        asyncio.run(serve())

    async def _status(self, _request: object) -> dict[str, object]:
        seat = {"mode": "ready", "reason": "", "on_duty": True, "reachable": True}
        seats = {"8001": seat, "8002": seat | {"mode": "off"}}
        return {"ready": True, "degraded": False, "calls": 0, "agents": seats, "pid": 4711, "stopping": self.stopping}

    async def _agent(self, request: object) -> dict[str, object]:
        assert isinstance(request, dict)
        self.asked.append(request)
        if request["agent"] == "8003":
            raise control.Refused(lambda: "8003 不在当班。")
        return {"mode": "paused", "reason": request["reason"]}


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
        assert (done.exit_code, done.stdout) == (0, "8001 张敏：小休（吃饭）\n")
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


# --- the store, the recordings ----------------------------------------------------------------------------------------


def test_verify_and_rebuild(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    store = fill(tmp_path)
    assert hotline("calllog", "verify", config=config).exit_code == 0
    assert hotline("calllog", "rebuild", config=config).exit_code == 0
    tamper(store, "UPDATE call SET outcome = 'menu' WHERE outcome = 'answered'")
    done = hotline("calllog", "verify", config=config, language="en")
    assert done.exit_code == 1 and done.stdout.endswith("1 finding.\n")
    done = hotline("calllog", "rebuild", config=config, language="en")
    assert done.exit_code == 1 and f"Mended: call {SERVED}" in done.stdout
    assert hotline("calllog", "verify", config=config).exit_code == 0


def test_recordings(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    store = fill(tmp_path)
    file = tmp_path / "var" / "recordings" / "2026" / "02" / "06" / f"{SERVED}.flac"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"sound")
    digest = hashlib.sha256(b"sound").hexdigest()
    tamper(store, f"UPDATE event SET data = replace(data, '{'0' * 64}', '{digest}') WHERE kind = 'archived'",
           f"UPDATE recording SET sha256 = '{digest}' WHERE file != ''")  # fmt: skip
    listed = json.loads(hotline("recordings", "list", "--format", "json", config=config).stdout)
    assert [(row["category"], row["state"], row["present"]) for row in listed] == [
        ("voicemail", "failed", False), ("call", "finished", True)]  # fmt: skip
    out = tmp_path / "out"
    out.mkdir()
    why = ("--reason", "13800001111 投诉")
    done = hotline("recordings", "get", SERVED, *why, "--to", out, config=config, language="en")
    assert done.exit_code == 0 and "SHA-256 verified" in done.stdout
    assert (out / file.name).read_bytes() == b"sound"
    assert hotline("recordings", "get", SERVED, *why, "--to", out, config=config).exit_code == 1
    assert hotline("recordings", "get", SERVED, *why, "--to", out, "--replace", config=config).exit_code == 0
    file.write_bytes(b"other")
    done = hotline("recordings", "get", SERVED, *why, "--to", out / "x.flac", config=config)
    assert done.exit_code == 1 and not (out / "x.flac").exists()
    assert hotline("recordings", "get", AWAY, *why, config=config).exit_code == 1
    assert hotline("recordings", "get", HIDDEN, *why, config=config).exit_code == 1
    assert hotline("recordings", "get", SERVED, config=config).exit_code == 2
    assert hotline("recordings", "get", SERVED, "--reason", " ", config=config).exit_code == 2
    taken = json.loads(hotline("recordings", "accesses", "--call", SERVED, "--format", "json", config=config).stdout)
    assert len(taken) == 4 and {(row["verb"], row["why"], row["role"]) for row in taken} == {
        ("recording.export", "138****1111 投诉", "operator")}  # fmt: skip
    assert taken[0]["who"].startswith("os:")
    anchor = f"{taken[1]['n']}:{taken[1]['digest']}"
    assert hotline("calllog", "verify", "--anchor", anchor, config=config).exit_code == 0
    assert hotline("calllog", "verify", "--anchor", "9" + anchor, config=config).exit_code == 1
    assert hotline("calllog", "verify", "--anchor", anchor + "x", config=config).exit_code == 2



# --- run and check ----------------------------------------------------------------------------------------------------


def test_check_names_every_problem(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_run, "_asterisk", lambda settings: iter(()))
    (empty / "menu.yaml").write_text("")
    text = (empty / "hotline.yaml").read_text(encoding="utf-8")
    (empty / "hotline.yaml").write_text(text.replace("ari_port: 8088", "ari_port: 99999"), encoding="utf-8")
    done = hotline("check", config=empty, language="en")
    assert done.exit_code == 1
    assert re.search(r"hotline.yaml:[0-9]+: asterisk.ari_port: ", done.stdout) and "menu.yaml: " in done.stdout
    assert done.stdout.count("  → ") == 2 and done.stdout.endswith("2 errors\n")


def test_a_daemon_that_cannot_serve_says_so_in_a_line(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hotline import daemon, preflight

    ready = preflight.Ready(preflight.load(empty), empty, empty.parent / "var", [])
    monkeypatch.setattr(preflight, "prepare", lambda config, **asked: ready)
    for fault in (daemon.Fatal("no way"), StoreError("no way"), PermissionError(13, "no way", "x")):

        def fail(*_: object, fault: Exception = fault, **__: object) -> bool:
            raise fault

        monkeypatch.setattr(daemon, "run", fail)
        done = hotline("run", config=empty)
        assert done.exit_code == 1 and "no way" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_second_daemon_is_refused_at_once_unless_the_first_is_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hotline import daemon, preflight

    begun: list[object] = []
    monkeypatch.setattr(daemon, "run", lambda ready, **_: begun.append(ready))
    config = config_folder(tmp_path)
    ready = preflight.Ready(preflight.load(config), config, tmp_path / "var", [])
    monkeypatch.setattr(preflight, "prepare", lambda config, **asked: ready)
    with Daemon(tmp_path / "var") as first:
        done = hotline("run", config=config)
        assert (done.exit_code, done.stderr.count("\n"), begun) == (1, 1, []) and "4711" in done.stderr
        first.stopping = True
        assert hotline("run", config=config).exit_code == 0 and begun


@pytest.mark.parametrize("language, next_step", [("en", "Start Asterisk with"), ("zh", "请用 hotline asterisk start")])
def test_without_asterisk_and_daemon_the_next_step_is_named(empty: Path, language: str, next_step: str) -> None:
    text = (empty / "hotline.yaml").read_text(encoding="utf-8")
    (empty / "hotline.yaml").write_text(text.replace("ami_port: 5038", "ami_port: 1"), encoding="utf-8")
    done = hotline("trunks", config=empty, language=language)
    assert done.exit_code == 0 and "127.0.0.1:1" in done.stderr and next_step in done.stderr
    for command in (["agents"], ["agents", "8001", "ready"]):
        assert "hotline run" in hotline(*command, config=empty, language=language).stderr
