"""The worker's side of an export: a recording is read whole and proved by its SHA-256. Imports ``cryptography``."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from recordings.jobs import ProveJob, ProveResult
from recordings.keys import Ring, load_ring
from recordings.sealed import open_stored

BLOCK = 1 << 20
"""Bytes read at a time."""


def prove(job: ProveJob) -> ProveResult:
    """Read it to its end. Never raises an Exception."""
    try:
        ring = load_ring(Path(job.keys)) if job.keys else Ring({})
        digest, size, crc = hashlib.sha256(), 0, 0
        with open_stored(Path(job.root, job.file), job.file, ring) as giving:
            while block := giving.read(BLOCK):
                digest.update(block)
                crc = zlib.crc32(block, crc)
                size += len(block)
    except Exception as error:
        from recordings.playing import fault_of  # with numpy, which a sound recording does not need here

        return ProveResult(fault=fault_of(error))
    return ProveResult(size, crc) if digest.hexdigest() == job.sha256 else ProveResult(fault="digest")
