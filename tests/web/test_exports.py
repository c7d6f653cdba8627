"""Exports: ordered from lists and searches, proved in the background, downloaded by range, by nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from calllog import access_queries, events as ev
from console import exports, taking
from console.export_shelf import Order, Shelf
from console.exports import Export
from console.office import Office
from console.permits import command_line
from console.works import Work, Works
from hotline import console_run
from recordings.jobs import ProveJob
from recordings.keys import load_ring, make_key
from recordings.sealed import Sealer
from tests.web.conftest import Person
from tests.web.plain_site import Web, plain_web
from tests.web.recorded import fill

EXPORTS = "/quality/exports"


def sealed(house: House, call: str) -> bytes:
    """Seal this call's file, as an archive with ``encrypt: true`` has it; returns its sound."""
    folder, path = house.web.site.state_dir / "keys", house.file(call)
    make_key(folder, dt.datetime.now(dt.UTC))
    plain = path.read_bytes()
    with open(path, "wb") as file:
        sealer = Sealer(file, path.relative_to(house.web.site.folders.archive).as_posix(), load_ring(folder))
        sealer.write(plain)
        sealer.finish()
    assert plain[100:200] not in path.read_bytes()
    return plain


@dataclass
class House:
    """A console with some recorded calls, and two people who may take them along."""

    web: Web
    calls: list[str]
    quality: Person
    supervisor: Person

    def file(self, call: str) -> Path:
        (path,) = self.web.site.folders.archive.rglob(f"{call}.flac")
        return path

    async def ready(self) -> Export:
        """The newest export, once it is ready."""
        return await until(self.web, lambda one: one.standing == "ready")


async def until(web: Web, good: Callable[[Export], bool]) -> Export:
    async with asyncio.timeout(240):
        while True:
            found = sorted(web.office.exports._all.values(), key=lambda one: one.order.made_at)
            if found and good(found[-1]):
                return found[-1]
            await asyncio.sleep(0.02)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with plain_web(tmp_path) as web, AsyncExitStack() as stack:
        calls = await asyncio.to_thread(fill, web, 6, 1.0)
        await web.site.journal.flush()
        people = []
        for name in ("quality", "supervisor"):
            client = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
            people.append(Person(web, client))
            await people[-1].sign_in(name)
        yield House(web, calls, *people)


async def got(who: Person, path: str, status: int = 200, **headers: str) -> tuple[bytes, Any]:
    async with who.client.get(who.web.url + path, headers=headers, allow_redirects=False) as answer:
        data = await answer.read()
        assert answer.status == status, (answer.status, data[:500])
        return data, answer.headers


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


async def test_what_is_ticked_is_proved_noted_and_downloaded_by_its_person_alone(house: House) -> None:
    quality, wanted = house.quality, house.calls[:3]
    assert 'name="call"' in await quality.get("/calls"), "recorded calls can be ticked"
    damaged = house.file(wanted[1])
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    kept = await asyncio.to_thread(sealed, house, wanted[2])
    assert await asyncio.to_thread(sealed, house, house.calls[5]) == kept, "the same voices"
    form = [("reason", "complaint"), *(("call", call) for call in wanted)]
    assert await quality.post(EXPORTS, form) == EXPORTS
    noted = await access_queries.list_accesses(house.web.site.store)
    assert {one.entry.call_id for one in noted} == set(wanted)
    assert len({one.entry.batch for one in noted}) == 1 and noted[0].entry.why == "complaint"
    export = await house.ready()
    page = await quality.get(EXPORTS)
    assert wanted[1] in page and "address" in page
    assert await quality.get(f"{EXPORTS}/now")
    address = await quality.post(f"{EXPORTS}/{export.export_id}/address")
    data, headers = await got(quality, address)
    assert headers["Accept-Ranges"] == "bytes" and "recordings-" in headers["Content-Disposition"]
    found = entries(data)
    digests = {hashlib.sha256(data).hexdigest() for name, data in found.items() if name.endswith(".flac")}
    assert digests == {hashlib.sha256(one).hexdigest() for one in (house.file(wanted[0]).read_bytes(), kept)}
    lying = b"".join(path.read_bytes() for path in house.web.site.state_dir.rglob("*") if path.is_file())
    assert kept[1000:1100] in data and kept[1000:1100] not in lying, "what is sealed lies nowhere in the clear"
    manifest = json.loads(found["manifest.json"])
    assert [bool(one["missing"]) for one in manifest["recordings"]] == [False, True, False]
    assert manifest["access_log_batch"] == noted[0].entry.batch and "138xxxx000" in str(sorted(found))
    # cut anywhere, it goes on; and what changed since is sent whole
    rest, more = await got(quality, address, 206, **{"Range": "bytes=1000-", "If-Range": headers["ETag"]})
    assert rest == data[1000:] and more["Content-Range"] == f"bytes 1000-{len(data) - 1}/{len(data)}"
    assert (await got(quality, address, **{"Range": "bytes=1000-", "If-Range": '"other"'}))[0] == data
    await got(quality, address, 416, Range=f"bytes={len(data)}-")
    # nobody else, by no way
    await got(house.supervisor, address, 404)
    assert export.export_id not in await house.supervisor.get(EXPORTS)
    await house.supervisor.post(f"{EXPORTS}/{export.export_id}/address", status=404)
    await house.supervisor.post(f"{EXPORTS}/{export.export_id}/remove", status=404)
    await got(quality, address[:-2], 404)
    await quality.get(EXPORTS)
    await quality.post(f"{EXPORTS}/{export.export_id}/remove")
    await got(quality, address, 404)
    await quality.post(EXPORTS, {"reason": "complaint"}, status=422)
    came, nothing = f"{quality.web.url}/calls?agent=8002&after=x", {"csrf": quality.csrf, "reason": "complaint"}
    headers = {"Referer": came}
    post = quality.client.post
    async with post(quality.web.url + EXPORTS, data=nothing, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/calls?agent=8002&after=x"), "the list as it was"
    await quality.post(EXPORTS, {"call": wanted[0]}, status=422)
    filled = [("csrf", quality.csrf), ("reason", "other"), ("words", " "), *(("call", call) for call in wanted[:2])]
    async with post(quality.web.url + EXPORTS, data=filled, headers={"Referer": f"{quality.web.url}/calls"}) as answer:
        page = await answer.text()
        assert (answer.status, answer.url.path) == (200, "/calls")
    ticked = re.findall(r'name="call" value="([^"]+)" checked', page)
    assert sorted(ticked) == sorted(wanted[:2]), "what was ticked stays so"
    assert '<option value="other" selected>' in page
    assert "checked" not in await quality.get("/calls"), "once"
    await quality.post(EXPORTS, {"reason": "complaint", "call": "nothing"}, status=404)


async def test_all_that_is_found_is_taken_along_and_a_deleted_recording_leaves_it(house: House) -> None:
    supervisor = house.supervisor
    page = await supervisor.get("/calls?agent=8002")
    (query,) = re.findall(r'name="query" value="([^"]*)"', page)
    await supervisor.post(EXPORTS, {"reason": "training", "which": "calls", "query": query})
    export = await house.ready()
    mine = sorted(item.call_id for item in export.order.items)
    assert mine == house.calls[1::2] and "13800000001" in str(export.order.items), "a supervisor sees whole numbers"
    address = await supervisor.post(f"{EXPORTS}/{export.export_id}/address")
    assert len(entries((await got(supervisor, address))[0])) == 3 + 2
    gone = ev.RecordingPurged(category="call", sha256=export.order.items[0].sha256, by="test", kind_of="call",
                              manifest="m", manifest_sha256="", file=export.order.items[0].file)  # fmt: skip
    await house.web.site.journal.commit("call", mine[0], gone)
    await got(supervisor, address, 409)
    await house.ready()
    assert len(entries((await got(supervisor, address))[0])) == 2 + 2
    house.file(mine[1]).unlink()
    await got(supervisor, address, 409)
    await house.ready()
    assert len(entries((await got(supervisor, address))[0])) == 1 + 2


async def test_a_restart_goes_on_where_it_was_and_proves_nothing_twice(tmp_path: Path) -> None:
    proved: list[str] = []
    async with plain_web(tmp_path) as web:
        calls = await asyncio.to_thread(fill, web, 5, 0.5)
        await web.site.journal.flush()
        exports, slow = web.office.exports, asyncio.Event()
        lane = exports._lane.do

        async def third_waits(job: ProveJob, about: str = "") -> Any:
            if len(proved) == 2:
                await slow.wait()
            proved.append(job.file)
            return await lane(job, about)

        exports._lane.do = third_waits  # type: ignore[method-assign]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            person = Person(web, client)
            await person.sign_in("quality")
            await person.get(EXPORTS)
            await person.post(EXPORTS, [("reason", "grading"), *(("call", call) for call in calls)])
            await until(web, lambda one: len(one.proofs) == 2)
            assert "2 / 5" in await person.get(EXPORTS)
    (order,) = Shelf(tmp_path).orders()
    torn = tmp_path / "exports" / f"{order.export_id}.proved"
    torn.write_bytes(torn.read_bytes() + b'["half a li')
    async with plain_web(tmp_path) as web:
        export = await until(web, lambda one: one.standing == "ready")
        assert not export.faults and len(export.proofs) == 5
        assert len(Shelf(tmp_path).proofs(order.export_id)) == 5 and len(proved) == 2
        # kept for so long, then taken away; an erasure takes it at once
        web.site.clock.now = lambda: export.order.made_at + 26 * 3_600_000_000  # type: ignore[method-assign]
        await web.office.exports._sweep()
        assert not web.office.exports._all and not Shelf(tmp_path).orders()
        Shelf(tmp_path).put(order)
        assert Shelf(tmp_path).forget(["other"]) == 0 and Shelf(tmp_path).forget([calls[0]]) == 1


async def test_it_stops_when_asked_and_when_the_disk_is_full(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    quality = house.quality
    await quality.get(EXPORTS)

    def full(*_about: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Shelf, "proved", full)
        await quality.post(EXPORTS, {"reason": "grading", "call": house.calls[0]})
        export = await until(house.web, lambda one: one.standing == "full")
        assert f"{export.export_id}/on" in await quality.get(EXPORTS)
        patched.setattr(Shelf, "put", full)
        await quality.post(EXPORTS, {"reason": "grading", "call": house.calls[1]}, status=503)
    await quality.get(EXPORTS)
    await quality.post(f"{EXPORTS}/{export.export_id}/on")
    await house.ready()
    base, headers = f"/api/v1/recordings/exports/{export.export_id}", {"X-CSRF-Token": quality.csrf}
    data = (await got(quality, f"{base}/file"))[0]
    assert len(entries(data)) == 3 and (await got(quality, f"{base}/file", 206, Range="bytes=-7"))[0] == data[-7:]
    assert json.loads((await got(quality, base))[0])["state"] == "ready"
    await got(quality, f"{base}/file", 416, Range=f"bytes={len(data)}-")
    order = {"grades": {"score": "0-59"}, "reason": "other", "words": "抽检"}
    async with quality.client.post(f"{house.web.url}/api/v1/recordings/exports", json=order, headers=headers) as answer:
        assert answer.status == 422, "no grade is like that"
    async with quality.client.delete(house.web.url + base, headers=headers) as answer:
        assert answer.status == 204
    assert json.loads((await got(quality, "/api/v1/recordings/exports"))[0]) == []


async def test_two_orders_at_once_are_counted_and_one_that_an_erasure_overtakes_is_not_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, site = house.web.office, house.web.site
    body = {"call_ids": house.calls[:1], "reason": "training"}
    await house.quality.get("/calls")

    async def ordered() -> int:
        headers = {"X-CSRF-Token": house.quality.csrf}
        where = f"{house.web.url}/api/v1/recordings/exports"
        async with house.quality.client.post(where, json=body, headers=headers) as answer:
            return answer.status

    with monkeypatch.context() as patch:
        patch.setattr(exports, "MOST_OF_ONE", 2)
        assert sorted(await asyncio.gather(*(ordered() for _n in range(4)))) == [202, 202, 409, 409]
    for export in list(office.exports._all.values()):
        await office.exports._removed(export)
    proved, left = office.exports._proved, asyncio.Event()

    async def taken_away(item: Any, finished: Any) -> Any:
        proof = await proved(item, finished)
        (export,) = office.exports._all.values()
        await office.exports._removed(export)
        office.exports.tell = left.set
        return proof

    with monkeypatch.context() as patch:
        patch.setattr(office.exports, "tell", lambda: None)
        patch.setattr(office.exports, "_proved", taken_away)
        assert await ordered() == 202
        async with asyncio.timeout(60):
            await left.wait()
    assert list((site.state_dir / "exports").iterdir()) == [], "what was being proved leaves nothing behind"
    take = taking.take

    async def overtaken(*arguments: Any) -> taking.Taken:
        taken = await take(*arguments)
        item = taken.items[0]
        purged = ev.RecordingPurged(category="call", kind_of="erased", file=item.file, sha256=item.sha256, by="x",
                                    manifest="x", manifest_sha256="x")  # fmt: skip
        await site.journal.commit("call", item.call_id, purged)
        Shelf(site.state_dir).forget([item.call_id])
        return taken

    monkeypatch.setattr(exports.taking, "take", overtaken)
    assert await ordered() == 409
    assert office.exports._all == {} and list((site.state_dir / "exports").iterdir()) == []


async def test_what_was_begun_goes_on_while_the_console_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, site, asked = house.web.office, house.web.site, asyncio.Event()
    lane = office.exports._lane.do

    async def slow(job: ProveJob, about: str = "") -> Any:
        await asked.wait()
        return await lane(job, about)

    monkeypatch.setattr(office.exports._lane, "do", slow)
    await house.quality.get("/calls")
    await house.quality.post(EXPORTS, {"reason": "grading", "call": house.calls[0]})

    async def course(work: Work) -> str:
        await asked.wait()
        return "done"

    work = office.works.begin("purge", command_line("test"), course)
    office.close()  # as other settings do, or none
    killed = Works(site.state_dir, site.now).last(command_line("test"), "purge")
    assert killed is not None and killed.state == "failed" and killed.fault, "and what a stop broke off is said"
    asked.set()
    await house.ready()
    assert work.task is not None
    await asyncio.wait_for(work.task, 60)
    again = await asyncio.to_thread(Office.open, site, office.kept)
    assert again.works.last(command_line("test"), "purge") is work and work.result == "done"
    assert Works(site.state_dir, site.now).last(command_line("test"), "purge") is None
    assert [one.standing for one in again.exports._all.values()] == ["ready"]
    again.close()


@pytest.mark.parametrize("ordered", [True, False])
async def test_orders_of_an_earlier_run_are_carried_out_without_a_console(
    tmp_path: Path, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = asyncio.Event()

    class Service:
        def __init__(self, daemon: Any) -> None:
            pass

        async def run(self) -> None:
            served.set()

    monkeypatch.setattr("hotline.console_site.ConsoleService", Service)
    monkeypatch.setattr(console_run, "LOOK_EVERY", 0.01)
    if ordered:
        Shelf(tmp_path).put(Order("x", "u", "u", 1, "grading", "b", []))
    wanted = SimpleNamespace(enabled=False)
    daemon: Any = SimpleNamespace(
        state_dir=tmp_path, settings=SimpleNamespace(hotline=SimpleNamespace(console=wanted))
    )
    task = asyncio.create_task(console_run.ConsoleRun(daemon).run())
    await asyncio.sleep(0.1)
    if not ordered:
        assert not served.is_set()
        wanted.enabled = True
    async with asyncio.timeout(60):
        await task
    assert served.is_set()
