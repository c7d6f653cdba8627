"""The users room: who may enter the console, as what, and who changed that."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from config.catalogue import _
from console import people
from console.accounts import Changed, User, Wanted
from console.ask import Ask, Asked
from console.passwords import TooBusy
from console.permit_words import role_word
from console.permits import TABLE, Role, Verb
from console.rooms import Room
from console.site import Refusal

room = Room("users", title=lambda: _("Users"), path="/users", verb=Verb.USERS_READ, order=95)

Text = Annotated[str, Form(max_length=200)]
Names = Annotated[list[str] | None, Form()]


@room.page("/users", Verb.USERS_READ)
async def users(ask: Asked) -> Response:
    """Everybody."""
    return await ask.page("users.html", users=await ask.thread(ask.office.accounts.users, ask.who),
                          agents=ask.site.settings.agents.agents)  # fmt: skip


@room.page("/users/new", Verb.USERS_EDIT)
async def new(ask: Asked) -> Response:
    """The form for another one."""
    return await _form(ask, None, Wanted("", roles=frozenset({Role.AGENT})))


@room.act("/users/new", Verb.USERS_EDIT)
async def create(
    ask: Asked, name: Text = "", shown: Text = "", role: Names = None, agent: Text = "", language: Text = ""
) -> Response:
    """Another user, whose one-time password is on the page that comes back, once."""
    wanted = Wanted(name, shown, people.roles_of(role or ()), agent, language)
    try:
        user, password = await people.create(ask.office, ask.who, wanted)
    except Refusal as refusal:
        return await _form(ask, None, wanted, wrong=str(refusal), status=refusal.status)
    except TooBusy as fault:
        return await _form(ask, None, wanted, wrong=str(fault), status=503)
    return await _user(ask, user, password=password)


@room.page("/users/{user_id}", Verb.USERS_READ)
async def user(ask: Asked, user_id: str) -> Response:
    """One of them."""
    return await _user(ask, await people.found(ask.office, ask.who, user_id))


@room.act("/users/{user_id}", Verb.USERS_EDIT)
async def change(
    ask: Asked, user_id: str, shown: Text = "", role: Names = None, agent: Text = "", language: Text = "",
    version: Text = "",
) -> Response:  # fmt: skip
    """Other roles, another agent, another name shown."""
    before = await people.found(ask.office, ask.who, user_id)
    wanted = Wanted(before.name, shown, people.roles_of(role or ()), agent, language, version)
    try:
        await people.change(ask.office, ask.who, user_id, wanted)
    except Refusal as refusal:
        return await _form(ask, before, wanted, wrong=str(refusal), status=refusal.status)
    return ask.go(f"/users/{user_id}", said=_("Changed."))


@room.act("/users/{user_id}/reset", Verb.USERS_EDIT)
async def reset(ask: Asked, user_id: str) -> Response:
    """A new one-time password, shown once."""
    try:
        found, password = await people.reset(ask.office, ask.who, user_id)
    except TooBusy as fault:
        return ask.go(f"/users/{user_id}", said=str(fault), bad=True)
    return await _user(ask, found, password=password)


@room.act("/users/{user_id}/disable", Verb.USERS_EDIT)
async def disable(ask: Asked, user_id: str, on: Annotated[bool, Form()] = True) -> Response:
    """Out, or in again."""
    try:
        found = await people.disable(ask.office, ask.who, user_id, on)
    except Refusal as refusal:
        return ask.go(f"/users/{user_id}", said=str(refusal), bad=True)
    said = _("{name} can no longer sign in.") if on else _("{name} can sign in again.")
    return ask.go(f"/users/{user_id}", said=said.format(name=found.shown))


@room.page("/users/log/all", Verb.USERS_READ)
async def changes(ask: Asked) -> Response:
    """Who changed what of the users, and who signed in."""
    found = await people.changes(ask.office, ask.who, most=200)
    return await ask.page("users_log.html", changes=found, more=_more)


def _more(change: Changed) -> str:
    """What the change was, in words: roles, the agent, the name shown; a token's label and scopes."""
    detail: dict[str, Any] = json.loads(change.detail or "{}")
    known = {role.value: role for role in Role}
    roles = [role_word(known[role]) if role in known else role for role in detail.get("roles", ())]
    said = [detail.get("shown", ""), _(", ").join(roles), detail.get("agent", ""), detail.get("label", ""),
            " ".join(detail.get("scopes", ()))]  # fmt: skip
    return " · ".join(text for text in said if text)


@room.page("/users/permits/all", Verb.USERS_READ)
async def permits(ask: Asked) -> Response:
    """The table role × verb."""
    return await ask.page("permits.html", table=TABLE)


async def _form(ask: Ask, user: User | None, wanted: Wanted, *, wrong: str = "", status: int = 200) -> Response:
    return await ask.page("user_form.html", status=status, user=user, wanted=wanted, wrong=wrong,
                          agents=ask.site.settings.agents.agents)  # fmt: skip


async def _user(ask: Ask, user: User, *, password: str = "") -> Response:
    wanted = Wanted(user.name, user.shown, user.roles, user.agent, user.language)
    return await ask.page("user.html", user=user, wanted=wanted, password=password, wrong="",
                          agents=ask.site.settings.agents.agents, now=ask.site.now())  # fmt: skip
