"""A real Kubernetes control plane on the loopback, with simulated GPU nodes.

There are etcd, the API server, the Job controller and the scheduler.

Nothing of it is simulated but the nodes: kwok takes pods from Pending to their end without running them. The pod
annotations `w2s.test/duration` and `w2s.test/exit-code` say how long that takes and how it ends (kwok-stages.yaml).
"""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.certificates import make_certificates
from tests.support.kubeconfig import build_kubeconfig, certificate_of, token_user

__all__ = ["ControlPlane", "free_port", "start_control_plane"]

STAGES = Path(__file__).parent / "kwok-stages.yaml"
_POOL = "h100"
_GPUS = 8


@dataclass
class ControlPlane:
    """A running control plane."""

    folder: Path
    assets: Path
    port: int
    address: str = "127.0.0.1"
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    commands: dict[str, list[str]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    """PATH of the programs that start others"""

    @property
    def kubeconfig(self) -> Path:
        """Credentials of a cluster administrator."""
        return self.folder / "kubeconfig"

    @property
    def url(self) -> str:
        """Address of the API server."""
        return f"https://{self.address}:{self.port}"

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator."""
        done = subprocess.run(
            [str(self.assets / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done

    def apply(self, *objects: dict[str, object]) -> None:
        """Apply objects as the administrator."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def kubeconfig_for(self, namespace: str, service_account: str, url: str | None = None) -> Path:
        """Write credentials of a service account, so that its RBAC and nothing more is what a test uses."""
        token = self.kubectl("create", "token", service_account, "-n", namespace, "--duration", "24h").stdout.strip()
        url = url or self.url
        path = self.folder / f"kubeconfig-{namespace}-{service_account}-{urlsplit(url).port}"
        path.write_text(json.dumps(build_kubeconfig(url, self.folder / "pki", token_user(token))))
        return path

    def stop(self, name: str) -> None:
        """Stop one program, such as `kube-apiserver`."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start(self, name: str, *arguments: str, path: str | None = None) -> None:
        """Start a program, or start it again as it was."""
        if arguments:
            self.commands[name] = [str(self.assets / name), *arguments]
            self.paths[name] = path or os.environ.get("PATH", "")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PATH": self.paths[name]},
            )

    def wait_for(self, what: str, is_there: Callable[[], bool], tries: int = 1200) -> None:
        """Ask until something is there, a tenth of a second apart; a program that ended meanwhile fails at once."""
        for _ in range(tries):
            for name, process in self.processes.items():
                if process.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"{name} ended with {process.returncode} while waiting for {what}:\n{tail}")
            try:
                if is_there():
                    return
            except OSError:
                pass
            self._rest()
        raise AssertionError(f"{what} did not come")

    def wait_until_ready(self) -> None:
        """Wait until the API server answers that it is ready."""
        context = ssl.create_default_context(cafile=str(self.folder / "pki" / "ca.crt"))
        context.load_cert_chain(self.folder / "pki" / "admin.crt", self.folder / "pki" / "admin.key")
        url = f"{self.url}/readyz"
        self.wait_for("the API server", lambda: _answers(url, context))

    def wait_for_service_account(self, namespace: str) -> None:
        """Wait until pods can be made in a namespace that is new."""
        arguments = ("get", "serviceaccount", "default", "-n", namespace)
        self.wait_for(
            f"the service account of {namespace}", lambda: self.kubectl(*arguments, check=False).returncode == 0
        )

    def _rest(self) -> None:
        process = next(iter(self.processes.values()))
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            return


@contextmanager
def start_control_plane(
    folder: Path, assets: Path, nodes: int = 2, stages: Path = STAGES, address: str = "127.0.0.1"
) -> Iterator[ControlPlane]:
    """Run a control plane with `nodes` simulated nodes of 8 GPUs until the block ends.

    On another address than the loopback pods can reach it too (real_node.py).
    """
    etcd, etcd_peer, port = free_port(), free_port(), free_port()
    plane = ControlPlane(folder, assets, port, address)
    make_certificates(folder / "pki")
    plane.kubeconfig.write_text(
        json.dumps(build_kubeconfig(plane.url, folder / "pki", certificate_of(folder / "pki", "admin")))
    )
    try:
        _start_etcd(plane, etcd, etcd_peer)
        _start_api_server(plane, etcd)
        plane.wait_until_ready()
        _start_controllers(plane)
        if nodes:
            _add_nodes(plane, nodes, stages)
        plane.wait_for_service_account("default")
        yield plane
    finally:
        for name in reversed(list(plane.processes)):
            plane.stop(name)


def _start_etcd(plane: ControlPlane, client: int, peer: int) -> None:
    plane.start(
        "etcd",
        f"--data-dir={plane.folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
        f"--quota-backend-bytes={4 << 30}",
        "--log-level=warn",
    )


def _start_api_server(plane: ControlPlane, etcd: int) -> None:
    pki = plane.folder / "pki"
    plane.start(
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--secure-port={plane.port}",
        f"--bind-address={plane.address}",
        f"--advertise-address={plane.address}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--service-account-key-file={pki / 'sa.key'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction,ResourceQuota,PodSecurity",
        # Pods reach the API server by the address of its Service, which a loopback cannot be.
        f"--endpoint-reconciler-type={'none' if plane.address == '127.0.0.1' else 'lease'}",
        f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
    )


def _start_controllers(plane: ControlPlane) -> None:
    pki = plane.folder / "pki"
    shared = (f"--kubeconfig={plane.kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1")
    fast = ("--kube-api-qps=300", "--kube-api-burst=600")
    plane.start(
        "kube-controller-manager",
        *shared,
        *fast,
        f"--secure-port={free_port()}",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--use-service-account-credentials",
        "--concurrent-job-syncs=20",
    )
    plane.start("kube-scheduler", *shared, *fast, f"--secure-port={free_port()}")


def _add_nodes(plane: ControlPlane, count: int, stages: Path) -> None:
    plane.start(
        "kwok",
        f"--kubeconfig={plane.kubeconfig}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-label-selector=type=kwok",
        # Without a Lease that is renewed, nodes are taken for lost every 50 s; pods there are never ready again.
        "--node-lease-duration-seconds=40",
        "--cidr=10.128.0.0/9",
        "--node-ip=10.128.0.1",
        f"--config={stages}",
    )
    size = {
        "cpu": "96",
        "memory": "1000Gi",
        "pods": "250",
        "nvidia.com/gpu": str(_GPUS),
        "ephemeral-storage": "4000Gi",
    }
    plane.apply(*(_node(f"gpu-{index}", size) for index in range(count)))


def _node(name: str, size: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"type": "kwok", "w2s.dev/pool": _POOL, "kubernetes.io/hostname": name},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"}]},
        "status": {"allocatable": size, "capacity": size},
    }


def _answers(url: str, context: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(url, context=context, timeout=2) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError:
        return False


def free_port() -> int:
    """Return a port of the loopback that nobody listens on.

    It is below those of outgoing connections, one of which could take it before the program does, and of Services.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
