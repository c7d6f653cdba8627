"""A plain site's store filled with recorded calls: real FLAC files of two voices, with waveforms, as the archive has
them. ``python -m tests.web.recorded [PORT] [FOLDER] [MANY]`` serves it for a person at a browser."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from calllog import events as ev
from config.review_file import Plan
from console import grade_lists
from console.accounts import User
from recordings.jobs import How
from recordings.remeasure import MeasureJob, remeasure
from recordings.sampling import week_of
from tests.pure.journal_play import short_call
from tests.web.plain_site import PASSWORD, USERS, Web, plain_web

RATE = 8_000
RATINGS = (1, 2, 5, 1, 3, 2, 4, 1)
"""What every third caller says, in turn; another third is asked and says nothing."""
DAY = 86_400_000_000


def voices(seconds: float, seed: int = 1) -> np.ndarray:
    """Two people who speak in turns, with a silence between: noise shaped as syllables."""
    chance = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    time = np.arange(frames) / RATE
    sound = np.zeros((frames, 2), np.int16)
    turn = seconds / 5
    for side, pitch in ((0, 140.0), (1, 210.0)):
        tone = sum(np.sin(2 * np.pi * pitch * (k + 1) * time) / (k + 1) for k in range(6))
        syllables = np.clip(np.sin(2 * np.pi * 3.1 * time + side) + 0.5, 0, 1) * chance.uniform(0.6, 1.0, frames)
        speaks = (time // turn).astype(int) % 3 == side
        sound[:, side] = (tone * syllables * speaks * 6_000).astype(np.int16)
    return sound


def fill(web: Web, many: int, seconds: float = 2.0, agents: tuple[str, ...] = ("8001", "8002"), name: str = "q",
         age: int = 7 * DAY) -> list[str]:  # fmt: skip
    """So many calls a minute apart, ``age`` (µs) ago, each with its recording; returns their ids. Blocking."""
    archive = web.site.folders.archive
    kinds = []
    for seed in range(3):
        first = archive / f"2026/11/25/seed{seed}.flac"
        first.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(first, voices(seconds, seed), RATE, format="FLAC")
        how = How(keys=str(web.site.state_dir / "keys"), silence_from=0.3, talk_over_from=0.3)
        done = remeasure(MeasureJob(str(archive), f"2026/11/25/seed{seed}.flac", "call", how))
        assert not done.fault
        data = first.read_bytes()
        kinds.append((data, hashlib.sha256(data).hexdigest(), first.with_name(f"{first.name}.measure").read_bytes()))
    began, made = web.site.now() - age, []
    for n in range(many):
        call, (data, digest, measure) = f"{name}-{n:04}.1", kinds[n % 3]
        file = f"2026/11/25/{call}.flac"
        (archive / file).write_bytes(data)
        (archive / f"{file}.measure").write_bytes(measure)
        frames = round(seconds * RATE)
        at = began + n * 60_000_000
        party = ev.Party(f"1380000{n:04}", f"+861380000{n:04}", "")
        for step, (_stream, _call, event, caller) in enumerate(short_call(call, party, agents[n % len(agents)])):
            if isinstance(event, ev.Archived):
                event = ev.Archived(category="call", file=file, sha256=digest, frames=frames, rate=RATE, channels=2,
                                    spans=(ev.Span(f"{call}-1", 0, frames, True),))  # fmt: skip
            if isinstance(event, ev.TalkEnded) and n % 3:
                event = ev.TalkEnded(talk_id=event.talk_id, agent=event.agent, by="agent")
            # the talk begins where the recording does, and lasts as long
            moment = at + (step * 100_000 if step <= 11 else 1_100_000 + round(seconds * 1e6) + step * 1000)
            web.site.journal.append("call", call, event, party=caller, at=moment)
            if isinstance(event, ev.TalkEnded) and n % 3:
                web.site.journal.append("call", call, ev.SurveyInvited(talk_id=event.talk_id), at=moment + 500)
                if n % 3 == 1:
                    said = RATINGS[n // 3 % len(RATINGS)]
                    web.site.journal.append("call", call, ev.Rated(talk_id=event.talk_id, rating=said), at=moment + 900)
        made.append(call)
    for path in archive.rglob("seed*"):
        path.unlink()
    return made


def graders(web: Web, *names: str, per_agent: int = 100) -> None:
    """These users are the graders of a plan that takes so many calls of each agent."""
    reviews = web.site.settings.reviews
    plan = Plan(form="service", graders=names, per_agent=per_agent, shortest=0)
    web.site.settings = web.site.settings.model_copy(
        update={"reviews": reviews.model_copy(update={"plans": {"weekly": plan}})}
    )


async def drawn(web: Web) -> int:
    """Draw for the week in which :func:`fill` put its calls, and the one before and after; returns how many."""
    import datetime as dt

    from console.permits import command_line

    users: list[User] = await grade_lists.users(web.office)
    n = 0
    for days in (14, 7, 0):
        week = week_of(web.site.wall() - dt.timedelta(days=days), web.site.settings.hotline.zone)
        drew, _gone = await grade_lists.draw(web.site, command_line("test"), week, users)
        n += sum(len(one.drawing.picks) for one in drew)
    return n


async def _serve(port: int, folder: Path, many: int) -> None:
    async with plain_web(folder, port=port) as web:
        graders(web, "quality")
        await asyncio.to_thread(fill, web, many, 24.0)
        await web.site.journal.flush()
        print(f"{await drawn(web)} calls are on the list of quality.")
        print(f"{web.url}  {', '.join(USERS)}: {PASSWORD}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    words = sys.argv[1:]
    where = Path(words[1] if len(words) > 1 else "var/recorded-site")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(words[0]) if words else 8400, where, int(words[2]) if len(words) > 2 else 200))
