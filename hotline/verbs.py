"""What the ``hotline`` command may ask of the running daemon over its socket (``hotline.control``)."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from config.catalogue import _, answering
from hotline.cli_options import STORE
from hotline.control import Refused, Verb, peer
from hotline.ledger import user_name
from hotline.no_such import no_agent
from hotline.record_verbs import record_verbs
from phone.translate import clean
from routing.agents import RESERVED, IllegalTransition
from routing.messages import AgentVerb

if TYPE_CHECKING:
    from hotline.daemon import Daemon


class Verbs:
    """The daemon's answers, by verb. Each raises Refused."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def table(self) -> dict[str, Verb]:
        """The verbs by name."""
        verbs: dict[str, Verb] = {
            "agent": self._agent, "status": self._status, "draw_reviews": self._draw_reviews,
        }  # fmt: skip
        return verbs | record_verbs(self._daemon)

    async def _agent(self, request: Mapping[str, Any]) -> dict[str, Any]:
        agent = clean(str(request.get("agent", "")), 40)
        verb: AgentVerb | None = next((one for one in get_args(AgentVerb) if one == request.get("command")), None)
        if verb is None:
            raise Refused(lambda: _("Say sign-in, sign-out, ready, pause or extend."))
        reason = clean(str(request.get("reason", "")), 60)
        if reason in RESERVED:
            raise Refused(lambda: _("“{reason}” is a word of the hotline's own: give another.").format(reason=reason))
        if not self._daemon.adopted:
            raise Refused(lambda: _("Asterisk has not answered yet: try again in a moment."))
        staff = self._daemon.staff
        try:
            state = await staff.command(agent, verb, reason)
        except IllegalTransition:
            if verb == "extend":
                raise Refused(lambda: _("{agent}: there is no more time for a call record to be given.").format(
                    agent=agent
                )) from None  # fmt: skip
            if staff.agent(agent)[1]:
                raise Refused(lambda: _("{agent} has not signed in.").format(agent=agent)) from None
            raise Refused(lambda: _("{agent} is not on duty.").format(agent=agent)) from None
        except LookupError:
            known = list(self._daemon.settings.agents.agents)
            raise Refused(lambda: no_agent(agent, known)) from None
        return {"mode": state.mode, "reason": state.reason, "until": state.until, "record_due": bool(state.free_from)}

    async def _draw_reviews(self, request: Mapping[str, Any]) -> dict[str, Any]:
        daemon = self._daemon
        # Loaded in a thread and when first wanted: with SQLAlchemy it takes as long as a caller would notice.
        reviewing = await asyncio.to_thread(importlib.import_module, "hotline.reviewing")
        users = await asyncio.to_thread(reviewing.users, daemon.state_dir)
        found: dict[str, Any] = await reviewing.draw(
            daemon.journal, daemon.state_dir / STORE, daemon.settings,
            {**request, "by": user_name(peer(), str(request.get("sudo", "")))}, users,
        )
        return found

    async def _status(self, request: Mapping[str, Any]) -> dict[str, Any]:
        daemon = self._daemon
        with answering(request.get("language")):
            config = daemon.reload.status()
        about = {"pid": os.getpid(), "stopping": daemon.stopping.is_set(), "degraded": daemon.journal.degraded,
                 "config": config}  # fmt: skip
        if not daemon.adopted:
            return about | {"ready": False, "calls": 0, "agents": {}}
        backups = {agent for agent, line in daemon.duty.now.duty.items() if line.backup}
        breaks = daemon.duty.breaks()
        return about | {
            "ready": daemon.phone.ready,
            "calls": len(daemon.calls),
            "archiving": daemon.shelf.waiting,
            "recordings": daemon.upkeep.status(),
            "looking": daemon.traces.looking,
            "trunks": daemon.trunks.states,
            "waiting": {one.queue: {"waiting": one.many, "longest": round(one.longest, 1), "serving": one.serving}
                        for one in daemon.desk.waiting()},
            "tasks": len(asyncio.all_tasks()),
            "agents": {
                state.agent: {
                    "mode": state.mode,
                    "reason": state.reason,
                    "on_duty": state.agent in daemon.duty.now.duty,
                    "backup": state.agent in backups,
                    "break_until": breaks.get(state.agent, 0),
                    "reachable": any(self._devices(state.agent).values()),
                    "devices": self._devices(state.agent),
                }
                for state in daemon.desk.agents()
            },
        }  # fmt: skip

    def _devices(self, agent: str) -> dict[str, bool]:
        """The agent's devices, and whether each can be reached; of a number we know no better."""
        known = self._daemon.settings.agents.agents.get(agent)
        devices = known.devices if known is not None else ()
        return {one.label: one.number is not None or one.sip in self._daemon.reachable for one in devices}
