"""Fixtures of the real tests: a hotline on trial with short prompts and short timers, its agents' phones beside it.

Each module has one pair of Asterisks; its tests run one after the other on it, in one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from hotline.trial import Trial, trial
from tests.pure.journal_play import new_store

SHORT_WORDS = {
    "greeting": "您好，欢迎致电。",
    "recording_notice": "通话将被录音。",
    "menu_main": "请选择业务种类。",
    "menu_wrong_key": "按键有误。",
    "menu_no_key": "没有按键。",
    "menu_to_person": "转接人工。",
    "queue_wait": "请您稍候。",
    "still_waiting": "感谢等候。",
    "connecting": "正在接通。",
    "nobody_on_duty": "现在无人当班。",
    "wait_too_long": "让您久等了。",
    "voicemail_invite": "请留言。",
    "voicemail_thanks": "留言已收到。",
    "voicemail_too_short": "没有听到您的声音。",
    "sorry_goodbye": "很抱歉，再见。",
    "farewell": "感谢来电。",
    "agent_lost": "通话中断，重新接通。",
    "away_apology": "系统正在恢复，请拨打{emergency_number}。",
}
NO_SURVEY = dict.fromkeys(("survey_invite", "survey_ratings", "survey_person", "survey_thanks", "survey_sorry"))
"""Long sentences, which need not be spoken where nobody is asked."""


def on_duty(*agents: str) -> dict[str, Any]:
    """A roster with these agents on duty at every instant."""
    return {
        "shifts": {"全天": {"from": "00:00", "to": "00:00"}},
        "teams": None,
        "rotations": None,
        "rules": [{"shift": "全天", "agents": list(agents)}],
        "changes": [],
        "limits": {"week": 168, "days_in_a_row": 366},  # nobody here is told how long they work
    }


def profile(agents: list[str], /, **changes: Mapping[str, Any]) -> dict[str, Any]:
    """Short timers and words; ``changes`` are laid over, by file stem.

    Rings and waits are long: they must outlast a machine that stalls between what a test sees and what it does.
    """
    skills = ["inquiry", "complaint", "business", "general"]
    tree: dict[str, Any] = {
        "hotline": {
            "times": {
                "digit_timeout": 1.5, "ring": 10, "wrap_up": 0.3, "announce_every": 3, "voicemail_longest": 20,
                "voicemail_silence": 3, "stop_grace": 15,
            }
        },
        "agents": {"agents": {
            str(number): {"name": f"座席{number}", "skills": skills, "devices": [{"sip": str(number)}]}
            for number in (*agents, "8099")
        }},
        "roster": on_duty(*agents),
        "queues": {"queues": {
            "inquiry": {"longest_wait": 300, "wrap_up": None}, "complaint": {"longest_wait": 300, "wrap_up": None},
            "suggestion": {"longest_wait": 300}, "business": {"longest_wait": 300}, "person": {"longest_wait": 300},
        }},
        # One language, where a test asks for no other: to speak a second takes time, and so does its offer.
        "menu": {"menus": {"main": {"offers": [], "options": {"9": None}}}},
        "prompts.zh": {"speed": 260, "prompts": {**NO_SURVEY, **SHORT_WORDS}},
        "prompts.en": {"prompts": {**NO_SURVEY}},
    }  # fmt: skip
    for stem, change in changes.items():
        _merge(tree.setdefault(stem, {}), change)
    return tree


def _merge(tree: dict[str, Any], change: Mapping[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _merge(tree[key], value)
        else:
            tree[key] = value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hotline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """The module's hotline; the module names its agents in AGENTS and its changes in CHANGES."""
    agents: list[str] = getattr(request.module, "AGENTS", ["8001", "8002"])
    changes: Mapping[str, Mapping[str, Any]] = getattr(request.module, "CHANGES", {})
    folder = tmp_path_factory.mktemp("trial")
    (folder / "var").mkdir(mode=0o700)
    new_store(folder / "var", "hotline.sqlite")  # other modules have theirs made by the daemon
    async with trial(folder, profile(agents, **changes)) as it:
        await asyncio.gather(*(it.handset(agent) for agent in getattr(request.module, "REGISTERED", agents)))
        await it.reachable(*getattr(request.module, "REGISTERED", agents))
        yield it
