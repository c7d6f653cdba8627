"""Trunks with accounts, transports, certificates and an Asterisk of one's own, as they are rendered and checked."""

from __future__ import annotations

import datetime as dt
import grp
import os
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import hypothesis
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st
from structlog.testing import capture_logs

from config.check_trunks import check_trunks
from config.settings import Hotline, Settings
from config.telephony import Own, Sip, Tls
from hotline.asterisk import certificates, trunk_passwords
from hotline.asterisk.access import access
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.own import FILES, needed_modules, render_own, share
from hotline.asterisk.passwords import load_secrets
from hotline.asterisk.render import devices
from hotline.trunk_watch import TrunkWatch
from phone.names import Names
from phone.trunk_state import TrunkState, trunk_states
from phone.trunks import outside_targets
from tests.pure.test_render import SETTINGS, files

ACCOUNT = {"server": "198.51.100.20:5080", "user": "02162345678"}


def settings(trunks: list[dict[str, Any]], **asterisk: Any) -> Settings:
    """The example with other trunks; ``asterisk`` is laid over."""
    tree = SETTINGS.hotline.model_dump()
    tree["trunks"] = trunks
    tree["asterisk"] |= asterisk
    return SETTINGS.model_copy(update={"hotline": Hotline.model_validate(tree)})


def section(text: str, name: str, kind: str) -> dict[str, str]:
    """The one section of this name and type, as keys and values."""
    for block in re.split(r"^(?=\[)", text, flags=re.MULTILINE):
        if block.startswith(f"[{name}]"):
            pairs = dict(re.findall(r"^(\w+) = (.*)$", block, re.MULTILINE))
            if pairs.get("type", "endpoint") == kind:
                return pairs
    raise AssertionError(f"no {kind} {name}")


def with_password(folder: Path, word: str = "geheim") -> dict[str, str]:
    (folder / "word").write_text(word + "\n", encoding="utf-8")
    return {**ACCOUNT, "password_file": str(folder / "word")}


# --- registration ---------------------------------------------------------------------------------------------------


def test_a_trunk_with_an_account_registers_and_calls_go_to_its_server(tmp_path: Path) -> None:
    text = files(tmp_path, settings([{"name": "one", "registration": with_password(tmp_path)}]))["pjsip.conf"]
    registration = section(text, "one", "registration")
    assert registration["server_uri"] == "sip:198.51.100.20:5080"
    assert registration["client_uri"] == "sip:02162345678@198.51.100.20"
    assert registration["contact_user"] == "4001234567"
    assert section(text, "one", "auth")["password"] == "geheim"
    assert section(text, "one", "aor")["contact"] == "sip:198.51.100.20:5080"
    assert section(text, "one", "identify")["match"] == "198.51.100.20:5080"
    assert section(text, "one", "endpoint")["outbound_auth"] == "one"


def test_a_domain_of_its_own_makes_the_server_the_proxy(tmp_path: Path) -> None:
    account = {**with_password(tmp_path), "domain": "ims.example.com"}
    trunk = {"name": "one", "registration": account, "transport": "tls", "srtp": True}
    text = files(tmp_path, settings([trunk], sip={"tls": {"port": 5061}}))["pjsip.conf"]
    proxy = r"sip:198.51.100.20:5080\;lr\;transport=tls"
    for kind in ("registration", "endpoint", "aor"):
        assert section(text, "one", kind)["outbound_proxy"] == proxy
    assert section(text, "one", "registration")["server_uri"] == r"sip:ims.example.com\;transport=tls"
    assert section(text, "one", "endpoint")["media_encryption"] == "sdes"
    assert section(text, "one", "identify")["match"] == "198.51.100.20"


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)
    | st.text(";\\-=>#", min_size=1, max_size=12)
)
@hypothesis.settings(deadline=None, max_examples=40)
def test_any_password_comes_out_of_asterisks_reader_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, word: str
) -> None:
    folder = tmp_path_factory.mktemp("word")
    text = files(folder, settings([{"name": "one", "registration": with_password(folder, word)}]))["pjsip.conf"]
    written = section(text, "one", "auth")["password"]
    assert not re.search(r"(?<!\\);", written)
    assert written.replace(r"\;", ";") == word


@pytest.mark.parametrize("text", [None, "", "\n", " x", "a\nb", "x" * 300, "\x00"])
def test_a_password_that_is_missing_or_odd_is_refused_with_its_file(tmp_path: Path, text: str | None) -> None:
    it = settings([{"name": "one", "registration": ACCOUNT}], sip={"port": 5060})
    file = tmp_path / "trunks/one.password"
    file.parent.mkdir()
    if text is not None:
        file.write_text(text)
    (problem,) = trunk_passwords.check(it, tmp_path)
    assert problem.code == "trunk-password" and str(file) in problem.what
    with pytest.raises(AsteriskFault):
        files(tmp_path, it, state=str(tmp_path))


def test_a_password_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    it = settings([{"name": "one", "registration": with_password(tmp_path)}])
    (tmp_path / "word").chmod(0o644)
    assert [problem.code for problem in trunk_passwords.check(it, tmp_path)] == ["trunk-password-open"]
    (tmp_path / "word").chmod(0o640)
    assert list(trunk_passwords.check(it, tmp_path)) == []


# --- what must agree --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trunk, asterisk, code",
    [
        ({}, {}, "trunk-without-address"),
        ({"addresses": ["192.0.2.1"], "transport": "tls"}, {}, "transport-off"),
        ({"addresses": ["192.0.2.1"], "transport": "tcp"}, {}, "transport-off"),
        ({"addresses": ["192.0.2.1"], "srtp": True}, {}, "srtp-in-clear"),
        ({"addresses": ["192.0.2.1"]}, {"phones": {"transport": "tls"}}, "transport-off"),
        ({"addresses": ["192.0.2.1"]}, {"sip": {"tls": {"port": 5061, "key": "a.pem"}}}, "tls-half"),
        ({"addresses": ["192.0.2.1"]}, {"sip": {"tls": {"key": "a", "certificate": "b"}}}, "tls-off"),
        ({"addresses": ["192.0.2.1"]}, {"sip": {"tls": {"port": 5061}, "tcp": True}}, None),
    ],
)
def test_disagreements(trunk: dict[str, Any], asterisk: dict[str, Any], code: str | None) -> None:
    found = check_trunks(settings([{"name": "one", **trunk}], **asterisk).hotline)
    assert [problem.code for problem in found] == ([code] if code else [])


# --- certificates -----------------------------------------------------------------------------------------------------


def a_pair(folder: Path, name: str, days: int) -> tuple[Path, Path]:
    """A certificate that ends in so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=400)).not_valid_after(now + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / f"{name}.crt").write_bytes(made.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / f"{name}.crt", folder / f"{name}.key"


def checked(folder: Path, certificate: Path, key: Path, **tls: Any) -> set[str]:
    files = {"port": 5061, "certificate": str(certificate), "key": str(key), **tls}
    trunk = {"name": "one", "addresses": ["192.0.2.1"], "transport": "tls"}
    found = certificates.check(settings([trunk], sip={"tls": files}), folder)
    return {f"{problem.code} {problem.place.key.rpartition('.')[2]}" for problem in found}


def test_what_is_wrong_with_certificates_is_told(tmp_path: Path) -> None:
    good, late, soon = a_pair(tmp_path, "good", 300), a_pair(tmp_path, "late", -1), a_pair(tmp_path, "soon", 5)
    (tmp_path / "nonsense").write_text("nonsense")
    ca = {"ca": str(good[0])}
    assert checked(tmp_path, *good, **ca) == set()
    assert checked(tmp_path, *late, **ca) == {"tls-expired certificate"}
    assert checked(tmp_path, *soon, **ca) == {"tls-ends-soon certificate"}
    assert checked(tmp_path, good[0], late[1], **ca) == {"tls-mismatch key"}
    assert checked(tmp_path, tmp_path / "gone", tmp_path / "nonsense", **ca) == {
        "tls-unreadable certificate", "tls-unreadable key",
    }  # fmt: skip
    assert checked(tmp_path, *good, ca=str(tmp_path / "nonsense")) == {"tls-unreadable ca"}
    assert checked(tmp_path, *good, ca="/gone", verify=False) == set()


def test_the_certificate_for_trials_is_made_once_and_anew_before_it_ends(tmp_path: Path) -> None:
    sip = Sip(bind="192.0.2.10", tls=Tls(port=5061), external_address="sip.example.com")
    certificates.make_for_trials(sip, tmp_path)
    file, key = certificates.files(sip.tls, tmp_path)
    first = file.read_bytes()
    names = x509.load_pem_x509_certificate(first).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "sip.example.com" in names.get_values_for_type(x509.DNSName)
    assert key.stat().st_mode & 0o777 == 0o600
    certificates.make_for_trials(sip, tmp_path)
    assert file.read_bytes() == first
    file.write_bytes(a_pair(tmp_path, "soon", 5)[0].read_bytes())
    certificates.make_for_trials(sip, tmp_path)
    it = settings([{"name": "one", "addresses": ["192.0.2.1"]}], sip={"tls": {"port": 5061}})
    assert [problem.code for problem in certificates.check(it, tmp_path)] == ["tls-for-trials"]


# --- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "registration, answers, state",
    [
        ("Registered", ["Reachable"], "registered"),
        ("Registered", [], "registered"),
        ("Rejected", ["Reachable"], "refused"),
        ("Rejected", ["Unreachable"], "unreachable"),
        ("Rejected", ["NonQualified"], "refused"),
        ("Unregistered", ["Unknown"], "unregistered"),
        (None, ["Unreachable", "Reachable"], "reachable"),
        (None, ["Unreachable"], "unreachable"),
        (None, ["NonQualified"], "unknown"),
        (None, [], "unknown"),
    ],
)
def test_the_state_of_a_trunk(registration: str | None, answers: list[str], state: str) -> None:
    registrations = [
        {"event": "OutboundRegistrationDetail", "objectname": "one", "status": registration},
        {"event": "AuthDetail", "objectname": "one"},
    ] if registration else []  # fmt: skip
    contacts = [{"aor": "one", "status": answer} for answer in answers]
    contacts.append({"aor": "8001", "status": "Reachable"})
    hotline = settings([{"name": "one", "addresses": ["192.0.2.1"]}]).hotline
    assert trunk_states(hotline, registrations, contacts) == {"one": state}


def test_the_trunk_of_the_example_is_told_once_and_calmly() -> None:
    watch = TrunkWatch(Mock(), lambda: SETTINGS.hotline)
    course: list[TrunkState] = ["unknown", "unreachable", "reachable", "unreachable"]
    with capture_logs() as logs:
        for state in course:
            watch._tell({"carrier": state, "other": state}, {"carrier"})
    assert [(one["log_level"], one["state"]) for one in logs if one["trunk"] == "carrier"] == [("info", "unreachable")]
    told = [("error", "unreachable"), ("info", "reachable"), ("error", "unreachable")]
    assert [(one["log_level"], one["state"]) for one in logs if one["trunk"] == "other"] == told
    assert SETTINGS.hotline.trunks[0].is_example and not SETTINGS.hotline.has_carrier


# --- an Asterisk of one's own -----------------------------------------------------------------------------------------


def own(folder: Path, **changed: Any) -> Settings:
    theirs = folder / "theirs"
    theirs.mkdir(exist_ok=True)
    return settings(
        [{"name": "carrier", "addresses": ["192.0.2.1"], "outgoing": {"present": "02162345678"}}],
        own={"recordings": str(theirs), **changed},
    )


def written(folder: Path, it: Settings) -> dict[str, str]:
    state = folder / "var"
    made = render_own(it, folder / "to", state, load_secrets(state, devices(it)))
    return {file.name: file.read_text() for file in made}


def test_every_name_that_is_written_for_another_asterisk_is_ours_alone(tmp_path: Path) -> None:
    texts = written(tmp_path, own(tmp_path))
    assert set(texts) == {f"hotline-{name}.conf" for name in (*FILES, "modules")}
    for name, text in texts.items():
        sections = re.findall(r"^\[([^]]+)\]", text, re.MULTILINE)
        if name != "hotline-modules.conf":
            assert sections and all(section.startswith("hotline") for section in sections)
    assert "type = global" not in texts["hotline-pjsip.conf"]
    assert (tmp_path / "to/hotline-ari.conf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "var/recordings/spool").resolve() == (tmp_path / "theirs/hotline").resolve()


def test_phones_and_transports_that_are_there_already_are_used_and_not_written(tmp_path: Path) -> None:
    it = own(tmp_path, endpoints=["8001", "carrier"], transport="their-udp")
    text = written(tmp_path, it)["hotline-pjsip.conf"]
    assert "[8001]" not in text and "[hotline-8001]" not in text and "carrier" not in text
    assert "type = transport" not in text and "transport = their-udp" in text
    names = Names(it.hotline)
    assert (names.device("8001"), names.device("8002")) == ("PJSIP/8001", "PJSIP/hotline-8002")
    assert (names.name("PJSIP/8001"), names.name("PJSIP/hotline-8002")) == ("8001", "8002")
    assert outside_targets("13912345678", it.hotline)[0].endpoint == "PJSIP/13912345678@carrier"


@given(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z"))
def test_names_lead_there_and_back(name: str) -> None:
    for asterisk in ({}, {"own": Own(endpoints=("8001",)).model_dump()}):
        names = Names(settings([{"name": "one", "addresses": ["192.0.2.1"]}], **asterisk).hotline)
        assert names.name(names.device(name)) == name


def test_recordings_that_wait_are_never_hidden_by_the_change(tmp_path: Path) -> None:
    spool = tmp_path / "var/recordings/spool"
    spool.mkdir(parents=True)
    (spool / "call-1.1.raw").touch()
    with pytest.raises(AsteriskFault, match=re.escape(str(spool))):
        written(tmp_path, own(tmp_path))
    assert (spool / "call-1.1.raw").exists()


def test_a_folder_that_root_must_make_is_told_with_the_command(tmp_path: Path) -> None:
    it = own(tmp_path, recordings=str(tmp_path / "nowhere/recording"), group="asterisk")
    with pytest.raises(AsteriskFault, match=r"install -d .* -g asterisk -m 2770"):
        written(tmp_path, it)


def test_asterisks_group_gets_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    it = own(tmp_path, group=grp.getgrgid(os.getegid()).gr_name)
    home = AsteriskHome.of(tmp_path / "var")
    (home.state / "sounds/zh").mkdir(parents=True)
    home.state.chmod(0o700)
    (home.state / "sounds/zh/greeting.wav").touch(mode=0o600)
    texts = written(tmp_path, it)
    (home.state / "hotline.sqlite").touch(mode=0o600)
    share(home, it)
    modes = {path: (home.state / path).stat().st_mode & 0o7777 for path in (
        "", "sounds/zh", "sounds/zh/greeting.wav", "away", "recordings", "secrets.json", "hotline.sqlite",
        "asterisk/agi/lifeboat.py",
    )}  # fmt: skip
    assert modes == {
        "": 0o2710, "sounds/zh": 0o2750, "sounds/zh/greeting.wav": 0o640, "away": 0o2770, "recordings": 0o2710,
        "asterisk/agi/lifeboat.py": 0o750,
        "secrets.json": 0o600, "hotline.sqlite": 0o600,
    }  # fmt: skip
    assert (tmp_path / "theirs/hotline").stat().st_mode & 0o7777 == 0o2770
    assert {(tmp_path / "to" / name).stat().st_mode & 0o777 for name in texts} == {0o640}


def test_a_group_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AsteriskFault, match="nosuchgroup"):
        written(tmp_path, own(tmp_path, group="nosuchgroup"))


def test_own_users_and_passwords_are_read_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("ihres\n")
    by = access(own(tmp_path, ari_user="theirs", ari_password_file=str(tmp_path / "word")), tmp_path / "var")
    assert (by.ari_user, by.ari_password, by.ami_user) == ("theirs", "ihres", "hotline")
    assert "ihres" not in repr(by) and by.ami_password
    with pytest.raises(AsteriskFault, match=r"asterisk\.own\.ami_password_file"):
        access(own(tmp_path, ami_password_file="/gone"), tmp_path / "var")


def test_modules_follow_what_is_used(tmp_path: Path) -> None:
    plain = needed_modules(own(tmp_path))
    assert "res_srtp" not in plain and "res_pjsip_outbound_registration" not in plain
    trunk = {"name": "one", "registration": ACCOUNT, "srtp": True}
    assert {"res_srtp", "res_pjsip_outbound_registration"} <= set(needed_modules(settings([trunk])))
