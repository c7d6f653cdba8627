"""The smaller groups: playbacks, recordings, endpoints, device states, applications, Asterisk itself, user
events."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Literal

from ari.http import Http, Value, segment
from ari.model import (
    Application,
    AsteriskInfo,
    AsteriskPing,
    DeviceState,
    Endpoint,
    LiveRecording,
    Playback,
    StoredRecording,
    Variable,
)


class Playbacks:
    """``/playbacks``; NotFound when it has ended."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, playback_id: str) -> Playback:
        """One playback as it is now."""
        return await self._http.call(Playback, "GET", f"/playbacks/{segment(playback_id)}")

    async def stop(self, playback_id: str) -> None:
        """Stop at once; a PlaybackFinished follows."""
        await self._http.do("DELETE", f"/playbacks/{segment(playback_id)}")

    async def control(
        self, playback_id: str, operation: Literal["restart", "pause", "unpause", "reverse", "forward"]
    ) -> None:
        """Steer it; forward and reverse go by the `skip_ms` that it was begun with. Raises Conflict when it
        does not play."""
        await self._http.do("POST", f"/playbacks/{segment(playback_id)}/control", body={"operation": operation})


class Recordings:
    """``/recordings``; names are without extension and may hold slashes."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get_live(self, name: str) -> LiveRecording:
        """A recording under way."""
        return await self._http.call(LiveRecording, "GET", f"/recordings/live/{segment(name)}")

    async def stop_live(self, name: str) -> None:
        """Stop and keep."""
        await self._http.do("POST", f"/recordings/live/{segment(name)}/stop")

    async def cancel_live(self, name: str) -> None:
        """Stop and throw away."""
        await self._http.do("DELETE", f"/recordings/live/{segment(name)}")

    async def list_stored(self) -> builtins.list[StoredRecording]:
        """Every finished recording in Asterisk's folder; with many files this is slow."""
        return await self._http.call(list[StoredRecording], "GET", "/recordings/stored")

    async def get_stored(self, name: str) -> StoredRecording:
        """One finished recording."""
        return await self._http.call(StoredRecording, "GET", f"/recordings/stored/{segment(name)}")

    async def get_stored_file(self, name: str, *, timeout: float | None = None) -> bytes:
        """The whole file, into memory; `timeout` seconds, for long ones."""
        return await self._http.raw("GET", f"/recordings/stored/{segment(name)}/file", timeout=timeout)

    async def delete_stored(self, name: str) -> None:
        """Delete the file."""
        await self._http.do("DELETE", f"/recordings/stored/{segment(name)}")


class Endpoints:
    """``/endpoints``."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def list(self, tech: str | None = None) -> builtins.list[Endpoint]:
        """All, or those of one technology, e.g. PJSIP. Raises NotFound for an unknown technology."""
        path = "/endpoints" if tech is None else f"/endpoints/{segment(tech)}"
        return await self._http.call(builtins.list[Endpoint], "GET", path)

    async def get(self, tech: str, resource: str) -> Endpoint:
        """One endpoint. Raises NotFound for an unknown one."""
        return await self._http.call(Endpoint, "GET", f"/endpoints/{segment(tech)}/{segment(resource)}")


class DeviceStates:
    """``/deviceStates``; a device is e.g. ``PJSIP/6001``. ARI can set those that begin with ``Stasis:``."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def list(self) -> builtins.list[DeviceState]:
        """Those that ARI set."""
        return await self._http.call(builtins.list[DeviceState], "GET", "/deviceStates")

    async def get(self, name: str) -> DeviceState:
        """Never NotFound: an unknown device is INVALID or UNKNOWN."""
        return await self._http.call(DeviceState, "GET", f"/deviceStates/{segment(name)}")

    async def set(self, name: str, state: str) -> None:
        """Set the state of a device of ours. Raises Conflict for one that does not begin with ``Stasis:``."""
        await self._http.do("PUT", f"/deviceStates/{segment(name)}", body={"deviceState": state})

    async def delete(self, name: str) -> None:
        """Forget a device of ours. Raises Conflict for one that does not begin with ``Stasis:``."""
        await self._http.do("DELETE", f"/deviceStates/{segment(name)}")


class Applications:
    """``/applications``; without a name, our own."""

    def __init__(self, http: Http, app: str) -> None:
        self._http = http
        self._app = app

    async def list(self) -> builtins.list[Application]:
        """Every application that a client is connected to, or was and left channels."""
        return await self._http.call(builtins.list[Application], "GET", "/applications")

    async def get(self, name: str | None = None) -> Application:
        """Its channels and bridges, also those left by a client that died."""
        return await self._http.call(Application, "GET", self._path(name))

    async def subscribe(self, *sources: str, name: str | None = None) -> Application:
        """Have the events of ``channel:ID``, ``bridge:ID``, ``endpoint:PJSIP/6001`` or
        ``deviceState:NAME``."""
        return await self._http.call(
            Application, "POST", self._path(name) + "/subscription", body={"eventSource": sources}
        )

    async def unsubscribe(self, *sources: str, name: str | None = None) -> Application:
        """Raises Conflict for what it is not subscribed to."""
        return await self._http.call(
            Application, "DELETE", self._path(name) + "/subscription", query={"eventSource": sources}
        )

    async def set_event_filter(
        self,
        *,
        allowed: Sequence[str] | None = None,
        disallowed: Sequence[str] | None = None,
        name: str | None = None,
    ) -> Application:
        """Which event types are sent at all: only those allowed, and none of those disallowed.

        An empty list takes that filter away; None leaves it as it is. It stays with the application in
        Asterisk. Raises BadRequest.
        """
        body: dict[str, Value | None] = {}
        for key, types in (("allowed", allowed), ("disallowed", disallowed)):
            if types is not None:
                body[key] = [{"type": kind} for kind in types]
        return await self._http.call(Application, "PUT", self._path(name) + "/eventFilter", body=body)

    def _path(self, name: str | None) -> str:
        return f"/applications/{segment(name or self._app)}"


class Asterisk:
    """``/asterisk``: the server itself."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def info(self) -> AsteriskInfo:
        """Release, build, settings and times."""
        return await self._http.call(AsteriskInfo, "GET", "/asterisk/info")

    async def ping(self) -> AsteriskPing:
        """Whether it answers."""
        return await self._http.call(AsteriskPing, "GET", "/asterisk/ping")

    async def reload_module(self, name: str) -> None:
        """Have a module, e.g. ``res_pjsip.so``, read its configuration again. Raises NotFound for one that is not
        loaded, Conflict for one that cannot."""
        await self._http.do("PUT", f"/asterisk/modules/{segment(name)}")

    async def get_variable(self, name: str) -> str:
        """A global variable or function; an unset one is empty."""
        found = await self._http.call(Variable, "GET", "/asterisk/variable", query={"variable": name})
        return found.value

    async def set_variable(self, name: str, value: str) -> None:
        """Set a global variable."""
        await self._http.do("POST", "/asterisk/variable", body={"variable": name, "value": value})


class UserEvents:
    """``/events/user``."""

    def __init__(self, http: Http, app: str) -> None:
        self._http = http
        self._app = app

    async def user_event(
        self,
        name: str,
        *,
        application: str | None = None,
        source: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Send a ChannelUserevent to an application (our own by default): it comes back on the WebSocket.

        `source` holds ``channel:ID``, ``bridge:ID``, ``endpoint:TECH/NAME``. Raises NotFound for an
        application that nobody is connected to, Unprocessable for a source that does not exist.
        """
        await self._http.do(
            "POST",
            f"/events/user/{segment(name)}",
            body={
                "application": application or self._app,
                "source": tuple(source) or None,
                "variables": variables,
            },
        )
