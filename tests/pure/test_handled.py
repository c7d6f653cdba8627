"""How long recent callers took their agents, as a start reads it: with what was really taken for the call's record."""

from __future__ import annotations

from pathlib import Path

from calllog import events as ev
from hotline.calls import recent_talks
from routing.messages import Handled
from tests.pure.journal_play import new_store, open_journal

SECOND = 1_000_000
AT = 1_800_000_000 * SECOND


async def test_a_start_knows_what_records_took(tmp_path: Path) -> None:
    journal = await open_journal(new_store(tmp_path))

    def call(name: str, agent: str, at: int) -> None:
        """Rung at ``at`` (s), answered after 5 s, over 60 s later."""
        talk = f"{name}-1"
        for seconds, event in (
            (0, ev.Arrived(leg=name)), (0, ev.Enqueued(queue="inquiry", priority=5)),
            (0, ev.RingStarted(talk_id=talk, agent=agent, device=agent, leg="l")),
            (5, ev.TalkStarted(talk_id=talk, agent=agent, bridge="b")),
            (65, ev.TalkEnded(talk_id=talk, agent=agent, by="caller")),
        ):  # fmt: skip
            journal.append("call", name, event, at=AT + (at + seconds) * SECOND)

    def became(agent: str, at: int, mode: ev.AgentMode, talk: str = "", until: int = 0, free: int = 0) -> None:
        changed = ev.AgentChanged(mode=mode, talk_id=talk, until=until and AT + until * SECOND,
                                  free_from=free and AT + free * SECOND)  # fmt: skip
        journal.append("agent", agent, changed, at=AT + at * SECOND)

    became("8001", -50, "wrap_up", "before-1", until=30, free=-20)
    call("plain", "8001", 0)
    became("8001", 65, "wrap_up", "plain-1", until=95)
    call("late", "8002", 100)
    became("8002", 165, "wrap_up", "late-1", until=400, free=195)
    became("8002", 300, "ready")
    call("early", "8003", 200)
    became("8003", 265, "wrap_up", "early-1", until=400, free=295)
    became("8003", 270, "wrap_up", "early-1", until=295)  # complete: the ordinary wrap-up goes on
    became("8003", 295, "ready")
    call("still", "8004", 300)
    became("8004", 365, "wrap_up", "still-1", until=600, free=395)
    await journal.flush()
    assert await recent_talks(journal, AT + 400 * SECOND) == [
        Handled("inquiry", AT + 65 * SECOND, 65.0), Handled("inquiry", AT + 165 * SECOND, 200.0, 0.0),
        Handled("inquiry", AT + 265 * SECOND, 95.0, 0.0),
    ]  # fmt: skip
    await journal.close()
