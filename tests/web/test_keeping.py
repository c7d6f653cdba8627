"""The room of keeping: the access log and its proof, holds, deletion, one caller's data; each for those who may."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import threading
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from calllog.access_queries import list_accesses
from calllog.verify import verify
from console import caller
from console.permits import Role
from recordings import erasing, purge as purges
from recordings.turns import PURGE, turn
from tests.pure.journal_play import tamper
from tests.pure.keep_play import LI, WANG, House as Folder
from tests.web.conftest import Person
from tests.web.plain_site import Web, plain_web
from tests.web.program import program

NUMBER = "13800001111"
OLD = 3000.0


@dataclass
class House:
    """A console on a store with old calls of Wang and one of Li, and people at it by name."""

    web: Web
    folder: Folder
    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        return self.people[name]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    folder = Folder(tmp_path)
    await folder.record(OLD, OLD - 1, OLD - 2, name="old")
    await folder.record(OLD - 3, party=LI, name="li")
    await folder.record(60, name="young")
    async with plain_web(folder.state) as web, AsyncExitStack() as stack:
        people = {}
        web.user("keeper", frozenset({Role.ADMINISTRATOR}))
        for name in ("keeper", "supervisor", "quality", "auditor", "agent", "department"):
            client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
            people[name] = Person(web, client)
            await people[name].sign_in(name)
        yield House(web, folder, people)


async def ends(who: Person, path: str) -> str:
    """The page once its work has ended."""
    for _try in range(600):
        text = await who.get(path)
        if "load delay:1s" not in text:
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(text)


def field(page: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


async def call(who: Person, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """Ask the API as this person's browser could."""
    async with who.client.request(
        method, f"{who.web.url}/api/v1{path}", json=body, headers={"X-CSRF-Token": who.csrf}
    ) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return json.loads(text) if text and "json" in answer.content_type else text


PARTS = [
    ("/keeping/access", "keeper auditor"),
    ("/keeping/access/export.csv", "keeper auditor"),
    ("/keeping/access/proof", "keeper auditor"),
    ("/keeping/holds", "keeper supervisor quality auditor"),
    ("/keeping/purge", "keeper auditor"),
    ("/keeping/purge?look=true", "keeper auditor"),
    ("/keeping/person", "keeper supervisor"),
    ("/api/v1/access", "keeper auditor"),
    ("/api/v1/holds", "keeper supervisor quality auditor"),
    ("/api/v1/purges", "keeper auditor"),
    ("/api/v1/purges/plan", "keeper auditor"),
]
"""Each part, and who may see it."""


async def test_each_part_is_for_those_who_may_and_what_changes_something_for_fewer(house: House) -> None:
    for path, may in PARTS:
        for name, person in house.people.items():
            await person.get(path, 200 if name in may.split() else 403)
    acts: dict[str, tuple[dict[str, str], str]] = {
        "/keeping/holds": ({"call": "old-0", "why": "x"}, "supervisor quality auditor"),
        "/keeping/purge": ({"at": "1", "expected": "1", "confirm": "2"}, "keeper"),
        "/keeping/person/erase": ({"number": NUMBER, "again": "1", "why": "x"}, "keeper"),
        "/keeping/person/export": ({"number": "10086", "why": "x"}, "keeper supervisor"),
    }
    for path, (form, may) in acts.items():
        for name, person in house.people.items():
            await person.get("/account")
            status = (await person.client.post(person.web.url + path, data=form | {"csrf": person.csrf},
                                               allow_redirects=False)).status  # fmt: skip
            assert (status != 403) == (name in may.split()), (path, name, status)
    assert len(house.folder.files()) == 10, "nothing was deleted"


async def test_the_access_log_is_read_proved_and_taken_along(house: House) -> None:
    site = house.web.site
    await house.supervisor.get("/calls")
    await house.supervisor.get("/calls/export.csv?agent=8001")
    await call(house.supervisor, "GET", "/calls/export.csv?number=1390")
    await call(house.supervisor, "GET", "/calls/export.csv?words=王芳&number=8888-7777&number=8888-7777")
    page = await house.auditor.get("/keeping/access")
    assert "导出通话列表" in page and "5 · agent=8001" in page and "127.0.0.1" in page
    assert "没有这样的记录" in await house.auditor.get("/keeping/access?who=nobody")
    for user, shown in (("supervisor", "赵丽"), ("other", "王芳"), ("quality", "王芳")):
        house.web.called(user, shown)
    page = await house.auditor.get("/keeping/access?who=赵丽")
    assert "赵丽" in page and ">supervisor<" in page and "班长" in page and "who=%E8%B5%B5%E4%B8%BD" in page
    assert "other, quality" in await house.auditor.get("/keeping/access?who=王芳"), "two are called so: both are named"
    assert "1 · number=1390" in await house.auditor.get("/keeping/access?who=supervisor&verb=calls.export")
    assert 'aria-invalid="true"' in await house.auditor.get("/keeping/access?since=gestern")
    rows = list(csv.DictReader(io.StringIO((await house.auditor.get("/keeping/access/export.csv")).lstrip("\ufeff"))))
    assert [row["verb"] for row in rows] == ["access.export", "calls.export", "calls.export", "calls.export"]
    assert rows[1]["why"] == "0 · number=88****77; words", "kept for good, so it names nobody"
    listed = await call(house.auditor, "GET", "/access?limit=2")
    assert [entry["n"] for entry in listed["entries"]] == [4, 3] and listed["older"] and not listed["newer"]
    rest = await call(house.auditor, "GET", f"/access?limit=2&below={listed['entries'][-1]['seq']}")
    assert [entry["n"] for entry in rest["entries"]] == [2, 1] and rest["newer"]
    back = await call(house.auditor, "GET", f"/access?limit=2&above={rest['entries'][0]['seq']}")
    assert [entry["n"] for entry in back["entries"]] == [4, 3] and back["older"]
    await house.auditor.get("/keeping/access")
    await house.auditor.post("/keeping/access/verify", {"anchor": "rubbish"})
    assert "摘要" in await house.auditor.get("/keeping/access")
    await house.auditor.post("/keeping/access/verify")
    assert "4 条记录，全部保持原样" in await ends(house.auditor, "/keeping/access")
    assert verify(site.store) == []
    tamper(site.store, "UPDATE event SET data = replace(data, 'agent=8001', 'agent=8002') WHERE stream = 'access'")
    await house.auditor.post("/keeping/access/verify")
    page = await ends(house.auditor, "/keeping/access")
    assert "发现 1 处问题" in page and "第 1 条" in page
    proof = await call(house.auditor, "GET", "/access/proofs/last")
    assert not proof["whole"] and [fault["n"] for fault in proof["faults"]] == [1]
    place = re.search(r'href="(/keeping/access\?below=[0-9]+)"', page)
    assert place and "agent=8002" in await house.auditor.get(place[1])


async def test_a_hold_is_set_seen_and_lifted(house: House) -> None:
    await house.quality.get("/keeping/holds")
    page = await house.quality.post("/keeping/holds", {"call": "nowhere", "why": "<x>"}, status=404)
    assert 'value="nowhere"' in page and 'value="&lt;x&gt;"' in page and 'href="/calls"' in page, "it says what to do"
    await house.quality.post("/keeping/holds", {"call": "old-0", "why": "仲裁 13800001111"})
    house.web.called("quality", "王芳")
    assert "王芳 保全：" in await house.auditor.get("/calls/old-0")
    page = await house.auditor.get("/keeping/holds")
    assert 'href="/calls/old-0"' in page and "138****1111" in page and NUMBER not in page
    assert "/calls/old-0" not in await house.keeper.get("/keeping/holds"), "an administrator sees no calls"
    (row,) = (await call(house.supervisor, "GET", "/holds"))["holds"]
    assert row["reason"].endswith(NUMBER) and row["set_by"] == "quality"
    await house.auditor.post("/keeping/holds/lift", {"call": "old-0", "why": " "})
    await house.auditor.post("/keeping/holds/lift", {"call": "old-0", "why": "结案"})
    assert "没有保全" in await house.auditor.get("/keeping/holds")
    assert "auditor" in await house.auditor.get("/keeping/holds?lifted=true")


async def test_a_purge_is_looked_at_confirmed_and_written_down(house: House) -> None:
    await house.quality.get("/keeping/holds")
    await house.quality.post("/keeping/holds", {"call": "old-0", "why": "仲裁"})
    page = await house.keeper.get("/keeping/purge?look=true")
    assert "另有 1 份到期但已保全" in page and "永久删除 3 份录音" in page
    plan = await call(house.keeper, "GET", "/purges/plan")
    assert (plan["recordings"], plan["of"], plan["held"]) == (3, 5, 1) and plan["size"] > 0
    form = {"at": field(page, "at"), "expected": field(page, "expected"), "why": f"{NUMBER} 到期"}
    wrong = await house.keeper.post("/keeping/purge", form | {"confirm": "2"}, status=422)
    assert "确认用的数字不一致" in wrong and f'value="{NUMBER} 到期"' in wrong, "what was typed stays"
    assert "请写明原因" in await house.keeper.post("/keeping/purge", form | {"confirm": "3", "why": " "}, status=422)
    assert "重新预览" in await house.keeper.post("/keeping/purge", form | {"confirm": "3", "at": "1"}, status=409)
    assert len(house.folder.files()) == 10
    async with turn(house.web.site.state_dir, PURGE):  # another process purges
        await house.keeper.post("/keeping/purge", form | {"confirm": "3"})
        assert "请稍后再试" in await ends(house.keeper, "/keeping/purge")
    await house.keeper.post("/keeping/purge", form | {"confirm": "3"})
    page = await ends(house.keeper, "/keeping/purge")
    assert "已删除 3 份录音" in page and "keeper" in page
    assert house.folder.files() == {f"{name}.flac{more}" for name in ("old-0", "young-0") for more in ("", ".measure")}
    (row,) = (await call(house.auditor, "GET", "/purges"))["manifests"]
    assert (row["recordings"], row["by"], row["why"], row["finished"]) == (3, "keeper", "138****1111 到期", True)
    body = json.loads(await house.auditor.get(f"/keeping/manifests/{row['name']}"))
    assert {item["call_id"] for item in body["items"]} == {"old-1", "old-2", "li-0"}
    for name in ("..%2f..%2fhotline.sqlite", "purge-x.json", f"{row['name']}.unfinished"):
        await house.auditor.get(f"/keeping/manifests/{name}", 404)


async def test_two_purges_at_once_is_said_plainly(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    purge = purges.purge

    async def slow(*arguments: Any, **named: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await purge(*arguments, **named)

    monkeypatch.setattr(purges, "purge", slow)
    plan = await call(house.keeper, "GET", "/purges/plan")
    await house.keeper.get("/keeping/purge")
    wanted = {"at": plan["at"], "recordings": plan["recordings"], "why": "到期"}
    work = await call(house.keeper, "POST", "/purges", wanted, 202)
    await begun.wait()
    assert "正在清除到期录音" in (await call(house.keeper, "POST", "/purges", wanted, 409))["detail"]
    said = await call(house.keeper, "POST", "/persons/erasures", {"number": NUMBER, "again": NUMBER, "why": "x"}, 409)
    assert "keeper" in said["detail"]
    assert "keeper 正在清除到期录音" in await house.auditor.get("/keeping/purge")
    assert (await call(house.keeper, "GET", f"/works/{work['work_id']}"))["state"] == "running"
    await house.auditor.get(f"/api/v1/works/{work['work_id']}", 404)
    go_on.set()
    done = await done_of(house.keeper, work)
    assert done["deleted"]["recordings"] == 4 and done["fault"] == ""
    async with program(house.web, "keeper", ["hold.read"]) as narrow:  # of their own, but not for this
        assert (await narrow.ask("GET", f"/works/{work['work_id']}"))[0] == 403


async def done_of(who: Person, work: dict[str, Any]) -> Any:
    for _try in range(600):
        found = await call(who, "GET", f"/works/{work['work_id']}")
        if found["state"] != "running":
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_caller_gets_a_copy_and_is_erased(house: House) -> None:
    await house.supervisor.get("/keeping/person")
    page = await house.supervisor.post("/keeping/person", {"number": "138 0000 1111"}, status=200)
    assert NUMBER in page and "永久清除" not in page, "a supervisor sees numbers whole, and may not erase"
    assert "没有这个号码" in await house.supervisor.post("/keeping/person", {"number": "13700000000"}, status=404)
    await house.supervisor.post("/keeping/person/export", {"number": NUMBER, "why": " "}, status=422)
    await house.supervisor.post("/keeping/person/export", {"number": NUMBER, "why": "本人申请"})
    page = await ends(house.supervisor, "/keeping/person")
    address = re.search(r'href="(/keeping/parcels/[^"]+)"', page)
    assert address, page
    async with house.supervisor.client.get(house.web.url + address[1]) as answer:
        assert answer.status == 200 and "no-store" in answer.headers["Cache-Control"]
        data = await answer.read()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        names = packed.namelist()
        assert {"calls.csv", "calls.json", "calls.txt", "notes.csv", "manifest.json"} <= set(names)
        assert sum(name.endswith(".flac") for name in names) == 4 and packed.testzip() is None
        assert LI.raw not in packed.read("calls.json").decode()
    await house.keeper.get(address[1], 404)
    (entry,) = await list_accesses(house.web.site.store, verb="person.export", limit=1)
    assert (entry.entry.who, entry.entry.why, entry.entry.call_id) == ("supervisor", "本人申请", "")

    await house.quality.get("/keeping/holds")
    await house.quality.post("/keeping/holds", {"call": "old-0", "why": "仲裁"})
    await house.keeper.get("/keeping/person")
    page = await house.keeper.post("/keeping/person", {"number": NUMBER}, status=200)
    assert "138****1111" in page and "old-0" in page and "3 通电话和 3 份录音" in page
    form = {"number": NUMBER, "why": "本人要求"}
    page = await house.keeper.post("/keeping/person/erase", form | {"again": "13800001112"}, status=422)
    assert "确认用的号码不一致" in page and 'value="本人要求"' in page, "what was typed stays"
    await house.keeper.post("/keeping/person/erase", form | {"again": "+86 138 0000 1111"})
    page = await ends(house.keeper, "/keeping/person")
    assert "已清除 3 通" in page and "old-0" in page and "已保全" in page
    await house.supervisor.get(address[1], 404)
    assert house.folder.files() == {f"{name}.flac{more}" for name in ("old-0", "li-0") for more in ("", ".measure")}
    await house.auditor.get("/keeping/holds")
    await house.auditor.post("/keeping/holds/lift", {"call": "old-0", "why": "结案"})
    work = await call(house.keeper, "POST", "/persons/erasures", form | {"again": NUMBER}, 202)
    done = (await done_of(house.keeper, work))["erased"]
    assert (done["calls"], done["left"], done["remains"]) == (4, {}, []), "those erased before are counted again"
    await call(house.keeper, "POST", "/persons/look", {"number": NUMBER}, 404)
    said = await call(house.supervisor, "PATCH", "/calls/old-1/record", {"name": "王芳"}, 422)
    assert "已清除" in said["detail"], "a form that was still open brings nothing back"
    assert WANG.e164.encode() not in house.web.site.store.read_bytes()
    assert verify(house.web.site.store) == []
    assert list(house.web.site.state_dir.glob("console-parcels/*/*.zip")) == []


async def test_nothing_is_handed_out_of_a_caller_who_is_erased_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by this console, where the second is told to wait, nor by a command beside it."""
    begun, go_on, pack = threading.Event(), threading.Event(), caller.person.pack
    site, parcels = house.web.site, house.web.site.state_dir / "console-parcels"

    def slow(*arguments: Any) -> None:
        begun.set()
        go_on.wait(60)
        pack(*arguments)

    monkeypatch.setattr(caller.person, "pack", slow)
    await house.keeper.get("/keeping/person")
    wanted = {"number": NUMBER, "why": "本人"}
    work = await call(house.keeper, "POST", "/persons/exports", wanted, 202)
    assert await asyncio.to_thread(begun.wait, 60)
    said = await call(house.keeper, "POST", "/persons/erasures", wanted | {"again": NUMBER}, 409)
    assert "keeper" in said["detail"]
    made = await caller._plan(site, NUMBER)
    done = await erasing.erase(site.store, site.folders, made, site.now(), site.ledger("os:x"), by="os:x", why="x")
    assert done.rows and not done.left
    go_on.set()
    told = await done_of(house.keeper, work)
    assert told["state"] == "failed" and "已清除" in told["fault"] and told["parcel"] is None
    async with asyncio.timeout(60):
        while True:
            if not list(parcels.rglob("*.zip")):
                break
            await asyncio.sleep(0.01)
