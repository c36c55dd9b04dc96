"""Another version of the controller takes over: what has ended stays, and nothing of it is computed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.kube.resource import EXPERIMENTS
from tests.support.control_plane import ControlPlane
from tests.support.operator_process import ROOT
from tests.support.workplace import Workplace, manifest, open_workplace
from w2s_jobs.contracts.keys import KIND_VERSIONS

SMALL = (ROOT / "tests" / "e2e" / "tiny.yaml").read_text()


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Workplace]:
    with open_workplace(cluster, tmp_path, "upgrade") as place:
        yield place


def version(place: Workplace, name: str) -> str:
    return str(place.api.get(EXPERIMENTS, name, place.namespace)["metadata"]["resourceVersion"])


def test_a_release_with_other_keys_leaves_a_finished_experiment_until_it_is_edited(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.operator():
        place.apply(manifest("old", SMALL))
        place.wait_for("old", "Succeeded")
    before, report = version(place, "old"), place.status("old")["results"]["report"]
    monkeypatch.setitem(KIND_VERSIONS, "prepare", KIND_VERSIONS["prepare"] + 1)
    with place.operator():
        place.apply(manifest("probe", SMALL))
        place.wait_for("probe", "Succeeded")
        computed = len(place.stand_in.seen)
        assert version(place, "old") == before
        place.patch("old", {"ttlSecondsAfterFinished": 86400})
        place.wait_until("the edit", lambda: place.status("old")["observedGeneration"] == 2)
        place.wait_for("old", "Succeeded")
        assert place.status("old")["results"]["report"] != report
        assert len(place.stand_in.seen) == computed + 1, "its report: all else the probe has computed"


def test_an_installation_that_would_refuse_a_finished_experiment_leaves_it(place: Workplace) -> None:
    with place.operator():
        place.apply(manifest("old", SMALL))
        place.wait_for("old", "Succeeded")
    before = version(place, "old")
    (store,) = place.installation.stores
    closed = store.model_copy(update={"namespaces": ("elsewhere",)})
    moved = replace(place, installation=place.installation.model_copy(update={"stores": (closed,)}))
    with moved.operator():
        place.apply(manifest("probe", SMALL))
        place.wait_for("probe", "Failed")
        assert version(place, "old") == before
