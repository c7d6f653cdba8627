"""How long somebody must wait who gave wrong passwords. Pure.

Three counts grow at once: of the account from this address, of the address, and of the account from anywhere. The
last grows slowly and not far, and holds up nobody who comes from where the account was used before: whoever knows a
name must not be able to keep its owner out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

KNOWN = 30 * 86_400.0
"""Seconds for which an address from which the account was used is known."""

FORGET = 24 * 3600.0
"""Seconds after the last wrong password in which a count is forgotten."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``free`` tries cost nothing, then the wait doubles from one second up to ``longest`` seconds."""

    free: int
    longest: float

    def wait(self, failures: int) -> float:
        """Seconds from the last failure to the next try."""
        return 0.0 if failures < self.free else min(float(2 ** min(failures - self.free, 30)), self.longest)


RULES = {"pair": Rule(3, 900.0), "address": Rule(20, 900.0), "account": Rule(20, 60.0)}


def keys(name: str, address: str) -> dict[str, str]:
    """By kind of count, its key. Names are hashed: people type passwords into the wrong field."""
    account = hashlib.sha256(name.encode()).hexdigest()[:32]
    place = network(address)
    return {"pair": f"pair:{account}:{place}", "address": f"address:{place}", "account": f"account:{account}",
            "known": f"known:{account}:{place}"}  # fmt: skip


def network(address: str) -> str:
    """The address; of IPv6 its /64, since one customer has all of that."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)
