"""A console full of things: calls with recordings, records, reviews, comments, holds, filters, drafts and users."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import soundfile

from calllog import events as ev
from calllog.folds import AgentState
from calllog.notes import new_note
from console.permits import Role, Verb
from console.sessions import key_of
from console.site import CallNow
from recordings import manifest
from tests.pure.journal_play import short_call
from tests.web.plain_site import PASSWORD, Web, plain_web

CALLS = ("hotline-1.1", "hotline-1.2", "hotline-1.3")
"""One of 8001's, one of 8001's and then 8002's, one of 8002's; all are recorded."""

RINGS = "hotline-2.1"
"""Rings at 8001 just now."""


@dataclass
class Full:
    """The console, the ids of what is in it by the name of the path's parameter, and a token for all of it."""

    web: Web
    ids: dict[str, list[str]]
    token: str


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[Full]:
    """Made by the API itself, as far as it can."""
    async with plain_web(folder) as web:
        await _calls(web)
        web.user("all", frozenset(Role), "8003")
        ids: dict[str, list[str]] = {"call_id": [*CALLS, RINGS]}
        async with aiohttp.ClientSession() as client:
            token = await _signed_in(web, client, "all")
            await _fill(web, client, token, ids)
        yield Full(web, ids, token)


async def _calls(web: Web) -> None:
    journal, site = web.site.journal, web.site
    samples = (np.sin(np.arange(16_000) / 20)[:, None] * [9_000, 4_000]).astype(np.int16)
    for number, call_id in enumerate(CALLS):
        path = site.folders.archive / f"2026/11/25/{call_id}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, 8000, format="FLAC")
        agent = "8002" if number == 2 else "8001"
        events = [(event, party) for _stream, _call, event, party in short_call(call_id, agent=agent)[:-1]]
        if number == 1:
            talk = f"{call_id}-2"
            more: list[ev.CallEvent] = [
                ev.RingStarted(talk_id=talk, agent="8002", device="desk", leg=f"{talk}-leg"),
                ev.RingEnded(talk_id=talk, agent="8002", result="answered"),
                ev.TalkStarted(talk_id=talk, agent="8002", bridge="b"),
                ev.TalkEnded(talk_id=talk, agent="8002", by="caller"),
            ]
            events[-2:-2] = [(event, None) for event in more]
        for event, party in events:
            journal.append("call", call_id, event, party=party, at=site.now())
        archived = ev.Archived(
            category="call", file=f"2026/11/25/{call_id}.flac", sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            frames=16_000, rate=8000, channels=2, spans=(ev.Span(f"{call_id}-1", 0, 16_000, True),),
        )  # fmt: skip
        note = new_note("record", "problem", "客户要求退款，电话 13912345678")
        contact = new_note("record", "contact", "13912345678")
        written = ev.RecordWritten(record_id=f"r{number}", version=1, by=agent, subject="nothing-wrong", solved="yes",
                                   notes={"problem": note.note_id, "contact": contact.note_id})  # fmt: skip
        await journal.commit("call", call_id, archived)
        await journal.commit("call", call_id, written, notes=[note, contact])
    for _stream, call, event, party in short_call(RINGS)[:8]:
        journal.append("call", call, event, party=party, at=site.now())
    await journal.flush()
    site.states = {"8001": AgentState("8001", "ringing", "", RINGS, f"{RINGS}-1", changed_at=site.now()),
                   "8003": AgentState("8003", "ready", "", "", "", changed_at=site.now())}  # fmt: skip
    site.calls = {RINGS: CallNow(RINGS, "13800001111", "+8613800001111", "咨询", "zh", site.now(),
                                 frozenset({"8001"}), "")}  # fmt: skip


async def _signed_in(web: Web, client: aiohttp.ClientSession, name: str) -> str:
    wanted = {"name": name, "password": PASSWORD, "label": "test"}
    async with client.post(f"{web.url}/api/v1/sign-in", json=wanted) as answer:
        made = await answer.json()
        assert answer.status == 201, made
        return str(made["secret"])


async def _fill(web: Web, client: aiohttp.ClientSession, token: str, ids: dict[str, list[str]]) -> None:
    async def ask(method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        async with client.request(method, f"{web.url}/api/v1{path}", json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status < 300, (path, text)
            return await answer.json() if "json" in answer.content_type else text

    best = {name: point.steps for name, point in web.site.settings.reviews.forms["service"].points.items()}
    ids |= {"review_id": [], "comment_id": []}
    for call_id in CALLS[:2]:
        given = await ask("POST", f"/calls/{call_id}/reviews", {
            "form": "service", "answers": best, "agent": "8001", "remarks": {"": "回电 13912345678"},
        })  # fmt: skip
        ids["review_id"].append(given["review_id"])
        made = await ask("POST", f"/calls/{call_id}/comments", {"at": 0.5, "text": "这里说了 13912345678"})
        ids["comment_id"].append(made["comment_id"])
        await ask("POST", f"/calls/{call_id}/holds", {"why": "诉讼，对方 13912345678"})
    await ask("PUT", f"/calls/{CALLS[0]}/exemplary", {"why": "好，见 13912345678"})
    await ask("PUT", f"/calls/{CALLS[0]}/record/draft", {"name": "王", "version": 1})
    await ask("PUT", f"/calls/{CALLS[0]}/reviews/draft", {"fields": {"form": "service"}})
    ids["filter_id"] = [
        (await ask("POST", "/calls/filters", {"name": f"退款{n}", "fields": {"words": "退款"}}))["filter_id"]
        for n in range(3)
    ]  # fmt: skip
    ids["user_id"] = [
        (await ask("POST", "/users", {"name": f"guest{n}", "roles": ["agent"], "agent": "8003"}))["user"]["user_id"]
        for n in range(3)
    ]  # fmt: skip
    opened = await ask("POST", f"/calls/{CALLS[0]}/hearings", {"reason": "training"})
    ids["token"] = [opened["path"].rpartition("/")[2]]
    spare = await _signed_in(web, client, "all")
    ids["token_id"] = [one["token_id"] for one in await ask("GET", "/me/tokens") if not one["this"]]
    assert spare and len(ids["token_id"]) == 1
    ids["key"] = [key_of(web.office.sessions.begin(*_user(web), "127.0.0.1", "x"))]
    wanted = {"call_ids": [CALLS[1]], "reason": "complaint"}
    ids["name"] = [await _manifest(web)]
    ids["work_id"] = [(await ask("POST", "/access/proofs", {}))["work_id"]]
    ids["export_id"] = [(await ask("POST", "/recordings/exports", wanted))["export_id"]]
    await ask("POST", "/desk/state", {"do": "ready"})
    web.site.states["8003"] = replace(web.site.states["8003"], mode="ready")
    assert Verb.SELF in (await ask("GET", "/me"))["permissions"]


def _user(web: Web) -> Any:
    found = web.office.accounts.named("all")
    assert found is not None
    return found


async def _manifest(web: Web) -> str:
    """The name of an earlier purge's, in which nothing went."""
    about = {"made_at": "2026-11-25T03:30:00+00:00", "by": "hotline", "why": ""}
    return (await asyncio.to_thread(manifest.write, web.site.folders.archive, "purge", about, [])).name
