"""What an Asterisk of one's own still lacks, all of it at once; asked over ARI and AMI, as the daemon will be."""

from __future__ import annotations

import base64
import http.client
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from config.catalogue import _
from config.problems import Place, Problem
from config.settings import Settings
from phone.ami import Ami, AmiError, AmiLogin, AmiRefused
from phone.names import RECORDINGS

from .access import Access, access, ask_ami
from .fault import AsteriskFault
from .home import AsteriskHome
from .install import BELOW, OLDEST, parse_version
from .own import needed_modules

HERE = "Asterisk"
ASK_LIMIT = 5.0
"""Seconds for one question over HTTP on the same machine."""

ACTIONS = ("mixmonitor", "stopmixmonitor", "mixmonitormute", "pjsipshowendpoint", "pjsipshowregistrationsoutbound",
           "getvar")  # fmt: skip
"""AMI actions that the daemon needs; ListCommands names those that our user may use."""


@dataclass(frozen=True, slots=True)
class _Ari:
    by: Access

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Status and decoded answer. Raises OSError when nobody answers."""
        connection = http.client.HTTPConnection(self.by.host, self.by.ari_port, timeout=ASK_LIMIT)
        token = base64.b64encode(f"{self.by.ari_user}:{self.by.ari_password}".encode()).decode()
        try:
            headers = {"Authorization": f"Basic {token}", "Content-Length": "0"}
            connection.request(method, f"/ari{path}", headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error) or type(error).__name__) from None
        finally:
            connection.close()
        try:
            return answer.status, msgspec.json.decode(text or b"null")
        except msgspec.DecodeError:
            return answer.status, None


def check_own(settings: Settings) -> list[Problem]:
    """Every problem between the settings and the operator's own Asterisk, which must run; changes nothing in it."""
    home = AsteriskHome.of(settings.hotline.state_dir)
    try:
        by = access(settings, home.state)
    except AsteriskFault as fault:
        return [_problem("own-password", str(fault), _("Write the password into it, or leave the key away."))]
    return [*_ari(settings, _Ari(by), home), *_ami(settings, by), *_spool(settings, home)]


def version_said(settings: Settings, state: Path) -> str | None:
    """The version that the operator's own Asterisk says it has; None where it does not answer us."""
    try:
        status, info = _Ari(access(settings, state)).ask("GET", "/asterisk/info")
    except (OSError, AsteriskFault):
        return None
    return str(info.get("system", {}).get("version", "")) if status == 200 and isinstance(info, dict) else None


def _problem(code: str, what: str, fix: str, warning: bool = False, key: str = "") -> Problem:
    place = Place("hotline.yaml", 0, key) if key else Place(HERE)
    return Problem(code, place, what, fix, warning)


def _ari(settings: Settings, ari: _Ari, home: AsteriskHome) -> Iterator[Problem]:
    at = f"{ari.by.host}:{ari.by.ari_port}"
    try:
        status, info = ari.ask("GET", "/asterisk/info")
        if status == 401:
            what = _("ARI at {at} refuses the user {user} or its password.").format(at=at, user=ari.by.ari_user)
            yield _problem("own-ari-user", what, _("Include hotline-ari.conf in ari.conf: 'module reload res_ari.so'."))
        elif status == 404:
            what = _("No ARI at {at}: {module} is not loaded, ari.conf is not enabled, or http.conf has a prefix.")
            fix = _("Load it, set enabled = yes in ari.conf, and take prefix out of http.conf.")
            yield _problem("own-ari-missing", what.format(at=at, module="res_ari_asterisk.so"), fix)
        elif status != 200 or not isinstance(info, dict):
            what = _("ARI at {at} answers {status}.").format(at=at, status=status)
            yield _problem("own-ari-odd", what, _("Is another program there? Set asterisk.ari_port."))
        else:
            yield from _inside(settings, ari, info, home)
    except OSError as error:
        what = _("Nobody answers at {at} (ARI): {reason}.").format(at=at, reason=error.strerror or error)
        fix = _("Start Asterisk, and set enabled = yes in http.conf; its port is asterisk.ari_port.")
        yield _problem("own-ari-silent", what, fix)


def _inside(settings: Settings, ari: _Ari, info: dict[str, Any], home: AsteriskHome) -> Iterator[Problem]:
    yield from _release(str(info.get("system", {}).get("version", "")))
    if ari.ask("POST", "/asterisk/variable?variable=HOTLINE_CHECK&value=1")[0] == 403:
        what = _("The ARI user {user} may only read.").format(user=ari.by.ari_user)
        yield _problem("own-ari-read-only", what, _("Set read_only = no for it in ari.conf."))
    _status, listed = ari.ask("GET", "/asterisk/modules")
    loaded = {
        str(each.get("name", "")).removesuffix(".so") for each in listed or [] if each.get("status") == "Running"
    }
    if loaded and (missing := [name for name in needed_modules(settings) if name not in loaded]):
        what = _("These modules are not loaded: {names}.").format(names=", ".join(missing))
        yield _problem("own-modules", what, _("Include hotline-modules.conf in modules.conf and restart Asterisk."))
    if "codec_opus_open_source" in loaded:
        what = _("This is Debian's build; its Opus patch loses sound after a change of the agent.")
        fix = _("Each talk is recorded as a part of its own. In earnest, build Asterisk without 2016_opus_plc.")
        yield _problem("asterisk-debian-patch", what, fix, warning=True)
    if not str(info.get("config", {}).get("name", "")):
        what = _("asterisk.conf has no systemname: two Asterisks could give two calls the same id.")
        yield _problem("own-systemname", what, _("Set systemname, for example hotline."), warning=True)
    yield from _endpoints(settings, ari)
    application = settings.hotline.asterisk.application
    status, _said = ari.ask("GET", f"/applications/{quote(application, safe='')}")
    if status == 200 and not (home.state / "hotline.sock").exists():
        what = _("Another program has the Stasis application {name}.").format(name=application)
        yield _problem("own-application", what, _("Stop it, or set asterisk.application."), key="asterisk.application")


def _release(text: str) -> Iterator[Problem]:
    version = parse_version(f"Asterisk {text}")
    if not version:
        what = _("{version} has not been tested with Hotline.").format(version=text or "?")
        yield _problem("asterisk-new", what, _("Asterisk 22 has."), warning=True)
    elif version < OLDEST:
        what = _("{version} is too old.").format(version=text)
        yield _problem("asterisk-old", what, _("Install Asterisk 22.5 or newer."))
    elif version >= BELOW:
        what = _("{version} has not been tested with Hotline.").format(version=text)
        yield _problem("asterisk-new", what, _("Asterisk 22 has."), warning=True)


def _endpoints(settings: Settings, ari: _Ari) -> Iterator[Problem]:
    asterisk = settings.hotline.asterisk
    names = [trunk.name for trunk in settings.hotline.trunks]
    names += sorted({device.sip for agent in settings.agents.agents.values() for device in agent.devices if device.sip})
    _status, listed = ari.ask("GET", "/endpoints/PJSIP")
    known = {str(each.get("resource", "")) for each in listed or [] if isinstance(each, dict)}
    lacking = [asterisk.endpoint(name) for name in names if asterisk.endpoint(name) not in known]
    if lacking:
        shown = ", ".join(lacking[:8]) + (" …" if len(lacking) > 8 else "")
        what = _("PJSIP has no endpoints {names}.").format(names=shown)
        fix = _("Include hotline-pjsip.conf in pjsip.conf: 'module reload res_pjsip.so'.")
        yield _problem("own-endpoints", what, fix)


def _ami(settings: Settings, by: Access) -> Iterator[Problem]:
    at = f"{by.host}:{by.ami_port}"
    number = settings.hotline.numbers[0]

    async def asked(ami: Ami) -> tuple[dict[str, str], str, str]:
        async def value(function: str) -> str:
            try:
                return (await ami.action("Getvar", Variable=function)).get("value", "")
            except AmiRefused:
                return ""

        return (
            await ami.action("ListCommands"),
            await value("STAT(e,/)"),
            await value(f"DIALPLAN_EXISTS(hotline-incoming,{number},1)"),
        )

    try:
        may, dangerous, incoming = ask_ami(by, asked)
    except AmiLogin:
        what = _("AMI at {at} refuses the user {user} or its password.").format(at=at, user=by.ami_user)
        fix = _("Include hotline-manager.conf in manager.conf: 'manager reload'.")
        yield _problem("own-ami-user", what, fix)
        return
    except AmiError as error:
        what = _("Nobody answers at {at} (AMI): {reason}.").format(at=at, reason=error)
        fix = _("Set enabled = yes in manager.conf; its port is asterisk.ami_port.")
        yield _problem("own-ami-silent", what, fix)
        return
    if missing := [name for name in ACTIONS if name not in may]:
        what = _("The AMI user {user} may not use: {names}.").format(user=by.ami_user, names=", ".join(missing))
        fix = _("Give it read = system and write = system,call,reporting, and load app_mixmonitor and res_pjsip.")
        yield _problem("own-ami-rights", what, fix)
    if "getvar" in missing:
        return
    if incoming != "1":
        what = _("The dialplan has no hotline-incoming for {number}.").format(number=number)
        fix = _("Include hotline-extensions.conf in extensions.conf: 'dialplan reload'.")
        yield _problem("own-dialplan", what, fix)
    if dangerous != "1":
        what = _("live_dangerously is off: calls that are handed to the dialplan leave no record and no message.")
        fix = _("Set live_dangerously = yes in asterisk.conf: see the page.")
        yield _problem("own-live-dangerously", what, fix, warning=True)


def _spool(settings: Settings, home: AsteriskHome) -> Iterator[Problem]:
    """Whether Asterisk's recordings come to lie where we take them from."""
    own = settings.hotline.asterisk.own
    assert own is not None
    theirs = Path(own.recordings) / RECORDINGS
    if home.recordings.resolve() != theirs.resolve() or not os.access(theirs, os.W_OK | os.X_OK):
        what = _("{path} is not the folder for recordings yet, or cannot be written.").format(path=theirs)
        fix = _("Run 'hotline asterisk render --to DIR': it makes it, or says what root must do.")
        yield _problem("own-recordings", what, fix, key="asterisk.own.recordings")
