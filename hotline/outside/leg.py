"""One end of a call in the outside world: a SIP channel, bridged to an RTP channel that leads to our ear and mouth."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import ari

from . import g711, speech
from .audio import Audio
from .hearing import Listener, PromptBook, PromptHeard, silent_spans, tone_spans

T = TypeVar("T")

MEDIA_LIMIT = 60.0
"""Seconds until our RTP channel is in Stasis: milliseconds, unless the machine is overloaded."""

END_GRACE = 1.0
"""Seconds between StasisEnd and ChannelDestroyed, which holds the cause; they come together."""

HANG_UP_LIMIT = 30.0
"""Seconds until our own Asterisk says that a channel it hung up is gone; the far side is not waited for."""

PROMPT_POLL, TONE_POLL = 0.2, 0.1
"""Seconds between two looks at what was heard."""


class NotSeen(AssertionError):
    """The far side did not do in time what was waited for."""


class NotHeard(AssertionError):
    """It was not heard in time; the message says what was heard instead."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all legs of one outside world share."""

    client: ari.Client
    audio: Audio
    book: PromptBook
    heard_folder: Path


class Leg:
    """One end of a call. Times are seconds since the leg began: its dialling, or its first ring."""

    def __init__(self, ground: Ground, leg_id: str) -> None:
        self.id = leg_id
        self.cause: int | None = None
        """Q.850 cause once it is gone."""
        self.keys_heard = ""
        """The keys that the hotline sent."""
        self.answered_at: float | None = None
        self.gone_at: float | None = None
        self._ground = ground
        # Not leg_id first: Asterisk takes an id for taken that is the beginning of another channel's.
        self._media_id, self._bridge_id = f"media-of-{leg_id}", f"bridge-of-{leg_id}"
        self._inbox = ground.client.inbox(self.id, self._media_id)
        self._media_in, self._in = asyncio.Event(), asyncio.Event()
        self._up, self._over = asyncio.Event(), asyncio.Event()
        self._stream = ground.audio.open()
        self._listener = Listener(ground.book)
        self._mark = 0.0
        self._media: asyncio.Task[None] | None = None
        self._watch = asyncio.create_task(self._follow(), name=f"leg {leg_id}")

    def __repr__(self) -> str:
        state = f"gone ({self.cause})" if self.is_gone else "up" if self._up.is_set() else "not answered"
        return f"<{type(self).__name__} {self.id} {state} at {self.now:.1f} s>"

    # --- the call

    @property
    def now(self) -> float:
        """Seconds since it began; stands still once it is gone."""
        return self._stream.now

    @property
    def is_gone(self) -> bool:
        return self._over.is_set()

    async def gone(self, timeout: float = 60.0) -> int:
        """Wait until the far side (or we) hung up; returns the Q.850 cause. Raises NotSeen."""
        await self._wait(self._over, timeout, "gone")
        return self.cause or 0

    async def hang_up(self) -> None:
        """Send BYE (or CANCEL) at once, and return when the leg is gone; one that is gone already is no error."""
        with contextlib.suppress(ari.NotFound):
            await self._ground.client.channels.hangup(self.id)
            await self.gone(HANG_UP_LIMIT)

    async def press(self, keys: str, *, duration: float = 0.1, gap: float = 0.1) -> None:
        """Press keys one after the other (RFC 4733); returns when the last has been sent."""
        await self._ground.client.channels.dtmf(
            self.id, keys, duration=round(duration * 1000), between=round(gap * 1000)
        )
        await asyncio.sleep(len(keys) * (duration + gap))

    async def hold(self) -> None:
        """Put the hotline on hold by re-INVITE (sendonly)."""
        await self._ground.client.channels.hold(self.id)

    async def unhold(self) -> None:
        """Take it back."""
        await self._ground.client.channels.unhold(self.id)

    # --- the mouth

    def say(self, wav: Path | None = None, *, tone_hz: int | None = None, repeat: bool = False) -> None:
        """Say a sound file (once, or over and over) or a tone (until :meth:`hush` or the next ``say``)."""
        if (wav is None) == (tone_hz is None):
            raise ValueError("say a sound file or a tone")
        if wav is not None:
            self._stream.say(g711.encode(g711.read_sound(wav)), repeat=repeat)
        else:
            self._stream.say(g711.encode(speech.tone(tone_hz or 0, 1.0)), repeat=True)

    def hush(self) -> None:
        """Say no more; silence is sent on, as a phone does."""
        self._stream.say(b"", repeat=False)

    async def silence(self) -> None:
        """Hush, and return when the last of the sound has been sent."""
        self.hush()
        await asyncio.sleep(0.04)

    async def said(self, timeout: float = 60.0) -> None:
        """Wait until the sound file has been said. Raises NotSeen."""
        until = asyncio.get_running_loop().time() + timeout
        while self._stream.saying and not self.is_gone:
            if asyncio.get_running_loop().time() > until:
                raise NotSeen(f"{self!r}: still speaking after {timeout:g} s")
            await asyncio.sleep(0.02)

    def send_nothing(self, on: bool = True) -> None:
        """Send no RTP at all, as a phone behind a dead network; ``False``: send again."""
        self._stream.send_nothing(on)

    # --- the ear

    async def heard(
        self,
        prompt: str | None = None,
        *,
        tone_hz: float | None = None,
        within: float = 60.0,
        whole: bool = False,
        after: float | None = None,
        for_seconds: float = 0.4,
    ) -> float:
        """Wait until a prompt or a tone is heard; returns when it began. Raises NotHeard after ``within`` seconds.

        A prompt counts as soon as it cannot be another one (``whole``: at its end), and is looked for behind the one
        that was heard last. A tone must sound for ``for_seconds`` from now on. ``after`` looks from that time instead.
        """
        if (prompt is None) == (tone_hz is None):
            raise ValueError("hear a prompt or a tone")
        if tone_hz is not None:
            began = self.now if after is None else after
            return await self._until(
                lambda: self._tone(tone_hz, began, for_seconds), within, TONE_POLL, f"{tone_hz:g} Hz"
            )
        mark = self._mark if after is None else after
        found = await self._until(lambda: self._prompt(prompt or "", mark, whole), within, PROMPT_POLL, f"'{prompt}'")
        self._mark = found.at + max(0.2, found.seconds - 0.2)
        return found.at

    async def hearing(self) -> list[PromptHeard]:
        """Every prompt heard so far, in order of time."""
        return await asyncio.to_thread(self._listen)

    async def prompts_heard(self) -> list[tuple[str, float]]:
        """Names and times of the prompts heard so far, in order of time; ``a|b`` where two cannot be told apart."""
        return [(found.name, found.at) for found in await self.hearing()]

    async def tones_heard(self, hz: float) -> list[tuple[float, float]]:
        """When this tone was heard: (from, to) in steps of 50 ms."""
        return await asyncio.to_thread(lambda: tone_spans(g711.decode(self._stream.heard()), hz))

    async def silences(self, longer_than: float = 1.0) -> list[tuple[float, float]]:
        """When nothing was heard for more than so many seconds: (from, to) in steps of 100 ms."""
        return await asyncio.to_thread(lambda: silent_spans(g711.decode(self._stream.heard()), longer_than))

    @property
    def heard_audio(self) -> Path:
        """Everything heard so far as a WAV in real time, silence included (written anew each time)."""
        path = self._ground.heard_folder / f"{self.id}.wav"
        g711.write_wav(path, g711.decode(self._stream.heard()))
        return path

    # --- inside

    def _open_media(self) -> asyncio.Task[None]:
        """Our RTP channel, in a bridge that the SIP channel is then put into."""
        self._media = asyncio.create_task(self._make_media(), name=f"media of {self.id}")
        # Whoever needs it awaits it; a leg that went before needs none, and its failure is nobody's.
        self._media.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._media

    async def _make_media(self) -> None:
        client = self._ground.client
        await client.channels.originate(
            f"UnicastRTP/127.0.0.1:{self._stream.port}/c(alaw)", channel_id=self._media_id, app_args="media"
        )
        async with asyncio.timeout(MEDIA_LIMIT):
            await self._media_in.wait()
        if self._over.is_set():
            raise NotSeen(f"{self!r}: went before it could be heard")
        port = await client.channels.get_variable(self._media_id, "UNICASTRTP_LOCAL_PORT")
        self._stream.connect(("127.0.0.1", int(port)))
        # proxy_media: all packets pass through Asterisk's core, whose DTMF and hold then work as in any phone.
        await client.bridges.create(self._bridge_id, type="mixing,proxy_media,dtmf_events")
        await client.bridges.add_channel(self._bridge_id, self._media_id)

    async def _follow(self) -> None:
        with contextlib.suppress(TimeoutError, ari.InboxClosed):
            while not self._over.is_set():
                async with asyncio.timeout(END_GRACE if self.gone_at is not None else None):
                    self.take(await self._inbox.get())
        self._end()
        if self._media is not None:  # what is still being made could not be taken away
            await asyncio.wait({self._media}, timeout=MEDIA_LIMIT)
        for request in (
            self._ground.client.channels.hangup(self._media_id),
            self._ground.client.bridges.destroy(self._bridge_id),
        ):
            with contextlib.suppress(ari.AriError):
                await request

    def take(self, event: ari.Event) -> None:
        """An event of one of its two channels."""
        match event:
            case ari.StasisStart(channel=channel) if channel.id == self._media_id:
                self._media_in.set()
            case ari.StasisStart(channel=channel) if channel.state != "Up":
                self._in.set()
            case ari.StasisStart(channel=channel) | ari.ChannelStateChange(channel=channel):
                if channel.id == self.id and channel.state == "Up" and not self._up.is_set():
                    self.answered_at = self.now
                    self._up.set()
            case ari.ChannelDtmfReceived(channel=channel, digit=digit) if channel.id == self.id:
                self.keys_heard += digit
            case ari.ChannelHangupRequest(channel=channel, cause=cause) if channel.id == self.id:
                self.cause = cause or self.cause
            case ari.StasisEnd(channel=channel) if channel.id == self.id:
                self.gone_at = self.now
                if self.cause is not None:
                    self._end()
            case ari.ChannelDestroyed(channel=channel, cause=cause) if channel.id == self.id:
                self.cause = cause
                self._end()
            case ari.Disconnected():
                self._end()

    def _end(self) -> None:
        if self.gone_at is None:
            self.gone_at = self.now
        self._ground.audio.close(self._stream)
        self._over.set()
        self._media_in.set()  # nobody tells of it any more
        self._inbox.close()

    async def close(self) -> None:
        """Hang up, and return when nothing of it is left. For the world."""
        with contextlib.suppress(ari.AriError, NotSeen):
            await self.hang_up()
        self._end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MEDIA_LIMIT):
                await asyncio.wait({self._watch})
        self._watch.cancel()

    async def _wait(self, event: asyncio.Event, timeout: float, what: str) -> None:
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            raise NotSeen(f"{self!r}: not {what} within {timeout:g} s") from None

    async def _until(self, look: Callable[[], T | None], within: float, poll: float, what: str) -> T:
        until = asyncio.get_running_loop().time() + within
        while True:
            last = self.is_gone or asyncio.get_running_loop().time() >= until
            if (found := await asyncio.to_thread(look)) is not None:
                return found
            if last:
                heard = ", ".join(f"{name} at {at:.1f}" for name, at in await self.prompts_heard()) or "no prompt"
                raise NotHeard(f"{self!r}: {what} was not heard within {within:g} s; heard: {heard}")
            await asyncio.sleep(poll)

    def _listen(self) -> list[PromptHeard]:
        return self._listener.listen(g711.decode(self._stream.heard()))

    def _prompt(self, name: str, after: float, whole: bool) -> PromptHeard | None:
        for found in self._listen():
            if found.name == name and found.at >= after and (found.whole or not whole):
                return found
        return None

    def _tone(self, hz: float, after: float, seconds: float) -> float | None:
        for start, end in tone_spans(g711.decode(self._stream.heard(after)), hz):
            if end - start >= seconds:
                return after + start
        return None


class Caller(Leg):
    """A caller, who has dialled."""

    async def answered(self, timeout: float = 60.0) -> float:
        """Wait for 200 OK; returns when it came. Raises NotSeen."""
        over = asyncio.create_task(self._over.wait())
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait({over, up}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            up.cancel()
        if not self._up.is_set():
            raise NotSeen(f"{self!r}: not answered within {timeout:g} s")
        return self.answered_at or 0.0

    async def dial(self, to: str, *, number: str, name: str, hidden: bool, via: str = "carrier") -> None:
        """Send the INVITE; early media are heard, too. For the world."""
        channels = self._ground.client.channels
        try:
            await self._open_media()
            await channels.create(f"PJSIP/{to}@{via}", channel_id=self.id, app_args="caller", formats=["alaw"])
            async with asyncio.timeout(MEDIA_LIMIT):
                await self._in.wait()
            # Now, so that early media are heard; and without the bridge's idea of who is connected.
            await self._ground.client.bridges.add_channel(self._bridge_id, self.id, inhibit_connected_line=True)
            # The From header of an outgoing channel is its connected line (chan_pjsip).
            for key, value in (("num", number), ("name", name), ("pres", "prohib" if hidden else "allowed")):
                await channels.set_variable(self.id, f"CONNECTEDLINE({key},i)", value)
            await channels.dial(self.id, timeout=120)
        except BaseException:
            await self.close()
            raise
