"""The callers' ratings: looked for as people write it, counted as figures, drawn for graders, shown by commands."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from calllog import events as ev, review_queries
from calllog.kpi import Ratings
from calllog.rating_queries import question, ratings, ratings_by, ratings_of
from calllog.rating_words import figures_said
from config.load import load_settings
from config.review_file import Plan
from config.survey import Survey
from console.finding import question_of
from hotline import reviewing
from recordings.sampling import Candidate, Graders, draw
from tests.pure.cli_play import SERVED, config_folder, fill, hotline
from tests.pure.journal_play import new_store, open_journal

S = 1_000_000
DAY = 86_400 * S
MIDNIGHT = 1_780_243_200 * S
"""2026-06-01 00:00 in Shanghai."""
NOW = dt.datetime(2026, 6, 9, tzinfo=dt.UTC)
CONFIG = Path(__file__).parents[2] / "config"
ZONE = ZoneInfo("Asia/Shanghai")

TALKS = (  # call, its arrival after midnight, queue, agent, whether invited, rating
    ("c1", -1, "a", "8001", True, 5),
    ("c2", 0, "a", "8001", True, 1),
    ("c2", 0, "a", "8002", True, 4),
    ("c3", 60 * S, "b", "8002", True, 0),
    ("c4", DAY - 1, "b", "8001", False, 0),
    ("c5", DAY, "b", "8001", True, 2),
)


async def _made(path: Path) -> None:
    journal = await open_journal(path)
    for n, (call_id, after, queue, agent, invited, rating) in enumerate(TALKS):
        at, talk = MIDNIGHT + after, f"t{n}"
        if n == 0 or TALKS[n - 1][0] != call_id:
            journal.append("call", call_id, ev.Arrived(leg=call_id), at=at)
            journal.append("call", call_id, ev.Asked(queue=queue, label=""), at=at)
        events: list[ev.CallEvent] = [
            ev.RingStarted(talk_id=talk, agent=agent, device="d", leg=talk),
            ev.RingEnded(talk_id=talk, agent=agent, result="answered"),
            ev.TalkStarted(talk_id=talk, agent=agent, bridge="b"),
            ev.RecordingRequested(talk_id=talk, part=0, file="x"),
            ev.RecordingStarted(talk_id=talk, part=0),
            ev.TalkEnded(talk_id=talk, agent=agent, by="agent"),
            *([ev.SurveyInvited(talk_id=talk)] if invited else []),
            *([ev.Rated(talk_id=talk, rating=rating)] if rating else []),
        ]
        for event in events:
            journal.append("call", call_id, event, at=at + (n + 1) * S)
    for call_id in dict.fromkeys(row[0] for row in TALKS):
        journal.append("call", call_id, ev.Ended(outcome="answered"), at=MIDNIGHT + 2 * DAY)
        archived = ev.Archived(category="call", file=f"{call_id}.flac", sha256="0" * 64, frames=8_000, rate=8_000,
                               channels=2, spans=())  # fmt: skip
        journal.append("call", call_id, archived, at=MIDNIGHT + 2 * DAY)
    await journal.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five calls, one of them with two talks."""
    path = new_store(tmp_path_factory.mktemp("ratings"))
    asyncio.run(_made(path))
    return path


async def test_each_talk_counts_for_the_day_the_queue_and_the_agent_of_its_own(path: Path) -> None:
    whole = await ratings(path)
    assert whole == Ratings(5, (1, 1, 0, 1, 1))
    assert await ratings_of(path, "8001", ["c1", "c2", "c3", "c4"]) == {"c1": 5, "c2": 1}
    assert await ratings(path, since=MIDNIGHT, until=MIDNIGHT + DAY) == Ratings(3, (1, 0, 0, 1, 0))
    assert await ratings(path, since=MIDNIGHT + 9 * DAY) == Ratings()
    assert await ratings_by(path, "day", ZONE) == {
        "2026-05-31": Ratings(1, (0, 0, 0, 0, 1)), "2026-06-01": Ratings(3, (1, 0, 0, 1, 0)),
        "2026-06-02": Ratings(1, (0, 1, 0, 0, 0)),
    }  # fmt: skip
    assert await ratings_by(path, "day", ZONE, since=MIDNIGHT - 1, until=MIDNIGHT + 1, agent="8001") == {
        "2026-05-31": Ratings(1, (0, 0, 0, 0, 1)), "2026-06-01": Ratings(1, (1, 0, 0, 0, 0))
    }  # fmt: skip
    assert await ratings_by(path, "day", ZONE, since=MIDNIGHT + 9 * DAY) == {}
    assert await ratings_by(path, "agent", ZONE, since=MIDNIGHT) == {
        "8001": Ratings(2, (1, 1, 0, 0, 0)), "8002": Ratings(2, (0, 0, 0, 1, 0))
    }  # fmt: skip
    assert {key: one.invited for key, one in (await ratings_by(path, "queue", ZONE)).items()} == {"a": 3, "b": 2}


@pytest.mark.parametrize("by", ["", "queue", "agent"])
def test_figures_of_a_day_read_that_day_alone(path: Path, by: Literal["", "queue", "agent"]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question(by)}", (1, 2))]
    assert plan[0].startswith("SEARCH call USING ") and plan[0].endswith(
        "INDEX call_by_arrival (arrived_at>? AND arrived_at<?)"
    ), plan
    assert plan[1].startswith("SEARCH talk USING ") and plan[1].endswith("INDEX talk_invited (call_id=?)"), plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (5,)), ("4,5", (4, 5)), ("4，5", (4, 5)), ("5、4", (4, 5)), ("４", (4,)), ("3-5", (3, 4, 5)),
        ("rated", (1, 2, 3, 4, 5)), ("bad", (4, 5)), ("BAD, 1", (1, 4, 5)), ("非常不满意", (5,)), ("满意、1", (1, 2)),
        ("0", None), ("6", None), ("5-4", None), ("4,", (4,)), (",", None), ("good", None), ("1 OR 1=1", None),
    ],
)  # fmt: skip
def test_a_wish_for_ratings_is_read_as_people_write_it(text: str, expected: tuple[int, ...] | None) -> None:
    asked = question_of({"rating": text}, load_settings(CONFIG), NOW)
    assert asked.wanted.ratings == expected
    assert set(asked.faults) == (set() if expected else {"rating"})


async def test_a_plan_takes_every_badly_rated_call_for_the_agent_who_was_rated(path: Path) -> None:
    found = {one.call_id: (one.rating, one.rated) for one in await review_queries.gradable(path, 0, 2**62)}
    assert found == {"c1": (5, "8001"), "c2": (4, "8002"), "c3": (0, ""), "c4": (0, ""), "c5": (2, "8001")}
    calls = [Candidate("bad", ("8001", "8002"), 60.0, badly_rated="8002"), Candidate("good", ("8001",), 60.0)]
    plan = Plan(form="service", graders=("ann",), bad_ratings=True)
    (pick,) = draw(plan, "2026-W23", calls, (), Graders(("ann",))).picks
    assert (pick.call_id, pick.agent, pick.rule) == ("bad", "8002", "rating")
    without = plan.model_copy(update={"bad_ratings": False})
    assert not draw(without, "2026-W23", calls, (), Graders(("ann",))).picks


def test_figures_are_told_with_what_they_are_made_of() -> None:
    satisfied, asked, bad = figures_said(Ratings(8, (2, 1, 0, 1, 0)), 4)
    assert "75.0%" in satisfied and "3" in satisfied and "4" in satisfied
    assert "50.0%" in asked and "8" in asked and "1" in bad
    (only,) = figures_said(Ratings(3), 4)
    assert "0.0%" in only and "3" in only


def test_commands_find_by_ratings_and_tell_the_figures(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    fill(tmp_path)
    (row,) = json.loads(hotline("calls", "--rating", "1,2", "--format", "json", config=config).stdout)
    assert (row["call_id"], row["rating"]) == (SERVED, 2)
    assert json.loads(hotline("recordings", "list", "--rating", "bad", "--format", "json", config=config).stdout) == []
    wrong = hotline("calls", "--rating", "7", config=config)
    assert wrong.exit_code == 2 and "--rating" in wrong.stderr
    found = json.loads(hotline("report", "satisfaction", "--by", "agent", "--month", "2026-02", "--format", "json",
                               config=config).stdout)  # fmt: skip
    assert (found["total"]["rated"], found["total"]["satisfaction"], found["bad_from"]) == (1, 1.0, 4)
    (line,) = found["lines"]
    assert (line["agent"], line["invited"], line["rating_2"], line["participation"]) == ("8002", 1, 1, 1.0)
    told = hotline("report", "satisfaction", "--month", "2026-02", config=config, language="en")
    assert told.exit_code == 0 and "100.0%" in told.stdout and "2026-02-06" in told.stdout
    assert "rated / asked" in told.stdout
    none = hotline("report", "satisfaction", "--month", "2026-01", config=config, language="en")
    assert none.exit_code == 0 and "No caller was asked" in none.stdout


@pytest.mark.parametrize(("bad_from", "expected"), [(4, ["c2"]), (5, [])])
async def test_what_is_bad_is_as_the_settings_say(
    path: Path, tmp_path: Path, bad_from: int, expected: list[str]
) -> None:
    store = Path(shutil.copy(path, tmp_path / "calls.db"))
    settings = load_settings(CONFIG)
    hotline_file = settings.hotline.model_copy(update={"survey": Survey(bad_from=bad_from)})
    plans = {"weekly": Plan(form="service", graders=("ann",), bad_ratings=True)}
    reviews = settings.reviews.model_copy(update={"plans": plans})
    settings = settings.model_copy(update={"hotline": hotline_file, "reviews": reviews})
    (drew,) = (await reviewing.draw_alone(store, settings, {"week": "2026-W23", "by": "boss"}, None))["drew"]
    assert [(one["call_id"], one["agent"], one["rule"]) for one in drew["calls"]] == [
        (call_id, "8002", "rating") for call_id in expected
    ]
