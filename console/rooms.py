"""How a room is declared: every route names the verb that it needs; one without keeps the app from starting.

``Room`` is for pages, ``ApiRoom`` for their twins below ``/api/v1``. The verb is looked at before anything of the
body is read; so nobody uploads what they may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from console.ask import PasswordNeeded
from console.permits import Verb

if TYPE_CHECKING:
    from console.live import Live
    from console.site import Site

Function = TypeVar("Function", bound=Callable[..., Any])

BODY = 64 * 1024
"""Bytes of a request's body, unless the route says otherwise."""

DECLARED = "x-permission"


class Anyone(Enum):
    """For the few routes that need no sign-in: they say so."""

    ANYONE = "anyone"


ANYONE = Anyone.ANYONE


class Undeclared(Exception):
    """A route has no verb: a fault of ours, found when the app is made."""


class Trouble(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""


class Guarded(APIRoute):
    """A route that looks at its verb, and at the CSRF token of what changes something, before it reads a body."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The route's course, behind its guard."""
        course = super().get_route_handler()
        declared = _declared(self)

        async def guarded(request: Request) -> Response:
            ask = request.state.ask
            if declared["verb"] is not ANYONE:
                ask.who.must(declared["verb"])
                if ask.who.must_change and not declared["before_change"]:
                    raise PasswordNeeded
            request.scope["hotline.body"] = declared["body"]
            if request.method not in ("GET", "HEAD", "OPTIONS"):
                await request.state.guard.proven(request, ask, by_token=not declared["stranger"])
            answer: Response = await course(request)
            return answer

        return guarded


def _declared(route: BaseRoute) -> Mapping[str, Any]:
    found = getattr(getattr(route, "endpoint", None), "__hotline__", None)
    if not isinstance(route, Guarded) or found is None:
        raise Undeclared(f"the route {getattr(route, 'path', route)!r} does not say who may use it")
    declared: Mapping[str, Any] = found
    return declared


def check_declared(routes: Iterable[BaseRoute]) -> None:
    """Raises Undeclared for a route that names no verb."""
    for route in routes:
        _declared(route)


def declared(route: BaseRoute) -> Verb | Anyone:
    """The verb of a route."""
    verb: Verb | Anyone = _declared(route)["verb"]
    return verb


class _Declares(APIRouter):
    def _declare(
        self, method: str, path: str, verb: Verb | Anyone, body: int, before_change: bool, more: Mapping[str, Any],
        stranger: bool = False,
    ) -> Callable[[Function], Function]:  # fmt: skip
        def add(function: Function) -> Function:
            about = {"verb": verb, "body": body, "before_change": before_change, "stranger": stranger}
            known = getattr(function, "__hotline__", about)
            if known != about:
                raise Undeclared(f"{function.__qualname__} is declared twice, with different verbs")
            function.__hotline__ = about  # type: ignore[attr-defined]
            self.add_api_route(path, function, methods=[method], **more)
            return function

        return add


class Room(_Declares):
    """A room on the screen. With ``title`` it stands in the navigation for whoever may ``verb``.

    ``topics``: what its pages and programs may listen to (``console.live``), and the verb of each; ``watch`` sets up
    who looks for changes while somebody does.
    """

    def __init__(
        self,
        name: str,
        *,
        title: Callable[[], str] | None = None,
        path: str = "",
        verb: Verb = Verb.SELF,
        order: int = 50,
        topics: Mapping[str, Verb] | None = None,
        watch: Callable[[Live, Site], None] | None = None,
    ) -> None:
        super().__init__(route_class=Guarded, include_in_schema=False, default_response_class=HTMLResponse)
        self.name, self.title, self.path, self.verb, self.order = name, title, path, verb, order
        self.live_topics, self.watch = dict(topics or {}), watch

    def page(
        self, path: str, verb: Verb | Anyone, *, before_change: bool = False, **more: Any
    ) -> Callable[[Function], Function]:
        """Something to look at (GET); ``before_change``: also with a one-time password."""
        return self._declare("GET", path, verb, 0, before_change, {"response_model": None, **more})

    def act(
        self, path: str, verb: Verb | Anyone, *, body: int = BODY, before_change: bool = False, **more: Any
    ) -> Callable[[Function], Function]:
        """Something to do (POST of a form with its CSRF token); ``body``: the most bytes."""
        return self._declare("POST", path, verb, body, before_change, {"response_model": None, **more})


class ApiRoom(_Declares):
    """A room for programs. ``tag`` is its heading in the documentation."""

    def __init__(self, tag: str) -> None:
        codes = (400, 401, 403, 404, 409, 413, 422, 429, 503)
        troubles: dict[int | str, dict[str, Any]] = {code: {"model": Trouble} for code in codes}
        super().__init__(prefix="/api/v1", route_class=Guarded, tags=[tag], responses=troubles)

    def read(self, path: str, verb: Verb | Anyone, **more: Any) -> Callable[[Function], Function]:
        """GET."""
        return self._declare("GET", path, verb, 0, False, _documented(verb, more))

    def do(
        self, method: str, path: str, verb: Verb | Anyone, *, body: int = BODY, before_change: bool = False,
        stranger: bool = False, **more: Any,
    ) -> Callable[[Function], Function]:  # fmt: skip
        """POST, PUT, PATCH or DELETE with a JSON body. ``stranger``: it takes nothing from cookies and sets none, so
        that no CSRF token is needed."""
        return self._declare(method, path, verb, body, before_change, _documented(verb, more), stranger)


def _documented(verb: Verb | Anyone, more: Mapping[str, Any]) -> dict[str, Any]:
    security: list[dict[str, list[str]]] = [] if verb is ANYONE else [{"token": []}]
    return {"openapi_extra": {DECLARED: verb.value, "security": security}, **more}
