"""Who may do what: one table, role × verb. What does not stand in it nobody may.

The functions behind pages, API and commands ask it (``who.must(Verb.X)``), and every route names its verb besides, so
that a room which forgets one of the two is still closed. What a person may see of a verb's *rows* is
:func:`own_agent`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """What a user is; somebody may be several things."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    QUALITY = "quality"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DEPARTMENT = "department"


class Verb(StrEnum):
    """What can be done. ``*.read`` shows, the others change or bring sound and numbers out."""

    SELF = "self"
    """One's own account: password, sessions, language, tokens."""
    STATUS_READ = "status.read"
    METRICS_READ = "metrics.read"
    USERS_READ = "users.read"
    USERS_EDIT = "users.edit"
    ACCESS_READ = "access.read"
    """The log of who heard and exported what."""
    DUTY_READ = "duty.read"
    AGENTS_READ = "agents.read"
    AGENTS_COMMAND = "agents.command"
    """Others' states; one's own is ``desk.use``."""
    DESK_USE = "desk.use"
    CALLS_READ = "calls.read"
    NUMBER_SEE = "number.see"
    """Telephone numbers whole; without it ``138****8000``."""
    COMMENT_WRITE = "comment.write"
    RECORD_READ = "record.read"
    RECORD_WRITE = "record.write"
    RECORDING_HEAR = "recording.hear"
    RECORDING_PAUSE = "recording.pause"
    RECORDING_EXPORT = "recording.export"
    RECORDING_VERIFY = "recording.verify"
    HOLD_READ = "hold.read"
    """Which calls are held, by whom and why."""
    HOLD_SET = "hold.set"
    PURGE_READ = "purge.read"
    """What would go, and what went: manifests."""
    PURGE_RUN = "purge.run"
    PERSON_EXPORT = "person.export"
    """Everything kept about one number."""
    PERSON_ERASE = "person.erase"
    REVIEW_READ = "review.read"
    REVIEW_GRADE = "review.grade"
    REVIEW_PLAN = "review.plan"
    REVIEW_FORMS = "review.forms"
    REVIEW_APPEAL = "review.appeal"
    REVIEW_DECIDE = "review.decide"


_AGENT, _SUPERVISOR, _QUALITY = Role.AGENT, Role.SUPERVISOR, Role.QUALITY
_ADMINISTRATOR, _AUDITOR = Role.ADMINISTRATOR, Role.AUDITOR

TABLE: Mapping[Verb, frozenset[Role]] = {
    verb: frozenset(roles)
    for verb, roles in {
        Verb.SELF: tuple(Role),
        Verb.STATUS_READ: (_SUPERVISOR, _QUALITY, _ADMINISTRATOR, _AUDITOR),
        Verb.METRICS_READ: (_SUPERVISOR, _ADMINISTRATOR, _AUDITOR),
        Verb.USERS_READ: (_ADMINISTRATOR, _AUDITOR),
        Verb.USERS_EDIT: (_ADMINISTRATOR,),
        Verb.ACCESS_READ: (_ADMINISTRATOR, _AUDITOR),
        Verb.DUTY_READ: (_AGENT, _SUPERVISOR, _QUALITY, _ADMINISTRATOR, _AUDITOR),
        Verb.AGENTS_READ: (_SUPERVISOR, _QUALITY, _ADMINISTRATOR, _AUDITOR),
        Verb.AGENTS_COMMAND: (_SUPERVISOR, _ADMINISTRATOR),
        Verb.DESK_USE: (_AGENT,),
        Verb.CALLS_READ: (_AGENT, _SUPERVISOR, _QUALITY, _AUDITOR),
        Verb.NUMBER_SEE: (_AGENT, _SUPERVISOR),
        Verb.COMMENT_WRITE: (_SUPERVISOR, _QUALITY),
        Verb.RECORD_READ: (_AGENT, _SUPERVISOR, _QUALITY, _AUDITOR),
        Verb.RECORD_WRITE: (_AGENT, _SUPERVISOR),
        Verb.RECORDING_HEAR: (_AGENT, _SUPERVISOR, _QUALITY),
        Verb.RECORDING_PAUSE: (_AGENT,),
        Verb.RECORDING_EXPORT: (_SUPERVISOR, _QUALITY),
        Verb.RECORDING_VERIFY: (_QUALITY, _ADMINISTRATOR, _AUDITOR),
        Verb.HOLD_READ: (_SUPERVISOR, _QUALITY, _ADMINISTRATOR, _AUDITOR),
        Verb.HOLD_SET: (_SUPERVISOR, _QUALITY, _AUDITOR),
        Verb.PURGE_READ: (_ADMINISTRATOR, _AUDITOR),
        Verb.PURGE_RUN: (_ADMINISTRATOR,),
        Verb.PERSON_EXPORT: (_SUPERVISOR, _ADMINISTRATOR),
        Verb.PERSON_ERASE: (_ADMINISTRATOR,),
        Verb.REVIEW_READ: (_AGENT, _SUPERVISOR, _QUALITY, _AUDITOR),
        Verb.REVIEW_GRADE: (_QUALITY,),
        Verb.REVIEW_PLAN: (_SUPERVISOR, _QUALITY),
        Verb.REVIEW_FORMS: (_SUPERVISOR, _ADMINISTRATOR),
        Verb.REVIEW_APPEAL: (_AGENT,),
        Verb.REVIEW_DECIDE: (_SUPERVISOR, _QUALITY),
    }.items()
}
"""Which roles may. A role that is only ``agent`` sees its own calls alone (:func:`own_agent`)."""

EVERY_CALL = frozenset({_SUPERVISOR, _QUALITY, _AUDITOR})
"""Roles that see calls of all agents."""


class NotPermitted(Exception):
    """This person may not do that. Nothing else is said: not whether the thing exists."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(verb.value)
        self.verb = verb


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who asks: a user in the browser (``by`` is ``session``), a program (``token``), or a command on the
    machine itself (``command``), who may everything and says their system user's name."""

    user_id: str
    name: str
    shown: str
    roles: frozenset[Role]
    agent: str = ""
    """The staff number that the user is bound to; empty: none."""
    verbs: frozenset[Verb] = frozenset()
    by: Literal["session", "token", "command"] = "session"
    key: str = ""
    """Of the session or token, for ending it; never the secret itself."""
    address: str = ""
    must_change: bool = False
    """Has signed in by a one-time password, and may nothing before it is changed."""

    def may(self, verb: Verb) -> bool:
        """Whether this person may do it at all."""
        return verb in self.verbs

    def must(self, verb: Verb) -> None:
        """Raises NotPermitted."""
        if verb not in self.verbs:
            raise NotPermitted(verb)


def verbs_of(roles: Iterable[Role]) -> frozenset[Verb]:
    """All that these roles may do together."""
    held = frozenset(roles)
    return frozenset(verb for verb, may in TABLE.items() if may & held)


def own_agent(who: Who) -> str | None:
    """The staff number whose calls, records and reviews alone this person sees; None: everybody's.

    Empty for a person who is bound to no agent and may not see all: then there is nothing to see. Every question for
    rows passes through here.
    """
    if who.by == "command" or who.roles & EVERY_CALL:
        return None
    return who.agent


def command_line(user: str) -> Who:
    """Who gives a command on the machine itself: may everything, as the files there are theirs."""
    return Who(f"command:{user}", user, user, frozenset(Role), verbs=frozenset(Verb), by="command")
