"""SIP messages, as far as callers and phones of our own need them (RFC 3261)."""

from __future__ import annotations

import re
from dataclasses import dataclass

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One SIP message, as far as it is needed here."""

    first: bytes
    head: bytes
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Message:
        head, _blank, body = data.partition(b"\r\n\r\n")
        first, _line, rest = head.partition(b"\r\n")
        return cls(first, rest, body)

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.first[8:11]) if self.first.startswith(b"SIP/2.0 ") else 0

    @property
    def method(self) -> bytes:
        """Of a request, or of the request that this answers."""
        return self.first.split(b" ", 1)[0] if not self.status else self.cseq[1]

    @property
    def cseq(self) -> tuple[int, bytes]:
        number, method = self.get(b"CSeq").split()[:2]
        return int(number), method

    def get(self, name: bytes) -> bytes:
        found = re.search(rb"(?im)^%s\s*:\s*(.*?)\s*$" % re.escape(name), self.head)
        return found[1] if found else b""

    def all(self, name: bytes) -> list[bytes]:
        return [line for line in self.head.split(b"\r\n") if line.lower().startswith(name.lower() + b":")]

    @property
    def audio(self) -> Address | None:
        """Where the far side wants to hear us."""
        media, host = re.search(rb"m=audio (\d+)", self.body), re.search(rb"(?m)^c=IN IP4 (\S+)", self.body)
        return (host[1].decode(), int(media[1])) if media and host else None
