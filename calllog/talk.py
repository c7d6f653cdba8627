"""The parts of a call's state: its talks, the devices that rang for them, and what was recorded. Pure.

``calllog.folds`` makes them of the events. Times are microseconds since 1970 UTC, 0 for "not yet".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from calllog.events import Category, DeviceResult, PausedBy, PauseEnd, RecordingFault, Side, Span


@dataclass(slots=True)
class Pause:
    """A stretch of a part that holds silence at somebody's wish; ``until`` is 0 while it lasts."""

    since: int
    by: PausedBy
    until: int = 0


@dataclass(slots=True)
class Part:
    """One file of a talk's recording: requested, perhaps begun, perhaps complete."""

    part: int
    file: str
    requested_at: int
    started_at: int = 0
    stopped_at: int = 0
    monitor: str = ""
    failed: str = ""
    runs_on: bool = False
    pauses: list[Pause] = field(default_factory=list)
    asked_on: tuple[PausedBy, PauseEnd] | None = None
    """By whose wish, and why, the pause that lasts is to end, though the recorder has not been told yet."""

    @property
    def paused_since(self) -> int:
        """Since when it has been paused; 0 while it is not."""
        return self.pauses[-1].since if self.pauses and not self.pauses[-1].until else 0

    def end_pause(self, at: int) -> None:
        """The pause that lasts, if any, is over."""
        self.asked_on = None
        if self.paused_since:
            self.pauses[-1].until = at


@dataclass(slots=True)
class Rung:
    """A device that rang within a ring, by its leg; ``result`` is empty as long as it may yet accept."""

    leg: str
    device: str
    trunk: str = ""
    result: DeviceResult | Literal[""] = ""


@dataclass(slots=True)
class Talk:
    """接谈: one agent's part of a call, from the first ring; ``device`` and ``leg`` are of the one that accepted."""

    talk_id: str
    call_id: str
    agent: str
    device: str
    leg: str
    rung_at: int
    ring_result: str = ""
    ring_ended_at: int = 0
    bridge: str = ""
    started_at: int = 0
    ended_at: int = 0
    ended_by: Side | Literal[""] = ""
    lost: bool = False
    """Whether the agent's phone was lost in mid-sentence."""
    held_since: int = 0
    held_us: int = 0
    parts: list[Part] = field(default_factory=list)
    rung: list[Rung] = field(default_factory=list)
    invited_at: int = 0
    rating: int = 0
    """What the caller said when they were asked (``calllog.survey_events``); 0: nothing."""

    @property
    def open_legs(self) -> list[str]:
        """The legs that this talk holds: while it rings those of all devices that may yet accept, then the one."""
        if self.ringing:
            return [rung.leg for rung in self.rung if not rung.result]
        return [self.leg] if self.live else []

    @property
    def ringing(self) -> bool:
        """Whether the ring has no result yet."""
        return not self.ring_result

    @property
    def live(self) -> bool:
        """Whether caller and agent are (as far as the journal knows) talking."""
        return self.started_at > 0 and self.ended_at == 0


@dataclass(slots=True)
class Recording:
    """A finished recording of one category (``file`` set), or a try to finish it that failed (``failed`` set).

    ``fault``: what a later check found wrong with the file. ``size`` in bytes, 0 where it was not told. ``purged``: it
    was deleted on purpose.
    """

    category: Category
    file: str = ""
    sha256: str = ""
    frames: int = 0
    rate: int = 0
    channels: int = 0
    spans: tuple[Span, ...] = ()
    failed: str = ""
    size: int = 0
    fault: RecordingFault = ""
    purged: bool = False

    @property
    def failing(self) -> bool:
        """Whether the last try to finish it failed, and another may follow."""
        return bool(self.failed) and not self.file and not self.purged
