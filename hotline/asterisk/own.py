"""Files for an Asterisk of one's own: what it must include, and the folders that it shares with the daemon."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from config.catalogue import _
from config.settings import Settings
from config.telephony import Own
from phone.names import RECORDINGS

from .fault import AsteriskFault
from .home import AsteriskHome
from .install import AsteriskInstall
from .passwords import Secrets, write_private
from .render import place_script, rendered
from .tls_files import files as tls_files

FILES = ("pjsip", "extensions", "ari", "manager", "musiconhold")
"""Of Asterisk's files those that get something of ours; each is to include ``hotline-NAME.conf``."""

MODULES = (
    "res_timing_timerfd", "pbx_config", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "chan_pjsip",
    "res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest", "res_pjsip_registrar",
    "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user", "res_pjsip_caller_id",
    "res_pjsip_nat", "res_pjsip_rfc3326", "res_rtp_asterisk", "res_http_websocket", "codec_alaw", "codec_ulaw",
    "codec_a_mu", "codec_resample", "format_pcm", "format_wav", "format_sln", "res_stasis", "res_stasis_answer",
    "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop", "res_stasis_device_state", "app_stasis",
    "res_ari", "res_ari_model", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges", "res_ari_channels",
    "res_ari_device_states", "res_ari_endpoints", "res_ari_events", "res_ari_playbacks", "res_ari_recordings",
    "bridge_simple", "bridge_native_rtp", "bridge_softmix", "bridge_holding", "chan_bridge_media", "app_mixmonitor",
    "app_playback", "app_playtones", "app_record", "app_read", "app_dial", "app_exec", "app_userevent",
    "app_bridgeaddchan", "app_bridgewait", "app_channelredirect", "func_cut", "func_devstate",
    "func_groupcount", "func_channel", "func_callerid",
    "func_dialplan", "func_env", "func_global", "func_logic", "func_strings", "func_timeout", "res_musiconhold",
    "res_speech", "res_agi",
)  # fmt: skip
"""What Hotline needs loaded, in an order in which it can be loaded."""


def needed_modules(settings: Settings) -> list[str]:
    """The modules that these settings need, in order."""
    hotline = settings.hotline
    extra = ["res_pjsip_outbound_registration"] if any(trunk.registration for trunk in hotline.trunks) else []
    if hotline.asterisk.phones.srtp or any(trunk.srtp for trunk in hotline.trunks):
        extra.append("res_srtp")
    return [*MODULES, *extra]


def render_own(settings: Settings, to: Path, state: Path, secrets: Secrets) -> list[Path]:
    """Write ``hotline-*.conf`` into ``to`` and make the shared folders; returns the files. Raises AsteriskFault."""
    own = settings.hotline.asterisk.own
    if own is None:
        raise AsteriskFault(_("Set asterisk.own in hotline.yaml first: it says that Asterisk is yours."))
    home = AsteriskHome.of(state)
    texts = rendered(settings, _theirs(), home, secrets)
    wanted = {f"hotline-{name}.conf": texts[f"{name}.conf"] for name in FILES}
    loads = "".join(f"load = {name}.so\n" for name in needed_modules(settings))
    wanted["hotline-modules.conf"] = f"[modules]\n{loads}"
    try:
        home.make_shared()
        if settings.hotline.asterisk.sip.tls.port is not None and own.transport is None:
            from .certificates import make_for_trials

            make_for_trials(settings.hotline.asterisk.sip, home.state)
        place_script(home)
        link_spool(home, own)
        to.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            write_private(to / name, text.encode())
        share(home, settings, [to / name for name in wanted])
    except OSError as error:
        raise AsteriskFault(
            _("{path} cannot be written: {reason}").format(path=error.filename or to, reason=error.strerror)
        ) from error
    return [to / name for name in wanted]


def link_spool(home: AsteriskHome, own: Own) -> None:
    """Let what Asterisk records lie in its own folder of recordings: ARI writes nowhere else. Raises AsteriskFault."""
    theirs = Path(own.recordings) / RECORDINGS
    if not theirs.is_dir():
        try:
            theirs.mkdir(mode=0o2770)
        except OSError as error:
            what = _("{path} is missing and cannot be made ({reason}). As root: {command}")
            command = f"install -d -o {_user()} -g {own.group or _user()} -m 2770 {theirs}"
            raise AsteriskFault(what.format(path=theirs, reason=error.strerror, command=command)) from None
    if home.recordings.is_symlink() and home.recordings.resolve() == theirs.resolve():
        return
    if home.recordings.is_symlink():
        home.recordings.unlink()
    elif home.recordings.is_dir():
        try:
            home.recordings.rmdir()
        except OSError:
            what = _("{path} still holds recordings: start the hotline once without asterisk.own, so it finishes them.")
            raise AsteriskFault(what.format(path=home.recordings)) from None
    home.recordings.symlink_to(theirs)


def share(home: AsteriskHome, settings: Settings, files: list[Path] | None = None) -> None:
    """Let the group of Asterisk's user read prompts, key and ``files`` and write recordings. Nothing without a group.

    Raises AsteriskFault.
    """
    own = settings.hotline.asterisk.own
    if own is None or own.group is None:
        return
    try:
        group = grp.getgrnam(own.group).gr_gid
        for folder in (home.state, home.state / "recordings", home.root):
            _give(folder, group, 0o2710)
        for folder in (home.away, home.recordings.resolve()):
            _give(folder, group, 0o2770)
        for tree in (home.state / "sounds", home.state / "prompts"):
            for path in [tree, *tree.rglob("*")] if tree.is_dir() else ():
                _give(path, group, 0o2750 if path.is_dir() else 0o640)
        tls = settings.hotline.asterisk.sip.tls
        keys = list(tls_files(tls, home.state)) if tls.port is not None and tls.certificate is None else []
        if home.agi.is_dir():
            _give(home.agi, group, 0o2750)
            _give(home.lifeboat, group, 0o750)
        for path in [*keys, *(files or []), *([home.duty] if home.duty.exists() else [])]:
            _give(path, group, 0o640)
        if keys:
            _give(keys[0].parent, group, 0o2750)
    except KeyError:
        what = _("asterisk.own.group: there is no group {group} on this machine.")
        raise AsteriskFault(what.format(group=own.group)) from None
    except PermissionError as error:
        what = _("{path} cannot be given to the group {group}. As root: usermod -aG {group} {user}, then log in anew.")
        raise AsteriskFault(what.format(path=error.filename, group=own.group, user=_user())) from None


def _give(path: Path, group: int, mode: int) -> None:
    found = path.stat()
    if found.st_gid != group:
        os.chown(path, -1, group)
    if found.st_mode & 0o7777 != mode and found.st_uid == os.geteuid():
        path.chmod(mode)


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _theirs() -> AsteriskInstall:
    """Stands for an Asterisk whose folders we do not know: sounds and music by the names that it finds itself."""
    nowhere = Path("/nonexistent")
    return AsteriskInstall(
        ("/usr/sbin/asterisk",), nowhere, nowhere, Path(), Path("moh"), (22,), "Asterisk", False, "path"
    )
