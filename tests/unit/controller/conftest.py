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

REWARD = """
apiVersion: w2s.dev/v1alpha1
kind: WeakToStrongExperiment
metadata: {name: tiny-reward}
spec:
  capabilities:
    - name: gsm8k
      task: {family: gsm8k}
      dataset:
        source: {hub: {name: org/gsm8k, revision: 0123456789abcdef0123456789abcdef01234567}}
        splits: {labelled: 100, unlabelled: 200, test: 50}
    - name: sciq
      task: {family: sciq}
      dataset:
        source: {hub: {name: org/sciq, revision: 0123456789abcdef0123456789abcdef01234567}}
        splits: {labelled: 60, unlabelled: 80, test: 40}
    - name: scan
      task: {family: scan}
      dataset:
        source: {generated: true}
        splits: {labelled: 70, unlabelled: 90, test: 30}
  models:
    chain:
      - {name: 0.5b, source: {hub: {name: org/model-0.5B, revision: 0123456789abcdef0123456789abcdef01234567}}}
      - {name: 1.8b, source: {hub: {name: org/model-1.8B, revision: 0123456789abcdef0123456789abcdef01234567}}}
      - {name: 4b, source: {hub: {name: org/model-4B, revision: 0123456789abcdef0123456789abcdef01234567}}}
  method:
    reward: {}
"""

Make = Callable[..., WeakToStrongExperiment]


@pytest.fixture(scope="session")
def experiment() -> Make:
    """Make an experiment; each argument is a path such as `method__confidence__rounds` below spec, and its value."""
    return _maker(TINY)


@pytest.fixture(scope="session")
def reward_experiment() -> Make:
    """Make an experiment of method `reward`: three capabilities, three models that teach each the next."""
    return _maker(REWARD)


def _maker(text: str) -> Make:
    def make(**changes: Any) -> WeakToStrongExperiment:
        manifest = yaml.safe_load(text)
        for path, value in changes.items():
            *above, last = path.split("__")
            place = manifest["spec"]
            for name in above:
                place = place.setdefault(name, {})
            place[last] = value
        return parse_manifest(yaml.safe_dump(manifest), "tiny.yaml")

    return make
