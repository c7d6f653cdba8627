"""The console as one ASGI application: every room, its guard, and its documentation for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.types import ASGIApp

from console.api import (
    account as api_account,
    calls as api_calls,
    desk as api_desk,
    drafts as api_drafts,
    duty as api_duty,
    hearing as api_hearing,
    keeping as api_keeping,
    quality as api_quality,
    recordings as api_recordings,
    review_lists as api_review_lists,
    reviews as api_reviews,
    satisfaction as api_satisfaction,
    status as api_status,
    users as api_users,
)
from console.guard import Guard
from console.office import Link, Office
from console.pages import (
    account,
    calls,
    desk,
    duty,
    exports,
    house,
    keeping,
    programs,
    quality,
    recording,
    sign_in,
    status,
    users,
)
from console.rooms import ApiRoom, Room, Undeclared, check_declared

ROOMS: tuple[Room, ...] = (
    house.room,
    sign_in.room,
    account.room,
    desk.room,
    calls.room,
    duty.room,
    programs.room,
    quality.room,
    recording.room,
    exports.room,
    keeping.room,
    status.room,
    users.room,
)
API_ROOMS: tuple[ApiRoom, ...] = (
    api_account.room,
    api_desk.room,
    api_drafts.room,
    api_calls.room,
    api_hearing.room,
    api_recordings.room,
    api_duty.room,
    api_keeping.room,
    api_review_lists.room,
    api_quality.room,
    api_reviews.room,
    api_satisfaction.room,
    api_status.room,
    api_users.room,
)
"""A new room is added to one of the two."""

ABOUT = """Everything that the screens do. A program sends `Authorization: Bearer TOKEN`; a person makes the token under
「我的账号 / My account」 and gives it scopes. `x-permission` names the permission that each operation needs. Errors are
RFC 9457 problem documents. Times are microseconds since 1970 UTC unless they end in `_iso`."""


def make_app(office: Office, *, rooms: Iterable[Room] = ROOMS, api_rooms: Iterable[ApiRoom] = API_ROOMS) -> Guard:
    """The application. Raises Undeclared for a route without a verb, or two routes with one path and method."""
    app = _App(
        title="Hotline", version="1", description=ABOUT, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    rooms, api_rooms = tuple(rooms), tuple(api_rooms)
    app.router.routes[:] = [route for room in (*rooms, *api_rooms) for route in room.routes]
    check_declared(app.router.routes)
    _check_twice(app)
    for room in rooms:
        if room.title is not None:
            office.links.append(Link(room.name, room.title, room.path, room.verb, room.order))
        office.live.topics.update(room.live_topics)
        if room.watch is not None:
            room.watch(office.live, office.site)
    office.links.sort(key=lambda link: link.order)

    app.openapi_schema = _documented(app)
    return Guard(app, office)


def _documented(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the bearer token that every operation takes, and its troubles as they are sent."""
    schema = app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for methods in schema["paths"].values():
        for about in methods.values():
            for code, answer in about["responses"].items():
                if code >= "400" and "content" in answer:
                    answer["content"] = {"application/problem+json": answer["content"]["application/json"]}
    return schema


class _App(FastAPI):
    """FastAPI without its own answers to errors: all come out, and the guard answers them."""

    def build_middleware_stack(self) -> ASGIApp:
        """The routes alone, with what FastAPI needs around a request."""
        return AsyncExitStackMiddleware(self.router)


def _check_twice(app: FastAPI) -> None:
    seen: set[tuple[str, str]] = set()
    for route in app.router.routes:
        for method in getattr(route, "methods", ()):
            place = (method, getattr(route, "path", ""))
            if place in seen:
                raise Undeclared(f"{place[0]} {place[1]} is there twice")
            seen.add(place)
