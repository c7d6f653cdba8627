"""Signing in and out, and the language and looks of the pages, which need no sign-in."""

from __future__ import annotations

import math
import secrets
from contextlib import suppress
from typing import Annotated

from fastapi import Form, Query, Request
from starlette.responses import RedirectResponse, Response

from console import own
from console.ask import Ask, Asked, inside
from console.entering import NotEntered, enter
from console.guard import BEFORE, COOKIE, LANGUAGE, THEME, cookie_name
from console.passwords import LONGEST
from console.permits import Verb
from console.rooms import ANYONE, Room
from console.site import Refusal

room = Room("sign-in")

YEAR = 365 * 86_400


@room.page("/", ANYONE)
async def home(ask: Asked) -> Response:
    """The first room that this person may enter."""
    links = ask.links()
    return ask.go(links[0].path if links else "/account" if ask.known is not None else "/sign-in")


@room.page("/sign-in", ANYONE)
async def form(ask: Asked, request: Request, next: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """The form. Who comes by a link from elsewhere brings no cookie (SameSite=Strict): they are sent on once by a page
    of ours, and then their browser shows it."""
    if ask.known is not None:
        return ask.go(inside(next))
    if request.headers.get("sec-fetch-site") == "cross-site":
        return await ask.page("sign_in_again.html", next=inside(next))
    return await _form(ask, next)


async def _form(
    ask: Ask, next: str, *, name: str = "", wrong: str = "", status: int = 200, wait: float = 0
) -> Response:
    ask.csrf = secrets.token_urlsafe(24)
    first = not await ask.thread(ask.office.accounts.are_there_any)
    answer = await ask.page("sign_in.html", status=status, next=inside(next), name=name, wrong=wrong, first=first)
    _cookie(ask, answer, BEFORE, ask.csrf, 3600)
    if wait:
        answer.headers["Retry-After"] = str(math.ceil(wait))
    return answer


@room.act("/sign-in", ANYONE)
async def sign_in(
    ask: Asked,
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=4 * LONGEST)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Sign in, and go to where they wanted. Whether the name, the password or the account is wrong is not said."""
    office = ask.office
    try:
        user, proved = await enter(ask, name, password)
        browser = request.headers.get("user-agent", "")
        secret = await ask.thread(office.sessions.begin, user, proved, ask.address, browser)
    except Refusal as refused:
        return await _form(ask, next, name=name.strip()[:40], wrong=str(refused), status=refused.status,
                           wait=refused.wait if isinstance(refused, NotEntered) else 0)  # fmt: skip
    if ask.known is not None:  # the browser's session until now ends; a secret is never carried over
        await ask.thread(office.sessions.end, ask.known, ask.known.key)
        office.live.look_again()
    answer = RedirectResponse("/account/password" if user.must_change else inside(next), 303)
    _cookie(ask, answer, COOKIE, secret, None)
    answer.delete_cookie(cookie_name(BEFORE, ask.secure), path="/", secure=ask.secure, httponly=True, samesite="strict")
    if user.language:
        _cookie(ask, answer, LANGUAGE, user.language, YEAR)
    return answer


@room.act("/sign-out", Verb.SELF, before_change=True)
async def sign_out(ask: Asked) -> Response:
    """The session is over, on the server too."""
    with suppress(LookupError):  # it was ended elsewhere in this moment
        await own.end_session(ask, ask.who.key)
    answer = ask.go("/sign-in")
    answer.delete_cookie(cookie_name(COOKIE, ask.secure), path="/", secure=ask.secure, httponly=True, samesite="strict")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@room.act("/language", ANYONE)
async def language(
    ask: Asked, to: Annotated[str, Form(pattern="^(zh|en)$")], back: Annotated[str, Form(max_length=500)] = "/"
) -> Response:
    """Read in another language from now on."""
    if ask.known is not None and ask.known.by == "session":
        await own.choose_language(ask, to)
    return _back(ask, back, LANGUAGE, to)


@room.act("/theme", ANYONE)
async def theme(
    ask: Asked,
    to: Annotated[str, Form(pattern="^(auto|light|dark)$")],
    back: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Light, dark, or like the system."""
    return _back(ask, back, THEME, to)


def _back(ask: Ask, back: str, name: str, value: str) -> Response:
    answer = RedirectResponse("/sign-in" if back.startswith("/sign-in") else inside(back), 303)
    _cookie(ask, answer, name, value, YEAR)
    return answer


def _cookie(ask: Ask, answer: Response, name: str, value: str, lasts: int | None) -> None:
    """A cookie that no script reads and no other site sends. Language and looks are no secrets and keep their name."""
    whole = name if name in (LANGUAGE, THEME) else cookie_name(name, ask.secure)
    answer.set_cookie(whole, value, max_age=lasts, path="/", secure=ask.secure, httponly=True, samesite="strict")

