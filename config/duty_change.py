"""What a change of the roster means for people's duty, as it is computed, kept with its version, and told."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

Why = Literal["pattern", "shift", "leave", "cover", "swap", "extra", "shifts", "team"]
"""``pattern``: rules, rotations, teams or the calendar; ``shift``: the times of a shift itself; else a dated change,
and ``cover`` for who works it instead of somebody on leave."""


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A shift, or the hours of it that are worked, in naive wall times."""

    shift: str
    begins: dt.datetime
    ends: dt.datetime


class DayChange(msgspec.Struct, frozen=True, array_like=True):
    """What goes and what comes of the shifts that begin on a date."""

    date: dt.date
    lost: tuple[Piece, ...]
    gained: tuple[Piece, ...]


class DutyChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of duty of one agent, or of several whose changes are the same.

    ``days`` are the first dates it concerns, ``count`` all of them, the ``first`` to the ``last``; ``lost`` and
    ``gained`` count shifts by name. ``goes_on``: to the end of what was looked at, and probably beyond. ``back``: a
    dated change is no longer there. ``leave``: its kind; ``other``: who covers, is covered for, or was swapped with;
    ``teams``: the one before and the one after, where that is the reason. Of a ``shift`` that itself has other times,
    ``agents`` are all whose duty changes so, and ``days`` one example.
    """

    agents: tuple[str, ...]
    why: Why
    first: dt.date
    last: dt.date
    count: int
    days: tuple[DayChange, ...]
    lost: dict[str, int]
    gained: dict[str, int]
    goes_on: bool = False
    back: bool = False
    leave: str = ""
    other: str = ""
    teams: tuple[str, ...] = ()
