"""Faults on the real Asterisk with calls in every stage, each with a seed by which it can be repeated.

``python -m tests.chaos`` (``make chaos``) runs the long form and prints the table; ``test_*.py`` here are the short
form. A crowd of callers and agents' phones (``crowd``) lives on SIP of our own (``sip``, ``mouths``), ``faults``
strikes, and after each ``audit`` compares what the callers saw with the store, with Asterisk and with the daemon.
"""
