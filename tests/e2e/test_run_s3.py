"""The same experiment with its artifacts in S3."""

from __future__ import annotations

from tests.support.s3_server import S3Server
from tests.support.w2s_command import Sandbox


def reach(server: S3Server) -> dict[str, str]:
    return {**server.environment(), "AWS_ENDPOINT_URL": server.endpoint}


def test_a_run_over_s3_has_the_outcome_of_a_run_over_a_folder(undisturbed, manifest, tmp_path, s3_server):
    bucket = s3_server.bucket()
    sandbox = Sandbox(tmp_path / "s3", manifest(), store=f"s3://{bucket}/runs")
    sandbox.environment |= {
        **s3_server.environment(),
        "AWS_ENDPOINT_URL": s3_server.endpoint,
        "W2S_CACHE": str(tmp_path / "cache"),
    }
    done = sandbox.run()
    assert done.returncode == 0, done.stdout
    assert sandbox.report_bytes() == undisturbed.report_bytes()
    again = sandbox.run()
    assert "nothing to compute" in again.stdout, again.stdout
    assert not (sandbox.folder / ".w2s" / "store").exists()


def test_refused_credentials_are_named_and_nothing_runs(manifest, tmp_path, s3_server):
    sandbox = Sandbox(tmp_path / "s3", manifest(), store=f"s3://{s3_server.bucket()}/runs")
    sandbox.environment |= {
        **s3_server.environment(),
        "AWS_ENDPOINT_URL": s3_server.endpoint,
        "AWS_SECRET_ACCESS_KEY": "not the secret",
    }
    done = sandbox.run()
    assert done.returncode == 42, done.stdout
    assert "credentials" in done.stdout
    assert "Traceback" not in done.stdout
