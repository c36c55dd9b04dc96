"""How a pod finds its API server."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes.client import Configuration

from controller.kube.connect import in_cluster


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_a_pod_never_asks_the_api_server_through_a_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example.com:3128")
    (tmp_path / "token").write_text("a token")
    (tmp_path / "ca.crt").write_text("a certificate")
    configuration = Configuration()
    in_cluster(configuration, tmp_path, {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"})
    assert configuration.host == "https://10.96.0.1:443"
    assert configuration.proxy is None
