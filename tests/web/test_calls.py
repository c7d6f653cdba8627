"""The calls room: found, paged and read by each person as far as they may; filters of one's own; lists for a sheet."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
import re
from urllib.parse import quote

import aiohttp
import pytest

from calllog import events as ev
from calllog.notes import new_note
from console import satisfaction
from tests.pure.cli_play import SERVED, START, WANG, served
from tests.pure.journal_play import short_call
from tests.web.conftest import Person
from tests.web.plain_site import Web

SECOND = 1_000_000


@pytest.fixture
async def calls(web: Web) -> Web:
    """One call with everything in it, of 8002; sixty that nobody answered; one of 8001's that was recorded about."""
    journal = web.site.journal
    for seconds, event in served():
        party = WANG if isinstance(event, ev.Arrived) else None
        journal.append("call", SERVED, event, party=party, at=START + round(seconds * SECOND))
    for n in range(60):
        call_id, at = f"hotline-{n}.1", START + (n + 1) * 60 * SECOND
        party = ev.Party(f"1390000{n:04}", f"+861390000{n:04}", "")
        for event in (
            ev.Arrived(leg=call_id), ev.Asked(queue="inquiry", label="咨询"), ev.HungUp(by="caller"),
            ev.Ended(outcome="abandoned"),
        ):  # fmt: skip
            journal.append("call", call_id, event, party=party, at=at)
    own = "hotline-999.1"
    note = new_note("record", "problem", "=HYPERLINK(客户要求退款)")
    talk = f"{own}-1"
    for event in (
        ev.Arrived(leg=own), ev.Asked(queue="inquiry", label="=cmd()"),
        ev.RingStarted(talk_id=talk, agent="8001", device="8001", leg="l"),
        ev.RingEnded(talk_id=talk, agent="8001", result="answered"),
        ev.TalkStarted(talk_id=talk, agent="8001", bridge="b"), ev.TalkEnded(talk_id=talk, agent="8001", by="caller"),
        ev.Ended(outcome="answered"),
    ):  # fmt: skip
        journal.append("call", own, event, party=ev.Party("=1+1", "", "<script>alert(1)</script>"), at=START - SECOND)
    written = ev.RecordWritten(record_id="r", version=1, by="8001", notes={"problem": note.note_id})
    await journal.commit("call", own, written, notes=[note], at=START)
    return web


def listed(page: str) -> list[str]:
    links = re.findall(r'<th scope="row" class="nowrap"><a href="/calls/([^"]*)"', page)
    return [html.unescape(found) for found in links]


async def test_pages_follow_each_other_and_masks_depend_on_who_looks(calls: Web, nobody: Person) -> None:
    await nobody.sign_in("quality")
    page = await nobody.get("/calls")
    first = listed(page)
    assert len(first) == 50 and "62 " in page
    (older,) = re.findall(r'rel="next" href="([^"]*)"', page)
    page = await nobody.get(html.unescape(older))
    assert len(set(first + listed(page))) == 62
    assert "138****1111" in page and "13800001111" not in page
    (newer,) = re.findall(r'rel="prev" href="([^"]*)"', page)
    assert listed(await nobody.get(html.unescape(newer))) == first
    detail = await nobody.get(f"/calls/{SERVED}")
    assert "138****1111" in detail and "0001111" not in detail
    await nobody.post("/sign-out")
    await nobody.sign_in("supervisor")
    assert "13800001111" in await nobody.get(f"/calls/{SERVED}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("number=0001111&outcome=answered", [SERVED]),
        ("number=１３８ 0000", [SERVED]),
        ("words=退款", ["hotline-999.1"]),
        ("words=退款&number=", ["hotline-999.1"]),
        ("agent=8002&hold=3-10", [SERVED]),
        ("length=10min", []),
        ("rating=2", [SERVED]),
        ("rating=rated&agent=8002", [SERVED]),
        ("rating=bad", []),
        ("period=today", []),
        ("period=2026-02-06&agent=8002&hold=3-10", [SERVED]),
        ("period=2026-02-05&agent=8002&hold=3-10", []),
        ("since=2026-02-06T04:00&until=2026-02-06T04:01", [SERVED]),
    ],
)
async def test_wishes_find(calls: Web, admin: Person, query: str, found: list[str]) -> None:
    page = await admin.get(f"/calls?{query}")
    assert listed(page) == found
    part = await admin.get(f"/calls?{query}", headers={"HX-Request": "true"})
    assert listed(part) == found and "<html" not in part


@pytest.mark.parametrize(
    "query",
    [
        "since=gestern", "until=2026-13-40", "length=abc", "length=9-1", "outcome=nothing", "words=%22%22", "words=😀",
        "score=x", "rating=6", "category=x", f"words={'退' * 1_500}", f"number={'1' * 300}", "number=%00",
        "agent=nobody", "since=2026-02-07&until=2026-02-06", "hold=99999999999999999999",
    ],
)  # fmt: skip
async def test_what_cannot_be_understood_is_told_and_nothing_breaks(calls: Web, admin: Person, query: str) -> None:
    page = await admin.get(f"/calls?{query}")
    assert 'role="alert"' in page and not listed(page)
    assert 'aria-invalid="true"' in page
    answer = await admin.get(f"/api/v1/calls?{query}", 422)
    assert json.loads(answer)["status"] == 422


@pytest.mark.parametrize("text", ["'; DROP TABLE card;--", '"退款', "NEAR(a b)", "%", "a* OR b", "\u202e退款", "<b>"])
async def test_hostile_wishes_are_only_wishes(calls: Web, admin: Person, text: str) -> None:
    page = await admin.get(f"/calls?words={quote(text)}&number={quote(text)}&agent={quote(text)}&queue={quote(text)}")
    assert "<b>" not in page.replace("&lt;b&gt;", "")
    await admin.get(f"/calls?after={quote(text)}")
    await admin.get(f"/calls/{quote(text, safe='')}", 404)


async def test_an_agent_sees_their_own_calls_alone(calls: Web, nobody: Person) -> None:
    await nobody.sign_in("agent")
    page = await nobody.get("/calls")
    assert listed(page) == ["hotline-999.1"]
    assert "<script>alert" not in page
    await nobody.get("/calls/hotline-999.1")
    await nobody.get(f"/calls/{SERVED}", 404)
    await nobody.get(f"/api/v1/calls/{SERVED}", 404)
    assert listed(await nobody.get("/calls?agent=8002")) == []
    assert len((await nobody.get("/calls/export.csv")).splitlines()) == 2
    await nobody.get("/account")
    await nobody.post("/sign-out")
    await nobody.sign_in("department")
    await nobody.get("/calls", 403)


async def test_a_list_for_a_sheet_has_no_formulas(calls: Web, admin: Person) -> None:
    text = await admin.get("/calls/export.csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 62
    assert (rows[-1]["label"], rows[-1]["number"]) == ("'=cmd()", "'=1+1")
    assert rows[-2]["call_id"] == SERVED and rows[-2]["rating"] == "2"
    await admin.get("/calls/export.csv?length=x", 422)


async def test_filters_are_ones_own(calls: Web, nobody: Person) -> None:
    await nobody.sign_in("quality")
    await nobody.get("/calls?words=退款&period=7d")
    assert await nobody.post("/calls/filters", {"name": "退款 本周", "words": "退款", "period": "7d", "x": "y"})
    page = await nobody.get("/calls")
    assert "退款 本周" in page and "words=%E9%80%80%E6%AC%BE&amp;period=7d" in page
    assert await nobody.post("/calls/filters", {"name": "退款 本周", "words": "发票"})
    (mine,) = json.loads(await nobody.get("/api/v1/calls/filters"))
    assert mine["fields"] == {"words": "发票"}
    for form in ({"name": ""}, {"name": "x"}):
        assert await nobody.post("/calls/filters", {**form, "words": ""})
        assert 'class="said bad"' in await nobody.get("/calls")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        other = Person(calls, client)
        await other.sign_in("supervisor")
        assert "退款 本周" not in await other.get("/calls")
        await other.post("/calls/filters/end", {"filter_id": mine["filter_id"]}, 404)
    await nobody.get("/calls")
    await nobody.post("/calls/filters/end", {"filter_id": mine["filter_id"]})
    assert json.loads(await nobody.get("/api/v1/calls/filters")) == []


async def test_the_twin_for_programs(calls: Web, admin: Person) -> None:
    page = json.loads(await admin.get("/api/v1/calls?limit=2"))
    assert (len(page["calls"]), page["older"], page["newer"]) == (2, True, False)
    assert page["count"] == {"n": 62, "more": False}
    more = json.loads(await admin.get(f"/api/v1/calls?limit=2&after={page['calls'][-1]['call_id']}"))
    assert more["newer"] and more["count"] is None
    whole = json.loads(await admin.get(f"/api/v1/calls/{SERVED}"))
    assert (whole["call"]["talked"], whole["talks"][-1]["held"]) == (65.0, 5.0)
    assert whole["course"][0]["kind"] == "arrived"
    assert (whole["call"]["rating"], [talk["rating"] for talk in whole["talks"] if talk["invited_at"]]) == (2, [2])
    await admin.get("/api/v1/calls?limit=0", 422)
    await admin.get("/api/v1/calls/none", 404)


async def test_the_course_in_both_languages(calls: Web, admin: Person) -> None:
    assert "接通 8002" in await admin.get(f"/calls/{SERVED}") or "8002" in admin.last
    await admin.post("/language", {"to": "en", "back": f"/calls/{SERVED}"})
    page = await admin.get(f"/calls/{SERVED}")
    assert "Course of the call" in page and "Connected with 8002" in page and "Key 2" in page


async def test_an_empty_store_says_what_to_expect(admin: Person) -> None:
    assert 'class="card empty"' in await admin.get("/calls")


async def test_what_callers_said_as_figures_for_each_as_far_as_they_may(
    web: Web, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.site.stands = dt.datetime(2026, 6, 1, 4, tzinfo=dt.UTC)
    at = round(web.site.stands.timestamp() * SECOND)
    for call_id, agent, rating in (("s-1.1", "8001", 1), ("s-2.1", "8002", 4), ("s-3.1", "8002", 0)):
        for _stream, _call, event, party in short_call(call_id, agent=agent):
            web.site.journal.append("call", call_id, event, party=party, at=at)
            if isinstance(event, ev.TalkEnded):
                web.site.journal.append("call", call_id, ev.SurveyInvited(talk_id=event.talk_id), at=at)
                if rating:
                    said = ev.Rated(talk_id=event.talk_id, rating=rating)
                    web.site.journal.append("call", call_id, said, at=at)
    await web.site.journal.flush()
    await nobody.sign_in("supervisor")
    page = await nobody.get("/quality/satisfaction?by=agent&days=2")
    assert "50.0%" in page and "66.7%" in page and "/calls?agent=8002&amp;rating=rated&amp;since=20" in page
    found = json.loads(await nobody.get("/api/v1/satisfaction?by=agent&days=2"))
    assert (found["total"]["rated"], found["total"]["bad"], found["total"]["given"]) == (2, 1, [1, 0, 0, 1, 0])
    assert [(line["about"], line["satisfaction"]) for line in found["lines"]] == [("8002", 0.0), ("8001", 1.0)]
    rest = json.loads(await nobody.get("/api/v1/satisfaction?days=2&skip=1"))
    assert (rest["many"], [line["about"] for line in rest["lines"]]) == (2, ["8001"])
    monkeypatch.setattr(satisfaction, "PAGE", 1)
    second = await nobody.get("/quality/satisfaction?days=2&page=2")
    assert "agent=8001" in second and "agent=8002" not in second and "page=1" in second
    await nobody.get("/quality/satisfaction?days=0", 422)
    assert "50.0%" in await nobody.get("/status")
    await nobody.get("/account")
    await nobody.post("/sign-out")
    await nobody.sign_in("agent")
    (own,) = json.loads(await nobody.get("/api/v1/satisfaction?by=queue&days=2"))["lines"]
    assert (own["invited"], own["satisfaction"]) == (1, 1.0)
    assert json.loads(await nobody.get("/api/v1/desk/calls"))[0]["rating"] == 1
