"""Whatever a screen shows or does, a program can have too: every page and act has its twin in the API, or a reason."""

from __future__ import annotations

from console.app import API_ROOMS, ROOMS
from console.rooms import ANYONE, declared

V1 = "/api/v1"

TWINS: dict[str, tuple[str, ...]] = {
    "POST /sign-in": ("POST /sign-in",),
    "POST /sign-out": ("DELETE /me/sessions/{key}", "DELETE /me/tokens/{token_id}"),
    "POST /language": ("PUT /me/language",),
    "GET /account": ("GET /me", "GET /me/sessions", "GET /me/tokens"),
    "POST /account/password": ("PUT /me/password",),
    "POST /account/sessions/end": ("DELETE /me/sessions", "DELETE /me/sessions/{key}"),
    "POST /account/tokens": ("POST /me/tokens", "POST /sign-in"),
    "POST /account/tokens/end": ("DELETE /me/tokens/{token_id}",),
    "GET /live": ("GET /live",),
    "GET /users": ("GET /users",),
    "POST /users/new": ("POST /users",),
    "GET /users/{user_id}": ("GET /users/{user_id}",),
    "POST /users/{user_id}": ("PUT /users/{user_id}",),
    "POST /users/{user_id}/reset": ("POST /users/{user_id}/reset",),
    "POST /users/{user_id}/disable": ("POST /users/{user_id}/disable", "POST /users/{user_id}/enable"),
    "GET /users/log/all": ("GET /user-log",),
    "GET /users/permits/all": ("GET /permits",),
    "GET /desk": ("GET /desk", "GET /desk/calls"),
    "GET /desk/now": ("GET /desk",),
    "GET /desk/today": ("GET /desk/calls",),
    "POST /desk/{deed}": ("POST /desk/state",),
    "GET /records/{call_id}": ("GET /calls/{call_id}/record", "GET /subjects"),
    "GET /records/{call_id}/form": ("GET /calls/{call_id}/record", "GET /calls/{call_id}/record/draft"),
    "POST /records/{call_id}": ("PATCH /calls/{call_id}/record",),
    "POST /records/{call_id}/draft": ("PUT /calls/{call_id}/record/draft",),
    "POST /records/{call_id}/draft/drop": ("DELETE /calls/{call_id}/record/draft",),
    "GET /calls": ("GET /calls", "GET /calls/filters"),
    "GET /calls/{call_id}": ("GET /calls/{call_id}",),
    "POST /calls/filters": ("POST /calls/filters",),
    "POST /calls/filters/end": ("DELETE /calls/filters/{filter_id}",),
    "GET /duty": ("GET /duty", "GET /duty/week", "GET /duty/proof"),
    "GET /duty/now": ("GET /duty",),
    "GET /duty/week": ("GET /duty/week",),
    "GET /duty/proof": ("GET /duty/proof",),
    "GET /quality": ("GET /reviews/list",),
    "GET /quality/grades": ("GET /reviews",),
    "GET /quality/appeals": ("GET /reviews",),
    "GET /quality/exemplary": ("GET /reviews/exemplary",),
    "GET /quality/lists": ("GET /reviews/lists",),
    "POST /quality/lists": ("POST /reviews/draws",),
    "GET /quality/agreement": ("GET /reviews/agreement",),
    "GET /quality/coverage": ("GET /recordings/coverage",),
    "GET /quality/satisfaction": ("GET /satisfaction",),
    "GET /quality/forms": ("GET /reviews/forms",),
    "GET /quality/calls/{call_id}": (
        "GET /calls/{call_id}/reviews", "GET /calls/{call_id}/recording", "GET /calls/{call_id}/holds",
        "GET /calls/{call_id}/reviews/draft",
    ),
    "POST /quality/calls/{call_id}/hear": ("POST /calls/{call_id}/hearings",),
    "GET /quality/sound/{token}": ("GET /sound/{token}",),
    "POST /quality/calls/{call_id}/hold": ("POST /calls/{call_id}/holds",),
    "POST /quality/calls/{call_id}/release": ("POST /calls/{call_id}/holds/lift",),
    "POST /quality/calls/{call_id}/download": ("POST /calls/{call_id}/recording/download",),
    "GET /quality/exports": ("GET /recordings/exports",),
    "GET /quality/exports/now": ("GET /recordings/exports", "GET /recordings/exports/{export_id}"),
    "POST /quality/exports": ("POST /recordings/exports",),
    "POST /quality/exports/{export_id}/stop": ("POST /recordings/exports/{export_id}/stop",),
    "POST /quality/exports/{export_id}/on": ("POST /recordings/exports/{export_id}/on",),
    "POST /quality/exports/{export_id}/remove": ("DELETE /recordings/exports/{export_id}",),
    "POST /quality/exports/{export_id}/address": ("POST /recordings/exports/{export_id}/address",),
    "GET /quality/exports/file/{token}": ("GET /recordings/exports/{export_id}/file",),
    "POST /quality/calls/{call_id}/grade": (
        "POST /calls/{call_id}/reviews", "POST /calls/{call_id}/reviews/{review_id}/correct",
        "POST /calls/{call_id}/reviews/{review_id}/change",
    ),
    "POST /quality/calls/{call_id}/draft": ("PUT /calls/{call_id}/reviews/draft",),
    "POST /quality/calls/{call_id}/draft/drop": ("DELETE /calls/{call_id}/reviews/draft",),
    "POST /quality/calls/{call_id}/reviews/{review_id}/appeal": ("POST /calls/{call_id}/reviews/{review_id}/appeal",),
    "POST /quality/calls/{call_id}/reviews/{review_id}/keep": ("POST /calls/{call_id}/reviews/{review_id}/keep",),
    "POST /quality/calls/{call_id}/exemplary": (
        "PUT /calls/{call_id}/exemplary", "POST /calls/{call_id}/exemplary/end",
    ),
    "POST /quality/calls/{call_id}/comments": ("POST /calls/{call_id}/comments",),
    "POST /quality/calls/{call_id}/comments/{comment_id}/remove": ("DELETE /calls/{call_id}/comments/{comment_id}",),
    "GET /calls/export.csv": ("GET /calls/export.csv",),
    "GET /keeping/access": ("GET /access", "GET /access/proofs/last"),
    "GET /keeping/access/export.csv": ("GET /access/export.csv",),
    "GET /keeping/access/proof": ("GET /access/proofs/last",),
    "POST /keeping/access/verify": ("POST /access/proofs",),
    "GET /keeping/holds": ("GET /holds",),
    "POST /keeping/holds": ("POST /calls/{call_id}/holds",),
    "POST /keeping/holds/lift": ("POST /calls/{call_id}/holds/lift",),
    "GET /keeping/purge": ("GET /purges", "GET /purges/plan"),
    "POST /keeping/purge": ("POST /purges",),
    "GET /keeping/manifests/{name}": ("GET /purges/{name}",),
    "POST /keeping/person": ("POST /persons/look",),
    "POST /keeping/person/export": ("POST /persons/exports",),
    "POST /keeping/person/erase": ("POST /persons/erasures",),
    "GET /keeping/parcels/{token}": ("GET /parcels/{token}",),
    "GET /keeping/works/{work_id}": ("GET /works/{work_id}",),
    "GET /status": ("GET /status",),
    "GET /status/now": ("GET /status",),
}  # fmt: skip
"""By page or act, its twins below /api/v1: each may need another permission, the first none that the page does not."""

REASONS: dict[str, str] = {
    "GET /": "leads a person to their first room",
    "GET /sign-in": "an empty form",
    "GET /account/password": "an empty form",
    "GET /users/new": "an empty form",
    "POST /theme": "looks are a cookie of this browser; a program has none",
    "GET /static/{digest}/{name:path}": "files of the pages",
    "GET /favicon.ico": "a file of the pages",
    "GET /healthz": "is for programs",
    "GET /readyz": "is for programs",
    "GET /metrics": "is for programs",
    "GET /api": "the documentation, for people",
    "GET /api/v1/openapi.json": "the documentation, for programs",
    "GET /keeping": "leads a person to their first part",
    "GET /keeping/person": "an empty form",
    "GET /duty/coverage.svg": "a picture of what GET /api/v1/duty/week says",
}
"""Those that need none, and why."""


def _routes(rooms: object) -> dict[str, object]:
    return {f"{sorted(route.methods)[0]} {route.path}": route  # type: ignore[attr-defined]
            for room in rooms for route in room.routes}  # type: ignore[attr-defined]  # fmt: skip


def test_every_page_and_act_has_its_twin_or_a_reason() -> None:
    pages = set(_routes(ROOMS))
    assert pages - TWINS.keys() - REASONS.keys() == set(), "say what programs ask instead, or why they need not"
    assert (TWINS.keys() | REASONS.keys()) - pages == set(), "these are gone"
    assert not TWINS.keys() & REASONS.keys()


def test_every_twin_is_there_and_asks_for_no_other_permission() -> None:
    pages, programs = _routes(ROOMS), _routes(API_ROOMS)
    for page, twins in TWINS.items():
        found = [programs.get(twin.replace(" ", f" {V1}", 1)) for twin in twins]
        assert None not in found, (page, twins)
        verbs = {declared(twin) for twin in found}  # type: ignore[arg-type]
        assert declared(pages[page]) in verbs | {ANYONE} or page in ELSE, (page, verbs)  # type: ignore[arg-type]


ELSE = {
    "GET /quality": "who may not grade is shown the grades instead",
    "POST /quality/calls/{call_id}/grade": "one form for graders and for who decides appeals: each is looked at there",
}
"""Pages with a permission of their own, and why."""
