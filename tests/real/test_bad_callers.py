"""Callers who mean harm, or whose networks do: every call has one outcome, nothing is left, the daemon serves on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from calllog import queries
from calllog.folds import CallState
from hotline.control import ask
from hotline.outside.ports import free_ports
from hotline.trial import Trial, trial
from hotline.trial_config import REPOSITORY
from tests.real.conftest import profile
from tests.real.hostile import KEYS, RawCaller, RawCarrier, calls_in_journal, healthy, raw_carrier
from tests.real.verbs import asks, connected, either, recorded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
DID = b"4001234567"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """A hotline with a second trunk, whose carrier is ours byte by byte."""
    carrier, raw = free_ports(2)
    trunks = [
        {"name": "carrier", "addresses": [f"127.0.0.1:{carrier}"]},
        {"name": "raw", "addresses": [f"127.0.0.1:{raw}"]},
    ]
    changes = profile(
        AGENTS, hotline={"trunks": trunks, "times": {"ring": 20}},
        queues={"queues": {"suggestion": {"longest_wait": 2}}},
    )  # fmt: skip
    async with trial(tmp_path_factory.mktemp("trial"), changes) as it:
        for agent in AGENTS:
            await it.handset(agent)
        await it.reachable(*AGENTS)
        yield it


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def raw(hotline: Trial) -> AsyncIterator[RawCarrier]:
    """That carrier."""
    sip = hotline.settings.hotline.asterisk.sip
    port = int(hotline.settings.hotline.trunks[1].addresses[0].rpartition(":")[2])
    async with raw_carrier(port, (sip.bind, sip.port)) as carrier:
        yield carrier


AT = b"@127.0.0.1>"
ODD: tuple[tuple[bytes, str, str], ...] = (
    (b'"Li" <sip:13900000001' + AT, "13900000001", "Li"),
    (b"<sip:127.0.0.1>", "", ""),
    (b'"Anonymous" <sip:anonymous@anonymous.invalid>', "anonymous", "Anonymous"),
    (b'"a\\"b" <sip:13900000002' + AT, "13900000002", 'a\\"b'),
    (b'"=cmd()" <sip:=cmd%28%29' + AT, "=cmd()", "=cmd()"),
    (b'"%s%n%25" <sip:%25s%25n' + AT, "%s%n", "%s%n%25"),
    (b'"' + b"n" * 500 + b'" <sip:13900000003' + AT, "13900000003", "n" * 79),
    (b'"x" <sip:' + b"9" * 500 + AT, "9" * 64, "x"),
    (b'"\xff\xfe\x80" <sip:13900000004' + AT, "13900000004", "\N{REPLACEMENT CHARACTER}" * 3),
    (b'"\xff" <sip:%ff%fe' + AT, "", "\N{REPLACEMENT CHARACTER}"),
    ('"😀👨‍👩‍👧王" <sip:13900000005@127.0.0.1>'.encode(), "13900000005", "😀👨👩👧王"),
    (b'"<b>x</b><script>" <sip:13900000006' + AT, "13900000006", "<b>x</b><script>"),
    (b'"[bold]x[/]" <sip:13900000007' + AT, "13900000007", "[bold]x[/]"),
    (b'"x" <sip:%0d%0aEvil' + AT, "Evil", "x"),
    (b'"x" <sip:a%00b' + AT, "a", "x"),
    (b'"a\x01\x1b[31mb\x07" <sip:13900000008' + AT, "13900000008", "a[31mb"),
    (b'"x" <sip:8001' + AT, "8001", "x"),
    ('"a\u202eb\u2028c" <sip:13900000011@127.0.0.1>'.encode(), "13900000011", "abc"),
    (b'"${SHELL(id)}" <sip:$%7BSHELL(id)%7D' + AT, "${SHELL(id)}", "${SHELL(id)}"),
    (b'"x" <sip:1;2,3' + AT, "1", "x"),
    (b"\"';drop table call;--\" <sip:13900000012" + AT, "13900000012", "';drop table call;--"),
    (b'"x" <tel:+8613900000010>', "+8613900000010", "x"),
)
"""From headers, and the number and name that are kept of them: without control characters, at most 80 characters."""

NO_SIP = (
    b'"a\r\n b" <sip:13900000009' + AT, b'<sip:"@127.0.0.1>', b"garbage", b'"x" <sip:139 000' + AT,
    b'"x" <sip:' + "１３９".encode() + AT, b'"a\r\nX-Evil: 1\r\nb" <sip:1' + AT,
)  # fmt: skip

NOT_OURS = (b"4001234568", b"s", b"h", b"T", b"i", b"%00", b"hotline-away", b"_X.", b"4001234567*", b"9" * 200, b"8001")


async def test_odd_names_and_numbers_are_kept_clean(hotline: Trial, raw: RawCarrier) -> None:
    async def visit(caller: RawCaller) -> None:
        assert await caller.dial() == 200
        await asyncio.sleep(0.5)
        assert await caller.hang_up() == 200

    await asyncio.gather(*(visit(raw.caller(who, DID)) for who, _number, _name in ODD))
    await healthy(hotline)
    calls = [await queries.get_call(hotline.store, row.call_id) for row in await hotline.rows()]
    assert {call.state.outcome for call in calls if call} == {"menu"}
    kept = Counter((call.party.raw, call.party.name) for call in calls if call)
    assert kept == Counter((number, name) for _who, number, name in ODD)


def printed(hotline: Trial, *words: str) -> str:
    command = [sys.executable, "-m", "hotline", *words, "--config", str(hotline.config)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr.decode()
    text = done.stdout.decode()
    odd = [char for char in text if not char.isprintable() and char != "\n"]
    assert odd == [], odd
    return text


async def test_they_are_printed_harmlessly(hotline: Trial) -> None:
    table, sheet, listing = await asyncio.gather(
        *(asyncio.to_thread(printed, hotline, "calls", "--format", form) for form in ("table", "csv", "json"))
    )
    assert "[bold]x[/]" in table and "drop table" in table
    assert not any(cell[:1] in "=+-@" for line in sheet.splitlines() for cell in line.split(",") if "cmd" in cell)
    rows = json.loads(listing)
    assert len(rows) == len(ODD)
    shown = [row["call_id"] for row in rows if {"=cmd()", "[bold]x[/]"} & {str(value) for value in row.values()}]
    assert len(shown) == 2
    await asyncio.gather(*(asyncio.to_thread(printed, hotline, "call", call) for call in shown))


async def test_what_is_no_sip_and_what_is_not_our_number_is_no_call(hotline: Trial, raw: RawCarrier) -> None:
    known, _ended = calls_in_journal(hotline)
    broken = [raw.caller(who, DID).invite() for who in NO_SIP]
    others = [raw.caller(b"<sip:13900000020" + AT, to) for to in NOT_OURS]
    assert set(await asyncio.gather(*(caller.dial() for caller in others))) <= {404, 484}
    assert not any(answer.done() for answer in broken)
    assert calls_in_journal(hotline)[0] == known
    await healthy(hotline)


async def test_invite_then_cancel_at_once(hotline: Trial, raw: RawCarrier) -> None:
    async def visit(n: int) -> int:
        caller = raw.caller(b"<sip:139001%05d" % n + AT, DID)
        answer = caller.invite()
        await asyncio.sleep((n % 8) * 0.015)
        caller.cancel()
        async with asyncio.timeout(90):
            status = await answer
        if status == 200:  # the answer was quicker
            await caller.hang_up()
        return status

    assert set(await asyncio.gather(*(visit(n) for n in range(24)))) <= {200, 487}
    await healthy(hotline)
    outcomes = {row.outcome for row in await hotline.rows() if row.number.startswith(("139001", "+86139001"))}
    assert outcomes <= {"menu"}


async def reach(hotline: Trial, number: str, there: Callable[[CallState], object]) -> None:
    """Return when the journal says so of the newest call from this number, or that it is over: some stages are short,
    and a machine that stalls sees them no more."""
    async with asyncio.timeout(90):
        while (call := await hotline.detail(number)) is None or not (there(call.state) or call.state.ended_at):  # noqa: ASYNC110
            await asyncio.sleep(0.03)


STAGES: dict[str, tuple[str, Callable[[CallState], object], str]] = {
    "greeting": ("", lambda state: state.answered_at, "menu"),
    "notice": ("", lambda state: state.greeted_at, "menu"),
    "menu": ("", lambda state: state.stage == "menu", "menu"),
    "chosen": ("1", lambda state: state.stage == "menu", "menu abandoned"),
    "queue": ("3", lambda state: state.asked, "abandoned"),
    "offer": ("3", lambda state: state.stage in ("offer", "voicemail"), "abandoned"),
    "voicemail": ("3", lambda state: state.stage == "voicemail", "abandoned"),
    "flood": (KEYS * 12 + "1", lambda state: state.asked, "abandoned"),
}
"""Keys pressed, the moment of the hang-up, and the outcomes that may be. All of them send no voice at all."""


async def test_hang_up_in_every_stage_without_an_agent(hotline: Trial, raw: RawCarrier) -> None:
    why = "\udcff\x1b[31m\n午餐"  # as from the bytes of a command line
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="pause", reason=why)
    assert (await hotline.status())["agents"]["8001"]["reason"] == "[31m午餐"

    async def visit(n: int, name: str) -> tuple[str, str]:
        keys, moment, _outcomes = STAGES[name]
        number = f"139002{n:05}"
        caller = raw.caller(b"<sip:%s" % number.encode() + AT, DID)
        assert await caller.dial() == 200
        if name == "chosen":
            await reach(hotline, number, moment)
            caller.press(keys)
        elif keys:
            caller.press(keys)
            await reach(hotline, number, moment)
        else:
            await reach(hotline, number, moment)
        await caller.hang_up()
        return name, (await hotline.ended(number)).state.outcome

    for name, outcome in await asyncio.gather(*(visit(n, name) for n, name in enumerate(STAGES))):
        assert outcome in STAGES[name][2].split(), (name, outcome)
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="ready")
    await healthy(hotline)


async def accepted(caller: RawCaller, mode: bytes = b"sendrecv") -> None:
    """A re-INVITE that is taken; one that crosses another of Asterisk's own is sent again (RFC 3261, 14.1)."""
    async with asyncio.timeout(90):
        while (status := await caller.again(mode)) == 491:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    assert status == 200


async def test_reinvites_in_every_stage_change_nothing(hotline: Trial, raw: RawCarrier) -> None:
    number = "13900300001"
    caller = raw.caller(b"<sip:%s" % number.encode() + AT, DID)
    assert await caller.dial() == 200
    for mode in (b"sendonly", b"sendrecv", b"inactive", b"sendrecv"):
        await accepted(caller, mode)
        await asyncio.sleep(0.1)
    caller.press("1")
    ring = await either(hotline, *AGENTS)
    await accepted(caller)
    await ring.answer()
    await connected(hotline, number)
    for mode in (b"sendonly", b"sendrecv"):
        await accepted(caller, mode)
        await asyncio.sleep(0.2)
    caller.again()  # crosses the BYE
    await caller.hang_up()
    await ring.gone()
    call = await hotline.ended(number)
    kinds = [recorded.event.__struct_config__.tag for recorded in call.events]
    assert call.state.outcome == "answered" and "held" in kinds and "unheld" in kinds
    await healthy(hotline)


@pytest.mark.parametrize("who", ["8001", "%22%3E%0d%0aX-Evil:1"])
async def test_an_agent_is_rung_for_any_caller_and_both_hang_up_at_once(
    hotline: Trial, raw: RawCarrier, who: str
) -> None:
    before, _ended = calls_in_journal(hotline)
    for handset in hotline.world.handsets.values():
        handset.forget()
    caller = raw.caller(b'"\x01<b>" <sip:' + who.encode() + AT, DID)
    assert await caller.dial() == 200
    caller.press("1")
    ring = await either(hotline, *AGENTS)
    assert ring.caller_number == ("8001" if who == "8001" else "anonymous")
    assert "<" not in ring.caller_name
    await ring.answer()
    (call_id,) = calls_in_journal(hotline)[0] - before
    async with asyncio.timeout(90):
        while (call := await queries.get_call(hotline.store, call_id)) is None or call.state.stage != "talk":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.gather(ring.hang_up(), caller.hang_up())
    await healthy(hotline)
    call = await queries.get_call(hotline.store, call_id)
    assert call is not None and call.state.outcome == "answered"


async def test_an_agent_who_hangs_up_at_once_and_one_without_sound(hotline: Trial) -> None:
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    others = [agent for agent in AGENTS if ring not in hotline.world.handsets[agent].history]
    await ring.answer()
    await ring.hang_up()
    # Gone before the two could hear each other: another agent is rung. Gone after: the caller is thanked.
    thanked = asyncio.ensure_future(caller.heard("farewell"))
    rung = asyncio.ensure_future(either(hotline, *others))
    done, rest = await asyncio.wait((thanked, rung), return_when=asyncio.FIRST_COMPLETED)
    if rung in done and not rung.exception():
        second = rung.result()
        await second.answer()
        second.say(tone_hz=660)
        await caller.heard(tone_hz=660)
    for task in rest:
        task.cancel()
    await asyncio.gather(thanked, rung, return_exceptions=True)
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"

    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    ring.send_nothing()
    await ring.answer()
    caller.say(tone_hz=440)
    await recorded(hotline, number, 0.5)
    await ring.heard(tone_hz=440)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert call.state.outcome == "answered" and call.recordings[0].state == "finished"
    await healthy(hotline)


async def test_a_phone_that_unregisters_while_it_rings(hotline: Trial) -> None:
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    phone = next(phone for phone in hotline.world.handsets.values() if ring in phone.history)
    await phone.unregister()
    await ring.answer()  # the ring was under way: the talk stands
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    await caller.hang_up()
    call = await hotline.ended(number)
    assert [talk.agent for talk in call.state.talks if talk.started_at] == [phone.agent]
    await phone.register()
    await hotline.reachable(phone.agent)
    await healthy(hotline)
