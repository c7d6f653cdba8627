"""The Asterisk that carries the calls: got, configured, started and checked, without root."""
