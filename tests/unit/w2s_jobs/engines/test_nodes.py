"""One node of a training among others: how a round ends, and what follows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.training import TINY
from w2s_jobs.context import StepContext
from w2s_jobs.contracts.artifact import StepResult
from w2s_jobs.contracts.errors import InputError, JobError, Stopped
from w2s_jobs.contracts.settings import ModelSource, Parallelism, PromptTemplate, TrainingSettings
from w2s_jobs.contracts.step_params import TrainParams
from w2s_jobs.contracts.steps import Execution, StepSpec, StoreSettings
from w2s_jobs.engines import gang, nodes
from w2s_jobs.engines.gang import Hub, Round, join
from w2s_jobs.engines.nodes import Nodes, check_nodes
from w2s_jobs.engines.training_job import Fit
from w2s_jobs.store.folder import FolderStore
from w2s_jobs.watchdog import Watchdog

KEY = "ab" * 32
FIT = Fit(losses=(), seconds=1, tokens=1)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(nodes, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(gang, "TRY_SECONDS", 0.05)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def context(tmp_path: Path, port: int) -> StepContext:
    """The context of node 1 of two, which waits a minute for the other."""
    params = TrainParams(
        model=ModelSource(scratch=TINY), template=PromptTemplate(name="direct"), training=TrainingSettings(), seed=1
    )
    execution = Execution(
        work_dir=str(tmp_path / "work"),
        parallelism=Parallelism(zero_stage=2, ranks=4),
        nodes=2,
        node=1,
        rendezvous=f"127.0.0.1:{port}",
    )
    spec = StepSpec(
        kind="train",
        key=KEY,
        params=params.model_dump(mode="json", by_alias=True),
        store=StoreSettings(uri=(tmp_path / "store").as_uri()),
        execution=execution,
    )
    return StepContext(spec, FolderStore(tmp_path / "store"), threading.Event(), Watchdog(60, pytest.fail))


@pytest.fixture
def other(port: int) -> Iterator[list[Round]]:
    """Node 0, which comes back whenever a round is over; its rounds so far."""
    Hub(f"train/{KEY}", 2, port).start()
    rounds: list[Round] = []
    ended = threading.Event()

    def come_and_come_back() -> None:
        while not ended.is_set():
            if one := join(("127.0.0.1", port), f"train/{KEY} 0", lambda seconds: not ended.wait(seconds)):
                rounds.append(one)
                while not one.is_over() and not ended.wait(0.02):
                    continue
                one.close()

    thread = threading.Thread(target=come_and_come_back)
    thread.start()
    yield rounds
    ended.set()
    thread.join()


def publish(context: StepContext) -> None:
    context.store.write_result(StepResult(kind="train", key=KEY, attempt="node-0", spec={}, files=()))


def test_a_node_whose_ranks_are_done_waits_until_the_model_is_published(context: StepContext, other) -> None:
    def train(_: Round) -> None:
        threading.Timer(0.3, publish, (context,)).start()

    assert Nodes(context, train).run() is None
    assert context.store.read_result(context.ref) is not None
    assert len(other) == 1


def test_a_node_that_comes_after_the_end_has_nothing_to_do(context: StepContext) -> None:
    publish(context)
    assert Nodes(context, lambda _: pytest.fail("there is nothing to train")).run() is None


def test_ranks_that_fail_while_no_node_is_lost_are_this_nodes_failure(context: StepContext, other) -> None:
    def train(_: Round) -> None:
        raise JobError("out of memory")

    with pytest.raises(JobError, match="out of memory"):
        Nodes(context, train).run()


def test_ranks_that_fail_because_another_node_was_lost_train_again(context: StepContext, other) -> None:
    tries: list[Round] = []

    def train(gathered: Round) -> Fit | None:
        tries.append(gathered)
        if len(tries) == 1:
            while not other:  # its thread may be a moment later
                continue
            other[0].link.shutdown(socket.SHUT_RDWR)
            raise JobError("connection reset by peer")
        return FIT

    assert Nodes(context, train).run() == FIT
    assert len(tries) == 2
    tries[1].close()


def test_when_another_node_is_told_to_stop_this_one_waits_for_its_return(context: StepContext, other) -> None:
    tries: list[Round] = []

    def train(gathered: Round) -> Fit | None:
        tries.append(gathered)
        if len(tries) == 1:
            raise Stopped("a checkpoint is saved")
        return FIT

    assert Nodes(context, train).run() == FIT
    tries[1].close()


def test_an_input_that_can_never_work_is_said_at_once(context: StepContext, other) -> None:
    def train(_: Round) -> None:
        raise InputError("no examples")

    with pytest.raises(InputError, match="no examples"):
        Nodes(context, train).run()


def test_a_node_whose_others_do_not_come_gives_its_gpus_back_uncharged(context: StepContext) -> None:
    context.watchdog.limit = 0.3
    with pytest.raises(Stopped, match="the other nodes did not come for 0 s, so this one gives its GPUs back"):
        Nodes(context, lambda _: None).run()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parallelism": Parallelism(zero_stage=2, ranks=3)}, "3 ranks with zeroStage 2 on 2 nodes"),
        ({"parallelism": Parallelism()}, "1 ranks with zeroStage None on 2 nodes"),
        ({"rendezvous": None}, "no execution.rendezvous"),
    ],
)
def test_a_training_that_cannot_be_spread_over_its_nodes_is_refused(context: StepContext, change, said: str) -> None:
    execution = context.spec.execution.model_copy(update=change)
    context.spec = context.spec.model_copy(update={"execution": execution})
    with pytest.raises(InputError, match=said):
        check_nodes(context)
