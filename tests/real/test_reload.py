"""The configuration changed while calls run: good changes take effect at once, bad ones change nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from hotline.outside import Caller
from hotline.trial import REPOSITORY, Trial
from tests.real.verbs import asks, either

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = ["8001", "8002"]
CHANGES = {
    "queues": {"queues": {"inquiry": {"longest_wait": 60}, "suggestion": {"longest_wait": 60}}},
    "hotline": {"times": {"ring": 20}},
}
TAKEN = 40.0
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
    for _look in range(int(TAKEN / 0.1)):
        if true(about := await config(hotline)):
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
        timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def talking(hotline: Trial) -> tuple[Caller, str, Any]:
    caller, number = await asks(hotline)
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    caller.say(tone_hz=440)
    ring.say(tone_hz=660)
    await caller.heard(tone_hz=660, within=10)
    return caller, number, ring


async def test_a_call_keeps_its_menu_and_the_next_one_has_the_new_while_a_talk_goes_on(hotline: Trial) -> None:
    talker, talker_number, talk = await talking(hotline)
    number = hotline.fresh_number()
    caller = await hotline.world.call(hotline.number, number=number)
    await caller.heard("menu_main", within=10)

    def swap(tree: Any) -> None:
        options = tree["menus"]["main"]["options"]
        options["6"], options["1"] = options.pop("1"), {"label": "再听一遍", "repeat": True}

    await taken(hotline, "menu", swap)
    await caller.press("1")  # the menu it began with: asks for a person
    ring = await either(hotline, *AGENTS)
    await ring.answer()
    await caller.hang_up()
    assert (await hotline.ended(number)).state.outcome == "answered"

    other_number = hotline.fresh_number()
    other = await hotline.world.call(hotline.number, number=other_number)
    await other.heard("menu_main", within=10)
    await other.press("1")  # the new menu says it again
    await other.heard("menu_main", within=10, after=other.now)
    await other.hang_up()
    assert (await hotline.ended(other_number)).state.outcome == "menu"
    await talker.heard(tone_hz=660, within=3)
    await talk.heard(tone_hz=440, within=3)
    await talker.hang_up()
    assert (await hotline.ended(talker_number)).state.outcome == "answered"
    status, _out, err = await command(hotline, "config", "undo")
    assert status == 0, err
