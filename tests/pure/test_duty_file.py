"""The duty file: the lifeboat's script reads from it what the desk would be told, at every minute; or refuses it."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from config.load import load_settings
from config.settings import AgentFile, Device, RosterFile, Settings
from hotline import duty_file
from hotline.asterisk.home import AsteriskHome
from routing.plan import chosen
from routing.roster import Roster

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = 1_790_000_000


def script() -> ModuleType:
    """The lifeboat's script as a module."""
    spec = importlib.util.spec_from_file_location("lifeboat_script", REPOSITORY / "asterisk-conf/lifeboat.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("lifeboat_script", module)
    spec.loader.exec_module(module)
    return module


LIFEBOAT = script()
SETTINGS = load_settings(REPOSITORY / "config")
AGENTS = sorted(SETTINGS.agents.agents)
HALF_HOURS = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@st.composite
def rosters(draw: st.DrawFn) -> dict[str, Any]:
    shifts = {
        name: {"from": draw(HALF_HOURS), "to": draw(HALF_HOURS), "backup": draw(st.booleans()),
               "ring": draw(st.sampled_from([[], ["mobile"], ["desk"], ["mobile", "desk"]]))}
        for name in ("早", "晚", "夜")
    }  # fmt: skip
    rules = st.fixed_dictionaries({
        "shift": st.sampled_from(sorted(shifts)),
        "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "agents": st.lists(st.sampled_from(AGENTS), min_size=1, max_size=3, unique=True),
    })  # fmt: skip
    return {"shifts": shifts, "rules": draw(st.lists(rules, max_size=4)), "changes": []}


def with_roster(tree: dict[str, Any], timezone: str = "Asia/Shanghai") -> Settings:
    roster = RosterFile.model_validate_json(json.dumps(tree))
    hotline = SETTINGS.hotline.model_copy(update={"timezone": timezone})
    return SETTINGS.model_copy(update={"roster": roster, "hotline": hotline})


@settings(max_examples=25, deadline=None)
@given(rosters(), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]), st.integers(0, 59))
def test_minute_by_minute_it_says_what_the_roster_says(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], zone: str, second: int
) -> None:
    given_settings = with_roster(tree, zone)
    mobile = Device(sip="m8001", name="mobile")
    first = given_settings.agents.agents["8001"]
    agents = given_settings.agents.agents | {"8001": first.model_copy(update={"devices": (*first.devices, mobile)})}
    given_settings = given_settings.model_copy(update={"agents": AgentFile(agents=agents)})
    home = AsteriskHome.of(tmp_path_factory.mktemp("duty"))
    now = 1_792_800_000  # two weeks on, Berlin's clocks have gone back
    duty_file.write(given_settings, home, now)
    roster = Roster.compile(given_settings.roster, ZoneInfo(zone))
    duty = LIFEBOAT.Duty(str(home.duty), now)
    for minute in range(-60, 14 * 1440, 7):  # 7 is coprime to the hour: every minute of it is met
        at = now + 60 * minute + second
        lines = roster.lines(dt.datetime.fromtimestamp(at, dt.UTC))
        assert {agent: bool(backup) for agent, (backup, _rank, _ways) in duty.on_duty(at).items()} == {
            agent: line.backup for agent, line in lines.items()
        }
        for agent, (_backup, _rank, ways) in duty.on_duty(at).items():
            rung = [duty.agents[agent]["devices"][way]["name"] for way in ways]
            assert rung == [one.label for one in chosen(agents[agent], lines[agent].devices)]


def test_it_lasts_two_weeks_and_survives_a_clock_that_steps_back_a_day(tmp_path: Path) -> None:
    home = AsteriskHome.of(tmp_path)
    duty_file.write(SETTINGS, home, NOW)
    for at in (NOW - 86_400, NOW, NOW + 14 * 86_400):
        assert LIFEBOAT.Duty(str(home.duty), at).on_duty(at) is not None
    for at in (NOW - 3 * 86_400, NOW + 16 * 86_400):
        with pytest.raises(LIFEBOAT.Unfit, match="outdated"):
            LIFEBOAT.Duty(str(home.duty), at)


def test_five_hundred_agents_make_no_long_read(tmp_path: Path) -> None:
    one = SETTINGS.agents.agents[AGENTS[0]]
    agents = {f"{number}": one for number in range(10_000, 10_500)}
    tree = {
        "shifts": {"早": {"from": "06:00", "to": "14:00"}, "晚": {"from": "14:00", "to": "22:00"}},
        "rules": [{"shift": name, "agents": sorted(agents)} for name in ("早", "晚")],
        "changes": [],
    }
    many = with_roster(tree).model_copy(update={"agents": SETTINGS.agents.model_copy(update={"agents": agents})})
    duty_file.write(many, AsteriskHome.of(tmp_path), NOW)
    file = AsteriskHome.of(tmp_path).duty
    with file.open("rb") as lines:
        head, first = next(lines), next(lines)
    assert len(head) < 80_000 and len(first) < 30_000


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_flipped_bit_or_a_cut_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.mktemp("duty") / "duty.json"
    whole = duty_file.compiled(SETTINGS, AsteriskHome.of("/srv/hotline/var"), NOW)
    today = LIFEBOAT.checked(whole[: whole.index(b"\n") + 1])["days"][str(NOW // 86_400)]
    start = whole.index(b"\n") + 1
    places = [*range(start), *range(start + today[0], start + sum(today))]
    at = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        damaged = whole[:at]
    else:
        damaged = whole[:at] + bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))]) + whole[at + 1 :]
    file.write_bytes(damaged)
    with pytest.raises((LIFEBOAT.Unfit, ValueError)):
        LIFEBOAT.Duty(str(file), NOW).on_duty(NOW)


def test_each_bit_around_the_sum_counts() -> None:
    line = duty_file.compiled(SETTINGS, AsteriskHome.of("/srv/hotline/var"), NOW).partition(b"\n")[0] + b"\n"
    for at in (*range(13), -3, -2, -1):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[at] ^= 1 << bit
            with pytest.raises((LIFEBOAT.Unfit, ValueError)):
                LIFEBOAT.checked(bytes(damaged))


@pytest.mark.parametrize("text", [b"", b"\n", b"{}\n", b'["00000000",{}]\n', b'["00000000",{"format":1}]', b"\0" * 99])
def test_what_is_no_duty_file_is_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "duty.json"
    file.write_bytes(text)
    with pytest.raises(LIFEBOAT.Unfit):
        LIFEBOAT.Duty(str(file), NOW)
    with pytest.raises(LIFEBOAT.Unfit):
        LIFEBOAT.Duty(str(tmp_path / "missing"), NOW)


def test_a_number_is_rung_through_each_trunk_that_may_call_out_and_must_be_confirmed(tmp_path: Path) -> None:
    trunk = SETTINGS.hotline.trunks[0]
    out = trunk.outgoing.model_copy(update={"present": "02112345678"})
    trunks = tuple(trunk.model_copy(update={"name": name, "outgoing": out}) for name in ("first", "second"))
    agent = SETTINGS.agents.agents["8001"]
    mobile = agent.devices[0].model_copy(update={"sip": None, "number": "13800138000", "ring_time": 15.0})
    agents = {"8001": agent.model_copy(update={"devices": (agent.devices[0], mobile)})}
    changed = SETTINGS.model_copy(update={
        "hotline": SETTINGS.hotline.model_copy(update={"trunks": trunks}),
        "agents": SETTINGS.agents.model_copy(update={"agents": agents}),
    })  # fmt: skip
    duty_file.write(changed, AsteriskHome.of(tmp_path), NOW)
    phone, *ways = LIFEBOAT.Duty(str(AsteriskHome.of(tmp_path).duty), NOW).agents["8001"]["devices"]
    assert (phone["dial"], phone["confirm"], phone["shown"], phone["state"]) == ("PJSIP/8001", False, "", "PJSIP/8001")
    assert [way["dial"] for way in ways] == ["PJSIP/13800138000@first", "PJSIP/13800138000@second"]
    assert all((way["confirm"], way["ring"], way["shown"]) == (True, 15, "02112345678") for way in ways)


def test_a_file_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty_file, "FORMAT", LIFEBOAT.FORMAT + 1)
    home = AsteriskHome.of(tmp_path)
    duty_file.write(SETTINGS, home, NOW)
    with pytest.raises(LIFEBOAT.Unfit, match="version"):
        LIFEBOAT.Duty(str(home.duty), NOW)
