"""How long to wait between two tries to connect."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, capped, fully jittered waits, in seconds.

    Full jitter (a uniform draw from zero to the bound) because many clients that lost one Asterisk must not
    return to it in step: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    first: float = 0.1
    factor: float = 2.0
    cap: float = 5.0

    def bound(self, attempt: int) -> float:
        """The longest wait before try number `attempt` (0 for the first after a loss), in seconds."""
        # Past 64 doublings the cap has long been reached, and the power would overflow some day.
        return min(self.cap, self.first * self.factor ** min(attempt, 64))

    def delay(self, attempt: int) -> float:
        """A wait drawn for that try, in seconds."""
        return random.uniform(0.0, self.bound(attempt))
