"""``hotline calls`` and ``hotline call``: the call log, and one call's story."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calllog.wording import OUTCOME_STYLES, outcome_word, stage_word
from config.catalogue import _
from hotline import cli_search as narrowed
from hotline.cli_options import STORE, ConfigFolder, FormatOption, answer, house, micros, one_line_each, refuse
from hotline.lifeboat import VIA
from hotline.no_such import no_call
from hotline.show import Column, Format, clock, iso, moment, number_shown, show

if TYPE_CHECKING:
    from calllog.queries import CallRow
    from config.settings import Settings

LAST = "last"
"""The name of the newest call."""

CANDIDATES = 10
"""How many calls are listed when a beginning fits several."""


@one_line_each()
def calls(
    since: narrowed.Since = None,
    until: narrowed.Until = None,
    number: narrowed.Number = None,
    agent: narrowed.Agent = None,
    queue: narrowed.Queue = None,
    subject: narrowed.Subject = None,
    outcome: narrowed.Outcome = None,
    length: narrowed.Length = None,
    hold: narrowed.Hold = None,
    silence: narrowed.Silence = None,
    talk_over: narrowed.TalkOver = None,
    score: narrowed.Score = None,
    rating: narrowed.Rating = None,
    words: narrowed.Words = None,
    limit: narrowed.Limit = 50,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The call log, the newest first."""
    settings, state = house(config)
    from calllog import queries
    from calllog.search import Wanted

    wanted = narrowed.wanted_of(
        settings, since=since, until=until, number=number, agent=agent, queue=queue, subject=subject, outcome=outcome,
        length=length, hold=hold, silence=silence, talk_over=talk_over, score=score, rating=rating, words=words,
    )  # fmt: skip
    found = narrowed.hits(state / STORE, wanted, limit)
    rows = answer(queries.calls_of(state / STORE, found.call_ids), [])
    show(form, _columns(settings), rows, empty=_("No calls yet.") if wanted == Wanted() else _("No such calls."))


def _columns(settings: Settings) -> list[Column[CallRow]]:
    from calllog.rating_words import rating_said
    from calllog.survey_words import RATING_STYLES

    zone, country = settings.hotline.zone, settings.hotline.country
    prefix = f"{settings.hotline.asterisk.systemname}-"
    now = dt.datetime.now(zone)

    def waited(row: CallRow) -> float | None:
        """Seconds from asking to the talk, or to the hang-up of who waited in vain."""
        if not row.asked_at:
            return None
        end = row.first_talk_at or (row.ended_at if row.outcome == "abandoned" else 0)
        if not end and not row.ended_at:
            end = micros(now) or 0
        return round(max(0, end - row.asked_at) / 1e6, 3) if end else None

    def talked(row: CallRow) -> float | None:
        return round(row.talk_us / 1e6, 3) if row.first_talk_at else None

    def shown(seconds: float | None) -> str:
        return "" if seconds is None else clock(seconds)

    def about(row: CallRow) -> str:
        return row.label or (_("(lifeboat)") if row.reason.startswith(VIA) else "")

    def rated(row: CallRow) -> tuple[str, str]:
        return rating_said(row.rating), RATING_STYLES.get(row.rating, "")

    def end(row: CallRow) -> tuple[str, str]:
        if row.outcome:
            return outcome_word(row.outcome), OUTCOME_STYLES.get(row.outcome, "")
        return stage_word(row.stage), "cyan"

    return [
        Column("call_id", lambda row: row.call_id, _("Call"), lambda row: row.call_id.removeprefix(prefix)),
        Column(
            "arrived_at", lambda row: iso(row.arrived_at, zone), _("Time"),
            lambda row: moment(row.arrived_at, zone, now),
        ),
        Column("direction", lambda row: row.direction),
        Column("number", lambda row: row.number, _("Number"), lambda row: number_shown(row.number, country)),
        Column("name", lambda row: row.name, _("Name"), shrinks=True, wide=True),
        Column("did", lambda row: row.did),
        Column("trunk", lambda row: row.trunk),
        Column("queue", lambda row: row.queue),
        Column("label", lambda row: row.label, _("About"), about, shrinks=True),
        Column("agents", lambda row: list(row.agents), _("Agent"), lambda row: " ".join(row.agents)),
        Column("rings", lambda row: row.rings, _("Rings"), right=True, wide=True),
        Column("asked_at", lambda row: iso(row.asked_at, zone)),
        Column("waited_s", waited, _("Wait"), lambda row: shown(waited(row)), right=True),
        Column("talked_s", talked, _("Talk"), lambda row: shown(talked(row)), right=True),
        Column("ended_at", lambda row: iso(row.ended_at, zone)),
        Column("stage", lambda row: row.stage),
        Column("outcome", lambda row: row.outcome, _("Outcome"), end),
        Column("reason", lambda row: row.reason),
        Column("recorded", lambda row: row.recorded, _("Rec."), lambda row: "●" if row.recorded else "", wide=True),
        Column("rating", lambda row: row.rating or None, _("Rating"), rated, wide=True),
    ]  # fmt: skip


@one_line_each()
def call(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help=_("Its beginning is enough; 'last': the newest."))],
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """One call from its arrival to its outcome."""
    settings, state = house(config)
    from calllog import queries
    from hotline import story

    detail = answer(queries.get_call(state / STORE, find_call(call_id, settings, state / STORE)), None)
    if detail is None:
        refuse(no_call(call_id))
    story.tell_call(detail, settings, state, form)


def find_call(text: str, settings: Settings, store: Path) -> str:
    """The one call that ``text`` means: its id, the beginning of it (with or without Asterisk's name), or ``last``.

    Refuses (exit status 1) where there is none, or more than one.
    """
    from calllog import queries

    if text == LAST:
        newest = answer(queries.list_calls(store, limit=1), [])
        if not newest:
            refuse(_("No calls yet."))
        return newest[0].call_id
    name = f"{settings.hotline.asterisk.systemname}-"
    found = answer(queries.call_ids(store, text, limit=CANDIDATES + 1), [])
    if not found and not text.startswith(name):
        found = answer(queries.call_ids(store, name + text, limit=CANDIDATES + 1), [])
    if not found:
        refuse(no_call(text))
    exact = [one for one in found if one in (text, name + text)]
    if len(found) > 1 and not exact:
        more = ["…"] if len(found) > CANDIDATES else []
        refuse(_("Several calls begin with {call}:").format(call=text), *found[:CANDIDATES], *more)
    return (exact or found)[0]
