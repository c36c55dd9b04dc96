"""The installation: what the people who run the cluster decide, read by the controller from one YAML file.

The chart writes it from its values. An experiment names a store and pools by the names given here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from controller.api.placement import GpuType
from w2s_jobs.contracts.model import Contract
from w2s_jobs.contracts.steps import StoreSettings

__all__ = [
    "QUANTITY",
    "Credentials",
    "Installation",
    "NodePool",
    "Quantity",
    "Store",
    "WorkerAccount",
    "WorkerDefaults",
]

QUANTITY = r"^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E|)$"
"""pattern of a Kubernetes quantity of bytes"""
Quantity = Annotated[str, Field(pattern=QUANTITY, max_length=30)]


class Credentials(Contract):
    """How a worker proves to the store who it is. Never a key itself."""

    secret_name: str | None = Field(default=None, max_length=253)
    """secretName in the experiment's namespace, with the variables that boto3 knows (AWS_ACCESS_KEY_ID, …)"""
    service_account_name: str | None = Field(default=None, max_length=253)
    """serviceAccountName of the workers, whose web identity the store trusts"""


class Store(Contract):
    """A place for artifacts."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """name that experiments use"""
    settings: StoreSettings
    """settings: URI, endpoint, region"""
    credentials: Credentials = Credentials()
    """credentials of the workers"""
    namespaces: tuple[str, ...] = ()
    """namespaces that may use it; empty for all"""


class NodePool(Contract):
    """Nodes of one kind, under the name that experiments' pools use."""

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """name"""
    gpu: GpuType | None = None
    """gpu type; an experiment's pool of this name must say the same, or it is refused"""
    gpu_resource: str = "nvidia.com/gpu"
    """gpuResource by which pods ask for one GPU"""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """nodeSelector of the pods; `w2s.dev/pool: <name>` when nothing is given"""
    tolerations: tuple[dict[str, Any], ...] = ()
    """tolerations of the pods; of `nvidia.com/gpu` when nothing is given"""
    affinity: dict[str, Any] = Field(default_factory=dict)
    """affinity of the pods"""
    topology_key: str | None = Field(default=None, max_length=317)
    """topologyKey that the pods of one multi-node training share, such as a rack's label"""
    memory_per_gpu: Quantity = "64Gi"
    """memoryPerGpu of the host that a pod asks for at least; more where its model takes more (docs/placement.md)"""
    cpus_per_gpu: int = Field(default=8, ge=1, le=256)
    """cpusPerGpu that a pod asks for"""


class WorkerAccount(Contract):
    """A service account of the workers without any right, so that a policy can tell them from other pods."""

    name: str = Field(min_length=1, max_length=253)
    """name"""
    namespaces: tuple[str, ...] = ()
    """namespaces that have it; in all others, and where this is empty, workers run as `default`"""


class WorkerDefaults(Contract):
    """What every worker pod gets."""

    image: str = Field(default="w2s-worker:latest", max_length=1000)
    """image of the workers"""
    image_pull_policy: str = "IfNotPresent"
    """imagePullPolicy"""
    image_pull_secrets: tuple[str, ...] = ()
    """imagePullSecrets by name"""
    priority_class_name: str | None = Field(default=None, max_length=253)
    """priorityClassName where the experiment names none"""
    queue: str | None = Field(default=None, max_length=253)
    """queue of Kueue where the experiment names none"""
    scratch: Quantity = "20Gi"
    """scratch: ephemeral storage of a pod, beside what the placement adds for models and checkpoints on a pool"""
    memory: Quantity = "2Gi"
    """memory of a pod without GPUs, for each thread; on GPUs that of a rank's program beside its model"""
    shared_memory: Quantity = "8Gi"
    """sharedMemory: size of /dev/shm where more than one process computes"""
    model_cache: dict[str, Any] = Field(default_factory=dict)
    """modelCache: a volume source (hostPath, persistentVolumeClaim) for downloaded models; an emptyDir by default"""
    model_cache_size: Quantity | None = None
    """modelCacheSize that its files may fill, such as 500Gi; all but 15 % of its disk where nothing is given"""
    service_account: WorkerAccount | None = None
    """serviceAccount of every pod in some namespaces, where the store's credentials name no other"""
    backoff_limit: int = Field(default=3, ge=0, le=100)
    """backoffLimit: attempts after the first that are charged to a step"""
    grace_seconds: int = Field(default=120, ge=1, le=3600)
    """graceSeconds that a pod gets to save what it has"""
    no_progress_seconds: int = Field(default=3600, ge=60, le=604800)
    """noProgressSeconds after which a step that reports nothing is ended and tried again"""


class Installation(Contract):
    """The whole file."""

    stores: tuple[Store, ...] = ()
    """stores"""
    default_store: str | None = Field(default=None, max_length=63)
    """defaultStore where an experiment names none"""
    pools: tuple[NodePool, ...] = ()
    """pools"""
    workers: WorkerDefaults = WorkerDefaults()
    """workers: defaults of their pods"""
    namespaces: tuple[str, ...] = ()
    """namespaces that are watched; empty for all"""
    kueue: bool = False
    """kueue: it is installed, and what it says of waiting Jobs is read from its Workloads"""

    @field_validator("stores", "pools")
    @classmethod
    def _names_are_unique(cls, given: Sequence[Any], info: ValidationInfo) -> Sequence[Any]:
        first: dict[str, int] = {}
        for index, one in enumerate(given):
            if first.setdefault(one.name, index) != index:
                places = f"{info.field_name}[{first[one.name]}] and {info.field_name}[{index}]"
                raise ValueError(f"'{one.name}' is given to {places}; expected a name for each. Rename one of them")
        return given

    @field_validator("default_store")
    @classmethod
    def _default_is_a_store(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None or "stores" not in info.data:  # they are refused by themselves
            return name
        names = [store.name for store in info.data["stores"]]
        if name not in names:
            expected = f"one of {', '.join(names)}" if names else "one of the stores, of which there are none"
            raise ValueError(f"'{name}' is no store of this installation; expected {expected}. Correct it, or add it")
        return name
