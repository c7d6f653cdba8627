"""What can go wrong with the store, each with one clear line for a person.

::

    StoreError             base: the store cannot be used; str() is the line to show
    ├── StoreMissing       there is no store there (questions only; the journal makes one)
    ├── NotAStore          the file is something else, or damaged
    ├── StoreUnwritable    the folder or the file cannot be written
    ├── StoreNewer         made by a newer Hotline
    ├── StoreOutdated      made by an older Hotline, and not yet migrated (questions only; the journal migrates)
    ├── StoreInUse         another daemon writes it
    ├── MigrationFailed    the migration broke off; the store is as it was before
    └── StoreLost          a barrier: neither the store nor the spool took the event in time
"""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used; the text is one line for the operator."""


class StoreMissing(StoreError):
    """There is no store at this path."""


class NotAStore(StoreError):
    """The file is no store of Hotline's, or it is damaged."""


class StoreUnwritable(StoreError):
    """The folder or the file cannot be written."""


class StoreNewer(StoreError):
    """The store was made by a newer Hotline."""


class StoreOutdated(StoreError):
    """The store was made by an older Hotline; the daemon migrates it at its next start."""


class StoreInUse(StoreError):
    """Another daemon holds the store."""


class MigrationFailed(StoreError):
    """The store could not be brought to this version's shape."""


class StoreLost(StoreError):
    """Neither the store nor the spool took the event within the barrier's time; it is kept in memory only."""
