"""Words to find calls by: how a text is taken apart, and how a question is.

SQLite's own tokenizers do not find two-character words such as 退款: ``unicode61`` takes a whole run of Chinese for one
word, ``trigram`` needs three characters. So a run of Chinese, Japanese or Korean characters becomes its pairs of
neighbours (its bigrams) and its last character, and everything else becomes words of letters and digits. A question is
taken apart in the same way; where one of its words is more than a single term, the text itself is asked whether it
stands there so. Case and width do not matter (NFKC, case folded).

Each call is one row of ``card_words`` (FTS5 without the text, with its card's place as rowid), which triggers keep in
step with the notes, in the same transaction, and so it is also erased with them. They use :func:`terms` by the name
``words_of``: :func:`teach` makes it known to a connection, and whoever writes notes must have done so.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

KINDS = ("record", "comment")
"""Of which notes the words are found: of call records and comments; not of the reasons that belong to other rooms."""

MERGED = 200
"""Pages of an index that are written anew at a time."""

WORD_LONGEST = 40
"""Characters of a word that count; what is longer is no word that anybody types."""
ASKED_LONGEST = 200
"""Characters of a question."""

_PAIRED = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Scripts that are written without spaces: Han, Kana, Bopomofo, Hangul and their extensions."""
_BETWEEN = re.compile(r"[\s,;、。|]+")
"""What people write between the words of a question (a normal text has no full-width comma any more)."""


class Unsearchable(ValueError):
    """The question has no word to look for, or is too long; ``too_long`` says which."""

    def __init__(self, too_long: bool) -> None:
        super().__init__()
        self.too_long = too_long


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: ``match`` in FTS5's language; the ``phrases`` that a note must hold literally, since their terms
    alone do not prove them; and ``all`` phrases, for a text that is read without the index."""

    match: str
    phrases: tuple[str, ...]
    all: tuple[str, ...]


def normal(text: str) -> str:
    """The text without differences of width, composition and case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _runs(text: str) -> list[tuple[bool, str]]:
    """The runs of a normal text: whether it is one of pairs, and its characters. All else separates."""
    found: list[tuple[bool, str]] = []
    joined = False
    for char in text:
        kind = unicodedata.category(char)[0]
        if kind == "M" and joined:  # a mark belongs to the letter before it
            found[-1] = (found[-1][0], found[-1][1] + char)
        elif kind in "LN":
            paired = _PAIRED.match(char) is not None
            if joined and found[-1][0] == paired:
                found[-1] = (paired, found[-1][1] + char)
            else:
                found.append((paired, char))
            joined = True
        else:
            joined = False
    return found


def terms(text: str) -> list[str]:
    """Every term of the text, each once."""
    found: dict[str, None] = {}
    for paired, run in _runs(normal(text)):
        if paired:
            found |= dict.fromkeys(run[place : place + 2] for place in range(len(run)))
        else:
            found[run[:WORD_LONGEST]] = None
    return list(found)


def asked(text: str) -> Asked:
    """What to look for: the words between spaces and commas, all of which must be there. Raises Unsearchable."""
    if len(text) > ASKED_LONGEST:
        raise Unsearchable(True)
    match: dict[str, None] = {}
    phrases: dict[str, None] = {}
    every: dict[str, None] = {}
    for word in _BETWEEN.split(normal(text)):
        runs = _runs(word)
        for paired, run in runs:
            if not paired:
                match[f'"{run[:WORD_LONGEST]}"'] = None
            elif len(run) == 1:
                match[f'"{run}" *'] = None
            else:
                match |= dict.fromkeys(f'"{run[place : place + 2]}"' for place in range(len(run) - 1))
        if runs:
            phrase = word[word.index(runs[0][1]) : word.rindex(runs[-1][1]) + len(runs[-1][1])]
            every[phrase] = None
            if len(runs) > 1 or len(phrase) > (2 if runs[0][0] else WORD_LONGEST):
                phrases[phrase] = None
    if not match:
        raise Unsearchable(False)
    return Asked(" AND ".join(match), tuple(phrases), tuple(every))


def holds(text: str, phrase: str) -> bool:
    """Whether the text holds the phrase (a normal one); a Latin word or number at its ends only as a whole."""
    text, place = _normal(text), -1
    while (place := text.find(phrase, place + 1)) >= 0:
        end = place + len(phrase)
        if not (_joined(text[place - 1 : place], phrase[0]) or _joined(phrase[-1], text[end : end + 1])):
            return True
    return False


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours belong to one word."""
    return bool(left and right) and all(
        unicodedata.category(char)[0] in "LN" and not _PAIRED.match(char) for char in (left, right)
    )


@lru_cache(maxsize=256)
def _normal(text: str) -> str:
    return normal(text)


def teach(connection: sqlite3.Connection) -> None:
    """Make ``words_of(text)`` and ``holds(text, phrase)`` known to a connection."""
    connection.create_function("words_of", 1, lambda text: " ".join(terms(text or "")), deterministic=True)
    connection.create_function("holds", 2, lambda text, phrase: int(holds(text or "", phrase)), deterministic=True)


_LEARN = """
    SELECT card.place, group_concat(note.text, char(10)) FROM note JOIN card ON card.call_id = note.call_id
    WHERE note.kind IN ('record', 'comment') GROUP BY card.place ORDER BY card.place
"""


def relearn(connection: sqlite3.Connection) -> None:
    """Make the index of words anew from the notes, in the transaction that is open. A minute for a million calls."""
    connection.execute("INSERT INTO card_words (card_words) VALUES ('delete-all')")
    connection.executemany(
        "INSERT INTO card_words (rowid, words) VALUES (?, ?)",
        ((place, " ".join(terms(written or ""))) for place, written in connection.execute(_LEARN)),
    )


def scrub(connection: sqlite3.Connection) -> None:
    """After an erasure: write the indexes of words and numbers anew, so that nothing of what was erased is left in
    their pages. Some seconds for a million calls; outside a transaction, in pieces between which others may write
    (sqlite.org/fts5.html, section 6.8)."""
    for table in ("card_words", "number_parts"):
        merge = f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)"
        connection.execute(merge, (-MERGED,))
        changed = 2
        while changed >= 2:  # one is that of the statement itself
            before = connection.total_changes
            connection.execute(merge, (MERGED,))
            changed = connection.total_changes - before
