"""The configuration of a hotline on trial: a copy of the tracked one, on free ports, with what the trial changes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hotline.outside.ports import free_ports

REPOSITORY = Path(__file__).resolve().parents[1]

RTP_PORTS = 400

PRESENTED = "02112345678"
"""The number that a trial's mobiles see."""


def copy_config(to: Path, state: Path, changes: Mapping[str, Any]) -> Path:
    """A copy of the tracked configuration, on free ports of loopback and with ``state`` as state folder.

    ``changes``: file stem to a tree that is laid over that file's; a value of None takes the key away.
    """
    to.mkdir(parents=True, exist_ok=True)
    rtp = free_ports(RTP_PORTS, run=True)
    sip, ari, ami, carrier, spare = free_ports(5)
    own: dict[str, Any] = {
        "state_dir": str(state),
        "asterisk": {
            "sip": {"bind": "127.0.0.1", "port": sip},
            "rtp": {"first": rtp[0], "last": rtp[-1]},
            "ari_port": ari,
            "ami_port": ami,
        },
        # The spare one is for a call from elsewhere while the trial's own carrier holds the first.
        "trunks": [
            {"name": "carrier", "addresses": [f"127.0.0.1:{carrier}"], "outgoing": {"present": PRESENTED}},
            {"name": "spare", "addresses": [f"127.0.0.1:{spare}"]},
        ],
        "console": {"enabled": False},
    }
    yaml = YAML()
    for file in sorted((REPOSITORY / "config").glob("*.yaml")):
        tree = yaml.load(file.read_text(encoding="utf-8"))
        if file.stem == "hotline":
            _lay_over(tree, own)
        _lay_over(tree, changes.get(file.stem, {}))
        with (to / file.name).open("w", encoding="utf-8") as out:
            yaml.dump(tree, out)
    sounds = REPOSITORY / "config" / "sounds"
    if sounds.is_dir():
        shutil.copytree(sounds, to / "sounds", dirs_exist_ok=True)
    return to


def _lay_over(tree: Any, changes: Mapping[str, Any]) -> None:
    written = {str(key): key for key in tree}
    for name, value in changes.items():
        key = written.get(name, name)
        if value is None:
            tree.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(tree.get(key), dict):
            _lay_over(tree[key], value)
        else:
            tree[key] = value
