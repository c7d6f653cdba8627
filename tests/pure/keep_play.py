"""The tests' words for keeping: a state folder with calls of stated ages, their files, and a ledger on its journal."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from calllog import events as ev
from calllog.clock import Clock
from calllog.journal import Journal
from hotline.ledger import Own
from recordings.access import AccessLog
from recordings.folders import Folders
from recordings.retention import DAY
from tests.pure.journal_play import new_store

NOW = 1_800_000_000_000_000
"""2027-01-15, µs."""

WANG = ev.Party(raw="013800001111", e164="+8613800001111", name="王芳")
LI = ev.Party(raw="013900002222", e164="+8613900002222", name="李雷")


def sound(call_id: str) -> bytes:
    """What stands for the sound of a recording."""
    return f"sound of {call_id} ".encode() * 50


class House:
    """A state folder."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "var"
        self.state.mkdir(parents=True)
        self.store = self.state / "hotline.sqlite"
        new_store(folder / "new").rename(self.store)
        self.folders = Folders(self.state)
        self.folders.make()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Journal]:
        """The journal, open."""
        journal = await Journal.open(self.store, clock=Clock(), spool=self.state / "spool.jsonl")
        try:
            yield journal
        finally:
            await journal.close()

    @asynccontextmanager
    async def ledger(self, who: str = "os:test") -> AsyncIterator[Own]:
        """A ledger on the journal."""
        async with self.open() as journal:
            yield Own(journal, AccessLog(journal, Clock().now, self.state), who)

    async def record(
        self, *ages: float, party: ev.Party = WANG, queue: str = "inquiry", category: ev.Category = "call",
        name: str = "c", ended: bool = True, archived: bool = True,
    ) -> list[str]:  # fmt: skip
        """Calls so many days ago, each with its file; returns their ids."""
        made = []
        async with self.open() as journal:
            for number, age in enumerate(ages):
                call_id = f"{name}-{number}"
                made.append(call_id)
                at = NOW - round(age * DAY)
                file = f"2026/01/{1 + number % 3:02}/{call_id}.flac"
                data = sound(call_id)
                talk = f"{call_id}-1"
                course: list[ev.CallEvent] = [ev.Arrived(leg=call_id), ev.Asked(queue=queue, label=queue)]
                if category == "call":
                    course += [
                        ev.RingStarted(talk_id=talk, agent="8001", device="8001", leg="l"),
                        ev.TalkStarted(talk_id=talk, agent="8001", bridge="b"),
                        ev.RecordingRequested(talk_id=talk, part=1, file=f"{talk}.1.raw"),
                        ev.RecordingStarted(talk_id=talk, part=1),
                    ]
                else:
                    course += [ev.VoicemailStarted(file=f"{call_id}.wav"),
                               ev.VoicemailKept(file=f"{call_id}.wav", seconds=3)]  # fmt: skip
                if ended:
                    course.append(ev.Ended(outcome="answered" if category == "call" else "voicemail"))
                if ended and archived:
                    self.lay(file, data)
                    course.append(ev.Archived(
                        category=category, file=file, sha256=hashlib.sha256(data).hexdigest(), frames=8000, rate=8000,
                        channels=2, spans=(ev.Span(talk, 0, 8000, True),) if category == "call" else (),
                    ))  # fmt: skip
                for event in course:
                    known = party if isinstance(event, ev.Arrived) else None
                    journal.append("call", call_id, event, party=known, at=at)
        return made

    def lay(self, file: str, data: bytes) -> Path:
        """A file of the archive, and its measure beside it."""
        path = self.folders.finished(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_name(path.name + ".measure").write_bytes(b"{}")
        return path

    def files(self) -> set[str]:
        """What lies in the archive by day."""
        return {path.name for path in self.folders.archive.rglob("2*/*/*/*")}
