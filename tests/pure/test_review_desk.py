"""Grades in the journal and in the store: given, corrected, appealed, listed; and ``rebuild`` agrees."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calllog import review_queries as ask
from calllog.journal import Journal
from calllog.list_pages import ListWish, find_listed
from calllog.review_pages import GradeWish, find_grades
from calllog.verify import rebuild, verify
from config.review_file import Form, Group, Plan, Point, ReviewFile
from recordings.review_desk import ReviewDesk
from recordings.review_figures import agreements
from recordings.reviews import Filled, Refused, Who
from tests.pure.journal_play import new_store, open_journal, short_call, stored, tamper

ZONE = ZoneInfo("Asia/Shanghai")
POINTS = {"kind": Point(ask="态度", weight=40), "right": Point(ask="准确", weight=60, steps=3)}
FORM = Form(title="服务", groups={"all": Group(title="全部", weight=100, points=POINTS)}, fatal={"abuse": "辱骂"})
FILE = ReviewFile(
    forms={"service": FORM},
    plans={"weekly": Plan(form="service", graders=("ann", "ben"), per_agent=1, all_of_queues=("complaint",))},
)
MONDAY = dt.datetime(2026, 11, 23, 9, tzinfo=ZONE)
WEEK = "2026-W48"
ANN, BEN, MIN = Who("ann"), Who("ben"), Who("min", "8001")
GOOD, POOR = Filled({"kind": 1, "right": 3}, remarks={"": "很好", "right": "完全正确"}), Filled({"kind": 0, "right": 1})


@pytest.fixture
async def journal(tmp_path: Path) -> Journal:
    """Five calls of two agents on Monday, a minute apart and a minute long."""
    found = await open_journal(new_store(tmp_path))
    for n in range(5):
        for step, (_stream, call, event, party) in enumerate(short_call(f"c{n}", agent=f"800{n % 2 + 1}")):
            at = round((MONDAY.timestamp() + 60 * n + 4 * step) * 1e6)
            found.append("call", call, event, party=party, at=at)
    await found.flush()
    return found


async def test_grades_corrections_and_appeals_are_rows_that_rebuild_finds_right(
    journal: Journal, tmp_path: Path
) -> None:
    store = tmp_path / "calls.db"
    desk = ReviewDesk(journal, store)
    first = await desk.give(ANN, "c0", FILE, "service", GOOD)
    second = await desk.correct(ANN, "c0", first.review_id, Filled({"kind": 1, "right": 2}))
    await desk.give(BEN, "c0", FILE, "service", POOR)
    await desk.appeal(MIN, "c0", second.review_id, "答复是对的")
    with pytest.raises(Refused):
        await desk.give(ANN, "c0", FILE, "service", GOOD)
    with pytest.raises(Refused):
        await desk.give(ANN, "nothing", FILE, "service", GOOD)
    changed = await desk.change(BEN, "c0", second.review_id, GOOD)
    with pytest.raises(Refused):
        await desk.mark(ANN, "c0", True, " ")
    await desk.mark(ANN, "c0", True, "值得学习")
    gone = await desk.comment(ANN, "c0", 300, "语速快", 1000)
    await desk.comment(BEN, "c0", 700, "复述得好", 1000)
    await desk.uncomment(ANN, "c0", gone)
    rows = (await find_grades(store, GradeWish())).rows
    assert {(row.grader, row.score) for row in rows} == {("ben", 200), ("ben", 1000)}
    assert len((await find_grades(store, GradeWish(standing=False))).rows) == 4
    assert (await find_grades(store, GradeWish(agent="8002"))).rows == ()
    assert stored(store, "SELECT score, grades, open_appeals, exemplary, comments FROM reviewed") == [(600, 2, 0, 1, 1)]
    (example,) = (await ask.examples(store)).rows
    assert (example.call_id, example.agents, example.score) == ("c0", ("8001",), 600)
    assert (example.by, example.why) == ("ann", "值得学习")
    assert (await ask.examples(store, agent="8002")).rows == ()
    assert len(await ask.forms(store)) == 1, "one version was used, so one is kept"
    state = await ask.state_of(store, "c0")
    assert (state.reviews[1].appeal, changed.appealed) == ("changed", True)
    texts = await journal.notes_of("c0")
    assert sorted(texts.values()) == sorted(
        ["很好", "完全正确", "答复是对的", "很好", "完全正确", "值得学习", "语速快", "复述得好"]
    )
    assert not any(text in str(stored(store, "SELECT data FROM event")) for text in texts.values())
    await journal.close()
    assert verify(store) == [] and rebuild(store).changed == 0
    tamper(store, "UPDATE review SET score = 1000", "DELETE FROM reviewed", "UPDATE review_form SET text = ''",
           "INSERT INTO reviewed VALUES ('ghost', 1, 1, 0, 0, 0, 0, 1, 0)")  # fmt: skip
    assert rebuild(store).changed == 5 and verify(store) == []
    assert stored(store, "SELECT score FROM reviewed") == [(600,)]


async def test_a_form_that_changed_leaves_old_grades_theirs(journal: Journal, tmp_path: Path) -> None:
    desk = ReviewDesk(journal, tmp_path / "calls.db")
    old = await desk.give(ANN, "c1", FILE, "service", GOOD)
    stricter = FORM.model_copy(update={"pass_mark": 95, "title": "新表"})
    new = await desk.give(ANN, "c1", FILE.model_copy(update={"forms": {"service": stricter}}), "service", GOOD)
    assert old.version != new.version
    corrected = await desk.correct(ANN, "c1", old.review_id, Filled({"kind": 1, "right": 2}))
    assert corrected.version == old.version, "a correction is by the form that was used"
    assert len(await ask.forms(tmp_path / "calls.db", "service")) == 2
    await journal.close()


async def test_a_draw_fills_lists_once_and_grading_empties_them(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "calls.db"
    desk = ReviewDesk(journal, store)
    (drew,) = await desk.draw("boss", FILE, WEEK, ZONE, {"ann": "8001"}, bad_from=4)
    assert sorted(pick.agent for pick in drew.drawing.picks) == ["8001", "8002"]
    assert all(pick.grader == "ben" for pick in drew.drawing.picks if pick.agent == "8001")
    (again,) = await desk.draw("boss", FILE, WEEK, ZONE, {"ann": "8001"}, bad_from=4)
    assert again.drawing.picks == ()
    assert (await desk.draw("boss", FILE, "2026-W47", ZONE, {}, bad_from=4))[0].drawing.picks == ()
    todo = (await find_listed(store, ListWish("ben"))).rows
    assert todo and all((row.week, row.rule, row.score) == (WEEK, "random", -1) for row in todo)
    await desk.give(BEN, todo[0].call_id, FILE, "service", POOR)
    assert len((await find_listed(store, ListWish("ben"))).rows) == len(todo) - 1
    (done,) = (await find_listed(store, ListWish("ben", done=True))).rows
    assert (done.call_id, done.score) == (todo[0].call_id, 200)
    with pytest.raises(Refused):
        await desk.draw("boss", FILE, WEEK, ZONE, {}, only="daily", bad_from=4)
    await journal.close()
    assert rebuild(store).changed == 0


async def test_graders_are_compared_by_form_version(journal: Journal, tmp_path: Path) -> None:
    store = tmp_path / "calls.db"
    desk = ReviewDesk(journal, store)
    for n, (mine, theirs) in enumerate([(GOOD, GOOD), (GOOD, POOR), (POOR, POOR)]):
        await desk.give(ANN, f"c{n}", FILE, "service", mine)
        await desk.give(BEN, f"c{n}", FILE, "service", theirs)
    await desk.give(ANN, "c3", FILE, "service", GOOD)
    ((form, found),) = await agreements(store, "service")
    assert (form.title, found.first, found.second, found.n) == ("服务", "ann", "ben", 3)
    assert found.points[0].plain.value is not None
    await journal.close()
