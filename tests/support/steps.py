"""Run one step in this process, on a real folder store, as the runner would."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import Any

from w2s_jobs.__main__ import _publish
from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.artifact import Input, StepResult
from w2s_jobs.contracts.keys import step_key
from w2s_jobs.contracts.steps import PARAMS, Execution, StepSpec, StoreSettings
from w2s_jobs.store.open import open_store
from w2s_jobs.store.rows import read_rows, write_rows

__all__ = ["Bench"]


class Bench:
    """A store and a place to work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = StoreSettings(uri=f"file://{folder}/store")
        self.store = open_store(self.settings)

    def spec(self, kind: str, params: dict[str, Any], inputs: dict[str, list[Input]], **execution: Any) -> StepSpec:
        """The spec of a step with its true key."""
        parsed = PARAMS[kind].model_validate(params)
        return StepSpec(
            kind=kind,  # type: ignore[arg-type]
            key=step_key(kind, parsed, inputs),
            params=parsed.model_dump(mode="json", by_alias=True),
            inputs={role: tuple(items) for role, items in inputs.items()},
            store=self.settings,
            execution=Execution(work_dir=str(self.folder / "work" / kind), **execution),
        )

    def context(self, spec: StepSpec) -> StepContext:
        """What the step is given."""
        Path(spec.execution.work_dir).mkdir(parents=True, exist_ok=True)
        return StepContext(spec, self.store, threading.Event())

    def run(self, kind: str, params: dict[str, Any], inputs: dict[str, list[Input]], **execution: Any) -> StepResult:
        """Run a step and publish its result."""
        spec = self.spec(kind, params, inputs, **execution)
        context = self.context(spec)
        outcome: Outcome = importlib.import_module(f"w2s_jobs.steps.{kind}").run(
            context, PARAMS[kind].model_validate(spec.params)
        )
        result = _publish(context, outcome, {})
        self.store.write_result(result)
        return result

    def artifact(self, kind: str, name: str, schema: str, rows: list[dict[str, Any]]) -> Input:
        """Publish rows as an artifact of some earlier step, and return the input that reads them."""
        key = f"{abs(hash((kind, name, str(rows)))):064x}"[-64:]
        path = write_rows(self.folder / "made" / key / "rows.parquet", schema, rows)
        file = f"{name}rows.parquet" if name.endswith("/") else name
        entry = self.store.put(Input(kind=kind, key=key, file=name).ref, "1", file, path)
        self.store.write_result(StepResult(kind=kind, key=key, attempt="1", spec={}, files=(entry,)))
        return Input(kind=kind, key=key, file=name)

    def rows(self, result: StepResult, name: str, schema: str) -> list[dict[str, Any]]:
        """Read rows of a result."""
        path = self.store.fetch(Input(kind=result.kind, key=result.key, file=name), self.folder / "read")
        return read_rows(path, schema)
