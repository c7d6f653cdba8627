"""Which builds of Asterisk lose sound, by what they say of themselves. Pure."""

from __future__ import annotations


def has_opus_patch(version: str) -> bool:
    """Whether an Asterisk of this version (``22.10.1+dfsg+~cs6…-1``) must be taken to have Debian's Opus patch.

    After a change of the agent such a build may leave the second one out of a recording that runs on (DESIGN.md
    section 5). Debian's own packages, and whatever is rebuilt from them, have ``dfsg`` in their version; no build of
    Asterisk's own source has. One that was rebuilt without the patch cannot be told from the others.
    """
    return "dfsg" in version
