"""What Asterisk has of ours at one moment, and a channel that came in, in the words of the Phone port."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ari import Client
from ari.errors import AriError
from ari.model import Channel
from phone import port
from phone.names import Names
from phone.room import WAITING_ROOM
from phone.translate import AGENT_LEG, arrival, call_of, clean

HUSK = "Surrogate/"
"""The name of what is left where Asterisk moved a channel out of the dialplan (ast_channel_yank, main/channel.c), as
Bridge() does for the lifeboat: no longer anybody's leg. Its thread ends it, at the latest after the dialplan's Wait()
of 10 s."""

HUSK_STAYS = timedelta(seconds=20)
"""One that is older is left over. A young one is let be: for a moment, before the move, it is not empty yet."""


async def snapshot(client: Client, names: Names) -> port.Snapshot:
    """Read it. Raises PhoneFault."""
    try:
        application = await client.applications.get()
        channels = await client.channels.list()
        bridges = await client.bridges.list()
    except AriError as error:
        raise port.PhoneFault(f"read what is there: {error}") from None
    ours = set(application.channel_ids)
    husks = {channel.id for channel in channels if _is_left_over(channel, datetime.now(UTC))}
    legs = {
        channel.id: port.LiveLeg(
            channel.id,
            call_of(channel.id),
            channel.state == "Up",
            # An agent's leg that rings is in no application yet, and never goes into the dialplan.
            channel.id in husks
            or (channel.id in ours and (channel.dialplan.app_name == "Stasis" or channel.id.endswith(AGENT_LEG))),
            None
            if channel.id.endswith(AGENT_LEG) or channel.id in husks or channel.dialplan.context == names.of_phones
            else arrival_of(names, channel, ()),
        )
        for channel in channels
    }
    mine = {bridge.id: port.LiveBridge(bridge.id, tuple(bridge.channels)) for bridge in bridges}
    mine.pop(WAITING_ROOM, None)
    return port.Snapshot(legs, {name: bridge for name, bridge in mine.items() if name.endswith("-bridge")})


def _is_left_over(channel: Channel, now: datetime) -> bool:
    made = channel.creationtime
    return channel.name.startswith(HUSK) and made is not None and now - made > HUSK_STAYS


def dialled_of(names: Names, channel: Channel, args: Sequence[str]) -> port.Dialled:
    """A code that an agent's phone dialled: the endpoint says whose it is, never what the phone writes of itself."""
    account = clean(names.name(channel.name.rpartition("-")[0]), 40)
    return port.Dialled(channel.id, account, clean(args[1] if len(args) > 1 else "", 20))


def arrival_of(names: Names, channel: Channel, args: Sequence[str]) -> port.Arrival:
    """The caller on this channel; ``args`` are those of Stasis()."""
    trunk = clean(names.name(channel.name.rpartition("-")[0]), 40)
    did = args[1] if len(args) > 1 else channel.dialplan.exten
    caller, up = channel.caller, channel.state == "Up"
    return arrival(channel.id, caller.number, caller.name, ("incoming", did, trunk), up)
