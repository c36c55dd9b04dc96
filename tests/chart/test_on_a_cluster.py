"""Helm on a real API server: what it installs is taken, upgraded, rolled back and removed, and experiments stay."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.kube.connect import open_api
from controller.operator.installation_file import read_installation
from controller.operator.metrics import Metrics
from controller.operator.operator import Operator, Options
from tests.support.chart import CHART, NAMESPACE, RELEASE, Helm, only, value_files
from tests.support.control_plane import ControlPlane
from tests.support.guide import DOCS, block, commands
from tests.support.operator_process import running

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart.yaml"


@pytest.fixture(scope="module", autouse=True)
def namespaces(plane: ControlPlane) -> None:
    """The namespaces that the examples of values name, all at the restricted level."""
    for name in (NAMESPACE, "team-a", "team-b", "research"):
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


_SIMULATED = ("--set", "controller.tolerations[0].operator=Exists", "--wait", "--timeout=240s")
"""Pods run on the simulated node, which has a taint, and become ready there"""


@contextlib.contextmanager
def _installed(plane: ControlPlane, helm: Helm, *options: str, chart: Path = CHART) -> Iterator[None]:
    try:
        said = helm("install", RELEASE, str(chart), "-n", NAMESPACE, *_SIMULATED, *options, check=False)
        assert "STATUS: deployed" in said, said + plane.kubectl("get", "pods,events", "-n", NAMESPACE).stdout
        yield
    finally:
        helm("uninstall", RELEASE, "-n", NAMESPACE, "--wait")


def _get(plane: ControlPlane, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plane.kubectl("get", *what, "-o", "json").stdout)
    return found


def _checksum(plane: ControlPlane) -> str:
    """Return the checksum of the settings that the newest pods run with, all others being gone."""
    sets = _get(plane, "replicasets", "-n", NAMESPACE)["items"]
    running = [one["spec"]["template"]["metadata"] for one in sets if one["status"]["replicas"]]
    assert len(running) == 1
    return str(running[0]["annotations"]["checksum/installation"])


def _notes(helm: Helm, *options: str) -> str:
    said = helm("install", RELEASE, str(CHART), "-n", NAMESPACE, "--dry-run=client", *options)
    return said.split("NOTES:")[1]


def _upgrade(helm: Helm, *options: str) -> None:
    helm("upgrade", RELEASE, str(CHART), "-n", NAMESPACE, *_SIMULATED, *options)


@pytest.mark.parametrize("file", [None, *value_files()], ids=lambda file: file.stem if file else "defaults")
def test_the_api_server_takes_every_object(helm: Helm, plane: ControlPlane, file: Path | None) -> None:
    kinds = ("ServiceMonitor", "PrometheusRule")  # of the Prometheus operator, which is not here
    objects = [one for one in helm.objects(file) if one["kind"] not in kinds]
    stdin = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    said = plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=stdin)
    assert said.stdout.count("(server dry run)") == len(objects)
    assert "would violate PodSecurity" not in said.stderr


def test_its_pods_are_admitted_where_the_restricted_level_is_enforced(plane: ControlPlane, cluster_helm: Helm) -> None:
    with _installed(plane, cluster_helm):
        pods = _get(plane, "pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=controller")["items"]
        assert len(pods) == 2


def test_experiments_outlive_upgrade_rollback_and_uninstall(plane: ControlPlane, cluster_helm: Helm) -> None:
    with _installed(plane, cluster_helm):
        plane.kubectl("apply", "-n", "team-a", "-f", str(QUICKSTART))
        uid = _get(plane, "w2s", "quickstart", "-n", "team-a")["metadata"]["uid"]
        first = _checksum(plane)
        _upgrade(cluster_helm, "--set", "workers.backoffLimit=5")
        assert _checksum(plane) != first
        cluster_helm("rollback", RELEASE, "1", "-n", NAMESPACE, "--wait", "--timeout=240s")
        assert _checksum(plane) == first
    assert _get(plane, "w2s", "quickstart", "-n", "team-a")["metadata"]["uid"] == uid
    with _installed(plane, cluster_helm):  # it takes back the definition that it left
        assert _get(plane, "w2s", "quickstart", "-n", "team-a")["metadata"]["uid"] == uid
    plane.kubectl("delete", "w2s", "quickstart", "-n", "team-a")


def test_an_upgrade_brings_the_new_definition_and_a_rollback_the_old(
    plane: ControlPlane, cluster_helm: Helm, tmp_path: Path
) -> None:
    old = tmp_path / "w2s"
    shutil.copytree(CHART, old)
    definition = (old / "files" / "crd.yaml").read_text()
    assert definition.count("- name: Progress\n") == 1
    (old / "files" / "crd.yaml").write_text(definition.replace("- name: Progress\n", "- name: Done\n"))

    def column() -> str:
        versions = _get(plane, "crd", "weaktostrongexperiments.w2s.dev")["spec"]["versions"]
        return str(versions[0]["additionalPrinterColumns"][1]["name"])

    with _installed(plane, cluster_helm, chart=old):
        assert column() == "Done"
        _upgrade(cluster_helm)
        assert column() == "Progress"
        cluster_helm("rollback", RELEASE, "1", "-n", NAMESPACE, "--wait", "--timeout=240s")
        assert column() == "Done"


def test_a_second_controller_for_every_namespace_is_refused(plane: ControlPlane, cluster_helm: Helm) -> None:
    plane.kubectl("create", "namespace", "w2s-second")
    only_mine = ("--set", "crds.install=false,rbac.aggregate=false")
    with _installed(plane, cluster_helm):
        said = cluster_helm("install", "second", str(CHART), "-n", "w2s-second", *only_mine, check=False)
        assert 'ClusterRole "w2s-controller" in namespace "" exists and cannot be imported' in said
        said = cluster_helm(
            "install", "second", str(CHART), "-n", NAMESPACE, *only_mine, "--set", "namespaces={team-b}", check=False
        )
        assert 'Role "w2s-controller-lease" in namespace "w2s-system" exists and cannot be imported' in said


def test_with_rights_in_two_namespaces_the_controller_lists_what_it_needs_and_leads(
    plane: ControlPlane, cluster_helm: Helm, tmp_path: Path
) -> None:
    values = CHART / "ci" / "two-teams-values.yaml"
    with _installed(plane, cluster_helm, "-f", str(values)):
        file = tmp_path / "installation.yaml"
        file.write_text(_get(plane, "configmap", "w2s-controller", "-n", NAMESPACE)["data"]["installation.yaml"])
        mine = plane.kubeconfig_for(NAMESPACE, "w2s-controller")
        options = Options(namespace=NAMESPACE, health=("127.0.0.1", 0))
        operator = Operator(open_api(mine), read_installation(file), Metrics(), options)
        with running(operator):
            plane.wait_for("the lead", lambda: operator.leading)
            plane.wait_for("all lists", lambda: operator._ready() is None)
        elsewhere = plane.kubectl("--kubeconfig", str(mine), "get", "jobs", "-n", "research", check=False)
        assert "forbidden" in elsewhere.stderr


def test_a_workers_account_may_do_nothing_in_its_own_namespace(plane: ControlPlane, cluster_helm: Helm) -> None:
    with _installed(plane, cluster_helm, "--set", "workerNamespaces[0].name=team-a"):
        mine = plane.kubeconfig_for("team-a", "w2s-worker")
        for what in ("jobs", "secrets", "pods", "w2s"):
            said = plane.kubectl("--kubeconfig", str(mine), "get", what, "-n", "team-a", check=False)
            assert "forbidden" in said.stderr, what


@pytest.mark.parametrize("person", ["view", "edit"])
def test_who_may_see_or_edit_a_namespace_may_do_so_with_its_experiments(
    plane: ControlPlane, cluster_helm: Helm, person: str
) -> None:
    plane.kubectl("create", "serviceaccount", person, "-n", "team-a")
    plane.kubectl(
        "create", "rolebinding", person, f"--clusterrole={person}", f"--serviceaccount=team-a:{person}", "-n", "team-a"
    )

    def may(verb: str) -> bool:
        who = f"--as=system:serviceaccount:team-a:{person}"
        return plane.kubectl("auth", "can-i", verb, "w2s", who, "-n", "team-a", check=False).stdout.strip() == "yes"

    with _installed(plane, cluster_helm):
        plane.wait_for("the aggregated role", lambda: may("list"))
        plane.wait_for("the right to create", lambda: may("create") == (person == "edit"))


def test_the_notes_tell_the_next_commands(plane: ControlPlane, cluster_helm: Helm) -> None:
    empty = _notes(cluster_helm)
    assert "helm upgrade w2s CHART -n w2s-system -f values.yaml" in empty
    assert "kubectl apply" not in empty
    ready = _notes(cluster_helm, "-f", str(CHART / "ci" / "one-store-values.yaml"))
    assert "kubectl -n w2s-system create secret generic w2s-store --from-env-file=FILE" in ready
    assert "kubectl -n default apply -f examples/quickstart.yaml" in ready
    assert "storage:" not in ready
    teams = _notes(cluster_helm, "-f", str(CHART / "ci" / "two-teams-values.yaml"))
    assert "create secret" not in teams
    storage, apply = teams.index("storage: {name: a}       # of: a, b"), teams.index("kubectl -n team-a apply -f")
    assert storage < apply


def test_the_notes_tell_to_make_a_stores_secret_where_the_store_may_be_used(
    plane: ControlPlane, cluster_helm: Helm, tmp_path: Path
) -> None:
    def store(name: str, **where: Any) -> dict[str, Any]:
        return {
            "name": name,
            "settings": {"uri": f"s3://{name}"},
            "credentials": {"secretName": f"keys-{name}"},
            **where,
        }

    values = {
        "stores": [store("a", namespaces=["team-a"]), store("b", namespaces=["team-b"]), store("all")],
        "defaultStore": "b",
        "workerNamespaces": [{"name": "team-a"}, {"name": "team-b"}],
    }
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    told = _notes(cluster_helm, "-f", str(tmp_path / "values.yaml"))
    made = [line.split()[2:7:4] for line in told.splitlines() if "create secret" in line]
    assert made == [["team-a", "keys-a"], ["team-b", "keys-b"], ["team-a", "keys-all"], ["team-b", "keys-all"]]
    assert "kubectl -n team-b apply -f examples/quickstart.yaml" in told


def test_without_helm_the_guides_commands_install_all_that_runs_an_experiment(
    plane: ControlPlane, cluster_helm: Helm, tmp_path: Path
) -> None:
    render, apply = commands("Without Helm", DOCS / "install.md")
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    (tmp_path / "values.yaml").write_text(block("install.md", "yaml", 0))
    program, *options, _, file = shlex.split(render)
    assert program == "helm"
    with contextlib.chdir(tmp_path):
        (tmp_path / file).write_text(cluster_helm(*options))
        plane.kubectl(*shlex.split(apply)[1:])
    try:
        _check_that_experiments_can_run(plane, tmp_path)
    finally:
        plane.kubectl("delete", "-f", str(tmp_path / file))


def _check_that_experiments_can_run(plane: ControlPlane, folder: Path) -> None:
    (folder / "installation.yaml").write_text(
        _get(plane, "configmap", "w2s-controller", "-n", NAMESPACE)["data"]["installation.yaml"]
    )
    read = read_installation(folder / "installation.yaml")
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert read.workers.image == f"registry.example.com/w2s-worker:{chart['appVersion']}"
    assert [(store.name, store.credentials.secret_name) for store in read.stores] == [(read.default_store, "w2s-store")]
    pod = _get(plane, "deployment", "w2s-controller", "-n", NAMESPACE)["spec"]["template"]["spec"]
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "w2s-store"}}]
    assert _get(plane, "serviceaccount", "w2s-worker", "-n", "research")["automountServiceAccountToken"] is False
    egress = _get(plane, "networkpolicy", "w2s-workers", "-n", "research")["spec"]["egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in egress] == [[53, 53], [443], [443]]


def test_the_api_server_takes_the_priority_level_of_the_guide(plane: ControlPlane) -> None:
    text = block("tuning.md", "yaml", 0)
    said = plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text).stdout
    assert said.count("(server dry run)") == 2


@pytest.mark.parametrize("side", [[], ["--server-side", "--force-conflicts"]], ids=["client", "server"])
def test_kubectl_applies_the_plain_manifests(plane: ControlPlane, side: list[str]) -> None:
    plane.kubectl("apply", *side, "-k", str(ROOT / "k8s"))
    deployment = _get(plane, "deployment", "w2s-controller", "-n", NAMESPACE)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "w2s-controller:0.1.0"
    account = only(_get(plane, "serviceaccounts", "-n", NAMESPACE)["items"], "ServiceAccount", "w2s-controller")
    assert account["automountServiceAccountToken"] is False
