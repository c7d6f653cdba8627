"""What roles and permissions are called, and the table of both for the pages in ``docs/``.

``python -m console.permit_words`` writes the table into docs/console.md and docs/console.zh-CN.md anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from config.catalogue import _, answering
from console.permits import TABLE, Role, Verb

DOCS = Path(__file__).resolve().parents[1] / "docs"
BEGIN, END = "<!-- permits -->", "<!-- /permits -->"


def role_word(role: Role) -> str:
    """The role as people say it."""
    return {
        Role.AGENT: _("agent"),
        Role.SUPERVISOR: _("supervisor"),
        Role.QUALITY: _("quality"),
        Role.ADMINISTRATOR: _("administrator"),
        Role.AUDITOR: _("auditor"),
        Role.DEPARTMENT: _("department"),
    }[role]


def roles_said(codes: str) -> str:
    """The roles of an entry of the access log: codes with commas between, or ``operator``, who gave a command."""
    known = {role.value: role_word(role) for role in Role} | {"operator": _("by command")}
    return _(", ").join(known.get(code, code) for code in codes.split(","))


def verb_word(verb: Verb) -> str:
    """The permission as people say it."""
    return {
        Verb.SELF: _("one's own account"),
        Verb.STATUS_READ: _("see how the hotline is"),
        Verb.METRICS_READ: _("read the metrics"),
        Verb.USERS_READ: _("see the users and their log"),
        Verb.USERS_EDIT: _("make and change users"),
        Verb.ACCESS_READ: _("see who heard and exported what"),
        Verb.DUTY_READ: _("see who is on duty"),
        Verb.AGENTS_READ: _("see the agents' states"),
        Verb.AGENTS_COMMAND: _("change other agents' states"),
        Verb.DESK_USE: _("work at a desk of one's own"),
        Verb.CALLS_READ: _("see calls"),
        Verb.NUMBER_SEE: _("see telephone numbers whole"),
        Verb.COMMENT_WRITE: _("comment on recordings"),
        Verb.RECORD_READ: _("read call records"),
        Verb.RECORD_WRITE: _("write call records"),
        Verb.RECORDING_HEAR: _("hear recordings"),
        Verb.RECORDING_PAUSE: _("pause a recording"),
        Verb.RECORDING_EXPORT: _("export recordings"),
        Verb.RECORDING_VERIFY: _("verify recordings"),
        Verb.HOLD_READ: _("see which calls are held"),
        Verb.HOLD_SET: _("set and lift legal holds"),
        Verb.PURGE_READ: _("see what is deleted by its time"),
        Verb.PURGE_RUN: _("delete recordings past their time"),
        Verb.PERSON_EXPORT: _("export what is kept about a number"),
        Verb.PERSON_ERASE: _("erase what is kept about a number"),
        Verb.REVIEW_READ: _("see reviews"),
        Verb.REVIEW_GRADE: _("grade calls"),
        Verb.REVIEW_PLAN: _("draw lists for grading"),
        Verb.REVIEW_FORMS: _("publish grading forms"),
        Verb.REVIEW_APPEAL: _("appeal against a review"),
        Verb.REVIEW_DECIDE: _("decide appeals"),
    }[verb]


def table(language: str) -> str:
    """The table for a page in this language."""
    with answering(language):
        head = ["", *(role_word(role) for role in Role)]
        rows = [[f"`{verb}` {verb_word(verb)}", *("✓" if role in may else "" for role in Role)]
                for verb, may in TABLE.items()]  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join([BEGIN, *(f"| {' | '.join(line)} |".replace("  ", " ") for line in lines), END])


def written(page: str, language: str) -> str:
    """The page with the table of today."""
    return re.sub(f"{BEGIN}.*{END}", lambda _found: table(language), page, flags=re.DOTALL)


PAGES = {"console.md": "en", "console.zh-CN.md": "zh"}

if __name__ == "__main__":
    for name, spoken in PAGES.items():
        (DOCS / name).write_text(written((DOCS / name).read_text(encoding="utf-8"), spoken), encoding="utf-8")
