"""How a trunk can stand, and what people call that."""

from __future__ import annotations

from typing import Literal

from config.catalogue import _

TrunkState = Literal["registered", "reachable", "refused", "unreachable", "unregistered", "unknown"]
"""``refused``: the carrier answers and does not take our account. ``unknown``: never asked, or not in this Asterisk."""

IN_SERVICE: frozenset[TrunkState] = frozenset({"registered", "reachable"})


def state_word(state: TrunkState) -> str:
    """A trunk's state as people say it."""
    return {
        "registered": _("registered"),
        "reachable": _("reachable"),
        "refused": _("refused: account or password wrong?"),
        "unreachable": _("does not answer"),
        "unregistered": _("not registered"),
        "unknown": _("unknown"),
    }[state]
