"""What the programs of a node read: settings of containerd, kubelet and kube-proxy, network, the pause image."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

__all__ = ["PAUSE", "PODS_LINK", "containerd_settings", "kubelet_settings", "network", "pause_image", "proxy_settings"]

PAUSE = "w2s.test/pause:1"
PODS_LINK = "w2s-br0"
"""Bridge of the pods"""
_PODS = "10.244.0.0/16"


def network(folder: Path) -> dict[str, Any]:
    """The pods' network: a bridge of its own."""
    addresses = {
        "type": "host-local",
        "dataDir": str(folder / "ipam"),
        "ranges": [[{"subnet": "10.244.0.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": PODS_LINK, "isGateway": True, "ipMasq": True, "hairpinMode": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "w2s", "plugins": [{**bridge, "ipam": addresses}, ports]}


def containerd_settings(folder: Path, socket: Path, runc: str) -> str:
    """Settings of containerd: everything under `folder`, pods by runc."""
    plugin = "io.containerd.cri.v1"
    return f"""version = 3
root = "{folder}/containerd"
state = "{socket.with_suffix("")}"
[grpc]
  address = "{socket}"
[plugins."{plugin}.images"]
  snapshotter = "overlayfs"
  [plugins."{plugin}.images".pinned_images]
    sandbox = "{PAUSE}"
[plugins."{plugin}.runtime"]
  restrict_oom_score_adj = true
  [plugins."{plugin}.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{folder}/cni"
  [plugins."{plugin}.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."{plugin}.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."{plugin}.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "{runc}"
"""


def kubelet_settings(socket: Path, pki: Path, address: str, port: int) -> dict[str, Any]:
    """Settings of the kubelet: it never evicts for a full disk, which is the machine's and not the test's."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": True,
        "clusterDNS": [address],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{socket}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "fileCheckFrequency": "20s",
        "healthzPort": 0,
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
        "port": port,
        "readOnlyPort": 0,
        "resolvConf": "/etc/resolv.conf",
        "syncFrequency": "10s",
    }


def proxy_settings(kubeconfig: Path, node: str, ports: tuple[int, int]) -> dict[str, Any]:
    """Settings of kube-proxy."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": _PODS,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "healthzBindAddress": f"127.0.0.1:{ports[0]}",
        "hostnameOverride": node,
        "metricsBindAddress": f"127.0.0.1:{ports[1]}",
        "mode": "iptables",
    }


def pause_image(program: Path, archive: Path) -> Path:
    """Write an image of one file, the program that holds a pod's namespaces, as `docker save` would."""
    layer = archive.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        tar.add(program, "pause")
    digest = hashlib.sha256(layer.read_bytes()).hexdigest()
    root = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    entry = {"Entrypoint": ["/pause"], "User": "65535:65535"}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": entry, "rootfs": root}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(archive, "w") as tar:
        tar.add(layer, "layer.tar")
        for member, data in ((name, config), ("manifest.json", manifest)):
            entry_info = tarfile.TarInfo(member)
            entry_info.size = len(data)
            tar.addfile(entry_info, io.BytesIO(data))
    return archive
