"""A large house for the bench of the screens: a thousand agents on a real roster, two hundred users, a store of very
many calls with today's among them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from calllog import events as ev
from calllog.clock import Clock
from calllog.journal import Journal
from calllog.notes import new_note
from console import passwords
from console.accounts import Accounts, Wanted
from console.book import Book
from console.permits import Role, command_line
from hotline.bench.many_calls import AGENTS, QUEUES
from hotline.bench.many_kept import GRADERS

USERS = 200
PASSWORD = "correct horse battery"
CHEAP = (1, 8, 1)
"""Argon2 of the users here: passes, KiB, lanes."""
OWN = AGENTS[0]
"""The agent to whom the user ``agent`` is bound."""
TODAY, MINE = 1_200, 60
"""Calls of today, and those of them in which ``OWN`` talked."""
TEAMS = 40
_FAMILY, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平"
_SECOND = 1_000_000


def changes(today: dt.date) -> dict[str, Any]:
    """What is laid over the tracked settings (``hotline.trial.copy_config``)."""
    dice = random.Random(4)
    dates = [today + dt.timedelta(days=number) for number in range(-7, 60) for _each in range(5)]
    away = dice.sample(AGENTS, 2 * len(dates))
    names = [f"第{number + 1}班" for number in range(TEAMS)]
    start = today - dt.timedelta(days=today.toordinal() % 8)
    agents = {
        one: {"name": dice.choice(_FAMILY) + "".join(dice.choices(_GIVEN, k=2)),
              "skills": [*QUEUES, "business", "general"], "devices": [{"sip": one}]}
        for one in AGENTS
    }  # fmt: skip
    return {
        "agents": {"agents": agents},
        "queues": {"queues": {name: {"label": name, "skill": name, "priority": 5, "longest_wait": 300}
                              for name in QUEUES}},
        "roster": {
            "teams": {name: [int(one) for one in AGENTS[place::TEAMS]] for place, name in enumerate(names)},
            "rotations": {"四班三运转": {
                "start": start, "cycle": ["早班", "早班", "中班", "中班", "夜班", "夜班", "休", "休"],
                "teams": {name: place % 8 + 1 for place, name in enumerate(names)},
            }},
            "rules": [],
            "changes": [
                {"leave": "annual", "agent": int(one), "cover": int(other), "from": date,
                 "to": date + dt.timedelta(days=2)}
                for date, one, other in zip(dates, away[::2], away[1::2], strict=True)
            ],
        },
    }  # fmt: skip


def users(state_dir: Path) -> dict[str, Role]:
    """Make the users; returns one of each role by name."""
    who, book = command_line("bench"), Book(state_dir)
    found = {"admin": Role.ADMINISTRATOR, "supervisor": Role.SUPERVISOR, GRADERS[0]: Role.QUALITY,
             "auditor": Role.AUDITOR, "agent": Role.AGENT, "department": Role.DEPARTMENT}  # fmt: skip
    try:
        accounts, secret = Accounts(book, Clock().now), passwords.hashed(PASSWORD, CHEAP)
        wanted = dict.fromkeys(GRADERS, Role.QUALITY) | found
        bound = {"agent": OWN} | {f"a{agent}": agent for agent in AGENTS[1 : USERS - len(wanted) + 1]}
        for name in dict.fromkeys((*wanted, *bound)):
            role = wanted.get(name, Role.AGENT)
            accounts.create(who, Wanted(name, name, frozenset({role}), bound.get(name, "")), secret)
        book.do(lambda run: run("UPDATE user SET must_change = 0, password_until = 0"))
    finally:
        book.close()
    return found


async def store(source: Path, state_dir: Path, now: Callable[[], int]) -> str:
    """Put a copy of this store into the state folder, and today's calls into it; returns the id of ``OWN``'s last."""
    path = state_dir / "hotline.sqlite"
    await asyncio.to_thread(shutil.copyfile, source, path)
    path.chmod(0o600)
    journal = await Journal.open(path, clock=Clock(), spool=state_dir / "spool.jsonl")
    try:
        dice, ends, last = random.Random(5), now(), ""
        for number in range(TODAY):
            agent = OWN if number % (TODAY // MINE) == 0 else dice.choice(AGENTS)
            call_id = _call(journal, dice, number, agent, ends - (TODAY - number) * 5 * _SECOND - 400 * _SECOND)
            last = call_id if agent == OWN else last
            if number % 100 == 99:
                await journal.flush()
    finally:
        await journal.close()
    return last


def _call(journal: Journal, dice: random.Random, number: int, agent: str, at: int) -> str:
    """One answered call with its record."""
    call_id, raw = f"today-{at // _SECOND}.{number}", f"139{dice.randrange(10**8):08}"
    talk, seconds = f"{call_id}-1", dice.randrange(20, 300)
    party = ev.Party(raw, f"+86{raw}", "")
    notes = [new_note("record", "name", dice.choice(_FAMILY)), new_note("record", "problem", "客户来电要求退款")]
    written = ev.RecordWritten(
        record_id=f"{call_id}-r", version=1, by="agent", agent=agent, complete=True,
        notes={note.field: note.note_id for note in notes},
    )  # fmt: skip
    journal.append("call", call_id, ev.Arrived(leg=call_id, did="4001234567", trunk="carrier"), party=party, at=at)
    for after, event in (
        (1, ev.Answered()),
        (9, ev.Asked(queue=QUEUES[number % len(QUEUES)], label=QUEUES[number % len(QUEUES)])),
        (10, ev.RingStarted(talk_id=talk, agent=agent, device=agent, leg=f"{talk}-l")),
        (13, ev.RingEnded(talk_id=talk, agent=agent, result="answered")),
        (13, ev.TalkStarted(talk_id=talk, agent=agent, bridge="b")),
        (13, ev.RecordingRequested(talk_id=talk, part=0, file=f"{talk}.0.raw")),
        (13, ev.RecordingStarted(talk_id=talk, part=0)),
        (13 + seconds, ev.TalkEnded(talk_id=talk, agent=agent, by="caller")),
        (13 + seconds, ev.Ended(outcome="answered")),
        (14 + seconds, ev.Archived(
            category="call", file=f"bench/{call_id}.flac", sha256="0" * 64, frames=seconds * 8_000, rate=8_000,
            channels=2, spans=(ev.Span(talk, 0, seconds * 8_000, True),), size=500_000,
        )),
    ):
        journal.append("call", call_id, event, at=at + after * _SECOND)
    journal.append("call", call_id, written, notes=notes, at=at + (30 + seconds) * _SECOND)
    return call_id


def some_calls(path: Path) -> dict[str, str]:
    """The ids of a call from the middle of the store, and of one that was graded."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (middle,) = connection.execute("SELECT avg(arrived_at) FROM (SELECT min(arrived_at) AS arrived_at FROM card"
                                       " UNION ALL SELECT max(arrived_at) FROM card)").fetchone()  # fmt: skip
        question = "SELECT call_id FROM call WHERE arrived_at > ? ORDER BY arrived_at LIMIT 1"
        deep = connection.execute(question, (middle,))
        graded = connection.execute("SELECT call_id FROM reviewed WHERE comments > 0 LIMIT 1")
        return {"deep": deep.fetchone()[0], "graded": graded.fetchone()[0]}
