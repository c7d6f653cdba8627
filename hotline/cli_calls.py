"""``hotline calls`` and ``hotline call``: the call log, and one call's story."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from calllog.wording import OUTCOME_STYLES, outcome_word, stage_word
from config.catalogue import _
from hotline.cli_options import STORE, ConfigFolder, FormatOption, answer, house, micros, one_line_each, refuse, when
from hotline.lifeboat import VIA
from hotline.show import Column, Format, clock, iso, moment, number_shown, show

if TYPE_CHECKING:
    from calllog.events import Outcome
    from calllog.queries import CallRow
    from config.settings import Settings

LAST = "last"
"""The name of the newest call."""

CANDIDATES = 10
"""How many calls are listed when a beginning fits several."""


@one_line_each()
def calls(
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help=_("From this moment on: 03:00, yesterday, 2 h ago …"))
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help=_("Before this moment."))] = None,
    outcome: Annotated[str | None, typer.Option(help=_("With this outcome: answered, voicemail, abandoned …"))] = None,
    agent: Annotated[str | None, typer.Option(help=_("In which this staff number talked."))] = None,
    number: Annotated[str | None, typer.Option(help=_("Whose number contains this."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help=_("At most so many, the newest."))] = 50,
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The call log, the newest first."""
    wanted = _outcome(outcome)
    settings, state = house(config)
    from calllog import queries

    rows = answer(
        queries.list_calls(
            state / STORE,
            since=micros(when(since, "--since", settings)),
            until=micros(when(until, "--until", settings)),
            outcome=wanted,
            agent=agent,
            number=number,
            limit=limit,
        ),
        [],
    )
    narrowed = any(each is not None for each in (since, until, outcome, agent, number))
    show(form, _columns(settings), rows, empty=_("No such calls.") if narrowed else _("No calls yet."))


def _outcome(text: str | None) -> Outcome | None:
    """The outcome by its code or by its word; wrong usage else."""
    from calllog.events import Outcome

    if text is None:
        return None
    known: tuple[Outcome, ...] = get_args(Outcome)
    for code in known:
        if text.strip().lower() in (code, outcome_word(code)):
            return code
    what = _("There is no outcome “{text}”; there are: {known}.")
    raise typer.BadParameter(what.format(text=text[:40], known=", ".join(known)), param_hint="--outcome")


def _columns(settings: Settings) -> list[Column[CallRow]]:
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
        refuse(_("There is no call {call}.").format(call=call_id))
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
        refuse(_("There is no call {call}.").format(call=text))
    exact = [one for one in found if one in (text, name + text)]
    if len(found) > 1 and not exact:
        more = ["…"] if len(found) > CANDIDATES else []
        refuse(_("Several calls begin with {call}:").format(call=text), *found[:CANDIDATES], *more)
    return (exact or found)[0]
