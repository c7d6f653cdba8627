"""The map of coverage: no gap is hidden, no line too wide, the picture is whole XML whatever queues are called."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, NamedTuple
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len
from rich.console import Console

from hotline import fonts, heat_lines, heat_picture
from hotline.day_words import Day
from hotline.heat import QUARTERS, Gap, Heat, Panel, Quarter, level_of, rows_of, runs, worse, worst
from hotline.palette import LEVELS, PLAIN, Level, Paint
from hotline.show import folded
from hotline.svg import clean

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
SVG = "{http://www.w3.org/2000/svg}"
COLOUR = Paint(Console(force_terminal=True, color_system="truecolor"), {})
NONE = Paint(Console(no_color=True), {})
SATURDAY = dt.date(2027, 2, 6)


class Span(NamedTuple):
    begins: dt.datetime
    ends: dt.datetime
    have: int = 1
    backup: int = 0
    need: int = 1
    want: int = 1


def at(hour: float, date: dt.date = SATURDAY, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), zone) + dt.timedelta(hours=hour)


def days(first: dt.date, many: int) -> tuple[Day, ...]:
    return tuple(Day(first + dt.timedelta(number), today=number == 1) for number in range(many))


def heat(*panels: Panel, title: str = "title") -> Heat:
    return Heat(title, "as of", panels, (SATURDAY, 0.5))


def drawn(whole: Heat, width: int, paint: Paint = NONE) -> list[str]:
    return ["".join(text for text, _style in line) for line in heat_lines.lines(whole, width, paint)]


def test_numbers_become_levels() -> None:
    assert [level_of(*numbers) for numbers in ((0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 2), (1, 0, 1, 1), (2, 0, 1, 1),
                                                (4, 0, 1, 2), (0, 0, 0, 0), (1, 1, 2, 2), (1, 5, 2, 3))] == [
        Level.SHORT, Level.BACKUP, Level.TIGHT, Level.ENOUGH, Level.MORE, Level.PLENTY, Level.IDLE, Level.BACKUP,
        Level.BACKUP,
    ]  # fmt: skip


def test_a_gap_of_a_minute_is_seen() -> None:
    spans = [Span(at(0), at(3.01)), Span(at(3.01), at(3.03), have=0), Span(at(3.03), at(24))]
    (row,) = rows_of(spans, days(SATURDAY, 1), SHANGHAI)
    assert [one.level if one else None for one in row.quarters].count(Level.SHORT) == 1
    whole = heat(Panel("投诉", (row,)))
    for width in (40, 80, 140):
        assert any(PLAIN[Level.SHORT] in line for line in drawn(whole, width)[:-2])
    picture = ElementTree.fromstring(heat_picture.draw(whole))
    assert len([one for one in picture.iter(f"{SVG}rect") if one.get("class") == "c-short"]) == 2  # and the legend's


def test_numbers_of_the_clock_that_is_put_forward_and_back() -> None:
    spring, autumn = dt.date(2027, 3, 28), dt.date(2027, 10, 31)
    (row,) = rows_of([Span(at(0, spring, BERLIN), at(24, spring, BERLIN))], days(spring, 1), BERLIN)
    assert [place for place, one in enumerate(row.quarters) if one is None] == [8, 9, 10, 11]
    begins = dt.datetime(2027, 10, 31, 0, 0, tzinfo=dt.UTC)  # 02:00 in summer time, then 02:00 in winter time
    hour = dt.timedelta(hours=1)
    spans = [Span(begins, begins + hour), Span(begins + hour, begins + 2 * hour, have=0)]
    (row,) = rows_of(spans, days(autumn, 1), BERLIN)
    assert {one.level for one in row.quarters[8:12] if one} == {Level.SHORT}


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    edges = sorted(draw(st.sets(st.integers(0, 3 * 1440), min_size=2, max_size=12)))
    number = st.integers(0, 3)
    return [
        Span(at(one / 60), at(other / 60), draw(number), draw(number), draw(number), draw(number))
        for one, other in itertools.pairwise(edges) if draw(st.booleans())
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(spans())
def test_every_minute_is_shown_at_its_level_or_a_worse_one(covers: list[Span]) -> None:
    rows = rows_of(covers, days(SATURDAY, 3), SHANGHAI)
    shown = [one for row in rows for one in row.quarters]
    plain: list[Quarter | None] = [None] * len(shown)
    for cover in covers:
        here = Quarter.of(cover)
        first, last = ((time - at(0)) // dt.timedelta(minutes=1) for time in cover[:2])
        for minute in range(first, last):
            known = plain[minute // 15]
            plain[minute // 15] = here if known is None else worse(known, here)
    assert shown == plain


names = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["<script>", "a&b\"'", "\x00\x08", "\ufffe", "投诉", "]]>"]
)


@settings(max_examples=40, deadline=None)
@given(spans(), names, st.sampled_from([40, 60, 80, 112, 140]))
def test_no_line_is_too_wide_and_every_picture_is_whole(covers: list[Span], name: str, width: int) -> None:
    rows = rows_of(covers, days(SATURDAY, 3), SHANGHAI)
    whole = heat(Panel(name, rows, (Gap(name), Gap(name, True))), title=name)
    for paint in (COLOUR, NONE):
        assert all(cell_len(line) <= width for line in drawn(whole, width, paint))
    picture = ElementTree.fromstring(heat_picture.draw(whole))
    known = {SVG + tag for tag in ("svg", "title", "style", "rect", "text", "line", "circle")}
    assert {one.tag for one in picture.iter()} <= known
    cells = [one for one in picture.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
    assert len(cells) == sum(len(runs(row.quarters)) for row in rows)


def test_in_colour_the_halves_of_a_column_differ() -> None:
    covers = [Span(at(0), at(6)), Span(at(6), at(6.25), have=0), Span(at(6.25), at(24))]
    whole = heat(Panel("投诉", rows_of(covers, days(SATURDAY, 1), SHANGHAI)))
    shown = itertools.chain.from_iterable(heat_lines.lines(whole, 80, COLOUR))
    (style,) = [style for text, style in shown if text == heat_lines.LEFT]
    assert style == f"{LEVELS[Level.SHORT].dark.fill} on {LEVELS[Level.ENOUGH].dark.fill}"
    assert not any(heat_lines.LEFT in line for line in drawn(whole, 140, COLOUR))


def test_where_there_is_room_there_are_numbers() -> None:
    covers = [Span(at(0), at(3), 2), Span(at(3), at(6), 0), Span(at(6), at(12), 0, 1), Span(at(12), at(24), 3, 0, 1, 2)]
    whole = heat(Panel("投诉", rows_of(covers, days(SATURDAY, 1), SHANGHAI)))
    for paint in (COLOUR, NONE):
        line = next(line for line in drawn(whole, 80, paint) if line.startswith("02-06"))
        assert "0/1" in line and "0+1" in line and "2" in line and "3" in line


def test_the_picture_follows_light_and_dark_and_tells_each_span() -> None:
    said = (Gap("a gap"), Gap("filled", True))
    whole = heat(Panel("投诉", rows_of([Span(at(3), at(6), 0)], days(SATURDAY, 1), SHANGHAI), said))
    picture = heat_picture.draw(whole)
    assert "prefers-color-scheme: dark" in picture and LEVELS[Level.SHORT].dark.fill in picture
    assert "prefers-color-scheme" not in heat_picture.draw(whole, "light")
    assert LEVELS[Level.ENOUGH].light.fill not in heat_picture.draw(whole, "dark")
    told = [one.text or "" for one in ElementTree.fromstring(picture).iter(f"{SVG}title")]
    assert any("03:00–06:00" in words and "投诉" in words for words in told)
    inks = {one.text: one.get("class") for one in ElementTree.fromstring(picture).iter(f"{SVG}text")}
    assert (inks["a gap"], inks["filled"]) == ("short", "filled")
    styles = {text: style for line in heat_lines.lines(whole, 80, COLOUR) for text, style in line}
    assert (styles["a gap"], styles["filled"]) == ("red", "yellow")


def test_characters_that_xml_does_not_have_are_replaced() -> None:
    assert clean("a<b\x00\ufffe") == "a&lt;b��"


def test_backups_count_only_where_somebody_is_missing() -> None:
    numbers = ((2, 0), (2, 1), (0, 2), (0, 1))
    covers = [Span(at(6 * place), at(6 * place + 6), *one) for place, one in enumerate(numbers)]
    (row,) = rows_of(covers, days(SATURDAY, 1), SHANGHAI)
    assert [(run.first, run.end) for run in runs(row.quarters)] == [(0, 48), (48, 72), (72, 96)]


def test_a_long_gap_is_folded_not_cut() -> None:
    words = "2027-02-06 03:00–06:00，投诉：需 1 人，在岗 0 人；8003 王芳请假，8004 陈伟请假，没有备班。" * 2
    whole = heat(Panel("投诉", rows_of([Span(at(3), at(6), 0)], days(SATURDAY, 1), SHANGHAI), (Gap(words),)))
    said = drawn(whole, 60)
    assert words.replace(" ", "") in "".join(said).replace(" ", "")
    shown = [one.text or "" for one in ElementTree.fromstring(heat_picture.draw(whole)).iter(f"{SVG}text")]
    assert words.replace(" ", "") in "".join(shown).replace(" ", "")


@given(st.text(st.sampled_from("ab 投，x(（）)“"), max_size=60), st.integers(2, 20))
def test_folded_text_keeps_every_word_within_the_room(words: str, room: int) -> None:
    lines = folded(words, room, cell_len)
    assert all(cell_len(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


def test_no_line_ends_with_an_opening_mark_or_begins_with_a_closing_one() -> None:
    words = "8001 张敏 请假（年假）；8002 李强 请假（病假）, no backup (none)."
    for room in range(12, 40):
        for line in folded(words, room, cell_len):
            assert line[-1] not in "（(" and line[0] not in "）；)"


def test_worst_of_nothing_is_closed() -> None:
    assert worst([None, None]) is None and worst([]) is None
    assert len(runs([None] * QUARTERS)) == 1


def test_a_font_with_chinese_characters_is_found_by_its_file(tmp_path: Any) -> None:
    (tmp_path / "x" / "wqy").mkdir(parents=True)
    assert fonts.installed([tmp_path]) is None
    (tmp_path / "x" / "wqy" / "wqy-microhei.ttc").touch()
    found = fonts.installed([tmp_path])
    assert found is not None and found.family == "WenQuanYi Micro Hei" and len(found.files) == 1
    better = ["NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"]
    for name in better:
        (tmp_path / name).touch()
    best = fonts.installed([tmp_path / "nowhere", tmp_path])
    assert best is not None and [path.name for path in best.files] == better


@pytest.mark.parametrize("environment", [{}, {"HOME": "/h", "XDG_DATA_DIRS": "/a:/b", "XDG_DATA_HOME": "/d"}])
def test_fonts_are_looked_for_where_fontconfig_does(environment: dict[str, str]) -> None:
    said = [str(one) for one in fonts.folders(environment)]
    assert ("/a/fonts" in said and "/d/fonts" in said) if environment else "/usr/share/fonts" in said
