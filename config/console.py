"""What is set of the web console (``console`` in hotline.yaml)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field

from config.shapes import Part, Port, Seconds, Text, host, ip, network


class ConsoleTls(Part):
    """HTTPS; off without a certificate. Files are PEM, relative to the working folder or absolute."""

    certificate: Text | None = None
    """With the chain behind it."""
    key: Text | None = None


class Console(Part):
    """The web console and the API. Loopback only until the operator says otherwise."""

    enabled: bool = True
    address: Annotated[str, AfterValidator(ip)] = "127.0.0.1"
    port: Port = 8400
    tls: ConsoleTls = ConsoleTls()
    names: tuple[Annotated[str, AfterValidator(host)], ...] = ()
    """Host names by which browsers may ask; IP addresses, ``localhost`` and the machine's own name always may."""
    proxies: tuple[Annotated[str, AfterValidator(network)], ...] = ()
    """Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    idle: Annotated[Seconds, Field(ge=60)] = 3600.0
    """A session in which nobody does anything for so long is over."""
    longest: Annotated[Seconds, Field(ge=300)] = 43_200.0
    """And so is one that has lasted so long."""

    @property
    def url(self) -> str:
        """Where it listens, as a browser on this machine asks for it."""
        scheme = "https" if self.tls.certificate is not None else "http"
        known = ip_address(self.address)
        host = ("127.0.0.1" if known.version == 4 else "::1") if known.is_unspecified else self.address
        return f"{scheme}://{f'[{host}]' if known.version == 6 else host}:{self.port}"
