"""Is the access log whole? Every digest computed anew, for a worker: a long log costs seconds of CPU."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from calllog.access import Anchor, Fault, faults
from calllog.events import Accessed
from calllog.store import connect_to_read, explain
from calllog.verify import accesses
from config.catalogue import answering
from recordings.access import anchors

MOST = 50
"""Faults that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class ProofJob:
    """The log of this store, and the language of whoever asks. ``known``: entries that they have kept elsewhere."""

    store: str
    state_dir: str
    language: str
    known: tuple[Anchor, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """``entries`` were read, ``last`` is the last of them; ``faults`` are the first of ``many``. ``anchors``: how many
    entries that stand elsewhere were compared."""

    entries: int
    last: Anchor
    anchors: int
    faults: tuple[Fault, ...]
    many: int


def prove(job: ProofJob) -> Proof:
    """Read the whole log and compare it with what stands elsewhere. Raises StoreError."""
    known = [*anchors(Path(job.state_dir)), *job.known]  # before the store: the log only grows
    last, entries = Anchor(), 0
    named: list[Fault] = []
    many = 0

    def counted(entry: tuple[int, int, Accessed]) -> tuple[int, int, Accessed]:
        nonlocal last, entries
        last, entries = Anchor(entry[2].n, entry[2].digest), entries + 1
        return entry

    with answering(job.language), closing(connect_to_read(Path(job.store))) as connection:
        try:
            for fault in faults(map(counted, accesses(connection)), known):
                many += 1
                if len(named) < MOST:
                    named.append(fault)
        except sqlite3.Error as error:
            raise explain(Path(job.store), error) from error
    return Proof(entries, last, sum(bool(one.n) for one in known), tuple(named), many)
