"""The duty room: who is there now and next, the week, what is missing, and the same for programs."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from config.problems import Place, Problem
from tests.web.conftest import Person

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(person: Person, hour: int) -> None:
    """The hotline's clock stands at this hour of a Thursday."""
    person.web.site.stands = dt.datetime(2026, 11, 26, hour, 0, tzinfo=SHANGHAI)


async def test_now_and_next_are_those_of_the_roster_and_agree_with_the_programs_answer(admin: Person) -> None:
    at(admin, 7)
    page = await admin.get("/duty/now")
    now = json.loads(await admin.get("/api/v1/duty"))
    first = [one["agent"] for one in now["people"] if one["line"] == "first"]
    assert first == ["8001", "8002"] and {one["shift"] for one in now["people"]} == {"早班"}
    assert "8001 张敏" in page and "14:00" in page
    inquiry = next(one for one in now["queues"] if one["name"] == "inquiry")
    assert inquiry["now"] == ["8001 张敏", "8002 李强"] and not inquiry["closed"]
    at(admin, 15)
    assert [one["agent"] for one in json.loads(await admin.get("/api/v1/duty"))["people"]][:2] == ["8003", "8004"]


async def test_a_week_has_everybodys_shifts_as_bars_and_for_programs(admin: Person) -> None:
    at(admin, 7)
    page = await admin.get("/duty?from=2026-11-30")
    week = json.loads(await admin.get("/api/v1/duty/week?from=2026-11-30"))
    assert week["first"] == "2026-11-30" and not week["gaps"]
    shifts = sum(len(row["shifts"]) for row in week["people"])
    assert shifts > 20 and page.count('class="shift shift-') == shifts + 4  # and the key of each of the four
    assert "早班 11-30 06:00–14:00" in page
    assert (await admin.get("/duty/coverage.svg?from=2026-11-30")).startswith("<svg")
    await admin.get("/duty?from=1999-01-01", 422)
    await admin.get("/duty?from=nonsense", 422)


async def test_who_cannot_be_reached_is_told_with_what_to_do(admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    at(admin, 7)
    there = "是否已开机并注册"
    assert there not in await admin.get("/duty")
    monkeypatch.setattr(type(admin.web.site), "devices", lambda _site, _agent: {})
    page = await admin.get("/duty")
    assert there in page and "联系不上" in page


async def test_what_is_wrong_with_roster_and_files_is_said_with_its_place(admin: Person) -> None:
    site = admin.web.site
    site.problems = [Problem("gap", Place("roster.yaml", 28), "12-04: nobody", "Add <b>somebody</b>.")]
    assert site.condition is not None
    site.condition.config["errors"] = ["roster.yaml:31: rules[0]: nothing there. Name a shift."]
    page = await admin.get("/duty")
    assert "roster.yaml:28" in page and "12-04: nobody" in page and "Add &lt;b&gt;somebody" in page
    assert "roster.yaml:31" in page
    proof = json.loads(await admin.get("/api/v1/duty/proof"))
    assert proof["problems"][0]["place"] == "roster.yaml:28" and not proof["problems"][0]["warning"]
    assert proof["file_errors"] == ["roster.yaml:31: rules[0]: nothing there. Name a shift."]


async def test_who_may_not_is_refused(nobody: Person) -> None:
    await nobody.sign_in("department")
    for path in (
        "/duty", "/duty/now", "/duty/week", "/duty/proof", "/duty/coverage.svg", "/api/v1/duty", "/api/v1/duty/week",
        "/api/v1/duty/proof",
    ):  # fmt: skip
        await nobody.get(path, 403)


async def test_of_a_large_house_the_page_is_there_at_once_and_its_people_come_page_by_page(
    admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(admin, 7)
    monkeypatch.setattr("console.duty.SMALL", 3)
    for module in ("console.duty", "console.week", "console.pages.duty"):
        monkeypatch.setattr(f"{module}.PEOPLE", 5)
    page = await admin.get("/duty?from=2026-11-30&page=2&name=8")
    assert 'hx-get="/duty/week?from=2026-11-30&amp;page=2&amp;name=8"' in page and 'hx-get="/duty/proof"' in page
    assert 'hx-get="/duty/now?on=1&amp;name=8" hx-trigger="load, live:duty from:body"' in page
    assert "shift-" not in page and page.count('aria-busy="true"') == 3
    week = [json.loads(await admin.get(f"/api/v1/duty/week?from=2026-11-30&page={n}")) for n in (1, 2, 3, 4)]
    people = [row["agent"] for each in week for row in each["people"]]
    assert [len(each["people"]) for each in week] == [5, 5, 2, 0] and sorted(set(people)) == sorted(people)
    assert {each["many"] for each in week} == {12}
    part = await admin.get("/duty/week?from=2026-11-30&page=2")
    assert "page=1#week" in part and "page=3#week" in part
    assert all(f">{agent} " in part for agent in people[5:10]) and f">{people[0]} " not in part
    assert "8001 张敏" in await admin.get("/duty/week?from=2026-11-30&name=张敏") and "8002" not in await admin.get(
        "/duty/week?from=2026-11-30&name=张敏"
    )
    team = json.loads(await admin.get("/api/v1/duty/week?from=2026-11-30&name=甲班"))
    assert [row["agent"] for row in team["people"]] == ["8001", "8002"]
    now = json.loads(await admin.get("/api/v1/duty?name=李强"))
    assert [one["agent"] for one in now["people"]] == ["8002"] and now["many"] == 1
    assert (await admin.get("/duty/proof")).startswith("<section")
