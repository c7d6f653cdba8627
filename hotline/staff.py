"""What codes, roll calls and commands may ask and say of agents: the desk, with what the roster knows of the hours to
come, and the journal that must have it before anybody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from calllog.errors import StoreLost
from calllog.folds import AgentState
from routing.agents import EARLY
from routing.messages import AgentCommand, AgentVerb
from routing.roll_call import REMEMBERED, STREAM_ID, RollCall

if TYPE_CHECKING:
    from hotline.daemon import Daemon

log = structlog.get_logger()


class Staff:
    """A :class:`routing.codes.Staff`."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    @property
    def there(self) -> bool:
        """Whether anybody can be asked."""
        return self._daemon.adopted

    def owner(self, account: str) -> str | None:
        """Whose phone this is."""
        return self._daemon.desk.owner(account)

    def agent(self, agent: str) -> tuple[AgentState, bool]:
        """Their state, and whether they are on duty. Raises LookupError."""
        return self._daemon.desk.agent(agent)

    async def command(self, agent: str, verb: AgentVerb, reason: str = "") -> AgentState:
        """Do it, and return when it is journalled. Raises LookupError, IllegalTransition.

        A store that takes nothing costs nobody their sign-in: the journal keeps it and tries again.
        """
        soon = verb == "sign_in" and self._begins_soon(agent)
        state = self._daemon.desk.command(AgentCommand(agent, verb, reason, soon))
        try:
            await self._daemon.journal.flush()
        except StoreLost as lost:
            log.error("what an agent said is not safe yet", agent=agent, verb=verb, why=str(lost))
        return state

    def _begins_soon(self, agent: str) -> bool:
        now = self._daemon.wall()
        soon = self._daemon.duty.roster.of_agent(agent, now, now + timedelta(microseconds=EARLY))
        return any(duty.begins > now for duty in soon)


def roll_call(daemon: Daemon) -> RollCall:
    """The daemon's roll call."""
    return RollCall(
        daemon.phone, daemon.journal, daemon.staff, lambda: daemon.settings, lambda: daemon.duty.roster, daemon.wall,
        lambda: daemon.adopted and daemon.phone.ready, daemon.alerts.alert,
        lambda: daemon.journal.events_since("roster", STREAM_ID, daemon.clock.now() - REMEMBERED),
    )  # fmt: skip
