"""The ``hotline`` command on settings and a store of its own: what it prints, and the status it ends with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path

import pytest

from calllog.errors import StoreError
from hotline import cli_run
from tests.pure.cli_play import AWAY, HIDDEN, SERVED, Daemon, config_folder, fill, hotline
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
        "结果    已接通（座席挂机）",
        "时长    等待 27.1 秒，与 8002 李强 通话 1:05，共 1:45",
        "0:00–1:05  8002 李强  完整，听不到座席的声音。",
        "04:00:00.055      +0.055  接听",
        "按键 2 → 投诉",
        "04:00:34.000     +34.000     无人接听（原因 19），振铃 20.0 秒",
        "+1:45.200  结果：已接通（座席挂机）",
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
    assert whole["state"]["measures"]["call"]["loudness"] == [-20.0, -22.5]
    assert whole["events"][5]["kind"] == "key_pressed" and whole["events"][5]["data"] == {"menu": "main", "key": "9"}
    assert whole["events"][5]["offset_ms"] == 6000


def test_last_unknown_and_ambiguous(filled: Path) -> None:
    assert "hotline-1770321800.44" in hotline("call", "last", config=filled).stdout
    done = hotline("call", "nothing", config=filled)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "没有通话 nothing：'hotline calls' 列出全部。\n")
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
        (["call", "x"], 1, "没有通话 x：'hotline calls' 列出全部。"),
        (["recordings", "list"], 0, "没有录音。"),
        (["recordings", "get", "x", "--reason", "复核"], 1, "没有通话 x："),
        (["calllog", "verify"], 0, "还没有通话。"),
        (["calllog", "rebuild"], 0, "还没有通话。"),
        (["agents"], 0, "热线没有运行（用 hotline run 启动）：以下是数据库中最后的状态。"),
        (["agents", "8001", "pause"], 1, "热线没有运行：请用 hotline run 启动。"),
        (["agents", "9999"], 1, "没有座席 9999：'hotline agents' 列出全部。"),
        (["users", "list"], 0, "还没有用户：用 'hotline users first' 设立第一名管理员。"),
        (["users", "list", "--format", "json"], 0, "[]"),
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
    assert done.exit_code == 2 and done.stdout == "" and "用法有误" in done.stderr and done.stderr.startswith("用法：")


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
