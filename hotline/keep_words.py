"""The words for what is kept, what goes, and who has heard or taken something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calllog.wording import with_why
from config.catalogue import _

if TYPE_CHECKING:
    from calllog.keep_events import Accessed


def verb_word(verb: str) -> str:
    """What somebody did with a caller's data; a verb that is unknown here stays as it is."""
    words = {
        "recording.hear": _("heard"),
        "recording.export": _("took a copy"),
        "person.export": _("took all of one caller"),
    }
    return words.get(verb, verb)


def access_words(entry: Accessed) -> str:
    """An entry of the access log in one line."""
    return with_why(_("{who}: {verb}").format(who=entry.who, verb=verb_word(entry.verb)), entry.why)
