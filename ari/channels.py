"""``/channels``: everything done to one channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ari.http import Http, segment
from ari.model import Channel, LiveRecording, Playback, RtpStatistics, Variable

Direction = Literal["both", "in", "out"]
Snoop = Literal["none", "both", "in", "out"]
IfExists = Literal["fail", "overwrite", "append"]


class Channels:
    """Requests raise what `ari.errors` lists; NotFound when the channel is gone, Conflict when it is not in
    Stasis."""

    def __init__(self, http: Http, app: str) -> None:
        self._http = http
        self._app = app

    async def list(self) -> list[Channel]:
        """Every channel of this Asterisk, not only ours."""
        return await self._http.call(list[Channel], "GET", "/channels")

    async def get(self, channel_id: str) -> Channel:
        """One channel as it is now."""
        return await self._http.call(Channel, "GET", _path(channel_id))

    async def originate(
        self,
        endpoint: str,
        *,
        channel_id: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, str] | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: Sequence[str] | None = None,
    ) -> Channel:
        """Call `endpoint` (e.g. ``PJSIP/6001``); its StasisStart comes when it answers.

        It goes into our own application, or `app`, or, when `extension` is given, into the dialplan.
        `timeout` is the time to ring in seconds (Asterisk's default 30, -1 for ever); `caller_id` is
        ``Name <number>``. `formats` or `originator` (a channel id) choose the codecs, not both.

        Raises Conflict when `channel_id` is taken, BadRequest for what is no TECH/NAME, and ServerError
        ("Allocation failed") for an endpoint that is unknown or has no contact. Seen on 22.10.1: on a
        connection that has once had that Conflict, the ServerError comes as a Conflict, too.
        """
        return await self._http.call(
            Channel,
            "POST",
            "/channels",
            body={
                "endpoint": endpoint,
                "channelId": channel_id,
                "app": app or (None if extension is not None else self._app),
                "appArgs": app_args,
                "context": context,
                "extension": extension,
                "priority": priority,
                "callerId": caller_id,
                "timeout": timeout,
                "variables": variables,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": ",".join(formats) if formats else None,
            },
        )

    async def create(
        self,
        endpoint: str,
        *,
        channel_id: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        variables: Mapping[str, str] | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: Sequence[str] | None = None,
    ) -> Channel:
        """Make a channel to `endpoint` without calling yet: add it to a bridge, then `dial` it (early
        media)."""
        return await self._http.call(
            Channel,
            "POST",
            "/channels/create",
            body={
                "endpoint": endpoint,
                "channelId": channel_id,
                "app": app or self._app,
                "appArgs": app_args,
                "variables": variables,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": ",".join(formats) if formats else None,
            },
        )

    async def dial(self, channel_id: str, *, caller: str | None = None, timeout: int | None = None) -> None:
        """Call a created channel. `caller` is the calling channel's id, `timeout` in seconds."""
        await self._http.do("POST", _path(channel_id, "dial"), body={"caller": caller, "timeout": timeout})

    async def answer(self, channel_id: str) -> None:
        """Pick up: the caller no longer hears it ring. On one that is up it does nothing."""
        await self._http.do("POST", _path(channel_id, "answer"))

    async def ring(self, channel_id: str) -> None:
        """Tell the caller that it rings."""
        await self._http.do("POST", _path(channel_id, "ring"))

    async def ring_stop(self, channel_id: str) -> None:
        """No longer tell the caller that it rings."""
        await self._http.do("DELETE", _path(channel_id, "ring"))

    async def progress(self, channel_id: str) -> None:
        """Early media: the caller hears before the answer."""
        await self._http.do("POST", _path(channel_id, "progress"))

    async def hangup(self, channel_id: str, *, reason: str | None = None, reason_code: int | str | None = None) -> None:
        """Hang up. `reason` is normal, busy, congestion, no_answer, timeout, rejected, unallocated …;
        `reason_code` is a Q.850 cause, in place of it. Raises BadRequest for both at once."""
        await self._http.do("DELETE", _path(channel_id), query={"reason": reason, "reason_code": reason_code})

    async def continue_in_dialplan(
        self,
        channel_id: str,
        *,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> None:
        """Leave Stasis and go on in the dialplan; without arguments behind ``Stasis()``."""
        await self._http.do(
            "POST",
            _path(channel_id, "continue"),
            body={"context": context, "extension": extension, "priority": priority, "label": label},
        )

    async def move(self, channel_id: str, app: str, *, app_args: str | None = None) -> None:
        """Give the channel to another Stasis application."""
        await self._http.do("POST", _path(channel_id, "move"), body={"app": app, "appArgs": app_args})

    async def redirect(self, channel_id: str, endpoint: str) -> None:
        """Send the phone itself elsewhere (SIP 302 or REFER)."""
        await self._http.do("POST", _path(channel_id, "redirect"), body={"endpoint": endpoint})

    async def transfer_progress(self, channel_id: str, state: str) -> None:
        """Tell a phone that asked to transfer how it goes: channel_progress, channel_answered,
        channel_unavailable or channel_declined."""
        await self._http.do("POST", _path(channel_id, "transfer_progress"), body={"states": state})

    async def dtmf(
        self,
        channel_id: str,
        digits: str,
        *,
        before: int | None = None,
        between: int | None = None,
        duration: int | None = None,
        after: int | None = None,
    ) -> None:
        """Send keys to the phone; the four times in milliseconds."""
        await self._http.do(
            "POST",
            _path(channel_id, "dtmf"),
            body={"dtmf": digits, "before": before, "between": between, "duration": duration, "after": after},
        )

    async def mute(self, channel_id: str, *, direction: Direction = "both") -> None:
        """`direction` in: what the phone says; out: what it hears."""
        await self._http.do("POST", _path(channel_id, "mute"), body={"direction": direction})

    async def unmute(self, channel_id: str, *, direction: Direction = "both") -> None:
        """Undo `mute` for this direction."""
        await self._http.do("DELETE", _path(channel_id, "mute"), query={"direction": direction})

    async def hold(self, channel_id: str) -> None:
        """Tell the phone that it is on hold (what it does then is its own affair)."""
        await self._http.do("POST", _path(channel_id, "hold"))

    async def unhold(self, channel_id: str) -> None:
        """Tell the phone that it is off hold."""
        await self._http.do("DELETE", _path(channel_id, "hold"))

    async def moh_start(self, channel_id: str, *, moh_class: str | None = None) -> None:
        """Music for this channel; it does not resume after a prompt (the bridge's does)."""
        await self._http.do("POST", _path(channel_id, "moh"), body={"mohClass": moh_class})

    async def moh_stop(self, channel_id: str) -> None:
        """End the music that `moh_start` began on this channel."""
        await self._http.do("DELETE", _path(channel_id, "moh"))

    async def silence_start(self, channel_id: str) -> None:
        """Send silence, so that the phone or its carrier does not take the line for dead."""
        await self._http.do("POST", _path(channel_id, "silence"))

    async def silence_stop(self, channel_id: str) -> None:
        """End that silence."""
        await self._http.do("DELETE", _path(channel_id, "silence"))

    async def play(
        self,
        channel_id: str,
        playback_id: str,
        media: Sequence[str],
        *,
        lang: str | None = None,
        offset_ms: int | None = None,
        skip_ms: int | None = None,
    ) -> Playback:
        """Play media (``sound:hello``, ``digits:42``, ``tone:ring`` …) one after the other as one playback.

        It ends with one PlaybackFinished, also when a sound file is missing: see its `playback.state`.
        """
        return await self._http.call(
            Playback,
            "POST",
            _path(channel_id, "play", playback_id),
            body={"media": list_of(media), "lang": lang, "offsetms": offset_ms, "skipms": skip_ms},
        )

    async def record(
        self,
        channel_id: str,
        name: str,
        format: str,
        *,
        max_duration: int | None = None,
        max_silence: int | None = None,
        if_exists: IfExists | None = None,
        beep: bool | None = None,
        terminate_on: str | None = None,
    ) -> LiveRecording:
        """Record what the phone says to `name` (no extension) in `format`, e.g. wav; both times in whole
        seconds.

        `terminate_on` is none, any, ``*`` or ``#``. Raises Conflict when the name is being recorded, or
        exists under if_exists=fail (the default), Unprocessable when the format is unknown.
        """
        return await self._http.call(
            LiveRecording,
            "POST",
            _path(channel_id, "record"),
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

    async def get_variable(self, channel_id: str, name: str) -> str:
        """A variable or a function, e.g. ``CALLERID(num)``. Raises NotFound when it is not set."""
        found = await self._http.call(Variable, "GET", _path(channel_id, "variable"), query={"variable": name})
        return found.value

    async def set_variable(self, channel_id: str, name: str, value: str) -> None:
        """Set a variable or write to a function; the value may hold anything but NUL."""
        await self._http.do("POST", _path(channel_id, "variable"), body={"variable": name, "value": value})

    async def rtp_statistics(self, channel_id: str) -> RtpStatistics:
        """What came over RTP so far. Raises NotFound, too, for a channel that has no RTP yet, or none any more."""
        return await self._http.call(RtpStatistics, "GET", _path(channel_id, "rtp_statistics"))

    async def snoop(
        self,
        channel_id: str,
        snoop_id: str,
        *,
        spy: Snoop = "none",
        whisper: Snoop = "none",
        app: str | None = None,
        app_args: str | None = None,
    ) -> Channel:
        """A channel that hears (`spy`) or speaks into (`whisper`) this one; it ends with it.

        whisper=out: only this channel's phone hears it.
        """
        return await self._http.call(
            Channel,
            "POST",
            _path(channel_id, "snoop", snoop_id),
            body={"spy": spy, "whisper": whisper, "app": app or self._app, "appArgs": app_args},
        )


def list_of(media: Sequence[str]) -> tuple[str, ...]:
    """Media as ARI wants them. A lone string would be sent letter by letter: ValueError."""
    if isinstance(media, str):
        raise ValueError("media is a list, e.g. ['sound:hello']")
    return tuple(media)


def _path(channel_id: str, *more: str) -> str:
    return "/".join(("/channels", *(segment(part) for part in (channel_id, *more))))
