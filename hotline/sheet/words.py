"""What may stand in a cell of the sheet: shifts by their short word, leave, or nothing; written one way, read in many.

Whoever fills the sheet in types as they are used to: 「早＋晚」 in full width, 早班, 年休假, AL. What is read has one
meaning or none; of what has none, the likeliest word is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from config.catalogue import _
from config.explain import did_you_mean
from config.problems import shown
from config.roster_file import LeaveKind, Shift

JOIN = "+"
"""Stands between the shifts of a cell."""

SEPARATORS = re.compile(r"[+、,/;&|\s]+")
"""What people write between them, after full width has become half width."""

REST = ("休", "休息", "公休", "轮休", "off", "rest", "-", "--", "–", "—")
"""Words for a day without a shift."""

LEAVES: Mapping[LeaveKind, tuple[str, ...]] = {
    "annual": ("年", "AL", "年假", "年休", "年休假", "annual", "annual leave"),
    "sick": ("病", "SL", "病假", "sick", "sick leave"),
    "personal": ("事", "PL", "事假", "personal", "personal leave"),
    "lieu": ("调", "TL", "调休", "补休", "lieu", "time off in lieu"),
    "other": ("假", "OL", "其他", "其它", "其他假", "请假", "休假", "other", "other leave", "leave"),
}
"""Words for each kind of leave; the first is written in a Chinese sheet, the second in an English one."""

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")


@dataclass(frozen=True, slots=True)
class Want:
    """What a cell says of a person and a date: these shifts, or this leave, or neither (a day without a shift)."""

    shifts: tuple[str, ...] = ()
    leave: LeaveKind | None = None


class NoMeaning(Exception):
    """The text of a cell means nothing; the arguments are what is wrong and what to do, as sentences."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.what, self.fix = what, fix


class Vocabulary:
    """The words of the cells while the roster has these shifts (by name, in the file's order)."""

    def __init__(self, shifts: Mapping[str, Shift], chinese: bool) -> None:
        self._chinese = chinese
        self.names = tuple(shifts)
        reserved = {bare(word) for words in (REST, *LEAVES.values()) for word in words}
        self.shorts = _shorts(shifts, reserved)
        self._meaning: dict[str, Want] = {bare(word): Want() for word in REST}
        for kind, words in LEAVES.items():
            self._meaning |= {bare(word): Want(leave=kind) for word in words}
        self._meaning |= {bare(name): Want((name,)) for name in shifts}
        self._meaning |= {bare(short): Want((name,)) for name, short in self.shorts.items()}

    @property
    def rest(self) -> str:
        """The word for a day without a shift."""
        return "休" if self._chinese else "off"

    def leave(self, kind: LeaveKind) -> str:
        """The short word for this kind of leave."""
        return LEAVES[kind][0 if self._chinese else 1]

    def write(self, want: Want) -> str:
        """How this stands in a cell."""
        if want.leave is not None:
            return self.leave(want.leave)
        return JOIN.join(self.shorts.get(name, name) for name in want.shifts) or self.rest

    def choices(self) -> list[str]:
        """The words that the list in a cell offers."""
        return [*self.shorts.values(), self.rest, *(self.leave(kind) for kind in get_args(LeaveKind))]

    def ordered(self, names: Iterable[str]) -> tuple[str, ...]:
        """Shifts, each once, in the file's order."""
        wanted = set(names)
        return tuple(name for name in self.names if name in wanted)

    def read(self, text: str) -> Want:
        """What the text of a cell means. Raises NoMeaning."""
        if not bare(text):
            return Want()
        whole = self._meaning.get(bare(text))
        if whole is not None:
            return whole
        words = [word for word in SEPARATORS.split(plain(text)) if word]
        wants = [self._meaning.get(bare(word)) for word in words]
        for word, want in zip(words, wants, strict=True):
            if want is None:
                raise self._unknown(word)
        shifts = [name for want in wants if want for name in want.shifts]
        if len(shifts) < len(wants):
            raise NoMeaning(
                _("“{text}” mixes a shift with rest or leave.").format(text=_cut(text)),
                _("Write shifts alone, joined by +. Leave for a part of a shift: 'hotline roster leave' with times."),
            )
        if len(set(shifts)) < len(shifts):
            raise NoMeaning(_("“{text}” names a shift twice.").format(text=_cut(text)), _("Write each shift once."))
        return Want(self.ordered(shifts))

    def _unknown(self, word: str) -> NoMeaning:
        what = _("“{text}” is no shift and no leave.").format(text=_cut(word))
        parts = self._run_together(bare(word))
        if parts:
            return NoMeaning(what, _("Did you mean {word}?").format(word=JOIN.join(parts)))
        known = [*self.choices(), *self.names]
        return NoMeaning(what, did_you_mean(bare(word), dict.fromkeys(known)))

    def _run_together(self, word: str) -> list[str]:
        """The short words that this is made of without anything between them; none when it is not."""
        if not word:
            return []
        for short in sorted(self.shorts.values(), key=len, reverse=True):
            if bare(short) == word:
                return [short]
            if word.startswith(bare(short)) and (rest := self._run_together(word[len(bare(short)) :])):
                return [short, *rest]
        return []


def plain(text: str) -> str:
    """Full width as half width, without invisible characters and without space around it (Unicode's NFKC)."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def bare(text: str) -> str:
    """A word as it is compared: plain, without any space, in one case."""
    return re.sub(r"\s+", "", plain(text)).casefold()


def _cut(text: str) -> str:
    return shown(plain(text), 30)


def _shorts(shifts: Mapping[str, Shift], reserved: set[str]) -> dict[str, str]:
    """A short word for each shift, all different: its own, else as much of its name's beginning as it takes."""
    names = {bare(name): name for name in shifts}
    taken: dict[str, str] = {}
    for wished in (True, False):
        for name, shift in shifts.items():
            if name in taken or (wished and shift.short is None):
                continue
            for word in _candidates(name, shift.short if wished else None):
                others = reserved | {bare(short) for short in taken.values()} | {*names} - {bare(name)}
                if bare(word) and bare(word) not in others and not SEPARATORS.search(plain(word)):
                    taken[name] = word
                    break
    return {name: taken.get(name, name) for name in shifts}


def _candidates(name: str, short: str | None) -> list[str]:
    """Words for a shift, the best first: as on the screen's roster a character of its name, then more and more of it.
    """
    if short is not None:
        return [short]
    wide = [each for each in name if not each.isascii() and each.isalnum()]
    narrow = [name[place : place + 2] for place in range(len(name) - 1)]
    return [*(wide or narrow), *(name[: length + 1].strip() for length in range(len(name)))]
