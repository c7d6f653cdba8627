"""G.711 A-law to and from 16-bit samples (ITU-T G.711, tables 1a and 2a)."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]
import soxr  # type: ignore[import-untyped]

RATE = 8_000
"""Samples per second of everything in this package."""

SILENCE = b"\xd5"
"""A-law's smallest positive value, with its even bits inverted."""

Samples = npt.NDArray[np.float32]
"""Mono, 8 kHz, full scale 1.0."""


def _decode_alaw() -> npt.NDArray[np.int16]:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _decode_ulaw() -> npt.NDArray[np.int16]:
    code = ~np.arange(256) & 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


_FROM_ALAW = _decode_alaw()
_ORDER = np.argsort(_FROM_ALAW, kind="stable")
_STEPS = _FROM_ALAW[_ORDER].astype(np.int32)
_EDGES = (_STEPS[1:] + _STEPS[:-1]) // 2
_TO_ALAW = _ORDER[np.searchsorted(_EDGES, np.arange(-32_768, 32_768), side="left")].astype(np.uint8)
"""The nearest A-law code of each 16-bit value, by value + 32768."""

ULAW_TO_ALAW = _TO_ALAW[_decode_ulaw().astype(np.int32) + 32_768].tobytes()
"""For bytes.translate."""


def encode(samples: Samples) -> bytes:
    """A-law of samples; what is louder than full scale is cut."""
    whole = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype(np.int32)
    return bytes(_TO_ALAW[whole + 32_768])


def decode(alaw: bytes) -> Samples:
    """The samples of A-law."""
    return _FROM_ALAW[np.frombuffer(alaw, np.uint8)].astype(np.float32) / np.float32(32_768)


def read_sound(path: Path) -> Samples:
    """A sound file of any rate and channel count as 8 kHz mono. Raises OSError or soundfile.LibsndfileError."""
    read, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = read.mean(axis=1, dtype=np.float32)
    return mono if rate == RATE else np.asarray(soxr.resample(mono, rate, RATE), np.float32)


def write_wav(path: Path, samples: Samples) -> None:
    """A 16-bit 8 kHz mono WAV."""
    whole = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())
