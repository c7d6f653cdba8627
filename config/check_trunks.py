"""Do the trunks agree with each other, and with what SIP of ours is switched on?"""

from __future__ import annotations

from collections.abc import Iterator

from config.catalogue import _
from config.problems import Place, Problem, key_path
from config.settings import Hotline

Path = tuple[str | int, ...]


def check_trunks(hotline: Hotline) -> list[Problem]:
    """Every disagreement of hotline.yaml's trunks, phones and transports. The problems have no line."""
    found = [*_names(hotline), *_addresses(hotline), *_tls(hotline)]
    phones = hotline.asterisk.phones
    found += _transport(hotline, ("asterisk", "phones"), phones.transport, phones.srtp)
    for index, trunk in enumerate(hotline.trunks):
        found += _transport(hotline, ("trunks", index), trunk.transport, trunk.srtp)
    return found


def _problem(code: str, path: Path, what: str, fix: str, warning: bool = False) -> Problem:
    return Problem(code, Place("hotline.yaml", 0, key_path(path)), what, fix, warning)


def _names(hotline: Hotline) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, trunk in enumerate(hotline.trunks):
        if trunk.name in seen:
            what = _("There are two trunks of the name {name}.").format(name=trunk.name)
            yield _problem("trunk-doubled", ("trunks", index, "name"), what, _("Rename one of them."))
        seen.add(trunk.name)


def _addresses(hotline: Hotline) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for index, trunk in enumerate(hotline.trunks):
        if not trunk.peers:
            what = _("The trunk {name} has neither addresses nor a registration.").format(name=trunk.name)
            fix = _("Say from where its SIP comes: addresses; or at which server it registers: registration.")
            yield _problem("trunk-without-address", ("trunks", index), what, fix)
        for place, address in enumerate(trunk.peers):
            if address in first:
                what = _("The address {address} is already that of trunk {name}.")
                key: Path = ("addresses", place) if trunk.addresses else ("registration", "server")
                yield _problem(
                    "address-doubled",
                    ("trunks", index, *key),
                    what.format(address=address, name=first[address]),
                    _("A call must belong to one trunk: remove one of them."),
                )
            first.setdefault(address, trunk.name)


def _tls(hotline: Hotline) -> Iterator[Problem]:
    tls, here = hotline.asterisk.sip.tls, ("asterisk", "sip", "tls")
    if (tls.certificate is None) != (tls.key is None):
        missing = "certificate" if tls.certificate is None else "key"
        what = _("A certificate and its key belong together; {key} is missing.").format(key=missing)
        yield _problem("tls-half", here, what, _("Name both files, or neither: then one is made for trials."))
    if tls.port is None and tls.certificate is not None:
        what = _("There is a certificate, but SIP over TLS is off.")
        yield _problem("tls-off", here, what, _("Set port, usually 5061."), warning=True)


def _transport(hotline: Hotline, path: Path, transport: str, srtp: bool) -> Iterator[Problem]:
    sip = hotline.asterisk.sip
    if transport == "tcp" and not sip.tcp:
        what, fix = _("SIP over TCP is off."), _("Set asterisk.sip.tcp: true.")
        yield _problem("transport-off", (*path, "transport"), what, fix)
    if transport == "tls" and sip.tls.port is None:
        what, fix = _("SIP over TLS is off."), _("Set asterisk.sip.tls.port, usually 5061.")
        yield _problem("transport-off", (*path, "transport"), what, fix)
    if srtp and transport != "tls":
        what = _("The keys of the encrypted sound are sent in clear: without TLS anybody on the way can read them.")
        yield _problem("srtp-in-clear", (*path, "srtp"), what, _("Set transport: tls."), warning=True)
