"""Throw-away certificates of a test cluster, made with openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["make_certificates"]

_SERVER_NAMES = "IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc"


def make_certificates(folder: Path) -> None:
    """Write ca, apiserver and admin (`.key`, `.crt`), and sa.key for service account tokens."""
    folder.mkdir(parents=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        folder, "req", "-x509", *curve, "-days", "30", "-subj", "/CN=w2s-test", "-keyout", "ca.key", "-out", "ca.crt"
    )
    _openssl(folder, "genrsa", "-out", "sa.key", "2048")
    _issue(folder, "apiserver", "/CN=kube-apiserver", f"subjectAltName={_SERVER_NAMES}\nextendedKeyUsage=serverAuth")
    _issue(folder, "admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")


def _issue(folder: Path, name: str, subject: str, extensions: str) -> None:
    (folder / f"{name}.ext").write_text(extensions)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(folder, "req", *curve, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *authority, "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
