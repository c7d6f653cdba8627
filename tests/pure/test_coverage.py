"""Coverage says for every minute what a plain count of that minute says."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from config.settings import Settings
from routing.coverage import Cover, coverage, gaps, share_covered, worse
from routing.roster import Roster
from tests.pure.proof_play import NOW, ROUND, settings_of

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)

AGENTS = ["8001", "8002", "8003"]
TIMES = st.sampled_from(["00:00", "02:30", "06:00", "14:00", "22:00"])
DAYS = st.lists(st.sampled_from(["mon", "tue", "sat", "sun", "workday", "festival"]), max_size=2)
RULES = st.lists(
    st.fixed_dictionaries({
        "shift": st.sampled_from(["早班", "中班", "夜班", "夜备", "全天", "行政"]),
        "agents": st.lists(st.sampled_from(AGENTS), min_size=1, max_size=2, unique=True),
        "days": DAYS,
    }),
    max_size=4,
)  # fmt: skip
CHANGES = st.lists(
    st.fixed_dictionaries({
        "leave": st.just("sick"), "agent": st.sampled_from(AGENTS),
        "from": st.sampled_from(["2027-01-18", "2027-01-19 10:00"]),
        "to": st.sampled_from(["2027-01-19", "2027-01-20"]),
    }),
    max_size=1,
)  # fmt: skip
REQUIREMENTS = st.lists(
    st.fixed_dictionaries({
        "queue": st.sampled_from(["inquiry", "expert"]), "need": st.integers(0, 2), "want": st.integers(0, 3),
        "level": st.integers(1, 3), "from": TIMES, "to": TIMES, "days": DAYS,
    }),
    max_size=3,
)  # fmt: skip
SKILLS = st.sampled_from([
    ["inquiry"],
    ["inquiry", {"skill": "expert", "level": 3}],
    [{"skill": "inquiry", "to": "2027-01-19"}, {"skill": "expert", "level": 2, "from": "2027-01-20"}],
])
HOURS = st.lists(st.fixed_dictionaries({"from": TIMES, "to": TIMES, "days": DAYS}), max_size=2)
ZONES = {
    "Asia/Shanghai": dt.datetime(2027, 1, 18, tzinfo=ZoneInfo("Asia/Shanghai")),
    "Europe/Berlin": dt.datetime(2027, 3, 27, 12, tzinfo=ZoneInfo("Europe/Berlin")),  # 02:00 to 03:00 is missing
    "America/New_York": dt.datetime(2027, 11, 6, 12, tzinfo=ZoneInfo("America/New_York")),  # 01:00 to 02:00 twice
}


def counted(settings: Settings, roster: Roster, queue: str, level: int, at: dt.datetime) -> tuple[int, int, int, int]:
    """have, backup, need, want of one instant, by the words of the README alone."""
    local = at.astimezone(settings.hotline.zone)
    about = settings.queues.queues[queue]

    def on(line: Any) -> bool:
        """Whether the hours of this line are on, whichever day they began."""
        for number in (0, 1):
            date = local.date() - number * dt.timedelta(days=1)
            fits = not line.days or roster.calendar.fits(date, line.days)
            begins, ends = line.start, line.end
            inside = local.time() >= begins if number == 0 else local.time() < ends
            until = number == 1 or ends <= begins or local.time() < ends
            over = number == 0 or ends <= begins
            if fits and inside and until and over:
                return True
        return False

    need, want = (1, 1) if level == about.level else (0, 0)
    for line in settings.roster.requirements:
        if line.queue == queue and line.level == level and on(line):
            need, want = line.need, max(line.need, line.want or 0)
    if about.hours and not any(on(one) for one in about.hours):
        need = want = 0
    have = backup = 0
    for duty in roster.on_duty(at):
        able = settings.agents.agents[duty.agent].skills_at(local.date()).get(about.skill, 0) >= level
        have += able and not duty.backup
        backup += able and duty.backup
    return have, backup, need, want


@pytest.mark.parametrize("zone", ZONES)
@hypothesis_settings(max_examples=25, deadline=None)
@given(rules=RULES, changes=CHANGES, lines=REQUIREMENTS, skills=st.tuples(SKILLS, SKILLS, SKILLS), hours=HOURS)
def test_every_minute(
    zone: str, rules: list[Any], changes: list[Any], lines: list[Any], skills: tuple[Any, ...], hours: list[Any]
) -> None:
    agents = {agent: {"skills": list(theirs)} for agent, theirs in zip(AGENTS, skills, strict=True)}
    plain = settings_of(rules, agents=agents, queues={"inquiry": {"hours": hours}, "expert": {}}, changes=changes,
                        requirements=lines)  # fmt: skip
    settings = plain.model_copy(update={"hotline": plain.hotline.model_copy(update={"timezone": zone})})
    roster = Roster.of(settings)
    begins, ends = ZONES[zone], ZONES[zone].astimezone(dt.UTC) + 50 * HOUR
    covers = coverage(settings, roster, begins, ends)
    by_line: dict[tuple[str, int], list[Cover]] = {}
    for cover in covers:
        by_line.setdefault((cover.queue, cover.level), []).append(cover)
    assert {("inquiry", 1), ("expert", 1)} <= by_line.keys()
    for (queue, level), found in by_line.items():
        assert (found[0].begins, found[-1].ends) == (begins, ends)
        assert all(one.ends == other.begins for one, other in pairwise(found))
        for cover in found:  # every time of the test is a multiple of half an hour, or of a break
            at = cover.begins
            while at < cover.ends:
                told = cover.have, cover.backup, cover.need, cover.want
                assert told == counted(settings, roster, queue, level, at), (queue, level, at)
                at += 30 * MINUTE
    short = [gap for gap in gaps(covers)]
    missing = sum(((one.ends - one.begins) for one in covers if one.have < one.want), dt.timedelta())
    assert sum(((gap.ends - gap.begins) for gap in short), dt.timedelta()) == missing
    assert all(not new for gap, new in worse(short, short) if gap.refuses)
    assert all(new for _gap, new in worse(short, []))


def test_a_round_of_three_covers_everything() -> None:
    settings = settings_of(ROUND)
    covers = coverage(settings, Roster.of(settings), NOW, NOW + 14 * 24 * HOUR)
    assert not gaps(covers) and share_covered(covers) == 1
    assert [(one.have, one.backup, one.need, one.want) for one in covers] == [(1, 0, 1, 1)]


def test_a_break_a_backup_and_closed_hours() -> None:
    rules = [{"shift": "行政", "agents": ["8001"]}, {"shift": "夜备", "agents": ["8002"]}]
    settings = settings_of(rules, queues={"inquiry": {"hours": [{"from": "08:00", "to": "23:00"}]}})
    covers = coverage(settings, Roster.of(settings), NOW + 8 * HOUR, NOW + 24 * HOUR)
    told = [(f"{one.begins.astimezone(NOW.tzinfo):%H:%M}", one.have, one.backup, one.need, one.open) for one in covers]
    assert told == [
        ("08:00", 0, 0, 1, True), ("09:00", 1, 0, 1, True), ("12:00", 0, 0, 1, True), ("13:00", 1, 0, 1, True),
        ("18:00", 0, 0, 1, True), ("22:00", 0, 1, 1, True), ("23:00", 0, 1, 0, False),
    ]  # fmt: skip
    assert [(gap.refuses, gap.backup) for gap in gaps(covers)] == [(True, 0), (True, 0), (True, 0), (False, 1)]
    assert round(share_covered(covers), 4) == round(8 / 15, 4)


def test_what_was_short_before_is_told_apart_from_what_is_new() -> None:
    day = [{"shift": "早班", "agents": ["8001"]}, {"shift": "中班", "agents": ["8002"]}]
    settings, fewer = settings_of(day), settings_of(day[:1])

    def short(which: Settings) -> list[Any]:
        return gaps(coverage(which, Roster.of(which), NOW, NOW + 24 * HOUR))

    now, before = short(fewer), short(settings)
    told = [(f"{gap.begins.astimezone(NOW.tzinfo):%H}", f"{gap.ends.astimezone(NOW.tzinfo):%H}", new)
            for gap, new in worse(now, before)]  # fmt: skip
    assert told == [("00", "06", False), ("14", "22", True), ("22", "00", False)]
