"""The tree of subjects, laid flat: which there are, which can be chosen, what each asks of a record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.record_file import RecordField, Subject
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """One subject. ``path`` has the labels from the root; ``open``: it can be chosen now, having nothing below it and
    not being retired. ``needs`` is None where neither it nor any above it says."""

    id: str
    path: tuple[str, ...]
    needs: tuple[RecordField, ...] | None
    open: bool

    @property
    def label(self) -> str:
        """``投诉 › 退款``."""
        return " › ".join(self.path)


def subjects_of(settings: Settings) -> dict[str, Choice]:
    """Every subject by its id, in the order of the file; of an id that stands there twice the first."""
    found: dict[str, Choice] = {}
    for choice in _below(settings.subjects.subjects, (), None, False):
        found.setdefault(choice.id, choice)
    return found


def _below(
    among: Mapping[str, Subject], above: tuple[str, ...], needs: tuple[RecordField, ...] | None, retired: bool
) -> Iterator[Choice]:
    for name, subject in among.items():
        path, own = (*above, subject.label), subject.needs if subject.needs is not None else needs
        gone = retired or subject.retired
        yield Choice(name, path, own, not gone and not subject.subjects)
        yield from _below(subject.subjects, path, own, gone)


def label_of(subjects: Mapping[str, Choice], subject: str) -> str:
    """What a person reads; one that is no longer in the settings keeps its id."""
    known = subjects.get(subject)
    return known.label if known is not None else subject
