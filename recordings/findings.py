"""What a check of the recordings found (``recordings.reconcile``): plain values, and their words. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calllog.events import Category, RecordingFault
from config.catalogue import _
from recordings.notes import say, say_fault

FindingKind = Literal[
    "archive_gone", "bad_key", "gone", "size", "digest", "damaged", "no_key", "unreadable", "no_row", "foreign",
    "unfinished", "due", "failed", "open", "spool",
]  # fmt: skip
LOST: frozenset[FindingKind] = frozenset({"archive_gone", "gone", "size", "digest", "damaged", "no_key", "unreadable"})
"""Findings by which a recording cannot be heard: somebody is alarmed."""


@dataclass(frozen=True, slots=True)
class CheckJob:
    """What is to be checked. ``sample``: about so many recordings are read whole (None: all), chosen by ``seed``.

    ``now`` and the period of their beginning (``since``, ``until``) are in µs since 1970 UTC; with a period only
    recordings are looked at. ``live``: calls that go on, or are being archived. ``course``: a file into which a worker
    writes how far it is.
    """

    store: str
    state_dir: str
    keys: str
    now: int
    sample: int | None = None
    seed: int = 0
    since: int | None = None
    until: int | None = None
    live: frozenset[str] = frozenset()
    course: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. ``file`` is relative to the recordings."""

    kind: FindingKind
    file: str = ""
    call_id: str = ""
    category: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A recording whose file is in another state than at the check before: to be journalled."""

    call_id: str
    category: Category
    fault: RecordingFault


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at (recordings, files; ``read`` whole), what was found, and what is not measured. ``plain``:
    finished recordings that are not sealed."""

    recordings: int
    files: int
    read: int
    findings: tuple[Finding, ...]
    counts: dict[FindingKind, int]
    checked: tuple[Checked, ...]
    unmeasured: tuple[tuple[str, Category], ...]
    plain: int = 0

    @property
    def many(self) -> int:
        """Findings in all, also those not named."""
        return sum(self.counts.values())

    @property
    def lost(self) -> int:
        """Findings by which a recording cannot be heard."""
        return sum(count for kind, count in self.counts.items() if kind in LOST)


def say_finding(finding: Finding) -> str:
    """A finding as a sentence that names its place."""
    match finding.kind:
        case "archive_gone":
            said = _("The recordings' folder, or a large part of it, is not there: {file}. Mount it again.")
            return said.format(file=finding.file)
        case "bad_key":
            return finding.detail
        case "no_row":
            return _("{file}: no finished recording has this file.").format(file=finding.file)
        case "foreign":
            return _("{file}: not a file of the hotline's.").format(file=finding.file)
        case "unfinished":
            return _("{file}: left over by a process that was killed; it can be deleted.").format(file=finding.file)
        case "due":
            return _("Call {call}: its recording has not been finished for a day.").format(call=finding.call_id)
        case "failed":
            return _("Call {call}: its recording could not be finished. {why}").format(
                call=finding.call_id, why=" ".join(say(finding.detail))
            )
        case "open":
            return _("Call {call}: it has no outcome after a day.").format(call=finding.call_id)
        case "spool":
            return _("{file}: it has waited in the spool for a day.").format(file=finding.file)
    return f"{finding.file}: {say_fault(finding.kind)}"
