"""Which ports are taken, and by whom: read from /proc (proc(5): net/tcp, net/udp, PID/fd), tried by binding."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.settings import Settings
from config.telephony import Sip

Protocol = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that cannot be had; ``by`` names the program that has it, when this user may see it."""

    key: str
    address: str
    port: int
    protocol: Protocol
    reason: str
    by: str

    @property
    def shown(self) -> str:
        """``UDP 5060``."""
        return f"{self.protocol.upper()} {self.port}"

    @property
    def why(self) -> str:
        """The system's reason, and the program that has the port where it is known."""
        return f"{self.reason}, {self.by}" if self.by else self.reason


def taken_ports(settings: Settings) -> list[Taken]:
    """Which of the ports in the settings cannot be bound now: SIP, ARI and AMI."""
    asterisk = settings.hotline.asterisk
    wanted: list[tuple[str, str, int, Protocol]] = [
        ("asterisk.sip.port", asterisk.sip.bind, asterisk.sip.port, "udp"),
        *sip_over_tcp(asterisk.sip),
        ("asterisk.ari_port", "127.0.0.1", asterisk.ari_port, "tcp"),
        ("asterisk.ami_port", "127.0.0.1", asterisk.ami_port, "tcp"),
    ]
    found = []
    for key, address, port, protocol in wanted:
        if reason := cannot_bind(address, port, protocol):
            found.append(Taken(key, address, port, protocol, reason, owner(port, protocol)))
    return found


def sip_over_tcp(sip: Sip) -> list[tuple[str, str, int, Protocol]]:
    """Key, address, port and protocol of SIP over TCP and over TLS, as far as they are on."""
    found: list[tuple[str, str, int, Protocol]] = []
    if sip.tcp:
        found.append(("asterisk.sip.tcp", sip.bind, sip.port, "tcp"))
    if sip.tls.port is not None:
        found.append(("asterisk.sip.tls.port", sip.bind, sip.tls.port, "tcp"))
    return found


def cannot_bind(address: str, port: int, protocol: Protocol) -> str:
    """Why ``address:port`` cannot be bound; empty when it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as trial:
        if protocol == "tcp":
            # Like Asterisk itself: a port whose last connections are in TIME_WAIT is free (socket(7)).
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def owner(port: int, protocol: Protocol) -> str:
    """``program (pid N)`` of whoever has bound ``port``; empty when this user may not see it."""
    sockets = set()
    for table in (Path(f"/proc/net/{protocol}"), Path(f"/proc/net/{protocol}6")):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            # 07: a bound UDP socket, 0A: a listening TCP socket.
            if int(fields[1].rsplit(":", 1)[1], 16) == port and fields[3] in ("07", "0A"):
                sockets.add(f"socket:[{fields[9]}]")
    if not sockets:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return f"{_program(process)} (pid {process.name})"
        except OSError:
            continue  # gone meanwhile, or another user's
    return ""


def _program(process: Path) -> str:
    """Its name; a program started through its own loader is named by the first path after the loader's options."""
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    if words and "/ld-linux" in words[0]:
        words = [word for word in words[3:] if word]
    return Path(words[0]).name if words and words[0] else (process / "comm").read_text().strip()
