"""What Prometheus reads at ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .office import Office

JUDGING_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """Counters of the process, and gauges read from the database when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.batches = Counter("fourmusts_batches", "Batches committed, by zone", ["zone"], registry=self.registry)
        self.lines = Counter("fourmusts_lines", "Lines committed, by zone", ["zone"], registry=self.registry)
        self.judging_seconds = Histogram(
            "fourmusts_judging_seconds",
            "Judging a zone after a batch, storing included",
            buckets=JUDGING_BUCKETS_S,
            registry=self.registry,
        )

    def watch(self, office: Office) -> None:
        self.registry.register(_OfficeCollector(office))


class _OfficeCollector(Collector):
    def __init__(self, office: Office) -> None:
        self._office = office

    def collect(self) -> Iterator[Metric]:
        overview = self._office.views.overview()
        now_us = self._office.clock.now_us()
        heard = GaugeMetricFamily(
            "fourmusts_zone_silent_seconds", "Since the last batch of the zone was committed", labels=["zone"]
        )
        inside = GaugeMetricFamily("fourmusts_zone_inside", "People inside now", labels=["zone"])
        behind = GaugeMetricFamily(
            "fourmusts_zone_unjudged_lines", "Committed lines not judged yet", labels=["zone"]
        )
        kept = GaugeMetricFamily("fourmusts_zone_evidence", "Messages kept as evidence", labels=["zone"])
        findings = GaugeMetricFamily(
            "fourmusts_zone_findings",
            "Open findings of the last 24 hours and what still lasts",
            labels=["zone", "must", "verdict"],
        )
        for zone in overview.zones:
            if zone.heard_us is not None:
                heard.add_metric([zone.id], (now_us - zone.heard_us) / 1e6)
            inside.add_metric([zone.id], zone.inside)
            behind.add_metric([zone.id], zone.behind)
            kept.add_metric([zone.id], zone.kept)
            for cell in zone.musts:
                for verdict in ("breach", "unproven", "review"):
                    findings.add_metric([zone.id, str(cell.must), verdict], getattr(cell, verdict))
        pages = GaugeMetricFamily("fourmusts_live_pages", "Pages that follow live")
        pages.add_metric([], self._office.hub.followers)
        yield from (heard, inside, behind, kept, findings, pages)
