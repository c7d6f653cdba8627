"""A sealed file: a finished recording encrypted at rest, piece by piece, of which any part can be read by itself.

Theory of operation. Each file has a key of its own, and that key stands in the file's head wrapped (AES-256-GCM) by a
key of ``recordings.keys``. So a new key there needs no file to be written anew, and ``rewrap`` changes a head alone:
it has two places for the wrapped key, and one of them is always whole. The wrapping names what the file is for, so a
file put in another's place does not open. The content is cut into chunks, each sealed with its number and with whether
it is the last (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015; age and Tink do the same): a byte that was changed, chunks that were exchanged,
added or cut off are noticed, and nothing of a chunk is given out before it is proved. Numbers are big-endian::

       0   16  "Hotline sealed 1"
      16   16  the file's own random id
      32   68  key id (8), nonce (12), wrapped key (32 + 16)
     100   68  the same a second time, or zeros
     168   88  zeros
     256       chunks of 65,536 + 16 bytes; the last is shorter

The digest that the journal holds is that of the content, so it is the same for a recording sealed or not.
Imports ``cryptography``: never for the daemon's own process.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.catalogue import _
from config.plain import open_plain
from recordings.errors import Damaged, NoKey
from recordings.keys import Key, Ring

MAGIC = b"Hotline sealed 1"
HEAD = 256
CHUNK = 65_536
TAG = 16
_SLOTS = (32, 100)
_SLOT = 68
_KEPT = 4
"""Chunks kept in memory by a reader: the sound library goes back and forth a little."""
_PIECE = 1 << 20


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _wrap(file_key: bytes, file_id: bytes, name: str, key: Key) -> bytes:
    nonce = os.urandom(12)
    return bytes.fromhex(key.key_id) + nonce + AESGCM(key.secret).encrypt(nonce, file_key, _about(file_id, name))


def _about(file_id: bytes, name: str) -> bytes:
    return MAGIC + file_id + name.encode()


class Sealer:
    """Seals what is written to it into ``file``, which is new and empty. Call :meth:`finish` at the end.

    ``name`` is what the file is for (``Archived.file``): it opens under no other. The first chunk stays in memory
    until the end, since sound libraries come back to a file's first bytes; anywhere else can only be added to.
    """

    def __init__(self, file: IO[bytes], name: str, ring: Ring) -> None:
        key = ring.current
        if key is None:
            raise NoKey(_("There is no key to seal recordings with: run 'hotline recordings keys new'."))
        self._file, self._id, secret = file, os.urandom(16), AESGCM.generate_key(256)
        self._seal = AESGCM(secret)
        self._head, self._tail = bytearray(), bytearray()
        self._number = 0
        self._at = self._end = 0
        file.write((MAGIC + self._id + _wrap(secret, self._id, name, key)).ljust(HEAD, b"\0"))

    def write(self, data: Any) -> int:
        """Write at the present place. Raises OSError."""
        given = memoryview(data).cast("B")
        within = max(0, min(len(given), len(self._head) - self._at))
        self._head[self._at : self._at + within] = given[:within]
        self._at += within
        rest = given[within:]
        if rest:
            if self._at != self._end:
                raise OSError(f"a sealed file is written from its beginning to its end, not at {self._at}")
            room = min(len(rest), CHUNK - len(self._head))
            self._head += rest[:room]
            self._tail += rest[room:]
            while len(self._tail) > CHUNK:
                self._number += 1
                self._put(self._number, bytes(self._tail[:CHUNK]), last=False)
                del self._tail[:CHUNK]
            self._at += len(rest)
            self._end = self._at
        return len(given)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to this place of the content."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """The present place in the content."""
        return self._at

    def read(self, _size: int = -1) -> bytes:
        """Nothing: it is written only."""
        return b""

    def finish(self) -> None:
        """Seal what is left. Raises OSError."""
        if self._tail:
            self._put(self._number + 1, bytes(self._tail), last=True)
        self._put(0, bytes(self._head), last=not self._tail)
        self._file.flush()

    def _put(self, number: int, chunk: bytes, *, last: bool) -> None:
        self._file.seek(HEAD + number * (CHUNK + TAG))
        self._file.write(self._seal.encrypt(_nonce(number, last), chunk, self._id))


class Sealed(io.RawIOBase):
    """The content of a sealed file, to be read anywhere; every chunk is proved before a byte of it is given out.

    Opening proves head and last chunk, so that ``size`` is right. Raises Damaged, NoKey and OSError, then and on
    reading.
    """

    def __init__(self, file: IO[bytes], name: str, ring: Ring) -> None:
        super().__init__()
        self._file, self._at = file, 0
        head = os.pread(file.fileno(), HEAD, 0)
        self._id = head[16:32]
        self._open = AESGCM(_unwrap(head, name, ring)[0])
        body = os.fstat(file.fileno()).st_size - HEAD
        self._chunks = max(1, -(-body // (CHUNK + TAG)))
        rest = body - (self._chunks - 1) * (CHUNK + TAG) - TAG
        if rest < 0 or (rest == 0 and self._chunks > 1):
            raise Damaged(_("{name}: its end is missing.").format(name=name))
        self._name, self.size = name, (self._chunks - 1) * CHUNK + rest
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._chunk(self._chunks - 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._at < self.size:
            number, offset = divmod(self._at, CHUNK)
            piece = self._chunk(number)[offset : offset + len(view) - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        sealed = os.pread(self._file.fileno(), CHUNK + TAG, HEAD + number * (CHUNK + TAG))
        try:
            chunk = self._open.decrypt(_nonce(number, number == self._chunks - 1), sealed, self._id)
        except (InvalidTag, ValueError) as error:
            raise Damaged(_("{name}: it was changed or cut after it had been sealed.").format(
                name=self._name
            )) from error  # fmt: skip
        self._kept[number] = chunk
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return chunk


def _unwrap(head: bytes, name: str, ring: Ring) -> tuple[bytes, str, int]:
    """The file's key, the id of the key that wraps it, and which of the two places holds it."""
    if len(head) < HEAD or head[:16] != MAGIC:
        raise Damaged(_("{name}: its head is missing.").format(name=name))
    unknown, wrong = "", False
    for place, at in enumerate(_SLOTS):
        slot = head[at : at + _SLOT]
        if not any(slot):
            continue
        key = ring.keys.get(slot[:8].hex())
        if key is None:
            unknown = unknown or slot[:8].hex()
            continue
        try:
            return AESGCM(key.secret).decrypt(slot[8:20], slot[20:], _about(head[16:32], name)), key.key_id, place
        except InvalidTag:
            wrong = True
    if unknown and not wrong:
        raise NoKey(_("{name}: it was sealed with the key {key}, which is not there.").format(
            name=name, key=unknown
        ), unknown)  # fmt: skip
    raise Damaged(_("{name}: its head was changed, or it is another recording's file.").format(name=name))


def is_sealed(path: Path) -> bool:
    """Whether this file is sealed, by its first bytes. Raises OSError."""
    with os.fdopen(open_plain(path, links=False), "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_stored(path: Path, name: str, ring: Ring) -> IO[bytes]:
    """A finished file's content to read, sealed or not. ``name``: what it is for (``Archived.file``).

    Raises OSError, Damaged, NoKey.
    """
    file = os.fdopen(open_plain(path, links=False), "rb")
    try:
        if os.pread(file.fileno(), len(MAGIC), 0) != MAGIC:
            return file
        return cast(IO[bytes], Sealed(file, name, ring))
    except BaseException:
        file.close()
        raise


def digest_of(path: Path, name: str, ring: Ring) -> tuple[str, int]:
    """SHA-256 and bytes of a finished file's content. Raises as :func:`open_stored` does."""
    with open_stored(path, name, ring) as file:
        found, size, piece = hashlib.sha256(), 0, bytearray(_PIECE)
        while got := file.readinto(piece):  # type: ignore[attr-defined]
            found.update(memoryview(piece)[:got])
            size += got
        return found.hexdigest(), size


def key_of(path: Path) -> str | None:
    """The id of the key whose wrapping stands first in this file; None for one that is not sealed. Raises OSError."""
    with os.fdopen(open_plain(path, links=False), "rb") as file:
        head = file.read(HEAD)
    slots = (head[at : at + 8] for at in _SLOTS)
    return next((slot.hex() for slot in slots if any(slot)), "") if head[:16] == MAGIC else None


def rewrap(path: Path, name: str, ring: Ring) -> bool:
    """Wrap this file's key by the newest key; returns whether that changed anything. Only the head is written.

    Safe to be killed in: the old wrapping goes when the new one is on disk. Raises OSError, Damaged, NoKey.
    """
    key = ring.current
    if key is None:
        raise NoKey(_("There is no key to seal recordings with: run 'hotline recordings keys new'."))
    with open(path, "r+b", buffering=0) as file:
        head = file.read(HEAD)
        if head[: len(MAGIC)] != MAGIC:
            return False
        file_key, by, place = _unwrap(head, name, ring)
        old, new = _SLOTS[place], _SLOTS[1 - place]
        if by == key.key_id and not any(head[new : new + _SLOT]):
            return False
        if by != key.key_id:
            os.pwrite(file.fileno(), _wrap(file_key, head[16:32], name, key), new)
            os.fsync(file.fileno())
            old, new = new, old
        os.pwrite(file.fileno(), bytes(_SLOT), new)
        os.fsync(file.fileno())
        return True
