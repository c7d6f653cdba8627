"""Where the files of SIP over TLS stand."""

from __future__ import annotations

import ssl
from pathlib import Path

from config.telephony import Tls


def files(tls: Tls, state: Path) -> tuple[Path, Path]:
    """Certificate and key: the operator's, absolute, or the places of those made for trials."""
    if tls.certificate is not None and tls.key is not None:
        return Path(tls.certificate).absolute(), Path(tls.key).absolute()
    return state / "tls" / "hotline.crt", state / "tls" / "hotline.key"


def authorities(tls: Tls) -> Path:
    """What carriers' certificates are held against: the operator's file, or the system's."""
    return Path(tls.ca).absolute() if tls.ca is not None else Path(ssl.get_default_verify_paths().cafile or "/")
