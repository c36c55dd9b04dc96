"""README's commands on a cluster, from `helm install` to the report: the same as on a laptop, to the byte."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from tests.support.chart import ROOT
from tests.support.guide import commands
from tests.support.small_experiments import SMALL_PODS, write_parity
from tests.support.w2s_command import Sandbox
from tests.support.whole_cluster import INSTALLING, SECTION, WORK, WholeCluster

TESTS = Path(__file__).parents[1]


def quickstart() -> dict[str, Any]:
    """README's example with every kind of step and less of each; as it is where W2S_WHOLE_QUICKSTART is set."""
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "quickstart.yaml").read_text())
    if os.environ.get("W2S_WHOLE_QUICKSTART"):
        return manifest
    spec = manifest["spec"]
    spec["dataset"]["splits"] = {"pretrain": 320, "labelled": 160, "unlabelled": 96, "test": 48, "seed": 0}
    spec["method"]["confidence"]["rounds"] = [{"thresholds": [60]}, {"thresholds": [50]}]
    spec["sampling"]["samples"] = 5
    spec["evaluation"]["resamples"] = 200
    spec["podTemplate"] = SMALL_PODS
    return manifest


def assert_same(cluster: WholeCluster, manifest: dict[str, Any], local: Sandbox, fetched: dict[str, bytes]) -> None:
    """Compare with a local run: the same keys, the same figures of each step, the same report."""
    done = local.run()
    assert done.returncode == 0, done.stdout
    made = cluster.tenants[WORK].results()
    assert local.metrics().keys() <= made.keys()
    assert {key: made[key]["metrics"] for key in local.metrics()} == local.metrics()
    assert fetched == local.report_bytes()


def test_readmes_commands_lead_to_the_report_that_a_laptop_makes(cluster: WholeCluster, tmp_path: Path) -> None:
    manifest = quickstart()
    example = cluster.place / "examples" / "quickstart.yaml"
    example.parent.mkdir()
    example.write_text(yaml.safe_dump(manifest))
    apply, watch, describe, report = commands(SECTION)[INSTALLING:]

    cluster.follow(apply)
    steps = cluster.wait_for_success("quickstart")["steps"]
    assert f"{steps['total']}/{steps['total']}" in cluster.follow(watch.replace(" --watch", ""))
    assert "AllStepsSucceeded" in cluster.follow(describe)
    assert "PGR" in cluster.follow(report)

    clone = Sandbox(cluster.place, manifest)
    assert (clone.runs / "report.html").exists()
    assert_same(cluster, manifest, Sandbox(tmp_path, manifest), clone.report_bytes())


def test_method_reward_on_two_capabilities_with_data_in_s3(cluster: WholeCluster, tmp_path: Path) -> None:
    manifest = yaml.safe_load((TESTS / "e2e" / "reward.yaml").read_text())
    spec, tenant = manifest["spec"], cluster.tenants[WORK]
    write_parity(tmp_path / "parity")
    tenant.upload(tmp_path / "parity", "data/parity")
    spec["capabilities"][1]["dataset"]["source"]["s3"] = f"s3://{tenant.bucket}/data/parity"
    del spec["capabilities"][1]["dataset"]["source"]["path"]
    spec["podTemplate"] = SMALL_PODS
    spec["method"]["reward"] = {"weakTraining": spec["method"]["reward"]["weakTraining"]}
    cluster.apply(manifest)
    status = cluster.wait_for_success("reward")
    assert status["steps"]["done"] == status["steps"]["total"]

    fetched = Sandbox(tmp_path / "fetched", manifest, store=tenant.uri)
    fetched.environment |= tenant.environment()
    shown = fetched.w2s("report")
    assert shown.returncode == 0, shown.stdout
    local = Sandbox(tmp_path / "local", manifest)
    local.environment |= tenant.environment()
    assert_same(cluster, manifest, local, fetched.report_bytes())
