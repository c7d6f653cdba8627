"""Hearing a recording: who may, written down before anything is given, and what the page shows beside the sound.

A hearing is asked for once, with its reason; the access log holds it before an address is given out. The address opens
one recording for one session for some minutes (``recordings.signed``); the browser then fetches ranges of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from calllog import queries
from calllog.access import Access
from calllog.events import (
    Archived,
    Category,
    Held,
    KeyPressed,
    NoticeGiven,
    RecordingPaused,
    RecordingRequested,
    RecordingResumed,
    RecordingStopped,
    TalkEnded,
    TalkStarted,
    Unheld,
)
from calllog.queries import CallDetail
from calllog.wording import Names
from config.catalogue import _
from console.permits import Verb, Who, own_agent
from console.site import Refusal, Site
from recordings.folders import archived_of
from recordings.measures import Measures
from recordings.playback import NotPlayable, Playing, range_of
from recordings.signed import VALID_FOR, Grant, NotSigned, opens, sign

Reason = Literal["", "grading", "complaint", "training", "appeal", "other"]
"""Why somebody hears a recording; ``other`` says it in words, empty: not chosen, which is refused."""

LONGEST_WHY = 200
"""Characters of a reason in words."""

PEAKS = 4_000
"""Of a waveform for each side: more than a screen has pixels, and a page stays light however long the call was."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, and where in the recording: seconds from its beginning, negative: before it.

    ``end`` is 0 for a moment; ``kind`` is for the page (talk, hold, paused, key, notice, silence, talk_over).
    """

    kind: str
    at: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What the page needs to show the sound. ``peaks`` per side, 0 to 1; empty while they are not computed."""

    category: Category
    seconds: float
    channels: int
    peaks: tuple[tuple[float, ...], ...]
    marks: tuple[Mark, ...]
    silences: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the sound, or what else is ``below``, is, for this session, until ``until`` (µs)."""

    token: str
    until: int
    below: str = "/quality/sound"

    @property
    def path(self) -> str:
        """For browsers; programs have a door of their own (``console.api.hearing``)."""
        return f"{self.below}/{self.token}"


def reason_word(reason: str) -> str:
    """The reason as people say it."""
    return {
        "grading": _("grading"),
        "complaint": _("looking into a complaint"),
        "training": _("training"),
        "appeal": _("an appeal"),
        "other": _("another reason"),
    }.get(reason, reason)


def reasons(who: Who, deciding: bool = False) -> list[tuple[str, str]]:
    """What this person may choose among, codes and words, chosen first: the appeal that is decided, grading for a
    grader; for anybody else nothing (an empty code), since the log keeps for good what was never looked at."""
    codes = ["grading", "complaint", "training", "appeal", "other"]
    if deciding:
        codes.sort(key=lambda one: one != "appeal")
    found = [(one, reason_word(one)) for one in codes]
    return found if deciding or who.may(Verb.REVIEW_GRADE) else [("", _("choose a reason")), *found]


async def call_of(site: Site, who: Who, call_id: str) -> CallDetail:
    """The call, if this person may see it. Raises NotPermitted, and LookupError also for a call that is somebody
    else's: that it exists is not told either."""
    who.must(Verb.REVIEW_READ)
    detail = await queries.get_call(site.store, call_id)
    only = own_agent(who)
    if detail is None or (only is not None and (not only or only not in detail.row.agents)):
        raise LookupError(call_id)
    return detail


def recording_of(detail: CallDetail) -> Archived | None:
    """The call's finished recording: of its talks, else its message."""
    return archived_of(detail.state, "call") or archived_of(detail.state, "voicemail")


async def heard(site: Site, detail: CallDetail) -> Heard | None:
    """What is shown of the recording; None where none is finished."""
    archived = recording_of(detail)
    if archived is None:
        return None
    measures = await site.playback.measures(archived)
    seconds = archived.frames / archived.rate if archived.rate else 0.0
    return Heard(
        archived.category, seconds, archived.channels,
        tuple(tuple(measures.waveform(side, PEAKS)) for side in range(len(measures.peaks))) if measures else (),
        tuple(marks_of(detail, seconds, measures, Names.of(site.settings))), measures.silences if measures else (),
    )  # fmt: skip


async def hear(
    site: Site, who: Who, call_id: str, reason: Reason, words: str = ""
) -> Address:
    """An address for the sound, once the hearing stands in the access log. Raises NotPermitted, LookupError, Refusal,
    StoreError (then nothing is given)."""
    who.must(Verb.RECORDING_HEAR)
    detail = await call_of(site, who, call_id)
    archived = recording_of(detail)
    if archived is None:
        raise Refusal(_("This call has no recording."), status=404)
    why = stated(reason, words)
    try:
        await site.playback.open(archived)
    except NotPlayable as fault:
        raise Refusal(str(fault)) from None
    await site.access.note([
        Access(who.name, "recording.hear", why, role=roles(who), call_id=call_id, category=archived.category,
               address=who.address)
    ])  # fmt: skip
    until = site.now() + VALID_FOR * 1_000_000
    grant = Grant(call_id, archived.category, who.user_id, who.key, until)
    return Address(sign(site.signing, grant), until)


def stated(reason: Reason, words: str) -> str:
    """The reason as the access log has it. Raises Refusal for none."""
    if not reason:
        raise Refusal(_("Choose a reason."), status=422)
    if reason == "other" and not words.strip():
        raise Refusal(_("Say why."), status=422)
    return " ".join(words.split())[:LONGEST_WHY] if reason == "other" else reason


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes [first, end) of the sound; ``whole``: no range was asked for."""

    playing: Playing
    first: int
    end: int
    whole: bool

    def pieces(self, site: Site) -> AsyncIterator[bytes]:
        """The bytes. Raises NotPlayable where the file turns out damaged: nothing wrong is ever given."""
        return site.playback.read(self.playing, self.first, self.end)


class NoSuchRange(Exception):
    """What was asked for lies behind the end; the size is told (RFC 9110, 416)."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


async def sound(site: Site, who: Who, token: str, header: str | None) -> Part:
    """The bytes that an address and a Range header ask for. Raises NotPermitted, LookupError (an address that opens
    nothing for this session any more), NoSuchRange, Refusal."""
    who.must(Verb.RECORDING_HEAR)
    try:
        grant = opens(site.signing, token, who.key, site.now())
    except NotSigned:
        raise LookupError(token[:20]) from None
    detail = await call_of(site, who, grant.call_id)
    archived = archived_of(detail.state, grant.category)
    if archived is None:
        raise LookupError(grant.call_id)
    try:
        playing = await site.playback.open(archived)
    except NotPlayable as fault:
        raise Refusal(str(fault)) from None
    try:
        asked = range_of(header, playing.size)
    except ValueError:
        raise NoSuchRange(playing.size) from None
    first, end = asked or (0, playing.size)
    return Part(playing, first, end, asked is None)


def marks_of(detail: CallDetail, seconds: float, measures: Measures | None, names: Names) -> list[Mark]:
    """What happened, in order. The recording begins with its first part: the archive lays parts out in call time."""
    begins = next((each.at for each in detail.events if isinstance(each.event, RecordingRequested)), 0)
    found: list[Mark] = []
    open_since: dict[str, float] = {}
    stopped = 0.0
    paused: float | None = None

    def place(at: int) -> float:
        return round((at - begins) / 1e6, 2) if begins else -1.0

    for each in detail.events:
        at = place(each.at)
        match each.event:
            case NoticeGiven():
                found.append(Mark("notice", min(at, -0.01), 0.0, _("Recording notice")))
            case KeyPressed(key=key) if at >= 0:
                found.append(Mark("key", at, 0.0, _("Key {key}").format(key=key)))
            case TalkStarted(agent=agent):
                text = _("Talk with {agent} begins").format(agent=names.agent(agent))
                found.append(Mark("talk", max(at, 0.0), 0.0, text))
            case TalkEnded(agent=agent):
                text = _("Talk with {agent} ends").format(agent=names.agent(agent))
                found.append(Mark("talk", min(at, seconds), 0.0, text))
            case Held(talk_id=talk):
                open_since[talk] = at
            case Unheld(talk_id=talk) if talk in open_since:
                found.append(Mark("hold", open_since.pop(talk), at, _("On hold")))
            case RecordingPaused():
                paused = at if paused is None else paused
            case RecordingResumed() if paused is not None:
                found.append(Mark("paused", paused, at, _("Recording paused")))
                paused = None
            case RecordingStopped():
                stopped = at
                if paused is not None:
                    found.append(Mark("paused", paused, at, _("Recording paused")))
                    paused = None
            case RecordingRequested() if stopped and at - stopped > 1.0:
                found.append(Mark("paused", stopped, at, _("Not recorded")))
    if measures is not None:
        found += [Mark("silence", first, end, _("Silence")) for first, end in measures.silences]
        found += [Mark("talk_over", first, end, _("Both speak")) for first, end in measures.talk_overs]
    return sorted(found, key=lambda mark: (mark.at, mark.end))


def roles(who: Who) -> str:
    """The person's roles as the access log has them."""
    return ",".join(sorted(role.value for role in who.roles))
