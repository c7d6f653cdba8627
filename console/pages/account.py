"""A person's own account: password, where they are signed in, and tokens for programs."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from config.catalogue import _, ngettext
from console import own, passwords
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
    return await ask.page("account.html", made=made, sessions=await own.sessions(ask), tokens=await own.tokens(ask),
                          now=ask.site.now())  # fmt: skip


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
    status = 422
    try:
        wrong = _("The two new passwords differ.") if new != again else await own.change_password(ask, old, new)
    except passwords.TooBusy as fault:
        wrong, status = str(fault), 503
    if wrong:
        return await ask.page("password.html", status=status, wrong=wrong, shortest=passwords.SHORTEST)
    said = _("The password is changed. You are signed out everywhere else.")
    if n := len(await own.tokens(ask)):  # one of them may be of whoever knew the old password
        more = ngettext("{n} token of a program stays valid: end it below if you do not know it.",
                        "{n} tokens of programs stay valid: end those below that you do not know.", n)  # fmt: skip
        return ask.go("/account", said=f"{said} {more.format(n=n)}")
    return ask.go("/", said=said)


@room.act("/account/sessions/end", Verb.SELF)
async def end_session(ask: Asked, key: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Sign out elsewhere: there, or everywhere but here where no ``key`` is given."""
    if key:
        with suppress(LookupError):  # it is over already
            await own.end_session(ask, key)
    else:
        await own.end_other_sessions(ask)
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
        _token, secret = await own.make_token(ask, label, verbs, days)
    except Refusal as refusal:
        return ask.go("/account", said=str(refusal), bad=True)
    return await _account(ask, made=secret)


@room.act("/account/tokens/end", Verb.SELF)
async def end_token(ask: Asked, token_id: Annotated[str, Form(max_length=64)]) -> Response:
    """The token opens nothing any more."""
    await own.end_token(ask, token_id)
    return ask.go("/account", said=_("The token is ended."))
