"""SIP of our own over UDP (RFC 3261): callers of a carrier and agents' phones, light enough for a crowd.

Unlike a second Asterisk they can do what no good phone does, and they keep their own log of what they saw, by which
the hotline's log is judged. Requests are sent again like any phone's (timers A and E), since Asterisk may be frozen.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from typing import cast

from tests.chaos.message import Address, Message
from tests.chaos.mouths import EVENT, Mouth, Mouths

T1, T2 = 0.5, 4.0
GIVE_UP = 16.0
"""Seconds after which a request that nobody answers is given up."""


class Peer(asyncio.DatagramProtocol):
    """One UDP port with its dialogs. ``on_invite`` gets what begins a new one."""

    def __init__(self, to: Address, mouths: Mouths) -> None:
        self.to, self.mouths = to, mouths
        self.port = 0
        self.dialogs: dict[bytes, Dialog] = {}
        self.on_invite: Callable[[Message], None] = lambda message: None
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def open(cls, to: Address, mouths: Mouths, port: int = 0) -> Peer:
        """Bind the port (0: any)."""
        _transport, peer = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(to, mouths), local_addr=("127.0.0.1", port)
        )
        return peer

    def close(self) -> None:
        for dialog in list(self.dialogs.values()):
            dialog.over()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there at the moment: the request is sent again."""

    def datagram_received(self, data: bytes, addr: Address) -> None:
        message = Message.of(data)
        dialog = self.dialogs.get(message.get(b"Call-ID"))
        if dialog is not None:
            dialog.take(message)
        elif message.status:
            pass
        elif message.method == b"INVITE":
            self.on_invite(message)
        elif message.method != b"ACK":
            # A BYE of a dialog that is over here, or an OPTIONS.
            self.answer(message, b"481 Gone" if message.method in (b"BYE", b"CANCEL") else b"200 OK")

    def send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, self.to)

    def answer(
        self, request: Message, status: bytes, *, tag: bytes = b"", body: bytes = b"", more: bytes = b""
    ) -> None:
        """Answer a request."""
        lines = request.all(b"Via") + request.all(b"From") + request.all(b"Call-ID") + request.all(b"CSeq")
        to = request.all(b"To")[0]
        if tag and b";tag=" not in to:
            to += b";tag=" + tag
        kind = b"Content-Type: application/sdp\r\n" if body else b""
        head = b"\r\n".join([b"SIP/2.0 " + status, *lines, to])
        self.send(head + b"\r\n" + more + kind + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    @property
    def sdp(self) -> bytes:
        """A-law and telephone-event, at the mouths' port."""
        return (
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 %d\r\n"
            b"a=rtpmap:8 PCMA/8000\r\na=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-16\r\na=sendrecv\r\n"
            % (self.mouths.port, EVENT, EVENT, EVENT)
        )


class Dialog:
    """What caller and phone have in common. ``ended_by``: ``us``, ``hotline`` or ``nobody`` (it never answered)."""

    def __init__(self, peer: Peer, call_id: bytes) -> None:
        self.peer, self.call_id = peer, call_id
        self.mouth: Mouth = peer.mouths.open()
        self.answered_at = 0.0
        self.ended_at = 0.0
        self.ended_by = ""
        self.answered, self.ended = asyncio.Event(), asyncio.Event()
        self._tag = os.urandom(4).hex().encode()
        self._cseq = 0
        self._local = self._remote = self._target = b""
        self._waiting: dict[tuple[int, bytes], asyncio.Future[Message]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        peer.dialogs[call_id] = self

    def request(
        self, method: bytes, cseq: int, branch: bytes, *, uri: bytes = b"", body: bytes = b"", more: bytes = b""
    ) -> bytes:
        kind = b"Content-Type: application/sdp\r\n" if body else b""
        return (
            b"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=%s;rport\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
            b"CSeq: %d %s\r\nContact: <sip:crowd@127.0.0.1:%d>\r\nMax-Forwards: 70\r\n%s%sContent-Length: %d\r\n\r\n%s"
            % (
                method, uri or self._target, self.peer.port, branch, self._local, self._remote, self.call_id,
                cseq, method, self.peer.port, more, kind, len(body), body,
            )
        )  # fmt: skip

    async def ask(self, method: bytes, cseq: int, data: bytes) -> Message | None:
        """Send a request, again and again until its final answer; None when nobody answers."""
        loop = asyncio.get_running_loop()
        done = self._waiting[cseq, method] = loop.create_future()
        until, wait = loop.time() + GIVE_UP, T1
        try:
            while loop.time() < until:
                self.peer.send(data)
                try:
                    return await asyncio.wait_for(asyncio.shield(done), wait)
                except TimeoutError:
                    wait = min(2 * wait, T2)
            return None
        finally:
            self._waiting.pop((cseq, method), None)

    def take(self, message: Message) -> None:
        """A message of this dialog."""
        if message.status:
            self.heard(message)
            done = self._waiting.get(message.cseq)
            if done is not None and message.status >= 200 and not done.done():
                done.set_result(message)
        elif message.method == b"BYE":
            self.peer.answer(message, b"200 OK")
            self.over("hotline")
        elif message.method == b"INVITE":
            self.invited(message)
        elif message.method == b"ACK":
            self.acknowledged()
        elif message.method == b"CANCEL":
            self.cancelled(message)
        else:
            self.peer.answer(message, b"200 OK", tag=self._tag)

    def heard(self, answer: Message) -> None:
        """An answer, provisional ones too."""

    def invited(self, message: Message) -> None:
        """An INVITE inside the dialog."""
        self.peer.answer(message, b"200 OK", tag=self._tag, body=self.peer.sdp, more=self._contact())

    def acknowledged(self) -> None:
        """ACK."""

    def cancelled(self, message: Message) -> None:
        """CANCEL."""
        self.peer.answer(message, b"200 OK", tag=self._tag)

    def _contact(self) -> bytes:
        return b"Contact: <sip:crowd@127.0.0.1:%d>\r\n" % self.peer.port

    def hang_up(self) -> None:
        """BYE at this very instant; it is sent again in the background until it is answered."""
        if self.ended.is_set():
            return
        self.over("us", keep=True)
        self._cseq += 1
        bye = self.request(b"BYE", self._cseq, _branch())
        self.spawn(self._bye(self._cseq, bye))

    async def _bye(self, cseq: int, bye: bytes) -> None:
        await self.ask(b"BYE", cseq, bye)
        self.peer.dialogs.pop(self.call_id, None)

    def spawn(self, course: object) -> None:
        task: asyncio.Task[object] = asyncio.ensure_future(course)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def over(self, by: str = "nobody", *, keep: bool = False) -> None:
        """The dialog is over; ``keep`` it for the answers that are still to come."""
        self.peer.mouths.close(self.mouth)
        if not self.ended.is_set():
            self.ended_by = by
            self.ended_at = asyncio.get_running_loop().time()
            self.ended.set()
        if not keep:
            self.peer.dialogs.pop(self.call_id, None)


def _branch() -> bytes:
    return b"z9hG4bK" + os.urandom(6).hex().encode()


class Caller(Dialog):
    """One who calls. ``status`` is the final answer to the INVITE, 0 for none."""

    def __init__(self, peer: Peer, number: str, did: str, *, from_: bytes = b"", more: bytes = b"") -> None:
        super().__init__(peer, b"crowd-" + os.urandom(8).hex().encode())
        self.number = number
        self.status = 0
        self.cancelled_at = 0.0
        self.tag = b""
        self.others: list[bytes] = []
        """Tags of further dialogs of the same INVITE: an exchange so busy that it met the INVITE's repetition first."""
        self._local = (from_ or b"<sip:%s@127.0.0.1>" % number.encode()) + b";tag=" + self._tag
        self._remote = b"<sip:%s@127.0.0.1>" % did.encode()
        self._target = b"sip:%s@127.0.0.1" % did.encode()
        self._first, self._more = self._target, more
        self._branch = _branch()
        self._acked = b""

    async def dial(self) -> bool:
        """Dial; returns whether it was answered."""
        self._cseq = 1
        invite = self.request(b"INVITE", 1, self._branch, body=self.peer.sdp, more=self._more)
        answer = await self.ask(b"INVITE", 1, invite)
        if answer is None or answer.status >= 300:
            self.over("nobody" if answer is None else "hotline")
        return bool(self.answered_at)

    def cancel(self) -> None:
        """CANCEL, sent again until it is answered; an answer that was quicker is hung up at once."""
        self.cancelled_at = asyncio.get_running_loop().time()
        self.spawn(self.ask(b"CANCEL", 1, self.request(b"CANCEL", 1, self._branch, uri=self._first)))

    def heard(self, answer: Message) -> None:
        if answer.method != b"INVITE" or answer.status < 200:
            return
        if answer.status >= 300:
            self.status = self.status or answer.status
            self.peer.send(self._ack(answer, self._branch, self._first))
            return
        mine = self._remote, self._target
        self._remote = answer.all(b"To")[0].partition(b":")[2].strip()
        contact = re.search(rb"<([^>]+)>", answer.get(b"Contact"))
        self._target = contact[1] if contact else self._first
        self.peer.send(self._ack(answer, _branch(), self._target))
        tag = self._remote.rpartition(b";tag=")[2]
        if self.answered_at:
            if tag != self.tag and tag not in self.others:
                self._end_other(tag)
            self._remote, self._target = mine
            return
        self.tag = tag
        self.status, self.answered_at = answer.status, asyncio.get_running_loop().time()
        self.mouth.far = answer.audio
        self.answered.set()
        if self.cancelled_at or self.ended.is_set():
            if self.ended.is_set():  # it gave up, and is answered after all
                self.ended.clear()
            self.hang_up()

    def _end_other(self, tag: bytes) -> None:
        self.others.append(tag)
        self.spawn(self.ask(b"BYE", 50 + len(self.others), self.request(b"BYE", 50 + len(self.others), _branch())))

    def _ack(self, answer: Message, branch: bytes, uri: bytes) -> bytes:
        remote, self._remote = self._remote, answer.all(b"To")[0].partition(b":")[2].strip()
        try:
            return self.request(b"ACK", answer.cseq[0], branch, uri=uri)
        finally:
            self._remote = remote


class Ring(Dialog):
    """A call that rings at a phone, and the talk once it is answered."""

    def __init__(self, peer: Peer, invite: Message) -> None:
        super().__init__(peer, invite.get(b"Call-ID"))
        self.invite = invite
        self.caller_number = (re.search(rb"sip:([^@>;]*)", invite.get(b"From")) or [b"", b""])[1].decode()
        self.mouth.far = invite.audio
        self.mouth.quiet = True
        self._local = invite.all(b"To")[0].partition(b":")[2].strip() + b";tag=" + self._tag
        self._remote = invite.all(b"From")[0].partition(b":")[2].strip()
        contact = re.search(rb"<([^>]+)>", invite.get(b"Contact"))
        self._target = contact[1] if contact else b""
        self._acked = asyncio.Event()
        self._final = False

    def ring(self) -> None:
        """180."""
        self.peer.answer(self.invite, b"180 Ringing", tag=self._tag, more=self._contact())

    def answer(self) -> bool:
        """200, again until it is acknowledged; false when the ring is over."""
        if self._final or self.ended.is_set():
            return False
        self._final = True
        self.answered_at = asyncio.get_running_loop().time()
        self.mouth.quiet = False
        self.answered.set()
        self.spawn(self._until_acked(b"200 OK", self.peer.sdp))
        return True

    def reject(self, code: int) -> None:
        """Refuse."""
        if not self._final:
            self._final = True
            self.over("us", keep=True)
            self.spawn(self._until_acked(b"%d No" % code, b""))

    async def _until_acked(self, status: bytes, body: bytes) -> None:
        loop = asyncio.get_running_loop()
        until, wait = loop.time() + GIVE_UP, T1
        while not self._acked.is_set() and loop.time() < until:
            self.peer.answer(self.invite, status, tag=self._tag, body=body, more=self._contact())
            try:
                await asyncio.wait_for(self._acked.wait(), wait)
            except TimeoutError:
                wait = min(2 * wait, T2)
        if not body:
            self.peer.dialogs.pop(self.call_id, None)
        elif not self._acked.is_set():
            self.over()

    def acknowledged(self) -> None:
        self._acked.set()

    def invited(self, message: Message) -> None:
        if message.cseq == self.invite.cseq:  # the same again
            return
        super().invited(message)

    def cancelled(self, message: Message) -> None:
        super().cancelled(message)
        if not self._final:
            self._final = True
            self.over("hotline", keep=True)
            self.spawn(self._until_acked(b"487 Request Terminated", b""))


class Phone:
    """An agent's phone at a shared port, known by the user part of its contact."""

    def __init__(self, peer: Peer, account: str, password: str) -> None:
        self.peer, self.account, self._password = peer, account, password
        self.rings: list[Ring] = []
        self.registered = False
        self._dialog = b"reg-" + os.urandom(6).hex().encode()
        self._tag = os.urandom(4).hex().encode()
        self._cseq = 0
        self._answers: dict[tuple[int, bytes], asyncio.Future[Message]] = {}
        peer.dialogs[self._dialog] = self  # type: ignore[assignment]

    def take(self, message: Message) -> None:
        done = self._answers.get(message.cseq) if message.status else None
        if done is not None and message.status >= 200 and not done.done():
            done.set_result(message)

    def over(self) -> None:
        """The port closes."""

    async def register(self, expires: int = 120) -> bool:
        """Register for so many seconds (0: no more); returns whether the hotline took it."""
        answer = await self._register(expires, b"")
        if answer is not None and answer.status == 401:
            answer = await self._register(expires, self._proof(answer.get(b"WWW-Authenticate")))
        ok = answer is not None and answer.status == 200
        if ok:
            self.registered = expires > 0
        return ok

    async def _register(self, expires: int, proof: bytes) -> Message | None:
        self._cseq += 1
        cseq, (host, port) = self._cseq, self.peer.to
        uri = b"sip:%s:%d" % (host.encode(), port)
        me = b"<sip:%s@%s>" % (self.account.encode(), host.encode())
        data = (
            b"REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=%s;rport\r\nFrom: %s;tag=%s\r\nTo: %s\r\n"
            b"Call-ID: %s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@127.0.0.1:%d>\r\nExpires: %d\r\nMax-Forwards: 70\r\n"
            b"%sContent-Length: 0\r\n\r\n"
            % (
                uri, self.peer.port, _branch(), me, self._tag, me, self._dialog, cseq, self.account.encode(),
                self.peer.port, expires, proof,
            )
        )  # fmt: skip
        done = self._answers[cseq, b"REGISTER"] = asyncio.get_running_loop().create_future()
        try:
            for wait in (T1, 2 * T1, 4 * T1):
                self.peer.send(data)
                try:
                    return await asyncio.wait_for(asyncio.shield(done), wait)
                except TimeoutError:
                    pass
            return None
        finally:
            del self._answers[cseq, b"REGISTER"]

    def _proof(self, challenge: bytes) -> bytes:
        """RFC 2617 with qop=auth."""
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.decode()))
        host, port = self.peer.to
        uri, realm, nonce, cnonce = f"sip:{host}:{port}", given["realm"], given["nonce"], os.urandom(4).hex()

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        secret = md5(f"{self.account}:{realm}:{self._password}")
        response = md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{md5(f'REGISTER:{uri}')}")
        opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
        return (
            f'Authorization: Digest username="{self.account}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"{opaque}\r\n'
        ).encode()
