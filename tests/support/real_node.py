"""This machine as a node of a test's control plane: pods really run, with names, service addresses, logs and volumes.

Root, runc, the CNI plugins, iptables and conntrack are needed (Debian: runc containernetworking-plugins iptables
conntrack iproute2), and of the Kubernetes programs also containerd, kubelet, kube-proxy, coredns and pause.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.certificates import BRIDGE, NODE
from tests.support.control_plane import ControlPlane, free_port
from tests.support.kubeconfig import build_kubeconfig, certificate_of
from tests.support.node_files import (
    PAUSE,
    PODS_LINK,
    containerd_settings,
    kubelet_settings,
    network,
    pause_image,
    proxy_settings,
)

__all__ = ["RealNode", "add_bridge", "missing_for_node", "real_node"]

_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "kube-proxy", "coredns", "pause")
_TOOLS = ("runc", "iptables", "conntrack", "ip")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_LINK = "w2s0"
_LOCK = Path("/run/lock/w2s-node")


@dataclass(frozen=True)
class RealNode:
    """This machine as a node."""

    plane: ControlPlane
    folder: Path
    socket: Path
    """of containerd"""

    def load(self, archive: Path) -> None:
        """Give the node an image."""
        self.ctr("images", "import", str(archive))

    def load_from(self, saving: subprocess.Popen[bytes]) -> None:
        """Give the node an image that a program writes to its output."""
        with saving:
            self.ctr("images", "import", "-", stdin=saving.stdout)
        assert saving.returncode == 0, f"{saving.args} ended with {saving.returncode}"

    def ctr(self, *arguments: str, check: bool = True, stdin: IO[bytes] | None = None) -> str:
        """Ask containerd."""
        command = [str(self.plane.assets / "ctr"), "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        return subprocess.run(command, check=check, stdin=stdin, capture_output=True, text=True).stdout

    def kill(self, container: str) -> bool:
        """Kill a container's processes at once, as the kernel does where memory runs out; False where none runs."""
        name = container.removeprefix("containerd://")
        running = [
            line.split()[0] for line in self.ctr("tasks", "list").splitlines() if line.split()[2:] == ["RUNNING"]
        ]
        if name in running:
            self.ctr("tasks", "kill", "--all", "--signal", "SIGKILL", name)
        return name in running

    def wait_until_ready(self) -> None:
        """Wait until pods can run here."""
        arguments = ("wait", f"node/{NODE}", "--for=condition=Ready", "--timeout=1s")
        self.plane.wait_for("the node", lambda: self.plane.kubectl(*arguments, check=False).returncode == 0)

    def end_containers(self) -> None:
        """End what runs: containers outlive their runtime, so they are ended while it still answers."""
        for task in self.ctr("tasks", "list", "--quiet", check=False).split():
            self.ctr("tasks", "kill", "--signal", "SIGKILL", task, check=False)
            self.ctr("tasks", "delete", "--force", task, check=False)


def missing_for_node(assets: Path) -> str | None:
    """Say what this machine lacks to be a node; None where it can be one."""
    absent = [name for name in _PROGRAMS if not (assets / name).exists()]
    if absent:
        return f"{assets} has no {', '.join(absent)}"
    tools = [name for name in _TOOLS if shutil.which(name, path=_PATH) is None]
    tools += [] if Path("/usr/lib/cni/bridge").exists() else ["containernetworking-plugins"]
    if tools:
        return f"no {', '.join(tools)}; install them: apt-get install {' '.join(tools)}"
    return None if os.geteuid() == 0 else "a node needs root"


def add_bridge() -> None:
    """Give this machine the address on which pods find it; it stays, for the next test."""
    for arguments in (("link", "add", _LINK, "type", "bridge"), ("addr", "add", f"{BRIDGE}/32", "dev", _LINK)):
        subprocess.run(["ip", *arguments], check=False, capture_output=True)  # it may be there
    subprocess.run(["ip", "link", "set", _LINK, "up"], check=True, capture_output=True)


@contextmanager
def real_node(plane: ControlPlane) -> Iterator[RealNode]:
    """Let this machine be a node until the block ends. It can be one node at a time."""
    folder = plane.folder / "node"
    (folder / "cni").mkdir(parents=True)
    node = RealNode(plane, folder, Path("/run") / f"w2s-containerd-{os.getpid()}.sock")
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _end_networks()
        try:
            _start_containerd(node)
            _start_kubelet(node)
            _start_network(node)
            node.wait_until_ready()
            yield node
        finally:
            _stop(node)


def _stop(node: RealNode) -> None:
    for name in ("coredns", "kube-proxy", "kubelet"):
        if name in node.plane.processes:
            node.plane.stop(name)
    node.end_containers()
    if "containerd" in node.plane.processes:
        node.plane.stop("containerd")
    _end_networks()
    _unmount(node.plane.folder)
    # Gigabytes of images, which pytest would keep. On some disks that takes minutes, for which nobody should wait.
    os.posix_spawnp("rm", ["rm", "-rf", "--one-file-system", str(node.folder)], os.environ)


def _end_networks() -> None:
    """End what pods left of their networks: a later pod gets the same address, and packets would go astray."""
    listed = subprocess.run(
        ["ip", "-o", "link", "show", "master", PODS_LINK], check=False, capture_output=True, text=True
    )
    for line in listed.stdout.splitlines():
        name = line.split()[1].partition("@")[0]
        subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)


def _start_containerd(node: RealNode) -> None:
    plane, folder = node.plane, node.folder
    (folder / "cni" / "10-w2s.conflist").write_text(json.dumps(network(folder)))
    runc = shutil.which("runc", path=_PATH) or "runc"
    (folder / "containerd.toml").write_text(containerd_settings(folder, node.socket, runc))
    plane.start("containerd", f"--config={folder / 'containerd.toml'}", path=f"{plane.assets}:{_PATH}")
    plane.wait_for("containerd", node.socket.exists)
    node.load(pause_image(plane.assets / "pause", folder / "pause.tar"))
    assert PAUSE in node.ctr("images", "list", "--quiet")


def _start_kubelet(node: RealNode) -> None:
    plane, folder, pki = node.plane, node.folder, node.plane.folder / "pki"
    for name in ("node", "proxy"):
        content = build_kubeconfig(plane.url, pki, certificate_of(pki, name))
        (folder / f"{name}.kubeconfig").write_text(json.dumps(content))
    (folder / "kubelet.json").write_text(json.dumps(kubelet_settings(node.socket, pki, BRIDGE, free_port())))
    plane.start(
        "kubelet",
        f"--config={folder / 'kubelet.json'}",
        f"--kubeconfig={folder / 'node.kubeconfig'}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'pki'}",
        f"--hostname-override={NODE}",
        f"--node-ip={BRIDGE}",
        "--node-labels=w2s.dev/pool=cpu",
    )


def _start_network(node: RealNode) -> None:
    plane, folder = node.plane, node.folder
    settings = proxy_settings(folder / "proxy.kubeconfig", NODE, (free_port(), free_port()))
    (folder / "proxy.json").write_text(json.dumps(settings))
    plane.start("kube-proxy", f"--config={folder / 'proxy.json'}")
    names = f"kubernetes cluster.local in-addr.arpa {{\n    kubeconfig {plane.kubeconfig}\n    pods insecure\n  }}"
    (folder / "Corefile").write_text(f".:53 {{\n  bind {BRIDGE}\n  errors\n  {names}\n}}\n")
    plane.start("coredns", f"-conf={folder / 'Corefile'}")


def _unmount(folder: Path) -> None:
    """Let go of the volumes that pods left mounted."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed([one for one in mounts if one.startswith(f"{folder}/")]):
        subprocess.run(["umount", mount], check=False, capture_output=True)
