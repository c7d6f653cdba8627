"""What a person does with their own account: one function each for the pages and for programs."""

from __future__ import annotations

from collections.abc import Iterable

from config.catalogue import _
from console import passwords
from console.ask import Ask
from console.permits import Verb
from console.sessions import Session, Token


async def change_password(ask: Ask, old: str, new: str) -> str:
    """Change the password of whoever asks; returns why not, or nothing. Raises TooBusy, Refusal."""
    who, office = ask.who, ask.office
    who.must(Verb.SELF)
    if why := passwords.fault_of(new, who.name):
        return why
    wait = await ask.thread(office.sessions.may_try, who.name, ask.address)
    known = await ask.thread(office.accounts.password_of, who.user_id)
    try:
        right = not wait and await office.passwords.check(known, old)
    except passwords.TooBusy:  # that was no wrong password
        await ask.thread(office.sessions.not_tried, who.name, ask.address)
        raise
    if not right:
        return _("The old password is wrong, or was wrong too often: try again in a while.")
    await ask.thread(office.sessions.was_right, who.name, ask.address)
    if old == new:
        return _("The new password is the old one.")
    await ask.thread(office.accounts.own_password, who, await office.passwords.hash(new), known)
    office.live.look_again()
    return ""


async def sessions(ask: Ask) -> list[Session]:
    """Where this person is signed in, the latest first. Raises NotPermitted."""
    ask.who.must(Verb.SELF)
    return await ask.thread(ask.office.sessions.of, ask.who)


async def end_session(ask: Ask, key: str) -> None:
    """Sign out there. Raises LookupError for a session that is not theirs, NotPermitted."""
    ask.who.must(Verb.SELF)
    if not await ask.thread(ask.office.sessions.end, ask.who, key):
        raise LookupError(key)
    ask.office.live.look_again()


async def end_other_sessions(ask: Ask) -> None:
    """Sign out everywhere but here. Raises NotPermitted."""
    ask.who.must(Verb.SELF)
    await ask.thread(ask.office.sessions.end_others, ask.who)
    ask.office.live.look_again()


async def tokens(ask: Ask) -> list[Token]:
    """This person's tokens, the newest first. Raises NotPermitted."""
    ask.who.must(Verb.SELF)
    return await ask.thread(ask.office.sessions.tokens, ask.who)


async def make_token(ask: Ask, label: str, scopes: Iterable[Verb], days: int) -> tuple[Token, str]:
    """Another one, and its secret. Raises NotPermitted, Refusal."""
    return await ask.thread(ask.office.sessions.issue, ask.who, label, scopes, days)


async def end_token(ask: Ask, token_id: str) -> None:
    """It opens nothing any more. Raises LookupError for one that is not theirs, NotPermitted."""
    ask.who.must(Verb.SELF)
    await ask.thread(ask.office.sessions.revoke, ask.who, token_id)
    ask.office.live.look_again()


async def choose_language(ask: Ask, language: str) -> None:
    """Read in this language from now on; empty: as the browser or program says. Raises NotPermitted."""
    ask.who.must(Verb.SELF)
    await ask.thread(ask.office.accounts.own_language, ask.who, language)
