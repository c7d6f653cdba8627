"""Certificates for SIP over TLS: the one made for trials, and what is wrong with the operator's. Not for the daemon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.catalogue import _
from config.plain import bytes_of
from config.problems import Place, Problem
from config.settings import Settings
from config.telephony import Sip

from .fault import AsteriskFault
from .passwords import write_private
from .tls_files import authorities, files

TRIAL = dt.timedelta(days=365)
"""How long a self-signed certificate is valid; render makes a new one ``SOON`` before its end."""

SOON = dt.timedelta(days=21)
"""An operator is warned so long before a certificate's end: getting a new one takes some offices weeks."""


def make_for_trials(sip: Sip, state: Path) -> None:
    """Make the self-signed certificate unless there is a good one or the operator's own. Raises AsteriskFault."""
    if sip.tls.port is None or sip.tls.certificate is not None:
        return
    certificate, key = files(sip.tls, state)
    try:
        if certificate.exists() and key.exists() and _ends(certificate) - dt.datetime.now(dt.UTC) > SOON:
            return
    except (OSError, ValueError):
        pass  # damaged: make it anew
    private = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    for each in (sip.external_address, sip.bind, "127.0.0.1"):
        try:
            names.append(x509.IPAddress(ip_address(each or "")))
        except ValueError:
            names += [x509.DNSName(each)] if each else []
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (sip.external_address or "hotline")[:64])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + TRIAL)
        .add_extension(x509.SubjectAlternativeName(dict.fromkeys(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    try:
        write_private(
            key, private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        write_private(certificate, made.public_bytes(pem))
    except OSError as error:
        what = _("{path} cannot be written: {reason}")
        raise AsteriskFault(what.format(path=error.filename or key, reason=error.strerror)) from error


def check(settings: Settings, state: Path) -> Iterator[Problem]:
    """What is wrong with the certificate, its key and the authorities; nothing while SIP over TLS is off."""
    tls = settings.hotline.asterisk.sip.tls
    if tls.port is None:
        return
    here = "asterisk.sip.tls"
    if tls.verify and any(trunk.transport == "tls" for trunk in settings.hotline.trunks):
        yield from _authorities(authorities(tls), f"{here}.ca")
    if tls.certificate is None:
        yield Problem(
            "tls-for-trials", Place("hotline.yaml", 0, here), _("The certificate is self-signed, for trials."),
            _("Phones must be told to accept it; for service set certificate and key."), warning=True,
        )  # fmt: skip
        if not files(tls, state)[0].exists():
            return  # the next start makes it
    yield from _pair(*files(tls, state), here)


def _authorities(path: Path, key: str) -> Iterator[Problem]:
    try:
        if not x509.load_pem_x509_certificates(bytes_of(path)):
            raise ValueError
    except OSError as error:
        yield _unreadable(path, key, error.strerror or str(error))
    except ValueError:
        yield _unreadable(path, key, _("it holds no certificate (PEM)"))


def _pair(certificate: Path, key: Path, here: str) -> Iterator[Problem]:
    now = dt.datetime.now(dt.UTC)
    chain: list[x509.Certificate] = []
    try:
        chain = x509.load_pem_x509_certificates(bytes_of(certificate))
    except OSError as error:
        yield _unreadable(certificate, f"{here}.certificate", error.strerror or str(error))
    except ValueError:
        yield _unreadable(certificate, f"{here}.certificate", _("it holds no certificate (PEM)"))
    private = None
    try:
        private = serialization.load_pem_private_key(bytes_of(key), None)
    except OSError as error:
        yield _unreadable(key, f"{here}.key", error.strerror or str(error))
    except TypeError:
        yield _unreadable(key, f"{here}.key", _("it is locked by a passphrase"))
    except ValueError:
        yield _unreadable(key, f"{here}.key", _("it holds no private key (PEM)"))
    if not chain:
        return
    place, ends = Place("hotline.yaml", 0, f"{here}.certificate"), chain[0].not_valid_after_utc
    if ends <= now:
        what, fix = _("The certificate {path} ended on {day}."), _("Put a new one there and restart Asterisk.")
        yield Problem("tls-expired", place, what.format(path=certificate, day=ends.date()), fix)
    elif ends - now < SOON:
        what, fix = _("The certificate {path} ends on {day}."), _("Put a new one there and restart Asterisk.")
        yield Problem("tls-ends-soon", place, what.format(path=certificate, day=ends.date()), fix, warning=True)
    if chain[0].not_valid_before_utc > now:
        what, fix = _("The certificate {path} is valid from {day} on only."), _("Is the machine's clock right?")
        yield Problem("tls-early", place, what.format(path=certificate, day=chain[0].not_valid_before_utc.date()), fix)
    if private is not None and private.public_key() != chain[0].public_key():
        yield Problem(
            "tls-mismatch", Place("hotline.yaml", 0, f"{here}.key"),
            _("The key {key} does not belong to the certificate {path}.").format(key=key, path=certificate),
            _("Give the key with which it was asked for; the certificate itself comes first in its file."),
        )  # fmt: skip


def _unreadable(path: Path, key: str, why: str) -> Problem:
    what = _("{path} cannot be used: {reason}.").format(path=path, reason=why)
    return Problem("tls-unreadable", Place("hotline.yaml", 0, key), what, _("Name another file, or mend this one."))


def _ends(certificate: Path) -> dt.datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
