"""A person's own account: password, where they are signed in, and tokens for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from config.catalogue import _
from console import passwords
from console.ask import Ask, Asked
from console.permits import Verb
from console.rooms import Room
from console.site import Refusal

room = Room("account")


@room.page("/account", Verb.SELF)
async def account(ask: Asked) -> Response:
    """What stands of this person, and what is open in their name."""
    return await _account(ask)


async def _account(ask: Ask, *, made: str = "") -> Response:
    who, office = ask.who, ask.office
    return await ask.page(
        "account.html", made=made, sessions=await ask.thread(office.sessions.of, who),
        tokens=await ask.thread(office.sessions.tokens, who), now=ask.site.now(),
    )  # fmt: skip


@room.page("/account/password", Verb.SELF, before_change=True)
async def password_form(ask: Asked) -> Response:
    """The form for a new password."""
    return await ask.page("password.html", wrong="", shortest=passwords.SHORTEST)


@room.act("/account/password", Verb.SELF, before_change=True)
async def password(
    ask: Asked,
    old: Annotated[str, Form(max_length=4 * passwords.LONGEST)] = "",
    new: Annotated[str, Form(max_length=4 * passwords.LONGEST)] = "",
    again: Annotated[str, Form(max_length=4 * passwords.LONGEST)] = "",
) -> Response:
    """A new password instead of the old one. All other sessions of this person end."""
    wrong = _("The two new passwords differ.") if new != again else await change_password(ask, old, new)
    if wrong:
        return await ask.page("password.html", status=422, wrong=wrong, shortest=passwords.SHORTEST)
    return ask.go("/", said=_("The password is changed. You are signed out everywhere else."))


async def change_password(ask: Ask, old: str, new: str) -> str:
    """Change the password of whoever asks; returns why not, or nothing. Raises TooBusy."""
    who, office = ask.who, ask.office
    if why := passwords.fault_of(new, who.name):
        return why
    wait = await ask.thread(office.sessions.may_try, who.name, ask.address)
    if wait or not await office.passwords.check(await ask.thread(office.accounts.password_of, who.user_id), old):
        return _("The old password is wrong, or was wrong too often: try again in a while.")
    await ask.thread(office.sessions.was_right, who.name, ask.address)
    if old == new:
        return _("The new password is the old one.")
    await ask.thread(office.accounts.own_password, who, await office.passwords.hash(new))
    return ""


@room.act("/account/sessions/end", Verb.SELF)
async def end_session(ask: Asked, key: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Sign out elsewhere: there, or everywhere but here where no ``key`` is given."""
    if key:
        await ask.thread(ask.office.sessions.end, ask.who, key)
    else:
        await ask.thread(ask.office.sessions.end_others, ask.who)
    return ask.go("/account", said=_("Signed out there."))


@room.act("/account/tokens", Verb.SELF)
async def new_token(
    ask: Asked,
    label: Annotated[str, Form(max_length=200)] = "",
    days: Annotated[int, Form(ge=1, le=366)] = 90,
    scope: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """A token for a program; it is shown once, on the page that comes back."""
    known = {verb.value: verb for verb in Verb}
    verbs = [known[each] for each in scope or () if each in known]
    try:
        _token, secret = await ask.thread(ask.office.sessions.issue, ask.who, label, verbs, days)
    except Refusal as refusal:
        return ask.go("/account", said=str(refusal), bad=True)
    return await _account(ask, made=secret)


@room.act("/account/tokens/end", Verb.SELF)
async def end_token(ask: Asked, token_id: Annotated[str, Form(max_length=64)]) -> Response:
    """The token opens nothing any more."""
    await ask.thread(ask.office.sessions.revoke, ask.who, token_id)
    return ask.go("/account", said=_("The token is ended."))
