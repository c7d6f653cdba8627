"""``hotline agents``: the state of each agent, and changing one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from calllog.wording import DIM, GOOD, MODE_STYLES, WARN, Names, mode_word, pause_word, with_why
from config.catalogue import _
from hotline.cli_options import (
    STORE,
    ConfigFolder,
    FormatOption,
    answer,
    house,
    micros,
    one_line_each,
    refuse,
    tell,
)
from hotline.in_force import in_our_words, told_of
from hotline.show import Column, Format, console, iso, show, since

if TYPE_CHECKING:
    from calllog.folds import AgentState
    from config.settings import Settings

# --- agents -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seat:
    """What is known of one agent; None: not known while the hotline does not run."""

    agent: str
    name: str
    state: AgentState
    on_duty: bool
    backup: bool
    break_until: int
    """µs since 1970 UTC; 0: no break."""
    reachable: bool | None
    devices: Mapping[str, bool | None]
    """By name; whether each can be reached."""

    @property
    def since(self) -> int:
        """When the present state began (µs); a turn kept through a ring began before it."""
        return (self.state.mode == "ready" and self.state.since) or self.state.changed_at


@one_line_each()
def agents(
    agent: Annotated[str | None, typer.Argument(metavar="AGENT", help=_("Staff number."))] = None,
    command: Annotated[
        Literal["sign-in", "sign-out", "ready", "pause", "extend"] | None,
        typer.Argument(
            metavar="sign-in|sign-out|ready|pause|extend",
            help=_("Sign in or out, bring back, pause, or give more time for the call record."),
        ),
    ] = None,
    reason: Annotated[str, typer.Argument(metavar="REASON", help=_("Why the agent is paused."))] = "",
    form: FormatOption = Format.TABLE,
    config: ConfigFolder = Path("config"),
) -> None:
    """The state of each agent; or change one."""
    settings, state = house(config)
    if agent is not None and agent not in settings.agents.agents:
        from hotline.no_such import no_agent

        refuse(no_agent(agent, settings.agents.agents))
    if agent is not None and command is not None:
        _change(settings, state, agent, command, reason)
        return
    from hotline import control

    try:
        status: Mapping[str, Any] | None = control.ask(state, "status")
    except control.NotRunning:
        status = None
    seats = _seats(settings, state, status)
    if agent is not None:
        seats = [seat for seat in seats if seat.agent == agent]
    if status is None:
        tell(_("The hotline is not running ('hotline run' starts it): this is what the store knows last."))
    else:
        if status.get("degraded"):
            tell(_("The store fails: events go to the spool."))
        for line in told_of(in_our_words(status.get("config", {}), config), settings.hotline.zone):
            tell(line)
    show(form, _seat_columns(settings), seats)


def _change(settings: Settings, state: Path, agent: str, command: str, reason: str) -> None:
    from hotline import control

    now = control.ask(state, "agent", agent=agent, command=command.replace("-", "_"), reason=reason)
    mode = now.get("mode", "")
    why = pause_word(str(now.get("reason", "")))
    line = _("{what}: {about}").format(what=Names.of(settings).agent(agent), about=mode_word(mode))
    if command == "pause" and mode != "paused":
        line += _(" (pauses afterwards)")
    if command == "sign-out" and mode != "off":
        line += _(" (signs out afterwards)")
    if now.get("record_due"):
        until = dt.datetime.fromtimestamp(int(now["until"]) / 1_000_000, settings.hotline.zone)
        line += _(" (the call record is due, until {time} at the longest)").format(time=until.strftime("%H:%M:%S"))
    console().print(with_why(line, why) if mode in ("paused", "off") else line)


def _seats(settings: Settings, state: Path, status: Mapping[str, Any] | None) -> list[_Seat]:
    from calllog import queries
    from calllog.folds import AgentState
    from routing.roster import Roster
    from routing.timetable import on_break

    stored = {row.agent: row for row in answer(queries.agent_rows(state / STORE), [])}
    live: Mapping[str, Any] = status.get("agents", {}) if status else {}
    roster, now = Roster.of(settings), dt.datetime.now(dt.UTC)
    duty = roster.lines(now)
    breaks = {number: micros(ends) or 0 for number, (_shift, ends) in on_break(roster, now).items()}
    seats = []
    for number in sorted({*settings.agents.agents, *live}):
        known = stored.get(number) or AgentState(number)
        told = live.get(number)
        if told is not None and told["mode"] != known.mode:
            known = AgentState(number, told["mode"], told["reason"])
        seats.append(
            _Seat(
                number,
                settings.agents.agents[number].name if number in settings.agents.agents else "",
                known,
                bool(told["on_duty"]) if told is not None else number in duty,
                bool(told.get("backup")) if told is not None else number in duty and duty[number].backup,
                int(told.get("break_until", 0)) if told is not None else breaks.get(number, 0),
                bool(told["reachable"]) if told is not None else (None if status is None else False),
                _devices(settings, number, told),
            )
        )
    return seats


def _devices(settings: Settings, number: str, told: Mapping[str, Any] | None) -> dict[str, bool | None]:
    known = settings.agents.agents.get(number)
    live: Mapping[str, Any] = told.get("devices", {}) if told is not None else {}
    names = list(live) or [device.label for device in (known.devices if known is not None else ())]
    return {name: bool(live[name]) if name in live else None for name in names}


def _seat_columns(settings: Settings) -> list[Column[_Seat]]:
    zone, prefix = settings.hotline.zone, f"{settings.hotline.asterisk.systemname}-"
    now = micros(dt.datetime.now(dt.UTC)) or 0

    def mode(seat: _Seat) -> tuple[str, str]:
        word = mode_word(seat.state.mode)
        why = pause_word(seat.state.reason) if seat.state.mode in ("paused", "off") else ""
        if seat.state.mode == "off" and seat.on_duty and not why:
            why = _("not signed in")
        if seat.state.mode == "ready" and seat.reachable is False:
            return with_why(word, _("unreachable")), WARN
        if seat.reachable is None and not seat.state.changed_at:
            return "–", DIM
        return with_why(word, why), MODE_STYLES[seat.state.mode]

    def duration(seat: _Seat) -> str:
        return since((now - seat.since) / 1e6) if seat.since else ""

    def yes(value: bool | None) -> tuple[str, str]:
        return ("?", DIM) if value is None else (_("yes"), GOOD) if value else (_("no"), DIM)

    def on_duty(seat: _Seat) -> tuple[str, str]:
        if seat.break_until:
            until = dt.datetime.fromtimestamp(seat.break_until / 1_000_000, zone)
            return _("break until {time}").format(time=until.strftime("%H:%M")), DIM
        return (_("backup"), GOOD) if seat.backup else yes(seat.on_duty)

    def reachable(seat: _Seat) -> tuple[str, str]:
        word, style = yes(seat.reachable)
        return word, WARN if seat.on_duty and seat.reachable is False else style

    def devices(seat: _Seat) -> str:
        """In the order in which they ring; what cannot be reached stands in brackets."""
        return " ".join(f"({name})" if reached is False else name for name, reached in seat.devices.items())

    return [
        Column("agent", lambda seat: seat.agent, _("Staff no.")),
        Column("name", lambda seat: seat.name, _("Name")),
        Column("mode", lambda seat: seat.state.mode, _("State"), mode),
        Column("reason", lambda seat: seat.state.reason),
        Column("since", lambda seat: iso(seat.since, zone), _("For"), duration, right=True),
        Column("on_duty", lambda seat: seat.on_duty, _("On duty"), on_duty),
        Column("backup", lambda seat: seat.backup),
        Column("break_until", lambda seat: iso(seat.break_until, zone)),
        Column("reachable", lambda seat: seat.reachable, _("Reachable"), reachable),
        Column("devices", lambda seat: list(seat.devices), _("Devices"), devices, shrinks=True),
        Column("missed", lambda seat: seat.state.missed),
        Column(
            "call_id",
            lambda seat: seat.state.call_id,
            _("Call"),
            lambda seat: seat.state.call_id.removeprefix(prefix),
        ),
    ]
