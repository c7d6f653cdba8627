"""How long recordings stay: ``recording.keep`` in hotline.yaml."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from config.shapes import Label, Part, WallTime, Whole

Days = Annotated[Whole, Field(ge=1, le=36_500)]
Share = Annotated[Whole, Field(ge=1, le=100)]


class Keep(Part):
    """Days from the beginning of a recording until it may go; none: never. The longest that applies counts.

    Source of the defaults: no longer than needed (PIPL art. 19); complaints as long as a claim may be brought before a
    court (Civil Code art. 188, three years).
    """

    call: Days | None = 180
    complaint: Days | None = 1095
    voicemail: Days | None = 90
    complaints: tuple[Label, ...] = ("complaint",)
    """Queues, labels of menu options and subjects of call records that make a call a complaint."""
    purge_at: WallTime | None = Field(default_factory=lambda: dt.time(3, 30))
    """When the night's purge begins; none: only by command."""
    purge_most: Share = 20
    """Per cent of all recordings; a purge that would take more refuses: the clock or a setting may be wrong."""
