"""A person's calendar, as RFC 5545 wants it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from config.roster_file import RosterFile
from hotline.sheet.ics import _folded, ics_of
from routing.roster import Roster
from tests.pure.sheet_play import CHANGES, FEBRUARY, MONTH, house, roster

MADE = dt.datetime(2027, 1, 20, 1, 30, tzinfo=dt.UTC)


def calendar(file: RosterFile, number: str, zone: str = "Asia/Shanghai") -> bytes:
    about = house(file)
    about = about.model_copy(update={"hotline": about.hotline.model_copy(update={"timezone": zone})})
    return ics_of(about, Roster.of(about), number, FEBRUARY, MONTH[-1], MADE)


def events(content: bytes) -> list[dict[str, str]]:
    """Each event's properties, unfolded and unescaped; checks the form of every line."""
    assert content.endswith(b"\r\n") and b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    lines = content.decode().replace("\r\n ", "").split("\r\n")[:-1]
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    found: list[dict[str, str]] = []
    for line in lines:
        key, _colon, value = line.partition(":")
        assert re.fullmatch(r"[A-Z-]+(;[A-Z]+=[A-Z]+)?", key), line
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            assert key not in found[-1] or key == "END"
            found[-1][key] = re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), value)
    return found


def test_shifts_are_in_utc_and_leave_is_whole_days() -> None:
    found = events(calendar(roster(), "8001"))
    assert len({one["UID"] for one in found}) == len(found)
    night = next(one for one in found if one["SUMMARY"] == "夜班")
    assert re.fullmatch(r"202702\d\dT140000Z", night["DTSTART"]) and re.fullmatch(r"202702\d\dT220000Z", night["DTEND"])
    early = next(one for one in found if one["SUMMARY"] == "早班")
    assert early["DESCRIPTION"] == "休息 10:00–10:15"
    [leave] = [one for one in found if "DTSTART;VALUE=DATE" in one]
    assert (leave["DTSTART;VALUE=DATE"], leave["DTEND;VALUE=DATE"]) == ("20270203", "20270213")
    assert (leave["SUMMARY"], leave["DESCRIPTION"]) == ("年假", "春节")
    assert all(one["DTSTAMP"] == "20270120T013000Z" for one in found)


def test_a_backup_and_a_cover_are_named() -> None:
    found = events(calendar(roster(), "8005"))
    assert {one["SUMMARY"] for one in found} >= {"夜备（备班）", "早班"}
    assert any("替 8001 张敏" in one.get("DESCRIPTION", "") for one in found)


def test_a_shift_keeps_its_identifier_whatever_else_changes() -> None:
    before = {one["UID"]: one for one in events(calendar(roster(), "8003"))}
    off = {"off": True, "agent": "8003", "date": "2027-02-05"}
    after = {one["UID"]: one for one in events(calendar(roster([*CHANGES, off]), "8003"))}
    assert len(before) - len(after) == 1 and after.keys() < before.keys()
    assert all(before[uid] == one for uid, one in after.items())


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_other_zones(zone: str) -> None:
    assert events(calendar(roster(), "8002", zone))


def test_text_is_escaped() -> None:
    note = "a, b; c\\d\u2028e"
    said: dict[str, Any] = {"leave": "sick", "agent": "8001", "from": "2027-02-03", "to": "2027-02-03", "note": note}
    [leave] = [one for one in events(calendar(roster([said]), "8001")) if "DTSTART;VALUE=DATE" in one]
    assert leave["DESCRIPTION"] == note
    assert rb"a\, b\; c\\d" in calendar(roster([said]), "8001")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=80, max_size=300))
def test_long_lines_are_folded_between_characters(text: str) -> None:
    lines = list(_folded(f"SUMMARY:{text}"))
    assert all(len(line.encode()) <= 75 for line in lines)
    assert lines[0] + "".join(line[1:] for line in lines[1:]) == f"SUMMARY:{text}"
