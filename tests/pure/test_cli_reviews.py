"""``hotline reviews``: drawn, graded and compared at the command line; and the daemon's own draw of a morning."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from calllog.clock import Clock
from calllog.journal import Journal
from config.load import load_settings
from console.accounts import Accounts, Wanted
from console.book import Book
from console.permits import Role, command_line
from hotline.drawing import Drawing
from hotline.last_turns import LastTurns
from recordings.review_desk import ReviewDesk
from recordings.reviews import Filled, Who
from tests.pure.cli_play import SERVED, config_folder as plain_folder, fill, hotline

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = "2026-W06"


def config_folder(folder: Path) -> Path:
    """A copy of the tracked settings whose plan has two graders."""
    config = plain_folder(folder)
    file = config / "reviews.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("[admin]", "[quality1, quality2]"), encoding="utf-8")
    return config


async def graded(store: Path, config: Path) -> None:
    """Two graders, and an appeal."""
    file = load_settings(config).reviews
    best = {name: point.steps for name, point in file.forms["service"].points.items()}
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    desk = ReviewDesk(journal, store)
    first = await desk.give(Who("quality1"), SERVED, file, "service", Filled(best, remarks={"": "很好"}))
    await desk.give(Who("boss"), SERVED, file, "service", Filled(best | {"listen": 0}, ["abuse"]))
    await desk.appeal(Who("li", "8002"), SERVED, first.review_id, "不同意")
    await desk.mark(Who("boss"), SERVED, True, "值得学习")
    await journal.close()


def asked(config: Path, *words: str) -> Any:
    return json.loads(hotline("reviews", *words, "--format", "json", "--config", str(config)).stdout)


def test_lists_grades_and_kappa_are_told(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    store = fill(tmp_path)
    (drew,) = asked(config, "draw", "--week", WEEK)
    first = drew["calls"][0]
    assert (first["call_id"], first["agent"], first["rule"]) == (SERVED, "8002", "queue")
    assert asked(config, "draw", "--week", WEEK)[0]["calls"] == []
    assert asked(config, "todo")[0]["call_id"] == SERVED
    asyncio.run(graded(store, config))
    assert {(one["grader"], one["score"], one["fatal"]) for one in asked(config, "list")} == {
        ("quality1", 100.0, 0), ("boss", 0.0, 1),
    }  # fmt: skip
    assert [one["grader"] for one in asked(config, "list", "--appeals")] == ["quality1"]
    kappa = {one["point"]: one for one in asked(config, "kappa")}
    assert kappa[""]["n"] == 1 and kappa["greeting"]["undefined"] == "one_answer" and kappa["listen"]["kappa"] == 0
    (form,) = asked(config, "forms")
    assert form["in_force"] and form["first_used"]
    assert [one["call_id"] for one in asked(config, "exemplary")] == [SERVED]
    shown = hotline("reviews", "show", "last", "--config", str(config))
    whole = hotline("reviews", "show", SERVED, "--config", str(config)).stdout
    assert shown.exit_code == 0 and "很好" in whole and "不同意" in whole
    refused = hotline("reviews", "draw", "--week", "2026-W99", "--config", str(config))
    assert refused.exit_code == 1 and "2026-W99" in refused.output


async def test_nobody_is_alarmed_while_nobody_is_of_the_quality_staff(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    store = await asyncio.to_thread(fill, tmp_path)
    book = Book(store.parent)
    Accounts(book, lambda: 0).create(command_line("test"), Wanted("admin", "", frozenset({Role.ADMINISTRATOR})), "x")
    book.close()
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    told: list[str] = []
    daemon: Any = SimpleNamespace(
        journal=journal, state_dir=store.parent, settings=load_settings(config), turns=LastTurns(store.parent),
        wall=lambda: dt.datetime(2026, 2, 9, 6, 1, tzinfo=ZONE),
        alerts=SimpleNamespace(alert=lambda code, key, **params: told.append(code)),
    )  # fmt: skip
    await Drawing(daemon).look()
    await journal.close()
    assert told == [], "a fresh install has nothing to be woken for"
    checked = await asyncio.to_thread(hotline, "check", "--config", str(config))
    assert "quality1" not in checked.output


async def test_each_morning_the_week_that_is_over_is_drawn_for_those_who_are_there(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    store = await asyncio.to_thread(fill, tmp_path)
    book = Book(store.parent)
    Accounts(book, lambda: 0).create(command_line("test"), Wanted("quality2", "二", frozenset({Role.QUALITY})), "x")
    book.close()
    journal = await Journal.open(store, clock=Clock(), spool=store.with_name("spool.jsonl"))
    moment = [dt.datetime(2026, 2, 23, 5, 59, tzinfo=ZONE)]
    turns = LastTurns(store.parent)
    turns.note(week="2026-W05")  # the mornings of two weeks had no daemon
    told: list[tuple[str, dict[str, Any]]] = []
    daemon: Any = SimpleNamespace(
        journal=journal, state_dir=store.parent, settings=load_settings(config), wall=lambda: moment[0],
        turns=turns, alerts=SimpleNamespace(alert=lambda code, key, **params: told.append((code, params))),
    )  # fmt: skip
    drawing = Drawing(daemon)
    await drawing.look()
    assert await asyncio.to_thread(asked, config, "todo") == [], "not before six"
    moment[0] = dt.datetime(2026, 2, 23, 6, 1, tzinfo=ZONE)
    await drawing.look()
    await drawing.look()
    listed = await asyncio.to_thread(asked, config, "todo")
    assert {(one["grader"], one["week"]) for one in listed} == {("quality2", WEEK)}
    assert len({one["call_id"] for one in listed}) == len(listed) >= 1
    assert turns.last("week") == "2026-W08"
    ((code, params),) = told
    assert code == "graders_absent" and params["count"] == 1 and "quality1" in params["first"], "once a morning"
    await journal.close()
    drew = await asyncio.to_thread(hotline, "reviews", "draw", "--week", WEEK, "--config", str(config))
    assert drew.exit_code == 0 and "quality1" in drew.output, "nor is anybody left out in silence"
    assert "hotline users add quality1 --role quality" in " ".join(drew.output.split()), "and it says what to type"
    checked = await asyncio.to_thread(hotline, "check", "--config", str(config))
    assert "plans.weekly.graders[0]" in checked.output and "quality1" in checked.output
    assert "quality2" not in checked.output
