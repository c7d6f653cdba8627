"""Follows the trunks: a carrier that refuses us or does not answer stands in the log, and in what the daemon tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container

import structlog

from config.settings import Hotline
from phone.ami import Ami, AmiError
from phone.trunk_state import IN_SERVICE, TrunkState, ask_trunk_states

log = structlog.get_logger()

LOOK_EVERY = 5.0
"""Seconds between two looks: two AMI actions of a few lines."""

MEANING: dict[TrunkState, str] = {
    "refused": "the carrier refuses our registration: is the account or its password wrong?",
    "unreachable": "the carrier does not answer: no call goes out by it, and hardly any can come in",
    "unregistered": "no registration has been sent yet",
}

EXAMPLE = "no carrier is set yet: this is the example's trunk; set yours under trunks in hotline.yaml"
"""What is said, once and calmly, of a trunk behind which nobody can be."""


class TrunkWatch:
    """The trunks' last known states, by name."""

    def __init__(self, ami: Ami, hotline: Callable[[], Hotline]) -> None:
        self._ami, self._hotline = ami, hotline
        self.states: dict[str, TrunkState] = {}
        self._examples: set[str] = set()
        """Of which that was said."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if self._ami.ready:
                try:
                    hotline = self._hotline()
                    examples = {trunk.name for trunk in hotline.trunks if trunk.is_example}
                    self._tell(await ask_trunk_states(self._ami, hotline), examples)
                except AmiError as error:
                    log.warning("the trunks' state is not known", why=str(error))
            await asyncio.sleep(LOOK_EVERY)

    def _tell(self, now: dict[str, TrunkState], examples: Container[str]) -> None:
        for name, state in now.items():
            before = self.states.get(name)
            if state == before or (before is None and state in ("unknown", "unregistered")):
                continue
            if name in examples:  # whose carrier is there while "make call" plays it, and then is gone again
                if state == "unreachable" and name not in self._examples:
                    log.info("a trunk", trunk=name, state=state, why=EXAMPLE)
                    self._examples.add(name)
                continue
            if state in ("refused", "unreachable"):
                log.error("a trunk is out of service", trunk=name, state=state, why=MEANING[state])
            elif before is not None or state in IN_SERVICE:
                log.info("a trunk", trunk=name, state=state)
        self.states = now
