"""The events of a recording's parts, begun, broken off, paused and complete, and of a caller who wants none; known by
the names of ``calllog.events``."""

from __future__ import annotations

from typing import Literal

from calllog.house_events import Event


class RecordingRequested(Event, frozen=True, kw_only=True, tag="recording_requested"):
    """A recording of this talk is about to be started into ``file`` (relative to the recordings' spool folder)."""

    talk_id: str
    part: int
    file: str


class RecordingStarted(Event, frozen=True, kw_only=True, tag="recording_started"):
    """Asterisk writes the part; ``monitor`` is its MixMonitorID."""

    talk_id: str
    part: int
    monitor: str = ""


BrokeOff = Literal["", "still", "muted"]
"""Why a part ended before its talk: its file did not grow any more, or after a pause its recorder did not go on."""


class RecordingStopped(Event, frozen=True, kw_only=True, tag="recording_stopped"):
    """The part is complete on disk. ``runs_on``: its recorder runs on, paused, and a later part may name its file.
    ``why``, since version 2: another part follows in the same talk, because this one recorded no more."""

    talk_id: str
    part: int
    runs_on: bool = False
    why: BrokeOff = ""


class RecordingFailed(Event, frozen=True, kw_only=True, tag="recording_failed"):
    """The talk goes on unrecorded; ``why`` is the reason shown in recording coverage."""

    talk_id: str
    part: int
    why: str


PausedBy = Literal["agent", "command", "console", "hotline"]
"""Who had a recording paused or go on: the agent by their phone's keys, somebody by a command or the console, or the
hotline itself, because a pause has its longest time or the talk ended."""


PauseEnd = Literal["", "longest", "talk_ended", "failed"]
"""Why the hotline itself ended a pause: its longest time was over, the talk ended, or it had not come about at all."""


class RecordingPaused(Event, frozen=True, kw_only=True, tag="recording_paused"):
    """From now on this part holds silence on both sides, until ``RecordingResumed``: something that must not be kept is
    said. Written before the recorder is told."""

    talk_id: str
    part: int
    by: PausedBy


class RecordingResumed(Event, frozen=True, kw_only=True, tag="recording_resumed"):
    """The pause of this part has ended. ``why``, since version 2: where it was the hotline's own doing."""

    talk_id: str
    part: int
    by: PausedBy
    why: PauseEnd = ""


class RecordingResumeAsked(Event, frozen=True, kw_only=True, tag="recording_resume_asked"):
    """The pause of this part is to end, by whose wish; written before the recorder is told, so that it is told by the
    next daemon where this one dies. ``RecordingResumed`` follows when it is done; another ``RecordingPaused`` takes the
    wish back."""

    talk_id: str
    part: int
    by: PausedBy
    why: PauseEnd = ""


class RecordingDeclined(Event, frozen=True, kw_only=True, tag="recording_declined"):
    """The caller chose by this key of the menu that nothing of this call be recorded."""

    menu: str
    key: str
