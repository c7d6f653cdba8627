"""What our phones and trunks are called in Asterisk: in an operator's own they collide with nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from config.settings import Hotline
from config.telephony import PREFIX

RECORDINGS = "hotline"
"""Our folder below an own Asterisk's folder of recordings."""


class Names:
    """PJSIP endpoints and ARI's recordings by our names, and back. Without settings every name is what it is."""

    def __init__(self, hotline: Hotline | None = None) -> None:
        own = hotline.asterisk.own if hotline is not None else None
        self._prefix = "" if own is None else PREFIX
        self._theirs = frozenset(own.endpoints) if own is not None else frozenset[str]()
        self._folder = "" if own is None else f"{RECORDINGS}/"

    @property
    def of_phones(self) -> str:
        """The context of the dialplan that agents' phones dial in."""
        return f"{self._prefix}agents"

    def device(self, name: str) -> str:
        """The device of a phone of ours, as ARI has it: ``PJSIP/8001``."""
        return f"PJSIP/{name if name in self._theirs else self._prefix + name}"

    def name(self, device: str) -> str:
        """The phone or trunk of a device ``PJSIP/8001``."""
        endpoint = device.removeprefix("PJSIP/")
        return endpoint if endpoint in self._theirs else endpoint.removeprefix(self._prefix)

    def devices(self, names: Iterable[str]) -> list[str]:
        """ARI's event sources of these phones' states."""
        return [f"deviceState:{self.device(name)}" for name in names]

    def recording(self, message: str) -> str:
        """What ARI is to call the recording of a message."""
        return self._folder + message
