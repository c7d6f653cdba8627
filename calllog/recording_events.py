"""The events of a finished recording: that it is, or why not, what was measured of it, and whether its file is still
what it was."""

from __future__ import annotations

from typing import Literal

import msgspec

from calllog.house_events import Event

Category = Literal["call", "voicemail"]
RecordingFault = Literal["", "gone", "size", "digest", "damaged", "no_key", "unreadable"]
"""What is wrong with a finished recording's file; empty: nothing."""


class Span(msgspec.Struct, frozen=True):
    """One talk's place in its call's recording, in frames, half-open, and whether sound was verified there."""

    talk_id: str
    first: int
    end: int
    verified: bool
    note: str = ""


class Archived(Event, frozen=True, kw_only=True, tag="archived"):
    """The recording is finished: ``file`` is relative to the recordings folder, ``rate`` in Hz.

    ``sha256`` and ``size`` (bytes; version 2, 0 before) are of the sound file itself, stored sealed or not.
    """

    category: Category
    file: str
    sha256: str
    frames: int
    rate: int
    channels: int
    spans: tuple[Span, ...] = ()
    size: int = 0


class ArchiveFailed(Event, frozen=True, kw_only=True, tag="archive_failed"):
    """The recording could not be finished; its raw parts are kept.

    Without a ``category`` it is the recording of the talks where the call has any, else of the voicemail.
    """

    why: str
    category: Category | Literal[""] = ""


class Measured(Event, frozen=True, kw_only=True, tag="measured"):
    """What can be heard in the recording, in small numbers; seconds, and LUFS for the loudness.

    Per side: the caller, then the agent; of a voicemail the caller alone. ``recordings.measures`` says what each
    means; ``by`` is the version of the measuring, ``silence_from`` and ``talk_over_from`` what was then set.
    """

    category: Category
    by: int
    seconds: float
    loudness: tuple[float, ...]
    speech: tuple[float, ...]
    silences: int = 0
    silence: float = 0.0
    longest_silence: float = 0.0
    talk_overs: int = 0
    talk_over: float = 0.0
    longest_talk_over: float = 0.0
    silence_from: float
    talk_over_from: float


class RecordingChecked(Event, frozen=True, kw_only=True, tag="recording_checked"):
    """A check of the file found another state than the one before: a fault, or (empty) that it is right again."""

    category: Category
    fault: RecordingFault = ""
