"""What processes cost: CPU seconds and resident memory, as /proc tells (proc(5)); and what machine this is."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, user and system together."""

    asterisk: float
    daemon: float
    workers: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.asterisk - other.asterisk, self.daemon - other.daemon, self.workers - other.workers
        )  # fmt: skip

    @property
    def whole(self) -> float:
        """All together."""
        return self.asterisk + self.daemon + self.workers


def tree(pid: int) -> tuple[float, float]:
    """CPU seconds of a process itself, and of all that it started, those that have ended included."""
    own, dead = _used(pid)
    return own, dead + sum(sum(tree(child)) for child in children(pid))


def children(pid: int) -> list[int]:
    """The processes that this one started and that run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue
    return found


def _used(pid: int) -> tuple[float, float]:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    own, dead = (int(words[11]) + int(words[12])), (int(words[13]) + int(words[14]))
    return own / TICKS, dead / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of one process in MB (10^6 bytes)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine())
    total = int(Path("/proc/meminfo").read_text().split()[1]) / 1e6
    return {
        "cpu": f"{os.cpu_count()} x {cpu}",
        "memory": f"{total:.0f} GB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
