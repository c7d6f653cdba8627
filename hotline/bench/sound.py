"""The sound of all callers and agents: a process of its own that speaks RTP on two UDP ports, and measures what comes.

All callers share one port and all agents another; a stream is told by Asterisk's port. Nobody tells this process of
calls: whoever sends to it gets speech back (as symmetric RTP does behind NAT), a caller's stream sends one key after a
stated time, and a stream is over when Asterisk sends nothing any more. So signalling can be anybody's, SIPp's too.
Packets go and come in batches (sendmmsg, recvmmsg), with the kernel's own time of arrival: hundreds of talks cost a
small part of one core.

A receiver's play-out is modelled (RFC 3550 for the timestamps): a packet counts as heard when it comes within
``JITTER`` of its due time, the earliest packet of the stream being on time. Everything else that the timestamps
promise is a gap.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hotline.outside.g711 import encode, read_sound

PACKET = 160
"""Samples, and bytes of A-law, in 20 ms at 8 kHz."""
TICK = 0.02
"""Seconds between two packets of a stream."""
JITTER = 0.06
"""Seconds that a receiver's jitter buffer waits for a late packet: three packets, as desk phones do."""
QUIET = 0.15
"""Seconds without a packet after which another SSRC is another call: Asterisk gives a freed port out again."""
OVER = 1.0
"""Seconds without a packet after which nothing is sent to a stream any more."""
BATCH = 512
"""Packets taken or sent with one system call."""
KEY_PACKETS = 8
"""An RFC 4733 key: five packets of growing length, and the last one three times."""
EVENT = 101
"""Payload type of keys in the session descriptions of callers and agents."""
SETTLED = 25
"""Packets at the start of a talk that do not count: the path is being built."""
SO_TIMESTAMPNS = 35

Ints = npt.NDArray[np.int64]


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int),
    )  # fmt: skip


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("header", _Msghdr), ("length", ctypes.c_uint))


_libc = ctypes.CDLL(None, use_errno=True)


class Batches:
    """One UDP socket that takes and sends many datagrams with one system call (sendmmsg(2), recvmmsg(2))."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.taken = np.zeros((BATCH, 256), np.uint8)
        self.sent = np.zeros((BATCH, 12 + PACKET), np.uint8)
        self._from = np.zeros((BATCH, 16), np.uint8)
        self._to = np.zeros((BATCH, 16), np.uint8)
        self._to[:, 0] = socket.AF_INET
        self._to[:, 4:8] = (127, 0, 0, 1)
        self._control = np.zeros((BATCH, 8), np.int64)
        self._inward = self._headers(self.taken, self._from, self._control)
        self._outward = self._headers(self.sent, self._to, None)
        inward = np.frombuffer(memoryview(self._inward).cast("B"), np.uint8).reshape(BATCH, ctypes.sizeof(_Mmsghdr))
        # The kernel writes controllen: it must be put back before each call.
        self._controllens = inward[:, 40:48].view(np.int64)[:, 0]
        self._lengths = np.frombuffer(memoryview(self._outward_iov).cast("B"), np.int64).reshape(BATCH, 2)[:, 1]

    def _headers(
        self, buffers: npt.NDArray[np.uint8], names: npt.NDArray[np.uint8], control: Ints | None
    ) -> ctypes.Array[_Mmsghdr]:
        iov = (_Iovec * BATCH)()
        headers = (_Mmsghdr * BATCH)()
        for number in range(BATCH):
            iov[number].base = buffers.ctypes.data + number * buffers.shape[1]
            iov[number].length = buffers.shape[1]
            header = headers[number].header
            header.name, header.namelen = names.ctypes.data + number * 16, 16
            header.iov, header.iovlen = ctypes.addressof(iov) + number * ctypes.sizeof(_Iovec), 1
            if control is not None:
                header.control, header.controllen = control.ctypes.data + number * 64, 64
        self._outward_iov = iov
        self._kept = [*getattr(self, "_kept", []), iov]
        return headers

    def take(self) -> tuple[int, Ints, npt.NDArray[np.float64]]:
        """What has come: how many packets (in ``taken``), the ports they came from, their times (s since 1970)."""
        self._controllens[:] = 64
        count = _libc.recvmmsg(self.socket.fileno(), self._inward, BATCH, 0x40, None)
        if count <= 0:
            return 0, np.zeros(0, np.int64), np.zeros(0)
        ports = self._from[:count, 2].astype(np.int64) * 256 + self._from[:count, 3]
        return count, ports, self._control[:count, 2] + self._control[:count, 3] / 1e9

    def send(self, ports: Ints, lengths: Ints) -> None:
        """Send the first packets of ``sent``, one to each port."""
        count = len(ports)
        self._to[:count, 2] = ports >> 8
        self._to[:count, 3] = ports & 255
        self._lengths[:count] = lengths
        done = 0
        while done < count:
            at = ctypes.byref(self._outward, done * ctypes.sizeof(_Mmsghdr))
            now = _libc.sendmmsg(self.socket.fileno(), at, count - done, 0x40)
            # A port that Asterisk has closed answers the next send with ECONNREFUSED: that one is passed over.
            done += now if now > 0 else 1


class Side:
    """All streams on one port. ``key_at``: ticks after the start at which a stream sends ``key``; -1: never.

    ``talk_from``: ticks after the start from which what is heard counts as talk.
    """

    def __init__(self, port: int, speech: npt.NDArray[np.uint8], key: int, key_at: int, talk_from: int) -> None:
        self.batches = Batches(port)
        self._speech = speech
        self._key, self._key_at, self._talk_from = key, key_at, talk_from
        whole = 65_536
        self._last = np.zeros(whole)
        self._ssrc = np.zeros(whole, np.int64)
        self._age = np.zeros(whole, np.int64)
        self._base = np.zeros(whole)
        self._stamp = np.zeros(whole, np.int64)
        self._count = np.zeros(whole, np.int64)
        self._known = np.zeros(whole, bool)
        self.streams = 0
        self.heard: dict[int, list[int]] = {}
        """By second since 1970: packets promised by the timestamps, heard in time, late, missing."""

    def take(self) -> None:
        """Take in what has come, packet by packet of each stream in order."""
        while True:
            count, ports, at = self.batches.take()
            if not count:
                return
            rtp = self.batches.taken[:count]
            audio = (rtp[:, 1] & 127) == 8
            words = rtp[:, 4:12].copy().view(">u4").astype(np.int64)
            pending = np.flatnonzero(audio & (ports % 2 == 0))
            while len(pending):
                _ports, first = np.unique(ports[pending], return_index=True)
                now = pending[first]
                self._one_each(ports[now], at[now], words[now, 0], words[now, 1])
                pending = np.delete(pending, first)
            if count < BATCH:
                return

    def _one_each(self, port: Ints, at: npt.NDArray[np.float64], stamp: Ints, ssrc: Ints) -> None:
        gap = at - self._last[port]
        other = self._ssrc[port] != ssrc
        fresh = (gap > OVER) | (other & (gap > QUIET))
        self.streams += int(fresh.sum())
        self._age[port[fresh]] = 0
        self._known[port] = True
        self._last[port], self._ssrc[port] = at, ssrc
        due = at - stamp / 8000.0
        step = stamp - self._stamp[port]
        # Another source, or a jump of the clock: the play-out begins anew.
        anew = fresh | other | (step <= 0) | (step > 8000)
        self._base[port] = np.where(anew, due, np.minimum(self._base[port], due))
        self._count[port] = np.where(anew, 0, self._count[port] + 1)
        counts = (self._age[port] >= self._talk_from) & (self._count[port] > SETTLED)
        self._stamp[port] = stamp
        promised = np.maximum(1, step // PACKET)[counts]
        late = (due - self._base[port] > JITTER)[counts]
        if len(promised):
            self._add(int(at[-1]), int(promised.sum()), int((~late).sum()), int(late.sum()))

    def _add(self, second: int, promised: int, heard: int, late: int) -> None:
        row = self.heard.setdefault(second, [0, 0, 0, 0])
        for place, value in enumerate((promised, heard, late, promised - heard - late)):
            row[place] += value

    def speak(self, tick: int) -> int:
        """Send one packet to every stream that is on; returns how many are."""
        now = time.time()
        ports = np.flatnonzero(self._known)
        if not len(ports):
            return 0
        over = now - self._last[ports] > OVER
        self._known[ports[over]] = False
        ports = ports[~over]
        for first in range(0, len(ports), BATCH):
            self._batch(ports[first : first + BATCH], tick)
        self._age[ports] += 1
        return len(ports)

    def _batch(self, ports: Ints, tick: int) -> None:
        count = len(ports)
        out = self.batches.sent[:count]
        age = self._age[ports]
        key = age - self._key_at
        keying = (self._key_at >= 0) & (key >= 0) & (key < KEY_PACKETS)
        out[:, 0] = 0x80
        out[:, 1] = np.where(keying, EVENT, 8)
        out[:, 2:4] = (age & 0xFFFF).astype(">u2").reshape(-1, 1).view(np.uint8)
        stamp = np.where(keying, self._key_at, age) * PACKET
        out[:, 4:8] = stamp.astype(">u4").reshape(-1, 1).view(np.uint8)
        out[:, 8:12] = ports.astype(">u4").reshape(-1, 1).view(np.uint8)
        out[:, 12:] = self._speech[tick % len(self._speech)]
        if keying.any():
            rows = np.flatnonzero(keying)
            ended = key[rows] >= KEY_PACKETS - 3
            length = np.minimum(key[rows] + 1, KEY_PACKETS - 2) * PACKET
            out[rows, 1] = np.where(key[rows] == 0, EVENT | 0x80, EVENT)
            out[rows, 12] = self._key
            out[rows, 13] = np.where(ended, 0x8A, 0x0A)
            out[rows, 14:16] = length.astype(">u2").reshape(-1, 1).view(np.uint8)
        self.batches.send(ports, np.where(keying, 16, 12 + PACKET))


def speech(files: list[Path]) -> npt.NDArray[np.uint8]:
    """The 8 kHz files one after the other as packets of A-law, at least one second."""
    coded = np.frombuffer(encode(np.concatenate([read_sound(file) for file in files])), np.uint8)
    return coded[: len(coded) // PACKET * PACKET].reshape(-1, PACKET)


def main() -> int:
    """Serve until SIGTERM or the end of standard input; then print what was measured as one JSON line."""
    told = argparse.ArgumentParser()
    told.add_argument("--callers", type=int, required=True)
    told.add_argument("--agents", type=int, required=True)
    told.add_argument("--key", type=int, default=1)
    told.add_argument("--key-after", type=float, default=3.0)
    told.add_argument("--talk-after", type=float, default=6.0)
    told.add_argument("speech", type=Path, nargs="+")
    given = told.parse_args()
    said = speech(given.speech)
    ticks = round(1 / TICK)
    sides = {
        "callers": Side(
            given.callers, said, given.key, round(given.key_after * ticks), round(given.talk_after * ticks)
        ),
        "agents": Side(given.agents, said, 0, -1, 0),
    }
    going_on = True

    def end(_number: int, _frame: Any) -> None:
        nonlocal going_on
        going_on = False

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    began = time.monotonic()
    late: list[float] = []
    most = tick = 0
    print("ready", flush=True)
    while going_on and os.getppid() == parent:
        for side in sides.values():
            side.take()
        most = max(most, sum(side.speak(tick) for side in sides.values()))
        tick += 1
        wait = began + tick * TICK - time.monotonic()
        late.append(max(0.0, -wait))
        if wait > 0:
            time.sleep(wait)
    report = {
        "late_p99_s": float(np.quantile(late, 0.99)) if late else 0.0,
        "late_most_s": max(late, default=0.0),
        "most_streams": most,
        **{name: {"streams": side.streams, "seconds": side.heard} for name, side in sides.items()},
    }
    print(json.dumps(report), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
