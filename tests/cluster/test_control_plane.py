"""The harness itself: a Job runs on simulated nodes, and a service account has its own rights and no more."""

from tests.support.control_plane import ControlPlane


def test_a_job_with_gpus_completes_on_simulated_nodes(control_plane: ControlPlane) -> None:
    pod = {
        "restartPolicy": "Never",
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "containers": [{"name": "c", "image": "none", "resources": {"limits": {"nvidia.com/gpu": "8"}}}],
    }
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "harness", "namespace": "default"}}
    control_plane.apply({**job, "spec": {"template": {"spec": pod}}})
    control_plane.kubectl("wait", "job/harness", "--for=condition=Complete", "--timeout=120s")


def test_a_service_account_may_do_nothing_by_itself(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "serviceaccount", "nobody")
    path = control_plane.kubeconfig_for("default", "nobody")
    refused = control_plane.kubectl("--kubeconfig", str(path), "get", "jobs", check=False)
    assert refused.returncode != 0
    assert "forbidden" in refused.stderr
