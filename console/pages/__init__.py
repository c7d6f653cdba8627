"""The console's rooms, one module each; a module has a ``room``."""
