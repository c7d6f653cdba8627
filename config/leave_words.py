"""The kinds of leave in the reader's language: one word for each, wherever it is shown."""

from __future__ import annotations

from config.catalogue import _


def leave_word(kind: str) -> str:
    """A kind of leave (``config.roster_file.LeaveKind``); one that is not known as it is."""
    words = {
        "annual": _("annual leave"), "sick": _("sick leave"), "personal": _("personal leave"),
        "lieu": _("time off in lieu"), "other": _("other leave"),
    }  # fmt: skip
    return words.get(kind, kind)
