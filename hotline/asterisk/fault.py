"""What goes wrong around Asterisk, in the one line that the operator is shown."""

from __future__ import annotations


class AsteriskFault(Exception):
    """Asterisk cannot be had, configured or started; ``str()`` is one line in the operator's language."""
