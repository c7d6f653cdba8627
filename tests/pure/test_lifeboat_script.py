"""The lifeboat's script against a fake Asterisk: what it does, in which order, and what it writes of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from calllog.events import HungUp
from calllog.folds import CallState
from config.settings import AgentFile, Device, Hours, QueueFile
from hotline import duty_file, lifeboat
from hotline.asterisk.home import AsteriskHome
from routing.outcome import outcome_of
from tests.pure.lifeboat_play import FakeAgi, environment, visit, written
from tests.pure.test_duty_file import NOW, with_roster

PROMPTS = (
    "greeting", "recording_notice", "connecting", "queue_wait", "farewell", "away_apology", "beep", "voicemail_thanks"
)  # fmt: skip
ALL_DAY: dict[str, Any] = {
    "shifts": {"全天": {"from": "00:00", "to": "00:00"}},
    "rules": [{"shift": "全天", "agents": ["8001", "8002"]}],
    "changes": [],
}
NOBODY: dict[str, Any] = ALL_DAY | {"rules": []}


def boat(folder: Path, roster: dict[str, Any] = ALL_DAY) -> AsteriskHome:
    """A state folder with prompts and the duty file."""
    home = AsteriskHome.of(folder)
    home.away.mkdir(parents=True, exist_ok=True)
    sounds = folder / "sounds/zh"
    sounds.mkdir(parents=True, exist_ok=True)
    for name in PROMPTS:
        (sounds / f"{name}.wav").touch()
    duty_file.write(with_roster(roster), home, NOW)
    return home


def backup(also: list[str], **more: Any) -> dict[str, Any]:
    """8002 is a backup beside these of the first line."""
    shifts = ALL_DAY["shifts"] | {"备班": {"from": "00:00", "to": "00:00", "backup": True, **more}}
    rules = [{"shift": "备班", "agents": ["8002"]}, *([{"shift": "全天", "agents": also}] if also else [])]
    return {"shifts": shifts, "rules": rules}


def phones(**states: str) -> dict[str, Any]:
    """Asterisk's variables: the phones' states, and one of them answers."""
    known: dict[str, Any] = {
        "PLAYBACKSTATUS": "SUCCESS", r"GROUP_COUNT\(.*\)": "1", "DIALSTATUS": "ANSWER", "HANGUPCAUSE": "16",
        "DIALEDPEERNAME": "PJSIP/8001-00000002", "BRIDGERESULT": "SUCCESS", "RECORD_STATUS": "SILENCE",
        r"IMPORT\(PJSIP/8001-00000002,EXTEN\)": "joined",
    }  # fmt: skip
    devices = {rf"DEVICE_STATE\(PJSIP/{name[1:]}\)": state for name, state in states.items()}
    return devices | {r"DEVICE_STATE\(.*\)": "UNAVAILABLE"} | known


def words(folder: AsteriskHome) -> list[str]:
    return [line["do"] for line in written(folder.away)]


def test_the_first_reachable_agent_talks_with_the_caller_recorded(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    agi = FakeAgi(environment(home.duty), phones(p8002="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0
    assert words(home) == [
        "arrived", "answered", "greeted", "notice", "asked", "ring", "talk", "talk_ended", "ended"
    ]  # fmt: skip
    assert agi.ran("Dial") == ['"PJSIP/8002,20,mG(hotline-lifeboat^joined^1)"']
    assert agi.ran("MixMonitor") == [f'"{home.recordings}/hotline-1.1-b1.1.raw,D"']
    order = [said.split(" ")[1] for said in agi.said if said.startswith("EXEC")]
    assert order.index("StopMusicOnHold") < order.index("MixMonitor") < order.index("Bridge")
    assert agi.said[-1] == 'SET VARIABLE "HOTLINE_BOAT" "done"'
    assert 'SET VARIABLE "TIMEOUT(absolute)" "0"' in agi.said[: agi.said.index('EXEC Bridge "PJSIP/8001-00000002,x"')]


def test_a_caller_who_presses_0_after_the_talk_gets_another(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    agi = FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE"))
    keys = iter("01")
    plain = agi._answer
    monkeypatch.setattr(
        agi, "_answer",
        lambda said: f"200 result={ord(next(keys)) - 48}" if said.startswith("GET DATA") else plain(said),
    )  # fmt: skip
    assert visit(agi, monkeypatch) == 0
    assert words(home).count("talk") == 2
    assert [line["file"] for line in written(home.away) if line["do"] == "talk"] == [
        "hotline-1.1-b1.1.raw", "hotline-1.1-b2.2.raw"
    ]  # fmt: skip


def test_whoever_does_not_answer_is_rung_twice_each_then_a_message_is_taken(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    values = phones(p8001="NOT_INUSE", p8002="NOT_INUSE") | {"DIALSTATUS": "NOANSWER"}
    agi = FakeAgi(environment(home.duty), values)
    assert visit(agi, monkeypatch) == 0
    assert Counter(line["agent"] for line in written(home.away) if line["do"] == "ring") == {"8001": 2, "8002": 2}
    assert words(home)[-4:] == ["offered", "voicemail", "voicemail_ended", "ended"]
    assert agi.ran("Record") == [f'"{home.away}/hotline-1.1.wav,5,180,qk"']


@pytest.mark.parametrize("roster, why", [(NOBODY, "uncovered"), (ALL_DAY, "longest_wait")])
def test_with_nobody_to_ring_a_message_is_taken_at_once(
    tmp_path: Path, monkeypatch: Any, roster: dict[str, Any], why: str
) -> None:
    home = boat(tmp_path, roster)
    agi = FakeAgi(environment(home.duty), phones())
    assert visit(agi, monkeypatch) == 0 and not agi.ran("Dial")
    assert [line["why"] for line in written(home.away) if line["do"] == "offered"] == [why]
    assert agi.now - NOW < 5


def test_while_all_are_busy_the_caller_waits_with_music_for_the_longest_wait(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    agi = FakeAgi(environment(home.duty), phones(p8001="INUSE", p8002="RINGING"))
    assert visit(agi, monkeypatch) == 0 and not agi.ran("Dial")
    assert len(agi.ran("StartMusicOnHold")) == 1
    assert 280 < sum(said == "WAIT FOR DIGIT 1000" for said in agi.said) < 302


@pytest.mark.parametrize("states, rung", [
    ({"p8001": "NOT_INUSE", "p8002": "NOT_INUSE"}, ["8001", "8002", "8001", "8002"]),
    ({"p8001": "INUSE", "p8002": "NOT_INUSE"}, []),
    ({"p8002": "NOT_INUSE"}, ["8002", "8002"]),
])  # fmt: skip
def test_backups_are_rung_after_the_first_line_and_not_while_it_talks(
    tmp_path: Path, monkeypatch: Any, states: dict[str, str], rung: list[str]
) -> None:
    home = boat(tmp_path, backup(["8001"]))
    agi = FakeAgi(environment(home.duty), phones(**states) | {"DIALSTATUS": "NOANSWER"})
    assert visit(agi, monkeypatch) == 0
    assert [line["agent"] for line in written(home.away) if line["do"] == "ring"] == rung


def test_after_the_stated_wait_a_backup_is_rung_though_the_first_line_talks(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    known = with_roster(backup(["8001"]))
    hotline = known.hotline.model_copy(update={"backup_after": 40.0})
    duty_file.write(known.model_copy(update={"hotline": hotline}), home, NOW)
    agi = FakeAgi(environment(home.duty), phones(p8001="INUSE", p8002="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0
    assert 39 <= sum(said == "WAIT FOR DIGIT 1000" for said in agi.said) <= 41
    assert [line["agent"] for line in written(home.away) if line["do"] == "talk"] == ["8002"]


def test_the_shift_chooses_the_device_and_the_better_skilled_come_first(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    night = {"from": "00:00", "to": "00:00", "ring": ["mobile"]}
    known = with_roster({"shifts": {"夜班": night}, "rules": [{"shift": "夜班", "agents": ["8001", "8002"]}]})
    agents = dict(known.agents.agents)
    devices = (Device(sip="8001"), Device(sip="m1", name="mobile"))
    agents["8001"] = agents["8001"].model_copy(update={"devices": devices})
    agents["8002"] = agents["8002"].model_copy(update={"skills": tuple(
        one.model_copy(update={"level": 2}) for one in agents["8002"].skills
    )})  # fmt: skip
    duty_file.write(known.model_copy(update={"agents": AgentFile(agents=agents)}), home, NOW)
    values = phones(p8001="NOT_INUSE", p8002="NOT_INUSE", pm1="NOT_INUSE") | {"DIALSTATUS": "NOANSWER"}
    agi = FakeAgi(environment(home.duty), values)
    assert visit(agi, monkeypatch) == 0
    rung = [(line["agent"], line["device"]) for line in written(home.away) if line["do"] == "ring"]
    assert rung == [("8002", "8002"), ("8001", "m1")] * 2


@pytest.mark.parametrize("missing", ["", "opens_again"])
def test_outside_the_service_hours_it_says_so_and_takes_a_message(
    tmp_path: Path, monkeypatch: Any, missing: str
) -> None:
    home = boat(tmp_path)
    known = with_roster(ALL_DAY)
    hours = (Hours.model_validate({"from": "09:00", "to": "18:00"}),)  # NOW is 21:33 in Shanghai
    queues = {name: one.model_copy(update={"hours": hours}) for name, one in known.queues.queues.items()}
    duty_file.write(known.model_copy(update={"queues": QueueFile(queues=queues)}), home, NOW)
    said = ["closed_now", "opens_again", "day_tomorrow", "time_morning", "num_9", "time_hour", "opens_end"]
    for name in (*said, "voicemail_invite"):
        if name != missing:
            (tmp_path / f"sounds/zh/{name}.wav").touch()
    agi = FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0 and not agi.ran("Dial")
    heard = [path.strip('"').rpartition("/")[2] for path in agi.ran("Playback")]
    after = [*said, "voicemail_invite"] if not missing else ["closed_now", "away_apology"]
    assert heard == ["greeting", "recording_notice", *after, "beep", "voicemail_thanks"]
    assert [line["why"] for line in written(home.away) if line["do"] == "offered"] == ["closed"]
    data = (home.away / "hotline-1.1.jsonl").read_bytes()
    state = CallState("hotline-1.1")
    for at, event in lifeboat.events(lifeboat.read("hotline-1.1", data), state, NOW):
        state.apply(at, event)
    assert outcome_of(state) == ("closed", "no_message")


def test_an_agent_who_hangs_up_before_the_bridge_is_never_moved_into_it(tmp_path: Path, monkeypatch: Any) -> None:
    """Asterisk keeps the husk of such a leg for ever; the caller gets the next agent."""
    home = boat(tmp_path)
    dying = iter(["h"])
    values = phones(p8001="NOT_INUSE", p8002="NOT_INUSE") | {
        r"IMPORT\(PJSIP/8001-00000002,EXTEN\)": lambda: next(dying, "joined")
    }
    agi = FakeAgi(environment(home.duty), values)
    assert visit(agi, monkeypatch) == 0
    assert len(agi.ran("Bridge")) == 1
    assert [line.get("by") for line in written(home.away) if line["do"] == "talk_ended"] == ["hotline", "agent"]


def test_an_agent_whom_another_caller_is_about_to_ring_is_not_rung(tmp_path: Path, monkeypatch: Any) -> None:
    home = boat(tmp_path)
    values = {r"GROUP_COUNT\(8001@.*\)": "2"} | phones(p8001="NOT_INUSE", p8002="NOT_INUSE")
    agi = FakeAgi(environment(home.duty), values)
    assert visit(agi, monkeypatch) == 0
    assert [line["agent"] for line in written(home.away) if line["do"] == "talk"] == ["8002"]


@pytest.mark.parametrize("accepts", [True, False])
def test_a_mobile_counts_only_when_1_was_pressed(tmp_path: Path, monkeypatch: Any, accepts: bool) -> None:
    """The phone is not there, the mobile is: it sees our number, and its voicemail never gets the caller."""
    home = boat(tmp_path)
    device = {"name": "*8000", "dial": "PJSIP/138@carrier", "state": "", "confirm": True, "ring": 15, "shown": "021"}
    ways = duty_file._ways
    monkeypatch.setattr(duty_file, "_ways", lambda one, given: [*ways(one, given), device])
    duty_file.write(with_roster(ALL_DAY), home, NOW)
    values = phones() | {r"SHARED\(.*\)": "1" if accepts else "", r"CHANNEL_EXISTS\(.*\)": "1"}
    agi = FakeAgi(environment(home.duty), values)
    assert visit(agi, monkeypatch) == 0
    assert agi.ran("Dial")[0] == '"PJSIP/138@carrier,15,mf(021)G(hotline-lifeboat^joined^1)"'
    assert ("talk" in words(home)) == bool(agi.ran("Bridge")) == accepts
    assert accepts or words(home)[-4:-2] == ["offered", "voicemail"]


@pytest.mark.parametrize("missing", ["recording_notice", "greeting", "connecting", "beep", "farewell"])
def test_a_missing_prompt_costs_no_talk_but_without_the_notice_nothing_is_recorded(
    tmp_path: Path, monkeypatch: Any, missing: str
) -> None:
    home = boat(tmp_path)
    (tmp_path / f"sounds/zh/{missing}.wav").unlink()
    agi = FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0 and "talk" in words(home)
    assert bool(agi.ran("MixMonitor")) == (missing != "recording_notice")


@pytest.mark.parametrize("greeted", ["", "1"])
def test_whom_the_daemon_has_greeted_is_not_greeted_again(tmp_path: Path, monkeypatch: Any, greeted: str) -> None:
    home = boat(tmp_path)
    agi = FakeAgi(environment(home.duty, agi_arg_4=greeted), phones(p8001="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0
    assert ("greeted" not in words(home)) == bool(greeted) and "notice" in words(home)


@pytest.mark.parametrize("spoil", [
    lambda home: home.duty.unlink(),
    lambda home: home.duty.write_bytes(b"x" * 500),
    lambda home: duty_file.write(with_roster(ALL_DAY), home, NOW - 40 * 86_400),
    lambda home: home.away.rmdir(),
    lambda home: (home.state / "sounds/zh/away_apology.wav").unlink(),
])  # fmt: skip
def test_when_it_cannot_serve_it_says_so_and_the_dialplan_goes_on(tmp_path: Path, monkeypatch: Any, spoil: Any) -> None:
    home = boat(tmp_path)
    spoil(home)
    agi = FakeAgi(environment(home.duty), phones())
    assert visit(agi, monkeypatch) == 1
    assert not any("HOTLINE_BOAT" in said for said in agi.said)


def test_a_full_disk_at_the_first_word_is_for_the_dialplan_and_later_the_talk_goes_on(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from tests.pure.test_duty_file import LIFEBOAT

    home = boat(tmp_path)
    write, left = LIFEBOAT.os.write, [0]

    def full(fd: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        return int(write(fd, data))

    monkeypatch.setattr(LIFEBOAT.os, "write", full)
    assert visit(FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE")), monkeypatch) == 1
    left[0] = 3
    agi = FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0 and agi.ran("Bridge")


ODD = st.text(max_size=60) | st.sampled_from(
    ['"', "\\", '1"\nSET VARIABLE x', "${SHELL(id)}", "a&b,c|d", "\r\n\r\n", "7" * 500, "PJSIP/x,1)"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=ODD, name=ODD, did=ODD, channel=ODD)
def test_nothing_that_a_caller_says_gets_into_a_command(
    tmp_path: Path, monkeypatch: Any, number: str, name: str, did: str, channel: str
) -> None:
    home = boat(tmp_path)
    (home.away / "hotline-1.1.jsonl").unlink(missing_ok=True)
    said = {"agi_callerid": number, "agi_calleridname": name, "agi_arg_2": did, "agi_channel": channel}
    given_text = environment(home.duty) | {key: " ".join(text.splitlines()) for key, text in said.items()}
    agi = FakeAgi(given_text, phones(p8001="NOT_INUSE"))
    assert visit(agi, monkeypatch) == 0
    plain = FakeAgi(environment(home.duty), phones(p8001="NOT_INUSE"))
    (home.away / "hotline-1.1.jsonl").rename(home.away / "kept")
    assert visit(plain, monkeypatch) == 0
    assert agi.said == plain.said
    arrived = (home.away / "kept").read_text().splitlines()[0]
    assert re.search(r'"number": "[+0-9]{0,32}", "did": "[+0-9]{0,32}", "trunk": "[\w.+-]{0,40}"', arrived)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_hung_up_killed_or_cut_at_any_moment_it_becomes_a_call_with_one_outcome(
    tmp_path: Path, monkeypatch: Any, data: st.DataObject
) -> None:
    """The caller hangs up at any command; and of what is written any number of bytes is left."""
    home = boat(tmp_path)
    file = home.away / "hotline-1.1.jsonl"
    file.unlink(missing_ok=True)
    status = data.draw(st.sampled_from(["ANSWER", "NOANSWER", "BUSY", "CHANUNAVAIL"]))
    values = phones(p8001="NOT_INUSE", p8002="NOT_INUSE") | {"DIALSTATUS": status}
    agi = FakeAgi(environment(home.duty), values, hang_up_at=data.draw(st.integers(2, 120)))
    assert visit(agi, monkeypatch) == 0
    whole = file.read_bytes()
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    end = int(agi.now * 1e6)
    seen = lifeboat.read("hotline-1.1", whole[:cut])
    state = CallState("hotline-1.1")
    moments = []
    for at, event in lifeboat.events(seen, state, seen.ended_at(end)):
        state.apply(at, event)
        moments.append(at)
    assert moments == sorted(moments) and state.arrived_at
    assert not any(talk.ringing or talk.live for talk in state.talks)
    assert all(part.stopped_at or part.failed for part in state.parts)
    state.apply(end, HungUp(by=seen.ended_by))
    outcome, _reason = outcome_of(state, failed=not seen.complete)
    lines = [line["do"] for line in written(home.away)][: whole[:cut].count(b"\n")]
    assert (outcome == "answered") == ("talk" in lines)
    if cut == len(whole):
        assert seen.complete and outcome != "failed"
