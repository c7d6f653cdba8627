"""The events of a recording that is paused, or that the caller does not want; known by the names of ``calllog.events``.
"""

from __future__ import annotations

from typing import Literal

from calllog.house_events import Event

PausedBy = Literal["agent", "command", "console", "hotline"]
"""Who had a recording paused or go on: the agent by their phone's keys, somebody by a command or the console, or the
hotline itself, because a pause has its longest time or the talk ended."""


class RecordingPaused(Event, frozen=True, kw_only=True, tag="recording_paused"):
    """From now on this part holds silence on both sides, until ``RecordingResumed``: something that must not be kept is
    said. Written before the recorder is told."""

    talk_id: str
    part: int
    by: PausedBy


class RecordingResumed(Event, frozen=True, kw_only=True, tag="recording_resumed"):
    """The pause of this part has ended."""

    talk_id: str
    part: int
    by: PausedBy


class RecordingDeclined(Event, frozen=True, kw_only=True, tag="recording_declined"):
    """The caller chose by this key of the menu that nothing of this call be recorded."""

    menu: str
    key: str
