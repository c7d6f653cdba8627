"""From the telephone to the grade: a call on the real Asterisk is archived, drawn, heard at the console and graded."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re

import aiohttp
import pytest
import soundfile

from calllog import access_queries
from calllog.review_pages import GradeWish, find_grades
from calllog.verify import rebuild
from config.load import load_settings
from console.accounts import Accounts, Wanted
from console.book import Book
from console.passwords import hashed
from console.permits import Role, command_line
from hotline.outside.ports import free_ports
from hotline.trial import Trial
from recordings.sampling import week_of
from tests.real.verbs import asks, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse battery"
PORT = free_ports(1)[0]
AGENTS = ["8001"]
CHANGES = {
    "hotline": {"console": {"enabled": True, "port": PORT}},
    "reviews": {"plans": {"weekly": {"graders": ["quality1"], "shortest": 0}}},
}


class Person:
    """Somebody at the console."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.client, self.csrf = client, ""

    async def get(self, path: str) -> str:
        """A page."""
        async with self.client.get(f"http://127.0.0.1:{PORT}{path}") as answer:
            text = await answer.text()
            assert answer.status == 200, text[:2000]
        found = re.search(r'name="csrf" value="([^"]*)"', text)
        self.csrf = found[1] if found else self.csrf
        return text

    async def post(self, path: str, **form: str) -> str:
        """A form, and the page it leads to."""
        async with self.client.post(f"http://127.0.0.1:{PORT}{path}", data={"csrf": self.csrf, **form}) as answer:
            text = await answer.text()
            assert answer.status == 200, text[:2000]
            return text


async def signed_in(hotline: Trial, client: aiohttp.ClientSession) -> Person:
    """A new grader, once the console listens."""
    book = Book(hotline.state)
    accounts = Accounts(book, lambda: 0)
    wanted = Wanted("quality1", "质检一", frozenset({Role.QUALITY}))
    user = accounts.create(command_line("test"), wanted, hashed(PASSWORD, (1, 8, 1)))
    book.do(lambda run: run("UPDATE user SET must_change = 0, password_until = 0 WHERE user_id = ?", (user.user_id,)))
    book.close()
    person = Person(client)
    async with asyncio.timeout(90):
        while True:
            try:
                await person.get("/sign-in")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    await person.post("/sign-in", name="quality1", password=PASSWORD)
    return person


async def test_a_call_is_archived_drawn_heard_and_graded(hotline: Trial) -> None:
    caller, number = await asks(hotline)
    ring = await hotline.world.handsets["8001"].answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await recorded(hotline, number, 1.5)
    await caller.hang_up()
    call = await hotline.ended(number)
    (recording,) = call.recordings
    name = call.row.call_id
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        person = await signed_in(hotline, client)
        await person.get("/quality/lists")
        zone = hotline.settings.hotline.zone
        await person.post("/quality/lists", week=week_of(dt.datetime.now(zone), zone))
        page = f"/quality/calls/{name}"
        assert page in await person.get("/quality")
        await person.get(page)
        heard = json.loads(await person.post(f"{page}/hear", reason="grading"))["path"]
        (access,) = await access_queries.list_accesses(hotline.store, call_id=name)
        assert (access.entry.who, access.entry.verb) == ("quality1", "recording.hear")
        samples, rate = soundfile.read(hotline.state / "recordings" / recording.file, dtype="int16")
        sound = b""
        for first in range(0, 44 + samples.nbytes, 20_000):
            headers = {"Range": f"bytes={first}-{first + 19_999}"}
            async with client.get(f"http://127.0.0.1:{PORT}{heard}", headers=headers) as answer:
                assert answer.status == 206
                sound += await answer.read()
        assert sound[44:] == samples.tobytes() and rate == 8000
        form = load_settings(hotline.config).reviews.forms["service"]
        answers = {f"a.{point}": str(one.steps) for point, one in form.points.items()} | {"a.listen": "4"}
        assert "98.0" in await person.post(f"{page}/grade", about="give", form="service", remark="很好", **answers)
    (grade,) = (await find_grades(hotline.store, GradeWish())).rows
    assert (grade.call_id, grade.grader, grade.agent, grade.score) == (name, "quality1", "8001", 980)
    assert rebuild(hotline.store).changed == 0
