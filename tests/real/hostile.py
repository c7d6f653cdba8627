"""A caller whose every byte is ours, over plain UDP (RFC 3261, 4566, 4733), and what must hold after any of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sqlite3
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from hotline.trial import Trial

ANSWER_LIMIT = 60.0
"""Seconds until a request has its final answer."""

KEYS = "0123456789*#ABCD"


class RawCarrier(asyncio.DatagramProtocol):
    """The far end of a trunk: one UDP port for all its calls."""

    def __init__(self, port: int, to: tuple[str, int]) -> None:
        self.port, self.to = port, to
        self.calls: dict[str, RawCaller] = {}
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = re.search(rb"(?im)^Call-ID:\s*(\S+)", data)
        call = self.calls.get(found[1].decode()) if found else None
        if call is not None:
            call.take(data)

    def send(self, data: bytes) -> None:
        """One datagram, as it is."""
        self._transport.sendto(data, self.to)

    def caller(self, from_: bytes, to: bytes, *, more: bytes = b"", sdp: bytes | None = None) -> RawCaller:
        """A caller with this From header (without its tag); nothing is sent yet."""
        call = RawCaller(self, from_, to, more, sdp)
        self.calls[call.call_id] = call
        return call


@asynccontextmanager
async def raw_carrier(port: int, to: tuple[str, int]) -> AsyncIterator[RawCarrier]:
    """Open the port."""
    loop = asyncio.get_running_loop()
    transport, carrier = await loop.create_datagram_endpoint(
        lambda: RawCarrier(port, to), local_addr=("127.0.0.1", port)
    )
    try:
        yield carrier
    finally:
        for call in carrier.calls.values():
            call.rtp.close()
        transport.close()


class RawCaller:
    """One call. ``status`` is the last final answer to its INVITE."""

    def __init__(self, carrier: RawCarrier, from_: bytes, to: bytes, more: bytes, sdp: bytes | None) -> None:
        self.call_id = f"raw-{os.urandom(6).hex()}"
        self.carrier, self.to, self.more = carrier, to, more
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.setblocking(False)
        self._from = from_ + b";tag=" + os.urandom(4).hex().encode()
        self._sdp = self.offer() if sdp is None else sdp
        self._branch = f"z9hG4bK{os.urandom(6).hex()}"
        self._cseq = 1
        self._invite = 1
        self._remote_tag = b""
        self._target = b"sip:" + to + b"@127.0.0.1"
        self._media = 0
        self._sequence, self._stamp = 1, 160
        self._done: dict[tuple[bytes, int], asyncio.Future[int]] = {}
        self.gone = asyncio.Event()
        """The hotline has sent BYE."""
        self.acknowledges = True

    # --- signalling

    def offer(self, mode: bytes = b"sendrecv") -> bytes:
        """An SDP offer: A-law and telephone-event."""
        port = self.rtp.getsockname()[1]
        return (
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 101\r\n"
            b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=%s\r\n" % (port, mode)
        )

    def request(self, method: bytes, cseq: int, branch: str, body: bytes = b"", uri: bytes = b"") -> bytes:
        """The text of a request."""
        tag = b";tag=" + self._remote_tag if self._remote_tag and method != b"CANCEL" else b""
        kind = b"Content-Type: application/sdp\r\n" if body else b""
        port = self.carrier.port
        return (
            b"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=%s\r\nFrom: %s\r\nTo: <sip:%s@127.0.0.1>%s\r\n"
            b"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:raw@127.0.0.1:%d>\r\nMax-Forwards: 70\r\n%s%s"
            b"Content-Length: %d\r\n\r\n%s"
            % (
                method, uri or self._target, port, branch.encode(), self._from, self.to, tag, self.call_id.encode(),
                cseq, method, port, self.more if method == b"INVITE" else b"", kind, len(body), body,
            )
        )  # fmt: skip

    def addressed_to(self, user: bytes) -> None:
        """Put another user into the request's address than into To, before dialling."""
        self._target = b"sip:" + user + b"@127.0.0.1"

    def invite(self) -> asyncio.Future[int]:
        """Dial; the future is the final status."""
        future = self._expect(b"INVITE", self._cseq)
        self.carrier.send(self.request(b"INVITE", self._cseq, self._branch, self._sdp))
        return future

    def again(self, mode: bytes = b"sendrecv") -> asyncio.Future[int]:
        """A re-INVITE."""
        self._cseq += 1
        self._invite, self._branch = self._cseq, f"z9hG4bK{os.urandom(6).hex()}"
        future = self._expect(b"INVITE", self._cseq)
        self.carrier.send(self.request(b"INVITE", self._cseq, self._branch, self.offer(mode)))
        return future

    def cancel(self) -> None:
        """CANCEL, which Asterisk answers for itself."""
        self.carrier.send(self.request(b"CANCEL", self._invite, self._branch))

    def bye(self) -> asyncio.Future[int]:
        """Hang up; the future is the answer's status."""
        self._cseq += 1
        future = self._expect(b"BYE", self._cseq)
        self.carrier.send(self.request(b"BYE", self._cseq, f"z9hG4bK{os.urandom(6).hex()}"))
        return future

    def _expect(self, method: bytes, cseq: int) -> asyncio.Future[int]:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._done[method, cseq] = future
        return future

    async def dial(self) -> int:
        """Dial; returns the final status."""
        async with asyncio.timeout(ANSWER_LIMIT):
            return await self.invite()

    async def hang_up(self) -> int:
        """BYE; returns the status."""
        async with asyncio.timeout(ANSWER_LIMIT):
            return await self.bye()

    def take(self, data: bytes) -> None:
        """A datagram of this call."""
        head, _, body = data.partition(b"\r\n\r\n")
        number, method = re.findall(rb"(?im)^CSeq:\s*(\d+)\s+(\w+)", head)[0]
        if not head.startswith(b"SIP/2.0 "):
            if method != b"ACK":
                self._answer(head)
            if method == b"BYE":
                self.gone.set()
            return
        status = int(head[8:11])
        if status < 200:
            return
        tag = re.search(rb"(?im)^To:.*;tag=([^;\s]+)", head)
        if method == b"INVITE":
            if tag:
                self._remote_tag = tag[1]
            if contact := re.search(rb"(?im)^Contact:\s*<([^>]+)>", head):
                self._target = contact[1]
            if media := re.search(rb"m=audio (\d+)", body):
                self._media = int(media[1])
            if self.acknowledges:
                # The ACK of a refusal belongs to the INVITE's own transaction (RFC 3261 17.1.1.3).
                branch = f"z9hG4bK{os.urandom(6).hex()}" if status < 300 else self._branch
                self.carrier.send(self.request(b"ACK", int(number), branch))
        future = self._done.get((method, int(number)))
        if future is not None and not future.done():
            future.set_result(status)

    def _answer(self, head: bytes) -> None:
        lines = [line for line in head.split(b"\r\n") if re.match(rb"(?i)(Via|From|To|Call-ID|CSeq):", line)]
        self.carrier.send(b"\r\n".join([b"SIP/2.0 200 OK", *lines, b"Content-Length: 0", b"", b""]))

    # --- media

    def send_rtp(self, payload: bytes, kind: int = 8, *, marker: bool = False) -> None:
        """One RTP packet."""
        second = kind | (0x80 if marker else 0)
        head = struct.pack("!BBHII", 0x80, second, self._sequence & 0xFFFF, self._stamp, 0xABCD)
        self._sequence += 1
        self.rtp.sendto(head + payload, ("127.0.0.1", self._media))

    def press(self, keys: str) -> None:
        """Keys as fast as the network takes them: begin, middle and three ends of each, 100 ms long by their stamps."""
        for key in keys:
            code = KEYS.index(key)
            self.send_rtp(struct.pack("!BBH", code, 10, 160), 101, marker=True)
            self.send_rtp(struct.pack("!BBH", code, 10, 480), 101)
            for _ in range(3):
                self.send_rtp(struct.pack("!BBH", code, 0x80 | 10, 800), 101)
            self._stamp += 1600


FAULTS = ("Traceback", "a fault in this call", "could not be", "never ended", "was never reported", "ALARM")
"""What the log must not hold after callers, however they were."""


def calls_in_journal(hotline: Trial) -> tuple[set[str], Counter[str]]:
    """The calls that arrived, and how many outcomes each has."""
    with sqlite3.connect(f"file:{hotline.store}?mode=ro", uri=True) as store:
        rows = store.execute(
            "select stream_id, kind from event where stream = 'call' and kind in ('arrived', 'ended')"
        ).fetchall()
    return {call for call, kind in rows if kind == "arrived"}, Counter(call for call, kind in rows if kind == "ended")


async def healthy(hotline: Trial, *allowed: str) -> None:
    """Nothing is left in Asterisk, the daemon serves, every call has one outcome, the log holds no fault."""
    await hotline.nothing_left()
    async with asyncio.timeout(90):
        while (status := await hotline.status()).get("calls") != 0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert status["ready"] and not status["degraded"], status
    async with asyncio.timeout(90):
        while True:
            arrived, ended = calls_in_journal(hotline)
            if arrived == set(ended):
                break
            await asyncio.sleep(0.05)
    assert set(ended.values()) <= {1}, ended
    log = hotline.log.read_text(encoding="utf-8", errors="strict")
    found = [line for line in log.splitlines() if any(word in line for word in FAULTS if word not in allowed)]
    assert not found, "\n".join(found[:20])


class Wire:
    """A TCP proxy on loopback that can be cut, or left in silence with its connections up."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._joined: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        """By the near half, the far one."""
        self._halved: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def restore(self) -> None:
        """Listen (again)."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and take no new one, until :meth:`restore`."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def half_open(self) -> None:
        """Break the far halves of all connections; the near halves stay, and what they send is lost (a peer whose
        machine lost its power). New connections are good."""
        for near, far in self._joined.items():
            self._halved.add(near)
            far.transport.abort()

    def freeze(self, on: bool) -> None:
        """Let nothing through, either way, while the connections stay."""
        if on:
            self._flows.clear()
        else:
            self._flows.set()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(far_writer)
        self._joined[writer] = far_writer
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            del self._joined[writer]
            self._halved.discard(writer)
            for each in (writer, far_writer):
                each.close()
                self._writers.discard(each)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                if writer.transport.is_closing():
                    continue  # half open: lost
                writer.write(data)
                await writer.drain()
        if writer not in self._halved:
            writer.close()
