"""The words for what is kept, what goes, and who has heard or taken something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calllog.keep_events import Erased, HoldLifted, HoldSet, RecordingPurged
from calllog.wording import Names, category_word, with_why
from config.catalogue import _

if TYPE_CHECKING:
    from calllog.keep_events import Accessed, KeepEvent


VERBS = ("recording.hear", "recording.export", "calls.export", "access.export", "person.export", "person.erase")
"""What stands in the access log."""


def verb_word(verb: str) -> str:
    """What somebody did with a caller's data; a verb that is unknown here stays as it is."""
    words = {
        "recording.hear": _("heard"),
        "recording.export": _("took a copy"),
        "calls.export": _("took a list of calls"),
        "access.export": _("took the access log"),
        "person.export": _("took all of one caller"),
        "person.erase": _("erased a caller"),
    }
    return words.get(verb, verb)


def access_words(entry: Accessed) -> str:
    """An entry of the access log in one line."""
    return with_why(_("{who}: {verb}").format(who=entry.who, verb=verb_word(entry.verb)), entry.why)


def rule_word(kind: str, days: int) -> str:
    """The rule by which a recording went."""
    match kind:
        case "call":
            return _("talks after {days} days").format(days=days)
        case "complaint":
            return _("complaints after {days} days").format(days=days)
        case "voicemail":
            return _("messages after {days} days").format(days=days)
    return _("the caller was erased")


def kept_words(event: KeepEvent, names: Names) -> str:
    """What was held or deleted, in one line."""
    match event:
        case HoldSet():
            return _("Held by {who}: nothing of it may be deleted").format(who=names.person(event.by))
        case HoldLifted():
            return _("Hold lifted by {who}").format(who=names.person(event.by))
        case RecordingPurged():
            said = _("Recording deleted ({category})").format(category=category_word(event.category))
            return with_why(said, rule_word(event.kind_of, event.days))
        case Erased():
            return _("Caller erased by {who}").format(who=names.person(event.by))
