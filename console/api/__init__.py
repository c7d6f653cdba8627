"""The rooms' twins for programs, one module each, below ``/api/v1``; a module has a ``room``."""
