"""Of every setting the table says when a change of it takes effect."""

from __future__ import annotations

import pytest

from config.effect import NEEDS, TABLE, concerns_asterisk, restart_values, waiting_for, without_restart
from config.load import load_settings
from tests.pure.config_play import EXAMPLE
from tests.pure.test_docs import FILES, READMES, leaves, text

BASE = load_settings(EXAMPLE)


@pytest.mark.parametrize("file", FILES)
def test_every_setting_is_in_the_table(file: str) -> None:
    known, said = {path for path, _field in leaves(FILES[file])}, set(TABLE[file])
    assert known <= said, f"config/effect.py does not say when these take effect: {sorted(known - said)}"
    assert said <= known, f"config/effect.py knows settings that are gone: {sorted(said - known)}"


def test_every_file_is_in_the_table() -> None:
    assert set(TABLE) == set(FILES)


@pytest.mark.parametrize("page", READMES)
def test_the_pages_name_every_key_that_needs_a_restart(page: str) -> None:
    said = text(page)
    for key in NEEDS:
        above = key.rpartition(".")[0]
        names = [f"`{key}`", f"`{above}.*`", f"`{above.rpartition('.')[0]}.*`"]
        assert any(name in said for name in names), key


def test_what_needs_a_restart_waits_for_it_and_the_rest_does_not() -> None:
    asterisk = BASE.hotline.asterisk
    sip = asterisk.sip.model_copy(update={"port": 5070})
    changed = asterisk.model_copy(update={"sip": sip, "ari_port": 9000})
    hotline = BASE.hotline.model_copy(update={"asterisk": changed, "company": "别的公司"})
    wanted = BASE.model_copy(update={"hotline": hotline})
    running = without_restart(wanted, BASE)
    assert running.hotline.company == "别的公司"
    assert running.hotline.asterisk.ari_port == asterisk.ari_port  # the daemon must go on finding Asterisk
    assert running.hotline.asterisk.sip.port == 5070  # Asterisk reads it at its next start
    began = restart_values(BASE)
    assert waiting_for(began, wanted, ("asterisk", "both")) == {
        "asterisk.sip.port": "asterisk", "asterisk.ari_port": "both",
    }  # fmt: skip
    assert waiting_for(began, wanted, ("daemon", "both")) == {"asterisk.ari_port": "both"}
    assert waiting_for(restart_values(wanted), wanted, ("daemon", "asterisk", "both")) == {}


@pytest.mark.parametrize(
    ("file", "key", "does"),
    [
        ("agents.yaml", "agents.8013", True), ("agents.yaml", "agents.8001.devices[0].sip", True),
        ("agents.yaml", "agents.8001.name", False), ("agents.yaml", "agents.8001.skills", False),
        ("hotline.yaml", "trunks[0].addresses", True), ("hotline.yaml", "numbers", True),
        ("hotline.yaml", "times.dead_phone", True), ("hotline.yaml", "times.ring", False),
        ("roster.yaml", "changes[0]", False), ("queues.yaml", "queues.inquiry.label", False),
    ],
)  # fmt: skip
def test_what_changes_asterisks_own_files(file: str, key: str, does: bool) -> None:
    assert concerns_asterisk(file, key) is does
