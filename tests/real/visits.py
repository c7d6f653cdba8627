"""Every page of the console: who looks at it with something on it, where, and what must be seen there.

A page that is not here fails ``tests.web.test_visits``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console.app import ROOMS
from tests.real.workday import Workday


@dataclass(frozen=True, slots=True)
class Visit:
    """``who`` (empty: nobody has signed in) sees ``shows`` (CSS selectors) at ``path``, in these languages."""

    who: str
    path: str | Callable[[Workday], str]
    shows: tuple[str, ...]
    languages: tuple[str, ...] = ("zh", "en")

    def at(self, day: Workday) -> str:
        """The page's address."""
        return self.path if isinstance(self.path, str) else self.path(day)


def call(name: str, where: str = "/calls/{}") -> Callable[[Workday], str]:
    """The page of this call."""
    return lambda day: where.format(day.calls[name])


RECORDING = "/quality/calls/{}"

VISITS: Mapping[str, tuple[Visit, ...]] = {
    "/sign-in": (Visit("", "/sign-in", ("input[name=password]",)),),
    "/account": (
        Visit("caiwu", "/account", ("#sessions",)),
        Visit("admin", "/account", ("text=报表程序",)),
    ),
    "/account/password": (Visit("zhangmin", "/account/password", ("input[name=again]",)),),
    "/api": (Visit("admin", "/api", ("section.card tbody tr",)),),
    "/desk": (
        Visit("zhangmin", "/desk", (".desk-mode.ringing", ".desk-earlier li", "#record-form", "#today tbody tr")),
    ),
    "/records/{call_id}": (
        Visit("liqiang", call("refund", "/records/{}"), (".record-history li:nth-child(2)", "#record-form")),
        Visit("shenji", call("order", "/records/{}"), ("#record-form fieldset[disabled]",)),
    ),
    "/calls": (
        Visit("banzhang", "/calls", ("#found tbody tr:nth-child(6)", ".saved .chip", ".badge.good")),
        Visit("zhangmin", "/calls?length=1-600&period=today", ("#found tbody tr", ".chip")),
    ),
    "/calls/{call_id}": (
        Visit("banzhang", call("order"), (".course li:nth-child(10)", ".talk-line")),
        Visit("shenji", call("waits"), (".course li",)),
    ),
    "/duty": (
        Visit("banzhang", "/duty", ("#duty-now tbody tr:nth-child(4)", ".badge.bad", ".week rect.shift", ".holes li")),
        Visit("liqiang", "/duty", (".week rect.shift",)),
    ),
    "/quality": (Visit("quality1", "/quality", ("tbody tr", ".switch .count")),),
    "/quality/grades": (
        Visit("banzhang", "/quality/grades", (".figures", "tbody tr:nth-child(2)", "td.pick input")),
        Visit("zhangmin", "/quality/grades", ("tbody tr",)),
    ),
    "/quality/appeals": (Visit("banzhang", "/quality/appeals", ("tbody tr .badge.warn",)),),
    "/quality/exemplary": (Visit("quality2", "/quality/exemplary", ("tbody tr",)),),
    "/quality/lists": (Visit("banzhang", "/quality/lists", ("tbody tr", "progress")),),
    "/quality/agreement": (Visit("banzhang", "/quality/agreement", ("tbody tr",)),),
    "/quality/coverage": (Visit("shenji", "/quality/coverage", (".figures",)),),
    "/quality/satisfaction": (Visit("banzhang", "/quality/satisfaction", (".figures", "tbody tr")),),
    "/quality/exports": (Visit("quality1", "/quality/exports", ("form[action$='/address']",)),),
    "/quality/forms": (Visit("quality1", "/quality/forms", (".points",)),),
    "/quality/calls/{call_id}": (
        Visit("quality1", call("refund", RECORDING), ("#wave > div", ".marks li", ".hold-text", "#grade .point")),
        Visit("zhangmin", call("order", RECORDING), ("#wave > div", ".comments li:nth-child(2)", ".graded")),
        Visit("banzhang", call("order", RECORDING), (".appeal-text", "textarea[name=why]")),
        Visit("shenji", call("message", RECORDING), ("#wave > div",)),
    ),
    "/keeping/access": (Visit("shenji", "/keeping/access", ("tbody tr:nth-child(2)", "#proof")),),
    "/keeping/holds": (Visit("shenji", "/keeping/holds", ("tbody tr",)),),
    "/keeping/purge": (Visit("admin", "/keeping/purge?look=true", ("#rules-title", "#plan-title")),),
    "/keeping/person": (Visit("admin", "/keeping/person", ("#f-number",)),),
    "/status": (Visit("admin", "/status", (".tile.good",)),),
    "/users": (Visit("admin", "/users", ("tbody tr:nth-child(9)", "tr.off")),),
    "/users/new": (Visit("admin", "/users/new", ("input[name=name]",)),),
    "/users/{user_id}": (
        Visit("admin", lambda day: f"/users/{day.users['zhangmin']}", (".facts", "input[name=shown]")),
    ),
    "/users/log/all": (Visit("shenji", "/users/log/all", ("tbody tr:nth-child(9)",)),),
    "/users/permits/all": (Visit("shenji", "/users/permits/all", ("tbody tr",)),),
}

NO_PAGES = frozenset({
    "/", "/favicon.ico", "/static/{digest}/{name:path}", "/live", "/healthz", "/readyz", "/metrics",
    "/api/v1/openapi.json", "/calls/export.csv", "/duty/coverage.svg", "/quality/sound/{token}",
    "/quality/exports/file/{token}", "/quality/exports/now", "/desk/now", "/desk/today", "/duty/now", "/duty/week",
    "/duty/proof", "/status/now", "/records/{call_id}/form", "/keeping", "/keeping/access/export.csv",
    "/keeping/access/proof", "/keeping/manifests/{name}", "/keeping/parcels/{token}", "/keeping/works/{work_id}",
})  # fmt: skip
"""What is fetched, but is no page of its own: files, streams, sounds, and parts of pages that are seen with those."""


ROUTES = frozenset(
    str(getattr(route, "path", "")) for room in ROOMS for route in room.routes if "GET" in getattr(route, "methods", ())
)
"""Whatever can be fetched."""


def unvisited() -> set[str]:
    """Pages that nobody looks at, and visits to pages that are not there any more."""
    return set(ROUTES ^ (set(VISITS) | NO_PAGES))


PLACES = tuple(
    visit if not number else replace(visit, languages=(("zh", "en")[(number + place) % 2],))
    for place, visits in enumerate(VISITS.values())
    for number, visit in enumerate(visits)
)
"""All of them; how a page looks to others than the first is looked at in one language."""
