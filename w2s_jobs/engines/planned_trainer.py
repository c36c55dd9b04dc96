"""`transformers.Trainer` with three things changed: what a batch is, when it saves, and what it says.

One item of the dataset is one optimizer step of a `BatchPlan`, already cut into this rank's micro-batches. So the
Trainer's own bookkeeping (resume, schedule, clipping, DeepSpeed) works as for a batch size of one.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import DependencyError
from w2s_jobs.contracts.settings import TrainingSettings
from w2s_jobs.engines.batches import BatchPlan, MicroBatch
from w2s_jobs.engines.checkpoints import complete_checkpoint, store_files
from w2s_jobs.engines.deepspeed_config import GRADIENT_CLIPPING
from w2s_jobs.engines.objective import Objective
from w2s_jobs.engines.packing import lay_packed, lay_padded
from w2s_jobs.engines.token_examples import TokenExamples
from w2s_jobs.engines.training_job import StepLoss

__all__ = ["CheckpointKeeper", "PlannedSteps", "PlannedTrainer", "build_arguments"]

LOSSES = "losses.json"
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


class PlannedSteps(Dataset[dict[str, Any]]):
    """Item k is optimizer step k as this rank sees it."""

    def __init__(self, examples: TokenExamples, plan: BatchPlan, objective: Objective, rank: int = 0) -> None:
        self.examples, self.plan, self.objective, self.rank = examples, plan, objective, rank
        self.lay = lay_packed if plan.cut.packing else lay_padded

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, step: int) -> dict[str, Any]:
        mine = self.plan.micro_batches(step)[self.rank :: self.plan.cut.ranks]
        return {
            "micro_batches": [self._micro_batch(members) for members in mine],
            "trained_tokens": int(self.examples.trained[self.plan.batch(step)].sum()),
        }

    def _micro_batch(self, members: MicroBatch) -> dict[str, dict[str, Any]]:
        layout = self.lay(self.examples, members)
        return {"inputs": layout.inputs, "marks": self.objective.marks(self.examples, members, layout)}


class PlannedTrainer(Trainer):
    """Trains on planned steps, and keeps the loss of each."""

    def __init__(self, model: Any, args: TrainingArguments, steps: PlannedSteps, keeper: CheckpointKeeper) -> None:
        super().__init__(model=model, args=args, train_dataset=steps, callbacks=[keeper])
        self.remove_callback(PrinterCallback)
        self.losses: list[StepLoss] = []
        self.keeper = keeper
        keeper.trainer = self

    def get_train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Give the steps in order; each rank already sees its own share."""
        return DataLoader(self.train_dataset, batch_size=1, collate_fn=_only_item)

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:  # noqa: ARG002
        """Run forward and backward over a step's micro-batches and return the mean loss of its trained tokens."""
        model.train()
        objective = self.train_dataset.objective
        micro_batches, tokens = inputs["micro_batches"], inputs["trained_tokens"]
        deepspeed = {"scale_wrt_gas": False} if self.is_deepspeed_enabled else {}
        # Gradients of ranks are averaged, so a sum over ranks is scaled by their number.
        scale = self.args.world_size / tokens
        total = torch.zeros((), device=self.args.device)
        for number, micro_batch in enumerate(micro_batches, 1):
            self.accelerator.gradient_state._set_sync_gradients(number == len(micro_batches))
            loss = objective.summed_loss(model, **self._prepare_inputs(micro_batch)) * scale
            self.accelerator.backward(loss, **deepspeed)
            total += loss.detach().float()
        mean = self.accelerator.reduce(total, "mean")
        self._keep_loss(float(mean), tokens)
        return mean

    def _keep_loss(self, loss: float, tokens: int) -> None:
        step = self.state.global_step + 1
        self.losses.append(
            StepLoss(
                step=step,
                epoch=round(step / self.train_dataset.plan.steps_per_epoch, 4),
                loss=loss,
                learning_rate=float(self._get_learning_rate()),
                tokens=tokens,
            )
        )

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002
        """Count none: nothing reads it."""
        return 0

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:
            (folder / LOSSES).write_text(json.dumps([point.model_dump(by_alias=True) for point in self.losses]))
        self.accelerator.wait_for_everyone()
        step, context = self.state.global_step, self.keeper.context
        # Each node holds the optimizer's state of its own ranks, on its own disk.
        first_of_node = self.accelerator.is_local_main_process
        stored = gather_object(store_files(context, folder, step) if first_of_node else [])
        if self.args.should_save:
            complete_checkpoint(context, step, self.keeper.layout, stored)
        if first_of_node:
            shutil.rmtree(folder, ignore_errors=True)
        self.keeper.saved()

    def resume(self, folder: Path | None) -> int:
        """Train, from a checkpoint's folder on if there is one, and return the steps that it had done."""
        if folder is not None:
            self.losses = [StepLoss.model_validate(point) for point in json.loads((folder / LOSSES).read_text())]
        done = len(self.losses)
        if len(set(gather_object([done]))) > 1:
            raise DependencyError("the nodes found different checkpoints; they gather again and look once more")
        self.train(resume_from_checkpoint=str(folder) if folder else None)
        return done


class CheckpointKeeper(TrainerCallback):
    """Asks for a checkpoint when it is time or when the step is told to stop; all ranks agree."""

    def __init__(self, context: StepContext, layout: str) -> None:
        self.context, self.layout = context, layout
        self.trainer: PlannedTrainer | None = None
        self.stopped = False
        self.saved()

    def saved(self) -> None:
        """Count the time to the next checkpoint from now."""
        self._last_saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Show progress, and decide whether to save or to stop."""
        if args.should_save:
            self.context.progress(state.global_step, state.max_steps, "steps")
        if state.global_step >= state.max_steps:
            return
        due = time.monotonic() - self._last_saved >= self.context.execution.checkpoint_seconds
        due, self.stopped = self._agree(due, self.context.stopping)
        control.should_save = due or self.stopped
        control.should_training_stop = self.stopped

    def _agree(self, *wishes: bool) -> tuple[bool, ...]:
        """Return what any rank wishes."""
        if self.trainer is None or self.trainer.args.world_size == 1:
            return wishes
        flags = torch.tensor(wishes, dtype=torch.float32, device=self.trainer.args.device)
        return tuple(flag > 0 for flag in self.trainer.accelerator.reduce(flags, "sum").tolist())


def build_arguments(
    output: Path, training: TrainingSettings, steps: int, seed: int, device: dict[str, Any]
) -> TrainingArguments:
    """Translate our settings; `device` holds what depends on the machine (`use_cpu`, `bf16`, `deepspeed`…)."""
    return TrainingArguments(
        output_dir=str(output),
        max_steps=steps,
        per_device_train_batch_size=1,
        learning_rate=training.learning_rate,
        lr_scheduler_type=_SCHEDULES[training.schedule],
        warmup_steps=math.ceil(training.warmup_ratio * steps),
        weight_decay=training.weight_decay,
        max_grad_norm=GRADIENT_CLIPPING,
        gradient_checkpointing=training.gradient_checkpointing,
        seed=seed % 2**32,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        logging_nan_inf_filter=False,
        **device,
    )


def _only_item(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return items[0]
