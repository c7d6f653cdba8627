"""The one outcome of a call, from what its journal says. Pure."""

from __future__ import annotations

from calllog.events import Outcome
from calllog.folds import CallState


def outcome_of(state: CallState, *, failed: bool = False) -> tuple[Outcome, str]:
    """The first that is true, in the order of DESIGN.md section 2, and the reason behind it.

    ``failed``: a fault of ours, of Asterisk's or of the trunk's ended the call.
    """
    if state.served:
        talk = next(talk for talk in reversed(state.talks) if talk.started_at)
        return "answered", f"{talk.ended_by or state.hung_up_by or 'fault'}_hung_up"
    if state.voicemail_kept:
        return "voicemail", state.offered_why
    if failed:
        return "failed", "away" if state.stage == "away" else state.stage
    if not state.asked:
        return "menu", f"{state.hung_up_by or 'hotline'}_hung_up_in_{state.stage}"
    if state.offered_why == "closed":
        return "closed", "no_message"
    if state.offered_why == "uncovered":
        return "uncovered", "no_message"
    if state.hung_up_by == "caller":
        return "abandoned", "after_longest_wait" if state.offered_why == "longest_wait" else "waiting"
    return ("abandoned", "no_message") if state.offered_why == "longest_wait" else ("failed", state.stage)
