"""The daemon and the `hotline` command: wiring, start, stop, and what watches over both."""
