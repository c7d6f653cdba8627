"""What costs CPU or memory is left to workers: the daemon itself does not even import it (DESIGN.md section 2)."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "soundfile", "soxr", "openpyxl", "alembic", "sqlalchemy", "cryptography", "phonenumbers.geocoder")


def test_the_daemon_imports_nothing_heavy() -> None:
    code = "import sys, hotline.daemon, hotline.cli_run; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(said.stdout.split())
    assert "routing.call" in loaded
    assert not loaded & set(HEAVY)
