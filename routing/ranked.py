"""A collection that stays sorted: cheap to add to, to remove from, and to ask who is first and who is how far back.

Keys lie in chunks of at most :data:`CHUNK`, each sorted, in order. Every operation is a bisection over the chunks and
one within a chunk, plus moving at most a chunk's pointers; ``rank`` also adds up the lengths of the chunks before.
A heap cannot tell the rank and a plain list moves all its pointers (800 kB at 100,000 callers).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=tuple[Any, ...])

CHUNK = 512


class Ranked(Generic[K]):
    """Distinct keys in ascending order."""

    __slots__ = ("_chunks", "_count", "_lasts")

    def __init__(self) -> None:
        self._chunks: list[list[K]] = []
        self._lasts: list[K] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[K]:
        for chunk in self._chunks:
            yield from chunk

    def first(self) -> K:
        """The smallest key. Raises IndexError when there is none."""
        return self._chunks[0][0]

    def rank(self, key: K) -> int:
        """How many keys are smaller."""
        at = bisect_left(self._lasts, key)
        before = sum(len(chunk) for chunk in self._chunks[:at])
        return before + (bisect_left(self._chunks[at], key) if at < len(self._chunks) else 0)

    def add(self, key: K) -> None:
        """Put in a key that is not there yet."""
        self._count += 1
        if not self._chunks:
            self._chunks.append([key])
            self._lasts.append(key)
            return
        at = min(bisect_left(self._lasts, key), len(self._chunks) - 1)
        chunk = self._chunks[at]
        insort(chunk, key)
        if len(chunk) > CHUNK:
            half = len(chunk) // 2
            self._chunks.insert(at + 1, chunk[half:])
            self._lasts.insert(at, chunk[half - 1])
            del chunk[half:]
            at += 1
            chunk = self._chunks[at]
        self._lasts[at] = chunk[-1]

    def remove(self, key: K) -> None:
        """Take a key out. Raises KeyError when it is not there."""
        at = bisect_left(self._lasts, key)
        chunk = self._chunks[at] if at < len(self._chunks) else []
        place = bisect_left(chunk, key)
        if place == len(chunk) or chunk[place] != key:
            raise KeyError(key)
        del chunk[place]
        self._count -= 1
        if chunk:
            self._lasts[at] = chunk[-1]
        else:
            del self._chunks[at], self._lasts[at]
