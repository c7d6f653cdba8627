"""What is set of Asterisk, phones and trunks (``asterisk`` and ``trunks`` in hotline.yaml)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from config.shapes import (
    DialString,
    Name,
    Part,
    Port,
    Seconds,
    SipAccount,
    Text,
    Whole,
    host,
    host_port,
    ip,
    network,
    peer,
)

Transport = Literal["udp", "tcp", "tls"]
NumberFormat = Literal[
    "as_sent", "e164", "e164_digits", "international", "national", "national_zero", "local"
]
"""How a carrier writes numbers (``phone.numbers``)."""

PREFIX = "hotline-"
"""Before every name of ours in an Asterisk of one's own."""

DialPrefix = Annotated[str, StringConstraints(pattern=r"^(\+|[0-9])?[0-9]{0,11}$")]
AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{0,6}$")]
SipUser = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+][A-Za-z0-9+._@-]{0,79}$")]
"""A user name at a carrier: often a number, or number@domain."""


class Tls(Part):
    """SIP over TLS; off without a port. Files are PEM, relative to the working folder or absolute."""

    port: Port | None = None
    certificate: Text | None = None
    """With the chain behind it; without one a self-signed certificate is made for trials."""
    key: Text | None = None
    ca: Text | None = None
    """The authorities that carriers' certificates are held against; without one those of the system."""
    verify: bool = True
    """Whether carriers' certificates are verified."""


class Sip(Part):
    """Where phones and trunks reach Asterisk by SIP."""

    bind: Annotated[str, AfterValidator(ip)] = "127.0.0.1"
    port: Port = 5060
    """UDP, and TCP too when ``tcp`` is on."""
    tcp: bool = False
    tls: Tls = Tls()
    external_address: Annotated[str, AfterValidator(host)] | None = None
    local_networks: tuple[Annotated[str, AfterValidator(network)], ...] = ()


class RtpPorts(Part):
    """The UDP ports of the audio, first and last."""

    first: Port = 10_000
    last: Port = 10_999


class Phones(Part):
    """How agents' phones speak to this Asterisk."""

    transport: Transport = "udp"
    srtp: bool = False


class Own(Part):
    """An Asterisk of one's own on this machine; without it Hotline starts a private one."""

    host: Annotated[str, AfterValidator(ip)] = "127.0.0.1"
    """Where its ARI and AMI are; the ports are ``ari_port`` and ``ami_port``."""
    ari_user: Name | None = None
    ari_password_file: Text | None = None
    ami_user: Name | None = None
    ami_password_file: Text | None = None
    """Without them the users and passwords that are generated and rendered."""
    recordings: Text = "/var/spool/asterisk/recording"
    """Its folder of recordings (``astspooldir``/recording); ours is ``hotline`` in it."""
    group: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] | None = None
    """The group that its user and Hotline's share; without one both are the same user."""
    transport: Name | None = None
    """Its SIP transport for phones and trunks; without one ours are rendered."""
    endpoints: tuple[SipAccount, ...] = ()
    """Phones and trunks that it has already: used as they are, and not rendered."""


class Asterisk(Part):
    """The Asterisk that carries the calls. ARI and AMI always listen on loopback only."""

    systemname: Name = "hotline"
    sip: Sip = Sip()
    rtp: RtpPorts = RtpPorts()
    phones: Phones = Phones()
    ari_port: Port = 8088
    ami_port: Port = 5038
    application: Name = "hotline"
    own: Own | None = None

    def endpoint(self, name: str) -> str:
        """The PJSIP endpoint of a phone or a trunk; in an Asterisk of one's own our names collide with nothing."""
        return name if self.own is None or name in self.own.endpoints else f"{PREFIX}{name}"


class Registration(Part):
    """Our account at a carrier that wants a REGISTER with a password; the password stands in a file of its own."""

    server: Annotated[str, AfterValidator(host_port)]
    user: SipUser
    auth_user: SipUser | None = None
    """The user name of the authentication where it differs."""
    domain: Annotated[str, AfterValidator(host)] | None = None
    """The SIP domain of the account where it differs from the server, which then is the proxy."""
    password_file: Text | None = None
    """Without one: ``<state_dir>/trunks/<name>.password``."""
    expiry: Annotated[Whole, Field(ge=30, le=86_400)] = 300


class Incoming(Part):
    """How this carrier brings calls."""

    caller: NumberFormat = "as_sent"
    caller_from: Literal["identity", "from"] = "identity"
    """``identity``: P-Asserted-Identity (or Remote-Party-ID) where it is there, else From."""
    called_from: Literal["request", "to"] = "request"
    """Where the number that was dialled stands: in the request's address, or in To."""
    strip: DialPrefix = ""
    add: DialPrefix = ""


class Outgoing(Part):
    """How this carrier wants calls of ours; without ``present`` none go out by it."""

    present: DialString | None = None
    """The number shown to whom we call: a geographic one, never the 400 number."""
    present_as: NumberFormat = "as_sent"
    present_in: Literal["from", "identity"] = "from"
    called: NumberFormat = "as_sent"
    strip: DialPrefix = ""
    add: DialPrefix = ""


class Trunk(Part):
    """A carrier. Calls go out by the trunks in their order; calls come in by any."""

    name: Name
    addresses: tuple[Annotated[str, AfterValidator(peer)], ...] = ()
    """From where its SIP comes (host, host:port or network/prefix); with a registration, its server by itself."""
    registration: Registration | None = None
    transport: Transport = "udp"
    srtp: bool = False
    codecs: Annotated[tuple[Literal["alaw", "ulaw"], ...], Field(min_length=1)] = ("alaw", "ulaw")
    area_code: AreaCode = ""
    incoming: Incoming = Incoming()
    outgoing: Outgoing = Outgoing()
    probe: Annotated[Seconds, Field(le=3600)] = 30.0
    """OPTIONS is sent so often, in seconds; a carrier that does not answer is passed over. 0: never."""

    @property
    def peers(self) -> tuple[str, ...]:
        """The addresses, or the registration's server where none is set."""
        if self.addresses or self.registration is None:
            return self.addresses
        return (self.registration.server,)

    @property
    def is_example(self) -> bool:
        """Whether this is still the trunk of the example, on this machine: no carrier is there."""
        return self.registration is None and self.addresses == ("127.0.0.1:5070",)
