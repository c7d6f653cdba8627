"""The words for what is written about a call: a sentence for each event of ``calllog.quality_events``."""

from __future__ import annotations

from typing import assert_never

from calllog import events as ev
from calllog.wording import Names
from config.catalogue import _


def quality_words(event: ev.QualityEvent, names: Names) -> str:
    """What happened, as one sentence without a full stop."""
    match event:
        case ev.RecordWritten(version=version, by=by, complete=complete):
            said = _("Call record, version {n}, by {who}: complete") if complete else (
                _("Call record, version {n}, by {who}: incomplete")
            )
            return said.format(n=version, who=names.agent(by))
        case ev.RecordExtended(by=by):
            return _("{who} takes more time for the call record").format(who=names.agent(by))
    assert_never(event)
