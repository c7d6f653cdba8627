"""The configuration changed while calls run: good changes take effect at once, bad ones change nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from calllog.verify import verify
from config.snapshot import look
from config.versions import History
from hotline.asterisk.passwords import load_secrets
from hotline.control import ask
from hotline.outside import Caller, free_ports
from hotline.trial import Trial
from hotline.trial_config import REPOSITORY
from tests.real.verbs import asks, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {
    "queues": {"queues": {"inquiry": {"longest_wait": 300}, "suggestion": {"longest_wait": 300}}},
    "hotline": {"times": {"ring": 60, "digit_timeout": 120}},  # a caller stays in the menu while it is changed
}
TAKEN = 180.0
"""Seconds within which a change must be in force: it settles for one, is checked for two on a quiet machine."""


def edit(hotline: Trial, stem: str, change: Any) -> None:
    """What an editor does: the whole file anew, by rename."""
    file = hotline.config / f"{stem}.yaml"
    yaml = YAML()
    tree = yaml.load(file.read_text(encoding="utf-8"))
    change(tree)
    draft = file.with_name(f".{file.name}.swp")
    with draft.open("w", encoding="utf-8") as out:
        yaml.dump(tree, out)
    draft.replace(file)


async def config(hotline: Trial) -> dict[str, Any]:
    return dict((await hotline.status()).get("config", {}))


async def until(hotline: Trial, true: Any, what: str) -> dict[str, Any]:
    about: dict[str, Any] = {}
    until = asyncio.get_running_loop().time() + TAKEN
    while asyncio.get_running_loop().time() < until:
        if (about := await config(hotline)) and true(about):
            return about
        await asyncio.sleep(0.1)
    raise AssertionError(f"never: {what}; {about}\n{hotline._last_words()}")


async def taken(hotline: Trial, stem: str, change: Any) -> dict[str, Any]:
    """Edit, and wait until it is in force."""
    version = (await config(hotline))["version"]
    edit(hotline, stem, change)
    return await until(hotline, lambda about: about.get("version", 0) > version, "a new version")


async def command(hotline: Trial, *words: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "hotline", *words, "--config", str(hotline.config)], cwd=REPOSITORY,
        capture_output=True, text=True, env={**os.environ, "HOTLINE_LANG": "en"}, stdin=subprocess.DEVNULL,
        timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def answered(hotline: Trial, caller: Caller) -> Any:
    """The ring at whichever phone, once caller and agent hear each other."""
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=990)
    await caller.heard(tone_hz=990)
    return ring


async def talking(hotline: Trial) -> tuple[Caller, str, Any]:
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660)
    return caller, number, ring


async def test_a_call_keeps_its_menu_and_the_next_one_has_the_new_while_a_talk_goes_on(hotline: Trial) -> None:
    talker, talker_number, talk = await talking(hotline)
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("menu_main")

    def swap(tree: Any) -> None:
        options = tree["menus"]["main"]["options"]
        options["6"], options["1"] = options.pop("1"), {"label": "再听一遍", "repeat": True}

    await taken(hotline, "menu", swap)
    await caller.press("1")  # the menu it began with: asks for a person
    await answered(hotline, caller)
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"

    other_number = hotline.fresh_number()
    other = await hotline.world.call(hotline.number, number=other_number)
    await other.heard("menu_main")
    before = other.now
    await other.press("1")  # the new menu says it again
    await other.heard("menu_main", after=before)
    await other.hang_up()
    assert (await hotline.ended(other_number)).state.outcome == "menu"
    await talker.heard(tone_hz=660)
    await talk.heard(tone_hz=440)
    await talker.hang_up()
    assert (await hotline.ended(talker_number)).state.outcome == "answered"
    status, _out, err = await command(hotline, "config", "undo")
    assert status == 0, err


async def test_an_undo_gives_the_bytes_back_and_says_who_it_was(hotline: Trial) -> None:
    before = {path.name: path.read_bytes() for path in hotline.config.glob("*.yaml")}
    await taken(hotline, "queues", lambda tree: tree["queues"]["inquiry"].update(longest_wait=301))
    (hotline.config / "menu.yaml").write_bytes(before["menu.yaml"] + "# 夜里改的\n".encode())
    status, _out, err = await command(hotline, "config", "undo")
    assert status == 1 and "menu.yaml" in err  # it settles or is in force: either way the files were changed since
    await until(hotline, lambda about: about["digest"] == look(hotline.config).digest, "the comment is in force")
    status, out, err = await command(hotline, "config", "undo", "--to", "1")
    assert status == 0 and "in force" in out, err
    assert {path.name: path.read_bytes() for path in hotline.config.glob("*.yaml")} == before
    status, out, _err = await command(hotline, "config", "history", "--format", "json")
    newest, comment, wait = json.loads(out)[:3]
    assert newest["how"] == "undo" and newest["restores"] == 1 and newest["author"]
    assert comment["changes"] == [] and wait["author"] == ""
    assert wait["changes"] == ["queues.yaml: queues.inquiry.longest_wait: 300 → 301"]
    status, out, _err = await command(hotline, "config", "diff", str(wait["version"] - 1), str(wait["version"]))
    assert status == 0 and "longest_wait: 301" in out
    status, out, _err = await command(hotline, "check")
    assert "in force since" in out


async def test_a_removed_queue_serves_who_waits_in_it(hotline: Trial) -> None:
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="pause")
    waiting, number = await asks(hotline, "4")
    await waiting.heard("queue_wait")
    hotline.config.joinpath("menu.yaml").write_text(
        hotline.config.joinpath("menu.yaml").read_text(encoding="utf-8").replace("queue: business", "queue: inquiry"),
        encoding="utf-8",
    )
    await taken(hotline, "queues", lambda tree: tree["queues"].pop("business"))
    assert not waiting.is_gone
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="ready")
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    ring.say(tone_hz=880)
    await waiting.heard(tone_hz=880)
    await waiting.hang_up()
    state = (await hotline.ended(number)).state
    assert (state.outcome, state.queue) == ("answered", "business")


async def test_a_new_agent_with_a_new_phone_takes_calls_and_one_who_goes_finishes(hotline: Trial) -> None:
    talker, talker_number, talk = await talking(hotline)

    def join(tree: Any) -> None:
        tree["agents"]["8020"] = {"name": "新来的", "skills": ["inquiry"], "devices": [{"sip": "new-8020"}]}

    edit(hotline, "agents", join)
    await taken(hotline, "roster", lambda tree: tree["rules"][0]["agents"].append("8020"))
    hotline.secrets = load_secrets(hotline.state, [])
    phone = await hotline.world.handset("8020", "new-8020", hotline.secrets.sip["new-8020"])
    await hotline.reachable("8020")
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="pause")
    caller, number = await asks(hotline)
    ring = await phone.rings()
    await ring.answer()
    caller.say(tone_hz=500)
    ring.say(tone_hz=770)
    await caller.heard(tone_hz=770)

    def leave(tree: Any) -> None:
        del tree["agents"]["8020"]

    # The roster first: agents.yaml alone would be refused, should the machine stall between the two.
    edit(hotline, "roster", lambda tree: tree["rules"][0]["agents"].remove("8020"))
    await taken(hotline, "agents", leave)
    later = caller.now
    await caller.heard(tone_hz=770, after=later)  # the talk goes on both ways
    await ring.heard(tone_hz=500, after=ring.now - 0.5)
    await ring.hang_up()  # from a phone whose account is gone
    await caller.heard("farewell")
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"
    async with asyncio.timeout(TAKEN):
        while "8020" in (await hotline.status()).get("agents", {"8020": {}}):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    for agent in AGENTS:
        await asyncio.to_thread(ask, hotline.state, "agent", agent=agent, command="ready")
    await talker.heard(tone_hz=660)
    await talk.heard(tone_hz=440)
    await talker.hang_up()
    state = (await hotline.ended(talker_number)).state
    assert state.outcome == "answered" and all(span.verified for span in state.recordings["call"].spans)


def refusals(hotline: Trial) -> list[str]:
    """What was journalled of configurations that were refused."""
    with closing(sqlite3.connect(f"file:{hotline.store}?mode=ro", uri=True)) as store:
        rows = store.execute("select data from event where kind = 'config_refused' order by seq").fetchall()
    return [data for (data,) in rows]


async def a_gap_is_refused(hotline: Trial, version: int) -> None:
    """Nobody is left on a day to come: the old roster stays, and whoever asks who is on duty is told."""
    file = hotline.config / "roster.yaml"
    good, day = file.read_bytes(), (dt.date.today() + dt.timedelta(days=9)).isoformat()

    def all_away(tree: Any) -> None:
        tree["changes"] = [{"leave": "annual", "agent": agent, "date": day} for agent in AGENTS]

    edit(hotline, "roster", all_away)
    about = await until(hotline, lambda about: bool(about.get("errors")), "the gap")
    assert about["version"] == version
    status, out, err = await command(hotline, "duty")
    assert status == 0 and all(agent in out for agent in AGENTS)
    assert "the files have 1 error: roster.yaml:" in err
    assert f"{day} 00:00–24:00, all queues: 0 of 1; 8001 座席8001, 8002 座席8002 are on leave" in err
    status, out, _err = await command(hotline, "roster", "check")
    assert status == 1 and "1 error" in out
    file.write_bytes(good)
    await until(hotline, lambda about: not about["errors"], "good again")


async def test_bad_edits_change_nothing_and_are_told_however_they_flap(hotline: Trial) -> None:
    talker, talker_number, _talk = await talking(hotline)
    file = hotline.config / "agents.yaml"
    good = file.read_bytes()
    version = (await config(hotline))["version"]
    before = refusals(hotline)
    await a_gap_is_refused(hotline, version)
    file.write_bytes(re.sub(rb"(?m)^(\s+)skills:", rb"\1skil:", good, count=1))
    about = await until(hotline, lambda about: bool(about.get("errors")), "the errors")
    assert about["version"] == version and "skil" in about["errors"][0]
    status, out, err = await command(hotline, "agents")
    assert status == 0 and "The configuration in force is of " in err and "the files have 2 errors" in err
    assert "8001" in out
    status, out, _err = await command(hotline, "check")
    assert status == 1 and "not in force" in out
    for turn in range(20):
        file.write_bytes(good if turn % 2 else good[: len(good) // 2] + b"  8: [")
        await asyncio.sleep(0.05 if turn % 5 else 0.8)
    with file.open("wb") as half:  # a slow writer: what is there is good, but not whole
        half.write(b"\n".join(good.split(b"\n")[:-2]) + b"\n")
        half.flush()
        await until(hotline, lambda about: about.get("being_written") == "agents.yaml", "it waits for the writer")
        half.seek(0)
        half.write(good)
    about = await until(hotline, lambda about: not about["errors"] and not about["being_written"], "good again")
    assert about["version"] == version and file.read_bytes() == good
    file.unlink()
    about = await until(hotline, lambda about: bool(about.get("errors")), "a file that is gone")
    assert about["version"] == version
    assert await hotline.stop() == 0  # and a restart serves by the version in force all the same
    await hotline.start()
    await talker.heard(tone_hz=660)
    caller, number = await asks(hotline)
    await answered(hotline, caller)
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"
    file.write_bytes(good)
    await until(hotline, lambda about: not about["errors"] and about["version"] == version, "good again")
    await talker.hang_up()
    assert (await hotline.ended(talker_number)).state.outcome == "answered"
    told = refusals(hotline)[len(before) :]
    assert "roster.yaml" in told[0] and "agents.yaml" in told[1]


async def test_a_half_written_roster_waits_and_a_command_changes_it_while_a_talk_goes_on(hotline: Trial) -> None:
    talker, talker_number, talk = await talking(hotline)
    file = hotline.config / "roster.yaml"
    good, version = file.read_bytes(), (await config(hotline))["version"]
    with file.open("wb") as half:
        half.write(good[: len(good) // 2])
        half.flush()
        await until(hotline, lambda about: about.get("being_written") == "roster.yaml", "it waits for the writer")
        half.write(b"  half: [")
    about = await until(hotline, lambda about: bool(about.get("errors")), "the errors")
    assert about["version"] == version and "roster.yaml" in about["errors"][0]
    status, out, err = await command(hotline, "duty")
    assert status == 0 and "8001" in out and "The configuration in force is of" in err and "roster.yaml:" in err
    file.write_bytes(good)
    day = (dt.datetime.now(ZoneInfo("Asia/Shanghai")) + dt.timedelta(days=20)).date()
    extra = ("roster", "extra", "8099", str(day), "全天", "--yes", "--author", "王班长")
    status, out, err = await command(hotline, *extra)
    assert status == 0 and f"8099 座席8099: {day}" in out and "It is in force." in out, err
    newest = History(hotline.state).last()
    assert newest is not None and (newest.author, newest.how) == ("王班长", "command")
    assert [(one.agents, one.why) for one in newest.duty] == [(("8099",), "extra")]
    assert "座席8099" in hotline.log.read_text(encoding="utf-8")
    written = file.read_bytes()
    file.write_bytes(good)  # an editor that was open all the while saves what it has
    about = await until(hotline, lambda about: bool(about.get("overwrites")), "whose line is gone")
    assert "王班长" in about["overwrites"][0] and "extra: 全天" in about["overwrites"][0]
    status, out, err = await command(hotline, "roster", "undo", "--yes")
    assert status == 0 and "It is in force." in out and file.read_bytes() == written, err
    await talker.heard(tone_hz=660, after=talker.now - 0.5)
    await talk.heard(tone_hz=440, after=talk.now - 0.5)
    await talker.hang_up()
    assert (await hotline.ended(talker_number)).state.outcome == "answered"


async def test_a_changed_prompt_is_for_the_next_call_and_ports_wait_for_a_restart(hotline: Trial) -> None:
    good = (await config(hotline))["version"]
    live = hotline.state / "sounds" / "zh" / "menu_main.wav"
    old = live.read_bytes()
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("menu_main")
    edit(hotline, "prompts.zh", lambda tree: tree["prompts"].update(menu_main=tree["prompts"]["farewell"]))

    other_sip, other_ari = free_ports(2)

    def ports(tree: Any) -> None:
        tree["asterisk"]["sip"]["port"], tree["asterisk"]["ari_port"] = other_sip, other_ari

    edit(hotline, "hotline", ports)  # at once with the prompt, or as a version of its own
    about = await until(hotline, lambda about: about.get("pending"), "values that wait for a restart")
    assert about["pending"] == {"asterisk.sip.port": "asterisk", "asterisk.ari_port": "both"}
    await until(hotline, lambda _about: live.read_bytes() != old, "the new prompt")
    await caller.press("9")  # wrong: its menu is said again, in the words it began with
    await caller.heard("menu_wrong_key")
    other = await hotline.world.call(hotline.number, number=hotline.fresh_number())
    await other.heard("farewell|menu_main")  # the new words, which sound like those of another prompt
    await other.hang_up()
    assert not any("farewell" in name for name, _at in await caller.prompts_heard())
    await caller.press("1")
    await answered(hotline, caller)
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"
    _status, _out, err = await command(hotline, "agents")
    assert "next restart of Asterisk: asterisk.sip.port" in err
    status, _out, err = await command(hotline, "config", "undo", "--to", str(good))
    assert status == 0 and live.read_bytes() == old, err
    assert (await config(hotline))["pending"] == {}
    await hotline.nothing_left()
    assert await asyncio.to_thread(verify, hotline.store) == []
