"""What of a call must stay and what of it is gone: the fold of ``calllog.keep_events``. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from calllog.keep_events import Erased, HoldLifted, HoldSet, KeepEvent, RecordingPurged


@dataclass(slots=True)
class Hold:
    """Somebody's order that a call's recordings and data stay; times in µs, 0 while it is in force."""

    hold_id: str
    set_by: str
    set_at: int
    reason: str = ""
    """The id of the note that says why."""
    lifted_by: str = ""
    lifted_at: int = 0


@dataclass(frozen=True, slots=True)
class Removal:
    """A recording that was deleted (``what`` is ``purged``), or all that names the caller (``erased``)."""

    at: int
    what: str
    category: str
    file: str
    sha256: str
    kind: str
    days: int
    by: str
    manifest: str


@dataclass(slots=True)
class KeptState:
    """Holds by id, in the order in which they were set, and removals in theirs."""

    holds: dict[str, Hold] = field(default_factory=dict)
    removals: list[Removal] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether any hold is in force."""
        return any(not hold.lifted_at for hold in self.holds.values())

    def apply(self, at: int, event: KeepEvent) -> None:
        """Fold one event in. A hold that is not there cannot be lifted, and one that was lifted stays so."""
        match event:
            case HoldSet():
                self.holds.setdefault(event.hold_id, Hold(event.hold_id, event.by, at, event.notes.get("reason", "")))
            case HoldLifted():
                hold = self.holds.get(event.hold_id)
                if hold is not None and not hold.lifted_at:
                    hold.lifted_by, hold.lifted_at = event.by, at
            case RecordingPurged():
                self.removals.append(Removal(
                    at, "purged", event.category, event.file, event.sha256, event.kind_of, event.days, event.by,
                    event.manifest,
                ))  # fmt: skip
            case Erased():
                self.removals.append(Removal(at, "erased", "", "", "", "", 0, event.by, event.manifest))
