"""``hotline roster leave|swap|extra|cancel|history|undo``: what they say, write and keep, and what they refuse."""

from __future__ import annotations

import datetime as dt
import os
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import Result

from calllog.clock import Clock
from config import write
from config.difference import differences
from config.list_edit import edited
from config.load import load_settings
from config.problems import Refused
from config.roster_edit import edit_changes, extra_entry
from config.snapshot import look
from config.versions import History, aside
from hotline import put_in_force
from hotline.examine import _duty
from hotline.overwritten import overwritten
from routing.roster import Roster
from routing.when import NotAnInstant, day_of
from tests.pure.cli_play import config_folder, hotline

ZONE = ZoneInfo("Asia/Shanghai")
SOON = dt.datetime.now(ZONE).date() + dt.timedelta(days=20)
"""Beyond the dated changes of the example, within what is proven."""


class House:
    """A folder of settings, its state, and a stand-in for the daemon that takes what was written."""

    def __init__(self, folder: Path) -> None:
        self.config, self.state = config_folder(folder), folder / "var"
        self.file = self.config / "roster.yaml"
        self.history = History(self.state)
        self.settings = load_settings(self.config)

    def take(self) -> None:
        """What the daemon does with a good change."""
        seen, before, last = look(self.config), self.settings, self.history.last()
        self.settings = load_settings(self.config)
        self.history.keep(seen, self.config)
        duty = _duty(before, self.settings, dt.datetime.now(ZONE))
        self.history.add(seen, Clock().now(), "edit" if last else "start", differences(before, self.settings), duty)

    def day(self, agent: str, *shifts: str) -> dt.date:
        """The first of a run of dates, in the middle of a week, on which the agent works just these shifts."""
        pattern = Roster.compile(self.settings.roster, ZONE).pattern
        for number in range(60):
            dates = [SOON + dt.timedelta(days=number + later) for later in range(len(shifts))]
            if 2 <= dates[0].weekday() <= 4 and all(
                pattern.worked(date).get(agent, ()) == ((shift,) if shift else ())
                for date, shift in zip(dates, shifts, strict=True)
            ):
                return dates[0]
        raise AssertionError(f"{agent} never works {shifts}")

    def roster(self, *words: str) -> Result:
        return hotline("roster", *words, config=self.config, language="en")

    def does(self, *words: str) -> str:
        done = self.roster(*words, "--yes", "--author", "wang")
        assert done.exit_code == 0, done.output
        return done.output

    def refuses(self, *words: str) -> str:
        before = self.file.read_bytes()
        done = self.roster(*words, "--yes")
        assert done.exit_code in (1, 2) and self.file.read_bytes() == before, done.output
        assert done.exit_code == 2 or done.output.rstrip().endswith("Nothing was written."), done.output
        return done.output


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr("hotline.preflight.build_prompts", lambda *_: [])
    monkeypatch.setattr("ivr.prompts.check", lambda *_: [])
    return House(tmp_path)


def test_each_command_writes_one_line_and_says_what_it_means(house: House) -> None:
    before = house.file.read_text(encoding="utf-8")
    night, early = house.day("8003", "夜班", ""), house.day("8001", "早班", "中班")
    other = early + dt.timedelta(days=5)
    said = house.does("leave", "8003", str(night), "--kind", "病假", "--cover", "吴昊", "--note", "住院: 观察")
    weekday = night.strftime("%a")
    assert f"8003 王芳: {night} {weekday} 夜班 22:00–06:00 → sick leave; covered by 8009 吴昊" in said
    assert f"8009 吴昊: {night} {weekday} + 夜班 22:00–06:00; covers for 8003 王芳" in said
    assert "roster.yaml is written" in said and "The hotline is not running" in said
    house.does("swap", "8001", str(early), "8007", str(other))
    house.does("extra", "8010", str(night), "早班", "--note", "展会")
    after = house.file.read_text(encoding="utf-8")
    for line in (
        f'{{leave: sick, agent: 8003, date: {night}, cover: 8009, note: "住院: 观察"}}',
        f"{{swap: {{8001: {early}, 8007: {other}}}}}",
        f"{{extra: 早班, agent: 8010, date: {night}, note: 展会}}",
    ):
        assert f"\n  - {line}\n" in after
    for agent, day in (("8009", night), ("8007", other), ("8010", night)):
        house.does("cancel", agent, str(day))
    assert house.file.read_text(encoding="utf-8") == before


def test_a_dry_run_and_a_question_that_nobody_answers_write_nothing(house: House) -> None:
    before = house.file.read_bytes()
    said = house.roster("leave", "8003", str(SOON), str(SOON + dt.timedelta(days=7)), "--dry-run")
    assert said.exit_code == 0 and "annual leave" in said.output and "Nothing was written" in said.output
    said = house.roster("leave", "8003", str(SOON))
    assert said.exit_code == 1 and "--yes" in said.output and said.output.endswith("Nothing was written.\n")
    assert house.file.read_bytes() == before and list(house.config.glob(".*")) == []


def test_what_cannot_be_is_refused_with_a_reason(house: House) -> None:
    date = house.day("8003", "夜班", "")
    day = str(date)
    assert "Did you mean 8003?" in house.refuses("leave", "80033", day)
    assert "Did you mean 夜班?" in house.refuses("extra", "8003", day, "晚夜班")
    assert "no day" in house.refuses("leave", "8003", "soon")
    assert "before it begins" in house.refuses("leave", "8003", day, str(SOON - dt.timedelta(days=1)))
    assert "themselves" in house.refuses("leave", "8003", day, "--cover", "王芳")
    assert "themselves" in house.refuses("swap", "8003", day, "8003", day)
    assert "without a time" in house.refuses("extra", "8003", f"{day} 14:00", "夜班")
    assert "Until when" in house.refuses("leave", "8003", f"{day} 14:00")
    assert "no leave holiday" in house.refuses("leave", "8003", day, "--kind", "holiday")
    assert "nothing about 8003" in house.refuses("cancel", "8003", day)
    house.does("leave", "8003", day)
    text = house.file.read_text(encoding="utf-8")
    house.file.write_text(edit_changes(text, {}, [extra_entry("8003", date, "中班")]), encoding="utf-8")
    said = house.refuses("cancel", "8003", day)
    assert "--line" in said and "{leave: annual, agent: 8003" in said and "{extra: 中班" in said


def test_a_broken_file_is_not_edited_and_says_where_it_is_broken(house: House) -> None:
    good = house.file.read_bytes()
    house.take()
    for broken, what in ((b"\n\t- x", "tab"), (b"\nchangs: []\n", "changs"), (b"\xff", "UTF-8"),
                         (b"\nchanges: []\n", "twice")):  # fmt: skip
        house.file.write_bytes(good + broken)
        said = house.refuses("leave", "8003", str(SOON))
        assert what in said and "roster.yaml:" in said


def test_what_the_proof_refuses_is_not_written(house: House) -> None:
    text = house.file.read_text(encoding="utf-8")
    house.file.write_text(text.replace("agents: [8009, 8010]", "agents: [8009, 9999]"), encoding="utf-8")
    assert "9999" in house.refuses("leave", "8003", str(SOON))


# --- what took effect -------------------------------------------------------------------------------------------------


def test_history_says_who_changed_whose_duty_and_undo_gives_the_bytes_back(house: House) -> None:
    first = house.file.read_bytes()
    house.take()
    house.does("leave", "8003", str(SOON), str(SOON + dt.timedelta(days=7)))
    house.take()
    second = house.file.read_bytes()
    house.file.write_bytes(second + b"# by hand\n")
    house.take()
    said = house.roster("history").output
    assert "wang" in said and "by hand" in said and "→ annual leave" in said and "nobody's duty" in said
    assert house.history.versions()[1].how == "command"
    assert "is written" in house.does("undo")
    assert house.file.read_bytes() == second
    house.take()
    house.does("undo", "--to", "1")
    assert house.file.read_bytes() == first
    house.take()
    last = house.history.last()
    assert last is not None and (last.how, last.restores, last.author, last.version) == ("undo", 1, "wang", 5)
    assert "the leave is taken back" in house.roster("history").output
    cells = ("show", str(SOON), "--agent", "8003", "--format", "csv")
    assert "annual" in house.roster(*cells, "--version", "2").output
    assert "annual" not in house.roster(*cells, "--version", "5").output
    assert "no version 7; there are 1 to 5" in house.roster(*cells, "--version", "7").output
    assert "already" in house.refuses("undo", "--to", "1")
    assert "no version 9" in house.refuses("undo", "--to", "9")
    house.file.write_bytes(second)
    assert "--force" in house.refuses("undo", "--to", "3")
    house.does("undo", "--to", "3", "--force")
    assert [path.read_bytes() for path in aside(house.history).rglob("*.yaml")] == [second]


def test_before_the_first_start_there_is_no_version_to_show(house: House) -> None:
    for said in (house.roster("show", "--version", "5").output, house.refuses("undo", "--to", "5")):
        assert "No version has taken effect yet" in said and "there are" not in said


def test_an_undo_of_the_roster_leaves_the_other_files_alone(house: House) -> None:
    first = house.file.read_bytes()
    house.take()
    house.does("leave", "8003", str(SOON))
    house.take()
    queues = house.config / "queues.yaml"
    queues.write_text(queues.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    house.take()
    house.does("undo")
    assert queues.read_text(encoding="utf-8").endswith("# more\n") and house.file.read_bytes() == first


# --- two at once ------------------------------------------------------------------------------------------------------


def test_the_second_of_two_is_told_who_changed_what_and_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.take()

    def meanwhile(*_: object, **__: object) -> bool:
        house.does("leave", "8003", str(SOON), str(SOON + dt.timedelta(days=7)))
        return True

    monkeypatch.setattr("hotline.put_roster._agreed", meanwhile)
    done = house.roster("extra", "8009", str(house.day("8003", "夜班")), "夜班", "--author", "li")
    assert done.exit_code == 1
    assert "wang changed roster.yaml at" in done.output and "8003 王芳" in done.output and "again" in done.output
    text = house.file.read_text(encoding="utf-8")
    assert "agent: 8003, from" in text and "{extra" not in text


def test_many_who_write_at_once_lose_no_line(house: House) -> None:
    def add(number: int) -> None:
        while True:
            was = house.file.read_bytes()
            becomes = edited(was.decode(), "roster.yaml", "changes", add=[{"off": True, "note": str(number)}]).encode()
            try:
                put_in_force.put(house.config, house.state, "roster.yaml", was, becomes, author="x", how="command")
            except put_in_force.ChangedMeanwhile:
                continue
            return

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = house.file.read_text(encoding="utf-8")
    assert all(f"note: {number}}}" in text for number in range(6))


def test_edits_that_take_effect_together_have_all_their_authors(house: House) -> None:
    house.take()
    for author in ("li", "wang", "li"):
        was = house.file.read_bytes()
        put_in_force.put(house.config, house.state, "roster.yaml", was, was + b"# x\n", author=author, how="command")
    house.take()
    last = house.history.last()
    assert last is not None and last.author == "li, wang" and list((house.history.folder / "notes").iterdir()) == []


def test_a_file_that_an_editor_writes_is_left_to_it(house: House) -> None:
    was = house.file.read_bytes()
    with house.file.open("ab"), pytest.raises(Refused, match="打开"):
        put_in_force.put(house.config, house.state, "roster.yaml", was, was + b"#", author="x", how="command")
    assert house.file.read_bytes() == was


def test_who_waits_too_long_for_another_writer_is_told(tmp_path: Path) -> None:
    with write.alone(tmp_path / "lock"), pytest.raises(write.Busy), write.alone(tmp_path / "lock", longest=0.1):
        pass
    with write.alone(tmp_path / "lock", longest=0):
        pass


def test_another_users_file_stays_theirs_or_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "roster.yaml"
    file.write_bytes(b"old")
    stat = os.stat_result((*file.stat()[:4], 12345, 54321, *file.stat()[6:]))
    monkeypatch.setattr(Path, "stat", lambda self, **_: stat if self == file else os.stat(self))

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refused)
    with pytest.raises(write.NotOurs, match=r"roster\.yaml"):
        write.replace(file, b"new")
    assert file.read_bytes() == b"old" and os.listdir(tmp_path) == ["roster.yaml"]


def test_mode_owner_and_link_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "roster.yaml"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    if os.geteuid() == 0:
        os.chown(file, 12345, 54321)
    before = file.stat()
    write.replace(link, b"new")
    after = file.stat()
    assert file.read_bytes() == b"new" and link.is_symlink() and after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert write.owner(tmp_path, ["roster.yaml"]) == ("12345" if os.geteuid() == 0 else "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.yaml", "roster.yaml"]


def test_an_editor_that_saves_an_older_text_is_found_out(house: House) -> None:
    first = house.file.read_bytes()
    house.take()
    house.does("leave", "8003", str(SOON))
    house.take()
    now = Clock().now()

    def lost(text: bytes) -> list[str]:
        house.file.write_bytes(text)
        return overwritten(house.state, look(house.config).digest, text, now, ZONE)

    mine = house.file.read_bytes()
    (said,) = lost(first + b"# my own edit, begun an hour ago\n")
    assert "wang" in said and f"date: {SOON}" in said
    assert lost(mine + b"# my own edit\n") == []
    house.file.write_bytes(mine)
    house.does("cancel", "8003", str(SOON))  # a command: meant so
    assert overwritten(house.state, look(house.config).digest, house.file.read_bytes(), now, ZONE) == []


# --- days in words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2027-02-06", "2027-02-06"), ("02-06", "2027-02-06"), ("2/6", "2027-02-06"), ("11-20", "2026-11-20"),
        ("明天", "2026-11-26"), ("today", "2026-11-25"), ("tomorrow 14:00", "2026-11-26 14:00:00"),
        ("2027-02-06 24:00", "2027-02-07 00:00:00"), ("18:00", "2027-01-01 18:00:00"), ("now", "2026-11-25 16:30:00"),
    ],
)  # fmt: skip
def test_a_day_is_meant_ahead(said: str, meant: str) -> None:
    now = dt.datetime(2026, 11, 25, 16, 30, tzinfo=ZONE)
    assert str(day_of(said, now, ZONE, on=dt.date(2027, 1, 1))) == meant


@pytest.mark.parametrize("said", ["", "soon", "2027-02-30", "13-01", "2 h ago", "25:00", "99999-01-01"])
def test_what_is_no_day_is_refused(said: str) -> None:
    with pytest.raises(NotAnInstant):
        day_of(said, dt.datetime(2026, 11, 25, tzinfo=ZONE), ZONE)
