"""Alerts and dashboard speak of metrics that the controller has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controller.operator.metrics import Metrics
from tests.support.chart import CHART, Helm, only

ALL = {"monitoring": {name: {"enabled": True} for name in ("serviceMonitor", "rules", "dashboard")}}
SOURCES = Path(__file__).parents[2] / "controller" / "operator"
_METRIC = re.compile(r"\bw2s_[a-z_]+")
_LABELS = re.compile(r"\bby \(([^)]*)\)")
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
_TARGET_LABELS = {"namespace", "service", "pod", "le"}


def _exported() -> dict[str, set[str]]:
    """Names as Prometheus scrapes them, with their labels."""
    metrics = Metrics()
    named: dict[str, set[str]] = {}
    metrics.watch_refusals(lambda: [("research", "jobs")])
    for family in metrics.registry.collect():
        named |= {sample.name: set(sample.labels) for sample in family.samples}
    for metric in vars(metrics).values():
        for family in getattr(metric, "describe", lambda: ())():
            labels = set(metric._labelnames)
            named |= {f"{family.name}{suffix}": labels for suffix in _SUFFIXES[family.type]}
    return named


def _expressions(helm: Helm) -> Iterator[str]:
    objects = helm.objects(ALL)
    for group in only(objects, "PrometheusRule")["spec"]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    dashboard = json.loads(only(objects, "ConfigMap", "w2s-controller-dashboard")["data"]["w2s.json"])
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_expression_asks_for_metrics_and_labels_that_are_exported(helm: Helm) -> None:
    exported = _exported()
    assert len(exported) > 10
    for expression in _expressions(helm):
        names = set(_METRIC.findall(expression))
        assert names, expression
        assert names <= exported.keys(), expression
        known = _TARGET_LABELS.union(*(exported[name] for name in names))
        used = {label.strip() for found in _LABELS.findall(expression) for label in found.split(",")}
        used |= set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression))
        assert used <= known, expression


def test_every_metric_that_is_asked_for_is_written_somewhere(helm: Helm) -> None:
    attributes = {name for name, metric in vars(Metrics()).items() if hasattr(metric, "describe")}
    text = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    silent = {name for name in attributes if not re.search(rf"(metrics|self)\.{name}\.", text)}
    names = {getattr(Metrics(), name)._name for name in silent}
    asked = {metric for expression in _expressions(helm) for metric in _METRIC.findall(expression)}
    assert {
        metric for metric in asked if any(metric.startswith(f"{name}_") or metric == name for name in names)
    } == set()


def test_the_monitor_reads_the_port_of_the_service(helm: Helm) -> None:
    objects = helm.objects(ALL)
    service, monitor = only(objects, "Service", "w2s-controller"), only(objects, "ServiceMonitor")
    labels: dict[str, Any] = service["metadata"]["labels"]
    assert labels.items() >= monitor["spec"]["selector"]["matchLabels"].items()
    ports = [port["name"] for port in service["spec"]["ports"]]
    assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ports


def test_nothing_of_it_is_there_unless_it_is_asked_for(helm: Helm) -> None:
    kinds = {one["kind"] for one in helm.objects()}
    assert kinds.isdisjoint({"ServiceMonitor", "PrometheusRule"})


def test_every_alert_says_what_to_do(helm: Helm) -> None:
    guide = (CHART.parents[1] / "docs" / "tuning.md").read_text()
    for group in only(helm.objects(ALL), "PrometheusRule")["spec"]["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "description"}
            assert rule["alert"] in guide
