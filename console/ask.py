"""One request, as a room sees it: who asks, in which language, and how to answer.

A room's function takes ``ask: Asked`` and reads like a sentence: look something up by the service functions, then
``return await ask.page("calls.html", calls=found)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from config.catalogue import Language
from console.called import Called
from console.permits import Verb, Who

if TYPE_CHECKING:
    from console.office import Link, Office
    from console.site import Site

T = TypeVar("T")

_IN_ADDRESSES = ":/%#?=@[]!$&'()*+,;"
"""What stays as it is in an address; line ends and all that is not ASCII do not."""


class Said(NamedTuple):
    """A sentence for the next page: how it is meant (good, bad); ``form`` is what was filled in, where it was refused:
    the page shows its form so again."""

    how: str
    what: str
    form: Mapping[str, Collection[str]]


_KEY = re.compile(r"[A-Za-z0-9_-]{43,}")
"""Whatever opens something by standing in an address: 256 random bits, or a signature with what it is of."""


def loggable(path: str) -> str:
    """A path for the log, without the key that may stand in it."""
    return _KEY.sub(lambda found: f"{found[0][:8]}…", path)


class SignInNeeded(Exception):
    """Nobody is signed in."""


class PasswordNeeded(Exception):
    """The one-time password must be changed first."""


@dataclass(slots=True)
class Ask:
    """A request. ``known`` is who asks, None for nobody; ``csrf`` stands in every form (``console.guard``)."""

    office: Office
    language: Language
    theme: str
    address: str
    secure: bool
    """Whether it came by HTTPS."""
    nonce: str
    path: str
    here: str
    """Where a form of the bar comes back to: this page, or the first one where it cannot be asked for anew."""
    htmx: bool
    is_api: bool
    known: Who | None = None
    csrf: str = ""

    @property
    def who(self) -> Who:
        """Who asks. Raises SignInNeeded."""
        if self.known is None:
            raise SignInNeeded
        return self.known

    @property
    def site(self) -> Site:
        """The running hotline."""
        return self.office.site

    def may(self, verb: Verb) -> bool:
        """For templates: whether this person may."""
        return self.known is not None and self.known.may(verb)

    async def thread(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        """Do what blocks (SQLite, files) in one of the console's threads."""
        return await self.office.thread(work, *arguments, **named)

    async def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Fill the template in a thread, and answer with it."""
        said = self.office.said.pop(self.known.key, None) if self.known is not None and not self.htmx else None
        filled = said.form if said is not None else {}
        whole = {
            "ask": self, "said": said, "filled": filled, "links": self.links(), "called": Called(self.office), **values
        }  # fmt: skip
        text = await self.thread(self.office.templates.get_template(template).render, whole)
        return HTMLResponse(text, status)

    def go(
        self, path: str, *, said: str = "", bad: bool = False, filled: Mapping[str, Collection[str]] | None = None
    ) -> Response:
        """Send the browser to another page of ours, which first says ``said``, and shows its form as it was filled."""
        if said and self.known is not None:
            self.office.say(self.known.key, Said("bad" if bad else "good", said, filled or {}))
        if self.htmx:
            return Response(status_code=204, headers={"HX-Redirect": quote(path, safe=_IN_ADDRESSES)})
        return RedirectResponse(path, 303)

    def links(self) -> list[Link]:
        """The rooms that this person may enter, in order."""
        if self.known is None or self.known.must_change:
            return []
        return [link for link in self.office.links if self.known.may(link.verb)]


def ask_of(request: Request) -> Ask:
    """The request's Ask, which the guard has made."""
    found: Ask = request.state.ask
    return found


Asked = Annotated[Ask, Depends(ask_of)]


def inside(path: str) -> str:
    """A path of ours to go to after the sign-in; ``/`` for anything that could lead elsewhere."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    if not plain or parts.scheme or parts.netloc or "\\" in path or len(path) > 500 or path.startswith("/sign-"):
        return "/"
    return path
