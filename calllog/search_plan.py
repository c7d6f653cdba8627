"""How calls are found: what each wish asks of a card, and from which index the search sets out. Pure.

Every wish is a check on one card. Most have an index besides, from which a search can set out: it visits the cards of
that index alone and checks the other wishes there. Which of them is best depends on how many cards each has, and
SQLite has no way to know, so it is counted first, up to a bound (:func:`counts`), and the plan says so to SQLite
(INDEXED BY, CROSS JOIN: sqlite.org/lang_indexedby.html, optoverview.html) instead of leaving it to a guess.

An index in order of place ends as soon as the page is full; one that is not (lengths, scores, numbers) is read whole
and sorted, and is only taken where it is small. Where nothing is small the walk goes backwards from now: many calls
fit, so the page is soon full.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from calllog.blind import OPEN_OF
from calllog.card import first_place
from calllog.words import asked

Value = int | float | str

FIRST, LAST = -(2**62), 2**62
"""Bounds beyond every place."""

FEW = 2_000
"""Cards that any search may read whole and sort: some milliseconds."""
MANY = 100_000
"""Entries of one index alone that can be counted, and cards that can be read one by one, within a tenth of a second."""
NUMBERS = 10_000
"""The same where each costs three look-ups."""

_BETWEEN = str.maketrans("", "", " -()./\t\u3000\u2010\u2011\u2012\u2013\u2014\u2015")
"""What people write between digits."""


NumberBy = Literal["part", "whole", "end"]
"""What of a caller's number is given. ``end`` finds only numbers whose last four digits a mask shows: 13800008000."""

LAST_SHOWN = 4
"""Digits at the end of a number that a mask shows (``config.masking``)."""

_MASKED_SO = 13
"""Characters of an E.164 number from which on its mask shows four in any case: +86 and ten digits."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``least`` to ``most``, both included; ``most`` None: without an end."""

    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What calls are looked for; None: any. Times and lengths in µs, [``since``, ``until``); ``score`` in tenths.

    ``number``: a part of the caller's, or as ``by`` says, the whole in E.164 or its last digits; empty: callers who
    hid theirs.
    ``agent`` and ``own`` (whose calls alone the asker may see): staff numbers of who talked. ``subjects``: any of
    these. ``silence`` is the longest one in the talks, ``talk_over`` is all of it. ``score``: by its reviews, in
    tenths, but by none of a call that the grader ``blind`` has still to grade. ``ratings``: the caller gave any of
    these, 1 (best) to 5. ``recorded``: there is a recording, or is to be; of one kind where ``category`` says.
    ``words``: all of them stand in the call's record or comments.
    """

    since: int | None = None
    until: int | None = None
    number: str | None = None
    by: NumberBy = "part"
    agent: str | None = None
    own: str | None = None
    queue: str | None = None
    subjects: tuple[str, ...] | None = None
    outcome: str | None = None
    length: Span | None = None
    hold: Span | None = None
    silence: Span | None = None
    talk_over: Span | None = None
    score: Span | None = None
    blind: str | None = None
    ratings: tuple[int, ...] | None = None
    recorded: bool = False
    category: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish. ``check`` is about the card ``c``. Where it has an index: ``source`` (FROM) and ``where`` of a search
    that sets out there, with ``card`` joined as ``c``; ``place`` is the column to bound. ``ordered``: it is in order.
    """

    name: str
    check: str
    values: tuple[Value, ...] = ()
    source: str = ""
    where: str = ""
    source_values: tuple[Value, ...] = ()
    place: str = "c.place"
    ordered: bool = True
    counted: str = ""
    """FROM and WHERE for counting where that is less than the source; empty: the source's."""

    bound: int = 20_000
    """How far it is counted; what has more is taken for endless."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its values."""

    sql: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """All wishes, and the span of places [``low``, ``high``) in which they are looked for."""

    wishes: tuple[Wish, ...]
    low: int = FIRST
    high: int = LAST

    @property
    def bounded(self) -> bool:
        """Whether there is a span of time."""
        return self.low > FIRST


def wishes_of(wanted: Wanted) -> Search:
    """The search for these calls. Raises calllog.words.Unsearchable."""
    found: list[Wish] = []
    low, high = FIRST, LAST
    if wanted.since is not None:
        low = first_place(max(0, wanted.since))
        found += [Wish("since", "c.arrived_at >= ?", (wanted.since,))]
    if wanted.until is not None:
        high = first_place(max(0, wanted.until) + 999)
        found += [Wish("until", "c.arrived_at < ?", (wanted.until,))]
    if wanted.words is not None:
        found += [_words(wanted.words)]
    found += [_agent(agent) for agent in dict.fromkeys((wanted.agent, wanted.own)) if agent is not None]
    if wanted.number is not None:
        found += [_number(wanted.number, wanted.by)]
    if wanted.outcome is not None:
        found += [_equal("outcome", wanted.outcome)]
    if wanted.queue is not None:
        found += [_equal("queue", wanted.queue)]
    if wanted.subjects is not None:
        found += [_subjects(wanted.subjects)]
    if wanted.category is not None:
        found += [_category(wanted.category)]
    elif wanted.recorded:
        found += [Wish("recorded", "(c.talks = 1 OR c.messages = 1)")]
    if wanted.length is not None:
        found += [_span("length", "length_us", wanted.length)]
    if wanted.hold is not None:
        found += [_span("hold", "held_us", wanted.hold)]
    if wanted.silence is not None:
        found += [_measured("silence", "longest_silence", wanted.silence)]
    if wanted.talk_over is not None:
        found += [_measured("talk_over", "talk_over", wanted.talk_over)]
    if wanted.score is not None:
        found += [_score(wanted.score, wanted.blind)]
    if wanted.ratings is not None:
        found += [_rated(wanted.ratings)]
    return Search(tuple(found), low, high)


# --- the wishes ---------------------------------------------------------------------------------------------------


def _equal(column: str, value: str) -> Wish:
    check = f"c.{column} = ?" + (f" AND c.{column} != ''" if column != "outcome" else "")
    return Wish(column, check, (value,), f"card AS c INDEXED BY card_by_{column}", check, (value,))


def _subjects(subjects: Sequence[str]) -> Wish:
    if len(subjects) == 1:
        return _equal("subject", subjects[0])
    check = f"c.subject IN ({', '.join('?' * len(subjects))}) AND c.subject != ''"
    source = "card AS c INDEXED BY card_by_subject"
    return Wish("subject", check, tuple(subjects), source, check, tuple(subjects), ordered=False, bound=MANY)


def _category(category: str) -> Wish:
    if category != "voicemail":
        return Wish("category", "c.talks = 1")
    return Wish("category", "c.messages = 1", (), "card AS c INDEXED BY card_with_message", "c.messages = 1")


def _span(name: str, column: str, span: Span) -> Wish:
    """A length. One of nothing is no length: whoever asks for less than a minute means calls that have one."""
    # Both bounds first, by which SQLite enters the index; the last term is for the index being a partial one.
    check = f"c.{column} BETWEEN ? AND ? AND c.{column} > 0"
    values = (span.least, LAST if span.most is None else span.most)
    source = f"card AS c INDEXED BY card_by_{name}"
    return Wish(name, check, values, source, check, values, ordered=False, bound=MANY)


def _measured(name: str, column: str, span: Span) -> Wish:
    """What was measured of the talks' recording, in seconds."""
    inside = f"m.{column} BETWEEN ? AND ? AND m.{column} > 0 AND m.category = 'call'"
    values = (span.least / 1e6, (LAST if span.most is None else span.most) / 1e6)
    return Wish(
        name, f"c.talks = 1 AND EXISTS (SELECT 1 FROM measure AS m WHERE m.call_id = c.call_id AND {inside})", values,
        f"measure AS m INDEXED BY measure_by_{name}"
        " CROSS JOIN card AS c INDEXED BY card_by_call ON c.call_id = m.call_id",
        inside, values, ordered=False, bound=MANY, counted=f"measure AS m INDEXED BY measure_by_{name}",
    )  # fmt: skip


def _score(span: Span, blind: str | None) -> Wish:
    inside = "g.score BETWEEN ? AND ? AND g.score >= 0"
    values: tuple[Value, ...] = (span.least, LAST if span.most is None else span.most)
    if blind is not None:
        inside += f" AND g.call_id NOT IN ({OPEN_OF.format(grader='?')})"
        values = (*values, blind)
    return Wish(
        "score", f"EXISTS (SELECT 1 FROM reviewed AS g WHERE g.call_id = c.call_id AND {inside})", values,
        "reviewed AS g INDEXED BY reviewed_by_score CROSS JOIN card AS c INDEXED BY card_by_call"
        " ON c.call_id = g.call_id",
        inside, values, ordered=False, bound=MANY, counted="reviewed AS g INDEXED BY reviewed_by_score",
    )  # fmt: skip


def _rated(ratings: Sequence[int]) -> Wish:
    """Calls that were rated so. Their index is in order of place over all ratings, so that any set of them is too."""
    check = f"c.rating IN ({', '.join('?' * len(ratings))}) AND c.rating > 0"
    return Wish("rating", check, tuple(ratings), "card AS c INDEXED BY card_rated", check, tuple(ratings))


def _agent(agent: str) -> Wish:
    return Wish(
        "agent", "EXISTS (SELECT 1 FROM card_agent AS x WHERE x.agent = ? AND x.place = c.place)", (agent,),
        "card_agent AS a CROSS JOIN card AS c ON c.place = a.place", "a.agent = ?", (agent,), "a.place",
        counted="card_agent AS a",
    )  # fmt: skip


def _number(part: str, by: NumberBy) -> Wish:
    """Callers whose number has this part: as E.164, as the trunk gave it, or as people at home dial it; or is this, or
    ends so, in E.164 alone."""
    part = "".join(char for char in unicodedata.normalize("NFKC", part) if char.isprintable()).translate(_BETWEEN)
    part = part.lower()
    if not part:
        hidden = "p.e164 = '' AND p.raw = ''"
        return Wish(
            "number", f"EXISTS (SELECT 1 FROM party AS p WHERE p.party_id = c.party_id AND {hidden})", (),
            "party AS p INDEXED BY party_hidden"
            " CROSS JOIN card AS c INDEXED BY card_by_party ON c.party_id = p.party_id",
            hidden, ordered=False, bound=NUMBERS,
        )  # fmt: skip
    ways = [part]
    if part.startswith("00"):
        ways.append("+" + part[2:])
    elif part.startswith("0"):
        ways.append("+86" + part[1:])
    if by != "part":
        ways = [f"{part} "]  # as it stands before the blank and the number as the trunk gave it
    has = " OR ".join(f"instr(lower(n.number), ?) {'= 1' if by == 'whole' else '> 0'}" for _way in ways)
    if by == "end":
        blank = "instr(n.number, ' ')"
        has = f"{blank} > {_MASKED_SO} AND substr(n.number, {blank} - {LAST_SHOWN}, {LAST_SHOWN + 1}) = ?"
    check = f"EXISTS (SELECT 1 FROM number AS n WHERE n.party_id = c.party_id AND ({has}))"
    if min(map(len, ways)) < 3:
        return Wish("number", check, tuple(ways))
    return Wish(
        "number", check, tuple(ways),
        "number_parts AS f CROSS JOIN number AS n ON n.n = f.rowid"
        " CROSS JOIN card AS c INDEXED BY card_by_party ON c.party_id = n.party_id",
        f"f.number_parts MATCH ? AND ({has})", (" OR ".join(_thirds(way.strip()) for way in ways), *ways),
        ordered=False, bound=NUMBERS,
    )  # fmt: skip


def _thirds(part: str) -> str:
    """Every three characters in a row, all of which must be there: FTS5's trigrams without their places."""
    thirds = dict.fromkeys(part[place : place + 3].replace('"', '""') for place in range(len(part) - 2))
    return "(" + " AND ".join(f'"{third}"' for third in thirds) + ")"


def _words(text: str) -> Wish:
    question = asked(text)
    notes = "SELECT 1 FROM note AS t WHERE t.call_id = c.call_id AND t.kind IN ('record', 'comment')"
    literally = " AND ".join(f"EXISTS ({notes} AND holds(t.text, ?))" for _phrase in question.phrases)
    return Wish(
        "words", " AND ".join(f"EXISTS ({notes} AND holds(t.text, ?))" for _phrase in question.all), question.all,
        "card_words AS w CROSS JOIN card AS c ON c.place = w.rowid",
        "w.card_words MATCH ?" + (f" AND {literally}" if literally else ""), (question.match, *question.phrases),
        "w.rowid", counted="card_words AS w",
    )  # fmt: skip


# --- the plan -----------------------------------------------------------------------------------------------------


WALK = Wish("", "", (), "card AS c NOT INDEXED", "")
"""No index: the cards themselves, in order of place."""


def counts(search: Search) -> dict[str, Statement]:
    """By wish, what counts the cards of its index, up to its bound; ``""``: those of the span of time."""
    asked: dict[str, Statement] = {}
    for wish in (*search.wishes, *((WALK,) if search.bounded else ())):
        if not wish.source:
            continue
        where, values = (wish.where, wish.source_values)
        if wish.name == "words":  # without what is checked in the notes
            where, values = wish.where.partition(" AND ")[0], wish.source_values[:1]
        conditions = [where] if where else []
        bounds: tuple[Value, ...] = ()
        if wish.ordered:
            conditions.append(f"{wish.place} >= ? AND {wish.place} < ?")
            bounds = (search.low, search.high)
        inside = f"SELECT 1 FROM {wish.counted or wish.source} WHERE {' AND '.join(conditions)} LIMIT {wish.bound + 1}"
        asked.setdefault(wish.name, Statement(f"SELECT count(*) FROM ({inside})", (*values, *bounds)))
    return asked


def best(search: Search, counted: Mapping[str, int]) -> Wish:
    """From where to set out."""
    known = [wish for wish in (*search.wishes, WALK) if wish.source and counted.get(wish.name, wish.bound) < wish.bound]
    least = min(known, key=lambda wish: (counted[wish.name], not wish.ordered), default=None)
    others = [wish for wish in search.wishes if wish.name not in ("since", "until")]
    if least is not None and (least.ordered or counted[least.name] <= FEW or len(others) > 1):
        return least
    return next((wish for wish in search.wishes if wish.source and wish.ordered), WALK)


def found(search: Search, out: Wish, limit: int, *, below: int | None = None, above: int | None = None) -> Statement:
    """The places and ids of calls that have all wishes: at most ``limit``, the newest first, only those ``below`` a
    place; or the oldest first and only those ``above`` one."""
    low = search.low if above is None else max(search.low, above + 1)
    high = search.high if below is None else min(search.high, below)
    conditions = [out.where] if out.where else []
    values: list[Value] = list(out.source_values)
    conditions.append(f"{out.place} >= ? AND {out.place} < ?")
    values += [low, high]
    for wish in search.wishes:
        if wish is not out:
            conditions.append(wish.check)
            values += wish.values
    order = f"ORDER BY {out.place if out.ordered else 'c.place'} {'DESC' if above is None else 'ASC'}"
    sql = f"SELECT c.place, c.call_id FROM {out.source} WHERE {' AND '.join(conditions)} {order} LIMIT ?"
    return Statement(sql, (*values, limit))
