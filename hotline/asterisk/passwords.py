"""The passwords between Hotline, its Asterisk and its phones: generated once, kept in one file of mode 0600."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from config.catalogue import _

from .fault import AsteriskFault

FILE = "secrets.json"
LENGTH = 24
"""Bytes of randomness of each password: 192 bits, 32 characters of base64url."""


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every password; ``sip`` is by device. ``repr()`` shows none of them."""

    ari_password: str
    ami_password: str
    sip: dict[str, str]
    ari_user: str = "hotline"
    ami_user: str = "hotline"

    def __repr__(self) -> str:
        return f"Secrets({len(self.sip)} SIP accounts)"


def load_secrets(state_dir: Path, devices: Iterable[str]) -> Secrets:
    """Read ``secrets.json`` in the state folder, adding what is missing for ``devices``; kept ones never change.

    Passwords of devices that are gone stay, so that a phone which comes back has its old one. Raises AsteriskFault.
    """
    file = state_dir / FILE
    try:
        known = msgspec.json.decode(file.read_bytes(), type=Secrets) if file.exists() else None
        sip = dict(known.sip) if known else {}
        for device in sorted(set(devices) - set(sip)):
            sip[device] = _new()
        kept = known or Secrets(_new(), _new(), {})
        wanted = msgspec.structs.replace(kept, sip=sip)
        if wanted != known:
            write_private(file, msgspec.json.format(msgspec.json.encode(wanted)) + b"\n")
        elif file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or file, reason=error.strerror)
        ) from error
    except msgspec.DecodeError as error:
        raise AsteriskFault(
            _("{path} is damaged ({reason}): mend it, or delete it so that new passwords are made.").format(
                path=file, reason=error
            )
        ) from error
    return wanted


def write_private(file: Path, data: bytes, mode: int = 0o600) -> None:
    """Write ``file`` whole or not at all, for this user alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # left by a crash
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)  # never into another's file
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _new() -> str:
    return secrets.token_urlsafe(LENGTH)
