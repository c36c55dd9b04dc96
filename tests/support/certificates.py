"""Throw-away certificates of a test cluster, made with openssl."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

__all__ = ["BRIDGE", "NODE", "make_certificates"]

BRIDGE = "10.245.0.1"
"""Address of a control plane that pods can reach"""
NODE = socket.gethostname().lower()
"""Name of this machine as a node"""
_SERVER_NAMES = f"IP:127.0.0.1,IP:{BRIDGE},IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc"


def make_certificates(folder: Path) -> None:
    """Write `.key` and `.crt` of the authority, the API server, an administrator and a node, and sa.key for tokens."""
    folder.mkdir(parents=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        folder, "req", "-x509", *curve, "-days", "30", "-subj", "/CN=w2s-test", "-keyout", "ca.key", "-out", "ca.crt"
    )
    _openssl(folder, "genrsa", "-out", "sa.key", "2048")
    _issue(folder, "apiserver", "/CN=kube-apiserver", f"subjectAltName={_SERVER_NAMES}\nextendedKeyUsage=serverAuth")
    for name, subject in (
        ("admin", "/O=system:masters/CN=admin"),
        ("kubelet-client", "/O=system:masters/CN=kubelet-client"),
        ("node", f"/O=system:nodes/CN=system:node:{NODE}"),
        ("proxy", "/CN=system:kube-proxy"),
    ):
        _issue(folder, name, subject, "extendedKeyUsage=clientAuth")


def _issue(folder: Path, name: str, subject: str, extensions: str) -> None:
    (folder / f"{name}.ext").write_text(extensions)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(folder, "req", *curve, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *authority, "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
