"""``hotline roster show`` and ``coverage``: the example of roster.md, on the terminal, for programs and as pictures."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from calllog.clock import Clock
from config import catalogue
from config.difference import differences
from config.load import load_settings
from config.snapshot import look
from config.versions import History
from hotline import heat_files
from hotline.asterisk.fault import AsteriskFault
from tests.pure.cli_play import ROOT, config_folder, hotline

ROSTER = """
shifts:
  早班: {from: "06:00", to: "14:00"}
  中班: {from: "14:00", to: "22:00"}
  夜班: {from: "22:00", to: "06:00", color: violet}
  夜备: {from: "22:00", to: "06:00", backup: true}
teams:
  甲班: [8001, 8002]
  乙班: [8003, 8004]
  丙班: [8005, 8006]
  丁班: [8007, 8008]
rotations:
  四班三运转: {start: 2027-01-24, cycle: [早班, 早班, 中班, 中班, 夜班, 夜班, 休, 休],
               teams: {甲班: 1, 乙班: 3, 丙班: 5, 丁班: 7}}
changes:
  - {leave: annual, agent: 8001, from: 2027-02-05, to: 2027-02-07}
  - {leave: sick, agent: 8002, from: 2027-02-06, to: 2027-02-06}
  - {leave: sick, agent: 8007, from: 2027-02-07, to: 2027-02-07, cover: 8009}
  - {leave: personal, agent: 8003, from: "2027-02-02 18:00", to: "2027-02-02 22:00"}
  - {extra: 夜备, agent: 8010, date: 2027-02-07}
  - {swap: {8001: 2027-02-01, 8005: 2027-02-02}}
requirements:
  - {queue: complaint, need: 1, want: 3, from: "00:00", to: "06:00"}
limits: {week: 60}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = config_folder(tmp_path)
    (folder / "roster.yaml").write_text(ROSTER, encoding="utf-8")
    return folder


def said(*arguments: str, config: Path, language: catalogue.Language = "zh") -> str:
    result = hotline("roster", *arguments, config=config, language=language)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_grid_shows_teams_shifts_leave_and_who_is_short(config: Path) -> None:
    shown = said("show", "--week", "2027-02-06", config=config)
    assert "2027-02-01" in shown and "2027-02-07" in shown
    lines = {line.split()[0]: line for line in shown.splitlines() if line[:4].isdigit()}
    assert list(lines)[:8] == [str(number) for number in range(8001, 8009)]
    assert lines["8001"].count("年假") == 3 and "病假" in lines["8002"]
    assert "~" in lines["8005"] and "-" in lines["8003"].replace("06-14", "")
    assert "^" in lines["8009"] and "夜备*+" in lines["8010"]
    assert lines["8004"].split()[-2:] == ["40", "2"]
    assert "02-06" in shown and "春节" in shown
    assert any("0/1" in line for line in shown.splitlines() if line.startswith("投诉"))
    gaps = [line for line in shown.splitlines() if line.startswith("! ")]
    assert any("2027-02-06 22:00 – 02-07 06:00" in line and "8001" in line for line in gaps)


def test_without_week_it_begins_with_the_day_itself(config: Path) -> None:
    shown = said("show", "2027-02-06", "--weeks", "2", "--format", "json", config=config)
    dates = {row["date"] for row in json.loads(shown)}
    assert min(dates) == "2027-02-06" and max(dates) == "2027-02-19"


def test_only_those_who_are_asked_for(config: Path) -> None:
    def numbers(*arguments: str) -> list[str]:
        shown = said("show", "--week", "2027-02-06", *arguments, config=config)
        return [line[:4] for line in shown.splitlines() if line[:4].isdigit()]

    assert numbers("--team", "乙班") == ["8003", "8004"]
    assert numbers("--agent", "8007", "--agent", "8012") == ["8007", "8012"]
    refused = hotline("roster", "show", "--agent", "9999", config=config)
    assert refused.exit_code == 1 and "9999" in refused.stderr
    refused = hotline("roster", "show", "--team", "戊班", config=config)
    assert refused.exit_code == 1 and "甲班" in refused.stderr


def test_the_roster_of_a_version_as_it_was(config: Path) -> None:
    history, settings = History(config.parent / "var"), load_settings(config)
    for how in ("start", "edit"):
        seen = look(config)
        history.keep(seen, config)
        history.add(seen, Clock().now(), how, differences(settings, settings))  # type: ignore[arg-type]
        (config / "roster.yaml").write_text(ROSTER.replace("annual", "sick"), encoding="utf-8")
    old, new = (said("show", "2027-02-05", "--version", number, config=config) for number in ("1", "2"))
    assert "年假" in old and "年假" not in new and "1" in old.splitlines()[0].split("（")[-1].split("(")[-1]
    assert said("show", "2027-02-05", config=config).splitlines()[1:] == new.splitlines()[1:]
    refused = hotline("roster", "show", "--version", "9", config=config)
    assert refused.exit_code == 1 and "9" in refused.stderr


def test_programs_get_a_row_for_each_persons_day(config: Path) -> None:
    rows = json.loads(said("show", "--week", "2027-02-06", "--format", "json", config=config))
    by_day = {(row["agent"], row["date"]): row for row in rows}
    assert by_day["8001", "2027-02-06"]["leave"] == "annual" and by_day["8001", "2027-02-06"]["shifts"] == []
    spare = by_day["8010", "2027-02-07"]
    assert (spare["shifts"], spare["why"], spare["backup"]) == (["夜备"], ["extra"], [True])
    cover = by_day["8009", "2027-02-07"]
    assert (cover["why"], cover["instead_of"]) == (["cover"], ["8007"])
    assert by_day["8002", "2027-02-05"]["from"] == ["2027-02-05T22:00:00+08:00"]
    assert by_day["8002", "2027-02-05"]["day"] == "festival"
    table = list(csv.DictReader(io.StringIO(said("show", "--week", "2027-02-06", "--format", "csv", config=config))))
    assert len(table) == len(rows) and table[0].keys() == rows[0].keys()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_map_shows_each_queue_by_day_and_hour(
    config: Path, language: catalogue.Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = said("coverage", "--from", "2027-02-05", "--days", "4", config=config, language=language)
    lines = [line for line in shown.splitlines() if re.match(r"02-0[5-8] ", line)]
    assert len(lines) == 4 * 2  # complaints, and all others, which are covered alike
    assert "0/1" in lines[1] and "#" in lines[1]
    assert any(line.startswith("咨询") and line.endswith("人工服务") for line in shown.splitlines())
    assert any("! 2027-02-06 22:00" in line for line in shown.splitlines())
    assert max(map(cell_len, shown.splitlines())) <= 200


def test_one_queue_by_its_label_or_key_and_what_there_is_instead(config: Path) -> None:
    for name in ("投诉", "complaint"):
        shown = said("coverage", "--from", "2027-02-05", "--days", "2", "--queue", name, config=config)
        assert len([line for line in shown.splitlines() if re.match(r"02-0[56] ", line)]) == 2
    refused = hotline("roster", "coverage", "--queue", "sales", config=config)
    assert refused.exit_code == 1 and "complaint" in refused.stderr


def test_coverage_for_programs(config: Path) -> None:
    which = ("--from", "2027-02-06", "--days", "2", "--queue", "complaint")
    rows = json.loads(said("coverage", *which, "--format", "json", config=config))
    assert {row["queue"] for row in rows} == {"complaint"}
    short = [row for row in rows if row["have"] < row["need"]]
    assert next((row["from"], row["have"], row["need"]) for row in short) == ("2027-02-06T22:00:00+08:00", 0, 1)
    assert rows[0]["from"] == "2027-02-06T00:00:00+08:00" and rows[-1]["to"] == "2027-02-08T00:00:00+08:00"


def test_pictures(config: Path, tmp_path: Path) -> None:
    drawing, pixels = tmp_path / "map.svg", tmp_path / "map.PNG"
    for file in (drawing, pixels):
        result = hotline("roster", "coverage", "--from", "2027-02-05", "--days", "3", "--output", file, config=config)
        assert result.exit_code == 0 and file.name in result.stderr
    assert "投诉" in "".join(ElementTree.parse(drawing).getroot().itertext())
    assert pixels.read_bytes().startswith(b"\x89PNG") and pixels.stat().st_size > 20_000
    wrong = hotline("roster", "coverage", "--output", str(tmp_path / "map.gif"), config=config)
    assert wrong.exit_code == 2 and ".svg" in wrong.stderr
    nowhere = hotline("roster", "coverage", "--output", str(tmp_path / "no" / "map.svg"), config=config)
    assert nowhere.exit_code == 1 and "map.svg" in nowhere.stderr


def test_without_a_font_the_picture_is_in_english_and_says_so(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_font() -> Any:
        raise AsteriskFault("no network")

    drawn: list[str] = []
    monkeypatch.setattr(heat_files, "fetch", no_font)
    monkeypatch.setattr(heat_files, "png_of", lambda svg, _font: drawn.append(svg) or b"png")
    result = hotline("roster", "coverage", "--days", "2", "--output", str(tmp_path / "x.png"), config=config)
    assert result.exit_code == 0 and "no network" in result.stderr and ".svg" in result.stderr
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"font-family[^}]*|<style>.*?</style>", "", drawn[0], flags=re.S))
    assert "complaint" in drawn[0]


def test_the_pictures_of_the_page_are_those_that_their_source_draws() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import roster_coverage as source  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(ROOT / "docs"))
    for language in source.LANGUAGES:
        drawn = (ROOT / "docs" / f"roster-coverage.{language}.svg").read_text(encoding="utf-8")
        assert drawn == source.draw(language), "run: python docs/roster_coverage.py"
