"""Who is signed in: sessions of browsers and tokens of programs, and how long wrong passwords keep one waiting.

Of a session's or token's secret only the SHA-256 is kept: 256 random bits need no slow hash. A session ends when
nothing was done in it for ``console.idle`` seconds, after ``console.longest`` in any case, and at once when it is
revoked, the password changes, or the user is disabled, since it is looked up at every request. Synchronous
(``console.book``); times are µs since 1970 UTC.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from uuid_utils import uuid7

from config.catalogue import _
from console import delays
from console.accounts import Accounts, User, _user, check_proved, note
from console.book import Book
from console.permits import Verb, Who, verbs_of
from console.site import Refusal

SECOND = 1_000_000
SEEN_EVERY = 30 * SECOND
"""µs between two notes of when a session was used last."""

MOST_SESSIONS = 20
"""Of one user; a new one ends the oldest."""

MOST_TOKENS = 20
"""Of one user."""

LONGEST_TOKEN = 366 * 86_400 * SECOND
TOKEN_MARK = "hl_"
"""Before every token, so that scanners of sources recognise one that was published by mistake."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in. ``key`` names it and opens nothing."""

    key: str
    began: int
    seen: int
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Token:
    """A program's key. ``verbs`` are its scopes; the owner's roles bound them at every use."""

    token_id: str
    label: str
    verbs: frozenset[Verb]
    created_at: int
    expires_at: int
    used_at: int
    key: str = ""
    """As a session's: names it and opens nothing."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """``idle`` and ``longest`` of a session, in seconds."""

    idle: float
    longest: float


def key_of(secret: str) -> str:
    """Under which a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """The sessions and tokens in a book; ``now`` gives µs."""

    def __init__(self, book: Book, now: Callable[[], int], accounts: Accounts) -> None:
        self._book, self._now, self._accounts = book, now, accounts

    # --- wrong passwords

    def may_try(self, name: str, address: str) -> float:
        """Count a try as failed beforehand, so that many at once gain nothing; returns 0.0, or the seconds to wait."""
        now, keys = self._now(), delays.keys(name, address)

        def work(run: Callable[..., sqlite3.Cursor]) -> float:
            run("UPDATE failure SET last = ? WHERE last > ?", (now, now))  # the clock was set back: no wait grows by it
            run("DELETE FROM failure WHERE last < iif(key LIKE 'known:%', ?, ?)",
                (now - round(delays.KNOWN * SECOND), now - round(delays.FORGET * SECOND)))  # fmt: skip
            known = run("SELECT 1 FROM failure WHERE key = ?", (keys["known"],)).fetchone()
            wait, counts = 0.0, {}
            for kind in delays.RULES:
                if kind == "account" and known:
                    continue
                key = keys[kind]
                row = run("SELECT failures, last FROM failure WHERE key = ?", (key,)).fetchone()
                counts[key] = row[0] if row else 0
                if row:
                    passed = max(0.0, (now - row[1]) / SECOND)
                    wait = max(wait, delays.RULES[kind].wait(row[0]) - passed)
            if wait <= 0:
                for key, count in counts.items():
                    run("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", (key, min(count + 1, 1000), now))
            return max(wait, 0.0)

        return self._book.do(work)

    def was_right(self, name: str, address: str) -> None:
        """The password was right: the account's counts begin anew, the address's own is taken back by one."""
        keys = delays.keys(name, address)

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            run("DELETE FROM failure WHERE key IN (?, ?)", (keys["pair"], keys["account"]))
            run("UPDATE failure SET failures = max(0, failures - 1) WHERE key = ?", (keys["address"],))
            run("INSERT OR REPLACE INTO failure VALUES (?, 0, ?)", (keys["known"], self._now()))

        self._book.do(work)

    def not_tried(self, name: str, address: str) -> None:
        """The password was not even looked at: what was counted beforehand is taken back."""
        keys = [key for kind, key in delays.keys(name, address).items() if kind in delays.RULES]
        self._book.do(lambda run: [
            run("UPDATE failure SET failures = max(0, failures - 1) WHERE key = ?", (key,)) for key in keys
        ])  # fmt: skip

    # --- sessions

    def begin(self, user: User, proved: str, address: str, browser: str) -> str:
        """A new session by the password of this hash; returns its secret, which is for the cookie alone. Raises
        Refusal where it is theirs no more."""
        now, secret = self._now(), secrets.token_urlsafe(32)
        who = Who(user.user_id, user.name, user.shown, user.roles, address=address)

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            check_proved(run, user.user_id, proved)
            old = run("SELECT key FROM session WHERE user_id = ? ORDER BY seen DESC LIMIT -1 OFFSET ?",
                      (user.user_id, MOST_SESSIONS - 1)).fetchall()  # fmt: skip
            for row in old:
                run("DELETE FROM session WHERE key = ?", (row[0],))
            run("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)",
                (key_of(secret), user.user_id, secrets.token_urlsafe(24), now, now, address[:64], browser[:200]))
            run("UPDATE user SET signed_in_at = ? WHERE user_id = ?", (now, user.user_id))
            note(run, now, who, "signed-in", user.name)

        self._book.do(work)
        return secret

    def whose(self, secret: str, address: str, lasting: Lasting, *, quiet: bool = False) -> tuple[Who, str, str] | None:
        """Who the session is of, its CSRF token and the user's language; None where it is none, or over.

        ``quiet``: a screen that refreshes itself, which does not keep a session alive.
        """
        key, now = key_of(secret), self._now()
        rows = self._book.read(
            "SELECT session.csrf, session.began, session.seen, user.* FROM session JOIN user USING (user_id)"
            " WHERE session.key = ?", key,
        )  # fmt: skip
        if not rows:
            return None
        row = rows[0]
        user = _user(row)
        if max(row["began"], row["seen"]) > now:  # the clock was set back: it lasts as long as one of now
            self._book.do(lambda run: run(
                "UPDATE session SET began = min(began, ?1), seen = min(seen, ?1) WHERE key = ?2", (now, key)
            ))  # fmt: skip
        over = now - row["began"] > lasting.longest * SECOND or now - row["seen"] > lasting.idle * SECOND
        if over or user.disabled_at:
            self._book.do(lambda run: run("DELETE FROM session WHERE key = ?", (key,)))
            return None
        if not quiet and now - row["seen"] > SEEN_EVERY:
            self._book.do(lambda run: run("UPDATE session SET seen = ? WHERE key = ?", (now, key)))
        who = Who(user.user_id, user.name, user.shown, user.roles, user.agent, verbs_of(user.roles), "session", key,
                  address, user.must_change)  # fmt: skip
        return who, row["csrf"], user.language

    def still(self, who: Who, lasting: Lasting) -> bool:
        """Whether this session or token is still there, of the same person with the same rights; for streams."""
        now = self._now()
        rows = self._book.read(
            "SELECT user.* FROM user JOIN ("
            "SELECT user_id FROM session WHERE key = ?1 AND began >= ?2 AND seen >= ?3"
            " UNION SELECT user_id FROM token WHERE key = ?1 AND expires_at > ?4) USING (user_id)",
            who.key, now - round(lasting.longest * SECOND), now - round(lasting.idle * SECOND), now,
        )  # fmt: skip
        user = _user(rows[0]) if rows else None
        return user is not None and not user.disabled_at and (user.roles, user.agent) == (who.roles, who.agent)

    def of(self, who: Who) -> list[Session]:
        """A person's own sessions, the latest first."""
        return [Session(*row) for row in self._book.read(
            "SELECT key, began, seen, address, browser FROM session WHERE user_id = ? ORDER BY seen DESC", who.user_id
        )]  # fmt: skip

    def end(self, who: Who, key: str) -> bool:
        """End one of a person's own sessions; one that is not theirs is left as it is. Returns whether it was."""
        def work(run: Callable[..., sqlite3.Cursor]) -> bool:
            ended = run("DELETE FROM session WHERE key = ? AND user_id = ?", (key, who.user_id)).rowcount > 0
            if ended:
                note(run, self._now(), who, "signed-out", who.name)
            return ended

        return self._book.do(work)

    def end_others(self, who: Who) -> None:
        """End all of a person's sessions but this one."""
        self._book.do(lambda run: run("DELETE FROM session WHERE user_id = ? AND key != ?", (who.user_id, who.key)))

    # --- tokens

    def issue(
        self, who: Who, label: str, verbs: Iterable[Verb], days: int, proved: str | None = None
    ) -> tuple[Token, str]:
        """A new token of this person's, and its secret, which is shown once: in their session, or by the password of
        the hash ``proved``. Raises Refusal."""
        who.must(Verb.SELF)
        wanted, label, now = frozenset(verbs), " ".join(label.split()), self._now()
        if who.by == "token":
            raise Refusal(_("A token cannot make another one: do it in the console."), status=403)
        if not label or len(label) > 60 or not label.isprintable():
            raise Refusal(_("Give the token a label of at most 60 characters."), status=422)
        if not wanted or not wanted <= who.verbs:
            raise Refusal(_("A token can be given only what you may do yourself, and at least one thing."), status=422)
        if not 1 <= days <= LONGEST_TOKEN // (86_400 * SECOND):
            raise Refusal(_("A token is valid for 1 to 366 days."), status=422)
        secret = TOKEN_MARK + secrets.token_urlsafe(32)
        token = Token(str(uuid7()), label, wanted, now, now + days * 86_400 * SECOND, 0)

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            if proved is not None:
                check_proved(run, who.user_id, proved)
            elif not run("SELECT 1 FROM session WHERE key = ?", (who.key,)).fetchone():
                raise Refusal(_("This session was ended in this moment: sign in again."))
            run("DELETE FROM token WHERE user_id = ? AND expires_at < ?", (who.user_id, now))
            if run("SELECT count(*) FROM token WHERE user_id = ?", (who.user_id,)).fetchone()[0] >= MOST_TOKENS:
                raise Refusal(_("You have {n} tokens already: end one of them first.").format(n=MOST_TOKENS))
            run("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (token.token_id, key_of(secret), who.user_id, label, json.dumps(sorted(wanted)), now,
                 token.expires_at))  # fmt: skip
            note(run, now, who, "token", who.name, {"label": label, "scopes": sorted(wanted)})

        self._book.do(work)
        return token, secret

    def tokens(self, who: Who) -> list[Token]:
        """A person's own tokens."""
        rows = self._book.read("SELECT * FROM token WHERE user_id = ? ORDER BY created_at DESC", who.user_id)
        return [Token(row["token_id"], row["label"], _verbs(row["verbs"]), row["created_at"], row["expires_at"],
                      row["used_at"], row["key"]) for row in rows]  # fmt: skip

    def revoke(self, who: Who, token_id: str) -> None:
        """End one of a person's own tokens. Raises LookupError for one that is not theirs."""
        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            if not run("DELETE FROM token WHERE token_id = ? AND user_id = ?", (token_id, who.user_id)).rowcount:
                raise LookupError(token_id)
            note(run, self._now(), who, "token-ended", who.name)

        self._book.do(work)

    def of_token(self, secret: str, address: str) -> tuple[Who, str] | None:
        """Who a program asks for, and the user's language; None where the token is none, or over."""
        key, now = key_of(secret), self._now()
        rows = self._book.read(
            "SELECT token.verbs, token.expires_at, token.used_at, user.* FROM token JOIN user USING (user_id)"
            " WHERE token.key = ?", key,
        )  # fmt: skip
        if not rows or rows[0]["expires_at"] <= now:
            return None
        user = _user(rows[0])
        if user.disabled_at:
            return None
        if now - rows[0]["used_at"] > SEEN_EVERY:
            self._book.do(lambda run: run("UPDATE token SET used_at = ? WHERE key = ?", (now, key)))
        who = Who(user.user_id, user.name, user.shown, user.roles, user.agent,
                  verbs_of(user.roles) & _verbs(rows[0]["verbs"]), "token", key, address)  # fmt: skip
        return who, user.language


def _verbs(text: str) -> frozenset[Verb]:
    known = {verb.value: verb for verb in Verb}
    return frozenset(known[name] for name in json.loads(text) if name in known)
