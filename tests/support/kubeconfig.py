"""Credentials for the API server of a test's control plane, as a kubeconfig holds them."""

from __future__ import annotations

import base64
from pathlib import Path

__all__ = ["build_kubeconfig", "certificate_of", "token_user"]


def build_kubeconfig(url: str, pki: Path, user: dict[str, str]) -> dict[str, object]:
    """Build the file's content for one user."""
    cluster = {"server": url, "certificate-authority-data": _base64(pki / "ca.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test", "user": user}],
    }


def certificate_of(pki: Path, name: str) -> dict[str, str]:
    """Return a user with a certificate (certificates.py)."""
    return {
        "client-certificate-data": _base64(pki / f"{name}.crt"),
        "client-key-data": _base64(pki / f"{name}.key"),
    }


def token_user(token: str) -> dict[str, str]:
    """Return a user with a bearer token, such as a service account."""
    return {"token": token}


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
