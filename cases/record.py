"""来电登记: what a call record holds, what it must hold to be complete, and what of it can be taken. Pure.

Texts are taken as given, whatever stands in them; showing them safely is the screens' part. They are bounded, and
what is no text at all (bytes that no UTF-8 is) is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from calllog.events import Erased, Recorded, RecordWritten, Solved
from calllog.record import Record, written
from cases.subjects import Choice
from config.catalogue import _
from config.record_file import RecordField
from config.settings import Settings

LONGEST = 10_000
"""Characters of one text: some ten pages."""

Text = Literal["name", "contact", "problem", "solution"]
TEXTS: tuple[Text, ...] = get_args(Text)
"""The fields that are free text, and so stand in notes."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a record says. ``subject`` is an id of the tree; ``solved`` is empty where nobody has said."""

    name: str = ""
    contact: str = ""
    identity_checked: bool = False
    subject: str = ""
    problem: str = ""
    solution: str = ""
    solved: Solved = ""


FIELDS = tuple(each.name for each in fields(Content))


@dataclass(frozen=True, slots=True)
class Version:
    """One version: when (µs), who wrote it, what it says, and which fields differ from the version before."""

    version: int
    at: int
    by: str
    agent: str
    complete: bool
    content: Content
    changed: tuple[str, ...]
    erased: tuple[str, ...] = ()
    """Texts that were there and are erased."""


@dataclass(frozen=True, slots=True)
class Card:
    """A call's record as it stands; ``missing`` is what it lacks by the settings of now. Without ``versions`` nobody
    has written one."""

    call_id: str
    content: Content = Content()
    missing: tuple[RecordField, ...] = ()
    versions: tuple[Version, ...] = ()
    latest: Record | None = field(default=None, compare=False)
    caller_erased: bool = False
    """The caller was erased, and with them what was written: nothing more is."""

    @property
    def version(self) -> int:
        """The latest version's number; 0: there is none."""
        return self.versions[-1].version if self.versions else 0

    @property
    def complete(self) -> bool:
        """Whether it counts as complete, by the settings under which it was written."""
        return bool(self.versions) and self.versions[-1].complete


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a field cannot be taken, in words; an empty ``field`` is the record as a whole."""

    field: str
    what: str


class NotTaken(Exception):
    """The record was not written; every reason at once. ``outdated``: somebody else wrote it meanwhile."""

    def __init__(self, faults: Iterable[Fault], *, outdated: bool = False) -> None:
        self.faults = tuple(faults)
        self.outdated = outdated
        super().__init__(" ".join(fault.what for fault in self.faults))


def needs_of(subject: str, subjects: Mapping[str, Choice], settings: Settings) -> tuple[RecordField, ...]:
    """What a record with this subject must have. Nobody is asked for a subject where there are none to choose."""
    known = subjects.get(subject)
    own = known.needs if known is not None else None
    needs = own if own is not None else settings.hotline.record.needs
    return tuple(one for one in needs if one != "subject" or any(each.open for each in subjects.values()))


def missing(content: Content, subjects: Mapping[str, Choice], settings: Settings) -> tuple[RecordField, ...]:
    """What the record lacks to be complete; empty: it is. White space alone is nothing."""
    return tuple(
        one for one in needs_of(content.subject, subjects, settings)
        if not (content.identity_checked if one == "identity" else str(getattr(content, one)).strip())
    )  # fmt: skip


def changed_by(before: Content, changes: Mapping[str, Any], subjects: Mapping[str, Choice]) -> Content:
    """The content with these fields put in place. Raises NotTaken with every fault.

    A subject that can no longer be chosen may stay, but not come.
    """
    faults: list[Fault] = []
    taken: dict[str, Any] = {}
    for name, value in changes.items():
        fault = _fault(name, value, before, subjects)
        if fault:
            faults.append(Fault(name, fault))
        else:
            taken[name] = value
    if faults:
        raise NotTaken(faults)
    return replace(before, **taken)


def _fault(name: str, value: object, before: Content, subjects: Mapping[str, Choice]) -> str:
    if name not in FIELDS:
        return _("A call record has no field {field}.").format(field=name[:40])
    title = field_word(name)
    if name == "identity_checked":
        return "" if isinstance(value, bool) else _("{field}: yes or no.").format(field=title)
    if not isinstance(value, str):
        return _("{field}: this is no text.").format(field=title)
    if name == "solved":
        return "" if value in get_args(Solved) else _("{field}: yes, no or open.").format(field=title)
    if name == "subject":
        known = subjects.get(value)
        if not value or value == before.subject or (known is not None and known.open):
            return ""
        if known is not None:
            return _("{field}: “{subject}” cannot be chosen.").format(field=title, subject=known.label)
        return _("{field}: there is no subject “{subject}”.").format(field=title, subject=value[:40])
    if len(value) > LONGEST:
        text = _("{field}: {n} characters are too many; {most} can be kept.")
        return text.format(field=title, n=len(value), most=LONGEST)
    if any("\ud800" <= each <= "\udfff" for each in value):
        return _("{field}: it holds bytes that are no text.").format(field=title)
    return ""


def card_of(call_id: str, events: Iterable[Recorded], texts: Mapping[str, str], settings: Settings,
            subjects: Mapping[str, Choice]) -> Card:  # fmt: skip
    """The record with its history, from the call's events and its notes' texts (by note_id)."""
    versions: list[Version] = []
    latest: Record | None = None
    before = Content()
    erased = False
    for each in events:
        event = each.event
        erased = erased or isinstance(event, Erased)
        if not isinstance(event, RecordWritten):
            continue
        latest = written(latest, each.at, event)
        said: dict[str, Any] = {name: texts.get(note, "") for name, note in event.notes.items() if name in TEXTS}
        now = Content(
            subject=event.subject, solved=event.solved, identity_checked=event.identity_checked, **said
        )
        versions.append(Version(
            event.version, each.at, event.by, event.agent, event.complete, now,
            tuple(name for name in FIELDS if getattr(now, name) != getattr(before, name)),
            tuple(name for name in said if not said[name]),
        ))  # fmt: skip
        before = now
    return Card(call_id, before, missing(before, subjects, settings), tuple(versions), latest, erased)


def field_word(name: str) -> str:
    """The field's name for a person; of what a record needs (``identity``) too."""
    words = {
        "name": _("Name"), "contact": _("Contact"), "identity_checked": _("Identity checked"),
        "identity": _("Identity checked"), "subject": _("Subject"), "problem": _("Problem"),
        "solution": _("Solution"), "solved": _("Solved"),
    }  # fmt: skip
    return words.get(name, name)


def solved_word(solved: str) -> str:
    """Whether it is solved, for a person."""
    return {"yes": _("solved"), "no": _("not solved"), "open": _("still open")}.get(solved, "")
