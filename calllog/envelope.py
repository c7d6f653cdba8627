"""Events on their way to disk: made safe to write, and read back from the table and from the spool."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from calllog.codec import Undecodable, decode, encode, stream_of
from calllog.events import AnyEvent, Party, Recorded, Stream
from calllog.folds import AgentState, CallState
from calllog.notes import LONGEST, Note

log = structlog.get_logger("calllog")

RAW_LONGEST = 64
"""Characters kept of a number as the trunk gave it; E.164 has 15 digits."""
NAME_LONGEST = 128
"""Characters kept of a caller's name."""
_INT64 = 2**63 - 1
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that a stored number or name may not hold: control, format, surrogate, line separators."""


@dataclass(slots=True)
class Item:
    """An event that waits to be written. ``seq`` is its place in the journal, given when it was appended."""

    seq: int
    at: int
    stream: Stream
    stream_id: str
    event: AnyEvent
    party: Party | None
    kind: str
    v: int
    data: str
    notes: tuple[Note, ...] = ()

    @property
    def recorded(self) -> Recorded:
        """The event as a reader sees it."""
        return Recorded(self.seq, self.at, self.stream, self.stream_id, self.event)


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the spool file."""

    seq: int
    at: int
    stream: Stream
    stream_id: str
    kind: str
    v: int
    data: msgspec.Raw
    party: Party | None = None
    notes: tuple[Note, ...] = ()


_line_encoder = msgspec.json.Encoder()
_line_decoder = msgspec.json.Decoder(Line)


def seal(
    seq: int, at: int, stream: Stream, stream_id: str, event: AnyEvent, party: Party | None = None,
    notes: Iterable[Note] = (),
) -> Item:  # fmt: skip
    """An item whose every text and number can be stored: what cannot be is replaced, so that nothing is refused.

    Raises only for an ``event`` that is no event at all.
    """
    at = max(-_INT64, min(_INT64, at))
    stream_id = _sound_text(stream_id)
    if party is not None:
        party = clean(party)
    kept = tuple(_storable(note, stream_id if stream == "call" else "") for note in notes)
    try:
        kind, v, data = encode(event)
        if "null" not in data:  # no event has a null: msgspec writes one for a number that is not finite
            return Item(seq, at, stream, stream_id, event, party, kind, v, data, kept)
    except (ValueError, TypeError):
        pass
    event = msgspec.convert(_sound(msgspec.to_builtins(event)), type(event), strict=False)
    return Item(seq, at, stream, stream_id, event, party, *encode(event), kept)


def _storable(note: Note, call_id: str) -> Note:
    """The note as given, but for what no UTF-8 can hold; bounded, so that no text fills the spool."""
    return Note(
        _sound_text(note.note_id), note.kind, note.field, _sound_text(note.text[:LONGEST]),
        _sound_text(note.call_id) or call_id,
    )  # fmt: skip


def _sound_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _sound(value: Any) -> Any:
    match value:
        case str():
            return _sound_text(value)
        case float() if not math.isfinite(value):
            return 0.0
        case int():
            return max(-_INT64, min(_INT64, value))
        case dict():
            return {key: _sound(each) for key, each in value.items()}
        case list() | tuple():
            return [_sound(each) for each in value]
        case _:
            return value


def clean(party: Party) -> Party:
    """The party as it is stored: limited, without characters that would garble a screen or a file."""
    return Party(_clean(party.raw, RAW_LONGEST), _clean(party.e164, RAW_LONGEST), _clean(party.name, NAME_LONGEST))


def _clean(text: str, longest: int) -> str:
    if text.isascii() and text.isprintable():
        return text[:longest].strip()
    return "".join(each for each in text if unicodedata.category(each) not in _HIDDEN)[:longest].strip()


def to_line(item: Item) -> bytes:
    """The item as one line of the spool, with its newline."""
    raw = msgspec.Raw(item.data.encode())
    line = Line(item.seq, item.at, item.stream, item.stream_id, item.kind, item.v, raw, item.party, item.notes)
    return _line_encoder.encode(line) + b"\n"


def from_line(line: bytes) -> Item:
    """The item again. Raises ValueError for a line that is torn or of a newer version."""
    read = _line_decoder.decode(line)
    data = bytes(read.data)
    event = decode(read.kind, read.v, data)
    return Item(
        read.seq, read.at, read.stream, read.stream_id, event, read.party, read.kind, read.v, data.decode(), read.notes
    )


def recorded(rows: Iterable[Any]) -> list[Recorded]:
    """Rows (seq, at, stream, stream_id, kind, v, data) as events; one that cannot be read is logged and left out."""
    found = []
    for seq, at, stream, stream_id, kind, v, data in rows:
        try:
            found.append(Recorded(seq, at, stream, stream_id, decode(kind, v, data)))
        except Undecodable as error:
            log.error("an event of the journal cannot be read", seq=seq, why=str(error))
    return found


def fold_call(state: CallState, at: int, event: AnyEvent) -> str:
    """Fold an event of stream ``call`` in; returns why it does not fit, empty when it does.

    An event that does not fit stays in the journal and changes nothing: here, and equally in ``rebuild``.
    """
    try:
        if stream_of(event) != "call":
            return "it is no event of a call"
        state.apply(at, event)  # type: ignore[arg-type]
    except LookupError as error:
        return str(error)
    return ""


def fold_agent(state: AgentState, at: int, event: AnyEvent) -> str:
    """Fold an event of stream ``agent`` in; returns why it does not fit, empty when it does."""
    if stream_of(event) != "agent":
        return "it is no event of an agent"
    state.apply(at, event)  # type: ignore[arg-type]
    return ""
