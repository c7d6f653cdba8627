"""A morning at a hotline, for looking at: calls of every kind have come and gone, their records are written, some are
graded, one grade is appealed against; and right now one call is talked, one rings and one waits.

The hotline's clock stands at :data:`MOMENT` when it starts: so "today" does not end in the middle, the example roster
has the same people on duty each time, and pictures can be made again. All names and numbers are invented.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from config.load import load_settings
from console.accounts import Accounts, Wanted
from console.book import Book
from console.passwords import hashed
from console.permits import Role, command_line
from hotline.outside import Caller, Handset, Ring, spoken_wav
from hotline.outside.ports import free_ports
from hotline.trial import Trial, trial
from recordings.sampling import week_of
from tests.real.conftest import SHORT_WORDS
from tests.real.verbs import connected

MOMENT = dt.datetime(2026, 11, 25, 10, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A Wednesday: 8001 and 8002 have the early shift, 8011 and 8012 are there by day."""

PASSWORD = "correct horse battery"
CHEAP = (1, 8, 1)
"""Argon2 for tests: passes, KiB, lanes."""

PHONES = ("8001", "8002", "8012")
"""The phone of 8011, who is on duty too, is not there."""

LONG = 120.0
"""Seconds for anything; a quiet machine needs five."""

USERS: Mapping[str, tuple[str, Role, str, bool]] = {
    "zhangmin": ("张敏", Role.AGENT, "8001", True),
    "liqiang": ("李强", Role.AGENT, "8002", True),
    "gaoxue": ("高雪", Role.AGENT, "8012", False),
    "zhaojing": ("赵静", Role.AGENT, "8006", False),
    "banzhang": ("刘凯", Role.SUPERVISOR, "", True),
    "quality1": ("孙丽", Role.QUALITY, "", True),
    "quality2": ("周洁", Role.QUALITY, "", True),
    "shenji": ("吴凡", Role.AUDITOR, "", True),
    "admin": ("何平", Role.ADMINISTRATOR, "", True),
    "caiwu": ("财务部", Role.DEPARTMENT, "", True),
}
"""By name: the name shown, the role, the staff number, and whether they are at a screen; zhaojing is disabled."""

REGULAR, ANGRY, LOST, CLIENT, TALKS, WAITS = (
    "13800138000", "02155550102", "13900139006", "13700137004", "13600136005", "13500135006"
)  # fmt: skip
"""Who calls: the first one twice."""

WORDS = {
    "hello": "您好，八零零一号为您服务。",
    "asks": "你好，我上周五下的单，到现在还没有发货，帮我查一下。",
    "answers": "请稍等，我帮您查一下。您的订单今天下午发出，明天送到。",
    "angry": "东西收到就是坏的，我要退款，请你们马上处理。",
    "sorry": "非常抱歉。退款今天就为您办理，三天内到账。",
    "message": "我想改一下收货地址，请给我回个电话。",
}  # fmt: skip


def changes(port: int, **more: Mapping[str, Any]) -> dict[str, Any]:
    """What the example configuration has otherwise: short words and waits, and nobody to answer business calls."""
    inquiry = {"skills": ["inquiry", "complaint", "general"]}
    return {
        "hotline": {
            "console": {"enabled": True, "port": port},
            "times": {"ring": 600, "wrap_up": 2, "announce_every": 60, "digit_timeout": 10, "voicemail_silence": 20},
            "record": {"required": True, "time_limit": 900, "extend_by": 60, "extensions": 2},
            "recording": {"silence_from": 1.5},
            "survey": {"enabled": True},
        },
        "agents": {"agents": {"8001": inquiry, "8002": inquiry}},
        "queues": {"queues": {
            "inquiry": {"longest_wait": 1800}, "complaint": {"longest_wait": 1800, "wrap_up": None},
            "business": {"longest_wait": 3},
        }},
        "menu": {"menus": {"main": {"offers": [], "options": {"9": None}}}},
        "reviews": {"plans": {"weekly": {"graders": ["quality1", "quality2"], "shortest": 0, "double": 100}}},
        "prompts.zh": {"speed": 260, "prompts": SHORT_WORDS},
        **more,
    }  # fmt: skip


class Clerk:
    """Somebody at the console without a browser: as fast as forms can be sent."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.url, self.client, self.csrf = url, client, ""

    async def get(self, path: str) -> str:
        """A page."""
        async with self.client.get(self.url + path) as answer:
            return await self._read(answer)

    async def post(self, path: str, **form: str) -> str:
        """A form, and the page it leads to."""
        async with self.client.post(self.url + path, data={"csrf": self.csrf, **form}) as answer:
            return await self._read(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> str:
        text = await answer.text()
        assert answer.status < 400, f"{answer.status} {answer.url}\n{text[:2000]}"
        found = re.search(r'name="csrf" value="([^"]*)"', text)
        self.csrf = found[1] if found else self.csrf
        return text


@dataclass
class Workday:
    """The morning. ``calls`` by what they are: id of the call."""

    hotline: Trial
    url: str
    wavs: Mapping[str, Path]
    clerks: dict[str, Clerk] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)
    rings: dict[str, Ring] = field(default_factory=dict)
    review: str = ""

    def phone(self, agent: str) -> Handset:
        return self.hotline.world.handsets[agent]

    async def dials(self, number: str, key: str = "") -> Caller:
        """Somebody calls, hears the menu and presses a key."""
        caller = await self.hotline.world.call(self.hotline.number, number=number)
        await caller.answered(LONG)
        await caller.heard("menu_main", within=LONG)
        if key:
            await caller.press(key)
        return caller

    async def until(self, what: str, look: Callable[[Mapping[str, Any]], bool]) -> None:
        """Wait until the daemon's status is like this."""
        now: Mapping[str, Any] = {}
        try:
            async with asyncio.timeout(LONG):
                while True:
                    now = await self.hotline.status()
                    if now and look(now):
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what}: {now}") from None

    async def mode(self, agent: str, mode: str) -> None:
        """Wait until the agent is so."""
        await self.until(f"{agent} {mode}", lambda now: bool(now["agents"][agent]["mode"] == mode))

    async def rang(self, agent: str) -> Ring:
        """The next ring at this agent's phone, once the hotline knows of it."""
        ring = await self.phone(agent).rings(LONG)
        await self.mode(agent, "ringing")
        return ring

    async def is_asked(self, number: str) -> None:
        """Wait until this caller is asked how the talk was."""
        async with asyncio.timeout(LONG):
            while True:
                detail = await self.hotline.detail(tail(number))
                if detail is not None and detail.state.talk is not None and detail.state.talk.invited_at:
                    return
                await asyncio.sleep(0.05)

    async def over(self, name: str, number: str) -> str:
        """Wait until this caller's call is over and archived; its id, which is kept by name."""
        detail = await self.hotline.ended(tail(number), limit=LONG)
        self.calls[name] = detail.row.call_id
        return detail.row.call_id

    async def on_the_phone(self, name: str, number: str) -> str:
        """The id of a caller's call that goes on, kept by name."""
        detail = await self.hotline.detail(tail(number))
        assert detail is not None, number
        self.calls[name] = detail.row.call_id
        return detail.row.call_id


def tail(number: str) -> str:
    """How the number's end stands in the store."""
    return number.lstrip("0")


@asynccontextmanager
async def workday(folder: Path, *, speed: int = 260, **more: Mapping[str, Any]) -> AsyncIterator[Workday]:
    """The morning until now, in an empty folder; ``speed``: words a minute, ``more``: laid over the settings."""
    (port,) = free_ports(1)
    spoken = {name: spoken_wav(folder / f"{name}.wav", text, speed=speed) for name, text in WORDS.items()}
    wavs = dict(zip(spoken, await asyncio.gather(*spoken.values()), strict=True))
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(trial(folder, changes(port, **more), daemon=False))
        await asyncio.to_thread(_people, it.state)
        day = Workday(it, f"http://127.0.0.1:{port}", wavs)
        await it.start(offset=(MOMENT - dt.datetime.now(dt.UTC)).total_seconds())
        await asyncio.gather(*(it.handset(agent) for agent in PHONES))
        await it.reachable(*PHONES)
        for name in USERS:
            client = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
            day.clerks[name] = Clerk(day.url, await stack.enter_async_context(client))
        day.users = {user.name: user.user_id for user in await asyncio.to_thread(_users, it.state)}
        await asyncio.gather(*(_signs_in(name, clerk) for name, clerk in day.clerks.items()))
        await _calls_of_before(day)
        await _work_of_before(day)
        await _calls_of_now(day)
        yield day
        await asyncio.gather(*(caller.hang_up() for caller in it.world.callers))


def _people(state: Path) -> None:
    book = Book(state)
    accounts = Accounts(book, lambda: int(MOMENT.timestamp()) * 1_000_000 - 3_600_000_000)
    for name, (shown, role, agent, _here) in USERS.items():
        accounts.create(command_line("hotline"), Wanted(name, shown, frozenset({role}), agent), hashed(PASSWORD, CHEAP))
    book.do(lambda run: run("UPDATE user SET must_change = 0, password_until = 0", ()))
    book.close()


def _users(state: Path) -> list[Any]:
    book = Book(state)
    try:
        return list(Accounts(book, lambda: 0).users(command_line("hotline")))
    finally:
        book.close()


async def _signs_in(name: str, clerk: Clerk) -> None:
    async with asyncio.timeout(LONG):
        while True:
            try:
                await clerk.get("/sign-in")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
    await clerk.post("/sign-in", name=name, password=PASSWORD)
    await clerk.get("/account")


# --- before -----------------------------------------------------------------------------------------------------------


async def _calls_of_before(day: Workday) -> None:
    """An inquiry of 8001 and a complaint of 8002, recorded, and the complaint rated; meanwhile one who gives up, and
    a message."""
    await asyncio.gather(day.clerks["liqiang"].post("/desk/pause", reason="rest"),
                         day.clerks["gaoxue"].post("/desk/pause", reason="meal"))  # fmt: skip
    order = await day.dials(REGULAR, "1")
    ring = await day.rang("8001")
    await day.clerks["liqiang"].post("/desk/ready")
    refund, message, lost = await asyncio.gather(day.dials(ANGRY, "2"), day.dials(CLIENT, "4"), day.dials(LOST))
    other = await day.rang("8002")
    await lost.press("1")
    await asyncio.gather(
        _inquiry(day, order, ring), _complaint(day, refund, other), _message(day, message), _gives_up(day, lost)
    )


async def _inquiry(day: Workday, caller: Caller, ring: Ring) -> None:
    await ring.answer()
    await connected(day.hotline, tail(REGULAR))
    await _says(ring, day.wavs["hello"])
    await _says(caller, day.wavs["asks"])
    await ring.hold()
    await asyncio.sleep(2.2)  # so long that it is a silence
    await ring.unhold()
    await _says(ring, day.wavs["answers"])
    clerk = day.clerks["zhangmin"]
    await clerk.post("/desk/recording_pause")
    await _says(caller, day.wavs["message"])
    await clerk.post("/desk/recording_resume")
    await caller.hang_up()
    await day.over("order", REGULAR)


async def _complaint(day: Workday, caller: Caller, ring: Ring) -> None:
    await ring.answer()
    await connected(day.hotline, tail(ANGRY))
    caller.say(day.wavs["angry"])
    await _says(ring, day.wavs["hello"])  # into their words
    await caller.said()
    await _says(ring, day.wavs["sorry"])
    await ring.hang_up()
    await day.is_asked(ANGRY)
    await caller.press("5")
    await day.over("refund", ANGRY)


async def _says(leg: Caller | Ring, wav: Path) -> None:
    leg.say(wav)
    await leg.said()


async def _message(day: Workday, caller: Caller) -> None:
    await caller.heard("beep", within=LONG, whole=True)
    await _says(caller, day.wavs["message"])
    await caller.press("#")
    await caller.gone(LONG)
    await day.over("message", CLIENT)


async def _gives_up(day: Workday, caller: Caller) -> None:
    await day.until("the one who gives up waits", lambda now: "inquiry" in now["waiting"])
    await caller.hang_up()
    await day.over("lost", LOST)


async def _work_of_before(day: Workday) -> None:
    """Records, a list, grades with an appeal, comments, a hold, a token and a filter."""
    await asyncio.gather(_records(day), _quality(day))
    await asyncio.gather(
        day.clerks["banzhang"].post("/calls/filters", name="今日投诉", queue="complaint", period="today"),
        day.clerks["admin"].post("/account/tokens", label="报表程序", days="90", scope="status.read"),
        day.clerks["admin"].post(f"/users/{day.users['zhaojing']}/disable", on="true"),
    )


async def _records(day: Workday) -> None:
    order, refund = day.calls["order"], day.calls["refund"]
    half = {"version": "0", "name": "陈女士", "contact": "", "subject": "complaint-refund", "problem": "商品收到即损坏"}
    whole = half | {"version": "1", "contact": ANGRY, "solution": "同意退款，三个工作日内到账", "solved": "open",
                    "identity_checked": "yes"}  # fmt: skip
    await day.clerks["zhangmin"].post(
        f"/records/{order}", version="0", name="王先生", contact=REGULAR, subject="consult-order", solved="yes",
        problem="周五下单，至今未发货", solution="仓库今天下午发出，明天送达，已告知来电人",
    )  # fmt: skip
    await day.clerks["liqiang"].post(f"/records/{refund}", **half)
    await day.clerks["liqiang"].post(f"/records/{refund}", **whole)
    await asyncio.gather(day.mode("8001", "ready"), day.mode("8002", "ready"))


async def _quality(day: Workday) -> None:
    order, refund = day.calls["order"], day.calls["refund"]
    page, refunds = f"/quality/calls/{order}", f"/quality/calls/{refund}"
    chief, one, two = (day.clerks[name] for name in ("banzhang", "quality1", "quality2"))
    week = week_of(MOMENT, day.hotline.settings.hotline.zone)
    await chief.post("/quality/lists", week=week)
    await one.post(f"{page}/hear", reason="grading")
    await one.post(f"{page}/comments", at="1.2", text="问候规范")
    await one.post(f"{page}/comments", at="4.5", text="没有复述来电人的诉求")
    form = load_settings(day.hotline.config).reviews.forms["service"]
    best = {f"a.{name}": str(point.steps) for name, point in form.points.items()}
    await one.post(f"{page}/grade", about="give", form="service", **best | {
        "a.listen": "3", "a.restate": "1", "a.correct": "4", "a.next_step": "3", "a.anything_else": "0",
        "r.restate": "听完就去查单了，没有确认订单号", "remark": "态度好，复述和结束语要改进。",
    })  # fmt: skip
    await two.post(f"{page}/grade", about="give", form="service", **best | {"a.restate": "3", "a.anything_else": "0"})
    shown = await day.clerks["zhangmin"].get(page)
    given = re.findall(r"/reviews/([^/\"]+)/appeal", shown)
    assert given, shown
    await day.clerks["zhangmin"].post(f"{page}/reviews/{given[-1]}/appeal", why="来电人一开口就报了订单号")
    await one.post("/quality/exports", call=refund, reason="complaint")
    await two.post(f"{refunds}/exemplary", on="true", why="安抚得当")
    await chief.post(f"{refunds}/hold", why="来电人表示要向市场监管部门投诉")


# --- now --------------------------------------------------------------------------------------------------------------


async def _calls_of_now(day: Workday) -> None:
    """8002 talks, 8012 is at lunch, it rings at 8001, and one more caller waits."""
    await day.clerks["zhangmin"].post("/desk/pause", reason="rest")
    day.callers["talks"] = caller = await day.dials(TALKS, "1")
    ring = await day.rang("8002")
    await ring.answer()
    await connected(day.hotline, tail(TALKS))
    caller.say(day.wavs["asks"], repeat=True)
    await day.on_the_phone("talks", TALKS)
    await day.clerks["zhangmin"].post("/desk/ready")
    await day.mode("8001", "ready")
    day.callers["rings"] = await day.dials(REGULAR, "1")
    day.rings["8001"] = await day.rang("8001")
    await day.on_the_phone("rings", REGULAR)
    day.callers["waits"] = await day.dials(WAITS, "2")
    await day.until("somebody waits", lambda now: bool(now["waiting"]))
    await day.on_the_phone("waits", WAITS)
