"""Rules about datasets, as `controller/api/dataset_rules.py` has them."""

from __future__ import annotations

from controller.api.crd.rules.rule import Rule
from controller.api.v1alpha1 import Capability, DatasetSpec, ExperimentSpec
from w2s_jobs.contracts.settings import DatasetSource

__all__ = ["DATASET_RULES"]

_SCAN_PAIRS = 20_910

_TAKES_REST = "!has(self.splits.extraTest)"
"""extraTest has a default, so it is there unless it is null, which takes what is left"""
_IS_ONE_SET = "(self.source.generated || has(self.source.pool))"
_PINS = "(has(self.s3) && has(self.sha256) && size(self.sha256) > 0)"
_ASKED = f"""
    self.splits.pretrain + self.splits.labelled + self.splits.calibration
    + self.splits.?unlabelled.orValue(0) + self.splits.?test.orValue(0)
    + ({_TAKES_REST} ? 0 : self.splits.extraTest)
"""
_SCAN_TAKES_REST = f"(!has(self.splits.unlabelled) || !has(self.splits.test) || {_TAKES_REST})"
_REST_TWICE = "null, as unlabelled is; the records are one set, and one split can take the rest. Give a number"
_NO_ROWS = "0 rows; the method needs this split. Give it rows, or null for all that is left"
_NO_FILE = "names a file, and a generated dataset has none. Remove it"
_UNPINNED = "missing beside sha256, which pins files by their names. Name the file"
_ONLY_SCAN = "only task family scan has a generator. Name a path, s3 or hub instead"

DATASET_RULES = (
    Rule(
        DatasetSource,
        "[self.generated, has(self.path), has(self.s3), has(self.hub)].exists_one(given, given)",
        "exactly one of generated, path, s3, hub must be set. Give one and no other",
    ),
    *(
        Rule(DatasetSource, f"!self.generated || !has(self.{name})", _NO_FILE, f".{name}")
        for name in ("train", "test", "pool")
    ),
    Rule(
        DatasetSource,
        "!has(self.pool) || !(has(self.train) || has(self.test))",
        "is one file for every split, and train or test names another. Name pool or the two",
        ".pool",
    ),
    Rule(
        DatasetSource,
        "!has(self.train) || !has(self.test) || self.train != self.test",
        "is the file of train too, so the test questions would be trained on. Name another file, or name it as pool: "
        "every split is then cut from it",
        ".test",
    ),
    *(
        Rule(DatasetSource, f"!{_PINS} || has(self.pool) || has(self.{name})", _UNPINNED, f".{name}")
        for name in ("train", "test")
    ),
    Rule(
        DatasetSource,
        f"!{_PINS} || (has(self.pool) ? self.pool in self.sha256 : "
        "(!has(self.train) || self.train in self.sha256) && (!has(self.test) || self.test in self.sha256))",
        "pins other files but not all that are named. Give the sums of all files, or of none",
        ".sha256",
    ),
    Rule(
        Capability,
        "!self.dataset.source.generated || self.task.family == 'scan'",
        _ONLY_SCAN,
        ".dataset.source.generated",
    ),
    Rule(
        ExperimentSpec,
        "!has(self.dataset) || !self.dataset.source.generated || !has(self.task) || self.task.family == 'scan'",
        _ONLY_SCAN,
        ".dataset.source.generated",
    ),
    *(
        Rule(DatasetSpec, f"self.splits.?{name}.orValue(1) != 0", _NO_ROWS, f".splits.{name}")
        for name in ("unlabelled", "test")
    ),
    Rule(
        DatasetSpec,
        "has(self.splits.test) || has(self.splits.extraTest)",
        "null, as test is; both come from the test records, and one of them can take the rest. Give a number",
        ".splits.extraTest",
    ),
    Rule(
        DatasetSpec,
        f"!{_IS_ONE_SET} || has(self.splits.unlabelled) || has(self.splits.test)",
        _REST_TWICE,
        ".splits.test",
    ),
    Rule(
        DatasetSpec,
        f"!{_IS_ONE_SET} || has(self.splits.unlabelled) || has(self.splits.extraTest)",
        _REST_TWICE,
        ".splits.extraTest",
    ),
    Rule(
        DatasetSpec,
        f"!self.source.generated || {_ASKED} + ({_SCAN_TAKES_REST} ? 1 : 0) <= {_SCAN_PAIRS}",
        f"more rows are asked for than the {_SCAN_PAIRS} pairs that scan has. Make a split smaller",
        ".splits",
    ),
)
