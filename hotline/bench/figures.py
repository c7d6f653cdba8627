"""From measurements to figures: ratios with their spread over rounds, the targets, and whether each holds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from config.catalogue import _
from hotline.bench.finding import FindSpeed
from hotline.bench.inside import Decisions, JournalSpeed
from hotline.bench.measure import Busy, Rate, Talks
from hotline.bench.rosters import RosterSpeed


@dataclass(slots=True)
class Measured:
    """Everything that one run measured; what was left out is None or empty."""

    plain: list[Busy] = field(default_factory=list)
    hotline: list[Busy] = field(default_factory=list)
    cheap: list[Busy] = field(default_factory=list)
    """Queue() that records by itself."""
    calm_plain: list[Busy] = field(default_factory=list)
    calm_hotline: list[Busy] = field(default_factory=list)
    queue_free: list[list[float]] = field(default_factory=list)
    hotline_free: list[list[float]] = field(default_factory=list)
    idle_mb: tuple[float, float] | None = None
    talks_plain: Talks | None = None
    talks_hotline: Talks | None = None
    rate_plain: Rate | None = None
    rate_hotline: Rate | None = None
    journal: JournalSpeed | None = None
    decisions: list[Decisions] = field(default_factory=list)
    roster: RosterSpeed | None = None
    finding: FindSpeed | None = None
    screens: dict[str, Any] | None = None
    """What ``scripts/bench_screens.py`` says."""
    simulate: dict[str, Any] | None = None
    lifeboat: dict[str, Any] | None = None
    missing: list[str] = field(default_factory=list)
    """What could not be measured, in words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. ``seen`` is the figure, ``spread`` its least and most over the rounds.

    ``most`` or ``least`` is the target; with neither the line only tells. ``places``: decimals.
    """

    key: str
    name: str
    seen: float
    unit: str
    most: float | None = None
    least: float | None = None
    spread: tuple[float, float] | None = None
    places: int = 2

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.most is not None:
            return self.seen <= self.most
        return self.seen >= self.least if self.least is not None else None

    @property
    def target(self) -> str:
        """The target in words."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return f"≥ {self.least:,g}" if self.least is not None else ""

    def shown(self, value: float) -> str:
        """A value as the table shows it."""
        return f"{value:,.{self.places}f}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of all lies at or below (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered) - 1e-9) - 1))]


def lines(found: Measured) -> list[Line]:
    """The table: the targets first, then what else is worth knowing."""
    table: list[Line] = []
    if found.plain and found.hotline:
        table += _side_by_side(found)
    if found.queue_free and found.hotline_free:
        table += _free(found)
    if found.idle_mb is not None:
        table.append(Line("rss_idle_mb", _("Memory of the daemon, idle"), found.idle_mb[0], "MB", most=120, places=0))
    if found.talks_hotline is not None and found.talks_hotline.daemon_mb:
        seen = found.talks_hotline.daemon_mb
        table.append(Line("rss_200_calls_mb", _("Memory of the daemon at 200 calls"), seen, "MB", most=200, places=0))
    if found.journal is not None:
        table += _journal(found.journal)
    if found.decisions:
        table += _decisions(found.decisions)
    if found.roster is not None:
        table += _roster(found.roster)
    if found.finding is not None:
        table += _finding(found.finding)
    if found.screens is not None:
        table += _screens(found.screens)
    table += _others(found)
    return table


def _side_by_side(found: Measured) -> list[Line]:
    pairs = list(zip(found.plain, found.hotline, strict=False))

    def ratio(key: str, name: str, of: list[float], most: float | None) -> Line:
        return Line(key, name, fmean(of), "×", most=most, spread=(min(of), max(of)))

    whole = [b.cost.whole / a.cost.whole for a, b in pairs]
    bare = [(b.cost.asterisk + b.cost.daemon) / a.cost.whole for a, b in pairs]
    asterisk = [b.cost.asterisk / a.cost.asterisk for a, b in pairs]
    answer = [quantile(b.answer, 0.99) / quantile(a.answer, 0.99) for a, b in pairs]
    table = [
        ratio("cpu_per_call_ratio", _("CPU per call, all processes: Hotline / Queue()"), whole, 1.10),
        ratio("cpu_without_archive_ratio", _("… without making the FLAC (Queue() leaves a raw file)"), bare, None),
        ratio("cpu_asterisk_ratio", _("… Asterisk alone"), asterisk, None),
    ]
    if found.cheap:
        theirs = fmean(one.cost.whole for one in found.cheap)
        cheap = [one.cost.whole / theirs for one in found.hotline]
        name = _("… all processes, when Queue() itself starts the recorder")
        table.append(ratio("cpu_queue_recorder_ratio", name, cheap, None))
    table += [
        ratio("answer_delay_p99_ratio", _("INVITE to 200, p99: Hotline / Queue()"), answer, 1.5),
    ]
    if found.calm_plain and found.calm_hotline:
        calm = [
            quantile(b.answer, 0.99) / quantile(a.answer, 0.99)
            for a, b in zip(found.calm_plain, found.calm_hotline, strict=False)
        ]
        table.append(ratio("answer_delay_calm_p99_ratio", _("… at 5 calls a second"), calm, None))
    return table


def _free(found: Measured) -> list[Line]:
    def line(key: str, name: str, rounds: list[list[float]], most: float | None) -> Line:
        each = [quantile(one, 0.99) for one in rounds if one]
        whole = quantile([value for one in rounds for value in one], 0.99)
        return Line(key, name, whole, "s", most=most, spread=(min(each), max(each)), places=4)

    return [
        line("free_to_ring_p99_s", _("Agent's hang-up to the next ring, p99"), found.hotline_free, 0.02),
        line("queue_free_to_ring_p99_s", _("… with Queue()"), found.queue_free, None),
    ]


def _journal(speed: JournalSpeed) -> list[Line]:
    return [
        # What came in at 2,000 a second was all synced at the end of its ten seconds, to 1 % of them.
        Line("journal_events_s", _("Journal, events a second with full sync, steady"), speed.rate, "1/s", least=1_980,
             places=0),
        Line("journal_commit_p99_s", _("… wait for the disk meanwhile, p99"), speed.commit_p99, "s", places=4),
        Line("journal_most_events_s", _("… as fast as they are taken"), speed.most, "1/s", places=0),
    ]  # fmt: skip


def _decisions(found: list[Decisions]) -> list[Line]:
    table: list[Line] = []
    for one in found:
        if one.waiting == 10_000:
            name = _("Decision of the desk at 10,000 waiting and 2,000 agents, p99")
            table.append(Line("desk_p99_ms", name, one.p99 * 1000, "ms", most=1.0, places=3))
    last = found[-1]
    name = _("… growth of the median from {few:,} to {many:,} waiting").format(
        few=found[0].waiting, many=last.waiting
    )
    table.append(Line("desk_growth", name, last.growth, "×", most=round(last.logarithmic, 2)))
    return table


def _roster(speed: RosterSpeed) -> list[Line]:
    return [
        Line("roster_compile_s", _("Roster of 1,000 agents, a year of it compiled"), speed.compiled, "s", most=2.0),
        Line("roster_answer_us", _("… an answer, of the slowest kind"), speed.answer * 1e6, "µs", most=100, places=1),
        Line("roster_answer_p99_us", _("… p99"), speed.answer_p99 * 1e6, "µs", places=1),
    ]


def _finding(speed: FindSpeed) -> list[Line]:
    name = _("A page of {calls} calls, found by one wish: the slowest").format(calls=f"{speed.calls:,}")
    return [
        Line("find_one_s", name, speed.alone, "s", most=0.2, places=3),
        Line("find_several_s", _("… by several wishes together"), speed.together, "s", most=0.2, places=3),
        Line("find_count_s", _("… and counted up to 1,000"), speed.counted, "s", most=0.2, places=3),
    ]


def _screens(seen: dict[str, Any]) -> list[Line]:
    name = _("First paint of the slowest screen, {calls} calls and {agents} agents").format(
        calls=f"{seen['calls']:,}", agents=f"{seen['agents']:,}"
    )
    return [
        Line("paint_s", name, seen["paint_s"], "s", most=1.0),
        Line("first_load_kb", _("… and the heaviest first load"), seen["heaviest_bytes"] / 1000, "kB", most=500,
             places=0),
        Line("screens_late_p99_ms", _("… meanwhile the daemon answers others, p99"), seen["late_p99_s"] * 1000, "ms",
             places=1),
        Line("screens_calm_p99_ms", _("… and while nobody looks, p99"), seen["calm_p99_s"] * 1000, "ms", places=1),
    ]  # fmt: skip


def _others(found: Measured) -> list[Line]:
    table: list[Line] = []
    for key, name, of in (
        ("talks", _("Recorded talks at once before sound suffers"), (found.talks_hotline, found.talks_plain)),
        ("rate", _("Calls a second before the first fails"), (found.rate_hotline, found.rate_plain)),
    ):
        ours, theirs = of
        if ours is None or theirs is None:
            continue
        seen, other = (one.most if isinstance(one, Talks) else one.best for one in (ours, theirs))
        table.append(Line(f"{key}_hotline", name, seen, "", places=0))
        table.append(Line(f"{key}_queue", _("… with Queue()"), other, "", places=0))
    if found.simulate:
        took = float(found.simulate["seconds"])
        name = _("A day of 100,000 calls and 500 agents, simulated")
        table.append(Line("simulate_s", name, took, "s", most=60, places=1))
    if found.lifeboat:
        alone, many = found.lifeboat["alone_ms"]["median"] / 1000, found.lifeboat["at_once_ms"]["most"] / 1000
        table.append(Line("lifeboat_alone_s", _("Lifeboat, INVITE to 200, alone"), alone, "s", most=0.15, places=3))
        table.append(Line("lifeboat_50_at_once_s", _("… 50 at once, the slowest"), many, "s", most=1.5, places=3))
    return table


def as_json(found: Measured, table: Sequence[Line], about: dict[str, Any]) -> dict[str, Any]:
    """What goes into ``var/bench/latest.json``: the table's keys at the top, then all rounds."""
    ours = found.talks_hotline
    return {
        **about,
        **{line.key: round(line.seen, 6) for line in table},
        "spread": {line.key: [round(end, 6) for end in line.spread] for line in table if line.spread},
        "targets": {line.key: {"target": line.target, "holds": line.holds} for line in table if line.target},
        "rounds": {
            "queue": [_busy(one) for one in found.plain],
            "hotline": [_busy(one) for one in found.hotline],
            "queue_own_recorder": [_busy(one) for one in found.cheap],
            "queue_calm": [_busy(one) for one in found.calm_plain],
            "hotline_calm": [_busy(one) for one in found.calm_hotline],
        },
        "free_to_ring_s": {
            "queue": [[round(value, 5) for value in one] for one in found.queue_free],
            "hotline": [[round(value, 5) for value in one] for one in found.hotline_free],
        },
        "rss_workers_idle_mb": round(found.idle_mb[1], 1) if found.idle_mb else None,
        "rss_workers_200_calls_mb": round(ours.workers_mb, 1) if ours is not None else None,
        "talks": {
            name: {"most": one.most, "suffered": one.suffered, "lost": round(one.lost, 5),
                   "generator_late_p99_s": round(one.late, 4)}
            for name, one in (("queue", found.talks_plain), ("hotline", ours)) if one is not None
        },
        "calls_a_second": {
            name: {"best": one.best, "failed": one.failed, "steps": one.steps}
            for name, one in (("queue", found.rate_plain), ("hotline", found.rate_hotline)) if one is not None
        },
        "desk": [
            {"waiting": one.waiting, "agents": one.agents, "median_us": round(one.median * 1e6, 2),
             "p99_us": round(one.p99 * 1e6, 2), "growth": round(one.growth, 3), "log": round(one.logarithmic, 3)}
            for one in found.decisions
        ],
        "roster": dataclasses.asdict(found.roster) if found.roster is not None else None,
        "screens": found.screens,
        "simulate": found.simulate,
        "lifeboat": found.lifeboat,
    }  # fmt: skip


def _busy(one: Busy) -> dict[str, Any]:
    return {
        "rate": one.rate, "calls": one.calls, "good": one.good, "talks": one.talks, "talk_s": round(one.talk, 3),
        "asterisk_ms": round(one.cost.asterisk * 1000, 2), "daemon_ms": round(one.cost.daemon * 1000, 2),
        "workers_ms": round(one.cost.workers * 1000, 2),
        "answer_ms": {name: round(quantile(one.answer, share) * 1000, 2) for name, share in
                      (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1.0))} if one.answer else {},
        "lost": round(one.lost, 5), "generator_late_p99_s": round(one.late, 4),
    }  # fmt: skip
