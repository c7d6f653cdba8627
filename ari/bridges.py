"""``/bridges``: where channels meet."""

from __future__ import annotations

from collections.abc import Sequence

from ari.channels import IfExists, list_of
from ari.http import Http, segment
from ari.model import Bridge, LiveRecording, Playback


class Bridges:
    """Requests raise what `ari.errors` lists; NotFound when the bridge is gone."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def list(self) -> list[Bridge]:
        """Every bridge of this Asterisk, not only ours."""
        return await self._http.call(list[Bridge], "GET", "/bridges")

    async def get(self, bridge_id: str) -> Bridge:
        """One bridge, with the ids of the channels in it."""
        return await self._http.call(Bridge, "GET", _path(bridge_id))

    async def create(self, bridge_id: str, *, type: str = "mixing", name: str | None = None) -> Bridge:
        """`type` is a comma-separated list of mixing, holding, dtmf_events, proxy_media, video_sfu ….

        Without dtmf_events a mixing bridge of two may hand the media over natively, and no keys arrive. A
        bridge lives until `destroy`, also when it is empty and when the client is gone. Asterisk takes a POST
        with the id of a bridge that exists as an update of its name and answers with that bridge.
        """
        return await self._http.call(Bridge, "POST", _path(bridge_id), body={"type": type, "name": name})

    async def destroy(self, bridge_id: str) -> None:
        """The channels in it stay up, in Stasis, in no bridge."""
        await self._http.do("DELETE", _path(bridge_id))

    async def add_channel(
        self,
        bridge_id: str,
        *channel_ids: str,
        role: str | None = None,
        absorb_dtmf: bool | None = None,
        mute: bool | None = None,
        inhibit_connected_line: bool | None = None,
    ) -> None:
        """Put channels in (out of the bridge they are in).

        absorb_dtmf: the others do not hear its keys. `role` is participant or announcer, in a holding bridge.
        Raises BadRequest for an unknown channel, Conflict for a bridge or channel not in Stasis,
        Unprocessable for a channel that is in no state for it.
        """
        await self._http.do(
            "POST",
            _path(bridge_id, "addChannel"),
            body={
                "channel": channel_ids,
                "role": role,
                "absorbDTMF": absorb_dtmf,
                "mute": mute,
                "inhibitConnectedLineUpdates": inhibit_connected_line,
            },
        )

    async def remove_channel(self, bridge_id: str, *channel_ids: str) -> None:
        """Take channels out; they stay in Stasis. Raises Unprocessable for one that is not in this bridge."""
        await self._http.do("POST", _path(bridge_id, "removeChannel"), body={"channel": channel_ids})

    async def moh_start(self, bridge_id: str, *, moh_class: str | None = None) -> None:
        """Music for all in it; on a holding bridge it resumes by itself after a prompt to one channel."""
        await self._http.do("POST", _path(bridge_id, "moh"), body={"mohClass": moh_class})

    async def moh_stop(self, bridge_id: str) -> None:
        """End the music for all in it; no error when there is none."""
        await self._http.do("DELETE", _path(bridge_id, "moh"))

    async def play(
        self,
        bridge_id: str,
        playback_id: str,
        media: Sequence[str],
        *,
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
    ) -> Playback:
        """Play media to all in it, as `Channels.play` does to one. Raises Conflict for a bridge not in
        Stasis."""
        return await self._http.call(
            Playback,
            "POST",
            _path(bridge_id, "play", playback_id),
            body={"media": list_of(media), "lang": lang, "offsetms": offset_ms, "skipms": skip_ms},
        )

    async def record(
        self,
        bridge_id: str,
        name: str,
        format: str,
        *,
        max_duration: int | None = None,
        max_silence: int | None = None,
        if_exists: IfExists | None = None,
        beep: bool | None = None,
        terminate_on: str | None = None,
    ) -> LiveRecording:
        """Record the mix, arguments as for `Channels.record`. It turns a bridge of two into a softmix."""
        return await self._http.call(
            LiveRecording,
            "POST",
            _path(bridge_id, "record"),
            body={
                "name": name,
                "format": format,
                "maxDurationSeconds": max_duration,
                "maxSilenceSeconds": max_silence,
                "ifExists": if_exists,
                "beep": beep,
                "terminateOn": terminate_on,
            },
        )


def _path(bridge_id: str, *more: str) -> str:
    return "/".join(("/bridges", *(segment(part) for part in (bridge_id, *more))))
