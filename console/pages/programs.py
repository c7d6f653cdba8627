"""For programs: the documentation of the API as a page and as OpenAPI, and Prometheus' metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from console.ask import Asked
from console.metrics import KIND, exposed
from console.permits import Verb
from console.rooms import DECLARED, Room

room = Room("programs")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a program can ask."""

    method: str
    path: str
    summary: str
    about: str
    permission: str
    takes: tuple[tuple[str, str, bool], ...]
    """Name, type and whether it must be given, of each parameter and field of the body."""


@room.page("/api", Verb.SELF)
async def api(ask: Asked, request: Request) -> Response:
    """What programs can ask, for people to read."""
    found: dict[str, list[Operation]] = {}
    for tag, operation in operations(request.app.openapi()):
        found.setdefault(tag, []).append(operation)
    return await ask.page("api.html", rooms=found)


@room.page("/api/v1/openapi.json", Verb.SELF)
async def openapi(ask: Asked, request: Request) -> Response:
    """The same for programs (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())


@room.page("/metrics", Verb.METRICS_READ)
async def metrics(ask: Asked) -> Response:
    """For Prometheus, with a token of the scope ``metrics.read``."""
    facts = await ask.site.facts()
    return Response(exposed(facts, connections=ask.office.connections(), streams=ask.office.live.streams),
                    media_type=KIND)  # fmt: skip


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    """Each operation of an OpenAPI document, with its heading."""
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            takes = [(one["name"], _type(one["schema"], schema), bool(one.get("required")))
                     for one in about.get("parameters", ())]  # fmt: skip
            body = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            whole = _meant(body, schema)
            takes += [(name, _type(one, schema), name in whole.get("required", ()))
                      for name, one in whole.get("properties", {}).items()]  # fmt: skip
            yield about["tags"][0], Operation(
                method.upper(), path, about.get("summary", ""), about.get("description", ""), about[DECLARED],
                tuple(takes),
            )  # fmt: skip


def _meant(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = schema["components"]["schemas"][name] if name else part
    return found


def _type(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    meant = _meant(part, schema)
    if "enum" in meant:
        return " | ".join(str(each) for each in meant["enum"][:6]) + (" …" if len(meant["enum"]) > 6 else "")
    if "anyOf" in meant:
        return " | ".join(_type(each, schema) for each in meant["anyOf"])
    kind = str(meant.get("type", "object"))
    return f"[{_type(meant['items'], schema)}]" if kind == "array" and "items" in meant else kind
