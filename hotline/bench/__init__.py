"""``make bench``: what Hotline costs beside the dialplan and ``Queue()`` of today, on the same Asterisk."""
