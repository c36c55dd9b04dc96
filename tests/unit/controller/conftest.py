"""A valid manifest that tests change in one place."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from controller.api.parse import parse_manifest
from controller.api.v1alpha1 import WeakToStrongExperiment

TINY = """
apiVersion: w2s.dev/v1alpha1
kind: WeakToStrongExperiment
metadata: {name: tiny}
spec:
  task: {family: gsm8k}
  dataset:
    source: {hub: {name: org/questions, revision: 0123456789abcdef0123456789abcdef01234567}}
    splits: {labelled: 100, unlabelled: 200, test: 50}
  models:
    weak:
      source: {hub: {name: org/weak-1B, revision: 0123456789abcdef0123456789abcdef01234567}}
      pretrain: [{split: labelled}]
    strong:
      source: {hub: {name: org/strong-8B, revision: 0123456789abcdef0123456789abcdef01234567}}
  method:
    confidence:
      rounds: [{thresholds: [50, 70]}, {thresholds: [60]}]
      ablations: [unfiltered, direct]
"""

Make = Callable[..., WeakToStrongExperiment]


@pytest.fixture
def experiment() -> Make:
    """Make an experiment; each argument is a path such as `method__confidence__rounds` below spec, and its value."""

    def make(**changes: Any) -> WeakToStrongExperiment:
        manifest = yaml.safe_load(TINY)
        for path, value in changes.items():
            *above, last = path.split("__")
            place = manifest["spec"]
            for name in above:
                place = place.setdefault(name, {})
            place[last] = value
        return parse_manifest(yaml.safe_dump(manifest), "tiny.yaml")

    return make
