"""One ARI request over HTTP: bounded, sent once, typed, and silent about credentials."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec
from yarl import URL

from ari.errors import (
    AriError,
    NotConnected,
    RequestTimeout,
    TransportError,
    UnexpectedAnswer,
    response_error,
)
from ari.wire import CannotConnect, Wires, host_and_port

log = logging.getLogger("ari")

T = TypeVar("T")
Value = str | int | float | bool | Sequence[Any] | Mapping[str, Any]
Params = Mapping[str, Value | None]

POOL_LIMIT = 32
"""Connections at once, the event WebSocket among them; Asterisk's http.conf allows 100 sessions by
default."""

KEEPALIVE = 5.0
"""Seconds an idle connection is kept. Asterisk closes idle ones after 15 s; with the same time on both sides
a POST would now and then go into a socket that is just being closed, and nobody could tell whether it was
carried out."""


class Http:
    """The REST half of the client: a pool of connections to one Asterisk."""

    def __init__(self, url: str, username: str, password: str, request_timeout: float) -> None:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("the ARI address must hold no user name or password: pass them as arguments")
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError("the ARI address must look like http://host:8088/ari")
        self.base = url.rstrip("/")
        self.request_timeout = request_timeout
        host, port = host_and_port(parts.netloc, parts.scheme == "https")
        self._wires = Wires(host, port, parts.scheme == "https", POOL_LIMIT - 1, KEEPALIVE)
        self._prefix = parts.path.rstrip("/")
        # UTF-8 as RFC 7617 advises, since Asterisk compares the bytes of its UTF-8 files. Kept as one
        # header, not as aiohttp.BasicAuth, whose repr shows the password.
        token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {token}"}
        self._fields = f"HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Basic {token}\r\n"
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Http {self.base}>"

    @property
    def session(self) -> aiohttp.ClientSession:
        """For the WebSocket. Made at the first use, since it belongs to the running loop. Raises NotConnected after
        `close`."""
        if self._closed:
            raise NotConnected("the client is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # the client bounds it
                trace_configs=[_no_redirects()],
            )
        return self._session

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    async def close(self) -> None:
        """Close every connection; later requests raise NotConnected."""
        self._closed = True
        await self._wires.close()
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        into: type[T],
        method: str,
        path: str,
        *,
        query: Params | None = None,
        body: Params | None = None,
        timeout: float | None = None,
    ) -> T:
        """Send one request and decode its answer into `into`.

        `query` goes into the URL (GET and DELETE), `body` into a JSON body, where neither quotes nor
        newlines nor commas mean anything; None values are left out. `timeout` seconds, else
        `request_timeout`. Raises NotConnected, RequestTimeout, TransportError, AriResponseError,
        UnexpectedAnswer.
        """
        answer = await self.raw(method, path, query=query, body=body, timeout=timeout)
        try:
            return _decoder(into).decode(answer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise UnexpectedAnswer(f"{method} {path}: {exc}") from None

    async def do(
        self,
        method: str,
        path: str,
        *,
        query: Params | None = None,
        body: Params | None = None,
        timeout: float | None = None,
    ) -> None:
        """Send one request whose answer holds nothing. Arguments and errors as for `call`."""
        await self.raw(method, path, query=query, body=body, timeout=timeout)

    async def raw(
        self,
        method: str,
        path: str,
        *,
        query: Params | None = None,
        body: Params | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Send one request; the bytes of its answer. Arguments and errors as for `call`."""
        if self._closed:
            raise NotConnected("the client is closed")
        data = b""
        head = f"{method} {self._prefix}{path}{_query(query)} {self._fields}"
        if body is not None:
            data = msgspec.json.encode({key: value for key, value in body.items() if value is not None})
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        else:
            head += "Content-Length: 0\r\n\r\n" if method in ("POST", "PUT") else "\r\n"
        limit = self.request_timeout if timeout is None else timeout
        request = f"{method} {path}"
        try:
            # In ASCII: path and query are percent-encoded.
            status, reason, answer = await self._wires.request(head.encode("ascii") + data, limit)
        except CannotConnect as why:
            raise NotConnected(f"{request}: {why}") from None
        except TimeoutError:
            raise RequestTimeout(f"{request}: no answer within {limit:g} s") from None
        except OSError as exc:
            raise TransportError(f"{request}: {type(exc).__name__}") from None
        if 200 <= status < 300:
            return answer
        raise response_error(status, _message(answer, reason), request)

    def url(self, path: str, query: Params | None = None) -> URL:
        """The full address, each piece percent-encoded by us, so that yarl need not guess."""
        return URL(self.base + path + _query(query), encoded=True)

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _no_redirects() -> aiohttp.TraceConfig:
    """Asterisk sends nobody elsewhere: whoever does must not choose whom we speak to. (`ws_connect` cannot be told.)"""

    async def refuse(
        _session: aiohttp.ClientSession, _context: object, params: aiohttp.TraceRequestRedirectParams
    ) -> None:
        answer = params.response
        answer.close()
        raise aiohttp.WSServerHandshakeError(answer.request_info, (), status=answer.status, headers=answer.headers)

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config


def network_error(exc: Exception, request: str, limit: float) -> AriError:
    """What an aiohttp or OS error means: not sent, no answer in time, or unknown. Of `exc` only harmless
    words."""
    if isinstance(exc, aiohttp.ClientConnectorError | aiohttp.ClientConnectorDNSError):
        return NotConnected(f"{request}: {exc.os_error.strerror or type(exc.os_error).__name__}")
    if isinstance(exc, TimeoutError):
        return RequestTimeout(f"{request}: no answer within {limit:g} s")
    return TransportError(f"{request}: {type(exc).__name__}")


def segment(text: str) -> str:
    """One path segment, percent-encoded (a slash, too). Raises ValueError when empty: it would be another
    request."""
    if text in ("", ".", ".."):
        raise ValueError(f"not an id or name: {text!r}")
    return text if _PLAIN(text) else quote(text, safe="")


def _query(query: Params | None) -> str:
    pairs = [(key, _text(value)) for key, value in query.items() if value is not None] if query else []
    return "?" + urlencode(pairs, quote_via=quote, safe="") if pairs else ""


_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch  # what quote leaves as it is; it takes ten times as long


def _decoder(into: type[T]) -> msgspec.json.Decoder[T]:
    found = _DECODERS.get(into)
    if found is None:
        found = _DECODERS[into] = msgspec.json.Decoder(into)
    return found


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}  # a decoder costs 100 times as much to make as to use


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))  # Asterisk splits such parameters at commas
    return str(value)


def _message(answer: bytes, reason: str | None) -> str:
    """Asterisk's ``{"message": …}`` (or ``{"error": …}``), else the reason phrase; at most 300 characters."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found = None
    if isinstance(found, dict):
        for key in ("message", "error"):
            if isinstance(found.get(key), str):
                return str(found[key])[:300]
    return reason or ""
