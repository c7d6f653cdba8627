"""Asterisk's configuration out of Hotline's settings, by the templates of ``asterisk-conf/``."""

from __future__ import annotations

import os
import py_compile
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import phonenumbers

from config.catalogue import _
from config.problems import shown
from config.settings import Hotline, Settings
from config.telephony import PREFIX, Registration, Sip
from phone.numbers import write

from .fault import AsteriskFault
from .home import AsteriskHome
from .install import AsteriskInstall
from .passwords import Secrets, write_private
from .tls_files import authorities, files
from .trunk_passwords import password

TEMPLATES = Path(__file__).resolve().parents[2] / "asterisk-conf"

SILENCE_LIMIT = 5
"""Seconds without the daemon's heartbeat after which callers go into the lifeboat at once (``hotline.heartbeat``)."""

BOAT_LIMIT = 6
"""Seconds after which a caller whom the lifeboat has not taken gets the apology; it takes them in 0.1 s."""

UNTAKEN = 4
"""Seconds after which a call that the daemon has not taken goes into the lifeboat: it must set TIMEOUT(absolute) anew.
The dialplan has answered, so the caller hears nothing so long."""

GREETED_AFTER = UNTAKEN + 2
"""Seconds after its arrival at which a call that goes into the lifeboat must have been the daemon's, and greeted."""

LOOK_EVERY, LOOKS = 2, 9
"""Seconds between two looks of the dialplan's watch at the heartbeat, and how many in a row must miss it until callers
whom a daemon left behind go into the lifeboat: later than systemd's watchdog, that a new daemon may have them."""

MESSAGE_GROWS = 6
"""Seconds in which the file of a message that is being left grows: Asterisk writes it in blocks of 2 s."""

MUSIC = "hotline"
"""The class of the waiting callers' music."""

LONGEST_STATE = 200
"""Bytes of the state folder's path, so that the longest file name below it still fits into Asterisk's 256."""

APOLOGY = ("im-sorry", "vm-nobodyavail", "telephone-number")
"""English core sounds spoken before the emergency number when the prompt ``away_apology`` is missing."""


def render(settings: Settings, install: AsteriskInstall, state_dir: Path, secrets: Secrets) -> AsteriskHome:
    """Write every file below ``state_dir/asterisk/etc`` with mode 0600; returns where they are.

    Files that are already right stay untouched. Raises AsteriskFault.
    """
    home = AsteriskHome.of(state_dir)
    texts = rendered(settings, install, home, secrets)
    home.make()
    if settings.hotline.asterisk.sip.tls.port is not None:
        from .certificates import make_for_trials  # the daemon imports this module, and not that one's library

        make_for_trials(settings.hotline.asterisk.sip, home.state)
    try:
        for name, text in texts.items():
            file, data = home.etc / name, text.encode()
            if not file.exists() or file.read_bytes() != data:
                write_private(file, data)
        place_script(home)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or home.etc, reason=error.strerror)
        ) from error
    return home


LAUNCHER = """\
#!{python} -SEI
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
from lifeboat_script import main
sys.exit(main())
"""
"""What Asterisk starts: it imports the script, so that Python need not compile it for each caller."""


def place_script(home: AsteriskHome) -> None:
    """The lifeboat for this machine's Python, compiled and ready to be run by Asterisk. Raises OSError."""
    python = os.path.realpath(sys.executable)
    if " " in python:
        python = "/usr/bin/env -S python3"
    module = home.lifeboat.with_name("lifeboat_script.py")
    launcher = LAUNCHER.format(python=python)
    for file, data in ((module, (TEMPLATES / "lifeboat.py").read_bytes()), (home.lifeboat, launcher.encode())):
        if not file.exists() or file.read_bytes() != data:
            write_private(file, data, mode=0o700)
    py_compile.compile(str(module), doraise=False, quiet=1)


def rendered(settings: Settings, install: AsteriskInstall, home: AsteriskHome, secrets: Secrets) -> dict[str, str]:
    """Every file of Asterisk's configuration by name; writes nothing. Raises AsteriskFault for unusable values."""
    hotline = settings.hotline
    own = hotline.asterisk.own
    theirs = own.endpoints if own else ()
    tls = hotline.asterisk.sip.tls
    certificate, key = files(tls, home.state)
    refuse_odd_path(home.state)
    digits = [f"digits/{digit}" for digit in hotline.emergency_number if digit.isdigit()]
    spoken = [str(install.sounds / name) for name in (*APOLOGY, *digits, "vm-intro")]
    values: dict[str, Any] = {
        "hotline": hotline,
        "own": own,
        "prefix": PREFIX if own else "",
        "music": MUSIC,
        "trunks": [trunk for trunk in hotline.trunks if trunk.name not in theirs],
        "transports": [] if own and own.transport else _transports(hotline.asterisk.sip),
        "certificate": certificate,
        "key": key,
        "authorities": authorities(tls),
        "sip": hotline.asterisk.sip,
        "home": home,
        "install": install,
        "secrets": secrets,
        "modules": _modules(install),
        "accounts": [(device, secrets.sip[device]) for device in devices(settings) if device not in theirs],
        "dialled": list(_dialled(hotline)),
        "untaken": UNTAKEN,
        "greeted_after": GREETED_AFTER,
        "silence_limit": SILENCE_LIMIT,
        "boat_limit": BOAT_LIMIT,
        "look_every": LOOK_EVERY,
        "looks": LOOKS,
        "message_grows": MESSAGE_GROWS,
        "prompts": home.state / "sounds" / hotline.language,
        "goodbye": install.sounds / "vm-goodbye",
        "apologies": [
            home.state / "sounds" / language / "away_apology"
            for language in hotline.apology_languages or (hotline.language,)
        ],
        "spoken_apology": "&".join(spoken),
        "silence": max(1, round(hotline.times.voicemail_silence)),
        "dead_phone": max(1, round(hotline.times.dead_phone)),
        "longest": max(1, round(hotline.times.voicemail_longest)),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, finalize=_fit,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {
        "parent": _parent, "host": _host, "contacts": _contacts, "peer": _peer, "domain": _domain, "whole": round,
        "plain": Plain, "endpoint": hotline.asterisk.endpoint,
        "transport": lambda name: own.transport if own and own.transport else f"{values['prefix']}transport-{name}",
        "password": lambda trunk: _escaped(password(trunk, home.state)),
        "matched": lambda trunk: _matched(trunk.peers, trunk.transport),
    }  # fmt: skip
    found = {name: "" for name in _lines("stubs.txt")}
    for template in sorted(TEMPLATES.glob("*.j2")):
        found[template.stem] = environment.get_template(template.name).render(values)
    return found


def devices(settings: Settings) -> list[str]:
    """The SIP accounts of all agents, sorted, each once."""
    every = (device.sip for agent in settings.agents.agents.values() for device in agent.devices)
    return sorted({sip for sip in every if sip is not None})


def written_forms(number: str, country: str) -> list[str]:
    """The ways in which a carrier may write one of our numbers: as configured, E.164, with 00, with a leading 0."""
    code = str(phonenumbers.country_code_for_region(country) or "")
    plain = number.removeprefix("+")
    national = plain
    if number.startswith("+") and code and plain.startswith(code):
        national = plain[len(code) :]
    national = national.lstrip("0") or plain
    forms = [number, plain, national, "0" + national]
    if code:
        forms += [f"+{code}{national}", f"{code}{national}", f"00{code}{national}"]
    return list(dict.fromkeys(forms))


def split_address(address: str) -> tuple[str, int | None, str | None]:
    """A trunk's address (``host``, ``host:port`` or ``network/prefix``) into host, port and prefix length."""
    if "/" in address:
        network, _slash, prefix = address.partition("/")
        return network, None, prefix
    host, colon, port = address.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        return address.strip("[]"), None, None
    return host.strip("[]"), int(port), None


def _modules(install: AsteriskInstall) -> list[str]:
    present = install.modules()
    return [name for name in module_names() if name in present]


def module_names() -> list[str]:
    """The modules that Asterisk is to load, in order, whether a build has them or not."""
    return _lines("modules.txt")


def _lines(name: str) -> list[str]:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _dialled(hotline: Hotline) -> Iterator[tuple[str, str]]:
    """Pairs of a written form and the configured number; a number as configured goes before another's form."""
    taken = {number: number for number in hotline.numbers}
    areas = {trunk.area_code for trunk in hotline.trunks if trunk.area_code}
    for number in hotline.numbers:
        near = [write(number, "local", hotline.country, area) for area in sorted(areas)]
        for form in (*written_forms(number, hotline.country), *near):
            taken.setdefault(form, number)
    yield from taken.items()


class Plain(str):
    """Text of our own, or escaped already: a semicolon in it is no comment."""


def _escaped(text: str) -> Plain:
    """A backslash before a semicolon keeps it (main/config.c)."""
    return Plain(text.replace(";", "\\;"))


def _fit(value: Any) -> Any:
    """What a template inserts: refused when it would end the line or begin a comment (config injection)."""
    text = str(value)
    if isinstance(value, Plain) and text.isprintable():
        return value
    if ";" in text or not all(char.isprintable() for char in text):
        raise AsteriskFault(_("This value cannot stand in Asterisk's configuration: {value!r}").format(value=text))
    return value


def refuse_odd_path(path: Path) -> None:
    """Asterisk's dialplan reads commas, quotes, ``$``, ``&``, ``%`` and brackets in a path as its own.

    Its configuration reader has 256 bytes for a file's whole path (main/config.c, config_text_file_load).
    """
    if len(os.fsencode(path)) > LONGEST_STATE:
        what = _("Asterisk cannot use the folder '{path}': its path is longer than {most} bytes.")
        raise AsteriskFault(what.format(path=shown(path, 300), most=LONGEST_STATE))
    if not re.fullmatch(r"[\w ./+~@-]+", str(path)):
        what = _("Asterisk cannot use the folder '{path}': its name may hold letters, digits, spaces and ._-+~@")
        raise AsteriskFault(what.format(path=shown(path, 300)))


def _parent(path: str) -> str:
    return str(Path(path).parent)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _contacts(addresses: Iterable[str], transport: str = "udp") -> list[str]:
    """Where calls to the carrier go: every address that is one host."""
    usual = 5061 if transport == "tls" else 5060
    parts = [split_address(address) for address in addresses]
    return [f"sip:{_host(host)}:{port or usual}" for host, port, prefix in parts if prefix is None]


def _transports(sip: Sip) -> list[tuple[str, int]]:
    """Protocol and port of each way of SIP that is on."""
    found = [("udp", sip.port)] + ([("tcp", sip.port)] if sip.tcp else [])
    return found + ([("tls", sip.tls.port)] if sip.tls.port is not None else [])


def _matched(addresses: Iterable[str], transport: str) -> list[str]:
    """What a request is known by; over TCP and TLS the port it comes from is a new one each time."""
    parts = [(address, *split_address(address)) for address in addresses]
    return [
        host if port is not None and transport != "udp" else whole for whole, host, port, _prefix in parts
    ]  # fmt: skip


def _peer(address: str) -> str:
    host, port, _prefix = split_address(address)
    return f"{_host(host)}:{port}" if port is not None else _host(host)


def _domain(registration: Registration) -> str:
    """The SIP domain of an account at a carrier."""
    return registration.domain or _host(split_address(registration.server)[0])
