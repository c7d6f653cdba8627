"""The quality room: who hears is written down first, the bytes are the recording's, grades are given at the screen."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile

from calllog import access_queries, events as ev
from console.permits import Role
from tests.pure.journal_play import short_call
from tests.web.conftest import Person
from tests.web.plain_site import Web, plain_web
from tests.web.program import Program, program
from tests.web.recorded import graders

CALL = "hotline-1.1"
PAGE = f"/quality/calls/{CALL}"
WORST = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@dataclass
class House:
    """A console with one recorded call of 8001, and people at it by name."""

    web: Web
    sound: bytes
    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        return self.people[name]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with plain_web(tmp_path) as web, AsyncExitStack() as stack:
        samples = (np.sin(np.arange(16_000) / 20)[:, None] * [9_000, 4_000]).astype(np.int16)
        path = web.site.folders.archive / "2026/11/25" / f"{CALL}.flac"
        path.parent.mkdir(parents=True)
        soundfile.write(path, samples, 8000, format="FLAC")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for _stream, call, event, party in short_call(CALL)[:-1]:
            web.site.journal.append("call", call, event, party=party)
        archived = ev.Archived(
            category="call", file=f"2026/11/25/{CALL}.flac", sha256=digest, frames=16_000, rate=8000, channels=2,
            spans=(ev.Span(f"{CALL}-1", 0, 16_000, True),),
        )  # fmt: skip
        await web.site.journal.commit("call", CALL, archived)
        people = {}
        for name in ("quality", "supervisor", "agent", "other", "auditor"):
            client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
            people[name] = Person(web, client)
            await people[name].sign_in(name)
        yield House(web, samples.tobytes(), people)


async def fetched(who: Person, path: str, **headers: str) -> tuple[int, bytes, aiohttp.typedefs.LooseHeaders]:
    async with who.client.get(who.web.url + path, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.read(), dict(answer.headers)


async def address(who: Person, reason: str = "grading") -> str:
    await who.get(PAGE)
    return str(json.loads(await who.post(f"{PAGE}/hear", {"reason": reason}, status=200))["path"])


async def test_a_hearing_is_written_down_first_and_its_bytes_are_the_recordings(house: House) -> None:
    quality = house.quality
    await quality.get(PAGE)
    assert await access_queries.list_accesses(house.web.site.store) == [], "to look at the page is not to hear"
    await quality.post(f"{PAGE}/hear", {"reason": "other", "words": " "}, status=422)
    await quality.post(f"{PAGE}/hear", {"reason": ""}, status=422)
    first = re.compile(r'<select id="reason"><option value="(\w*)"')
    assert first.findall(await quality.get(PAGE)) == ["grading"], "a grader grades"
    assert first.findall(await house.supervisor.get(PAGE)) == [""], "nothing is chosen for anybody else"
    path = await address(quality)
    (noted,) = await access_queries.list_accesses(house.web.site.store)
    entry = noted.entry
    assert (entry.who, entry.verb, entry.why, entry.call_id) == ("quality", "recording.hear", "grading", CALL)
    status, whole, headers = await fetched(quality, path)
    assert (status, whole[44:], headers["Accept-Ranges"]) == (200, house.sound, "bytes")
    status, part, headers = await fetched(quality, path, Range="bytes=1044-2043")
    assert (status, part) == (206, whole[1044:2044])
    assert headers["Content-Range"] == f"bytes 1044-2043/{len(whole)}" and "no-store" in headers["Cache-Control"]
    assert (await fetched(quality, path, Range="bytes=-100"))[1] == whole[-100:]
    assert (await fetched(quality, path, Range=f"bytes={len(whole)}-"))[0] == 416
    assert len(await access_queries.list_accesses(house.web.site.store)) == 1, "ranges are one hearing"


async def test_an_address_opens_nothing_for_anybody_else(house: House) -> None:
    path = await address(house.quality)
    for who in (house.supervisor, house.agent):
        assert (await fetched(who, path))[0] == 404
    assert (await fetched(house.quality, path[:-2]))[0] == 404
    assert (await fetched(house.auditor, path))[0] == 403
    await house.quality.get("/account")
    await house.quality.post("/sign-out")
    assert (await fetched(house.quality, path))[0] == 303, "to the sign-in"


async def test_an_agent_sees_their_own_calls_and_no_others(house: House) -> None:
    assert "138****1111" in await house.quality.get(PAGE)
    await house.agent.get(PAGE)
    await house.other.get(PAGE, status=404)
    await house.other.post(f"{PAGE}/hear", {"reason": "training"}, status=404)
    await house.auditor.get(PAGE)
    await house.auditor.post(f"{PAGE}/hear", {"reason": "training"}, status=403)
    await house.quality.get("/quality/calls/..%2F..%2Fetc", status=404)


async def test_a_damaged_recording_is_told_and_not_played(house: House) -> None:
    path = await address(house.quality)
    (file,) = house.web.site.folders.archive.rglob("*.flac")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert (await fetched(house.quality, path))[0] == 409
    said = json.loads(await house.quality.post(f"{PAGE}/hear", {"reason": "grading"}, status=409))
    assert said["detail"]
    file.unlink()
    await house.quality.post(f"{PAGE}/hear", {"reason": "grading"}, status=409)


async def test_a_recording_is_taken_along_as_it_is_and_that_is_written_down(house: House) -> None:
    quality = house.quality
    (file,) = house.web.site.folders.archive.rglob("*.flac")
    await quality.get(PAGE)
    form = {"csrf": quality.csrf, "reason": "complaint"}
    async with quality.client.post(f"{quality.web.url}{PAGE}/download", data=form) as answer:
        assert (answer.status, await answer.read()) == (200, file.read_bytes())
        assert ".flac" in answer.headers["Content-Disposition"]
    (noted,) = await access_queries.list_accesses(house.web.site.store)
    assert (noted.entry.verb, noted.entry.why) == ("recording.export", "complaint")
    await house.agent.get(PAGE)
    await house.agent.post(f"{PAGE}/download", {"reason": "training"}, status=403)


async def test_a_call_is_held_with_a_reason_until_the_hold_is_lifted(house: House) -> None:
    supervisor = house.supervisor
    await supervisor.get(PAGE)
    await supervisor.post(f"{PAGE}/hold", {"why": " "})
    await supervisor.get(PAGE)
    await supervisor.post(f"{PAGE}/hold", {"why": WORST})
    page = await house.quality.get(PAGE)
    assert "supervisor" in page and WORST not in page and "&lt;img" in page
    await house.agent.get(f"/api/v1/calls/{CALL}/holds", 403)
    await supervisor.get(PAGE)
    await supervisor.post(f"{PAGE}/release", {"why": "和解"})
    assert "&lt;img" not in await supervisor.get(PAGE)
    await house.agent.get(PAGE)
    await house.agent.post(f"{PAGE}/hold", {"why": "x"}, status=403)


def answers(house: House, **changed: str) -> dict[str, str]:
    form = house.web.site.settings.reviews.forms["service"]
    best = {f"a.{name}": str(point.steps) for name, point in form.points.items()}
    return {"about": "give", "form": "service", **best, **changed}


async def test_a_call_is_graded_appealed_and_decided_at_the_screen(house: House) -> None:
    quality, agent, supervisor = house.quality, house.agent, house.supervisor
    await quality.get(PAGE)
    await quality.post(f"{PAGE}/draft", answers(house, remark="草稿"), status=204)
    assert "草稿" in await quality.get(PAGE), "the draft is there again"
    wrong = answers(house, remark="还没完")
    del wrong["a.listen"]
    assert "还没完" in await quality.post(f"{PAGE}/grade", wrong, status=422), "nothing typed is lost"
    assert await quality.post(f"{PAGE}/grade", answers(house, remark=WORST)) == PAGE
    page = await quality.get(PAGE)
    assert "100.0" in page and "草稿" not in page and WORST not in page and "&lt;img" in page
    await quality.post(f"{PAGE}/grade", answers(house), status=409)
    await agent.get(PAGE)
    await agent.post(f"{PAGE}/grade", answers(house), status=403)
    (review,) = (await house.web.site.reviews._about(CALL))[1].reviews
    own = f"{PAGE}/reviews/{review.given.review_id}"
    await agent.post(f"{own}/appeal", {"why": "来电人 13912345678 当时停顿了"})
    assert "来电人 13912345678 当时停顿了" in await supervisor.get(PAGE)
    assert "来电人 139****5678 当时停顿了" in await quality.get(PAGE)
    await quality.post(f"{own}/keep", {"why": "不改"})
    assert (await house.web.site.reviews._about(CALL))[1].reviews[0].appeal == "open", "not by the grader"
    changed = {**answers(house), "a.listen": "0", "about": "change", "replaces": review.given.review_id}
    await supervisor.get(f"{PAGE}?change={review.given.review_id}")
    await supervisor.post(f"{PAGE}/grade", changed)
    assert "90.0" in await agent.get(PAGE)
    for path in ("", "/grades", "/appeals", "/exemplary", "/forms"):
        await agent.get(f"/quality{path}")
        await supervisor.get(f"/quality{path}")


async def test_comments_lead_back_to_their_moment(house: House) -> None:
    quality = house.quality
    await quality.get(PAGE)
    headers = {"HX-Request": "true"}
    listed = await quality.post(f"{PAGE}/comments", {"at": "1.5", "text": WORST}, status=200, headers=headers)
    assert 'data-seek="1.5"' in listed and WORST not in listed
    await quality.post(f"{PAGE}/comments", {"at": "99", "text": "x"}, status=409, headers=headers)
    await quality.post(f"{PAGE}/comments", {"at": "nan", "text": "x"}, status=409, headers=headers)
    (comment,) = (await house.web.site.reviews._about(CALL))[1].comments
    await house.supervisor.get(PAGE)
    await house.supervisor.post(f"{PAGE}/comments/{comment.comment_id}/remove", status=409, headers=headers)
    left = await quality.post(f"{PAGE}/comments/{comment.comment_id}/remove", status=200, headers=headers)
    assert "data-seek" not in left


async def test_lists_are_drawn_at_the_screen(house: House) -> None:
    supervisor = house.supervisor
    graders(house.web, "quality1", "quality2")
    assert "quality1" in await supervisor.get("/quality/lists"), "the plan's graders are no users: that is told"
    await supervisor.post("/quality/lists", {"week": "2026-W48"})
    assert "quality2" in await supervisor.get("/quality/lists"), "and nothing is drawn for nobody"
    assert "quality1" in await supervisor.get("/status")
    graders(house.web, "quality", "quality1")
    assert await supervisor.post("/quality/lists", {"week": "2026-W99"}) == "/quality/lists"
    assert "2026-W99" in await supervisor.get("/quality/lists")
    await supervisor.get("/quality/agreement")
    await house.quality.get("/quality/coverage?days=30")
    await house.agent.get("/quality/lists", status=403)


async def test_twice_means_blind_wherever_a_score_could_be_seen(house: House) -> None:
    web = house.web
    web.user("second", frozenset({Role.QUALITY}))
    drawn = tuple(ev.Drawn(CALL, "8001", grader, "double") for grader in ("quality", "second"))
    drawing = ev.ListDrawn(plan="weekly", form="service", week="2026-W48", seed="x", by="x", calls=drawn)
    await web.site.journal.commit("drawing", "d1", drawing)
    best = {name: point.steps for name, point in web.site.settings.reviews.forms["service"].points.items()}
    grade = {"form": "service", "answers": best | {"listen": 0}}

    async def seen(one: Program) -> list[Any]:
        """The scores that somebody finds out, place by place."""
        async def got(path: str) -> Any:
            return json.loads((await one.ask("GET", path))[1])

        sheet, grades = await got(f"/calls/{CALL}/reviews"), await got("/reviews?grader=second")
        return [
            sheet["score"], [each["score"] for each in sheet["grades"]], [each["score"] for each in grades["grades"]],
            grades["figures"]["mean"], [each["score"] for each in (await got("/reviews/exemplary"))["calls"]],
            [each["score"] for each in (await got("/reviews/lists?done=true&grader=second"))["calls"]],
            len((await got("/calls?score=0-95"))["calls"]),
        ]  # fmt: skip

    async with program(web, "second") as second, program(web, "quality") as quality, program(web, "auditor") as auditor:
        assert (await second.ask("POST", f"/calls/{CALL}/reviews", grade))[0] == 201
        assert (await second.ask("PUT", f"/calls/{CALL}/exemplary", {"why": "好"}))[0] == 204
        whole = [90.0, [90.0], [90.0], 90.0, [90.0], [90.0], 1]
        assert await seen(second) == whole
        assert await seen(quality) == [None, [], [], None, [None], [None], 0]
        assert "90.0" not in await house.quality.get("/quality/grades") + await house.quality.get(PAGE)
        assert json.loads((await auditor.ask("GET", "/reviews"))[1])["figures"]["mean"] == 90.0
        assert (await quality.ask("POST", f"/calls/{CALL}/reviews", grade))[0] == 201
        assert await seen(quality) == [90.0, [90.0, 90.0], *whole[2:]], "once their own is given"


async def test_programs_do_the_same(house: House) -> None:
    quality, base = house.quality, f"/api/v1/calls/{CALL}"
    await quality.get(PAGE)

    async def api(method: str, path: str, body: object = None, status: int = 200, who: Person = quality) -> Any:
        headers = {"X-CSRF-Token": who.csrf}
        async with who.client.request(method, who.web.url + path, json=body, headers=headers) as answer:
            data = await answer.read()
            assert answer.status == status, data
            return json.loads(data) if data and "json" in answer.content_type else data

    form = house.web.site.settings.reviews.forms["service"]
    best = {name: point.steps for name, point in form.points.items()}
    await api("POST", f"{base}/reviews", {"form": "service", "answers": {"listen": 9}}, 422)
    given = await api("POST", f"{base}/reviews", {"form": "service", "answers": best, "remarks": {"": "好"}}, 201)
    again = {"answers": best | {"listen": 0}}
    second = await api("POST", f"{base}/reviews/{given['review_id']}/correct", again, 201)
    assert (given["score"], second["score"]) == (100.0, 90.0)
    made = await api("POST", f"{base}/comments", {"at": 1.25, "text": "这里"}, 201)
    await api("PUT", f"{base}/exemplary", {"why": " "}, 422)
    await api("PUT", f"{base}/exemplary", {"why": "结案说得清楚"}, 204)
    (example,) = (await api("GET", "/api/v1/reviews/exemplary"))["calls"]
    assert (example["call_id"], example["why"], example["by"]) == (CALL, "结案说得清楚", "quality")
    assert "结案说得清楚" in await quality.get("/quality/exemplary") and "结案说得清楚" in await quality.get(PAGE)
    found = await api("GET", f"{base}/reviews")
    assert (found["score"], found["exemplary"], found["comments"][0]["at"]) == (90.0, True, 1.25)
    assert [grade["standing"] for grade in found["grades"]] == [False, True]
    await api("DELETE", f"{base}/comments/{made['comment_id']}", None, 204)
    await api("POST", f"{base}/exemplary/end", {"why": ""}, 422)
    await api("POST", f"{base}/exemplary/end", {"why": "换了流程"}, 204)
    opened = await api("POST", f"{base}/hearings", {"reason": "training"}, 201)
    assert (await fetched(quality, opened["path"]))[1][44:] == house.sound
    await api("POST", f"{base}/holds", {"why": "诉讼"}, 204)
    assert [one["reason"] for one in await api("GET", f"{base}/holds")] == ["诉讼"]
    await api("POST", f"{base}/holds/lift", {"why": "结案"}, 204)
    assert (await api("GET", "/api/v1/recordings/coverage?since=0"))["talks"] >= 0
    found = await api("GET", "/api/v1/reviews?score=90&result=passed&agent=8001")
    assert [grade["score"] for grade in found["grades"]] == [90.0] and found["figures"]["mean"] == 90.0
    assert (await api("GET", "/api/v1/reviews?score=0-59"))["grades"] == []
    await api("GET", "/api/v1/reviews?score=x", None, 422)
    await api("GET", "/api/v1/reviews?appeal=x", None, 422)
    assert (await api("GET", "/api/v1/reviews/list"))["calls"] == []
    assert await api("GET", "/api/v1/reviews/agreement") == []
    await house.other.get("/quality")
    await api("GET", f"{base}/reviews", None, 404, house.other)
    assert (await api("GET", "/api/v1/reviews", None, 200, house.other))["grades"] == []
