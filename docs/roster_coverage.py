"""Draws roster-coverage.en.svg and roster-coverage.zh.svg, the example of roster.md: ``docs/roster_coverage.py``.

The source is this file alone: four teams in rotation over a Spring Festival in which two of one team are away. A test
holds the two pictures against what this draws.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ruamel.yaml import YAML

from config.catalogue import Language, language, set_language
from config.load import load_settings
from config.roster_file import RosterFile
from config.settings import AgentFile, QueueFile, Settings
from hotline.heat_picture import draw as picture_of
from hotline.roster_view import Seen, heat_of

LANGUAGES: tuple[Language, ...] = ("en", "zh")
FIRST, DAYS = dt.date(2027, 2, 1), 14
NOW = dt.datetime(2027, 2, 3, 9, 20)

ROSTER = """
shifts:
  early: {from: "06:00", to: "14:00"}
  late: {from: "14:00", to: "22:00"}
  night: {from: "22:00", to: "06:00"}
  standby: {from: "22:00", to: "06:00", backup: true}
  office: {from: "08:30", to: "17:30", breaks: [{from: "12:00", to: "13:00"}]}
teams:
  Team A: [8001, 8002]
  Team B: [8003, 8004]
  Team C: [8005, 8006]
  Team D: [8007, 8008]
  Day team: [8009, 8010, 8011]
rotations:
  four teams: {start: 2027-01-24, cycle: [early, early, late, late, night, night, off, off],
               teams: {Team A: 1, Team B: 3, Team C: 5, Team D: 7}}
rules:
  - {shift: office, days: [workday], teams: [Day team]}
changes:
  - {leave: annual, agent: 8001, from: 2027-02-05, to: 2027-02-07}
  - {leave: sick, agent: 8002, from: 2027-02-06, to: 2027-02-06}
  - {leave: personal, agent: 8007, from: 2027-02-07, to: 2027-02-07}
  - {leave: annual, agent: 8008, from: 2027-02-07, to: 2027-02-07}
  - {extra: standby, agent: 8012, date: 2027-02-07}
  - {leave: annual, agent: 8005, from: 2027-02-08, to: 2027-02-10}
  - {leave: annual, agent: 8009, from: 2027-02-12, to: 2027-02-12}
calendar:
  - {from: 2027-02-09, to: 2027-02-11, is: holiday, name: Spring Festival}
  - {date: 2027-02-14, is: makeup, name: Spring Festival}
requirements:
  - {queue: complaint, need: 1, want: 2, from: "06:00", to: "22:00"}
  - {queue: business, need: 2, want: 3}
limits: {week: 48}
"""

QUEUES = {"en": ("Complaints", "Business"), "zh": ("投诉", "业务办理")}
NAMES = {
    "en": "Zhang Min, Li Qiang, Wang Fang, Chen Wei, Liu Yang, Zhao Jing, Sun Lei, Zhou Ting, Wu Hao, Zheng Li, "
          "He Yong, Gao Xue",
    "zh": "张敏, 李强, 王芳, 陈伟, 刘洋, 赵静, 孙磊, 周婷, 吴昊, 郑丽, 何勇, 高雪",
}  # fmt: skip
COMPANY = {"en": "Example Ltd", "zh": "示例公司"}
CHINESE = {
    "Spring Festival": "春节", "four teams": "四班三运转", "early": "早班", "late": "中班", "night": "夜班",
    "standby": "夜备", "office": "行政", "Team A": "甲班", "Team B": "乙班", "Team C": "丙班", "Team D": "丁班",
    "Day team": "白班组", "off": "休",
}  # fmt: skip
"""The words of the roster in Chinese, the longer ones before those that are part of them."""


def settings(wanted: Language) -> Settings:
    """The example's settings: the repository's own, with another roster, other queues and agents."""
    yaml = YAML(typ="safe", pure=True)
    first, second = QUEUES[wanted]
    agents = {
        str(number): {"name": name, "skills": ["complaint", "business"], "devices": [{"sip": str(number)}]}
        for number, name in enumerate(NAMES[wanted].split(", "), start=8001)
    }
    queues = {
        "complaint": {"label": first, "skill": "complaint"},
        "business": {"label": second, "skill": "business",
                     "hours": [{"days": ["workday"], "from": "08:30", "to": "17:30"}]},
    }  # fmt: skip
    roster = ROSTER
    for english, chinese in CHINESE.items() if wanted == "zh" else ():
        roster = roster.replace(english, chinese)
    plain = load_settings(Path(__file__).parents[1] / "config")
    return plain.model_copy(update={
        "hotline": plain.hotline.model_copy(update={"company": COMPANY[wanted]}),
        "roster": RosterFile.model_validate(yaml.load(roster)),
        "agents": AgentFile.model_validate({"agents": agents}),
        "queues": QueueFile.model_validate({"queues": queues}),
    })  # fmt: skip


def draw(wanted: Language) -> str:
    """The picture in one language, as SVG."""
    before = language()
    set_language(wanted)
    try:
        of = settings(wanted)
        seen = Seen.of(of, FIRST, DAYS, NOW.date())
        return picture_of(heat_of(seen, NOW.replace(tzinfo=of.hotline.zone)))
    finally:
        set_language(before)


def main() -> None:
    """Write both pictures beside this file."""
    for wanted in LANGUAGES:
        (Path(__file__).parent / f"roster-coverage.{wanted}.svg").write_text(draw(wanted), encoding="utf-8")


if __name__ == "__main__":
    main()
