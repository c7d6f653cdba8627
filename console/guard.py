"""What every request passes before any room sees it, and what every answer gets on its way out.

In order: the host must be one of ours (DNS rebinding), the body bounded in size and time, who asks is looked up, and
what changes something must come from our own pages. Rooms add the verb (``console.rooms``).
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from email.utils import formatdate
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.routing import Route

from config.catalogue import DEFAULT, Language, _, answering
from console.ask import Ask, loggable
from console.errors import answer_to
from console.languages import preferred
from console.office import Office
from console.rooms import BODY
from console.site import Refusal

log = structlog.get_logger()

Message = MutableMapping[str, Any]

BODY_PATIENCE, SLOWEST = 30.0, 20_000
"""Seconds for a body, and another for every so many bytes that it may have."""

SEND_PATIENCE = 60.0
"""Seconds that a browser may take to read what stands in its buffer."""

COOKIE, LANGUAGE, THEME, BEFORE = "hotline", "hotline-language", "hotline-theme", "hotline-before"
"""Session, language, looks; and the secret that binds the sign-in form to its browser."""

QUIET = "x-hotline-live"
"""Header of what a screen fetches by itself: it keeps no session alive."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class BodyTooLarge(Exception):
    """The body is larger than the route takes."""


class Forged(Exception):
    """The request does not come from a page of ours."""


def cookie_name(name: str, secure: bool) -> str:
    """With HTTPS the browser itself holds a cookie to this host alone (``__Host-``, RFC 6265bis)."""
    return f"__Host-{name}" if secure else name


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: FastAPI, office: Office) -> None:
        self._app, self._office = app, office

    @property
    def description(self) -> Mapping[str, Any]:
        """What programs can ask, as OpenAPI."""
        return self._app.openapi()

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        ask = self._ask(scope, headers)
        began = False
        scope["hotline.body"] = BODY
        state = scope.setdefault("state", {})
        state["ask"], state["guard"] = ask, self

        async def sent(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message["headers"] = [*message.get("headers", ()), *_headers(ask, message)]
            async with asyncio.timeout(SEND_PATIENCE):
                await send(message)

        with ExitStack() as words:
            words.enter_context(answering(ask.language))
            try:
                self._check_host(headers)
                await self._know(ask, headers)
                words.enter_context(answering(ask.language))  # whoever it is may have chosen another
                await self._app(scope, _bounded(scope, headers, receive), sent)
            except asyncio.CancelledError:
                raise
            except Exception as fault:
                if isinstance(fault, HTTPException) and fault.status_code == 405:
                    fault.headers = {"Allow": ", ".join(self._methods(ask.path))}
                if began:
                    log.warning("an answer was cut short", path=loggable(ask.path), why=repr(fault)[:200])
                    raise
                await (await answer_to(ask, fault))(scope, receive, sent)

    def _methods(self, path: str) -> list[str]:
        """What can be done at this path."""
        routes = [route for route in self._app.routes if isinstance(route, Route) and route.path_regex.match(path)]
        return sorted({method for route in routes for method in route.methods or ()})

    def _ask(self, scope: Message, headers: Headers) -> Ask:
        cookies = cookie_parser(headers.get("cookie", ""))
        hotline = self._office.site.settings.hotline
        wanted, theme = cookies.get(LANGUAGE), cookies.get(THEME)
        language: Language | None = "en" if wanted == "en" else "zh" if wanted == "zh" else None
        language = language or preferred(headers.get("accept-language", "")) or hotline.language or DEFAULT
        path, query = scope["path"], scope.get("query_string", b"").decode("ascii", "replace")
        here = (f"{path}?{query}" if query else path) if scope["method"] == "GET" else "/"
        return Ask(
            self._office, language, theme if theme in ("light", "dark") else "auto",
            (scope.get("client") or ("", 0))[0], scope["scheme"] == "https", secrets.token_urlsafe(12), path, here,
            headers.get("hx-request") == "true", path.startswith(("/api/", "/healthz", "/readyz", "/metrics")),
        )  # fmt: skip

    def _check_host(self, headers: Headers) -> None:
        names = headers.getlist("host")
        if len(names) != 1 or not known_host(names[0], self._office.site.settings.hotline.console.names):
            raise Refusal(_("This host name is not one of the console's: set it in console.names."), status=400)

    async def _know(self, ask: Ask, headers: Headers) -> None:
        """Look up who asks, by token or by session. The language of their account goes before all else."""
        if ask.path.startswith("/static/"):
            return
        office = self._office
        scheme, _blank, secret = headers.get("authorization", "").partition(" ")
        if ask.is_api and secret:
            if scheme.lower() == "bearer":
                known = await office.thread(office.sessions.of_token, secret.strip()[:200], ask.address)
                if known is not None:
                    ask.known, ask.language = known[0], _spoken(known[1]) or ask.language
            return
        secret = cookie_parser(headers.get("cookie", "")).get(cookie_name(COOKIE, ask.secure), "")
        if not secret:
            return
        found = await office.thread(
            office.sessions.whose, secret[:200], ask.address, office.lasting, quiet=QUIET in headers
        )
        if found is not None:
            ask.known, ask.csrf, chosen = found
            ask.language = _spoken(chosen) or ask.language

    async def proven(self, request: Request, ask: Ask, *, by_token: bool = True) -> None:
        """That what changes something comes from a page of ours: by the browser's own word, and by the token that
        stands in our forms. A program's bearer token is proof by itself; without ``by_token`` none is needed, since
        nothing of a browser's is used. Raises Forged."""
        if ask.known is not None and ask.known.by == "token":
            return
        headers = request.headers
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Forged
        origin = headers.get("origin")
        if origin is not None and not _same_origin(origin, headers.get("host", ""), ask.secure):
            raise Forged
        if not by_token:
            return
        wanted = ask.csrf or request.cookies.get(cookie_name(BEFORE, ask.secure), "")
        given = headers.get("x-csrf-token", "")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not given and kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = await request.form(max_files=8, max_fields=300)  # kept: the route reads the same
            given = str(form.get("csrf", ""))
        if not wanted or not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Forged


def _spoken(language: str) -> Language | None:
    return "en" if language == "en" else "zh" if language == "zh" else None


def known_host(text: str, names: tuple[str, ...]) -> bool:
    """Whether a browser may ask by this name: an IP address (which nobody can point elsewhere), ``localhost``, the
    machine's own name, or one that is set."""
    try:
        host = urlsplit(f"//{text}").hostname or ""
        if not text or text != text.strip() or any(sign in text for sign in "/\\@?# ,"):
            return False
        urlsplit(f"//{text}").port  # noqa: B018  raises ValueError
    except ValueError:
        return False
    try:
        ip_address(host)
    except ValueError:
        host = host.rstrip(".").lower()
        return host in ("localhost", *own_names()) or host in {name.rstrip(".").lower() for name in names}
    return True


@cache
def own_names() -> tuple[str, ...]:
    """The machine's name, short and as it is set. No name server is asked."""
    name = socket.gethostname().lower()
    return tuple(dict.fromkeys(each for each in (name, name.partition(".")[0]) if each))


def _same_origin(origin: str, host: str, secure: bool) -> bool:
    parts = urlsplit(origin)
    return parts.netloc.lower() == host.lower() and parts.scheme == ("https" if secure else "http")


def _bounded(scope: Message, headers: Headers, receive: Any) -> Any:
    """The body, no larger than the route takes (it says so when it is reached) and no slower than it must be."""
    got, whole, ends = 0, False, 0.0

    async def bounded() -> Message:
        nonlocal got, whole, ends
        most = scope["hotline.body"]
        if whole:
            message: Message = await receive()
            return message
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced[:18]) > most:
            raise BodyTooLarge
        now = asyncio.get_running_loop().time()
        ends = ends or now + BODY_PATIENCE + most / SLOWEST
        async with asyncio.timeout(max(0.01, ends - now)):
            message = await receive()
        got += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if got > most:
            raise BodyTooLarge
        return message

    return bounded


def _headers(ask: Ask, message: Message) -> list[tuple[bytes, bytes]]:
    """What the answer gets besides its own."""
    own = {name.lower() for name, _value in message.get("headers", ())}
    nonce = ask.nonce.encode()
    policy = (
        b"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + b"'; img-src 'self' data:;"
        b" connect-src 'self'; media-src 'self' blob:; font-src 'self'; form-action 'self'; base-uri 'none';"
        b" frame-ancestors 'none'; manifest-src 'self'"
    )
    more = [*_HEADERS, (b"content-security-policy", policy), (b"date", formatdate(usegmt=True).encode())]
    if b"cache-control" not in own:
        more.append((b"cache-control", b"no-store"))
    if ask.secure:
        more.append((b"strict-transport-security", b"max-age=2592000"))
    return [(name, value) for name, value in more if name not in own]
