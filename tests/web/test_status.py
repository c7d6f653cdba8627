"""The status room says of each fault what it means and what to do, in both languages, and says it to programs too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.catalogue import answering
from console.condition import points, summary
from console.metrics import exposed
from console.records_today import written_today
from console.site import Facts
from tests.pure.journal_faults_play import put
from tests.pure.journal_play import short_call
from tests.web.conftest import Person
from tests.web.plain_site import Web


def facts_of(web: Web, **changes: Any) -> Facts:
    assert web.site.condition is not None
    return replace(web.site.condition, **changes)


@pytest.mark.parametrize(("changes", "part", "level"), [
    ({"ari": False}, "asterisk", "bad"), ({"ami": False}, "asterisk", "bad"), ({"adopted": False}, "asterisk", "warn"),
    ({"trunks": {"carrier": "refused"}}, "trunk-carrier", "bad"),
    ({"store_fails": True, "spool": 4096}, "store", "bad"),
    ({"trunks": {"carrier": "unreachable"}}, "trunk-carrier", "warn"),  # the example's own, on this machine
    ({"trunks": {"other": "unreachable"}}, "trunk-other", "bad"), ({"unreached": 4}, "people", "warn"),
    ({"unreached": 1}, "people", "warn"), ({"free": 10**8}, "disk", "bad"),
    ({"archive_gone": "/var/recordings"}, "recordings", "bad"),
    ({"recordings_fail": "spool: Permission denied"}, "recordings", "bad"), ({"unheard": 2}, "recordings", "bad"),
    ({"archiving": 80}, "recordings", "warn"),
    ({"config": {"errors": ["roster.yaml:3: no"], "error_count": 1}}, "roster", "bad"),
    ({"lag": 0.9}, "daemon", "warn"),
    ({"config": {"pending": {"asterisk.sip.port": "asterisk"}}}, "config", "warn"),
    ({"free": 3 * 10**9}, "disk", "warn"), ({"on_duty": 0, "backups": 0}, "people", "warn"),
])  # fmt: skip
async def test_each_fault_is_told_with_what_to_do(web: Web, changes: dict[str, Any], part: str, level: str) -> None:
    facts = facts_of(web, **changes)
    for language in ("zh", "en"):
        with answering(language):
            found = {point.name: point for point in points(facts, web.site.settings, web.site.now())}
            assert found[part].level == level and found[part].fix, language
            assert summary(found.values()).level in ("warn", "bad")
    with answering("zh"):
        assert summary(points(facts_of(web), web.site.settings, web.site.now())).level == "good"


async def test_errors_beyond_the_first_are_counted_and_who_cannot_be_reached_too(web: Web) -> None:
    facts = facts_of(web, config={"errors": [f"roster.yaml:{n}: no" for n in range(7)], "error_count": 30}, unreached=4)
    with answering("en"):
        found = {point.name: point for point in points(facts, web.site.settings, web.site.now())}
    assert found["config"].notes == (*(f"roster.yaml:{n}: no" for n in range(5)), "and 25 more")
    assert found["people"].value == "0 of 4 reachable" and "1 ready, 2 talking" in found["people"].notes
    assert found["people"].level == "warn", "a fresh install has no phones, and no carrier"
    hotline = web.site.settings.hotline
    carrier = hotline.trunks[0].model_copy(update={"addresses": ("198.51.100.20",)})
    settings = web.site.settings.model_copy(update={"hotline": hotline.model_copy(update={"trunks": (carrier,)})})
    found = {point.name: point for point in points(facts, settings, web.site.now())}
    assert found["people"].level == "bad"


async def test_the_day_s_call_records_are_a_figure_with_whose_are_missing(web: Web) -> None:
    put(web.site.journal, short_call("hotline-7.1"))
    put(web.site.journal, short_call("hotline-7.2"))
    await web.site.journal.flush()
    await web.site.records.write(
        "hotline-7.1", {"subject": "consult-order", "problem": "退款", "solved": "yes"}, by="8001"
    )
    await web.site.journal.flush()
    with answering("zh"):
        written = await written_today(web.site)
        *_others, point = points(facts_of(web), web.site.settings, web.site.now(), (), written)
    assert (point.name, point.level, point.value) == ("records", "good", "50.0%")
    assert point.notes == ("已接通 2 通，登记完整 1 通", "未完成：8001 张敏：1")


async def test_the_room_and_its_twins(admin: Person) -> None:
    web = admin.web
    web.site.condition = facts_of(web, ari=False)
    assert "Asterisk" in await admin.get("/status")
    assert "hotline asterisk start" in await admin.get("/status/now")
    found = await admin.get("/api/v1/status")
    assert '"level":"bad"' in found
    assert "hotline_in_service 0.0" in await admin.get("/metrics")
    assert await admin.get("/readyz", 503) and await admin.get("/healthz") == "ok\n"


async def test_metrics_are_what_prometheus_reads(web: Web) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    facts = facts_of(web, trunks={'a"b\n': "refused"})
    families = list(text_string_to_metric_families(exposed(facts, connections=2, streams=1).decode()))
    names = {family.name for family in families}
    assert {"hotline_calls", "hotline_degraded", "hotline_trunk_in_service", "hotline_loop_lag_seconds"} <= names
    trunk = next(family for family in families if family.name == "hotline_trunk_in_service")
    assert trunk.samples[0].labels == {"trunk": 'a"b\n', "state": "refused"} and trunk.samples[0].value == 0
