"""A training on many nodes, as one of them sees it: rounds, until the result is in the store.

How a round ends on this node, and what follows:

| what happened                                        | this node                                              |
|------------------------------------------------------|--------------------------------------------------------|
| its ranks are done, and it is node 0                 | hands back the model, which is then published          |
| its ranks are done, and it is another                | waits until the result is published, then is done      |
| another node was lost, or was told to stop           | kills its ranks, and joins the next round              |
| it was told to stop                                  | saves with all others, exit code 143                   |
| its ranks say that the input can never work          | exit code 42                                           |
| its ranks failed, and no other node was lost by then | exit code 1; the others join the next round            |
| others did not come for noProgressSeconds            | exit code 143: gives its GPUs back, not charged        |
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from w2s_jobs.context import StepContext
from w2s_jobs.contracts.errors import InputError, JobError, Stopped
from w2s_jobs.engines.gang import Hub, Round, join
from w2s_jobs.engines.training_job import Fit

__all__ = ["Nodes", "check_nodes"]

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""seconds after a failure of ranks in which it may turn out that another node was lost"""
LOOK_SECONDS = 2.0
"""seconds between two looks at whether the result is published"""


def check_nodes(context: StepContext) -> None:
    """Refuse a training that cannot be spread over its nodes.

    Raises
    ------
    InputError
        The ranks are no multiple of the nodes, or nothing says where the nodes meet.
    """
    execution, parallelism = context.execution, context.execution.parallelism
    if parallelism.zero_stage is None or parallelism.ranks % execution.nodes:
        raise InputError(
            f"step {context.ref}: {parallelism.ranks} ranks with zeroStage {parallelism.zero_stage} on "
            f"{execution.nodes} nodes; expected a zeroStage, and ranks that are a multiple of the nodes"
        )
    if execution.rendezvous is None:
        raise InputError(f"step {context.ref}: {execution.nodes} nodes, and no execution.rendezvous where they meet")


@dataclass
class Nodes:
    """The part of one node."""

    context: StepContext
    train: Callable[[Round], Fit | None]
    """train in one round; None where the ranks are done and another node has the model, JobError where they failed"""
    _waited_since: float = field(default_factory=time.monotonic)
    _looked: float = 0.0
    _published: bool = False

    def run(self) -> Fit | None:
        """Take part in rounds; return the model on node 0, None where another node has published it.

        Raises
        ------
        JobError
            As the table above says.
        """
        execution = self.context.execution
        host, _, port = (execution.rendezvous or "").rpartition(":")
        training = f"train/{self.context.ref.key}"
        if execution.node == 0:
            Hub(training, execution.nodes, int(port)).start()
        with self.context.watchdog.resting():  # rank 0 is watched where it runs
            while True:
                log.info("waiting for the other nodes")
                self._waited_since = time.monotonic()
                gathered = join((host, int(port)), f"{training} {execution.node}", self._wait)
                if gathered is None:
                    return None
                fit = None
                try:
                    fit = self._take_part(gathered)
                finally:
                    if fit is None:  # else it stays until this process ends: the others need not gather again
                        gathered.close()
                if fit is not None or self._published:
                    return fit

    def _take_part(self, gathered: Round) -> Fit | None:
        """Train in one round; None where it has to be repeated, or where another node has published the result."""
        try:
            fit = self.train(gathered)
        except InputError:
            raise
        except JobError as failure:
            self._blame(failure, gathered)
            return None
        self._waited_since = float("inf")  # publishing may take as long as it takes
        while fit is None and self._wait(LOOK_SECONDS) and not gathered.is_over():
            continue
        return fit

    def _blame(self, failure: JobError, gathered: Round) -> None:
        """Return where the failure is another node's doing; raise it again where it is this one's."""
        if self.context.stopping:
            raise failure
        if isinstance(failure, Stopped):
            log.info("another node was told to stop")
            return
        deadline = time.monotonic() + SETTLE_SECONDS
        while not gathered.is_over():
            if time.monotonic() > deadline or not self._wait(0.2):
                raise failure
        if self._look():
            log.info("another node was lost")

    def _wait(self, seconds: float) -> bool:
        """Wait; return False once another node has published the result.

        Raises
        ------
        Stopped
            Told to stop, or the others do not come.
        """
        self.context.wait(seconds)
        self.context.stop_here("a checkpoint is saved where there was one to save")
        limit, waited = self.context.watchdog.limit, time.monotonic() - self._waited_since
        if limit is not None and waited > limit:
            raise Stopped(
                f"step {self.context.ref}: the other nodes did not come for {waited:.0f} s, so this one gives its GPUs "
                "back and is tried again. Are there enough nodes for all of them at once?"
            )
        return self._look() if time.monotonic() - self._looked > LOOK_SECONDS else not self._published

    def _look(self) -> bool:
        """Look whether the result is published; return False once it is."""
        self._looked = time.monotonic()
        self._published = self._published or self.context.store.read_result(self.context.ref) is not None
        return not self._published
