"""What the settings become in Asterisk's files, without an Asterisk."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from config.load import load_settings
from config.settings import Settings, Trunk
from hotline.asterisk.check import check
from hotline.asterisk.fault import AsteriskFault
from hotline.asterisk.home import AsteriskHome
from hotline.asterisk.install import AsteriskInstall, parse_version
from hotline.asterisk.passwords import load_secrets, write_private
from hotline.asterisk.render import devices, rendered, split_address, written_forms

SETTINGS = load_settings(Path(__file__).resolve().parents[2] / "config")
PASSWORDS = {device: f"secret-{device}" for device in devices(SETTINGS)}


def a_build(folder: Path, *modules: str) -> AsteriskInstall:
    """An Asterisk that has ``modules``."""
    (folder / "modules").mkdir(parents=True, exist_ok=True)
    for module in modules:
        (folder / "modules" / f"{module}.so").touch()
    return AsteriskInstall(
        ("/nowhere/sbin/asterisk",), folder / "modules", folder / "data", folder / "sounds", folder / "moh",
        (22, 10, 1), "Asterisk 22.10.1", False, False,
    )  # fmt: skip


def files(tmp_path: Path, settings: Settings = SETTINGS, state: str = "/srv/hotline/var") -> dict[str, str]:
    secrets = load_secrets(tmp_path, devices(settings))
    return rendered(settings, a_build(tmp_path, "res_ari", "app_queue"), AsteriskHome.of(state), secrets)


def with_hotline(**changed: object) -> Settings:
    return SETTINGS.model_copy(update={"hotline": SETTINGS.hotline.model_copy(update=changed)})


def test_only_modules_that_the_build_has_and_never_app_queue(tmp_path: Path) -> None:
    assert re.findall(r"^(?:pre)?load = (\S+)", files(tmp_path)["modules.conf"], re.MULTILINE) == ["res_ari.so"]


def test_passwords_stand_in_their_files_alone(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path, devices(SETTINGS))
    holding = {name for name, text in files(tmp_path).items() if secrets.ari_password in text}
    assert holding == {"ari.conf"}
    assert all(password in files(tmp_path)["pjsip.conf"] for password in secrets.sip.values())


def test_rendering_twice_changes_nothing(tmp_path: Path) -> None:
    assert files(tmp_path) == files(tmp_path)


def test_every_number_and_no_other_reaches_the_daemon(tmp_path: Path) -> None:
    text = files(tmp_path, with_hotline(numbers=("4001234567", "+862112345678")))["extensions.conf"]
    incoming = dict(re.findall(r"^exten = ([^,]+),1,Goto\(hotline-incoming,([^,]+),1\)", text, re.MULTILINE))
    assert incoming["4001234567"] == incoming["+864001234567"] == "4001234567"
    assert incoming["02112345678"] == incoming["862112345678"] == "+862112345678"
    assert "_" not in "".join(incoming)


@pytest.mark.parametrize(
    "number, forms",
    [
        ("4001234567", {"4001234567", "04001234567", "+864001234567", "864001234567", "00864001234567"}),
        ("02112345678", {"02112345678", "2112345678", "+862112345678", "862112345678", "00862112345678"}),
        (
            "+862112345678",
            {"+862112345678", "862112345678", "02112345678", "2112345678", "00862112345678"},
        ),
    ],
)
def test_the_ways_to_write_a_number(number: str, forms: set[str]) -> None:
    assert set(written_forms(number, "CN")) == forms


@given(st.from_regex(r"^\+?[0-9]{2,20}$", fullmatch=True))
def test_written_forms_are_dialable_and_hold_the_number_itself(number: str) -> None:
    forms = written_forms(number, "CN")
    assert forms[0] == number
    assert all(re.fullmatch(r"\+?[0-9]+", form) for form in forms)
    assert len(set(forms)) == len(forms)


@pytest.mark.parametrize(
    "address, parts",
    [
        ("192.0.2.1", ("192.0.2.1", None, None)),
        ("192.0.2.1:5070", ("192.0.2.1", 5070, None)),
        ("192.0.2.0/24", ("192.0.2.0", None, "24")),
        ("2001:db8::1", ("2001:db8::1", None, None)),
        ("sip.example.com:5060", ("sip.example.com", 5060, None)),
    ],
)
def test_trunk_addresses(address: str, parts: tuple[str, int | None, str | None]) -> None:
    assert split_address(address) == parts


def test_a_network_is_matched_but_not_called(tmp_path: Path) -> None:
    trunk = Trunk(name="carrier", addresses=("192.0.2.0/24", "198.51.100.7"))
    text = files(tmp_path, with_hotline(trunks=(trunk,)))["pjsip.conf"]
    assert "match = 192.0.2.0/24\n" in text
    assert re.findall(r"^contact = (.*)$", text, re.MULTILINE) == ["sip:198.51.100.7:5060"]


@pytest.mark.parametrize("evil", ["x\nlive_dangerously = yes", "x ; y", "x\r", "x\x00"])
def test_no_value_can_begin_a_line_or_a_comment(tmp_path: Path, evil: str) -> None:
    sip = SETTINGS.hotline.asterisk.sip.model_copy(update={"external_address": evil})
    settings = with_hotline(asterisk=SETTINGS.hotline.asterisk.model_copy(update={"sip": sip}))
    with pytest.raises(AsteriskFault):
        files(tmp_path, settings)


@pytest.mark.parametrize("state", ["/srv/a,b", "/srv/${HOME}", "/srv/a&b", "/srv/a;b", "/srv/a=b", "/srv/" + "x" * 250])
def test_folders_that_asterisk_cannot_use_are_refused(tmp_path: Path, state: str) -> None:
    with pytest.raises(AsteriskFault):
        files(tmp_path, state=state)


def test_missing_modules_and_a_loopback_carrier_are_problems(tmp_path: Path) -> None:
    trunk = Trunk(name="carrier", addresses=("127.0.0.1", "10.0.0.0/8"))
    settings = with_hotline(trunks=(trunk,), state_dir=str(tmp_path))
    found = {problem.code: problem for problem in check(settings, a_build(tmp_path, "chan_pjsip"))}
    assert "app_stasis" in found["asterisk-modules"].what and "chan_pjsip" not in found["asterisk-modules"].what
    assert found["trunk-loopback"].place.key == "trunks[0].addresses[0]"
    assert "asterisk-sounds" in found


@pytest.mark.parametrize(
    "text, version",
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", (22, 10, 1)),
        ("Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5", (20, 6, 0)),
        ("1:22.5.2~dfsg+~cs6.15-1", (22, 5, 2)),
        ("Asterisk certified-22.8-cert1", (22, 8)),
        ("Asterisk GIT-master-abc", ()),
    ],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_the_apology_is_spoken_in_every_language_that_is_set(tmp_path: Path) -> None:
    played = "Playback(/srv/hotline/var/sounds/{}/away_apology)"
    plain = files(tmp_path)["extensions.conf"]
    assert played.format("zh") in plain and played.format("en") not in plain
    both = files(tmp_path, with_hotline(apology_languages=("en", "zh")))["extensions.conf"]
    assert 0 < both.index(played.format("en")) < both.index(played.format("zh"))


def test_a_password_goes_into_no_file_that_somebody_laid_in_its_way(tmp_path: Path) -> None:
    trap, file = tmp_path / "trap", tmp_path / "pjsip.conf"
    trap.write_bytes(b"theirs")
    (tmp_path / f".pjsip.conf.{os.getpid()}").symlink_to(trap)
    write_private(file, b"secret")
    assert (trap.read_bytes(), file.read_bytes(), file.is_symlink()) == (b"theirs", b"secret", False)
    open_to_all = tmp_path / f".pjsip.conf.{os.getpid()}"
    open_to_all.write_bytes(b"")
    open_to_all.chmod(0o666)
    with open_to_all.open("rb") as spy:
        write_private(file, b"secret")
        assert spy.read() == b"" and file.stat().st_mode & 0o777 == 0o600
