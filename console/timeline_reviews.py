"""What quality said of a call, as sentences of its timeline; no text that somebody wrote stands in them."""

from __future__ import annotations

from calllog import events as ev
from calllog.wording import Names
from config.catalogue import _, ngettext
from config.lengths import clock
from recordings.review_words import total


def review_words(event: ev.ReviewEvent | ev.FormPublished | ev.ListDrawn, names: Names) -> str:
    """What happened, as one sentence without a full stop."""
    match event:
        case ev.ReviewGiven(corrects=before):
            text = _("{by} graded {agent}: {score}") if not before else _("{by} graded {agent} anew: {score}")
            return text.format(by=names.person(event.by), agent=names.agent(event.agent), score=total(event.score))
        case ev.AppealMade():
            return _("{agent} appealed against the grade").format(agent=names.agent(event.agent))
        case ev.AppealDecided():
            return _("{by} decided the appeal: the grade stays").format(by=names.person(event.by))
        case ev.ExemplaryMarked(on=on):
            text = _("{by} marked the call as exemplary") if on else _("{by} took the mark “exemplary” away")
            return text.format(by=names.person(event.by))
        case ev.Commented():
            return _("{by} commented at {moment}").format(by=names.person(event.by), moment=clock(event.at_ms / 1000))
        case ev.CommentRemoved():
            return _("{by} took a comment back").format(by=names.person(event.by))
        case ev.FormPublished():
            return _("The form {form} is used as version {version}").format(form=event.form, version=event.version)
        case ev.ListDrawn():
            n = len(event.calls)
            text = ngettext(
                "{by} drew {n} call of {week} by the plan {plan}", "{by} drew {n} calls of {week} by the plan {plan}", n
            )
            return text.format(by=names.person(event.by), n=n, week=event.week, plan=event.plan)
