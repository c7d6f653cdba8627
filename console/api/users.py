"""Users, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from console import people
from console.accounts import User, Wanted
from console.ask import Asked
from console.permits import TABLE, Role, Verb
from console.rooms import ApiRoom

room = ApiRoom("users")

Shown = Annotated[str, Field(max_length=40)]
Name = Annotated[
    str, Field(pattern="^[A-Za-z0-9_\u4e00-\u9fff][A-Za-z0-9_.@+\u4e00-\u9fff-]{0,39}$", max_length=40)
]


class Person(BaseModel):
    """A user. Times are µs since 1970 UTC, 0 for never."""

    user_id: str
    name: str
    shown: str
    roles: list[Role]
    agent: str
    language: str
    must_change_password: bool
    disabled_at: int
    created_at: int
    signed_in_at: int
    version: str


class Change(BaseModel):
    """What a user is to be. ``agent``: a staff number of agents.yaml, or empty without the role agent; ``language``:
    zh, en, or empty."""

    model_config = ConfigDict(extra="forbid")

    shown: Shown = ""
    roles: Annotated[list[Role], Field(min_length=1, max_length=20)]
    agent: Annotated[str, Field(pattern="^([0-9]{2,12})?$")] = ""
    language: Annotated[str, Field(pattern="^(zh|en)?$")] = ""


class Edit(Change):
    """``version``: the one that was looked at; where somebody changed the user since, nothing is done (409)."""

    version: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")] = ""


class NewPerson(Change):
    """A new user."""

    name: Name


class WithPassword(BaseModel):
    """A user and their one-time password, which is never shown again."""

    user: Person
    password: str


def _person(user: User) -> Person:
    return Person(
        user_id=user.user_id, name=user.name, shown=user.shown, roles=sorted(user.roles), agent=user.agent,
        language=user.language, must_change_password=user.must_change, disabled_at=user.disabled_at,
        created_at=user.created_at, signed_in_at=user.signed_in_at, version=user.version,
    )  # fmt: skip


class Log(BaseModel):
    """A change of a user, or a sign-in. ``detail`` is JSON."""

    at: int
    by: str
    kind: str
    whom: str
    detail: str
    address: str


def _wanted(name: str, change: Change, seen: str = "") -> Wanted:
    return Wanted(name, change.shown, frozenset(change.roles), change.agent, change.language, seen)


@room.read("/users", Verb.USERS_READ)
async def users(ask: Asked) -> list[Person]:
    """Everybody who may enter the console."""
    return [_person(one) for one in await ask.thread(ask.office.accounts.users, ask.who)]


@room.do("POST", "/users", Verb.USERS_EDIT, status_code=201)
async def create(ask: Asked, person: NewPerson) -> WithPassword:
    """A new user, with a one-time password."""
    user, password = await people.create(ask.office, ask.who, _wanted(person.name, person))
    return WithPassword(user=_person(user), password=password)


@room.read("/user-log", Verb.USERS_READ)
async def log(ask: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> list[Log]:
    """Who changed what of the users, and who signed in, the newest first."""
    found = await people.changes(ask.office, ask.who, most=limit)
    return [Log(at=one.at, by=one.by, kind=one.kind, whom=one.whom, detail=one.detail, address=one.address)
            for one in found]  # fmt: skip


@room.read("/permits", Verb.USERS_READ)
async def permits(ask: Asked) -> dict[Verb, list[Role]]:
    """The table role × verb."""
    return {verb: sorted(roles) for verb, roles in TABLE.items()}


@room.read("/users/{user_id}", Verb.USERS_READ)
async def user(ask: Asked, user_id: str) -> Person:
    """One user."""
    return _person(await people.found(ask.office, ask.who, user_id))


@room.do("PUT", "/users/{user_id}", Verb.USERS_EDIT)
async def change(ask: Asked, user_id: str, change: Edit) -> Person:
    """Other roles, another agent, name shown or language; the user name stays. Other roles end the user's sessions."""
    before = await people.found(ask.office, ask.who, user_id)
    return _person(await people.change(ask.office, ask.who, user_id, _wanted(before.name, change, change.version)))


@room.do("POST", "/users/{user_id}/reset", Verb.USERS_EDIT)
async def reset(ask: Asked, user_id: str) -> WithPassword:
    """A new one-time password; the user is signed out everywhere."""
    user, password = await people.reset(ask.office, ask.who, user_id)
    return WithPassword(user=_person(user), password=password)


@room.do("POST", "/users/{user_id}/disable", Verb.USERS_EDIT)
async def disable(ask: Asked, user_id: str) -> Person:
    """The user cannot sign in any more, and is signed out; tokens end."""
    return _person(await people.disable(ask.office, ask.who, user_id, True))


@room.do("POST", "/users/{user_id}/enable", Verb.USERS_EDIT)
async def enable(ask: Asked, user_id: str) -> Person:
    """The user can sign in again."""
    return _person(await people.disable(ask.office, ask.who, user_id, False))
