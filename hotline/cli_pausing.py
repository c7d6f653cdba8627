"""``hotline recordings pause`` and ``resume``: of the talk that an agent is in, for somebody beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calllog.wording import GOOD
from config.catalogue import _
from hotline.cli_keep import recordings_app as recordings_app
from hotline.cli_options import Command, ConfigFolder, house, one_line_each, refuse
from hotline.show import console

AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help=_("Staff number of the agent who talks."))]


@recordings_app.command("pause", cls=Command, help=_("Pause the recording of an agent's talk: both sides are silence."))
@one_line_each()
def pause_command(agent: AgentArgument, config: ConfigFolder = Path("config")) -> None:
    """Until ``resume``, the end of the talk, or the longest pause."""
    _switch(agent, config, pause=True)


@recordings_app.command("resume", cls=Command, help=_("Let a paused recording go on."))
@one_line_each()
def resume_command(agent: AgentArgument, config: ConfigFolder = Path("config")) -> None:
    """One that is not paused goes on as it is."""
    _switch(agent, config, pause=False)


def _switch(agent: str, config: Path, *, pause: bool) -> None:
    from hotline import control

    settings, state = house(config)
    if agent not in settings.agents.agents:
        from hotline.no_such import no_agent

        refuse(no_agent(agent, settings.agents.agents))
    control.ask(state, "recording", agent=agent, pause=pause)
    said = _("The recording of {agent}'s talk is paused.") if pause else _("The recording of {agent}'s talk goes on.")
    console().print(said.format(agent=agent), style=GOOD)
