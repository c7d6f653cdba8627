"""Ears and mouths: one thread that sends and receives the RTP of every leg (RFC 3550, RFC 3551, RFC 4733).

Theory of operation. A stream has one UDP socket that Asterisk's UnicastRTP channel talks to. Every 20 ms each mouth
sends one packet of A-law, silence included, as telephones do; after a stall of ours the missed packets follow at once.
Each ear lays what arrives onto a time line that began with the stream: packets go where their RTP timestamps put them
as long as that agrees with the time of their arrival, else (a new source, a jump) to their arrival. So what was heard
is true to time whatever the far side does with sources and sequence numbers, and no packet is dropped for them.

A thread and not the event loop: a test's loop stalls, and a stalled mouth would be heard as a fault of the hotline.
"""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import socket
import struct
import threading
import time

from . import g711

FRAME = 160
"""Samples per packet: 20 ms."""

TICK = FRAME / g711.RATE

STALL = 2.0
"""Seconds after which missed packets are no longer made up for."""

AGREE = 0.25
"""Seconds by which timestamp and arrival may differ within a stream of sound: the far side's and our own stalls."""

AGREE_AFTER_PAUSE = 0.04
"""The same for a packet after a pause: nothing is in a hurry then, and the arrival is the truth."""

PCMU, PCMA = 0, 8
EVENTS = "0123456789*#ABCD"

_HEADER = struct.Struct("!BBHII")


class Stream:
    """The ear and the mouth of one leg. Methods may be called from any thread."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.closed = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._far: tuple[str, int] | None = None
        self._sound = b""
        self._at = 0
        self._repeat = False
        self._quiet = False
        self._ssrc, self._seq, self._stamp = random.getrandbits(32), random.getrandbits(16), random.getrandbits(32)
        self._heard = bytearray()
        self._ended: float | None = None
        self._source: int | None = None
        self._last_stamp, self._last_place = 0, 0
        self._event_stamp: int | None = None
        self.packets = 0
        self.keys: list[tuple[str, float]] = []

    # --- the mouth

    def connect(self, far: tuple[str, int]) -> None:
        """Send to this address from now on."""
        self._far = far

    def say(self, alaw: bytes, *, repeat: bool) -> None:
        """Say this instead of what is being said; ``repeat``: over and over."""
        with self._lock:
            self._sound, self._at, self._repeat = alaw, 0, repeat and len(alaw) >= FRAME

    @property
    def saying(self) -> bool:
        """Whether there is something left to say."""
        with self._lock:
            return self._at < len(self._sound)

    def send_nothing(self, on: bool) -> None:
        """Stop sending packets at all (``on``), as a dead network does."""
        self._quiet = on

    def tick(self) -> None:
        """Send one packet. For the thread."""
        with self._lock:
            frame = self._sound[self._at : self._at + FRAME]
            self._at += len(frame)
            if len(frame) < FRAME and self._repeat:
                self._at = FRAME - len(frame)
                frame += self._sound[: self._at]
            self._seq = (self._seq + 1) & 0xFFFF
            self._stamp = (self._stamp + FRAME) & 0xFFFFFFFF
        if self._far is None or self._quiet or self.closed:
            return
        packet = _HEADER.pack(0x80, PCMA, self._seq, self._stamp, self._ssrc) + frame.ljust(FRAME, g711.SILENCE)
        # Loopback: a refused packet means that the channel has just gone, which its owner learns by an event.
        with contextlib.suppress(OSError):
            self._socket.sendto(packet, self._far)

    # --- the ear

    @property
    def now(self) -> float:
        """Seconds since the stream began; it stands still once the stream is closed."""
        return (time.monotonic() if self._ended is None else self._ended) - self.began

    def heard(self, start: float = 0.0, end: float | None = None) -> bytes:
        """A-law of what was heard from ``start`` to ``end`` (now), silence where nothing came."""
        first = max(0, int(start * g711.RATE))
        last = int((self.now if end is None else end) * g711.RATE)
        with self._lock:
            found = bytes(self._heard[first:last])
        return found.ljust(max(0, last - first), g711.SILENCE)

    def receive(self) -> None:
        """Take what has arrived. For the thread."""
        for _ in range(200):
            try:
                packet = self._socket.recv(2048)
            except OSError:
                return
            self._take(packet, time.monotonic() - self.began)

    def _take(self, packet: bytes, arrived: float) -> None:
        if len(packet) < 13 or packet[0] >> 6 != 2:
            return
        first, second, _, stamp, source = _HEADER.unpack_from(packet)
        kind, start = second & 0x7F, 12 + 4 * (first & 15)
        if first & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
        payload = packet[start:]
        if kind >= 96 and len(payload) == 4:
            self._key(payload, stamp, arrived)
        elif kind in (PCMA, PCMU) and payload:
            self._place(payload.translate(g711.ULAW_TO_ALAW) if kind == PCMU else payload, stamp, source, arrived)

    def _key(self, payload: bytes, stamp: int, arrived: float) -> None:
        if stamp != self._event_stamp and payload[0] < len(EVENTS):
            self._event_stamp = stamp  # the packets of one key share their timestamp (RFC 4733, 2.2)
            self.keys.append((EVENTS[payload[0]], arrived))

    def _place(self, alaw: bytes, stamp: int, source: int, arrived: float) -> None:
        self.packets += 1
        by_arrival = max(0, int(arrived * g711.RATE) - len(alaw))
        place = by_arrival
        if source == self._source:
            step = (stamp - self._last_stamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            by_stamp = self._last_place + step
            agree = AGREE if abs(step) <= 5 * FRAME else AGREE_AFTER_PAUSE
            if by_stamp >= 0 and abs(by_stamp - by_arrival) <= agree * g711.RATE:
                place = by_stamp
        else:
            self._source = source
        self._last_stamp, self._last_place = stamp, place
        with self._lock:
            if len(self._heard) < place:
                self._heard.extend(g711.SILENCE * (place - len(self._heard)))
            self._heard[place : place + len(alaw)] = alaw

    def close(self) -> None:
        """No more sound; what was heard stays. For :class:`Audio`."""
        if not self.closed:
            self._ended = time.monotonic()
            self.closed = True
            self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()


class Audio:
    """The thread, and its streams."""

    def __init__(self) -> None:
        self._streams: list[Stream] = []
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outside audio", daemon=True)
        self._thread.start()

    def open(self) -> Stream:
        """A new stream, its time beginning now."""
        stream = Stream(time.monotonic())
        with self._lock:
            self._streams.append(stream)
            self._selector.register(stream, selectors.EVENT_READ, stream)
        return stream

    def close(self, stream: Stream) -> None:
        """End a stream; a closed one is no error."""
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
                self._selector.unregister(stream)
                stream.receive()
                stream.close()

    def stop(self) -> None:
        """End all streams and the thread; returns when it has ended."""
        self._stopping = True
        os.write(self._wake_write, b"x")
        self._thread.join()
        for stream in tuple(self._streams):
            self.close(stream)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        due = time.monotonic() + TICK
        while not self._stopping:
            ready = self._selector.select(max(0.0, due - time.monotonic()))
            with self._lock:
                for key, _ in ready:
                    if isinstance(key.data, Stream) and not key.data.closed:
                        key.data.receive()
                if time.monotonic() - due > STALL:
                    due = time.monotonic()
                while time.monotonic() >= due:
                    for stream in self._streams:
                        stream.tick()
                    due += TICK
