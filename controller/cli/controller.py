"""`w2s controller`: the process that makes a cluster run experiments."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command()
@click.option(
    "--settings",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="YAML file of the installation: stores, pools, defaults of the workers (docs/operator.md).",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Default: the pod's service account.")
@click.option("--namespace", default="w2s-system", show_default=True, help="Namespace of the leader's Lease.")
@click.option("--workers", type=click.IntRange(1, 128), default=8, show_default=True, help="Experiments at once.")
@click.option("--health", default="0.0.0.0:8080", show_default=True, help="Address of /healthz, /readyz and /metrics.")
@click.option("--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING"]), default="INFO", show_default=True)
def command(settings: Path, kubeconfig: Path | None, namespace: str, workers: int, health: str, log_level: str) -> None:
    """Run the controller until SIGTERM. Several may run: one leads, the others take over when it ends."""
    import signal

    from controller.kube.connect import open_api
    from controller.operator.installation_file import read_installation
    from controller.operator.logs import set_up_logging
    from controller.operator.metrics import Metrics
    from controller.operator.operator import Operator, Options

    set_up_logging(log_level)
    host, _, port = health.rpartition(":")
    if not port.isdigit():
        raise click.BadParameter(f"{health!r}; expected host:port", param_hint="--health")
    installation = read_installation(settings)
    metrics = Metrics()
    options = Options(namespace=namespace, workers=workers, health=(host, int(port)))
    operator = Operator(open_api(kubeconfig, observer=metrics.request), installation, metrics, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: operator.stop())
    operator.run()
