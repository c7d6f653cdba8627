"""Call records in the running daemon: what the ``hotline record`` command asks of it, and what a start must know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from calllog.errors import StoreError
from calllog.folds import AgentState, CallState
from calllog.journal import Journal
from cases.record import NotTaken
from config.catalogue import _, answering
from hotline.control import Refused, Verb
from hotline.no_such import no_call
from phone.translate import clean

if TYPE_CHECKING:
    from hotline.daemon import Daemon


def record_verbs(daemon: Daemon) -> dict[str, Verb]:
    """The verbs by name; each raises Refused."""

    async def write(request: Mapping[str, Any]) -> dict[str, Any]:
        call_id, changes = str(request.get("call", "")), request.get("changes")
        version = request.get("version")
        if not isinstance(changes, dict) or not (version is None or isinstance(version, int)):
            raise Refused(lambda: _("The running hotline does not know this request: is it another version?"))
        by, agent = clean(str(request.get("by", "")), 60), clean(str(request.get("agent", "")), 12)
        with answering(request.get("language")):
            try:
                card = await daemon.records.write(call_id, changes, by=by, agent=agent, version=version)
            except LookupError:
                said = no_call(call_id[:80])
            except (NotTaken, StoreError) as error:
                said = "\n".join(fault.what for fault in error.faults) if isinstance(error, NotTaken) else str(error)
            else:
                return {"version": card.version, "complete": card.complete}
        raise Refused(lambda: said)

    return {"record": write}


async def complete_records(journal: Journal, agents: Iterable[AgentState]) -> list[str]:
    """The calls of agents who talk or wrap up whose record is complete. Raises StoreError."""
    calls = {state.call_id for state in agents if state.call_id and state.mode in ("talking", "wrap_up")}
    found = [CallState.of(call_id, await journal.events_of(call_id)) for call_id in sorted(calls)]
    return [call.call_id for call in found if call.record is not None and call.record.complete]
