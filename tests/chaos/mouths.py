"""The sound of a crowd: one thread and one UDP socket that sends RTP for every leg (RFC 3550, RFC 4733).

What comes back is listened to only while the network is ``rough``; a socket that nobody reads costs nothing. ``rough``
is the bad network: a share of the packets is lost, in both directions, and those that are sent are late by chance, in
order, as networks keep it. (Where up to 60 ms of packets overtake each other Debian's build drops a third of the sound
in the recordings, by its Opus patch: DESIGN.md section 5.) What this is to Asterisk: ``tests.chaos.ears``.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import socket
import struct
import threading
import time
from collections import deque

from hotline.outside import g711
from hotline.outside.speech import tone

TICK, FRAME = 0.02, 160
KEYS = "0123456789*#ABCD"
ALAW, EVENT = 8, 101
LATE = 1.0
"""Seconds after which missed packets are no longer made up for."""

RCVBUFFORCE = 33
"""Of Linux (socket(7)); Python has no name for it."""

_TONES: dict[int, bytes] = {}


def _tone(hz: int) -> bytes:
    if hz not in _TONES:
        _TONES[hz] = g711.encode(tone(hz, 1.0))
    return _TONES[hz]


class Mouth:
    """One leg's sound. Made by :meth:`Mouths.open`; methods may be called from any thread."""

    def __init__(self, rng: random.Random) -> None:
        self.far: tuple[str, int] | None = None
        self.quiet = False
        """Send no packets at all."""
        self.heard: list[tuple[int, bytes]] = []
        """What came while the network was rough: when (µs, wall clock), and the packet."""
        self._sound, self._at = b"", 0
        self._keys: deque[tuple[str, int, int]] = deque()
        self._key: tuple[str, int, int] | None = None
        self._done = 0
        self._seq, self._stamp, self._ssrc = rng.getrandbits(16), rng.getrandbits(31), rng.getrandbits(32)

    def say(self, hz: int) -> None:
        """A tone from now on; 0: silence."""
        self._at, self._sound = 0, _tone(hz) if hz else b""

    def press(self, keys: str, *, ticks: int = 4, gap: int = 3) -> None:
        """Press these keys one after the other, each for so many ticks of 20 ms."""
        self._keys.extend((key, ticks, gap) for key in keys)

    def packets(self) -> list[bytes]:
        """What is to be sent in this tick."""
        self._seq = self._seq + 1 & 0xFFFF
        self._stamp = self._stamp + FRAME & 0xFFFFFFFF
        if self.quiet:
            return []
        if self._key is None and self._keys:
            self._key, self._done, self._began = self._keys.popleft(), 0, self._stamp
        if self._key is not None:
            key, ticks, gap = self._key
            self._done += 1
            if self._done <= ticks:
                return [self._event(key, self._done, first=self._done == 1, last=False)]
            if self._done == ticks + 1:
                ends = []
                for again in range(3):
                    self._seq = (self._seq + (again > 0)) & 0xFFFF
                    ends.append(self._event(key, ticks, first=False, last=True))
                return ends
            if self._done > ticks + gap:
                self._key = None
        frame = self._sound[self._at : self._at + FRAME]
        self._at = (self._at + FRAME) % len(self._sound) if self._sound else 0
        head = struct.pack("!BBHII", 0x80, ALAW, self._seq, self._stamp, self._ssrc)
        return [head + frame.ljust(FRAME, g711.SILENCE)]

    def _event(self, key: str, ticks: int, *, first: bool, last: bool) -> bytes:
        head = struct.pack("!BBHII", 0x80, EVENT | (0x80 if first else 0), self._seq, self._began, self._ssrc)
        return head + struct.pack("!BBH", KEYS.index(key), 10 | (0x80 if last else 0), ticks * FRAME)


class Mouths:
    """The thread. ``rng`` decides over rough networks and stream ids."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # root alone: what comes while this machine stalls is kept
            self._socket.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 8 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._mouths: dict[Mouth, None] = {}
        """In the order of their opening: Asterisk uses a port again, and then the newest is who listens there."""
        self._lock = threading.Lock()
        self._loss, self._jitter = 0.0, 0.0
        self.rough_from = 0
        self.rough_spans: list[tuple[int, int]] = []
        """When the network was rough: from and to, in µs by the wall clock."""
        self._late: list[tuple[float, int, bytes, tuple[str, int]]] = []
        self._count = itertools.count()
        self._last_out: dict[tuple[str, int], float] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mouths", daemon=True)
        self._thread.start()

    def open(self, far: tuple[str, int] | None = None) -> Mouth:
        """A mouth that sends silence to ``far``."""
        mouth = Mouth(self._rng)
        mouth.far = far
        with self._lock:
            self._mouths[mouth] = None
        return mouth

    def close(self, mouth: Mouth) -> None:
        """No more of it."""
        with self._lock:
            self._mouths.pop(mouth, None)

    def rough(self, loss: float, jitter: float) -> None:
        """Lose this share of all packets, and let the others be late by up to ``jitter`` seconds. 0, 0: a good net."""
        if loss and not self._loss:
            self._listen(0)  # what nobody has read since the beginning
            self.rough_from = time.time_ns() // 1000
        elif self._loss and not loss:
            self.rough_spans.append((self.rough_from, time.time_ns() // 1000))
        self._loss, self._jitter = loss, jitter

    def _listen(self, loss: float) -> None:
        with self._lock:
            open_now = {mouth.far: mouth for mouth in self._mouths}
        while True:
            try:
                packet, far = self._socket.recvfrom(2048)
            except OSError:
                return
            mouth = open_now.get(far)
            if loss and mouth is not None and len(packet) > 12 and self._rng.random() >= loss:
                mouth.heard.append((time.time_ns() // 1000, packet))

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping:
            now = time.monotonic()
            if now - due > LATE:
                due = now
            while due <= now:
                due += TICK
                with self._lock:
                    mouths = list(self._mouths)
                for mouth in mouths:
                    if mouth.far is not None:
                        for packet in mouth.packets():
                            self._send(packet, mouth.far, now)
            while self._late and self._late[0][0] <= now:
                _at, _n, packet, far = heapq.heappop(self._late)
                self._out(packet, far)
            if self._loss:
                self._listen(self._loss)
            soonest = min(due, self._late[0][0]) if self._late else due
            time.sleep(max(0.001, soonest - time.monotonic()))

    def _send(self, packet: bytes, far: tuple[str, int], now: float) -> None:
        if self._loss and self._rng.random() < self._loss:
            return
        if self._jitter:
            at = self._last_out[far] = max(now + self._rng.random() * self._jitter, self._last_out.get(far, 0.0))
            heapq.heappush(self._late, (at, next(self._count), packet, far))
        else:
            self._out(packet, far)

    def _out(self, packet: bytes, far: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # Asterisk is dead, or its buffer full
            self._socket.sendto(packet, far)
