"""The duty room: who is there now and next, the week, what is missing, and the same for programs."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

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
    for path in ("/duty", "/duty/now", "/duty/coverage.svg", "/api/v1/duty", "/api/v1/duty/week", "/api/v1/duty/proof"):
        await nobody.get(path, 403)
