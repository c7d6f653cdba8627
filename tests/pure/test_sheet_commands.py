"""``hotline roster export`` and ``import`` as they are typed: files whole or not at all, and nothing on any fault."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from config.load import load_settings
from hotline.sheet.layout import FIRST, TOP
from tests.pure.cli_play import config_folder, hotline as run

MONTH = "2027-03"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of settings and its sheet; neither is changed."""
    folder = tmp_path_factory.mktemp("sheet")
    config = config_folder(folder)
    path = folder / "march.xlsx"
    done = run("roster", "export", str(path), "--month", MONTH, config=config)
    assert done.exit_code == 0, done.output
    return config, path


@pytest.fixture
def house(exported: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of both."""
    config = config_folder(tmp_path)
    path = tmp_path / "march.xlsx"
    shutil.copy(exported[1], path)
    return config, path


@pytest.fixture(autouse=True)
def _no_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof builds every prompt anew in an empty state folder; that is another test's."""
    monkeypatch.setattr("hotline.preflight.build_prompts", lambda *_: [])
    monkeypatch.setattr("ivr.prompts.check", lambda *_: [])


def bring(house: tuple[Path, Path], *words: str) -> tuple[int, str, bytes]:
    """Status and what was said, and the roster afterwards."""
    config, path = house
    done = run("roster", "import", path, *words, config=config)
    return done.exit_code, done.output, (config / "roster.yaml").read_bytes()


def fill(path: Path, **cells: object) -> None:
    book = load_workbook(path)
    for name, text in cells.items():
        book.worksheets[0][name] = text
    book.save(path)


def test_out_and_in_changes_nothing(house: tuple[Path, Path]) -> None:
    before = (house[0] / "roster.yaml").read_bytes()
    status, said, after = bring(house, "--yes")
    assert (status, after) == (0, before) and "没有变化" in said


def _day_off(config: Path, path: Path) -> tuple[str, str]:
    """A cell in which somebody has a day off: its name, and the staff number."""
    sheet = load_workbook(path).worksheets[0]
    for row in range(TOP, TOP + len(load_settings(config).agents.agents)):
        for column in range(FIRST, FIRST + 31):
            if sheet.cell(row, column).value == "休":
                return sheet.cell(row, column).coordinate, f"{sheet.cell(row, 1).value}"
    raise AssertionError("nobody has a day off")


def test_an_edited_cell_is_shown_and_written_as_one_change(house: tuple[Path, Path]) -> None:
    config, path = house
    before = (config / "roster.yaml").read_bytes()
    cell, number = _day_off(config, path)
    fill(path, **{cell: "年假"})
    status, said, after = bring(house, "--dry-run")
    assert (status, after) == (0, before) and cell in said and number in said and "休 → 年" in said
    status, said, after = bring(house, "--yes")
    assert status == 0, said
    assert b"leave: annual" in after.replace(before.rstrip(), b"")
    for line in before.splitlines():
        assert line in after.splitlines()
    # The same sheet once more: what it says is so already.
    assert bring(house, "--yes")[::2] == (0, after)


def test_on_any_fault_nothing_is_changed_and_all_are_told(house: tuple[Path, Path]) -> None:
    config, path = house
    before = (config / "roster.yaml").read_bytes()
    fill(path, D6="二线", E7="=D7", B8="某人", F9="年")
    status, said, after = bring(house, "--yes")
    assert (status, after) == (1, before)
    assert all(cell in said for cell in ("D6", "E7", "B8"))


def test_what_cannot_be_covered_is_refused(house: tuple[Path, Path]) -> None:
    """Nobody at all on a day that is proven: of a month that begins within the days that the proof looks ahead."""
    config, path = house
    before = (config / "roster.yaml").read_bytes()
    today = dt.datetime.now(load_settings(config).hotline.zone).date()
    soon = today + dt.timedelta(days=20)
    done = run("roster", "export", str(path), "--month", f"{soon:%Y-%m}", "--force", config=config)
    assert done.exit_code == 0
    people = range(TOP, TOP + len(load_settings(config).agents.agents))
    fill(path, **{f"{get_column_letter(FIRST + soon.day - 1)}{row}": "" for row in people})
    status, said, after = bring(house, "--yes")
    assert (status, after) == (1, before) and soon.isoformat() in said


def test_a_sheet_that_is_there_is_not_written_over(exported: tuple[Path, Path]) -> None:
    config, path = exported
    before = path.read_bytes()
    done = run("roster", "export", str(path), config=config)
    assert done.exit_code == 1 and "--force" in done.output and path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["a.pdf"], 2),
        ([], 2),
        (["a.csv", "--month", "2027-13"], 2),
        (["a.ics"], 2),
        (["a.ics", "--agent", "9999"], 1),
        (["nowhere/a.csv"], 1),
    ],
)
def test_what_cannot_be_exported_is_told(
    exported: tuple[Path, Path], tmp_path: Path, words: list[str], status: int
) -> None:
    named = [str(tmp_path / words[0]), *words[1:]] if words else []
    assert run("roster", "export", *named, config=exported[0]).exit_code == status
    assert list(tmp_path.iterdir()) == []


def test_csv_is_a_line_for_each_shift(exported: tuple[Path, Path], tmp_path: Path) -> None:
    config = exported[0]
    path = tmp_path / "march.csv"
    assert run("roster", "export", str(path), "--month", MONTH, config=config).exit_code == 0
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows and all(row["date"].startswith(MONTH) for row in rows)
    night = next(row for row in rows if row["shift"] == "夜班")
    assert night["begins"].endswith("T22:00:00+08:00") and night["ends"].endswith("T06:00:00+08:00")
    assert night["hours"] == "8.00"


def test_each_person_gets_a_calendar(exported: tuple[Path, Path], tmp_path: Path) -> None:
    config = exported[0]
    assert run("roster", "export", "--ics", str(tmp_path), "--month", MONTH, config=config).exit_code == 0
    people = load_settings(config).agents.agents
    assert {path.name for path in tmp_path.iterdir()} == {f"{number}.ics" for number in people}
    assert all(path.read_bytes().endswith(b"END:VCALENDAR\r\n") for path in tmp_path.iterdir())
