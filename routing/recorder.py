"""A call's recorder: a part per talk, or (``recording.unbroken``) one that runs on from talk to talk.

One that runs on is paused while nobody talks: what the caller says and hears while waiting again is silence in its
file, so that a finished recording holds the same in both ways. Each talk still is a part in the journal; those of one
recorder name the same file (``recordings.layout``).
"""

from __future__ import annotations

import asyncio

from calllog import events as ev
from calllog.folds import CallState
from calllog.talk import Part, Talk
from phone.port import LegGone, PhoneFault
from recordings.folders import part_file
from routing.session import Call

PART_GAP = 0.08
"""Seconds between a new agent's leg and the start of the next recording part: with 60 ms or more Asterisk builds a new
translation path, without it Debian's build loses the second agent's voice (DESIGN.md section 5)."""

PARTS_TRIED = 60
"""Parts of one call's recording at most, failed ones included: after ten minutes without a recorder it is left be."""


def running_on(state: CallState) -> Part | None:
    """The part whose recorder still runs, paused, though its talk has ended. Pure."""
    last = next((part for part in reversed(state.parts) if part.started_at), None)
    return last if last is not None and last.runs_on and last.monitor else None


def runs_on(unbroken: bool, by: ev.Side) -> bool:
    """Whether a talk's recorder is to run on at its end: only while the caller is still there. Pure."""
    return unbroken and by == "agent"


def noticed(call: Call) -> bool:
    """Whether the caller was told of the recording in the language they hear."""
    return any(language in ("", call.language) for language in call.state.notice_languages)


async def start_recording(call: Call, now: Talk) -> bool:
    """Record this talk as a part of its own, unless it is being recorded already. A failure never fails the call.

    Returns whether nothing more can be done; else another try may succeed, once the recorder is back.
    """
    if not call.settings.hotline.recording.enabled:
        return True
    last = now.parts[-1] if now.parts else None
    if last is not None and last.started_at and not last.stopped_at:
        return True
    if last is not None and not last.started_at and not last.failed:
        call.note(ev.RecordingFailed(talk_id=now.talk_id, part=last.part, why="unknown_after_restart"))
    number = len(call.state.parts) + 1
    file = part_file(now.talk_id, number)
    if call.state.declined_at or not noticed(call):
        if last is None:
            why = "declined" if call.state.declined_at else "no_notice"
            if why == "no_notice":
                call.log.error("this talk is not recorded: the notice could not be played", talk=now.talk_id)
            call.note(ev.RecordingRequested(talk_id=now.talk_id, part=number, file=file))
            call.note(ev.RecordingFailed(talk_id=now.talk_id, part=number, why=why))
        return True
    if number > PARTS_TRIED:
        return True
    if last is not None and last.failed and not await call.quietly(call.phone.stop_recording(call.leg, "")):
        return False  # a part whose start was never answered may be running all the same: it must end first
    before = running_on(call.state)
    if before is not None and await _resumed(call, before):
        # Told after the deed, since its file is known already: a crash in between resumes it once more.
        await call.keep(ev.RecordingRequested(talk_id=now.talk_id, part=number, file=before.file))
        call.note(ev.RecordingStarted(talk_id=now.talk_id, part=number, monitor=before.monitor))
        return True
    if number > 1:
        await asyncio.sleep(PART_GAP)
    await call.keep(ev.RecordingRequested(talk_id=now.talk_id, part=number, file=file))
    try:
        monitor = await call.phone.record_talk(call.leg, file)
    except LegGone:
        call.note(ev.RecordingFailed(talk_id=now.talk_id, part=number, why="caller_gone"))
    except PhoneFault as fault:
        call.log.error("this talk is not recorded yet", talk=now.talk_id, why=str(fault))
        call.note(ev.RecordingFailed(talk_id=now.talk_id, part=number, why=str(fault)[:200]))
        return False
    else:
        call.note(ev.RecordingStarted(talk_id=now.talk_id, part=number, monitor=monitor))
    return True


async def end_parts(call: Call, now: Talk, by: ev.Side) -> None:
    """The talk is over: close its part, or let the recorder run on, paused."""
    for part in now.parts:
        if not part.started_at or part.stopped_at:
            continue
        wanted = call.settings.hotline.recording.unbroken and call.phone.one_recorder
        on = runs_on(wanted, by) and bool(part.monitor)
        on = on and await call.quietly(call.phone.pause_recording(call.leg, part.monitor))
        if not on:
            await call.quietly(call.phone.stop_recording(call.leg, part.monitor))
        if part.paused_since:
            call.note(ev.RecordingResumed(talk_id=now.talk_id, part=part.part, by="hotline", why="talk_ended"))
        call.note(ev.RecordingStopped(talk_id=now.talk_id, part=part.part, runs_on=on))


async def end_recorder(call: Call) -> None:
    """No talk follows: a recorder that runs on ends."""
    if (last := running_on(call.state)) is not None:
        await call.quietly(call.phone.stop_recording(call.leg, last.monitor))


async def _resumed(call: Call, before: Part) -> bool:
    """Whether the recorder that was paused records again; one that does not is ended, and a new one follows."""
    try:
        await call.phone.resume_recording(call.leg, before.monitor)
    except LegGone:
        return False
    except PhoneFault as fault:
        call.log.warning("a paused recorder does not go on", why=str(fault))
        await end_recorder(call)
        return False
    return True
