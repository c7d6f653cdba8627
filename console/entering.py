"""Signing in by name and password: one course for the form and for programs, with its waits and its one answer.

Whether the name, the password or the account is wrong is not said, not even by how long the answer takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import structlog

from config.catalogue import _, ngettext
from console.accounts import User, plain_name
from console.ask import Ask, PasswordNeeded
from console.passwords import TooBusy
from console.permits import Verb, Who, verbs_of
from console.sessions import Token
from console.site import Refusal

log = structlog.get_logger()


class NotEntered(Refusal):
    """Nobody was signed in, and why; ``wait``: seconds until it is worth another try."""

    def __init__(self, why: str, status: int, wait: float = 0.0) -> None:
        super().__init__(why, status=status)
        self.wait = wait

    @property
    def headers(self) -> Mapping[str, str]:
        """For the answer."""
        return {"Retry-After": str(math.ceil(self.wait))} if self.wait else {}


async def enter(ask: Ask, name: str, password: str) -> tuple[User, str]:
    """The user of this name and password, who may sign in now, and that password's hash: what is begun by it asks
    whether it still is theirs. Raises NotEntered."""
    sessions, plain = ask.office.sessions, plain_name(name)
    wait = await ask.thread(sessions.may_try, plain, ask.address)
    if wait:
        log.warning("too many wrong passwords: a sign-in must wait", address=ask.address, seconds=math.ceil(wait))
        raise NotEntered(_wait(wait), 429, wait)
    try:
        found = await _proved(ask, name, password)
    except TooBusy as fault:
        await ask.thread(sessions.not_tried, plain, ask.address)
        raise NotEntered(str(fault), 503, 3.0) from None
    if found is None:
        log.warning("a wrong name or password at the console", address=ask.address)
        raise NotEntered(_("Name or password is wrong."), 401)
    user = found[0]
    if user.must_change and user.password_until and user.password_until < ask.site.now():
        raise NotEntered(_("This one-time password is too old: have an administrator make a new one."), 401)
    await ask.thread(sessions.was_right, plain, ask.address)
    return found


async def token(
    ask: Ask, name: str, password: str, label: str, scopes: frozenset[Verb] | None, days: int
) -> tuple[Token, str]:
    """A token for whoever has this name and password: of all that they may do without ``scopes``. Raises NotEntered,
    Refusal, PasswordNeeded (a one-time password must be changed in the console first)."""
    user, proved = await enter(ask, name, password)
    if user.must_change:
        raise PasswordNeeded
    verbs = verbs_of(user.roles)
    who = Who(user.user_id, user.name, user.shown, user.roles, user.agent, verbs, address=ask.address)
    wanted = verbs if scopes is None else scopes
    return await ask.thread(ask.office.sessions.issue, who, label, wanted, days, proved)


async def _proved(ask: Ask, name: str, password: str) -> tuple[User, str] | None:
    """The user of this name and password who may sign in, and its hash; None for any other, after the same time.
    Raises TooBusy."""
    found = await ask.thread(ask.office.accounts.named, name)
    known = found[1] if found is not None and not found[0].disabled_at else None
    right = await ask.office.passwords.check(known, password)
    return found if right else None


def _wait(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole < 90:
        return ngettext("Too many wrong tries: wait {n} second.", "Too many wrong tries: wait {n} seconds.",
                        whole).format(n=whole)  # fmt: skip
    minutes = math.ceil(whole / 60)
    return ngettext("Too many wrong tries: wait {n} minute.", "Too many wrong tries: wait {n} minutes.",
                    minutes).format(n=minutes)  # fmt: skip
