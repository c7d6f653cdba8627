"""The quality room: who hears is written down first, the bytes are the recording's, grades are given at the screen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile

from calllog import access_queries, events as ev
from tests.pure.journal_play import short_call
from tests.web.conftest import Person
from tests.web.plain_site import Web, plain_web

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
    await agent.post(f"{own}/appeal", {"why": "来电人当时停顿了"})
    assert "来电人当时停顿了" in await supervisor.get(PAGE)
    await quality.get(PAGE)
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
    await supervisor.get("/quality/lists")
    assert await supervisor.post("/quality/lists", {"week": "2026-W99"}) == "/quality/lists"
    assert "2026-W99" in await supervisor.get("/quality/lists")
    await supervisor.get("/quality/agreement")
    await house.agent.get("/quality/lists", status=403)
