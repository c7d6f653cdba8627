"""The keys that seal recordings: one small file each (0600) in a folder (0700) outside the archive.

::

    <state_dir>/keys/recordings-<key id>.key      or the folder that ``recording.keys`` names

A key is never thrown away by us: a recording keeps the id of the key that sealed it. New recordings take the newest.
Light to import: nothing here encrypts.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from config.catalogue import _
from config.plain import bytes_of, sync_folder
from config.settings import Recording

FOLDER = "keys"
"""Below the state folder, where ``recording.keys`` names none."""
FIRST_LINE = "Hotline recording key 1"
SECRET = 32
"""Bytes: AES-256."""
_NAME = re.compile(r"recordings-(?P<id>[0-9a-f]{16})\.key")


class BadKey(Exception):
    """A key file that cannot be used; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``key_id`` is 16 hexadecimal digits; ``made`` is aware."""

    key_id: str
    made: dt.datetime
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ring:
    """Every key there is, by id, and the one for new recordings: the newest. ``damaged``: those whose file cannot be
    used, and why; they keep the others from nothing."""

    keys: dict[str, Key]
    damaged: dict[str, BadKey] = field(default_factory=dict)

    @property
    def current(self) -> Key | None:
        """The key for new recordings; None while there is no key."""
        return max(self.keys.values(), key=lambda key: (key.made, key.key_id), default=None)


NO_KEYS = Ring({})


def key_folder(recording: Recording, state_dir: Path) -> Path:
    """Where the keys lie by the settings; a relative path is meant below the state folder."""
    return state_dir / (recording.keys or FOLDER)


def key_file(folder: Path, key_id: str) -> Path:
    """The file of this key."""
    return folder / f"recordings-{key_id}.key"


def load_ring(folder: Path) -> Ring:
    """Every key of the folder; none where there is no folder. Raises BadKey where the folder cannot be read."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return Ring({})
    except OSError as error:
        raise BadKey(_("{path} cannot be read: {why}.").format(path=folder, why=error.strerror)) from error
    ring = Ring({})
    for key_id in [match["id"] for name in names if (match := _NAME.fullmatch(name))]:
        try:
            ring.keys[key_id] = _load(key_file(folder, key_id), key_id)
        except BadKey as error:
            ring.damaged[key_id] = error
    return ring


def loose_keys(folder: Path) -> list[Path]:
    """The folder and key files that others than their owner may read or write."""
    try:
        paths = [folder, *(folder / name for name in sorted(os.listdir(folder)) if _NAME.fullmatch(name))]
        return [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    except OSError:
        return []


def make_key(folder: Path, now: dt.datetime) -> Key:
    """Make a new key, synced to disk; new recordings take it from then on. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = now.astimezone(dt.UTC).replace(microsecond=0)
    if (newest := load_ring(folder).current) and newest.made >= made:
        made = newest.made + dt.timedelta(seconds=1)  # made within the same second, or the clock was set back
    key = Key(secrets.token_hex(8), made, secrets.token_bytes(SECRET))
    path = key_file(folder, key.key_id)
    draft = path.with_name(f".{path.name}.part")
    text = f"{FIRST_LINE}\nid {key.key_id}\nmade {made.isoformat()}\nsecret {base64.b64encode(key.secret).decode()}\n"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, path)
    sync_folder(folder)
    return key


def _load(path: Path, key_id: str) -> Key:
    try:
        lines = bytes_of(path, 4096).decode("ascii").splitlines()
        first, named, made, secret = (line.strip() for line in lines)
        raw = base64.b64decode(secret.removeprefix("secret "), validate=True)
        moment = dt.datetime.fromisoformat(made.removeprefix("made "))
        if (first, named, len(raw)) != (FIRST_LINE, f"id {key_id}", SECRET) or moment.tzinfo is None:
            raise ValueError
    except OSError as error:
        raise BadKey(_("{path} cannot be read: {why}.").format(path=path, why=error.strerror)) from error
    except (ValueError, binascii.Error) as error:
        raise BadKey(_("{path} is no recording key, or it is damaged: bring it back from your copy.").format(
            path=path
        )) from error  # fmt: skip
    return Key(key_id, moment, raw)
