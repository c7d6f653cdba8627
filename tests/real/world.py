"""A trivial third Asterisk for the tests of the outside world: it plays prompts, echoes, reads keys, dials phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hotline.asterisk.install import AsteriskInstall
from hotline.outside.switch import Switch

ACCOUNTS = {"p8001": "geheim-1", "p8002": "geheim-2"}

_MODULES = (
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "res_crypto",
    "pbx_config", "res_pjproject", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "chan_pjsip",
    "res_pjsip_registrar", "res_pjsip_authenticator_digest", "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user", "res_pjsip_caller_id", "res_pjsip_rfc3326", "res_pjsip_pubsub",
    "res_rtp_asterisk", "codec_alaw", "codec_ulaw", "codec_a_mu", "format_wav", "format_pcm", "bridge_simple",
    "bridge_native_rtp", "bridge_softmix", "app_playback", "app_dial", "app_echo", "app_read", "app_verbose",
    "app_exec", "app_senddtmf", "app_mixmonitor", "func_callerid", "func_channel", "func_logic", "func_strings",
    "res_musiconhold", "app_bridgeaddchan", "app_stack", "func_uri", "app_system",
)  # fmt: skip

_PHONE = """\
[{account}](line)
aors = {account}
auth = {account}
[{account}]
type = aor
max_contacts = 1
remove_existing = yes
minimum_expiration = 10
[{account}]
type = auth
username = {account}
password = {password}
"""

_PJSIP = """\
[global]
type = global
endpoint_identifier_order = username,ip
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{sip_port}
[line](!)
type = endpoint
context = calls
disallow = all
allow = alaw
direct_media = no
timers = no
[carrier](line)
[carrier]
type = identify
endpoint = carrier
match = 127.0.0.1
"""

_CALLS = """\
[calls]
exten => prompts,1,Answer()
 same => n,Playback(greeting&menu)
 same => n,Wait(0.5)
 same => n,Playback(menu)
 same => n,Wait(0.3)
 same => n,Playback(alike)
 same => n,Hangup()
exten => echo,1,Answer()
 same => n,Echo()
exten => keys,1,Answer()
 same => n,Read(keys,,4,,1,5)
 same => n,ExecIf($["${keys}" = "1*20"]?Playback(menu):Playback(greeting))
 same => n,SendDTMF(42)
 same => n,Hangup(17)
exten => phone,1,Answer()
 same => n,Dial(PJSIP/p8001,8)
 same => n,Log(NOTICE,DIALED ${DIALSTATUS} ${HANGUPCAUSE})
 same => n,Hangup(${HANGUPCAUSE})
exten => two,1,Answer()
 same => n,Playback(greeting)
 same => n,Dial(PJSIP/p8001,8,g)
 same => n,Playback(menu)
 same => n,Dial(PJSIP/p8002,8,g)
 same => n,Hangup()
exten => who,1,Log(NOTICE,WHO num=${URIENCODE(${CALLERID(num)})} name=${URIENCODE(${CALLERID(name)})})
 same => n,Hangup(17)
exten => ring,1,Ringing()
 same => n,Wait(20)
exten => refuse,1,Hangup(21)
"""


@asynccontextmanager
async def peer(
    install: AsteriskInstall, folder: Path, sip_port: int, rtp_first: int, sounds: Path
) -> AsyncIterator[Switch]:
    """Start it; ``sounds`` holds the prompts. Its phones are ``ACCOUNTS``."""
    switch = Switch(install, folder, "peer")
    phones = "".join(_PHONE.format(account=name, password=word) for name, word in ACCOUNTS.items())
    prompts = {name: str(sounds / name) for name in ("greeting", "menu", "alike")}
    calls = _CALLS
    for name, path in prompts.items():
        calls = calls.replace(f"Playback({name}", f"Playback({path}").replace(f"&{name})", f"&{path})")
    await switch.start(
        {
            "pjsip.conf": _PJSIP.format(sip_port=sip_port) + phones,
            "extensions.conf": calls,
            "rtp.conf": f"[general]\nrtpstart = {rtp_first}\nrtpend = {rtp_first + 199}\n",
            "musiconhold.conf": "[default]\nmode = files\ndirectory = " + str(install.music) + "\n",
        },
        _MODULES,
    )
    try:
        yield switch
    finally:
        await switch.stop()
