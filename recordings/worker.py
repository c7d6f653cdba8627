"""The worker process's side of archiving. Light to import: only ``run`` loads numpy."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from recordings.jobs import ArchiveJob, ArchiveResult, ProveJob, ProveResult
from recordings.orphans import end_with_parent

if TYPE_CHECKING:
    from recordings.access_proof import Proof, ProofJob
    from recordings.findings import CheckJob, Report
    from recordings.playback import PlayJob, PlayResult
    from recordings.remeasure import MeasureJob, MeasureResult

NICENESS = 10
"""Calls come first: Asterisk and the daemon run at 0."""


def begin() -> None:
    """Prepare a worker: polite, deaf to the terminal's Ctrl-C and systemd's SIGTERM, gone with its daemon."""
    os.nice(NICENESS)
    # The daemon decides when its workers end, so that a stop lets a running job finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    threading.Thread(target=end_with_parent, daemon=True).start()


def pid() -> int:
    """The worker's process id."""
    return os.getpid()


def run(job: ArchiveJob) -> ArchiveResult:
    """Finish one recording."""
    from recordings.archive import finalise

    return finalise(job)


def play(job: PlayJob) -> PlayResult:
    """One piece of a recording for somebody who listens."""
    from recordings.playing import play

    return play(job)


def remeasure(job: MeasureJob) -> MeasureResult:
    """Measure one finished recording."""
    from recordings.remeasure import remeasure

    return remeasure(job)


def check(job: CheckJob) -> Report:
    """Compare files, rows and calls; how far it is stands in the job's file, in per cent, until it is done."""
    from recordings.reconcile import reconcile

    told = -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        if (now := 100 * done // max(1, total)) != told:
            told = now
            with suppress(OSError):
                Path(job.course).write_text(f"{now}\n", encoding="ascii")

    try:
        return reconcile(job, progress) if job.course else reconcile(job)
    finally:
        if job.course:
            Path(job.course).unlink(missing_ok=True)


def prove(job: ProveJob) -> ProveResult:
    """Prove one recording that is to be handed out."""
    from recordings.proving import prove

    return prove(job)


def prove_access(job: ProofJob) -> Proof:
    """Compute the access log's chain anew."""
    from recordings.access_proof import prove

    return prove(job)
