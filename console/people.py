"""What pages, API and ``hotline users`` do with users: one function each, which checks the verb and says what is wrong.

Whatever is typed is checked here; the password of a new user is made here and comes back once, in clear.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable

from console import passwords
from console.accounts import Accounts, Changed, User, Wanted, checked
from console.office import Office
from console.permits import Role, Verb, Who


async def create(office: Office, who: Who, wanted: Wanted) -> tuple[User, str]:
    """A new user and their one-time password. Raises NotPermitted, Refusal, TooBusy."""
    who.must(Verb.USERS_EDIT)
    plain = checked(wanted, office.site.settings.agents.agents)
    password = passwords.one_time()
    return await office.thread(office.accounts.create, who, plain, await office.passwords.hash(password)), password


async def change(office: Office, who: Who, user_id: str, wanted: Wanted) -> User:
    """Another name shown, other roles, agent or language. Raises NotPermitted, Refusal, LookupError."""
    who.must(Verb.USERS_EDIT)
    plain = checked(wanted, office.site.settings.agents.agents)
    return await _told(office, office.thread(office.accounts.change, who, user_id, plain))


async def reset(office: Office, who: Who, user_id: str) -> tuple[User, str]:
    """A new one-time password; who is signed in by the old one is out. Raises NotPermitted, LookupError, TooBusy."""
    who.must(Verb.USERS_EDIT)
    password = passwords.one_time()
    hashed = await office.passwords.hash(password)
    return await _told(office, office.thread(office.accounts.reset, who, user_id, hashed)), password


async def disable(office: Office, who: Who, user_id: str, disabled: bool) -> User:
    """Nobody signs in by this name any more, or again. Raises NotPermitted, Refusal, LookupError."""
    who.must(Verb.USERS_EDIT)
    return await _told(office, office.thread(office.accounts.disable, who, user_id, disabled))


async def _told(office: Office, work: Awaitable[User]) -> User:
    """Once it is done, streams of whoever is out end."""
    user = await work
    office.live.look_again()
    return user


async def changes(office: Office, who: Who, *, most: int) -> list[Changed]:
    """The latest changes of users and sign-ins, the newest first. Raises NotPermitted."""
    return await office.thread(office.accounts.changes, who, most=most)


async def found(office: Office, who: Who, user_id: str) -> User:
    """One user. Raises NotPermitted, LookupError."""
    who.must(Verb.USERS_READ)
    user = await office.thread(office.accounts.user, user_id)
    if user is None:
        raise LookupError(user_id)
    return user


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """The roles of these names; what is none is left out."""
    known = {role.value: role for role in Role}
    return frozenset(known[name] for name in names if name in known)


FIRST = frozenset({Role.ADMINISTRATOR, Role.SUPERVISOR, Role.QUALITY})
"""What the first user is: a small house needs no other, and a large one takes roles away."""


def first_user(accounts: Accounts, who: Who, name: str, agents: Collection[str]) -> str | None:
    """The first user's one-time password; None where there is anybody already. Blocks for an argon2. Raises Refusal."""
    if accounts.are_there_any():
        return None
    wanted = checked(Wanted(name, roles=FIRST), agents)
    password = passwords.one_time()
    accounts.create(who, wanted, passwords.hashed(password))
    return password
