"""The words of the command: every event, outcome and reason has some; instants and lengths are read and written."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, strategies as st

from calllog import events as ev
from calllog.events import Recorded
from calllog.wording import Names, outcome_word, reason_word
from config import catalogue
from console.timeline import timeline, words
from hotline.show import _shared, clock, length, number_shown, since
from routing.when import NotAnInstant, instant_of
from tests.pure.cli_play import START, SYSTEM, away, hidden, kinds, served

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 2, 6, 4, 30, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True, params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    before = catalogue._chosen
    catalogue.set_language(request.param)
    yield request.param
    catalogue._chosen = before


def sample(kind: type[ev.Event]) -> ev.AnyEvent:
    """An event of this kind with something in every field."""
    plain = {str: "x", int: 3, float: 1.5, bool: True}
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in kind.__struct_fields__}
    values = {name: plain[hint] if hint in plain else next(choices(hint), ()) for name, hint in hints.items()}
    return kind(**values)  # type: ignore[return-value]


def choices(hint: Any) -> Iterator[str | int]:
    """The texts that a Literal, or a union of them, allows; a number where it may be one."""
    for each in get_args(hint):
        if each is int:
            yield 3
        elif isinstance(each, str):
            yield each
        else:
            yield from choices(each)


ALL = [*kinds(ev.CallEvent), ev.AgentChanged, ev.RosterTookEffect, *kinds(ev.SystemEvent)]
PAUSING = (ev.RecordingPaused, ev.RecordingResumeAsked, ev.RecordingResumed)
REVIEWS = [*kinds(ev.ReviewEvent), ev.FormPublished, ev.ListDrawn]


@pytest.mark.parametrize("kind", [*ALL, *REVIEWS], ids=lambda kind: kind.__name__)
def test_every_event_has_words(kind: type[ev.Event], language: str) -> None:
    text = words(sample(kind), Names())
    assert text and "{" not in text and "\n" not in text
    if language == "zh":
        assert any("\u4e00" <= each <= "\u9fff" for each in text)


def test_the_play_has_every_kind() -> None:
    played = {type(event) for course in (served(), away(), hidden()) for _at, event in course}
    played |= {*kinds(ev.KeepEvent), ev.Measured, ev.RecordingChecked}  # they have plays of their own
    assert played | {type(event) for _stream, _name, event in SYSTEM} == set(ALL)


def test_every_choice_has_words(language: str) -> None:
    for outcome in get_args(ev.Outcome):
        assert outcome_word(outcome)
        assert language == "en" or outcome_word(outcome) != outcome
    reasons = ["uncovered", "longest_wait", "closed", "away", "fault", "no_message", "after_longest_wait", "waiting",
               "caller_hung_up", "agent_hung_up", "hotline_hung_up", "fault_hung_up", "caller_hung_up_in_menu",
               "queue", "talk"]  # fmt: skip
    for reason in reasons:
        said = reason_word(reason)
        assert said and "_" not in said
    assert reason_word("something_else") == "something_else"
    for result in get_args(ev.RingResult):
        assert words(ev.RingEnded(talk_id="t", agent="8001", result=result), Names())
    for result in get_args(ev.DeviceResult):
        assert words(ev.DeviceEnded(talk_id="t", leg="l", result=result), Names())
    for mode in get_args(ev.AgentMode):
        assert words(ev.AgentChanged(mode=mode), Names())


def test_timeline_tells_lengths_and_indents_talks() -> None:
    catalogue.set_language("en")
    names = Names({"8002": "Li"}, {"complaint": "Complaints"}, {("main", "2"): "Complaint"})
    recorded = [Recorded(n, START + round(at * 1e6), "call", "c", event) for n, (at, event) in enumerate(served())]
    lines = [(line.depth, line.text) for line in timeline(recorded, names)]
    assert (0, "Call comes in → 4001234567 (trunk carrier)") in lines
    assert (0, "Key 2 → Complaint") in lines
    assert (0, "Language: English") in lines
    assert (0, "Told: 2 ahead, about 3 minutes") in lines
    assert (0, "Told: you are next, less than a minute, longer, since fewer agents are on duty") in lines
    assert (1, "Told: 8002 answers") in lines
    assert (1, "Not answered (cause 19), rang 20.0 s") in lines
    assert (0, "Rings 8002 Li (phone 8002)") in lines
    assert (1, "Rings number *5678, trunk carrier") in lines
    assert (1, "number *5678, trunk carrier: Picked up, asked to press 1") in lines
    assert (1, "number *5678, trunk carrier: Picked up, but 1 was not pressed") in lines
    assert (1, "phone 8002: Picked up, rang 4.0 s") in lines
    assert (1, "Connected with 8002 Li, waited 27.1 s") in lines
    assert (2, "Taken back by the agent, held 5.0 s") in lines
    assert (2, "Recording is to go on, and does not yet: by a command") in lines
    at_once = [Recorded(one.seq, START if isinstance(one.event, PAUSING) else one.at, "call", "c", one.event)
               for one in recorded]  # fmt: skip
    said = [line.text for line in timeline(at_once, names)]
    assert not any("does not yet" in text for text in said) and len(said) == len(lines) - 1
    assert (1, "Talk ended: the agent hung up, talked 1:05") in lines
    assert (1, "Asked to rate the talk") in lines and (1, "Rated 2: satisfied") in lines
    assert (0, "Outcome: answered (the agent hung up)") in lines


@given(st.lists(st.sampled_from([msgspec.to_builtins(event)["kind"] for _at, event in served()]), max_size=12))
def test_timeline_bears_any_order(order: list[str]) -> None:
    events = {msgspec.to_builtins(event)["kind"]: event for _at, event in served()}
    lines = timeline([Recorded(n, n, "call", "c", events[kind]) for n, kind in enumerate(order)], Names())
    # "It is to go on" is left out where it goes on at once.
    assert len(order) - order.count("recording_resume_asked") <= len(lines) <= len(order)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-02-06 03:00", "2027-02-06T03:00:00+08:00"),
        ("2027/02/06 03:00:09", "2027-02-06T03:00:09+08:00"),
        ("2027-02-06T03:00", "2027-02-06T03:00:00+08:00"),
        ("2027-02-06T03:00+01:00", "2027-02-06T10:00:00+08:00"),
        ("2027-02-06T03:00Z", "2027-02-06T11:00:00+08:00"),
        ("02-07 3:05", "2026-02-07T03:05:00+08:00"),
        ("2027-02-06", "2027-02-06T00:00:00+08:00"),
        ("03：00", "2026-02-06T03:00:00+08:00"),
        ("24:00", "2026-02-07T00:00:00+08:00"),
        ("明天 03:00", "2026-02-07T03:00:00+08:00"),
        ("Tomorrow  03:00", "2026-02-07T03:00:00+08:00"),
        ("昨天", "2026-02-05T00:00:00+08:00"),
        ("今天", "2026-02-06T00:00:00+08:00"),
        ("现在", "2026-02-06T04:30:00+08:00"),
        ("2h ago", "2026-02-06T02:30:00+08:00"),
        ("30 分钟前", "2026-02-06T04:00:00+08:00"),
    ],
)
def test_instants(text: str, expected: str) -> None:
    assert instant_of(text, NOW, SHANGHAI).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "25:00", "12:60", "03:00 03:00", "0000-01-01", "9999-12-31", "99999999 d ago",
             "２", "2026-02-06 03", "1e9", "20260206", "2026-W06-5", "-1"],
)  # fmt: skip
def test_no_instants(text: str) -> None:
    with pytest.raises(NotAnInstant):
        instant_of(text, NOW, SHANGHAI)


@given(st.text(max_size=20))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    try:
        assert instant_of(text, NOW, SHANGHAI).tzinfo is not None
    except NotAnInstant as error:
        assert "\n" not in str(error) or "\n" in text


def test_an_hour_that_clocks_skip() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert instant_of("2026-03-29 02:30", NOW, berlin).isoformat() == "2026-03-29T03:00:00+02:00"
    assert instant_of("2026-10-25 02:30", NOW, berlin).isoformat() == "2026-10-25T02:30:00+02:00"


def test_lengths() -> None:
    catalogue.set_language("en")
    assert [clock(0), clock(65), clock(3723.4), clock(-1)] == ["0:00", "1:05", "1:02:03", "0:00"]
    assert [length(12.34), length(59.96), length(65)] == ["12.3 s", "1:00", "1:05"]
    assert [since(5), since(125), since(3900), since(200_000)] == ["5 s", "2 min", "1:05 h", "2 d"]


def test_numbers() -> None:
    catalogue.set_language("en")
    assert number_shown("+8613800001111", "CN") == "13800001111"
    assert number_shown("+862112345678", "CN") == "02112345678"
    assert number_shown("+864001234567", "CN") == "4001234567"
    assert number_shown("+8613800001111", "DE") == "+8613800001111"
    assert number_shown("+4930123456", "CN") == "+4930123456"
    assert number_shown("", "CN") == "anonymous"


@pytest.mark.parametrize("width", [72, 80])
def test_a_narrow_table_shows_every_number_and_date_whole(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from hotline import show

    out = io.StringIO()
    monkeypatch.setattr(show, "console", lambda: Console(file=out, width=width, highlight=False))
    said = "queues.yaml: queues.inquiry.longest_wait: 300 → 60"
    show.show(
        show.Format.TABLE,
        [
            show.Column("number", lambda _row: 12345, "Mean wait of all", right=True),
            show.Column("at", lambda _row: "2027-02-06 14:09", "In force"),
            show.Column("what", lambda _row: f"{said}\n{said}", "What changed"),
            show.Column("last", lambda _row: 67890, "Needed", right=True),
        ],
        [None],
    )
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("12345" in line and "2027-02-06 14:09" in line and "67890" in line for line in lines)
    assert "".join(out.getvalue().split()).count("60") >= 2, "no text is cut"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=12), st.integers(0, 200))
def test_a_table_uses_the_room_there_is_and_no_more(sizes: list[tuple[int, int]], room: int) -> None:
    natural, least = [full for full, _ in sizes], [small for _, small in sizes]
    widths = _shared(natural, least, room)
    lowest = list(map(min, least, natural))
    assert all(low <= width <= full for low, width, full in zip(lowest, widths, natural, strict=True))
    assert sum(widths) == max(sum(lowest), min(room, sum(natural)))
