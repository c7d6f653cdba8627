"""Whether this Asterisk can carry the calls as set: its release and build, its modules, the ports, the folder."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

from config.catalogue import _
from config.problems import Place, Problem
from config.settings import Settings

from .fault import AsteriskFault
from .home import AsteriskHome
from .install import BELOW, OLDEST, AsteriskInstall, find_asterisk
from .ports import taken_ports
from .process import ask, running
from .render import refuse_odd_path, split_address
from .trunk_passwords import check as check_passwords

ESSENTIAL = (
    "app_mixmonitor", "app_playback", "app_record", "app_stasis", "bridge_holding", "bridge_simple", "chan_pjsip",
    "codec_alaw", "codec_ulaw", "format_wav", "func_callerid", "func_env", "func_strings", "func_timeout", "pbx_config",
    "res_ari_bridges", "res_ari_channels", "res_ari_events", "res_ari_playbacks", "res_ari_recordings",
    "res_musiconhold", "res_pjsip_endpoint_identifier_ip", "res_pjsip_registrar", "res_pjsip_sdp_rtp",
    "res_rtp_asterisk", "res_security_log",
)  # fmt: skip
"""Modules without which a call cannot be carried; the others of modules.txt are left out where a build lacks them."""


def check_any(settings: Settings) -> list[Problem]:
    """Every problem between the settings and the Asterisk they name: the private one, or the operator's own.

    Raises AsteriskFault when there is none.
    """
    if settings.hotline.asterisk.own is None:
        return check(settings, find_asterisk())
    from .check_own import check_own

    return [*_settled(settings, AsteriskHome.of(settings.hotline.state_dir)), *check_own(settings)]


def check(settings: Settings, install: AsteriskInstall) -> list[Problem]:
    """Every problem between the settings and this Asterisk; writes and starts nothing."""
    home = AsteriskHome.of(settings.hotline.state_dir)
    found = [*_release(install), *_modules(install), *_settled(settings, home)]
    if running(home) is None:
        found += _ports(settings)
    else:
        found += _running(install, home)
    return found


def _settled(settings: Settings, home: AsteriskHome) -> Iterator[Problem]:
    """What can be wrong with any Asterisk: the folder's name, addresses, passwords, certificates."""
    from .certificates import check as check_certificates  # the daemon imports this module, and not that one's library

    yield from _folder(home)
    yield from _trunks(settings)
    yield from check_passwords(settings, home.state)
    yield from check_certificates(settings, home.state)


def _release(install: AsteriskInstall) -> Iterator[Problem]:
    here = Place("Asterisk")
    if install.version < OLDEST:
        yield Problem(
            "asterisk-old", here, _("{version} is too old.").format(version=install.version_text),
            _("Install Asterisk 22.5 or newer."),
        )  # fmt: skip
    if install.version >= BELOW:
        yield Problem(
            "asterisk-new", here, _("{version} has not been tested with Hotline.").format(version=install.version_text),
            _("Asterisk 22 has."), warning=True,
        )  # fmt: skip
    if install.debian_patch:
        yield Problem(
            "asterisk-debian-patch", here,
            _(
                "This is Debian's build; its Opus patch loses sound after a change of the agent, so each talk is "
                "recorded as a part of its own."
            ),
            _("To run in earnest, build Asterisk without that patch: hotline asterisk build"), warning=True,
        )  # fmt: skip


def _modules(install: AsteriskInstall) -> Iterator[Problem]:
    if missing := sorted(set(ESSENTIAL) - install.modules()):
        yield Problem(
            "asterisk-modules", Place("Asterisk"),
            _("{folder} lacks the modules {names}.").format(folder=install.moddir, names=", ".join(missing)),
            _("Install or build Asterisk with them."),
        )  # fmt: skip
    for folder, sample in ((install.sounds, "beep.wav"), (install.music, "*.wav")):
        if next(folder.glob(sample), None) is None:
            yield Problem(
                "asterisk-sounds", Place("Asterisk"),
                _("There are no sounds in {folder}.").format(folder=folder), _("Run 'make setup'."),
            )  # fmt: skip


def _folder(home: AsteriskHome) -> Iterator[Problem]:
    try:
        refuse_odd_path(home.state)
    except AsteriskFault as fault:
        yield Problem("state-dir-name", Place("hotline.yaml", 0, "state_dir"), str(fault), _("Name another folder."))


def _trunks(settings: Settings) -> Iterator[Problem]:
    """A carrier known by loopback without a port would also be every phone on this machine."""
    for index, trunk in enumerate(settings.hotline.trunks):
        for at, address in enumerate(trunk.peers):
            host, port, prefix = split_address(address)
            if port is None and _covers_loopback(host, prefix):
                yield Problem(
                    "trunk-loopback", Place("hotline.yaml", 0, f"trunks[{index}].addresses[{at}]"),
                    _("Every phone on this machine would be taken for the carrier {name}.").format(name=trunk.name),
                    _("Add the carrier's port: 127.0.0.1:PORT."), warning=True,
                )  # fmt: skip


def _covers_loopback(host: str, prefix: str | None) -> bool:
    if prefix is not None:
        network = ip_network(f"{host}/{prefix}", strict=False)
        return ip_address("::1" if network.version == 6 else "127.0.0.1") in network
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ports(settings: Settings) -> Iterator[Problem]:
    for taken in taken_ports(settings):
        yield Problem(
            "port-taken", Place("hotline.yaml", 0, taken.key),
            _("{port} on {address} cannot be used: {reason}.").format(
                port=taken.shown, address=taken.address, reason=taken.why
            ),
            _("Free it, or set another."),
        )  # fmt: skip


def _running(install: AsteriskInstall, home: AsteriskHome) -> Iterator[Problem]:
    """What only a running Asterisk can say: whether its MixMonitor writes caller and agent apart (option D)."""
    try:
        said = ask(install, home, "core show application MixMonitor")
    except AsteriskFault as fault:
        yield Problem("asterisk-silent", Place("Asterisk"), str(fault), _("Restart it."))
        return
    if not any(line.split() and line.split()[0] in ("D:", "D") for line in said.splitlines()):
        yield Problem(
            "asterisk-mixmonitor", Place("Asterisk"), _("Its MixMonitor has no option D."),
            _("Install Asterisk 22.5 or newer."),
        )  # fmt: skip


def state_folder(settings: Settings) -> Path:
    """The state folder, absolute: relative settings count from the working folder."""
    return AsteriskHome.of(settings.hotline.state_dir).state
