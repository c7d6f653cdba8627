"""The Unix socket by which the ``hotline`` command speaks to the running daemon: one JSON line each way.

A request is ``{"verb": ..., "language": ..., ...}``, an answer ``{"ok": true, ...}`` or
``{"ok": false, "error": ...}``. Mode 0600: who may open it is the user who runs the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import struct
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import structlog

from config.catalogue import _, answering, language

log = structlog.get_logger()

LONGEST_LINE = 1024 * 1024
"""Bytes of a request: a call record of four long Chinese texts, escaped, has a quarter of it."""

REQUEST_LIMIT = 5.0
"""Seconds a client has to send its request, and the daemon to answer it."""

LONGEST_SOCKET = 100
"""Bytes: a Unix socket's path must be shorter than 108 (unix(7))."""

_PEER = struct.Struct("3i")
"""Process, user and group at the other end (unix(7), SO_PEERCRED)."""

_peer: ContextVar[int] = ContextVar("peer")

Verb = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


def peer() -> int:
    """Within a verb: the id of the user whose process asks, by the kernel's word."""
    return _peer.get(os.geteuid())


class NotRunning(Exception):
    """No daemon answers."""


class Refused(Exception):
    """The daemon refuses. ``why`` gives the text in the language in force when it is asked: a verb runs in the
    daemon's, the answer is put into words in that of whoever asks."""

    def __init__(self, why: Callable[[], str]) -> None:
        super().__init__()
        self._why = why

    def __str__(self) -> str:
        return self._why()


def socket_path(state_dir: Path) -> Path:
    """Where the socket is: in the state folder, or, when that path is too long, in a short one named after it."""
    near = state_dir.absolute() / "hotline.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET:
        return near
    name = hashlib.sha256(os.fsencode(near)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"hotline-{os.geteuid()}"
    return folder / f"{name}.sock"


class Control:
    """The daemon's side."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = verbs
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Raises OSError; FileExistsError when another daemon listens there already."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._path.exists() or self._path.is_symlink():
            if await _answers(self._path):
                raise FileExistsError(17, "another daemon listens there", str(self._path))
            self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=self._path, limit=LONGEST_LINE)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asker = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
            _peer.set(_PEER.unpack(asker)[1])
            async with asyncio.timeout(REQUEST_LIMIT):
                answer = await self._answer(await reader.readline())
                # In ASCII: text from argv may hold lone surrogates (PEP 383), which are no UTF-8.
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("a control request was cut short", why=str(error) or type(error).__name__)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            verb = self._verbs[request["verb"]]
            asked = request.get("language")
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"ok": False, "error": _("The running hotline does not know this request: is it another version?")}
        try:
            return {"ok": True, **await verb(request)}
        except Refused as refused:
            with answering(asked):
                return {"ok": False, "error": str(refused)}
        except Exception:  # one bad request must not end the daemon's socket
            log.exception("a control request failed", verb=request["verb"])
            with answering(asked):
                return {"ok": False, "error": _("A fault in the running hotline: its log says more.")}


async def _answers(path: Path) -> bool:
    try:
        async with asyncio.timeout(REQUEST_LIMIT):
            _reader, writer = await asyncio.open_unix_connection(path)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def ask(state_dir: Path, verb: str, **fields: Any) -> dict[str, Any]:
    """The command's side: one request and its answer. Raises NotRunning and Refused."""
    path = socket_path(state_dir)
    try:
        with socket.socket(socket.AF_UNIX) as conn:
            conn.settimeout(REQUEST_LIMIT)
            conn.connect(os.fspath(path))
            conn.sendall(json.dumps({"verb": verb, "language": language(), **fields}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                piece = conn.recv(65536)
                if not piece:
                    break
                data += piece
    except OSError as error:
        raise NotRunning(str(error)) from None
    try:
        answer: dict[str, Any] = dict(json.loads(data))
    except (ValueError, TypeError):  # it was killed in mid-sentence, or is no Hotline
        raise Refused(lambda: _("The running hotline gave no answer: try again, and see its log.")) from None
    if not answer.pop("ok", False):
        said = str(answer.get("error", ""))
        raise Refused(lambda: said or _("The running hotline refused."))
    return answer
