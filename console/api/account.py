"""A person's own account, for programs: signing in, the password, where they are signed in, tokens, what changes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from console import entering, own
from console.ask import Asked
from console.pages.house import stream
from console.passwords import LONGEST
from console.permits import Role, Verb
from console.rooms import ANYONE, ApiRoom
from console.said import WHOLE
from console.sessions import Token
from console.site import Refusal

room = ApiRoom("account")

Password = Annotated[str, Field(max_length=4 * LONGEST)]
Label = Annotated[str, Field(min_length=1, max_length=60)]
Days = Annotated[int, Field(ge=1, le=366), WHOLE]
Language = Literal["", "zh", "en"]


class Me(BaseModel):
    """Whoever asks. ``agent`` is the staff number they are bound to; ``language`` is empty where it was not chosen."""

    name: str
    shown: str
    roles: list[Role]
    agent: str
    language: str
    permissions: list[Verb]


class Mine(BaseModel):
    """One of one's own tokens; the secret itself is never shown again. ``this``: the one that asks."""

    token_id: str
    label: str
    scopes: list[Verb]
    created_at: int
    expires_at: int
    used_at: int
    this: bool


class Made(BaseModel):
    """A new token, whose secret is shown this once."""

    token: Mine
    secret: str


class SignIn(BaseModel):
    """A name and password, and what the token is for. Without ``scopes`` it may all that the person may."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    password: Password
    label: Label
    scopes: Annotated[list[Verb], Field(min_length=1)] | None = None
    days: Days = 1


class NewToken(BaseModel):
    """What a token is for; its scopes are at most what the person may."""

    model_config = ConfigDict(extra="forbid")

    label: Label
    scopes: Annotated[list[Verb], Field(min_length=1)]
    days: Days = 90


class Session(BaseModel):
    """A browser in which one is signed in. ``this``: the one that asks."""

    key: str
    began: int
    seen: int
    address: str
    browser: str
    this: bool


class NewPassword(BaseModel):
    """The old password, and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class Chosen(BaseModel):
    """A language; empty: as each browser or program says (Accept-Language)."""

    model_config = ConfigDict(extra="forbid")

    language: Language


@room.do("POST", "/sign-in", ANYONE, status_code=201, stranger=True)
async def sign_in(ask: Asked, wanted: SignIn) -> Made:
    """A token for a name and password, with the same waits after wrong ones as at the screen."""
    scopes = None if wanted.scopes is None else frozenset(wanted.scopes)
    made, secret = await entering.token(ask, wanted.name, wanted.password, wanted.label, scopes, wanted.days)
    return Made(token=_mine(made), secret=secret)


@room.read("/me", Verb.SELF)
async def me(ask: Asked) -> Me:
    """Who asks, and what they may do."""
    who = ask.who
    user = await ask.thread(ask.office.accounts.user, who.user_id)
    return Me(name=who.name, shown=who.shown, roles=sorted(who.roles), agent=who.agent,
              language=user.language if user is not None else "", permissions=sorted(who.verbs))  # fmt: skip


@room.do("PUT", "/me/password", Verb.SELF, status_code=204, before_change=True)
async def password(ask: Asked, wanted: NewPassword) -> None:
    """Another password; whoever is signed in elsewhere by the old one is out. Tokens stay."""
    if why := await own.change_password(ask, wanted.old, wanted.new):
        raise Refusal(why, status=422)


@room.do("PUT", "/me/language", Verb.SELF, status_code=204)
async def language(ask: Asked, wanted: Chosen) -> None:
    """Read in this language from now on."""
    await own.choose_language(ask, wanted.language)


@room.read("/me/sessions", Verb.SELF)
async def sessions(ask: Asked) -> list[Session]:
    """Where one is signed in."""
    return [
        Session(key=one.key, began=one.began, seen=one.seen, address=one.address, browser=one.browser,
                this=one.key == ask.who.key)
        for one in await own.sessions(ask)
    ]  # fmt: skip


@room.do("DELETE", "/me/sessions", Verb.SELF, status_code=204)
async def end_others(ask: Asked) -> None:
    """Sign out everywhere else: with a token, everywhere."""
    await own.end_other_sessions(ask)


@room.do("DELETE", "/me/sessions/{key}", Verb.SELF, status_code=204)
async def end_session(ask: Asked, key: Annotated[str, Path(max_length=64)]) -> None:
    """Sign out there."""
    await own.end_session(ask, key)


@room.read("/me/tokens", Verb.SELF)
async def tokens(ask: Asked) -> list[Mine]:
    """One's own tokens."""
    return [_mine(one, ask.who.key) for one in await own.tokens(ask)]


@room.do("POST", "/me/tokens", Verb.SELF, status_code=201)
async def make_token(ask: Asked, wanted: NewToken) -> Made:
    """Another token. A token cannot make one (403): sign in for it."""
    made, secret = await own.make_token(ask, wanted.label, wanted.scopes, wanted.days)
    return Made(token=_mine(made), secret=secret)


@room.do("DELETE", "/me/tokens/{token_id}", Verb.SELF, status_code=204)
async def end_token(ask: Asked, token_id: Annotated[str, Path(max_length=64)]) -> None:
    """End one of one's own tokens."""
    await own.end_token(ask, token_id)


@room.read("/live", Verb.SELF, response_class=Response, responses={200: {
    "description": "A stream of server-sent events; `data:` names the topics, with blanks between.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}})  # fmt: skip
async def live(ask: Asked, topics: Annotated[str, Query(max_length=300)] = "") -> Response:
    """Which of these topics (`desk,duty,status`) changed, for as long as the token is valid. What is new is asked for
    anew: the stream carries no data."""
    return stream(await ask.office.follow(ask.who, topics))


def _mine(one: Token, key: str = "") -> Mine:
    return Mine(token_id=one.token_id, label=one.label, scopes=sorted(one.verbs), created_at=one.created_at,
                expires_at=one.expires_at, used_at=one.used_at, this=bool(key) and one.key == key)  # fmt: skip
