"""The words of the room of keeping."""

from __future__ import annotations

from config.catalogue import _


def left_word(why: str) -> str:
    """Why an erasure leaves a call whole."""
    return {
        "held": _("it is held"),
        "open": _("it is still going on"),
        "due": _("its recording is just being finished: try again in a minute"),
    }.get(why, why)


def odd_word(found: str) -> str:
    """Why a purge leaves a recording's file."""
    if found == "no_folder":
        return _("its folder is not there: is the archive mounted?")
    return _("there is no plain file by this name")
