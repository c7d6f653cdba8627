"""The carriers' passwords, each in a file of its own that only we read: never in hotline.yaml."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from config.catalogue import _
from config.plain import bytes_of
from config.problems import Place, Problem
from config.settings import Settings
from config.telephony import Trunk

from .fault import AsteriskFault

LONGEST = 200
"""Characters of a password: Asterisk's configuration reader has 8 KiB a line; more is the wrong file."""


def password_file(trunk: Trunk, state: Path) -> Path:
    """Where the password of a trunk's registration stands."""
    given = trunk.registration.password_file if trunk.registration is not None else None
    return Path(given).absolute() if given is not None else state / "trunks" / f"{trunk.name}.password"


def password(trunk: Trunk, state: Path) -> str:
    """The password: the file's one line. Raises AsteriskFault, which says where it is looked for."""
    file = password_file(trunk, state)
    try:
        text = bytes_of(file).decode("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        what = _("The password of the trunk {name} is missing: write it into {path}, as its only line.")
        raise AsteriskFault(what.format(name=trunk.name, path=file)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
        what = _("The password of the trunk {name} in {path} cannot be read: {reason}.")
        raise AsteriskFault(what.format(name=trunk.name, path=file, reason=reason)) from None
    if not text or len(text) > LONGEST or not text.isprintable() or text != text.strip():
        what = _("{path} must hold the password of the trunk {name} and nothing else: one line, no blanks around it.")
        raise AsteriskFault(what.format(name=trunk.name, path=file))
    return text


def check(settings: Settings, state: Path) -> Iterator[Problem]:
    """Passwords that are missing, cannot be used, or can be read by other users of this machine."""
    for index, trunk in enumerate(settings.hotline.trunks):
        if trunk.registration is None:
            continue
        place = Place("hotline.yaml", 0, f"trunks[{index}].registration")
        try:
            password(trunk, state)
        except AsteriskFault as fault:
            yield Problem("trunk-password", place, str(fault), _("The carrier gives it to you with the account."))
            continue
        file = password_file(trunk, state)
        if stat.S_IMODE(file.stat().st_mode) & 0o007:
            what = _("Every user of this machine can read {path}.").format(path=file)
            yield Problem("trunk-password-open", place, what, _("Run: chmod 600 on it."), warning=True)
