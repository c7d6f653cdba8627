"""``hotline trunks``: each carrier, and whether it is in service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calllog.wording import DIM, GOOD, WARN
from config.catalogue import _
from hotline.cli_options import ConfigFolder, FormatOption, house, one_line_each, tell
from hotline.show import Column, Format, show
from phone.trunk_words import state_word

if TYPE_CHECKING:
    from config.problems import Problem
    from config.settings import Settings
    from config.telephony import Trunk
    from phone.trunk_state import TrunkState


@dataclass(frozen=True, slots=True)
class _Line:
    """A trunk and its state; None: Asterisk does not answer."""

    trunk: Trunk
    state: TrunkState | None


@one_line_each()
def trunks(form: FormatOption = Format.TABLE, config: ConfigFolder = Path("config")) -> None:
    """Each trunk in the order in which calls go out, and whether it is in service."""
    settings, state = house(config)
    lines = [_Line(trunk, None) for trunk in settings.hotline.trunks]
    try:
        known = states(settings, state)
    except OSError as error:
        asterisk = settings.hotline.asterisk
        at = f"{asterisk.own.host if asterisk.own is not None else '127.0.0.1'}:{asterisk.ami_port}"
        tell(_("Nobody answers at {at} (AMI): {reason}.").format(at=at, reason=error))
        if asterisk.own is None:
            tell(_("Start Asterisk with 'hotline asterisk start', or the whole hotline with 'make run'."))
        else:
            tell(_("Is your Asterisk running? 'hotline check' names what it lacks."))
    else:
        lines = [_Line(line.trunk, known[line.trunk.name]) for line in lines]
    show(form, _columns(), lines)


def states(settings: Settings, state: Path) -> dict[str, TrunkState]:
    """The trunks' states as Asterisk has them. Raises OSError when it does not answer, and AsteriskFault."""
    from hotline.asterisk.access import access, ask_ami
    from phone.ami import AmiError
    from phone.trunk_state import ask_trunk_states

    try:
        return ask_ami(access(settings, state), lambda ami: ask_trunk_states(ami, settings.hotline))
    except AmiError as error:
        raise OSError(str(error)) from None


def problems(settings: Settings, state: Path) -> Iterator[Problem]:
    """A trunk that is out of service at this moment; nothing while Asterisk does not answer. Raises AsteriskFault."""
    from config.problems import Place, Problem

    try:
        known = states(settings, state)
    except OSError:
        return
    for index, trunk in enumerate(settings.hotline.trunks):
        place = Place("hotline.yaml", 0, f"trunks[{index}]")
        if known[trunk.name] == "refused":
            what = _("The carrier of the trunk {name} refuses our registration.").format(name=trunk.name)
            fix = _("Is the account or its password wrong? Asterisk's messages.log has the carrier's answer.")
            yield Problem("trunk-refused", place, what, fix, warning=True)
        elif known[trunk.name] == "unreachable" and not trunk.is_example:  # of which check says a line of its own
            what = _("The carrier of the trunk {name} does not answer.").format(name=trunk.name)
            fix = _("Look at its address, the firewall and the certificates; if it answers no OPTIONS, set probe: 0.")
            yield Problem("trunk-unreachable", place, what, fix, warning=True)


def _columns() -> list[Column[_Line]]:
    def where(line: _Line) -> str:
        return line.trunk.registration.server if line.trunk.registration else _(", ").join(line.trunk.peers)

    def over(line: _Line) -> str:
        return line.trunk.transport.upper() + ("+SRTP" if line.trunk.srtp else "")

    def word(line: _Line) -> tuple[str, str]:
        if line.state is None:
            return "?", DIM
        if line.trunk.is_example and line.state == "unreachable":
            return _("the example's: no carrier is set yet"), DIM
        good = line.state in ("registered", "reachable")
        return state_word(line.state), GOOD if good else DIM if line.state == "unknown" else WARN

    return [
        Column("trunk", lambda line: line.trunk.name, _("Trunk")),
        Column("carrier", where, _("Carrier"), where, shrinks=True),
        Column("sip", over, "SIP"),
        Column("presents", lambda line: line.trunk.outgoing.present, _("Calls out as"),
               lambda line: line.trunk.outgoing.present or "–"),
        Column("state", lambda line: line.state, _("State"), word),
    ]  # fmt: skip
