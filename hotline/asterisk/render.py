"""Asterisk's configuration out of Hotline's settings, by the templates of ``asterisk-conf/``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import phonenumbers

from config.catalogue import _
from config.problems import shown
from config.settings import Settings

from .fault import AsteriskFault
from .home import AsteriskHome
from .install import AsteriskInstall
from .passwords import Secrets, write_private

TEMPLATES = Path(__file__).resolve().parents[2] / "asterisk-conf"

SILENCE_LIMIT = 5
"""Seconds without the daemon's heartbeat after which callers go into the lifeboat at once (``hotline.heartbeat``)."""

BOAT_LIMIT = 6
"""Seconds after which a caller whom the lifeboat has not taken gets the apology; it takes them in 0.1 s."""

UNTAKEN = 4
"""Seconds after which a call that the daemon has not taken goes to the apology: it must set TIMEOUT(absolute)=0."""

LONGEST_STATE = 200
"""Bytes of the state folder's path, so that the longest file name below it still fits into Asterisk's 256."""

APOLOGY = ("im-sorry", "vm-nobodyavail", "telephone-number")
"""English core sounds spoken before the emergency number when the prompt ``away_apology`` is missing."""


def render(settings: Settings, install: AsteriskInstall, state_dir: Path, secrets: Secrets) -> AsteriskHome:
    """Write every file below ``state_dir/asterisk/etc`` with mode 0600; returns where they are.

    Files that are already right stay untouched. Raises AsteriskFault.
    """
    home = AsteriskHome.of(state_dir)
    files = rendered(settings, install, home, secrets)
    home.make()
    try:
        for name, text in files.items():
            file, data = home.etc / name, text.encode()
            if not file.exists() or file.read_bytes() != data:
                write_private(file, data)
        place_script(home)
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or home.etc, reason=error.strerror)
        ) from error
    return home


def place_script(home: AsteriskHome) -> None:
    """The lifeboat's script for this machine's Python, ready to be run by Asterisk. Raises OSError."""
    python = os.path.realpath(sys.executable)
    text = (TEMPLATES / home.lifeboat.name).read_text(encoding="utf-8")
    if " " not in python:
        text = f"#!{python} -SEI\n{text.partition(chr(10))[2]}"
    file, data = home.lifeboat, text.encode()
    if not file.exists() or file.read_bytes() != data:
        write_private(file, data, mode=0o700)


def rendered(settings: Settings, install: AsteriskInstall, home: AsteriskHome, secrets: Secrets) -> dict[str, str]:
    """Every file of Asterisk's configuration by name; writes nothing. Raises AsteriskFault for unusable values."""
    hotline = settings.hotline
    refuse_odd_path(home.state)
    digits = [f"digits/{digit}" for digit in hotline.emergency_number if digit.isdigit()]
    spoken = [str(install.sounds / name) for name in (*APOLOGY, *digits, "vm-intro")]
    values: dict[str, Any] = {
        "hotline": hotline,
        "sip": hotline.asterisk.sip,
        "home": home,
        "install": install,
        "secrets": secrets,
        "modules": _modules(install),
        "accounts": [(device, secrets.sip[device]) for device in devices(settings)],
        "dialled": list(_dialled(hotline.numbers, hotline.country)),
        "untaken": UNTAKEN,
        "silence_limit": SILENCE_LIMIT,
        "boat_limit": BOAT_LIMIT,
        "prompts": home.state / "sounds" / hotline.language,
        "spoken_apology": "&".join(spoken),
        "silence": max(1, round(hotline.times.voicemail_silence)),
        "dead_phone": max(1, round(hotline.times.dead_phone)),
        "longest": max(1, round(hotline.times.voicemail_longest)),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, finalize=_fit,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"parent": _parent, "host": _host, "contacts": _contacts}
    files = {name: "" for name in _lines("stubs.txt")}
    for template in sorted(TEMPLATES.glob("*.j2")):
        files[template.stem] = environment.get_template(template.name).render(values)
    return files


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
    return [name for name in _lines("modules.txt") if name in present]


def _lines(name: str) -> list[str]:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _dialled(numbers: Iterable[str], country: str) -> Iterator[tuple[str, str]]:
    """Pairs of a written form and the configured number; a number as configured goes before another's form."""
    numbers = list(numbers)
    taken = {number: number for number in numbers}
    for number in numbers:
        for form in written_forms(number, country):
            taken.setdefault(form, number)
    yield from taken.items()


def _fit(value: Any) -> Any:
    """What a template inserts: refused when it would end the line or begin a comment (config injection)."""
    text = str(value)
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


def _contacts(addresses: Iterable[str]) -> list[str]:
    """Where calls to the carrier go: every address that is one host."""
    parts = [split_address(address) for address in addresses]
    return [f"sip:{_host(host)}:{port or 5060}" for host, port, prefix in parts if prefix is None]
