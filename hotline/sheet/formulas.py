"""The formulas of the sheet, so that its numbers follow each edit: counts of people, hours, and who is missing.

A cell holds short words joined by +, so a shift is counted where ``+word+`` is found in ``+cell+``: COUNTIF alone would
find 早 in 早二 as well. FIND, unlike SEARCH, knows no wildcards and tells capitals apart. All of it works alike in
Excel 2010, WPS and LibreOffice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hotline.sheet.layout import Layout
from hotline.sheet.page import Group, Need, Page, Person, Segment, ShiftWord, covering, hours_away, taken
from hotline.sheet.words import Vocabulary

LONGEST_FORMULA = 8_000
"""Characters; Excel takes 8,192."""


def quoted(text: str) -> str:
    """The text as a formula writes it."""
    return '"' + text.replace('"', '""') + '"'


def found(short: str, cells: str) -> str:
    """TRUE for each of these cells that names the shift."""
    return f'ISNUMBER(FIND({quoted(f"+{short}+")},"+"&{cells}&"+"))'


def count(short: str, cells: str) -> str:
    """How many of these cells name the shift."""
    return f"SUMPRODUCT(--{found(short, cells)})"


def times(shorts: Iterable[tuple[str, float]], cells: str) -> str:
    """The sum over shifts of how many of these cells name it, times its number; 0 of no shift."""
    terms = [
        count(short, cells) if factor == 1 else f"{count(short, cells)}*{factor:g}"
        for short, factor in shorts
        if factor
    ]
    return "+".join(terms) or "0"


def hours(page: Page, row: int, person: Person, cells: str, layout: Layout) -> str:
    """A person's hours in the month; leave for a part of a shift goes off as long as its cell is as it was."""
    formula = times(((shift.short, shift.hours) for shift in page.shifts if not shift.backup), cells)
    for place, box in enumerate(person.boxes):
        if (lost := hours_away(page, box)) > 0:
            cell = f"{layout.column(place)}{row}"
            formula += f"-({cell}={quoted(layout.words.write(box.want))})*{lost:g}"
    return f"={formula}"


def nights(shifts: Iterable[ShiftWord], cells: str) -> str:
    """How many nights."""
    return "=" + times(((shift.short, 1) for shift in shifts if shift.night and not shift.backup), cells)


def rest(words: Vocabulary, cells: str) -> str:
    """Days without a shift."""
    return f"=COUNTIF({cells},{quoted(words.rest)})+COUNTBLANK({cells})"


def leave(leaves: Sequence[str], cells: str) -> str:
    """Days of leave."""
    return f"=SUMPRODUCT(COUNTIF({cells},{{{','.join(map(quoted, leaves))}}}))"


def able(short: str, people: str, date: str, pairs: Iterable[tuple[str, str]]) -> str:
    """How many of these people name the shift and have the skill on that date, by pairs of columns (from, to)."""
    held = "+".join(f"({since}<={date})*({until}>={date})" for since, until in pairs) or "0"
    return f"=SUMPRODUCT(({held})*{found(short, people)})"


def there(
    page: Page,
    group: Group,
    day: int,
    segment: Segment,
    counted: dict[tuple[int, str], str],
    cell_of: dict[tuple[int, str], str],
    words: Vocabulary,
) -> str:
    """How many there are in this part of this day: ``counted`` has the cells with :func:`able` by (day, shift)."""
    terms: list[str] = []
    constant = 0
    for back, shift in covering(page, segment):
        if day >= back:
            terms.append(counted[day - back, shift.name])
        else:
            constant += group.before.get((back - day, shift.name), 0)
    for on, person, _shift in taken(page, group, day, segment):
        cell = cell_of.get((on, person.number))
        if cell:
            terms.append(f"-({cell}={quoted(words.write(person.boxes[on].want))})")
    formula = "+".join(terms).replace("+-", "-")
    if constant or not formula:
        formula = f"{formula}+{constant}" if formula else str(constant)
    return f"={formula}"


Verdict = tuple[str, str]
"""A formula, and what it comes to now."""


def verdict(cells: Sequence[tuple[str, int, Need]], short: str) -> Verdict | None:
    """✓, △ (fewer than wished) or how many are missing at the worst time of the day, of cells with how many there are
    and are needed; None where nobody is needed."""
    asked = [one for one in cells if one[2].want > 0 or one[2].need > 0]
    if not asked:
        return None
    least = ",".join(f"{cell}-{need.need}" for cell, _there, need in asked)
    wished = ",".join(f"{cell}-{max(need.want, need.need)}" for cell, _there, need in asked)
    formula = f'=IF(MIN({least})<0,{quoted(short)}&-MIN({least}),IF(MIN({wished})<0,"△","✓"))'
    spare = min(there - need.need for _cell, there, need in asked)
    enough = all(there >= max(need.want, need.need) for _cell, there, need in asked)
    result = f"{short}{-spare}" if spare < 0 else "✓" if enough else "△"
    return (formula, result) if len(formula) < LONGEST_FORMULA else None
