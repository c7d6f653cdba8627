"""What callers and agents of the outside world say: tones and espeak-ng's speech, as 8 kHz mono WAV files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from hotline.asterisk.install import espeak_command

from .g711 import RATE, Samples, read_sound, write_wav

SPEAK_LIMIT = 20.0
"""Seconds for one espeak-ng run; it speaks a hundred times faster than real time."""


def tone(hz: float, seconds: float, level: float = 0.3) -> Samples:
    """A sine of ``level`` (full scale 1.0)."""
    at = np.arange(round(seconds * RATE), dtype=np.float64) / RATE
    return (level * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def tone_wav(path: Path, hz: float, seconds: float, level: float = 0.3) -> Path:
    """Write a tone; returns ``path``."""
    write_wav(path, tone(hz, seconds, level))
    return path


async def spoken_wav(path: Path, text: str, *, voice: str = "cmn", speed: int = 170) -> Path:
    """Write ``text`` as spoken by espeak-ng (``speed`` in words per minute); returns ``path``.

    Raises AsteriskFault when espeak-ng is missing, RuntimeError when it fails.
    """
    raw = path.with_suffix(".espeak")
    process = await asyncio.create_subprocess_exec(
        *espeak_command(), "-v", voice, "-s", str(speed), "-w", str(raw), "--stdin",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SPEAK_LIMIT):
            said = (await process.communicate(text.encode()))[1]
        if process.returncode != 0:
            raise RuntimeError(f"espeak-ng: {said.decode(errors='replace').strip()}")
        await asyncio.to_thread(lambda: write_wav(path, read_sound(raw)))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raw.unlink(missing_ok=True)
    return path
