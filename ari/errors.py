"""What can go wrong, and whose fault it is.

::

    AriError
    ├── NotConnected          nobody's yet: Asterisk is not there; nothing was sent, so it may be tried again
    ├── RequestTimeout        the network's or Asterisk's: no answer in time; unknown whether it was done
    ├── TransportError        the network's: the connection broke; unknown whether it was done
    ├── UnexpectedAnswer      Asterisk's (another version): it was carried out, the answer is not understood
    ├── AriResponseError      an answer with status 3xx, 4xx or 5xx; it was not carried out
    │   ├── BadRequest            400  the caller's: a parameter is wrong
    │   ├── Unauthorized          401, 403  the operator's: user name, password or rights
    │   ├── NotFound              404  mostly nobody's: the channel, bridge or playback has just gone
    │   ├── Conflict              409, 412  the caller's: not in a state for that, or the id is taken
    │   ├── Unprocessable         422  the caller's: e.g. the channel is not in Stasis, the format is unknown
    │   └── ServerError           5xx  Asterisk's
    ├── Replaced              the operator's: a second client runs under the same application name
    ├── InboxFull             the reader's of that inbox: it did not keep up; events are lost to it
    └── InboxClosed           the reader's of that inbox: it was closed

The statuses are those of Asterisk's ``rest-api/api-docs/*.json``. No message holds a credential, a query
string or a request body: these may carry phone numbers.
"""

from __future__ import annotations


class AriError(Exception):
    """Anything that `ari` raises on purpose."""


class NotConnected(AriError):
    """No connection to Asterisk could be made (or not in the time given). Nothing was sent."""


class RequestTimeout(AriError):
    """No answer within the request's time. Unknown whether Asterisk carried it out."""


class TransportError(AriError):
    """The connection broke under a request. Unknown whether it was done: never repeat a POST blindly."""


class UnexpectedAnswer(AriError):
    """Asterisk answered with success, but not in the shape that its documentation promises."""


class AriResponseError(AriError):
    """Asterisk refused. `status` is HTTP's, `message` Asterisk's text, `request` e.g. ``POST /bridges``."""

    def __init__(self, status: int, message: str, request: str = "") -> None:
        super().__init__(status, message, request)
        self.status = status
        self.message = message
        self.request = request

    def __str__(self) -> str:
        return f"{self.request or 'request'}: {self.status} {self.message}"


class BadRequest(AriResponseError):
    """400: a parameter is missing or wrong."""


class Unauthorized(AriResponseError):
    """401 or 403: Asterisk does not accept this user name and password, or this user may only read."""


class NotFound(AriResponseError):
    """404: no such channel, bridge, playback, recording or application (any more)."""


class Conflict(AriResponseError):
    """409 or 412: not in a state that allows this, or the chosen id is in use already."""


class Unprocessable(AriResponseError):
    """422: understood, but it cannot be done, e.g. a bridge member that is not in Stasis."""


class ServerError(AriResponseError):
    """5xx: Asterisk failed; it does so, for one, when a hang-up races with a request."""


class Replaced(AriError):
    """Another client took our application's name: Asterisk sends its events there now, and none to us.

    It ends `Client.run`. To reconnect would take the name back, and two clients would fight over every call.
    """


class InboxFull(AriError):
    """The inbox overflowed. `lost` events (so far) were not queued; what was queued has been read."""

    def __init__(self, name: str, lost: int) -> None:
        super().__init__(name, lost)
        self.name = name
        self.lost = lost

    def __str__(self) -> str:
        return f"inbox {self.name} is full; {self.lost} event(s) lost"


class InboxClosed(AriError):
    """The inbox was closed and everything that was queued in it has been read."""


_BY_STATUS: dict[int, type[AriResponseError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    422: Unprocessable,
}


def response_error(status: int, message: str, request: str = "") -> AriResponseError:
    """The error for an HTTP status that is not a success."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else AriResponseError)
    return kind(status, message, request)


def retryable_connect(exc: BaseException) -> bool:
    """Whether a failed connect (the WebSocket upgrade and the `on_connect` hook) is tried again.

    Fatal: 401 and 403 (more tries change nothing and fill Asterisk's security log), `Replaced` (to connect
    again is to steal the name back), and anything that is a fault of the program rather than of the network.
    Everything else is tried again: Asterisk being down, starting (404 and 503 while its modules load), slow
    or restarting is the very case a client has to sit out.
    """
    if isinstance(exc, Unauthorized | Replaced):
        return False
    return isinstance(exc, AriError | OSError)  # TimeoutError is an OSError
