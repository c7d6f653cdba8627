"""A caller in SIP as a scenario of SIPp: the same for the tests of one call and for the load of a measurement."""

from __future__ import annotations

_CALLER = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <send retrans="500" start_rtd="1"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller};tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {sound} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="{status}" rtd="1" timeout="10000"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller};tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
{end}
</scenario>
"""

_HANGS_UP = """\
  <pause milliseconds="{length}"/>
  <send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller};tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200" timeout="10000"/>"""

_WAITS = """\
  <recv request="BYE" timeout="{length}"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"""


def hangs_up(caller: str, sound: str, after: float) -> str:
    """A caller who hangs up ``after`` seconds of being answered.

    ``caller`` is the value of From, ``sound`` their RTP port; both may hold SIPp's ``[words]``. They call SIPp's
    ``[service]``; the time from INVITE to the answer is SIPp's response time 1.
    """
    return _filled(_HANGS_UP, caller, sound, 200, after)


def waits(caller: str, sound: str, longest: float) -> str:
    """A caller who waits for the other side's BYE, at most ``longest`` seconds."""
    return _filled(_WAITS, caller, sound, 200, longest)


def refused(caller: str, sound: str, status: int) -> str:
    """A caller whom the other side refuses with this status."""
    return _filled("", caller, sound, status, 0.0)


def _filled(end: str, caller: str, sound: str, status: int, length: float) -> str:
    text = _CALLER.replace("{end}", end)
    filled = {"caller": caller, "sound": sound, "status": str(status), "length": str(round(1000 * length))}
    for name, value in filled.items():
        text = text.replace("{" + name + "}", value)
    return text
