"""How the daemon and the commands reach Asterisk: the generated users, or those of an Asterisk of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from config.catalogue import _
from config.plain import bytes_of
from config.settings import Settings
from phone.ami import Ami, AmiError, AmiLost

from .fault import AsteriskFault
from .passwords import load_secrets

T = TypeVar("T")

ASK_LIMIT = 5.0
"""Seconds for the connection and every question of one command."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where ARI and AMI are, and who we are there."""

    host: str
    ari_port: int
    ari_user: str
    ari_password: str = field(repr=False)
    ami_port: int
    ami_user: str
    ami_password: str = field(repr=False)

    @property
    def ari_url(self) -> str:
        """The address that ARI's paths begin with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.ari_port}/ari"


def access(settings: Settings, state: Path) -> Access:
    """Read from the settings, secrets.json and password files. Raises AsteriskFault for what is missing."""
    asterisk = settings.hotline.asterisk
    own = asterisk.own
    secrets = load_secrets(state, ())
    if own is None:
        ari, ami, host = (secrets.ari_user, secrets.ari_password), (secrets.ami_user, secrets.ami_password), "127.0.0.1"
    else:
        host = own.host
        ari = own.ari_user or secrets.ari_user, _password("ari", own.ari_password_file, secrets.ari_password)
        ami = own.ami_user or secrets.ami_user, _password("ami", own.ami_password_file, secrets.ami_password)
    return Access(host, asterisk.ari_port, *ari, asterisk.ami_port, *ami)


def _password(which: str, file: str | None, generated: str) -> str:
    if file is None:
        return generated
    key = f"asterisk.own.{which}_password_file"
    try:
        text = bytes_of(file).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
        what = _("{key}: {path} cannot be read: {reason}.")
        raise AsteriskFault(what.format(key=key, path=file, reason=reason)) from None
    if not text or not text.isprintable():
        what = _("{key}: {path} must hold the password and nothing else.")
        raise AsteriskFault(what.format(key=key, path=file))
    return text


def ask_ami(by: Access, question: Callable[[Ami], Awaitable[T]]) -> T:
    """Ask over an AMI connection of our own; blocks for up to ``ASK_LIMIT`` seconds. Raises AmiError."""
    try:  # the connection below would try again and again: a command is told at once that nobody is there
        socket.create_connection((by.host, by.ami_port), ASK_LIMIT).close()
    except OSError as error:
        raise AmiLost(error.strerror or str(error)) from None

    async def course() -> T:
        ami = Ami(by.host, by.ami_port, by.ami_user, by.ami_password)
        running = asyncio.ensure_future(ami.run())
        try:
            waiting = asyncio.ensure_future(ami.wait_ready(ASK_LIMIT))
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if running.done() and (error := running.exception()) is not None:
                raise error
            await ami.wait_ready(0.1)
            return await question(ami)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, AmiError):
                await running

    return asyncio.run(course())


