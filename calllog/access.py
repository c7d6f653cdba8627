"""The access log as a chain: each entry carries the digest of the one before, so that none can be changed unseen. Pure.

The digest of an entry is the SHA-256, in hexadecimal, of these bytes: the UTF-8 of the JSON array ::

    ["hotline-access-1", previous, n, at, who, role, verb, call_id, category, party_id, why, address, batch]

without spaces, characters beyond ASCII as they are, ``at`` in µs since 1970 UTC (the event's own time). ``previous`` of
the first entry is 64 zeros. No text holds a control character, so that there is one way to write it.

A chain shows what was changed, taken out, put in or moved within it. That its end was cut off, or that all of it was
made anew, shows only what stands elsewhere: an anchor, which is the number and the digest of one entry.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from calllog.keep_events import Accessed
from config.catalogue import _, ngettext
from config.masking import masked_text

FORMAT = "hotline-access-1"
NOBODY = "0" * 64
"""``previous`` of the first entry."""
LONGEST = 400
"""Characters kept of each text of an entry."""


@dataclass(frozen=True, slots=True)
class Access:
    """What is to be written down; the words are those of :class:`Accessed`."""

    who: str
    verb: str
    why: str = ""
    role: str = ""
    call_id: str = ""
    category: str = ""
    party_id: str = ""
    address: str = ""
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One entry's number and digest, as somebody keeps them elsewhere; ``where`` says who. 0: before the first."""

    n: int = 0
    digest: str = NOBODY
    where: str = ""


def anchor_of(text: str, where: str) -> Anchor:
    """What stands elsewhere as ``N:DIGEST``, for example in a line of the daemon's log. Raises ValueError."""
    number, _colon, digest = text.strip().partition(":")
    if not re.fullmatch("[0-9]{1,15}", number) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(_("Write its number, a colon and its digest, as in the log."))
    return Anchor(int(number), digest, where)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the log: at entry ``n``, in event ``seq`` (0: behind its end), and what, in a line.
    """

    n: int
    seq: int
    text: str


def linked(last: Anchor, at: int, access: Access) -> Accessed:
    """The next entry behind ``last``. Telephone numbers in the reason are masked: entries are kept for good."""
    event = Accessed(
        n=last.n + 1, who=_clean(access.who), verb=_clean(access.verb), role=_clean(access.role),
        call_id=_clean(access.call_id), category=_clean(access.category), party_id=_clean(access.party_id),
        why=_clean(masked_text(access.why)), address=_clean(access.address), batch=_clean(access.batch),
        previous=last.digest, digest="",
    )  # fmt: skip
    return Accessed(**{name: getattr(event, name) for name in event.__struct_fields__} | {"digest": digest(at, event)})


def digest(at: int, entry: Accessed) -> str:
    """What its digest must be."""
    fields = [
        FORMAT, entry.previous, entry.n, at, entry.who, entry.role, entry.verb, entry.call_id, entry.category,
        entry.party_id, entry.why, entry.address, entry.batch,
    ]  # fmt: skip
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def faults(entries: Iterable[tuple[int, int, Accessed]], anchors: Iterable[Anchor] = ()) -> Iterator[Fault]:
    """What is wrong with these entries (seq, at, entry), in the order of ``seq``; nothing when all is well."""
    awaited: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        awaited.setdefault(anchor.n, []).append(anchor)
    last = Anchor()
    for seq, at, entry in entries:
        for text in _wrong(seq, at, entry, last, awaited.pop(entry.n, ())):
            yield Fault(entry.n, seq, text)
        last = Anchor(entry.n, entry.digest)
    for anchor in (each for some in awaited.values() for each in some if each.n):
        text = _("Access log: it ends with entry {last}, but {where} knows entry {n}: its end was cut off.")
        yield Fault(last.n + 1, 0, text.format(last=last.n, n=anchor.n, where=anchor.where))


def _wrong(seq: int, at: int, entry: Accessed, last: Anchor, known: Iterable[Anchor]) -> Iterator[str]:
    """What is wrong with one entry behind ``last``."""
    if digest(at, entry) != entry.digest:
        yield _("Access log: entry {n} (event {seq}) was changed.").format(n=entry.n, seq=seq)
    if entry.n > last.n + 1:
        many = entry.n - last.n - 1
        text = ngettext("Access log: {many} entry is missing before entry {n} (event {seq}).",
                        "Access log: {many} entries are missing before entry {n} (event {seq}).", many)  # fmt: skip
        yield text.format(many=many, n=entry.n, seq=seq)
    elif entry.n != last.n + 1 or entry.previous != last.digest:
        yield _("Access log: entry {n} (event {seq}) does not follow the one before it.").format(n=entry.n, seq=seq)
    for anchor in known:
        if anchor.digest != entry.digest:
            text = _("Access log: entry {n} is not the one that {where} knows: the log was made anew.")
            yield text.format(n=entry.n, where=anchor.where)


def _clean(text: str) -> str:
    sound = text.encode("utf-8", "replace").decode()
    return "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in sound)[:LONGEST].strip()


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
