"""A store of many calls, made up: to measure how long it takes to find some of them.

The rows are those of ``calllog.rows`` from states made up here, so that they have this version's shape. Of the calls
themselves the journal has nothing; what people did with them afterwards (``many_kept``) is in it. It is made once for
each size and shape, and kept.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from uuid_utils import uuid7

from calllog import words
from calllog.events import Measured, Span
from calllog.folds import CallState
from calllog.migrate import migrate
from calllog.record import Record
from calllog.rows import UPSERTS, Row, call_rows
from calllog.store import SCHEMA, make_file
from calllog.talk import Part, Recording, Talk
from hotline.bench.many_kept import keep

SECOND = 1_000_000
NEWEST = 1_795_000_000 * SECOND
YEARS = 3 * 365 * 86_400 * SECOND
"""Over which the calls are spread."""
AGENTS = tuple(str(number) for number in range(8001, 9001))
QUEUES = ("inquiry", "complaint", "orders", "repair", "night", "partners")
SUBJECTS = tuple(f"subject-{number}" for number in range(40))
RARE = "蓝色独角兽"
"""Stands in three records."""
_OUTCOMES = {
    "answered": 780, "abandoned": 100, "voicemail": 40, "menu": 55, "closed": 18, "uncovered": 4, "failed": 2,
    "refused": 1,
}  # fmt: skip
_SAID = (
    "客户来电要求退款", "询问订单何时送到", "反映送货太慢", "发票抬头写错需要重开", "产品收到后无法开机",
    "咨询会员积分如何使用", "要求修改收货地址", "投诉门店服务态度", "查询维修进度", "申请换货", "要求取消订单",
    "反映重复扣款", "咨询保修期限", "要求回电", "反映快递员未联系本人", "咨询优惠活动规则", "账户无法登录",
    "核对银行卡信息", "反映赠品缺少", "咨询安装费用",
)  # fmt: skip
_DONE = (
    "已登记并转仓库处理", "已告知三个工作日内到账", "已转投诉专员", "已发送短信", "已按流程解释", "客户表示满意",
    "将于明天回访",
)  # fmt: skip
_FAMILY, _GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平"
_BATCH = 5_000
_RATINGS = {1: 48, 2: 32, 3: 10, 4: 6, 5: 4}
"""Of those who rate; 4 and 5 are bad."""
_SIZE = 500_000
"""Bytes of each recording."""
_MAKE = "3"
"""Another one for each change of what is made here."""


def many_calls(folder: Path, size: int, tell: Callable[[int, int], None] | None = None) -> Path:
    """The store with so many calls in this folder, made where it is not there yet: some minutes for a million."""
    path = folder / f"calls-{size}-{SCHEMA}-{_MAKE}.sqlite"
    if path.exists():
        return path
    for old in folder.glob(f"calls-{size}-*"):
        old.unlink()
    draft = path.with_suffix(".part")
    make_file(draft)
    migrate(draft)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        words.teach(connection)
        for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -200000"):
            connection.execute(f"PRAGMA {pragma}")
        (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'note_made'").fetchone()
        connection.execute("BEGIN")
        connection.execute("DROP TRIGGER note_made")
        parties = _parties(connection, max(1, size * 2 // 5))
        rows: dict[str, list[Row]] = {}
        notes: list[Row] = []
        written = 0
        for number, state in enumerate(_states(size, parties), 1):
            for table, some in call_rows(state).items():
                rows.setdefault(table, []).extend(some)
            if state.record is not None:
                written += 1
                notes += _notes(state, random.Random(number), number, RARE if written in (9, 90, 900) else "")
            if number % _BATCH == 0 or number == size:
                for table, some in rows.items():
                    connection.executemany(UPSERTS[table], some)
                connection.executemany(
                    "INSERT INTO note (note_id, call_id, kind, field, at, text) VALUES (?, ?, ?, ?, ?, ?)", notes
                )
                rows, notes = {}, []
                if tell is not None:
                    tell(number, size)
        keep(connection, size, NEWEST)
        words.relearn(connection)
        connection.execute(trigger)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    os.replace(draft, path)
    return path


def _parties(connection: sqlite3.Connection, many: int) -> list[str]:
    dice, made = random.Random(1), []
    for number in range(many):
        mobile = f"1{dice.choice((38, 39, 50, 59, 77, 86, 88, 99))}{number * 7919 % 100_000_000:08}"
        land = f"0{dice.choice((10, 21, 755, 571))}{20_000_000 + number}"
        home = mobile if dice.random() < 0.85 else land
        e164 = f"+86{home.removeprefix('0')}" if number % 100 else ""
        made.append((str(uuid7()), home if number % 100 else "", e164, "", NEWEST - YEARS))
    connection.executemany("INSERT INTO party (party_id, raw, e164, name, first_at) VALUES (?, ?, ?, ?, ?)", made)
    return [row[0] for row in made]


def _states(size: int, parties: list[str]) -> Iterator[CallState]:
    dice = random.Random(2)
    step = YEARS // size
    outcomes, weights = tuple(_OUTCOMES), tuple(_OUTCOMES.values())
    for number in range(size):
        at = NEWEST - YEARS + number * step + dice.randrange(step)
        state = CallState(f"bench-{at // SECOND}.{number}", leg="leg", did="4001234567", trunk="carrier")
        state.arrived_at = state.answered_at = at
        state.party_id = parties[min(dice.randrange(len(parties)), dice.randrange(len(parties)))]
        state.outcome = dice.choices(outcomes, weights)[0]  # type: ignore[assignment]
        state.ended_at, state.stage = at + 60 * SECOND, "ended"
        if state.outcome != "menu":
            state.queue = QUEUES[min(dice.randrange(6), dice.randrange(6))]
            state.asked_at = at + 8 * SECOND
        if state.outcome == "answered":
            _talk(state, dice, number)
        elif state.outcome == "voicemail":
            state.voicemail_kept, state.voicemail_seconds = True, dice.uniform(2, 120)
            state.voicemail_started_at = at + 20 * SECOND
            state.recordings["voicemail"] = Recording(
                "voicemail", _file(state, at, ".voicemail"), "0" * 64, 8_000, 8_000, 1, size=_SIZE
            )
        yield state


def _talk(state: CallState, dice: random.Random, number: int) -> None:
    agent = AGENTS[min(dice.randrange(len(AGENTS)), dice.randrange(len(AGENTS)))]
    began = state.asked_at + dice.randrange(30 * SECOND)
    talk = Talk(f"{state.call_id}-1", state.call_id, agent, agent, "leg", began - 2 * SECOND)
    talk.started_at, talk.ring_result, talk.ring_ended_at = began, "answered", began
    talk.ended_at = began + round(dice.expovariate(1 / 180) * SECOND)
    if dice.random() < 0.06:
        talk.held_us = min(talk.ended_at - began, round(dice.expovariate(1 / 40) * SECOND))
    if dice.random() < 0.6:  # the agent hung up first
        talk.invited_at = talk.ended_at
        if dice.random() < 0.45:
            talk.rating = dice.choices(tuple(_RATINGS), tuple(_RATINGS.values()))[0]
    talk.parts.append(Part(0, f"{talk.talk_id}.0.raw", began, began, talk.ended_at))
    state.talks.append(talk)
    state.measures["call"] = Measured(
        category="call", by=1, seconds=(talk.ended_at - began) / SECOND, loudness=(-22.0, -21.0), speech=(30.0, 40.0),
        longest_silence=dice.expovariate(1 / 6), talk_over=dice.expovariate(1 / 2), silence_from=5.0,
        talk_over_from=0.5,
    )  # fmt: skip
    frames = (talk.ended_at - began) // 125
    verified = dice.random() < 0.999
    state.recordings["call"] = Recording(
        "call", _file(state, began), "0" * 64, frames, 8_000, 2,
        (Span(talk.talk_id, 0, frames, verified, "" if verified else "short=1.2"),), size=_SIZE,
    )  # fmt: skip
    if dice.random() < 0.7:
        subject = SUBJECTS[min(dice.randrange(40), dice.randrange(40))]
        at = state.ended_at
        state.record = Record(f"r{number}", 1, agent, agent, subject, "yes", True, True, at, at)


def _file(state: CallState, at: int, kind: str = "") -> str:
    day = dt.datetime.fromtimestamp(at // SECOND, dt.UTC)
    return f"{day:%Y/%m/%d}/{state.call_id}{kind}.flac"


def _notes(state: CallState, dice: random.Random, number: int, rare: str) -> Iterator[Row]:
    """What the record says: a name, the problem, what was done."""
    name = dice.choice(_FAMILY) + "".join(dice.choices(_GIVEN, k=2))
    said = f"{dice.choice(_SAID)}，{dice.choice(_SAID)}，订单号 A{number * 37 % 10_000_000:07}。{rare}"
    for field, text in (("name", name), ("problem", said), ("solution", dice.choice(_DONE))):
        yield f"{state.call_id}/{field}", state.call_id, "record", field, state.ended_at, text
