"""A person's own account, for programs: who the token is of, and its scopes."""

from __future__ import annotations

from pydantic import BaseModel

from console.ask import Asked
from console.permits import Role, Verb
from console.rooms import ApiRoom

room = ApiRoom("account")


class Me(BaseModel):
    """Whoever asks. ``agent`` is the staff number they are bound to."""

    name: str
    shown: str
    roles: list[Role]
    agent: str
    permissions: list[Verb]


@room.read("/me", Verb.SELF)
async def me(ask: Asked) -> Me:
    """Who asks, and what they may do."""
    who = ask.who
    return Me(name=who.name, shown=who.shown, roles=sorted(who.roles), agent=who.agent, permissions=sorted(who.verbs))


class Mine(BaseModel):
    """One of one's own tokens; the secret itself is never shown again."""

    token_id: str
    label: str
    scopes: list[Verb]
    created_at: int
    expires_at: int
    used_at: int


@room.read("/me/tokens", Verb.SELF)
async def tokens(ask: Asked) -> list[Mine]:
    """One's own tokens."""
    return [
        Mine(token_id=one.token_id, label=one.label, scopes=sorted(one.verbs), created_at=one.created_at,
             expires_at=one.expires_at, used_at=one.used_at)
        for one in await ask.thread(ask.office.sessions.tokens, ask.who)
    ]  # fmt: skip


@room.do("DELETE", "/me/tokens/{token_id}", Verb.SELF, status_code=204)
async def end_token(ask: Asked, token_id: str) -> None:
    """End one of one's own tokens."""
    await ask.thread(ask.office.sessions.revoke, ask.who, token_id)
