"""The commands of keeping, as an operator types them: holds, purges, copies of many, one caller's data."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from calllog.keep_queries import Wanted, export_question, exportable
from console.book import Book
from console.drafts import Drafts
from console.filters import Filters
from console.parcels import Parcels
from console.permits import Role, Verb, Who
from tests.pure.cli_play import config_folder, hotline
from tests.pure.keep_play import LI, House


@pytest.fixture
def house(tmp_path: Path) -> tuple[House, Path]:
    """Two old calls, a young one of somebody else, and the configuration."""
    house = House(tmp_path)
    config = config_folder(tmp_path)
    asyncio.run(house.record(3000, 2900, name="old"))
    asyncio.run(house.record(0 - 1000, party=LI, name="young"))
    return house, config


def test_hold_and_purge(house: tuple[House, Path]) -> None:
    keeping, config = house
    why = ("--reason", "仲裁")
    assert hotline("recordings", "hold", "old-0", *why, config=config).exit_code == 0
    assert hotline("recordings", "hold", "nobody", *why, config=config).exit_code == 1
    assert hotline("recordings", "hold", "old-0", config=config).exit_code == 2
    (row,) = json.loads(hotline("recordings", "holds", "--format", "json", config=config).stdout)
    assert row["call_id"] == "old-0" and row["reason"] == "仲裁" and row["set_by"].startswith("os:")
    done = hotline("recordings", "purge", "--dry-run", config=config, language="en")
    assert done.exit_code == 0 and "1 of 3 recordings would go" in done.stdout
    assert "1 more is over but held" in done.stdout
    assert len(keeping.files()) == 6
    done = hotline("recordings", "purge", config=config, language="en")
    assert done.exit_code == 0 and "1 recording is deleted" in done.stdout
    assert "old-1.flac" not in keeping.files() and "old-0.flac" in keeping.files()
    done = hotline("call", "old-1", config=config, language="en")
    assert "Recording deleted (talk) (talks after 180 days)" in done.stdout and "deleted\n" in done.stdout
    assert hotline("recordings", "get", "old-1", *why, config=config).exit_code == 1
    assert hotline("recordings", "release", "old-0", *why, config=config).exit_code == 0
    assert hotline("recordings", "release", "old-0", *why, config=config).exit_code == 1
    assert hotline("calllog", "verify", config=config).exit_code == 0


def test_many(house: tuple[House, Path], tmp_path: Path) -> None:
    _keeping, config = house
    why = ("--reason", "抽检")
    out = tmp_path / "out"
    done = hotline("recordings", "get", "old-0", "old-1", *why, "--to", out, config=config, language="en")
    assert done.exit_code == 0 and "2 recordings in" in done.stdout, done.output
    assert len(list(out.glob("*_inquiry_8001_138xxxx1111_old-*.flac"))) == 2
    done = hotline("recordings", "export", "--number", "1390", *why, "--to", tmp_path / "x.zip", "--whole-numbers",
                   config=config)  # fmt: skip
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(tmp_path / "x.zip") as made:
        assert [name for name in made.namelist() if "13900002222" in name]
    assert hotline("recordings", "export", *why, "--to", out, config=config).exit_code == 2
    assert hotline("recordings", "export", "--score", "x", *why, "--to", out, config=config).exit_code == 2
    for wish in ("--words", "--silence", "--talk-over", "--score", "--hold", "--subject"):  # as calls are found by it
        done = hotline("recordings", "export", wish, "99", *why, "--to", out, config=config, language="en")
        assert done.exit_code == 1 and "No such recordings" in done.output, done.output
    done = hotline("recordings", "export", "--agent", "8001", "--since", "2020-01-01", *why, "--to", tmp_path / "y.zip",
                   config=config, language="en")  # fmt: skip
    assert done.exit_code == 0 and "1 recording in" in done.stdout, done.output
    assert hotline("recordings", "export", "--queue", "x", *why, "--to", out, config=config).exit_code == 1
    rows = json.loads(hotline("recordings", "accesses", "--format", "json", config=config).stdout)
    assert [row["call_id"] for row in rows] == ["young-0", "young-0", "old-1", "old-0"]
    assert rows[2]["batch"] == rows[3]["batch"]


def test_one_caller(house: tuple[House, Path], tmp_path: Path) -> None:
    keeping, config = house
    why = ("--reason", "本人申请")
    out = tmp_path / "copy"
    done = hotline("calllog", "export", "--number", "138 0000 1111", *why, "--to", out, config=config, language="en")
    assert done.exit_code == 0 and "2 calls, 2 recordings" in done.stdout, done.output
    manifest = json.loads((out / "manifest.json").read_text())
    assert {one["name"] for one in manifest["files"]} >= {"calls.csv", "calls.json", "calls.txt", "notes.csv"}
    assert len(json.loads((out / "calls.json").read_text())["calls"]) == 2
    assert "13900002222" not in "".join(path.read_text() for path in out.glob("calls.*"))
    done = hotline("calllog", "erase", "--number", "13800001111", *why, "--dry-run", config=config, language="en")
    assert done.exit_code == 0 and "It would erase 2 calls, 2 recordings." in done.stdout
    hotline("recordings", "hold", "old-1", *why, config=config)
    done = hotline("calllog", "erase", "--number", "13800001111", *why, config=config, language="en")
    assert done.exit_code == 1 and "old-1 stays: it is held" in done.output and "1 call is erased" in done.stdout
    hotline("recordings", "release", "old-1", *why, config=config)
    drafts = Drafts(keeping.state)
    drafts.put("u", "record:old-1", "写了一半", 1)
    grader = Who("u", "u", "u", frozenset({Role.QUALITY}), verbs=frozenset({Verb.CALLS_READ}))
    filters = Filters(Book(keeping.state))
    filters.save(grader, "that one", {"number": "13800001111"})
    filters.save(grader, "mornings", {"number": "1390"})
    parcels = Parcels(keeping.state, lambda: 1)
    copies = [parcels.new([call_id]) for call_id in ("old-1", "young-0")]
    done = hotline("calllog", "erase", "--number", "+8613800001111", *why, config=config, language="en")
    assert [copy.exists() for copy in copies] == [False, True], "what the console has packed of them goes, too"
    assert [one.name for one in filters.of(grader)] == ["mornings"]
    assert done.exit_code == 0 and drafts.get("u", "record:old-1") == "", done.output
    done = hotline("calllog", "erase", "--number", "13800001111", *why, config=config, language="en")
    assert done.exit_code == 1 and "138****1111" in done.output and "13800001111" not in done.output
    assert hotline("calllog", "verify", config=config).exit_code == 0
    assert hotline("calllog", "rebuild", config=config).exit_code == 0


def test_a_few_of_very_many_are_found_by_an_index(house: tuple[House, Path]) -> None:
    keeping, _config = house
    question, values = export_question(Wanted(("old-0",)))
    with closing(sqlite3.connect(keeping.store)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}", values)]
    scans = [step for step in plan if step.startswith("SCAN") and "json_each" not in step and "(" not in step]
    assert scans == [], plan
    found = exportable(keeping.store, Wanted(("young-0",)))
    assert [(row.call_id, row.agents, row.number) for row in found] == [("young-0", ("8001",), LI.e164)]
    assert exportable(keeping.store, Wanted(("young-0",), "voicemail")) == []
