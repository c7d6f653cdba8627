"""A person's saved filters of calls, in the console's own file. Synchronous (``console.book``)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from uuid_utils import uuid7

from config.catalogue import _
from console.book import Book
from console.finding import FIELDS, LONGEST
from console.permits import Verb, Who
from console.site import Refusal

T = TypeVar("T")

MOST = 50
"""Filters of one person."""
NAME_LONGEST = 40

_TABLE = """CREATE TABLE IF NOT EXISTS filter (
    filter_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL,
    UNIQUE (user_id, name)) STRICT"""


@dataclass(frozen=True, slots=True)
class Filter:
    """A wish by a name of one's own: the fields as they were written, so that "yesterday" stays yesterday."""

    filter_id: str
    name: str
    fields: Mapping[str, str]


class Filters:
    """Everybody's, each seen by their owner alone."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def of(self, who: Who) -> list[Filter]:
        """This person's, by name. Raises NotPermitted."""
        who.must(Verb.CALLS_READ)
        mine = "SELECT filter_id, name, fields FROM filter WHERE user_id = ? ORDER BY name"
        rows = self._do(lambda run: run(mine, (who.user_id,)).fetchall())
        return [Filter(row[0], row[1], json.loads(row[2])) for row in rows]

    def save(self, who: Who, name: str, fields: Mapping[str, str]) -> Filter:
        """Keep it, instead of an earlier one of that name. Raises Refusal, NotPermitted."""
        who.must(Verb.CALLS_READ)
        name = " ".join(name.split())
        if not name or len(name) > NAME_LONGEST or not name.isprintable():
            raise Refusal(_("A filter needs a name of 1 to {n} characters.").format(n=NAME_LONGEST), status=422)
        kept = {
            key: str(fields[key]).strip()[:LONGEST] for key in (*FIELDS, "period") if str(fields.get(key, "")).strip()
        }
        if not kept:
            raise Refusal(_("There is nothing to save: fill in a field first, and look."), status=422)
        made = Filter(str(uuid7()), name, kept)

        def work(run: Callable[..., sqlite3.Cursor]) -> None:
            run("DELETE FROM filter WHERE user_id = ? AND name = ?", (who.user_id, name))
            if run("SELECT count(*) FROM filter WHERE user_id = ?", (who.user_id,)).fetchone()[0] >= MOST:
                raise Refusal(_("You have {n} saved filters: take one away first.").format(n=MOST))
            run("INSERT INTO filter VALUES (?, ?, ?, ?)",
                (made.filter_id, who.user_id, name, json.dumps(kept, ensure_ascii=False)))  # fmt: skip

        self._do(work)
        return made

    def drop(self, who: Who, filter_id: str) -> None:
        """Take one's own away. Raises LookupError where there is none such, NotPermitted."""
        who.must(Verb.CALLS_READ)
        gone = self._do(
            lambda run: run("DELETE FROM filter WHERE filter_id = ? AND user_id = ?", (filter_id, who.user_id)).rowcount
        )
        if not gone:
            raise LookupError(filter_id)

    def forget(self, text: str) -> int:
        """Take away everybody's filters that hold this text (a number, a name); returns how many."""
        if not text:
            return 0
        return self._do(lambda run: run("DELETE FROM filter WHERE instr(fields, ?) > 0", (text,)).rowcount)

    def _do(self, work: Callable[[Callable[..., sqlite3.Cursor]], T]) -> T:
        def made(run: Callable[..., sqlite3.Cursor]) -> T:
            run(_TABLE)
            return work(run)

        return self._book.do(made)
