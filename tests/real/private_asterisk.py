"""A private Asterisk of one test: its own state folder, free ports, and a SIPp caller with real audio."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import socket
import struct
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from config.load import load_settings
from config.settings import Settings, Trunk
from hotline.asterisk import process
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import AsteriskInstall, find_asterisk
from hotline.asterisk.passwords import Secrets, load_secrets
from hotline.asterisk.render import devices, render
from hotline.outside.g711 import decode, encode
from hotline.outside.ports import free_ports
from hotline.outside.sipp import sipp

REPOSITORY = Path(__file__).resolve().parents[2]
SIPP_LIMIT = 90.0
CALLER = '"A" <sip:13912345678@[local_ip]>'
NOWHERE = "40000"
"""An RTP port where nobody listens."""
PAUSE = 0.15
"""Seconds without sound that are a pause: a prompt is over."""
FRAME = 160
"""Samples of one RTP packet: 20 ms at 8 kHz."""


def settings_for(state: Path, **times: float) -> Settings:
    """The repository's own settings on free ports, with ``state`` as state folder and loopback as the carrier."""
    settings = load_settings(REPOSITORY / "config")
    hotline = settings.hotline
    rtp = free_ports(100, run=True)
    sip, ari, ami, carrier = free_ports(4)
    asterisk = hotline.asterisk.model_copy(
        update={
            "sip": hotline.asterisk.sip.model_copy(update={"port": sip}),
            "rtp": hotline.asterisk.rtp.model_copy(update={"first": rtp[0], "last": rtp[-1]}),
            "ari_port": ari,
            "ami_port": ami,
        }
    )
    address = f"127.0.0.1:{carrier}"
    changed = {
        "state_dir": str(state),
        "asterisk": asterisk,
        "trunks": (Trunk(name="carrier", addresses=(address,)),),
        "times": hotline.times.model_copy(update=times),
    }
    return settings.model_copy(update={"hotline": hotline.model_copy(update=changed)})


@dataclass(frozen=True, slots=True)
class PrivateAsterisk:
    """One that runs."""

    settings: Settings
    install: AsteriskInstall
    secrets: Secrets
    home: AsteriskHome

    @property
    def sip_port(self) -> int:
        """Where SIP is listened for."""
        return self.settings.hotline.asterisk.sip.port

    @property
    def carrier_port(self) -> int:
        """The port that the carrier must call from."""
        return int(self.settings.hotline.trunks[0].addresses[0].split(":")[1])

    @property
    def number(self) -> str:
        """The hotline's number."""
        return self.settings.hotline.numbers[0]

    def ask(self, command: str) -> str:
        """One console command."""
        return process.ask(self.install, self.home, command)


@contextlib.contextmanager
def private_asterisk(state: Path, **times: float) -> Iterator[PrivateAsterisk]:
    """Render, start, and stop at the end whatever happens."""
    state.mkdir(parents=True, exist_ok=True)
    settings = settings_for(state, **times)
    install = find_asterisk()
    secrets = load_secrets(state, devices(settings))
    home = render(settings, install, state, secrets)
    process.start(settings, install, state, secrets)
    try:
        yield PrivateAsterisk(settings, install, secrets, home)
    finally:
        process.stop(install, state)


def tone(hertz: float, seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A sine at half of full scale, 16-bit, 8 kHz."""
    at = np.arange(round(8000 * seconds))
    return (16_000 * np.sin(2 * math.pi * hertz * at / 8000)).astype(np.int16)


def write_tone(file: Path, hertz: float, seconds: float) -> None:
    """A prompt that is easy to recognise."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(tone(hertz, seconds).tobytes())


def strength(samples: np.ndarray[tuple[int], np.dtype[np.int16]], hertz: float) -> float:
    """The part of the sound's energy that lies within 20 Hz of ``hertz``, 0 to 1."""
    if not samples.size or not np.any(samples):
        return 0.0
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    at = np.fft.rfftfreq(samples.size, 1 / 8000)
    return float(power[np.abs(at - hertz) < 20].sum() / power.sum())


@dataclass
class Mouth:
    """The caller's audio end: hears everything, and speaks 700 Hz for ``speak`` seconds.

    It begins with the first pause behind so many seconds of sound (``after``).
    """

    speak: float = 0.0
    after: float = 0.0
    heard: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.01)
        self.port: int = self.socket.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Mouth:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join(5)
        self.socket.close()

    @property
    def sound(self) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """All that was heard, 16-bit, 8 kHz."""
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    def _run(self) -> None:
        voice = tone(700, self.speak)
        alaw = encode((voice / 32_768).astype(np.float32))
        packets = [alaw[at : at + FRAME] for at in range(0, len(alaw), FRAME)]
        quiet = b"\xd5" * FRAME
        peer, first, sequence = None, 0.0, 0
        loud, last_loud, spoken = 0, 0.0, -1
        while not self._ended.is_set():
            try:
                data, peer = self.socket.recvfrom(2048)
                first = first or time.monotonic()
                if data[1] & 0x7F == 8:
                    self.heard.append((decode(data[12:]) * 32_767).astype(np.int16))
                    if np.abs(self.heard[-1].astype(np.int32)).max() > 1000:
                        loud, last_loud = loud + 1, time.monotonic()
            except TimeoutError:
                pass
            if peer is None:
                continue
            while sequence * 0.02 < time.monotonic() - first:
                if spoken >= 0 or (loud * 0.02 >= self.after and time.monotonic() - last_loud > PAUSE):
                    spoken += 1
                payload = packets[spoken] if 0 <= spoken < len(packets) else quiet
                head = struct.pack("!BBHII", 0x80, 8, sequence & 0xFFFF, sequence * FRAME, 7)
                self.socket.sendto(head + payload, peer)
                sequence += 1


def call(
    folder: Path, asterisk: PrivateAsterisk, scenario: str, *, to: str = "", from_port: int | None = None
) -> None:
    """One SIPp call, to the hotline and from the carrier unless said otherwise; fails where it went differently."""
    place = folder / f"caller-{random.getrandbits(32):x}"
    at, port = ("127.0.0.1", asterisk.sip_port), from_port or asterisk.carrier_port
    done = asyncio.run(sipp(scenario, place, at, port, service=to or asterisk.number, timeout=SIPP_LIMIT))
    assert done.ok, (done.status, done.errors[-500:])


def wait_for(condition: object, limit: float = 90.0) -> None:
    """Wait until ``condition()`` is true; fails loudly when it does not become so."""
    assert callable(condition)
    until = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
