"""What went wrong, told once for all rooms: a page for people, RFC 9457's JSON for programs."""

from __future__ import annotations

from urllib.parse import quote

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from calllog.errors import StoreError
from config.catalogue import _
from console.ask import Ask, PasswordNeeded, SignInNeeded, loggable
from console.book import BookFault
from console.field_words import fields
from console.live import TooManyStreams
from console.passwords import TooBusy, TooSlow
from console.permits import NotPermitted
from console.site import Refusal

log = structlog.get_logger()


async def answer_to(ask: Ask, fault: Exception) -> Response:
    """The answer to a request that came to this. What is a fault of ours is logged, and not shown."""
    if isinstance(fault, SignInNeeded) and ask.path == "/live":
        return Response(status_code=204)  # a browser asks no more (HTML, section 9.2, "Server-sent events")
    if isinstance(fault, SignInNeeded) and not ask.is_api:
        path = f"/sign-in?next={quote(ask.path, safe='/')}"
        return Response(status_code=204, headers={"HX-Redirect": path}) if ask.htmx else RedirectResponse(path, 303)
    if isinstance(fault, PasswordNeeded) and not ask.is_api:
        return ask.go("/account/password")
    status, title, detail = _told(fault)
    if status >= 500 and not isinstance(fault, TooBusy | TooManyStreams | StoreError | Refusal):
        log.error("a page of the console failed", path=loggable(ask.path), exc_info=fault)
    headers = {"Retry-After": "5"} if status == 503 else dict(getattr(fault, "headers", None) or {})
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hotline"'
    if ask.is_api:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return JSONResponse(body, status, headers, media_type="application/problem+json")
    try:
        answer = await ask.page("error.html", status=status, title=title, detail=detail, code=status)
    except Exception:
        log.exception("the error page itself failed")
        answer = Response(f"{status} {title}\n{detail}\n", status, media_type="text/plain; charset=utf-8")
    answer.headers.update(headers)
    if ask.htmx:
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#trouble", "innerHTML"
    return answer


def _told(fault: Exception) -> tuple[int, str, str]:
    from console.guard import BodyTooLarge, Forged

    match fault:
        case SignInNeeded():
            return 401, _("Not signed in"), _("Sign in first, or send a valid token.")
        case PasswordNeeded():
            return 403, _("Password to be changed"), _("Change the one-time password in the console first.")
        case NotPermitted():
            return 403, _("Not permitted"), _("Your roles do not include this. Ask an administrator if they should.")
        case Forged():
            return 403, _("Not from this page"), _("The page was open for too long, or the request came from another "
                                                   "site. Open the page anew and try again.")  # fmt: skip
        case BodyTooLarge():
            return 413, _("Too large"), _("This is more than can be taken here.")
        case TimeoutError():
            return 408, _("Too slow"), _("What was sent did not arrive in time. Try again.")
        case Refusal():
            return fault.status, _refused(fault.status), str(fault)
        case LookupError():
            return 404, _("Not found"), _("There is nothing here, or it is not for you.")
        case RequestValidationError():
            return 422, _("Cannot be understood"), fields(list(fault.errors()))
        case TooSlow():
            return 503, _("Not now"), str(fault)
        case TooBusy() | TooManyStreams():
            return 503, _("Very busy"), _("Many people are at it just now. Try again in a moment.")
        case StoreError():
            return 503, _("The call store does not answer"), str(fault)
        case BookFault():
            return 503, _("The console's file does not answer"), str(fault)
        case HTTPException(status_code=404):
            return 404, _("Not found"), _("There is nothing here, or it is not for you.")
        case HTTPException(status_code=405):
            return 405, _("Not possible"), _("This cannot be done here in this way.")
        case HTTPException(status_code=status):
            return status, _("Cannot be understood"), _("What was sent is not written as it must be.")
    return 500, _("A fault of ours"), _("It is in the hotline's log. Calls are not touched by it.")


def _refused(status: int) -> str:
    return {400: _("Cannot be understood"), 404: _("Not found"), 422: _("Cannot be taken"), 429: _("Too many tries"),
            503: _("Not now")}.get(status, _("Not possible"))  # fmt: skip

