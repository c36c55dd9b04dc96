"""Find the API server and prove who we are: a kubeconfig file, or the service account of the pod."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_kube_config
from kubernetes.config.incluster_config import InClusterConfigLoader
from urllib3.connection import HTTPConnection

from controller.errors import W2sError
from controller.kube.api import KubeApi, Observer

__all__ = ["NoCluster", "TokenFile", "connected", "in_cluster", "open_api"]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONNECTIONS = 64
"""Connections kept open. More threads than that at once work too, but open a connection for each request"""
_TOKEN_SECONDS = 60.0
"""How long a token is used before its file is read again; the kubelet replaces it well before it expires"""


class NoCluster(W2sError):
    """No API server is named, or the file that names it cannot be read."""


class TokenFile:
    """A token that somebody else renews in a file. Called by the client before each request."""

    def __init__(self, path: Path, seconds: float = _TOKEN_SECONDS, clock: Callable[[], float] = time.monotonic):
        self._path = path
        self._seconds = seconds
        self._clock = clock
        self._read_at = float("-inf")

    def __call__(self, configuration: Configuration) -> None:
        """Put the token into the configuration, from the file where that was read long ago."""
        now = self._clock()
        if now - self._read_at < self._seconds:
            return
        try:
            token = self._path.read_text().strip()
        except OSError:  # in the middle of a replacement: the old one is good for a while
            return
        if token:
            configuration.api_key["BearerToken"] = f"Bearer {token}"
            self._read_at = now


def open_api(
    kubeconfig: Path | None = None,
    *,
    context: str | None = None,
    observer: Observer | None = None,
    connections: int = _CONNECTIONS,
) -> KubeApi:
    """Connect with a kubeconfig file; without one as the pod's service account, else by KUBECONFIG or ~/.kube/config.

    Nothing is sent yet. Raises NoCluster.

    Parameters
    ----------
    connections
        How many are kept open: one for each worker thread and each watch, and some for the rest.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
            in_cluster(configuration)
        else:
            load_kube_config(
                str(kubeconfig) if kubeconfig else None,
                context=context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (ConfigException, OSError, ValueError) as error:
        place = f"kubeconfig {kubeconfig}" if kubeconfig else "cluster"
        raise NoCluster(
            f"{place}: {error}. Name a readable kubeconfig with --kubeconfig or KUBECONFIG; "
            "`kubectl config view` shows what is in it."
        ) from error
    return connected(configuration, observer, connections)


def in_cluster(
    configuration: Configuration,
    folder: Path = _SERVICE_ACCOUNT,
    environment: Mapping[str, str] = os.environ,
    token: TokenFile | None = None,
) -> None:
    """Fill in the API server and the credentials that Kubernetes gives each pod. Raises ConfigException.

    A proxy in the environment is for what lies outside: the API server's address is one of the cluster's own.
    """
    loader: Any = InClusterConfigLoader(
        token_filename=str(folder / "token"),
        cert_filename=str(folder / "ca.crt"),
        try_refresh_token=False,
        environ=environment,
    )
    loader.load_and_set(configuration)
    configuration.proxy = None
    configuration.refresh_api_key_hook = token or TokenFile(folder / "token")


def connected(
    configuration: Configuration, observer: Observer | None = None, connections: int = _CONNECTIONS
) -> KubeApi:
    """Connect as a configuration of the official client says. Nothing is sent yet."""
    configuration.connection_pool_maxsize = connections
    configuration.retries = False
    configuration.socket_options = [*HTTPConnection.default_socket_options, *_keep_alive()]
    client = ApiClient(configuration)
    client.user_agent = "w2s-controller"
    return KubeApi(client, observer=observer)


def _keep_alive() -> list[tuple[int, int, int]]:
    """Notice a dead peer within a minute, so that a watch does not wait for one that vanished without a word."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):  # not on every system
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options
