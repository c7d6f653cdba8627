"""What the daemon lends the agents' desk: a call that runs, and the switch of its recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from config.catalogue import _
from console.site import CallNow, Refusal
from hotline.recording_switch import NoTalk, switch_failed, switch_recording
from phone.trunks import caller_e164

if TYPE_CHECKING:
    from hotline.calls import Calls
    from hotline.daemon import Daemon


def call_now(daemon: Daemon, call_id: str) -> CallNow | None:
    """A call that runs, as its agent's desk shows it."""
    call = daemon.calls.running_call(call_id) if daemon.adopted else None
    if call is None:
        return None
    state = call.state
    return CallNow(
        call_id, call.number, caller_e164(call.number, state.trunk, daemon.settings.hotline), state.label,
        state.language, state.asked_at,
        frozenset(talk.agent for talk in state.talks if talk.started_at or talk.ringing), _recording(call_id, daemon),
    )  # fmt: skip


def _recording(call_id: str, daemon: Daemon) -> Literal["", "on", "paused", "off"]:
    call = daemon.calls.running_call(call_id)
    talk = call.state.talk if call is not None else None
    if talk is None or not talk.live:
        return ""
    part = talk.parts[-1] if talk.parts else None
    if part is None or part.failed or part.stopped_at:
        return "off"
    return "paused" if part.paused_since else "on"


async def switched(calls: Calls, agent: str, *, pause: bool) -> None:
    """Pause the recording, or let it go on. Raises Refusal."""
    try:
        done = await switch_recording(calls, agent, pause, "console")
    except NoTalk:
        raise Refusal(_("You are in no talk.")) from None
    if done == "unrecorded":
        raise Refusal(_("Nothing of this talk is being recorded."))
    if done == "failed":
        raise Refusal(switch_failed(pause), status=503)
