"""The shape of what is set for call records (来电登记): ``record`` in hotline.yaml, and subjects.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.shapes import Label, Name, Part, Wait, Whole

RecordField = Literal["name", "contact", "identity", "subject", "problem", "solution", "solved"]
"""What a call record can be asked for; ``identity``: that it was checked, ``solved``: yes, no or still open."""


class CallRecords(Part):
    """What makes a call record complete, and whether an agent must complete it before the next call. Seconds.

    ``needs`` holds where the call's subject has none of its own. With ``required`` the wrap-up after a talk goes on
    until the record is complete, for ``time_limit`` at the longest; the agent may extend that ``extensions`` times by
    ``extend_by``. ``at_limit`` they are ready again, or paused, and the record is missing.
    """

    needs: tuple[RecordField, ...] = ("subject", "problem", "solved")
    required: bool = False
    time_limit: Wait = 180.0
    extend_by: Wait = 60.0
    extensions: Annotated[Whole, Field(ge=0, le=20)] = 2
    at_limit: Literal["ready", "pause"] = "ready"


class Subject(Part):
    """What a call can be about. Its key is its id, the same for ever, wherever in the tree it stands.

    ``retired``: it and all below it can no longer be chosen; what was recorded keeps its label. ``needs``: of a record
    with this subject, or one below it.
    """

    label: Label
    needs: tuple[RecordField, ...] | None = None
    retired: bool = False
    subjects: dict[Name, Subject] = Field(default_factory=dict)


class SubjectFile(Part):
    """subjects.yaml: the tree of subjects; the file may be missing, then calls have none."""

    subjects: dict[Name, Subject] = Field(default_factory=dict)
