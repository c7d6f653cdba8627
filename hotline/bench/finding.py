"""How long it takes to find some of very many calls: by each wish alone, by usual combinations, and by nasty ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from calllog.search import Span, Wanted, count, find
from hotline.bench.many_calls import NEWEST, RARE, SECOND, YEARS, many_calls

DAY = 86_400 * SECOND
TIMES = 5
"""So often each is asked; the middle counts."""

ALONE: dict[str, Wanted] = {
    "newest": Wanted(),
    "a day": Wanted(since=NEWEST - DAY),
    "a day long ago": Wanted(since=NEWEST - 730 * DAY, until=NEWEST - 729 * DAY),
    "four digits": Wanted(number="1388"),
    "the last digits": Wanted(number="5000"),
    "two digits": Wanted(number="77"),
    "a beginning": Wanted(number="138"),
    "an area": Wanted(number="0755 2"),
    "a whole number": Wanted(number="13800007919"),
    "a number of nobody": Wanted(number="999999999"),
    "hidden numbers": Wanted(number=""),
    "a busy agent": Wanted(agent="8005"),
    "an agent who seldom talked": Wanted(agent="8998"),
    "an agent of nobody": Wanted(agent="9999"),
    "a queue": Wanted(queue="night"),
    "a common outcome": Wanted(outcome="answered"),
    "a rare outcome": Wanted(outcome="refused"),
    "a subject": Wanted(subjects=("subject-3",)),
    "subjects": Wanted(subjects=("subject-3", "subject-30", "subject-31")),
    "long talks": Wanted(length=Span(300 * SECOND)),
    "very long talks": Wanted(length=Span(3_600 * SECOND)),
    "short talks": Wanted(length=Span(0, 5 * SECOND)),
    "holds": Wanted(hold=Span(60 * SECOND)),
    "long silences": Wanted(silence=Span(30 * SECOND)),
    "very long silences": Wanted(silence=Span(120 * SECOND)),
    "much talk-over": Wanted(talk_over=Span(10 * SECOND)),
    "rated calls": Wanted(ratings=(1, 2, 3, 4, 5)),
    "bad ratings": Wanted(ratings=(4, 5)),
    "the worst rating": Wanted(ratings=(5,)),
    "messages": Wanted(category="voicemail"),
    "a common word": Wanted(words="退款"),
    "a rare word": Wanted(words=RARE),
    "a word of nobody": Wanted(words="紫色独角兽"),
    "a sentence": Wanted(words="客户来电要求退款"),
    "one character": Wanted(words="退"),
    "an order's number": Wanted(words="A0000333"),
}
TOGETHER: dict[str, Wanted] = {
    "a rare word, all years": Wanted(words=RARE, since=NEWEST - YEARS, until=NEWEST),
    "a number of nobody, all years": Wanted(number="1380000791999", since=NEWEST - YEARS, outcome="answered"),
    "a number and a rare outcome": Wanted(number="1388", outcome="failed"),
    "an agent and a common word": Wanted(agent="8001", words="退款"),
    "an agent and a rare word": Wanted(agent="8001", words=RARE),
    "an agent and what cannot be": Wanted(agent="8001", outcome="abandoned"),
    "a queue and what cannot be": Wanted(queue="inquiry", outcome="menu"),
    "a length and what cannot be": Wanted(length=Span(300 * SECOND), outcome="abandoned"),
    "a word and what cannot be": Wanted(words="退款", category="voicemail"),
    "a hold longer than the talk": Wanted(hold=Span(30 * SECOND), length=Span(0, 10 * SECOND)),
    "silence and talk-over": Wanted(silence=Span(20 * SECOND), talk_over=Span(8 * SECOND)),
    "a silence and what cannot be": Wanted(silence=Span(10 * SECOND), outcome="abandoned"),
    "bad ratings long ago": Wanted(ratings=(4, 5), since=NEWEST - 730 * DAY, until=NEWEST - 700 * DAY),
    "bad ratings of an agent": Wanted(ratings=(4, 5), agent="8005"),
    "bad ratings and a low score": Wanted(ratings=(4, 5), score=Span(0, 599)),
    "bad ratings and long silences": Wanted(ratings=(4, 5), silence=Span(30 * SECOND)),
    "bad ratings and a common word": Wanted(ratings=(4, 5), words="退款"),
    "bad ratings and a queue": Wanted(ratings=(4, 5), queue="night", outcome="answered"),
    "a rating and what cannot be": Wanted(ratings=(1, 2, 3, 4, 5), outcome="abandoned"),
    "a bad rating and what cannot be": Wanted(ratings=(4, 5), category="voicemail"),
    "two words": Wanted(words="退款 取消订单"),
    "a subject and an agent": Wanted(subjects=("subject-39",), agent="8001"),
    "a week, a queue, an outcome, a word": Wanted(
        words="退款", queue="inquiry", outcome="answered", since=NEWEST - 7 * DAY
    ),
    "a word and a number": Wanted(words="退款", number="99999"),
    "everything": Wanted(
        since=NEWEST - YEARS, number="138", agent="8001", queue="inquiry", subjects=("subject-1",), outcome="answered",
        length=Span(60 * SECOND), hold=Span(1), words="退款",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FindSpeed:
    """Seconds: the slowest page by one wish, by several, and the slowest count; and which they were."""

    calls: int
    alone: float
    together: float
    counted: float
    slowest: tuple[str, str, str]


async def finding(folder: Path, size: int, tell: Callable[[int, int], None] | None = None) -> FindSpeed:
    """Ask the store of so many calls, which is made first where it is not there."""
    path = many_calls(folder, size, tell)
    pages: dict[str, float] = {}
    counts: dict[str, float] = {}
    for name, wanted in (ALONE | TOGETHER).items():
        took, counting = [], []
        for _time in range(TIMES):
            began = time.perf_counter()
            await find(path, wanted)
            found = time.perf_counter()
            await count(path, wanted)
            took.append(found - began)
            counting.append(time.perf_counter() - found)
        pages[name], counts[name] = median(took), median(counting)
    one, several = max(ALONE, key=pages.__getitem__), max(TOGETHER, key=pages.__getitem__)
    most = max(counts, key=counts.__getitem__)
    return FindSpeed(size, pages[one], pages[several], counts[most], (one, several, most))
