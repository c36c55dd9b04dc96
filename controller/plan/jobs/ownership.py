"""Owner references: every experiment that needs a step owns its Job, and each adds and removes only its own.

The API server keeps owner references as a map by uid. The garbage collector takes a reference away when its
experiment is gone, and the Job with the last one; `controller: false` lets many experiments own it as equals.
"""

from __future__ import annotations

from typing import Any

from controller.api.labels import GROUP, KIND, VERSION
from controller.plan.jobs.context import Owner

__all__ = ["build_join", "build_release", "owner_reference"]


def owner_reference(owner: Owner) -> dict[str, Any]:
    """Build the reference to an experiment."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": owner.name,
        "uid": owner.uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }


def build_join(uid: str, owner: Owner) -> dict[str, Any]:
    """Build the strategic merge patch that adds one experiment's reference to the Job with this uid.

    A patch, not an apply: an experiment that applied the whole Job before would give up all that it does not name now.
    Nothing of the spec, because Kueue owns `suspend` by then and the pod template cannot change.
    """
    return {"metadata": {"uid": uid, "ownerReferences": [owner_reference(owner)]}}


def build_release(uid: str, owner: Owner) -> dict[str, Any]:
    """Build the strategic merge patch that takes one experiment's reference off the Job with this uid.

    A patch, not an apply: the experiment that created the Job also manages its spec, and would give that up too.
    """
    return {"metadata": {"uid": uid, "ownerReferences": [{"$patch": "delete", "uid": owner.uid}]}}
