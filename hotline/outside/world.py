"""The outside world as one running thing: its Asterisk, its callers, its handsets."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import ari
from hotline.asterisk.install import AsteriskInstall

from . import render
from .audio import Audio
from .handset import Handset, Ring
from .hearing import PromptBook
from .leg import Caller, Ground, Leg, NotSeen
from .ports import free_ports
from .switch import Switch

RTP_PORTS = 800
"""Four for each leg: RTP and RTCP of the SIP channel and of ours; Asterisk passes over those that are taken."""

READY_LIMIT = 60.0
"""Seconds until ARI is connected, once Asterisk is booted."""

REGISTER_LIMIT = 60.0
"""Seconds for a REGISTER with its challenge; a hotline that is just starting may need a retry of 2 s."""

REGISTER_POLL = 0.05


class OutsideWorld:
    """A running outside world; made by :meth:`start`."""

    def __init__(self, switch: Switch, ground: Ground, at: render.Addresses, work_dir: Path) -> None:
        self.switch = switch
        self.work_dir = work_dir
        self.book = ground.book
        self.handsets: dict[str, Handset] = {}
        """By SIP account."""
        self.callers: list[Caller] = []
        self._ground, self._at = ground, at
        self._legs: dict[str, Leg] = {}
        self._registrations: dict[str, str] = {}
        self._count = 0
        self._changing = asyncio.Lock()

    @property
    def carrier(self) -> str:
        """``host:port`` that the calls come from: the trunk's address."""
        return f"127.0.0.1:{self._at.carrier_port}"

    @property
    def handset_port(self) -> int:
        """The UDP port of the phones' SIP."""
        return self._at.handset_port

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        install: AsteriskInstall,
        work_dir: Path,
        hotline_sip: tuple[str, int],
        carrier_port: int,
        *,
        sounds: Sequence[Path] = (),
        handset_port: int | None = None,
        carriers: Sequence[int] = (),
        more: str = "",
        phones: Literal["udp", "tcp", "tls"] = "udp",
        phones_to: int | None = None,
        srtp: bool = False,
    ) -> AsyncIterator[OutsideWorld]:
        """Start it, and stop it on leaving: no process and no port stays, and no file outside ``work_dir``.

        The hotline need not run yet. ``sounds`` are the folders of the prompts' wav files, for what was heard
        (``hearing.PromptBook``); ``carriers`` are ports of further carriers, by which it may call out; ``more`` is more
        of pjsip.conf, for carriers of other kinds. Handsets speak over ``phones`` to port ``phones_to``, with encrypted
        sound (``srtp``). Raises
        SwitchFault.
        """
        rtp = free_ports(RTP_PORTS, run=True)
        ports = free_ports(2)
        at = render.Addresses(
            *hotline_sip, carrier_port, handset_port or ports[0], ports[1], rtp[0], rtp[-1], secrets.token_urlsafe(24),
            tuple(carriers), more, phones, phones_to or hotline_sip[1], srtp,
        )  # fmt: skip
        heard = work_dir / "heard"
        heard.mkdir(parents=True, exist_ok=True)
        switch = Switch(install, work_dir / "asterisk", "outside")
        async with AsyncExitStack() as stack:
            stack.push_async_callback(switch.stop)
            await switch.start({**render.files(at), render.HANDSETS: ""}, render.MODULES)
            audio = Audio()
            stack.callback(audio.stop)
            url = f"http://127.0.0.1:{at.ari_port}/ari"
            client = await stack.enter_async_context(ari.Client(url, "outside", at.ari_password, render.APPLICATION))
            world = cls(switch, Ground(client, audio, PromptBook(*sounds), heard), at, work_dir)
            running = asyncio.create_task(client.run(), name="outside ari")
            stack.push_async_callback(_cancel, running)
            await client.wait_ready(READY_LIMIT)
            reading = asyncio.create_task(world._read(), name="outside rings")
            stack.push_async_callback(_cancel, reading)
            stack.push_async_callback(world._close)
            yield world

    async def call(
        self, to: str, *, number: str | None = "13912345678", name: str = "", hidden: bool = False, via: str = "carrier"
    ) -> Caller:
        """A caller dials ``to`` through the carrier; returns once the INVITE is on its way.

        ``number`` and ``name`` go into From as they are (SIP's own escaping apart); an empty number is sent empty,
        None or ``hidden`` as SIP's anonymous. A newline in the name is no SIP, and the hotline's SIP stack drops the
        INVITE; in the number it is escaped and arrives. What Asterisk cannot send, SIPp does: :func:`sipp`.
        ``via`` is the carrier's endpoint.
        """
        self._count += 1
        caller = Caller(self._ground, f"caller-{self._count:05}")
        self._legs[caller.id] = caller
        self.callers.append(caller)
        await caller.dial(to, number=number or "", name=name, hidden=hidden or number is None, via=via)
        return caller

    async def dials(self, account: str, to: str) -> Caller:
        """A handset dials, by its own account."""
        return await self.call(to, via=f"{account}-line")

    async def handset(
        self, agent: str, account: str, password: str, *, register: bool = True, expiry: int = 120
    ) -> Handset:
        """An agent's phone, registered at the hotline on return; ``expiry`` of the registration in seconds.

        Raises NotSeen when the hotline refuses or does not answer.
        """
        if account in self.handsets:
            raise ValueError(f"there is a handset {account} already")
        self._registrations[account] = render.handset(account, password, expiry, self._at)
        handset = Handset(agent, account, lambda: self._register(account), lambda: self._unregister(account))
        self.handsets[account] = handset
        if register:
            await handset.register()
        return handset

    def mobile(self, agent: str, number: str) -> Handset:
        """A telephone behind the carrier, which rings however its number is written (its last ten digits count)."""
        if number in self.handsets:
            raise ValueError(f"there is a telephone {number} already")
        handset = self.handsets[number] = Handset(agent, number, _needs_no_account, _needs_no_account)
        return handset

    def _rung(self, dialled: str) -> Handset | None:
        """The handset of this SIP account, or the telephone of this number."""
        ends = (found for number, found in self.handsets.items() if len(number) > 9 and dialled.endswith(number[-10:]))
        return self.handsets.get(dialled) or next(ends, None)

    async def _register(self, account: str) -> None:
        async with self._changing:
            file = self.switch.folder / "etc" / render.HANDSETS
            known = file.read_text(encoding="utf-8")
            if f"[{account}]" in known:
                await self.switch.console(f"pjsip send register {account}")
            else:
                file.write_text(known + self._registrations[account], encoding="utf-8")
                await self.switch.console("module reload res_pjsip.so")
                await self.switch.console("module reload res_pjsip_outbound_registration.so")
        await self._registration(account, "Registered")

    async def _unregister(self, account: str) -> None:
        await self.switch.console(f"pjsip send unregister {account}")
        await self._registration(account, "Unregistered")

    async def _registration(self, account: str, wanted: str) -> None:
        """Wait for a state of ``pjsip show registrations``: Registered, Unregistered, Rejected, Stopped."""
        row = re.compile(rf"^ {re.escape(account)}/\S+.*?\s(Registered|Unregistered|Rejected|Stopped)\b", re.M)
        until, state = asyncio.get_running_loop().time() + REGISTER_LIMIT, ""
        while asyncio.get_running_loop().time() < until and state != "Rejected":
            found = row.search(await self.switch.console("pjsip show registrations"))
            state = found[1] if found else "unknown"
            if state == wanted:
                return
            await asyncio.sleep(REGISTER_POLL)
        if wanted == "Registered":  # it does not go on trying by itself, and the next time starts from Unregistered
            await self.switch.console(f"pjsip send unregister {account}")
        raise NotSeen(f"handset {account}: not {wanted} within {REGISTER_LIMIT:g} s, but {state}")

    async def _read(self) -> None:
        """What no leg takes: new rings, and events that were queued before their leg was there."""
        async for event in self._ground.client.unclaimed:
            if isinstance(event, ari.StasisStart) and event.args[:1] == ("ring",):
                handset = self._rung(event.args[1])
                if handset is None:
                    with contextlib.suppress(ari.AriError):
                        await self._ground.client.channels.hangup(event.channel.id, reason="unallocated")
                    continue
                ring = Ring(self._ground, event.channel)
                self._legs[ring.id] = ring
                handset.take(ring)
            elif isinstance(event, ari.ChannelEvent) and (leg := self._legs.get(event.channel.id)):
                leg.take(event)

    async def _close(self) -> None:
        for handset in self.handsets.values():
            handset.close()
        await asyncio.gather(*(leg.close() for leg in self._legs.values()), return_exceptions=True)


async def _needs_no_account() -> None:
    """A telephone behind the carrier registers nowhere."""


async def _cancel(task: asyncio.Task[None]) -> None:
    """End a task of the world; raises what it failed with before that."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
