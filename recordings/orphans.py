"""A worker process that ends with its daemon. Apart from the workers themselves, so that it costs nothing to import."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os


def end_with_parent() -> None:
    """End at once when the process that started this one is gone; for a thread of its own."""
    # A worker of concurrent.futures holds both ends of its job pipe, so that it never notices by itself that
    # its parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
