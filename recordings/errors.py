"""What can be wrong with a finished recording when it is read.

::

    Unreadable        it cannot be read to its end as sound
    ├── Damaged       a sealed file whose bytes are not those that were sealed, or those of another file
    └── NoKey         a sealed file whose key is not in the folder of keys
"""

from __future__ import annotations


class Unreadable(Exception):
    """A sound file that cannot be decoded to its end."""


class Damaged(Unreadable):
    """A sealed file that was changed, cut, put together anew, or put in another's place."""


class NoKey(Unreadable):
    """The key with which this was sealed (``key_id``; empty: any key at all) is not there."""

    def __init__(self, text: str, key_id: str = "") -> None:
        super().__init__(text)
        self.key_id = key_id
