"""The configuration of the outside world's Asterisk: a carrier and handsets, everything on loopback.

Speech does not come from Asterisk: each leg is bridged to an RTP channel that leads to our own ear and mouth
(:mod:`hotline.outside.audio`). Both ends speak A-law, so Asterisk translates nothing and Debian's Opus patch
(DESIGN.md section 5) has nothing to lose.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION = "outside"

HANDSETS = "handsets.conf"
"""Where the registrations are written, one by one as handsets come."""

MODULES = (
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "res_crypto",
    "pbx_config", "res_pjproject", "res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "chan_pjsip",
    "res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration",
    "res_pjsip_endpoint_identifier_ip", "res_pjsip_caller_id", "res_pjsip_rfc3326", "res_pjsip_pubsub",
    "res_pjsip_refer", "res_pjsip_header_funcs", "res_pjsip_registrar", "res_pjsip_endpoint_identifier_user",
    "res_srtp", "res_rtp_asterisk", "res_rtp_multicast", "chan_rtp",
    "res_http_websocket", "res_websocket_client", "codec_alaw", "codec_ulaw", "codec_a_mu", "res_stasis",
    "res_stasis_answer", "res_stasis_playback", "res_stasis_recording", "res_stasis_snoop", "app_stasis", "res_ari",
    "res_ari_model", "res_ari_applications", "res_ari_asterisk", "res_ari_bridges", "res_ari_channels",
    "res_ari_events", "bridge_simple", "func_callerid", "func_channel", "app_transfer",
)  # fmt: skip
"""What is loaded, in this order, as far as the build has it. app_stasis and the bridges have no other user here."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the outside world listens, and where the hotline does; all on 127.0.0.1."""

    hotline_host: str
    hotline_port: int
    carrier_port: int
    handset_port: int
    ari_port: int
    rtp_first: int
    rtp_last: int
    ari_password: str
    carriers: tuple[int, ...] = ()
    """Ports of further carriers, by which the hotline may call out."""
    more: str = ""
    """More sections of pjsip.conf: carriers beside the usual one. Theirs may build on ``phone``."""
    handset_transport: str = "udp"
    """``tcp`` and ``tls`` too, at ``handset_port``."""
    phones_to: int = 0
    """The hotline's port for them."""
    handset_srtp: bool = False


def files(at: Addresses) -> dict[str, str]:
    """Asterisk's files by name. Callers leave by ``carrier``, whose transport is the trunk's address."""
    return {
        "http.conf": f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {at.ari_port}\nsessionlimit = 1000\n",
        "ari.conf": f"[general]\nenabled = yes\n[outside]\ntype = user\npassword = {at.ari_password}\n",
        # No learning of the far side's address: the hotline may change a stream's source in mid-call.
        "rtp.conf": f"[general]\nrtpstart = {at.rtp_first}\nrtpend = {at.rtp_last}\nstrictrtp = no\nicesupport = no\n",
        "extensions.conf": _EXTENSIONS,
        "pjsip.conf": _PJSIP.format(at=at, srtp=_SRTP if at.handset_srtp else "")
        + "".join(map(_CARRIER.format, at.carriers)) + at.more,
    }


_SRTP = "media_encryption = sdes\nmedia_encryption_optimistic = yes"
"""Encrypted sound where the hotline asks for it."""

_EXTENSIONS = f"""\
[from-hotline]
exten => _.!,1,Ringing()
 same => n,Stasis({APPLICATION},ring,${{EXTEN}})
 same => n,Hangup()
[reject]
exten => _XXX,1,PJSIPHangup(${{EXTEN}})
"""

_PJSIP = """\
#include "handsets.conf"
[global]
type = global
user_agent = outside
endpoint_identifier_order = username,ip
[carrier-udp]
type = transport
protocol = udp
bind = 127.0.0.1:{at.carrier_port}
[handset-udp]
type = transport
protocol = {at.handset_transport}
bind = 127.0.0.1:{at.handset_port}
[phone](!)
type = endpoint
context = from-hotline
disallow = all
allow = alaw
direct_media = no
rtp_symmetric = yes
moh_passthrough = yes
timers = no
send_pai = no
trust_id_outbound = no
allow_transfer = yes
[carrier](phone)
transport = carrier-udp
aors = carrier
[carrier]
type = aor
contact = sip:{at.hotline_host}:{at.hotline_port}
[handset](phone)
transport = handset-udp
{srtp}
[everything]
type = identify
endpoint = handset
match = {at.hotline_host}
"""

_CARRIER = """\
[carrier-{0}]
type = transport
protocol = udp
bind = 127.0.0.1:{0}
"""


def handset(account: str, password: str, expiry: int, at: Addresses) -> str:
    """The lines of pjsip.conf that register one handset, and let it dial; ``expiry`` in seconds."""
    over = "" if at.handset_transport == "udp" else f"\\;transport={at.handset_transport}"
    return f"""\
[{account}]
type = registration
transport = handset-udp
server_uri = sip:{at.hotline_host}:{at.phones_to}{over}
client_uri = sip:{account}@{at.hotline_host}:{at.hotline_port}
contact_user = {account}
outbound_auth = {account}
expiration = {expiry}
max_random_initial_delay = 0
retry_interval = 2
forbidden_retry_interval = 0
fatal_retry_interval = 0
auth_rejection_permanent = no
max_retries = 10000
[{account}]
type = auth
auth_type = userpass
username = {account}
password = {password}
[{account}-line]
type = endpoint
transport = handset-udp
context = from-hotline
disallow = all
allow = alaw
direct_media = no
rtp_symmetric = yes
timers = no
from_user = {account}
outbound_auth = {account}
aors = {account}-line
[{account}-line]
type = aor
contact = sip:{at.hotline_host}:{at.phones_to}{over}
"""
