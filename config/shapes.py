"""The shapes of single values that an operator sets: names, numbers, addresses, times. ``config.settings`` uses them.

Text that is rendered into Asterisk's files is held to what cannot break them.
"""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number")
    return value


def time_zone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("time_zone", "a time zone")
    return value


def _wall_time(value: object) -> object:
    """Only HH:MM: left alone, pydantic would take ``0600`` for 600 seconds past midnight."""
    if isinstance(value, dt.time) or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", value)):
        text = str(value)
        return "00:00" if text == "24:00" else text.zfill(5)
    raise PydanticCustomError("wall_time", "a wall time")


def _date(value: object) -> object:
    """Only YYYY-MM-DD: left alone, pydantic would take ``20260101`` for seconds since 1970."""
    is_written = isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    if is_written or isinstance(value, dt.date):
        return value
    raise PydanticCustomError("calendar_date", "a date")


def _moment(value: object) -> dt.date:
    """YYYY-MM-DD, a date; or YYYY-MM-DD HH:MM, a time on the wall (24:00 ends the day)."""
    if isinstance(value, dt.date):  # a datetime is one too
        return value
    written = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{1,2}):([0-9]{2}))?", str(value))
    try:
        date = dt.date.fromisoformat(written[1] if written else "")
        if not written or written[2] is None:
            return date
        if (written[2], written[3]) == ("24", "00"):
            return dt.datetime.combine(date + dt.timedelta(days=1), dt.time())
        return dt.datetime.combine(date, dt.time(int(written[2]), int(written[3])))
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment", "a date, or a date with a time") from None


def _moment_written(value: dt.date) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, dt.datetime) else value.isoformat()


LONGEST_SHIFT = dt.timedelta(hours=72)
"""Of wall time: three days are the longest duty that anybody is given in one piece."""


def _length(value: object) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        length = value
    else:
        written = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", str(value))
        length = dt.timedelta(hours=int(written[1]), minutes=int(written[2])) if written else dt.timedelta()
    if not dt.timedelta() < length <= LONGEST_SHIFT:
        raise PydanticCustomError("shift_length", "a length")
    return length


def _length_written(value: dt.timedelta) -> str:
    minutes = value // dt.timedelta(minutes=1)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def ip(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise PydanticCustomError("ip_address", "an IP address") from None


def network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise PydanticCustomError("ip_network", "a network") from None


_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*\.?")


def host(value: str) -> str:
    """An IP address or a host name; four numbers with dots must be an address."""
    if re.fullmatch(r"[0-9.]+", value) or ":" in value:
        return ip(value)
    if not _HOST.fullmatch(value):
        raise PydanticCustomError("host", "a host")
    return value


def peer(value: str) -> str:
    """host, host:port or network/prefix."""
    return network(value) if "/" in value else host_port(value)


def host_port(value: str) -> str:
    """host or host:port."""
    name, colon, port = value.rpartition(":")
    if not colon or ":" in name:
        return host(value)
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise PydanticCustomError("host", "a host")
    return f"{host(name)}:{int(port)}"


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
"""A key that also becomes part of a file name or of Asterisk's configuration."""

StaffNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,12}$")]
"""工号: 2 to 12 digits; an agent's immutable name."""

DialString = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,20}$")]
"""A telephone number as it is dialled."""

SipAccount = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""The user part of a phone's SIP address; most phones are simply their extension's number."""

Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")]
"""One key of a telephone."""

Text = Annotated[
    str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$")
]
"""One line of text for people."""

Label = Annotated[Text, StringConstraints(max_length=60)]
Whole = Annotated[int, BeforeValidator(_not_bool)]
Port = Annotated[Whole, Field(ge=1, le=65535)]
Number = Annotated[float, BeforeValidator(_not_bool), Field(ge=0, allow_inf_nan=False)]
Balance = Annotated[float, BeforeValidator(_not_bool), Field(ge=-10_000, le=10_000, allow_inf_nan=False)]
"""Hours that somebody has, or owes."""

Seconds = Annotated[Number, Field(le=86_400)]
Wait = Annotated[Seconds, Field(ge=0.1)]
"""A time that must pass, in seconds; with 0 two rings or announcements would have no pause between them."""

WallTime = Annotated[
    dt.time, BeforeValidator(_wall_time), PlainSerializer("{:%H:%M}".format, return_type=str, when_used="json")
]
"""HH:MM; 24:00 is the midnight that ends the day."""

Day = Annotated[dt.date, BeforeValidator(_date)]

Moment = Annotated[dt.date, PlainValidator(_moment), PlainSerializer(_moment_written)]
"""A date, or a naive ``datetime``: a date with a time on the wall."""

Length = Annotated[dt.timedelta, PlainValidator(_length), PlainSerializer(_length_written)]
"""HH:MM of wall time, more than nothing and at most 72:00."""

DayWord = Literal[
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday", "restday", "holiday", "festival", "makeup"
]
"""A weekday, or a kind of day of the Chinese calendar (``routing.calendar``)."""

Level = Annotated[Whole, Field(ge=1, le=9)]
"""How well an agent can do something; higher is better."""
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]{1,500}$")]
PromptName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Code = Annotated[str, StringConstraints(pattern=r"^\*[0-9*#]{1,8}$")]
"""What an agent dials on their own phone."""

PauseReason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
"""Part of the name of the prompt that says it; without the ``_`` that the hotline's own reasons have."""

ShiftName = Annotated[Text, StringConstraints(max_length=20)]
TeamName = Annotated[Text, StringConstraints(max_length=20)]
Note = Annotated[str, StringConstraints(max_length=200)]
Language = Literal["zh", "en"]


class Part(BaseModel):
    """Base of every model: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, coerce_numbers_to_str=True)
