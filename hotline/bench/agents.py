"""The agents' phones of the bench: SIP user agents that register, ring, answer, and hang up after a stated time.

All share one UDP socket. Their sound is :mod:`hotline.bench.sound`'s, at the port in their session description.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

REGISTER_LIMIT = 30.0
"""Seconds for all phones to be registered."""

AT_ONCE = 40
"""Registrations under way at the same time: Asterisk's own queue of them is bounded."""

RESEND = 0.5
"""Seconds after which a 200 that was not acknowledged is sent again (RFC 3261, T1)."""

RESENDS = 8

_BODY = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)


@dataclass(slots=True)
class Dialog:
    """One INVITE and what came of it."""

    agent: str
    invite: str
    tag: str
    remote: str
    peer: tuple[str, int]
    answer: bytes = b""
    up_at: float = 0.0
    over: bool = False
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Agents(asyncio.DatagramProtocol):
    """The phones of ``passwords`` (by account). They answer ``ring`` seconds after the INVITE, and hang up ``talk``
    seconds after the ACK (None: never).
    """

    def __init__(
        self, passwords: Mapping[str, str], server: tuple[str, int], sound: int, *, ring: float, talk: float | None
    ) -> None:
        self._passwords, self._server, self._sound = passwords, server, sound
        self._ring, self._talk = ring, talk
        self._dialogs: dict[str, Dialog] = {}
        self._registering: dict[str, asyncio.Future[str]] = {}
        self._free_since: dict[str, float] = {}
        self._transport: asyncio.DatagramTransport
        self._port = 0
        self._tags = 0
        self.quiet = asyncio.Event()
        """Set while no talk is on."""
        self.quiet.set()
        self.rings: list[tuple[float, str]] = []
        """Every INVITE: loop time and account."""
        self.talks: list[tuple[float, float]] = []
        """Calls that were answered, acknowledged and ended: loop times of beginning and end."""
        self.free_to_ring: list[float] = []
        """Seconds from an agent's own BYE to the next INVITE at the same agent."""

    @property
    def talking(self) -> int:
        """Talks that are on now."""
        return sum(1 for dialog in self._dialogs.values() if dialog.up_at and not dialog.over)

    async def open(self) -> None:
        """Bind, and register every phone. Raises TimeoutError, and ConnectionError for one that is refused."""
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        own.bind(("127.0.0.1", 0))
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        self._transport, _self = await loop.create_datagram_endpoint(lambda: self, sock=own)
        self._port = own.getsockname()[1]
        turn = asyncio.Semaphore(AT_ONCE)

        async def register(account: str) -> None:
            async with turn:
                await self._register(account)

        async with asyncio.timeout(REGISTER_LIMIT), asyncio.TaskGroup() as tasks:
            for account in self._passwords:
                tasks.create_task(register(account))

    def close(self) -> None:
        """Say nothing more."""
        for dialog in self._dialogs.values():
            for timer in dialog.timers:
                timer.cancel()
        self._transport.close()

    async def _register(self, account: str) -> None:
        server = f"{self._server[0]}:{self._server[1]}"
        authorization = ""
        for number in (1, 2):
            answer = asyncio.get_running_loop().create_future()
            self._registering[account] = answer
            message = (
                f"REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};"
                f"branch=z9hG4bKr{account}{number}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:{account}@{server}>;tag=r{account}\r\n"
                f"To: <sip:{account}@{server}>\r\nCall-ID: register-{account}\r\nCSeq: {number} REGISTER\r\n"
                f"Contact: <sip:{account}@127.0.0.1:{self._port}>\r\nExpires: 600\r\n{authorization}"
                "Content-Length: 0\r\n\r\n"
            )
            said = ""
            for _try in range(6):
                self._transport.sendto(message.encode(), self._server)
                try:
                    async with asyncio.timeout(RESEND * 4):
                        said = await asyncio.shield(answer)
                    break
                except TimeoutError:
                    continue
            if said.startswith("SIP/2.0 200"):
                return
            if not said.startswith("SIP/2.0 401") or number == 2:
                raise ConnectionError(f"phone {account} is refused: {said.splitlines()[0] if said else 'no answer'}")
            authorization = self._authorization(account, server, said)

    def _authorization(self, account: str, server: str, challenge: str) -> str:
        """RFC 2617, MD5 with qop=auth."""
        asked = _header(challenge, "WWW-Authenticate")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', asked))

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        one = md5(f"{account}:{fields['realm']}:{self._passwords[account]}")
        two = md5(f"REGISTER:sip:{server}")
        response = md5(f"{one}:{fields['nonce']}:00000001:bench:auth:{two}")
        opaque = f', opaque="{fields["opaque"]}"' if "opaque" in fields else ""
        return (
            f'Authorization: Digest username="{account}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
            f'uri="sip:{server}", response="{response}", algorithm=MD5, cnonce="bench", qop=auth, nc=00000001{opaque}'
            "\r\n"
        )

    # --- what comes -----------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One SIP message."""
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        call_id = _header(text, "Call-ID")
        if first.startswith("SIP/2.0"):
            self._response(text, first, call_id)
            return
        method = first.partition(" ")[0]
        dialog = self._dialogs.get(call_id)
        match method:
            case "INVITE" if dialog is None:
                self._invited(text, first, call_id, addr)
            case "INVITE" if dialog is not None:
                self._send(dialog.answer or self._reply(dialog.invite, "180 Ringing", dialog.tag), addr)
            case "ACK" if dialog is not None and not dialog.up_at and not dialog.over:
                dialog.up_at = time.monotonic()
                self.quiet.clear()
                self._stop(dialog)
                if self._talk is not None:
                    self._later(dialog, self._talk, lambda: self._hang_up(call_id))
            case "ACK":
                pass
            case "BYE" if dialog is not None:
                self._send(self._reply(text, "200 OK", dialog.tag), addr)
                self._end(call_id)
            case "CANCEL" if dialog is not None:
                self._send(self._reply(text, "200 OK", dialog.tag), addr)
                if not dialog.up_at:
                    dialog.answer = self._reply(dialog.invite, "487 Request Terminated", dialog.tag)
                    self._send(dialog.answer, addr)
                    self._end(call_id)
            case "OPTIONS":
                self._send(self._reply(text, "200 OK", "options"), addr)
            case _:
                self._send(self._reply(text, "481 No such call", "none"), addr)

    def _response(self, text: str, first: str, call_id: str) -> None:
        if call_id.startswith("register-"):
            answer = self._registering.get(call_id.removeprefix("register-"))
            if answer is not None and not answer.done() and not first.startswith("SIP/2.0 1"):
                answer.set_result(text)
        elif (dialog := self._dialogs.get(call_id)) is not None:  # to our BYE
            self._stop(dialog)
            del self._dialogs[call_id]

    def _invited(self, text: str, first: str, call_id: str, addr: tuple[str, int]) -> None:
        now = time.monotonic()
        found = re.match(r"INVITE sip:([^@;>]+)@", first)
        agent = found[1] if found else "?"
        self.rings.append((now, agent))
        freed = self._free_since.pop(agent, None)
        if freed is not None:
            self.free_to_ring.append(now - freed)
        self._tags += 1
        contact = re.search(r"<([^>]+)>", _header(text, "Contact"))
        dialog = Dialog(agent, text, f"a{self._tags}", contact[1] if contact else "", addr)
        self._dialogs[call_id] = dialog
        self._send(self._reply(text, "180 Ringing", dialog.tag), addr)
        self._later(dialog, self._ring, lambda: self._answer(dialog))

    def _answer(self, dialog: Dialog) -> None:
        body = _BODY.format(port=self._sound)
        dialog.answer = self._reply(dialog.invite, "200 OK", dialog.tag, body)
        self._send_again(dialog, dialog.answer)

    def _hang_up(self, call_id: str) -> None:
        dialog = self._dialogs[call_id]
        self.talks.append((dialog.up_at, time.monotonic()))
        self._free_since[dialog.agent] = time.monotonic()
        self._over(dialog)
        own, remote = _header(dialog.invite, "To"), _header(dialog.invite, "From")
        self._send_again(dialog, (
            f"BYE {dialog.remote} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bKb{dialog.tag}\r\n"
            f"Max-Forwards: 70\r\nFrom: {own};tag={dialog.tag}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\n"
            "CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        ).encode())  # fmt: skip

    def _end(self, call_id: str) -> None:
        dialog = self._dialogs.pop(call_id)
        if dialog.up_at and not dialog.over:
            self.talks.append((dialog.up_at, time.monotonic()))
        self._over(dialog)
        self._stop(dialog)

    def _over(self, dialog: Dialog) -> None:
        dialog.over = True
        if not self.talking:
            self.quiet.set()

    # --- sending --------------------------------------------------------------------------------------------------

    def _reply(self, request: str, status: str, tag: str, body: str = "") -> bytes:
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {via}" for via in _headers(request, "Via")]
        lines += [f"Record-Route: {route}" for route in _headers(request, "Record-Route")]
        to = _header(request, "To")
        lines += [
            f"From: {_header(request, 'From')}",
            f"To: {to}" if ";tag=" in to else f"To: {to};tag={tag}",
            f"Call-ID: {_header(request, 'Call-ID')}",
            f"CSeq: {_header(request, 'CSeq')}",
            f"Contact: <sip:agent@127.0.0.1:{self._port}>",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _send(self, message: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(message, addr)

    def _send_again(self, dialog: Dialog, message: bytes, times: int = RESENDS) -> None:
        self._send(message, dialog.peer)
        if times:
            self._later(dialog, RESEND, lambda: self._send_again(dialog, message, times - 1))

    def _later(self, dialog: Dialog, seconds: float, what: object) -> None:
        assert callable(what)
        dialog.timers.append(asyncio.get_running_loop().call_later(seconds, what))

    @staticmethod
    def _stop(dialog: Dialog) -> None:
        for timer in dialog.timers:
            timer.cancel()
        dialog.timers.clear()


def _headers(message: str, name: str) -> list[str]:
    return re.findall(rf"^{name}: *(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)


def _header(message: str, name: str) -> str:
    return next(iter(_headers(message, name)), "")
