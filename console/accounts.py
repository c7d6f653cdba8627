"""Users: who there is, what they are, and every change of it with who and when. Synchronous (``console.book``).

Everything that changes takes ``who`` asks and checks the verb; times are µs since 1970 UTC.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from uuid_utils import uuid7

from config.catalogue import _
from config.explain import did_you_mean
from console.book import Book
from console.permits import Role, Verb, Who
from console.site import Refusal

ONE_TIME_LASTS = 7 * 86_400 * 1_000_000
"""µs in which a one-time password must be used."""

MOST_USERS = 20_000

_NAME = re.compile(r"[\w][\w.@+-]{0,39}")


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in. ``agent``: the staff number they are bound to; ``language``: empty for the house's."""

    user_id: str
    name: str
    shown: str
    roles: frozenset[Role]
    agent: str
    language: str
    must_change: bool
    password_until: int
    disabled_at: int
    created_at: int
    signed_in_at: int

    @property
    def version(self) -> str:
        """Another one after each change of what can be edited."""
        said = json.dumps([self.shown, sorted(self.roles), self.agent, self.language])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user is to be; checked by :func:`checked`. ``seen``: the version that was looked at; where somebody made
    another one since, nothing is changed. Empty: whatever there is."""

    name: str
    shown: str = ""
    roles: frozenset[Role] = frozenset()
    agent: str = ""
    language: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of the accounts' own log."""

    at: int
    by: str
    kind: str
    whom: str
    detail: str
    address: str


def plain_name(text: str) -> str:
    """A user name as it is compared: composed, without case, without blanks around it."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def checked(wanted: Wanted, agents: Collection[str]) -> Wanted:
    """The same, tidied. Raises Refusal where it cannot be."""
    name = plain_name(wanted.name)
    if not _NAME.fullmatch(name):
        raise Refusal(_("A user name is 1 to 40 letters, digits and . _ - + @, and begins with a letter or digit."),
                      status=422)  # fmt: skip
    shown = " ".join("".join(sign for sign in wanted.shown if sign.isprintable()).split()) or name
    if len(shown) > 40:
        raise Refusal(_("The name shown has at most 40 characters."), status=422)
    if not wanted.roles:
        raise Refusal(_("A user needs at least one role."), status=422)
    if wanted.agent and wanted.agent not in agents:
        said = _("There is no agent {agent}.").format(agent=wanted.agent)
        raise Refusal(f"{said} {did_you_mean(wanted.agent, agents)}".strip())
    if Role.AGENT in wanted.roles and not wanted.agent:
        raise Refusal(_("Who has the role agent needs a staff number: choose one under “Agent” (a command: "
                        "--agent 8001)."), status=422)  # fmt: skip
    if wanted.language not in ("", "zh", "en"):
        raise Refusal(_("The language is zh or en."), status=422)
    return replace(wanted, name=name, shown=shown)


class Accounts:
    """The users in a book; ``now`` gives µs."""

    def __init__(self, book: Book, now: Callable[[], int]) -> None:
        self._book, self._now = book, now

    # --- asking

    def users(self, who: Who) -> list[User]:
        """Everybody, by name. Raises NotPermitted."""
        who.must(Verb.USERS_READ)
        return [_user(row) for row in self._book.read("SELECT * FROM user ORDER BY disabled_at > 0, name")]

    def user(self, user_id: str) -> User | None:
        """One user by id."""
        rows = self._book.read("SELECT * FROM user WHERE user_id = ?", user_id)
        return _user(rows[0]) if rows else None

    def named(self, name: str) -> tuple[User, str] | None:
        """A user by name, and the password's hash."""
        rows = self._book.read("SELECT * FROM user WHERE name = ?", plain_name(name))
        return (_user(rows[0]), rows[0]["password"]) if rows else None

    def password_of(self, user_id: str) -> str:
        """The hash; empty for nobody."""
        rows = self._book.read("SELECT password FROM user WHERE user_id = ?", user_id)
        return rows[0]["password"] if rows else ""

    def are_there_any(self) -> bool:
        """Whether anybody can sign in at all."""
        return bool(self._book.read("SELECT 1 FROM user LIMIT 1"))

    def changes(self, who: Who, *, before: int = 0, most: int = 100) -> list[Changed]:
        """The latest changes of accounts, newest first. Raises NotPermitted."""
        who.must(Verb.USERS_READ)
        rows = self._book.read(
            "SELECT at, by, kind, whom, detail, address FROM change WHERE ? = 0 OR n < ? ORDER BY n DESC LIMIT ?",
            before, before, most,
        )  # fmt: skip
        return [Changed(*row) for row in rows]

    # --- changing

    def create(self, who: Who, wanted: Wanted, password: str) -> User:
        """A new user with the hash of a one-time password; ``wanted`` is :func:`checked`. Raises Refusal."""
        who.must(Verb.USERS_EDIT)
        now, user_id = self._now(), str(uuid7())

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            if run("SELECT count(*) FROM user").fetchone()[0] >= MOST_USERS:
                raise Refusal(_("There are too many users."))
            if run("SELECT 1 FROM user WHERE name = ?", (wanted.name,)).fetchone():
                raise Refusal(_("There is a user {name} already.").format(name=wanted.name))
            run("INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0, ?, 0)",
                (user_id, wanted.name, wanted.shown, _roles(wanted.roles), wanted.agent, wanted.language, password,
                 now + ONE_TIME_LASTS, now))  # fmt: skip
            note(run, now, who, "created", wanted.name, _detail(wanted))

        self._book.do(work)
        return self._found(user_id)

    def change(self, who: Who, user_id: str, wanted: Wanted) -> User:
        """Other roles, another name shown, agent or language; the user name stays. Raises Refusal, LookupError."""
        who.must(Verb.USERS_EDIT)
        now = self._now()

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            before = _user(_row(run, user_id))
            if wanted.seen not in ("", before.version):
                text = _("Somebody else has changed {name} meanwhile: look what it is now, and save again.")
                raise Refusal(text.format(name=before.name))
            self._keep_one(run, before, Role.ADMINISTRATOR in wanted.roles and not before.disabled_at)
            run("UPDATE user SET shown = ?, roles = ?, agent = ?, language = ? WHERE user_id = ?",
                (wanted.shown, _roles(wanted.roles), wanted.agent, wanted.language, user_id))  # fmt: skip
            if (before.roles, before.agent) != (wanted.roles, wanted.agent):
                forget_sessions(run, user_id)
            note(run, now, who, "changed", before.name, _detail(wanted))

        self._book.do(work)
        return self._found(user_id)

    def disable(self, who: Who, user_id: str, disabled: bool) -> User:
        """Nobody signs in by this name any more, and whoever has is out; or again. Raises Refusal, LookupError."""
        who.must(Verb.USERS_EDIT)
        now = self._now()

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            before = _user(_row(run, user_id))
            if disabled:
                self._keep_one(run, before, False)
                forget_sessions(run, user_id)
                run("DELETE FROM token WHERE user_id = ?", (user_id,))
            run("UPDATE user SET disabled_at = ? WHERE user_id = ?", (now if disabled else 0, user_id))
            note(run, now, who, "disabled" if disabled else "enabled", before.name)

        self._book.do(work)
        return self._found(user_id)

    def reset(self, who: Who, user_id: str, password: str) -> User:
        """A one-time password (its hash) instead of the old one; sessions and tokens end. Raises LookupError."""
        who.must(Verb.USERS_EDIT)
        now = self._now()

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            before = _user(_row(run, user_id))
            run("UPDATE user SET password = ?, must_change = 1, password_until = ? WHERE user_id = ?",
                (password, now + ONE_TIME_LASTS, user_id))  # fmt: skip
            forget_sessions(run, user_id)
            run("DELETE FROM token WHERE user_id = ?", (user_id,))
            note(run, now, who, "reset", before.name)

        self._book.do(work)
        return self._found(user_id)

    def own_password(self, who: Who, password: str, proved: str) -> None:
        """A person's own new password in the place of ``proved``, the one that was found right (both as hashes); all
        their other sessions end. Raises Refusal where an administrator or they themselves were faster."""
        now = self._now()

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            check_proved(run, who.user_id, proved)
            run("UPDATE user SET password = ?, must_change = 0, password_until = 0 WHERE user_id = ?",
                (password, who.user_id))  # fmt: skip
            run("DELETE FROM session WHERE user_id = ? AND key != ?", (who.user_id, who.key))
            note(run, now, who, "password", who.name)

        self._book.do(work)

    def own_language(self, who: Who, language: str) -> None:
        """The language in which this person reads."""
        self._book.do(lambda run: run("UPDATE user SET language = ? WHERE user_id = ?", (language, who.user_id)))

    def _found(self, user_id: str) -> User:
        found = self.user(user_id)
        if found is None:
            raise LookupError(user_id)
        return found

    def _keep_one(self, run: Callable[..., sqlite3.Cursor], user: User, still: bool) -> None:
        """An administrator must be left who can sign in. Raises Refusal."""
        if still or Role.ADMINISTRATOR not in user.roles:
            return
        rows = run("SELECT roles FROM user WHERE disabled_at = 0 AND user_id != ?", (user.user_id,)).fetchall()
        if not any(Role.ADMINISTRATOR in json.loads(row[0]) for row in rows):
            raise Refusal(_("{name} is the last administrator: make another one first.").format(name=user.name))


def note(
    run: Callable[..., sqlite3.Cursor], now: int, who: Who, kind: str, whom: str, detail: dict[str, Any] | None = None
) -> None:
    """Write down who did what."""
    run("INSERT INTO change (at, by, kind, whom, detail, address) VALUES (?, ?, ?, ?, ?, ?)",
        (now, who.name, kind, whom, json.dumps(detail or {}, ensure_ascii=False), who.address))  # fmt: skip


def check_proved(run: Callable[..., sqlite3.Cursor], user_id: str, proved: str) -> None:
    """That the password which was found right a moment ago (its hash) still is the user's, and they may still sign in:
    proving one takes long enough for an administrator to come between. Raises Refusal."""
    row = run("SELECT password FROM user WHERE user_id = ? AND disabled_at = 0", (user_id,)).fetchone()
    if row is None or row[0] != proved:
        raise Refusal(_("The password was changed or the account was closed in this moment: sign in again."))


def forget_sessions(run: Callable[..., sqlite3.Cursor], user_id: str) -> None:
    """Whoever is signed in by this name is out."""
    run("DELETE FROM session WHERE user_id = ?", (user_id,))


def _row(run: Callable[..., sqlite3.Cursor], user_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = run("SELECT * FROM user WHERE user_id = ?", (user_id,)).fetchone()
    if row is None:
        raise LookupError(user_id)
    return row


def _user(row: sqlite3.Row) -> User:
    known = {role.value: role for role in Role}
    return User(
        row["user_id"], row["name"], row["shown"],
        frozenset(known[role] for role in json.loads(row["roles"]) if role in known), row["agent"], row["language"],
        bool(row["must_change"]), row["password_until"], row["disabled_at"], row["created_at"], row["signed_in_at"],
    )  # fmt: skip


def _roles(roles: frozenset[Role]) -> str:
    return json.dumps(sorted(roles))


def _detail(wanted: Wanted) -> dict[str, Any]:
    return {"roles": sorted(wanted.roles), "agent": wanted.agent, "shown": wanted.shown}
