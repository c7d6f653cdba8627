"""Callers who mean harm, or whose networks do: every call has one outcome, nothing is left, the daemon serves on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hotline.outside.ports import free_ports
from hotline.trial import REPOSITORY, Trial, trial
from tests.real.conftest import profile
from tests.real.hostile import RawCarrier, calls_in_journal, healthy, raw_carrier

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
    changes = {"trunks": trunks, "times": {"ring": 5}}
    async with trial(tmp_path_factory.mktemp("trial"), profile(AGENTS, hotline=changes)) as it:
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


LONG = b"9" * 500
AT = b"@127.0.0.1>"
ODD: dict[str, tuple[bytes, str | None, str]] = {
    "plain": (b'"Li" <sip:13900000001' + AT, "13900000001", "Li"),
    "no number": (b"<sip:127.0.0.1>", "", ""),
    "anonymous": (b'"Anonymous" <sip:anonymous@anonymous.invalid>', "anonymous", "Anonymous"),
}


async def test_explore(hotline: Trial, raw: RawCarrier) -> None:
    froms = [
        b'"Li" <sip:13900000001' + AT, b"<sip:127.0.0.1>", b'"Anonymous" <sip:anonymous@anonymous.invalid>',
        b'"a\\"b\\\\c" <sip:13900000002' + AT, b'"=cmd()" <sip:=cmd%28%29' + AT, b'"%s%n%25" <sip:%25s%25n' + AT,
        b'"' + b"n" * 500 + b'" <sip:13900000003' + AT, b'"x" <sip:' + LONG + AT, b'"\xff\xfe\x80" <sip:13900000004' + AT,
        b'"\xff" <sip:%ff%fe' + AT, '"😀👨‍👩‍👧王" <sip:13900000005@127.0.0.1>'.encode(), b'"<b>x</b><script>" <sip:13900000006' + AT,
        b'"[bold]x[/]" <sip:13900000007' + AT, b'"x" <sip:%0d%0aEvil' + AT, b'"x" <sip:a%00b' + AT, b'"a\x01\x1b[31mb\x07" <sip:13900000008' + AT,
        b'"a\r\n b" <sip:13900000009' + AT, b'"x" <sip:8001' + AT, b'"x" <tel:+8613900000010>', b'"x" <sips:1' + AT, b'<sip:"@127.0.0.1>',
        '"a\u202eb\u2028c" <sip:13900000011@127.0.0.1>'.encode(), b'"${SHELL(id)}" <sip:$%7BSHELL(id)%7D' + AT, b'"x" <sip:1;2,3' + AT, b"\"';drop table call;--\" <sip:13900000012" + AT,
        b'garbage', b'"x" <sip:139 000' + AT, b'"x" <sip:+' + AT, b'"x" <sip:' + "１３９".encode() + AT,
    ]
    async def one(f: bytes):
        c = raw.caller(f, DID)
        try:
            st = await c.dial()
        except TimeoutError:
            return f, "timeout"
        await asyncio.sleep(0.7)
        if st == 200:
            b = await c.hang_up()
            return f, st, b
        return f, st
    for r in await asyncio.gather(*(one(f) for f in froms)):
        print(r)
    await asyncio.sleep(1)
    for row in await hotline.rows():
        d = await __import__("calllog.queries").queries.get_call(hotline.store, row.call_id)
        print(repr(d.party), d.state.outcome, d.state.reason)
    print(hotline.log.read_text()[-6000:])
    print((hotline.home.log / "messages.log").read_text(errors="backslashreplace")[:3000])
    await healthy(hotline)
