"""The hotline's state as Prometheus reads it. What is counted here comes from the same facts as the status room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from console.site import Facts
from phone.trunk_words import IN_SERVICE

KIND = "text/plain; version=0.0.4; charset=utf-8"
"""The type of the answer (Prometheus' text format)."""


class _Seen(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        yield from self._metrics


def exposed(facts: Facts, *, connections: int, streams: int) -> bytes:
    """The answer to ``GET /metrics``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Seen(_metrics(facts, connections, streams)))
    return generate_latest(registry)


def _metrics(facts: Facts, connections: int, streams: int) -> Iterator[Metric]:
    yield InfoMetricFamily("hotline", "The running hotline", {"version": facts.version, "asterisk": facts.asterisk})
    yield _one("hotline_started_timestamp_seconds", "When the daemon began", facts.began / 1e6)
    yield _one("hotline_in_service", "1 while calls are taken", facts.in_service)
    yield _one("hotline_asterisk_connected", "1 while ARI answers", facts.ari)
    yield _one("hotline_ami_connected", "1 while AMI answers, by which talks are recorded", facts.ami)
    yield _one("hotline_calls", "Calls that go on", facts.calls)
    yield _one("hotline_talks", "Agents who talk", facts.talking)
    yield _one("hotline_callers_waiting", "Callers in the queues", facts.waiting)
    yield _one("hotline_longest_wait_seconds", "The longest of the waits that last", facts.longest)
    yield _one("hotline_agents_ready", "Agents who are ready", facts.ready)
    yield _one("hotline_agents_on_duty", "Agents of the first line on duty by the roster", facts.on_duty)
    yield _one("hotline_backups_on_duty", "Backups on duty by the roster", facts.backups)
    yield _one("hotline_loop_lag_seconds", "The longest delay of the event loop in the last minute", facts.lag)
    yield _one("hotline_journal_degraded", "1 while the call store cannot be written", facts.store_fails)
    yield _one("hotline_journal_spool_bytes", "Bytes that wait in the spool for the store", facts.spool)
    yield _one("hotline_recordings_unfinished", "Recordings that are not finished yet", facts.archiving)
    yield _one("hotline_recordings_failing", "1 while recordings cannot be written", bool(facts.recordings_fail))
    yield _one("hotline_recordings_free_bytes", "Free on the disk of the recordings", facts.free)
    yield _one("hotline_recordings_disk_bytes", "Size of that disk", facts.size)
    errors = int(facts.config.get("error_count", 0) or 0)
    yield _one("hotline_config_errors", "Errors in the files of the configuration", errors)
    yield _one("hotline_config_pending_restart", "Keys that wait for a restart", len(facts.config.get("pending", ())))
    degraded = bool(facts.store_fails or facts.recordings_fail or facts.archive_gone)
    degraded = degraded or not facts.in_service or not facts.ami
    yield _one("hotline_degraded", "1 while anything of the above fails", degraded)
    trunks = GaugeMetricFamily("hotline_trunk_in_service", "1 while the trunk is in service", labels=["trunk", "state"])
    for name, state in facts.trunks.items():
        trunks.add_metric([name, state], float(state in IN_SERVICE))
    yield trunks
    yield _one("hotline_console_connections", "Connections to the console", connections)
    yield _one("hotline_console_streams", "Pages that follow what happens", streams)


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, float(value))
