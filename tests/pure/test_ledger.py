"""A command writes into the journal by the running daemon, in the name of whose process it is, or by itself."""

from __future__ import annotations

import asyncio
import os
import pwd
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from calllog.access import Access
from calllog.access_queries import list_accesses
from calllog.clock import Clock
from calllog.keep_events import HoldSet, RecordingPurged
from calllog.keep_queries import list_holds
from calllog.notes import new_note
from calllog.verify import verify
from hotline.control import Control, Refused, ask, socket_path
from hotline.keep_verbs import KeepVerbs
from hotline.ledger import ledger
from recordings.access import AccessLog, anchors
from recordings.ledger import Degraded, Entry
from tests.pure.journal_play import stored
from tests.pure.keep_play import House

ME = f"os:{pwd.getpwuid(os.getuid()).pw_name}"


def entries(call_id: str, many: int) -> list[Entry]:
    found = []
    for number in range(many):
        note = new_note("hold", "reason", f"案件 {number} " + "说明" * 200, call_id)
        found.append(Entry(call_id, HoldSet(hold_id=str(number), by="nobody", notes={"reason": note.note_id}), (note,)))
    return found


async def test_by_itself_and_by_the_daemon_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    house = House(tmp_path)
    (call,) = await house.record(1)
    async with ledger(house.state) as book:
        await book.note([Access("somebody else", "recording.export", "复核", call_id=call)])
        await book.write(entries(call, 1))
    monkeypatch.setenv("SUDO_USER", "zhang")

    async def status(request: Any) -> dict[str, Any]:
        return {}

    async with house.open() as journal:
        access = AccessLog(journal, Clock().now, house.state)
        daemon = cast(Any, SimpleNamespace(journal=journal, access=access))
        control = Control(socket_path(house.state), KeepVerbs(daemon).table() | {"status": status})
        await control.open()
        try:
            async with ledger(house.state) as book:
                await book.note([Access("", "recording.export", "全部", call_id=f"c-{n}") for n in range(300)])
                await book.write(entries(call, 100))
            with monkeypatch.context() as patched:
                patched.setattr(type(journal), "degraded", property(lambda self: True))
                async with ledger(house.state) as book:
                    with pytest.raises(Refused):
                        await book.write(entries(call, 1))
        finally:
            await control.close()
    rows = await list_accesses(house.store, limit=1000)
    assert [row.entry.who for row in rows] == [f"os:zhang>{ME[3:]}"] * 300 + [ME]
    assert verify(house.store, anchors=anchors(house.state)) == []
    holds = list_holds(house.store)
    assert len(holds) == 100 and {row.set_by for row in holds} == {ME, f"os:zhang>{ME[3:]}"}
    assert all(row.reason.startswith("案件") for row in holds)


async def test_nothing_else_can_be_had_journalled(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.open() as journal:
        access = AccessLog(journal, Clock().now, house.state)
        control = Control(socket_path(house.state), KeepVerbs(
            cast(Any, SimpleNamespace(journal=journal, access=access))).table())  # fmt: skip
        await control.open()
        try:
            ended = {"call_id": "c", "kind": "ended", "v": 1, "data": '{"kind":"ended","outcome":"test"}', "notes": []}
            for verb, fields in (
                ("keep", {"entries": [ended]}),
                ("keep", {"entries": [{"call_id": "c"}]}),
                ("keep", {"entries": 5}),
                ("keep", {"entries": [[]]}),
                ("access", {"accesses": [{"verb": 5}]}),
                ("access", {}),
            ):  # fmt: skip
                with pytest.raises(Refused):
                    await asyncio.to_thread(ask, house.state, verb, **fields)
        finally:
            await control.close()
    assert stored(house.store, "SELECT count(*) FROM event") == [(0,)]


async def test_while_the_store_fails_nothing_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    async with house.ledger() as book:
        monkeypatch.setattr(type(book._journal), "degraded", property(lambda self: True))
        event = RecordingPurged(category="call", kind_of="call", by="", manifest="m", manifest_sha256="s")
        with pytest.raises(Degraded):
            await book.write([Entry("c", event)])
