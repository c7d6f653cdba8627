"""Measures recordings that were archived before there were measures, or whose measure file has gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from calllog.events import Archived, Category, Measured, RecordingFault
from calllog.folds import CallState
from recordings.folders import Folders
from recordings.jobs import How, jobs_of

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class MeasureJob:
    """One finished recording to be measured; frames of its talks, and of its pauses."""

    root: str
    file: str
    category: Category
    how: How
    within: tuple[tuple[int, int], ...] = ()
    paused: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """What was measured, or what is wrong with the file."""

    measured: Measured | None = None
    fault: RecordingFault = ""


def job_of(state: CallState, archived: Archived, folders: Folders, how: How) -> MeasureJob:
    """The job for a call's finished recording. Pure."""
    within = tuple((span.first, span.end) for span in archived.spans if span.end > span.first)
    begins = {span.talk_id: span.first for span in archived.spans}
    paused = tuple(
        frames
        for job in jobs_of(state, folders, UTC)
        for talk in job.talks
        if job.category == archived.category and talk.talk_id in begins
        for frames in talk.paused_frames(begins[talk.talk_id], archived.rate)
    )
    return MeasureJob(str(folders.archive), archived.file, archived.category, how, within, paused)


def remeasure(job: MeasureJob) -> MeasureResult:
    """Decode and measure one recording, in a worker. Never raises an Exception."""
    from recordings.keys import load_ring
    from recordings.measures import write_measures
    from recordings.measuring import Measuring
    from recordings.playing import fault_of
    from recordings.sealed import is_sealed
    from recordings.sound import decode

    measuring = Measuring()
    try:
        path, ring = Path(job.root, job.file), load_ring(Path(job.how.keys))
        decode(path, job.file, ring, measuring.take)
        measures = measuring.result(job.how.silence_from, job.how.talk_over_from, job.within, job.paused)
        write_measures(Path(job.root), job.file, measures, ring if is_sealed(path) else None)
    except Exception as error:
        return MeasureResult(fault=fault_of(error))
    return MeasureResult(measures.event(job.category))
